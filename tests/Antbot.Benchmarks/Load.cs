using System.Diagnostics;

namespace Antbot.Benchmarks;

public sealed record LoadResult(double PerSecond, double P50Milliseconds, double P99Milliseconds)
{
    /// <summary>The middle one of several rounds, so that one disturbed round decides nothing.</summary>
    public static LoadResult Median(IReadOnlyList<LoadResult> rounds) => new(
        Middle(rounds.Select(r => r.PerSecond)), Middle(rounds.Select(r => r.P50Milliseconds)), Middle(rounds.Select(r => r.P99Milliseconds)));

    public static double Middle(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }
}

/// <summary>A closed loop: so many callers, each asking again as soon as it has its answer.</summary>
public static class Load
{
    public static async Task<LoadResult> RunAsync(int callers, TimeSpan time, Func<int, Task> once)
    {
        var latencies = new List<double>[callers];
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(async () =>
        {
            var mine = latencies[caller] = [];
            while (Stopwatch.GetElapsedTime(started) < time)
            {
                var at = Stopwatch.GetTimestamp();
                await once(caller);
                mine.Add(Stopwatch.GetElapsedTime(at).TotalMilliseconds);
            }
        })));
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var all = latencies.SelectMany(l => l).Order().ToArray();
        return new LoadResult(all.Length / seconds, all[all.Length / 2], all[all.Length * 99 / 100]);
    }
}
