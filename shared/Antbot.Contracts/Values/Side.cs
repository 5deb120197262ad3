namespace Antbot.Contracts;

/// <summary>Stored and sent as a number; 0 is none, so that what was forgotten is not a purchase.</summary>
public enum Side
{
    Buy = 1,
    Sell = 2,
}

public static class Sides
{
    public static Side Opposite(this Side side) => side switch
    {
        Side.Buy => Side.Sell,
        Side.Sell => Side.Buy,
        _ => throw new ArgumentOutOfRangeException(nameof(side), side, "A side is Buy or Sell."),
    };

    /// <summary>+1 for a purchase, -1 for a sale.</summary>
    public static int Sign(this Side side) => side == Side.Buy ? 1 : side == Side.Sell ? -1 : throw new ArgumentOutOfRangeException(nameof(side), side, "A side is Buy or Sell.");
}

public enum OrderKind
{
    Market = 1,
    Limit = 2,
}
