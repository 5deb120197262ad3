using System.Text.Json;
using Antbot.ConsoleService;
using Antbot.Contracts;
using Antbot.Forensics;
using Antbot.Kernel.Identity;
using Antbot.Kernel.Proof;
using Antbot.Kernel.Time;
using Antbot.Runtime.Store;
using Antbot.Signals.Core;
using Streams = Antbot.Contracts.Streams;

namespace Antbot.Simulation.World;

/// <summary>
/// Years later, with nothing but the stored events: the chain holds, each of them is read and written again to the same bytes, folded
/// again to the same state, and every decision is made again as <c>antbot replay</c> makes it, and is the same.
/// </summary>
/// <param name="saidOf">What followed from the event with this id when it happened.</param>
/// <param name="stateOf">A stream's state as it was folded while it happened; null where none was kept.</param>
internal sealed class Replay(SimWorld world, Func<Guid, IReadOnlyList<object>> saidOf, Func<string, object?> stateOf, Action<Invariant, string> violated)
{
    public const string CopiesHeld = "kept states that were held against the events";

    private readonly EventCodec _codec = new(StreamKinds.Registry);
    private bool _isTorn;
    private int _repeated;
    private int _saidAgain;
    private int _copies;

    public void Check()
    {
        var streams = new Dictionary<string, List<Read>>(StringComparer.Ordinal);
        var all = new List<StoredEvent>();
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
            var @event = _codec.Decode(stored);
            var written = _codec.Encode(@event).Data;
            var bytes = CanonicalJson.From(written.Span);
            if (!bytes.AsSpan().SequenceEqual(stored.Data.Span))
                violated(Invariant.WrittenAsRead, $"{stored.Type} in {stored.Stream} version {stored.Version} is not written as it was read");
            CheckLink(link, stored, bytes, previous);
            previous = link.Hash;
            _codec.Remember(stored, @event);
            events.Add(new Read(stored, @event, written));
            all.Add(stored);
            SayAgain(stored, @event);
        }
        // On a history with something missing nothing can be decided again.
        var decidedAgain = _isTorn ? 0 : DecideAgain(all, streams);
        world.Tally.Happened("decisions that were made again", (int)decidedAgain);
        world.Tally.Happened("messages that were said again", _saidAgain);
        world.Tally.Happened(CopiesHeld, _copies);
    }

    private void SayAgain(StoredEvent stored, object @event)
    {
        var (again, said) = (Checker.React(stored.Stream, @event), saidOf(stored.EventId));
        _saidAgain += again.Count;
        if (!Written.Same(again, said))
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

    private long DecideAgain(List<StoredEvent> all, Dictionary<string, List<Read>> streams)
    {
        var redecision = new Redecision(RedecisionOptions.All with { Codec = _codec, Threads = 1 });
        redecision.Take(all);
        var report = redecision.End();
        foreach (var d in report.Differences)
            violated(Invariant.DecidedAgain, $"{d.Stream} version {d.Version}: decided again on {d.Input}, it is [{Told(d.Is)}]{(d.Refusal is null ? "" : $", refused: {d.Refusal}")} and was [{Told(d.Was)}]");
        // What the world's senders wished for is no strategy's thought; it is held against what they meant.
        foreach (var reason in report.Reasons.Where(r => r.Service != SignalDecider.Consumer))
            violated(Invariant.DecidedAgain, $"{reason.First}: {reason.Reason}");
        foreach (var (stream, events) in streams)
        {
            if (stream.StartsWith(Streams.SignalPrefix, StringComparison.Ordinal))
                CheckSignal(stream, events);
            else if (stream.StartsWith(Streams.AuditPrefix, StringComparison.Ordinal))
                CheckAudit(stream, events);
            else if (redecision.Find(stream) is { } followed)
                CheckState(stream, events, followed);
        }
        return report.Decisions - report.Impossible + _repeated;
    }

    private static string Told(IReadOnlyList<NamedEvent> events) => string.Join(", ", events.Select(e => $"{e.Type} {e.Body}"));

    private void CheckState(string stream, List<Read> events, FollowedStream followed)
    {
        if (stateOf(stream) is { } kept && !Json(kept).AsSpan().SequenceEqual(Json(followed.State)))
            violated(Invariant.FoldedAgain, $"{stream} is folded to another state than it was");
        if (world.Disk.Data.LoadSnapshotAsync(new StreamId(stream), followed.FoldName).Result is not { } copy)
            return;
        // Whoever loads it goes on from there as if all had been read.
        _copies++;
        var again = followed.Kind.Follow(stream);
        foreach (var read in events.TakeWhile(e => e.Stored.Version <= copy.Version))
            again.Add(read.Stored, read.Event);
        if (again.Version != copy.Version || !CanonicalJson.From(Json(again.State)).AsSpan().SequenceEqual(copy.State.Span))
            violated(Invariant.FoldedAgain, $"the copy of {stream} at version {copy.Version} is another state than it is folded to");
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
        _repeated++;
        if (said is null || !_codec.Encode(said).Data.Span.SequenceEqual(read.Written.Span))
            violated(Invariant.DecidedAgain, $"{stream} version {read.Stored.Version} is {read.Event}, where {said ?? "nothing"} was said");
    }

    private static byte[] Json(object what) => JsonSerializer.SerializeToUtf8Bytes(what, what.GetType(), EventCodec.Json);

    /// <param name="Written">The event as it is written now, of which the stored bytes are the canonical form.</param>
    private sealed record Read(StoredEvent Stored, object Event, ReadOnlyMemory<byte> Written);
}
