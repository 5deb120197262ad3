using System.Text.Json.Serialization;

namespace Antbot.Contracts;

/// <summary>What is traded, as the venue names it: <c>BTCUSDT</c>.</summary>
[JsonConverter(typeof(TextValueConverter<Symbol>))]
public readonly record struct Symbol : ITextValue<Symbol>
{
    private const int LengthMax = 20;

    private readonly string? _value;

    public Symbol(string value) => _value = Fault(value) is { } fault ? throw new ArgumentException(fault, nameof(value)) : value;

    public string Value => _value ?? throw new InvalidOperationException("This symbol was never given a value.");

    public static string? Fault(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length is >= 2 and <= LengthMax && text.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c))
            ? null
            : $"A symbol has 2 to {LengthMax} capital letters and digits, such as BTCUSDT.";
    }

    public static Symbol From(string text) => new(text);

    public override string ToString() => _value ?? "";
}
