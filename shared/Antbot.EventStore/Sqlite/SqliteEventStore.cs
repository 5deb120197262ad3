using System.Runtime.CompilerServices;
using Antbot.Contracts;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Sqlite;

/// <summary>
/// The embedded default of one process: one file, write-ahead logged, every commit on the disk before its caller hears of it.
/// Other processes may read and append to the same file meanwhile.
/// </summary>
public sealed partial class SqliteEventStore : IEventStore, IArchivingLedger
{
    private const int StreamPage = 500;

    private readonly SqliteFile _file;
    private readonly SqliteStoreOptions _options;
    private readonly AppendSignal _signal = new();
    private readonly SqliteReaders _readers;
    private readonly SqliteWatch _watch;
    private readonly SqliteWriter? _writer;
    private readonly AppendQueue? _queue;
    private int _closed;

    private SqliteEventStore(SqliteStoreOptions options)
    {
        _options = options;
        _file = new SqliteFile(options);
        var access = SqliteAccess.Read;
        if (options.ReadOnly)
            access = _file.CheckForReading();
        else
            _writer = new SqliteWriter(_file, _file.OpenChecked(), options, _signal);
        _readers = new SqliteReaders(_file.Path, access, options);
        _watch = new SqliteWatch(_signal, options.OthersPoll, () => SqliteSession.Open(_file.Path, access, TimeSpan.Zero));
        if (_writer is not null)
            _queue = new AppendQueue(_writer.CommitAsync, new AppendQueueOptions { Committers = 1, AnswerMax = options.AnswerMax, Behind = $"The disk under '{_file.Path}'", Clock = options.Clock });
    }

    public string Path => _file.Path;

    /// <summary>For tests.</summary>
    internal SqliteCheckpointer Checkpointer => (_writer ?? throw OpenedReadOnly()).Checkpointer;

    public ILedger Ledger => this;

    /// <summary>Opens the file, and makes it and its folder where they are missing. A damaged one is kept aside and refused.</summary>
    public static Task<SqliteEventStore> OpenAsync(SqliteStoreOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Task.Run(() => new SqliteEventStore(options), cancellationToken);
    }

    public Task<AppendOutcome> AppendAsync(AppendRequest request, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var prepared = PreparedAppend.From(request);
        _readers.CheckOpen();
        return (_queue ?? throw OpenedReadOnly()).AppendAsync(prepared, cancellationToken);
    }

    public IReadOnlyList<Task<AppendOutcome>> AppendInOrder(IReadOnlyList<AppendRequest> requests, CancellationToken cancellationToken = default)
    {
        InOrder.Check(requests);
        _readers.CheckOpen();
        if (_queue is not { } queue)
            throw OpenedReadOnly();
        if (PreparedAppend.TryAll(requests) is not { } prepared || !queue.TakesInOrder(prepared))
            return InOrder.OneByOne(this, requests, cancellationToken);
        return queue.AppendInOrder(prepared, cancellationToken);
    }

    public Task<IReadOnlyList<StoredEvent>> FindDecisionAsync(Decision decision, CancellationToken cancellationToken = default) =>
        _readers.ReadAsync<IReadOnlyList<StoredEvent>>(
            s =>
            {
                // One state of the file for all its events.
                s.Get("BEGIN").Run();
                var found = SqliteAppender.Find(s, decision);
                s.Commit();
                return found;
            },
            cancellationToken);

    public Task<long> ReadVersionAsync(StreamId stream, CancellationToken cancellationToken = default) =>
        _readers.ReadAsync(s => SqliteAppender.Version(s, stream), cancellationToken);

    public async IAsyncEnumerable<StoredEvent> ReadStreamAsync(
        StreamId stream, long fromVersion = 1, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var next = fromVersion;
        while (true)
        {
            var page = await _readers.ReadAsync(s => StreamRows(s, stream.Value, next), cancellationToken);
            if (page.Count == 0)
                yield break;
            foreach (var e in page)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return e;
            }
            next = page[^1].Version + 1;
        }
    }

    public async Task<IReadOnlyList<StoredEvent>> ReadPageAsync(long afterSequence, int limit, CancellationToken cancellationToken = default) =>
        (await ReadPageAsync(afterSequence, limit, EventPage.EveryStream, cancellationToken)).Whole();

    public Task<EventPage> ReadPageAsync(long afterSequence, int limit, IReadOnlyList<string> prefixes, CancellationToken cancellationToken = default)
    {
        StoreChecks.Page(limit);
        return _readers.ReadAsync(s => PageRows(s, afterSequence, limit, prefixes), cancellationToken);
    }

    public async Task<IReadOnlyList<StoredEvent>> FindByCorrelationAsync(string correlationId, int limit = 1_000, CancellationToken cancellationToken = default) =>
        (await FindChainAsync(correlationId, limit, cancellationToken)).Whole();

    public Task<EventPage> FindChainAsync(string correlationId, int limit = 1_000, CancellationToken cancellationToken = default)
    {
        StoreChecks.CausalChain(correlationId, limit);
        return _readers.ReadAsync(s => ChainRows(s, correlationId, limit), cancellationToken);
    }

    public long AppendMark => _signal.Mark;

    public Task WaitForAppendAsync(long mark, TimeSpan atMost, CancellationToken cancellationToken = default) =>
        _watch.WaitAsync(mark, atMost, cancellationToken);

    public Task<long> LoadCheckpointAsync(string subscription, CancellationToken cancellationToken = default)
    {
        StoreChecks.Name("subscription", subscription);
        return _readers.ReadAsync(s => s.Get("SELECT last_seq_id FROM mt_event_progression WHERE name = ?1").Bind(1, subscription).Scalar() ?? 0, cancellationToken);
    }

    public Task SaveCheckpointAsync(string subscription, long sequence, CancellationToken cancellationToken = default)
    {
        StoreChecks.Name("subscription", subscription);
        return WriteAsync(
            s => s.Get(ProgressionSql).Bind(1, subscription).Bind(2, sequence).Bind(3, _options.Clock.GetUtcNow()).Run(),
            cancellationToken);
    }

    public Task<Snapshot?> LoadSnapshotAsync(StreamId stream, string name, CancellationToken cancellationToken = default)
    {
        StoreChecks.Name("snapshot", name);
        return _readers.ReadAsync(s => SnapshotRow(s, stream, name), cancellationToken);
    }

    public Task SaveSnapshotAsync(Snapshot snapshot, CancellationToken cancellationToken = default)
    {
        var state = StoreChecks.CanonicalState(snapshot);
        var hash = SnapshotSeal.Of(snapshot);
        return WriteAsync(
            s =>
            {
                if (SnapshotRow(s, snapshot.Stream, snapshot.Name) is { } there && there.Version >= snapshot.Version)
                    return;
                s.Get(SnapshotSql)
                    .Bind(1, snapshot.Stream.Value).Bind(2, snapshot.Name).Bind(3, snapshot.Version).BindText(4, state).BindBlob(5, hash).Run();
            },
            cancellationToken);
    }

    /// <summary>What is queued is still committed.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _closed, 1) != 0)
            return;
        if (_queue is not null)
            await _queue.DisposeAsync();
        await Task.Run(() =>
        {
            _watch.Dispose();
            _readers.Dispose();
            _writer?.Dispose();
        });
    }

    /// <summary>For tests: what only a pragma can bring about.</summary>
    internal Task TuneAsync(string pragma) => (_writer ?? throw OpenedReadOnly()).TuneAsync(pragma);

    private Task WriteAsync(Action<SqliteSession> work, CancellationToken cancellationToken) =>
        WriteAsync(
            s =>
            {
                work(s);
                return true;
            },
            cancellationToken);

    private Task<T> WriteAsync<T>(Func<SqliteSession, T> work, CancellationToken cancellationToken)
    {
        _readers.CheckOpen();
        return _writer is { } writer ? writer.WriteAsync(work, cancellationToken) : throw OpenedReadOnly();
    }

    private EventStoreException OpenedReadOnly() => SqliteFaults.ReadOnly(Path, "it was opened read-only");
}
