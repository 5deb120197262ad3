using System.Diagnostics;

namespace Antbot.Benchmarks.Pipeline;

/// <summary>Puts a load on a pipeline, waits for its last trade, and says what it took.</summary>
internal static class LoadRun
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan FinishWithin = TimeSpan.FromMinutes(5);

    public static async Task<LoadOutcome> RunAsync(IPipeline pipeline, Func<SignalClient, Task<SentSignals>> send, CancellationToken cancellationToken)
    {
        var before = pipeline.Processes.ToDictionary(p => p.Name, p => p.Processor(), StringComparer.Ordinal);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var sampling = SampleAsync(pipeline.Processes, stop.Token);
        var sent = await send(pipeline.Client);
        var times = await FinishAsync(pipeline, sent, cancellationToken);
        await stop.CancelAsync();
        var samples = await sampling;
        var processor = pipeline.Processes.ToDictionary(p => p.Name, p => (p.Processor() - before[p.Name]).TotalMilliseconds / sent.Trades.Count, StringComparer.Ordinal);

        var done = sent.Trades.Keys.Select(t => times.GetValueOrDefault(t)?.Done).OfType<DateTimeOffset>().ToList();
        var lost = sent.Trades.Keys.Where(t => times.GetValueOrDefault(t)?.Done is null).Select(t => $"{t}: {times.GetValueOrDefault(t)?.Ended ?? "not finished"}").ToList();
        var last = done.Count == 0 ? sent.First + FinishWithin : done.Max();
        return new LoadOutcome(
            lost, done.Count / (last - sent.First).TotalSeconds,
            Latency.Of(sent.Trades.Where(t => times.GetValueOrDefault(t.Key)?.Accepted is not null).Select(t => (times[t.Key].Accepted!.Value - t.Value).TotalMilliseconds)),
            Latency.Of(sent.Trades.Keys.Select(t => times.GetValueOrDefault(t)).Where(t => t is { Accepted: not null, Recorded: not null }).Select(t => (t!.Accepted! - t.Recorded!).Value.TotalMilliseconds)),
            processor, Quarters(samples, sent.First, last));
    }

    /// <summary>Waits until nothing moves any more, then looks what became of each.</summary>
    private static async Task<Dictionary<string, TradeTimes>> FinishAsync(IPipeline pipeline, SentSignals sent, CancellationToken cancellationToken)
    {
        var times = new Dictionary<string, TradeTimes>(StringComparer.Ordinal);
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            await WaitUntilQuietAsync(pipeline, began, cancellationToken);
            foreach (var (trade, now) in await pipeline.ReadAsync(cancellationToken))
            {
                var known = times.GetValueOrDefault(trade);
                times[trade] = new TradeTimes(now.Recorded ?? known?.Recorded, now.Accepted ?? known?.Accepted, now.Done ?? known?.Done, now.Ended ?? known?.Ended);
            }
            if (Stopwatch.GetElapsedTime(began) > FinishWithin || sent.Trades.Keys.All(t => times.GetValueOrDefault(t) is { Done: not null } or { Ended: not null }))
                return times;
        }
    }

    private static async Task WaitUntilQuietAsync(IPipeline pipeline, long began, CancellationToken cancellationToken)
    {
        var (seen, since) = (-1L, Stopwatch.GetTimestamp());
        while (Stopwatch.GetElapsedTime(since) < Quiet && Stopwatch.GetElapsedTime(began) < FinishWithin)
        {
            if (pipeline.Processes.FirstOrDefault(p => p.HasEnded) is { } gone)
                throw new InvalidOperationException($"{gone.Name} has ended under the load.");
            await Task.Delay(Look, cancellationToken);
            var now = await pipeline.ProgressAsync(cancellationToken);
            // A beat of something else now and then is no work on trades.
            if (now - seen > 10)
                (seen, since) = (now, Stopwatch.GetTimestamp());
        }
    }

    private static async Task<List<(DateTimeOffset At, string Name, long Bytes)>> SampleAsync(IReadOnlyList<BenchProcess> processes, CancellationToken stop)
    {
        var samples = new List<(DateTimeOffset, string, long)>();
        while (!stop.IsCancellationRequested)
        {
            samples.AddRange(processes.Select(p => (DateTimeOffset.UtcNow, p.Name, p.Resident())));
            await Task.Delay(Look, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return samples;
    }

    private static Dictionary<string, (double Second, double Last)> Quarters(List<(DateTimeOffset At, string Name, long Bytes)> samples, DateTimeOffset first, DateTimeOffset last)
    {
        var quarter = (last - first) / 4;
        return samples.GroupBy(s => s.Name, StringComparer.Ordinal).ToDictionary(g => g.Key, g => (Average(g, first + quarter), Average(g, last - quarter)), StringComparer.Ordinal);

        double Average(IEnumerable<(DateTimeOffset At, string Name, long Bytes)> of, DateTimeOffset from) =>
            of.Where(s => s.At >= from && s.At < from + quarter).Select(s => s.Bytes / 1e6).DefaultIfEmpty(0).Average();
    }
}
