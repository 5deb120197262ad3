using Antbot.Contracts.Messages;

namespace Antbot.Contracts.Events;

// A trade's life as the Coordinator records it, in `trade-{id}`. Each event holds all that its messages need: what is published
// again after a crash is made from the event alone.

/// <summary>Never goes backwards; the last four absorb everything.</summary>
public enum TradePhase
{
    None = 0,
    Validating = 1,
    AssessingRisk = 2,
    Executing = 4,
    Open = 5,
    Closing = 6,
    Closed = 10,
    Rejected = 11,
    Denied = 12,
    Expired = 13,
    Failed = 14,
}

/// <param name="Due">When this phase has lasted too long.</param>
/// <param name="TooLate">It came when it could not be entered in time any more: it ends with this decision, and nobody is told.</param>
[StoredName("trade_raised")]
public sealed record TradeRaised(Signal Signal, DateTimeOffset Due, bool? TooLate = null);

/// <summary>Found at the venue, by Reconciliation; it begins where a trade of ours is sent.</summary>
[StoredName("trade_adopted")]
public sealed record TradeAdopted(Signal Signal, FoundOrder? Order, Quantity Quantity, string What, string Evidence, DateTimeOffset Due);

[StoredName("trade_validated")]
public sealed record TradeValidated(Signal Signal, decimal Confidence, IReadOnlyList<Verdict> Verdicts, DateTimeOffset Due);

[StoredName("trade_rejected")]
public sealed record TradeRejected(TradeId Trade, IReadOnlyList<Verdict> Verdicts);

[StoredName("trade_approved")]
public sealed record TradeApproved(Signal Signal, Money Reserved, IReadOnlyList<Verdict> Verdicts, DateTimeOffset Due, int? InSymbol = null);

[StoredName("trade_denied")]
public sealed record TradeDenied(TradeId Trade, IReadOnlyList<Verdict> Verdicts);

[StoredName("trade_entry_accepted")]
public sealed record TradeEntryAccepted(TradeId Trade, ClientOrderId Order, string VenueOrderId, DateTimeOffset VenueTime);

[StoredName("trade_entry_unknown")]
public sealed record TradeEntryUnknown(TradeId Trade, string Reason);

[StoredName("trade_opened")]
public sealed record TradeOpenedRecorded(TradeOpened Opened, DateTimeOffset Due);

[StoredName("trade_closing")]
public sealed record TradeClosingRecorded(TradeId Trade, string Reason, DateTimeOffset Due);

[StoredName("trade_closed")]
public sealed record TradeClosedRecorded(TradeClosed Closed, Side Side);

[StoredName("trade_failed")]
public sealed record TradeFailed(TradeId Trade, string Reason);

/// <summary>A phase lasted too long. What is compensated follows from the phase: see the machine's drawing.</summary>
[StoredName("trade_deadline_passed")]
public sealed record TradeDeadlinePassed(TradeId Trade, AccountId Account, TradePhase Phase, DateTimeOffset Due, DateTimeOffset? NextDue);

/// <summary>Terminal: the trade came to nothing within its time, and Execution has confirmed that nothing is held.</summary>
[StoredName("trade_expired")]
public sealed record TradeExpired(TradeId Trade, string Reason);

[StoredName("trade_reconciled")]
public sealed record TradeReconciledRecorded(TradeId Trade, bool Closed, string Evidence);

[StoredName("trade_drift_found")]
public sealed record TradeDriftFound(TradeId Trade, string What, string Evidence);

/// <summary>Something was opened for a trade that was over: it is flattened.</summary>
[StoredName("trade_opened_late")]
public sealed record TradeOpenedLate(TradeOpened Opened, TradePhase Phase);

/// <summary>Said of a trade that had moved on; kept because nothing is dropped in silence.</summary>
[StoredName("trade_message_absorbed")]
public sealed record TradeMessageAbsorbed(TradeId Trade, string Message, TradePhase Phase);
