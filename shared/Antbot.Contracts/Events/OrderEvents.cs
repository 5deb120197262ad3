namespace Antbot.Contracts.Events;

// The orders of one trade as Execution records them, in `order-{trade}`. Reconciliation and Console read them too.

/// <summary>What is to be achieved at the venue, before anything is sent. One intent is at most one order, for ever.</summary>
/// <param name="Trigger">Where a stop wakes.</param>
/// <param name="ReduceOnly">It can only make a position smaller: never stopped by a halt.</param>
/// <param name="ValidUntil">No attempt is sent after this; null where it must be done however long it takes.</param>
[StoredName("order_intended")]
public sealed record OrderIntended(
    ClientOrderId Order, TradeId Trade, AccountId Account, OrderRole Role, Symbol Symbol, Side Side, OrderKind Kind, Quantity Quantity,
    Price? Limit, Price? Trigger, bool ReduceOnly, DateTimeOffset? ValidUntil, string Reason);

/// <summary>Recorded before it is sent, with the time it is signed with: after that time and its window the venue takes it no more.</summary>
[StoredName("order_attempted")]
public sealed record OrderAttempted(ClientOrderId Order, int Attempt, DateTimeOffset VenueTime, int WindowMilliseconds, long ControlVersion);

[StoredName("order_accepted")]
public sealed record OrderAccepted(ClientOrderId Order, string VenueOrderId, DateTimeOffset VenueTime);

/// <summary>The venue said that nothing happened, and why.</summary>
[StoredName("order_refused")]
public sealed record OrderRefused(ClientOrderId Order, int Attempt, string Code, string Text);

/// <summary>No answer, or none that says. The venue may have it.</summary>
[StoredName("order_unknown")]
public sealed record OrderUnknown(ClientOrderId Order, int Attempt, string Text);

/// <summary>Asked after the attempt's window had passed at the venue, which does not know the order: it never will.</summary>
[StoredName("order_absent")]
public sealed record OrderAbsent(ClientOrderId Order, int Attempt, DateTimeOffset AskedAt);

/// <param name="FillId">The venue's number of the fill: the same one twice counts once.</param>
[StoredName("order_filled")]
public sealed record OrderFilled(ClientOrderId Order, string FillId, Quantity Quantity, Price Price, Money Fee, string FeeAsset, DateTimeOffset VenueTime);

[StoredName("order_cancel_intended")]
public sealed record OrderCancelIntended(ClientOrderId Order, string Reason);

public enum OrderEnd
{
    Filled = 1,
    Cancelled = 2,
    Expired = 3,

    /// <summary>Refused, or absent with no attempt left.</summary>
    NeverPlaced = 4,
}

[StoredName("order_ended")]
public sealed record OrderEnded(ClientOrderId Order, OrderEnd End, Quantity Executed, string Evidence);

/// <summary>The tombstone of a compensation that came before its command: no entry is made for this trade any more.</summary>
[StoredName("entry_forbidden")]
public sealed record EntryForbidden(TradeId Trade, AccountId Account, string Reason);

/// <summary>The entry came to nothing; nothing is held for this trade.</summary>
[StoredName("entry_failed")]
public sealed record EntryFailedRecorded(TradeId Trade, AccountId Account, string Reason);

[StoredName("position_opened")]
public sealed record PositionOpened(
    TradeId Trade, AccountId Account, Symbol Symbol, Side Side, Quantity Quantity, Price Average, Money Cost, Money Fees, Price? Stop, Price? TakeProfit,
    IReadOnlyList<ClientOrderId> Orders);

[StoredName("position_closing")]
public sealed record PositionClosing(TradeId Trade, AccountId Account, string Reason);

[StoredName("position_closed")]
public sealed record PositionClosed(
    TradeId Trade, AccountId Account, Symbol Symbol, Side Side, Quantity Quantity, Price Entry, Price Exit, Money Realised, Money Fees, string Reason,
    IReadOnlyList<ClientOrderId> Orders);

/// <summary>Reconciliation brought the venue's own words; they won.</summary>
[StoredName("order_corrected")]
public sealed record OrderCorrected(ClientOrderId Order, string What, string Evidence);
