using System.Runtime.ExceptionServices;
using Antbot.EventStore.Postgres;
using Antbot.Runtime.Store;
using JasperFx.Events;
using Marten;
using Marten.Services;
using Npgsql;

namespace Antbot.EventStore.Marten;

/// <summary>
/// One append a batch: lock, check, a Marten session's SaveChanges and the link to the chain in one transaction on our own
/// connection. Until the commit is sent nothing is in doubt, whatever Marten throws.
/// </summary>
internal sealed class MartenWriter(NpgsqlDataSource source, IDocumentStore marten) : IBatchWriter
{
    private const short Appended = 0;
    private const short AlreadyThere = 1;
    private const short StreamMoved = 2;
    private const short GuardMoved = 3;
    private const short Archived = 4;

    private const string Lock = "select pg_advisory_xact_lock(antbot.append_lock())";

    // A Marten elsewhere does not know our lock; it waits at these rows.
    private const string HoldHeads = "select from public.mt_streams where id = any($1) order by id for update";

    private const string Look = """
        select exists (select from antbot.ledger where event_id = $1),
          array(select coalesce(s.version, 0) from unnest($2::varchar[]) with ordinality u (id, n) left join public.mt_streams s on s.id = u.id order by u.n),
          array(select coalesce(s.is_archived, false) from unnest($2::varchar[]) with ordinality u (id, n) left join public.mt_streams s on s.id = u.id order by u.n)
        """;

    private const string Stored = $"select {PostgresRows.EventColumns} from public.mt_events e where e.stream_id = $1 and e.version > $2 order by e.version";

    private const string Link = "select r_seq, r_first_position from antbot.link_append($1, $2, $3, $4, $5)";

    public bool WasSent { get; private set; }

    public async Task<AppendAnswer> AppendAsync(AppendBatch batch, CancellationToken cancellationToken)
    {
        WasSent = false;
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var (there, heads, archived) = await LookAsync(connection, batch, cancellationToken);
        if (Refusal(batch, there, heads, archived) is { } refusal)
            return refusal;
        var prepared = batch.Appends.Single().Prepared;
        var head = heads[batch.Lane[0] - 1];
        await SaveAsync(transaction, prepared, head, cancellationToken);
        await CheckStoredAsync(connection, prepared, head, cancellationToken);
        var answer = await LinkAsync(connection, prepared, head + 1, cancellationToken);
        WasSent = true;
        await transaction.CommitAsync(cancellationToken);
        return answer;
    }

    public ValueTask ResetAsync()
    {
        source.Clear();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static async Task<(bool There, long[] Heads, bool[] Archived)> LookAsync(NpgsqlConnection connection, AppendBatch batch, CancellationToken cancellationToken)
    {
        await using var look = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand(Lock),
                new NpgsqlBatchCommand(HoldHeads) { Parameters = { new() { Value = batch.Streams } } },
                new NpgsqlBatchCommand(Look) { Parameters = { new() { Value = batch.Id[0] }, new() { Value = batch.Streams } } },
            },
        };
        await using var row = await look.ExecuteReaderAsync(cancellationToken);
        await row.NextResultAsync(cancellationToken);
        await row.NextResultAsync(cancellationToken);
        if (!await row.ReadAsync(cancellationToken))
            throw new EventStoreException(StoreFault.Corrupt, "The server gave no answer to the checks before an append.");
        return (row.GetBoolean(0), await row.GetFieldValueAsync<long[]>(1, cancellationToken), await row.GetFieldValueAsync<bool[]>(2, cancellationToken));
    }

    /// <summary>The same order of checks as in antbot.append_batch; null where nothing stands in the way.</summary>
    private static AppendAnswer? Refusal(AppendBatch batch, bool there, long[] heads, bool[] archived)
    {
        if (there)
            return Answer(AlreadyThere, 0, batch.Lane[0]);
        for (var g = 0; g < batch.GuardLane.Count; g++)
        {
            var actual = heads[batch.GuardLane[g] - 1];
            if (batch.GuardExpected[g] >= 0 && batch.GuardExpected[g] != actual)
                return Answer(GuardMoved, actual, batch.GuardLane[g]);
        }
        if (archived[batch.Lane[0] - 1])
            return Answer(Archived, 0, batch.Lane[0]);
        var head = heads[batch.Lane[0] - 1];
        return batch.Expected[0] >= 0 && batch.Expected[0] != head ? Answer(StreamMoved, head, batch.Lane[0]) : null;
    }

    private static AppendAnswer Answer(short status, long version, int lane) => new([status], [version], [lane], [], 0);

    private async Task SaveAsync(NpgsqlTransaction transaction, PreparedAppend prepared, long head, CancellationToken cancellationToken)
    {
        try
        {
            await using var session = marten.LightweightSession(SessionOptions.ForTransaction(transaction));
            // Set even to nothing: Marten takes what is left from the current activity.
            session.CorrelationId = prepared.Request.Meta.CorrelationId!;
            session.CausationId = prepared.Request.Meta.CausationId!;
            session.LastModifiedBy = prepared.Request.Meta.Actor!;
            Queue(session, prepared, head);
            await session.SaveChangesAsync(cancellationToken);
        }
        catch (Exception e)
        {
            throw Undone(e);
        }
    }

    private static void Queue(IDocumentSession session, PreparedAppend prepared, long head)
    {
        var events = new IEvent[prepared.Events.Count];
        for (var i = 0; i < events.Length; i++)
        {
            events[i] = new Event<RawBody>(new RawBody(prepared.Events[i].Data)) { Id = prepared.Events[i].EventId, Timestamp = prepared.At };
            if (prepared.Request.Meta.TraceId is { } trace)
                events[i].SetHeader(EventHeaders.TraceId, trace);
        }
        object[] bodies = [.. events];
        var stream = session.Events.Append(prepared.Request.Stream.Value, bodies);
        stream.ExpectedVersionOnServer = head;
        // Marten has named them after the wrapper's class by now; what is stored is ours.
        for (var i = 0; i < events.Length; i++)
        {
            events[i].EventTypeName = prepared.Events[i].Type;
            events[i].DotNetTypeName = prepared.Events[i].ClrType;
        }
    }

    /// <summary>
    /// The link is made of what was handed in, and Marten's version floats: a release that stores anything of it otherwise (its own clock's
    /// time, say) would leave a history that verifies as tampered for ever. Looked at before the commit, it is a fault of the append alone.
    /// </summary>
    private static async Task CheckStoredAsync(NpgsqlConnection connection, PreparedAppend prepared, long head, CancellationToken cancellationToken)
    {
        await using var stored = new NpgsqlCommand(Stored, connection) { Parameters = { new() { Value = prepared.Request.Stream.Value }, new() { Value = head } } };
        await using var row = await stored.ExecuteReaderAsync(cancellationToken);
        foreach (var e in prepared.Events)
        {
            if (!await row.ReadAsync(cancellationToken) || !PostgresRows.ReadUnsealed(row).Row.ContentHash().AsSpan().SequenceEqual(e.ContentHash))
            {
                throw new EventStoreException(
                    StoreFault.Invalid,
                    $"Marten {typeof(IDocumentStore).Assembly.GetName().Version} stores event {e.EventId} otherwise than it was given; nothing was appended. Use another release of it, or the Npgsql engine.");
            }
        }
    }

    private static async Task<AppendAnswer> LinkAsync(NpgsqlConnection connection, PreparedAppend prepared, long version, CancellationToken cancellationToken)
    {
        await using var link = new NpgsqlCommand(Link, connection)
        {
            Parameters =
            {
                new() { Value = prepared.Request.Stream.Value },
                new() { Value = version },
                new() { Value = prepared.At.UtcDateTime },
                new() { Value = prepared.Events.Select(e => e.EventId).ToArray() },
                new() { Value = prepared.Events.Select(e => e.ContentHash).ToArray() },
            },
        };
        await using var row = await link.ExecuteReaderAsync(cancellationToken);
        if (!await row.ReadAsync(cancellationToken))
            throw new EventStoreException(StoreFault.Corrupt, "The server gave no answer to the link of an append.");
        return new AppendAnswer([Appended], [version], [1], await row.GetFieldValueAsync<long?[]>(0, cancellationToken), row.GetInt64(1));
    }

    /// <summary>
    /// What the server or the connection said, out of Marten's wrapping. Everything else that Marten throws says that somebody was
    /// faster; and so does a failed transaction in which it tried once more.
    /// </summary>
    private static Exception Undone(Exception e)
    {
        for (var cause = e; cause is not null; cause = cause.InnerException)
        {
            if (cause is not NpgsqlException said)
                continue;
            if (said.SqlState == PostgresErrorCodes.InFailedSqlTransaction)
                break;
            ExceptionDispatchInfo.Throw(said);
        }
        return new OvertakenException($"Marten could not append: {e.Message}", e);
    }
}
