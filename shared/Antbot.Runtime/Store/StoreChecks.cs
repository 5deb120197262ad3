using System.Text;
using Antbot.Kernel.Proof;

namespace Antbot.Runtime.Store;

/// <summary>What every engine asks of what it is given, before it does anything: one place, so that no engine takes what another refuses.</summary>
public static class StoreChecks
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static void Page(int limit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, StoreLimits.PageSizeMax);
    }

    public static void CausalChain(string correlationId, int limit)
    {
        ArgumentNullException.ThrowIfNull(correlationId);
        Text("correlation id", correlationId);
        Page(limit);
    }

    /// <summary>What names a subscription or a snapshot.</summary>
    public static void Name(string what, string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Length is 0 or > StoreLimits.CheckpointNameLengthMax)
            throw Invalid($"The name of a {what} has 1 to {StoreLimits.CheckpointNameLengthMax} characters; this one has {name.Length}.");
        Characters($"name of a {what}", name);
    }

    public static void Text(string what, string? text)
    {
        if (text is null)
            return;
        if (text.Length > StoreLimits.TextLengthMax)
            throw Invalid($"A {what} has at most {StoreLimits.TextLengthMax} characters; this one has {text.Length}.");
        Characters(what, text);
    }

    public static void Characters(string what, string text)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
            throw Invalid($"The {what} holds a NUL character.");
        try
        {
            _ = StrictUtf8.GetByteCount(text);
        }
        catch (EncoderFallbackException e)
        {
            throw new EventStoreException(StoreFault.Invalid, $"The {what} holds half of a surrogate pair.", e);
        }
    }

    /// <summary>The state as it is kept.</summary>
    public static byte[] CanonicalState(Snapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        Name("snapshot", snapshot.Name);
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

    private static EventStoreException Invalid(string message) => new(StoreFault.Invalid, message);
}
