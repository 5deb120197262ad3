using System.Diagnostics;
using Antbot.Runtime.Store;
using SQLitePCL;

namespace Antbot.EventStore.Sqlite;

internal enum SqliteAccess
{
    /// <summary>Reads and writes; makes the file where it is missing.</summary>
    Create,

    Write,
    Read,

    /// <summary>Reads a file that nobody can be writing to, without the files beside it.</summary>
    ReadUnchanging,
}

/// <summary>One connection with its prepared statements. Used by one thread at a time.</summary>
internal sealed class SqliteSession : IDisposable
{
    private const int StatusPagesWritten = 9;

    private readonly Dictionary<string, SqliteStatement> _statements = new(StringComparer.Ordinal);
    private readonly sqlite3 _db;
    private readonly string _path;
    private readonly TimeSpan _busyTimeout;

    private SqliteSession(sqlite3 db, string path, TimeSpan busyTimeout)
    {
        _db = db;
        _path = path;
        _busyTimeout = busyTimeout;
    }

    static SqliteSession() => Batteries_V2.Init();

    public bool IsInTransaction => raw.sqlite3_get_autocommit(_db) == 0;

    public static SqliteSession Open(string path, SqliteAccess access, TimeSpan busyTimeout)
    {
        var flags = raw.SQLITE_OPEN_NOMUTEX | raw.SQLITE_OPEN_PRIVATECACHE | access switch
        {
            SqliteAccess.Create => raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE,
            SqliteAccess.Write => raw.SQLITE_OPEN_READWRITE,
            SqliteAccess.Read => raw.SQLITE_OPEN_READONLY,
            SqliteAccess.ReadUnchanging => raw.SQLITE_OPEN_READONLY | raw.SQLITE_OPEN_URI,
        };
        var name = access == SqliteAccess.ReadUnchanging ? $"file:{Uri.EscapeDataString(path)}?immutable=1" : path;
        var code = raw.sqlite3_open_v2(name, out var db, flags, null);
        var session = new SqliteSession(db, path, busyTimeout);
        try
        {
            if (code != raw.SQLITE_OK)
                throw session.Failure(code);
            raw.sqlite3_extended_result_codes(db, 1);
            raw.sqlite3_busy_timeout(db, (int)busyTimeout.TotalMilliseconds);
            // Without the right to write SQLite opens for reading alone and says nothing.
            if (access is SqliteAccess.Create or SqliteAccess.Write && raw.sqlite3_db_readonly(db, "main") == 1)
                throw new SqliteFailure(raw.SQLITE_READONLY, 0, "the file is write-protected");
            session.Execute("PRAGMA temp_store=MEMORY");
            session.Execute("PRAGMA cell_size_check=ON");
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>The statement for this text, prepared once and kept.</summary>
    public SqliteStatement Get(string sql)
    {
        if (_statements.TryGetValue(sql, out var there))
            return there;
        var made = Prepare(sql);
        _statements.Add(sql, made);
        return made;
    }

    /// <summary>Runs a statement that is not worth keeping.</summary>
    public void Execute(string sql)
    {
        using var statement = Prepare(sql);
        statement.Run();
    }

    /// <summary>Runs every statement of a script.</summary>
    public void ExecuteScript(string script)
    {
        var rest = script;
        while (!string.IsNullOrWhiteSpace(rest))
        {
            var code = raw.sqlite3_prepare_v2(_db, rest, out var prepared, out rest);
            if (code != raw.SQLITE_OK)
                throw Failure(code);
            // What is left may be a comment alone.
            if (prepared.IsInvalid)
                continue;
            using var statement = new SqliteStatement(this, prepared);
            statement.Run();
        }
    }

    public string Query(string sql)
    {
        using var statement = Prepare(sql);
        return statement.Step() ? statement.Text(0) : "";
    }

    /// <summary>Takes the write lock. It asks often: SQLite's own pauses, up to 100 ms, would lose the race against a busy neighbour.</summary>
    public void BeginImmediate(TimeSpan atMost)
    {
        raw.sqlite3_busy_timeout(_db, 0);
        try
        {
            var begin = Get("BEGIN IMMEDIATE");
            var since = Stopwatch.GetTimestamp();
            while (!begin.TryRun())
            {
                if (Stopwatch.GetElapsedTime(since) >= atMost)
                    throw Failure(raw.SQLITE_BUSY);
                Thread.Sleep(1);
            }
        }
        finally
        {
            raw.sqlite3_busy_timeout(_db, (int)_busyTimeout.TotalMilliseconds);
        }
    }

    /// <summary>How many pages went into the log since this was last asked.</summary>
    public int TakePagesWritten() => raw.sqlite3_db_status(_db, StatusPagesWritten, out var pages, out _, resetFlg: 1) == raw.SQLITE_OK ? pages : 0;

    public void Commit() => Get("COMMIT").Run();

    /// <summary>Ends the transaction where SQLite has not done so itself, and says whether there is none any more.</summary>
    public bool TryRollback()
    {
        try
        {
            if (IsInTransaction)
                Get("ROLLBACK").Run();
        }
        catch (SqliteFailure)
        {
            // Seen below: a session that cannot end its transaction is thrown away.
        }
        return !IsInTransaction;
    }

    public void CheckInPlace()
    {
        if (SqliteNative.HasMoved(_db))
        {
            throw new EventStoreException(
                StoreFault.Unavailable,
                $"'{_path}' was moved, deleted or replaced while the store had it open; nothing was done. Put the same file back, or restart to use the one that is there now.");
        }
    }

    public SqliteFailure Failure(int code)
    {
        var extended = raw.sqlite3_extended_errcode(_db);
        // The connection remembers only its own last failure; the code at hand is the one that counts.
        if ((extended & 0xFF) != (code & 0xFF))
            extended = code;
        var system = (extended & 0xFF) is raw.SQLITE_IOERR or raw.SQLITE_CANTOPEN ? SqliteNative.SystemError(_db) : 0;
        return new SqliteFailure(extended, system, raw.sqlite3_errmsg(_db).utf8_to_string());
    }

    public void Dispose()
    {
        foreach (var statement in _statements.Values)
            statement.Dispose();
        _statements.Clear();
        raw.sqlite3_close_v2(_db);
    }

    private SqliteStatement Prepare(string sql)
    {
        var code = raw.sqlite3_prepare_v2(_db, sql, out var prepared);
        return code == raw.SQLITE_OK ? new SqliteStatement(this, prepared) : throw Failure(code);
    }
}
