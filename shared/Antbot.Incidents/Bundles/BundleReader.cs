using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using Antbot.Runtime.Store;

namespace Antbot.Incidents.Bundles;

/// <summary>
/// Reads a bundle that may come from anybody: nothing is unpacked to a file, no name is followed, and no more is read than its manifest
/// announces, within bounds. Whatever is not as a bundle is made is refused with the reason.
/// </summary>
public sealed class BundleReader : IDisposable
{
    private const int EndBytes = 22;
    private const uint EndSignature = 0x06054b50;
    private const int SignatureBytesMax = 1_024;
    private const int CopyBytes = 128 * 1024;

    private readonly FileStream _file;
    private readonly ZipArchive _zip;

    private BundleReader(FileStream file, ZipArchive zip) => (_file, _zip) = (file, zip);

    public BundleManifest Manifest { get; private set; } = null!;

    /// <summary>As it lies there: what the signature is of.</summary>
    internal byte[] ManifestBytes { get; private set; } = [];

    /// <summary>Null where it was not signed.</summary>
    internal byte[]? Signature { get; private set; }

    /// <exception cref="EventStoreException">It is no bundle, or not as one is made.</exception>
    public static BundleReader Open(string path)
    {
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        ZipArchive? zip = null;
        try
        {
            CheckEnd(file);
            zip = new ZipArchive(file, ZipArchiveMode.Read, leaveOpen: true);
            var reader = new BundleReader(file, zip);
            reader.Begin();
            return reader;
        }
        catch (Exception e)
        {
            zip?.Dispose();
            file.Dispose();
            if (e is InvalidDataException or NotSupportedException or EndOfStreamException)
                throw BundleLimits.Refused($"it is no zip that can be read ({EventWords.Plain(e.Message, 200)})");
            throw;
        }
    }

    public bool Has(string name) => Manifest.Members.Any(m => m.Name == name);

    /// <summary>A member as it was put in, up to this many bytes.</summary>
    public async Task<byte[]> ReadAsync(string name, int most, CancellationToken cancellationToken = default)
    {
        var member = Manifest.Members.FirstOrDefault(m => m.Name == name) ?? throw BundleLimits.Refused($"it has no member '{name}'");
        if (member.Bytes > most)
            throw BundleLimits.Refused($"'{name}' has {member.Bytes:N0} bytes, and this build reads {most:N0} of it at most");
        using var content = new MemoryStream((int)member.Bytes);
        await CopyAsync(member, content, cancellationToken);
        return content.ToArray();
    }

    /// <summary>Copies a member, and refuses it where it is not what the manifest announces.</summary>
    public async Task CopyAsync(BundleMember member, Stream to, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(member);
        ArgumentNullException.ThrowIfNull(to);
        var entry = _zip.GetEntry(member.Name) ?? throw BundleLimits.Refused($"'{member.Name}' is missing");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var (buffer, read) = (new byte[CopyBytes], 0L);
        try
        {
            await using var from = await entry.OpenAsync(cancellationToken);
            while (await from.ReadAsync(buffer, cancellationToken) is > 0 and var count)
            {
                if ((read += count) > member.Bytes)
                    throw BundleLimits.Refused($"'{member.Name}' is longer than its manifest announces");
                hash.AppendData(buffer, 0, count);
                await to.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
            }
        }
        catch (Exception e) when (e is InvalidDataException or NotSupportedException or EndOfStreamException)
        {
            throw BundleLimits.Refused($"'{member.Name}' cannot be unpacked ({EventWords.Plain(e.Message, 200)})");
        }
        if (read != member.Bytes || Convert.ToHexStringLower(hash.GetHashAndReset()) != member.Sha256)
            throw BundleLimits.Refused($"'{member.Name}' is not what its manifest announces: it was changed");
    }

    public void Dispose()
    {
        _zip.Dispose();
        _file.Dispose();
    }

    /// <summary>
    /// The list of members is read as a whole by whoever opens a zip: how long it is stands at the file's end, and is looked at before. No comment, no
    /// second part, and none of the forms for larger files.
    /// </summary>
    private static void CheckEnd(FileStream file)
    {
        if (file.Length > BundleLimits.FileBytesMax)
            throw BundleLimits.Refused($"it has {file.Length:N0} bytes, of {BundleLimits.FileBytesMax:N0} at most");
        if (file.Length < EndBytes)
            throw BundleLimits.Refused("it is too short to be one");
        Span<byte> end = stackalloc byte[EndBytes];
        file.Seek(-EndBytes, SeekOrigin.End);
        file.ReadExactly(end);
        file.Seek(0, SeekOrigin.Begin);
        var (entries, bytes, at) = (BinaryPrimitives.ReadUInt16LittleEndian(end[10..]), BinaryPrimitives.ReadUInt32LittleEndian(end[12..]), BinaryPrimitives.ReadUInt32LittleEndian(end[16..]));
        if (BinaryPrimitives.ReadUInt32LittleEndian(end) != EndSignature || BinaryPrimitives.ReadUInt32LittleEndian(end[4..]) != 0 || BinaryPrimitives.ReadUInt16LittleEndian(end[20..]) != 0 || at + (long)bytes != file.Length - EndBytes)
            throw BundleLimits.Refused("it does not end as a zip of one part without a comment does");
        if (entries > BundleLimits.MembersMax + 2 || bytes > BundleLimits.DirectoryBytesMax)
            throw BundleLimits.Refused($"it lists {entries} members in {bytes:N0} bytes");
    }

    private void Begin()
    {
        var names = _zip.Entries.Select(e => e.FullName).ToList();
        if (names.Find(n => BundleLimits.NameFault(n) is not null) is { } bad)
            throw BundleLimits.Refused(BundleLimits.NameFault(bad)!);
        if (names.Distinct(StringComparer.Ordinal).Count() != names.Count)
            throw BundleLimits.Refused("it has a member twice");
        ManifestBytes = ReadSmall(BundleManifest.Name, BundleLimits.ManifestBytesMax) ?? throw BundleLimits.Refused("it has no manifest");
        Signature = ReadSmall(BundleManifest.SignatureName, SignatureBytesMax);
        Manifest = BundleManifest.Read(ManifestBytes);
        var announced = Manifest.Members.Select(m => m.Name).ToHashSet(StringComparer.Ordinal);
        if (names.Find(n => n is not (BundleManifest.Name or BundleManifest.SignatureName) && !announced.Contains(n)) is { } unknown)
            throw BundleLimits.Refused($"'{unknown}' is in it, and not in its manifest");
        if (Manifest.Members.FirstOrDefault(m => !names.Contains(m.Name)) is { } missing)
            throw BundleLimits.Refused($"'{missing.Name}' is missing");
    }

    private byte[]? ReadSmall(string name, int most)
    {
        if (_zip.GetEntry(name) is not { } entry)
            return null;
        using var from = entry.Open();
        var (buffer, read) = (new byte[most + 1], 0);
        while (read < buffer.Length && from.Read(buffer, read, buffer.Length - read) is > 0 and var count)
            read += count;
        return read <= most ? buffer[..read] : throw BundleLimits.Refused($"'{name}' has more than {most:N0} bytes");
    }
}
