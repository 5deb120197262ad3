using Antbot.Contracts.Messages;

namespace Antbot.Validation.Core.Rules;

/// <summary>Whose wish it is, is known, and short enough to be remembered.</summary>
public static class NamedSource
{
    private const int LengthMax = 100;

    public static Verdict Check(Look look) =>
        new("named_source", look.Signal.Source.Length is > 0 and <= LengthMax, $"a name of {look.Signal.Source.Length} characters, 1 to {LengthMax}");
}
