using System.Runtime.CompilerServices;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Archives;

/// <summary>
/// A store and its archives, read as if nothing had been archived. Everything is asked of the store; where it answers that an archive has the
/// rest, that file is opened, held against its record, and what it has is put in its place.
/// </summary>
public sealed class ArchivedEventStore : IEventStore
{
    private readonly LinkedList<ArchiveIndex> _open = new();
    private readonly IEventStore _inner;
    private readonly ArchiveFolder _folder;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly ArchivedLedger _ledger;

    public ArchivedEventStore(IEventStore inner, ArchiveFolder folder)
    {
        (_inner, _folder) = (inner, folder);
        _ledger = new ArchivedLedger(inner.Ledger as IArchivingLedger ?? throw new EventStoreException(StoreFault.Invalid, "Out of this store nothing can have been archived."), this);
    }

    /// <summary>Of the archives that stay open; archives go by age, so few of them are read at once. The one that is being read stays, however large it is.</summary>
    internal long OpenBytesMax { get; init; } = 64 * 1024 * 1024;

    internal long OpenBytes => _open.Sum(a => a.Bytes);

    public ILedger Ledger => _ledger;

    public long AppendMark => _inner.AppendMark;

    public Task<AppendOutcome> AppendAsync(AppendRequest request, CancellationToken cancellationToken = default) => _inner.AppendAsync(request, cancellationToken);

    public IReadOnlyList<Task<AppendOutcome>> AppendInOrder(IReadOnlyList<AppendRequest> requests, CancellationToken cancellationToken = default) => _inner.AppendInOrder(requests, cancellationToken);

    public async Task<IReadOnlyList<StoredEvent>> FindDecisionAsync(Decision decision, CancellationToken cancellationToken = default)
    {
        try
        {
            return await _inner.FindDecisionAsync(decision, cancellationToken);
        }
        catch (EventStoreException e) when (e is { Fault: StoreFault.Archived, Archive: { } archive })
        {
            return (await OpenAsync(archive, cancellationToken)).Find(decision);
        }
    }

    public async Task<IReadOnlyDictionary<Decision, EventPlace>> FindDecidedAsync(IReadOnlyCollection<Decision> decisions, CancellationToken cancellationToken = default)
    {
        try
        {
            return await _inner.FindDecidedAsync(decisions, cancellationToken);
        }
        catch (EventStoreException e) when (e is { Fault: StoreFault.Archived, Archive: not null })
        {
            return await OneByOne.FindDecidedAsync(this, decisions, cancellationToken);
        }
    }

    public Task<long> ReadVersionAsync(StreamId stream, CancellationToken cancellationToken = default) => _inner.ReadVersionAsync(stream, cancellationToken);

    public async IAsyncEnumerable<StoredEvent> ReadStreamAsync(StreamId stream, long fromVersion = 1, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var (next, archive) = (fromVersion, (string?)null);
        await using (var events = _inner.ReadStreamAsync(stream, fromVersion, cancellationToken).GetAsyncEnumerator(cancellationToken))
        {
            while (true)
            {
                try
                {
                    if (!await events.MoveNextAsync())
                        break;
                }
                catch (EventStoreException e) when (e is { Fault: StoreFault.Archived, Archive: not null })
                {
                    archive = e.Archive;
                    break;
                }
                yield return events.Current;
                next = events.Current.Version + 1;
            }
        }
        if (archive is null)
            yield break;
        foreach (var stored in (await OpenAsync(archive, cancellationToken)).Stream(stream.Value).Where(e => e.Version >= next))
            yield return stored;
    }

    public async Task<IReadOnlyList<StoredEvent>> ReadPageAsync(long afterSequence, int limit, CancellationToken cancellationToken = default) =>
        (await WholeAsync(await _inner.ReadPageAsync(afterSequence, limit, EventPage.EveryStream, cancellationToken), EventPage.EveryStream, StoreLimits.PageBytesMax, mayLack: false, cancellationToken)).Events;

    public async Task<EventPage> ReadPageAsync(long afterSequence, int limit, IReadOnlyList<string> prefixes, CancellationToken cancellationToken = default) =>
        await WholeAsync(await _inner.ReadPageAsync(afterSequence, limit, prefixes, cancellationToken), prefixes, StoreLimits.PageBytesMax, mayLack: true, cancellationToken);

    public async Task<IReadOnlyList<StoredEvent>> FindByCorrelationAsync(string correlationId, int limit = 1_000, CancellationToken cancellationToken = default) =>
        (await WholeAsync(await _inner.FindChainAsync(correlationId, limit, cancellationToken), EventPage.EveryStream, long.MaxValue, mayLack: false, cancellationToken)).Events;

    public async Task<EventPage> FindChainAsync(string correlationId, int limit = 1_000, CancellationToken cancellationToken = default) =>
        await WholeAsync(await _inner.FindChainAsync(correlationId, limit, cancellationToken), EventPage.EveryStream, long.MaxValue, mayLack: true, cancellationToken);

    public Task WaitForAppendAsync(long mark, TimeSpan atMost, CancellationToken cancellationToken = default) => _inner.WaitForAppendAsync(mark, atMost, cancellationToken);

    public Task<long> LoadCheckpointAsync(string subscription, CancellationToken cancellationToken = default) => _inner.LoadCheckpointAsync(subscription, cancellationToken);

    public Task SaveCheckpointAsync(string subscription, long sequence, CancellationToken cancellationToken = default) => _inner.SaveCheckpointAsync(subscription, sequence, cancellationToken);

    public Task<Snapshot?> LoadSnapshotAsync(StreamId stream, string name, CancellationToken cancellationToken = default) => _inner.LoadSnapshotAsync(stream, name, cancellationToken);

    public Task SaveSnapshotAsync(Snapshot snapshot, CancellationToken cancellationToken = default) => _inner.SaveSnapshotAsync(snapshot, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _inner.DisposeAsync();
        _turn.Dispose();
    }

    /// <summary>The event itself, as the archive that the store names has it.</summary>
    internal async Task<StoredEvent> ReadAsync(ArchivedEvent archived, CancellationToken cancellationToken) =>
        (await OpenAsync(archived.Archive, cancellationToken)).At(archived);

    /// <summary>What was passed over is put in its place, up to the event that makes the page large.</summary>
    /// <param name="mayLack">Whoever asks is told what is left out: a file that is not in the folder leaves out what it has. For anybody else it is the fault that it is.</param>
    private async Task<EventPage> WholeAsync(EventPage page, IReadOnlyList<string> prefixes, long bytesMax, bool mayLack, CancellationToken cancellationToken)
    {
        if (page.Archived.Count == 0)
            return page;
        var places = page.Events.Select(e => (e.Position, e.Sequence, Here: (StoredEvent?)e, Gone: (ArchivedEvent?)null))
            .Concat(page.Archived.Select(a => (a.Position, a.Sequence, Here: (StoredEvent?)null, Gone: (ArchivedEvent?)a))).OrderBy(p => p.Position).ToList();
        var (events, lacking, missing, bytes) = (new List<StoredEvent>(), new List<ArchivedEvent>(), new HashSet<string>(StringComparer.Ordinal), 0L);
        foreach (var (position, sequence, here, gone) in places)
        {
            if ((here ?? await FindAsync(gone!, mayLack ? missing : null, cancellationToken)) is not { } stored)
            {
                lacking.Add(gone!);
                continue;
            }
            if (EventPage.IsWanted(stored, prefixes))
                events.Add(stored);
            bytes += stored.Bytes;
            if (bytes >= bytesMax && position != places[^1].Position)
                return new EventPage(events, sequence) { Archived = lacking };
        }
        return new EventPage(events, page.Through) { Archived = lacking };
    }

    /// <param name="missing">Files that are not in the folder, so that each is looked for once; null where one is a fault.</param>
    private async Task<StoredEvent?> FindAsync(ArchivedEvent archived, HashSet<string>? missing, CancellationToken cancellationToken)
    {
        if (missing?.Contains(archived.Archive) == true)
            return null;
        try
        {
            return await ReadAsync(archived, cancellationToken);
        }
        catch (EventStoreException e) when (missing is not null && e.Fault == StoreFault.Archived)
        {
            missing.Add(archived.Archive);
            return null;
        }
    }

    private async Task<ArchiveIndex> OpenAsync(string name, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_open.FirstOrDefault(a => a.Name == name) is { } there)
            {
                _open.Remove(there);
                _open.AddFirst(there);
                return there;
            }
            var record = await RecordAsync(name, cancellationToken);
            var opened = new ArchiveIndex(name);
            var (sha256, _) = await _folder.ReadAsync(name, link => opened.Add(link.Event!), cancellationToken);
            if (sha256 != record.Sha256)
                throw new EventStoreException(StoreFault.Corrupt, $"The archive '{_folder.PathOf(name)}' is not the file that was recorded: its SHA-256 is {sha256}, recorded was {record.Sha256}. Run 'antbot verify --archives'.");
            _open.AddFirst(opened);
            while (_open.Count > 1 && OpenBytes > OpenBytesMax)
                _open.RemoveLast();
            return opened;
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<StreamsArchived> RecordAsync(string name, CancellationToken cancellationToken)
    {
        _ = _folder.PathOf(name);
        await foreach (var stored in _inner.ReadStreamAsync(Streams.Archive(name), cancellationToken: cancellationToken))
        {
            if (stored.Type == Archiving.RecordType && JsonSerializer.Deserialize<StreamsArchived>(stored.Data.Span, EventCodec.Json) is { } record)
                return record;
        }
        throw new EventStoreException(StoreFault.Corrupt, $"The store names an archive '{name}' that its history does not record. Run 'antbot verify'.");
    }
}

/// <summary>An archive that was opened, by what its events are asked for.</summary>
internal sealed class ArchiveIndex(string name)
{
    /// <summary>About what an event takes besides its body: names, hashes, and its places here.</summary>
    private const int EventBytes = 1024;

    private readonly Dictionary<long, StoredEvent> _bySequence = [];
    private readonly Dictionary<Guid, StoredEvent> _byId = [];
    private readonly Dictionary<string, List<StoredEvent>> _streams = new(StringComparer.Ordinal);

    public string Name { get; } = name;

    public long Bytes { get; private set; }

    public void Add(StoredEvent stored)
    {
        if (!_bySequence.TryAdd(stored.Sequence, stored))
            throw new EventStoreException(StoreFault.Corrupt, $"The archive '{Name}' has two events of sequence {stored.Sequence}. Run 'antbot verify --archives'.");
        _byId[stored.EventId] = stored;
        if (!_streams.TryGetValue(stored.Stream, out var stream))
            _streams[stored.Stream] = stream = [];
        stream.Add(stored);
        Bytes += EventBytes + stored.Bytes;
    }

    public IEnumerable<StoredEvent> Stream(string stream) => _streams.TryGetValue(stream, out var events) ? events.OrderBy(e => e.Version) : [];

    public StoredEvent At(ArchivedEvent archived) => _bySequence.TryGetValue(archived.Sequence, out var stored) && stored.Position == archived.Position
        ? stored
        : throw new EventStoreException(StoreFault.Corrupt, $"The archive '{Name}' does not have the event of sequence {archived.Sequence}, which the store says it has. Run 'antbot verify --archives'.");

    public List<StoredEvent> Find(Decision decision)
    {
        var found = new List<StoredEvent>();
        while (_byId.TryGetValue(decision.EventId(found.Count), out var stored))
            found.Add(stored);
        return found;
    }
}

/// <summary>The chain with the events that archives have.</summary>
internal sealed class ArchivedLedger(IArchivingLedger inner, ArchivedEventStore store) : IArchivingLedger
{
    public Task<LedgerHead> ReadHeadAsync(CancellationToken cancellationToken = default) => inner.ReadHeadAsync(cancellationToken);

    public async IAsyncEnumerable<LedgerLink> ReadLinksAsync(long afterPosition = 0, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var link in inner.ReadLinksAsync(afterPosition, cancellationToken))
            yield return link is { Event: null, Archived: { } archived } ? link with { Event = await store.ReadAsync(archived, cancellationToken), Archived = null } : link;
    }

    public Task<IReadOnlyList<HeadMismatch>> FindHeadMismatchesAsync(int limit, CancellationToken cancellationToken = default) => inner.FindHeadMismatchesAsync(limit, cancellationToken);

    public Task<IReadOnlyList<StoredEvent>> FindUnsealedAsync(int limit, CancellationToken cancellationToken = default) => inner.FindUnsealedAsync(limit, cancellationToken);

    public Task<SealSummary> SealAsync(int limit, long afterSequence = long.MinValue, CancellationToken cancellationToken = default) => inner.SealAsync(limit, afterSequence, cancellationToken);

    public Task<IReadOnlyList<Checkpoint>> ReadCheckpointsAsync(CancellationToken cancellationToken = default) => inner.ReadCheckpointsAsync(cancellationToken);

    public Task SaveCheckpointAsync(Checkpoint checkpoint, CancellationToken cancellationToken = default) => inner.SaveCheckpointAsync(checkpoint, cancellationToken);

    public Task ImportAsync(Guid storeId, IReadOnlyList<LedgerLink> links, CancellationToken cancellationToken = default) => inner.ImportAsync(storeId, links, cancellationToken);

    public Task<IReadOnlyList<StreamHead>> FindStreamsAsync(string prefix, DateTimeOffset before, string after, int limit, CancellationToken cancellationToken = default) =>
        inner.FindStreamsAsync(prefix, before, after, limit, cancellationToken);

    public Task<IReadOnlyList<Follower>> ReadFollowersAsync(CancellationToken cancellationToken = default) => inner.ReadFollowersAsync(cancellationToken);

    public Task<IReadOnlySet<string>> ReadArchivedStreamsAsync(string archive, CancellationToken cancellationToken = default) => inner.ReadArchivedStreamsAsync(archive, cancellationToken);

    public Task<long> CountArchivedAsync(CancellationToken cancellationToken = default) => inner.CountArchivedAsync(cancellationToken);

    public Task<IReadOnlyList<string>> TakeOutAsync(TakeOut takeOut, CancellationToken cancellationToken = default) => inner.TakeOutAsync(takeOut, cancellationToken);
}
