using Antbot.EventStore.Proof;
using Antbot.Kernel.Proof;
using Antbot.Runtime.Store;

namespace Antbot.Integration.Tests.Proof;

/// <summary>Draws one way to tamper with a store after the other. Every kind is drawn; a seed draws the same again.</summary>
public sealed class Mutator(ITamperedStore store, IReadOnlyList<Row> rows, Random random)
{
    private const int Kinds = 15;

    public Mutation Next(int n) => (n % Kinds) switch
    {
        0 or 1 or 2 => EditEvent(),
        3 or 4 => EditLink(),
        5 => EditStream(),
        6 => EditCheckpoint(),
        7 => EditIdentity(),
        8 => Delete(),
        9 => InsertEvent(),
        10 => InsertLink(),
        11 => SwapEvents(),
        12 => SwapLinks(),
        13 => CutTail(),
        14 => RewriteSuffix(),
        _ => throw new InvalidOperationException(),
    };

    private Mutation EditEvent()
    {
        var row = Pick();
        var e = row.Link.Event!;
        var (column, value) = Choose(
            ("seq_id", $"seq_id + {1_000_000 + random.Next(1000)}"),
            ("id", store.NewUuid),
            ("stream_id", $"'{rows.First(r => r.Stream != row.Stream).Stream}-x'"),
            ("version", $"version + {1_000 + random.Next(1000)}"),
            ("data", DataEdit(e)),
            ("bdata", store.Blob("00")),
            ("type", Text("type", e.Type)),
            ("timestamp", Quote(Stamp(e.Timestamp.AddMicroseconds(random.Next(1, 1000))))),
            ("tenant_id", Choose("null", "'other'")),
            ("mt_dotnet_type", Choose("null", "'Other.Type, Other'")),
            ("correlation_id", Nullable(e.CorrelationId)),
            ("causation_id", Nullable(e.CausationId)),
            ("headers", e.Headers is null ? """'{"trace_id":"forged"}'""" : Choose("null", """'{"trace_id":"forged"}'""", """'{}'""")),
            ("user_name", Nullable(e.Actor)),
            ("is_archived", Choose("true", "null")));
        return new Mutation($"event {row.Position}: {column} = {value}", [$"update {store.Events} set {column} = {value} where seq_id = {row.Sequence}"], At(row));
    }

    private Mutation EditLink()
    {
        var row = Pick();
        var (column, value) = Choose(
            ("position", $"position + {1_000_000 + random.Next(1000)}"),
            ("seq_id", $"seq_id + {1_000_000 + random.Next(1000)}"),
            ("event_id", store.NewUuid),
            ("correlation_id", Nullable(row.Link.CorrelationId)),
            ("prev_hash", store.Blob(Flip(row.Link.PreviousHash))),
            ("hash", store.Blob(Flip(row.Link.Hash))),
            ("is_foreign", row.Foreign ? "false" : "true"));
        return new Mutation($"link {row.Position}: {column} = {value}", [$"update {store.LedgerTable} set {column} = {value} where position = {row.Position}"], At(row));
    }

    private Mutation EditStream()
    {
        var row = Pick();
        var edits = new List<(string Column, string Value)>
        {
            ("id", "id || '-x'"),
            ("version", $"version + {random.Next(1, 9)}"),
            ("tenant_id", Choose("null", "'other'")),
            ("is_archived", Choose("true", "null")),
        };
        // A real Marten stamps heads with its own clock and names their type, so those of streams that it wrote to prove nothing.
        if (!rows.Any(r => r.Foreign && r.Stream == row.Stream))
        {
            edits.Add(("type", "'aggregate'"));
            edits.Add(("timestamp", Quote(Stamp(new DateTimeOffset(2020, 1, 1, 0, 0, 0, random.Next(999), TimeSpan.Zero)))));
            edits.Add(("created", Quote(Stamp(new DateTimeOffset(2020, 1, 1, 0, 0, 0, random.Next(999), TimeSpan.Zero)))));
        }
        var (column, value) = Choose([.. edits]);
        return new Mutation(
            $"stream {row.Stream}: {column} = {value}",
            [$"update {store.Streams} set {column} = {value} where id = '{row.Stream}'"],
            report => report.Findings.Any(f => f.Kind == FindingKind.HeadMismatch && f.Stream!.StartsWith(row.Stream, StringComparison.Ordinal)));
    }

    private Mutation EditCheckpoint()
    {
        var (column, value) = Choose(
            ("position", "position + 1"),
            ("seq_id", "seq_id + 1"),
            ("hash", store.Blob(Flip(new byte[32]))),
            ("at", Quote(Stamp(DateTimeOffset.UnixEpoch))),
            ("previous", store.Blob("00")),
            ("key_id", "'0123456789abcdef'"),
            ("signature", store.Blob("3006020101020101")));
        return new Mutation(
            $"a checkpoint: {column} = {value}",
            [$"update {store.Checkpoints} set {column} = {value} where position = (select max(position) from {store.Checkpoints} where position < (select max(position) from {store.Checkpoints}))"],
            report => report.Findings.Any(f => f.Kind is FindingKind.CheckpointForged or FindingKind.CheckpointMissing or FindingKind.HistoryRewritten));
    }

    private Mutation EditIdentity() => new(
        "the store's identity",
        [$"update {store.Identity} set store_id = {store.NewUuid}"],
        report => report.Findings.Any(f => f.Position == 1) || report.Findings.Any(f => f.Kind == FindingKind.CheckpointForged));

    private Mutation Delete()
    {
        var row = Pick();
        return random.Next(5) switch
        {
            0 => new Mutation($"event {row.Position} deleted", [$"delete from {store.Events} where seq_id = {row.Sequence}"], At(row)),
            1 => new Mutation($"link {row.Position} deleted", [$"delete from {store.LedgerTable} where position = {row.Position}"], At(row)),
            2 => new Mutation(
                $"event and link {row.Position} deleted",
                [$"delete from {store.Events} where seq_id = {row.Sequence}", $"delete from {store.LedgerTable} where position = {row.Position}"],
                At(row)),
            3 => new Mutation(
                $"head of {row.Stream} deleted",
                [$"delete from {store.Streams} where id = '{row.Stream}'"],
                report => report.Findings.Any(f => f.Kind == FindingKind.HeadMismatch && f.Stream == row.Stream)),
            _ => new Mutation(
                "a checkpoint deleted",
                [$"delete from {store.Checkpoints} where position = (select min(position) from {store.Checkpoints})"],
                report => report.Findings.Any(f => f.Kind == FindingKind.CheckpointMissing)),
        };
    }

    private Mutation InsertEvent()
    {
        var row = Pick();
        var columns = "stream_id, data, bdata, type, timestamp, tenant_id, mt_dotnet_type, correlation_id, causation_id, headers, user_name, is_archived";
        var sequence = rows.Max(r => r.Sequence) + 1 + random.Next(100);
        return new Mutation(
            $"an event inserted into {row.Stream}",
            [
                $"insert into {store.Events} (seq_id, id, version, {columns}) select {sequence}, {store.NewUuid}, (select max(version) + 1 from {store.Events} where stream_id = '{row.Stream}'), {columns} from {store.Events} where seq_id = {row.Sequence}",
                $"update {store.Streams} set version = version + 1 where id = '{row.Stream}'",
            ],
            report => report.Unsealed.Any(u => u.Contains($"sequence {sequence}:", StringComparison.Ordinal)));
    }

    private Mutation InsertLink()
    {
        var head = rows[^1];
        return new Mutation(
            "a link inserted at the end",
            [$"insert into {store.LedgerTable} (position, seq_id, event_id, correlation_id, prev_hash, hash, is_foreign) values ({head.Position + 1}, {rows.Max(r => r.Sequence) + 1}, {store.NewUuid}, null, {store.Blob(Convert.ToHexString(head.Link.Hash))}, {store.Blob(Flip(head.Link.Hash))}, false)"],
            report => report.Findings.Any(f => f.Position == head.Position + 1));
    }

    private Mutation SwapEvents()
    {
        var column = Choose("data", "id", "seq_id", "version");
        var (a, b) = column == "version" ? PickTwoOfOneStream() : PickTwo();
        var unique = column is "seq_id" or "version";
        var sql = unique
            ? new[]
            {
                $"update {store.Events} set {column} = -1 where seq_id = {a.Sequence}",
                $"update {store.Events} set {column} = {(column == "seq_id" ? a.Sequence : a.Version)} where seq_id = {b.Sequence}",
                $"update {store.Events} set {column} = {(column == "seq_id" ? b.Sequence : b.Version)} where {(column == "seq_id" ? "seq_id = -1" : $"seq_id = {a.Sequence}")}",
            }
            // Joined, not looked up row by row: SQLite's look-up would find what the same statement has just changed.
            : [$"update {store.Events} as t set {column} = s.{column} from (select seq_id, {column} from {store.Events} where seq_id in ({a.Sequence}, {b.Sequence})) s where t.seq_id in ({a.Sequence}, {b.Sequence}) and s.seq_id <> t.seq_id"];
        return new Mutation($"{column} of events {a.Position} and {b.Position} swapped", sql, report => At(a)(report) && At(b)(report));
    }

    private Mutation SwapLinks()
    {
        var (a, b) = PickTwo();
        var column = Choose("position", "hash", "prev_hash");
        var sql = column == "position"
            ? new[]
            {
                $"update {store.LedgerTable} set position = -1 where position = {a.Position}",
                $"update {store.LedgerTable} set position = {a.Position} where position = {b.Position}",
                $"update {store.LedgerTable} set position = {b.Position} where position = -1",
            }
            :
            [
                $"update {store.LedgerTable} set {column} = {store.Blob(Convert.ToHexString(column == "hash" ? b.Link.Hash : b.Link.PreviousHash))} where position = {a.Position}",
                $"update {store.LedgerTable} set {column} = {store.Blob(Convert.ToHexString(column == "hash" ? a.Link.Hash : a.Link.PreviousHash))} where position = {b.Position}",
            ];
        return new Mutation($"{column} of links {a.Position} and {b.Position} swapped", sql, report => At(a)(report) && At(b)(report));
    }

    /// <summary>As clean as it can be made from inside: events, links, heads and the database's own checkpoints all end together.</summary>
    private Mutation CutTail()
    {
        var last = rows[random.Next(0, rows.Count - 1)].Position;
        return new Mutation(
            $"everything after position {last} cut",
            [
                $"delete from {store.Events} where seq_id in (select seq_id from {store.LedgerTable} where position > {last})",
                $"delete from {store.LedgerTable} where position > {last}",
                $"delete from {store.Checkpoints} where position > {last}",
                .. FixHeads(),
            ],
            report => report.Findings.Any(f => f.Kind == FindingKind.HistoryCut && f.Position == last + 1));
    }

    /// <summary>One event changed and every hash after it made anew; the checkpoints in the database removed, since they cannot be signed.</summary>
    private Mutation RewriteSuffix()
    {
        var at = random.Next(rows.Count);
        var sql = new List<string>();
        var previous = rows[at].Link.PreviousHash;
        for (var i = at; i < rows.Count; i++)
        {
            var row = rows[i];
            var e = row.Link.Event!;
            if (i == at)
            {
                e = e with { Data = System.Text.Encoding.UTF8.GetBytes("""{"Forged":true}""") };
                sql.Add($$"""update {{store.Events}} set data = '{"Forged":true}' where seq_id = {{row.Sequence}}""");
            }
            var hash = ChainLink.Hash(previous, e.ContentHash(), row.Position, row.Sequence, row.Version, row.Foreign);
            sql.Add($"update {store.LedgerTable} set prev_hash = {store.Blob(Convert.ToHexString(previous))}, hash = {store.Blob(Convert.ToHexString(hash))} where position = {row.Position}");
            previous = hash;
        }
        sql.Add($"delete from {store.Checkpoints} where position >= {rows[at].Position}");
        return new Mutation(
            $"history rewritten from position {rows[at].Position} on",
            sql,
            report => report.Findings.Any(f => f.Kind == FindingKind.HistoryRewritten && f.Position <= rows[at].Position));
    }

    private IEnumerable<string> FixHeads() =>
    [
        $"delete from {store.Streams} where id not in (select stream_id from {store.Events})",
        $"""
        update {store.Streams} set version = (select max(version) from {store.Events} e where e.stream_id = {store.Streams}.id),
          timestamp = (select timestamp from {store.Events} e where e.stream_id = {store.Streams}.id order by version desc limit 1)
        """,
    ];

    private static Func<VerifyReport, bool> At(Row row) => report =>
        report.Findings.Any(f => f.Position == row.Position || f.EventId == row.EventId) || report.Findings.Any(f => f.Position > 0 && f.Position <= row.Position && f.Kind is FindingKind.LinkMissing);

    private Row Pick() => rows[random.Next(rows.Count)];

    private (Row A, Row B) PickTwo()
    {
        var a = random.Next(rows.Count);
        var b = (a + random.Next(1, rows.Count)) % rows.Count;
        // Swapping what is equal changes nothing.
        return rows[a].Version == rows[b].Version || rows[a].Stream == rows[b].Stream ? PickTwo() : (rows[a], rows[b]);
    }

    private (Row A, Row B) PickTwoOfOneStream()
    {
        var a = Pick();
        var others = rows.Where(r => r.Stream == a.Stream && r.Version != a.Version).ToArray();
        return others.Length == 0 ? PickTwoOfOneStream() : (a, others[random.Next(others.Length)]);
    }

    private T Choose<T>(params T[] values) => values[random.Next(values.Length)];

    private string DataEdit(StoredEvent e)
    {
        var text = System.Text.Encoding.UTF8.GetString(CanonicalJson.From(e.Data.Span));
        return Choose(
            Quote(text.Replace("1.5", "1.50", StringComparison.Ordinal)),
            Quote(text.Replace("}", $",\"Z{random.Next(1000)}\":null}}", StringComparison.Ordinal)),
            Quote($$"""{"N":{{random.Next(1_000_000)}}.25}"""));
    }

    private string Text(string column, string old) => Choose($"'{old}x'", $"'{column}'");

    private string Nullable(string? old) => old is null ? "'forged'" : Choose("null", $"'{old}x'");

    private string Flip(byte[] hash)
    {
        var copy = (byte[])hash.Clone();
        copy[random.Next(copy.Length)] ^= (byte)(1 << random.Next(8));
        return Convert.ToHexString(copy);
    }

    private static string Quote(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    private static string Stamp(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'");
}
