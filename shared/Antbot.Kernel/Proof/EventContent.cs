using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Antbot.Kernel.Proof;

/// <summary>
/// Everything an event says of itself, but for the numbers that the store assigns. Its hash is made by whoever appends,
/// and can be made again from the stored row.
/// </summary>
public readonly ref struct EventContent
{
    public required Guid EventId { get; init; }
    public required string Stream { get; init; }
    public required string Type { get; init; }
    public required string? ClrType { get; init; }
    public required long TimestampMicroseconds { get; init; }
    public required string? Tenant { get; init; }
    public required string? CorrelationId { get; init; }
    public required string? CausationId { get; init; }
    public required string? Actor { get; init; }
    public required ReadOnlySpan<byte> CanonicalHeaders { get; init; }
    public required ReadOnlySpan<byte> CanonicalData { get; init; }
    public required ReadOnlySpan<byte> BinaryData { get; init; }
    public required bool? IsArchived { get; init; }

    /// <summary>Absent headers and empty ones differ, as they do in the row.</summary>
    public required bool HasHeaders { get; init; }

    public required bool HasBinaryData { get; init; }

    private static ReadOnlySpan<byte> Domain => "antbot:event:1"u8;

    public byte[] Hash()
    {
        var text = Length(Stream) + Length(Type) + Length(ClrType) + Length(Tenant) + Length(CorrelationId) + Length(CausationId) + Length(Actor);
        var size = Domain.Length + 16 + 8 + 1 + text + 10 * 4 + CanonicalHeaders.Length + CanonicalData.Length + BinaryData.Length;
        var buffer = ArrayPool<byte>.Shared.Rent(size);
        try
        {
            var at = 0;
            Domain.CopyTo(buffer);
            at += Domain.Length;
            EventId.TryWriteBytes(buffer.AsSpan(at), bigEndian: true, out _);
            at += 16;
            BinaryPrimitives.WriteInt64BigEndian(buffer.AsSpan(at), TimestampMicroseconds);
            at += 8;
            buffer[at++] = IsArchived switch { false => 0, true => 1, null => 2 };
            Add(buffer, ref at, Stream);
            Add(buffer, ref at, Type);
            Add(buffer, ref at, ClrType);
            Add(buffer, ref at, Tenant);
            Add(buffer, ref at, CorrelationId);
            Add(buffer, ref at, CausationId);
            Add(buffer, ref at, Actor);
            Add(buffer, ref at, HasHeaders, CanonicalHeaders);
            Add(buffer, ref at, present: true, CanonicalData);
            Add(buffer, ref at, HasBinaryData, BinaryData);
            return SHA256.HashData(buffer.AsSpan(0, at));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static int Length(string? text) => text is null ? 0 : Encoding.UTF8.GetMaxByteCount(text.Length);

    private static void Add(byte[] buffer, ref int at, string? text)
    {
        var length = text is null ? -1 : Encoding.UTF8.GetBytes(text, buffer.AsSpan(at + 4));
        BinaryPrimitives.WriteInt32BigEndian(buffer.AsSpan(at), length);
        at += 4 + Math.Max(0, length);
    }

    private static void Add(byte[] buffer, ref int at, bool present, ReadOnlySpan<byte> bytes)
    {
        BinaryPrimitives.WriteInt32BigEndian(buffer.AsSpan(at), present ? bytes.Length : -1);
        at += 4;
        if (!present)
            return;
        bytes.CopyTo(buffer.AsSpan(at));
        at += bytes.Length;
    }
}
