using System.Runtime.CompilerServices;
using Antbot.Contracts;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;
using Npgsql;
using NpgsqlTypes;

namespace Antbot.EventStore.Postgres;

/// <summary>
/// Everything that is read. Whoever follows the events follows the ledger's positions, which have no gaps and are in the order
/// of commits whatever the sequences did; so nobody can be overtaken by a transaction that was slow.
/// </summary>
internal sealed class PostgresReader(PostgresPool pool)
{
    private const int StreamPage = 500;

    /// <summary>Of decisions or streams in one question.</summary>
    private const int AskedAtOnce = 1_000;

    /// <summary>As many as most decisions have; more are looked for where there are so many. What comes behind a decision in its stream is read for nothing.</summary>
    private const int FewEvents = 8;

    internal const string FindDecision = $"""
        select l.position, {PostgresRows.EventColumns}
        from antbot.ledger f
        join public.mt_events v on v.seq_id = f.seq_id
        join public.mt_events e on e.stream_id = v.stream_id and e.version >= v.version and e.version < v.version + $2
        left join antbot.ledger l on l.event_id = e.id
        where f.event_id = $1
        order by e.version
        """;

    /// <summary>Of a stream that is archived one row without an event, which says where it is: asked in the same breath, because most that is read is not.</summary>
    internal const string ReadStream = $"""
        (select coalesce(l.position, 0), {PostgresRows.EventColumns}, null::varchar, null::varchar
          from public.mt_events e left join antbot.ledger l on l.event_id = e.id
          where e.stream_id = $1 and e.version >= $2 order by e.version limit $3)
        union all
        select 0, {PostgresRows.EventColumns}, s.stream_id, n.name
        from antbot.archived_streams s join antbot.archives n on n.number = s.archive left join public.mt_events e on false
        where s.stream_id = $1 and s.version >= $2
        """;

    internal const string FindDecided = """
        select l.event_id, e.stream_id, e.version, e.seq_id, n.name
        from antbot.ledger l left join public.mt_events e on e.seq_id = l.seq_id
        left join lateral (
          select a.name from antbot.archived x join antbot.archives a on a.number = x.archive where x.seq_id = l.seq_id and e.seq_id is null) n on true
        where l.event_id = any($1)
        """;

    /// <summary>As <see cref="ReadStream"/>, of several streams in the order in which they are asked for; and which of others ($4, $5) are archived.</summary>
    internal const string ReadStreams = $"""
        (select coalesce(l.position, 0), {PostgresRows.EventColumns}, null::varchar, null::varchar
          from unnest($1::varchar[], $2::bigint[]) with ordinality w (stream, version, n)
          join public.mt_events e on e.stream_id = w.stream and e.version >= w.version left join antbot.ledger l on l.event_id = e.id
          order by w.n, e.version limit $3)
        union all
        select 0, {PostgresRows.EventColumns}, s.stream_id, n.name
        from unnest($4::varchar[], $5::bigint[]) w (stream, version)
        join antbot.archived_streams s on s.stream_id = w.stream and s.version >= w.version join antbot.archives n on n.number = s.archive left join public.mt_events e on false
        """;

    /// <summary>The position of the event with the highest sequence up to the first parameter, whether it is here or archived.</summary>
    private const string After = """
        select coalesce((
            select p.position from (
              (select v.seq_id, f.position from public.mt_events v join antbot.ledger f on f.event_id = v.id and f.seq_id = v.seq_id
                where v.seq_id <= $1 order by v.seq_id desc limit 1)
              union all
              (select x.seq_id, x.position from antbot.archived x where x.seq_id <= $1 order by x.seq_id desc limit 1)) p
            order by p.seq_id desc limit 1), 0)
        """;

    internal const string ReadPage = $"""
        with after (position) as materialized (
          {After})
        select l.position, {PostgresRows.EventColumns}, {PostgresRows.ArchivedColumns}
        from antbot.ledger l left join public.mt_events e on e.seq_id = l.seq_id {PostgresRows.ArchivedJoin}
        where l.position > (select position from after) and l.position <= (select position from after) + $2 order by l.position
        """;

    /// <summary>The last row of the page comes whatever it is: it says how far the page goes.</summary>
    private const string ReadPageOf = $"""
        with after (position) as materialized (
          {After}),
        last (position) as materialized (
          select l.position from antbot.ledger l
          where l.position > (select position from after) and l.position <= (select position from after) + $2 order by l.position desc limit 1)
        select l.position, {PostgresRows.EventColumns}, {PostgresRows.ArchivedColumns}
        from antbot.ledger l left join public.mt_events e on e.seq_id = l.seq_id {PostgresRows.ArchivedJoin}
        where l.position > (select position from after) and l.position <= (select position from last)
          and (e.stream_id like any ($3) or e.seq_id is null or l.position = (select position from last)) order by l.position
        """;

    /// <summary>
    /// The links first and by themselves: asked for the first few in order, PostgreSQL would rather go along the positions until it has met
    /// enough, through the whole ledger.
    /// </summary>
    internal const string FindCorrelation = $"""
        with found as materialized (select f.position, f.seq_id from antbot.ledger f where f.correlation_id = $1)
        select l.position, {PostgresRows.EventColumns}, {PostgresRows.ArchivedColumns}
        from (select * from found order by position limit $2) l left join public.mt_events e on e.seq_id = l.seq_id {PostgresRows.ArchivedJoin}
        order by l.position
        """;

    public Task<IReadOnlyList<StoredEvent>> FindDecisionAsync(Decision decision, CancellationToken cancellationToken) =>
        RunAsync("looking a decision up", async connection =>
        {
            var most = FewEvents;
            var found = await FindDecisionAsync(connection, decision, most, cancellationToken);
            while (found.Count == most)
                found = await FindDecisionAsync(connection, decision, most *= 4, cancellationToken);
            // A decision is found whole or not at all: half of one would be published as if it were all.
            await using var more = Command(connection, """
                select coalesce(n.name, '') from antbot.ledger l left join antbot.archived x on x.seq_id = l.seq_id left join antbot.archives n on n.number = x.archive
                where l.event_id = $1
                """, decision.EventId(found.Count));
            if (await more.ExecuteScalarAsync(cancellationToken) is string archive)
                throw archive.Length > 0 ? Archiving.Fault($"What was decided on {decision}", archive) : Missing(decision);
            return (IReadOnlyList<StoredEvent>)found;
        }, cancellationToken);

    private static async Task<List<StoredEvent>> FindDecisionAsync(NpgsqlConnection connection, Decision decision, long most, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, FindDecision, decision.EventId(0), most);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var found = new List<StoredEvent>();
        while (await row.ReadAsync(cancellationToken) && row.GetGuid(2) == decision.EventId(found.Count))
            found.Add(PostgresRows.Read(row, 1, row.IsDBNull(0) ? 0 : row.GetInt64(0)));
        return found;
    }

    public async Task<IReadOnlyDictionary<Decision, EventPlace>> FindDecidedAsync(IReadOnlyCollection<Decision> decisions, CancellationToken cancellationToken)
    {
        var found = new Dictionary<Decision, EventPlace>();
        foreach (var some in decisions.Distinct().Chunk(AskedAtOnce))
        {
            var wanted = some.ToDictionary(d => d.EventId(0));
            await RunAsync("looking decisions up", async connection =>
            {
                await using var command = Command(connection, FindDecided, wanted.Keys.ToArray());
                await using var row = await command.ExecuteReaderAsync(cancellationToken);
                while (await row.ReadAsync(cancellationToken))
                {
                    var decision = wanted[row.GetGuid(0)];
                    found[decision] = !row.IsDBNull(3) ? new EventPlace(row.GetString(1), row.GetInt64(2), row.GetInt64(3))
                        : row.IsDBNull(4) ? throw Missing(decision) : throw Archiving.Fault($"What was decided on {decision}", row.GetString(4));
                }
                return found.Count;
            }, cancellationToken);
        }
        return found;
    }

    public static EventStoreException Missing(Decision decision) =>
        new(StoreFault.Corrupt, $"The ledger names events of {decision} that are not there. Run 'antbot verify'.");

    public Task<long> ReadVersionAsync(StreamId stream, CancellationToken cancellationToken) =>
        RunAsync("reading a stream's version", async connection =>
        {
            await using var command = Command(connection, "select version from public.mt_streams where id = $1", stream.Value);
            return await command.ExecuteScalarAsync(cancellationToken) is long version ? version : 0;
        }, cancellationToken);

    public async IAsyncEnumerable<StoredEvent> ReadStreamAsync(StreamId stream, long fromVersion, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            var from = fromVersion;
            var page = await RunAsync("reading a stream", connection => PageAsync(connection, ReadStream, StreamPage, cancellationToken, stream.Value, from, StreamPage), cancellationToken);
            foreach (var e in page.Rows)
                yield return e;
            if (page.IsLast)
                yield break;
            fromVersion = page.Rows[^1].Version + 1;
        }
    }

    public async IAsyncEnumerable<StoredEvent> ReadStreamsAsync(IReadOnlyList<StreamStart> streams, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var some in streams.Chunk(AskedAtOnce))
        {
            // A page that is large ends before it tells what is archived: so the last one tells it of all.
            var (all, from) = (some.Select(w => w.Stream.Value).ToArray(), some.Select(w => w.FromVersion).ToArray());
            for (var left = new ArraySegment<StreamStart>(some); left.Count > 0;)
            {
                var (names, versions) = (left.Select(w => w.Stream.Value).ToArray(), left.Select(w => w.FromVersion).ToArray());
                var page = await RunAsync("reading streams", connection => PageAsync(connection, ReadStreams, StreamPage, cancellationToken, names, versions, StreamPage, all, from), cancellationToken);
                foreach (var e in page.Rows)
                    yield return e;
                if (page.IsLast)
                    break;
                var last = page.Rows[^1];
                left = left[Array.IndexOf(names, last.Stream)..];
                left[0] = left[0] with { FromVersion = last.Version + 1 };
            }
        }
    }

    public async Task<IReadOnlyList<StoredEvent>> ReadPageAsync(long afterSequence, int limit, CancellationToken cancellationToken)
    {
        StoreChecks.Page(limit);
        return (await RunAsync("reading events", connection => PageAsync(connection, ReadPage, limit, afterSequence, EventPage.EveryStream, cancellationToken, afterSequence, limit), cancellationToken)).Whole();
    }

    public Task<EventPage> ReadPageAsync(long afterSequence, int limit, IReadOnlyList<string> prefixes, CancellationToken cancellationToken)
    {
        StoreChecks.Page(limit);
        string[] patterns = [.. prefixes.Select(p => $"{p.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal)}%")];
        return RunAsync("reading events", connection => PageAsync(connection, ReadPageOf, limit, afterSequence, prefixes, cancellationToken, afterSequence, limit, patterns), cancellationToken);
    }

    public Task<EventPage> FindChainAsync(string correlationId, int limit, CancellationToken cancellationToken)
    {
        StoreChecks.CausalChain(correlationId, limit);
        return RunAsync("reading a causal chain", async connection =>
        {
            await using var command = Command(connection, FindCorrelation, correlationId, limit);
            await using var row = await command.ExecuteReaderAsync(cancellationToken);
            var found = new List<NamedEvent>();
            while (await row.ReadAsync(cancellationToken))
                found.Add(PostgresRows.ReadSealed(row).Row);
            return NamedEvent.PageOf(found, EventPage.EveryStream, 0);
        }, cancellationToken);
    }

    public Task<long> LoadCheckpointAsync(string subscription, CancellationToken cancellationToken)
    {
        StoreChecks.Name("subscription", subscription);
        return RunAsync("reading a checkpoint", async connection =>
        {
            await using var command = Command(connection, "select last_seq_id from public.mt_event_progression where name = $1", subscription);
            return await command.ExecuteScalarAsync(cancellationToken) is long sequence ? sequence : 0;
        }, cancellationToken);
    }

    public Task SaveCheckpointAsync(string subscription, long sequence, CancellationToken cancellationToken)
    {
        StoreChecks.Name("subscription", subscription);
        return RunAsync("keeping a checkpoint", async connection =>
        {
            await using var command = Command(connection, """
                insert into public.mt_event_progression (name, last_seq_id, last_updated) values ($1, $2, now())
                on conflict (name) do update set last_seq_id = excluded.last_seq_id, last_updated = excluded.last_updated
                """, subscription, sequence);
            return await command.ExecuteNonQueryAsync(cancellationToken);
        }, cancellationToken);
    }

    /// <summary>A snapshot that does not fit its hash is as good as none.</summary>
    public Task<Snapshot?> LoadSnapshotAsync(StreamId stream, string name, CancellationToken cancellationToken)
    {
        StoreChecks.Name("snapshot", name);
        return RunAsync("reading a snapshot", async connection =>
        {
            await using var command = Command(connection, "select version, state, hash from antbot.snapshots where stream_id = $1 and name = $2", stream.Value, name);
            await using var row = await command.ExecuteReaderAsync(cancellationToken);
            if (!await row.ReadAsync(cancellationToken))
                return null;
            var snapshot = new Snapshot(stream, name, row.GetInt64(0), row.GetFieldValue<byte[]>(1));
            return SnapshotSeal.Fits(snapshot, row.GetFieldValue<byte[]>(2)) ? snapshot : null;
        }, cancellationToken);
    }

    public Task SaveSnapshotAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        var state = StoreChecks.CanonicalState(snapshot);
        return RunAsync("keeping a snapshot", async connection =>
        {
            await using var command = Command(connection, """
                insert into antbot.snapshots as s (stream_id, name, version, state, hash) values ($1, $2, $3, $4, $5)
                on conflict (stream_id, name) do update set version = excluded.version, state = excluded.state, hash = excluded.hash
                where s.version < excluded.version
                """, snapshot.Stream.Value, snapshot.Name, snapshot.Version);
            command.Parameters.Add(new NpgsqlParameter { Value = state, NpgsqlDbType = NpgsqlDbType.Jsonb });
            command.Parameters.Add(new NpgsqlParameter { Value = SnapshotSeal.Of(snapshot) });
            return await command.ExecuteNonQueryAsync(cancellationToken);
        }, cancellationToken);
    }

    /// <summary>Runs on a reading connection; what fails comes out as a <see cref="StoreFault"/>.</summary>
    public Task<T> RunAsync<T>(string doing, Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellationToken) =>
        TranslateAsync(doing, async () =>
        {
            var connection = await pool.OpenReaderAsync(cancellationToken);
            try
            {
                return await work(connection);
            }
            finally
            {
                await pool.ReturnAsync(connection);
            }
        });

    /// <summary>Runs on a connection of one of the pool's other kinds.</summary>
    public Task<T> RunAsync<T>(string doing, NpgsqlDataSource kind, Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellationToken) =>
        TranslateAsync(doing, async () =>
        {
            await using var connection = await kind.OpenConnectionAsync(cancellationToken);
            return await work(connection);
        });

    public static NpgsqlCommand Command(NpgsqlConnection connection, string sql, params ReadOnlySpan<object> values)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }

    private async Task<T> TranslateAsync<T>(string doing, Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception e) when (e is not (OperationCanceledException or EventStoreException or ArgumentException))
        {
            var fault = PostgresFaults.Translate(e, doing);
            if (fault.Fault is StoreFault.ReadOnly or StoreFault.Unavailable)
                pool.ForgetReaders();
            throw fault;
        }
    }

    private static async Task<PostgresPage<StoredEvent>> PageAsync(NpgsqlConnection connection, string sql, int limit, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = Command(connection, sql, values);
        return await PostgresPage<StoredEvent>.ReadAsync(command, limit, PostgresRows.ReadHere, cancellationToken);
    }

    private static async Task<EventPage> PageAsync(
        NpgsqlConnection connection, string sql, int limit, long after, IReadOnlyList<string> prefixes, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = Command(connection, sql, values);
        return NamedEvent.PageOf((await PostgresPage<NamedEvent>.ReadAsync(command, limit, PostgresRows.ReadSealed, cancellationToken)).Rows, prefixes, after);
    }
}
