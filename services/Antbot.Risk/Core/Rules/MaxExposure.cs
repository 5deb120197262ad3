using Antbot.Contracts.Messages;

namespace Antbot.Risk.Core.Rules;

/// <summary>What is reserved and what is open stay within the limit together with what is asked for.</summary>
public static class MaxExposure
{
    public static Verdict Check(Assessment a)
    {
        var (asked, most) = (a.Signal.Notional.Value, a.Limits.ExposureMax.Value);
        return new Verdict(
            "max_exposure",
            a.Sight.Exposure + asked <= most,
            $"{Assessment.Amount(a.Sight.Reserved)} reserved and {Assessment.Amount(a.Sight.Open)} open with {Assessment.Amount(asked)} asked, at most {Assessment.Amount(most)}");
    }
}
