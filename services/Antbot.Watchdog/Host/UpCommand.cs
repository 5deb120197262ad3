using System.CommandLine;
using System.ComponentModel;
using System.Data.Common;
using System.Text.Json;
using Antbot.EventStore;
using Antbot.EventStore.Proof;
using Antbot.Hosting;
using Antbot.LocalServers;
using Antbot.Runtime.Store;
using Antbot.Runtime.Telemetry;
using Antbot.Watchdog.Core;

namespace Antbot.Watchdog;

internal static class UpCommand
{
    public const string DefaultFolder = ".local/up";

    private const string Mark = "! ";

    /// <summary>Far beyond what it takes: a machine may have much else to do.</summary>
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(240);

    /// <summary>The servers come before; who waits outside hears what the one that starts has to say of it.</summary>
    private static readonly TimeSpan DetachLimit = TimeSpan.FromSeconds(420);

    private static readonly TimeSpan CheckpointEvery = TimeSpan.FromMinutes(1);

    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = "Where servers, keys, logs and the venue's journal are kept.", DefaultValueFactory = _ => DefaultFolder };
        var instances = new Option<string>("--instances") { Description = "More of one service: 'validation=3 risk=2'.", DefaultValueFactory = _ => "" };
        var detach = new Option<bool>("--detach") { Description = "Return once everything is ready; 'down' ends it." };
        var json = new Option<bool>("--json") { Description = "Print what runs as JSON." };
        var command = new Command("up", "Start PostgreSQL, RabbitMQ, the paper venue and every service. Ctrl-C ends them in order.") { data, instances, detach, json };
        command.SetAction((arguments, cancellationToken) =>
        {
            var (counts, faults) = InstanceCounts.Parse(
                arguments.GetValue(instances)!,
                [.. ServiceProgram.All.Where(p => p.Scalable).Select(p => p.Name)],
                [.. ServiceProgram.All.Where(p => !p.Scalable).Select(p => p.Name)]);
            foreach (var fault in faults)
                Console.Error.WriteLine($"antbot: --instances: {fault}");
            if (faults.Count > 0)
                return Task.FromResult(2);
            var folder = Path.GetFullPath(arguments.GetValue(data)!);
            return arguments.GetValue(detach)
                ? DetachAsync(folder, arguments.GetValue(instances)!, arguments.GetValue(json), cancellationToken)
                : RunAsync(folder, counts, arguments.GetValue(json), cancellationToken);
        });
        return command;
    }

    private static async Task<int> DetachAsync(string folder, string instances, bool json, CancellationToken cancellationToken)
    {
        if (RunningProcess.Find(folder) is { } before)
        {
            await Console.Error.WriteLineAsync($"antbot: it runs already, as process {before.ProcessId}. 'down' ends it.");
            return 1;
        }
        var log = Path.Combine(folder, "up.log");
        RunningProcess? running;
        try
        {
            running = await RunningProcess.DetachAsync(folder, ["up", "--data", folder, "--instances", instances], log, DetachLimit, cancellationToken);
        }
        catch (TimeoutException e)
        {
            await Console.Error.WriteLineAsync($"antbot: {e.Message}");
            return 1;
        }
        if (running is null)
        {
            await Console.Error.WriteLineAsync($"antbot: it ended while it started. The end of its log, '{log}':");
            foreach (var line in File.ReadLines(log).TakeLast(20))
                await Console.Error.WriteLineAsync($"  {LogLine.MessageOf(line)}");
            return 1;
        }
        Print(folder, running.Summary, json);
        return 0;
    }

    private static async Task<int> RunAsync(string folder, IReadOnlyDictionary<string, int> instances, bool json, CancellationToken cancellationToken)
    {
        RunningFolder? taken;
        try
        {
            taken = await RunningFolder.TakeAsync(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"antbot: {e.Message}");
            return 1;
        }
        using var own = taken;
        if (own is null)
        {
            await Console.Error.WriteLineAsync($"antbot: it runs already{(RunningProcess.Find(folder) is { } other ? $", as process {other.ProcessId}" : "")}. 'down' ends it.");
            return 1;
        }
        var log = ProcessLog.OnStandardError("watchdog", typeof(LocalPlatform).FullName!, Mark);
        // What stands out in a text by its mark has its level there.
        var report = new LineWriter(line => log.Warn(line.StartsWith(Mark, StringComparison.Ordinal) ? line[Mark.Length..] : line));
        try
        {
            await using var platform = new LocalPlatform(folder, report);
            await platform.StartServersAsync(cancellationToken);
            await platform.StartServicesAsync(instances, cancellationToken);
            await platform.WaitUntilReadyAsync(ReadyLimit, cancellationToken);
            var summary = Summary(platform);
            await WriteConsoleAsync(platform, folder);
            await own.SayAsync(ready: true, summary);
            if (json || log.IsText)
                Print(folder, summary, json);
            else
                log.Say($"Everything is ready: {string.Join("; ", summary)}");
            await SignAsync(platform, folder, report, cancellationToken);
            return 0;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return 0;
        }
        catch (Exception e) when (e is ServerException or EventStoreException or DbException or InvalidOperationException or TimeoutException or IOException or UnauthorizedAccessException or Win32Exception)
        {
            await Console.Error.WriteLineAsync($"antbot: {e.Message}");
            return 1;
        }
    }

    /// <summary>Until it is stopped: where the history stands is signed and kept outside the database, so that what is cut off or written anew shows.</summary>
    private static async Task SignAsync(LocalPlatform platform, string folder, LineWriter report, CancellationToken cancellationToken)
    {
        await using var store = await StoreAddress.OpenAsync(platform.Store!, create: false, CancellationToken.None);
        using var key = SigningKey.LoadOrCreate(Path.Combine(folder, "signing.key"));
        var checkpointer = new Checkpointer(store.Ledger, key, new CheckpointFile(Path.Combine(folder, "checkpoints.jsonl")), TimeProvider.System);
        await checkpointer.RunAsync(CheckpointEvery, e => report.Write(e.Message), cancellationToken);
    }

    /// <summary>Where the command line looks for what runs here. Its owner's alone: the store's address holds a password.</summary>
    private static async Task WriteConsoleAsync(LocalPlatform platform, string folder)
    {
        var file = Path.Combine(folder, "console.json");
        File.Delete(file);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using var stream = new FileStream(file, options);
        await JsonSerializer.SerializeAsync(stream, new
        {
            address = platform.Console,
            tokenFile = platform.Keys.FileOf("console-token"),
            signals = platform.Signals,
            signalKeyFile = platform.Keys.FileOf("signal-api-key"),
            store = platform.Store,
            recording = platform.Recording,
            venue = new { address = platform.Venue, keyFile = platform.Keys.FileOf("venue-key"), secretFile = platform.Keys.FileOf("venue-secret"), paper = true },
        });
    }

    private static List<string> Summary(LocalPlatform platform) =>
    [
        $"console   {platform.Console} (token: {platform.Keys.FileOf("console-token")})",
        $"signals   POST {platform.Signals}signals (X-Api-Key: {platform.Keys.FileOf("signal-api-key")})",
        $"venue     {platform.Venue}",
        $"logs      {platform.Logs}",
        $"processes {string.Join(' ', platform.Processes.Select(p => p.Name))}",
    ];

    private static void Print(string folder, IReadOnlyList<string> summary, bool json)
    {
        if (json)
        {
            Console.WriteLine(File.ReadAllText(LocalPlatform.StateFileIn(folder)));
            return;
        }
        Console.WriteLine("Everything is ready.");
        foreach (var line in summary)
            Console.WriteLine($"  {line}");
    }
}
