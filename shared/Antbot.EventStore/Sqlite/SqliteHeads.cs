using System.Globalization;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Sqlite;

/// <summary>Compares every stream's head with its events, in sets.</summary>
internal static class SqliteHeads
{
    // The times and the type of a stream that somebody else has appended to are that writer's own.
    private const string Sql =
        """
        WITH per AS (SELECT stream_id, min(version) AS low, max(version) AS high, count(*) AS events FROM mt_events GROUP BY stream_id),
        heads AS (
          SELECT s.id, s.version, p.low, p.high, p.events,
            s.timestamp <> last.timestamp AS other_timestamp, s.created <> first.timestamp AS other_created,
            s.tenant_id IS NOT '*DEFAULT*' AS other_tenant, s.type IS NOT NULL AS has_type, s.is_archived IS NOT 0 AS archived,
            EXISTS (
              SELECT 1 FROM mt_events e LEFT JOIN antbot_ledger l ON l.seq_id = e.seq_id AND l.event_id = e.id
              WHERE e.stream_id = s.id AND (s.timestamp <> last.timestamp OR s.created <> first.timestamp OR s.type IS NOT NULL) AND (l.position IS NULL OR l.is_foreign = 1)
            ) AS strange
          FROM mt_streams s
          LEFT JOIN per p ON p.stream_id = s.id
          LEFT JOIN mt_events first ON first.stream_id = s.id AND first.version = p.low
          LEFT JOIN mt_events last ON last.stream_id = s.id AND last.version = p.high
        )
        SELECT id, version, low, high, events, other_timestamp AND NOT strange, other_created AND NOT strange, other_tenant, has_type AND NOT strange, archived, 0
        FROM heads
        WHERE NOT (archived AND events IS NULL AND EXISTS (SELECT 1 FROM antbot_archived_streams r WHERE r.stream_id = id AND r.version = heads.version)) AND (events IS NULL OR low <> 1 OR high <> events OR version IS NOT high
          OR ((other_timestamp OR other_created OR has_type) AND NOT strange) OR other_tenant OR archived
          OR EXISTS (SELECT 1 FROM antbot_archived_streams r WHERE r.stream_id = id))
        UNION ALL
        SELECT r.stream_id, r.version, 0, 0, 0, 0, 0, 0, 0, 0, 2 FROM antbot_archived_streams r WHERE NOT EXISTS (SELECT 1 FROM mt_streams s WHERE s.id = r.stream_id)
        UNION ALL
        SELECT coalesce(p.stream_id, ''), 0, p.low, p.high, p.events, 0, 0, 0, 0, 0, 1
        FROM per p WHERE p.stream_id IS NULL OR NOT EXISTS (SELECT 1 FROM mt_streams s WHERE s.id = p.stream_id)
        ORDER BY 1
        LIMIT ?1
        """;

    public static List<HeadMismatch> FindMismatches(SqliteSession session, int limit)
    {
        var row = session.Get(Sql).Bind(1, Math.Max(0, limit));
        var found = new List<HeadMismatch>();
        while (row.Step())
            found.Add(new HeadMismatch(row.Text(0), Describe(row)));
        return found;
    }

    private static string Describe(SqliteStatement row)
    {
        if (row.Int64(10) == 2)
            return Say($"it is said to be archived at version {row.Int64(1)}, and there is no stream");
        if (row.Int64(10) != 0)
            return Say($"there are {row.Int64(4)} events and no stream");
        if (row.IsNull(4))
            return Say($"the stream is at version {row.Int64(1)} and has no events");
        var said = new List<string>();
        var (version, low, high, events) = (row.Int64(1), row.Int64(2), row.Int64(3), row.Int64(4));
        if (low != 1 || high != events)
            said.Add(Say($"its {events} events go from version {low} to {high}"));
        if (version != high || row.IsNull(1))
            said.Add(Say($"the stream is at version {version}, its last event at {high}"));
        if (row.Int64(5) != 0)
            said.Add("its timestamp is not its last event's");
        if (row.Int64(6) != 0)
            said.Add("its created is not its first event's timestamp");
        if (row.Int64(7) != 0)
            said.Add("its tenant_id is not the default");
        if (row.Int64(8) != 0)
            said.Add("it has a type");
        if (row.Int64(9) != 0)
            said.Add("is_archived is not false");
        return said.Count == 0 ? "it is said to be archived, and its events are here" : string.Join("; ", said);
    }

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
