using Antbot.Kernel.Identity;
using Npgsql;
using NpgsqlTypes;

namespace Antbot.Benchmarks.Store;

/// <summary>The peer: one transaction per append that upserts the stream and inserts event and ledger row, unchained, through Npgsql.</summary>
internal sealed class PlainWay(NpgsqlDataSource source)
{
    private static readonly byte[] Hash = new byte[32];

    public async Task AppendAsync(int events)
    {
        var id = Guid.NewGuid();
        var text = id.ToString("N");
        var now = DateTime.UtcNow;
        var decision = new Decision(id, "execution");
        await using var connection = await source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(new NpgsqlBatchCommand("""
            insert into public.mt_streams (id, version, timestamp, created, is_archived) values ($1, $2, $3, $3, false)
            on conflict (id) do update set version = excluded.version, timestamp = excluded.timestamp
            """) { Parameters = { new() { Value = "order-" + text }, new() { Value = (long)events }, new() { Value = now } } });
        for (var i = 0; i < events; i++)
            Add(batch, decision.EventId(i), text, i + 1, now);
        await batch.ExecuteNonQueryAsync();
        await transaction.CommitAsync();
    }

    private static void Add(NpgsqlBatch batch, Guid eventId, string text, long version, DateTime now)
    {
        batch.BatchCommands.Add(new NpgsqlBatchCommand("""
            insert into public.mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, correlation_id, causation_id, headers, user_name, is_archived)
            values (nextval('public.mt_events_sequence'), $1, $2, $3, $4, $5, $6, $7, $8, $8, $9, 'execution', false)
            """)
        {
            Parameters =
            {
                new() { Value = eventId }, new() { Value = "order-" + text }, new() { Value = version }, new() { Value = Sample.Body, NpgsqlDbType = NpgsqlDbType.Jsonb },
                new() { Value = Sample.Type }, new() { Value = now }, new() { Value = Sample.ClrType }, new() { Value = text },
                new() { Value = $$"""{"trace_id":"{{Sample.Trace}}"}""", NpgsqlDbType = NpgsqlDbType.Jsonb },
            },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand("""
            insert into antbot.ledger (position, seq_id, event_id, correlation_id, prev_hash, hash, is_foreign)
            values (currval('public.mt_events_sequence'), currval('public.mt_events_sequence'), $1, $2, $3, $3, false)
            """) { Parameters = { new() { Value = eventId }, new() { Value = text }, new() { Value = Hash } } });
    }
}
