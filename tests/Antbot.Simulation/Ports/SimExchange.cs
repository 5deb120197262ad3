using Antbot.Contracts;
using Antbot.Contracts.Market;
using Antbot.Contracts.Venue;
using Antbot.Runtime.Venue;
using Antbot.Simulation.Faults;
using Antbot.Simulation.Time;

namespace Antbot.Simulation.Ports;

/// <summary>
/// The exchange: its own ledger, and its own rules. As at Binance a client order id is free again once its order is over, so that an
/// order that is sent twice is two orders.
/// </summary>
public sealed class SimExchange
{
    private static readonly TimeSpan Ahead = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    private readonly SimLoop _loop;
    private readonly Chance _chance;
    private readonly Dictionary<int, VenueErrs> _errs;
    private readonly List<VenueAway> _aways;
    private int _sent;
    private int _fills;
    private long _requests;
    private bool _watching;

    public SimExchange(SimLoop loop, Plan plan, Tally tally)
    {
        (_loop, _chance, Tally) = (loop, new Chance(plan.Seed), tally);
        _errs = plan.Faults.OfType<VenueErrs>().DistinctBy(f => f.Nth).ToDictionary(f => f.Nth);
        _aways = [.. plan.Faults.OfType<VenueAway>()];
    }

    public static AccountId Account { get; } = new("main");

    public static IReadOnlyList<SymbolRules> Rules { get; } =
    [
        new(new Symbol("BTCUSDT"), "BTC", "USDT", 0.01m, 0.00001m, new Quantity(0.00001m), new Quantity(9_000), new Money(5)),
        new(new Symbol("ETHUSDT"), "ETH", "USDT", 0.01m, 0.0001m, new Quantity(0.0001m), new Quantity(9_000), new Money(5)),
    ];

    public Tally Tally { get; }

    public List<ExchangeOrder> Orders { get; } = [];

    public Dictionary<string, decimal> Balances { get; } = new(StringComparer.Ordinal) { ["USDT"] = 1_000_000, ["BTC"] = 0, ["ETH"] = 0 };

    /// <summary>Told of every order that is taken, before it is filled.</summary>
    public Action<ExchangeOrder> Taken { get; set; } = _ => { };

    public DateTimeOffset Now => SimLoop.Epoch + _loop.Now;

    public VenueAway? Away => _aways.Find(d => _loop.Now.TotalSeconds >= d.AtSeconds && _loop.Now.TotalSeconds < d.AtSeconds + d.ForSeconds);

    public TimeSpan Latency() => _chance.Between(0.001, 0.02, "venue", _requests++);

    public VenueErrs? NextMishap()
    {
        var fault = _errs.GetValueOrDefault(++_sent);
        if (fault is not null)
            Tally.Happened(fault);
        return fault;
    }

    /// <summary>A slow wave, the same in every run of a seed: it crosses stops and targets now and then.</summary>
    public decimal PriceOf(Symbol symbol)
    {
        var start = symbol.Value == "BTCUSDT" ? 65_000m : 3_200m;
        var wave = Math.Sin(_loop.Now.TotalSeconds / 7 + _chance.Unit(symbol.Value) * 6) * 0.012;
        return Math.Round(start * (1 + (decimal)Math.Round(wave, 6)), 2);
    }

    public VenueAnswer<OrderReport> Place(VenueOrder asked, Mishap mishap)
    {
        if (mishap == Mishap.RateLimited)
            return Refused(Refusal.RateLimited, "-1003", "Too much request weight used.");
        if (Now > asked.SignedAt + asked.Window || asked.SignedAt > Now + Ahead)
            return Refused(Refusal.OutOfWindow, "-1021", "Timestamp for this request is outside of the recvWindow.");
        if (Orders.Exists(o => o.Asked.Id == asked.Id && o.IsOpen))
            return Refused(Refusal.DuplicateOrder, "-2010", "Duplicate order sent.");
        var order = new ExchangeOrder(asked, $"{Orders.Count + 1}", Now);
        Orders.Add(order);
        Taken(order);
        if (asked is { Kind: OrderKind.Market, Trigger: null })
        {
            if (mishap is Mishap.PartialFill or Mishap.LateFill)
            {
                var now = mishap == Mishap.PartialFill ? Half(asked) : 0;
                Fill(order, now, PriceOf(asked.Symbol));
                _loop.At(_chance.Between(0.5, 4, "rest", Orders.Count), () => FillRest(order));
            }
            else
            {
                Fill(order, asked.Quantity.Value, PriceOf(asked.Symbol));
            }
        }
        else
        {
            Watch();
        }
        return new VenueAnswer<OrderReport>.Said(order.Report(Now, withFills: true));
    }

    public VenueAnswer<OrderReport> Find(ClientOrderId id) => Orders.FindLast(o => o.Asked.Id == id) is { } found
        ? new VenueAnswer<OrderReport>.Said(found.Report(Now, withFills: false))
        : Refused(Refusal.UnknownOrder, "-2013", "Order does not exist.");

    public VenueAnswer<OrderReport> Cancel(ClientOrderId id)
    {
        if (Orders.FindLast(o => o.Asked.Id == id) is not { IsOpen: true } found)
            return Refused(Refusal.UnknownOrder, "-2011", "Unknown order sent.");
        found.Status = VenueOrderStatus.Cancelled;
        return new VenueAnswer<OrderReport>.Said(found.Report(Now, withFills: false));
    }

    private static VenueAnswer<OrderReport> Refused(Refusal refusal, string code, string text) => new VenueAnswer<OrderReport>.Refused(refusal, code, text);

    private static decimal Half(VenueOrder asked)
    {
        var step = Rules.First(r => r.Symbol == asked.Symbol).QuantityStep;
        return Math.Floor(asked.Quantity.Value / 2 / step) * step;
    }

    private void FillRest(ExchangeOrder order)
    {
        if (order.IsOpen)
            Fill(order, order.Asked.Quantity.Value - order.Executed, PriceOf(order.Asked.Symbol));
    }

    private void Fill(ExchangeOrder order, decimal quantity, decimal price)
    {
        if (quantity <= 0)
            return;
        var (rule, buys) = (Rules.First(r => r.Symbol == order.Asked.Symbol), order.Asked.Side == Side.Buy);
        var fee = Math.Round(quantity * (buys ? 1 : price) / 1_000, 8);
        order.Fills.Add(new FillReport(
            $"{++_fills}", order.VenueId, order.Asked.Symbol, order.Asked.Side, new Quantity(quantity), new Price(price), new Money(fee), buys ? rule.BaseAsset : rule.QuoteAsset, Now));
        Balances[rule.BaseAsset] += order.Asked.Side.Sign() * quantity - (buys ? fee : 0);
        Balances[rule.QuoteAsset] -= order.Asked.Side.Sign() * quantity * price + (buys ? 0 : fee);
        order.Status = order.Executed == order.Asked.Quantity.Value ? VenueOrderStatus.Filled : VenueOrderStatus.PartiallyFilled;
    }

    private void Watch()
    {
        if (_watching)
            return;
        _watching = true;
        _loop.At(Look, LookAtResting);
    }

    private void LookAtResting()
    {
        _watching = false;
        foreach (var order in Orders.Where(o => o.IsOpen && (o.Asked.Kind == OrderKind.Limit || o.Asked.Trigger is not null)).ToList())
        {
            var (price, sign) = (PriceOf(order.Asked.Symbol), order.Asked.Side.Sign());
            var fires = order.Asked.Trigger is { } trigger ? price * sign >= trigger.Value * sign : price * sign <= order.Asked.Limit!.Value.Value * sign;
            if (fires)
                FillRest(order);
        }
        if (Orders.Exists(o => o.IsOpen))
            Watch();
    }
}

public sealed class ExchangeOrder(VenueOrder asked, string venueId, DateTimeOffset takenAt)
{
    public VenueOrder Asked { get; } = asked;

    public string VenueId { get; } = venueId;

    public DateTimeOffset TakenAt { get; } = takenAt;

    public VenueOrderStatus Status { get; set; } = VenueOrderStatus.Open;

    public List<FillReport> Fills { get; } = [];

    public bool IsOpen => Status is VenueOrderStatus.Open or VenueOrderStatus.PartiallyFilled;

    public decimal Executed => Fills.Sum(f => f.Quantity.Value);

    public OrderReport Report(DateTimeOffset now, bool withFills) => new(
        Asked.Id, VenueId, Asked.Symbol, Asked.Side, Status, Asked.Quantity, new Quantity(Executed), Fills.Aggregate(Money.Zero, (m, f) => m + f.Price * f.Quantity), now, withFills ? [.. Fills] : []);
}

/// <summary>One process's way to the exchange. What is on its way there arrives, whether the process lives to hear of it or not.</summary>
public sealed class SimVenue(SimExchange exchange, SimLoop loop, SimClock clock, SimContext context) : IVenue, IMarketData
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(3);

    private (DateTimeOffset Told, long At)? _measured;

    public string Name => "simulated";

    public AccountId Account => SimExchange.Account;

    public bool IsPaper => true;

    public DateTimeOffset? Now => _measured is { } m ? m.Told + clock.GetElapsedTime(m.At) : null;

    public async Task<VenueAnswer<DateTimeOffset>> MeasureClockAsync(CancellationToken cancellationToken = default)
    {
        var asked = clock.GetTimestamp();
        var answer = await AskAsync(() => new VenueAnswer<DateTimeOffset>.Said(exchange.Now));
        if (answer is VenueAnswer<DateTimeOffset>.Said said)
            _measured = (said.Value + clock.GetElapsedTime(asked) / 2, clock.GetTimestamp());
        return answer;
    }

    public Task<VenueAnswer<IReadOnlyList<SymbolRules>>> ReadRulesAsync(CancellationToken cancellationToken = default) =>
        AskAsync(() => new VenueAnswer<IReadOnlyList<SymbolRules>>.Said(SimExchange.Rules));

    public async Task<VenueAnswer<OrderReport>> PlaceAsync(VenueOrder order, CancellationToken cancellationToken = default)
    {
        loop.IsHere("an order");
        await context.AliveAsync();
        var mishap = exchange.NextMishap()?.Mishap ?? Mishap.None;
        return mishap switch
        {
            Mishap.SilenceWithoutOrder => await AskAsync<OrderReport>(() => null),
            Mishap.LateArrival => await AskAsync(() => exchange.Place(order, Mishap.None), TimeSpan.FromSeconds(4.5)),
            Mishap.AcceptThenSilence => await AskAsync(() =>
            {
                _ = exchange.Place(order, Mishap.None);
                return (VenueAnswer<OrderReport>?)null;
            }),
            _ => await AskAsync(() => exchange.Place(order, mishap)),
        };
    }

    public Task<VenueAnswer<OrderReport>> FindOrderAsync(Symbol symbol, ClientOrderId order, CancellationToken cancellationToken = default) => AskAsync(() => exchange.Find(order));

    public Task<VenueAnswer<OrderReport>> CancelAsync(Symbol symbol, ClientOrderId order, CancellationToken cancellationToken = default) => AskAsync(() => exchange.Cancel(order));

    public Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListOpenOrdersAsync(CancellationToken cancellationToken = default) => AskAsync(() =>
        new VenueAnswer<IReadOnlyList<OrderReport>>.Said([.. exchange.Orders.Where(o => o.IsOpen).Select(o => o.Report(exchange.Now, withFills: false))]));

    public Task<VenueAnswer<IReadOnlyList<FillReport>>> ListFillsAsync(Symbol symbol, string venueOrderId, CancellationToken cancellationToken = default) => AskAsync(() =>
        new VenueAnswer<IReadOnlyList<FillReport>>.Said([.. exchange.Orders.Where(o => o.VenueId == venueOrderId).SelectMany(o => o.Fills)]));

    public Task<VenueAnswer<IReadOnlyList<Balance>>> ReadBalancesAsync(CancellationToken cancellationToken = default) => AskAsync(() =>
        new VenueAnswer<IReadOnlyList<Balance>>.Said([.. exchange.Balances.Select(b => new Balance(b.Key, b.Value, 0))]));

    public MarketPrice? Latest(Symbol symbol) => exchange.Away is null && SimExchange.Rules.Any(r => r.Symbol == symbol)
        ? new MarketPrice(symbol, new Price(exchange.PriceOf(symbol)), new Price(exchange.PriceOf(symbol)), clock.GetUtcNow())
        : null;

    public Task<VenueAnswer<IReadOnlyList<Candle>>> ReadCandlesAsync(Symbol symbol, TimeSpan interval, int count, CancellationToken cancellationToken = default) =>
        AskAsync(() => new VenueAnswer<IReadOnlyList<Candle>>.Said([]));

    public IAsyncEnumerable<Candle> FollowCandlesAsync(IReadOnlyCollection<Symbol> symbols, TimeSpan interval, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException("No strategy runs in the simulation; its signals come from outside.");

    public Task FollowPricesAsync(IReadOnlyCollection<Symbol> symbols, CancellationToken cancellationToken = default) => Task.Delay(System.Threading.Timeout.InfiniteTimeSpan, clock, cancellationToken);

    /// <param name="ask">Null where no answer ever comes.</param>
    private async Task<VenueAnswer<T>> AskAsync<T>(Func<VenueAnswer<T>?> ask, TimeSpan onTheWay = default)
    {
        loop.IsHere("a request to the venue");
        await context.AliveAsync();
        var done = new TaskCompletionSource<VenueAnswer<T>>();
        loop.At(onTheWay + exchange.Latency(), () =>
        {
            if (exchange.Away is { } away)
            {
                exchange.Tally.Happened(away);
                return;
            }
            if (ask() is { } answer)
                loop.At(exchange.Latency(), () => done.TrySetResult(answer));
        });
        loop.At(Timeout, () => done.TrySetResult(new VenueAnswer<T>.Unknown("No answer came in time.")));
        return await done.Task;
    }
}
