using System.Runtime.CompilerServices;
using Antbot.Contracts;
using Antbot.Kernel.Identity;
using Antbot.Kernel.Proof;

namespace Antbot.Runtime.Store;

/// <summary>The whole contract without a disk, for the simulator and for tests. Nothing in it waits or uses another thread.</summary>
public sealed partial class InMemoryEventStore : IEventStore, IArchivingLedger
{
    private readonly Data _data;
    private bool _closed;

    public InMemoryEventStore(Guid storeId)
        : this(new Data { StoreId = storeId })
    {
    }

    private InMemoryEventStore(Data data) => _data = data;

    public ILedger Ledger => this;

    /// <summary>Another handle on the same data: what a process finds that starts after this one died.</summary>
    public InMemoryEventStore OpenAgain() => new(_data);

    public Task<AppendOutcome> AppendAsync(AppendRequest request, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var prepared = PreparedAppend.From(request);
        try
        {
            return Task.FromResult(Append(prepared));
        }
        catch (EventStoreException e)
        {
            // As from every engine: one that is refused is no reason for the caller not to await the others.
            return Task.FromException<AppendOutcome>(e);
        }
    }

    /// <summary>The same, for whoever has prepared it already.</summary>
    public AppendOutcome Append(PreparedAppend prepared)
    {
        AppendOutcome outcome;
        lock (_data.Gate)
        {
            CheckOpen();
            outcome = AppendNow(prepared);
        }
        if (outcome is AppendOutcome.Appended)
            _data.Signal.Announce();
        return outcome;
    }

    /// <summary>Numbers that a transaction draws; they are gone whatever becomes of it.</summary>
    /// <returns>The first of them.</returns>
    public long DrawSequences(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        lock (_data.Gate)
        {
            var first = _data.LastSequence + 1;
            _data.LastSequence += count;
            return first;
        }
    }

    /// <summary>Adopts what a writer without our lock has committed, at the end of the ledger, as the sealer does.</summary>
    public StoredEvent Seal(StoredEvent foreign)
    {
        ArgumentNullException.ThrowIfNull(foreign);
        StoredEvent stored;
        lock (_data.Gate)
        {
            CheckOpen();
            if (_data.BySequence.ContainsKey(foreign.Sequence) || _data.ById.ContainsKey(foreign.EventId) || Version(foreign.Stream) != foreign.Version - 1)
                throw new InvalidOperationException($"Event {foreign.EventId} (sequence {foreign.Sequence}, {foreign.Stream} version {foreign.Version}) has no place here.");
            var head = Head();
            stored = foreign with { Position = head.Position + 1 };
            var hash = ChainLink.Hash(head.Hash, stored.ContentHash(), stored.Position, stored.Sequence, stored.Version, foreign: true);
            Keep(new LedgerLink(stored.Position, stored.Sequence, stored.EventId, stored.CorrelationId, head.Hash, hash, Foreign: true, stored));
        }
        _data.Signal.Announce();
        return stored;
    }

    public Task<IReadOnlyList<StoredEvent>> FindDecisionAsync(Decision decision, CancellationToken cancellationToken = default)
    {
        lock (_data.Gate)
        {
            CheckOpen();
            return Task.FromResult<IReadOnlyList<StoredEvent>>(Find(decision));
        }
    }

    public Task<long> ReadVersionAsync(StreamId stream, CancellationToken cancellationToken = default)
    {
        lock (_data.Gate)
        {
            CheckOpen();
            return Task.FromResult(Version(stream.Value));
        }
    }

    public async IAsyncEnumerable<StoredEvent> ReadStreamAsync(
        StreamId stream, long fromVersion = 1, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        StoredEvent[] events;
        lock (_data.Gate)
        {
            CheckOpen();
            if (_data.Archived.TryGetValue(stream.Value, out var archived) && archived.Version >= fromVersion)
                throw Archiving.Fault(stream.Value, archived.Archive);
            events = _data.Streams.TryGetValue(stream.Value, out var all) ? [.. all.Skip(all.FindLastIndex(e => e.Version < fromVersion) + 1)] : [];
        }
        foreach (var e in events)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return e;
        }
        await Task.CompletedTask;
    }

    public async Task<IReadOnlyList<StoredEvent>> ReadPageAsync(long afterSequence, int limit, CancellationToken cancellationToken = default) =>
        (await ReadPageAsync(afterSequence, limit, EventPage.EveryStream, cancellationToken)).Whole();

    public Task<EventPage> ReadPageAsync(long afterSequence, int limit, IReadOnlyList<string> prefixes, CancellationToken cancellationToken = default)
    {
        StoreChecks.Page(limit);
        lock (_data.Gate)
        {
            CheckOpen();
            return Task.FromResult(PageOf(_data.Links.Skip(FirstAfter(afterSequence)).Take(limit), afterSequence, prefixes, StoreLimits.PageBytesMax));
        }
    }

    public async Task<IReadOnlyList<StoredEvent>> FindByCorrelationAsync(string correlationId, int limit = 1_000, CancellationToken cancellationToken = default) =>
        (await FindChainAsync(correlationId, limit, cancellationToken)).Whole();

    public Task<EventPage> FindChainAsync(string correlationId, int limit = 1_000, CancellationToken cancellationToken = default)
    {
        StoreChecks.CausalChain(correlationId, limit);
        lock (_data.Gate)
        {
            CheckOpen();
            return Task.FromResult(PageOf(_data.Links.Where(l => l.CorrelationId == correlationId).Take(limit), 0, EventPage.EveryStream, long.MaxValue));
        }
    }

    public long AppendMark => _data.Signal.Mark;

    public Task WaitForAppendAsync(long mark, TimeSpan atMost, CancellationToken cancellationToken = default) =>
        _data.Signal.WaitAsync(mark, atMost, cancellationToken);

    public Task<long> LoadCheckpointAsync(string subscription, CancellationToken cancellationToken = default)
    {
        StoreChecks.Name("subscription", subscription);
        lock (_data.Gate)
        {
            CheckOpen();
            return Task.FromResult(_data.Subscriptions.GetValueOrDefault(subscription));
        }
    }

    public Task SaveCheckpointAsync(string subscription, long sequence, CancellationToken cancellationToken = default)
    {
        StoreChecks.Name("subscription", subscription);
        lock (_data.Gate)
        {
            CheckOpen();
            _data.Subscriptions[subscription] = sequence;
        }
        return Task.CompletedTask;
    }

    public Task<Snapshot?> LoadSnapshotAsync(StreamId stream, string name, CancellationToken cancellationToken = default)
    {
        StoreChecks.Name("snapshot", name);
        lock (_data.Gate)
        {
            CheckOpen();
            return Task.FromResult(_data.Snapshots.GetValueOrDefault((stream.Value, name)));
        }
    }

    public Task SaveSnapshotAsync(Snapshot snapshot, CancellationToken cancellationToken = default)
    {
        var kept = snapshot with { State = StoreChecks.CanonicalState(snapshot) };
        lock (_data.Gate)
        {
            CheckOpen();
            var key = (snapshot.Stream.Value, snapshot.Name);
            if (!_data.Snapshots.TryGetValue(key, out var there) || there.Version < snapshot.Version)
                _data.Snapshots[key] = kept;
        }
        return Task.CompletedTask;
    }

    public Task<LedgerHead> ReadHeadAsync(CancellationToken cancellationToken = default)
    {
        lock (_data.Gate)
            return Task.FromResult(Head());
    }

    public async IAsyncEnumerable<LedgerLink> ReadLinksAsync(
        long afterPosition = 0, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        LedgerLink[] links;
        lock (_data.Gate)
            links = [.. _data.Links.Where(l => l.Position > afterPosition)];
        foreach (var link in links)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return link;
        }
        await Task.CompletedTask;
    }

    /// <summary>Heads are the events here: they cannot disagree.</summary>
    public Task<IReadOnlyList<HeadMismatch>> FindHeadMismatchesAsync(int limit, CancellationToken cancellationToken = default) =>
        Task.FromResult<IReadOnlyList<HeadMismatch>>([]);

    /// <summary>Nobody else appends here: there is nothing to seal.</summary>
    public Task<IReadOnlyList<StoredEvent>> FindUnsealedAsync(int limit, CancellationToken cancellationToken = default) =>
        Task.FromResult<IReadOnlyList<StoredEvent>>([]);

    public Task<SealSummary> SealAsync(int limit, long afterSequence = long.MinValue, CancellationToken cancellationToken = default) => Task.FromResult(SealSummary.Nothing);

    public Task<IReadOnlyList<Checkpoint>> ReadCheckpointsAsync(CancellationToken cancellationToken = default)
    {
        lock (_data.Gate)
            return Task.FromResult<IReadOnlyList<Checkpoint>>([.. _data.Checkpoints.Values]);
    }

    public Task SaveCheckpointAsync(Checkpoint checkpoint, CancellationToken cancellationToken = default)
    {
        lock (_data.Gate)
            _data.Checkpoints.TryAdd(checkpoint.Position, checkpoint);
        return Task.CompletedTask;
    }

    public Task ImportAsync(Guid storeId, IReadOnlyList<LedgerLink> links, CancellationToken cancellationToken = default)
    {
        ImportChecks.Page(links);
        if (links.Count == 0)
            return Task.CompletedTask;
        lock (_data.Gate)
        {
            CheckOpen();
            // Everything is checked before anything is kept: an import is all or none here too.
            var head = _data.Links.Count == 0 ? new LedgerHead(storeId, 0, 0, ChainLink.Genesis(storeId)) : Head();
            if (head.StoreId != storeId)
                throw ImportChecks.OtherStore(storeId, head.StoreId);
            if (links[0].Position != head.Position + 1 || !links[0].PreviousHash.AsSpan().SequenceEqual(head.Hash))
                throw ImportChecks.NotFollowing(links[0], head.Position);
            CheckFree(links);
            _data.StoreId = head.StoreId;
            foreach (var link in links)
                Keep(link);
        }
        _data.Signal.Announce();
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        lock (_data.Gate)
            _closed = true;
        return ValueTask.CompletedTask;
    }

    private AppendOutcome AppendNow(PreparedAppend prepared)
    {
        var request = prepared.Request;
        if (_data.ById.TryGetValue(prepared.Events[0].EventId, out var first))
            return new AppendOutcome.AlreadyThere(first.Event is null ? [] : Find(request.Decision));
        foreach (var guard in request.Guards)
        {
            if (!guard.Expected.Allows(Version(guard.Stream.Value)))
                return new AppendOutcome.Conflict(guard.Stream, guard.Expected, Version(guard.Stream.Value));
        }
        if (_data.Archived.ContainsKey(request.Stream.Value))
            throw Archiving.Over(request.Stream);
        var version = Version(request.Stream.Value);
        if (!request.Expected.Allows(version))
            return new AppendOutcome.Conflict(request.Stream, request.Expected, version);

        var head = Head();
        var sequences = new long[prepared.Events.Count];
        for (var i = 0; i < sequences.Length; i++)
            sequences[i] = _data.LastSequence + 1 + i;
        var stored = prepared.ToStored(version + 1, head.Position + 1, sequences);
        var previous = head.Hash;
        for (var i = 0; i < stored.Length; i++)
        {
            var e = stored[i];
            var hash = ChainLink.Hash(previous, prepared.Events[i].ContentHash, e.Position, e.Sequence, e.Version, foreign: false);
            Keep(new LedgerLink(e.Position, e.Sequence, e.EventId, e.CorrelationId, previous, hash, Foreign: false, e));
            previous = hash;
        }
        return new AppendOutcome.Appended(stored);
    }

    private void Keep(LedgerLink link)
    {
        var e = link.Event!;
        _data.BySequence.Add(e.Sequence, _data.Links.Count);
        _data.LastSequence = Math.Max(_data.LastSequence, e.Sequence);
        _data.Links.Add(link);
        _data.ById.Add(e.EventId, link);
        if (!_data.Streams.TryGetValue(e.Stream, out var stream))
            _data.Streams[e.Stream] = stream = [];
        // In a history that comes from elsewhere, what a stranger appended may come behind what was appended after it.
        stream.Insert(stream.FindLastIndex(s => s.Version < e.Version) + 1, e);
    }

    private void CheckFree(IReadOnlyList<LedgerLink> links)
    {
        var (sequences, ids, versions) = (new HashSet<long>(), new HashSet<Guid>(), new HashSet<(string Stream, long Version)>());
        foreach (var e in links.Select(l => l.Event!))
        {
            if (!sequences.Add(e.Sequence) || _data.BySequence.ContainsKey(e.Sequence))
                throw ImportChecks.Taken($"sequence {e.Sequence} is there already");
            if (!ids.Add(e.EventId) || _data.ById.ContainsKey(e.EventId))
                throw ImportChecks.Taken($"event {e.EventId} is there already");
            if (!versions.Add((e.Stream, e.Version)) || (_data.Streams.TryGetValue(e.Stream, out var stream) && stream.Exists(s => s.Version == e.Version)))
                throw ImportChecks.Taken($"{e.Stream} has a version {e.Version} already");
        }
    }

    private List<StoredEvent> Find(Decision decision)
    {
        var found = new List<StoredEvent>();
        while (_data.ById.TryGetValue(decision.EventId(found.Count), out var link))
            found.Add(link.Event ?? throw link.Archived!.Fault());
        return found;
    }

    private LedgerHead Head() => _data.Links.Count == 0
        ? new LedgerHead(_data.StoreId, 0, 0, ChainLink.Genesis(_data.StoreId))
        : new LedgerHead(_data.StoreId, _data.Links[^1].Position, _data.Links[^1].Sequence, _data.Links[^1].Hash);

    /// <summary>The index behind the event with the highest sequence up to this one; an imported history need not be in the order of its sequences.</summary>
    private int FirstAfter(long sequence)
    {
        var (low, high) = (0, _data.BySequence.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_data.BySequence.Keys[middle] <= sequence)
                low = middle + 1;
            else
                high = middle;
        }
        return low == 0 ? 0 : _data.BySequence.Values[low - 1] + 1;
    }

    private long Version(string stream) => _data.Streams.TryGetValue(stream, out var events) ? events[^1].Version : _data.Archived.GetValueOrDefault(stream).Version;

    private void CheckOpen()
    {
        if (_closed)
            throw new EventStoreException(StoreFault.Closed, "The store has been closed.");
    }

    private sealed class Data
    {
        public Lock Gate { get; } = new();
        public Guid StoreId { get; set; }
        public List<LedgerLink> Links { get; } = [];
        public SortedList<long, int> BySequence { get; } = [];
        public long LastSequence { get; set; }
        public Dictionary<string, List<StoredEvent>> Streams { get; } = new(StringComparer.Ordinal);
        public Dictionary<Guid, LedgerLink> ById { get; } = [];
        public Dictionary<string, (string Archive, long Version)> Archived { get; } = new(StringComparer.Ordinal);
        public Dictionary<string, long> Subscriptions { get; } = new(StringComparer.Ordinal);
        public Dictionary<(string Stream, string Name), Snapshot> Snapshots { get; } = [];
        public SortedList<long, Checkpoint> Checkpoints { get; } = [];
        public AppendSignal Signal { get; } = new();
    }
}
