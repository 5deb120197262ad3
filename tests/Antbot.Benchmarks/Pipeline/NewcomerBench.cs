using System.Diagnostics;
using Antbot.EventStore.Sqlite;

namespace Antbot.Benchmarks.Pipeline;

/// <summary>What whoever tries it waits for: from the start to ready and on to the first trade, and from a fresh clone to the first trade. Beside each the same once more, on what the first time left.</summary>
internal static class NewcomerBench
{
    private const double ReadySecondsMax = 5;
    private const double TradeSecondsMax = 30;
    private const double ServicesSecondsMax = 30;
    private const double CloneSecondsMax = 180;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <param name="Ready">When the command had said that it is ready.</param>
    /// <param name="Traded">How long after that the venue had taken the first order.</param>
    private sealed record Waited(TimeSpan Ready, TimeSpan Traded);

    public static async Task RunAsync(BenchReport report, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("antbot-bench-newcomer-").FullName;
        // The servers of the services run as users of their own, and pass through.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        try
        {
            await StandaloneAsync(report.Of("SQLite, one process"), Path.Combine(folder, "one"), cancellationToken);
            await ServicesAsync(report.Of("PostgreSQL and RabbitMQ"), Path.Combine(folder, "many"), cancellationToken);
            await CloneAsync(report.Of("SQLite, one process"), Path.Combine(folder, "clone"), cancellationToken);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task StandaloneAsync(BenchSection report, string data, CancellationToken cancellationToken)
    {
        var program = Servers.ProgramOf("services/Antbot.Standalone/", "Antbot.Standalone");
        var first = await OnceAsync();
        var again = await OnceAsync();
        report.Within("the program of `make run`, built: start to ready (peer: again, on what it left)", first.Ready.TotalSeconds, "s", ReadySecondsMax, peer: again.Ready.TotalSeconds);
        report.Within("the program of `make run`, built: ready to the first trade (peer: again)", first.Traded.TotalSeconds, "s", TradeSecondsMax, peer: again.Traded.TotalSeconds);

        async Task<Waited> OnceAsync()
        {
            var waited = await UntilTradedAsync(data, () => CommandAsync("dotnet", [program, "--detach", "--data", data], Servers.Root, cancellationToken), cancellationToken);
            await CommandAsync("dotnet", [program, "stop", "--data", data], Servers.Root, cancellationToken);
            return waited;
        }
    }

    private static async Task ServicesAsync(BenchSection report, string data, CancellationToken cancellationToken)
    {
        var program = Servers.ProgramOf("services/Antbot.Watchdog/Host/", "Antbot.Watchdog");
        var first = await OnceAsync();
        var again = await OnceAsync();
        report.Within("the program of `make up`, built: start to every process ready (peer: again, on what it left)", first.TotalSeconds, "s", ServicesSecondsMax, peer: again.TotalSeconds);

        async Task<TimeSpan> OnceAsync()
        {
            var began = Stopwatch.GetTimestamp();
            await CommandAsync("dotnet", [program, "up", "--detach", "--data", data], Servers.Root, cancellationToken);
            var took = Stopwatch.GetElapsedTime(began);
            await CommandAsync("dotnet", [program, "down", "--data", data], Servers.Root, cancellationToken);
            return took;
        }
    }

    /// <summary>Of what is committed, with the packages that this machine has.</summary>
    private static async Task CloneAsync(BenchSection report, string clone, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        await CommandAsync("git", ["clone", "--quiet", Servers.Root, clone], Servers.Root, cancellationToken);
        var cloned = Stopwatch.GetElapsedTime(began);
        var first = await OnceAsync();
        var again = await OnceAsync();
        report.Within("a fresh clone to the first trade (peer: again, all built)", (cloned + first.Ready + first.Traded).TotalSeconds, "s", CloneSecondsMax, peer: (again.Ready + again.Traded).TotalSeconds);
        report.Show("`make run` itself where all is built, with `dotnet run` looking whether it is: command to ready (peer: the first time)", again.Ready.TotalSeconds, "s", peer: first.Ready.TotalSeconds);

        async Task<Waited> OnceAsync()
        {
            var waited = await UntilTradedAsync(Path.Combine(clone, ".local"), () => CommandAsync("make", ["run", "ARGS=--detach"], clone, cancellationToken), cancellationToken);
            await CommandAsync("make", ["stop"], clone, cancellationToken);
            return waited;
        }
    }

    private static async Task<Waited> UntilTradedAsync(string data, Func<Task> start, CancellationToken cancellationToken)
    {
        var before = await AcceptedAsync(data, cancellationToken);
        var began = Stopwatch.GetTimestamp();
        await start();
        var ready = Stopwatch.GetElapsedTime(began);
        await using var store = await OpenAsync(data, cancellationToken);
        var history = new HistoryReader(store);
        while (!(await history.ReadAsync(cancellationToken)).Any(t => t.Value.Accepted is not null && !before.Contains(t.Key)))
        {
            if (Stopwatch.GetElapsedTime(began) > Patience)
                throw new InvalidOperationException($"There was no trade within {Patience.TotalMinutes:0} minutes of a start on '{data}'.");
            await Task.Delay(50, cancellationToken);
        }
        return new Waited(ready, Stopwatch.GetElapsedTime(began) - ready);
    }

    private static async Task<IReadOnlySet<string>> AcceptedAsync(string data, CancellationToken cancellationToken)
    {
        if (!File.Exists(Path.Combine(data, "antbot.db")))
            return new HashSet<string>();
        await using var store = await OpenAsync(data, cancellationToken);
        return (await new HistoryReader(store).ReadAsync(cancellationToken)).Where(t => t.Value.Accepted is not null).Select(t => t.Key).ToHashSet(StringComparer.Ordinal);
    }

    private static Task<SqliteEventStore> OpenAsync(string data, CancellationToken cancellationToken) =>
        SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = Path.Combine(data, "antbot.db") }, cancellationToken);

    private static async Task CommandAsync(string program, IReadOnlyList<string> arguments, string folder, CancellationToken cancellationToken)
    {
        // What it leaves running must not hold this process's pipes open.
        var log = Path.Combine(Path.GetTempPath(), $"antbot-bench-{Guid.NewGuid():N}.log");
        var start = new ProcessStartInfo("/bin/sh", ["-c", "log=$1; shift; exec \"$@\" >\"$log\" 2>&1 </dev/null", "bench", log, program, .. arguments]) { WorkingDirectory = folder, UseShellExecute = false };
        foreach (var old in start.Environment.Keys.Where(k => k.StartsWith("ANTBOT_", StringComparison.Ordinal) || k.StartsWith("OTEL_", StringComparison.Ordinal) || k is "MAKEFLAGS" or "MAKELEVEL").ToList())
            start.Environment.Remove(old);
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"'{program}' could not be started.");
        await process.WaitForExitAsync(cancellationToken);
        var said = await File.ReadAllTextAsync(log, cancellationToken);
        File.Delete(log);
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"'{program} {string.Join(' ', arguments)}' ended with {process.ExitCode}: {said}");
    }
}
