using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;

namespace Antbot.ReadModels;

/// <summary>A trade as it stands, from `trade-{id}`.</summary>
/// <param name="Unknown">Whether the venue has its entry is not known.</param>
/// <param name="Reconciled">What was last found to be right at the venue: nothing, its entry, its end.</param>
/// <param name="Refusals">The rules that it failed.</param>
public sealed record TradeView(
    TradeId Id, AccountId Account, Symbol Symbol, Side Side, string Source, TradePhase Phase, bool Unknown, ReconciledPart Reconciled, int Drifts,
    DateTimeOffset RaisedAt, DateTimeOffset ChangedAt, DateTimeOffset? Due, Price Reference, Money Notional, decimal? Confidence, Money? Reserved, Quantity? Quantity,
    Price? Entry, Price? Exit, Price? Stop, Price? TakeProfit, Money? Realised, Money? Fees, string Reason, IReadOnlyList<Verdict> Refusals)
{
    public static bool IsOver(TradePhase phase) => phase is TradePhase.Closed or TradePhase.Rejected or TradePhase.Denied or TradePhase.Expired or TradePhase.Failed;
}

public enum ReconciledPart
{
    Nothing = 0,
    Entry = 1,
    End = 2,
}

public enum OrderStatus
{
    Intended = 1,
    Attempted = 2,

    /// <summary>Whether the venue has it is not known.</summary>
    Unknown = 3,
    Accepted = 4,
    PartiallyFilled = 5,
    Filled = 6,
    Cancelled = 7,
    Expired = 8,
    NeverPlaced = 9,
}

/// <param name="LastWord">What the venue last said against it, or why it ended.</param>
public sealed record OrderView(
    ClientOrderId Id, TradeId Trade, AccountId Account, Symbol Symbol, Side Side, OrderRole Role, OrderKind Kind, Quantity Quantity, Price? Limit, Price? Trigger,
    bool ReduceOnly, OrderStatus Status, Quantity Executed, Money Cost, IReadOnlyDictionary<string, Money> Fees, string VenueOrderId, int Attempts, IReadOnlyList<string> Fills,
    string Reason, string LastWord, DateTimeOffset IntendedAt, DateTimeOffset ChangedAt)
{
    public static bool IsOver(OrderStatus status) => status is OrderStatus.Filled or OrderStatus.Cancelled or OrderStatus.Expired or OrderStatus.NeverPlaced;
}

public enum PositionState
{
    Open = 1,
    Closing = 2,
    Closed = 3,
}

/// <summary>What a trade holds or held.</summary>
public sealed record PositionView(
    TradeId Trade, AccountId Account, Symbol Symbol, Side Side, PositionState State, Quantity Quantity, Price Entry, Price? Exit, Money Cost, Money Fees, Price? Stop,
    Price? TakeProfit, Money? Realised, DateTimeOffset OpenedAt, DateTimeOffset? ClosedAt, string Reason, IReadOnlyList<ClientOrderId> Orders);

/// <summary>A process of ours as it was last started, and how it ended where it said so.</summary>
/// <param name="Name">Which of several of its service.</param>
public sealed record ProcessView(Guid Instance, string Service, string Name, string Build, int ProcessId, DateTimeOffset StartedAt, DateTimeOffset? StoppedAt, string Reason);

/// <summary>What an account won and lost in a day (UTC) of closing.</summary>
public sealed record DayView(AccountId Account, string Day, Money Realised, Money Fees, int Closed, int Won);

/// <summary>What is not in the rows, because it was archived before they were made and the archives could not be read.</summary>
/// <param name="Events">How many by the archives' files.</param>
public sealed record LeftOutView(IReadOnlyDictionary<string, long> Events);

/// <summary>How many trades stand in which phase.</summary>
public sealed record CountsView(IReadOnlyDictionary<TradePhase, long> Trades);
