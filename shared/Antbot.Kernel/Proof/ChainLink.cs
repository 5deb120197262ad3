using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Antbot.Kernel.Proof;

/// <summary>
/// One link of the ledger: it binds an event's content, its numbers and everything before it.
/// PostgreSQL computes the same hash in the server; both must change together, and never for history.
/// </summary>
public static class ChainLink
{
    public const int HashLength = 32;

    private const int InputLength = HashLength + HashLength + 8 + 8 + 8 + 1;

    /// <summary>What the first link follows. It names the store, so a checkpoint of another store cannot be mistaken for this one's.</summary>
    public static byte[] Genesis(Guid storeId)
    {
        Span<byte> input = stackalloc byte[16 + 16];
        "antbot:ledger:01"u8.CopyTo(input);
        storeId.TryWriteBytes(input[16..], bigEndian: true, out _);
        return SHA256.HashData(input);
    }

    public static byte[] Hash(ReadOnlySpan<byte> previous, ReadOnlySpan<byte> content, long position, long sequence, long version, bool foreign)
    {
        if (previous.Length != HashLength || content.Length != HashLength)
            throw new ArgumentException($"A hash has {HashLength} bytes; these have {previous.Length} and {content.Length}.", nameof(previous));
        Span<byte> input = stackalloc byte[InputLength];
        previous.CopyTo(input);
        content.CopyTo(input[32..]);
        BinaryPrimitives.WriteInt64BigEndian(input[64..], position);
        BinaryPrimitives.WriteInt64BigEndian(input[72..], sequence);
        BinaryPrimitives.WriteInt64BigEndian(input[80..], version);
        input[88] = foreign ? (byte)1 : (byte)0;
        return SHA256.HashData(input);
    }
}
