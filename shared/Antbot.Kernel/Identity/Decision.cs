using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Antbot.Kernel.Identity;

/// <summary>
/// One consumer's decision on one input. Its events' ids are hashes of it and their ordinal,
/// so a redelivered input finds what was decided the first time.
/// </summary>
public readonly record struct Decision
{
    public const int ConsumerLengthMax = 200;

    private readonly string? _consumer;

    public Decision(Guid inputId, string consumer)
    {
        ArgumentException.ThrowIfNullOrEmpty(consumer);
        if (consumer.Length > ConsumerLengthMax)
            throw new ArgumentException($"A consumer's name has at most {ConsumerLengthMax} characters; this one has {consumer.Length}.", nameof(consumer));
        _ = DeterministicId.StrictUtf8.GetByteCount(consumer);
        InputId = inputId;
        _consumer = consumer;
    }

    public Guid InputId { get; }

    public string Consumer => _consumer ?? throw new InvalidOperationException("This decision was never given an input and a consumer: all such would share their events.");

    public Guid EventId(int ordinal)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(ordinal);
        Span<byte> input = stackalloc byte[16 + 4 + ConsumerLengthMax * 3];
        InputId.TryWriteBytes(input, bigEndian: true, out _);
        BinaryPrimitives.WriteInt32BigEndian(input[16..], ordinal);
        var length = 20 + DeterministicId.StrictUtf8.GetBytes(Consumer, input[20..]);
        Span<byte> digest = stackalloc byte[32];
        SHA256.HashData(input[..length], digest);
        return DeterministicId.Shape(digest);
    }

    public override string ToString() => $"{InputId:D}@{_consumer}";
}
