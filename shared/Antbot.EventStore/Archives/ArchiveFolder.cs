using System.Security.Cryptography;
using Antbot.EventStore.Proof;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Archives;

/// <summary>Where the files are that old streams were moved to.</summary>
/// <param name="flush">Brings a file or a folder's names to the disk.</param>
public sealed class ArchiveFolder(string path, Action<string>? flush = null)
{
    private const string Ending = ".jsonl";
    private const int DigestLength = 16;
    private const int NameLengthMax = 120;
    private const long FileBytesMax = 2L * 1024 * 1024 * 1024;

    private readonly Action<string> _flush = flush ?? WholeFile.Flush;

    public string Location { get; } = path;

    /// <summary>What stands in the store is not trusted with a path: it names a file in this folder, or none.</summary>
    public static bool IsName(string name) =>
        name.Length <= NameLengthMax && name.Split('-') is ["antbot", var first, var last, var end] && IsNumber(first) && IsNumber(last) && end.Length == DigestLength + Ending.Length
        && end.EndsWith(Ending, StringComparison.Ordinal) && end.AsSpan(0, DigestLength).IndexOfAnyExcept("0123456789abcdef") < 0;

    public string PathOf(string name) => IsName(name)
        ? Path.Combine(Location, name)
        : throw new EventStoreException(StoreFault.Corrupt, $"'{(name.Length > NameLengthMax ? name[..NameLengthMax] : name)}' is no archive's name. Run 'antbot verify'.");

    public bool Has(string name) => File.Exists(PathOf(name));

    /// <summary>After this a loss of power takes neither what is in the file nor the names that lead to it.</summary>
    public void Flush(string name)
    {
        var file = PathOf(name);
        try
        {
            _flush(file);
            _flush(Location);
            // It may have been made a moment ago.
            if (Path.GetDirectoryName(Path.GetFullPath(Location)) is { } above)
                _flush(above);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EventStoreException(StoreFault.Unavailable, $"Whether the archive '{file}' is on the disk cannot be said: {e.Message} Nothing more was taken out of the store.", e) { Archive = name };
        }
    }

    /// <summary>All events that a file shows. That they are what was recorded is for the caller to see.</summary>
    internal async Task<ArchiveContents> ReadAsync(string name, CancellationToken cancellationToken)
    {
        var file = PathOf(name);
        try
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read);
            if (stream.Length > FileBytesMax)
                throw new EventStoreException(StoreFault.Corrupt, $"The archive '{file}' has {stream.Length:N0} bytes; none has more than {FileBytesMax:N0}.");
            using var sha = SHA256.Create();
            await using var hashed = new CryptoStream(stream, sha, CryptoStreamMode.Read);
            var links = new List<LedgerLink>();
            await foreach (var link in ExcerptReader.ReadAsync(hashed, cancellationToken))
                links.Add(link);
            return new ArchiveContents(name, Convert.ToHexStringLower(sha.Hash!), stream.Length, links);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new EventStoreException(StoreFault.Archived, $"The archive '{name}' is not in '{Location}'.", e) { Archive = name };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EventStoreException(StoreFault.Unavailable, $"The archive '{file}' cannot be read: {e.Message}", e) { Archive = name };
        }
    }

    private static bool IsNumber(string text) => text.Length is >= 1 and <= 19 && text.All(char.IsAsciiDigit);
}

/// <summary>What is in an archive's file.</summary>
internal sealed record ArchiveContents(string Name, string Sha256, long Bytes, IReadOnlyList<LedgerLink> Links);
