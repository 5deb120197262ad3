using System.Runtime.InteropServices;

namespace Antbot.EventStore;

/// <summary>Gives a finished file its name, where nobody else has it yet. A move would look first and rename then: of two at once both would win.</summary>
public static class WholeFile
{
    private const int AlreadyThere = 17;

    /// <summary>False where the name is taken; what it names stays as it is. The file that was made aside is gone either way.</summary>
    public static bool TryPlace(string aside, string path)
    {
        try
        {
            if (!OperatingSystem.IsWindows())
            {
                if (link(aside, path) == 0)
                    return true;
                if (Marshal.GetLastPInvokeError() == AlreadyThere)
                    return false;
            }
            // Windows does it in one step, and a file system without links has nothing better.
            File.Move(aside, path, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(path))
        {
            return false;
        }
        finally
        {
            File.Delete(aside);
        }
    }

    /// <summary>What a file holds, or which names a folder has, so that it outlives a loss of power. Windows keeps a folder's names with its files.</summary>
    public static void Flush(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            if (Directory.Exists(path))
                return;
            using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
            RandomAccess.FlushToDisk(handle);
            return;
        }
        var opened = open(path, 0);
        if (opened < 0)
            throw new IOException($"'{path}' cannot be opened to be flushed ({Marshal.GetLastPInvokeError()}).");
        try
        {
            if (fsync(opened) != 0)
                throw new IOException($"'{path}' cannot be flushed to the disk ({Marshal.GetLastPInvokeError()}).");
        }
        finally
        {
            _ = close(opened);
        }
    }

    [DllImport("libc", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int link(string from, string to);

    [DllImport("libc", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int open(string path, int flags);

    [DllImport("libc", SetLastError = true)]
    private static extern int fsync(int file);

    [DllImport("libc", SetLastError = true)]
    private static extern int close(int file);
}
