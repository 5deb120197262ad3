using System.Globalization;
using System.Text;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Sqlite;

/// <summary>From rows to events. SQLite's columns hold any type, so what does not read as what it must be is a damaged row.</summary>
internal static class SqliteRows
{
    /// <summary>The columns of an event, for a select whose first column is the ledger's position.</summary>
    public const string EventColumns =
        "e.seq_id, e.id, e.stream_id, e.version, e.data, e.bdata, e.type, e.timestamp, e.tenant_id, e.mt_dotnet_type, "
        + "e.correlation_id, e.causation_id, e.headers, e.user_name, e.is_archived";

    /// <summary>Where the columns of the ledger begin, in a select that has them after the event's.</summary>
    public const int LedgerColumn = 16;

    public const string LedgerColumns = "l.seq_id, l.event_id, l.correlation_id, l.prev_hash, l.hash, l.is_foreign";

    public static StoredEvent ReadEvent(SqliteStatement row)
    {
        var sequence = row.Int64(1);
        return new StoredEvent
        {
            Sequence = sequence,
            Position = row.IsNull(0) ? 0 : row.Int64(0),
            EventId = ReadId(row, 2, "id", sequence),
            Stream = row.Text(3),
            Version = row.Int64(4),
            Data = row.Bytes(5),
            BinaryData = BlobOrNull(row, 6),
            Type = row.Text(7),
            Timestamp = ReadTime(row, 8, "timestamp", sequence),
            Tenant = row.TextOrNull(9),
            ClrType = row.TextOrNull(10),
            CorrelationId = row.TextOrNull(11),
            CausationId = row.TextOrNull(12),
            Headers = BlobOrNull(row, 13),
            Actor = row.TextOrNull(14),
            IsArchived = row.IsNull(15) ? null : row.Int64(15) != 0,
        };
    }

    /// <summary>The event of a row that the ledger names, or a fault where it is gone; null where it is archived, and is among these now.</summary>
    public static StoredEvent? ReadSealed(SqliteSession session, SqliteStatement row, List<ArchivedEvent> archived)
    {
        if (!row.IsNull(1))
            return ReadEvent(row);
        var position = row.Int64(0);
        var sequence = row.Int64(LedgerColumn);
        if (SqliteArchives.Find(session, position, sequence) is { } found)
        {
            archived.Add(found);
            return null;
        }
        throw new EventStoreException(
            StoreFault.Corrupt,
            string.Create(CultureInfo.InvariantCulture, $"The ledger's position {position} names event {row.Text(LedgerColumn + 1)} (sequence {sequence}), and it is gone. Run 'antbot verify'."));
    }

    public static LedgerLink ReadLink(SqliteSession session, SqliteStatement row)
    {
        var position = row.Int64(0);
        var link = new LedgerLink(
            position,
            row.Int64(LedgerColumn),
            ReadId(row, LedgerColumn + 1, "ledger's event_id", row.Int64(LedgerColumn)),
            row.TextOrNull(LedgerColumn + 2),
            row.Bytes(LedgerColumn + 3),
            row.Bytes(LedgerColumn + 4),
            row.Int64(LedgerColumn + 5) != 0,
            row.IsNull(1) ? null : ReadEvent(row));
        return link.Event is null ? link with { Archived = SqliteArchives.Find(session, position, link.Sequence) } : link;
    }

    public static Guid ReadId(SqliteStatement row, int column, string what, long sequence) =>
        Guid.TryParse(row.Span(column), out var id) ? id : throw Damaged(row, column, what, "no UUID", sequence);

    public static DateTimeOffset ReadTime(SqliteStatement row, int column, string what, long sequence) =>
        SqliteTime.TryParse(row.Span(column), out var time) ? time : throw Damaged(row, column, what, "no time", sequence);

    private static byte[]? BlobOrNull(SqliteStatement row, int column) => row.IsNull(column) ? null : row.Bytes(column);

    private static EventStoreException Damaged(SqliteStatement row, int column, string what, string how, long sequence)
    {
        var bytes = row.Span(column);
        var text = Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, 60)]);
        return new EventStoreException(
            StoreFault.Corrupt,
            string.Create(CultureInfo.InvariantCulture, $"The {what} of the row with sequence {sequence} is '{text}', which is {how}. Run 'antbot verify'."));
    }
}
