using System.Runtime.InteropServices;
using SQLitePCL;

namespace Antbot.EventStore.Sqlite;

/// <summary>Two functions of SQLite that its wrapper leaves out, called in the same library.</summary>
internal static class SqliteNative
{
    private const string Library = "e_sqlite3";
    private const int FcntlHasMoved = 20;

    /// <summary>The operating system's error number behind the last failure to open, read or write.</summary>
    public static int SystemError(sqlite3 db) => With(db, sqlite3_system_errno);

    /// <summary>Whether the open file is no longer the one its name leads to.</summary>
    public static bool HasMoved(sqlite3 db) => With(db, static handle =>
    {
        var moved = 0;
        return sqlite3_file_control(handle, 0, FcntlHasMoved, ref moved) == raw.SQLITE_OK ? moved : 0;
    }) != 0;

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
}
