using Antbot.Contracts.Messages;

namespace Antbot.Validation.Core.Rules;

/// <summary>Neither dust nor a typing error. What the account can bear is Risk's to say.</summary>
public static class NotionalBounds
{
    public static Verdict Check(Look look)
    {
        var (asked, limits) = (look.Signal.Notional, look.Limits);
        return new Verdict("notional_bounds", asked >= limits.NotionalMin && asked <= limits.NotionalMax, $"{Look.Say(asked.Value)}, {Look.Say(limits.NotionalMin.Value)} to {Look.Say(limits.NotionalMax.Value)}");
    }
}
