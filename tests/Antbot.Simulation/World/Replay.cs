using System.Text.Json;
using Antbot.ConsoleService;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Coordinator.Core;
using Antbot.Execution;
using Antbot.Kernel.Control;
using Antbot.Kernel.Decisions;
using Antbot.Kernel.Identity;
using Antbot.Kernel.Proof;
using Antbot.Kernel.Time;
using Antbot.Reconciliation;
using Antbot.Risk.Core;
using Antbot.Runtime.Control;
using Antbot.Runtime.Store;
using Antbot.Signals.Core;
using Antbot.Validation.Core;
using Streams = Antbot.Contracts.Streams;

namespace Antbot.Simulation.World;

/// <summary>
/// Years later, with nothing but the stored events: the chain holds, each of them is read and written again to the same bytes, folded
/// again to the same state, and every decision is made again on its recorded input and is the same.
/// </summary>
/// <param name="bodyOf">The message with this id, from the event it follows from.</param>
/// <param name="saidOf">What followed from the event with this id when it happened.</param>
/// <param name="stateOf">A stream's state as it was folded while it happened; null where none was kept.</param>
internal sealed class Replay(SimWorld world, Func<Guid, object?> bodyOf, Func<Guid, IReadOnlyList<object>> saidOf, Func<string, object?> stateOf, Action<Invariant, string> violated)
{
    public const string CopiesHeld = "kept states that were held against the events";

    private static readonly EventCodec Codec = new(SimWorld.Registry);
    private static readonly Behaviour<RiskState> Risk = RiskDecider.With(SimWorld.Limits);
    private static readonly Behaviour<SymbolMemory> Validation = ValidationDecider.With(ValidationLimits.Default);
    private static readonly Behaviour<TradeState> Coordination = TradeDecider.With(SimWorld.Coordination.Patience);

    private static readonly Behaviour<ControlState> Control = new(ControlCommands.Consumer, ControlState.Fold, (_, command, _) => ControlDecider.Decide(command), _ => []);

    private bool _isTorn;
    private int _decidedAgain;
    private int _saidAgain;
    private int _copies;

    /// <summary>Whether both are the same, written down.</summary>
    public static bool Says(object one, object other) => one.GetType() == other.GetType() && Json(one).AsSpan().SequenceEqual(Json(other));

    public void Check()
    {
        var streams = new Dictionary<string, List<Read>>(StringComparer.Ordinal);
        byte[]? previous = null;
        foreach (var link in world.Ledger.ReadLinksAsync().ToBlockingEnumerable())
        {
            var stored = link.Event!;
            if (!streams.TryGetValue(stored.Stream, out var events))
                streams[stored.Stream] = events = [];
            if (stored.Version != events.Count + 1)
            {
                _isTorn = true;
                violated(Invariant.Versions, $"{stored.Stream} goes from version {events.Count} to {stored.Version}");
            }
            var @event = Codec.Decode(stored);
            var written = Codec.Encode(@event).Data;
            var bytes = CanonicalJson.From(written.Span);
            if (!bytes.AsSpan().SequenceEqual(stored.Data.Span))
                violated(Invariant.WrittenAsRead, $"{stored.Type} in {stored.Stream} version {stored.Version} is not written as it was read");
            CheckLink(link, stored, bytes, previous);
            previous = link.Hash;
            events.Add(new Read(stored, @event, written));
            SayAgain(stored, @event);
        }
        // On a history with something missing nothing can be decided again.
        foreach (var (stream, events) in _isTorn ? [] : streams)
            CheckStream(stream, events);
        world.Tally.Happened("decisions that were made again", _decidedAgain);
        world.Tally.Happened("messages that were said again", _saidAgain);
        world.Tally.Happened(CopiesHeld, _copies);
    }

    private void SayAgain(StoredEvent stored, object @event)
    {
        var (again, said) = (Checker.React(stored.Stream, @event), saidOf(stored.EventId));
        _saidAgain += again.Count;
        if (again.Count != said.Count || again.Where((body, i) => !Says(body, said[i])).Any())
            violated(Invariant.SaidAgain, $"{stored.Stream} version {stored.Version}: said again, it is [{string.Join(", ", again)}] and was [{string.Join(", ", said)}]");
    }

    private void CheckLink(LedgerLink link, StoredEvent stored, byte[] bytes, byte[]? previous)
    {
        var content = new EventContent
        {
            EventId = stored.EventId, Stream = stored.Stream, Type = stored.Type, ClrType = stored.ClrType, TimestampMicroseconds = stored.Timestamp.ToUnixMicroseconds(), Tenant = stored.Tenant,
            CorrelationId = stored.CorrelationId, CausationId = stored.CausationId, Actor = stored.Actor, CanonicalHeaders = stored.Headers, HasHeaders = stored.Headers is not null,
            CanonicalData = bytes, BinaryData = default, HasBinaryData = false, IsArchived = stored.IsArchived,
        };
        if (previous is not null && !link.PreviousHash.AsSpan().SequenceEqual(previous))
            violated(Invariant.ChainHolds, $"the chain is broken at {link.Position}");
        if (!ChainLink.Hash(link.PreviousHash, content.Hash(), link.Position, link.Sequence, stored.Version, link.Foreign).AsSpan().SequenceEqual(link.Hash))
            violated(Invariant.ChainHolds, $"event {link.Position} is not what was recorded");
    }

    private void CheckStream(string stream, List<Read> events)
    {
        if (stream.StartsWith(Streams.TradePrefix, StringComparison.Ordinal))
            CheckStream(stream, events, Coordination, (_, _, first) => Deadline(first.Event, first.Stored) ?? Message(first.Stored));
        else if (stream.StartsWith(Streams.OrderPrefix, StringComparison.Ordinal))
            CheckStream(stream, events, ExecutionDecider.Behaviour, (_, decided, _) => RecordedInput.From(decided));
        else if (stream.StartsWith(Checker.AccountPrefix, StringComparison.Ordinal))
            CheckStream(stream, events, Risk, (_, _, first) => Message(first.Stored));
        else if (stream.StartsWith(Checker.ValidationPrefix, StringComparison.Ordinal))
            CheckStream(stream, events, Validation, (_, _, first) => Message(first.Stored));
        else if (stream.StartsWith(Checker.ReconciliationPrefix, StringComparison.Ordinal))
            CheckStream(stream, events, ReconciliationDecider.Behaviour, (state, decided, _) => (object?)Seen(decided) ?? Looked(state, decided));
        else if (stream == Streams.Control.Value)
            CheckStream(stream, events, Control, (_, decided, _) => Command(decided));
        else if (stream.StartsWith(Streams.SignalPrefix, StringComparison.Ordinal))
            CheckSignal(stream, events);
        else if (stream.StartsWith(Streams.AuditPrefix, StringComparison.Ordinal))
            CheckAudit(stream, events);
    }

    /// <summary>What its sender meant, under the id that its trade gives it, and nothing besides.</summary>
    private void CheckSignal(string stream, List<Read> events)
    {
        var trade = TradeId.From(stream[Streams.SignalPrefix.Length..]);
        var id = events[0].Stored.EventId;
        if (events.Count != 1 || (id != new Decision(trade.Guid, SignalDecider.Consumer).EventId(0) && id != SimWorld.StrangersId(trade)))
            violated(Invariant.OneEffect, $"{stream} is not one signal under its own id");
        Repeat(stream, events[0], world.Sent.GetValueOrDefault(trade));
    }

    private void CheckAudit(string stream, List<Read> events)
    {
        foreach (var read in events)
            Repeat(stream, read, read.Event is OrderSettlementOrdered said && read.Stored.EventId == new Decision(said.Request, Operators.AuditConsumer).EventId(0) ? world.Operators.WordsOf(said.Request) : null);
    }

    /// <summary>What came from outside is recorded as it was said.</summary>
    private void Repeat(string stream, Read read, object? said)
    {
        _decidedAgain++;
        if (said is null || !Codec.Encode(said).Data.Span.SequenceEqual(read.Written.Span))
            violated(Invariant.DecidedAgain, $"{stream} version {read.Stored.Version} is {read.Event}, where {said ?? "nothing"} was said");
    }

    private static object? Command(IReadOnlyList<object> decided) => decided switch
    {
        [ActivitySet e] => new SetActivity(e.Activity, e.Reason, e.By),
        [TradingModeSet e] => new SetTradingMode(e.Mode, e.Reason, e.By),
        [MaintenanceSet e] => new SetMaintenance(e.On, e.Message, e.By),
        _ => null,
    };

    /// <param name="inputOf">What was decided on, from the state before and the events of the decision; null where it is not recorded.</param>
    private void CheckStream<TState>(
        string stream, List<Read> events, Behaviour<TState> behaviour,
        Func<TState, IReadOnlyList<object>, Read, object?> inputOf)
        where TState : class
    {
        var state = behaviour.Fold.Initial;
        var copy = world.Disk.Data.LoadSnapshotAsync(new StreamId(stream), behaviour.Fold.Name).Result;
        for (var from = 0; from < events.Count;)
        {
            var to = from + 1;
            // What nothing caused is a decision of its own.
            while (to < events.Count && events[to].Stored.CausationId is { } cause && cause == events[from].Stored.CausationId)
                to++;
            var decided = events.GetRange(from, to - from).ConvertAll(e => e.Event);
            if (inputOf(state, decided, events[from]) is { } input)
                DecideAgain(stream, behaviour, state, input, events.GetRange(from, to - from));
            else
                violated(Invariant.DecidedAgain, $"{stream} version {from + 1} rests on {events[from].Stored.CausationId}, which is recorded nowhere");
            state = decided.Aggregate(state, behaviour.Fold.Apply);
            from = to;
            if (copy?.Version == to)
                CheckCopy(stream, copy, state);
        }
        if (stateOf(stream) is { } kept && !Json(kept).AsSpan().SequenceEqual(Json(state)))
            violated(Invariant.FoldedAgain, $"{stream} is folded to another state than it was");
    }

    /// <summary>Whoever loads it goes on from there as if all had been read.</summary>
    private void CheckCopy(string stream, Snapshot copy, object state)
    {
        _copies++;
        if (!CanonicalJson.From(Json(state)).AsSpan().SequenceEqual(copy.State.Span))
            violated(Invariant.FoldedAgain, $"the copy of {stream} at version {copy.Version} is another state than it is folded to");
    }

    private static byte[] Json(object what) => JsonSerializer.SerializeToUtf8Bytes(what, what.GetType(), EventCodec.Json);

    private void DecideAgain<TState>(string stream, Behaviour<TState> behaviour, TState state, object input, List<Read> then)
        where TState : class
    {
        _decidedAgain++;
        IReadOnlyList<object> again;
        try
        {
            again = behaviour.Decide(state, input, then[0].Stored.Timestamp);
        }
        catch (Exception e)
        {
            violated(Invariant.DecidedAgain, $"{stream} version {then[0].Stored.Version}: decided again on {input.GetType().Name}, it is refused: {e.Message}");
            return;
        }
        if (again.Count != then.Count || again.Where((e, i) => e.GetType() != then[i].Event.GetType() || !Codec.Encode(e).Data.Span.SequenceEqual(then[i].Written.Span)).Any())
            violated(Invariant.DecidedAgain, $"{stream} version {then[0].Stored.Version}: decided again on {input.GetType().Name}, it is [{string.Join(", ", again)}] and was [{string.Join(", ", then.Select(e => e.Event))}]");
    }

    private object? Message(StoredEvent stored) => Guid.TryParseExact(stored.CausationId, "N", out var id) ? bodyOf(id) : null;

    /// <summary>No message brought it: the sweeper did, and its id says so.</summary>
    private static DeadlineReached? Deadline(object @event, StoredEvent stored) =>
        @event is TradeDeadlinePassed e
        && stored.CausationId == DeterministicId.From("deadline", e.Trade.Value, e.Phase.ToString(), e.Due.ToString("O", System.Globalization.CultureInfo.InvariantCulture)).ToString("N")
            ? new DeadlineReached(e.Trade, e.Phase, e.Due)
            : null;

    /// <summary>What the venue said of a trade, as Reconciliation has recorded it.</summary>
    private static TradeSeen? Seen(IReadOnlyList<object> decided) => decided switch
    {
        [TradeVerified e] => new TradeSeen(e.Verify, Guid.Empty, e.Orders, null, e.Record, e.Unsellable, e.Adopted, e.WrittenOff),
        [TradeDrifted e] => new TradeSeen(e.Verify, e.Message, e.Orders, null, e.Record, e.Unsellable, e.Adopted, e.WrittenOff),
        [VerificationPending e] => new TradeSeen(e.Verify, e.Message, [], e.Reason, null, 0),
        _ => null,
    };

    /// <summary>
    /// A look at the whole account: each of its findings is an event of its own. What is not said to be new or settled is as it was.
    /// </summary>
    private static AccountLook? Looked(ReconciliationState state, IReadOnlyList<object> decided)
    {
        if (decided is [ReconciliationStalled stalled])
            return new AccountLook(stalled.Look, stalled.Account, "", 0, null, stalled.Reason, [], new HashSet<string>(), BalancesCompared: false, null, Completes: false, [], []);
        if (decided.Any(e => e is not (ReconciliationStalled or ReconciliationResumed or BalanceBaselineSet or DifferenceFound or DifferenceSettled or IRemedy or RemedyEnded or StartReconciled)))
            return null;
        var settled = decided.OfType<DifferenceSettled>().ToDictionary(e => DifferenceKey.Of(e.Kind, e.Subject), StringComparer.Ordinal);
        var found = decided.OfType<DifferenceFound>().Select(e => (e.Through, Difference: new Difference(e.Kind, e.Subject, e.Trade, e.Ours, e.What, e.Evidence))).ToList();
        var known = state.Differences.Where(d => !settled.ContainsKey(d.Key) && !found.Exists(f => f.Difference.Key == d.Key)).Select(d => d.Value).ToList();
        var (baseline, start) = (decided.OfType<BalanceBaselineSet>().FirstOrDefault(), decided.OfType<StartReconciled>().FirstOrDefault());
        // Balances alone may not have been heard, now or for a while.
        var trouble = decided.OfType<ReconciliationStalled>().FirstOrDefault()?.Reason ?? (state.StalledSince is not null && !decided.OfType<ReconciliationResumed>().Any() ? "not heard still" : null);
        var (look, account) = decided[0] switch
        {
            ReconciliationStalled e => (e.Look, e.Account),
            ReconciliationResumed e => (e.Look, e.Account),
            BalanceBaselineSet e => (e.Look, e.Account),
            DifferenceFound e => (e.Look, e.Account),
            DifferenceSettled e => (e.Look, e.Account),
            AdoptionDecided e => (e.Look, e.Account),
            WriteOffDecided e => (e.Look, e.Account),
            BalanceTakenOver e => (e.Look, e.Account),
            RemedyEnded e => (e.Look, e.Account),
            StartReconciled e => (e.Look, e.Account),
            var other => throw new InvalidOperationException($"A look does not begin with {other.GetType().Name}."),
        };
        return new AccountLook(
            look, account, start?.Venue ?? baseline?.Venue ?? "", start?.Through ?? found.FirstOrDefault().Through, start?.OpenOrders ?? 0, trouble,
            [.. found.Select(f => f.Difference), .. known.Take((start?.Differences ?? 0) - found.Count).Select(d => new Difference(d.Kind, d.Subject, d.Trade, Ours: true, d.What, ""))],
            new HashSet<string>(known.Select(d => DifferenceKey.Of(d.Kind, d.Subject)).Concat(found.Select(f => f.Difference.Key)), StringComparer.Ordinal),
            settled.Values.Any(e => e.Kind == DifferenceKind.Balance), baseline, start is not null, [.. decided.OfType<IRemedy>()],
            [.. decided.OfType<RemedyEnded>().Select(e => new FailedRemedy(e.Difference, e.Trade, e.Reason))], start?.Uncompared);
    }

    /// <param name="Written">The event as it is written now, of which the stored bytes are the canonical form.</param>
    private sealed record Read(StoredEvent Stored, object Event, ReadOnlyMemory<byte> Written);
}
