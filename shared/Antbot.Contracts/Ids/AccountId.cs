using System.Text.Json.Serialization;

namespace Antbot.Contracts;

/// <summary>An account at a venue whose limits are kept together.</summary>
[JsonConverter(typeof(TextValueConverter<AccountId>))]
public readonly record struct AccountId : ITextValue<AccountId>
{
    private const int LengthMax = 40;

    private readonly string? _value;

    public AccountId(string value) => _value = Fault(value) is { } fault ? throw new ArgumentException(fault, nameof(value)) : value;

    public string Value => _value ?? throw new InvalidOperationException("This account id was never given a value.");

    public static string? Fault(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length is >= 1 and <= LengthMax && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
            ? null
            : $"An account id has 1 to {LengthMax} small letters, digits and hyphens.";
    }

    public static AccountId From(string text) => new(text);

    public override string ToString() => _value ?? "";
}
