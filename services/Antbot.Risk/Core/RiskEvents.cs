using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;

namespace Antbot.Risk.Core;

// What Risk records in `account-{id}`. Every message that it takes is one event here (one that came before its assessment may be two).

/// <summary>The trade may be made; the account holds its whole notional back until Execution has recorded how the entry ended.</summary>
/// <param name="Confidence">Validation's last word, for whoever reads the decision.</param>
/// <param name="InSymbol">How many trades in the symbol hold something of the account, this one included.</param>
[StoredName("exposure_reserved")]
public sealed record ExposureReserved(
    TradeId Trade, AccountId Account, Symbol Symbol, Side Side, Money Reserved, decimal Confidence, DateTimeOffset RaisedAt, DateTimeOffset ValidUntil,
    RiskSight Sight, RiskLimits Limits, IReadOnlyList<Verdict> Verdicts, int? InSymbol = null);

[StoredName("risk_denied")]
public sealed record RiskDeniedRecorded(
    TradeId Trade, AccountId Account, Symbol Symbol, Side Side, Money Asked, decimal Confidence, DateTimeOffset RaisedAt, DateTimeOffset ValidUntil,
    RiskSight Sight, RiskLimits Limits, IReadOnlyList<Verdict> Verdicts);

/// <summary>The entry was filled: what it cost takes the place of what was reserved.</summary>
/// <param name="Released">What was reserved until now; zero where nothing was.</param>
/// <param name="Symbol">Null in what was recorded before it was kept.</param>
[StoredName("reservation_filled")]
public sealed record ReservationFilled(TradeId Trade, Money Released, Money Cost, Symbol? Symbol = null);

/// <summary>The entry came to nothing.</summary>
[StoredName("reservation_released")]
public sealed record ReservationReleased(TradeId Trade, Money Released, string Reason);

/// <param name="Freed">What the trade held until now, as cost or as reservation.</param>
/// <param name="Realised">Counted into this UTC day; a loss is negative, fees are taken off.</param>
/// <param name="AwaitsFill">It overtook the news of its own opening, which must then not count as a new position.</param>
[StoredName("position_closed_counted")]
public sealed record PositionClosedCounted(TradeId Trade, Money Freed, Money Realised, DateOnly Day, bool AwaitsFill);

/// <summary>How a trade ended that was never assessed: its assessment, when it comes, is denied.</summary>
[StoredName("assessment_barred")]
public sealed record AssessmentBarred(TradeId Trade, DateTimeOffset At, bool Closed, string Reason);

/// <summary>Said of a trade that it no longer changes; kept because nothing is dropped in silence.</summary>
[StoredName("risk_news_absorbed")]
public sealed record RiskNewsAbsorbed(TradeId Trade, string News, string Reason);
