namespace Antbot.LocalServers.Processes;

internal static class LogTail
{
    private const int LinesMax = 20;
    private const int BytesMax = 64 * 1024;

    /// <summary>The last lines of a log, indented, to be put below an error message.</summary>
    /// <param name="marker">Erlang follows a cause with pages of consequences: the first lines with this text come before the last lines.</param>
    public static string Of(string path, string? marker = null)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            file.Seek(-Math.Min(file.Length, BytesMax), SeekOrigin.End);
            using var reader = new StreamReader(file);
            var lines = reader.ReadToEnd().Split('\n');
            return Of(lines, path, marker);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return $"\n  (no log: {unreadable.Message})";
        }
    }

    public static string OfText(string text, string? marker = null) => Of(text.Split('\n'), "its output", marker);

    private static string Of(IReadOnlyCollection<string> lines, string source, string? marker = null)
    {
        var marked = marker is null ? [] : lines.Where(line => line.Contains(marker, StringComparison.Ordinal)).Take(LinesMax);
        var last = marked.Concat(lines.TakeLast(LinesMax)).Where(line => line.Length > 0).Distinct(StringComparer.Ordinal).ToList();
        if (last.Count == 0)
            return $"\n  (nothing in {source})";
        var hint = last.Exists(line => line.Contains("Permission denied", StringComparison.Ordinal))
            ? "\n  The server runs as another user than root: every folder above its data must let that user through."
            : "";
        return $"\n  The end of {source}:\n    {string.Join("\n    ", last)}{hint}";
    }
}
