namespace Antbot.LocalServers.Processes;

/// <summary>
/// Clears what instances left behind whose owner and guardian were both killed. Goes by recorded ids only, and only
/// after the process with that id was seen to run from the instance's folder.
/// </summary>
internal static class StaleInstances
{
    private static readonly TimeSpan GuardianLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan DockerLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    public static async Task SweepAsync(string root, CancellationToken cancellationToken)
    {
        var instances = Directory.EnumerateDirectories(root)
            .Concat(Directory.EnumerateFiles(root, "*.lock").Select(file => file[..^".lock".Length]))
            .ToHashSet(StringComparer.Ordinal);
        foreach (var path in instances)
        {
            using var held = InstanceFolder.TryLock($"{path}.lock");
            if (held is null || HasGuardian(path))
                continue;
            try
            {
                await EndLeftoversAsync(path, cancellationToken);
                if (Directory.Exists(path))
                    Directory.Delete(path, recursive: true);
                File.Delete($"{path}.lock");
            }
            catch (Exception notNow) when (notNow is IOException or UnauthorizedAccessException or ServerException)
            {
                // Another sweep is at it, or something still writes: a start does not fail for it, the next one tries again.
            }
        }
    }

    /// <summary>Ends what still runs from a folder that has no owner any more; first its guardian gets the time to do so.</summary>
    public static async Task EndLeftoversAsync(string path, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(path))
            return;
        if (!await Deadline.WaitAsync(() => !HasGuardian(path), GuardianLimit, Interval, cancellationToken))
            throw new ServerException($"The last server in {path} is still being stopped after {GuardianLimit.TotalSeconds:0} s. Try again later.");

        foreach (var (pid, signal) in RecordedServers(path))
        {
            if (!ProcessTable.SignalIfFrom(pid, path, signal) || await Deadline.WaitAsync(() => !ProcessTable.IsStillRunningFrom(pid, path), EndLimit, Interval, cancellationToken))
                continue;
            ProcessTable.SignalIfFrom(pid, path, Native.SigKill);
            if (!await Deadline.WaitAsync(() => !ProcessTable.IsStillRunningFrom(pid, path), EndLimit, Interval, cancellationToken))
                throw new ServerException($"Process {pid}, left behind in {path}, does not end. End it by hand.");
        }

        foreach (var record in Directory.EnumerateFiles(path, "*.container"))
        {
            var name = Path.GetFileNameWithoutExtension(record);
            await ShortCommand.RunAsync(["docker", "rm", "--force", "--volumes", name], DockerLimit, cancellationToken: cancellationToken);
            File.Delete(record);
        }
    }

    private static bool HasGuardian(string path) =>
        Directory.Exists(path)
        && Directory.EnumerateFiles(path, "*.guardian")
            .Any(file => ProcessTable.ReadPidFile(file) is { } pid && ProcessTable.IsRunningFrom(pid, path));

    // On SIGQUIT PostgreSQL ends its children and frees its memory. The others were started with that signal ignored.
    private static Dictionary<int, int> RecordedServers(string path)
    {
        var servers = new Dictionary<int, int>();
        var files = Directory.EnumerateFiles(path, "*.pid")
            .Append(Path.Combine(path, "data", "postmaster.pid"))
            .Append(Path.Combine(path, "node", "broker.pid"));
        foreach (var file in files)
        {
            if (ProcessTable.ReadPidFile(file) is { } pid)
                servers[pid] = Path.GetFileName(file).StartsWith("post", StringComparison.Ordinal) ? Native.SigQuit : Native.SigKill;
        }

        return servers;
    }
}
