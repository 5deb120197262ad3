using Antbot.Contracts.Messages;

namespace Antbot.Validation.Core.Rules;

/// <summary>The stop is on the losing side of the entry and not absurdly far: it is what protects when everything else is down.</summary>
public static class StopPrice
{
    public static Verdict Check(Look look)
    {
        var most = look.Limits.StopDistancePercent;
        if (look.Signal.Stop is not { } stop)
            return new Verdict("stop_price", !look.Limits.StopRequired, look.Limits.StopRequired ? "none, and one is required" : "none");
        var loss = Exits.LossPercent(look, stop);
        return new Verdict("stop_price", loss > 0 && loss <= most, $"{stop} loses {Look.Say(loss)} % from {look.Entry}, more than 0 and at most {Look.Say(most)} %");
    }
}
