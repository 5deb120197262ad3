namespace Antbot.Contracts;

internal static class Decimals
{
    /// <summary>Far above any price, quantity or sum of money, and low enough that the product of two still is a decimal.</summary>
    public const decimal Max = 1_000_000_000_000m;

    private const int ScaleMax = 16;

    /// <summary>Without trailing zeros and cut to sixteen places: equal numbers are then equal in every bit, as they are after they were stored.</summary>
    public static decimal Normal(decimal number) => Math.Round(number, ScaleMax, MidpointRounding.ToZero) / 1.000000000000000000000000000000000m;
}
