using System.Diagnostics;
using Antbot.Kernel.Identity;
using Npgsql;
using NpgsqlTypes;

namespace Antbot.Benchmarks.Store;

/// <summary>The limit: binary COPY of the same rows into the same three tables, with their indexes, from one connection.</summary>
internal static class CopyLimit
{
    private static readonly byte[] Hash = new byte[32];

    /// <returns>Events a second.</returns>
    public static async Task<double> RunAsync(NpgsqlDataSource source, int streams, int eventsPerStream, long firstSequence)
    {
        var ids = Enumerable.Range(0, streams).Select(_ => Guid.NewGuid()).ToArray();
        await using var connection = await source.OpenConnectionAsync();
        var started = Stopwatch.GetTimestamp();
        await using var transaction = await connection.BeginTransactionAsync();
        await CopyStreamsAsync(connection, ids, eventsPerStream);
        await CopyEventsAsync(connection, ids, eventsPerStream, firstSequence);
        await CopyLedgerAsync(connection, ids, eventsPerStream, firstSequence);
        await transaction.CommitAsync();
        return streams * eventsPerStream / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static async Task CopyStreamsAsync(NpgsqlConnection connection, Guid[] ids, int version)
    {
        await using var copy = await connection.BeginBinaryImportAsync("copy public.mt_streams (id, version, timestamp, created, tenant_id, is_archived) from stdin (format binary)");
        var now = DateTime.UtcNow;
        foreach (var id in ids)
        {
            await copy.StartRowAsync();
            await copy.WriteAsync("order-" + id.ToString("N"), NpgsqlDbType.Varchar);
            await copy.WriteAsync((long)version, NpgsqlDbType.Bigint);
            await copy.WriteAsync(now, NpgsqlDbType.TimestampTz);
            await copy.WriteAsync(now, NpgsqlDbType.TimestampTz);
            await copy.WriteAsync("*DEFAULT*", NpgsqlDbType.Varchar);
            await copy.WriteAsync(false, NpgsqlDbType.Boolean);
        }
        await copy.CompleteAsync();
    }

    private static async Task CopyEventsAsync(NpgsqlConnection connection, Guid[] ids, int perStream, long sequence)
    {
        await using var copy = await connection.BeginBinaryImportAsync("""
            copy public.mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, correlation_id, causation_id, headers, user_name, is_archived)
            from stdin (format binary)
            """);
        var now = DateTime.UtcNow;
        foreach (var id in ids)
        {
            var text = id.ToString("N");
            var decision = new Decision(id, "execution");
            for (var i = 0; i < perStream; i++)
            {
                await copy.StartRowAsync();
                await copy.WriteAsync(sequence++, NpgsqlDbType.Bigint);
                await copy.WriteAsync(decision.EventId(i), NpgsqlDbType.Uuid);
                await copy.WriteAsync("order-" + text, NpgsqlDbType.Varchar);
                await copy.WriteAsync((long)i + 1, NpgsqlDbType.Bigint);
                await copy.WriteAsync(Sample.Body, NpgsqlDbType.Jsonb);
                await copy.WriteAsync(Sample.Type, NpgsqlDbType.Varchar);
                await copy.WriteAsync(now, NpgsqlDbType.TimestampTz);
                await copy.WriteAsync("*DEFAULT*", NpgsqlDbType.Varchar);
                await copy.WriteAsync(Sample.ClrType, NpgsqlDbType.Varchar);
                await copy.WriteAsync(text, NpgsqlDbType.Varchar);
                await copy.WriteAsync(text, NpgsqlDbType.Varchar);
                await copy.WriteAsync(Sample.Headers, NpgsqlDbType.Jsonb);
                await copy.WriteAsync("execution", NpgsqlDbType.Varchar);
                await copy.WriteAsync(false, NpgsqlDbType.Boolean);
            }
        }
        await copy.CompleteAsync();
    }

    private static async Task CopyLedgerAsync(NpgsqlConnection connection, Guid[] ids, int perStream, long sequence)
    {
        await using var copy = await connection.BeginBinaryImportAsync(
            "copy antbot.ledger (position, seq_id, event_id, correlation_id, prev_hash, hash, is_foreign) from stdin (format binary)");
        foreach (var id in ids)
        {
            var text = id.ToString("N");
            var decision = new Decision(id, "execution");
            for (var i = 0; i < perStream; i++)
            {
                await copy.StartRowAsync();
                await copy.WriteAsync(sequence, NpgsqlDbType.Bigint);
                await copy.WriteAsync(sequence++, NpgsqlDbType.Bigint);
                await copy.WriteAsync(decision.EventId(i), NpgsqlDbType.Uuid);
                await copy.WriteAsync(text, NpgsqlDbType.Varchar);
                await copy.WriteAsync(Hash, NpgsqlDbType.Bytea);
                await copy.WriteAsync(Hash, NpgsqlDbType.Bytea);
                await copy.WriteAsync(false, NpgsqlDbType.Boolean);
            }
        }
        await copy.CompleteAsync();
    }
}
