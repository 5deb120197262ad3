using Antbot.Kernel.Proof;
using Antbot.Runtime.Store;

namespace Antbot.EventStore;

/// <summary>What may name a subscription or a snapshot, and be kept as one.</summary>
internal static class StoredNames
{
    public static void Check(string what, string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Length is 0 or > StoreLimits.CheckpointNameLengthMax)
            throw new EventStoreException(StoreFault.Invalid, $"The name of a {what} has 1 to {StoreLimits.CheckpointNameLengthMax} characters; this one has {name.Length}.");
        if (name.Contains('\0', StringComparison.Ordinal))
            throw new EventStoreException(StoreFault.Invalid, $"The name of a {what} holds a NUL character.");
    }

    public static byte[] CanonicalState(Snapshot snapshot)
    {
        if (snapshot.State.Length > StoreLimits.SnapshotBytesMax)
        {
            throw new EventStoreException(
                StoreFault.TooLarge, $"The snapshot '{snapshot.Name}' of {snapshot.Stream} has {snapshot.State.Length} bytes; the limit is {StoreLimits.SnapshotBytesMax}. Do without it.");
        }
        try
        {
            return CanonicalJson.From(snapshot.State.Span);
        }
        catch (CanonicalJsonException e)
        {
            throw new EventStoreException(StoreFault.Invalid, $"The snapshot '{snapshot.Name}' of {snapshot.Stream} cannot be stored: {e.Message}", e);
        }
    }
}
