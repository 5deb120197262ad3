namespace Antbot.PaperVenue;

public struct Balance
{
    public Fixed8 Free { get; internal set; }

    public Fixed8 Locked { get; internal set; }

    public readonly Fixed8 Total => Free + Locked;
}

/// <summary>Who trades. Only <see cref="Exchange"/> changes it.</summary>
public sealed class Account
{
    private readonly Balance[] _balances;
    private readonly int[] _open;
    private readonly int[] _waiting;
    private readonly Dictionary<string, Order> _latest = new(StringComparer.Ordinal);
    private readonly Dictionary<long, Order> _openOrders = [];
    private readonly Dictionary<string, OrderList> _latestList = new(StringComparer.Ordinal);
    private readonly SortedDictionary<long, OrderList> _openLists = [];
    private List<Order> _orders = [];
    private List<OrderList> _lists = [];
    private List<Fill> _fills = [];
    private int _forgottenOrders;
    private int _forgottenLists;
    private int _forgottenFills;

    internal Account(int id, string name, VenueRules rules, long time)
    {
        Id = id;
        Name = name;
        Opened = time;
        _balances = new Balance[rules.Assets.Count];
        _open = new int[rules.Instruments.Count];
        _waiting = new int[rules.Instruments.Count];
    }

    public int Id { get; }

    public string Name { get; }

    public long Opened { get; }

    public long UpdateTime { get; internal set; }

    public ReadOnlySpan<Balance> Balances => _balances;

    /// <summary>The oldest first.</summary>
    public IReadOnlyList<Order> OpenOrders => [.. _openOrders.Values.OrderBy(o => o.Id)];

    public int OpenOrderCount => _openOrders.Count;

    /// <summary>Every order that is remembered, the oldest first.</summary>
    public IEnumerable<Order> Orders => _orders.Where(o => !o.IsForgotten);

    public IEnumerable<Order> OrdersFromLatest => Enumerable.Reverse(_orders).Where(o => !o.IsForgotten);

    public IEnumerable<Fill> FillsFromLatest => Enumerable.Reverse(_fills).Where(f => !f.Order.IsForgotten);

    public IEnumerable<Order> OrdersFrom(long id) => From(_orders, id, o => o.Id).Where(o => !o.IsForgotten);

    public IEnumerable<Fill> FillsFrom(long trade) => From(_fills, trade, f => f.Trade).Where(f => !f.Order.IsForgotten);

    /// <summary>The oldest first.</summary>
    public IReadOnlyCollection<OrderList> OpenLists => _openLists.Values;

    public IEnumerable<OrderList> ListsFromLatest => Enumerable.Reverse(_lists).Where(l => !l.IsForgotten);

    public IEnumerable<OrderList> ListsFrom(long id) => From(_lists, id, l => l.Id).Where(l => !l.IsForgotten);

    public int OpenCount(Instrument instrument) => _open[instrument.Index];

    public int WaitingCount(Instrument instrument) => _waiting[instrument.Index];

    /// <summary>The latest order with this client id; whether it is open or not, no other with this id is.</summary>
    public Order? Latest(string clientId) => _latest.GetValueOrDefault(clientId);

    /// <summary>The latest list with this client id; whether it is open or not, no other with this id is.</summary>
    public OrderList? LatestList(string clientId) => _latestList.GetValueOrDefault(clientId);

    internal ref Balance this[int asset] => ref _balances[asset];

    internal void Add(Order order)
    {
        _orders.Add(order);
        _latest[order.ClientId] = order;
        if (!order.IsOpen)
            return;
        _openOrders.Add(order.Id, order);
        _open[order.Instrument.Index]++;
        if (order.HasStop && !order.IsWorking)
            _waiting[order.Instrument.Index]++;
    }

    internal void Add(OrderList list)
    {
        _lists.Add(list);
        _latestList[list.ClientId] = list;
    }

    internal void Open(OrderList list) => _openLists[list.Id] = list;

    internal void Close(OrderList list) => _openLists.Remove(list.Id);

    internal void Add(Fill fill) => _fills.Add(fill);

    /// <summary>Another record of the same order takes its place, with the fills that it has left.</summary>
    internal void Replace(Order order, Order by)
    {
        _orders[_orders.LastIndexOf(order)] = by;
        if (_latest.GetValueOrDefault(order.ClientId) == order)
            _latest[order.ClientId] = by;
        for (var at = _fills.Count - 1; at >= 0; at--)
        {
            var fill = _fills[at];
            if (fill.Order != order)
                continue;
            if (by.Fills.FirstOrDefault(f => f.Trade == fill.Trade) is { } left)
                _fills[at] = left;
            else
                _fills.RemoveAt(at);
        }
    }

    /// <summary>A snapshot holds the open orders first: here they get their places, and a client id its latest order.</summary>
    internal void Restored()
    {
        _orders.Sort((a, b) => a.Id.CompareTo(b.Id));
        _fills.Sort((a, b) => a.Trade.CompareTo(b.Trade));
        foreach (var order in _orders)
            _latest[order.ClientId] = order;
    }

    internal void Woke(Order order) => _waiting[order.Instrument.Index]--;

    internal void Close(Order order)
    {
        _openOrders.Remove(order.Id);
        _open[order.Instrument.Index]--;
        if (order.HasStop && !order.IsWorking)
            _waiting[order.Instrument.Index]--;
    }

    /// <summary>The lists are swept when half of them is forgotten, so that forgetting costs nothing at the time.</summary>
    internal void Forget(Order order)
    {
        order.IsForgotten = true;
        if (_latest.GetValueOrDefault(order.ClientId) == order)
            _latest.Remove(order.ClientId);
        if (++_forgottenOrders * 2 > _orders.Count)
        {
            _orders = [.. Orders];
            _forgottenOrders = 0;
        }
        _forgottenFills += order.Fills.Count;
        if (_forgottenFills * 2 > _fills.Count)
        {
            _fills = [.. _fills.Where(f => !f.Order.IsForgotten)];
            _forgottenFills = 0;
        }
    }

    internal void Forget(OrderList list)
    {
        list.IsForgotten = true;
        if (_latestList.GetValueOrDefault(list.ClientId) == list)
            _latestList.Remove(list.ClientId);
        if (++_forgottenLists * 2 > _lists.Count)
        {
            _lists = [.. _lists.Where(l => !l.IsForgotten)];
            _forgottenLists = 0;
        }
    }

    private static IEnumerable<T> From<T>(List<T> list, long id, Func<T, long> key)
    {
        var (low, high) = (0, list.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (key(list[middle]) < id)
                low = middle + 1;
            else
                high = middle;
        }
        for (var i = low; i < list.Count; i++)
            yield return list[i];
    }
}
