namespace Antbot.Runtime.Store;

/// <summary>The proof beside the events: one hash chain over all of them, and signed checkpoints of it.</summary>
public interface ILedger
{
    Task<LedgerHead> ReadHeadAsync(CancellationToken cancellationToken = default);

    /// <summary>The chain in order, each link with the event that its sequence names, or without one where it is archived or gone.</summary>
    IAsyncEnumerable<LedgerLink> ReadLinksAsync(long afterPosition = 0, CancellationToken cancellationToken = default);

    /// <summary>Streams whose head does not agree with their events, at most <paramref name="limit"/>.</summary>
    Task<IReadOnlyList<HeadMismatch>> FindHeadMismatchesAsync(int limit, CancellationToken cancellationToken = default);

    /// <summary>Events that no link names, oldest first.</summary>
    Task<IReadOnlyList<StoredEvent>> FindUnsealedAsync(int limit, CancellationToken cancellationToken = default);

    /// <summary>
    /// Links what <see cref="FindUnsealedAsync"/> finds, marked as foreign: at most <paramref name="limit"/> events behind a sequence. What
    /// contradicts the chain, its stream's head or itself is refused and named, and never stands in the way of the rest.
    /// </summary>
    Task<SealSummary> SealAsync(int limit, long afterSequence = long.MinValue, CancellationToken cancellationToken = default);

    /// <summary>In the order of their positions.</summary>
    Task<IReadOnlyList<Checkpoint>> ReadCheckpointsAsync(CancellationToken cancellationToken = default);

    /// <summary>Where there is one at its position already, that one stays and this does nothing.</summary>
    Task SaveCheckpointAsync(Checkpoint checkpoint, CancellationToken cancellationToken = default);

    /// <summary>
    /// Adds what was exported elsewhere, with its numbers and hashes as they were, right behind this store's own head.
    /// An empty store takes the other's identity first. The caller has checked the links.
    /// </summary>
    Task ImportAsync(Guid storeId, IReadOnlyList<LedgerLink> links, CancellationToken cancellationToken = default);
}

/// <param name="Position">0 while the ledger is empty; <paramref name="Hash"/> is then the genesis hash.</param>
public sealed record LedgerHead(Guid StoreId, long Position, long Sequence, byte[] Hash);

public sealed record LedgerLink(
    long Position, long Sequence, Guid EventId, string? CorrelationId, byte[] PreviousHash, byte[] Hash, bool Foreign, StoredEvent? Event)
{
    /// <summary>Where the event is, if it is not here: by the store's own word, which the verifier holds against the record.</summary>
    public ArchivedEvent? Archived { get; init; }
}

/// <param name="What">What does not agree, in words.</param>
public sealed record HeadMismatch(string Stream, string What);

/// <summary>A signed statement that the chain stood so. Kept in the database and outside of it.</summary>
/// <param name="Previous">The hash of the checkpoint before this one; empty for the first.</param>
public sealed record Checkpoint(
    Guid StoreId, long Position, long Sequence, byte[] Hash, DateTimeOffset At, byte[] Previous, string KeyId, byte[] Signature);
