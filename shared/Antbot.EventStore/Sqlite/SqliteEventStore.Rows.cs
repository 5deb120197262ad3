using System.Globalization;
using Antbot.Contracts;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Sqlite;

/// <summary>The reads behind the contract's methods.</summary>
public sealed partial class SqliteEventStore
{
    private const string StreamSql =
        $"SELECT l.position, {SqliteRows.EventColumns} FROM mt_events e LEFT JOIN antbot_ledger l ON l.seq_id = e.seq_id AND l.event_id = e.id "
        + "WHERE e.stream_id = ?1 AND e.version >= ?2 ORDER BY e.version LIMIT ?3";

    private const string StartSql = "SELECT position FROM antbot_ledger WHERE seq_id <= ?1 ORDER BY seq_id DESC LIMIT 1";

    private const string SealedSql =
        $"SELECT l.position, {SqliteRows.EventColumns}, {SqliteRows.LedgerColumns} FROM antbot_ledger l "
        + "LEFT JOIN mt_events e ON e.seq_id = l.seq_id AND e.id = l.event_id ";

    private const string PageSql = SealedSql + "WHERE l.position > ?1 ORDER BY l.position LIMIT ?2";

    private const string CorrelationSql = SealedSql + "WHERE l.correlation_id = ?1 ORDER BY l.position LIMIT ?2";

    private const string ProgressionSql =
        "INSERT INTO mt_event_progression (name, last_seq_id, last_updated) VALUES (?1, ?2, ?3) "
        + "ON CONFLICT (name) DO UPDATE SET last_seq_id = excluded.last_seq_id, last_updated = excluded.last_updated";

    private const string SnapshotSql =
        "INSERT INTO antbot_snapshots (stream_id, name, version, state, hash) VALUES (?1, ?2, ?3, ?4, ?5) "
        + "ON CONFLICT (stream_id, name) DO UPDATE SET version = excluded.version, state = excluded.state, hash = excluded.hash";

    private static List<StoredEvent> StreamRows(SqliteSession session, string stream, long from)
    {
        var row = session.Get(StreamSql).Bind(1, stream).Bind(2, from).Bind(3, StreamPage);
        var (events, bytes) = (new List<StoredEvent>(), 0L);
        while (bytes < StoreLimits.PageBytesMax && row.Step())
        {
            events.Add(SqliteRows.ReadEvent(row));
            bytes += events[^1].Bytes;
        }
        row.Reset();
        // What was there a moment ago may have been archived since.
        if (events.Count == 0 && SqliteArchives.ArchiveOf(session, stream, from) is { } archive)
            throw Archiving.Fault(stream, archive);
        return events;
    }

    private static EventPage PageRows(SqliteSession session, long afterSequence, int limit, IReadOnlyList<string> prefixes)
    {
        // One transaction: an import between the two statements would put other positions behind the same sequences.
        session.Get("BEGIN").Run();
        var position = session.Get(StartSql).Bind(1, afterSequence).Scalar() ?? 0;
        var row = session.Get(PageSql).Bind(1, position).Bind(2, limit);
        var (events, archived, bytes, through) = (new List<StoredEvent>(), new List<ArchivedEvent>(), 0L, afterSequence);
        while (bytes < StoreLimits.PageBytesMax && row.Step())
        {
            if (row.Int64(0) != ++position)
            {
                throw new EventStoreException(
                    StoreFault.Corrupt, string.Create(CultureInfo.InvariantCulture, $"The ledger's position {position} is gone: after it comes {row.Int64(0)}. Run 'antbot verify'."));
            }
            through = row.Int64(SqliteRows.LedgerColumn);
            if (SqliteRows.ReadSealed(session, row, archived) is not { } e)
                continue;
            bytes += e.Bytes;
            if (EventPage.IsWanted(e, prefixes))
                events.Add(e);
        }
        row.Reset();
        session.Commit();
        return new EventPage(events, through) { Archived = archived };
    }

    private static EventPage ChainRows(SqliteSession session, string correlationId, int limit)
    {
        session.Get("BEGIN").Run();
        var row = session.Get(CorrelationSql).Bind(1, correlationId).Bind(2, limit);
        var (found, archived) = (new List<StoredEvent>(), new List<ArchivedEvent>());
        while (row.Step())
        {
            if (SqliteRows.ReadSealed(session, row, archived) is { } e)
                found.Add(e);
        }
        session.Commit();
        return new EventPage(found, 0) { Archived = archived };
    }

    /// <summary>A snapshot that does not fit its hash is as good as none: the events are still there.</summary>
    private static Snapshot? SnapshotRow(SqliteSession session, StreamId stream, string name)
    {
        var row = session.Get("SELECT version, state, hash FROM antbot_snapshots WHERE stream_id = ?1 AND name = ?2").Bind(1, stream.Value).Bind(2, name);
        if (!row.Step())
            return null;
        var (snapshot, hash) = (new Snapshot(stream, name, row.Int64(0), row.Bytes(1)), row.Bytes(2));
        row.Reset();
        return SnapshotSeal.Fits(snapshot, hash) ? snapshot : null;
    }
}
