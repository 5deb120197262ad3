using Antbot.Contracts.Messages;

namespace Antbot.Risk.Core.Rules;

/// <summary>One entry costs something, and at most so much.</summary>
public static class MaxNotional
{
    public static Verdict Check(Assessment a)
    {
        var (asked, most) = (a.Signal.Notional.Value, a.Limits.OrderNotionalMax.Value);
        return new Verdict("max_notional", asked > 0 && asked <= most, $"{Assessment.Amount(asked)} asked, more than 0 and at most {Assessment.Amount(most)}");
    }
}
