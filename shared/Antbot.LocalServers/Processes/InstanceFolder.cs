using System.Security.Cryptography;

namespace Antbot.LocalServers.Processes;

/// <summary>
/// The folder of one instance: its data, logs and process ids. Its owner holds a lock for as long as it lives; the
/// kernel lets go of it when the owner dies, so a lock that can be taken means that nobody owns the folder any more.
/// </summary>
internal sealed class InstanceFolder : IDisposable
{
    private const int TriesMax = 20;
    private const UnixFileMode OthersPassThrough =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private readonly FileStream _lock;

    private InstanceFolder(string path, bool isKept, FileStream held) => (Path, IsKept, _lock) = (path, isKept, held);

    public string Path { get; }

    /// <summary>The data stays when the server ends.</summary>
    public bool IsKept { get; }

    public static string TemporaryRoot { get; } =
        System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"antbot-servers-{Native.UserId}");

    public string In(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>The log of a guardian and of its server.</summary>
    public string LogOf(string name) => In($"{name}.log");

    public static async Task<InstanceFolder> OpenAsync(string kind, string? keptFolder, CancellationToken cancellationToken)
    {
        if (keptFolder is not null)
            return await OpenKeptAsync(System.IO.Path.GetFullPath(keptFolder), cancellationToken);
        PrepareRoot(TemporaryRoot);
        await StaleInstances.SweepAsync(TemporaryRoot, cancellationToken);
        return CreateTemporary(TemporaryRoot, kind);
    }

    /// <summary>The folder's lock, or null when a living process holds it.</summary>
    public static FileStream? TryLock(string lockFile)
    {
        try
        {
            return new FileStream(lockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }

    public void Dispose() => _lock.Dispose();

    /// <summary>
    /// At the end, and after a start that failed. Usually the guardian has left nothing to do; when it was killed, it is done here.
    /// </summary>
    public async Task ReleaseAsync()
    {
        try
        {
            await StaleInstances.EndLeftoversAsync(Path, CancellationToken.None);
            if (!IsKept && Directory.Exists(Path))
                Directory.Delete(Path, recursive: true);
            if (!IsKept)
                File.Delete($"{Path}.lock");
        }
        catch (IOException)
        {
            // Something still writes there; a later sweep removes the folder.
        }
        finally
        {
            Dispose();
        }
    }

    private static InstanceFolder CreateTemporary(string root, string kind)
    {
        for (var tries = 0; tries < TriesMax; tries++)
        {
            var path = System.IO.Path.Combine(root, $"{kind}-{RandomNumberGenerator.GetHexString(10, lowercase: true)}");
            // The lock comes before the folder: a sweep never sees a living instance without one. A sweep may have
            // taken the new file for a leftover; then it is gone now, and another name is tried.
            var held = TryLock($"{path}.lock");
            if (held is null)
                continue;
            if (!File.Exists($"{path}.lock"))
            {
                held.Dispose();
                continue;
            }

            Directory.CreateDirectory(path, OthersPassThrough);
            File.SetUnixFileMode(path, OthersPassThrough);
            return new InstanceFolder(path, isKept: false, held);
        }

        throw new ServerException($"Could not make a folder of our own in {root} after {TriesMax} tries.");
    }

    private static async Task<InstanceFolder> OpenKeptAsync(string path, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(path);
        File.SetUnixFileMode(path, OthersPassThrough);
        var held = TryLock(System.IO.Path.Combine(path, "lock"))
            ?? throw new ServerException($"{path} is in use by another process. Stop that one, or choose another folder.");
        try
        {
            await StaleInstances.EndLeftoversAsync(path, cancellationToken);
            return new InstanceFolder(path, isKept: true, held);
        }
        catch
        {
            await held.DisposeAsync();
            throw;
        }
    }

    // The name can be guessed and the temporary folder is everybody's: what is there must be a folder of our own.
    private static void PrepareRoot(string root)
    {
        Directory.CreateDirectory(root, OthersPassThrough);
        if (new DirectoryInfo(root).LinkTarget is not null)
            throw new ServerException($"{root} is a link; somebody else may have put it there. Remove it.");
        try
        {
            if (Native.IsRoot)
                Native.ChangeOwner(root, 0, 0);
            File.SetUnixFileMode(root, OthersPassThrough);
        }
        catch (UnauthorizedAccessException notOurs)
        {
            throw new ServerException($"{root} belongs to another user. Remove it, or set TMPDIR to a folder of your own.", notOurs);
        }
    }
}
