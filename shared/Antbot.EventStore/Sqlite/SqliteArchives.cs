using Antbot.Contracts;
using Antbot.Kernel.Proof;
using Antbot.Runtime.Projections;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Sqlite;

/// <summary>Moves streams that are over to an archive, each inside a connection that the caller has got.</summary>
internal static class SqliteArchives
{
    private const string OldStreams =
        "SELECT id, version, timestamp FROM mt_streams WHERE substr(id, 1, length(?1)) = ?1 AND timestamp < ?2 AND id > ?3 AND is_archived IS NOT 1 ORDER BY id LIMIT ?4";

    private const string Followers =
        "SELECT name, coalesce(last_seq_id, 0) FROM mt_event_progression UNION ALL SELECT name, version FROM antbot_snapshots WHERE substr(stream_id, 1, length(?1)) = ?1 ORDER BY 1";

    private const string EventSql =
        "SELECT l.position, e.version, e.stream_id, l.prev_hash, l.hash, l.is_foreign FROM mt_events e JOIN antbot_ledger l ON l.seq_id = e.seq_id AND l.event_id = e.id WHERE e.seq_id = ?1";

    public static List<StreamHead> FindStreams(SqliteSession session, string prefix, DateTimeOffset before, string after, int limit)
    {
        var row = session.Get(OldStreams).Bind(1, prefix).Bind(2, before).Bind(3, after).Bind(4, limit);
        var found = new List<StreamHead>();
        while (row.Step())
            found.Add(new StreamHead(row.Text(0), row.Int64(1), SqliteRows.ReadTime(row, 2, "stream's timestamp", 0)));
        return found;
    }

    public static List<Follower> ReadFollowers(SqliteSession session)
    {
        var row = session.Get(Followers).Bind(1, ProjectionRunner.HomePrefix);
        var found = new List<Follower>();
        while (row.Step())
            found.Add(new Follower(row.Text(0), row.Int64(1)));
        return found;
    }

    public static HashSet<string> ReadArchivedStreams(SqliteSession session, string archive)
    {
        var row = session.Get("SELECT s.stream_id FROM antbot_archived_streams s JOIN antbot_archives n ON n.number = s.archive WHERE n.name = ?1").Bind(1, archive);
        var found = new HashSet<string>(StringComparer.Ordinal);
        while (row.Step())
            found.Add(row.Text(0));
        return found;
    }

    public static long Count(SqliteSession session) => session.Get("SELECT coalesce(sum(events), 0) FROM antbot_archives").Scalar() ?? 0;

    /// <summary>The archive that has a stream from this version on; null where none has.</summary>
    public static string? ArchiveOf(SqliteSession session, string stream, long fromVersion) =>
        Name(session.Get("SELECT n.name FROM antbot_archived_streams s JOIN antbot_archives n ON n.number = s.archive WHERE s.stream_id = ?1 AND s.version >= ?2").Bind(1, stream).Bind(2, fromVersion));

    /// <summary>What is kept of an event that a link names and that is not here; null where it is in no archive.</summary>
    public static ArchivedEvent? Find(SqliteSession session, long position, long sequence)
    {
        var row = session.Get("SELECT n.name, a.version, a.content FROM antbot_archived a JOIN antbot_archives n ON n.number = a.archive WHERE a.seq_id = ?1").Bind(1, sequence);
        if (!row.Step())
            return null;
        var found = new ArchivedEvent(position, sequence, row.Text(0), row.Int64(1), row.Bytes(2));
        row.Reset();
        return found;
    }

    public static IReadOnlyList<string> TakeOut(SqliteSession session, TakeOut takeOut)
    {
        string[] moved = [.. takeOut.Streams.Where(s => SqliteAppender.Stream(session, new StreamId(s.Stream)) != (s.Version, false)).Select(s => s.Stream)];
        if (moved.Length > 0)
            return moved;
        var record = session.Get("SELECT 1 FROM mt_events e JOIN antbot_ledger l ON l.seq_id = e.seq_id AND l.event_id = e.id WHERE e.seq_id = ?1 AND e.stream_id = ?2 AND e.type = ?3");
        if (record.Bind(1, takeOut.Record).Bind(2, Streams.Archive(takeOut.Archive).Value).Bind(3, Archiving.RecordType).Scalar() is null)
            throw Archiving.NoRecord(takeOut.Archive);
        var number = NumberOf(session, takeOut);
        var streams = takeOut.Streams.Select(s => s.Stream).ToHashSet(StringComparer.Ordinal);
        var all = streams.Sum(s => session.Get("SELECT count(*) FROM mt_events WHERE stream_id = ?1").Bind(1, s).Scalar() ?? 0);
        if (all != takeOut.Events.Count)
            throw Archiving.WrongEvents();
        foreach (var (sequence, content) in takeOut.Events)
            TakeOut(session, sequence, content, streams, number);
        foreach (var (stream, version) in takeOut.Streams)
        {
            session.Get("INSERT INTO antbot_archived_streams (stream_id, archive, version) VALUES (?1, ?2, ?3)").Bind(1, stream).Bind(2, number).Bind(3, version).Run();
            session.Get("DELETE FROM antbot_snapshots WHERE stream_id = ?1").Bind(1, stream).Run();
            session.Get("UPDATE mt_streams SET is_archived = 1 WHERE id = ?1").Bind(1, stream).Run();
        }
        return [];
    }

    private static long NumberOf(SqliteSession session, TakeOut takeOut)
    {
        session.Get("INSERT INTO antbot_archives (name, events) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET events = events + excluded.events").Bind(1, takeOut.Archive).Bind(2, takeOut.Events.Count).Run();
        return session.Get("SELECT number FROM antbot_archives WHERE name = ?1").Bind(1, takeOut.Archive).Scalar()!.Value;
    }

    private static void TakeOut(SqliteSession session, long sequence, byte[] content, HashSet<string> streams, long number)
    {
        var row = session.Get(EventSql).Bind(1, sequence);
        if (!row.Step())
            throw Archiving.WrongEvents();
        var (position, version, stream, previous, hash, foreign) = (row.Int64(0), row.Int64(1), row.Text(2), row.Bytes(3), row.Bytes(4), row.Int64(5) != 0);
        row.Reset();
        if (!streams.Contains(stream))
            throw Archiving.WrongEvents();
        if (!ChainLink.Hash(previous, content, position, sequence, version, foreign).AsSpan().SequenceEqual(hash))
            throw Archiving.WrongContent(position);
        session.Get("INSERT INTO antbot_archived (seq_id, position, version, archive, content) VALUES (?1, ?2, ?3, ?4, ?5)")
            .Bind(1, sequence).Bind(2, position).Bind(3, version).Bind(4, number).BindBlob(5, content).Run();
        session.Get("DELETE FROM mt_events WHERE seq_id = ?1").Bind(1, sequence).Run();
    }

    private static string? Name(SqliteStatement row)
    {
        if (!row.Step())
            return null;
        var name = row.Text(0);
        row.Reset();
        return name;
    }
}
