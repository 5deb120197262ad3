using System.Data;
using Antbot.Runtime.Store;
using Npgsql;
using NpgsqlTypes;

namespace Antbot.EventStore.Postgres;

/// <summary>Adds exported events with their numbers and proofs: a page is one call, which the server takes whole, checks, keeps and commits by itself.</summary>
internal static class PostgresImport
{
    private const string Call = "call antbot.import($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,null,null,null)";

    public static async Task RunAsync(NpgsqlConnection connection, Guid storeId, IReadOnlyList<LedgerLink> links, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Call, connection);
        Fill(command.Parameters, storeId, links);
        try
        {
            await using var row = await command.ExecuteReaderAsync(CommandBehavior.SingleRow, cancellationToken);
            if (!await row.ReadAsync(cancellationToken))
                throw new EventStoreException(StoreFault.Corrupt, "The import procedure gave no answer: the schema in the database is not this build's.");
            if (row.GetBoolean(0))
                return;
            var (here, position) = (row.GetGuid(1), row.GetInt64(2));
            throw here != storeId ? ImportChecks.OtherStore(storeId, here) : ImportChecks.NotFollowing(links[0], position);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            throw ImportChecks.Taken($"{e.MessageText} ({e.ConstraintName})", e);
        }
    }

    private static void Fill(NpgsqlParameterCollection p, Guid storeId, IReadOnlyList<LedgerLink> links)
    {
        var events = links.Select(l => l.Event!).ToArray();
        p.Add(new NpgsqlParameter { Value = storeId });
        p.Add(new NpgsqlParameter { Value = links[0].Position });
        p.Add(new NpgsqlParameter { Value = links[0].PreviousHash });
        Add(NpgsqlDbType.Bigint, events.Select(e => e.Sequence));
        Add(NpgsqlDbType.Uuid, events.Select(e => e.EventId));
        Add(NpgsqlDbType.Varchar, events.Select(e => e.Stream));
        Add(NpgsqlDbType.Bigint, events.Select(e => e.Version));
        Add(NpgsqlDbType.Jsonb, events.Select(e => e.Data.ToArray()));
        Add(NpgsqlDbType.Bytea, events.Select(e => e.BinaryData));
        Add(NpgsqlDbType.Varchar, events.Select(e => e.Type));
        Add(NpgsqlDbType.TimestampTz, events.Select(e => e.Timestamp.UtcDateTime));
        Add(NpgsqlDbType.Varchar, events.Select(e => e.Tenant));
        Add(NpgsqlDbType.Varchar, events.Select(e => e.ClrType));
        Add(NpgsqlDbType.Varchar, events.Select(e => e.CorrelationId));
        Add(NpgsqlDbType.Varchar, events.Select(e => e.CausationId));
        Add(NpgsqlDbType.Jsonb, events.Select(e => e.Headers));
        Add(NpgsqlDbType.Varchar, events.Select(e => e.Actor));
        Add(NpgsqlDbType.Boolean, events.Select(e => e.IsArchived));
        Add(NpgsqlDbType.Bytea, links.Select(l => l.Hash));
        Add(NpgsqlDbType.Boolean, links.Select(l => l.Foreign));

        void Add<T>(NpgsqlDbType type, IEnumerable<T> values) =>
            p.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Array | type, Value = values.ToArray() });
    }
}
