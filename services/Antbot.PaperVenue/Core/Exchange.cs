namespace Antbot.PaperVenue;

/// <summary>
/// The whole venue as a value: accounts, books, orders, fills. An operation checks, then states what happens as events; state changes
/// through <see cref="Apply(VenueEvent)"/> alone, so that a journal of the events rebuilds it exactly. It knows no clock: the time is an argument.
/// One caller at a time.
/// </summary>
public sealed partial class Exchange
{
    private const int TradeNumbersAtOnce = 1_000_000;
    private const int HouseId = 0;

    private readonly Market[] _markets;
    private readonly Dictionary<int, Account> _accounts = [];
    private readonly Dictionary<long, Order> _orders = [];
    private readonly Dictionary<long, OrderList> _lists = [];
    private Queue<Order> _closed = new();
    private long _nextOrder = 1;
    private long _nextList = 1;
    private long _nextTrade = 1;
    private long _tradesReservedBelow = 1;
    private long _nextHouseOrder = -1;

    public Exchange(VenueRules rules)
    {
        Rules = rules;
        _markets = [.. rules.Instruments.Select(i => new Market(i))];
        House = new Account(HouseId, "house", rules, 0);
        _accounts.Add(HouseId, House);
    }

    public VenueRules Rules { get; }

    /// <summary>The other side of every trade that is not between clients: it issues what it sells, and so may stand below zero. Fees are its too.</summary>
    public Account House { get; }

    public Outbox Outbox { get; } = new();

    /// <summary>What the house's market goes by.</summary>
    public MarketProgram Program { get; private set; } = MarketProgram.Usual;

    /// <summary>Orders that are kept from the market.</summary>
    public IReadOnlyList<Order> Held => [.. Accounts.SelectMany(a => a.OpenOrders).Where(o => o.IsHeld)];

    public IEnumerable<Account> Accounts => _accounts.Values.Where(a => a.Id != HouseId);

    /// <summary>How many closed orders were forgotten to stay within the limit.</summary>
    public long Forgotten { get; private set; }

    public long OrderCount => _nextOrder - 1;

    public Market this[Instrument instrument] => _markets[instrument.Index];

    public Account? FindAccount(int id) => _accounts.GetValueOrDefault(id);

    public Account? FindAccount(string name) => Accounts.FirstOrDefault(a => a.Name == name);

    public Order? FindOrder(long id) => _orders.GetValueOrDefault(id);

    /// <summary>Orders that are remembered, by id from <paramref name="from"/> on.</summary>
    public IEnumerable<Order> OrdersFrom(long from)
    {
        for (var id = from; id < _nextOrder; id++)
        {
            if (_orders.TryGetValue(id, out var order))
                yield return order;
        }
    }

    public Account OpenAccount(string name, long now)
    {
        Emit(new AccountOpened(now, _accounts.Count, name));
        return _accounts[_accounts.Count - 1];
    }

    /// <summary>Adds to what is free, or takes from it; what is not there cannot be taken.</summary>
    public bool Deposit(Account account, int asset, Fixed8 amount, long now)
    {
        var free = (Int128)account[asset].Free.Units + amount.Units;
        // A tenth of what the number can hold, so that no sum of accounts can overflow.
        if (free < 0 || free > long.MaxValue / 10)
            return false;
        Emit(new Deposited(now, account.Id, asset, amount));
        return true;
    }

    /// <param name="isHeld">It is kept from the market until it is let go. One that waits for a stop price waits anyhow.</param>
    public Placed Place(Account account, in NewOrder request, long now, bool isHeld = false)
    {
        var order = request;
        if (Refuse(account, ref order, now) is { } rejection)
            return new Placed(null, rejection);
        var placed = Take(account, order, now, isHeld && !order.HasStop);
        if (placed.IsWorking)
            Execute(placed, now);
        WakeStops(_markets[order.Instrument.Index], now);
        return new Placed(placed, null);
    }

    /// <summary>What <see cref="Place(Account, in NewOrder, long, bool)"/> would refuse it with, without placing it.</summary>
    public Rejection? Check(Account account, in NewOrder request, long now)
    {
        var order = request;
        return Refuse(account, ref order, now);
    }

    /// <summary>False when the order is not open. With it goes the other of its list.</summary>
    public bool Cancel(Order order, string cancelId, long now)
    {
        if (!order.IsOpen)
            return false;
        if (OpenOther(order) is { } other)
            Emit(new OrderClosed(now, other.Id, OrderStatus.Cancelled, cancelId));
        Emit(new OrderClosed(now, order.Id, OrderStatus.Cancelled, cancelId));
        return true;
    }

    /// <summary>Lets an order go to the market that was held back; false when it is not held any more.</summary>
    public bool Release(Order order, long now)
    {
        if (!order.IsHeld)
            return false;
        Emit(new OrderTriggered(now, order.Id));
        Execute(order, now);
        WakeStops(_markets[order.Instrument.Index], now);
        return true;
    }

    /// <summary>The market goes by this program from now on.</summary>
    public void Choose(Scenario scenario, long length, string file, long now) => Emit(new ScenarioChosen(now, scenario, length, file));

    /// <summary>Holds the price of an instrument (zero lets it go), or shifts its path by this many parts of <see cref="Fixed8.One"/>.</summary>
    public void Direct(Instrument instrument, Fixed8 heldAt, Fixed8 shift, long now) => Emit(new MarketDirected(now, instrument.Index, heldAt, shift));

    /// <summary>The state follows the event. What leaves the venue is noted in the outbox.</summary>
    public void Apply(VenueEvent e)
    {
        switch (e)
        {
            case AccountOpened a:
                _accounts.Add(a.Account, new Account(a.Account, a.Name, Rules, a.Time));
                break;
            case Deposited d:
                var account = _accounts[d.Account];
                account[d.Asset].Free += d.Amount;
                account.UpdateTime = d.Time;
                Outbox.Touch(account, d.Asset);
                Outbox.Credits.Add(new Credit(account, d.Asset, d.Amount, d.Time));
                break;
            case OrderAccepted a:
                Apply(a);
                break;
            case OrderListAccepted l:
                Apply(l);
                break;
            case PriceTrailed p:
                _markets[p.Instrument].Trails.Move(p.Price, p.Time);
                break;
            case OrderTriggered t:
                Apply(t, _orders[t.Order]);
                break;
            case Traded t:
                Apply(t, t.TakerOrder < 0 ? null : _orders[t.TakerOrder], t.MakerOrder < 0 ? null : _orders[t.MakerOrder]);
                break;
            case OrderClosed c:
                Apply(c, _orders[c.Order]);
                break;
            case TradeBusted b:
                Apply(b, _orders[b.Order]);
                break;
            case ScenarioChosen s:
                Program = new MarketProgram(s.Scenario, s.Time, s.Length, s.File);
                break;
            case TradeNumbersReserved r:
                _tradesReservedBelow = Math.Max(_tradesReservedBelow, r.Below);
                break;
            case MarketDirected m:
                _markets[m.Instrument].HeldAt = m.HeldAt;
                _markets[m.Instrument].Shift = m.Shift;
                break;
            default:
                throw new ArgumentException($"There is no event {e.GetType().Name}.", nameof(e));
        }
    }

    /// <summary>After the last event of a journal: trades that were in no journal have numbers up to the reserved one.</summary>
    public void Recovered()
    {
        _nextTrade = Math.Max(_nextTrade, _tradesReservedBelow);
        Outbox.Clear();
    }

    private Order Take(Account account, in NewOrder order, long now, bool isHeld, long list = 0)
    {
        Emit(new OrderAccepted(
            now, _nextOrder, account.Id, order.Instrument.Index, order.Side, order.Type, order.TimeInForce,
            order.Price, order.StopPrice, order.Quantity, order.QuoteQuantity, order.ClientId)
        { IsHeld = isHeld, List = list, TrailingDelta = order.TrailingDelta, IcebergQuantity = order.IcebergQuantity });
        var market = _markets[order.Instrument.Index];
        if (order.TrailingDelta > 0 && market.Last.IsPositive)
            Trail(market, market.Last, now);
        return _orders[_nextOrder - 1];
    }

    private void Emit(VenueEvent e)
    {
        Outbox.Journal.Add(e);
        Apply(e);
    }

    private void Apply(OrderAccepted e)
    {
        var order = new Order(e.Order, _accounts[e.Account], Rules.Instruments[e.Instrument], e.Side)
        {
            Type = e.Type,
            TimeInForce = e.TimeInForce,
            Price = e.Price,
            StopPrice = e.StopPrice,
            TrailingDelta = e.TrailingDelta,
            Quantity = e.Quantity,
            IcebergQuantity = e.IcebergQuantity,
            QuoteQuantity = e.QuoteQuantity,
            ClientId = e.ClientId,
            List = e.List == 0 ? null : _lists[e.List],
            Time = e.Time,
            UpdateTime = e.Time,
        };
        if (order.IcebergQuantity.IsPositive)
            order.ShowNext();
        if (!order.HasStop && !e.IsHeld)
            order.WorkingTime = e.Time;
        _nextOrder = Math.Max(_nextOrder, e.Order + 1);
        _orders.Add(order.Id, order);
        order.Account.Add(order);
        if (order.List is null)
            Lock(order, ToLock(order));
        else
            LockAsListed(order);
        var market = _markets[e.Instrument];
        if (order.HasStop)
            market.Wait(order);
        else if (order.Rests && order.IsWorking)
            market.Of(order.Side).Add(order);
        Report(ExecutionKind.New, order, e.Time, null);
        if (order.List is { } list)
            Join(order, list);
    }

    private void Apply(OrderTriggered e, Order order)
    {
        var market = _markets[order.Instrument.Index];
        if (order.HasStop)
        {
            market.Woke(order);
            order.Account.Woke(order);
        }
        order.WorkingTime = order.UpdateTime = e.Time;
        if (order.Rests)
            market.Of(order.Side).Add(order);
        Report(ExecutionKind.New, order, e.Time, null);
    }

    /// <param name="taker">Null for the house's where only the journal is left.</param>
    private void Apply(Traded e, Order? taker, Order? maker)
    {
        _nextTrade = Math.Max(_nextTrade, e.Trade + 1);
        var market = _markets[e.Instrument];
        market.Last = e.Price;
        var quote = e.Price.Times(e.Quantity);
        var makerSide = e.TakerSide == Side.Buy ? Side.Sell : Side.Buy;
        Settle(market, maker, makerSide, quote, e.MakerFee, e, isMaker: true);
        Settle(market, taker, e.TakerSide, quote, e.TakerFee, e, isMaker: false);
        Outbox.Prints.Add(new Print(market.Instrument, e.Trade, e.Price, e.Quantity, e.Time, e.TakerSide));
    }

    private void Apply(OrderClosed e, Order order)
    {
        order.CancelId = e.CancelId;
        Close(order, e.Status, e.Time);
        Report(e.Status == OrderStatus.Cancelled ? ExecutionKind.Cancelled : ExecutionKind.Expired, order, e.Time, null);
    }

    private void Settle(Market market, Order? order, Side side, Fixed8 quote, Fixed8 fee, Traded e, bool isMaker)
    {
        var (pays, receives) = side == Side.Buy ? (market.Instrument.Quote, market.Instrument.Base) : (market.Instrument.Base, market.Instrument.Quote);
        var (paid, received) = side == Side.Buy ? (quote, e.Quantity) : (e.Quantity, quote);
        var account = order?.Account ?? House;
        if (order is null || order.Locked.IsZero)
        {
            account[pays].Free -= paid;
        }
        else
        {
            var released = side == Side.Buy ? order.Price.Times(e.Quantity) : e.Quantity;
            order.Locked -= released;
            account[pays].Locked -= released;
            account[pays].Free += released - paid;
        }
        account[receives].Free += received - fee;
        House[receives].Free += fee;
        if (order is null)
            return;

        var shown = order.Shown;
        order.Executed += e.Quantity;
        order.QuoteExecuted += quote;
        // What takes goes on with all of it; what is taken from stands with a part at a time.
        var showsNext = order.IcebergQuantity.IsPositive && (!isMaker || order.Shown.IsZero);
        if (showsNext)
            order.ShowNext();
        if (order.Level is { } level)
        {
            market.Of(side).Reduce(level, e.Quantity, shown - order.Shown);
            if (showsNext)
                level.Requeue(order);
        }
        if (order.IsHouse)
        {
            if (order.Remaining.IsZero && order.Level is not null)
                market.Of(side).Remove(order);
            return;
        }
        order.UpdateTime = account.UpdateTime = e.Time;
        order.Status = OrderStatus.PartiallyFilled;
        var fill = new Fill(order, e.Trade, e.Price, e.Quantity, fee, e.Time, isMaker);
        order.Add(fill);
        account.Add(fill);
        Outbox.Touch(account, pays);
        Outbox.Touch(account, receives);
        if (order.Remaining.IsZero)
            Close(order, OrderStatus.Filled, e.Time);
        Report(ExecutionKind.Trade, order, e.Time, fill);
    }

    private void Close(Order order, OrderStatus status, long time)
    {
        var market = _markets[order.Instrument.Index];
        order.Account.Close(order);
        if (order.Level is not null)
            market.Of(order.Side).Remove(order);
        else if (order.HasStop && !order.IsWorking)
            market.Woke(order);
        order.Status = status;
        order.UpdateTime = time;
        Lock(order, -order.Locked);
        if (order.List is { } list)
            Part(order, list);
        _closed.Enqueue(order);
        if (_closed.Count > Rules.MaxClosedOrders)
            Forget(_closed.Dequeue());
    }

    private void Forget(Order order)
    {
        _orders.Remove(order.Id);
        order.Account.Forget(order);
        Forgotten++;
        if (order.List is { } list && list.Orders.All(o => !_orders.ContainsKey(o.Order)))
        {
            _lists.Remove(list.Id);
            order.Account.Forget(list);
        }
    }

    private void Lock(Order order, Fixed8 amount)
    {
        if (amount.IsZero)
            return;
        ref var balance = ref order.Account[order.Pays];
        balance.Free -= amount;
        balance.Locked += amount;
        order.Locked += amount;
        order.Account.UpdateTime = order.UpdateTime;
        Outbox.Touch(order.Account, order.Pays);
    }

    /// <summary>A market order is paid at once; what a waiting market purchase will cost is not known before it comes to the market.</summary>
    private static Fixed8 ToLock(Order order) => order switch
    {
        { HasPrice: true, Side: Side.Buy } => order.Price.Times(order.Quantity),
        { Type: not OrderType.Market, Side: Side.Sell } => order.Quantity,
        _ => Fixed8.Zero,
    };

    private void Report(ExecutionKind kind, Order order, long time, Fill? fill) => Outbox.Reports.Add(
        new ExecutionReport(kind, order, order.Status, order.Executed, order.QuoteExecuted, order.IsWorking, order.Level is not null, time, fill));
}
