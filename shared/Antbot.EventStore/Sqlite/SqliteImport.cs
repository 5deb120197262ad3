using Antbot.Runtime.Store;
using SQLitePCL;

namespace Antbot.EventStore.Sqlite;

/// <summary>Adds what another store exported, with its own numbers and hashes, right behind this store's end.</summary>
internal static class SqliteImport
{
    private const string StreamSql =
        "INSERT INTO mt_streams (id, version, timestamp, created) VALUES (?1, ?2, ?3, ?3) ON CONFLICT (id) DO UPDATE SET "
        + "timestamp = CASE WHEN excluded.version > version THEN excluded.timestamp ELSE timestamp END, "
        + "created = CASE WHEN excluded.version = 1 THEN excluded.created ELSE created END, "
        + "version = max(version, excluded.version)";

    private const string EventSql =
        "INSERT INTO mt_events (seq_id, id, stream_id, version, data, bdata, type, timestamp, tenant_id, mt_dotnet_type, "
        + "correlation_id, causation_id, headers, user_name, is_archived) "
        + "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";

    private const string LinkSql =
        "INSERT INTO antbot_ledger (position, seq_id, event_id, correlation_id, prev_hash, hash, is_foreign) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

    public static bool Run(SqliteSession session, Guid storeId, IReadOnlyList<LedgerLink> links)
    {
        var here = ChainEnd.StoreId(session);
        var empty = session.Get("SELECT 1 FROM antbot_ledger LIMIT 1").Scalar() is null;
        if (empty && here != storeId)
            session.Get("UPDATE antbot_identity SET store_id = ?1").Bind(1, storeId).Run();
        else if (here != storeId)
            throw ImportChecks.OtherStore(storeId, here);
        var end = ChainEnd.Read(session);
        if (links[0].Position != end.Position + 1 || !links[0].PreviousHash.AsSpan().SequenceEqual(end.Hash))
            throw ImportChecks.NotFollowing(links[0], end.Position);
        foreach (var link in links)
        {
            try
            {
                Keep(session, link, link.Event!);
            }
            catch (SqliteFailure e) when (e.Primary == raw.SQLITE_CONSTRAINT)
            {
                throw ImportChecks.Taken(FormattableString.Invariant($"position {link.Position}: {e.Message}"), e);
            }
        }
        return true;
    }

    private static void Keep(SqliteSession session, LedgerLink link, StoredEvent e)
    {
        session.Get(StreamSql).Bind(1, e.Stream).Bind(2, e.Version).Bind(3, e.Timestamp).Run();
        var insert = session.Get(EventSql)
            .Bind(1, e.Sequence).Bind(2, e.EventId).Bind(3, e.Stream).Bind(4, e.Version).BindText(5, e.Data.Span)
            .Bind(7, e.Type).Bind(8, e.Timestamp).Bind(9, e.Tenant).Bind(10, e.ClrType)
            .Bind(11, e.CorrelationId).Bind(12, e.CausationId).Bind(14, e.Actor);
        if (e.IsArchived is { } archived)
            insert.Bind(15, archived ? 1 : 0);
        else
            insert.BindNull(15);
        if (e.BinaryData is { } binary)
            insert.BindBlob(6, binary);
        else
            insert.BindNull(6);
        if (e.Headers is { } headers)
            insert.BindText(13, headers);
        else
            insert.BindNull(13);
        insert.Run();
        session.Get(LinkSql)
            .Bind(1, link.Position).Bind(2, link.Sequence).Bind(3, link.EventId).Bind(4, link.CorrelationId)
            .BindBlob(5, link.PreviousHash).BindBlob(6, link.Hash).Bind(7, link.Foreign ? 1 : 0).Run();
    }
}
