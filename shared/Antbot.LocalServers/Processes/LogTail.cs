namespace Antbot.LocalServers.Processes;

internal static class LogTail
{
    private const int LinesMax = 20;
    private const int BytesMax = 64 * 1024;

    /// <summary>The last lines of a log, indented, to be put below an error message.</summary>
    public static string Of(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            file.Seek(-Math.Min(file.Length, BytesMax), SeekOrigin.End);
            using var reader = new StreamReader(file);
            return Of(reader.ReadToEnd().Split('\n'), path);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return $"\n  (no log: {unreadable.Message})";
        }
    }

    public static string OfText(string text) => Of(text.Split('\n'), "its output");

    private static string Of(IEnumerable<string> lines, string source)
    {
        var last = lines.Where(line => line.Length > 0).TakeLast(LinesMax).ToList();
        if (last.Count == 0)
            return $"\n  (nothing in {source})";
        var hint = last.Exists(line => line.Contains("Permission denied", StringComparison.Ordinal))
            ? "\n  The server runs as another user than root: every folder above its data must let that user through."
            : "";
        return $"\n  The end of {source}:\n    {string.Join("\n    ", last)}{hint}";
    }
}
