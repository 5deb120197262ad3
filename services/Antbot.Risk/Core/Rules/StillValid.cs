using Antbot.Contracts.Messages;

namespace Antbot.Risk.Core.Rules;

/// <summary>Nothing is reserved for an entry that would not be attempted any more.</summary>
public static class StillValid
{
    public static Verdict Check(Assessment a) =>
        new("still_valid", a.Now <= a.Signal.ValidUntil, $"valid until {a.Signal.ValidUntil:yyyy-MM-dd HH:mm:ss.fff}, now {a.Now:yyyy-MM-dd HH:mm:ss.fff}");
}
