namespace Antbot.PaperVenue;

/// <summary>Pairs of orders of which one cancels the other: as soon as one trades or its stop price comes, the other has ended.</summary>
public sealed partial class Exchange
{
    /// <summary>Both orders are taken, or neither.</summary>
    public OrderListPlaced Place(Account account, in NewOrderList request, long now)
    {
        if (Refuse(account, request, now) is { } rejection)
            return new OrderListPlaced(null, rejection);
        Emit(new OrderListAccepted(now, _nextList, account.Id, request.Other.Instrument.Index, request.ClientId));
        var list = _lists[_nextList - 1];
        Take(account, request.StopLoss, now, isHeld: false, list.Id);
        Take(account, request.Other, now, isHeld: false, list.Id);
        WakeStops(_markets[list.Instrument.Index], now);
        return new OrderListPlaced(list, null);
    }

    public OrderList? FindList(long id) => _lists.GetValueOrDefault(id);

    /// <summary>Those of its orders that are remembered.</summary>
    public IEnumerable<Order> OrdersOf(OrderList list)
    {
        foreach (var listed in list.Orders)
        {
            if (_orders.TryGetValue(listed.Order, out var order))
                yield return order;
        }
    }

    /// <summary>False when none of its orders is open.</summary>
    public bool Cancel(OrderList list, string cancelId, long now) => OrdersOf(list).FirstOrDefault(o => o.IsOpen) is { } open && Cancel(open, cancelId, now);

    private Rejection? Refuse(Account account, in NewOrderList request, long now)
    {
        var (stop, other) = (request.StopLoss, request.Other);
        var instrument = other.Instrument;
        if (account.LatestList(request.ClientId) is { IsOpen: true } || stop.ClientId == other.ClientId)
            return Rejection.NewOrder("Duplicate order sent.");
        if (!StandRightly(stop, other, _markets[instrument.Index].Last))
            return Rejection.NewOrder("The relationship of the prices for the orders is not correct.");
        if (account.OpenLists.Count(l => l.Instrument == instrument) >= Rules.MaxOpenLists)
            return Rejection.Filter("MAX_NUM_ORDER_LISTS");
        // One by one they would each be the last that there is room for.
        if (account.OpenCount(instrument) + 2 > Rules.MaxOpenOrders)
            return Rejection.Filter("MAX_NUM_ORDERS");
        if (other.HasStop && account.WaitingCount(instrument) + 2 > Rules.MaxWaitingOrders)
            return Rejection.Filter("MAX_NUM_ALGO_ORDERS");
        return Refuse(account, ref stop, now) ?? Refuse(account, ref other, now);
    }

    /// <summary>The last price lies between them: a sale's stop-loss below, a purchase's above. One that only follows the price is always where it should be.</summary>
    private static bool StandRightly(in NewOrder stop, in NewOrder other, Fixed8 last)
    {
        var target = other.HasStop ? other.StopPrice : other.Price;
        var (above, below) = other.Side == Side.Sell ? (target, stop.StopPrice) : (stop.StopPrice, target);
        var isAbove = above.IsZero || last.IsZero || above > last;
        var isBelow = below.IsZero || last.IsZero || last > below;
        return isAbove && isBelow && (above.IsZero || below.IsZero || above > below);
    }

    /// <summary>The order that this one cancels and is cancelled by, while that is open.</summary>
    private Order? OpenOther(Order order)
    {
        if (order.List is not { } list)
            return null;
        foreach (var listed in list.Orders)
        {
            if (listed.Order != order.Id && _orders.TryGetValue(listed.Order, out var other) && other.IsOpen)
                return other;
        }
        return null;
    }

    /// <summary>Before an order of a list does anything, the other has ended.</summary>
    private void ExpireOther(Order order, long now)
    {
        if (OpenOther(order) is { } other)
            Emit(new OrderClosed(now, other.Id, OrderStatus.Expired, null));
    }

    private void Apply(OrderListAccepted e)
    {
        var account = _accounts[e.Account];
        var list = new OrderList(e.List, e.ClientId, account, Rules.Instruments[e.Instrument], e.Time);
        _nextList = Math.Max(_nextList, e.List + 1);
        _lists.Add(list.Id, list);
        account.Add(list);
    }

    private void Join(Order order, OrderList list)
    {
        list.Add(new ListedOrder(order.Id, order.ClientId));
        list.OpenOrders++;
        list.Account.Open(list);
        if (list.OpenOrders == 2)
            Outbox.ListReports.Add(new ListReport(list, false, list.Time));
    }

    private void Part(Order order, OrderList list)
    {
        list.UpdateTime = order.UpdateTime;
        if (--list.OpenOrders == 0)
        {
            list.Account.Close(list);
            Outbox.ListReports.Add(new ListReport(list, true, list.UpdateTime));
        }
        else if (OpenOther(order) is { } other && other.Locked.IsZero)
        {
            Lock(other, ToLock(other));
        }
    }

    /// <summary>Only one of a list's orders can ever be paid, so only the dearer has something set aside; when it ends, the other takes over what it needs.</summary>
    private void LockAsListed(Order order)
    {
        var (needs, other) = (ToLock(order), OpenOther(order));
        if (other is not null && other.Locked >= needs)
            return;
        if (other is not null)
            Lock(other, -other.Locked);
        Lock(order, needs);
    }
}
