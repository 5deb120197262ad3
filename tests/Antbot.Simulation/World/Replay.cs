using System.Text.Json;
using Antbot.Contracts.Events;
using Antbot.Coordinator.Core;
using Antbot.Execution;
using Antbot.Kernel.Decisions;
using Antbot.Kernel.Identity;
using Antbot.Kernel.Proof;
using Antbot.Kernel.Time;
using Antbot.Reconciliation;
using Antbot.Risk.Core;
using Antbot.Runtime.Store;
using Antbot.Validation.Core;
using Streams = Antbot.Contracts.Streams;

namespace Antbot.Simulation.World;

/// <summary>
/// Years later, with nothing but the stored events: the chain holds, each of them is read and written again to the same bytes, folded
/// again to the same state, and every decision is made again on its recorded input and is the same.
/// </summary>
/// <param name="bodyOf">The message with this id, from the event it follows from.</param>
/// <param name="stateOf">A stream's state as it was folded while it happened; null where none was kept.</param>
internal sealed class Replay(SimWorld world, Func<Guid, object?> bodyOf, Func<string, object?> stateOf, Action<string> violated)
{
    private static readonly EventCodec Codec = new(SimWorld.Registry);
    private static readonly Behaviour<RiskState> Risk = RiskDecider.With(SimWorld.Limits);
    private static readonly Behaviour<SymbolMemory> Validation = ValidationDecider.With(ValidationLimits.Default);
    private static readonly Behaviour<TradeState> Coordination = TradeDecider.With(SimWorld.Coordination.Patience);

    private int _decidedAgain;

    public void Check()
    {
        var streams = new Dictionary<string, List<Read>>(StringComparer.Ordinal);
        byte[]? previous = null;
        foreach (var link in world.Disk.Data.Ledger.ReadLinksAsync().ToBlockingEnumerable())
        {
            var stored = link.Event!;
            if (!streams.TryGetValue(stored.Stream, out var events))
                streams[stored.Stream] = events = [];
            if (stored.Version != events.Count + 1)
                violated($"{stored.Stream} goes from version {events.Count} to {stored.Version}");
            var @event = Codec.Decode(stored);
            var written = Codec.Encode(@event).Data;
            var bytes = CanonicalJson.From(written.Span);
            if (!bytes.AsSpan().SequenceEqual(stored.Data.Span))
                violated($"{stored.Type} in {stored.Stream} version {stored.Version} is not written as it was read");
            CheckLink(link, stored, bytes, previous);
            previous = link.Hash;
            events.Add(new Read(stored, @event, written));
        }
        foreach (var (stream, events) in streams)
            CheckStream(stream, events);
        world.Tally.Happened("decisions that were made again", _decidedAgain);
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
            violated($"the chain is broken at {link.Position}");
        if (!ChainLink.Hash(link.PreviousHash, content.Hash(), link.Position, link.Sequence, stored.Version, link.Foreign).AsSpan().SequenceEqual(link.Hash))
            violated($"event {link.Position} is not what was recorded");
    }

    private void CheckStream(string stream, List<Read> events)
    {
        if (stream.StartsWith(Streams.TradePrefix, StringComparison.Ordinal))
            CheckStream(stream, events, Coordination, (_, _, first) => Deadline(first.Event, first.Stored) ?? Message(first.Stored));
        else if (stream.StartsWith(Streams.OrderPrefix, StringComparison.Ordinal))
            CheckStream(stream, events, ExecutionDecider.Behaviour, (_, decided, _) => RecordedInput.From(decided));
        else if (stream.StartsWith("account-", StringComparison.Ordinal))
            CheckStream(stream, events, Risk, (_, _, first) => Message(first.Stored));
        else if (stream.StartsWith("validation-", StringComparison.Ordinal))
            CheckStream(stream, events, Validation, (_, _, first) => Message(first.Stored));
        else if (stream.StartsWith("reconciliation-", StringComparison.Ordinal))
            CheckStream(stream, events, ReconciliationDecider.Behaviour, (state, decided, _) => (object?)Seen(decided) ?? Looked(state, decided));
    }

    /// <param name="inputOf">What was decided on, from the state before and the events of the decision; null where it is not recorded.</param>
    private void CheckStream<TState>(
        string stream, List<Read> events, Behaviour<TState> behaviour,
        Func<TState, IReadOnlyList<object>, Read, object?> inputOf)
        where TState : class
    {
        var state = behaviour.Fold.Initial;
        for (var from = 0; from < events.Count;)
        {
            var to = from + 1;
            while (to < events.Count && events[to].Stored.CausationId == events[from].Stored.CausationId)
                to++;
            var decided = events.GetRange(from, to - from).ConvertAll(e => e.Event);
            if (inputOf(state, decided, events[from]) is { } input)
                DecideAgain(stream, behaviour, state, input, events.GetRange(from, to - from));
            else
                violated($"{stream} version {from + 1} rests on {events[from].Stored.CausationId}, which is recorded nowhere");
            state = decided.Aggregate(state, behaviour.Fold.Apply);
            from = to;
        }
        if (stateOf(stream) is { } kept && !Json(kept).AsSpan().SequenceEqual(Json(state)))
            violated($"{stream} is folded to another state than it was");

        static byte[] Json(object state) => JsonSerializer.SerializeToUtf8Bytes(state, typeof(TState), EventCodec.Json);
    }

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
            violated($"{stream} version {then[0].Stored.Version}: decided again on {input.GetType().Name}, it is refused: {e.Message}");
            return;
        }
        if (again.Count != then.Count || again.Where((e, i) => e.GetType() != then[i].Event.GetType() || !Codec.Encode(e).Data.Span.SequenceEqual(then[i].Written.Span)).Any())
            violated($"{stream} version {then[0].Stored.Version}: decided again on {input.GetType().Name}, it is [{string.Join(", ", again)}] and was [{string.Join(", ", then.Select(e => e.Event))}]");
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
            return new AccountLook(stalled.Look, stalled.Account, "", 0, 0, stalled.Reason, [], new HashSet<string>(), BalancesCompared: false, null, Completes: false, [], []);
        if (decided.Any(e => e is not (ReconciliationResumed or BalanceBaselineSet or DifferenceFound or DifferenceSettled or IRemedy or RemedyEnded or StartReconciled)))
            return null;
        var settled = decided.OfType<DifferenceSettled>().ToDictionary(e => DifferenceKey.Of(e.Kind, e.Subject), StringComparer.Ordinal);
        var found = decided.OfType<DifferenceFound>().Select(e => (e.Through, Difference: new Difference(e.Kind, e.Subject, e.Trade, e.Ours, e.What, e.Evidence))).ToList();
        var known = state.Differences.Where(d => !settled.ContainsKey(d.Key) && !found.Exists(f => f.Difference.Key == d.Key)).Select(d => d.Value).ToList();
        var (baseline, start) = (decided.OfType<BalanceBaselineSet>().FirstOrDefault(), decided.OfType<StartReconciled>().FirstOrDefault());
        var (look, account) = decided[0] switch
        {
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
            look, account, start?.Venue ?? baseline?.Venue ?? "", start?.Through ?? found.FirstOrDefault().Through, start?.OpenOrders ?? 0, null,
            [.. found.Select(f => f.Difference), .. known.Take((start?.Differences ?? 0) - found.Count).Select(d => new Difference(d.Kind, d.Subject, d.Trade, Ours: true, d.What, ""))],
            new HashSet<string>(known.Select(d => DifferenceKey.Of(d.Kind, d.Subject)).Concat(found.Select(f => f.Difference.Key)), StringComparer.Ordinal),
            settled.Values.Any(e => e.Kind == DifferenceKind.Balance), baseline, start is not null, [.. decided.OfType<IRemedy>()],
            [.. decided.OfType<RemedyEnded>().Select(e => new FailedRemedy(e.Difference, e.Trade, e.Reason))]);
    }

    /// <param name="Written">The event as it is written now, of which the stored bytes are the canonical form.</param>
    private sealed record Read(StoredEvent Stored, object Event, ReadOnlyMemory<byte> Written);
}
