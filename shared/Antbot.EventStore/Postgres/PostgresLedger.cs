using System.Runtime.CompilerServices;
using Antbot.Runtime.Store;
using Npgsql;

namespace Antbot.EventStore.Postgres;

/// <summary>The chain over all events, in the database's schema <c>antbot</c>.</summary>
internal sealed class PostgresLedger : IArchivingLedger
{
    private const int LinkPage = 2_000;

    private const string LinkColumns = "l.position, l.seq_id, l.event_id, l.correlation_id, l.prev_hash, l.hash, l.is_foreign";

    private const string ReadLinks = $"""
        select {LinkColumns}, {PostgresRows.EventColumns}, {PostgresRows.ArchivedColumns}
        from antbot.ledger l left join public.mt_events e on e.seq_id = l.seq_id {PostgresRows.ArchivedJoin}
        where l.position > $1 order by l.position limit $2
        """;

    private const string Unsealed = $"""
        select {PostgresRows.EventColumns} from public.mt_events e
        where not exists (select from antbot.ledger l where l.event_id = e.id and l.seq_id = e.seq_id)
        order by e.seq_id limit $1
        """;

    private const string HeadMismatches = """
        with ends as (
          select e.stream_id, min(e.version) as first, max(e.version) as last, count(*) as count
          from public.mt_events e group by e.stream_id)
        select coalesce(s.id, x.stream_id, r.stream_id, '(null)'), s.id is null, x.stream_id is null, s.version, x.last, x.first, x.count,
          s.timestamp, b.timestamp, s.created, a.timestamp, s.tenant_id, s.is_archived, s.type, r.version
        from public.mt_streams s full join ends x on x.stream_id = s.id full join antbot.archived_streams r on r.stream_id = coalesce(s.id, x.stream_id)
        left join public.mt_events a on a.stream_id = x.stream_id and a.version = x.first
        left join public.mt_events b on b.stream_id = x.stream_id and b.version = x.last
        where (r.version is not null and (s.is_archived is distinct from true or x.stream_id is not null or s.version is distinct from r.version))
          or r.version is null and (s.id is null or x.stream_id is null or s.version is distinct from x.last or x.first <> 1 or x.count <> x.last
          or s.tenant_id is distinct from '*DEFAULT*' or s.is_archived is distinct from false
          or ((s.timestamp is distinct from b.timestamp or s.created is distinct from a.timestamp or s.type is not null)
            -- A real Marten stamps heads with its own clock and names its aggregates.
            and not exists (select from public.mt_events f left join antbot.ledger l on l.event_id = f.id and l.seq_id = f.seq_id
              where f.stream_id = x.stream_id and coalesce(l.is_foreign, true))))
        order by 1 limit $1
        """;

    private readonly PostgresReader _reader;
    private readonly PostgresPool _pool;
    private readonly AppendSignal _signal;
    private readonly PostgresSealer _sealer;
    private readonly PostgresArchives _archives;

    internal PostgresLedger(PostgresReader reader, PostgresPool pool, AppendSignal signal)
    {
        (_reader, _pool, _signal) = (reader, pool, signal);
        _sealer = new PostgresSealer(reader, pool);
        _archives = new PostgresArchives(reader, pool);
    }

    public Task<LedgerHead> ReadHeadAsync(CancellationToken cancellationToken = default) =>
        _reader.RunAsync("reading the ledger's head", connection => ReadHeadAsync(connection, cancellationToken), cancellationToken);

    public async IAsyncEnumerable<LedgerLink> ReadLinksAsync(long afterPosition = 0, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // The next page is on its way while this one is looked at.
        var next = ReadLinkPageAsync(afterPosition, enough.Token);
        try
        {
            while (true)
            {
                var page = await next;
                if (!page.IsLast)
                    next = ReadLinkPageAsync(page.Rows[^1].Position, enough.Token);
                foreach (var link in page.Rows)
                    yield return link;
                if (page.IsLast)
                    yield break;
            }
        }
        finally
        {
            // Whoever breaks off early leaves a page on its way: its connection comes back before we go, and its fault is nobody's.
            await enough.CancelAsync();
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    internal Task<PostgresPage<LedgerLink>> ReadLinkPageAsync(long after, CancellationToken cancellationToken) =>
        _reader.RunAsync("reading the ledger", async connection =>
        {
            await using var command = PostgresReader.Command(connection, ReadLinks, after, LinkPage);
            return await PostgresPage<LedgerLink>.ReadAsync(command, LinkPage, ReadLink, cancellationToken);
        }, cancellationToken);

    public Task<IReadOnlyList<HeadMismatch>> FindHeadMismatchesAsync(int limit, CancellationToken cancellationToken = default) =>
        _reader.RunAsync("comparing stream heads", _pool.Auditors, async connection =>
        {
            await using var command = PostgresReader.Command(connection, HeadMismatches, limit);
            await using var row = await command.ExecuteReaderAsync(cancellationToken);
            var found = new List<HeadMismatch>();
            while (await row.ReadAsync(cancellationToken))
            {
                found.Add(new HeadMismatch(row.GetString(0), Describe(row)));
            }
            return (IReadOnlyList<HeadMismatch>)found;
        }, cancellationToken);

    public Task<IReadOnlyList<StoredEvent>> FindUnsealedAsync(int limit, CancellationToken cancellationToken = default) =>
        _reader.RunAsync("looking for unsealed events", _pool.Auditors, async connection =>
        {
            await using var command = PostgresReader.Command(connection, Unsealed, limit);
            var page = await PostgresPage<StoredEvent>.ReadAsync(command, limit, PostgresRows.ReadUnsealed, cancellationToken);
            return (IReadOnlyList<StoredEvent>)page.Rows;
        }, cancellationToken);

    public Task<SealSummary> SealAsync(int limit, long afterSequence = long.MinValue, CancellationToken cancellationToken = default) =>
        _sealer.SealAsync(limit, afterSequence, cancellationToken);

    public Task<IReadOnlyList<Checkpoint>> ReadCheckpointsAsync(CancellationToken cancellationToken = default) =>
        _reader.RunAsync("reading checkpoints", async connection =>
        {
            await using var command = PostgresReader.Command(connection, """
                select i.store_id, c.position, c.seq_id, c.hash, c.at, c.previous, c.key_id, c.signature
                from antbot.checkpoints c cross join antbot.identity i order by c.position
                """);
            await using var row = await command.ExecuteReaderAsync(cancellationToken);
            var found = new List<Checkpoint>();
            while (await row.ReadAsync(cancellationToken))
            {
                found.Add(new Checkpoint(
                    row.GetGuid(0), row.GetInt64(1), row.GetInt64(2), row.GetFieldValue<byte[]>(3), new DateTimeOffset(row.GetDateTime(4), TimeSpan.Zero),
                    row.GetFieldValue<byte[]>(5), row.GetString(6), row.GetFieldValue<byte[]>(7)));
            }
            return (IReadOnlyList<Checkpoint>)found;
        }, cancellationToken);

    public Task SaveCheckpointAsync(Checkpoint checkpoint, CancellationToken cancellationToken = default) =>
        _reader.RunAsync("keeping a checkpoint of the ledger", async connection =>
        {
            await using var command = PostgresReader.Command(
                connection,
                "insert into antbot.checkpoints (position, seq_id, hash, at, previous, key_id, signature) values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
                checkpoint.Position, checkpoint.Sequence, checkpoint.Hash, checkpoint.At.UtcDateTime, checkpoint.Previous, checkpoint.KeyId, checkpoint.Signature);
            return await command.ExecuteNonQueryAsync(cancellationToken);
        }, cancellationToken);

    public async Task ImportAsync(Guid storeId, IReadOnlyList<LedgerLink> links, CancellationToken cancellationToken = default)
    {
        ImportChecks.Page(links);
        if (links.Count == 0)
            return;
        await _reader.RunAsync("importing", _pool.Writers, async connection =>
        {
            await PostgresImport.RunAsync(connection, storeId, links, cancellationToken);
            return 0;
        }, cancellationToken);
        _signal.Announce();
    }

    public Task<IReadOnlyList<StreamHead>> FindStreamsAsync(string prefix, DateTimeOffset before, string after, int limit, CancellationToken cancellationToken = default) =>
        _archives.FindStreamsAsync(prefix, before, after, limit, cancellationToken);

    public Task<IReadOnlyList<Follower>> ReadFollowersAsync(CancellationToken cancellationToken = default) => _archives.ReadFollowersAsync(cancellationToken);

    public Task<IReadOnlySet<string>> ReadArchivedStreamsAsync(string archive, CancellationToken cancellationToken = default) => _archives.ReadArchivedStreamsAsync(archive, cancellationToken);

    public Task<long> CountArchivedAsync(CancellationToken cancellationToken = default) => _archives.CountArchivedAsync(cancellationToken);

    public Task<IReadOnlyList<string>> TakeOutAsync(TakeOut takeOut, CancellationToken cancellationToken = default) => _archives.TakeOutAsync(takeOut, cancellationToken);

    internal static async Task<LedgerHead> ReadHeadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = PostgresReader.Command(connection, """
            select i.store_id, coalesce(l.position, 0), coalesce(l.seq_id, 0), coalesce(l.hash, antbot.genesis())
            from antbot.identity i left join (select position, seq_id, hash from antbot.ledger order by position desc limit 1) l on true
            """);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        if (!await row.ReadAsync(cancellationToken))
            throw new EventStoreException(StoreFault.Corrupt, "The store has lost its identity (antbot.identity is empty). Restore it from a backup.");
        return new LedgerHead(row.GetGuid(0), row.GetInt64(1), row.GetInt64(2), row.GetFieldValue<byte[]>(3));
    }

    private static (LedgerLink Row, int Bytes) ReadLink(NpgsqlDataReader row)
    {
        var position = row.GetInt64(0);
        var e = row.IsDBNull(7) ? null : PostgresRows.Read(row, 7, position);
        var link = new LedgerLink(
            position, row.GetInt64(1), row.GetGuid(2), PostgresRows.Text(row, 3), row.GetFieldValue<byte[]>(4), row.GetFieldValue<byte[]>(5), row.GetBoolean(6), e)
        {
            Archived = PostgresRows.ReadArchived(row, 22, position),
        };
        return (link, e?.Bytes ?? 0);
    }

    private static string Describe(NpgsqlDataReader row)
    {
        if (!row.IsDBNull(14))
            return row.IsDBNull(3) ? "it is said to be archived, and its head is not in mt_streams" : $"it is said to be archived at version {row.GetInt64(14)}; its head is at version {row.GetInt64(3)}{(row.IsDBNull(12) || !row.GetBoolean(12) ? " and not marked as archived" : "")}{(row.GetBoolean(2) ? "" : ", and its events are here")}";
        if (row.GetBoolean(1))
            return "its events are there, its head in mt_streams is not";
        if (row.GetBoolean(2))
            return "its head is in mt_streams, its events are not";
        var (head, last, first, count) = (row.GetInt64(3), row.GetInt64(4), row.GetInt64(5), row.GetInt64(6));
        if (head != last)
            return $"its head says version {head}, its last event is version {last}";
        if (first != 1 || count != last)
            return $"its versions are not 1 to {last}: the first is {first} and there are {count}";
        if (PostgresRows.Text(row, 11) != StoredEvent.DefaultTenant)
            return "its head names another tenant";
        if (row.IsDBNull(12) || row.GetBoolean(12))
            return "its head is marked as archived";
        if (!row.IsDBNull(13))
            return "its head names an aggregate type";
        return row.GetDateTime(7) != row.GetDateTime(8)
            ? "its head's timestamp is not its last event's"
            : "its head's creation time is not its first event's";
    }
}
