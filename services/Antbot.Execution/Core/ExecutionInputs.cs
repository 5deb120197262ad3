using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;

namespace Antbot.Execution;

/// <summary>What an attempt may be stamped with if this decision makes one, and what the market does meanwhile.</summary>
/// <param name="VenueTime">The venue's clock; null while it was never measured: then nothing is attempted.</param>
/// <param name="EntryBar">Why nothing new may be entered; null where it may. Exits and stops do not look at it.</param>
/// <param name="EntryHold">Why an entry waits, until it may be sent or is not valid any more; null where it need not.</param>
/// <param name="Last">The newest price of the trade's symbol; null where there is none that is fresh.</param>
public sealed record Stamp(DateTimeOffset? VenueTime, int WindowMilliseconds, long ControlVersion, string? EntryBar, string? EntryHold, Price? Last);

/// <summary>What the orders of one trade are decided on.</summary>
public abstract record ExecutionInput(Stamp Stamp)
{
    /// <summary>Of a message that says all that it takes; null for one on which the venue or the market has its say, too.</summary>
    public static ExecutionInput? Of(ITradeMessage message, Stamp stamp) => message switch
    {
        CancelTrade m => new GetOut(m.Trade, m.Account, m.Reason, stamp),
        CloseTrade m => new GetOut(m.Trade, m.Account, m.Reason, stamp),
        CorrectOrder m => new Correct(m.Order, m.What, m.Evidence, stamp),
        WriteOffPosition m => new WriteOff(m.Quantity, m.What, m.Evidence, stamp),
        _ => null,
    };
}

/// <param name="Market">What an entry would pay now: the ask for a purchase, the bid for a sale; null where no price is fresh.</param>
/// <param name="InSymbol">Its number among the trades in its symbol that are not over; null where that was not counted.</param>
public sealed record Enter(Signal Signal, Money Reserved, SymbolRules? Rules, Price? Market, ExecutionPolicy Policy, Stamp Stamp, int? InSymbol = null) : ExecutionInput(Stamp);

/// <summary>The trade is not wanted any more, by whatever command; it may overtake the one that enters.</summary>
public sealed record GetOut(TradeId Trade, AccountId Account, string Reason, Stamp Stamp) : ExecutionInput(Stamp);

/// <summary>What came of sending one attempt.</summary>
public sealed record AttemptAnswered(ClientOrderId Order, int Attempt, VenueAnswer<OrderReport> Answer, Stamp Stamp) : ExecutionInput(Stamp);

/// <summary>Whoever sent this attempt never recorded an answer.</summary>
public sealed record AttemptUnanswered(ClientOrderId Order, int Attempt, string Text, Stamp Stamp) : ExecutionInput(Stamp);

/// <summary>The venue shows the order. Its fills are complete where their quantities add up to what is executed.</summary>
public sealed record OrderSeen(ClientOrderId Order, OrderReport Report, Stamp Stamp) : ExecutionInput(Stamp);

/// <param name="AskedAt">The venue's time before the question was sent.</param>
public sealed record OrderNotFound(ClientOrderId Order, DateTimeOffset AskedAt, string Evidence, Stamp Stamp) : ExecutionInput(Stamp);

/// <summary>Time has passed, or a price has moved: whatever is due is decided.</summary>
/// <param name="Bid">Null where no price is fresh.</param>
public sealed record Proceed(Price? Bid, Price? Ask, Stamp Stamp) : ExecutionInput(Stamp);

/// <summary>The tries of an entry are used up, and everything that it rests on was asked for anew.</summary>
/// <param name="Rules">As the venue told them just now; null where it did not.</param>
/// <param name="Bid">Null where no price is fresh.</param>
public sealed record Revalidate(ClientOrderId Order, SymbolRules? Rules, Price? Bid, Price? Ask, Stamp Stamp) : ExecutionInput(Stamp);

/// <summary>An operator holds that an order of which nobody knows what became was never placed.</summary>
/// <param name="Evidence">What the venue was asked for this, and what it said.</param>
public sealed record ProposeSettlement(ClientOrderId Order, Guid Request, string By, string Reason, string Evidence, Stamp Stamp) : ExecutionInput(Stamp);

/// <summary>So does another one.</summary>
public sealed record ConfirmSettlement(ClientOrderId Order, Guid Request, string By, string Reason, string Evidence, Stamp Stamp) : ExecutionInput(Stamp);

/// <summary>Reconciliation's evidence.</summary>
public sealed record Correct(ClientOrderId Order, string What, string Evidence, Stamp Stamp) : ExecutionInput(Stamp);

/// <summary>Something was found at the venue that belongs to nobody: it is this trade's from now on.</summary>
/// <param name="Found">The open order; null for a position that is held.</param>
/// <param name="Bar">Why nothing may be made ours here; null where it may.</param>
public sealed record Adopt(Signal Signal, FoundOrder? Found, Quantity Quantity, SymbolRules Rules, ExecutionPolicy Policy, string Evidence, string? Bar, Stamp Stamp) : ExecutionInput(Stamp);

/// <summary>Of what should be held the venue does not hold so much any more.</summary>
public sealed record WriteOff(Quantity Quantity, string What, string Evidence, Stamp Stamp) : ExecutionInput(Stamp);
