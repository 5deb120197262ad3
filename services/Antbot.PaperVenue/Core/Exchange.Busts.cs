namespace Antbot.PaperVenue;

/// <summary>Fills that were told and are undone afterwards.</summary>
public sealed partial class Exchange
{
    /// <summary>Undoes the last fill of an order that has ended. False when it has none, or its owner has spent what it brought.</summary>
    public bool Bust(Order order, long now)
    {
        if (FindOrder(order.Id) is not { IsOpen: false, Fills: [.., var fill] } known || known.Account[known.Receives].Free < Sides(fill).Received)
            return false;
        Emit(new TradeBusted(now, fill.Trade, known.Id));
        return true;
    }

    private void Apply(TradeBusted e, Order order)
    {
        var fill = order.Fills.FirstOrDefault(f => f.Trade == e.Trade) ?? throw new KeyNotFoundException($"Order {e.Order} has no fill of trade {e.Trade}.");
        var (paid, received) = Sides(fill);
        var account = order.Account;
        account[order.Pays].Free += paid;
        House[order.Pays].Free -= paid;
        account[order.Receives].Free -= received;
        House[order.Receives].Free += received;
        account.UpdateTime = e.Time;
        Replace(order, order.Without(fill, e.Time));
        Outbox.Touch(account, order.Pays);
        Outbox.Touch(account, order.Receives);
    }

    /// <summary>A snapshot that is being written holds the order as it ended, so that one stays as it is and another takes its place.</summary>
    private void Replace(Order order, Order by)
    {
        _orders[order.Id] = by;
        order.Account.Replace(order, by);
        var closed = _closed.ToArray();
        closed[Array.LastIndexOf(closed, order)] = by;
        _closed = new Queue<Order>(closed);
    }

    /// <summary>What its owner gave for it and got by it.</summary>
    private static (Fixed8 Paid, Fixed8 Received) Sides(Fill fill)
    {
        var (paid, received) = fill.Order.Side == Side.Buy ? (fill.QuoteQuantity, fill.Quantity) : (fill.Quantity, fill.QuoteQuantity);
        return (paid, received - fill.Fee);
    }
}
