using System.Runtime.Versioning;

namespace Antbot.Integration.Tests;

/// <summary>Root writes where the file's mode forbids it. A process without that privilege obeys the mode, whoever started it.</summary>
[UnsupportedOSPlatform("windows")]
internal static class Permissions
{
    /// <summary>What to put before a command so that it obeys the modes of files; nothing where this user obeys them anyway.</summary>
    public static string[] ObeyingWrapper()
    {
        var probe = Path.Combine(Path.GetTempPath(), $"antbot-probe-{Guid.NewGuid():N}");
        File.WriteAllText(probe, "");
        try
        {
            File.SetUnixFileMode(probe, UnixFileMode.UserRead);
            File.AppendAllText(probe, "written in spite of its mode");
            return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search", "--"];
        }
        catch (UnauthorizedAccessException)
        {
            return [];
        }
        finally
        {
            File.Delete(probe);
        }
    }
}
