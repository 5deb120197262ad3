using Antbot.Contracts.Messages;

namespace Antbot.Validation.Core.Rules;

/// <summary>The final confidence, clamped to 0..1, reaches what an entry needs.</summary>
public static class EnoughConfidence
{
    public static decimal Final(Signal signal) => Math.Clamp(signal.Confidence, 0, 1);

    public static Verdict Check(Look look)
    {
        var final = Final(look.Signal);
        return new Verdict("enough_confidence", final >= look.Limits.ConfidenceMin, $"{Look.Say(look.Signal.Confidence)}, clamped to {Look.Say(final)}, at least {Look.Say(look.Limits.ConfidenceMin)}");
    }
}
