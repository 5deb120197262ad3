using System.Text;
using SQLitePCL;

namespace Antbot.EventStore.Sqlite;

/// <summary>A prepared statement. Parameters count from 1, columns from 0, as in SQLite itself.</summary>
internal sealed class SqliteStatement(SqliteSession session, sqlite3_stmt statement) : IDisposable
{
    private const int StackBytesMax = 1024;

    public SqliteStatement Bind(int index, long value)
    {
        Check(raw.sqlite3_bind_int64(statement, index, value));
        return this;
    }

    public SqliteStatement Bind(int index, string? text)
    {
        if (text is null)
        {
            Check(raw.sqlite3_bind_null(statement, index));
            return this;
        }
        Span<byte> buffer = stackalloc byte[StackBytesMax];
        // An empty span would bind NULL.
        if (text.Length > 0 && Encoding.UTF8.TryGetBytes(text, buffer, out var length))
            Check(raw.sqlite3_bind_text(statement, index, buffer[..length]));
        else
            Check(raw.sqlite3_bind_text(statement, index, text));
        return this;
    }

    public SqliteStatement Bind(int index, Guid id)
    {
        Span<byte> text = stackalloc byte[36];
        id.TryFormat(text, out _, "D");
        Check(raw.sqlite3_bind_text(statement, index, text));
        return this;
    }

    public SqliteStatement Bind(int index, DateTimeOffset time)
    {
        Span<byte> text = stackalloc byte[SqliteTime.Length];
        SqliteTime.Format(time, text);
        Check(raw.sqlite3_bind_text(statement, index, text));
        return this;
    }

    /// <summary>JSON: never empty.</summary>
    public SqliteStatement BindText(int index, ReadOnlySpan<byte> text)
    {
        Check(raw.sqlite3_bind_text(statement, index, text));
        return this;
    }

    public SqliteStatement BindBlob(int index, ReadOnlySpan<byte> blob)
    {
        Check(blob.IsEmpty ? raw.sqlite3_bind_zeroblob(statement, index, 0) : raw.sqlite3_bind_blob(statement, index, blob));
        return this;
    }

    public SqliteStatement BindNull(int index)
    {
        Check(raw.sqlite3_bind_null(statement, index));
        return this;
    }

    /// <summary>Moves to the next row, or resets where there is none.</summary>
    public bool Step()
    {
        var code = raw.sqlite3_step(statement);
        if (code == raw.SQLITE_ROW)
            return true;
        if (code == raw.SQLITE_DONE)
        {
            raw.sqlite3_reset(statement);
            return false;
        }
        var failure = session.Failure(code);
        raw.sqlite3_reset(statement);
        throw failure;
    }

    /// <summary>Runs it to its end.</summary>
    public void Run()
    {
        while (Step())
        {
        }
    }

    /// <summary>Runs a statement without rows, or says that somebody else holds the lock it needs.</summary>
    public bool TryRun()
    {
        var code = raw.sqlite3_step(statement);
        if (code != raw.SQLITE_DONE && (code & 0xFF) != raw.SQLITE_BUSY)
        {
            var failure = session.Failure(code);
            raw.sqlite3_reset(statement);
            throw failure;
        }
        raw.sqlite3_reset(statement);
        return code == raw.SQLITE_DONE;
    }

    /// <summary>Runs it and gives the first column of its first row as a number.</summary>
    public long? Scalar()
    {
        if (!Step())
            return null;
        var value = IsNull(0) ? (long?)null : Int64(0);
        Reset();
        return value;
    }

    public void Reset() => raw.sqlite3_reset(statement);

    public bool IsNull(int column) => raw.sqlite3_column_type(statement, column) == raw.SQLITE_NULL;

    public long Int64(int column) => raw.sqlite3_column_int64(statement, column);

    /// <summary>The bytes of a text or a blob, until the next step.</summary>
    public ReadOnlySpan<byte> Span(int column) => raw.sqlite3_column_blob(statement, column);

    public byte[] Bytes(int column) => Span(column).ToArray();

    public string Text(int column) => Encoding.UTF8.GetString(Span(column));

    public string? TextOrNull(int column) => IsNull(column) ? null : Text(column);

    public void Dispose() => raw.sqlite3_finalize(statement);

    private void Check(int code)
    {
        if (code != raw.SQLITE_OK)
            throw session.Failure(code);
    }
}
