using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;
using Antbot.Execution;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Core.Tests.Execution;

/// <summary>
/// One trade over a network that delays, loses, repeats and shuffles everything in both directions, with a host that dies and
/// forgets what it sent. What must never happen is checked after every step.
/// </summary>
internal sealed class TradeSimulation
{
    private readonly Random _random;
    private readonly SimulatedVenue _venue;
    private readonly List<(DateTimeOffset Arrives, Action Deliver)> _underWay = [];
    private readonly List<object> _events = [];
    private readonly Signal _signal;
    private readonly ExecutionPolicy _policy;
    private DateTimeOffset _now = Given.Start;
    private OrdersState _state = OrdersState.Initial;
    private bool _isCalm;

    public TradeSimulation(int seed)
    {
        _random = new Random(seed);
        _venue = new SimulatedVenue(_random) { IsBusy = _random.Next(3) == 0 };
        var isLimit = _random.Next(3) == 0;
        _policy = Given.Policy with { HalfSizeFallback = _random.Next(2) == 0, PartialEntrySecondsMax = _random.Next(3) == 0 ? null : _random.Next(4) };
        _signal = Given.Signal(
            _random.Next(4) == 0 ? Side.Sell : Side.Buy, isLimit ? OrderKind.Limit : OrderKind.Market, _random.Next(20, 5_000), isLimit ? 65_000 : null) with { ValidUntil = Given.Start.AddSeconds(_random.Next(2) == 0 ? 30 : 90) };
    }

    public OrdersState State => _state;

    public IReadOnlyList<object> Events => _events;

    public void RunToItsEnd()
    {
        for (var step = 0; step < 120; step++)
            Step();
        _isCalm = _venue.IsCalm = true;
        Decide(stamp => new Enter(_signal, new Money(10_000), Given.Rules, new Price(65_000), _policy, stamp));
        Decide(stamp => new GetOut(Given.Trade, Given.Account, "the end", stamp));
        for (var step = 0; step < 400 && !(_state.IsDone && _underWay.Count == 0); step++)
        {
            _now += TimeSpan.FromSeconds(1);
            Deliver(everything: true);
            Drive();
            Check();
        }
        Assert.True(_state.IsDone, $"It is still {_state.Stage} with {string.Join(", ", _state.Orders.Where(o => o.IsLive).Select(o => $"{o.Id} {o.Status}"))}");
        CheckEnd();
    }

    private void Step()
    {
        _now += TimeSpan.FromMilliseconds(_random.Next(1, 1_500));
        switch (_random.Next(16))
        {
            case 0 or 1:
                Decide(stamp => new Enter(_signal, new Money(10_000), Given.Rules, new Price(65_000), _policy, stamp));
                break;
            case 2 when _random.Next(6) == 0:
                Decide(stamp => new GetOut(Given.Trade, Given.Account, "not wanted", stamp));
                break;
            case 3:
                _venue.Stir(_now);
                break;
            case 4:
                _venue.Price = 65_000 + (_venue.IsBusy ? _random.Next(-200, 100) : _random.Next(-2_000, 3_500));
                Decide(stamp => new Proceed(new Price(_venue.Price), new Price(_venue.Price), stamp));
                break;
            case 5 when _state.Orders.Count > 0 && !_venue.IsBusy:
                var order = _state.Orders[_random.Next(_state.Orders.Count)];
                Decide(stamp => new AttemptUnanswered(order.Id, order.Attempts, "nobody knows", stamp));
                break;
            case 6 when _state.Orders.Count > 0 && _random.Next(4) == 0:
                var doubted = _state.Orders[_random.Next(_state.Orders.Count)].Id;
                Decide(stamp => new Correct(doubted, "drift", "evidence", stamp));
                break;
            case 7:
                Die();
                break;
            // Operators may propose and confirm whatever they like, whenever they like.
            case 8 when _state.Orders.Count > 0 && !_venue.IsBusy && _random.Next(3) == 0:
                Settle((_state.Orders.FirstOrDefault(o => o.IsOpenAttempt) ?? _state.Orders[_random.Next(_state.Orders.Count)]).Id);
                break;
            // Anybody may ask for anything at any time, also while it is still on its way.
            case 8 when _state.Orders.Count > 0:
                Ask(_state.Orders[^1].Id);
                break;
            case < 12:
                Drive();
                break;
            default:
                Deliver(everything: false);
                break;
        }
        Check();
    }

    private void Drive()
    {
        var due = NextStep.AllOf(_state, _now, _now);
        switch (due[_random.Next(due.Count)])
        {
            case NextStep.Ask ask:
                Ask(ask.Order);
                break;
            case NextStep.Cancel cancel:
                SendCancel(cancel.Order);
                break;
            case NextStep.Revalidate step:
                Decide(stamp => new Revalidate(step.Order, _random.Next(5) == 0 && !_isCalm ? null : Given.Rules, new Price(_venue.Price), new Price(_venue.Price), stamp));
                break;
            case NextStep.Decide:
                Decide(stamp => new Proceed(null, null, stamp));
                break;
        }
    }

    /// <summary>Operators who are right: they confirm nothing that the venue has.</summary>
    private void Settle(ClientOrderId order)
    {
        Decide(stamp => new ProposeSettlement(order, Guid.Empty, "anna", "why", "evidence", stamp));
        var by = _random.Next(3) == 0 ? "anna" : "ben";
        if (_venue.Orders.All(o => o.Order.Id != order))
            Decide(stamp => new ConfirmSettlement(order, Guid.Empty, by, "why", "evidence", stamp));
    }

    private void Ask(ClientOrderId order)
    {
        var asked = _now;
        Send(() => Answer(_venue.Find(order, _now), answer => Hear(order, answer, asked)));
    }

    private void Hear(ClientOrderId order, VenueAnswer<OrderReport> answer, DateTimeOffset asked)
    {
        if (answer is VenueAnswer<OrderReport>.Said said)
            Decide(stamp => new OrderSeen(order, said.Value, stamp));
        else if (answer is VenueAnswer<OrderReport>.Refused)
            Decide(stamp => new OrderNotFound(order, asked, "-2013", stamp));
    }

    private void Decide(Func<Stamp, ExecutionInput> input)
    {
        var often = _venue.IsBusy ? 100 : 10;
        var bar = !_isCalm && _random.Next(often) == 0 ? "halted" : null;
        var hold = !_isCalm && _random.Next(often) == 0 ? "not reconciled yet" : null;
        var made = input(new Stamp(_now, Given.Window, 1, bar, hold, new Price(_venue.Price)));
        var events = ExecutionDecider.Record(_state, made, _now);
        Assert.Equal(Written(events), Written(ExecutionDecider.Record(_state, made, _now)));
        DecideAgain(events);
        Assert.True((bar ?? hold) is null || !events.OfType<OrderAttempted>().Any(a => a.Order.Role == OrderRole.Entry), "An entry was attempted that was barred or held.");
        _state = events.Aggregate(_state, OrdersState.Fold.Apply);
        _events.AddRange(events);
        foreach (var attempted in events.OfType<OrderAttempted>())
            SendOrder(attempted);
        foreach (var cancel in events.OfType<OrderCancelIntended>())
            SendCancel(cancel.Order);
    }

    private void SendOrder(OrderAttempted attempted)
    {
        var intended = _state.Find(attempted.Order)!.Intended;
        var order = new VenueOrder(
            attempted.Order, intended.Symbol, intended.Side, intended.Kind, intended.Quantity, intended.Limit, intended.Trigger, attempted.VenueTime,
            TimeSpan.FromMilliseconds(attempted.WindowMilliseconds), intended.ReduceOnly);
        if (!_isCalm && _random.Next(10) == 0)
        {
            Answer(new VenueAnswer<OrderReport>.NotSent("not sent", null), Answered);
            return;
        }
        Send(() => Answer(_venue.Place(order, _now), Answered));

        void Answered(VenueAnswer<OrderReport> answer) => Decide(stamp => new AttemptAnswered(attempted.Order, attempted.Attempt, answer, stamp));
    }

    private void SendCancel(ClientOrderId order) => Send(() => Answer(_venue.Cancel(order, _now), answer =>
    {
        if (answer is VenueAnswer<OrderReport>.Said said)
            Decide(stamp => new OrderSeen(order, said.Value, stamp));
        else if (_venue.Find(order, _now) is VenueAnswer<OrderReport>.Said found)
            Decide(stamp => new OrderSeen(order, found.Value, stamp));
    }));

    /// <summary>It reaches the venue at some time, or never.</summary>
    private void Send(Action deliver)
    {
        if (_isCalm || _random.Next(10) > 0)
            _underWay.Add((_now + TimeSpan.FromMilliseconds(_isCalm ? 0 : _random.Next(0, _venue.IsBusy ? 300 : 6_000)), deliver));
    }

    /// <summary>It comes back, or not, or twice; and a silence is at times noticed before it comes.</summary>
    private void Answer(VenueAnswer<OrderReport> answer, Action<VenueAnswer<OrderReport>> hear)
    {
        var copies = _isCalm ? 1 : _random.Next(8) switch { 0 => 0, 1 => 2, _ => 1 };
        for (var i = 0; i < copies; i++)
            _underWay.Add((_now + TimeSpan.FromMilliseconds(_isCalm ? 0 : _random.Next(0, _venue.IsBusy ? 300 : 8_000)), () => hear(answer)));
        if (!_isCalm && !_venue.IsBusy && answer is not VenueAnswer<OrderReport>.NotSent && _random.Next(5) == 0)
            _underWay.Add((_now, () => hear(new VenueAnswer<OrderReport>.Unknown("timed out"))));
    }

    private void Deliver(bool everything)
    {
        var due = _underWay.Where(u => everything || u.Arrives <= _now).ToArray();
        _random.Shuffle(due);
        foreach (var item in due.Take(everything ? due.Length : 3))
        {
            _underWay.Remove(item);
            item.Deliver();
            Check();
        }
    }

    /// <summary>All that is left is what was stored.</summary>
    private void Die()
    {
        var stored = _events.Select(e => JsonSerializer.Deserialize(JsonSerializer.SerializeToUtf8Bytes(e, e.GetType(), EventCodec.Json), e.GetType(), EventCodec.Json)!);
        var folded = stored.Aggregate(OrdersState.Initial, OrdersState.Fold.Apply);
        Assert.Equal(Json(_state), Json(folded));
        Assert.Equal(Json(_state), Json(JsonSerializer.Deserialize<OrdersState>(Json(_state), EventCodec.Json)!));
        _state = folded;
    }

    private void Check()
    {
        foreach (var orders in _venue.Orders.GroupBy(o => o.Order.Id))
            Assert.True(orders.Count() == 1, $"{orders.Key} was placed {orders.Count()} times.");
        foreach (var order in _state.Orders)
        {
            var there = _venue.Orders.SingleOrDefault(o => o.Order.Id == order.Id);
            Assert.True(order.Executed.Value <= (there?.Executed ?? 0), $"More of {order.Id} is recorded than was executed.");
            Assert.Equal(order.Fills.Count, order.Fills.Select(f => f.FillId).Distinct(StringComparer.Ordinal).Count());
        }
        var open = _venue.Orders.Where(o => o.IsOpen && o.Order.ReduceOnly).Sum(o => o.Remaining);
        Assert.True(open <= HeldAtVenue(), $"Exits of {open} are open and {HeldAtVenue()} is held.");
    }

    private void CheckEnd()
    {
        Assert.DoesNotContain(_venue.Orders, o => o.IsOpen);
        foreach (var order in _venue.Orders)
            Assert.Equal(order.Executed, _state.Find(order.Order.Id)!.Executed.Value);
        Assert.Equal(HeldAtVenue(), _state.Held());
        Assert.True(Sizing.Sellable(_state.Held(), Given.Rules, new Price(_venue.Price)) == Quantity.Zero, $"{_state.Held()} is held after the end.");
        if (_state.Stage != TradeStage.Closed)
            return;
        var closed = _events.OfType<PositionClosed>().Last();
        Assert.Equal(CashAtVenue(), closed.Realised.Value);
        Assert.Equal(closed.Left.Value, _state.Held());
    }

    private decimal HeldAtVenue() => _venue.Orders.Sum(o => o.Fills.Sum(f => o.Order.ReduceOnly
        ? -f.Quantity.Value
        : f.Quantity.Value - (f.FeeAsset == "BTC" ? f.Fee.Value : 0)));

    /// <summary>The fee of buying back is owed in the base asset, and valued at its price.</summary>
    private decimal CashAtVenue() => _venue.Orders.SelectMany(o => o.Fills.Select(f => (o.Order.ReduceOnly, Fill: f))).Sum(x => x.Fill.Side == Side.Sell
        ? (x.Fill.Price * x.Fill.Quantity).Value - x.Fill.Fee.Value
        : -(x.Fill.Price * x.Fill.Quantity).Value - (x.ReduceOnly ? x.Fill.Fee.Value * x.Fill.Price.Value : 0));

    /// <summary>With nothing but the state before, what is stored and its time: bit for bit the same.</summary>
    private void DecideAgain(IReadOnlyList<object> events)
    {
        if (events.Count == 0)
            return;
        var stored = events.Select(e => JsonSerializer.Deserialize(Json(e), e.GetType(), EventCodec.Json)!).ToList();
        var input = RecordedInput.From(stored) ?? throw new InvalidOperationException("A decision does not begin with its input.");
        Assert.Equal(Written(events), Written(ExecutionDecider.Record(_state, input, _now)));
    }

    private static string Written(IEnumerable<object> events) => string.Join('\n', events.Select(e => $"{e.GetType().Name} {Json(e)}"));

    private static string Json(object value) => JsonSerializer.Serialize(value, value.GetType(), EventCodec.Json);
}
