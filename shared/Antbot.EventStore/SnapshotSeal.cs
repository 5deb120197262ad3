using System.Security.Cryptography;
using Antbot.Kernel.Proof;
using Antbot.Runtime.Store;

namespace Antbot.EventStore;

/// <summary>A snapshot's hash: what was changed by accident or by hand is passed over, and the events are folded instead.</summary>
internal static class SnapshotSeal
{
    public static byte[] Of(Snapshot snapshot) => new EventContent
    {
        EventId = Guid.Empty,
        Stream = snapshot.Stream.Value,
        Type = snapshot.Name,
        ClrType = null,
        TimestampMicroseconds = snapshot.Version,
        Tenant = null,
        CorrelationId = null,
        CausationId = null,
        Actor = null,
        CanonicalHeaders = default,
        HasHeaders = false,
        CanonicalData = CanonicalJson.From(snapshot.State.Span),
        BinaryData = default,
        HasBinaryData = false,
        IsArchived = false,
    }.Hash();

    public static bool Fits(Snapshot snapshot, ReadOnlySpan<byte> hash)
    {
        try
        {
            return CryptographicOperations.FixedTimeEquals(Of(snapshot), hash);
        }
        catch (CanonicalJsonException)
        {
            return false;
        }
    }
}
