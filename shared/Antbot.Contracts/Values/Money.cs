using System.Globalization;
using System.Text.Json.Serialization;

namespace Antbot.Contracts;

/// <summary>A sum in the account's currency; a loss is negative.</summary>
[JsonConverter(typeof(NumberValueConverter<Money>))]
public readonly record struct Money : INumberValue<Money>, IComparable<Money>
{
    private const decimal Limit = Decimals.Max * 1_000;

    public Money(decimal value) => Value = Fault(value) is { } fault ? throw new ArgumentOutOfRangeException(nameof(value), fault) : Decimals.Normal(value);

    public static Money Zero { get; }

    public decimal Value { get; }

    public static string? Fault(decimal number) => number is >= -Limit and <= Limit ? null : $"A sum of money lies within ±{Limit:0}; this one is {number.ToString(CultureInfo.InvariantCulture)}.";

    public static Money From(decimal number) => new(number);

    public static Money operator +(Money left, Money right) => new(left.Value + right.Value);

    public static Money operator -(Money left, Money right) => new(left.Value - right.Value);

    public static Money operator -(Money money) => new(-money.Value);

    public static bool operator <(Money left, Money right) => left.Value < right.Value;

    public static bool operator >(Money left, Money right) => left.Value > right.Value;

    public static bool operator <=(Money left, Money right) => left.Value <= right.Value;

    public static bool operator >=(Money left, Money right) => left.Value >= right.Value;

    public int CompareTo(Money other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}
