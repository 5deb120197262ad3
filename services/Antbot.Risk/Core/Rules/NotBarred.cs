using Antbot.Contracts.Messages;

namespace Antbot.Risk.Core.Rules;

/// <summary>
/// The outcome of a trade may overtake its assessment; what is over is not reserved for again. Where bars had to be forgotten,
/// whatever was raised before them is refused, barred or not.
/// </summary>
public static class NotBarred
{
    /// <summary>How far the clocks of two services may lie apart.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(10);

    public static Verdict Check(Assessment a)
    {
        if (a.Account.Held(a.Signal.Trade) is { } held)
            return new Verdict("not_barred", Passed: false, $"the account knows this trade as {held.Stage}, and nobody asked for it");
        if (a.Account.Bars.TryGetValue(a.Signal.Trade, out var bar))
            return new Verdict("not_barred", Passed: false, $"the trade {(bar.Closed ? "was closed" : "had failed")} at {bar.At:yyyy-MM-dd HH:mm:ss.fff}, before it was assessed");
        var passed = a.Account.BarsUntil == DateTimeOffset.MinValue || a.Signal.RaisedAt > a.Account.BarsUntil + Skew;
        return new Verdict("not_barred", passed, passed ? "no outcome came before this assessment" : $"raised at {a.Signal.RaisedAt:yyyy-MM-dd HH:mm:ss.fff}; outcomes up to {a.Account.BarsUntil:yyyy-MM-dd HH:mm:ss.fff} are no longer known one by one");
    }
}
