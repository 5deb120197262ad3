using System.Runtime.InteropServices;
using Antbot.Runtime.Store;
using SQLitePCL;

namespace Antbot.EventStore.Sqlite;

/// <summary>What each of SQLite's answers means to a caller: what happened, why, and what to do.</summary>
internal static class SqliteFaults
{
    private const int IoFsync = raw.SQLITE_IOERR | (4 << 8);
    private const int IoDirFsync = raw.SQLITE_IOERR | (5 << 8);
    private const int IoShmOpen = raw.SQLITE_IOERR | (18 << 8);
    private const int IoShmSize = raw.SQLITE_IOERR | (19 << 8);
    private const int IoShmMap = raw.SQLITE_IOERR | (21 << 8);

    private const int NotPermitted = 1;
    private const int AccessDenied = 13;
    private const int FileTooLarge = 27;
    private const int NoSpace = 28;
    private const int ReadOnlyFileSystem = 30;
    private const int QuotaExceeded = 122;

    /// <summary>Whether the failure may come from what one caller brought, so that the others are worth a try of their own.</summary>
    public static bool MayBeOnesOwn(SqliteFailure failure) =>
        failure.Primary is raw.SQLITE_CONSTRAINT or raw.SQLITE_FULL or raw.SQLITE_TOOBIG or raw.SQLITE_CORRUPT or raw.SQLITE_MISMATCH
        || IsFull(failure);

    /// <summary>Whether the connection is better made anew before it is trusted again.</summary>
    public static bool SpoilsSession(SqliteFailure failure) =>
        failure.Primary is not (raw.SQLITE_BUSY or raw.SQLITE_CONSTRAINT or raw.SQLITE_TOOBIG or raw.SQLITE_READONLY) && !IsFull(failure);

    public static bool IsFull(SqliteFailure failure) =>
        failure.Primary == raw.SQLITE_FULL
        || (failure.Primary is raw.SQLITE_IOERR or raw.SQLITE_CANTOPEN && failure.SystemError is NoSpace or FileTooLarge or QuotaExceeded);

    /// <summary>
    /// The whole transaction was written, and then something failed: nobody sees it now, but a crash before the next append
    /// would bring it back.
    /// </summary>
    public static bool LeavesDoubt(SqliteFailure failure) => failure.Code is IoFsync or IoDirFsync or IoShmOpen or IoShmSize or IoShmMap;

    public static EventStoreException InCommit(SqliteFailure failure, string path) =>
        LeavesDoubt(failure)
            ? new EventStoreException(
                StoreFault.OutcomeUnknown,
                $"'{path}' failed after the append was written ({Why(failure)}): it may come back after a crash. Append the same decision again to find out, and look at the disk.",
                failure)
            : Translate(failure, path);

    public static EventStoreException Translate(SqliteFailure failure, string path) => failure.Primary switch
    {
        _ when IsFull(failure) => Make(
            StoreFault.Full, failure, $"There is no room to write '{path}' ({Why(failure)}); nothing was done. Free disk space: the next append works by itself."),
        raw.SQLITE_READONLY => ReadOnly(failure, path),
        raw.SQLITE_IOERR or raw.SQLITE_CANTOPEN when failure.SystemError == ReadOnlyFileSystem => ReadOnly(failure, path),
        raw.SQLITE_CANTOPEN when failure.SystemError is AccessDenied or NotPermitted => ReadOnly(failure, path),
        raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB or raw.SQLITE_MISMATCH => Make(
            StoreFault.Corrupt, failure, $"'{path}' is damaged ({Why(failure)}). Stop, keep the file, and restore a backup or 'antbot import' an export into a new file."),
        raw.SQLITE_CONSTRAINT or raw.SQLITE_ERROR => Make(
            StoreFault.Corrupt, failure, $"The tables of '{path}' contradict themselves ({Why(failure)}); nothing was done. Run 'antbot verify'."),
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED or raw.SQLITE_PROTOCOL => Make(
            StoreFault.Unavailable, failure, $"Another process holds '{path}' ({Why(failure)}); nothing was done. Find out which (fuser, lsof), or ask again later."),
        raw.SQLITE_CANTOPEN => Make(
            StoreFault.Unavailable, failure, $"'{path}' cannot be opened ({Why(failure)}); nothing was done. See that the path is right and its folder is there."),
        raw.SQLITE_IOERR => Make(
            StoreFault.Unavailable, failure, $"The disk failed under '{path}' ({Why(failure)}); nothing was done. Look at the disk and the kernel's log; the store goes on by itself when it answers again."),
        raw.SQLITE_TOOBIG => Make(StoreFault.TooLarge, failure, $"SQLite takes no value of this size ({Why(failure)}); nothing was done. Split it."),
        raw.SQLITE_PERM or raw.SQLITE_AUTH => Make(
            StoreFault.Forbidden, failure, $"This process may not do that to '{path}' ({Why(failure)}). Change the file's owner or mode."),
        _ => Make(StoreFault.Unavailable, failure, $"SQLite could not serve '{path}' ({Why(failure)}); nothing was done. Ask again later."),
    };

    public static EventStoreException ReadOnly(string path, string why, Exception? inner = null) =>
        new(StoreFault.ReadOnly, $"'{path}' takes no writes ({why}); nothing was done. Give this process the right to write the file and its folder, or open it read-only.", inner);

    private static EventStoreException ReadOnly(SqliteFailure failure, string path) => ReadOnly(path, Why(failure), failure);

    private static EventStoreException Make(StoreFault fault, SqliteFailure failure, string message) => new(fault, message, failure);

    private static string Why(SqliteFailure failure)
    {
        var system = failure.SystemError != 0 && failure.Primary is raw.SQLITE_IOERR or raw.SQLITE_CANTOPEN
            ? $": {Marshal.GetPInvokeErrorMessage(failure.SystemError)}"
            : "";
        return $"SQLite {failure.Code}: {failure.Message}{system}";
    }
}
