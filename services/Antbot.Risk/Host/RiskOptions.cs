using System.ComponentModel.DataAnnotations;
using Antbot.Contracts;
using Antbot.Risk.Core;

namespace Antbot.Risk;

/// <summary>The account's limits: <c>ANTBOT_RISK__MAXEXPOSURE</c> in the environment. Defaults are the stricter ones; beyond the ceiling nothing starts.</summary>
public sealed class RiskOptions
{
    /// <summary>The most that one entry may cost.</summary>
    public decimal MaxOrderNotional { get; set; } = RiskLimits.Default.OrderNotionalMax.Value;

    /// <summary>The most that all trades together may hold, reservations included.</summary>
    public decimal MaxExposure { get; set; } = RiskLimits.Default.ExposureMax.Value;

    /// <summary>Of the equity that a UTC day began with.</summary>
    public decimal DailyLossPercent { get; set; } = RiskLimits.Default.DailyLossPercent;

    /// <summary>What the account had before its first trade.</summary>
    public decimal StartingEquity { get; set; } = RiskLimits.Default.StartingEquity.Value;

    /// <summary>How many trades may be reserved or open at once.</summary>
    public int MaxTrades { get; set; } = RiskLimits.Default.TradesMax;

    public RiskLimits Limits => new(new Money(MaxOrderNotional), new Money(MaxExposure), DailyLossPercent, new Money(StartingEquity), MaxTrades);

    public static IEnumerable<ValidationResult> Check(RiskOptions options)
    {
        var ceiling = RiskLimits.Ceiling;
        (string Name, decimal Value, decimal Most)[] bounds =
        [
            (nameof(MaxOrderNotional), options.MaxOrderNotional, ceiling.OrderNotionalMax.Value),
            (nameof(MaxExposure), options.MaxExposure, ceiling.ExposureMax.Value),
            (nameof(DailyLossPercent), options.DailyLossPercent, ceiling.DailyLossPercent),
            (nameof(StartingEquity), options.StartingEquity, ceiling.StartingEquity.Value),
            (nameof(MaxTrades), options.MaxTrades, ceiling.TradesMax),
        ];
        return bounds.Where(b => b.Value <= 0 || b.Value > b.Most).Select(b => new ValidationResult($"{b.Value} is not above 0 and at most {b.Most}, the ceiling.", [b.Name]));
    }
}
