using Antbot.Benchmarks.Store;
using Npgsql;

namespace Antbot.Benchmarks.Pipeline;

/// <param name="Burst">How many signals are sent at once.</param>
/// <param name="Paced">For how long signals are sent at the rate.</param>
/// <param name="Events">How long the history is that services are started on.</param>
/// <param name="Only">The name of the one pipeline that is looked at; then nothing is compared.</param>
/// <param name="Rate">Signals a second; what is compared is compared at a hundred.</param>
public sealed record PipelineBenchOptions(int Burst, TimeSpan Paced, int Events, string? Only = null, int Rate = PipelineBench.PerSecond);

/// <summary>The way of a trade from <c>POST /signals</c> to reconciled, beside the plain MassTransit way, the bare transport and Standalone.</summary>
public static class PipelineBench
{
    internal const int PerSecond = 100;
    internal const string Restart = "restart";
    private const int WarmUp = 1_500;

    /// <summary>What the bare transport carries: a message of the platform, on average.</summary>
    private const int MessageBytes = 1_500;

    private static readonly TimeSpan TransportTime = TimeSpan.FromSeconds(8);

    public static async Task RunAsync(BenchReport report, PipelineBenchOptions options, CancellationToken cancellationToken)
    {
        await using var servers = await Servers.StartAsync(cancellationToken);
        Console.WriteLine($"PostgreSQL with fsync on, RabbitMQ with quorum queues; every service its own process, all on the same cores. Logs: {servers.Folder}");
        if (options.Only == Restart)
        {
            await RestartBench.RunAsync(report.Of($"PostgreSQL {await VersionAsync(servers, cancellationToken)} and RabbitMQ"), servers, await HistoryAsync(servers, cancellationToken), options.Events, cancellationToken);
            return;
        }
        if (options.Only is { } only)
        {
            await MeasureAsync(only, await StartAsync(only, servers, cancellationToken), options, cancellationToken, _ => Task.CompletedTask);
            return;
        }
        var section = report.Of($"PostgreSQL {await VersionAsync(servers, cancellationToken)} and RabbitMQ");
        var plain = await MeasureAsync("the plain way", await PlainPipeline.StartAsync(servers, cancellationToken), options, cancellationToken, _ => Task.CompletedTask);
        var facts = new PlatformFacts();
        var platform = await MeasureAsync("the platform", await StartPlatformAsync(servers, cancellationToken), options, cancellationToken, p => facts.ReadAsync((AntbotPipeline)p, options, cancellationToken));
        var transport = await TransportLimit.TradesPerSecondAsync(
            (await servers.Rabbit.CreateVirtualHostAsync(cancellationToken: cancellationToken)).Uri, facts.MessagesPerTrade, MessageBytes, TransportTime, cancellationToken);
        PipelineRows.Compare(section, platform, plain, transport, facts, options);
        var standalone = await MeasureAsync("Standalone", await StandalonePipeline.StartAsync(Path.Combine(servers.Folder, "standalone"), cancellationToken), options, cancellationToken, _ => Task.CompletedTask);
        PipelineRows.Compare(report.Of("SQLite"), standalone, facts.Followed!, platform, options);
        if (options.Events > 0)
            await RestartBench.RunAsync(section, servers, facts.History!, options.Events, cancellationToken);
    }

    private static async Task<TradeHistory> HistoryAsync(Servers servers, CancellationToken cancellationToken)
    {
        await using var platform = await StartPlatformAsync(servers, cancellationToken);
        await LoadRun.RunAsync(platform, c => c.BurstAsync(WarmUp, cancellationToken), cancellationToken);
        return await platform.TradesAsync(cancellationToken);
    }

    private static async Task<IPipeline> StartAsync(string name, Servers servers, CancellationToken cancellationToken) => name switch
    {
        "plain" => await PlainPipeline.StartAsync(servers, cancellationToken),
        "platform" => await StartPlatformAsync(servers, cancellationToken),
        "standalone" => await StandalonePipeline.StartAsync(Path.Combine(servers.Folder, "standalone"), cancellationToken),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "There is no such pipeline."),
    };

    internal static async Task<AntbotPipeline> StartPlatformAsync(Servers servers, CancellationToken cancellationToken) =>
        await AntbotPipeline.StartAsync(servers, await StoreBench.NewDatabaseAsync(servers.Postgres, cancellationToken), cancellationToken);

    private static async Task<Measured> MeasureAsync(string name, IPipeline pipeline, PipelineBenchOptions options, CancellationToken cancellationToken, Func<IPipeline, Task> after)
    {
        await using (pipeline)
        {
            var measured = await LoadAsync(name, pipeline, options, cancellationToken);
            await after(pipeline);
            return measured;
        }
    }

    internal static async Task<Measured> LoadAsync(string name, IPipeline pipeline, PipelineBenchOptions options, CancellationToken cancellationToken)
    {
        await LoadRun.RunAsync(pipeline, c => c.BurstAsync(WarmUp, cancellationToken), cancellationToken);
        var paced = await LoadRun.RunAsync(pipeline, c => c.PacedAsync(options.Rate, options.Paced, cancellationToken), cancellationToken);
        Console.WriteLine($"  {name}, {options.Rate} a second: p50 {paced.FromSend.P50:0.0} ms, p99 {paced.FromSend.P99:0.0} ms, {paced.Lost.Count} lost; {Processor(paced)}");
        var burst = await LoadRun.RunAsync(pipeline, c => c.BurstAsync(options.Burst, cancellationToken), cancellationToken);
        Console.WriteLine($"  {name}, {options.Burst} at once: {burst.PerSecond:0} trades/s, {burst.Lost.Count} lost; {Processor(burst)}");
        foreach (var lost in paced.Lost.Concat(burst.Lost).Take(5))
            Console.WriteLine($"    lost: {lost}");
        return new Measured(paced, burst);
    }

    private static string Processor(LoadOutcome outcome) =>
        $"{outcome.Processor.Values.Sum():0.0} ms of processor a trade ({string.Join(", ", outcome.Processor.Select(p => $"{p.Key} {p.Value:0.0}"))}); MB in the last quarter and beside the second: {string.Join(", ", outcome.Resident.Select(r => $"{r.Key} {r.Value.Last:0} {r.Value.Last / r.Value.Second:0.00}"))}";

    private static async Task<string> VersionAsync(Servers servers, CancellationToken cancellationToken)
    {
        await using var source = NpgsqlDataSource.Create(servers.Postgres.AdminConnectionString);
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        return connection.PostgreSqlVersion.ToString();
    }
}

internal sealed record Measured(LoadOutcome Paced, LoadOutcome Burst);

/// <summary>What the platform's own records say after all loads.</summary>
internal sealed class PlatformFacts
{
    public int Trades { get; private set; }

    public double MessagesPerTrade { get; private set; }

    public double EventsPerTrade { get; private set; }

    public double BytesPerTrade { get; private set; }

    public long Absorbed { get; private set; }

    /// <summary>Client order ids under which the venue has more than one order, and trades with more than one entry.</summary>
    public int Doubles { get; private set; }

    /// <summary>Several messages of a parcel are one.</summary>
    public double DeliveriesPerTrade { get; private set; }

    public decimal Reserved { get; private set; }

    /// <summary>Of the Console, which reads all of it into its read models, and of PostgreSQL meanwhile. It is not under way with a trade, so it comes after the loads.</summary>
    public (double Console, double Postgres) ReadModelMilliseconds { get; private set; }

    /// <summary>The same loads once more, while a Console follows.</summary>
    public Measured? Followed { get; private set; }

    /// <summary>For a longer one.</summary>
    public TradeHistory? History { get; private set; }

    public async Task ReadAsync(AntbotPipeline pipeline, PipelineBenchOptions options, CancellationToken cancellationToken)
    {
        var orders = await pipeline.Venue.CountOrdersAsync(cancellationToken);
        Trades = orders.Keys.Count(id => id.StartsWith("e0-", StringComparison.Ordinal));
        Doubles = orders.Values.Count(n => n > 1) + orders.Keys.Count(id => id.StartsWith('e') && !id.StartsWith("e0-", StringComparison.Ordinal));
        DeliveriesPerTrade = await pipeline.CountAsync("antbot_deliveries_published_total", cancellationToken) / Trades;
        MessagesPerTrade = await pipeline.CountAsync("antbot_messages_published_total", cancellationToken) / Trades;
        (EventsPerTrade, BytesPerTrade, Absorbed) = ((double)pipeline.History.Events / Trades, (double)pipeline.History.Bytes / Trades, pipeline.History.Absorbed);
        var account = await pipeline.History.ReadAccountAsync(cancellationToken);
        Reserved = account.Reserved + account.Open + account.Trades.Count;
        History = await pipeline.TradesAsync(cancellationToken);
        var (console, postgres) = await pipeline.ReadIntoModelsAsync(cancellationToken);
        ReadModelMilliseconds = (console.TotalMilliseconds / Trades, postgres.TotalMilliseconds / Trades);
        Followed = await pipeline.FollowedByConsoleAsync(() => PipelineBench.LoadAsync("the platform and a Console", pipeline, options, cancellationToken), cancellationToken);
    }
}
