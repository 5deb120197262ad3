using System.Globalization;
using Antbot.Contracts;
using Antbot.Kernel.Identity;
using Antbot.Kernel.Proof;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Sqlite;

/// <summary>How one append of a batch ended, to be told once the batch is committed.</summary>
internal readonly record struct AppendVerdict(AppendOutcome? Outcome, EventStoreException? Fault);

/// <summary>The end of the chain and of the numbers, as the open transaction sees them.</summary>
internal sealed class ChainEnd
{
    private const string HeadSql = "SELECT position, hash FROM antbot_ledger ORDER BY position DESC LIMIT 1";

    // The first of the three alone is right until somebody deletes rows by hand.
    private const string SequenceSql =
        "SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'mt_events'), 0), "
        + "coalesce((SELECT max(seq_id) FROM mt_events), 0), coalesce((SELECT max(seq_id) FROM antbot_ledger), 0))";

    private ChainEnd(long position, long sequence, byte[] hash)
    {
        Position = position;
        Sequence = sequence;
        Hash = hash;
    }

    public long Position { get; private set; }

    /// <summary>The greatest sequence that was ever given.</summary>
    public long Sequence { get; set; }

    public byte[] Hash { get; private set; }

    public static ChainEnd Read(SqliteSession session)
    {
        var sequence = session.Get(SequenceSql).Scalar() ?? 0;
        var head = session.Get(HeadSql);
        if (!head.Step())
            return new ChainEnd(0, sequence, ChainLink.Genesis(StoreId(session)));
        var (position, hash) = (head.Int64(0), head.Bytes(1));
        head.Reset();
        if (hash.Length != ChainLink.HashLength)
        {
            throw new EventStoreException(
                StoreFault.Corrupt,
                string.Create(CultureInfo.InvariantCulture, $"The hash at the ledger's position {position} has {hash.Length} bytes instead of {ChainLink.HashLength}. Run 'antbot verify'."));
        }
        return new ChainEnd(position, sequence, hash);
    }

    public static Guid StoreId(SqliteSession session)
    {
        var row = session.Get("SELECT store_id FROM antbot_identity");
        if (!row.Step())
            throw new EventStoreException(StoreFault.Corrupt, "The store has lost its identity (antbot_identity is empty). Run 'antbot verify'.");
        var read = Guid.TryParse(row.Span(0), out var id);
        row.Reset();
        return read ? id : throw new EventStoreException(StoreFault.Corrupt, "The store's identity is no UUID. Run 'antbot verify'.");
    }

    public void Advance(byte[] hash)
    {
        Position++;
        Hash = hash;
    }
}

/// <summary>Does appends inside a transaction that is open, one after the other, each with checks of its own.</summary>
internal sealed class SqliteAppender(SqliteSession session)
{
    private const string StreamSql = "SELECT version, is_archived FROM mt_streams WHERE id = ?1";

    private const string NewStreamSql = "INSERT INTO mt_streams (id, version, timestamp, created) VALUES (?1, ?2, ?3, ?3)";

    private const string MoveStreamSql = "UPDATE mt_streams SET version = ?2, timestamp = ?3 WHERE id = ?1";

    private const string EventSql =
        "INSERT INTO mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, correlation_id, causation_id, headers, user_name) "
        + "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";

    private const string LinkSql =
        "INSERT INTO antbot_ledger (position, seq_id, event_id, correlation_id, prev_hash, hash, is_foreign) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

    private const string DecisionSql =
        $"SELECT l.position, {SqliteRows.EventColumns}, {SqliteRows.LedgerColumns} FROM antbot_ledger l "
        + "LEFT JOIN mt_events e ON e.seq_id = l.seq_id AND e.id = l.event_id WHERE l.event_id = ?1";

    public ChainEnd End { get; } = ChainEnd.Read(session);

    public static long Version(SqliteSession session, StreamId stream) => Stream(session, stream).Version;

    public static (long Version, bool IsArchived) Stream(SqliteSession session, StreamId stream)
    {
        var row = session.Get(StreamSql).Bind(1, stream.Value);
        if (!row.Step())
            return (0, false);
        var read = (row.Int64(0), row.Int64(1) == 1);
        row.Reset();
        return read;
    }

    /// <summary>What this decision has brought about, in order.</summary>
    public static List<StoredEvent> Find(SqliteSession session, Decision decision)
    {
        var (found, archived) = (new List<StoredEvent>(), new List<ArchivedEvent>());
        var row = session.Get(DecisionSql);
        while (row.Bind(1, decision.EventId(found.Count)).Step())
        {
            try
            {
                found.Add(SqliteRows.ReadSealed(session, row, archived) ?? throw archived[0].Fault());
            }
            finally
            {
                row.Reset();
            }
        }
        return found;
    }

    /// <param name="isCutOff">What it was decided on top of has not been appended.</param>
    public AppendVerdict Append(PreparedAppend prepared, bool isCutOff)
    {
        try
        {
            return new AppendVerdict(Decide(prepared, isCutOff), null);
        }
        catch (EventStoreException e)
        {
            // It comes from reading what is there; nothing has been written for this append yet.
            return new AppendVerdict(null, e);
        }
    }

    /// <summary>Adds the next link of the chain.</summary>
    public void Link(Guid eventId, string? correlationId, ReadOnlySpan<byte> content, long sequence, long version, bool foreign)
    {
        var position = End.Position + 1;
        var hash = ChainLink.Hash(End.Hash, content, position, sequence, version, foreign);
        session.Get(LinkSql)
            .Bind(1, position).Bind(2, sequence).Bind(3, eventId).Bind(4, correlationId)
            .BindBlob(5, End.Hash).BindBlob(6, hash).Bind(7, foreign ? 1 : 0).Run();
        End.Advance(hash);
    }

    private AppendOutcome Decide(PreparedAppend prepared, bool isCutOff)
    {
        var request = prepared.Request;
        if (FindOrArchived(request.Decision) is not { } there)
            return new AppendOutcome.AlreadyThere([]);
        if (there.Count > 0)
            return new AppendOutcome.AlreadyThere(there);
        if (isCutOff)
            return InOrder.CutOff(request);
        foreach (var guard in request.Guards)
        {
            if (Version(session, guard.Stream) is var at && !guard.Expected.Allows(at))
                return new AppendOutcome.Conflict(guard.Stream, guard.Expected, at);
        }
        var (version, isArchived) = Stream(session, request.Stream);
        if (isArchived)
            throw Archiving.Over(request.Stream);
        if (!request.Expected.Allows(version))
            return new AppendOutcome.Conflict(request.Stream, request.Expected, version);
        return new AppendOutcome.Appended(Insert(prepared, version));
    }

    /// <summary>Null where an archive has it.</summary>
    private List<StoredEvent>? FindOrArchived(Decision decision)
    {
        try
        {
            return Find(session, decision);
        }
        catch (EventStoreException e) when (e.Fault == StoreFault.Archived)
        {
            return null;
        }
    }

    private StoredEvent[] Insert(PreparedAppend prepared, long version)
    {
        var sequences = new long[prepared.Events.Count];
        for (var i = 0; i < sequences.Length; i++)
            sequences[i] = End.Sequence + 1 + i;
        var stored = prepared.ToStored(version + 1, End.Position + 1, sequences);

        session.Get(version == 0 ? NewStreamSql : MoveStreamSql)
            .Bind(1, stored[0].Stream).Bind(2, stored[^1].Version).Bind(3, prepared.At).Run();
        var insert = session.Get(EventSql);
        for (var i = 0; i < stored.Length; i++)
        {
            var e = stored[i];
            insert.Bind(1, e.Sequence).Bind(2, e.EventId).Bind(3, e.Stream).Bind(4, e.Version).BindText(5, e.Data.Span)
                .Bind(6, e.Type).Bind(7, e.Timestamp).Bind(8, e.ClrType).Bind(9, e.CorrelationId).Bind(10, e.CausationId);
            if (prepared.Headers is null)
                insert.BindNull(11);
            else
                insert.BindText(11, prepared.Headers);
            insert.Bind(12, e.Actor).Run();
            Link(e.EventId, e.CorrelationId, prepared.Events[i].ContentHash, e.Sequence, e.Version, foreign: false);
        }
        End.Sequence = sequences[^1];
        return stored;
    }
}
