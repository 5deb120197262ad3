using System.Diagnostics;
using Antbot.Benchmarks.Store;
using Antbot.EventStore.Postgres;

namespace Antbot.Benchmarks.Pipeline;

/// <summary>All services are killed hard over a long history, and started again with a signal that waits for them.</summary>
internal static class RestartBench
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(60);

    public static async Task RunAsync(BenchSection report, Servers servers, TradeHistory history, int events, CancellationToken cancellationToken)
    {
        var empty = await StoreBench.NewDatabaseAsync(servers.Postgres, cancellationToken);
        var few = await RestartAsync(servers, empty, cancellationToken);
        var database = await StoreBench.NewDatabaseAsync(servers.Postgres, cancellationToken);
        await using (var store = new PostgresEventStore(new PostgresStoreOptions { ConnectionString = database }))
            await history.ImportAsync(store.Ledger, events, cancellationToken);
        var many = await RestartAsync(servers, database, cancellationToken);
        report.Within($"start of all services on {events:N0} events to the first decision of each (peer: on none)", many.TotalMilliseconds, "ms", 5_000, peer: few.TotalMilliseconds);
    }

    /// <summary>From the start of the processes until a trade, sent as soon as it is taken, has been decided on by everyone up to Execution.</summary>
    private static async Task<TimeSpan> RestartAsync(Servers servers, string database, CancellationToken cancellationToken)
    {
        await using var platform = await AntbotPipeline.StartAsync(servers, database, cancellationToken);
        await LoadRun.RunAsync(platform, c => c.BurstAsync(20, cancellationToken), cancellationToken);
        await platform.KillServicesAsync();
        var (began, startedAt) = (Stopwatch.GetTimestamp(), DateTimeOffset.UtcNow);
        await platform.StartServicesAsync(cancellationToken);
        var sent = await platform.Client.BurstAsync(1, cancellationToken);
        while (Stopwatch.GetElapsedTime(began) < Within)
        {
            var trades = await platform.ReadAsync(cancellationToken);
            if (trades.Where(t => sent.Trades.ContainsKey(t.Key)).Select(t => t.Value.Accepted).FirstOrDefault(a => a is not null) is { } accepted)
                return accepted - startedAt;
            await Task.Delay(20, cancellationToken);
        }
        throw new InvalidOperationException($"No trade was decided on within {Within.TotalSeconds:0} s of a restart.");
    }
}
