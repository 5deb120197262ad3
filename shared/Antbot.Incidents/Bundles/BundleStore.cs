using Antbot.Contracts;
using Antbot.EventStore.Proof;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;

namespace Antbot.Incidents.Bundles;

/// <summary>The events that a bundle shows, as a store that nobody writes to: with the numbers that they had, and what is not shown missing.</summary>
public sealed class BundleStore : IEventStore, ILedger
{
    private readonly Guid _storeId;
    private readonly List<StoredEvent> _events;
    private readonly Dictionary<Guid, StoredEvent> _byId;
    private readonly ILookup<string, StoredEvent> _byStream;
    private readonly ILookup<string, StoredEvent> _byCorrelation;

    private BundleStore(Guid storeId, List<StoredEvent> events)
    {
        (_storeId, _events) = (storeId, events);
        _byId = events.ToDictionary(e => e.EventId);
        _byStream = events.OrderBy(e => e.Version).ToLookup(e => e.Stream, StringComparer.Ordinal);
        _byCorrelation = events.Where(e => e.CorrelationId is not null).ToLookup(e => e.CorrelationId!, StringComparer.Ordinal);
    }

    public ILedger Ledger => this;

    public long AppendMark => 0;

    /// <summary>Each member's hash is looked at; that the events are true is the verifier's to say.</summary>
    public static async Task<BundleStore> OpenAsync(BundleReader bundle, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(bundle);
        var events = new List<StoredEvent>();
        if (bundle.Has(BundleContent.Events))
        {
            using var input = new MemoryStream(await bundle.ReadAsync(BundleContent.Events, BundleLimits.WholeBytesMax, cancellationToken));
            await foreach (var link in ExcerptReader.ReadAsync(input, cancellationToken))
                events.Add(link.Event!);
        }
        if (events.DistinctBy(e => e.EventId).Count() != events.Count || events.DistinctBy(e => (e.Stream, e.Version)).Count() != events.Count || events.Zip(events.Skip(1)).Any(p => p.First.Sequence >= p.Second.Sequence))
            throw BundleLimits.Refused("its events are not in order, or one is there twice");
        return new BundleStore(bundle.Manifest.StoreId, events);
    }

    /// <summary>The whole of it, in pages.</summary>
    public async IAsyncEnumerable<IReadOnlyList<StoredEvent>> PagesAsync(int size)
    {
        foreach (var page in _events.Chunk(size))
        {
            await Task.Yield();
            yield return page;
        }
    }

    public Task<IReadOnlyList<StoredEvent>> FindDecisionAsync(Decision decision, CancellationToken cancellationToken = default)
    {
        var found = new List<StoredEvent>();
        while (_byId.TryGetValue(decision.EventId(found.Count), out var stored))
            found.Add(stored);
        return Task.FromResult<IReadOnlyList<StoredEvent>>(found);
    }

    public Task<long> ReadVersionAsync(StreamId stream, CancellationToken cancellationToken = default) => Task.FromResult(_byStream[stream.Value].Select(e => e.Version).DefaultIfEmpty().Last());

    public IAsyncEnumerable<StoredEvent> ReadStreamAsync(StreamId stream, long fromVersion = 1, CancellationToken cancellationToken = default) => _byStream[stream.Value].Where(e => e.Version >= fromVersion).ToAsyncEnumerable();

    public Task<IReadOnlyList<StoredEvent>> ReadPageAsync(long afterSequence, int limit, CancellationToken cancellationToken = default)
    {
        var (low, high) = (0, _events.Count);
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            if (_events[middle].Sequence <= afterSequence)
                low = middle + 1;
            else
                high = middle;
        }
        return Task.FromResult<IReadOnlyList<StoredEvent>>(_events.GetRange(low, Math.Min(limit, _events.Count - low)));
    }

    public Task<IReadOnlyList<StoredEvent>> FindByCorrelationAsync(string correlationId, int limit = 1_000, CancellationToken cancellationToken = default) =>
        Task.FromResult<IReadOnlyList<StoredEvent>>([.. _byCorrelation[correlationId].Take(limit)]);

    public Task<LedgerHead> ReadHeadAsync(CancellationToken cancellationToken = default) =>
        Task.FromResult(_events.Count == 0 ? new LedgerHead(_storeId, 0, 0, []) : new LedgerHead(_storeId, _events[^1].Position, _events[^1].Sequence, []));

    public Task<Snapshot?> LoadSnapshotAsync(StreamId stream, string name, CancellationToken cancellationToken = default) => Task.FromResult<Snapshot?>(null);

    public Task<long> LoadCheckpointAsync(string subscription, CancellationToken cancellationToken = default) => Task.FromResult(0L);

    public Task WaitForAppendAsync(long mark, TimeSpan atMost, CancellationToken cancellationToken = default) => throw ReadOnly();

    public Task<AppendOutcome> AppendAsync(AppendRequest request, CancellationToken cancellationToken = default) => throw ReadOnly();

    public Task SaveCheckpointAsync(string subscription, long sequence, CancellationToken cancellationToken = default) => throw ReadOnly();

    public Task SaveSnapshotAsync(Snapshot snapshot, CancellationToken cancellationToken = default) => throw ReadOnly();

    public IAsyncEnumerable<LedgerLink> ReadLinksAsync(long afterPosition = 0, CancellationToken cancellationToken = default) => throw ReadOnly();

    public Task<IReadOnlyList<HeadMismatch>> FindHeadMismatchesAsync(int limit, CancellationToken cancellationToken = default) => throw ReadOnly();

    public Task<IReadOnlyList<StoredEvent>> FindUnsealedAsync(int limit, CancellationToken cancellationToken = default) => Task.FromResult<IReadOnlyList<StoredEvent>>([]);

    public Task<SealSummary> SealAsync(int limit, long afterSequence = long.MinValue, CancellationToken cancellationToken = default) => throw ReadOnly();

    public Task<IReadOnlyList<Checkpoint>> ReadCheckpointsAsync(CancellationToken cancellationToken = default) => throw ReadOnly();

    public Task SaveCheckpointAsync(Checkpoint checkpoint, CancellationToken cancellationToken = default) => throw ReadOnly();

    public Task ImportAsync(Guid storeId, IReadOnlyList<LedgerLink> links, CancellationToken cancellationToken = default) => throw ReadOnly();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static EventStoreException ReadOnly() => new(StoreFault.ReadOnly, "A bundle shows some events of a history; this takes the store itself.");
}

/// <summary>The large bodies that a bundle brings along.</summary>
public sealed class BundleBlobs(BundleReader bundle) : IBlobs
{
    public Task PutAsync(string sha256, ReadOnlyMemory<byte> body, CancellationToken cancellationToken = default) => throw new EventStoreException(StoreFault.ReadOnly, "A bundle is not written to.");

    public async Task<byte[]?> FindAsync(string sha256, CancellationToken cancellationToken = default) =>
        bundle.Has($"{BundleContent.BlobPrefix}{sha256}") ? BlobHash.Checked(sha256, await bundle.ReadAsync($"{BundleContent.BlobPrefix}{sha256}", BundleLimits.WholeBytesMax, cancellationToken)) : null;
}
