using System.Diagnostics;
using Antbot.EventStore.Sqlite;
using Antbot.Kernel.Identity;

namespace Antbot.Benchmarks.Store;

/// <summary>
/// The peer on SQLite: one connection with its statements prepared, callers take turns on it, one transaction per append that upserts
/// the stream and inserts event and ledger row, unchained. The log is as SQLite makes it, synced at each commit.
/// </summary>
internal sealed class PlainSqlite : IDisposable
{
    private const string UpsertStream = """
        INSERT INTO mt_streams (id, version, timestamp, created) VALUES (?1, ?2, ?3, ?3)
        ON CONFLICT (id) DO UPDATE SET version = excluded.version, timestamp = excluded.timestamp
        """;

    private const string InsertEvent = """
        INSERT INTO mt_events (id, stream_id, version, data, type, timestamp, mt_dotnet_type, correlation_id, causation_id, headers, user_name)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9, 'execution')
        """;

    private const string InsertLink = """
        INSERT INTO antbot_ledger (position, seq_id, event_id, correlation_id, prev_hash, hash)
        VALUES (last_insert_rowid(), last_insert_rowid(), ?1, ?2, ?3, ?3)
        """;

    private static readonly byte[] Hash = new byte[32];

    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly SqliteSession _session;

    private PlainSqlite(SqliteSession session) => _session = session;

    /// <summary>On a file of its own with the engine's tables.</summary>
    public static async Task<PlainSqlite> OpenAsync(string path, CancellationToken cancellationToken)
    {
        var store = await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = path }, cancellationToken);
        await store.DisposeAsync();
        var session = SqliteSession.Open(path, SqliteAccess.Write, TimeSpan.FromSeconds(2));
        session.Execute("PRAGMA synchronous=FULL");
        session.Execute("PRAGMA cache_size=-32768");
        return new PlainSqlite(session);
    }

    public string Version => _session.Query("SELECT sqlite_version()");

    public async Task AppendAsync(int events)
    {
        await _turn.WaitAsync();
        try
        {
            _session.BeginImmediate(TimeSpan.FromSeconds(2));
            Append(events);
            _session.Commit();
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>The limit: the same rows from one caller, in one transaction.</summary>
    /// <returns>Events a second.</returns>
    public double AppendInOneTransaction(int streams, int eventsPerStream)
    {
        var at = Stopwatch.GetTimestamp();
        _session.BeginImmediate(TimeSpan.FromSeconds(2));
        for (var i = 0; i < streams; i++)
            Append(eventsPerStream);
        _session.Commit();
        return streams * eventsPerStream / Stopwatch.GetElapsedTime(at).TotalSeconds;
    }

    public void Dispose()
    {
        _session.Dispose();
        _turn.Dispose();
    }

    private void Append(int events)
    {
        var id = Guid.NewGuid();
        var (text, stream, now) = (id.ToString("N"), "order-" + id.ToString("N"), DateTimeOffset.UtcNow);
        var decision = new Decision(id, "execution");
        _session.Get(UpsertStream).Bind(1, stream).Bind(2, events).Bind(3, now).Run();
        for (var i = 0; i < events; i++)
        {
            var eventId = decision.EventId(i);
            _session.Get(InsertEvent)
                .Bind(1, eventId).Bind(2, stream).Bind(3, i + 1).BindText(4, Sample.Body).Bind(5, Sample.Type).Bind(6, now)
                .Bind(7, Sample.ClrType).Bind(8, text).BindText(9, Sample.Headers).Run();
            _session.Get(InsertLink).Bind(1, eventId).Bind(2, text).BindBlob(3, Hash).Run();
        }
    }
}
