using Antbot.Kernel.Proof;

namespace Antbot.Runtime.Store;

/// <param name="Refused">What contradicts the chain, at most <see cref="RefusedMax"/>. It stays as it is; the verifier says more of it.</param>
public sealed record SealSummary(int Sealed, IReadOnlyList<SealRefusal> Refused)
{
    public const int RefusedMax = 100;

    public static SealSummary Nothing { get; } = new(0, []);
}

/// <summary>An event in no chain that nobody appended as it stands: to seal it would pass a change off as a history.</summary>
/// <param name="What">Which event, and what it contradicts.</param>
public sealed record SealRefusal(long Sequence, string What)
{
    public static SealRefusal Taken(long sequence, Guid id, string stream, long version, long position) =>
        Of(sequence, id, stream, version, $"the ledger's position {position} has its id or its sequence for another event");

    public static SealRefusal Twice(long sequence, Guid id, string stream, long version) =>
        Of(sequence, id, stream, version, $"another unsealed event has the same id");

    public static SealRefusal BeyondItsHead(long sequence, Guid id, string stream, long version, long head) =>
        Of(sequence, id, stream, version, $"its stream's head is at version {head}");

    /// <summary>The hash to link, or why there is none.</summary>
    public static (byte[]? Content, SealRefusal? Refusal) ContentOf(StoredEvent e)
    {
        ArgumentNullException.ThrowIfNull(e);
        try
        {
            return (e.ContentHash(), null);
        }
        catch (CanonicalJsonException fault)
        {
            return (null, Of(e.Sequence, e.EventId, e.Stream, e.Version, $"its body or headers have no canonical form: {fault.Message.TrimEnd('.')}"));
        }
    }

    private static SealRefusal Of(long sequence, Guid id, string stream, long version, FormattableString why) =>
        new(sequence, FormattableString.Invariant($"event {id} (sequence {sequence}, {stream} version {version}): {FormattableString.Invariant(why)}"));
}
