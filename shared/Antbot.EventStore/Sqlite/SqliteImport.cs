using System.Globalization;
using Antbot.Kernel.Proof;
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
            throw Invalid($"The export is of store {storeId}, and this is store {here} with events of its own. Import into an empty one.");
        var end = ChainEnd.Read(session);
        foreach (var link in links)
        {
            Check(end, link);
            try
            {
                Keep(session, link, link.Event!);
            }
            catch (SqliteFailure e) when (e.Primary == raw.SQLITE_CONSTRAINT)
            {
                throw new EventStoreException(StoreFault.Invalid, Say($"The link at position {link.Position} does not go with what is here: {e.Message}. Nothing was imported."), e);
            }
            end.Advance(link.Hash);
        }
        return true;
    }

    private static void Check(ChainEnd end, LedgerLink link)
    {
        if (link.Position != end.Position + 1)
            throw Invalid($"The import has position {link.Position} where {end.Position + 1} comes next. Nothing was imported.");
        if (!link.PreviousHash.AsSpan().SequenceEqual(end.Hash))
            throw Invalid($"The link at position {link.Position} does not follow this store's head: its previous hash is another. Nothing was imported.");
        if (link.Hash.Length != ChainLink.HashLength)
            throw Invalid($"The hash at position {link.Position} has {link.Hash.Length} bytes instead of {ChainLink.HashLength}. Nothing was imported.");
        if (link.Event is not { } e)
            throw Invalid($"The import lacks the event at position {link.Position}. Nothing was imported.");
        if (e.Sequence != link.Sequence || e.EventId != link.EventId)
            throw Invalid($"The link at position {link.Position} names event {link.EventId} (sequence {link.Sequence}) and brings {e.EventId} (sequence {e.Sequence}). Nothing was imported.");
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

    private static EventStoreException Invalid(FormattableString message) => new(StoreFault.Invalid, Say(message));

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
