using System.Diagnostics;
using Antbot.Benchmarks.Store;
using Antbot.EventStore.Postgres;

namespace Antbot.Benchmarks.Pipeline;

/// <summary>Over a long history each service is killed hard and started again alone, and then all of them at once.</summary>
internal static class RestartBench
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(60);

    /// <param name="Slowest">The service that took longest when it was started alone.</param>
    private sealed record Starts(TimeSpan Alone, string Slowest, TimeSpan All);

    public static async Task RunAsync(BenchSection report, Servers servers, TradeHistory history, int events, CancellationToken cancellationToken)
    {
        var empty = await StoreBench.NewDatabaseAsync(servers.Postgres, cancellationToken);
        var few = await MeasureAsync(servers, empty, followed: 0, cancellationToken);
        var database = await StoreBench.NewDatabaseAsync(servers.Postgres, cancellationToken);
        await using (var store = new PostgresEventStore(new PostgresStoreOptions { ConnectionString = database }))
            await history.ImportAsync(store.Ledger, events, cancellationToken);
        var many = await MeasureAsync(servers, database, followed: events, cancellationToken);
        report.Within($"restart of one service on {events:N0} events to its first decision, the slowest ({many.Slowest}; peer: on none)", many.Alone.TotalMilliseconds, "ms", 5_000, peer: few.Alone.TotalMilliseconds);
        report.Within($"start of all services at once on {events:N0} events to the first decision of each (peer: on none)", many.All.TotalMilliseconds, "ms", 5_000, peer: few.All.TotalMilliseconds);
    }

    private static async Task<Starts> MeasureAsync(Servers servers, string database, long followed, CancellationToken cancellationToken)
    {
        await using var platform = await AntbotPipeline.StartAsync(servers, database, cancellationToken);
        await LoadRun.RunAsync(platform, c => c.BurstAsync(20, cancellationToken), cancellationToken);
        // It is a restart that is measured, and not how long it takes to read a history that was brought from elsewhere.
        if (followed > 0)
            await platform.FollowedAsync(followed, cancellationToken);
        var (alone, slowest) = (TimeSpan.Zero, "");
        foreach (var name in AntbotPipeline.Names)
        {
            var took = await FirstAsync(platform, () => platform.RestartServiceAsync(name, cancellationToken), t => name == "Reconciliation" ? t.Done : t.Accepted, cancellationToken);
            (alone, slowest) = took > alone ? (took, name) : (alone, slowest);
        }
        await platform.KillServicesAsync();
        var all = await FirstAsync(platform, () => platform.StartServicesAsync(cancellationToken), t => t.Accepted, cancellationToken);
        return new Starts(alone, slowest, all);
    }

    /// <summary>From the start until a trade, sent as soon as it is taken, has been decided on.</summary>
    internal static async Task<TimeSpan> FirstAsync(AntbotPipeline platform, Func<Task> start, Func<TradeTimes, DateTimeOffset?> decided, CancellationToken cancellationToken)
    {
        var (began, startedAt) = (Stopwatch.GetTimestamp(), DateTimeOffset.UtcNow);
        await start();
        var sent = await platform.Client.BurstAsync(1, cancellationToken);
        while (Stopwatch.GetElapsedTime(began) < Within)
        {
            var trades = await platform.ReadAsync(cancellationToken);
            if (trades.Where(t => sent.Trades.ContainsKey(t.Key)).Select(t => decided(t.Value)).FirstOrDefault(a => a is not null) is { } at)
                return at - startedAt;
            await Task.Delay(20, cancellationToken);
        }
        // The logs say why, and go with their folder.
        var kept = Directory.CreateDirectory(Path.GetFullPath(Path.Combine("artifacts", "bench-logs"))).FullName;
        foreach (var log in Directory.EnumerateFiles(platform.Logs, "*.log"))
            File.Copy(log, Path.Combine(kept, Path.GetFileName(log)), overwrite: true);
        throw new InvalidOperationException($"Trade {string.Join(", ", sent.Trades.Keys)} was not decided on within {Within.TotalSeconds:0} s of a restart. The services' logs are in {kept}.");
    }
}
