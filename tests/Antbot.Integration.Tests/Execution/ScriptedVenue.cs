using System.Runtime.CompilerServices;
using Antbot.Contracts;
using Antbot.Contracts.Market;
using Antbot.Contracts.Venue;
using Antbot.Runtime.Venue;

namespace Antbot.Integration.Tests.Execution;

public enum Mishap
{
    None,

    /// <summary>The order is there, and its answer is lost.</summary>
    AcceptThenSilence,

    /// <summary>The order never came, and nobody says so.</summary>
    SilenceWithoutOrder,

    NotSent,
    OutOfWindow,

    /// <summary>The order is there, and the venue says that it had it before.</summary>
    AcceptThenDuplicate,
}

/// <summary>
/// A venue that fills market orders at once, keeps the rest, and goes wrong as it is told. As at real ones, a client order id is free
/// again once its order is over: an order sent twice is two orders.
/// </summary>
internal sealed class ScriptedVenue(TimeProvider clock) : IVenue, IMarketData
{
    private readonly Lock _lock = new();
    private readonly List<Order> _orders = [];
    private int _fills;

    public static SymbolRules Rules { get; } = new(new Symbol("BTCUSDT"), "BTC", "USDT", 0.01m, 0.00001m, new Quantity(0.00001m), new Quantity(9_000), new Money(5));

    public decimal Price { get; set; } = 65_000;

    public Func<VenueOrder, Mishap> Script { get; set; } = _ => Mishap.None;

    /// <summary>Called before an order is looked at: what a test wants to happen just then.</summary>
    public Func<VenueOrder, Task> Before { get; set; } = _ => Task.CompletedTask;

    public bool IsAway { get; set; }

    /// <summary>In how many fills a market order is executed.</summary>
    public int Parts { get; set; } = 1;

    public string Name => "scripted";

    public AccountId Account { get; } = new("main");

    public bool IsPaper { get; init; } = true;

    public DateTimeOffset? Now => clock.GetUtcNow();

    /// <summary>Everything the venue ever took, as (client order id, executed, open).</summary>
    public IReadOnlyList<(ClientOrderId Id, OrderRole? Role, decimal Executed, bool IsOpen)> Book
    {
        get
        {
            lock (_lock)
                return [.. _orders.Select(o => (o.Asked.Id, o.Asked.Id.Role, o.Executed, o.IsOpen))];
        }
    }

    public decimal Held
    {
        get
        {
            lock (_lock)
                return _orders.Sum(o => o.Asked.Side.Sign() * o.Executed);
        }
    }

    /// <summary>The price falls to where every open stop fires.</summary>
    public void FireStops()
    {
        lock (_lock)
        {
            foreach (var order in _orders.Where(o => o.IsOpen && o.Asked.Trigger is not null))
                Fill(order, order.Asked.Trigger!.Value.Value);
        }
    }

    public Task<VenueAnswer<DateTimeOffset>> MeasureClockAsync(CancellationToken cancellationToken = default) => Said(clock.GetUtcNow());

    /// <summary>What it tells of its rules.</summary>
    public SymbolRules Told { get; set; } = Rules;

    public Task<VenueAnswer<IReadOnlyList<SymbolRules>>> ReadRulesAsync(CancellationToken cancellationToken = default) => Said<IReadOnlyList<SymbolRules>>([Told]);

    public async Task<VenueAnswer<OrderReport>> PlaceAsync(VenueOrder order, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        await Before(order);
        lock (_lock)
        {
            switch (Script(order))
            {
                case Mishap.NotSent:
                    return new VenueAnswer<OrderReport>.NotSent("not sent", null);
                case Mishap.SilenceWithoutOrder:
                    return new VenueAnswer<OrderReport>.Unknown("reset before");
                case Mishap.OutOfWindow:
                    return new VenueAnswer<OrderReport>.Refused(Refusal.OutOfWindow, "-1021", "outside of the recvWindow");
                case Mishap.AcceptThenSilence:
                    Take(order);
                    return new VenueAnswer<OrderReport>.Unknown("timed out after acceptance");
                case Mishap.AcceptThenDuplicate:
                    Take(order);
                    return new VenueAnswer<OrderReport>.Refused(Refusal.DuplicateOrder, "-2010", "Duplicate order sent.");
                default:
                    return Take(order);
            }
        }
    }

    /// <summary>Its answer by the client's id says of these that no order is there; its other answers know better.</summary>
    public Func<ClientOrderId, bool> Forgets { get; set; } = _ => false;

    /// <summary>How many entries of a listing make no sense.</summary>
    public int OpenOrdersPassedOver { get; set; }

    public int FillsPassedOver { get; set; }

    /// <summary>What those are known by all the same, of either listing.</summary>
    public IReadOnlyList<string> Names { get; set; } = [];

    /// <summary>What passes before a question for an order by the client's id is answered.</summary>
    public Func<ClientOrderId, Task> BeforeAnswer { get; set; } = _ => Task.CompletedTask;

    public async Task<VenueAnswer<OrderReport>> FindOrderAsync(Symbol symbol, ClientOrderId order, CancellationToken cancellationToken = default)
    {
        await BeforeAnswer(order);
        return await Find(o => o.Asked.Id == order && !Forgets(order));
    }

    public Task<VenueAnswer<OrderReport>> FindOrderAsync(Symbol symbol, string venueOrderId, CancellationToken cancellationToken = default) => Find(o => o.VenueId == venueOrderId);

    /// <summary>How many cancels get no answer, and are not carried out.</summary>
    public int CancelsUnanswered { get; set; }

    public Task<VenueAnswer<OrderReport>> CancelAsync(Symbol symbol, ClientOrderId order, CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            if (CancelsUnanswered > 0)
            {
                CancelsUnanswered--;
                return Task.FromResult<VenueAnswer<OrderReport>>(new VenueAnswer<OrderReport>.Unknown("no answer"));
            }
            if (_orders.LastOrDefault(o => o.Asked.Id == order) is not { IsOpen: true } found)
                return Task.FromResult<VenueAnswer<OrderReport>>(new VenueAnswer<OrderReport>.Refused(Refusal.UnknownOrder, "-2011", "Unknown order sent."));
            found.Status = VenueOrderStatus.Cancelled;
            return Said(found.Report(clock.GetUtcNow(), withFills: false));
        }
    }

    public Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListOpenOrdersAsync(CancellationToken cancellationToken = default) => ListAsync(_ => true);

    public Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListOpenOrdersAsync(Symbol symbol, CancellationToken cancellationToken = default) => ListAsync(o => o.Asked.Symbol == symbol);

    /// <summary>What it says first where it is asked for the sake of an entry; null for what is so.</summary>
    public Func<Task<VenueAnswer<IReadOnlyList<OrderReport>>?>> ForEntry { get; set; } = () => Task.FromResult<VenueAnswer<IReadOnlyList<OrderReport>>?>(null);

    public async Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListOpenOrdersForEntryAsync(Symbol symbol, CancellationToken cancellationToken = default) =>
        await ForEntry() ?? await ListOpenOrdersAsync(symbol, cancellationToken);

    public Task<VenueAnswer<IReadOnlyList<FillReport>>> ListFillsAsync(Symbol symbol, string venueOrderId, CancellationToken cancellationToken = default)
    {
        lock (_lock)
            return Said<IReadOnlyList<FillReport>>([.. _orders.Where(o => o.VenueId == venueOrderId).SelectMany(o => o.Fills)]);
    }

    public Task<VenueAnswer<IReadOnlyList<FillReport>>> ListFillsAsync(Symbol symbol, DateTimeOffset since, CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            return IsAway
                ? Task.FromResult<VenueAnswer<IReadOnlyList<FillReport>>>(new VenueAnswer<IReadOnlyList<FillReport>>.Unknown("away"))
                : Said<IReadOnlyList<FillReport>>([.. _orders.SelectMany(o => o.Fills).Where(f => f.Symbol == symbol && f.At >= since)], FillsPassedOver, Names);
        }
    }

    public string? LiveBar { get; set; }

    public Task<VenueAnswer<KeyPermissions>> ReadPermissionsAsync(CancellationToken cancellationToken = default) =>
        Task.FromResult<VenueAnswer<KeyPermissions>>(new VenueAnswer<KeyPermissions>.Said(new KeyPermissions(Reads: true, Trades: true, Withdraws: false, Transfers: false, IsBoundToAddresses: true)));

    public Task<VenueAnswer<IReadOnlyList<Balance>>> ReadBalancesAsync(CancellationToken cancellationToken = default) => Said<IReadOnlyList<Balance>>([]);

    public MarketPrice? Latest(Symbol symbol) => new(symbol, new Price(Price), new Price(Price), clock.GetUtcNow());

    public Task<VenueAnswer<IReadOnlyList<Candle>>> ReadCandlesAsync(Symbol symbol, TimeSpan interval, int count, CancellationToken cancellationToken = default) => Said<IReadOnlyList<Candle>>([]);

    public async IAsyncEnumerable<Candle> FollowCandlesAsync(IReadOnlyCollection<Symbol> symbols, TimeSpan interval, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await Task.Delay(Timeout.Infinite, cancellationToken);
        yield break;
    }

    public Task FollowPricesAsync(IReadOnlyCollection<Symbol> symbols, CancellationToken cancellationToken = default) => Task.Delay(Timeout.Infinite, cancellationToken);

    private static Task<VenueAnswer<T>> Said<T>(T value, int passedOver = 0, IReadOnlyList<string>? names = null) => Task.FromResult<VenueAnswer<T>>(new VenueAnswer<T>.Said(value, passedOver, passedOver > 0 ? names : null));

    private Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListAsync(Func<Order, bool> which)
    {
        lock (_lock)
        {
            return IsAway
                ? Task.FromResult<VenueAnswer<IReadOnlyList<OrderReport>>>(new VenueAnswer<IReadOnlyList<OrderReport>>.Unknown("away"))
                : Said<IReadOnlyList<OrderReport>>([.. _orders.Where(o => o.IsOpen && which(o)).Select(o => o.Report(clock.GetUtcNow(), withFills: false))], OpenOrdersPassedOver, Names);
        }
    }

    /// <summary>How many orders were asked for, one by one.</summary>
    public int Asked { get; private set; }

    private Task<VenueAnswer<OrderReport>> Find(Func<Order, bool> which)
    {
        lock (_lock)
        {
            Asked++;
            if (IsAway)
                return Task.FromResult<VenueAnswer<OrderReport>>(new VenueAnswer<OrderReport>.Unknown("away"));
            return Task.FromResult<VenueAnswer<OrderReport>>(_orders.LastOrDefault(which) is { } found
                ? new VenueAnswer<OrderReport>.Said(found.Report(clock.GetUtcNow(), withFills: false))
                : new VenueAnswer<OrderReport>.Refused(Refusal.UnknownOrder, "-2013", "Order does not exist."));
        }
    }

    private VenueAnswer<OrderReport> Take(VenueOrder asked)
    {
        var now = clock.GetUtcNow();
        if (now > asked.SignedAt + asked.Window)
            return new VenueAnswer<OrderReport>.Refused(Refusal.OutOfWindow, "-1021", "outside of the recvWindow");
        if (_orders.Exists(o => o.Asked.Id == asked.Id && o.IsOpen))
            return new VenueAnswer<OrderReport>.Refused(Refusal.DuplicateOrder, "-2010", "Duplicate order sent.");
        var order = new Order(asked, $"{_orders.Count + 1}");
        _orders.Add(order);
        if (asked is { Kind: OrderKind.Market, Trigger: null })
            Fill(order, Price);
        return new VenueAnswer<OrderReport>.Said(order.Report(now, withFills: true));
    }

    private void Fill(Order order, decimal price)
    {
        var (left, buys) = (order.Asked.Quantity.Value, order.Asked.Side == Side.Buy);
        for (var part = 1; left > 0; part++)
        {
            var size = part < Parts ? Math.Min(left, Rules.QuantityStep) : left;
            order.Fills.Add(new FillReport(
                $"{++_fills}", order.VenueId, order.Asked.Symbol, order.Asked.Side, new Quantity(size), new Price(price), new Money(size * (buys ? 1 : price) / 1_000), buys ? "BTC" : "USDT", clock.GetUtcNow()));
            left -= size;
        }
        order.Status = VenueOrderStatus.Filled;
    }

    private sealed class Order(VenueOrder asked, string venueId)
    {
        public VenueOrder Asked { get; } = asked;

        public string VenueId { get; } = venueId;

        public VenueOrderStatus Status { get; set; } = VenueOrderStatus.Open;

        public List<FillReport> Fills { get; } = [];

        public bool IsOpen => Status is VenueOrderStatus.Open or VenueOrderStatus.PartiallyFilled;

        public decimal Executed => Fills.Sum(f => f.Quantity.Value);

        public OrderReport Report(DateTimeOffset now, bool withFills) => new(
            Asked.Id, VenueId, Asked.Symbol, Asked.Side, Status, Asked.Quantity, new Quantity(Executed), Fills.Aggregate(Money.Zero, (m, f) => m + f.Price * f.Quantity), now,
            withFills ? [.. Fills] : [], IsStop: Asked.Trigger is not null);
    }
}
