using System.Globalization;
using Antbot.Contracts.Messages;

namespace Antbot.Risk.Core.Rules;

/// <summary>All that a rule may look at.</summary>
public sealed record Assessment(Signal Signal, RiskState Account, RiskSight Sight, RiskLimits Limits, DateTimeOffset Now)
{
    /// <summary>Every rule, in the order in which people read them. All are asked, so that a refusal names every reason.</summary>
    public static IReadOnlyList<Func<Assessment, Verdict>> Rules { get; } =
        [StillValid.Check, NotBarred.Check, MaxNotional.Check, MaxExposure.Check, MaxTrades.Check, DailyLoss.Check];

    internal static string Amount(decimal amount) => amount.ToString("#,0.########", CultureInfo.InvariantCulture);
}
