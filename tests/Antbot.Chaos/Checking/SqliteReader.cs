using System.Globalization;
using System.Text;
using SQLitePCL;

namespace Antbot.Chaos.Checking;

/// <summary>The same rows of the embedded store's file, read beside the process that writes it.</summary>
internal static class SqliteReader
{
    private const int BusyMilliseconds = 10_000;

    static SqliteReader() => Batteries_V2.Init();

    public static Store Read(string path)
    {
        if (raw.sqlite3_open_v2(path, out var db, raw.SQLITE_OPEN_READONLY, null) != raw.SQLITE_OK)
            throw new IOException($"{path} cannot be read: {raw.sqlite3_errmsg(db).utf8_to_string()}");
        using (db)
        {
            raw.sqlite3_busy_timeout(db, BusyMilliseconds);
            // One snapshot for all of it.
            Rows(db, "begin", _ => 0);
            var id = Guid.Parse(Rows(db, "select store_id from antbot_identity", r => Text(r, 0)!).Single());
            var events = Rows(
                db, "select seq_id, id, stream_id, version, data, bdata, type, timestamp, tenant_id, mt_dotnet_type, correlation_id, causation_id, headers, user_name, is_archived from mt_events order by seq_id",
                r => new EventRow(
                    Number(r, 0), Guid.Parse(Text(r, 1)!), Text(r, 2)!, Number(r, 3), Utf8(r, 4)!, Bytes(r, 5), Text(r, 6)!, Microseconds(Text(r, 7)!), Text(r, 8), Text(r, 9), Text(r, 10), Text(r, 11), Utf8(r, 12),
                    Text(r, 13), IsNull(r, 14) ? null : Number(r, 14) != 0));
            var ledger = Rows(
                db, "select position, seq_id, event_id, correlation_id, prev_hash, hash, is_foreign from antbot_ledger order by position",
                r => new LedgerRow(Number(r, 0), Number(r, 1), Guid.Parse(Text(r, 2)!), Text(r, 3), Bytes(r, 4)!, Bytes(r, 5)!, Number(r, 6) != 0));
            var streams = Rows(db, "select id, version, is_archived from mt_streams", r => new StreamRow(Text(r, 0)!, Number(r, 1), IsNull(r, 2) ? null : Number(r, 2) != 0));
            return new Store(id, events, ledger, streams);
        }
    }

    private static List<T> Rows<T>(sqlite3 db, string sql, Func<sqlite3_stmt, T> read)
    {
        if (raw.sqlite3_prepare_v2(db, sql, out var statement) != raw.SQLITE_OK)
            throw Failure(db);
        using (statement)
        {
            var rows = new List<T>();
            int code;
            while ((code = raw.sqlite3_step(statement)) == raw.SQLITE_ROW)
                rows.Add(read(statement));
            return code == raw.SQLITE_DONE ? rows : throw Failure(db);
        }
    }

    private static IOException Failure(sqlite3 db) => new(raw.sqlite3_errmsg(db).utf8_to_string());

    private static bool IsNull(sqlite3_stmt row, int at) => raw.sqlite3_column_type(row, at) == raw.SQLITE_NULL;

    private static long Number(sqlite3_stmt row, int at) => raw.sqlite3_column_int64(row, at);

    private static string? Text(sqlite3_stmt row, int at) => IsNull(row, at) ? null : raw.sqlite3_column_text(row, at).utf8_to_string();

    private static byte[]? Utf8(sqlite3_stmt row, int at) => Text(row, at) is { } text ? Encoding.UTF8.GetBytes(text) : null;

    private static byte[]? Bytes(sqlite3_stmt row, int at) => IsNull(row, at) ? null : raw.sqlite3_column_blob(row, at).ToArray();

    private static long Microseconds(string time) =>
        (DateTime.Parse(time, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal).Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
}
