namespace Antbot.PaperVenue;

public readonly record struct Quote(Fixed8 Price, Fixed8 Quantity);

/// <summary>The house makes the market: it quotes on both sides and lets a little flow pass through the book.</summary>
public sealed partial class Exchange
{
    /// <summary>
    /// Replaces the house's quotes. Clients' orders that the new prices have passed are filled first, at their own prices:
    /// purchases at <paramref name="buysFrom"/> and above, sales at <paramref name="sellsTo"/> and below.
    /// </summary>
    public void Requote(Instrument instrument, ReadOnlySpan<Quote> bids, ReadOnlySpan<Quote> asks, Fixed8 buysFrom, Fixed8 sellsTo, long now)
    {
        var market = _markets[instrument.Index];
        foreach (var order in market.HouseOrders)
            Withdraw(market, order);
        market.HouseOrders.Clear();
        Sweep(market, Side.Sell, buysFrom, now);
        Sweep(market, Side.Buy, sellsTo, now);
        Quote(market, Side.Buy, bids, now);
        Quote(market, Side.Sell, asks, now);
        WakeStops(market, now);
    }

    /// <summary>A market order of nobody's: it trades with whoever stands first, house or client.</summary>
    public void Flow(Instrument instrument, Side side, Fixed8 quantity, long now)
    {
        var market = _markets[instrument.Index];
        Match(market, HouseOrder(instrument, side, OrderType.Market, Fixed8.Zero, quantity, now), now);
        WakeStops(market, now);
    }

    /// <summary>A trade of the house with itself at a price between the quotes, so that the last price is just that.</summary>
    public void Show(Instrument instrument, Fixed8 price, Fixed8 quantity, long now)
    {
        var market = _markets[instrument.Index];
        Trade(
            market,
            HouseOrder(instrument, Side.Buy, OrderType.Limit, price, quantity, now),
            HouseOrder(instrument, Side.Sell, OrderType.Limit, price, quantity, now), price, quantity, now);
        WakeStops(market, now);
    }

    /// <summary>Takes the house's quotes on one side away but for so much from the best price on, until the next quotes.</summary>
    public void Thin(Instrument instrument, Side side, Fixed8 keep)
    {
        var market = _markets[instrument.Index];
        var left = keep;
        foreach (var order in market.HouseOrders.Where(o => o.Side == side && o.Level is not null).OrderBy(o => side == Side.Sell ? o.Price.Units : -o.Price.Units).ToList())
        {
            if (order.Remaining <= left)
            {
                left -= order.Remaining;
                continue;
            }
            Withdraw(market, order);
            if (left.IsPositive)
                Quote(market, side, [new Quote(order.Price, left)], order.Time);
            left = Fixed8.Zero;
        }
    }

    private void Quote(Market market, Side side, ReadOnlySpan<Quote> quotes, long now)
    {
        var opposite = market.Opposite(side);
        foreach (var quote in quotes)
        {
            // A client may have come to stand in the way: the house never crosses it.
            if (opposite.Best is { } best && opposite.Crosses(best, quote.Price))
                continue;
            var order = HouseOrder(market.Instrument, side, OrderType.Limit, quote.Price, quote.Quantity, now);
            market.Of(side).Add(order);
            market.HouseOrders.Add(order);
        }
    }

    private void Sweep(Market market, Side takerSide, Fixed8 price, long now)
    {
        var quantity = Fixed8.Zero;
        var opposite = market.Opposite(takerSide);
        foreach (var level in opposite.Levels)
        {
            if (!opposite.Crosses(level, price))
                break;
            quantity += level.Total;
        }
        if (quantity.IsPositive)
            Match(market, HouseOrder(market.Instrument, takerSide, OrderType.Limit, price, quantity, now), now);
    }

    private void Withdraw(Market market, Order order)
    {
        if (order.Level is not null)
            market.Of(order.Side).Remove(order);
    }

    private Order HouseOrder(Instrument instrument, Side side, OrderType type, Fixed8 price, Fixed8 quantity, long now) =>
        new(_nextHouseOrder--, House, instrument, side) { Type = type, Price = price, Quantity = quantity, Time = now, WorkingTime = now };
}
