namespace Antbot.PaperVenue;

public sealed partial class Exchange
{
    /// <summary>Everything an order can be refused for. Where it is given in quote, its quantity is found here.</summary>
    private Rejection? Refuse(Account account, ref NewOrder order, long now)
    {
        var market = _markets[order.Instrument.Index];
        if (order.ReduceOnly)
        {
            var most = account[order.Instrument.Base].Free.FloorTo(order.Instrument.Lot);
            if (order.Side == Side.Buy || order.QuoteQuantity.IsPositive || !most.IsPositive)
                return Rejection.NewOrder("ReduceOnly Order is rejected.");
            order = order with { Quantity = Fixed8.Min(order.Quantity, most) };
        }
        if (order.QuoteQuantity.IsPositive)
        {
            if (order.QuoteQuantity < order.Instrument.MinNotional || order.QuoteQuantity > order.Instrument.MaxNotional)
                return Rejection.Filter("NOTIONAL");
            if (market.Opposite(order.Side).Best is null)
                return new Rejection(-1112, "No orders on book for symbol.");
            order = order with { Quantity = QuantityFor(market, order.Side, order.QuoteQuantity) };
        }
        if (BreaksFilter(account, market, order) is { } rejection)
            return rejection;
        if (account.Latest(order.ClientId) is { IsOpen: true })
            return Rejection.NewOrder("Duplicate order sent.");
        if (order.Type == OrderType.LimitMaker && market.Opposite(order.Side).Best is { } best && market.Opposite(order.Side).Crosses(best, order.Price))
            return Rejection.NewOrder("Order would immediately match and take.");
        if (order.StopPrice.IsPositive && market.Last.IsPositive && WouldWake(order, market.Last))
            return Rejection.NewOrder("Stop price would trigger immediately.");
        return CanPay(account, market, order) ? null : Rejection.NewOrder("Account has insufficient balance for requested action.");
    }

    private Rejection? BreaksFilter(Account account, Market market, in NewOrder order)
    {
        var instrument = order.Instrument;
        foreach (var price in (ReadOnlySpan<Fixed8>)[order.Price, order.StopPrice])
        {
            if (!price.IsZero && (price < instrument.Tick || price > instrument.MaxPrice || !price.IsMultipleOf(instrument.Tick)))
                return Rejection.Filter("PRICE_FILTER");
        }
        if (order.Price.IsPositive && market.Last.IsPositive && IsFarOff(order.Price, market.Last))
            return Rejection.Filter("PERCENT_PRICE_BY_SIDE");
        if (BreaksLotSize(instrument, order.Quantity))
            return Rejection.Filter("LOT_SIZE");
        if (order.Price.IsZero && order.Quantity > instrument.MaxMarketQuantity)
            return Rejection.Filter("MARKET_LOT_SIZE");
        var price0 = order.Price.IsPositive ? order.Price : order.StopPrice.IsPositive ? order.StopPrice : market.Last;
        if (!price0.CanMultiply(order.Quantity))
            return Rejection.Filter("NOTIONAL");
        var notional = price0.Times(order.Quantity);
        if (order.QuoteQuantity.IsZero && (notional < instrument.MinNotional || notional > instrument.MaxNotional))
            return Rejection.Filter("NOTIONAL");
        if (order.IcebergQuantity.IsPositive && BreaksIcebergRule(order) is { } iceberg)
            return iceberg;
        if (order.TrailingDelta != 0 && (order.TrailingDelta < Rules.MinTrailingDelta || order.TrailingDelta > Rules.MaxTrailingDelta))
            return Rejection.Filter("TRAILING_DELTA");
        if (account.OpenCount(instrument) >= Rules.MaxOpenOrders)
            return Rejection.Filter("MAX_NUM_ORDERS");
        return order.HasStop && account.WaitingCount(instrument) >= Rules.MaxWaitingOrders ? Rejection.Filter("MAX_NUM_ALGO_ORDERS") : null;
    }

    private Rejection? BreaksIcebergRule(in NewOrder order)
    {
        var part = order.IcebergQuantity;
        if (BreaksLotSize(order.Instrument, part))
            return Rejection.Filter("LOT_SIZE");
        if (part > order.Quantity)
            return Rejection.NewOrder("IcebergQty exceeds QTY.");
        return order.Quantity.Units > (Int128)part.Units * Rules.MaxIcebergParts ? Rejection.Filter("ICEBERG_PARTS") : null;
    }

    private static bool BreaksLotSize(Instrument instrument, Fixed8 quantity) => quantity < instrument.Lot || quantity > instrument.MaxQuantity || !quantity.IsMultipleOf(instrument.Lot);

    private bool IsFarOff(Fixed8 price, Fixed8 last) =>
        price.Units > (Int128)last.Units * Rules.MaxPriceRatio || (Int128)price.Units * Rules.MaxPriceRatio < last.Units;

    private static bool WouldWake(in NewOrder order, Fixed8 last) =>
        StopBook.WaitsForRise(order.Type, order.Side) ? last >= order.StopPrice : last <= order.StopPrice;

    private static bool CanPay(Account account, Market market, in NewOrder order)
    {
        if (order.Side == Side.Sell)
            return account[order.Instrument.Base].Free >= order.Quantity;
        var free = account[order.Instrument.Quote].Free;
        if (order.Price.IsPositive)
            return free >= order.Price.Times(order.Quantity);
        return free >= (order.Type == OrderType.Market ? CostOf(market, order.Quantity) : (order.StopPrice.IsPositive ? order.StopPrice : market.Last).Times(order.Quantity));
    }

    /// <summary>What buying so much at once would cost, as far as the book goes.</summary>
    private static Fixed8 CostOf(Market market, Fixed8 quantity)
    {
        var (cost, left) = (Fixed8.Zero, quantity);
        foreach (var level in market.Asks.Levels)
        {
            var here = Fixed8.Min(left, level.Total);
            cost += level.Price.Times(here);
            left -= here;
            if (left.IsZero)
                break;
        }
        return cost;
    }

    /// <summary>How much can be had for, or must be sold for, an amount of quote; whole lots, as far as the book goes.</summary>
    private static Fixed8 QuantityFor(Market market, Side side, Fixed8 quote)
    {
        var (quantity, left) = (Fixed8.Zero, quote);
        foreach (var level in market.Opposite(side).Levels)
        {
            var whole = level.Price.Times(level.Total);
            if (whole > left)
                return quantity + left.DividedBy(level.Price).FloorTo(market.Instrument.Lot);
            quantity += level.Total;
            left -= whole;
        }
        return quantity;
    }

    /// <summary>An order that has come to the market takes what it may; what it must not leave behind ends.</summary>
    private void Execute(Order order, long now)
    {
        var market = _markets[order.Instrument.Index];
        if (order.TimeInForce != TimeInForce.FillOrKill || CanFill(market, order))
            Match(market, order, now);
        if (order.IsOpen && !order.Rests && !order.IsHouse)
            Emit(new OrderClosed(now, order.Id, OrderStatus.Expired, null));
    }

    private static bool CanFill(Market market, Order order)
    {
        var opposite = market.Opposite(order.Side);
        var left = order.Remaining;
        foreach (var level in opposite.Levels)
        {
            if (left <= Fixed8.Zero || !opposite.Crosses(level, order.Price))
                break;
            left -= level.Total;
        }
        return left <= Fixed8.Zero;
    }

    /// <summary>The best price first, and at one price who came first.</summary>
    private void Match(Market market, Order taker, long now)
    {
        var opposite = market.Opposite(taker.Side);
        while (taker.Remaining.IsPositive && opposite.Best is { } level && (!taker.HasPrice || opposite.Crosses(level, taker.Price)))
        {
            var maker = level.First!;
            var quantity = Fixed8.Min(taker.Remaining, maker.Shown);
            if (taker is { Side: Side.Buy, IsHouse: false, Locked.IsZero: true })
            {
                // Nothing was set aside for it: it buys what its owner can pay by now.
                quantity = Fixed8.Min(quantity, taker.Account[taker.Pays].Free.DividedBy(level.Price).FloorTo(market.Instrument.Lot));
                if (quantity.IsZero)
                    return;
            }
            Trade(market, taker, maker, level.Price, quantity, now);
        }
    }

    private void Trade(Market market, Order taker, Order maker, Fixed8 price, Fixed8 quantity, long now)
    {
        ExpireOther(maker, now);
        if (_nextTrade >= _tradesReservedBelow)
            Emit(new TradeNumbersReserved(_nextTrade + TradeNumbersAtOnce));
        var quote = price.Times(quantity);
        var (takerGets, makerGets) = taker.Side == Side.Buy ? (quantity, quote) : (quote, quantity);
        var e = new Traded(
            now, _nextTrade, market.Instrument.Index, price, quantity, taker.Side, taker.Id, maker.Id,
            taker.IsHouse ? Fixed8.Zero : takerGets.Times(Rules.TakerFee), maker.IsHouse ? Fixed8.Zero : makerGets.Times(Rules.MakerFee));
        if (!taker.IsHouse || !maker.IsHouse)
            Outbox.Journal.Add(e);
        Apply(e, taker, maker);
        Trail(market, price, now);
    }

    private void Trail(Market market, Fixed8 price, long now)
    {
        if (market.Trails.IsMovedBy(price))
            Emit(new PriceTrailed(now, market.Instrument.Index, price));
    }

    /// <summary>Each order wakes once, so this ends however the prices chase one another.</summary>
    private void WakeStops(Market market, long now)
    {
        while (market.Last.IsPositive && (market.Stops.Awoken(market.Last) ?? market.Trails.Awoken(market.Last)) is { } id)
        {
            var order = _orders[id];
            ExpireOther(order, now);
            Emit(new OrderTriggered(now, id));
            Execute(order, now);
        }
    }
}
