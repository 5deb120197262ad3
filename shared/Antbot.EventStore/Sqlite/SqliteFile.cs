using System.Globalization;
using Antbot.Runtime.Store;
using SQLitePCL;

namespace Antbot.EventStore.Sqlite;

/// <summary>
/// Opens the file, makes it, or refuses it. It never reads the file but through SQLite while it may be in use: closing any other
/// handle would drop this process's locks on it.
/// </summary>
internal sealed class SqliteFile(SqliteStoreOptions options)
{
    private static readonly TimeSpan LeftoverAge = TimeSpan.FromHours(1);

    public string Path { get; } = System.IO.Path.GetFullPath(options.Path);

    private string WalPath => Path + "-wal";

    /// <summary>A connection for writing, on a file that was looked over and is up to date.</summary>
    public SqliteSession OpenChecked()
    {
        try
        {
            if (options.Create)
                MakeFolder();
            if (LooksAbsent())
                Create();
            else if (options.CheckAtOpen && FindDamage(SqliteAccess.Read) is { } damage)
                throw Damaged(damage);
            return OpenWriter(options.BusyTimeout);
        }
        catch (SqliteFailure e)
        {
            throw Refuse(e);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw Refuse(e);
        }
    }

    /// <summary>How to read a file that must not be changed, after it was looked over.</summary>
    public SqliteAccess CheckForReading()
    {
        if (LooksAbsent())
            throw Absent();
        var access = SqliteAccess.Read;
        try
        {
            try
            {
                CheckReadable(access);
            }
            catch (SqliteFailure e) when (e.Primary is raw.SQLITE_CANTOPEN or raw.SQLITE_READONLY && !HasWal())
            {
                // The medium takes no -shm file, and there is no log that could hold more than the file does.
                access = SqliteAccess.ReadUnchanging;
                CheckReadable(access);
            }
            return access;
        }
        catch (SqliteFailure e) when (e.Primary == raw.SQLITE_CANTOPEN && HasWal())
        {
            throw new EventStoreException(
                StoreFault.Unavailable,
                $"'{Path}' has a log beside it that cannot be read where nothing can be written. Copy '{Path}' and '{WalPath}' together to a folder that can be written, and open the copy.",
                e);
        }
        catch (SqliteFailure e)
        {
            throw Refuse(e);
        }
    }

    /// <summary>A connection for writing in place of one that broke. What has become of the file meanwhile, it is never made anew.</summary>
    public SqliteSession Reopen() => Reopen(options.BusyTimeout);

    public SqliteSession Reopen(TimeSpan busyTimeout)
    {
        if (LooksAbsent())
            throw new EventStoreException(StoreFault.Unavailable, $"'{Path}' is gone; nothing was done. Put it back: the store goes on by itself.");
        return OpenWriter(busyTimeout);
    }

    private SqliteSession OpenWriter(TimeSpan busyTimeout)
    {
        var session = SqliteSession.Open(Path, SqliteAccess.Write, busyTimeout);
        try
        {
            Prepare(session);
            SqliteSchema.Migrate(session, Path, options.BusyTimeout, options.Clock);
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    private void Prepare(SqliteSession session)
    {
        var mode = session.Query("PRAGMA journal_mode=WAL");
        if (mode != "wal")
            throw new SqliteFailure(raw.SQLITE_CANTOPEN, 0, $"the journal stays in mode '{mode}'; write-ahead logging needs a local file system");
        session.Execute("PRAGMA synchronous=FULL");
        session.Execute("PRAGMA fullfsync=ON");
        session.Execute("PRAGMA checkpoint_fullfsync=ON");
        session.Execute("PRAGMA foreign_keys=ON");
        session.Execute("PRAGMA cache_size=-32768");
        // The checkpointer does it beside the commits.
        session.Execute("PRAGMA wal_autocheckpoint=0");
        // Room for what comes before the limit is seen: a log that is cut at each turn is slow to grow again.
        session.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA journal_size_limit={options.LogBytesMax / 4 * 5}"));
    }

    private void MakeFolder()
    {
        try
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw SqliteFaults.ReadOnly(Path, $"its folder cannot be made: {e.Message}", e);
        }
    }

    /// <summary>Whether there is nothing at all. An empty file is not nothing: it once was a store, and SQLite would make it a new one without a word.</summary>
    private bool LooksAbsent()
    {
        var file = new FileInfo(Path);
        if (file is { Exists: true, Length: 0 })
            throw Damaged("the file has no bytes (where it was meant to be a new store, delete it)");
        if (!file.Exists && HasWal())
            throw Damaged($"'{WalPath}' is there without its database");
        return !file.Exists;
    }

    private bool HasWal() => new FileInfo(WalPath) is { Exists: true, Length: > 0 };

    /// <summary>Makes the file beside its place and moves it there whole, so that a crash never leaves half of one.</summary>
    private void Create()
    {
        if (!options.Create)
            throw Absent();
        RemoveLeftovers();
        var fresh = $"{Path}.new-{Guid.NewGuid():N}";
        try
        {
            using (var session = SqliteSession.Open(fresh, SqliteAccess.Create, options.BusyTimeout))
            {
                Prepare(session);
                SqliteSchema.Migrate(session, fresh, options.BusyTimeout, options.Clock);
            }
            // Where another process was faster, its file is the store.
            WholeFile.TryPlace(fresh, Path);
        }
        finally
        {
            foreach (var suffix in FileSet)
                TryDelete(fresh + suffix);
        }
    }

    internal static IReadOnlyList<string> FileSet { get; } = ["", "-wal", "-shm"];

    private void RemoveLeftovers()
    {
        var folder = System.IO.Path.GetDirectoryName(Path)!;
        foreach (var left in Directory.EnumerateFiles(folder, System.IO.Path.GetFileName(Path) + ".new-*"))
        {
            if (options.Clock.GetUtcNow().UtcDateTime - File.GetLastWriteTimeUtc(left) > LeftoverAge)
                TryDelete(left);
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is nobody's: the next start tries again.
        }
    }

    /// <summary>Looks for damage without changing a byte: a connection that may only read does not touch the log either.</summary>
    private string? FindDamage(SqliteAccess access)
    {
        using var session = SqliteSession.Open(Path, access, options.BusyTimeout);
        var answer = session.Query("PRAGMA quick_check(1)");
        return answer == "ok" ? null : answer.ReplaceLineEndings(" ").TrimStart('*', ' ');
    }

    private void CheckReadable(SqliteAccess access)
    {
        if (options.CheckAtOpen && FindDamage(access) is { } damage)
            throw Damaged(damage);
        using var session = SqliteSession.Open(Path, access, options.BusyTimeout);
        SqliteSchema.CheckCurrent(session, Path);
    }

    private EventStoreException Absent() =>
        new(StoreFault.Unavailable, $"There is no store '{Path}', and it was not asked to make one. See that the path is right.");

    private EventStoreException Refuse(SqliteFailure failure) =>
        failure.Primary is raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB ? Damaged(failure.Message) : SqliteFaults.Translate(failure, Path);

    private EventStoreException Refuse(Exception e) => e is UnauthorizedAccessException
        ? SqliteFaults.ReadOnly(Path, e.Message, e)
        : new EventStoreException(StoreFault.Unavailable, $"'{Path}' cannot be opened: {e.Message} See that the path is right and the disk answers.", e);

    private EventStoreException Damaged(string what)
    {
        var kept = options.ReadOnly ? "It was opened read-only, so no copy was made." : new CorruptFile(Path, options.Clock).KeepAside();
        return new EventStoreException(
            StoreFault.Corrupt,
            string.Create(
                CultureInfo.InvariantCulture,
                $"'{Path}' is damaged: {what}. It was left as it is. {kept} Restore a backup, or 'antbot import' an export into a new file."));
    }
}
