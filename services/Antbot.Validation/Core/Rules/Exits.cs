using Antbot.Contracts;

namespace Antbot.Validation.Core.Rules;

internal static class Exits
{
    /// <summary>What is lost from the entry to this price, in percent; negative where it is a win. Zero, which no exit passes with, without a side.</summary>
    public static decimal LossPercent(Look look, Price price) => look.Signal.Side switch
    {
        Side.Buy => -Look.Percent(price, look.Entry),
        Side.Sell => Look.Percent(price, look.Entry),
        _ => 0,
    };
}
