using Antbot.Contracts.Messages;

namespace Antbot.Validation.Core.Rules;

/// <summary>The same source does not wish for the same side of the same symbol twice within the window.</summary>
public static class NoDuplicate
{
    public static Verdict Check(Look look)
    {
        var window = TimeSpan.FromSeconds(look.Limits.DuplicateWindowSeconds);
        if (window == TimeSpan.Zero)
            return new Verdict("no_duplicate", Passed: true, "not asked");
        if (look.Memory.Of(look.Signal).FirstOrDefault(w => (w.RaisedAt - look.Signal.RaisedAt).Duration() < window) is { } same)
            return new Verdict("no_duplicate", Passed: false, $"trade {same.Trade} of the same source, symbol and side was raised at {Look.Say(same.RaisedAt)}, this one at {Look.Say(look.Signal.RaisedAt)}, within {window.TotalSeconds:0} s");
        return look.Memory.HasRoomFor(look.Signal, look.ForgetBefore)
            ? new Verdict("no_duplicate", Passed: true, $"none within {window.TotalSeconds:0} s")
            : new Verdict("no_duplicate", Passed: false, $"{SymbolMemory.SourcesMax} sources at once wish for this symbol; no more can be told apart");
    }
}
