namespace Antbot.Incidents.Bundles;

/// <summary>The files of a folder and all below it. What was not looked into is named: a secret may lie there.</summary>
internal static class LogFolder
{
    private const int LookedAtMax = 100_000;

    private static readonly EnumerationOptions All = new() { IgnoreInaccessible = false, AttributesToSkip = FileAttributes.None };

    public static List<FileInfo> Read(DirectoryInfo folder, NamedGaps gaps)
    {
        var (files, folders, looked) = (new List<FileInfo>(), new Stack<DirectoryInfo>([folder]), 0);
        while (folders.TryPop(out var next))
        {
            foreach (var entry in EntriesOf(next, LookedAtMax - looked + 1, gaps))
            {
                if (++looked > LookedAtMax)
                    return [.. files.OrderBy(f => f.FullName, StringComparer.Ordinal)];
                if (entry.Attributes.HasFlag(FileAttributes.ReparsePoint))
                    gaps.Add("Links in the folder of logs, which are not followed", entry.Name);
                else if (entry is DirectoryInfo below)
                    folders.Push(below);
                else if (entry is FileInfo file)
                    files.Add(file);
            }
        }
        return [.. files.OrderBy(f => f.FullName, StringComparer.Ordinal)];
    }

    private static List<FileSystemInfo> EntriesOf(DirectoryInfo folder, int most, NamedGaps gaps)
    {
        try
        {
            var entries = folder.EnumerateFileSystemInfos("*", All).Take(most).ToList();
            if (entries.Count == most)
                gaps.Add($"Of the folder of logs only {LookedAtMax:N0} files and folders were looked at, and secrets looked for; it was left off in", folder.Name);
            return entries;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            gaps.Add("Folders of logs that cannot be looked into, and what secrets lie in them not looked for", $"{folder.Name} ({e.Message})");
            return [];
        }
    }
}
