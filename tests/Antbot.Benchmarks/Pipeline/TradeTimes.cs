namespace Antbot.Benchmarks.Pipeline;

/// <summary>What is recorded of a trade's way.</summary>
/// <param name="Recorded">When its signal was written down.</param>
/// <param name="Accepted">When the venue took its entry, by the venue's own clock, which has whole milliseconds.</param>
/// <param name="Done">When it was found closed and in order at the venue: reconciled.</param>
/// <param name="Ended">How it ended otherwise.</param>
internal sealed record TradeTimes(DateTimeOffset? Recorded, DateTimeOffset? Accepted, DateTimeOffset? Done, string? Ended);

/// <summary>Latencies in milliseconds.</summary>
internal sealed record Latency(double P50, double P99, int Count)
{
    public static Latency Of(IEnumerable<double> milliseconds)
    {
        var sorted = milliseconds.Order().ToArray();
        return sorted.Length == 0 ? new Latency(double.PositiveInfinity, double.PositiveInfinity, 0) : new Latency(sorted[sorted.Length / 2], sorted[sorted.Length * 99 / 100], sorted.Length);
    }
}

/// <summary>One load on one pipeline.</summary>
/// <param name="Lost">Trades that are not closed and reconciled, each with what became of it.</param>
/// <param name="PerSecond">From the first request to the last trade reconciled.</param>
/// <param name="FromSend">From the request to the venue's acceptance.</param>
/// <param name="FromRecord">From the recorded signal to the venue's acceptance.</param>
/// <param name="Processor">Milliseconds for each trade, by process.</param>
/// <param name="Resident">Of each process: the average of the second quarter of the time, and of the last one.</param>
internal sealed record LoadOutcome(
    IReadOnlyList<string> Lost, double PerSecond, Latency FromSend, Latency FromRecord, IReadOnlyDictionary<string, double> Processor,
    IReadOnlyDictionary<string, (double Second, double Last)> Resident);
