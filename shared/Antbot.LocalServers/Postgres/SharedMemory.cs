using System.Globalization;
using Antbot.LocalServers.Processes;

namespace Antbot.LocalServers.Postgres;

/// <summary>The small System V segment by which PostgreSQL knows that a data folder is still in use.</summary>
internal static class SharedMemory
{
    private const int LineInPidFile = 7;
    private const string Table = "/proc/sysvipc/shm";

    /// <summary>The segment's id, as the postmaster recorded it: "key id" in its pid file.</summary>
    public static int? IdIn(string pidFile)
    {
        try
        {
            var parts = File.ReadLines(pidFile).Skip(LineInPidFile - 1).FirstOrDefault()?.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return parts is [_, var id] && int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Whether a process still holds it. Where the kernel has no such table, a start that is refused is tried again.</summary>
    public static bool IsAttached(int? id)
    {
        if (id is null || !File.Exists(Table))
            return false;
        // Columns: key, id, permissions, size, creator, last process, attached processes.
        return File.ReadLines(Table).Skip(1)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Any(columns => columns.Length > 6 && columns[1] == id.Value.ToString(CultureInfo.InvariantCulture) && columns[6] != "0");
    }

    /// <summary>A killed server's segment that no start will take over would stay until the machine restarts.</summary>
    public static void Remove(int id)
    {
        if (!IsAttached(id))
            Native.RemoveSharedMemory(id);
    }
}
