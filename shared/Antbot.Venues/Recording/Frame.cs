using System.Buffers.Binary;
using System.IO.Compression;

namespace Antbot.Venues.Recording;

internal enum FrameState
{
    Whole,

    /// <summary>The file ends here, as it should.</summary>
    End,

    /// <summary>The file ends in the middle of it: its process was killed, or its disk was full.</summary>
    Torn,

    /// <summary>What it holds is not what was written; the next one may be.</summary>
    Damaged,

    /// <summary>Here is no frame: nothing behind can be found.</summary>
    Strange,
}

/// <summary>
/// Some lines, compressed by themselves: a member of a gzip file, so that any tool reads the whole, which says in its header how long it
/// is, so that one that is damaged does not take the next ones along.
/// </summary>
internal static class Frame
{
    /// <summary>No writer makes a longer one, and no reader unpacks more.</summary>
    public const int RawBytesMax = 4 * 1024 * 1024;

    private const int PackedBytesMax = RawBytesMax + 64 * 1024;
    private const int GzipHeader = 10;
    private const int Header = GzipHeader + 2 + Extra;
    private const int Extra = 12;
    private const byte HasExtra = 4;

    public static byte[] Pack(ReadOnlySpan<byte> raw)
    {
        if (raw.Length > RawBytesMax)
            throw new ArgumentException($"A frame has {RawBytesMax} bytes at most.", nameof(raw));
        var packed = new MemoryStream(raw.Length / 4 + 256);
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(raw);
        var plain = packed.GetBuffer().AsSpan(0, (int)packed.Length);
        var frame = new byte[plain.Length + 2 + Extra];
        plain[..GzipHeader].CopyTo(frame);
        frame[3] = HasExtra;
        BinaryPrimitives.WriteUInt16LittleEndian(frame.AsSpan(GzipHeader), Extra);
        frame[12] = (byte)'A';
        frame[13] = (byte)'B';
        BinaryPrimitives.WriteUInt16LittleEndian(frame.AsSpan(14), Extra - 4);
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(16), (uint)frame.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(20), (uint)raw.Length);
        plain[GzipHeader..].CopyTo(frame.AsSpan(Header));
        return frame;
    }

    /// <returns>What it holds, where it is whole; and where the next one begins, where that is known.</returns>
    public static (FrameState State, byte[] Raw, long Next) Read(Stream file, long at)
    {
        var rest = file.Length - at;
        if (rest <= 0)
            return (FrameState.End, [], at);
        Span<byte> header = stackalloc byte[Header];
        file.Position = at;
        var got = file.ReadAtLeast(header, Header, throwOnEndOfStream: false);
        if (got < Header)
            return (FrameState.Torn, [], at);
        if (header[0] != 0x1F || header[1] != 0x8B || header[2] != 8 || header[3] != HasExtra || header[12] != 'A' || header[13] != 'B')
            return (FrameState.Strange, [], at);
        var (packed, raw) = (BinaryPrimitives.ReadUInt32LittleEndian(header[16..]), BinaryPrimitives.ReadUInt32LittleEndian(header[20..]));
        if (packed is <= Header or > PackedBytesMax || raw > RawBytesMax)
            return (FrameState.Strange, [], at);
        if (packed > rest)
            return (FrameState.Torn, [], at);
        var frame = new byte[packed];
        file.Position = at;
        if (file.ReadAtLeast(frame, frame.Length, throwOnEndOfStream: false) < frame.Length)
            return (FrameState.Torn, [], at);
        return Unpack(frame, (int)raw) is { } bytes ? (FrameState.Whole, bytes, at + packed) : (FrameState.Damaged, [], at + packed);
    }

    /// <summary>Never more than it is said to hold: a few bytes can be made to unpack to any number.</summary>
    private static byte[]? Unpack(byte[] frame, int length)
    {
        try
        {
            using var gzip = new GZipStream(new MemoryStream(frame), CompressionMode.Decompress);
            var raw = new byte[length];
            // Only when its end is asked for is what came before held against its sum.
            return gzip.ReadAtLeast(raw, length, throwOnEndOfStream: false) == length && gzip.ReadByte() < 0 ? raw : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}
