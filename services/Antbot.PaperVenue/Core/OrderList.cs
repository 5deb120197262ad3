namespace Antbot.PaperVenue;

/// <summary>Two orders of which one cancels the other, as a client asks for them; of one instrument, side and quantity.</summary>
/// <param name="StopLoss">What stands before the other in every answer, as it does at Binance.</param>
/// <param name="Other">A sale above, a purchase below: a limit that makes the market, or a take-profit.</param>
public readonly record struct NewOrderList(string ClientId, NewOrder StopLoss, NewOrder Other);

public readonly record struct OrderListPlaced(OrderList? List, Rejection? Rejection);

/// <summary>An order of a list by its names, which last longer than it does.</summary>
public readonly record struct ListedOrder(long Order, string ClientId);

/// <summary>Two orders of which one cancels the other. Only <see cref="Exchange"/> changes it.</summary>
public sealed class OrderList
{
    private readonly List<ListedOrder> _orders = new(2);

    internal OrderList(long id, string clientId, Account account, Instrument instrument, long time)
    {
        (Id, ClientId, Account, Instrument, Time) = (id, clientId, account, instrument, time);
        UpdateTime = time;
    }

    public long Id { get; }

    public string ClientId { get; }

    public Account Account { get; }

    public Instrument Instrument { get; }

    public long Time { get; }

    public long UpdateTime { get; internal set; }

    public IReadOnlyList<ListedOrder> Orders => _orders;

    public bool IsOpen => OpenOrders > 0;

    internal int OpenOrders { get; set; }

    internal bool IsForgotten { get; set; }

    internal void Add(ListedOrder order) => _orders.Add(order);
}
