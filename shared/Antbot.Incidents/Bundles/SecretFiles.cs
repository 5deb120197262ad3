namespace Antbot.Incidents.Bundles;

/// <summary>What the files hold that are called as secrets are: whatever of it stands in a log is struck out of that.</summary>
internal static class SecretFiles
{
    private const int FilesMax = 100;
    private const int FileBytesMax = 16 * 1024;
    private const int ValuesMax = 2_000;

    /// <summary>A part of a line that is shorter is a word as in any log.</summary>
    private const int PartLengthMin = 8;

    private static readonly string[] Names = ["key", "secret", "token", "passw", "passphrase", "credential", ".env", ".pem"];
    private static readonly char[] Around = [.. " \t\r\"'`,;"];
    private static readonly char[] Between = [.. "=: \t\"'`,;"];

    public static bool IsOne(FileInfo file) => Names.Any(s => file.Name.Contains(s, StringComparison.OrdinalIgnoreCase));

    public static IReadOnlyCollection<string> Read(IEnumerable<FileInfo> files, NamedGaps gaps)
    {
        var (values, read) = (new HashSet<string>(StringComparer.Ordinal), 0);
        foreach (var file in files)
        {
            if (file.Length > FileBytesMax)
                gaps.Add($"Files of secrets with more than {FileBytesMax:N0} bytes, of which nothing was looked for in the logs", file.Name);
            else if (read == FilesMax)
                gaps.Add($"Files of secrets beyond the first {FilesMax}, of which nothing was looked for in the logs", file.Name);
            else if (TryRead(file, gaps) is { } found)
            {
                read++;
                if (values.Union(found).Count() <= ValuesMax)
                    values.UnionWith(found);
                else
                    gaps.Add($"Files of secrets that together hold more than {ValuesMax:N0}, of which nothing was looked for in the logs", file.Name);
            }
        }
        return values;
    }

    private static HashSet<string>? TryRead(FileInfo file, NamedGaps gaps)
    {
        try
        {
            return [.. File.ReadLines(file.FullName).SelectMany(ValuesOf)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            gaps.Add("Files of secrets that could not be read, of which nothing was looked for in the logs", file.Name);
            return null;
        }
    }

    /// <summary>The line, what it gives a name to, and its parts: nobody knows how the file is written.</summary>
    private static IEnumerable<string> ValuesOf(string line) =>
        new[] { line, After(line, '='), After(line, ':') }.Select(v => v.Trim(Around)).Concat(line.Split(Between).Where(p => p.Length >= PartLengthMin)).Where(v => v.Length > 0);

    private static string After(string line, char mark) => line.IndexOf(mark, StringComparison.Ordinal) is >= 0 and var at ? line[(at + 1)..] : "";
}
