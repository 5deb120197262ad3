using System.Runtime.InteropServices;

namespace Antbot.PaperVenue;

/// <summary>What a client is refused with: Binance's code and text for it.</summary>
public sealed record Rejection(int Code, string Message)
{
    public static Rejection Filter(string name) => new(-1013, $"Filter failure: {name}");

    public static Rejection NewOrder(string why) => new(-2010, why);
}

public readonly record struct Placed(Order? Order, Rejection? Rejection);

public enum ExecutionKind : byte
{
    New,
    Trade,
    Cancelled,
    Expired,
}

/// <summary>A change of an order as its owner is told of it, with the order's figures as they were just then.</summary>
public readonly record struct ExecutionReport(ExecutionKind Kind, Order Order, OrderStatus Status, Fixed8 Executed, Fixed8 QuoteExecuted, bool IsWorking, bool IsInBook, long Time, Fill? Fill);

/// <summary>A list began, or ended with the last of its orders, as its owner is told of it.</summary>
public readonly record struct ListReport(OrderList List, bool IsDone, long Time);

/// <summary>A trade as everybody sees it.</summary>
public readonly record struct Print(Instrument Instrument, long Trade, Fixed8 Price, Fixed8 Quantity, long Time, Side TakerSide);

/// <summary>What came into an account, or left it below zero, without a trade.</summary>
public readonly record struct Credit(Account Account, int Asset, Fixed8 Amount, long Time);

/// <summary>What an operation leaves to be written, told and shown, in order. Whoever owns the exchange empties it.</summary>
public sealed class Outbox
{
    private readonly Dictionary<Account, uint> _touched = [];

    public IList<VenueEvent> Journal { get; } = [];

    public IList<ExecutionReport> Reports { get; } = [];

    public IList<ListReport> ListReports { get; } = [];

    public IList<Print> Prints { get; } = [];

    public IList<Credit> Credits { get; } = [];

    /// <summary>Accounts whose balances changed, with which assets (a bit each).</summary>
    public IReadOnlyDictionary<Account, uint> Touched => _touched;

    public void Clear()
    {
        Journal.Clear();
        Reports.Clear();
        ListReports.Clear();
        Prints.Clear();
        Credits.Clear();
        _touched.Clear();
    }

    internal void Touch(Account account, int asset) => CollectionsMarshal.GetValueRefOrAddDefault(_touched, account, out _) |= 1u << asset;
}
