namespace Antbot.PaperVenue;

/// <summary>The orders at one price, the first come first.</summary>
public sealed class Level
{
    internal Level(Fixed8 price) => Price = price;

    public Fixed8 Price { get; }

    /// <summary>All that can be traded here.</summary>
    public Fixed8 Total { get; private set; }

    /// <summary>What of it everybody sees.</summary>
    public Fixed8 Shown { get; private set; }

    public Order? First { get; private set; }

    internal Order? Last { get; private set; }

    internal void Append(Order order)
    {
        order.Level = this;
        order.Previous = Last;
        if (Last is null)
            First = order;
        else
            Last.Next = order;
        Last = order;
        Total += order.Remaining;
        Shown += order.Shown;
    }

    internal void Reduce(Fixed8 by, Fixed8 shown)
    {
        Total -= by;
        Shown -= shown;
    }

    /// <summary>Who shows another part stands behind everybody again.</summary>
    internal void Requeue(Order order)
    {
        Unlink(order);
        Append(order);
    }

    internal void Unlink(Order order)
    {
        if (order.Previous is null)
            First = order.Next;
        else
            order.Previous.Next = order.Next;
        if (order.Next is null)
            Last = order.Previous;
        else
            order.Next.Previous = order.Previous;
        order.Level = null;
        order.Previous = order.Next = null;
        Total -= order.Remaining;
        Shown -= order.Shown;
    }
}

/// <summary>
/// One side of a book. Levels stand in an array with the best one last: what comes and goes near the best price, which is nearly
/// everything, moves next to nothing.
/// </summary>
public sealed class BookSide(Side side)
{
    private long[] _keys = new long[64];
    private Level[] _levels = new Level[64];

    public int Count { get; private set; }

    /// <summary>Prices at which something has changed since whoever watches emptied it; null while nobody does.</summary>
    public ISet<long>? Changed { get; set; }

    public Level? Best => Count == 0 ? null : _levels[Count - 1];

    /// <summary>The levels from the best one on.</summary>
    public IEnumerable<Level> Levels
    {
        get
        {
            for (var i = Count - 1; i >= 0; i--)
                yield return _levels[i];
        }
    }

    /// <summary>Whether an order of the other side at <paramref name="price"/> would trade with <paramref name="level"/>.</summary>
    public bool Crosses(Level level, Fixed8 price) => side == Side.Buy ? level.Price >= price : level.Price <= price;

    internal void Add(Order order)
    {
        var key = Key(order.Price);
        var at = Array.BinarySearch(_keys, 0, Count, key);
        if (at < 0)
        {
            at = ~at;
            if (Count == _keys.Length)
            {
                Array.Resize(ref _keys, Count * 2);
                Array.Resize(ref _levels, Count * 2);
            }
            Array.Copy(_keys, at, _keys, at + 1, Count - at);
            Array.Copy(_levels, at, _levels, at + 1, Count - at);
            _keys[at] = key;
            _levels[at] = new Level(order.Price);
            Count++;
        }
        _levels[at].Append(order);
        Changed?.Add(order.Price.Units);
    }

    /// <summary>What is seen at a price, which may be nothing.</summary>
    public Fixed8 ShownAt(Fixed8 price)
    {
        var at = Array.BinarySearch(_keys, 0, Count, Key(price));
        return at < 0 ? Fixed8.Zero : _levels[at].Shown;
    }

    internal void Reduce(Level level, Fixed8 by, Fixed8 shown)
    {
        level.Reduce(by, shown);
        Changed?.Add(level.Price.Units);
    }

    internal void Remove(Order order)
    {
        var level = order.Level!;
        level.Unlink(order);
        Changed?.Add(level.Price.Units);
        if (level.First is not null)
            return;
        var at = Array.BinarySearch(_keys, 0, Count, Key(level.Price));
        Count--;
        Array.Copy(_keys, at + 1, _keys, at, Count - at);
        Array.Copy(_levels, at + 1, _levels, at, Count - at);
        _levels[Count] = null!;
    }

    private long Key(Fixed8 price) => side == Side.Buy ? price.Units : -price.Units;
}

/// <summary>Orders that wait for a price: those that a rise wakes and those that a fall wakes.</summary>
internal sealed class StopBook
{
    private readonly SortedSet<(long Price, long Id)> _onRise = [];
    private readonly SortedSet<(long Price, long Id)> _onFall = [];

    /// <summary>A stop sells on a fall and buys on a rise; a take-profit the other way round.</summary>
    public static bool WaitsForRise(OrderType type, Side side) => (type is OrderType.StopLoss or OrderType.StopLossLimit) == (side == Side.Buy);

    public void Add(Order order) => Of(order).Add((order.StopPrice.Units, order.Id));

    public void Remove(Order order) => Of(order).Remove((order.StopPrice.Units, order.Id));

    /// <summary>The next order that the last price wakes: the one whose price was reached first, then the oldest.</summary>
    public long? Awoken(Fixed8 last)
    {
        if (_onRise.Count > 0 && _onRise.Min.Price <= last.Units)
            return _onRise.Min.Id;
        if (_onFall.Count > 0 && _onFall.Max.Price >= last.Units)
        {
            var price = _onFall.Max.Price;
            return _onFall.GetViewBetween((price, long.MinValue), (price, long.MaxValue)).Min.Id;
        }
        return null;
    }

    private SortedSet<(long Price, long Id)> Of(Order order) => WaitsForRise(order.Type, order.Side) ? _onRise : _onFall;
}

/// <summary>Orders whose stop follows the price: a sale waits until it has fallen by so much from the highest, a purchase until it has risen from the lowest.</summary>
internal sealed class TrailBook
{
    private const int TenThousand = 10_000;

    private readonly List<Order> _orders = [];

    public void Add(Order order) => _orders.Add(order);

    public void Remove(Order order) => _orders.Remove(order);

    /// <summary>Whether a trade at this price lets one of them begin to follow it, or is better for one than any before.</summary>
    public bool IsMovedBy(Fixed8 price)
    {
        foreach (var order in _orders)
        {
            if (IsMoved(order, price))
                return true;
        }
        return false;
    }

    public void Move(Fixed8 price, long time)
    {
        foreach (var order in _orders)
        {
            if (!IsMoved(order, price))
                continue;
            order.TrailingPrice = price;
            if (order.TrailingTime < 0)
                order.TrailingTime = time;
        }
    }

    /// <summary>The oldest order that the last price wakes.</summary>
    public long? Awoken(Fixed8 last)
    {
        long? oldest = null;
        foreach (var order in _orders)
        {
            if (order.TrailingTime >= 0 && HasComeBack(order, last) && (oldest is null || order.Id < oldest))
                oldest = order.Id;
        }
        return oldest;
    }

    /// <summary>Where it has a stop price, it follows from that price on, else at once.</summary>
    private static bool IsMoved(Order order, Fixed8 price)
    {
        if (order.TrailingTime >= 0)
            return order.Side == Side.Sell ? price > order.TrailingPrice : price < order.TrailingPrice;
        return order.StopPrice.IsZero || (StopBook.WaitsForRise(order.Type, order.Side) ? price >= order.StopPrice : price <= order.StopPrice);
    }

    private static bool HasComeBack(Order order, Fixed8 last)
    {
        var (now, best) = ((Int128)last.Units * TenThousand, (Int128)order.TrailingPrice.Units);
        return order.Side == Side.Sell ? now <= best * (TenThousand - order.TrailingDelta) : now >= best * (TenThousand + order.TrailingDelta);
    }
}
