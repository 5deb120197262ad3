using Antbot.Kernel.Proof;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Sqlite;

/// <summary>Reads and writes of the chain, each inside a connection that the caller has got.</summary>
internal static class SqliteLedger
{
    private const string HeadSql =
        "SELECT position, seq_id, hash FROM antbot_ledger ORDER BY position DESC LIMIT 1";

    private const string LinksSql =
        $"SELECT l.position, {SqliteRows.EventColumns}, {SqliteRows.LedgerColumns} FROM antbot_ledger l "
        + "LEFT JOIN mt_events e ON e.seq_id = l.seq_id WHERE l.position > ?1 ORDER BY l.position LIMIT ?2";

    private const string UnsealedSql =
        $"SELECT NULL, {SqliteRows.EventColumns} FROM mt_events e LEFT JOIN antbot_ledger l ON l.seq_id = e.seq_id AND l.event_id = e.id "
        + "WHERE l.position IS NULL AND e.seq_id > ?2 ORDER BY e.seq_id LIMIT ?1";

    // An import that is run again brings its checkpoints again.
    private const string SaveSql =
        "INSERT INTO antbot_checkpoints (store_id, position, seq_id, hash, at, previous, key_id, signature) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 "
        + "WHERE NOT EXISTS (SELECT 1 FROM antbot_checkpoints WHERE position = ?2)";

    /// <param name="Last">The last sequence that was looked at.</param>
    public sealed record SealPage(int Linked, List<SealRefusal> Refused, long Last, bool IsLast);

    /// <summary>A page of the chain, up to the first row that does not read.</summary>
    public sealed record LinkPage(List<LedgerLink> Links, EventStoreException? Damage);

    public static LedgerHead Head(SqliteSession session)
    {
        session.Get("BEGIN").Run();
        var store = ChainEnd.StoreId(session);
        var row = session.Get(HeadSql);
        var head = row.Step() ? new LedgerHead(store, row.Int64(0), row.Int64(1), row.Bytes(2)) : new LedgerHead(store, 0, 0, ChainLink.Genesis(store));
        row.Reset();
        session.Commit();
        return head;
    }

    public static LinkPage Links(SqliteSession session, long after, int limit)
    {
        // One state of the file for a link and what is kept of its event.
        session.Get("BEGIN").Run();
        var row = session.Get(LinksSql).Bind(1, after).Bind(2, limit);
        var (links, bytes) = (new List<LedgerLink>(), 0L);
        try
        {
            while (bytes < StoreLimits.PageBytesMax && row.Step())
            {
                links.Add(SqliteRows.ReadLink(session, row));
                bytes += links[^1].Event?.Bytes ?? 0;
            }
            return new LinkPage(links, null);
        }
        catch (EventStoreException e)
        {
            return new LinkPage(links, e);
        }
        finally
        {
            row.Reset();
            session.TryRollback();
        }
    }

    public static List<StoredEvent> Unsealed(SqliteSession session, int limit, long after = long.MinValue)
    {
        var row = session.Get(UnsealedSql).Bind(1, Math.Max(0, limit)).Bind(2, after);
        var (events, bytes) = (new List<StoredEvent>(), 0L);
        while (bytes < StoreLimits.PageBytesMax && row.Step())
        {
            events.Add(SqliteRows.ReadEvent(row));
            bytes += events[^1].Bytes;
        }
        row.Reset();
        return events;
    }

    /// <param name="limit">How many events are looked at.</param>
    /// <param name="linksMax">How many of them are linked.</param>
    public static SealPage Seal(SqliteSession session, long after, int limit, int linksMax)
    {
        var (linked, refused) = (0, new List<SealRefusal>());
        var events = Unsealed(session, limit, after);
        if (events.Count == 0)
            return new SealPage(0, refused, after, IsLast: true);
        var appender = new SqliteAppender(session);
        foreach (var e in events)
        {
            if (linked == linksMax)
                break;
            var (content, refusal) = SealRefusal.ContentOf(e);
            refusal = Contradiction(session, e) ?? refusal;
            if (refusal is not null)
            {
                refused.Add(refusal);
                continue;
            }
            appender.Link(e.EventId, e.CorrelationId, content, e.Sequence, e.Version, foreign: true);
            linked++;
        }
        // It may have ended early for its bytes: an empty one is the last.
        return new SealPage(linked, refused, events[^1].Sequence, IsLast: false);
    }

    public static List<Checkpoint> Checkpoints(SqliteSession session)
    {
        var row = session.Get("SELECT store_id, position, seq_id, hash, at, previous, key_id, signature FROM antbot_checkpoints ORDER BY position, number");
        var all = new List<Checkpoint>();
        while (row.Step())
        {
            var sequence = row.Int64(2);
            all.Add(new Checkpoint(
                SqliteRows.ReadId(row, 0, "checkpoint's store_id", sequence),
                row.Int64(1),
                sequence,
                row.Bytes(3),
                SqliteRows.ReadTime(row, 4, "checkpoint's at", sequence),
                row.Bytes(5),
                row.Text(6),
                row.Bytes(7)));
        }
        return all;
    }

    public static bool Save(SqliteSession session, Checkpoint checkpoint)
    {
        session.Get(SaveSql)
            .Bind(1, checkpoint.StoreId).Bind(2, checkpoint.Position).Bind(3, checkpoint.Sequence).BindBlob(4, checkpoint.Hash)
            .Bind(5, checkpoint.At).BindBlob(6, checkpoint.Previous).Bind(7, checkpoint.KeyId).BindBlob(8, checkpoint.Signature).Run();
        return true;
    }

    /// <summary>An event whose id or number the chain has for another one was not appended by somebody else: it was changed.</summary>
    private static SealRefusal? Contradiction(SqliteSession session, StoredEvent e)
    {
        var taken = session.Get("SELECT position FROM antbot_ledger WHERE seq_id = ?1 OR event_id = ?2 LIMIT 1").Bind(1, e.Sequence).Bind(2, e.EventId).Scalar();
        if (taken is { } position)
            return SealRefusal.Taken(e.Sequence, e.EventId, e.Stream, e.Version, position);
        var head = session.Get("SELECT version FROM mt_streams WHERE id = ?1").Bind(1, e.Stream).Scalar() ?? 0;
        return head < e.Version ? SealRefusal.BeyondItsHead(e.Sequence, e.EventId, e.Stream, e.Version, head) : null;
    }
}
