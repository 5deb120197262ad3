namespace Antbot.Benchmarks.Pipeline;

/// <summary>What was measured, as rows of the report, each beside its peer or its limit.</summary>
internal static class PipelineRows
{
    private static readonly HashSet<string> Servers = new(StringComparer.Ordinal) { "postgres", "rabbitmq" };

    public static void Compare(BenchSection report, Measured platform, Measured plain, double transport, PlatformFacts facts, PipelineBenchOptions options)
    {
        var (paced, burst) = (platform.Paced, platform.Burst);
        report.AtLeast("trades to reconciled (peer: plain MassTransit; limit: the bare transport)", burst.PerSecond, "trades/s", 1.3, peer: plain.Burst.PerSecond, limit: transport, target: 2.5);
        report.AtLeast("the same, as a part of the bare transport", 100 * burst.PerSecond / transport, "%", 10, peer: 100 * plain.Burst.PerSecond / transport, limit: 100, ratio: 100 * burst.PerSecond / transport, target: 30);
        report.Within("100 trades a second: request to the venue's acceptance, p50", paced.FromSend.P50, "ms", 20, peer: plain.Paced.FromSend.P50);
        report.Within("100 trades a second: request to the venue's acceptance, p99 (target: 50)", paced.FromSend.P99, "ms", 80, peer: plain.Paced.FromSend.P99);
        report.Show("100 trades a second: recorded signal to the venue's acceptance, p50", paced.FromRecord.P50, "ms", peer: paced.FromSend.P50);
        report.Show("100 trades a second: recorded signal to the venue's acceptance, p99", paced.FromRecord.P99, "ms", peer: paced.FromSend.P99);
        report.Within($"trades lost or not finished, of {options.Burst} at once and those at 100 a second", burst.Lost.Count + paced.Lost.Count, "trades", 0, peer: plain.Burst.Lost.Count + plain.Paced.Lost.Count);
        report.Within("orders that the venue has twice", facts.Doubles, "orders", 0, limit: 0);
        report.Within("reserved, open or held after the last trade", (double)Math.Abs(facts.Reserved), "", 0, limit: 0);
        report.Show("processor time for a trade, under load", burst.Processor.Values.Sum(), "ms", peer: plain.Burst.Processor.Values.Sum());
        report.Show("processor time for a trade, at 100 a second", paced.Processor.Values.Sum(), "ms", peer: plain.Paced.Processor.Values.Sum());
        foreach (var (name, milliseconds) in burst.Processor)
            report.Show($"processor time for a trade under load: {name}", milliseconds, "ms", peer: plain.Burst.Processor.GetValueOrDefault(name));
        report.Show("processor time for a trade afterwards, read models: the Console (peer: a trade's own, all services)", facts.ReadModelMilliseconds.Console, "ms", peer: burst.Processor.Where(p => !Servers.Contains(p.Key)).Sum(p => p.Value));
        report.Show("processor time for a trade afterwards, read models: postgres (peer: a trade's own)", facts.ReadModelMilliseconds.Postgres, "ms", peer: burst.Processor.GetValueOrDefault("postgres"));
        report.Show("messages for a trade (limit: those of the design)", facts.MessagesPerTrade, "messages", limit: 16);
        report.Show("deliveries for a trade, where parcels count once (peer: messages)", facts.DeliveriesPerTrade, "deliveries", peer: facts.MessagesPerTrade);
        report.Show("the bare transport with as many deliveries (peer: with as many messages)", transport * facts.MessagesPerTrade / facts.DeliveriesPerTrade, "trades/s", peer: transport);
        report.Show("events for a trade", facts.EventsPerTrade, "events", limit: facts.EventsPerTrade);
        report.Show("bytes of events for a trade", facts.BytesPerTrade, "bytes", limit: facts.BytesPerTrade);
        Memory(report, burst, options, _ => true);
        var followed = facts.Followed!;
        report.Show("trades to reconciled while a Console follows (peer: without one)", followed.Burst.PerSecond, "trades/s", peer: burst.PerSecond);
        report.Within("trades lost or not finished while a Console follows", followed.Burst.Lost.Count + followed.Paced.Lost.Count, "trades", 0, limit: 0);
        Memory(report, followed.Burst, options, n => n == AntbotPipeline.Console.ToLowerInvariant());
    }

    /// <summary>Standalone beside the separate processes: those that it has in itself, the Console among them; and without that one, which it cannot leave out.</summary>
    public static void Compare(BenchSection report, Measured standalone, Measured followed, Measured platform, PipelineBenchOptions options)
    {
        var (paced, burst) = (standalone.Paced, standalone.Burst);
        report.AtLeast("Standalone: trades to reconciled (peer: the same services as processes)", burst.PerSecond, "trades/s", 1, peer: followed.Burst.PerSecond);
        report.AtMost("Standalone: 100 trades a second, request to acceptance, p50 (peer: the same)", paced.FromSend.P50, "ms", 0.5, peer: followed.Paced.FromSend.P50);
        report.AtMost("Standalone: 100 trades a second, request to acceptance, p99 (peer: the same)", paced.FromSend.P99, "ms", 0.5, peer: followed.Paced.FromSend.P99);
        report.Show("Standalone: trades to reconciled (peer: processes without a Console)", burst.PerSecond, "trades/s", peer: platform.Burst.PerSecond);
        report.Show("Standalone: 100 trades a second, p50 (peer: processes without a Console)", paced.FromSend.P50, "ms", peer: platform.Paced.FromSend.P50);
        report.Show("Standalone: 100 trades a second, p99 (peer: processes without a Console)", paced.FromSend.P99, "ms", peer: platform.Paced.FromSend.P99);
        report.Within("Standalone: trades lost or not finished", burst.Lost.Count + paced.Lost.Count, "trades", 0, limit: 0);
        report.Show("Standalone: processor time for a trade, under load (peer: the same services as processes)", burst.Processor.Values.Sum(), "ms", peer: followed.Burst.Processor.Values.Sum());
        Memory(report, burst, options, _ => true);
    }

    private static void Memory(BenchSection report, LoadOutcome burst, PipelineBenchOptions options, Func<string, bool> whose)
    {
        foreach (var (name, (second, last)) in burst.Resident.Where(r => !Servers.Contains(r.Key) && whose(r.Key)))
            report.AtMost($"memory of {name}, last quarter of {options.Burst} (peer: second quarter)", last, "MB", 1.1, peer: second);
    }
}
