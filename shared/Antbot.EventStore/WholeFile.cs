using System.Runtime.InteropServices;

namespace Antbot.EventStore;

/// <summary>Gives a finished file its name, where nobody else has it yet. A move would look first and rename then: of two at once both would win.</summary>
internal static class WholeFile
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

    [DllImport("libc", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int link(string from, string to);
}
