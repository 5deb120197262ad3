using System.Globalization;

namespace Antbot.EventStore.Sqlite;

/// <summary>Keeps a damaged file set aside, once for each damage: whoever tries to mend the original can always begin again.</summary>
internal sealed class CorruptFile(string path, TimeProvider clock)
{
    private const int CopiesMax = 1000;
    private const string Partial = ".partial";

    /// <summary>Copies the file set, or finds the copy that is there already, and says which it is.</summary>
    public string KeepAside()
    {
        try
        {
            if (FindCopy() is { } there)
                return $"The copy '{there}' of it is there already.";
            var copy = FreeName();
            foreach (var suffix in SqliteFile.FileSet.Where(IsWorthKeeping))
                Copy(path + suffix, copy + suffix);
            return $"A copy was kept as '{copy}'.";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"A copy could not be kept ({e.Message}): make one before you try to mend it.";
        }
    }

    /// <summary>An empty log says nothing, and its index nothing without it: looking at the file is enough to make both.</summary>
    private bool IsWorthKeeping(string suffix) => suffix switch
    {
        "" => File.Exists(path),
        "-wal" => HasBytes(path + suffix),
        _ => File.Exists(path + suffix) && HasBytes(path + "-wal"),
    };

    private static bool HasBytes(string file) => new FileInfo(file) is { Exists: true, Length: > 0 };

    /// <summary>A copy counts once it is whole.</summary>
    private static void Copy(string from, string to)
    {
        var partial = to + Partial;
        try
        {
            File.Copy(from, partial, overwrite: true);
            using (var written = new FileStream(partial, FileMode.Open, FileAccess.ReadWrite))
                written.Flush(flushToDisk: true);
            File.Move(partial, to, overwrite: false);
        }
        catch
        {
            File.Delete(partial);
            throw;
        }
    }

    private string? FindCopy() => Names().Distinct(StringComparer.Ordinal).FirstOrDefault(IsCopy);

    /// <summary>Every name of a copy that has at least one of its files.</summary>
    private IEnumerable<string> Names()
    {
        var folder = Path.GetDirectoryName(path)!;
        return Directory.EnumerateFiles(folder, Path.GetFileName(path) + ".corrupt-*")
            .Where(f => !f.EndsWith(Partial, StringComparison.Ordinal))
            .Select(f => SqliteFile.FileSet.Where(s => s.Length > 0 && f.EndsWith(s, StringComparison.Ordinal)).Select(s => f[..^s.Length]).FirstOrDefault(f));
    }

    /// <summary>The index of the log is left out: SQLite makes it anew at each start.</summary>
    private bool IsCopy(string copy) => SqliteFile.FileSet.Where(s => s != "-shm").All(s => IsWorthKeeping(s) ? Same(path + s, copy + s) : !File.Exists(copy + s));

    private static bool Same(string a, string b)
    {
        var (first, second) = (new FileInfo(a), new FileInfo(b));
        if (!second.Exists || first.Length != second.Length)
            return false;
        using var one = first.OpenRead();
        using var other = second.OpenRead();
        var (left, right) = (new byte[128 * 1024], new byte[128 * 1024]);
        while (true)
        {
            var read = one.ReadAtLeast(left, left.Length, throwOnEndOfStream: false);
            if (other.ReadAtLeast(right, right.Length, throwOnEndOfStream: false) != read || !left.AsSpan(0, read).SequenceEqual(right.AsSpan(0, read)))
                return false;
            if (read == 0)
                return true;
        }
    }

    private string FreeName()
    {
        var stamp = clock.GetUtcNow().UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var first = $"{path}.corrupt-{stamp}";
        return Enumerable.Range(1, CopiesMax)
            .Select(n => n == 1 ? first : $"{first}-{n.ToString(CultureInfo.InvariantCulture)}")
            .FirstOrDefault(name => SqliteFile.FileSet.All(s => !File.Exists(name + s)))
            ?? throw new IOException($"there are {CopiesMax} copies beside it");
    }
}
