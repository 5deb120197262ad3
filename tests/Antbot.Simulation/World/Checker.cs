using Antbot.ConsoleService;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Venue;
using Antbot.Coordinator.Core;
using Antbot.Execution;
using Antbot.Reconciliation;
using Antbot.Risk.Core;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Antbot.Signals.Core;
using Antbot.Simulation.Ports;
using Antbot.Validation.Core;
using Streams = Antbot.Contracts.Streams;

namespace Antbot.Simulation.World;

/// <summary>What must hold, at every step and at rest. It sees every commit, every publish and every order that the venue takes.</summary>
public sealed class Checker
{
    private const int QueueMax = 2_000;
    private const int AppendsMax = 500;
    private const int ItemsMax = 50_000;

    private static readonly (string Prefix, Func<object, IReadOnlyList<object>> React)[] Reactions =
    [
        (Streams.OrderPrefix, ExecutionMessages.React), (Streams.TradePrefix, TradeDecider.React), ("account-", RiskDecider.React),
        ("reconciliation-", ReconciliationDecider.React), (Streams.SignalPrefix, SignalDecider.React), ("validation-", ValidationDecider.React),
        (Streams.AuditPrefix, OperatorCommands.React),
    ];

    private readonly SimWorld _world;
    private readonly Exposures _exposures;
    private readonly Dictionary<Guid, Due> _due = [];
    private readonly Dictionary<TradeId, TradeState> _trades = [];
    private readonly Dictionary<TradeId, OrdersState> _orders = [];
    private readonly HashSet<TradeId> _approved = [];
    private readonly HashSet<TradeId> _drifted = [];
    private readonly HashSet<string> _shortOf = new(StringComparer.Ordinal);
    private readonly Dictionary<ClientOrderId, OrderIntended> _intended = [];
    private readonly Dictionary<ClientOrderId, OrderAttempted> _attempted = [];
    private readonly Dictionary<ClientOrderId, Dictionary<string, OrderFilled>> _fills = [];
    private readonly Dictionary<ClientOrderId, int> _taken = [];
    private readonly HashSet<(string Stream, string Causation)> _decided = [];
    private readonly Adoptions _adoptions;
    private readonly Doubts _doubts;
    private RiskState _account = RiskState.Initial;
    private int _unpublished;
    private ulong _hash = 14695981039346656037UL;
    private bool _halted;

    public Checker(SimWorld world)
    {
        _world = world;
        _exposures = new Exposures(world.Exchange);
        _adoptions = new Adoptions(world, Violated);
        _doubts = new Doubts(world, Violated);
        world.Disk.Committed = Committed;
        world.Broker.Published = Published;
        world.Broker.Queued = Queued;
        world.Exchange.Taken = Taken;
    }

    public List<string> Violations { get; } = [];

    /// <summary>Over everything that was committed, published and taken, in its order and at its time.</summary>
    public ulong Hash => _hash;

    /// <summary>What a stored event makes its service say; nothing for those that say nothing.</summary>
    public static IReadOnlyList<object> React(string stream, object @event)
    {
        foreach (var (prefix, react) in Reactions)
        {
            if (stream.StartsWith(prefix, StringComparison.Ordinal))
                return react(@event);
        }
        return [];
    }

    /// <summary>Orders of which Execution does not know what became, in the order of their trades' names.</summary>
    public IEnumerable<OrderState> InDoubt => _orders.OrderBy(o => o.Key.Value, StringComparer.Ordinal).SelectMany(o => o.Value.Orders).Where(o => o is { IsOpenAttempt: true, VenueOrderId: null });

    public bool HasBaseline => _adoptions.Baseline is not null;

    public bool IsAtRest() => WhyNotAtRest() is null;

    public string? WhyNotAtRest()
    {
        if (_world.Accepted.Count < _world.Wishes)
            return $"{_world.Accepted.Count} of {_world.Wishes} signals are accepted";
        foreach (var trade in _world.Accepted)
        {
            if (!_trades.TryGetValue(trade, out var state))
                return $"{trade} has not been raised";
            if (!state.IsOver)
                return $"{trade} is in phase {state.Phase}";
            // Of what the venue has taken back it is told that it is not right, and that is the end of it.
            if (state is { Phase: TradePhase.Closed, Reconciled: false } && !_drifted.Contains(trade))
                return $"{trade} is closed and not reconciled";
        }
        if (_orders.FirstOrDefault(o => !o.Value.IsDone && !_adoptions.IsKept(o.Key, o.Value)) is { Value: { } still } busy)
            return $"Execution is not done with {busy.Key}: {still.Stage}";
        if (_world.Exchange.Orders.Find(o => o.IsOpen && !_orders.Any(t => _adoptions.IsKept(t.Key, t.Value) && t.Value.Orders.Any(known => known.IsLive && known.Id == o.Asked.Id))) is { } open)
            return $"{open.Asked.Id} is open at the venue";
        if (_world.Exchange.BustsDue > 0)
            return "the venue is about to take a fill back";
        if (_world.Exchange.Orders.Find(o => o.Busted.Any(IsRecorded(o)) && !IsTold(o)) is { } busted)
            return $"the venue has taken a fill of {busted.Asked.Id} back, and nobody is told that the record is wrong";
        if (_adoptions.WhyNotAtRest() is { } why)
            return why;
        // That something is missing is found while nothing is under way.
        if (!_adoptions.IsOurs && Unexplained() is { } unexplained)
            return unexplained;
        if (_world.Broker.DeadLetters.FirstOrDefault(l => !l.Replayed) is { } letter)
            return $"{letter.Message.Body.GetType().Name} to {letter.Message.Endpoint} was given up: {letter.Reason}";
        if (_world.Broker.UnderWay > 0)
            return $"{_world.Broker.UnderWay} messages are under way";
        return _unpublished == 0 ? null : $"committed and not published: {_due.Values.First(d => !d.Queued)}";
    }

    /// <summary>Nothing grows without a limit, whatever goes wrong.</summary>
    public void CheckQueues()
    {
        Bound("messages are in one queue", _world.Broker.LongestQueue, QueueMax);
        Bound("appends are under way", _world.Disk.UnderWay, AppendsMax);
        Bound("things are about to happen", _world.Loop.Waiting, ItemsMax);

        void Bound(string what, int there, int most)
        {
            if (there > most)
                Violated($"{there} {what}; {most} are the limit");
        }
    }

    public void AtRest()
    {
        foreach (var letter in _world.Broker.DeadLetters.Where(l => l.Reason != SimBroker.TooOften))
            Violated($"dead letter: {letter.Message.Body} because {letter.Reason}");
        var open = _orders.Values.Where(o => o.Stage is TradeStage.Open or TradeStage.Closing).Sum(o => o.Position!.Cost.Value);
        if (_account.Reserved != 0 || _account.Open != open)
            Violated($"{_account.Reserved} are reserved and {_account.Open} open by Risk's books; trades that have cost {open} are");
        CheckCounts();
        CheckFills();
        CheckBalances();
        new Replay(_world, id => _due.GetValueOrDefault(id)?.Message.Body, StateOf, Violated).Check();
    }

    private void Violated(string what) => Violations.Add($"at {_world.Loop.Seconds:0.000} s: {what}");

    private void Committed(IReadOnlyList<StoredEvent> events)
    {
        // One effect of one input, for each consumer: each consumer has streams of its own.
        if (events[0] is { CausationId: { } cause } first && !_decided.Add((first.Stream, cause)))
            Violated($"{first.Stream} was decided on twice because of {cause}");
        foreach (var stored in events)
        {
            Mix(stored.EventId, stored.Sequence);
            _world.Tally.Tell?.Invoke($"{stored.Sequence,6} {stored.Stream} {stored.Version}: {_world.Codec.Decode(stored)}");
            var @event = _world.Codec.Decode(stored);
            foreach (var message in Outgoing.From([stored], _world.Codec, e => React(stored.Stream, e)))
            {
                _due[message.Id] = new Due(message, stored);
                _unpublished++;
            }
            Look(stored, @event);
        }
    }

    private void Look(StoredEvent stored, object @event)
    {
        _doubts.Look(@event);
        _adoptions.Look(@event);
        switch (@event)
        {
            case ActivitySet e:
                _halted = e.Activity != Activity.Active;
                break;
            case ExposureReserved e:
                _approved.Add(e.Trade);
                _exposures.Reserved(e.Trade, e.Reserved.Value);
                CheckExposure($"{e.Trade} was approved");
                break;
            case OrderIntended e:
                _intended[e.Order] = e;
                break;
            case OrderAdopted e:
                _intended[e.Order] = e.ToIntent();
                break;
            case OrderAttempted e:
                Attempted(e);
                break;
            case OrderFilled e:
                Filled(e);
                break;
            case OrderFillBusted e:
                if (!_fills[e.Fill.Order].Remove(e.Fill.FillId))
                    Violated($"fill {e.Fill.FillId} of {e.Fill.Order} was taken back and had not been recorded");
                _world.Tally.Happened("a fill recorded as taken back");
                break;
            case PositionOpened e:
                _exposures.Opened(e.Trade, e.Cost.Value);
                break;
            case PositionClosed e:
                _exposures.Over(e.Trade);
                break;
            case EntryFailedRecorded e:
                _exposures.Over(e.Trade);
                break;
            case TradeDrifted e:
                _drifted.Add(e.Verify.Trade);
                break;
            case OrderSettled e:
                _world.Tally.Happened("an order that two operators settled");
                if (_world.Operators.WhoSaid(e.Request) == e.ProposedBy)
                    Violated($"{e.Order} was settled by {e.ProposedBy} alone");
                break;
            case DifferenceFound { Kind: DifferenceKind.Balance } e:
                _shortOf.Add(e.Subject);
                break;
            default:
                // Nothing that is looked at by itself.
                break;
        }
        if (stored.Stream.StartsWith("account-", StringComparison.Ordinal))
        {
            _account = RiskState.Fold.Apply(_account, @event);
            if (@event is ExposureReserved && _account.Reserved + _account.Open > SimWorld.Limits.ExposureMax.Value)
                Violated($"{_account.Reserved} reserved and {_account.Open} open are above the limit of {SimWorld.Limits.ExposureMax}");
        }
        else if (stored.Stream.StartsWith(Streams.OrderPrefix, StringComparison.Ordinal))
        {
            var trade = TradeId.From(stored.Stream[Streams.OrderPrefix.Length..]);
            _orders[trade] = OrdersState.Fold.Apply(_orders.GetValueOrDefault(trade, OrdersState.Initial), @event);
        }
        else if (stored.Stream.StartsWith(Streams.TradePrefix, StringComparison.Ordinal))
        {
            var trade = TradeId.From(stored.Stream[Streams.TradePrefix.Length..]);
            var before = _trades.GetValueOrDefault(trade, TradeState.Initial);
            var after = _trades[trade] = TradeState.Fold.Apply(before, @event);
            if (before.IsOver && after.Phase != before.Phase)
                Violated($"{trade} went from {before.Phase} to {after.Phase}");
            if (after.Phase < before.Phase)
                Violated($"{trade} went back from {before.Phase} to {after.Phase}");
        }
    }

    private void Attempted(OrderAttempted e)
    {
        if (e.Order.Role == OrderRole.Entry)
        {
            if (_halted)
                Violated($"an attempt at the entry {e.Order} was committed after a halt");
            if (_intended[e.Order].ValidUntil <= e.VenueTime)
                Violated($"an attempt at the entry {e.Order} was made after it was valid");
        }
        else if (_halted)
        {
            _world.Tally.Happened($"an attempt at a {(e.Order.Role == OrderRole.Stop ? "stop" : "way out")} while halted");
        }
        _attempted[e.Order] = e;
    }

    private void Filled(OrderFilled e)
    {
        if (!_fills.TryGetValue(e.Order, out var fills))
            _fills[e.Order] = fills = new Dictionary<string, OrderFilled>(StringComparer.Ordinal);
        if (!fills.TryAdd(e.FillId, e))
            Violated($"fill {e.FillId} of {e.Order} was recorded twice");
        if (e.Order.Trade is { } trade && _orders.TryGetValue(trade, out var orders) && orders.Stage is TradeStage.Closed or TradeStage.Failed)
            _world.Tally.Happened("a fill recorded although its trade was over");
    }

    private void Published(OutboundMessage message)
    {
        Mix(message.Id, _world.Loop.Ticks);
        _world.Tally.Tell?.Invoke($"     > {message.Endpoint} is told {message.Body}");
        if (!_due.ContainsKey(message.Id))
            Violated($"{message.Body.GetType().Name} was published before the event that it follows from was committed");
    }

    private void Queued(OutboundMessage message)
    {
        if (!_due.TryGetValue(message.Id, out var due) || due.Queued)
            return;
        due.Queued = true;
        _unpublished--;
    }

    private void Taken(ExchangeOrder order)
    {
        var id = order.Asked.Id;
        Mix(Guid.Empty, _world.Loop.Ticks);
        _world.Tally.Tell?.Invoke($"     $ the venue takes {order.Asked}");
        // What somebody else has cancelled, and the venue has forgotten as well, leaves no trace.
        if ((_taken[id] = _taken.GetValueOrDefault(id) + 1) > 1 + _world.Exchange.Orders.Count(o => o.Asked.Id == id && o.IsCancelledByHand))
            Violated($"{id} was placed {_taken[id]} times");
        if (!_attempted.TryGetValue(id, out var attempt))
            Violated($"{id} was sent before an attempt was recorded");
        else if (order.TakenAt > attempt.VenueTime + TimeSpan.FromMilliseconds(attempt.WindowMilliseconds))
            Violated($"{id} was taken after its window");
        if (id.Trade is { } of)
        {
            if (id.Role == OrderRole.Entry && _exposures.OrdersOf(of).FirstOrDefault(o => o.Asked.Id.Role == OrderRole.Entry) is { } other)
                Violated($"{of} was entered with {other.Asked.Id} and again with {id}");
            _exposures.Taken(of, order);
        }
        if (id.Role != OrderRole.Entry)
            return;
        if (id.Trade is not { } trade || !_approved.Contains(trade))
            Violated($"the entry {id} was never approved");
        CheckExposure($"the venue took {id}");
    }

    private void CheckExposure(string when)
    {
        if (_exposures.Sum() is var sum && sum > SimWorld.Limits.ExposureMax.Value)
            Violated($"when {when}, {sum} could be lost: the limit is {SimWorld.Limits.ExposureMax}");
    }

    /// <summary>Nothing is dropped in silence: whatever was taken over has an end, and only one.</summary>
    private void CheckCounts()
    {
        var ends = _world.Accepted.GroupBy(t => _trades[t].Phase).ToDictionary(g => g.Key, g => g.Count());
        var over = ends.Where(e => TradeState.IsTerminal(e.Key)).Sum(e => e.Value);
        if (over != _world.Accepted.Count || _trades.Count != _world.Accepted.Count + _adoptions.Trades.Count)
            Violated($"{_world.Accepted.Count} signals were accepted and {_adoptions.Trades.Count} positions adopted, {_trades.Count} became trades, and {over} of the accepted are over");
        var broker = _world.Broker;
        if (broker.Arrived != broker.Handled + broker.Dropped + broker.DeadLetters.Count)
            Violated($"{broker.Arrived} messages came; {broker.Handled} were handled, {broker.Dropped} lost before they were confirmed, {broker.DeadLetters.Count} given up");
        foreach (var (phase, count) in ends)
            _world.Tally.Happened($"trades that ended {phase}", count);
    }

    /// <summary>What is recorded is what the venue has: every fill, once; and nothing is held but what cannot be sold.</summary>
    private void CheckFills()
    {
        foreach (var order in _world.Exchange.Orders.Where(o => (!o.IsForeign || _intended.ContainsKey(o.Asked.Id)) && !(o.IsCancelledByHand && o.Fills.Count == 0)))
        {
            var recorded = _fills.GetValueOrDefault(order.Asked.Id)?.Keys.ToHashSet(StringComparer.Ordinal) ?? [];
            recorded.ExceptWith(order.Busted.Select(f => f.FillId));
            if (!recorded.SetEquals(order.Fills.Select(f => f.FillId)))
                Violated($"{order.Asked.Id} has the fills [{string.Join(' ', order.Fills.Select(f => f.FillId))}] at the venue and [{string.Join(' ', recorded)}] in the store");
        }
        foreach (var (trade, orders) in _orders)
        {
            if (orders.Plan is not { } plan)
                continue;
            var rule = SimExchange.RuleOf(plan.Signal.Symbol);
            // What it took over or lost without an order of ours is in the account's books alone.
            var moved = _exposures.OrdersOf(trade).Concat(_world.Exchange.Orders.Where(o => o.IsForeign && orders.Find(o.Asked.Id) is not null))
                .SelectMany(o => o.Fills.Concat(o.Busted.Where(IsRecorded(o)))).Sum(f => f.Side.Sign() * f.Quantity.Value - (f.FeeAsset == rule.BaseAsset ? f.Fee.Value : 0));
            var held = moved + _adoptions.Of(trade) - orders.WrittenOff;
            if (held != orders.Held())
                Violated($"{held} {rule.BaseAsset} of {trade} are held at the venue, {orders.Held()} by the record");
            if (!orders.IsDone)
                continue;
            // What was sold before the venue took back what had been bought cannot be unsold: that much may be missing, and somebody is told.
            var missing = _exposures.OrdersOf(trade).Where(IsTold).SelectMany(o => o.Busted).Where(f => f.Side == plan.Signal.Side).Sum(f => f.Quantity.Value);
            if (held < -missing || held * _world.Exchange.PriceOf(rule.Symbol) > rule.NotionalMin.Value + 0.1m)
                Violated($"{held} {rule.BaseAsset} are left of {trade}");
        }
    }

    private void CheckBalances()
    {
        if (Unexplained() is { } unexplained)
            Violated(unexplained);
    }

    /// <summary>
    /// The account holds what it began with, what the recorded fills have moved, and what was taken over. Where somebody else has moved
    /// something, or the venue has taken a fill back, what is less than the tolerance is nobody's concern.
    /// </summary>
    private string? Unexplained()
    {
        var expected = _adoptions.Expected(SimExchange.Start);
        foreach (var fill in _fills.Values.SelectMany(f => f.Values))
        {
            var intended = _intended[fill.Order];
            var (rule, sign) = (SimExchange.RuleOf(intended.Symbol), intended.Side.Sign());
            expected[rule.BaseAsset] += sign * fill.Quantity.Value;
            expected[rule.QuoteAsset] -= sign * fill.Quantity.Value * fill.Price.Value;
            expected[fill.FeeAsset] -= fill.Fee.Value;
        }
        var tolerance = _adoptions.IsOurs ? 0 : SimProcess.Reconciling.Tolerance;
        foreach (var (asset, amount) in _world.Exchange.Balances)
        {
            if (Math.Abs(expected.GetValueOrDefault(asset) - amount) > tolerance)
                return $"the venue holds {amount} {asset}, the record {expected.GetValueOrDefault(asset)}";
        }
        return null;
    }

    private Func<FillReport, bool> IsRecorded(ExchangeOrder order) => fill => _fills.TryGetValue(order.Asked.Id, out var fills) && fills.ContainsKey(fill.FillId);

    private bool IsTold(ExchangeOrder order) =>
        (order.Asked.Id.Trade is { } trade && _drifted.Contains(trade)) || _shortOf.Contains(SimExchange.RuleOf(order.Asked.Symbol).BaseAsset);

    /// <summary>As it was folded while it happened, to be held against a fold from the beginning; null where none was kept.</summary>
    private object? StateOf(string stream) => stream switch
    {
        _ when stream.StartsWith(Streams.TradePrefix, StringComparison.Ordinal) => _trades[TradeId.From(stream[Streams.TradePrefix.Length..])],
        _ when stream.StartsWith(Streams.OrderPrefix, StringComparison.Ordinal) => _orders[TradeId.From(stream[Streams.OrderPrefix.Length..])],
        _ when stream.StartsWith("account-", StringComparison.Ordinal) => _account,
        _ => null,
    };

    private void Mix(Guid id, long number)
    {
        Span<byte> bytes = stackalloc byte[24];
        id.TryWriteBytes(bytes);
        BitConverter.TryWriteBytes(bytes[16..], number);
        foreach (var b in bytes)
            _hash = (_hash ^ b) * 1099511628211UL;
    }

    /// <summary>A message that follows from a committed event.</summary>
    private sealed class Due(OutboundMessage message, StoredEvent stored)
    {
        public OutboundMessage Message { get; } = message;

        public bool Queued { get; set; }

        public override string ToString() => $"{Message.Body.GetType().Name} to {Message.Endpoint} of {stored.Type} in {stored.Stream}";
    }
}
