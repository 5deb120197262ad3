using Antbot.Contracts;

namespace Antbot.Validation.Core;

/// <summary>What a signal must keep to. What applied is recorded with the decision.</summary>
/// <param name="AgeMaxSeconds">How old a signal may be when it is looked at.</param>
/// <param name="SkewMaxSeconds">How far ahead of ours the clock of whoever raised it may be.</param>
/// <param name="LifeMaxSeconds">The longest that a signal may claim to be valid.</param>
/// <param name="LimitDistancePercent">How far a limit price may lie from the reference.</param>
/// <param name="StopDistancePercent">How far the stop may lie from the entry price.</param>
/// <param name="TakeProfitDistancePercent">How far the take-profit may lie from the entry price.</param>
/// <param name="DuplicateWindowSeconds">The same wish of the same source within this time is the same wish; 0 turns the rule off.</param>
public sealed record ValidationLimits(
    IReadOnlyList<Symbol> Symbols, int AgeMaxSeconds, int SkewMaxSeconds, int LifeMaxSeconds, decimal LimitDistancePercent, decimal StopDistancePercent,
    decimal TakeProfitDistancePercent, bool StopRequired, Money NotionalMin, Money NotionalMax, decimal ConfidenceMin, int DuplicateWindowSeconds)
{
    public static ValidationLimits Default { get; } = new(
        [.. new[] { "BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "XRPUSDT", "DOGEUSDT" }.Select(s => new Symbol(s))],
        AgeMaxSeconds: 30, SkewMaxSeconds: 5, LifeMaxSeconds: 3_600, LimitDistancePercent: 5, StopDistancePercent: 20, TakeProfitDistancePercent: 100, StopRequired: true,
        new Money(10), new Money(100_000), ConfidenceMin: 0.5m, DuplicateWindowSeconds: 5);
}
