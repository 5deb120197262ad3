using System.Runtime.InteropServices;
using Antbot.ConsoleService;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;
using Antbot.Coordinator.Core;
using Antbot.Execution;
using Antbot.Forensics;
using Antbot.Kernel.Control;
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
    // Each is two to three times the most that ten thousand seeds have ever had.
    private const int QueueMax = 300;
    private const int UnderWayMax = 1_000;
    private const int AppendsMax = 64;
    private const int WaitersMax = 16;
    private const int ItemsMax = 2_000;

    private const string TakenBackUntold = "a fill taken back before anybody was told of it";

    private const string FillWhileHalted = "a fill recorded while halted";
    private const string StopWhileHalted = "an attempt at a stop while halted";
    private const string WayOutWhileHalted = "an attempt at a way out while halted";
    private const string CancelWhileHalted = "an order that the venue took back while halted";

    /// <summary>What must go on whatever is halted: where it never does, it was never tried.</summary>
    public static IReadOnlyList<string> MustHappen { get; } = [Protections.Cut, FillWhileHalted, StopWhileHalted, WayOutWhileHalted, CancelWhileHalted];

    private static readonly (string Prefix, Func<object, IReadOnlyList<object>> React)[] Reactions =
    [
        (Streams.OrderPrefix, ExecutionMessages.React), (Streams.TradePrefix, TradeDecider.React), (Streams.AccountPrefix, RiskDecider.React),
        (Streams.ReconciliationPrefix, ReconciliationDecider.React), (Streams.SignalPrefix, SignalDecider.React), (Streams.ValidationPrefix, ValidationDecider.React),
        (Streams.AuditPrefix, OperatorCommands.React),
    ];

    private static readonly string[] Owners = [Streams.OrderPrefix, Streams.TradePrefix, Streams.AccountPrefix, Streams.ReconciliationPrefix, Streams.ValidationPrefix];

    private readonly SimWorld _world;
    private readonly Exposures _exposures;
    private readonly Dictionary<Guid, Due> _due = [];
    private readonly Dictionary<TradeId, TradeState> _trades = [];
    private readonly Dictionary<TradeId, OrdersState> _orders = [];
    private readonly Dictionary<TradeId, ExposureReserved> _approved = [];
    private readonly Dictionary<TradeId, Signal> _signals = [];
    private readonly Dictionary<string, SymbolMemory> _memories = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ReconciliationState> _reconciled = new(StringComparer.Ordinal);
    private readonly Dictionary<Guid, IReadOnlyList<object>> _reactions = [];
    private readonly HashSet<TradeId> _drifted = [];
    private readonly HashSet<string> _shortOf = new(StringComparer.Ordinal);
    private readonly Dictionary<ClientOrderId, OrderIntended> _intended = [];
    private readonly Dictionary<ClientOrderId, OrderAttempted> _attempted = [];
    private readonly Dictionary<ClientOrderId, Dictionary<string, OrderFilled>> _fills = [];
    private readonly Dictionary<ClientOrderId, int> _taken = [];
    private readonly HashSet<(string Owner, string Causation)> _decided = [];
    private readonly HashSet<string> _recorded = new(StringComparer.Ordinal);
    private readonly Adoptions _adoptions;
    private readonly Doubts _doubts;
    private readonly Protections _protections;
    private RiskState _account = RiskState.Initial;
    private ControlState _control = ControlState.Initial;
    private int _unpublished;
    private ulong _hash = 14695981039346656037UL;
    private bool _halted;

    public Checker(SimWorld world)
    {
        _world = world;
        _exposures = new Exposures(world.Exchange, IsRecorded);
        _adoptions = new Adoptions(world, Violated);
        _doubts = new Doubts(world, Violated);
        _protections = new Protections(world, Violated);
        Letters = new Letters(world, Violated);
        world.Disk.Committed = Committed;
        world.Broker.Published = Published;
        world.Broker.Queued = Queued;
        world.Broker.SentAgain = SentAgain;
        world.Broker.Letters.Moved = Letters.Moved;
        world.Broker.Letters.Taken = Letters.Taken;
        world.Exchange.Taken = Taken;
        world.Exchange.Filled = FilledThere;
        world.Exchange.Cancelled = CancelledThere;
        world.Exchange.TakenBack = TakenBackThere;
    }

    internal Letters Letters { get; }

    public List<Violation> Violations { get; } = [];

    /// <summary>Over everything that was committed, published and taken, in its order and at its time.</summary>
    public ulong Hash => _hash;

    /// <summary>The stored names of all that was committed.</summary>
    public IReadOnlyCollection<string> Recorded => _recorded;

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

    /// <summary>It has begun and is not over.</summary>
    internal bool GoesOn(TradeId trade) => _trades.TryGetValue(trade, out var state) && !state.IsOver;

    public bool HasBaseline => _adoptions.Baseline is not null;

    /// <summary>What is still missing, or null.</summary>
    public Violation? WhyNotAtRest()
    {
        if (_world.Accepted.Count < _world.Wishes)
            return Missing($"{_world.Accepted.Count} of {_world.Wishes} signals are accepted");
        foreach (var trade in _world.Accepted)
        {
            if (!_trades.TryGetValue(trade, out var state))
                return Missing($"{trade} has not been raised");
            if (!state.IsOver)
                return Missing($"{trade} is in phase {state.Phase}");
            // Of what the venue has taken back it is told that it is not right, and that is the end of it.
            if (state is { Phase: TradePhase.Closed, Reconciled: false } && !_drifted.Contains(trade))
                return Missing($"{trade} is closed and not reconciled", Invariant.Reconciled);
        }
        if (_orders.FirstOrDefault(o => !o.Value.IsDone && !_adoptions.IsKept(o.Key, o.Value)) is { Value: { } still } busy)
            return Missing($"Execution is not done with {busy.Key}: {still.Stage}");
        if (_world.Exchange.Orders.Find(o => o.IsOpen && !_orders.Any(t => _adoptions.IsKept(t.Key, t.Value) && t.Value.Orders.Any(known => known.IsLive && known.Id == o.Asked.Id))) is { } open)
            return Missing($"{open.Asked.Id} is open at the venue");
        if (_world.Exchange.BustsDue > 0)
            return Missing("the venue is about to take a fill back");
        if (_world.Exchange.Orders.Find(o => o.Busted.Any(IsRecorded(o)) && !IsTold(o)) is { } busted)
            return Missing($"the venue has taken a fill of {busted.Asked.Id} back, and nobody is told that the record is wrong", Invariant.Reconciled);
        if (_adoptions.WhyNotAtRest() is { } why)
            return Missing(why, Invariant.Remedied);
        // That something is missing is found while nothing is under way.
        if (!_adoptions.IsOurs && Unexplained() is { } unexplained)
            return Missing(unexplained, Invariant.BooksAgree);
        if (Letters.WhyNotAtRest() is { } letter)
            return Missing(letter, Invariant.NothingDropped);
        if (_world.Broker.UnderWay > 0)
            return Missing($"{_world.Broker.UnderWay} messages are under way");
        return _unpublished == 0 ? null : Missing($"committed and not published: {_due.Values.First(d => !d.Queued)}", Invariant.CommittedIsPublished);

        static Violation Missing(string what, Invariant broken = Invariant.ComesToRest) => new(broken, what);
    }

    /// <summary>Now and then: nothing grows without a limit, whatever goes wrong, and nothing is held for long without a stop.</summary>
    public void LookAround()
    {
        _protections.Check();
        Bound("messages were in one queue", _world.Broker.QueueMost, QueueMax);
        Bound("messages were under way", _world.Broker.UnderWayMost, UnderWayMax);
        Bound("messages lay with one process", _world.Broker.DeliveriesMost, SimBroker.Prefetch);
        Bound("appends were under way", _world.Disk.UnderWayMost, AppendsMax);
        Bound("waited for an append", _world.Disk.WaitingMost, WaitersMax);
        Bound("things were about to happen", _world.Loop.WaitingMost, ItemsMax);

        void Bound(string what, int there, int most)
        {
            if (there > most)
                Violated(Invariant.QueuesBounded, $"{there} {what}; {most} are the limit");
        }
    }

    public void AtRest()
    {
        Letters.AtRest();
        var open = _orders.Values.Where(o => o.Stage is TradeStage.Open or TradeStage.Closing).Sum(o => o.Position!.Cost.Value);
        if (_account.Reserved != 0 || _account.Open != open)
            Violated(Invariant.BooksAgree, $"{_account.Reserved} are reserved and {_account.Open} open by Risk's books; trades that have cost {open} are");
        CheckCounts();
        CheckFills();
        CheckBalances();
        _protections.AtRest();
        new Replay(_world, id => _reactions.GetValueOrDefault(id) ?? [], StateOf, Violated).Check();
    }

    public void Violated(Invariant broken, string what) => Violations.Add(new Violation(broken, $"at {_world.Loop.Seconds:0.000} s: {what}"));

    private void Committed(IReadOnlyList<StoredEvent> events)
    {
        // One effect of one input, for each consumer: each consumer has streams of its own.
        if (events[0] is { CausationId: { } cause } first && !_decided.Add((OwnerOf(first.Stream), cause)))
            Violated(Invariant.OneEffect, $"{first.Stream} was decided on twice because of {cause}");
        foreach (var stored in events)
        {
            Mix(stored.EventId, stored.Sequence);
            _recorded.Add(stored.Type);
            // Ids are made from inputs: what was decided on them shows only here.
            foreach (var part in MemoryMarshal.Cast<byte, ulong>(stored.Data.Span))
                _hash = (_hash ^ part) * 1099511628211UL;
            _world.Tally.Tell?.Invoke($"{stored.Sequence,6} {stored.Stream} {stored.Version}: {_world.Codec.Decode(stored)}");
            var @event = _world.Codec.Decode(stored);
            var said = React(stored.Stream, @event);
            if (said.Count > 0)
                Expect(stored, said);
            Look(stored, @event);
        }
    }

    /// <summary>Whose stream it is: an endpoint's, which decides once on a message and not once in each of its streams, or one of its own.</summary>
    private static string OwnerOf(string stream)
    {
        foreach (var prefix in Owners)
        {
            if (stream.StartsWith(prefix, StringComparison.Ordinal))
                return prefix;
        }
        return stream;
    }

    private void Expect(StoredEvent stored, IReadOnlyList<object> said)
    {
        _reactions[stored.EventId] = said;
        foreach (var message in Outgoing.From([stored], _world.Codec, _ => said))
        {
            _due[message.Id] = new Due(message, stored);
            _unpublished++;
        }
    }

    private void Look(StoredEvent stored, object @event)
    {
        _doubts.Look(@event);
        _adoptions.Look(@event);
        if (_world.HasConsole)
            Letters.Look(stored, @event);
        switch (@event)
        {
            case ActivitySet e:
                _halted = e.Activity != Activity.Active;
                break;
            case SignalRecorded e:
                _signals[e.Signal.Trade] = e.Signal;
                break;
            case ExposureReserved e:
                Approved(e);
                _exposures.Reserved(e);
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
                if (!_fills.TryGetValue(e.Fill.Order, out var fills) || !fills.Remove(e.Fill.FillId))
                    Violated(Invariant.FillsOnce, $"fill {e.Fill.FillId} of {e.Fill.Order} was taken back and had not been recorded");
                _world.Tally.Happened("a fill recorded as taken back");
                break;
            case OrderCancelIntended e:
                _protections.Look(e, e.Order.Trade is { } of ? _orders.GetValueOrDefault(of) : null);
                break;
            case PositionOpened e:
                _exposures.Opened(e.Trade, e.Cost.Value);
                break;
            case PositionWrittenOff e:
                _exposures.WrittenOff(e.Trade, e.Quantity);
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
                    Violated(Invariant.TwoOperators, $"{e.Order} was settled by {e.ProposedBy} alone");
                break;
            case DifferenceFound { Kind: DifferenceKind.Balance } e:
                _shortOf.Add(e.Subject);
                break;
            default:
                // Nothing that is looked at by itself.
                break;
        }
        if (stored.Stream.StartsWith(Streams.AccountPrefix, StringComparison.Ordinal))
        {
            _account = RiskState.Fold.Apply(_account, @event);
            if (@event is ExposureReserved && _account.Reserved + _account.Open > SimWorld.Limits.ExposureMax.Value)
                Violated(Invariant.Exposure, $"{_account.Reserved} reserved and {_account.Open} open are above the limit of {SimWorld.Limits.ExposureMax}");
        }
        else if (stored.Stream.StartsWith(Streams.OrderPrefix, StringComparison.Ordinal))
        {
            var trade = TradeId.From(stored.Stream[Streams.OrderPrefix.Length..]);
            _orders[trade] = OrdersState.Fold.Apply(_orders.GetValueOrDefault(trade, OrdersState.Initial), @event);
        }
        else if (stored.Stream.StartsWith(Streams.ValidationPrefix, StringComparison.Ordinal))
        {
            _memories[stored.Stream] = SymbolMemory.Fold.Apply(_memories.GetValueOrDefault(stored.Stream, SymbolMemory.Initial), @event);
        }
        else if (stored.Stream.StartsWith(Streams.ReconciliationPrefix, StringComparison.Ordinal))
        {
            _reconciled[stored.Stream] = ReconciliationState.Fold.Apply(_reconciled.GetValueOrDefault(stored.Stream, ReconciliationState.Initial), @event);
        }
        else if (stored.Stream == Streams.Control.Value)
        {
            _control = ControlState.Fold.Apply(_control, @event);
        }
        else if (stored.Stream.StartsWith(Streams.TradePrefix, StringComparison.Ordinal))
        {
            var trade = TradeId.From(stored.Stream[Streams.TradePrefix.Length..]);
            var before = _trades.GetValueOrDefault(trade, TradeState.Initial);
            var after = _trades[trade] = TradeState.Fold.Apply(before, @event);
            if (before.IsOver && after.Phase != before.Phase)
                Violated(Invariant.PhasesGoForward, $"{trade} went from {before.Phase} to {after.Phase}");
            if (after.Phase < before.Phase)
                Violated(Invariant.PhasesGoForward, $"{trade} went back from {before.Phase} to {after.Phase}");
        }
    }

    private void Attempted(OrderAttempted e)
    {
        if (e.Order.Role == OrderRole.Entry)
        {
            if (_halted)
                Violated(Invariant.HaltHolds, $"an attempt at the entry {e.Order} was committed after a halt");
            if (ValidUntil(e.Order) <= e.VenueTime)
                Violated(Invariant.Fresh, $"an attempt at the entry {e.Order} was made after it was valid");
            if (e.Order.Trade is { } trade && _trades.TryGetValue(trade, out var state) && state.IsOver)
                Violated(Invariant.PhasesGoForward, $"an attempt at the entry {e.Order} was made after its trade was {state.Phase}");
        }
        else if (_halted)
        {
            _world.Tally.Happened(e.Order.Role == OrderRole.Stop ? StopWhileHalted : WayOutWhileHalted);
        }
        _attempted[e.Order] = e;
    }

    private void Filled(OrderFilled e)
    {
        if (!_fills.TryGetValue(e.Order, out var fills))
            _fills[e.Order] = fills = new Dictionary<string, OrderFilled>(StringComparer.Ordinal);
        if (!fills.TryAdd(e.FillId, e))
            Violated(Invariant.FillsOnce, $"fill {e.FillId} of {e.Order} was recorded twice");
        if (e.Order.Trade is { } trade && _orders.TryGetValue(trade, out var orders) && orders.Stage is TradeStage.Closed or TradeStage.Failed)
            _world.Tally.Happened("a fill recorded although its trade was over");
        if (e.Order.Trade is { } of && _trades.TryGetValue(of, out var known) && known is { Phase: TradePhase.Closed, Reconciled: true })
            _world.Tally.Happened("a fill recorded although its trade was reconciled");
        if (_halted)
            _world.Tally.Happened(FillWhileHalted);
    }

    private void Published(OutboundMessage message)
    {
        Mix(message.Id, _world.Loop.Ticks);
        _world.Tally.Tell?.Invoke($"     > {message.Endpoint} is told {message.Body}");
        if (!_due.TryGetValue(message.Id, out var due))
            Violated(Invariant.PublishedIsCommitted, $"{message.Body.GetType().Name} was published before the event that it follows from was committed");
        else if (!due.IsSaidBy(message))
            Violated(Invariant.PublishedIsCommitted, $"{message} was published, where {due.Message} follows from what was committed");
    }

    private void SentAgain(OutboundMessage message, string replay)
    {
        Mix(message.Id, _world.Loop.Ticks);
        _world.Tally.Tell?.Invoke($"     > {message.Endpoint} is told once more {message.Body}, replay {replay}");
        if (Letters.FaultOf(message, replay) is { } fault)
            Violated(Invariant.SentAsItWas, fault);
        else if (_due.TryGetValue(message.Id, out var due) && !due.IsSaidBy(message))
            Violated(Invariant.SentAsItWas, $"{message} was sent once more, where it had been {due.Message}");
    }

    private void Queued(OutboundMessage message)
    {
        if (!_due.TryGetValue(message.Id, out var due) || due.Queued)
            return;
        due.Queued = true;
        _unpublished--;
    }

    private void CancelledThere(ExchangeOrder order)
    {
        _world.Tally.Tell?.Invoke($"     $ the venue takes back {order.Asked}");
        if (_halted)
            _world.Tally.Happened(CancelWhileHalted);
    }

    private void Taken(ExchangeOrder order)
    {
        var id = order.Asked.Id;
        Mix(Guid.Empty, _world.Loop.Ticks);
        _world.Tally.Tell?.Invoke($"     $ the venue takes {order.Asked}");
        // What somebody else has cancelled, and the venue has forgotten as well, leaves no trace.
        if ((_taken[id] = _taken.GetValueOrDefault(id) + 1) > 1 + _world.Exchange.Orders.Count(o => o.Asked.Id == id && o.IsCancelledByHand))
            Violated(Invariant.OneOrder, $"{id} was placed {_taken[id]} times");
        if (!_attempted.TryGetValue(id, out var attempt))
            Violated(Invariant.RecordedFirst, $"{id} was sent before an attempt was recorded");
        else if (order.TakenAt > attempt.VenueTime + TimeSpan.FromMilliseconds(attempt.WindowMilliseconds))
            Violated(Invariant.InWindow, $"{id} was taken after its window");
        if (_intended.TryGetValue(id, out var intended) && !IsAsIntended(order.Asked, intended))
            Violated(Invariant.AsIntended, $"the venue took {order.Asked}, where {intended} was intended");
        if (id.Trade is { } of)
        {
            if (id.Role == OrderRole.Entry && _exposures.OrdersOf(of).FirstOrDefault(o => o.Asked.Id.Role == OrderRole.Entry) is { } other)
                Violated(Invariant.OneOrder, $"{of} was entered with {other.Asked.Id} and again with {id}");
            _exposures.Taken(of, order);
        }
        if (id.Role != OrderRole.Entry)
            return;
        if (ValidUntil(id) < order.TakenAt)
            Violated(Invariant.Fresh, $"the entry {id} was taken after its signal was valid, which was until {ValidUntil(id):O}");
        if (id.Trade is not { } trade || !_approved.TryGetValue(trade, out var approval))
            Violated(Invariant.Approved, $"the entry {id} was never approved");
        else if (!IsWithin(approval, order))
            Violated(Invariant.Approved, $"the venue took {order.Asked}, where {approval} was approved");
        CheckExposure($"the venue took {id}");
    }

    /// <summary>Asked again Risk may say it again, and never otherwise; and never more than the signal wanted.</summary>
    private void Approved(ExposureReserved approval)
    {
        if (_approved.TryGetValue(approval.Trade, out var before) && (before.Symbol, before.Side, before.Reserved) != (approval.Symbol, approval.Side, approval.Reserved))
            Violated(Invariant.Approved, $"{approval.Trade} was approved as {before}, and again as {approval}");
        if (_signals.TryGetValue(approval.Trade, out var signal) && ((signal.Symbol, signal.Side) != (approval.Symbol, approval.Side) || approval.Reserved > signal.Notional))
            Violated(Invariant.Approved, $"{approval} was approved, where {signal} was wanted");
        _approved[approval.Trade] = approval;
    }

    private DateTimeOffset? ValidUntil(ClientOrderId entry) => entry.Trade is { } trade && _signals.TryGetValue(trade, out var signal) ? signal.ValidUntil : null;

    private static bool IsAsIntended(VenueOrder asked, OrderIntended intended) =>
        (asked.Symbol, asked.Side, asked.Kind, asked.Limit, asked.Trigger, asked.ReduceOnly) == (intended.Symbol, intended.Side, intended.Kind, intended.Limit, intended.Trigger, intended.ReduceOnly)
        && asked.Quantity <= intended.Quantity;

    private bool IsWithin(ExposureReserved approval, ExchangeOrder order)
    {
        var asked = order.Asked;
        return (asked.Symbol, asked.Side, asked.ReduceOnly) == (approval.Symbol, approval.Side, false)
            && asked.Quantity.Value * (asked.Limit?.Value ?? _world.Exchange.PriceOf(asked.Symbol)) <= _exposures.Allowed(approval.Reserved.Value, asked, approval.RaisedAt, order.TakenAt);
    }

    private void TakenBackThere(ExchangeOrder order, FillReport fill)
    {
        if (!IsRecorded(order)(fill))
            _world.Tally.Happened(TakenBackUntold);
    }

    private void FilledThere(ExchangeOrder order)
    {
        if (!order.IsForeign)
            CheckExposure($"{order.Asked.Id} was filled");
    }

    private void CheckExposure(string when)
    {
        if (_exposures.Sum() is var sum && sum > SimWorld.Limits.ExposureMax.Value)
            Violated(Invariant.Exposure, $"when {when}, {sum} could be lost: the limit is {SimWorld.Limits.ExposureMax}");
    }

    /// <summary>Nothing is dropped in silence: whatever was taken over has an end, and only one.</summary>
    private void CheckCounts()
    {
        var ends = _world.Accepted.GroupBy(t => _trades[t].Phase).ToDictionary(g => g.Key, g => g.Count());
        var over = ends.Where(e => TradeState.IsTerminal(e.Key)).Sum(e => e.Value);
        if (over != _world.Accepted.Count || _trades.Count != _world.Accepted.Count + _adoptions.Trades.Count)
            Violated(Invariant.NothingDropped, $"{_world.Accepted.Count} signals were accepted and {_adoptions.Trades.Count} positions adopted, {_trades.Count} became trades, and {over} of the accepted are over");
        var broker = _world.Broker;
        if (broker.Arrived != broker.Handled + broker.Dropped + broker.Died)
            Violated(Invariant.NothingDropped, $"{broker.Arrived} messages came; {broker.Handled} were handled, {broker.Dropped} lost before they were confirmed, {broker.Died} given up");
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
                Violated(Invariant.BooksAgree, $"{order.Asked.Id} has the fills [{string.Join(' ', order.Fills.Select(f => f.FillId))}] at the venue and [{string.Join(' ', recorded)}] in the store");
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
                Violated(Invariant.BooksAgree, $"{held} {rule.BaseAsset} of {trade} are held at the venue, {orders.Held()} by the record");
            if (!orders.IsDone)
                continue;
            // What was sold before the venue took back what had been bought cannot be unsold: that much may be missing, and somebody is told.
            var missing = _exposures.OrdersOf(trade).Where(IsTold).SelectMany(o => o.Busted).Where(f => f.Side == plan.Signal.Side).Sum(f => f.Quantity.Value);
            // What was written off because the venue hid it was there all the same, and its stop may have sold it.
            missing += _adoptions.WasLiedTo ? orders.WrittenOff : 0;
            if (held < -missing || held * _world.Exchange.PriceOf(rule.Symbol) > rule.NotionalMin.Value + 0.1m)
                Violated(Invariant.BooksAgree, $"{held} {rule.BaseAsset} are left of {trade}");
        }
    }

    private void CheckBalances()
    {
        if (Unexplained() is { } unexplained)
            Violated(Invariant.BooksAgree, unexplained);
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
    internal object? StateOf(string stream) => stream switch
    {
        _ when stream.StartsWith(Streams.TradePrefix, StringComparison.Ordinal) => _trades[TradeId.From(stream[Streams.TradePrefix.Length..])],
        _ when stream.StartsWith(Streams.OrderPrefix, StringComparison.Ordinal) => _orders[TradeId.From(stream[Streams.OrderPrefix.Length..])],
        _ when stream.StartsWith(Streams.AccountPrefix, StringComparison.Ordinal) => _account,
        _ when stream.StartsWith(Streams.ValidationPrefix, StringComparison.Ordinal) => _memories[stream],
        _ when stream.StartsWith(Streams.ReconciliationPrefix, StringComparison.Ordinal) => _reconciled[stream],
        _ when stream == Streams.Control.Value => _control,
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

        /// <summary>Bodies that hold lists are equal only by what they say.</summary>
        public bool IsSaidBy(OutboundMessage other) =>
            (other.Endpoint, other.CorrelationId, other.TraceId) == (Message.Endpoint, Message.CorrelationId, Message.TraceId)
            && (other.Body.Equals(Message.Body) || Written.Same(other.Body, Message.Body));

        public override string ToString() => $"{Message.Body.GetType().Name} to {Message.Endpoint} of {stored.Type} in {stored.Stream}";
    }
}
