using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Antbot.PaperVenue.Journal;

/// <summary>
/// A batch of records on disk: mark, length, sequence, checksum, records. One frame is written and synced at a time, so a frame that is
/// damaged can be a torn write only when no good frame comes after it.
/// </summary>
internal static class Frame
{
    public const int HeaderBytes = 20;

    private const uint Mark = 0x314A_5641;

    /// <summary>Fills the header that the first <see cref="HeaderBytes"/> of a frame are left free for.</summary>
    public static void Complete(Span<byte> frame, long sequence)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(frame, Mark);
        BinaryPrimitives.WriteInt32LittleEndian(frame[4..], frame.Length - HeaderBytes);
        BinaryPrimitives.WriteInt64LittleEndian(frame[8..], sequence);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[16..], Checksum(frame));
    }

    /// <summary>Whether a whole and undamaged frame begins here.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out long sequence, out ReadOnlySpan<byte> records)
    {
        sequence = 0;
        records = default;
        if (bytes.Length < HeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Mark)
            return false;
        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
        if (length <= 0 || length > bytes.Length - HeaderBytes)
            return false;
        var frame = bytes[..(HeaderBytes + length)];
        if (BinaryPrimitives.ReadUInt32LittleEndian(frame[16..]) != Checksum(frame))
            return false;
        sequence = BinaryPrimitives.ReadInt64LittleEndian(frame[8..]);
        records = frame[HeaderBytes..];
        return true;
    }

    /// <summary>Where the next good frame begins, or minus one.</summary>
    public static int FindNext(ReadOnlySpan<byte> bytes, int from)
    {
        Span<byte> mark = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(mark, Mark);
        for (var at = from; at < bytes.Length; at++)
        {
            var found = bytes[at..].IndexOf(mark);
            if (found < 0)
                return -1;
            at += found;
            if (TryRead(bytes[at..], out _, out _))
                return at;
        }
        return -1;
    }

    public static uint Checksum(uint crc, ReadOnlySpan<byte> bytes)
    {
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(bytes))
            crc = BitOperations.Crc32C(crc, word);
        foreach (var b in bytes[(bytes.Length & ~7)..])
            crc = BitOperations.Crc32C(crc, b);
        return crc;
    }

    /// <summary>Over everything but the checksum itself.</summary>
    private static uint Checksum(ReadOnlySpan<byte> frame) => Checksum(Checksum(uint.MaxValue, frame[..16]), frame[HeaderBytes..]);
}
