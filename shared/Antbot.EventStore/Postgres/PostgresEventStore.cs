using Antbot.Contracts;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;
using Npgsql;

namespace Antbot.EventStore.Postgres;

/// <summary>The event store on PostgreSQL, in Marten's table layout, with the ledger beside it.</summary>
public sealed class PostgresEventStore : IEventStore
{
    private readonly AppendSignal _signal = new();
    private readonly PostgresPool _pool;
    private readonly PostgresReader _reader;
    private readonly PostgresAppender _appender;
    private readonly PostgresListener _listener;
    private readonly AppendQueue _queue;
    private int _disposed;

    /// <summary>Connects when it is first needed: a database that is not there yet is a fault of the call, not of the start.</summary>
    public PostgresEventStore(PostgresStoreOptions options)
        : this(
            options,
            source => new PostgresWriter(source, options.ControlOnly ? "antbot.append_control" : "antbot.append"),
            new AppendQueueOptions())
    {
    }

    /// <summary>Everything but the way in: another engine on the same tables brings its own writer.</summary>
    internal PostgresEventStore(PostgresStoreOptions options, Func<NpgsqlDataSource, IBatchWriter> open, AppendQueueOptions queue)
    {
        _pool = new PostgresPool(options);
        _reader = new PostgresReader(_pool);
        _appender = new PostgresAppender(() => open(_pool.Writers), _reader, options, _pool.Statistics);
        _listener = new PostgresListener(_pool.Listeners, _signal, options.Clock);
        _queue = new AppendQueue(_appender.CommitAsync, queue with { Committers = options.Committers, AnswerMax = options.AnswerMax, Behind = "PostgreSQL", Clock = options.Clock });
        Ledger = new PostgresLedger(_reader, _pool, _signal);
    }

    public ILedger Ledger { get; }

    public PoolReport Pool => _pool.Statistics.Report();

    public long AppendMark => _signal.Mark;

    public Task<AppendOutcome> AppendAsync(AppendRequest request, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return _queue.AppendAsync(PreparedAppend.From(request), cancellationToken);
    }

    public IReadOnlyList<Task<AppendOutcome>> AppendInOrder(IReadOnlyList<AppendRequest> requests, CancellationToken cancellationToken = default)
    {
        InOrder.Check(requests);
        return PreparedAppend.TryAll(requests) is { } prepared && _queue.TakesInOrder(prepared)
            ? _queue.AppendInOrder(prepared, cancellationToken)
            : InOrder.OneByOne(this, requests, cancellationToken);
    }

    public Task<IReadOnlyList<StoredEvent>> FindDecisionAsync(Decision decision, CancellationToken cancellationToken = default) =>
        _reader.FindDecisionAsync(decision, cancellationToken);

    public Task<IReadOnlyDictionary<Decision, EventPlace>> FindDecidedAsync(IReadOnlyCollection<Decision> decisions, CancellationToken cancellationToken = default) =>
        _reader.FindDecidedAsync(decisions, cancellationToken);

    public Task<long> ReadVersionAsync(StreamId stream, CancellationToken cancellationToken = default) =>
        _reader.ReadVersionAsync(stream, cancellationToken);

    public IAsyncEnumerable<StoredEvent> ReadStreamAsync(StreamId stream, long fromVersion = 1, CancellationToken cancellationToken = default) =>
        _reader.ReadStreamAsync(stream, fromVersion, cancellationToken);

    public IAsyncEnumerable<StoredEvent> ReadStreamsAsync(IReadOnlyList<StreamStart> streams, CancellationToken cancellationToken = default) =>
        _reader.ReadStreamsAsync(streams, cancellationToken);

    public Task<IReadOnlyList<StoredEvent>> ReadPageAsync(long afterSequence, int limit, CancellationToken cancellationToken = default) =>
        _reader.ReadPageAsync(afterSequence, limit, cancellationToken);

    public Task<EventPage> ReadPageAsync(long afterSequence, int limit, IReadOnlyList<string> prefixes, CancellationToken cancellationToken = default) =>
        _reader.ReadPageAsync(afterSequence, limit, prefixes, cancellationToken);

    public async Task<IReadOnlyList<StoredEvent>> FindByCorrelationAsync(string correlationId, int limit = 1_000, CancellationToken cancellationToken = default) =>
        (await _reader.FindChainAsync(correlationId, limit, cancellationToken)).Whole();

    public Task<EventPage> FindChainAsync(string correlationId, int limit = 1_000, CancellationToken cancellationToken = default) =>
        _reader.FindChainAsync(correlationId, limit, cancellationToken);

    public Task WaitForAppendAsync(long mark, TimeSpan atMost, CancellationToken cancellationToken = default) =>
        _signal.WaitAsync(mark, atMost, cancellationToken);

    public Task<long> LoadCheckpointAsync(string subscription, CancellationToken cancellationToken = default) =>
        _reader.LoadCheckpointAsync(subscription, cancellationToken);

    public Task SaveCheckpointAsync(string subscription, long sequence, CancellationToken cancellationToken = default) =>
        _reader.SaveCheckpointAsync(subscription, sequence, cancellationToken);

    public Task<Snapshot?> LoadSnapshotAsync(StreamId stream, string name, CancellationToken cancellationToken = default) =>
        _reader.LoadSnapshotAsync(stream, name, cancellationToken);

    public Task SaveSnapshotAsync(Snapshot snapshot, CancellationToken cancellationToken = default) =>
        _reader.SaveSnapshotAsync(snapshot, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _queue.DisposeAsync();
        await _appender.DisposeAsync();
        await _listener.DisposeAsync();
        await _pool.DisposeAsync();
    }
}
