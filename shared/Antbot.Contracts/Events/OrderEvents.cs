using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;

namespace Antbot.Contracts.Events;

// The orders of one trade as Execution records them, in `order-{trade}`. Reconciliation and Console read them too.

/// <summary>How entries are made and positions are protected. Recorded with every plan, so that what followed can be decided again.</summary>
/// <param name="StopDistance">Where a stop lies that the signal does not name, as a part of the price: 0.02.</param>
/// <param name="StopLimitDistance">How much worse than its trigger a stop may sell; null for a stop at any price.</param>
/// <param name="TakeProfitDistance">The same for taking a profit; null for none.</param>
/// <param name="HoldingSecondsMax">A position is closed when it is as old; null for never.</param>
/// <param name="EntryAttemptsMax">Attempts at an entry of which the venue has said that nothing happened.</param>
/// <param name="SlippageMax">What a market entry may cost above the price it was sized at.</param>
/// <param name="PriceMoveMax">How far the market may have moved from the signal's reference.</param>
/// <param name="PriceAgeSecondsMax">A price older than this is none.</param>
/// <param name="AskMarginMilliseconds">How long after an attempt's window the venue's "no such order" is believed.</param>
/// <param name="HalfSizeFallback">Whether an entry whose tries are used up is followed by one market order of half its size; null in what was planned before there was one.</param>
/// <param name="EndsWithSignal">Whether the window of an entry's attempt ends with its signal; null in what was planned before it did.</param>
/// <param name="PartialEntrySecondsMax">How long what an entry has filled waits for more without a stop; null in what was planned before that had an end.</param>
public sealed record ExecutionPolicy(
    decimal StopDistance, decimal? StopLimitDistance, decimal? TakeProfitDistance, int? HoldingSecondsMax, int EntryAttemptsMax, decimal SlippageMax,
    decimal PriceMoveMax, int PriceAgeSecondsMax, int AskMarginMilliseconds, bool? HalfSizeFallback = null, bool? EndsWithSignal = null, int? PartialEntrySecondsMax = null);

/// <summary>The command has come; here is everything that the orders of this trade are decided on.</summary>
/// <param name="Market">The price the entry is sized at; null where there is none that is fresh.</param>
/// <param name="InSymbol">Its number among the trades in its symbol that are not over; null where that was not counted.</param>
[StoredName("entry_planned")]
public sealed record EntryPlanned(Signal Signal, Money Reserved, SymbolRules? Rules, Price? Market, ExecutionPolicy Policy, int? InSymbol = null);

/// <summary>What is to be achieved at the venue, before anything is sent. One intent is at most one order, for ever.</summary>
/// <param name="Trigger">Where a stop wakes.</param>
/// <param name="ReduceOnly">It can only make a position smaller: never stopped by a halt.</param>
/// <param name="ValidUntil">No attempt is sent after this; null where it must be done however long it takes.</param>
/// <param name="NotBefore">No attempt is sent before this; null for at once.</param>
/// <param name="Criticality">Null in what was intended before there was one: an entry was tried as often as the policy says, the rest without end.</param>
[StoredName("order_intended")]
public sealed record OrderIntended(
    ClientOrderId Order, TradeId Trade, AccountId Account, OrderRole Role, Symbol Symbol, Side Side, OrderKind Kind, Quantity Quantity,
    Price? Limit, Price? Trigger, bool ReduceOnly, DateTimeOffset? ValidUntil, string Reason, DateTimeOffset? NotBefore, Criticality? Criticality = null)
{
    /// <summary>Of an order that was not intended here but found.</summary>
    public const string AdoptedReason = "adopted";
}

/// <summary>Recorded before it is sent, with the time it is signed with: after that time and its window the venue takes it no more.</summary>
[StoredName("order_attempted")]
public sealed record OrderAttempted(ClientOrderId Order, int Attempt, DateTimeOffset VenueTime, int WindowMilliseconds, long ControlVersion);

[StoredName("order_accepted")]
public sealed record OrderAccepted(ClientOrderId Order, string VenueOrderId, DateTimeOffset VenueTime);

/// <summary>The venue said that nothing happened, and why.</summary>
/// <param name="NotBefore">The next attempt waits until then.</param>
[StoredName("order_refused")]
public sealed record OrderRefused(ClientOrderId Order, int Attempt, string Code, string Text, Refusal Refusal, DateTimeOffset NotBefore);

/// <summary>This attempt never left: the breaker was open, the budget used up, or nobody there to connect to.</summary>
[StoredName("order_not_sent")]
public sealed record OrderNotSent(ClientOrderId Order, int Attempt, string Text, DateTimeOffset NotBefore);

/// <summary>No answer, or none that says. The venue may have it.</summary>
/// <param name="AskAt">In the venue's time: what the venue then says of it is final.</param>
[StoredName("order_unknown")]
public sealed record OrderUnknown(ClientOrderId Order, int Attempt, string Text, AccountId Account, DateTimeOffset AskAt);

/// <summary>Before an entry is tried once more than its policy says: whether it would still be entered now, with everything asked for anew.</summary>
[StoredName("order_revalidated")]
public sealed record OrderRevalidated(ClientOrderId Order, int Attempt, IReadOnlyList<Verdict> Verdicts);

/// <summary>Asked after the attempt's window had passed at the venue, which does not know the order: it never will.</summary>
/// <param name="Evidence">What it said to each question: by the order's id, by what is open, by the trades since. Null where only the first was asked.</param>
[StoredName("order_absent")]
public sealed record OrderAbsent(ClientOrderId Order, int Attempt, DateTimeOffset AskedAt, string? Evidence = null);

/// <param name="FillId">The venue's number of the fill: the same one twice counts once.</param>
/// <param name="FeeValue">The fee in the quote currency; null where it was taken in a third asset, whose price is not known here.</param>
[StoredName("order_filled")]
public sealed record OrderFilled(
    ClientOrderId Order, string FillId, Quantity Quantity, Price Price, Money Fee, string FeeAsset, DateTimeOffset VenueTime, Money? FeeValue);

/// <summary>The venue has taken a fill back that it had told: its order is over, with less executed, and its list of fills has it no more.</summary>
[StoredName("order_fill_busted")]
public sealed record OrderFillBusted(OrderFilled Fill, string Evidence);

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

/// <summary>A compensation that came while the entry was under way: it is cancelled, and what was filled of it is flattened.</summary>
[StoredName("entry_withdrawn")]
public sealed record EntryWithdrawn(TradeId Trade, AccountId Account, string Reason);

/// <summary>The entry came to nothing; nothing is held for this trade.</summary>
[StoredName("entry_failed")]
public sealed record EntryFailedRecorded(TradeId Trade, AccountId Account, string Reason);

/// <param name="Quantity">What was entered; a fee that was taken in the base asset is not taken off.</param>
/// <param name="HoldUntil">When it is closed for its age; null for never.</param>
[StoredName("position_opened")]
public sealed record PositionOpened(
    TradeId Trade, AccountId Account, Symbol Symbol, Side Side, Quantity Quantity, Price Average, Money Cost, Money Fees, Price? Stop, Price? TakeProfit,
    IReadOnlyList<ClientOrderId> Orders, Quantity Held, DateTimeOffset? HoldUntil);

[StoredName("position_closing")]
public sealed record PositionClosing(TradeId Trade, AccountId Account, string Reason);

/// <param name="Quantity">What was entered.</param>
/// <param name="Realised">The quote currency that came in, less what went out, fees included.</param>
/// <param name="Left">What the venue's step or minimum does not let go of, fees in the base asset taken off.</param>
[StoredName("position_closed")]
public sealed record PositionClosed(
    TradeId Trade, AccountId Account, Symbol Symbol, Side Side, Quantity Quantity, Price Entry, Price Exit, Money Realised, Money Fees, string Reason,
    IReadOnlyList<ClientOrderId> Orders, Quantity Left);

/// <summary>Reconciliation brought the venue's own words; they won. The venue is asked again.</summary>
[StoredName("order_corrected")]
public sealed record OrderCorrected(ClientOrderId Order, string What, string Evidence);

/// <summary>Asked again after a correction, the venue said nothing that was not recorded.</summary>
[StoredName("order_confirmed")]
public sealed record OrderConfirmed(ClientOrderId Order, string Evidence);

/// <summary>An order that nobody here remembers to have placed is this trade's from now on: its entry, or its stop where it bears the name of one of ours.</summary>
[StoredName("order_adopted")]
public sealed record OrderAdopted(
    ClientOrderId Order, TradeId Trade, AccountId Account, Symbol Symbol, Side Side, Quantity Quantity, string VenueOrderId, DateTimeOffset VenueTime, string Evidence)
{
    /// <summary>As if it had been ours from the start. Its limit only the venue knows.</summary>
    public OrderIntended ToIntent() => Order.Role is OrderRole.Stop or OrderRole.Exit
        ? new(Order, Trade, Account, OrderRole.Stop, Symbol, Side, OrderKind.Limit, Quantity, Limit: null, Trigger: null, ReduceOnly: true, ValidUntil: null, OrderIntended.AdoptedReason, NotBefore: null)
        : new(Order, Trade, Account, OrderRole.Entry, Symbol, Side, OrderKind.Limit, Quantity, Limit: null, Trigger: null, ReduceOnly: false, ValidUntil: null, OrderIntended.AdoptedReason, NotBefore: null);
}

/// <summary>What the account holds without an order of ours is this trade's position from now on.</summary>
/// <param name="Order">Stands for the entry that there never was: the venue does not know it.</param>
/// <param name="Price">What the market paid for it when it was found.</param>
[StoredName("position_adopted")]
public sealed record PositionAdopted(
    ClientOrderId Order, TradeId Trade, AccountId Account, Symbol Symbol, Side Side, Quantity Quantity, Price Price, string QuoteAsset, DateTimeOffset At, string Evidence)
{
    public OrderIntended ToIntent() => new(
        Order, Trade, Account, OrderRole.Entry, Symbol, Side, OrderKind.Market, Quantity, Limit: null, Trigger: null, ReduceOnly: false, ValidUntil: null, OrderIntended.AdoptedReason, NotBefore: null);

    /// <summary>What it counts from.</summary>
    public OrderFilled ToFill() => new(Order, "adopted", Quantity, Price, Money.Zero, QuoteAsset, At, Money.Zero);
}

/// <summary>The venue does not hold this part of the position any more, and no order of ours sold it: it is gone, with nothing received for it.</summary>
[StoredName("position_written_off")]
public sealed record PositionWrittenOff(TradeId Trade, AccountId Account, Symbol Symbol, Side Side, Quantity Quantity, string What, string Evidence);

/// <summary>An operator wants an order settled of which the venue does not say what became. It takes a second one, and what the venue says now.</summary>
/// <param name="Request">Whose answer this is.</param>
/// <param name="Evidence">The venue's own words to every question that it was asked for this.</param>
/// <param name="ExpiresAt">Until when another operator may confirm it.</param>
[StoredName("order_settlement_proposed")]
public sealed record OrderSettlementProposed(ClientOrderId Order, Guid Request, string By, string Reason, string Evidence, DateTimeOffset ExpiresAt);

[StoredName("order_settlement_refused")]
public sealed record OrderSettlementRefused(ClientOrderId Order, Guid Request, string By, string Reason, IReadOnlyList<Verdict> Verdicts);

/// <summary>Two operators hold that the order was never placed. What the venue says later wins over it: it is asked until it has answered.</summary>
/// <param name="Evidence">What the venue said when it was confirmed.</param>
[StoredName("order_settled")]
public sealed record OrderSettled(ClientOrderId Order, Guid Request, string By, string Reason, string ProposedBy, string Evidence);
