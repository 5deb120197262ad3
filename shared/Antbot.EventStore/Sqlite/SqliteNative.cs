using System.Runtime.InteropServices;
using SQLitePCL;

namespace Antbot.EventStore.Sqlite;

/// <summary>Functions of SQLite that its wrapper leaves out, called in the same library.</summary>
internal static class SqliteNative
{
    private const string Library = "e_sqlite3";
    private const int FcntlLastErrno = 4;
    private const int FcntlHasMoved = 20;
    private const int FcntlJournalPointer = 28;

    /// <summary>Where <c>xFileControl</c> stands in the table of a file's methods, counting the version as the first.</summary>
    private const int FileControlSlot = 10;

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate int FileControl(nint file, int op, ref int argument);

    /// <summary>The operating system's error number behind the last failure to open, read or write; 0 where SQLite does not know it.</summary>
    public static int SystemError(sqlite3 db) => With(db, static handle =>
    {
        // A commit that fails keeps the number in the log's file and nowhere else.
        var known = sqlite3_system_errno(handle);
        return known != 0 ? known : LogError(handle);
    });

    /// <summary>Whether the open file is no longer the one its name leads to.</summary>
    public static bool HasMoved(sqlite3 db) => With(db, static handle =>
    {
        var moved = 0;
        return sqlite3_file_control(handle, 0, FcntlHasMoved, ref moved) == raw.SQLITE_OK ? moved : 0;
    }) != 0;

    private static int LogError(nint db)
    {
        if (sqlite3_file_control(db, 0, FcntlJournalPointer, out var file) != raw.SQLITE_OK || file == 0 || Marshal.ReadIntPtr(file) is var methods && methods == 0)
            return 0;
        var control = Marshal.GetDelegateForFunctionPointer<FileControl>(Marshal.ReadIntPtr(methods, FileControlSlot * nint.Size));
        var error = 0;
        return control(file, FcntlLastErrno, ref error) == raw.SQLITE_OK ? error : 0;
    }

    private static int With(sqlite3 db, Func<nint, int> call)
    {
        var held = false;
        try
        {
            db.DangerousAddRef(ref held);
            return call(db.DangerousGetHandle());
        }
        finally
        {
            if (held)
                db.DangerousRelease();
        }
    }

    [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
    private static extern int sqlite3_system_errno(nint db);

    [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
    private static extern int sqlite3_file_control(nint db, nint name, int op, ref int argument);

    [DllImport(Library, CallingConvention = CallingConvention.Cdecl)]
    private static extern int sqlite3_file_control(nint db, nint name, int op, out nint argument);
}
