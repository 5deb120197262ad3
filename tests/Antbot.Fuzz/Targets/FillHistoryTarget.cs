using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;
using Antbot.Execution;
using Antbot.Kernel.Identity;
using Antbot.Reconciliation;

namespace Antbot.Fuzz.Targets;

/// <summary>
/// One trade whose orders are filled in parts, and told of in reports that come late, twice, in any order and with some of their fills
/// left out or listed twice. When the venue has been heard to the end, Execution's record and Reconciliation's book are its position,
/// to the last digit.
/// </summary>
public sealed class FillHistoryTarget : IFuzzTarget
{
    private const int EndsWithin = 500;

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly Symbol Symbol = new("BTCUSDT");
    private static readonly AccountId Account = new("main");
    private static readonly TradeId Trade = new(DeterministicId.From("fill-history"));
    private static readonly SymbolRules Rules = new(Symbol, "BTC", "USDT", 0.01m, 0.001m, new Quantity(0.001m), new Quantity(9_000), new Money(5));
    private static readonly ExecutionPolicy Policy = new(0.02m, null, 0.04m, 3_600, 3, 0.005m, 0.02m, 5, 1_000);
    private static readonly Balance[] Before = [new("USDT", 1_000_000, 0)];

    public string Name => "fill-history";

    public string What => "a trade whose fills are told late, twice, in parts and in any order";

    public int Cases => 100_000;

    /// <summary>Refused is one of which nothing was ever filled.</summary>
    public FuzzOutcome Try(Random random) => new History(random).Run();

    private sealed class History(Random random)
    {
        private readonly ExecutionPolicy _policy = Policy with { PartialEntrySecondsMax = random.Next(3) == 0 ? null : random.Next(4) };
        private readonly List<Placed> _orders = [];
        private readonly List<Func<Stamp, ExecutionInput>> _told = [];
        private readonly List<object> _events = [];
        private DateTimeOffset _now = Start;
        private OrdersState _state = OrdersState.Initial;
        private OrderBook _book = OrderBook.Empty(Account);
        private int _fills;

        public FuzzOutcome Run()
        {
            Decide(stamp => new Enter(Signal(), new Money(10_000), Rules, new Price(100), _policy, stamp));
            for (var step = random.Next(60); step > 0; step--)
                Step();
            Decide(stamp => new GetOut(Trade, Account, "the end", stamp));
            for (var step = 0; !(_state.IsDone && _told.Count == 0 && _orders.TrueForAll(o => !o.IsOpen)); step++)
            {
                if (step == EndsWithin)
                    throw new FuzzException($"it is still {_state.Stage} with {string.Join(", ", _state.Orders.Where(o => o.IsLive).Select(o => $"{o.Id} {o.Status}"))}");
                _now += TimeSpan.FromSeconds(1);
                Hear();
                Drive();
            }
            CheckRecord();
            CheckBook();
            CheckTrade();
            return _fills > 0 ? FuzzOutcome.Taken : FuzzOutcome.Refused;
        }

        private Signal Signal()
        {
            var limit = random.Next(3) == 0 ? new Price(100) : (Price?)null;
            return new Signal(
                Trade, Account, "strategy:fuzz", Symbol, Side.Buy, limit is null ? OrderKind.Market : OrderKind.Limit, new Price(100), limit, null, null, new Money(random.Next(20, 5_000)), 0.9m, Start, Start.AddSeconds(30));
        }

        private void Step()
        {
            _now += TimeSpan.FromMilliseconds(random.Next(1, 1_500));
            var open = _orders.Where(o => o.IsOpen).ToList();
            switch (random.Next(10))
            {
                case < 3 when open.Count > 0:
                    Fill(open[random.Next(open.Count)]);
                    break;
                case < 5 when _orders.Count > 0:
                    Tell(_orders[random.Next(_orders.Count)]);
                    break;
                case < 9 when _told.Count > 0:
                    Hear();
                    break;
                case 9 when random.Next(8) == 0:
                    Decide(stamp => new GetOut(Trade, Account, "not wanted", stamp));
                    break;
                default:
                    Drive();
                    break;
            }
        }

        /// <summary>A part of it, often the whole rest.</summary>
        private void Fill(Placed placed)
        {
            var rest = placed.Order.Quantity.Value - placed.Executed;
            var part = Math.Max(Rules.QuantityStep, Math.Floor(rest * random.Next(1, 6) / 5 / Rules.QuantityStep) * Rules.QuantityStep);
            var (price, buys) = (new Price(90 + random.Next(2_000) / 100m), placed.Order.Side == Side.Buy);
            var fee = random.Next(3) == 0 ? 0 : part * (buys ? 1 : price.Value) / 1_000;
            placed.Fills.Add(new FillReport($"f{++_fills}", placed.VenueId, Symbol, placed.Order.Side, new Quantity(part), price, new Money(fee), buys ? "BTC" : "USDT", _now));
            placed.Status = placed.Executed == placed.Order.Quantity.Value ? VenueOrderStatus.Filled : VenueOrderStatus.PartiallyFilled;
        }

        /// <summary>As it is at this moment, with what its list of fills happens to show; it is heard at some time, and perhaps again later.</summary>
        private void Tell(Placed placed)
        {
            var fills = placed.Fills.Where(_ => random.Next(4) > 0).ToList();
            fills.AddRange(placed.Fills.Where(_ => random.Next(6) == 0));
            var shuffled = fills.ToArray();
            random.Shuffle(shuffled);
            var report = placed.Report(_now, shuffled);
            for (var copies = random.Next(4) == 0 ? 2 : 1; copies > 0; copies--)
                _told.Add(stamp => new OrderSeen(placed.Order.Id, report, stamp));
        }

        private void Hear()
        {
            if (_told.Count == 0)
                return;
            var at = random.Next(_told.Count);
            var told = _told[at];
            _told.RemoveAt(at);
            Decide(told);
        }

        private void Drive()
        {
            switch (NextStep.Of(_state, _now, _now))
            {
                case NextStep.Ask { Order: var id }:
                    See(id);
                    break;
                case NextStep.Cancel { Order: var id }:
                    Cancel(id);
                    See(id);
                    break;
                case NextStep.Decide:
                    Decide(stamp => new Proceed(null, null, stamp));
                    break;
                default:
                    break;
            }
        }

        /// <summary>Asked for it, the venue tells all of it; what it had told before may be heard after that.</summary>
        private void See(ClientOrderId id)
        {
            var placed = _orders.Find(o => o.Order.Id == id)!;
            // At the market's price nothing rests for long.
            if (placed is { IsOpen: true, Order: { Kind: OrderKind.Market, Trigger: null } } && random.Next(3) == 0)
                Fill(placed);
            Decide(stamp => new OrderSeen(id, placed.Report(_now, placed.Fills), stamp));
        }

        private void Cancel(ClientOrderId id)
        {
            if (_orders.Find(o => o.Order.Id == id) is { IsOpen: true } placed)
                placed.Status = VenueOrderStatus.Cancelled;
        }

        private void Decide(Func<Stamp, ExecutionInput> input)
        {
            var events = ExecutionDecider.Record(_state, input(new Stamp(_now, 3_000, 1, null, null, new Price(100))), _now);
            foreach (var @event in events)
            {
                _state = OrdersState.Fold.Apply(_state, @event);
                Follow(@event);
            }
            foreach (var attempted in events.OfType<OrderAttempted>())
                Place(attempted);
            foreach (var cancel in events.OfType<OrderCancelIntended>())
            {
                Cancel(cancel.Order);
                Tell(_orders.Find(o => o.Order.Id == cancel.Order)!);
            }
        }

        private void Place(OrderAttempted attempted)
        {
            var intended = _state.Find(attempted.Order)!.Intended;
            var placed = new Placed(
                new VenueOrder(attempted.Order, Symbol, intended.Side, intended.Kind, intended.Quantity, intended.Limit, intended.Trigger, _now, TimeSpan.FromSeconds(3), intended.ReduceOnly), $"v{_orders.Count + 1}");
            _orders.Add(placed);
            while (placed.IsOpen && intended is { Kind: OrderKind.Market, Trigger: null } && random.Next(3) > 0)
                Fill(placed);
            if (random.Next(5) == 0)
                _told.Add(stamp => new AttemptUnanswered(attempted.Order, attempted.Attempt, "lost", stamp));
            else
                Tell(placed);
        }

        /// <summary>As Reconciliation follows the history, orders of a trade that was over included.</summary>
        private void Follow(object @event)
        {
            if (_book.Missing(@event) is { } missing)
            {
                var record = _events.Where(e => e is not (PositionClosed or EntryFailedRecorded)).Aggregate(OrderBook.Empty(Account), (book, e) => book.Apply(e, _now));
                _book = _book.WithMissing(record.Live[missing.Value]);
            }
            _events.Add(@event);
            // A fill that is read a second time counts once.
            for (var times = @event is OrderFilled && random.Next(8) == 0 ? 2 : 1; times > 0; times--)
                _book = _book.Apply(@event, _now);
        }

        private void CheckRecord()
        {
            foreach (var placed in _orders)
            {
                var recorded = _state.Find(placed.Order.Id)!.Fills.Select(f => f.FillId).Order(StringComparer.Ordinal);
                if (!recorded.SequenceEqual(placed.Fills.Select(f => f.FillId).Order(StringComparer.Ordinal), StringComparer.Ordinal))
                    throw new FuzzException($"of {placed.Order.Id} the venue has the fills [{string.Join(' ', placed.Fills.Select(f => f.FillId))}], the record [{string.Join(' ', recorded)}]");
            }
            if (_state.Held() != Moved("BTC"))
                throw new FuzzException($"{Moved("BTC")} BTC are held at the venue, {_state.Held()} by the record");
            if (_state.CashFlow().Value != Moved("USDT"))
                throw new FuzzException($"{Moved("USDT")} USDT have come in at the venue, {_state.CashFlow()} by the record");
        }

        private void CheckBook()
        {
            var held = new VenueAccount([], [new Balance("USDT", Before[0].Free + Moved("USDT"), 0), new Balance("BTC", Moved("BTC"), 0)], new Dictionary<Symbol, SymbolRules> { [Symbol] = Rules });
            var compared = AccountComparison.Compare(_book, held, AccountComparison.Baseline(OrderBook.Empty(Account), "fuzz", Before, 0), tolerance: 0, TimeSpan.FromSeconds(30), _now);
            if (!compared.BalancesCompared || compared.Differences.Count > 0)
                throw new FuzzException($"Reconciliation's book differs from the venue: {string.Join("; ", compared.Differences.Select(d => d.What))}");
            if (!_book.Live.IsEmpty)
                throw new FuzzException($"Reconciliation's book still has {string.Join(", ", _book.Live.Keys)}");
        }

        private void CheckTrade()
        {
            if (_events.OfType<PositionClosed>().LastOrDefault() is not { } closed)
                return;
            var verify = new VerifyTrade(Trade, Account, Symbol, Side.Buy, closed.Quantity, Closed: true, closed.Orders);
            var orders = _orders.ConvertAll(o => new SeenOrder(
                o.Order.Id, Known: true, o.VenueId, o.Order.Side, o.Status, o.Order.Quantity, new Quantity(o.Executed), Money.Zero, new Quantity(o.Fills.Where(f => f.FeeAsset == "BTC").Sum(f => f.Fee.Value)), _now));
            if (TradeCheck.Drift(new TradeSeen(verify, Guid.Empty, orders, null, null, closed.Left.Value + Rules.QuantityStep)) is { } drift)
                throw new FuzzException($"the trade is closed, and it is not right: {drift}");
        }

        private decimal Moved(string asset)
        {
            var moved = 0m;
            foreach (var fill in _orders.SelectMany(o => o.Fills))
                moved += fill.Side.Sign() * (asset == "BTC" ? fill.Quantity.Value : -fill.Quantity.Value * fill.Price.Value) - (fill.FeeAsset == asset ? fill.Fee.Value : 0);
            return moved;
        }
    }

    /// <summary>What the venue knows of an order.</summary>
    private sealed class Placed(VenueOrder order, string venueId)
    {
        public VenueOrder Order { get; } = order;

        public string VenueId { get; } = venueId;

        public VenueOrderStatus Status { get; set; } = VenueOrderStatus.Open;

        public List<FillReport> Fills { get; } = [];

        public bool IsOpen => Status is VenueOrderStatus.Open or VenueOrderStatus.PartiallyFilled;

        public decimal Executed => Fills.Sum(f => f.Quantity.Value);

        public OrderReport Report(DateTimeOffset now, IReadOnlyList<FillReport> fills) => new(
            Order.Id, VenueId, Symbol, Order.Side, Status, Order.Quantity, new Quantity(Executed), Fills.Aggregate(Money.Zero, (m, f) => m + f.Price * f.Quantity), now, fills);
    }
}
