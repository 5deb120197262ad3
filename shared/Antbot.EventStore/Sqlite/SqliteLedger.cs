using System.Globalization;
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
        + "WHERE l.position IS NULL ORDER BY e.seq_id LIMIT ?1";

    private const string SaveSql =
        "INSERT INTO antbot_checkpoints (store_id, position, seq_id, hash, at, previous, key_id, signature) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

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
        var row = session.Get(LinksSql).Bind(1, after).Bind(2, limit);
        var (links, bytes) = (new List<LedgerLink>(), 0L);
        try
        {
            while (bytes < StoreLimits.PageBytesMax && row.Step())
            {
                links.Add(SqliteRows.ReadLink(row));
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
        }
    }

    public static List<StoredEvent> Unsealed(SqliteSession session, int limit)
    {
        var row = session.Get(UnsealedSql).Bind(1, Math.Max(0, limit));
        var events = new List<StoredEvent>();
        while (row.Step())
            events.Add(SqliteRows.ReadEvent(row));
        return events;
    }

    public static int Seal(SqliteSession session, int limit)
    {
        var events = Unsealed(session, limit);
        if (events.Count == 0)
            return 0;
        var appender = new SqliteAppender(session);
        foreach (var e in events)
        {
            CheckFree(session, e);
            appender.Link(e.EventId, e.CorrelationId, ContentHash(e), e.Sequence, e.Version, foreign: true);
        }
        return events.Count;
    }

    public static List<Checkpoint> Checkpoints(SqliteSession session)
    {
        var row = session.Get("SELECT store_id, position, seq_id, hash, at, previous, key_id, signature FROM antbot_checkpoints ORDER BY number");
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
    private static void CheckFree(SqliteSession session, StoredEvent e)
    {
        var taken = session.Get("SELECT position FROM antbot_ledger WHERE seq_id = ?1 OR event_id = ?2 LIMIT 1").Bind(1, e.Sequence).Bind(2, e.EventId).Scalar();
        if (taken is { } position)
        {
            throw new EventStoreException(
                StoreFault.Corrupt,
                string.Create(CultureInfo.InvariantCulture, $"Event {e.EventId} (sequence {e.Sequence}) cannot be sealed: the ledger's position {position} has its id or its sequence for another event. Run 'antbot verify'."));
        }
    }

    private static byte[] ContentHash(StoredEvent e)
    {
        try
        {
            return e.ContentHash();
        }
        catch (CanonicalJsonException fault)
        {
            throw new EventStoreException(
                StoreFault.Corrupt,
                string.Create(CultureInfo.InvariantCulture, $"Event {e.EventId} (sequence {e.Sequence}) cannot be sealed: its body or headers have no canonical form. {fault.Message}"),
                fault);
        }
    }
}
