namespace Antbot.PaperVenue;

public enum Side : byte
{
    Buy,
    Sell,
}

public enum OrderType : byte
{
    Limit,
    LimitMaker,
    Market,
    StopLoss,
    StopLossLimit,
    TakeProfit,
    TakeProfitLimit,
}

public enum TimeInForce : byte
{
    GoodTillCancelled,
    ImmediateOrCancel,
    FillOrKill,
}

public enum OrderStatus : byte
{
    New,
    PartiallyFilled,
    Filled,
    Cancelled,
    Expired,
}

/// <summary>An order as a client asks for it, its form already checked.</summary>
public readonly record struct NewOrder
{
    public required Instrument Instrument { get; init; }

    public required Side Side { get; init; }

    public required OrderType Type { get; init; }

    public TimeInForce TimeInForce { get; init; }

    /// <summary>Zero for the types that have none.</summary>
    public Fixed8 Price { get; init; }

    public Fixed8 StopPrice { get; init; }

    /// <summary>How far the price must come back from the best that there has been, in ten-thousandths; zero for a stop that stays where it is.</summary>
    public int TrailingDelta { get; init; }

    /// <summary>How much of it is shown at a time; zero for all of it.</summary>
    public Fixed8 IcebergQuantity { get; init; }

    /// <summary>Zero where a market order is given by what it may spend or shall bring in.</summary>
    public Fixed8 Quantity { get; init; }

    public Fixed8 QuoteQuantity { get; init; }

    public required string ClientId { get; init; }

    public bool HasStop => Type is OrderType.StopLoss or OrderType.StopLossLimit or OrderType.TakeProfit or OrderType.TakeProfitLimit;

    /// <summary>
    /// Spot knows no such order, so this is the venue's own: a sale of at most what is free, cut to that. A purchase opens or adds, and is refused.
    /// </summary>
    public bool ReduceOnly { get; init; }
}

/// <summary>One execution, from one side's view.</summary>
public sealed record Fill(Order Order, long Trade, Fixed8 Price, Fixed8 Quantity, Fixed8 Fee, long Time, bool IsMaker)
{
    /// <summary>One pays in what one receives.</summary>
    public int FeeAsset => Order.Side == Side.Buy ? Order.Instrument.Base : Order.Instrument.Quote;

    public Fixed8 QuoteQuantity => Price.Times(Quantity);
}

/// <summary>An order in the venue. Only <see cref="Exchange"/> changes it, and nobody once it has ended.</summary>
public sealed class Order
{
    /// <summary>An array and how much of it is in use, for there are hundreds of thousands of orders and most have one fill.</summary>
    private Fill[] _fills = [];
    private int _fillCount;

    internal Order(long id, Account account, Instrument instrument, Side side)
    {
        Id = id;
        Account = account;
        Instrument = instrument;
        Side = side;
    }

    /// <summary>Below zero for the house's own.</summary>
    public long Id { get; }

    public Account Account { get; }

    public Instrument Instrument { get; }

    public Side Side { get; }

    public OrderType Type { get; internal init; }

    public TimeInForce TimeInForce { get; internal init; }

    public Fixed8 Price { get; internal init; }

    public Fixed8 StopPrice { get; internal init; }

    /// <summary>How far the price must come back from the best that there has been, in ten-thousandths; zero for a stop that stays where it is.</summary>
    public int TrailingDelta { get; internal init; }

    /// <summary>Since when it follows the price; minus one before.</summary>
    public long TrailingTime { get; internal set; } = -1;

    /// <summary>The best price since then: the highest for a sale, the lowest for a purchase.</summary>
    public Fixed8 TrailingPrice { get; internal set; }

    public Fixed8 Quantity { get; internal init; }

    /// <summary>How much of it is shown at a time; zero for all of it.</summary>
    public Fixed8 IcebergQuantity { get; internal init; }

    /// <summary>What of the rest nobody sees.</summary>
    public Fixed8 Hidden { get; internal set; }

    public Fixed8 QuoteQuantity { get; internal init; }

    public string ClientId { get; internal init; } = "";

    /// <summary>What it is one of; null for an order by itself.</summary>
    public OrderList? List { get; internal init; }

    public long Time { get; internal init; }

    public OrderStatus Status { get; internal set; }

    public Fixed8 Executed { get; internal set; }

    public Fixed8 QuoteExecuted { get; internal set; }

    public long UpdateTime { get; internal set; }

    /// <summary>When it came to the market; minus one while it waits for its stop price.</summary>
    public long WorkingTime { get; internal set; } = -1;

    /// <summary>The client id of the request that cancelled it.</summary>
    public string? CancelId { get; internal set; }

    /// <summary>What is set aside for it, in what it pays with.</summary>
    public Fixed8 Locked { get; internal set; }

    public IReadOnlyList<Fill> Fills => new ArraySegment<Fill>(_fills, 0, _fillCount);

    public Fixed8 Remaining => Quantity - Executed;

    public Fixed8 Shown => Remaining - Hidden;

    public bool IsOpen => Status is OrderStatus.New or OrderStatus.PartiallyFilled;

    public bool IsWorking => WorkingTime >= 0;

    public bool HasStop => Type is OrderType.StopLoss or OrderType.StopLossLimit or OrderType.TakeProfit or OrderType.TakeProfitLimit;

    public bool Trails => TrailingDelta > 0;

    /// <summary>Kept from the market though it waits for no price.</summary>
    public bool IsHeld => IsOpen && !IsWorking && !HasStop;

    public bool HasPrice => Type is not (OrderType.Market or OrderType.StopLoss or OrderType.TakeProfit);

    /// <summary>Whether what is left waits in the book.</summary>
    public bool Rests => HasPrice && TimeInForce == TimeInForce.GoodTillCancelled;

    public bool IsHouse => Id < 0;

    /// <summary>The asset it pays with.</summary>
    public int Pays => Side == Side.Buy ? Instrument.Quote : Instrument.Base;

    /// <summary>The asset it brings.</summary>
    public int Receives => Side == Side.Buy ? Instrument.Base : Instrument.Quote;

    /// <summary>Forgotten: no query finds it any more.</summary>
    internal bool IsForgotten { get; set; }

    internal Level? Level { get; set; }

    internal Order? Previous { get; set; }

    /// <summary>Who stands behind it at its price.</summary>
    public Order? Next { get; internal set; }

    /// <summary>Shows another part of what is left.</summary>
    internal void ShowNext() => Hidden = Remaining - Fixed8.Min(IcebergQuantity, Remaining);

    /// <summary>Another record of an order that has ended, as it is without this fill.</summary>
    internal Order Without(Fill undone, long time)
    {
        var order = (Order)MemberwiseClone();
        order._fills = [.. Fills.Where(f => f != undone).Select(f => f with { Order = order })];
        order._fillCount = order._fills.Length;
        order.Executed -= undone.Quantity;
        order.QuoteExecuted -= undone.QuoteQuantity;
        order.UpdateTime = time;
        if (order.Status == OrderStatus.Filled)
            order.Status = OrderStatus.Expired;
        return order;
    }

    internal void Add(Fill fill)
    {
        if (_fillCount == _fills.Length)
            Array.Resize(ref _fills, Math.Max(1, _fillCount * 2));
        _fills[_fillCount++] = fill;
    }
}
