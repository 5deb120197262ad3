using System.Buffers;
using Antbot.PaperVenue;

namespace Antbot.Core.Tests.PaperVenue;

/// <summary>A venue in the tests' words: orders by numbers, events kept as a journal would.</summary>
internal sealed class Trading
{
    public static readonly Instrument Btc = VenueRules.Default.Instruments[0];
    public static readonly Instrument Eth = VenueRules.Default.Instruments[1];

    private long _clientIds;

    public Trading(VenueRules? rules = null)
    {
        Exchange = new Exchange(rules ?? VenueRules.Default);
        Alice = Open("alice");
        Bob = Open("bob");
    }

    public Exchange Exchange { get; }

    public Account Alice { get; }

    public Account Bob { get; }

    public long Now { get; set; } = 1_700_000_000_000;

    /// <summary>Everything that a journal would hold.</summary>
    public List<VenueEvent> Journal { get; } = [];

    public List<ExecutionReport> Reports { get; } = [];

    public List<ListReport> ListReports { get; } = [];

    public List<Print> Prints { get; } = [];

    public static Fixed8 N(string number) => Fixed8.Parse(number);

    public Account Open(string name, string dollars = "1000000", string coins = "100")
    {
        var account = Exchange.OpenAccount(name, Now);
        Exchange.Deposit(account, 0, N(dollars), Now);
        Exchange.Deposit(account, Btc.Base, N(coins), Now);
        Exchange.Deposit(account, Eth.Base, N(coins), Now);
        Drain();
        return account;
    }

    public Order Buy(Account account, string price, string quantity) => Limit(account, Side.Buy, price, quantity);

    public Order Sell(Account account, string price, string quantity) => Limit(account, Side.Sell, price, quantity);

    public Order Limit(Account account, Side side, string price, string quantity, TimeInForce timeInForce = TimeInForce.GoodTillCancelled) =>
        Accepted(account, new NewOrder { Instrument = Btc, Side = side, Type = OrderType.Limit, TimeInForce = timeInForce, Price = N(price), Quantity = N(quantity), ClientId = NextId() });

    public Order Market(Account account, Side side, string quantity) =>
        Accepted(account, new NewOrder { Instrument = Btc, Side = side, Type = OrderType.Market, Quantity = N(quantity), ClientId = NextId() });

    public Order Accepted(Account account, NewOrder order)
    {
        var placed = Place(account, order);
        return placed.Order ?? throw new InvalidOperationException($"It was refused: {placed.Rejection!.Message}");
    }

    public Placed Place(Account account, NewOrder order)
    {
        Now++;
        var placed = Exchange.Place(account, order, Now);
        Drain();
        return placed;
    }

    public OrderListPlaced Place(Account account, NewOrderList list)
    {
        Now++;
        var placed = Exchange.Place(account, list, Now);
        Drain();
        return placed;
    }

    /// <summary>A sale's stop-loss below and limit above, a purchase's the other way round; the stop has a limit where a price for it is given.</summary>
    public NewOrderList Pair(Side side, string limit, string stop, string? stopLimit = null, string quantity = "1") => new(
        NextId(),
        new NewOrder
        {
            Instrument = Btc,
            Side = side,
            Type = stopLimit is null ? OrderType.StopLoss : OrderType.StopLossLimit,
            StopPrice = N(stop),
            Price = stopLimit is null ? Fixed8.Zero : N(stopLimit),
            Quantity = N(quantity),
            ClientId = NextId(),
        },
        new NewOrder { Instrument = Btc, Side = side, Type = OrderType.LimitMaker, Price = N(limit), Quantity = N(quantity), ClientId = NextId() });

    /// <summary>A pair that is taken: its stop-loss and the other of it.</summary>
    public (OrderList List, Order Stop, Order Other) Accepted(Account account, NewOrderList list)
    {
        var placed = Place(account, list);
        var accepted = placed.List ?? throw new InvalidOperationException($"It was refused: {placed.Rejection!.Message}");
        var orders = Exchange.OrdersOf(accepted).ToList();
        return (accepted, orders[0], orders[1]);
    }

    public bool Cancel(Order order)
    {
        Now++;
        var done = Exchange.Cancel(order, NextId(), Now);
        Drain();
        return done;
    }

    public string NextId() => $"c{++_clientIds}";

    public void Quote(string bid, string ask, string quantity = "10")
    {
        Now++;
        Exchange.Requote(Btc, [new Quote(N(bid), N(quantity))], [new Quote(N(ask), N(quantity))], N(ask), N(bid), Now);
        Drain();
    }

    public void ShowLast(string price)
    {
        Now++;
        Exchange.Show(Btc, N(price), Btc.Lot, Now);
        Drain();
    }

    public void Drain()
    {
        Journal.AddRange(Exchange.Outbox.Journal);
        Reports.AddRange(Exchange.Outbox.Reports);
        ListReports.AddRange(Exchange.Outbox.ListReports);
        Prints.AddRange(Exchange.Outbox.Prints);
        Exchange.Outbox.Clear();
    }

    /// <summary>Everything that lasts, as bytes: two exchanges are alike when these are.</summary>
    public static byte[] StateOf(Exchange exchange) => Written(exchange.Capture());

    public static byte[] Written(ExchangeSnapshot snapshot)
    {
        var bytes = new ArrayBufferWriter<byte>();
        foreach (var piece in snapshot.Write())
            bytes.Write(piece.Span);
        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>What a journal of these events, written and read, gives.</summary>
    public static Exchange Replayed(IEnumerable<VenueEvent> events, VenueRules? rules = null)
    {
        var bytes = new ArrayBufferWriter<byte>();
        foreach (var e in events)
            JournalCodec.Write(bytes, e);
        var exchange = new Exchange(rules ?? VenueRules.Default);
        var reader = new RecordReader(bytes.WrittenSpan);
        while (!reader.AtEnd)
            exchange.Apply(JournalCodec.Read(ref reader));
        exchange.Recovered();
        return exchange;
    }
}
