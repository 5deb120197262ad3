using System.Globalization;

namespace Antbot.LocalServers.Processes;

/// <summary>Answers from the kernel about a process id: whether it runs, and whose it is.</summary>
internal static class ProcessTable
{
    private static readonly TimeSpan PsLimit = TimeSpan.FromSeconds(10);
    private static readonly bool HasProc = File.Exists("/proc/self/stat");

    /// <summary>A process that ended but was not collected by its parent does not count as running, unless other threads of it still hold what it held.</summary>
    public static bool IsRunning(int pid)
    {
        var state = State(pid);
        return state.Length > 0 && (state[0] is not ('Z' or 'X') || HasThreads(pid));
    }

    /// <summary>
    /// Process ids are used again by the kernel, so an id is only ours when its command line names a path
    /// within our folder, which no other process does.
    /// </summary>
    public static bool IsRunningFrom(int pid, string folder) =>
        IsRunning(pid) && CommandLine(pid).Contains(folder.TrimEnd('/') + "/", StringComparison.Ordinal);

    /// <summary>Sends the signal only after the process was seen to belong to the folder. Whether it has ended since is for <see cref="IsStillRunningFrom"/>.</summary>
    public static bool SignalIfFrom(int pid, string folder, int signal) => IsRunningFrom(pid, folder) && Native.Signal(pid, signal);

    /// <summary>The first line of a pid file, when there is one and it holds an id.</summary>
    public static int? ReadPidFile(string path)
    {
        try
        {
            var line = File.ReadLines(path).FirstOrDefault();
            return int.TryParse(line, NumberStyles.Integer, CultureInfo.InvariantCulture, out var pid) && pid > 1 ? pid : null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>
    /// For whoever waits for the end of a process that was seen to belong to the folder: one that is ending names nothing any more, and
    /// still holds its ports. Another's that has been given its id since names something else.
    /// </summary>
    public static bool IsStillRunningFrom(int pid, string folder) => IsRunning(pid) && (CommandLine(pid) is "" || IsRunningFrom(pid, folder));

    private static bool HasThreads(int pid)
    {
        try
        {
            return HasProc && Directory.EnumerateDirectories($"/proc/{pid}/task").Skip(1).Any();
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string State(int pid)
    {
        if (!HasProc)
            return Ps(pid, "state=");
        var stat = Read($"/proc/{pid}/stat");
        // The name in parentheses may hold anything, parentheses among it.
        var afterName = stat.LastIndexOf(')') + 2;
        return afterName < 2 || afterName >= stat.Length ? "" : stat[afterName..];
    }

    private static string CommandLine(int pid) =>
        HasProc ? Read($"/proc/{pid}/cmdline").Replace('\0', ' ') : Ps(pid, "command=");

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static string Ps(int pid, string column) =>
        ShortCommand.RunAsync(["ps", "-o", column, "-p", pid.ToString(CultureInfo.InvariantCulture)], PsLimit)
            .GetAwaiter().GetResult().Output.Trim();
}
