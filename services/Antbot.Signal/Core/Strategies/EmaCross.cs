using Antbot.Contracts;
using Antbot.Contracts.Market;

namespace Antbot.Signals.Core.Strategies;

/// <summary>Buys when the fast average of closes crosses above the slow one, sells when it crosses below.</summary>
public sealed record EmaCross(int FastPeriod, int SlowPeriod) : Strategy
{
    /// <summary>A cross says which way it goes, not how far.</summary>
    private const decimal Confidence = 0.65m;

    public override string Name => "ema-cross";

    public override int WarmUp => 5 * SlowPeriod;

    private int Seen { get; init; }

    private decimal Fast { get; init; }

    private decimal Slow { get; init; }

    /// <summary>Which was above when last they differed; 0 before that could be said.</summary>
    private int Above { get; init; }

    public override (Strategy Next, Idea? Idea) On(Candle candle)
    {
        var close = candle.Close.Value;
        var seen = Math.Min(Seen + 1, SlowPeriod + 1);
        var next = this with { Seen = seen, Fast = Average(Fast, close, seen, FastPeriod), Slow = Average(Slow, close, seen, SlowPeriod) };
        if (seen < SlowPeriod)
            return (next, null);
        var above = Math.Sign(next.Fast - next.Slow);
        next = next with { Above = above == 0 ? Above : above };
        if (Above == 0 || next.Above == Above)
            return (next, null);
        return (next, new Idea(above > 0 ? Side.Buy : Side.Sell, Confidence, [new("close", close), new("fast", next.Fast), new("slow", next.Slow), new("fast_period", FastPeriod), new("slow_period", SlowPeriod)]));
    }

    /// <summary>The plain average until the period is full, exponential from then on.</summary>
    private static decimal Average(decimal average, decimal close, int seen, int period) =>
        Cut(average + (close - average) * (seen <= period ? 1m / seen : 2m / (period + 1)));
}
