using Antbot.Contracts;
using Antbot.Contracts.Messages;

namespace Antbot.Validation.Core.Rules;

/// <summary>A market order names no price; a limit order names one that is near the market.</summary>
public static class EntryPrice
{
    public static Verdict Check(Look look)
    {
        var (signal, most) = (look.Signal, look.Limits.LimitDistancePercent);
        var passed = look.IsSided && signal.Kind switch
        {
            OrderKind.Market => signal.Limit is null,
            OrderKind.Limit => signal.Limit is { } limit && Math.Abs(Look.Percent(limit, signal.Reference)) <= most,
            _ => false,
        };
        var saw = signal.Limit is { } named
            ? $"{signal.Kind} {signal.Side} at {named}, {Look.Say(Look.Percent(named, signal.Reference))} % from {signal.Reference}, at most ±{Look.Say(most)} %"
            : $"{signal.Kind} {signal.Side} near {signal.Reference}";
        return new Verdict("entry_price", passed, saw);
    }
}
