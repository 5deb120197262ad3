using System.Buffers;

namespace Antbot.PaperVenue;

/// <summary>
/// The exchange at one moment. What still changes is written down at once; the closed orders, by far the most, never change
/// again (who undoes a fill of one makes another of it) and are only held, to be written while trading goes on.
/// </summary>
public sealed class ExchangeSnapshot
{
    private const byte Version = 3;

    /// <summary>Without the market's program; read still.</summary>
    private const byte FirstVersion = 1;

    /// <summary>Without order lists, stops that follow the price and orders that are shown in parts; read still.</summary>
    private const byte SecondVersion = 2;

    private readonly ReadOnlyMemory<byte> _head;
    private readonly IReadOnlyList<Order> _closed;

    internal ExchangeSnapshot(ReadOnlyMemory<byte> head, IReadOnlyList<Order> closed)
    {
        _head = head;
        _closed = closed;
    }

    /// <summary>All of it, as pieces small enough to be written one by one. The buffer is the same each time.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Write()
    {
        yield return _head;
        var buffer = new ArrayBufferWriter<byte>(1 << 16);
        foreach (var order in _closed)
        {
            WriteOrder(new RecordWriter(buffer), order);
            if (buffer.WrittenCount < 1 << 15)
                continue;
            yield return buffer.WrittenMemory;
            buffer.ResetWrittenCount();
        }
        yield return buffer.WrittenMemory;
    }

    internal static void WriteHead(IBufferWriter<byte> output, Exchange.Counters counters, MarketProgram program, IReadOnlyCollection<Account> accounts, IEnumerable<Market> markets, IReadOnlyCollection<OrderList> lists, IReadOnlyCollection<Order> open, int closed)
    {
        var record = new RecordWriter(output).Add(Version).Add(counters.NextOrder).Add(counters.TradesReservedBelow).Add(counters.Forgotten).Add(counters.NextList)
            .Add((byte)program.Scenario).Add(program.Since).Add(program.Length).Add(program.File).Add(accounts.Count);
        foreach (var account in accounts)
        {
            record.Add(account.Id).Add(account.Name).Add(account.Opened).Add(account.UpdateTime).Add(account.Balances.Length);
            foreach (var balance in account.Balances)
                record.Add(balance.Free).Add(balance.Locked);
        }
        foreach (var market in markets)
            record.Add((byte)1).Add(market.HeldAt).Add(market.Shift);
        record.Add((byte)0).Add(lists.Count);
        foreach (var list in lists)
        {
            record.Add(list.Id).Add(list.ClientId).Add(list.Account.Id).Add(list.Instrument.Index).Add(list.Time).Add(list.UpdateTime).Add(list.Orders.Count);
            foreach (var listed in list.Orders)
                record.Add(listed.Order).Add(listed.ClientId);
        }
        record.Add(open.Count);
        foreach (var order in open)
            WriteOrder(record, order);
        record.Add(closed);
    }

    internal static void Read(ReadOnlySpan<byte> bytes, Exchange.Restorer into)
    {
        var record = new RecordReader(bytes);
        if (record.Byte() is var version && version is < FirstVersion or > Version)
            throw new UnknownRecordException($"The snapshot is of version {version}; this program knows versions {FirstVersion} to {Version}. Start the version that wrote it, or begin with an empty data folder.");
        into.Counters = new Exchange.Counters(record.Long(), record.Long(), record.Long(), version > SecondVersion ? record.Long() : 1);
        if (version > FirstVersion)
            into.Program = new MarketProgram((Scenario)record.Byte(), record.Long(), record.Long(), record.Text());
        var accounts = record.Int();
        for (var i = 0; i < accounts; i++)
        {
            var account = into.Account(record.Int(), record.Text(), record.Long());
            account.UpdateTime = record.Long();
            var balances = record.Int();
            for (var asset = 0; asset < balances; asset++)
                account[asset] = new Balance { Free = record.Fixed(), Locked = record.Fixed() };
        }
        for (var instrument = 0; record.Byte() == 1; instrument++)
            into.Market(instrument, record.Fixed(), record.Fixed());
        var lists = version > SecondVersion ? record.Int() : 0;
        for (var i = 0; i < lists; i++)
        {
            var list = into.List(record.Long(), record.Text(), record.Int(), record.Int(), record.Long());
            list.UpdateTime = record.Long();
            var listed = record.Int();
            for (var j = 0; j < listed; j++)
                list.Add(new ListedOrder(record.Long(), record.Text()));
        }
        for (var pass = 0; pass < 2; pass++)
        {
            var orders = record.Int();
            for (var i = 0; i < orders; i++)
                into.Order(ReadOrder(ref record, into, version));
        }
    }

    private static void WriteOrder(RecordWriter record, Order o)
    {
        record.Add(o.Id).Add(o.Account.Id).Add(o.Instrument.Index).Add((byte)o.Side).Add((byte)o.Type).Add((byte)o.TimeInForce).Add((byte)o.Status)
            .Add(o.Price).Add(o.StopPrice).Add(o.Quantity).Add(o.QuoteQuantity).Add(o.ClientId)
            .Add(o.Executed).Add(o.QuoteExecuted).Add(o.Locked).Add(o.Time).Add(o.UpdateTime).Add(o.WorkingTime).Add(o.CancelId ?? "")
            .Add(o.List?.Id ?? 0).Add(o.TrailingDelta).Add(o.TrailingTime).Add(o.TrailingPrice)
            .Add(o.IcebergQuantity).Add(o.Hidden).Add(o.Fills.Count);
        foreach (var f in o.Fills)
            record.Add(f.Trade).Add(f.Price).Add(f.Quantity).Add(f.Fee).Add(f.Time).Add(f.IsMaker ? (byte)1 : (byte)0);
    }

    private static Order ReadOrder(ref RecordReader record, Exchange.Restorer into, byte version)
    {
        var (id, account, instrument, side) = (record.Long(), record.Int(), record.Int(), (Side)record.Byte());
        var (type, timeInForce, status) = ((OrderType)record.Byte(), (TimeInForce)record.Byte(), (OrderStatus)record.Byte());
        var order = new Order(id, into.Account(account), into.Instrument(instrument), side)
        {
            Type = type,
            TimeInForce = timeInForce,
            Status = status,
            Price = record.Fixed(),
            StopPrice = record.Fixed(),
            Quantity = record.Fixed(),
            QuoteQuantity = record.Fixed(),
            ClientId = record.Text(),
            Executed = record.Fixed(),
            QuoteExecuted = record.Fixed(),
            Locked = record.Fixed(),
            Time = record.Long(),
            UpdateTime = record.Long(),
            WorkingTime = record.Long(),
            CancelId = record.Text() is { Length: > 0 } cancel ? cancel : null,
            List = version > SecondVersion && record.Long() is > 0 and var list ? into.List(list) : null,
            TrailingDelta = version > SecondVersion ? record.Int() : 0,
            TrailingTime = version > SecondVersion ? record.Long() : -1,
            TrailingPrice = version > SecondVersion ? record.Fixed() : Fixed8.Zero,
            IcebergQuantity = version > SecondVersion ? record.Fixed() : Fixed8.Zero,
            Hidden = version > SecondVersion ? record.Fixed() : Fixed8.Zero,
        };
        var fills = record.Int();
        for (var i = 0; i < fills; i++)
            order.Add(new Fill(order, record.Long(), record.Fixed(), record.Fixed(), record.Fixed(), record.Long(), record.Byte() == 1));
        return order;
    }
}
