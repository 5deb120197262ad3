using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Serialization;

namespace Antbot.Contracts;

/// <summary>One trade, from the signal that raised it to its last fill. A hash of what raised it: the same cause is the same trade.</summary>
[JsonConverter(typeof(TextValueConverter<TradeId>))]
public readonly record struct TradeId : ITextValue<TradeId>
{
    private readonly Guid _value;

    public TradeId(Guid value) => _value = value == Guid.Empty ? throw new ArgumentException("A trade id is not all zeros.", nameof(value)) : value;

    public Guid Guid => _value == Guid.Empty ? throw new InvalidOperationException("This trade id was never given a value.") : _value;

    /// <summary>32 hexadecimal digits.</summary>
    public string Value => Guid.ToString("N", CultureInfo.InvariantCulture);

    public static string? Fault(string text) => TryParse(text, out _) ? null : "A trade id has 32 hexadecimal digits, not all of them zero.";

    public static TradeId From(string text) => TryParse(text, out var id) ? id : throw new ArgumentException(Fault(text), nameof(text));

    public static bool TryParse([NotNullWhen(true)] string? text, out TradeId id)
    {
        var fits = Guid.TryParseExact(text, "N", out var value) && value != Guid.Empty;
        id = fits ? new TradeId(value) : default;
        return fits;
    }

    public override string ToString() => _value.ToString("N", CultureInfo.InvariantCulture);
}
