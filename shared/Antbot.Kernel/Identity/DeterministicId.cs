using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Antbot.Kernel.Identity;

/// <summary>
/// Ids that can be computed again: the same inputs give the same id on every machine and in every year.
/// The layout is UUID version 8 over the first 128 bits of SHA-256.
/// </summary>
public static class DeterministicId
{
    private const int PartBytesMax = 4096;
    private const int StackBytesMax = 512;

    /// <summary>The lenient encoding writes every half of a surrogate pair alike: different inputs would share an id.</summary>
    internal static UTF8Encoding StrictUtf8 { get; } = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static Guid From(params ReadOnlySpan<string> parts)
    {
        var capacity = 0;
        foreach (var part in parts)
        {
            var length = StrictUtf8.GetByteCount(part);
            if (length > PartBytesMax)
                throw new ArgumentException($"A part of an id has at most {PartBytesMax} bytes; this one has {length}.", nameof(parts));
            capacity += 4 + length;
        }
        var rented = capacity > StackBytesMax ? ArrayPool<byte>.Shared.Rent(capacity) : null;
        Span<byte> input = rented ?? stackalloc byte[StackBytesMax];
        var end = 0;
        foreach (var part in parts)
        {
            // Without the length "ab","c" and "a","bc" would be one id.
            var length = StrictUtf8.GetBytes(part, input[(end + 4)..]);
            BinaryPrimitives.WriteInt32BigEndian(input[end..], length);
            end += 4 + length;
        }
        Span<byte> digest = stackalloc byte[32];
        SHA256.HashData(input[..end], digest);
        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented);
        return Shape(digest);
    }

    internal static Guid Shape(Span<byte> digest)
    {
        digest[6] = (byte)((digest[6] & 0x0F) | 0x80);
        digest[8] = (byte)((digest[8] & 0x3F) | 0x80);
        return new Guid(digest[..16], bigEndian: true);
    }
}
