using Antbot.Contracts;

namespace Antbot.Risk.Core;

/// <summary>What an account may do. The limits that a decision was made with are recorded with it.</summary>
/// <param name="OrderNotionalMax">The most that one entry may cost.</param>
/// <param name="ExposureMax">The most that all trades together may hold, reservations included.</param>
/// <param name="DailyLossPercent">Of the day's starting equity; what is lost within a UTC day, fees included, stays below it.</param>
/// <param name="StartingEquity">What the account had before its first trade.</param>
/// <param name="TradesMax">How many trades may be reserved or open at once.</param>
public sealed record RiskLimits(Money OrderNotionalMax, Money ExposureMax, decimal DailyLossPercent, Money StartingEquity, int TradesMax)
{
    /// <summary>The stricter of what the documents ask for.</summary>
    public static RiskLimits Default { get; } = new(new Money(1_000), new Money(10_000), 5, new Money(10_000), 1_000);

    /// <summary>The looser: no configuration goes beyond.</summary>
    public static RiskLimits Ceiling { get; } = new(new Money(100_000), new Money(100_000), 20, new Money(1_000_000_000), 50_000);
}

/// <summary>What a decision saw of the account.</summary>
/// <param name="Reserved">Held back for entries whose end is not known yet.</param>
/// <param name="Open">What open positions have cost.</param>
/// <param name="Trades">How many trades the two are of.</param>
public sealed record RiskSight(decimal Reserved, decimal Open, int Trades, DateOnly Day, decimal DayStartEquity, decimal RealisedToday)
{
    /// <summary>Far above what all trades can add up to; the sum of two still is a decimal, whoever wrote the event.</summary>
    private const decimal SumMax = 1_000_000_000_000_000_000_000_000m;

    public decimal Reserved { get; init; } = Bounded(Reserved, nameof(Reserved));

    public decimal Open { get; init; } = Bounded(Open, nameof(Open));

    public decimal Exposure => Reserved + Open;

    private static decimal Bounded(decimal sum, string name) =>
        Math.Abs(sum) <= SumMax ? sum : throw new ArgumentOutOfRangeException(name, $"A sum over all trades lies within ±{SumMax:0}.");
}
