using System.Globalization;
using System.Text.Json.Serialization;

namespace Antbot.Contracts;

/// <summary>What one unit costs, in the quote currency. Never zero.</summary>
[JsonConverter(typeof(NumberValueConverter<Price>))]
public readonly record struct Price : INumberValue<Price>, IComparable<Price>
{
    private readonly decimal _value;

    public Price(decimal value) => _value = Fault(value) is { } fault ? throw new ArgumentOutOfRangeException(nameof(value), fault) : Decimals.Normal(value);

    public decimal Value => _value > 0 ? _value : throw new InvalidOperationException("This price was never given a value.");

    public static string? Fault(decimal number) => number is > 0 and <= Decimals.Max && Decimals.Normal(number) > 0 ? null : $"A price lies above 0 and at most at {Decimals.Max:0}; this one is {number.ToString(CultureInfo.InvariantCulture)}.";

    public static Price From(decimal number) => new(number);

    public static Money operator *(Price price, Quantity quantity) => new(price.Value * quantity.Value);

    public static bool operator <(Price left, Price right) => left._value < right._value;

    public static bool operator >(Price left, Price right) => left._value > right._value;

    public static bool operator <=(Price left, Price right) => left._value <= right._value;

    public static bool operator >=(Price left, Price right) => left._value >= right._value;

    public int CompareTo(Price other) => _value.CompareTo(other._value);

    public override string ToString() => _value.ToString(CultureInfo.InvariantCulture);
}
