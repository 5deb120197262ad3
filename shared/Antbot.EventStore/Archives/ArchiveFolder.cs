using System.Security.Cryptography;
using Antbot.EventStore.Proof;
using Antbot.Kernel.Proof;
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

    /// <summary>Which events a file shows. That they are what was recorded is for the caller to see.</summary>
    internal async Task<ArchiveContents> ReadAsync(string name, CancellationToken cancellationToken)
    {
        var events = new List<ArchiveEntry>();
        var (sha256, bytes) = await ReadAsync(name, link => events.Add(new ArchiveEntry(link.Position, link.Sequence, link.Event!.Stream, HashOf(link.Event))), cancellationToken);
        return new ArchiveContents(sha256, bytes, events);
    }

    /// <summary>The same with the events themselves, one at a time: whoever keeps them has room for them.</summary>
    internal async Task<(string Sha256, long Bytes)> ReadAsync(string name, Action<LedgerLink> each, CancellationToken cancellationToken)
    {
        var file = PathOf(name);
        try
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read);
            if (stream.Length > FileBytesMax)
                throw new EventStoreException(StoreFault.Corrupt, $"The archive '{file}' has {stream.Length:N0} bytes; none has more than {FileBytesMax:N0}.");
            using var sha = SHA256.Create();
            await using var hashed = new CryptoStream(stream, sha, CryptoStreamMode.Read);
            await foreach (var link in ExcerptReader.ReadAsync(hashed, cancellationToken))
                each(link);
            return (Convert.ToHexStringLower(sha.Hash!), stream.Length);
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

    /// <summary>Empty where it has none: then it is not what was recorded.</summary>
    private static byte[] HashOf(StoredEvent e)
    {
        try
        {
            return e.ContentHash();
        }
        catch (CanonicalJsonException)
        {
            return [];
        }
    }

    private static bool IsNumber(string text) => text.Length is >= 1 and <= 19 && text.All(char.IsAsciiDigit);
}

/// <summary>What is in an archive's file, without the events' bodies: these may be large.</summary>
internal sealed record ArchiveContents(string Sha256, long Bytes, IReadOnlyList<ArchiveEntry> Events);

/// <param name="Content">The hash of the event, as its link should have it.</param>
internal sealed record ArchiveEntry(long Position, long Sequence, string Stream, byte[] Content);
