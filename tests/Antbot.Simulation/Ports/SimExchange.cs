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
    /// <summary>Between any two moments, as a part of the price.</summary>
    public const decimal PriceMovesMost = 2 * Swing / (1 - Swing);

    private const decimal Swing = 0.012m;

    /// <summary>Of the wave of the prices, a turn of which takes 2π of them.</summary>
    private const double WaveSeconds = 7;

    private const decimal Crossing = 0.02m;
    private const long OrderSlotTicks = 10 * TimeSpan.TicksPerSecond;

    private static readonly TimeSpan Ahead = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    private readonly SimLoop _loop;
    private readonly Chance _chance;
    private readonly Dictionary<int, VenueErrs> _errs;
    private readonly Dictionary<int, CancelUnanswered> _deafCancels;
    private readonly Dictionary<int, Busted> _busts;
    private readonly Dictionary<Symbol, decimal> _lent = [];
    private readonly Lasting<VenueAway> _aways;
    private readonly Lasting<VenueLimits> _limits;
    private readonly Lasting<VenueForgets> _forgets;
    private readonly Lasting<BooksAmiss> _amiss;
    private readonly Lasting<WrongBalances> _wrong;
    private readonly Dictionary<Symbol, (long Ticks, decimal Price)> _prices = [];
    private readonly Dictionary<ClientOrderId, List<ExchangeOrder>> _byId = [];
    private int _sent;
    private int _cancelled;
    private int _fills;
    private int _deeds;
    private long _ordersFull = -1;
    private long _requests;
    private bool _watching;

    public SimExchange(SimLoop loop, Plan plan, Tally tally)
    {
        (_loop, _chance, Tally) = (loop, new Chance(plan.Seed), tally);
        _errs = plan.Faults.OfType<VenueErrs>().DistinctBy(f => f.Nth).ToDictionary(f => f.Nth);
        _deafCancels = plan.Faults.OfType<CancelUnanswered>().DistinctBy(f => f.Nth).ToDictionary(f => f.Nth);
        _busts = plan.Faults.OfType<Busted>().DistinctBy(f => f.NthFill).ToDictionary(f => f.NthFill);
        (_aways, _limits, _forgets) = (new Lasting<VenueAway>(plan), new Lasting<VenueLimits>(plan), new Lasting<VenueForgets>(plan));
        (_amiss, _wrong) = (new Lasting<BooksAmiss>(plan), new Lasting<WrongBalances>(plan));
        HasOldBooks = plan.Faults.Any(f => f is BooksAmiss or VenueAway);
        // How long clients wait for an answer is theirs to say; where it is less than an order's window, an order may come after its sender has given up.
        Patience = TimeSpan.FromSeconds(_chance.Happens(0.5, "patience") ? 1 : 3);
    }

    public static AccountId Account { get; } = new("main");

    public static IReadOnlyList<SymbolRules> Rules { get; } =
    [
        new(new Symbol("BTCUSDT"), "BTC", "USDT", 0.01m, 0.00001m, new Quantity(0.00001m), new Quantity(9_000), new Money(5)),
        new(new Symbol("ETHUSDT"), "ETH", "USDT", 0.01m, 0.0001m, new Quantity(0.0001m), new Quantity(9_000), new Money(5)),
    ];

    public static SymbolRules RuleOf(Symbol symbol) => Rules[0].Symbol == symbol ? Rules[0] : Rules.First(r => r.Symbol == symbol);

    public Tally Tally { get; }

    public List<ExchangeOrder> Orders { get; } = [];

    /// <summary>What the account begins with.</summary>
    public static IReadOnlyDictionary<string, decimal> Start { get; } = new Dictionary<string, decimal>(StringComparer.Ordinal) { ["USDT"] = 1_000_000, ["BTC"] = 0, ["ETH"] = 0 };

    public Dictionary<string, decimal> Balances { get; } = new(Start, StringComparer.Ordinal);

    /// <summary>Told of every order that is taken, before it is filled.</summary>
    public Action<ExchangeOrder> Taken { get; set; } = _ => { };

    /// <summary>Told of every order that is filled, or a part of it.</summary>
    public Action<ExchangeOrder> Filled { get; set; } = _ => { };

    /// <summary>When an order is taken back by us, whether or not its answer comes.</summary>
    public Action<ExchangeOrder> Cancelled { get; set; } = _ => { };

    /// <summary>Told of every fill that it takes back.</summary>
    public Action<ExchangeOrder, FillReport> TakenBack { get; set; } = (_, _) => { };

    public DateTimeOffset Now => SimLoop.Epoch + _loop.Now;

    public TimeSpan Patience { get; }

    /// <summary>Whether prices are traded on that are older than a moment.</summary>
    public bool HasOldBooks { get; }

    /// <summary>Whether what the account holds is known by now; before that whatever is told is what it began with.</summary>
    public Func<bool> IsKnown { get; set; } = () => false;

    /// <summary>When something last moved that no order of ours had moved.</summary>
    public TimeSpan MovedByOthers { get; private set; }

    /// <summary>Fills that it is going to take back.</summary>
    public int BustsDue { get; private set; }

    public VenueAway? Away => _aways.At(_loop);

    public VenueLimits? Limits => _limits.At(_loop);

    /// <summary>In less than this the price cannot move by this part of itself.</summary>
    public static TimeSpan TimeToMove(decimal part) => TimeSpan.FromSeconds((double)(part * (1 - Swing) / Swing) * WaveSeconds);

    public TimeSpan Latency() => _chance.Between(0.001, 0.02, "venue", _requests++);

    /// <summary>What is to go wrong with the order that is sent now, and how late it comes where that is it. It is counted where it does.</summary>
    public (VenueErrs? Fault, TimeSpan Late) NextMishap() => _errs.TryGetValue(++_sent, out var fault)
        ? (fault, fault.Mishap == Mishap.LateArrival ? _chance.Between(0.5, 4, "late", _sent) : TimeSpan.Zero)
        : (null, TimeSpan.Zero);

    /// <summary>A slow wave, the same in every run of a seed: it crosses stops and targets now and then.</summary>
    public decimal PriceOf(Symbol symbol)
    {
        if (_prices.TryGetValue(symbol, out var known) && known.Ticks == _loop.Ticks)
            return known.Price;
        var price = PriceAt(symbol, _loop.Seconds);
        _prices[symbol] = (_loop.Ticks, price);
        return price;
    }

    private decimal PriceAt(Symbol symbol, double seconds)
    {
        var start = symbol.Value == "BTCUSDT" ? 65_000m : 3_200m;
        var wave = Math.Sin(seconds / WaveSeconds + _chance.Unit(symbol.Value) * 6) * (double)Swing;
        return Math.Round(start * (1 + (decimal)Math.Round(wave, 6)), 2);
    }

    /// <summary>What a stream tells of a symbol now, with its number; null where it tells nothing.</summary>
    public (MarketPrice Book, long Number)? Tells(Symbol symbol, DateTimeOffset at)
    {
        var (price, number) = (new Price(PriceOf(symbol)), _loop.Ticks);
        if (Away is not null)
            return null;
        if (_amiss.At(_loop) is not { } amiss)
            return (new MarketPrice(symbol, price, price, at), number);
        Tally.Happened(amiss);
        switch (amiss.How)
        {
            case Amiss.Crossed:
                return (new MarketPrice(symbol, price, new Price(Math.Round(price.Value * (1 - Crossing), 2)), at), number);
            case Amiss.Stale:
                var old = new Price(PriceAt(symbol, amiss.AtSeconds));
                return (new MarketPrice(symbol, old, old, at), TimeSpan.FromSeconds(amiss.AtSeconds).Ticks);
            default:
                return null;
        }
    }

    public IReadOnlyList<Balance> TellBalances()
    {
        if (_wrong.At(_loop) is not { } wrong || !IsKnown())
            return [.. Balances.Select(b => new Balance(b.Key, b.Value, 0))];
        var asset = Balances.Keys.Order(StringComparer.Ordinal).ElementAt(wrong.NthAsset % Balances.Count);
        var told = Math.Round(Balances[asset] * (decimal)wrong.Part, 8);
        if (told != Balances[asset])
            Tally.Happened(wrong);
        return [.. Balances.Select(b => new Balance(b.Key, b.Key == asset ? told : b.Value, 0))];
    }

    public VenueAnswer<OrderReport> Place(VenueOrder asked, VenueErrs? fault)
    {
        if (fault is { Mishap: Mishap.RateLimited })
        {
            Tally.Happened(fault);
            return Refused(Refusal.RateLimited, "-1003", "Too much request weight used.");
        }
        if (fault is { Mishap: Mishap.TooManyOrders })
        {
            Tally.Happened(fault);
            _ordersFull = OrderSlot;
        }
        if (_ordersFull == OrderSlot)
            return new VenueAnswer<OrderReport>.Refused(Refusal.RateLimited, "-1015", "Too many new orders; current limit is 100 orders per 10 SECOND.", TimeSpan.FromTicks((OrderSlot + 1) * OrderSlotTicks - Now.Ticks));
        if (Now > asked.SignedAt + asked.Window || asked.SignedAt > Now + Ahead)
            return Refused(Refusal.OutOfWindow, "-1021", "Timestamp for this request is outside of the recvWindow.");
        if (_byId.TryGetValue(asked.Id, out var same) && same.Exists(o => o.IsOpen))
            return Refused(Refusal.DuplicateOrder, "-2010", "Duplicate order sent.");
        if (asked.Side == Side.Sell && asked.Quantity.Value > FreeOf(asked.Symbol))
            return Refused(Refusal.InsufficientBalance, "-2010", "Account has insufficient balance for requested action.");
        var order = new ExchangeOrder(asked, $"{Orders.Count + 1}", Now) { Fault = fault, InParts = fault?.Mishap is Mishap.PartialFill || IsHalfForGood(fault, asked) };
        Add(order);
        Taken(order);
        if (asked is { Kind: OrderKind.Market, Trigger: null })
        {
            if (fault is { Mishap: Mishap.LateFill })
            {
                Tally.Happened(fault);
                FillLater(order);
            }
            else
            {
                FillOrHalf(order);
            }
        }
        else
        {
            Watch();
        }
        return new VenueAnswer<OrderReport>.Said(order.Report(Now, Told(order)));
    }

    /// <summary>Its fills, as whoever asks is told them.</summary>
    public IReadOnlyList<FillReport> Told(ExchangeOrder order)
    {
        if (order is not { Fault: { Mishap: Mishap.RepeatedFill } fault, Fills.Count: > 0 })
            return [.. order.Fills];
        Tally.Happened(fault);
        return [.. order.Fills, .. order.Fills];
    }

    /// <summary>By the client's id, which it may have forgotten for a while.</summary>
    public VenueAnswer<OrderReport> Find(ClientOrderId id)
    {
        if (Last(id) is not { } found)
            return NotThere();
        if (_forgets.At(_loop) is not { } forgets)
            return new VenueAnswer<OrderReport>.Said(found.Report(Now, []));
        Tally.Happened(forgets);
        return NotThere();
    }

    public VenueAnswer<OrderReport> Find(string venueId) => Orders.Find(o => o.VenueId == venueId) is { } found
        ? new VenueAnswer<OrderReport>.Said(found.Report(Now, []))
        : NotThere();

    /// <summary>Null where it is done, and its answer never comes.</summary>
    public VenueAnswer<OrderReport>? Cancel(ClientOrderId id)
    {
        if (Last(id) is not { IsOpen: true } found)
            return Refused(Refusal.UnknownOrder, "-2011", "Unknown order sent.");
        found.Status = VenueOrderStatus.Cancelled;
        Cancelled(found);
        if (!_deafCancels.TryGetValue(++_cancelled, out var fault))
            return new VenueAnswer<OrderReport>.Said(found.Report(Now, []));
        Tally.Happened(fault);
        return null;
    }

    /// <summary>What somebody else does on the account by hand; false where there is nothing yet to do it with.</summary>
    public bool Do(Deed deed)
    {
        var symbol = Rules[_chance.Below(Rules.Count, "deed-symbol", _deeds)].Symbol;
        switch (deed)
        {
            case Deed.Buys:
                FillRest(Foreign(symbol, Side.Buy, Some(symbol), limit: null));
                return true;
            case Deed.Bids:
                Foreign(symbol, Side.Buy, Some(symbol), new Price(Math.Round(PriceOf(symbol) * (1 - _chance.Below(8, "deed-below", _deeds) / 1_000m), 2))).InParts = true;
                Watch();
                return true;
            case Deed.CancelsAStop when OurStops.FirstOrDefault() is { } stop:
                _deeds++;
                CancelByHand(stop);
                return true;
            case Deed.Sells when OurStops.FirstOrDefault() is { } stop:
                foreach (var other in OurStops.Where(o => o.Asked.Symbol == stop.Asked.Symbol).ToList())
                    CancelByHand(other);
                FillRest(Foreign(stop.Asked.Symbol, Side.Sell, stop.Asked.Quantity.Value, limit: null));
                return true;
            default:
                return false;
        }
    }

    private long OrderSlot => Now.Ticks / OrderSlotTicks;

    private IEnumerable<ExchangeOrder> OurStops => Orders.Where(o => o is { IsOpen: true, IsForeign: false, Asked: { ReduceOnly: true, Trigger: not null } });

    private static void CancelByHand(ExchangeOrder order) => (order.Status, order.IsCancelledByHand) = (VenueOrderStatus.Cancelled, true);

    private decimal Some(Symbol symbol)
    {
        var step = RuleOf(symbol).QuantityStep;
        return Math.Floor((50 + _chance.Below(300, "deed-worth", _deeds)) / PriceOf(symbol) / step) * step;
    }

    private ExchangeOrder Foreign(Symbol symbol, Side side, decimal quantity, Price? limit)
    {
        var id = new ClientOrderId($"web_{++_deeds}");
        var order = new ExchangeOrder(
            new VenueOrder(id, symbol, side, limit is null ? OrderKind.Market : OrderKind.Limit, new Quantity(quantity), limit, null, Now, Ahead, ReduceOnly: false), $"{Orders.Count + 1}", Now) { IsForeign = true };
        Add(order);
        return order;
    }

    private void Add(ExchangeOrder order)
    {
        Orders.Add(order);
        if (!_byId.TryGetValue(order.Asked.Id, out var same))
            _byId[order.Asked.Id] = same = [];
        same.Add(order);
    }

    /// <summary>
    /// What open orders sell is held back. Where it has taken back what somebody bought, that may have been sold already: so much it lends, for
    /// what is missing then is its own concern.
    /// </summary>
    private decimal FreeOf(Symbol symbol) =>
        Balances[RuleOf(symbol).BaseAsset] + _lent.GetValueOrDefault(symbol) - Orders.Where(o => o.IsOpen && o.Asked.Side == Side.Sell && o.Asked.Symbol == symbol).Sum(o => o.Asked.Quantity.Value - o.Executed);

    private static bool IsHalfForGood(VenueErrs? fault, VenueOrder asked) => fault is { Mishap: Mishap.HalfForGood } && asked is { Limit: not null, ReduceOnly: false };

    private static VenueAnswer<OrderReport> NotThere() => Refused(Refusal.UnknownOrder, "-2013", "Order does not exist.");

    private ExchangeOrder? Last(ClientOrderId id) => _byId.TryGetValue(id, out var orders) ? orders[^1] : null;

    private static VenueAnswer<OrderReport> Refused(Refusal refusal, string code, string text) => new VenueAnswer<OrderReport>.Refused(refusal, code, text);

    private static decimal Half(VenueOrder asked)
    {
        var step = RuleOf(asked.Symbol).QuantityStep;
        return Math.Floor(asked.Quantity.Value / 2 / step) * step;
    }

    private void FillOrHalf(ExchangeOrder order)
    {
        if (!order.InParts)
        {
            FillRest(order);
            return;
        }
        order.InParts = false;
        if (order.Fault is { } fault)
            Tally.Happened(fault);
        Fill(order, Half(order.Asked), PriceOf(order.Asked.Symbol));
        if (!IsHalfForGood(order.Fault, order.Asked))
            FillLater(order);
    }

    private void FillLater(ExchangeOrder order) => _loop.At(_chance.Between(0.5, 4, "rest", Orders.Count), () => FillRest(order));

    private void FillRest(ExchangeOrder order)
    {
        if (order.IsOpen)
            Fill(order, order.Asked.Quantity.Value - order.Executed, PriceOf(order.Asked.Symbol));
    }

    private void Fill(ExchangeOrder order, decimal quantity, decimal price)
    {
        if (quantity <= 0)
            return;
        var (rule, buys) = (RuleOf(order.Asked.Symbol), order.Asked.Side == Side.Buy);
        var fee = Math.Round(quantity * (buys ? 1 : price) / 1_000, 8);
        var fill = new FillReport(
            $"{++_fills}", order.VenueId, order.Asked.Symbol, order.Asked.Side, new Quantity(quantity), new Price(price), new Money(fee), buys ? rule.BaseAsset : rule.QuoteAsset, Now);
        order.Fills.Add(fill);
        Move(fill, rule, 1);
        if (order.IsForeign)
            MovedByOthers = _loop.Now;
        order.Status = order.Executed == order.Asked.Quantity.Value ? VenueOrderStatus.Filled : VenueOrderStatus.PartiallyFilled;
        Filled(order);
        if (_busts.TryGetValue(_fills, out var bust))
        {
            BustsDue++;
            _loop.At(TimeSpan.FromSeconds(bust.AfterSeconds), () => TakeBack(order, fill, bust));
        }
    }

    /// <summary>As if it had never been: the order keeps its status, and less is executed.</summary>
    private void TakeBack(ExchangeOrder order, FillReport fill, Busted bust)
    {
        Tally.Happened(bust);
        TakenBack(order, fill);
        MovedByOthers = _loop.Now;
        BustsDue--;
        order.Fills.Remove(fill);
        order.Busted.Add(fill);
        if (fill.Side == Side.Buy)
            _lent[fill.Symbol] = _lent.GetValueOrDefault(fill.Symbol) + fill.Quantity.Value;
        Move(fill, RuleOf(order.Asked.Symbol), -1);
    }

    private void Move(FillReport fill, SymbolRules rule, int sign)
    {
        Balances[rule.BaseAsset] += sign * fill.Side.Sign() * fill.Quantity.Value;
        Balances[rule.QuoteAsset] -= sign * fill.Side.Sign() * fill.Quantity.Value * fill.Price.Value;
        Balances[fill.FeeAsset] -= sign * fill.Fee.Value;
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
        foreach (var order in Orders.Where(o => o.IsOpen && o.Status == VenueOrderStatus.Open && (o.Asked.Kind == OrderKind.Limit || o.Asked.Trigger is not null)).ToList())
        {
            var (price, sign) = (PriceOf(order.Asked.Symbol), order.Asked.Side.Sign());
            var fires = order.Asked.Trigger is { } trigger ? price * sign >= trigger.Value * sign : price * sign <= order.Asked.Limit!.Value.Value * sign;
            if (fires)
                FillOrHalf(order);
        }
        if (Orders.Exists(o => o is { IsOpen: true, Status: VenueOrderStatus.Open }))
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

    /// <summary>What it has taken back.</summary>
    public List<FillReport> Busted { get; } = [];

    /// <summary>It fills the first half alone.</summary>
    public bool InParts { get; set; }

    /// <summary>What is to go wrong with it.</summary>
    public VenueErrs? Fault { get; init; }

    /// <summary>Somebody else placed it.</summary>
    public bool IsForeign { get; init; }

    /// <summary>Somebody else cancelled it.</summary>
    public bool IsCancelledByHand { get; set; }

    public bool IsOpen => Status is VenueOrderStatus.Open or VenueOrderStatus.PartiallyFilled;

    public decimal Executed => Fills.Sum(f => f.Quantity.Value);

    public OrderReport Report(DateTimeOffset now, IReadOnlyList<FillReport> told) => new(
        Asked.Id, VenueId, Asked.Symbol, Asked.Side, Status, Asked.Quantity, new Quantity(Executed), Fills.Aggregate(Money.Zero, (m, f) => m + f.Price * f.Quantity), now, told);
}

/// <summary>One process's way to the exchange. What is on its way there arrives, whether the process lives to hear of it or not.</summary>
public sealed class SimVenue(SimExchange exchange, SimLoop loop, SimClock clock, SimContext context) : IVenue, IMarketData
{
    private readonly BestBooks _books = new();
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
        var (fault, late) = exchange.NextMishap();
        // Held up on its way, whatever it finds when it comes.
        if (late > TimeSpan.Zero)
            exchange.Tally.Happened(fault!);
        return fault switch
        {
            { Mishap: Mishap.SilenceWithoutOrder } => await AskAsync<OrderReport>(() =>
            {
                exchange.Tally.Happened(fault);
                return null;
            }),
            { Mishap: Mishap.AcceptThenSilence } => await AskAsync(() =>
            {
                if (exchange.Place(order, fault) is VenueAnswer<OrderReport>.Said)
                    exchange.Tally.Happened(fault);
                return (VenueAnswer<OrderReport>?)null;
            }),
            _ => await AskAsync(() => exchange.Place(order, fault), late),
        };
    }

    public Task<VenueAnswer<OrderReport>> FindOrderAsync(Symbol symbol, ClientOrderId order, CancellationToken cancellationToken = default) => AskAsync(() => exchange.Find(order));

    public Task<VenueAnswer<OrderReport>> FindOrderAsync(Symbol symbol, string venueOrderId, CancellationToken cancellationToken = default) => AskAsync(() => exchange.Find(venueOrderId));

    public Task<VenueAnswer<IReadOnlyList<FillReport>>> ListFillsAsync(Symbol symbol, DateTimeOffset since, CancellationToken cancellationToken = default) => AskAsync(() =>
        new VenueAnswer<IReadOnlyList<FillReport>>.Said([.. exchange.Orders.Where(o => o.Asked.Symbol == symbol).SelectMany(exchange.Told).Where(f => f.At >= since)]));

    public Task<VenueAnswer<OrderReport>> CancelAsync(Symbol symbol, ClientOrderId order, CancellationToken cancellationToken = default) => AskAsync(() => exchange.Cancel(order));

    public Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListOpenOrdersAsync(CancellationToken cancellationToken = default) => AskAsync(() =>
        new VenueAnswer<IReadOnlyList<OrderReport>>.Said([.. exchange.Orders.Where(o => o.IsOpen).Select(o => o.Report(exchange.Now, []))]));

    public Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListOpenOrdersAsync(Symbol symbol, CancellationToken cancellationToken = default) => AskAsync(() =>
        new VenueAnswer<IReadOnlyList<OrderReport>>.Said([.. exchange.Orders.Where(o => o.IsOpen && o.Asked.Symbol == symbol).Select(o => o.Report(exchange.Now, []))]));

    public Task<VenueAnswer<IReadOnlyList<FillReport>>> ListFillsAsync(Symbol symbol, string venueOrderId, CancellationToken cancellationToken = default) => AskAsync(() =>
        new VenueAnswer<IReadOnlyList<FillReport>>.Said([.. exchange.Orders.Where(o => o.VenueId == venueOrderId).SelectMany(exchange.Told)]));

    public string? LiveBar => null;

    public Task<VenueAnswer<KeyPermissions>> ReadPermissionsAsync(CancellationToken cancellationToken = default) =>
        Task.FromResult<VenueAnswer<KeyPermissions>>(new VenueAnswer<KeyPermissions>.Said(new KeyPermissions(Reads: true, Trades: true, Withdraws: false, Transfers: false, IsBoundToAddresses: true)));

    public Task<VenueAnswer<IReadOnlyList<Balance>>> ReadBalancesAsync(CancellationToken cancellationToken = default) => AskAsync(() =>
        new VenueAnswer<IReadOnlyList<Balance>>.Said(exchange.TellBalances()));

    /// <summary>What the stream tells by now is heard when somebody asks.</summary>
    public MarketPrice? Latest(Symbol symbol)
    {
        if (SimExchange.Rules.Any(r => r.Symbol == symbol) && exchange.Tells(symbol, clock.GetUtcNow()) is { } told)
            _books.Hear(told.Book, told.Number);
        return _books.Latest(symbol);
    }

    public Task<VenueAnswer<IReadOnlyList<Candle>>> ReadCandlesAsync(Symbol symbol, TimeSpan interval, int count, CancellationToken cancellationToken = default) =>
        AskAsync(() =>
        {
            var price = new Price(exchange.PriceOf(symbol));
            return new VenueAnswer<IReadOnlyList<Candle>>.Said([new Candle(symbol, interval, exchange.Now, price, price, price, price, Quantity.Zero)]);
        });

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
                exchange.Tally.Happened(away);
            else if (exchange.Limits is { } limits)
                Answer(TooMany(limits));
            else if (ask() is { } answer)
                Answer(answer);
        });
        loop.At(exchange.Patience, () => done.TrySetResult(new VenueAnswer<T>.Unknown("No answer came in time.")), context);
        return await done.Task;

        void Answer(VenueAnswer<T> answer) => loop.At(exchange.Latency(), () => done.TrySetResult(answer), context);

        VenueAnswer<T> TooMany(VenueLimits limits)
        {
            exchange.Tally.Happened(limits);
            return new VenueAnswer<T>.Refused(Refusal.RateLimited, "-1003", "Too much request weight used.");
        }
    }
}
