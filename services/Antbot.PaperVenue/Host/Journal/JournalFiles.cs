using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Antbot.PaperVenue.Journal;

/// <summary>What was found on disk and made of it.</summary>
/// <param name="Exchange">The state after the last good record.</param>
/// <param name="Last">The sequence of the last frame.</param>
/// <param name="Notes">What an operator should know: a torn end that was cut, a damaged file that was kept aside.</param>
internal sealed record Recovered(Exchange Exchange, long Last, IReadOnlyList<string> Notes);

/// <summary>
/// The journal's folder: files of frames, each named after its first, and at most one snapshot that makes the frames up to its own
/// sequence unnecessary.
/// </summary>
internal static class JournalFiles
{
    private const int SnapshotHeaderBytes = 24;
    private const uint SnapshotMark = 0x3153_5641;

    public static string SegmentPath(string folder, long first) => Path.Combine(folder, $"{first:D19}.journal");

    public static string ReservePath(string folder) => Path.Combine(folder, "next.reserved");

    public static string SnapshotPath(string folder) => Path.Combine(folder, "state.snapshot");

    /// <summary>Rebuilds the state. A torn end is cut; damage before it is refused, or with <paramref name="salvage"/> kept aside.</summary>
    public static Recovered Recover(string folder, VenueRules rules, bool salvage)
    {
        Directory.CreateDirectory(folder);
        var notes = new List<string>();
        var (exchange, last) = ReadSnapshot(folder, rules);
        var segments = Segments(folder);
        for (var i = 0; i < segments.Count; i++)
        {
            var (path, _) = segments[i];
            var bytes = File.ReadAllBytes(path);
            var good = Replay(exchange, bytes, path, ref last);
            if (good == bytes.Length)
                continue;
            // Frames are synced one by one: what is damaged and has a good frame after it was once whole.
            var torn = Frame.FindNext(bytes, good + 1) < 0 && segments.Skip(i + 1).All(s => new FileInfo(s.Path).Length == 0);
            if (!torn && !salvage)
            {
                throw new PaperVenueException(
                    $"The journal is damaged: {path} at byte {good}, after frame {last}, with good frames behind it. Nothing was changed. Restore the file, or start with --salvage to go on from there; the damaged files are then kept aside.");
            }
            notes.Add(torn
                ? $"The last write to {path} was torn: {bytes.Length - good} bytes after frame {last}, acknowledged to nobody, were cut."
                : $"The journal was damaged at byte {good} of {path}, after frame {last}; everything from there on is kept aside in {KeepAside(segments.Skip(i))}.");
            Cut(path, good);
            if (!torn)
                break;
        }
        foreach (var (path, _) in Segments(folder).Where(s => new FileInfo(s.Path).Length == 0))
            File.Delete(path);
        exchange.Recovered();
        return new Recovered(exchange, last, notes);
    }

    /// <summary>Complete or not at all; then the files that it makes unnecessary go.</summary>
    public static void WriteSnapshot(string folder, ExchangeSnapshot snapshot, long sequence)
    {
        var fresh = SnapshotPath(folder) + ".new";
        using (var file = new FileStream(fresh, FileMode.Create, FileAccess.Write))
        {
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(file.SafeFileHandle, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            var header = new byte[SnapshotHeaderBytes];
            file.Write(header);
            var crc = uint.MaxValue;
            foreach (var piece in snapshot.Write())
            {
                // The pieces are summed up one by one, so their seams are part of the sum: each is written with its length.
                var length = new byte[4];
                BinaryPrimitives.WriteInt32LittleEndian(length, piece.Length);
                crc = Frame.Checksum(Frame.Checksum(crc, length), piece.Span);
                file.Write(length);
                file.Write(piece.Span);
            }
            BinaryPrimitives.WriteUInt32LittleEndian(header, SnapshotMark);
            BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(4), sequence);
            BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(12), file.Length - SnapshotHeaderBytes);
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(20), Frame.Checksum(crc, header.AsSpan(0, 20)));
            file.Position = 0;
            file.Write(header);
            file.Flush(flushToDisk: true);
        }
        File.Move(fresh, SnapshotPath(folder), overwrite: true);
        SyncFolder(folder);
        var segments = Segments(folder);
        for (var i = 0; i + 1 < segments.Count && segments[i + 1].First <= sequence + 1; i++)
            File.Delete(segments[i].Path);
    }

    /// <summary>A new name survives a crash only when its folder was synced.</summary>
    public static void SyncFolder(string folder)
    {
        // Windows keeps its names by itself, and opens no folder.
        if (OperatingSystem.IsWindows())
            return;
        var handle = Open(folder, 0);
        if (handle < 0 || Sync(handle) != 0)
            throw new IOException($"The folder {folder} could not be synced (error {Marshal.GetLastPInvokeError()}).");
        _ = Close(handle);
    }

    // The platform opens no folders as files.
    [DllImport("libc", EntryPoint = "open", SetLastError = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int Open(string path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static extern int Sync(int handle);

    [DllImport("libc", EntryPoint = "close")]
    private static extern int Close(int handle);

    private static (Exchange Exchange, long Sequence) ReadSnapshot(string folder, VenueRules rules)
    {
        var path = SnapshotPath(folder);
        if (!File.Exists(path))
            return (new Exchange(rules), 0);
        var bytes = File.ReadAllBytes(path).AsSpan();
        var damaged = new PaperVenueException($"The snapshot {path} is damaged; nothing was changed. Restore it from a copy, or begin with an empty data folder.");
        if (bytes.Length < SnapshotHeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != SnapshotMark
            || BinaryPrimitives.ReadInt64LittleEndian(bytes[12..]) != bytes.Length - SnapshotHeaderBytes)
            throw damaged;
        var body = new MemoryStream(bytes.Length);
        var crc = uint.MaxValue;
        for (var rest = bytes[SnapshotHeaderBytes..]; !rest.IsEmpty;)
        {
            if (rest.Length < 4 || BinaryPrimitives.ReadInt32LittleEndian(rest) is var length && (length < 0 || length > rest.Length - 4))
                throw damaged;
            crc = Frame.Checksum(Frame.Checksum(crc, rest[..4]), rest.Slice(4, length));
            body.Write(rest.Slice(4, length));
            rest = rest[(4 + length)..];
        }
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[20..]) != Frame.Checksum(crc, bytes[..20]))
            throw damaged;
        return (Exchange.Restore(rules, body.GetBuffer().AsSpan(0, (int)body.Length)), BinaryPrimitives.ReadInt64LittleEndian(bytes[4..]));
    }

    /// <summary>How many bytes of a file are good frames, each following the last.</summary>
    private static int Replay(Exchange exchange, ReadOnlySpan<byte> bytes, string path, ref long last)
    {
        var at = 0;
        while (Frame.TryRead(bytes[at..], out var sequence, out var records))
        {
            if (sequence > last + 1)
                throw new PaperVenueException($"The journal lacks frames {last + 1} to {sequence - 1}, before byte {at} of {path}. Nothing was changed. Restore the missing files.");
            if (sequence == last + 1)
            {
                Apply(exchange, records, path, at);
                last = sequence;
            }
            at += Frame.HeaderBytes + records.Length;
        }
        return at;
    }

    private static void Apply(Exchange exchange, ReadOnlySpan<byte> records, string path, int at)
    {
        var reader = new RecordReader(records);
        try
        {
            while (!reader.AtEnd)
                exchange.Apply(JournalCodec.Read(ref reader));
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw new PaperVenueException($"The frame at byte {at} of {path} is whole but cannot be followed: {e.Message} Nothing was changed.", e);
        }
        exchange.Outbox.Clear();
    }

    private static string KeepAside(IEnumerable<(string Path, long First)> segments)
    {
        var stamp = DateTime.UtcNow.ToString("yyyyMMddHHmmssfff", CultureInfo.InvariantCulture);
        var folder = "";
        foreach (var (path, _) in segments)
        {
            folder = Directory.CreateDirectory(Path.Combine(Path.GetDirectoryName(path)!, $"damaged-{stamp}")).FullName;
            File.Copy(path, Path.Combine(folder, Path.GetFileName(path)));
        }
        foreach (var (path, _) in segments.Skip(1))
            File.Delete(path);
        return folder;
    }

    private static void Cut(string path, long length)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write);
        RandomAccess.SetLength(file, length);
        RandomAccess.FlushToDisk(file);
    }

    private static List<(string Path, long First)> Segments(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*.journal")
            .Select(path => (path, First: long.TryParse(Path.GetFileNameWithoutExtension(path), NumberStyles.None, CultureInfo.InvariantCulture, out var first) ? first : -1))
            .Where(s => s.First >= 0)
            .OrderBy(s => s.First)];
}
