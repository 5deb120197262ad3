using Antbot.EventStore.Sqlite;
using Antbot.Runtime.Store;

namespace Antbot.ReadModels;

/// <summary>
/// Read models in a file of their own beside the store's, so that writing them holds up no append. Nothing is in it that is not in the
/// events: one that is damaged, or another build's, is made anew.
/// </summary>
public sealed class SqliteReadModels : IReadModels
{
    private const int SearchFrom = 9;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _reading = new(1, 1);
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly string _path;
    private readonly string _name;
    private SqliteSession? _reader;
    private SqliteSession? _writer;
    private bool _closed;

    private SqliteReadModels(string path, Guid storeId)
    {
        _path = path;
        // A file that another store's rows are in says nothing of this one.
        _name = $"{ViewFold.Name}:{storeId:N}";
    }

    /// <summary>The file for the read models of the store in <paramref name="store"/>.</summary>
    public static string FileFor(string store) => Path.ChangeExtension(store, ".views.db");

    public static Task<SqliteReadModels> OpenAsync(string path, Guid storeId, CancellationToken cancellationToken = default) => Task.Run(
        () =>
        {
            var models = new SqliteReadModels(path, storeId);
            models.Open();
            return models;
        },
        cancellationToken);

    public Task<long> ReadPositionAsync(CancellationToken cancellationToken = default) => ReadAsync(PositionIn, cancellationToken);

    public Task<IReadOnlyDictionary<RowKey, ViewRow>> FindAsync(IReadOnlyCollection<RowKey> keys, CancellationToken cancellationToken = default) => ReadAsync<IReadOnlyDictionary<RowKey, ViewRow>>(
        s =>
        {
            var found = new Dictionary<RowKey, ViewRow>();
            foreach (var key in keys)
            {
                foreach (var row in Rows(s.Get($"SELECT {ViewTables.ColumnsOf(key.Table)} FROM {ViewTables.NameOf(key.Table)} WHERE id = ?1").Bind(1, key.Id), key.Table))
                    found[key] = row;
            }
            return found;
        },
        cancellationToken);

    public Task<bool> ApplyAsync(long from, long to, IReadOnlyCollection<ViewRow> rows, CancellationToken cancellationToken = default) => WriteAsync(
        s =>
        {
            if (PositionIn(s) != from || AreOthersIn(s))
                return false;
            s.Get("INSERT INTO progress (name, sequence) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET sequence = excluded.sequence").Bind(1, _name).Bind(2, to).Run();
            foreach (var row in rows)
            {
                var insert = s.Get($"INSERT OR REPLACE INTO {ViewTables.NameOf(row.Table)} ({ViewTables.ColumnsOf(row.Table)}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9{string.Concat(row.Search.Select((_, i) => $", ?{i + SearchFrom + 1}"))})")
                    .Bind(1, row.Id).Bind(2, row.Sequence).Bind(3, row.Trade).Bind(4, row.Account).Bind(5, row.Symbol).Bind(6, row.State).Bind(7, row.At).Bind(8, row.ChangedAt).BindText(9, row.Document.Span);
                for (var i = 0; i < row.Search.Count; i++)
                    insert.Bind(SearchFrom + i + 1, row.Search[i]);
                insert.Run();
            }
            return true;
        },
        cancellationToken);

    public Task ClearAsync(CancellationToken cancellationToken = default) => WriteAsync(
        s =>
        {
            s.Get("DELETE FROM progress").Run();
            foreach (var table in ViewTables.All)
                s.Get($"DELETE FROM {ViewTables.NameOf(table)}").Run();
            return true;
        },
        cancellationToken);

    public Task<IReadOnlyList<ViewRow>> ListAsync(ViewTable table, ViewQuery query, CancellationToken cancellationToken = default) => ReadAsync<IReadOnlyList<ViewRow>>(
        s =>
        {
            ViewTables.Checked(table, query);
            var (where, values) = (new List<string>(), new List<string>());
            string Add(string value)
            {
                values.Add(value);
                return $"?{values.Count}";
            }
            if (query.States.Count > 0)
                where.Add($"state IN ({string.Join(", ", query.States.Select(Add))})");
            if (query.Symbol is { } symbol)
                where.Add($"symbol = {Add(symbol)}");
            if (query.Account is { } account)
                where.Add($"account = {Add(account)}");
            if (query.Trade is { } trade)
                where.Add($"trade = {Add(trade)}");
            foreach (var (column, value) in query.Search)
                where.Add($"{column} = {Add(value)}");
            if (query.IdPrefix is { } prefix)
                where.Add($"id >= {Add(prefix)} AND id < {Add(ViewTables.PrefixEnd(prefix))}");
            if (query.ChangedSince is { } changed)
                where.Add($"changed_at >= {Add(SqliteTime.Format(changed))}");
            var name = ViewTables.NameOf(table);
            if (query.Since is { } since)
                where.Add($"at >= {Add(SqliteTime.Format(since))}");
            if (query.Until is { } until)
                where.Add($"at <= {Add(SqliteTime.Format(until))}");
            if (query.After is { } after)
                where.Add($"(at, id) {(query.OldestFirst ? '>' : '<')} (SELECT at, id FROM {name} WHERE id = {Add(after)})");
            var statement = s.Get($"SELECT {ViewTables.ColumnsOf(table)} FROM {name} {(where.Count > 0 ? $"WHERE {string.Join(" AND ", where)}" : "")} ORDER BY {(query.OldestFirst ? "at, id" : "at DESC, id DESC")} LIMIT ?{values.Count + 1}");
            for (var i = 0; i < values.Count; i++)
                statement.Bind(i + 1, values[i]);
            return Rows(statement.Bind(values.Count + 1, query.Limit), table);
        },
        cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _writing.WaitAsync();
        await _reading.WaitAsync();
        _closed = true;
        _reader?.Dispose();
        _writer?.Dispose();
        (_reader, _writer) = (null, null);
        _reading.Release();
        _writing.Release();
    }

    /// <summary>Rows that another build or another store has put something into stand for nothing.</summary>
    private long PositionIn(SqliteSession session) => AreOthersIn(session) ? 0 : session.Get("SELECT sequence FROM progress WHERE name = ?1").Bind(1, _name).Scalar() ?? 0;

    private bool AreOthersIn(SqliteSession session) => session.Get("SELECT count(*) FROM progress WHERE name <> ?1").Bind(1, _name).Scalar() > 0;

    private static List<ViewRow> Rows(SqliteStatement row, ViewTable table)
    {
        var rows = new List<ViewRow>();
        while (row.Step())
        {
            rows.Add(new ViewRow(
                table, row.Text(0), row.Int64(1), row.TextOrNull(2), row.TextOrNull(3), row.TextOrNull(4), row.Text(5), Time(row, 6), Time(row, 7), row.Bytes(8))
            {
                Search = [.. ViewTables.SearchedBy(table).Select((_, i) => row.TextOrNull(SearchFrom + i))],
            });
        }
        return rows;
    }

    private static DateTimeOffset Time(SqliteStatement row, int column) => SqliteTime.TryParse(row.Span(column), out var time)
        ? time
        : throw new EventStoreException(StoreFault.Corrupt, "A read model holds a time that is none. Delete the file of the read models: it is made anew.");

    private void Open()
    {
        try
        {
            if (!TryOpenSessions())
                OpenAnew();
        }
        catch (SqliteFailure e) when (e.Primary is SQLitePCL.raw.SQLITE_CORRUPT or SQLitePCL.raw.SQLITE_NOTADB)
        {
            OpenAnew();
        }
        catch (SqliteFailure e)
        {
            CloseSessions();
            throw SqliteFaults.Translate(e, _path);
        }
    }

    private void OpenAnew()
    {
        CloseSessions();
        foreach (var file in new[] { _path, $"{_path}-wal", $"{_path}-shm" })
            File.Delete(file);
        if (!TryOpenSessions())
            throw new EventStoreException(StoreFault.Corrupt, $"'{_path}' was made anew, and its tables are not what they were made as. Does another build make it, too?");
    }

    /// <summary>Whether its tables are this build's.</summary>
    private bool TryOpenSessions()
    {
        _writer = SqliteSession.Open(_path, SqliteAccess.Create, Patience);
        _writer.Execute("PRAGMA journal_mode=WAL");
        // A power cut may take the last rows, never tear them: they and their position are written again.
        _writer.Execute("PRAGMA synchronous=NORMAL");
        _writer.BeginImmediate(Patience);
        if (!AreOurs(_writer))
        {
            _writer.TryRollback();
            return false;
        }
        _writer.ExecuteScript(Script());
        _writer.Commit();
        _reader = SqliteSession.Open(_path, SqliteAccess.Read, Patience);
        return true;
    }

    /// <summary>Another build's tables have other columns; those that are not there yet are made.</summary>
    private static bool AreOurs(SqliteSession session)
    {
        foreach (var (table, columns) in ViewTables.All.Select(t => (ViewTables.NameOf(t), ViewTables.ColumnsOf(t))).Append(("progress", "name, sequence")))
        {
            var found = new List<string>();
            var row = session.Get("SELECT name FROM pragma_table_info(?1)").Bind(1, table);
            while (row.Step())
                found.Add(row.Text(0));
            if (found.Count > 0 && string.Join(", ", found) != columns)
                return false;
        }
        return true;
    }

    private void CloseSessions()
    {
        _reader?.Dispose();
        _writer?.Dispose();
        (_reader, _writer) = (null, null);
    }

    private static string Script() => "CREATE TABLE IF NOT EXISTS progress (name TEXT NOT NULL PRIMARY KEY, sequence INTEGER NOT NULL) WITHOUT ROWID;\n" + string.Join('\n', ViewTables.All.Select(t =>
    {
        var name = ViewTables.NameOf(t);
        return $"""
            CREATE TABLE IF NOT EXISTS {name} (id TEXT NOT NULL PRIMARY KEY, sequence INTEGER NOT NULL, trade TEXT NULL, account TEXT NULL, symbol TEXT NULL,
              state TEXT NOT NULL, at TEXT NOT NULL, changed_at TEXT NOT NULL, document TEXT NOT NULL{string.Concat(ViewTables.SearchedBy(t).Select(c => $", {c} TEXT NULL"))});
            CREATE INDEX IF NOT EXISTS ix_{name}_at ON {name} (at, id);
            CREATE INDEX IF NOT EXISTS ix_{name}_state ON {name} (state, at, id);
            CREATE INDEX IF NOT EXISTS ix_{name}_trade ON {name} (trade);
            CREATE INDEX IF NOT EXISTS ix_{name}_symbol ON {name} (symbol, at, id) WHERE symbol IS NOT NULL;

            """ + string.Join('\n', ViewTables.SearchedBy(t).Select(c => $"CREATE INDEX IF NOT EXISTS ix_{name}_{c} ON {name} ({c}, at, id);"));
    }));

    private async Task<T> ReadAsync<T>(Func<SqliteSession, T> read, CancellationToken cancellationToken)
    {
        await _reading.WaitAsync(cancellationToken);
        try
        {
            return await Task.Run(() => Guarded(() => read(_reader ?? throw Closed()), ref _reader, SqliteAccess.Read), CancellationToken.None);
        }
        finally
        {
            _reading.Release();
        }
    }

    private async Task<T> WriteAsync<T>(Func<SqliteSession, T> write, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            return await Task.Run(() => Guarded(() => Write(_writer ?? throw Closed(), write), ref _writer, SqliteAccess.Write), CancellationToken.None);
        }
        finally
        {
            _writing.Release();
        }
    }

    private static T Write<T>(SqliteSession session, Func<SqliteSession, T> write)
    {
        session.BeginImmediate(Patience);
        try
        {
            var value = write(session);
            session.Commit();
            return value;
        }
        catch
        {
            session.TryRollback();
            throw;
        }
    }

    /// <summary>A session that something failed in may stand in the middle of a row: the next work has a new one.</summary>
    private T Guarded<T>(Func<T> work, ref SqliteSession? session, SqliteAccess access)
    {
        try
        {
            return work();
        }
        catch (Exception e)
        {
            session?.Dispose();
            session = null;
            if (!_closed)
                session = SqliteSession.Open(_path, access, Patience);
            if (e is SqliteFailure failure)
                throw SqliteFaults.Translate(failure, _path);
            throw;
        }
    }

    private static EventStoreException Closed() => new(StoreFault.Closed, "The read models have been closed.");
}
