using Antbot.Contracts.Messages;

namespace Antbot.Validation.Core.Rules;

/// <summary>Not too old, not from a future that no clock error explains, and not valid for longer than anybody may ask.</summary>
public static class Freshness
{
    public static Verdict Check(Look look)
    {
        var (signal, limits) = (look.Signal, look.Limits);
        var (age, life) = (look.Now - signal.RaisedAt, signal.ValidUntil - signal.RaisedAt);
        var passed = age <= Seconds(limits.AgeMaxSeconds) && age >= -Seconds(limits.SkewMaxSeconds) && signal.ValidUntil > look.Now && life <= Seconds(limits.LifeMaxSeconds);
        return new Verdict(
            "freshness",
            passed,
            $"raised {Look.Say(signal.RaisedAt)} and valid until {Look.Say(signal.ValidUntil)}, now {Look.Say(look.Now)}; at most {limits.AgeMaxSeconds} s old, {limits.SkewMaxSeconds} s ahead and valid for {limits.LifeMaxSeconds} s");
    }

    private static TimeSpan Seconds(int count) => TimeSpan.FromSeconds(count);
}
