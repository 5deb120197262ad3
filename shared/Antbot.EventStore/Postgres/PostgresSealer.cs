using Antbot.Runtime.Store;
using Npgsql;

namespace Antbot.EventStore.Postgres;

/// <summary>
/// Finds what is in no chain and links it. The look goes over whole tables and takes no lock; what it found free is hashed here and linked
/// in short turns under the lock of the appends.
/// </summary>
internal sealed class PostgresSealer(PostgresReader reader, PostgresPool pool)
{
    private const int LookMax = 5_000;
    private const int TurnMax = 500;

    private const string Look = """
        with unsealed as materialized (
          select e.seq_id, e.id, e.stream_id, e.version from public.mt_events e
          where e.seq_id > $1 and not exists (select from antbot.ledger l where l.event_id = e.id and l.seq_id = e.seq_id)
          order by e.seq_id limit $2)
        select u.seq_id, u.id, coalesce(u.stream_id, ''), u.version, l.position, coalesce(s.version, 0)
        from unsealed u left join antbot.ledger l on l.event_id = u.id left join public.mt_streams s on s.id = u.stream_id
        order by u.seq_id
        """;

    private const string LinksOfSequences = "select seq_id, event_id, position from antbot.ledger where seq_id = any($1)";

    private const string Bodies = $"select {PostgresRows.EventColumns} from public.mt_events e where e.seq_id = any($1) order by e.seq_id";

    public async Task<SealSummary> SealAsync(int limit, long afterSequence, CancellationToken cancellationToken)
    {
        StoreChecks.Page(limit);
        var (linked, refused, after) = (0, new List<SealRefusal>(), afterSequence);
        while (linked < limit)
        {
            var found = await LookAsync(after, cancellationToken);
            refused.AddRange(found.Refused);
            linked += await LinkAsync(found, limit - linked, refused, cancellationToken);
            if (found.IsLast)
                break;
            after = found.Last;
        }
        return new SealSummary(linked, [.. refused.Take(SealSummary.RefusedMax)]);
    }

    private Task<Found> LookAsync(long after, CancellationToken cancellationToken) =>
        reader.RunAsync("looking for what is unsealed", pool.Auditors, async connection =>
        {
            // Before anything else: what is linked from here on, the server looks at under the lock.
            var head = await PostgresLedger.ReadHeadAsync(connection, cancellationToken);
            var (rows, ids, free, refused) = (0, new HashSet<Guid>(), new List<(long Sequence, Guid Id, string Stream, long Version)>(), new List<SealRefusal>());
            var last = after;
            await using (var command = PostgresReader.Command(connection, Look, after, LookMax))
            await using (var row = await command.ExecuteReaderAsync(cancellationToken))
            {
                for (; await row.ReadAsync(cancellationToken); rows++)
                {
                    var (sequence, id, stream, version) = (row.GetInt64(0), row.GetGuid(1), row.GetString(2), row.GetInt64(3));
                    last = sequence;
                    if (!row.IsDBNull(4))
                        refused.Add(SealRefusal.Taken(sequence, id, stream, version, row.GetInt64(4)));
                    else if (row.GetInt64(5) is var at && at < version)
                        refused.Add(SealRefusal.BeyondItsHead(sequence, id, stream, version, at));
                    else if (!ids.Add(id))
                        refused.Add(SealRefusal.Twice(sequence, id, stream, version));
                    else
                        free.Add((sequence, id, stream, version));
                }
            }
            var links = await LinksAsync(connection, [.. free.Select(f => f.Sequence)], cancellationToken);
            // A link with its own id was made since: another sealer was faster.
            refused.AddRange(free
                .Where(f => links.TryGetValue(f.Sequence, out var link) && link.Id != f.Id)
                .Select(f => SealRefusal.Taken(f.Sequence, f.Id, f.Stream, f.Version, links[f.Sequence].Position)));
            return new Found([.. free.Select(f => f.Sequence).Where(s => !links.ContainsKey(s))], refused, head.Position, last, rows < LookMax);
        }, cancellationToken);

    /// <summary>The ledger has no index by sequence, which every append would pay for: this goes over all of it, where there is something to adopt.</summary>
    private static async Task<Dictionary<long, (Guid Id, long Position)>> LinksAsync(NpgsqlConnection connection, long[] sequences, CancellationToken cancellationToken)
    {
        var found = new Dictionary<long, (Guid Id, long Position)>();
        if (sequences.Length == 0)
            return found;
        await using var command = PostgresReader.Command(connection, LinksOfSequences, sequences);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
            found[row.GetInt64(0)] = (row.GetGuid(1), row.GetInt64(2));
        return found;
    }

    private async Task<int> LinkAsync(Found found, int limit, List<SealRefusal> refused, CancellationToken cancellationToken)
    {
        var (linked, next) = (0, 0);
        while (linked < limit && next < found.Free.Length)
        {
            var wanted = found.Free[next..Math.Min(next + Math.Min(TurnMax, limit - linked), found.Free.Length)];
            var page = await ReadAsync(wanted, cancellationToken);
            next += page.IsLast ? wanted.Length : Array.IndexOf(wanted, page.Rows[^1].Sequence) + 1;
            var turn = new List<(StoredEvent Event, byte[] Content)>();
            foreach (var e in page.Rows)
            {
                var (content, refusal) = SealRefusal.ContentOf(e);
                if (refusal is not null)
                    refused.Add(refusal);
                else
                    turn.Add((e, content!));
            }
            if (turn.Count > 0)
                linked += await LinkAsync(turn, found.Head, cancellationToken);
        }
        return linked;
    }

    private Task<PostgresPage<StoredEvent>> ReadAsync(long[] sequences, CancellationToken cancellationToken) =>
        reader.RunAsync("reading what is unsealed", async connection =>
        {
            await using var command = PostgresReader.Command(connection, Bodies, sequences);
            return await PostgresPage<StoredEvent>.ReadAsync(command, sequences.Length + 1, PostgresRows.ReadUnsealed, cancellationToken);
        }, cancellationToken);

    private Task<int> LinkAsync(List<(StoredEvent Event, byte[] Content)> turn, long head, CancellationToken cancellationToken) =>
        reader.RunAsync("sealing", pool.Writers, async connection =>
        {
            await using var command = PostgresReader.Command(
                connection,
                "call antbot.seal($1, $2, $3, $4, null)",
                turn.Select(t => t.Event.Sequence).ToArray(), turn.Select(t => t.Event.EventId).ToArray(), turn.Select(t => t.Content).ToArray(), head);
            return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
        }, cancellationToken);

    /// <param name="Free">The sequences that may be linked, in order.</param>
    /// <param name="Head">The ledger's position before the look.</param>
    /// <param name="Last">The last sequence that was looked at.</param>
    private sealed record Found(long[] Free, List<SealRefusal> Refused, long Head, long Last, bool IsLast);
}
