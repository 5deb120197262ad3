using System.Security.Cryptography;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Proof;

/// <summary>
/// The key that signs checkpoints (ECDSA, P-256). From the environment, or from a file that is made on the first run and that
/// only its owner can read.
/// </summary>
public sealed class SigningKey : IDisposable
{
    /// <summary>The private key itself, in PEM. Wins over the file.</summary>
    public const string KeyVariable = "ANTBOT_SIGNING_KEY";

    /// <summary>Where the private key's file is.</summary>
    public const string FileVariable = "ANTBOT_SIGNING_KEY_FILE";

    private const UnixFileMode OpenToOthers = UnixFileMode.GroupRead | UnixFileMode.OtherRead | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    private readonly ECDsa _key;

    private SigningKey(ECDsa key)
    {
        _key = key;
        Public = new PublicKey(key.ExportSubjectPublicKeyInfo());
    }

    public PublicKey Public { get; }

    /// <summary>From the environment where it is set, else from the file, which is made where it is missing.</summary>
    /// <param name="groupMayRead">A secret that is mounted for one container alone is its group's as well.</param>
    public static SigningKey LoadOrCreate(string path, bool groupMayRead = false)
    {
        if (Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } pem)
            return Parse(pem, $"the variable {KeyVariable}");
        var file = Environment.GetEnvironmentVariable(FileVariable) is { Length: > 0 } named ? named : path;
        return File.Exists(file) ? LoadKept(file, groupMayRead) : Create(file);
    }

    public static SigningKey Load(string path, bool groupMayRead = false)
    {
        string pem;
        try
        {
            pem = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EventStoreException(StoreFault.Forbidden, $"The signing key cannot be read: {e.Message}", e);
        }
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & (groupMayRead ? OpenToOthers & ~UnixFileMode.GroupRead : OpenToOthers)) != UnixFileMode.None)
            throw new EventStoreException(StoreFault.Forbidden, $"The signing key '{path}' can be read or changed by others, so its signatures prove nothing. Make it private (chmod 600), or make a new key if anyone may have seen it.");
        return Parse(pem, $"the file '{path}'");
    }

    public byte[] Sign(ReadOnlySpan<byte> statement) => _key.SignData(statement, HashAlgorithmName.SHA256);

    public void Dispose() => _key.Dispose();

    /// <summary>Where the public half is missing (a crash came between the two files, or the key came alone), it is made again: who verifies looks for it there.</summary>
    private static SigningKey LoadKept(string path, bool groupMayRead = false)
    {
        var key = Load(path, groupMayRead);
        if (File.Exists(PublicFileOf(path)))
            return key;
        try
        {
            File.WriteAllText(PublicFileOf(path), key.Public.ToPem() + Environment.NewLine);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A folder of secrets may be mounted read-only: signing does not need it.
        }
        return key;
    }

    private static SigningKey Create(string path)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        try
        {
            Directory.CreateDirectory(folder);
            // Written aside and then given its name, so that of two first runs one wins and the other uses its key. By no process id: in
            // containers that share a folder they are all the same.
            var aside = $"{path}.{Guid.NewGuid():N}.new";
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using (var stream = new FileStream(aside, options))
            {
                using var writer = new StreamWriter(stream);
                writer.WriteLine(key.ExportPkcs8PrivateKeyPem());
                writer.Flush();
                stream.Flush(flushToDisk: true);
            }
            if (!WholeFile.TryPlace(aside, path))
            {
                key.Dispose();
                return LoadKept(path);
            }
            var made = new SigningKey(key);
            File.WriteAllText(PublicFileOf(path), made.Public.ToPem() + Environment.NewLine);
            return made;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            key.Dispose();
            throw new EventStoreException(StoreFault.Forbidden, $"A signing key cannot be made at '{path}': {e.Message} Set {FileVariable} to a place that can be written.", e);
        }
    }

    /// <summary>The public half beside it, to be handed to whoever verifies.</summary>
    public static string PublicFileOf(string path) => path + ".pub";

    private static SigningKey Parse(string pem, string where)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            return new SigningKey(key);
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            key.Dispose();
            throw new EventStoreException(StoreFault.Invalid, $"What is in {where} is no private key in PEM (ECDSA, P-256).", e);
        }
    }
}

/// <summary>What checks a checkpoint's signature; no secret.</summary>
public sealed class PublicKey
{
    private readonly byte[] _info;

    public PublicKey(byte[] subjectPublicKeyInfo)
    {
        _info = subjectPublicKeyInfo;
        Id = Convert.ToHexStringLower(SHA256.HashData(subjectPublicKeyInfo))[..16];
    }

    /// <summary>The first 16 hexadecimal digits of the key's hash.</summary>
    public string Id { get; }

    public static PublicKey Load(string path)
    {
        try
        {
            using var key = ECDsa.Create();
            key.ImportFromPem(File.ReadAllText(path));
            return new PublicKey(key.ExportSubjectPublicKeyInfo());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or CryptographicException)
        {
            throw new EventStoreException(StoreFault.Invalid, $"'{path}' holds no key that can be read (PEM, ECDSA): {e.Message}", e);
        }
    }

    public string ToPem() => PemEncoding.WriteString("PUBLIC KEY", _info);

    public bool Verify(ReadOnlySpan<byte> statement, ReadOnlySpan<byte> signature)
    {
        using var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(_info, out _);
        try
        {
            return key.VerifyData(statement, signature, HashAlgorithmName.SHA256);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}
