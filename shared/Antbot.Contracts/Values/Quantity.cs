using System.Globalization;
using System.Text.Json.Serialization;

namespace Antbot.Contracts;

/// <summary>How much of the base currency. Never negative: the side says which way.</summary>
[JsonConverter(typeof(NumberValueConverter<Quantity>))]
public readonly record struct Quantity : INumberValue<Quantity>, IComparable<Quantity>
{
    public Quantity(decimal value) => Value = Fault(value) is { } fault ? throw new ArgumentOutOfRangeException(nameof(value), fault) : Decimals.Normal(value);

    public static Quantity Zero { get; }

    public decimal Value { get; }

    public static string? Fault(decimal number) => number is >= 0 and <= Decimals.Max ? null : $"A quantity lies between 0 and {Decimals.Max:0}; this one is {number.ToString(CultureInfo.InvariantCulture)}.";

    public static Quantity From(decimal number) => new(number);

    public static Quantity operator +(Quantity left, Quantity right) => new(left.Value + right.Value);

    public static Quantity operator -(Quantity left, Quantity right) => new(left.Value - right.Value);

    public static bool operator <(Quantity left, Quantity right) => left.Value < right.Value;

    public static bool operator >(Quantity left, Quantity right) => left.Value > right.Value;

    public static bool operator <=(Quantity left, Quantity right) => left.Value <= right.Value;

    public static bool operator >=(Quantity left, Quantity right) => left.Value >= right.Value;

    public int CompareTo(Quantity other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}
