using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Antbot.EventStore;

/// <summary>What ties a kept state to its stream, fold and version: one that was changed, moved or renamed does not fit its hash.</summary>
internal static class SnapshotProof
{
    private static ReadOnlySpan<byte> Domain => "antbot:snapshot:1"u8;

    public static byte[] Hash(string stream, string name, long version, ReadOnlySpan<byte> canonicalState)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Domain);
        Add(hash, Encoding.UTF8.GetBytes(stream));
        Add(hash, Encoding.UTF8.GetBytes(name));
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(number, version);
        hash.AppendData(number);
        Add(hash, canonicalState);
        return hash.GetHashAndReset();
    }

    private static void Add(IncrementalHash hash, ReadOnlySpan<byte> bytes)
    {
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length);
        hash.AppendData(length);
        hash.AppendData(bytes);
    }
}
