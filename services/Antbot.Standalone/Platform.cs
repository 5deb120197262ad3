using System.Collections;
using System.Text.Json;
using Antbot.EventStore.Proof;
using Antbot.Hosting;
using Antbot.PaperVenue;
using Antbot.ReadModels;
using Antbot.Runtime.Store;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Antbot.Standalone;

/// <param name="Market">A real venue whose public prices are traded on; null for the market that the paper venue makes.</param>
/// <param name="Settings">Further <c>--section:key=value</c> for the services.</param>
public sealed record StandaloneOptions(string Data, bool Quiet, Uri? Market, IReadOnlyList<string> Settings)
{
    /// <summary>Orders go to the paper venue inside and nowhere else: which venue that is, is nobody's to say.</summary>
    public string? Fault => Settings.FirstOrDefault(s => s.TrimStart('-').StartsWith($"{Venues.VenueOptions.Section}:", StringComparison.OrdinalIgnoreCase)) is { } setting
        ? $"'{setting.TrimStart('-').Split('=')[0]}' cannot be set here: everything trades at the paper venue in this process. To trade at another, run the services ('make up')."
        : null;
}

/// <summary>Every service's module in one process, over the embedded store and the in-memory bus, with the paper venue inside.</summary>
internal sealed class Platform(StandaloneOptions options, TextWriter output)
{
    public const int Tampered = 3;

    private static readonly TimeSpan CheckpointEvery = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan SummaryEvery = TimeSpan.FromSeconds(5);

    private static readonly string[] Services = [.. PlatformModules.Make().Select(m => m.Name)];

    private readonly TimeProvider _clock = TimeProvider.System;
    private readonly KeyFolder _keys = new(Path.Combine(options.Data, "keys"));

    private string Recording => Path.GetFullPath(Path.Combine(options.Data, "recording"));

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        // Before keys are made in it.
        using var folder = await RunningFolder.TakeAsync(options.Data);
        if (folder is null)
        {
            await System.Console.Error.WriteLineAsync($"antbot: it runs on '{options.Data}' already{(RunningProcess.Find(options.Data) is { } other ? $", as process {other.ProcessId}" : "")}. 'make stop' ends it.");
            return ExitCodes.Failed;
        }
        var settings = Settings();
        // Before anything is opened, as in every process; where the venue will listen is not known yet, and of no matter for that.
        await using (var checkedOnly = await BuildAsync(new Uri("http://127.0.0.1:1"), settings, () => null))
        {
            if (checkedOnly is null)
                return ServiceHost.InvalidConfiguration;
        }
        if (options.Market is { } market && !options.Quiet)
            await output.WriteLineAsync($"Looking at {market}: its public prices are traded on, with paper.");
        await using var venue = await PaperVenueServer.StartAsync(VenueOptions(), _clock, cancellationToken: cancellationToken);
        return await RunAsync(folder, venue, settings, cancellationToken);
    }

    /// <summary>Null where the configuration has faults; all of them have been said then.</summary>
    private async Task<WebApplication?> BuildAsync(Uri venue, IDictionary settings, Func<string?> marketTrouble)
    {
        var app = ServiceHost.Build(Arguments(venue), settings, [.. PlatformModules.Make(), new FollowedMarket(options.Market, marketTrouble)], out var faults, isWhole: true);
        foreach (var fault in faults)
            await System.Console.Error.WriteLineAsync($"antbot: configuration: {fault}");
        return app;
    }

    private async Task<int> RunAsync(RunningFolder folder, PaperVenueServer venue, IDictionary settings, CancellationToken cancellationToken)
    {
        await using var app = await BuildAsync(venue.Address, settings, () => venue.MarketTrouble);
        if (app is null)
            return ServiceHost.InvalidConfiguration;
        var store = app.Services.GetRequiredService<IEventStore>();
        using var key = SigningKey.LoadOrCreate(Path.Combine(options.Data, "signing.key"));
        var outside = new CheckpointFile(Path.Combine(options.Data, "checkpoints.jsonl"));
        if (!await IsIntactAsync(store, key, outside, cancellationToken))
            return Tampered;
        await app.StartAsync(cancellationToken);
        var summary = await SayWhereAsync(app, venue);
        await folder.SayAsync(ready: true, summary);
        return await WatchAsync(app, store, venue, new Checkpointer(store.Ledger, key, outside, _clock), cancellationToken);
    }

    /// <summary>Shows what happens until it is asked to stop, by whoever called or by a signal that the host takes (SIGQUIT), and then stops in order.</summary>
    private async Task<int> WatchAsync(WebApplication app, IEventStore store, PaperVenueServer venue, Checkpointer checkpointer, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(CancellationToken.None);
        var queries = app.Services.GetRequiredService<ReadModelQueries>();
        Task[] work =
        [
            checkpointer.RunAsync(CheckpointEvery, e => output.WriteLine($"! {e.Message}"), stop.Token),
            SummariseAsync(app.Services.GetRequiredService<Readiness>(), queries, venue, stop.Token),
        ];
        using var asked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, app.Lifetime.ApplicationStopping);
        await Task.Delay(Timeout.InfiniteTimeSpan, asked.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await output.WriteLineAsync("Stopping in order: first what takes work in, then what is under way.");
        var code = await StopAsync(app);
        await stop.CancelAsync();
        await Task.WhenAll(work);
        var head = await store.Ledger.ReadHeadAsync(CancellationToken.None);
        await output.WriteLineAsync($"Stopped {code switch { ExitCodes.Ok => "in order", ExitCodes.Forced => "at the deadline", _ => "after a failure" }} at position {head.Position:N0}, with a signed checkpoint.");
        await SayWhatIsOpenAsync(queries, app.Services.GetRequiredService<ViewProjection>());
        return code;
    }

    /// <summary>What does not end by its deadline, or fails, is left to the next start; what is left open is said all the same.</summary>
    private static async Task<int> StopAsync(WebApplication app)
    {
        try
        {
            await app.StopAsync(CancellationToken.None);
            return ExitCodes.Ok;
        }
        catch (Exception e)
        {
            var isLate = (e as AggregateException)?.InnerExceptions.All(i => i is OperationCanceledException) ?? e is OperationCanceledException;
            await System.Console.Error.WriteLineAsync($"antbot: {(isLate ? "it had not ended in order by its deadline" : $"it could not end in order: {e.Message}")}. The next start goes on where it was.");
            return isLate ? ExitCodes.Forced : ExitCodes.Failed;
        }
    }

    /// <summary>Start-up is recovery: what came after the last signed checkpoint is checked before anything is added to it.</summary>
    private async Task<bool> IsIntactAsync(IEventStore store, SigningKey key, CheckpointFile outside, CancellationToken cancellationToken)
    {
        var verify = new VerifyOptions { Key = key.Public, Outside = outside, FromLastCheckpoint = true };
        var report = await new LedgerVerifier(store.Ledger).VerifyAsync(verify, cancellationToken);
        if (report.IsIntact)
            return true;
        await output.WriteLineAsync($"The history is not as it was recorded; nothing is started on it. The first of {report.Findings.Count}: {report.Findings[0].What}. Run 'antbot verify' for all of it.");
        return false;
    }

    private PaperVenueOptions VenueOptions() => new()
    {
        Data = Path.Combine(options.Data, "venue"),
        Deposits = PaperVenueOptions.PracticeDeposits,
        Follow = options.Market,
        ApiKey = File.ReadAllText(_keys.FileOf("venue-key")),
        ApiSecret = File.ReadAllText(_keys.FileOf("venue-secret")),
    };

    /// <summary>Without what is said of a venue for other processes: nothing here is to know a real one's address and key at once.</summary>
    private IDictionary Settings()
    {
        var all = Environment.GetEnvironmentVariables();
        foreach (var name in all.Keys.Cast<string>().Where(k => k.StartsWith($"ANTBOT_{Venues.VenueOptions.Section}__", StringComparison.OrdinalIgnoreCase)).Order(StringComparer.Ordinal).ToList())
        {
            all.Remove(name);
            output.WriteLine($"{name} is not looked at: everything here trades at the paper venue in this process.");
        }
        return all;
    }

    private string[] Arguments(Uri venue) =>
    [
        $"--store=sqlite:{Path.Combine(options.Data, "antbot.db")}",
        "--bus=memory:",
        "--instance=standalone",
        $"--venue:address={venue}",
        "--venue:paper=true",
        $"--venue:key_file={_keys.FileOf("venue-key")}",
        $"--venue:secret_file={_keys.FileOf("venue-secret")}",
        $"--signal:apikey_file={_keys.FileOf("signal-api-key")}",
        $"--console:token_file={_keys.FileOf("console-token")}",
        $"--recording:folder={Recording}",
        "--logLevel=Warning",
        // On candles of one second nobody wants to hold a position for a day to see it closed.
        "--execution:holdingSecondsMax=120",
        .. options.Settings,
    ];

    private async Task<IReadOnlyList<string>> SayWhereAsync(WebApplication app, PaperVenueServer venue)
    {
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        await File.WriteAllBytesAsync(Path.Combine(options.Data, "console.json"), JsonSerializer.SerializeToUtf8Bytes(new
        {
            address,
            tokenFile = Path.GetFullPath(_keys.FileOf("console-token")),
            signals = address,
            signalKeyFile = Path.GetFullPath(_keys.FileOf("signal-api-key")),
            recording = Recording,
            venue = new { address = venue.Address, keyFile = Path.GetFullPath(_keys.FileOf("venue-key")), secretFile = Path.GetFullPath(_keys.FileOf("venue-secret")), paper = true },
        }));
        IReadOnlyList<string> lines =
        [
            $"console   {address} (token: {_keys.FileOf("console-token")})",
            $"signals   POST {address}/signals (X-Api-Key: {_keys.FileOf("signal-api-key")})",
            $"venue     {venue.Address} (key: {venue.KeyFilePath})",
            .. options.Market is { } market ? [$"market    {market} (public prices; orders stay here)"] : (string[])[],
            $"data      {Path.GetFullPath(options.Data)}",
        ];
        await output.WriteLineAsync($"Antbot {ProcessLife.Build}: every service in this process, on paper. Ctrl-C stops it in order.");
        foreach (var line in lines)
            await output.WriteLineAsync($"  {line}");
        return lines;
    }

    private async Task SummariseAsync(Readiness readiness, ReadModelQueries queries, PaperVenueServer venue, CancellationToken cancellationToken)
    {
        var shown = "";
        while (!cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(SummaryEvery, _clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                var line = await Summary.LineAsync(queries, readiness.Of(Services), cancellationToken) + (venue.MarketTrouble is null ? "" : $" · NOTHING IS ENTERED: no prices from {options.Market!.Host}");
                if (line != shown && !options.Quiet)
                    await output.WriteLineAsync($"{_clock.GetLocalNow():HH:mm:ss} {line}");
                shown = line;
            }
            catch (EventStoreException e)
            {
                await output.WriteLineAsync($"! {e.Message}");
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task SayWhatIsOpenAsync(ReadModelQueries queries, ViewProjection views)
    {
        try
        {
            // Whoever kept them has ended with the services.
            await views.CatchUpAsync(_ => { }, CancellationToken.None);
            foreach (var line in await Summary.OpenPositionsAsync(queries, options.Market))
                await output.WriteLineAsync(line);
        }
        catch (EventStoreException e)
        {
            await output.WriteLineAsync($"! Which positions are left open cannot be read: {e.Message} Nothing protects them until it is started again.");
        }
    }
}
