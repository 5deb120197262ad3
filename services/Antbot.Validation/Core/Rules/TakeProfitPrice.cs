using Antbot.Contracts.Messages;

namespace Antbot.Validation.Core.Rules;

/// <summary>The take-profit, where there is one, is on the winning side of the entry and within reach.</summary>
public static class TakeProfitPrice
{
    public static Verdict Check(Look look)
    {
        var most = look.Limits.TakeProfitDistancePercent;
        if (look.Signal.TakeProfit is not { } target)
            return new Verdict("take_profit_price", Passed: true, "none");
        var win = -Exits.LossPercent(look, target);
        return new Verdict("take_profit_price", win > 0 && win <= most, $"{target} wins {Look.Say(win)} % from {look.Entry}, more than 0 and at most {Look.Say(most)} %");
    }
}
