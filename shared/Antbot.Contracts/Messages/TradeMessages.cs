namespace Antbot.Contracts.Messages;

/// <summary>Everything that services say to one another about a trade.</summary>
public interface ITradeMessage
{
    TradeId Trade { get; }
}

// Signal to Coordinator.
public sealed record SignalRaised(Signal Signal) : ITradeMessage
{
    public TradeId Trade => Signal.Trade;
}

// Coordinator to Validation, and its answers.
public sealed record ValidateSignal(Signal Signal) : ITradeMessage
{
    public TradeId Trade => Signal.Trade;
}

public sealed record SignalValidated(TradeId Trade, decimal Confidence, IReadOnlyList<Verdict> Verdicts) : ITradeMessage;

public sealed record SignalRejected(TradeId Trade, IReadOnlyList<Verdict> Verdicts) : ITradeMessage;

// Coordinator to Risk, and its answers.
public sealed record AssessRisk(Signal Signal, decimal Confidence) : ITradeMessage
{
    public TradeId Trade => Signal.Trade;
}

/// <param name="Reserved">What the account holds back for this trade until Execution has recorded how it ended.</param>
/// <param name="InSymbol">The how manieth trade in its symbol it is that is not over, this one included; null where that was not counted.</param>
public sealed record RiskApproved(TradeId Trade, Money Reserved, IReadOnlyList<Verdict> Verdicts, int? InSymbol = null) : ITradeMessage;

public sealed record RiskDenied(TradeId Trade, IReadOnlyList<Verdict> Verdicts) : ITradeMessage;

// Reconciliation to Coordinator, and on to Execution.
/// <summary>The venue has something for this account that no signal of ours asked for: it becomes a trade of its own, and is protected as any other.</summary>
/// <param name="Order">The open order that was found; null where it is a position.</param>
/// <param name="Quantity">Of the order, or of the position.</param>
public sealed record AdoptTrade(Signal Signal, FoundOrder? Order, Quantity Quantity, string What, string Evidence) : ITradeMessage
{
    public TradeId Trade => Signal.Trade;
}

/// <summary>An order that was found at the venue and not in our record.</summary>
public sealed record FoundOrder(ClientOrderId Order, string VenueOrderId, DateTimeOffset VenueTime);

/// <summary>The same, to the owner of its orders.</summary>
public sealed record AdoptPosition(Signal Signal, FoundOrder? Order, Quantity Quantity, string Evidence) : ITradeMessage
{
    public TradeId Trade => Signal.Trade;
}

/// <summary>The venue does not hold any more what this trade should hold.</summary>
public sealed record WriteOffPosition(TradeId Trade, AccountId Account, Quantity Quantity, string What, string Evidence) : ITradeMessage;

// Coordinator to Execution.
/// <param name="Reserved">The most that the entry may cost.</param>
/// <param name="InSymbol">The how manieth trade in its symbol it is that is not over: counted where all of an account are approved, one after the other.</param>
public sealed record ExecuteTrade(Signal Signal, Money Reserved, int? InSymbol = null) : ITradeMessage
{
    public TradeId Trade => Signal.Trade;
}

/// <summary>The trade is not wanted any more: nothing more is entered, what is open is flattened. It may overtake its command.</summary>
public sealed record CancelTrade(TradeId Trade, AccountId Account, string Reason) : ITradeMessage;

public sealed record CloseTrade(TradeId Trade, AccountId Account, string Reason) : ITradeMessage;

// Execution to Coordinator; what frees or fills a reservation also to Risk.
public sealed record EntryAccepted(TradeId Trade, ClientOrderId Order, string VenueOrderId, DateTimeOffset VenueTime) : ITradeMessage;

/// <summary>Nothing is held at the venue for this trade, and nothing ever was.</summary>
public sealed record EntryFailed(TradeId Trade, AccountId Account, string Reason) : ITradeMessage;

/// <summary>Whether the venue has the order is not known. The reservation stays at its full size.</summary>
public sealed record EntryUnknown(TradeId Trade, AccountId Account, string Reason) : ITradeMessage;

/// <param name="Cost">Quantity times average price, without fees.</param>
public sealed record TradeOpened(TradeId Trade, AccountId Account, Symbol Symbol, Side Side, Quantity Quantity, Price Average, Money Cost, Money Fees, IReadOnlyList<ClientOrderId> Orders) : ITradeMessage;

public sealed record TradeClosing(TradeId Trade, AccountId Account, string Reason) : ITradeMessage;

/// <param name="Realised">What was won or lost, fees taken off.</param>
public sealed record TradeClosed(TradeId Trade, AccountId Account, Symbol Symbol, Quantity Quantity, Price Entry, Price Exit, Money Realised, Money Fees, string Reason, IReadOnlyList<ClientOrderId> Orders) : ITradeMessage;

// Coordinator to Reconciliation, its answers, and its corrections to the owner of the orders.
/// <param name="Quantity">What was entered; with <paramref name="Closed"/> the orders together must leave nothing of it.</param>
public sealed record VerifyTrade(TradeId Trade, AccountId Account, Symbol Symbol, Side Side, Quantity Quantity, bool Closed, IReadOnlyList<ClientOrderId> Orders) : ITradeMessage;

public sealed record TradeReconciled(TradeId Trade, bool Closed, string Evidence) : ITradeMessage;

public sealed record DriftFound(TradeId Trade, AccountId Account, string What, string Evidence) : ITradeMessage;

/// <summary>What the venue says of an order of this trade, where our record says otherwise. The venue is the truth.</summary>
public sealed record CorrectOrder(TradeId Trade, AccountId Account, ClientOrderId Order, string What, string Evidence) : ITradeMessage;

// Console to Execution: an operator's word.
/// <summary>An operator holds that an order of which nobody knows what became was never placed; or another one does, and confirms it.</summary>
/// <param name="Request">Names the answer in the order's stream.</param>
/// <param name="By">As the operator's own credential says.</param>
public sealed record SettleOrder(TradeId Trade, ClientOrderId Order, Guid Request, bool Confirms, string By, string Reason) : ITradeMessage;
