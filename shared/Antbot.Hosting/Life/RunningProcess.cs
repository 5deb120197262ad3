using System.Diagnostics;
using System.Text.Json;

namespace Antbot.Hosting;

/// <summary>
/// What a foreground or detached run says of itself in its data folder, so that another command finds it, shows it and stops it.
/// </summary>
/// <param name="StartedTicks">The process's own start; a number is given again by the system, and then it is another's.</param>
/// <param name="Summary">What a person wants to know of it: addresses, where secrets are.</param>
public sealed record RunningProcess(int ProcessId, long StartedTicks, bool Ready, IReadOnlyList<string> Summary)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    /// <summary>The start is reckoned from the system's own, which no two processes read quite alike.</summary>
    private static readonly TimeSpan StartTolerance = TimeSpan.FromSeconds(2);

    public static string FileIn(string folder) => Path.Combine(folder, "running.json");

    /// <summary>Null where none is running; what a dead one left behind says nothing.</summary>
    public static RunningProcess? Find(string folder)
    {
        try
        {
            var said = JsonSerializer.Deserialize<RunningProcess>(File.ReadAllBytes(FileIn(folder)));
            return said is not null && said.IsAlive() ? said : null;
        }
        catch (Exception e) when (e is IOException or JsonException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Starts this program again without a terminal, and returns once it says that it is ready, or has ended.</summary>
    /// <returns>Null where it ended; its log says why.</returns>
    public static async Task<RunningProcess?> DetachAsync(string folder, IReadOnlyList<string> arguments, string log, TimeSpan limit, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        // What it says is added to it: of two that start at once, one would write over the other's words.
        await File.WriteAllBytesAsync(log, [], cancellationToken);
        using var child = Process.Start(DetachedStart(arguments, log)) ?? throw new InvalidOperationException("The detached process could not be started.");
        child.StandardInput.Close();
        var began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < limit)
        {
            if (Find(folder) is { Ready: true } running && running.ProcessId == child.Id)
                return running;
            if (child.HasExited)
                return null;
            await Task.Delay(Look, cancellationToken);
        }
        throw new TimeoutException($"It is not ready after {limit.TotalSeconds:0} s and goes on starting; its log is '{log}'.");
    }

    /// <summary>Asks it to end in order, and waits until it has. Where the system knows no such wish it is ended at once, which loses nothing either.</summary>
    public async Task<bool> StopAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows())
        {
            using var process = Process.GetProcessById(ProcessId);
            process.Kill();
            await process.WaitForExitAsync(cancellationToken);
            return true;
        }
        using (var kill = Process.Start(new ProcessStartInfo("kill", ["-TERM", ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture)])))
            await kill!.WaitForExitAsync(cancellationToken);
        var began = Stopwatch.GetTimestamp();
        while (IsAlive())
        {
            if (Stopwatch.GetElapsedTime(began) > limit)
                return false;
            await Task.Delay(Look, cancellationToken);
        }
        return true;
    }

    private bool IsAlive()
    {
        try
        {
            using var process = Process.GetProcessById(ProcessId);
            return !process.HasExited && TimeSpan.FromTicks(Math.Abs(process.StartTime.Ticks - StartedTicks)) < StartTolerance;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>In a session of its own where the system knows such, so that closing the terminal does not end it.</summary>
    private static ProcessStartInfo DetachedStart(IReadOnlyList<string> arguments, string log)
    {
        var self = Environment.ProcessPath ?? throw new InvalidOperationException("This process does not know its own program.");
        List<string> command = Path.GetFileNameWithoutExtension(self) == "dotnet" ? [self, Environment.GetCommandLineArgs()[0], .. arguments] : [self, .. arguments];
        var start = OperatingSystem.IsWindows()
            ? new ProcessStartInfo(command[0], command.Skip(1))
            : new ProcessStartInfo("/bin/sh", ["-c", "log=$1; shift; if command -v setsid >/dev/null 2>&1; then exec setsid \"$@\" >>\"$log\" 2>&1; else exec nohup \"$@\" >>\"$log\" 2>&1; fi", "antbot", log, .. command]);
        start.RedirectStandardInput = true;
        start.UseShellExecute = false;
        return start;
    }
}
