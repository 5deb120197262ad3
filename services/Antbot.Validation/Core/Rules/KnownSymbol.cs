using Antbot.Contracts.Messages;

namespace Antbot.Validation.Core.Rules;

/// <summary>Only what was chosen is traded.</summary>
public static class KnownSymbol
{
    public static Verdict Check(Look look) =>
        new("known_symbol", look.Limits.Symbols.Contains(look.Signal.Symbol), $"{look.Signal.Symbol} of {string.Join(", ", look.Limits.Symbols)}");
}
