using Antbot.Contracts;
using Antbot.Kernel.Identity;

namespace Antbot.Runtime.Store;

/// <summary>
/// Where every decision and trade is kept. One contract for every engine; <c>docs/event-store.md</c> says what each promises.
/// All methods throw <see cref="EventStoreException"/> with its <see cref="StoreFault"/> for what is not a business outcome.
/// </summary>
public interface IEventStore : IAsyncDisposable
{
    /// <summary>The proof over the same events.</summary>
    ILedger Ledger { get; }

    /// <summary>
    /// Appends all events or none. A cancellation is honoured only while nothing has been sent; from then on the caller
    /// waits (within a limit) and learns what happened.
    /// </summary>
    Task<AppendOutcome> AppendAsync(AppendRequest request, CancellationToken cancellationToken = default);

    /// <summary>
    /// Appends to one stream what was decided each on top of the one before, and answers for each. After the first that is not
    /// appended none is: the rest end in conflicts. An exact version alone would not do: where another's event has taken the place
    /// of one that failed, the next would fit by its number, and rest on what never happened.
    /// </summary>
    IReadOnlyList<Task<AppendOutcome>> AppendInOrder(IReadOnlyList<AppendRequest> requests, CancellationToken cancellationToken = default) =>
        InOrder.OneByOne(this, requests, cancellationToken);

    /// <summary>What was decided on this input before, in order; empty where nothing was. What is archived is <see cref="StoreFault.Archived"/>: it was decided all the same.</summary>
    Task<IReadOnlyList<StoredEvent>> FindDecisionAsync(Decision decision, CancellationToken cancellationToken = default);

    /// <summary>The same of many at once: of those that were made, where their first events are. Where an archive has one of them, it is <see cref="StoreFault.Archived"/>.</summary>
    Task<IReadOnlyDictionary<Decision, EventPlace>> FindDecidedAsync(IReadOnlyCollection<Decision> decisions, CancellationToken cancellationToken = default) => OneByOne.FindDecidedAsync(this, decisions, cancellationToken);

    /// <summary>The stream's version, in an archive or not; 0 where it is not there.</summary>
    Task<long> ReadVersionAsync(StreamId stream, CancellationToken cancellationToken = default);

    /// <summary>The stream's events, oldest first. One that is archived is <see cref="StoreFault.Archived"/>.</summary>
    IAsyncEnumerable<StoredEvent> ReadStreamAsync(StreamId stream, long fromVersion = 1, CancellationToken cancellationToken = default);

    /// <summary>The same of many at once, one stream after the other. Where one of them is archived, it is <see cref="StoreFault.Archived"/>, after some or all of the others.</summary>
    IAsyncEnumerable<StoredEvent> ReadStreamsAsync(IReadOnlyList<StreamStart> streams, CancellationToken cancellationToken = default) => OneByOne.ReadStreamsAsync(this, streams, cancellationToken);

    /// <summary>
    /// At most <paramref name="limit"/> events that were committed after the one with this sequence, in commit order, none left out.
    /// Fewer do not mean that they are the last: a page also ends when it is large (<see cref="StoreLimits.PageBytesMax"/>). An empty one does.
    /// Where an archive has one of them, it is <see cref="StoreFault.Archived"/>: nothing is left out in silence.
    /// </summary>
    Task<IReadOnlyList<StoredEvent>> ReadPageAsync(long afterSequence, int limit, CancellationToken cancellationToken = default);

    /// <summary>
    /// The same for a follower of some streams alone: of the next <paramref name="limit"/> events those in streams whose names begin so,
    /// and up to where this looked. What is archived is over: a follower is told its place and goes on.
    /// </summary>
    async Task<EventPage> ReadPageAsync(long afterSequence, int limit, IReadOnlyList<string> prefixes, CancellationToken cancellationToken = default)
    {
        var page = await ReadPageAsync(afterSequence, limit, cancellationToken);
        return EventPage.Of(page, prefixes, afterSequence);
    }

    /// <summary>The events of one causal chain, in commit order. Where an archive has one of them, it is <see cref="StoreFault.Archived"/>.</summary>
    Task<IReadOnlyList<StoredEvent>> FindByCorrelationAsync(string correlationId, int limit = 1_000, CancellationToken cancellationToken = default);

    /// <summary>The same, with the places of those that are archived.</summary>
    async Task<EventPage> FindChainAsync(string correlationId, int limit = 1_000, CancellationToken cancellationToken = default) =>
        new(await FindByCorrelationAsync(correlationId, limit, cancellationToken), 0);

    /// <summary>How many announcements of new events have been heard. Take it before reading, and wait with it after.</summary>
    long AppendMark { get; }

    /// <summary>Returns as soon as something was announced after <paramref name="mark"/> was taken, at the latest after <paramref name="atMost"/>.</summary>
    Task WaitForAppendAsync(long mark, TimeSpan atMost, CancellationToken cancellationToken = default);

    /// <summary>The sequence up to which this subscription has handled events; 0 where it never has.</summary>
    Task<long> LoadCheckpointAsync(string subscription, CancellationToken cancellationToken = default);

    Task SaveCheckpointAsync(string subscription, long sequence, CancellationToken cancellationToken = default);

    Task<Snapshot?> LoadSnapshotAsync(StreamId stream, string name, CancellationToken cancellationToken = default);

    /// <summary>Keeps the snapshot unless a later one of the same name is there.</summary>
    Task SaveSnapshotAsync(Snapshot snapshot, CancellationToken cancellationToken = default);
}

/// <summary>A stream from one of its versions on.</summary>
public readonly record struct StreamStart(StreamId Stream, long FromVersion = 1);

/// <param name="Through">The sequence of the last event that was looked at, wanted or not; the one asked after where there is none.</param>
public sealed record EventPage(IReadOnlyList<StoredEvent> Events, long Through)
{
    /// <summary>The beginning of every stream's name.</summary>
    public static IReadOnlyList<string> EveryStream { get; } = [""];

    /// <summary>Of whichever streams: what was passed over because an archive has it.</summary>
    public IReadOnlyList<ArchivedEvent> Archived { get; init; } = [];

    /// <summary>All of it, where no archive has a part.</summary>
    public IReadOnlyList<StoredEvent> Whole() => Archived is [var first, ..] ? throw first.Fault() : Events;

    /// <summary>What is wanted of a page. Its last event says how far it goes.</summary>
    public static EventPage Of(IReadOnlyList<StoredEvent> page, IReadOnlyList<string> prefixes, long after)
    {
        var wanted = new List<StoredEvent>();
        for (var i = 0; i < page.Count; i++)
        {
            if (IsWanted(page[i], prefixes))
                wanted.Add(page[i]);
        }
        return new EventPage(wanted, page.Count == 0 ? after : page[^1].Sequence);
    }

    public static bool IsWanted(StoredEvent stored, IReadOnlyList<string> prefixes)
    {
        for (var i = 0; i < prefixes.Count; i++)
        {
            if (stored.Stream.StartsWith(prefixes[i], StringComparison.Ordinal))
                return true;
        }
        return false;
    }
}

/// <summary>A fold's state at a version, so that a long stream need not be read from its beginning. Never a source of truth.</summary>
/// <param name="Name">Which fold, and which version of its code.</param>
/// <param name="State">JSON in UTF-8.</param>
public sealed record Snapshot(StreamId Stream, string Name, long Version, ReadOnlyMemory<byte> State);
