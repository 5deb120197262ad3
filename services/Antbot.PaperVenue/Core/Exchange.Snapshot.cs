using System.Buffers;

namespace Antbot.PaperVenue;

public sealed partial class Exchange
{
    public ExchangeSnapshot Capture()
    {
        var head = new ArrayBufferWriter<byte>(1 << 16);
        // Orders in a book in the order in which they stand there, so that they keep their turn.
        var open = _markets
            .SelectMany(m => m.Bids.Levels.Concat(m.Asks.Levels).SelectMany(Standing).Where(o => !o.IsHouse).Concat(Waiting(m.Instrument)))
            .ToList();
        var closed = _closed.ToArray();
        ExchangeSnapshot.WriteHead(head, new Counters(_nextOrder, _tradesReservedBelow, Forgotten, _nextList), Program, _accounts.Values, _markets, [.. _lists.Values.OrderBy(l => l.Id)], open, closed.Length);
        return new ExchangeSnapshot(head.WrittenMemory, closed);
    }

    public static Exchange Restore(VenueRules rules, ReadOnlySpan<byte> snapshot)
    {
        var exchange = new Exchange(rules);
        ExchangeSnapshot.Read(snapshot, new Restorer(exchange));
        foreach (var account in exchange._accounts.Values)
            account.Restored();
        return exchange;
    }

    private IEnumerable<Order> Waiting(Instrument instrument) => Accounts.SelectMany(a => a.OpenOrders).Where(o => o.Instrument == instrument && o.Level is null);

    private static IEnumerable<Order> Standing(Level level)
    {
        for (var order = level.First; order is not null; order = order.Next)
            yield return order;
    }

    internal readonly record struct Counters(long NextOrder, long TradesReservedBelow, long Forgotten, long NextList);

    /// <summary>Puts back what a snapshot holds, without deciding anything again.</summary>
    internal sealed class Restorer(Exchange exchange)
    {
        public Counters Counters
        {
            set => (exchange._nextOrder, exchange._tradesReservedBelow, exchange.Forgotten, exchange._nextList) = (value.NextOrder, value.TradesReservedBelow, value.Forgotten, value.NextList);
        }

        public MarketProgram Program
        {
            set => exchange.Program = value;
        }

        public Account Account(int id, string name, long opened)
        {
            if (id == HouseId)
                return exchange.House;
            var account = new Account(id, name, exchange.Rules, opened);
            exchange._accounts.Add(id, account);
            return account;
        }

        public Account Account(int id) => exchange._accounts[id];

        public Instrument Instrument(int index) => exchange.Rules.Instruments[index];

        public void Market(int instrument, Fixed8 heldAt, Fixed8 shift) =>
            (exchange._markets[instrument].HeldAt, exchange._markets[instrument].Shift) = (heldAt, shift);

        public OrderList List(long id, string clientId, int account, int instrument, long time)
        {
            var list = new OrderList(id, clientId, Account(account), Instrument(instrument), time);
            exchange._lists.Add(id, list);
            list.Account.Add(list);
            return list;
        }

        public OrderList List(long id) => exchange._lists[id];

        public void Order(Order order)
        {
            exchange._orders.Add(order.Id, order);
            order.Account.Add(order);
            if (order is { IsOpen: true, List: { } list })
            {
                list.OpenOrders++;
                list.Account.Open(list);
            }
            foreach (var fill in order.Fills)
                order.Account.Add(fill);
            var market = exchange._markets[order.Instrument.Index];
            if (!order.IsOpen)
                exchange._closed.Enqueue(order);
            else if (order.HasStop && !order.IsWorking)
                market.Wait(order);
            else if (!order.IsHeld)
                market.Of(order.Side).Add(order);
        }
    }
}
