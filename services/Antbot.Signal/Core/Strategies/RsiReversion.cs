using Antbot.Contracts;
using Antbot.Contracts.Market;

namespace Antbot.Signals.Core.Strategies;

/// <summary>
/// Wilder's relative strength index. Buys when it comes back up out of what is oversold, sells when it comes back down out of what is
/// overbought: on the way back, because what falls may fall further.
/// </summary>
public sealed record RsiReversion(int Period, decimal Oversold, decimal Overbought) : Strategy
{
    private const decimal ConfidenceLeast = 0.55m;
    private const decimal ConfidenceMost = 0.9m;

    public override string Name => "rsi-reversion";

    public override int WarmUp => 10 * Period;

    /// <summary>Changes seen; there is one fewer than candles.</summary>
    private int Changes { get; init; } = -1;

    private decimal LastClose { get; init; }

    private decimal Gain { get; init; }

    private decimal Loss { get; init; }

    private decimal? Index { get; init; }

    /// <summary>How far beyond the threshold it went, out there.</summary>
    private decimal Depth { get; init; }

    public override (Strategy Next, Idea? Idea) On(Candle candle)
    {
        var close = candle.Close.Value;
        if (Changes < 0)
            return (this with { Changes = 0, LastClose = close }, null);
        var changes = Math.Min(Changes + 1, Period + 1);
        var change = close - LastClose;
        var next = this with
        {
            Changes = changes,
            LastClose = close,
            Gain = Smooth(Gain, Math.Max(change, 0), changes),
            Loss = Smooth(Loss, Math.Max(-change, 0), changes),
        };
        if (changes < Period)
            return (next, null);
        var index = Strength(next.Gain, next.Loss);
        var beyond = Math.Max(Oversold - index, index - Overbought);
        next = next with { Index = index, Depth = beyond > 0 ? Math.Max(Depth, beyond) : 0 };
        Side? side = Index < Oversold && index >= Oversold ? Side.Buy : Index > Overbought && index <= Overbought ? Side.Sell : null;
        return (next, side is { } s ? new Idea(s, Confidence(), [new("close", close), new("rsi", index), new("rsi_before", Index!.Value), new("deepest", Depth), new("period", Period)]) : null);
    }

    /// <summary>The plain average of the first changes, Wilder's from then on.</summary>
    private decimal Smooth(decimal average, decimal change, int changes) => Cut(average + (change - average) / Math.Min(changes, Period));

    private static decimal Strength(decimal gain, decimal loss) => gain + loss == 0 ? 50 : Cut(100 * gain / (gain + loss));

    /// <summary>The further it had gone, the surer the way back.</summary>
    private decimal Confidence() => Math.Round(Math.Min(ConfidenceMost, ConfidenceLeast + Depth / 100), 4, MidpointRounding.ToZero);
}
