using Antbot.Runtime.Store;
using Npgsql;
using NpgsqlTypes;

namespace Antbot.EventStore.Postgres;

/// <summary>Adds exported events with their numbers and proofs, in one transaction a call, by binary COPY.</summary>
internal static class PostgresImport
{
    public static async Task RunAsync(NpgsqlConnection connection, Guid storeId, IReadOnlyList<LedgerLink> links, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await RunAsync(connection, "select pg_advisory_xact_lock(antbot.append_lock())", cancellationToken);
        var head = await AdoptAsync(connection, storeId, cancellationToken);
        var first = links[0];
        if (first.Position != head.Position + 1 || !first.PreviousHash.AsSpan().SequenceEqual(head.Hash))
        {
            throw new EventStoreException(
                StoreFault.Invalid,
                $"The import begins at position {first.Position} and this store ends at {head.Position}, or their chains differ there. Import into an empty store, or one that holds the beginning of the same history.");
        }
        await CopyStreamsAsync(connection, links, cancellationToken);
        await CopyEventsAsync(connection, links, cancellationToken);
        await CopyLedgerAsync(connection, links, cancellationToken);
        await using (var sequence = PostgresReader.Command(
            connection, "select setval('public.mt_events_sequence', greatest($1, (select last_value from public.mt_events_sequence)))", links.Max(l => l.Sequence)))
            await sequence.ExecuteNonQueryAsync(cancellationToken);
        await RunAsync(connection, "notify antbot_events", cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private static async Task<LedgerHead> AdoptAsync(NpgsqlConnection connection, Guid storeId, CancellationToken cancellationToken)
    {
        var head = await PostgresLedger.ReadHeadAsync(connection, cancellationToken);
        if (head.StoreId == storeId)
            return head;
        if (head.Position > 0)
            throw new EventStoreException(StoreFault.Invalid, $"The import is of store {storeId}; this one is {head.StoreId} and not empty.");
        await using var adopt = PostgresReader.Command(
            connection, "update antbot.identity set store_id = $1", storeId);
        await adopt.ExecuteNonQueryAsync(cancellationToken);
        return await PostgresLedger.ReadHeadAsync(connection, cancellationToken);
    }

    private static async Task CopyStreamsAsync(NpgsqlConnection connection, IReadOnlyList<LedgerLink> links, CancellationToken cancellationToken)
    {
        var heads = links.Select(l => l.Event!).GroupBy(e => e.Stream, StringComparer.Ordinal)
            .Select(g => (Stream: g.Key, First: g.MinBy(e => e.Version)!, Last: g.MaxBy(e => e.Version)!)).ToArray();
        await using var command = PostgresReader.Command(
            connection,
            """
            insert into public.mt_streams (id, type, version, timestamp, created, tenant_id, is_archived)
            select u.id, null, u.version, u.touched, u.made, '*DEFAULT*', false from unnest($1, $2, $3, $4) u (id, version, touched, made)
            on conflict (id) do update set version = excluded.version, timestamp = excluded.timestamp
            """,
            heads.Select(h => h.Stream).ToArray(), heads.Select(h => h.Last.Version).ToArray(),
            heads.Select(h => h.Last.Timestamp.UtcDateTime).ToArray(), heads.Select(h => h.First.Timestamp.UtcDateTime).ToArray());
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task CopyEventsAsync(NpgsqlConnection connection, IReadOnlyList<LedgerLink> links, CancellationToken cancellationToken)
    {
        await using var copy = await connection.BeginBinaryImportAsync("""
            copy public.mt_events (seq_id, id, stream_id, version, data, bdata, type, timestamp, tenant_id, mt_dotnet_type, correlation_id, causation_id,
              headers, user_name, is_archived) from stdin (format binary)
            """, cancellationToken);
        foreach (var link in links)
        {
            var e = link.Event!;
            await copy.StartRowAsync(cancellationToken);
            await copy.WriteAsync(e.Sequence, NpgsqlDbType.Bigint, cancellationToken);
            await copy.WriteAsync(e.EventId, NpgsqlDbType.Uuid, cancellationToken);
            await copy.WriteAsync(e.Stream, NpgsqlDbType.Varchar, cancellationToken);
            await copy.WriteAsync(e.Version, NpgsqlDbType.Bigint, cancellationToken);
            await copy.WriteAsync(e.Data.ToArray(), NpgsqlDbType.Jsonb, cancellationToken);
            await WriteAsync(copy, e.BinaryData, NpgsqlDbType.Bytea, cancellationToken);
            await copy.WriteAsync(e.Type, NpgsqlDbType.Varchar, cancellationToken);
            await copy.WriteAsync(e.Timestamp.UtcDateTime, NpgsqlDbType.TimestampTz, cancellationToken);
            await WriteAsync(copy, e.Tenant, cancellationToken);
            await WriteAsync(copy, e.ClrType, cancellationToken);
            await WriteAsync(copy, e.CorrelationId, cancellationToken);
            await WriteAsync(copy, e.CausationId, cancellationToken);
            await WriteAsync(copy, e.Headers, NpgsqlDbType.Jsonb, cancellationToken);
            await WriteAsync(copy, e.Actor, cancellationToken);
            await (e.IsArchived is { } archived ? copy.WriteAsync(archived, NpgsqlDbType.Boolean, cancellationToken) : copy.WriteNullAsync(cancellationToken));
        }
        await copy.CompleteAsync(cancellationToken);
    }

    private static async Task CopyLedgerAsync(NpgsqlConnection connection, IReadOnlyList<LedgerLink> links, CancellationToken cancellationToken)
    {
        await using var copy = await connection.BeginBinaryImportAsync(
            "copy antbot.ledger (position, seq_id, event_id, correlation_id, prev_hash, hash, is_foreign) from stdin (format binary)", cancellationToken);
        foreach (var link in links)
        {
            await copy.StartRowAsync(cancellationToken);
            await copy.WriteAsync(link.Position, NpgsqlDbType.Bigint, cancellationToken);
            await copy.WriteAsync(link.Sequence, NpgsqlDbType.Bigint, cancellationToken);
            await copy.WriteAsync(link.EventId, NpgsqlDbType.Uuid, cancellationToken);
            await WriteAsync(copy, link.CorrelationId, cancellationToken);
            await copy.WriteAsync(link.PreviousHash, NpgsqlDbType.Bytea, cancellationToken);
            await copy.WriteAsync(link.Hash, NpgsqlDbType.Bytea, cancellationToken);
            await copy.WriteAsync(link.Foreign, NpgsqlDbType.Boolean, cancellationToken);
        }
        await copy.CompleteAsync(cancellationToken);
    }

    private static Task WriteAsync(NpgsqlBinaryImporter copy, string? text, CancellationToken cancellationToken) =>
        text is null ? copy.WriteNullAsync(cancellationToken) : copy.WriteAsync(text, NpgsqlDbType.Varchar, cancellationToken);

    private static Task WriteAsync(NpgsqlBinaryImporter copy, byte[]? bytes, NpgsqlDbType type, CancellationToken cancellationToken) =>
        bytes is null ? copy.WriteNullAsync(cancellationToken) : copy.WriteAsync(bytes, type, cancellationToken);

    private static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
