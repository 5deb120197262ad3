using Antbot.Contracts;
using Antbot.EventStore.Postgres;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;
using JasperFx;
using Marten;

namespace Antbot.EventStore.Marten;

/// <summary>
/// The event store on PostgreSQL whose appends go through a real Marten session. What is not an append is the other engine's:
/// the tables are the same, and so are the queue, the faults and the promises.
/// </summary>
public sealed class MartenEventStore : IEventStore
{
    private readonly DocumentStore _marten;
    private readonly PostgresEventStore _store;

    /// <summary>Connects when it is first needed. The schema is <see cref="PostgresSchema"/>'s; Marten changes none of it.</summary>
    public MartenEventStore(PostgresStoreOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.ControlOnly)
            throw new ArgumentException("The control-only role may append through its procedure only, which Marten does not call.", nameof(options));
        _marten = MartenLayout.Open(options.ConnectionString, AutoCreate.None, o => o.Events.AddEventType(typeof(RawBody)));
        _store = new PostgresEventStore(
            options,
            source => new MartenWriter(source, _marten),
            new AppendQueueOptions { BatchAppendsMax = 1 });
    }

    public ILedger Ledger => _store.Ledger;

    public long AppendMark => _store.AppendMark;

    public Task<AppendOutcome> AppendAsync(AppendRequest request, CancellationToken cancellationToken = default) =>
        _store.AppendAsync(request, cancellationToken);

    public IReadOnlyList<Task<AppendOutcome>> AppendInOrder(IReadOnlyList<AppendRequest> requests, CancellationToken cancellationToken = default) =>
        _store.AppendInOrder(requests, cancellationToken);

    public Task<IReadOnlyList<StoredEvent>> FindDecisionAsync(Decision decision, CancellationToken cancellationToken = default) =>
        _store.FindDecisionAsync(decision, cancellationToken);

    public Task<IReadOnlyDictionary<Decision, EventPlace>> FindDecidedAsync(IReadOnlyCollection<Decision> decisions, CancellationToken cancellationToken = default) =>
        _store.FindDecidedAsync(decisions, cancellationToken);

    public Task<long> ReadVersionAsync(StreamId stream, CancellationToken cancellationToken = default) =>
        _store.ReadVersionAsync(stream, cancellationToken);

    public IAsyncEnumerable<StoredEvent> ReadStreamAsync(StreamId stream, long fromVersion = 1, CancellationToken cancellationToken = default) =>
        _store.ReadStreamAsync(stream, fromVersion, cancellationToken);

    public IAsyncEnumerable<StoredEvent> ReadStreamsAsync(IReadOnlyList<StreamStart> streams, CancellationToken cancellationToken = default) =>
        _store.ReadStreamsAsync(streams, cancellationToken);

    public Task<IReadOnlyList<StoredEvent>> ReadPageAsync(long afterSequence, int limit, CancellationToken cancellationToken = default) =>
        _store.ReadPageAsync(afterSequence, limit, cancellationToken);

    public Task<EventPage> ReadPageAsync(long afterSequence, int limit, IReadOnlyList<string> prefixes, CancellationToken cancellationToken = default) =>
        _store.ReadPageAsync(afterSequence, limit, prefixes, cancellationToken);

    public Task<EventPage> FindChainAsync(string correlationId, int limit = 1_000, CancellationToken cancellationToken = default) =>
        _store.FindChainAsync(correlationId, limit, cancellationToken);

    public Task<IReadOnlyList<StoredEvent>> FindByCorrelationAsync(string correlationId, int limit = 1_000, CancellationToken cancellationToken = default) =>
        _store.FindByCorrelationAsync(correlationId, limit, cancellationToken);

    public Task WaitForAppendAsync(long mark, TimeSpan atMost, CancellationToken cancellationToken = default) =>
        _store.WaitForAppendAsync(mark, atMost, cancellationToken);

    public Task<long> LoadCheckpointAsync(string subscription, CancellationToken cancellationToken = default) =>
        _store.LoadCheckpointAsync(subscription, cancellationToken);

    public Task SaveCheckpointAsync(string subscription, long sequence, CancellationToken cancellationToken = default) =>
        _store.SaveCheckpointAsync(subscription, sequence, cancellationToken);

    public Task<Snapshot?> LoadSnapshotAsync(StreamId stream, string name, CancellationToken cancellationToken = default) =>
        _store.LoadSnapshotAsync(stream, name, cancellationToken);

    public Task SaveSnapshotAsync(Snapshot snapshot, CancellationToken cancellationToken = default) =>
        _store.SaveSnapshotAsync(snapshot, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await _marten.DisposeAsync();
    }
}
