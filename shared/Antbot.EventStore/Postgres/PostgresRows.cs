using Antbot.Runtime.Store;
using Npgsql;

namespace Antbot.EventStore.Postgres;

/// <summary>The columns of an event and how they are read: one list, so that no query can mix them up.</summary>
internal static class PostgresRows
{
    /// <summary>Of <c>public.mt_events e</c>, for a query that has the ledger's position as its first column.</summary>
    public const string EventColumns =
        "e.seq_id, e.id, e.stream_id, e.version, e.data, e.bdata, e.type, e.timestamp, e.tenant_id, e.mt_dotnet_type, e.correlation_id, e.causation_id, e.headers, e.user_name, e.is_archived";

    /// <summary>After the event's columns, of <c>antbot.ledger l</c> and <see cref="ArchivedJoin"/>: the sequence, and what is kept of an event that is archived.</summary>
    public const string ArchivedColumns = "l.seq_id, a.name, a.version, a.content";

    /// <summary>Looks only where the event is not here: everybody else would pay for it.</summary>
    public const string ArchivedJoin = """
        left join lateral (
          select n.name, x.version, x.content from antbot.archived x join antbot.archives n on n.number = x.archive where x.seq_id = l.seq_id and e.seq_id is null) a on true
        """;

    private const int ArchivedColumn = 16;

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

    /// <summary>The event of a row that begins with its position, and its size; a fault where the row names the stream and the archive that has it.</summary>
    public static (StoredEvent Row, int Bytes) ReadHere(NpgsqlDataReader row)
    {
        if (row.IsDBNull(1))
            throw Archiving.Fault(row.GetString(ArchivedColumn), row.GetString(ArchivedColumn + 1));
        var e = Read(row, 1, row.GetInt64(0));
        return (e, e.Bytes);
    }

    /// <summary>What a link names, of a row that begins with its position and ends with <see cref="ArchivedColumns"/>, or a fault where only the ledger has it.</summary>
    public static (NamedEvent Row, int Bytes) ReadSealed(NpgsqlDataReader row)
    {
        var position = row.GetInt64(0);
        var named = new NamedEvent(row.GetInt64(ArchivedColumn), row.IsDBNull(1) ? null : Read(row, 1, position), ReadArchived(row, ArchivedColumn, position));
        return named is { Event: null, Archived: null }
            ? throw new EventStoreException(StoreFault.Corrupt, $"The ledger names an event at position {position} that is not there. Run 'antbot verify'.")
            : (named, named.Event?.Bytes ?? 0);
    }

    /// <param name="at">Where <see cref="ArchivedColumns"/> begin.</param>
    public static ArchivedEvent? ReadArchived(NpgsqlDataReader row, int at, long position) =>
        row.IsDBNull(at + 1) ? null : new ArchivedEvent(position, row.GetInt64(at), row.GetString(at + 1), row.GetInt64(at + 2), row.GetFieldValue<byte[]>(at + 3));

    /// <summary>An event without a position, and its size.</summary>
    public static (StoredEvent Row, int Bytes) ReadUnsealed(NpgsqlDataReader row)
    {
        var e = Read(row, 0, position: 0);
        return (e, e.Bytes);
    }

    public static string? Text(NpgsqlDataReader row, int at) => row.IsDBNull(at) ? null : row.GetString(at);
}

/// <summary>What a link names: an event that is here, or one that is in an archive.</summary>
internal sealed record NamedEvent(long Sequence, StoredEvent? Event, ArchivedEvent? Archived)
{
    /// <param name="after">What was asked after, where there are none.</param>
    public static EventPage PageOf(IReadOnlyList<NamedEvent> rows, IReadOnlyList<string> prefixes, long after)
    {
        var (events, archived) = (new List<StoredEvent>(), new List<ArchivedEvent>());
        foreach (var row in rows)
        {
            if (row.Archived is { } gone)
                archived.Add(gone);
            else if (EventPage.IsWanted(row.Event!, prefixes))
                events.Add(row.Event!);
        }
        return new EventPage(events, rows.Count == 0 ? after : rows[^1].Sequence) { Archived = archived };
    }
}
