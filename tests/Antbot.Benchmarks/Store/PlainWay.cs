using Antbot.Kernel.Identity;
using Npgsql;
using NpgsqlTypes;

namespace Antbot.Benchmarks.Store;

/// <summary>
/// The peer: one transaction per append that upserts the stream and inserts event and ledger row, unchained, through Npgsql.
/// As one writes it first, statement by statement; and, for comparison, with its statements prepared and in one batch.
/// </summary>
internal sealed class PlainWay(NpgsqlDataSource source)
{
    private const string UpsertStream = """
        insert into public.mt_streams (id, version, timestamp, created, is_archived) values ($1, $2, $3, $3, false)
        on conflict (id) do update set version = excluded.version, timestamp = excluded.timestamp
        """;

    private const string InsertEvent = """
        insert into public.mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, correlation_id, causation_id, headers, user_name, is_archived)
        values (nextval('public.mt_events_sequence'), $1, $2, $3, $4, $5, $6, $7, $8, $8, $9, 'execution', false)
        """;

    private const string InsertLink = """
        insert into antbot.ledger (position, seq_id, event_id, correlation_id, prev_hash, hash, is_foreign)
        values (currval('public.mt_events_sequence'), currval('public.mt_events_sequence'), $1, $2, $3, $3, false)
        """;

    private static readonly byte[] Hash = new byte[32];

    public async Task AppendAsync(int events)
    {
        await using var connection = await source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        foreach (var (sql, values) in Statements(events))
        {
            await using var command = new NpgsqlCommand(sql, connection, transaction);
            foreach (var value in values)
                command.Parameters.Add(value);
            await command.ExecuteNonQueryAsync();
        }
        await transaction.CommitAsync();
    }

    public async Task AppendInOneBatchAsync(int events)
    {
        await using var connection = await source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var batch = new NpgsqlBatch(connection, transaction);
        foreach (var (sql, values) in Statements(events))
        {
            var command = new NpgsqlBatchCommand(sql);
            foreach (var value in values)
                command.Parameters.Add(value);
            batch.BatchCommands.Add(command);
        }
        await batch.ExecuteNonQueryAsync();
        await transaction.CommitAsync();
    }

    private static IEnumerable<(string Sql, NpgsqlParameter[] Values)> Statements(int events)
    {
        var id = Guid.NewGuid();
        var (text, stream, now) = (id.ToString("N"), "order-" + id.ToString("N"), DateTime.UtcNow);
        var decision = new Decision(id, "execution");
        yield return (UpsertStream, [new() { Value = stream }, new() { Value = (long)events }, new() { Value = now }]);
        for (var i = 0; i < events; i++)
        {
            var eventId = decision.EventId(i);
            yield return (InsertEvent,
            [
                new() { Value = eventId }, new() { Value = stream }, new() { Value = i + 1L }, new() { Value = Sample.Body, NpgsqlDbType = NpgsqlDbType.Jsonb },
                new() { Value = Sample.Type }, new() { Value = now }, new() { Value = Sample.ClrType }, new() { Value = text },
                new() { Value = Sample.Headers, NpgsqlDbType = NpgsqlDbType.Jsonb },
            ]);
            yield return (InsertLink, [new() { Value = eventId }, new() { Value = text }, new() { Value = Hash }]);
        }
    }
}
