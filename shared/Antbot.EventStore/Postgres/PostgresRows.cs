using Antbot.Runtime.Store;
using Npgsql;

namespace Antbot.EventStore.Postgres;

/// <summary>The columns of an event and how they are read: one list, so that no query can mix them up.</summary>
internal static class PostgresRows
{
    /// <summary>Of <c>public.mt_events e</c>, for a query that has the ledger's position as its first column.</summary>
    public const string EventColumns =
        "e.seq_id, e.id, e.stream_id, e.version, e.data, e.bdata, e.type, e.timestamp, e.tenant_id, e.mt_dotnet_type, e.correlation_id, e.causation_id, e.headers, e.user_name, e.is_archived";

    public static StoredEvent Read(NpgsqlDataReader row, int at, long position) => new()
    {
        Position = position,
        Sequence = row.GetInt64(at),
        EventId = row.GetGuid(at + 1),
        Stream = row.IsDBNull(at + 2) ? "" : row.GetString(at + 2),
        Version = row.GetInt64(at + 3),
        Data = row.GetFieldValue<byte[]>(at + 4),
        BinaryData = row.IsDBNull(at + 5) ? null : row.GetFieldValue<byte[]>(at + 5),
        Type = row.GetString(at + 6),
        Timestamp = new DateTimeOffset(row.GetDateTime(at + 7), TimeSpan.Zero),
        Tenant = Text(row, at + 8),
        ClrType = Text(row, at + 9),
        CorrelationId = Text(row, at + 10),
        CausationId = Text(row, at + 11),
        Headers = row.IsDBNull(at + 12) ? null : row.GetFieldValue<byte[]>(at + 12),
        Actor = Text(row, at + 13),
        IsArchived = row.IsDBNull(at + 14) ? null : row.GetBoolean(at + 14),
    };

    /// <summary>The event of a row that begins with its position, and its size, or a fault where only the ledger has it.</summary>
    public static (StoredEvent Row, int Bytes) ReadSealed(NpgsqlDataReader row)
    {
        if (row.IsDBNull(1))
            throw new EventStoreException(StoreFault.Corrupt, $"The ledger names an event at position {row.GetInt64(0)} that is not there. Run 'antbot verify'.");
        var e = Read(row, 1, row.GetInt64(0));
        return (e, e.Bytes);
    }

    /// <summary>An event without a position, and its size.</summary>
    public static (StoredEvent Row, int Bytes) ReadUnsealed(NpgsqlDataReader row)
    {
        var e = Read(row, 0, position: 0);
        return (e, e.Bytes);
    }

    public static string? Text(NpgsqlDataReader row, int at) => row.IsDBNull(at) ? null : row.GetString(at);
}
