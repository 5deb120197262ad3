using System.Diagnostics;
using Antbot.Benchmarks.Store;

namespace Antbot.Benchmarks.Pipeline;

/// <summary>
/// Execution and Reconciliation are killed while a thousand positions are open, with their stops at the venue and ten thousand orders
/// behind them, and are started again: nothing may be entered before all of it has been held against the venue.
/// </summary>
internal static class StartBench
{
    private const int Positions = 1_000;
    private const int Orders = 10_000;

    /// <summary>An entry, a stop and an exit.</summary>
    private const int OrdersPerTrade = 3;

    private const double SecondsMax = 10;

    private static readonly TimeSpan OpenWithin = TimeSpan.FromMinutes(3);

    public static async Task RunAsync(BenchReport report, CancellationToken cancellationToken)
    {
        await using var servers = await Servers.StartAsync(cancellationToken);
        await using var platform = await AntbotPipeline.StartAsync(servers, await StoreBench.NewDatabaseAsync(servers.Postgres, cancellationToken), cancellationToken);
        await LoadRun.RunAsync(platform, c => c.BurstAsync(20, cancellationToken), cancellationToken);
        var few = await FirstEntryAsync(platform, cancellationToken);

        // Two orders each of the positions that stay open: the rest of the ten thousand are over.
        await LoadRun.RunAsync(platform, c => c.BurstAsync((Orders - 2 * Positions) / OrdersPerTrade + 1, cancellationToken), cancellationToken);
        platform.Set("ANTBOT_EXECUTION__HOLDINGSECONDSMAX", "86400");
        platform.Set("ANTBOT_EXECUTION__STOPDISTANCE", "0.1");
        platform.Set("ANTBOT_EXECUTION__TAKEPROFITDISTANCE", "0.5");
        await platform.KillServicesAsync();
        await platform.StartServicesAsync(cancellationToken);
        await platform.Client.BurstAsync(Positions, cancellationToken);
        await UntilOpenAsync(platform, cancellationToken);
        var orders = (await platform.Venue.CountOrdersAsync(cancellationToken)).Values.Sum();
        if (orders < Orders)
            throw new InvalidOperationException($"There are {orders} orders at the venue, fewer than {Orders}.");
        var many = await FirstEntryAsync(platform, cancellationToken);
        report.Of("PostgreSQL and RabbitMQ").Within(
            $"start of Execution and Reconciliation with {Positions:N0} open positions and {orders:N0} orders to the first entry (peer: with none)", many.TotalSeconds, "s", SecondsMax, peer: few.TotalSeconds);
    }

    private static Task<TimeSpan> FirstEntryAsync(AntbotPipeline platform, CancellationToken cancellationToken) => RestartBench.FirstAsync(
        platform, () => Task.WhenAll(platform.RestartServiceAsync("Execution", cancellationToken), platform.RestartServiceAsync("Reconciliation", cancellationToken)), t => t.Accepted, cancellationToken);

    private static async Task UntilOpenAsync(AntbotPipeline platform, CancellationToken cancellationToken)
    {
        var (began, open) = (Stopwatch.GetTimestamp(), 0);
        while ((open = await platform.Venue.CountOpenAsync(cancellationToken)) < Positions)
        {
            if (Stopwatch.GetElapsedTime(began) > OpenWithin)
                throw new InvalidOperationException($"After {OpenWithin.TotalMinutes:0} minutes {open} stops rest at the venue instead of {Positions}.");
            await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
        }
    }
}
