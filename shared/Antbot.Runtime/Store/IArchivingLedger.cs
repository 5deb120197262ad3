using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Kernel.Proof;

namespace Antbot.Runtime.Store;

/// <summary>
/// A ledger whose streams can be moved to an archive when they are over. Every link stays, and of each event what its link's proof needs; so the
/// chain is as whole as before, and so is the knowledge that something was decided.
/// </summary>
public interface IArchivingLedger : ILedger
{
    /// <summary>As many events as are taken out in one step at most: nobody may append meanwhile.</summary>
    const int TakeOutMax = 1_000;

    /// <summary>Streams whose names begin so, that are not archived and were last appended to before a time, in the order of their names.</summary>
    /// <param name="after">The name of the last one of the page before; empty for the first page.</param>
    Task<IReadOnlyList<StreamHead>> FindStreamsAsync(string prefix, DateTimeOffset before, string after, int limit, CancellationToken cancellationToken = default);

    /// <summary>Whoever follows the history and keeps its place in the store: subscriptions, read models, copies of projections.</summary>
    Task<IReadOnlyList<Follower>> ReadFollowersAsync(CancellationToken cancellationToken = default);

    /// <summary>The streams that this archive has by the store's word.</summary>
    Task<IReadOnlySet<string>> ReadArchivedStreamsAsync(string archive, CancellationToken cancellationToken = default);

    /// <summary>How many events are in archives.</summary>
    Task<long> CountArchivedAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Takes streams out, all of them or none, in one transaction. Nothing is believed: the record must be there, each stream must be where it is
    /// said to be and bring all of its events, and each content must be what its link was made of.
    /// </summary>
    /// <returns>The streams that stand in the way, because they have moved on or are archived; empty where it was done.</returns>
    Task<IReadOnlyList<string>> TakeOutAsync(TakeOut takeOut, CancellationToken cancellationToken = default);
}

/// <param name="At">Of its last event.</param>
public sealed record StreamHead(string Stream, long Version, DateTimeOffset At);

/// <param name="Sequence">Of the last event that it has seen.</param>
public sealed record Follower(string Name, long Sequence);

/// <param name="Content">The hash of the event, as its link has it.</param>
public sealed record ArchivedEvent(long Position, long Sequence, string Archive, long Version, byte[] Content)
{
    public EventStoreException Fault() => Archiving.Fault($"The event at position {Position} (sequence {Sequence})", Archive);
}

/// <param name="Archive">The file's name.</param>
/// <param name="Record">The sequence of the event in the archive's own stream that says what it has.</param>
/// <param name="Events">All events of these streams, by their sequences, with their contents' hashes.</param>
public sealed record TakeOut(string Archive, long Record, IReadOnlyList<(string Stream, long Version)> Streams, IReadOnlyList<(long Sequence, byte[] Content)> Events);

/// <summary>Streams that go together: a trade's, or a letter's.</summary>
public sealed record ArchiveGroup(IReadOnlyList<StreamHead> Streams);

/// <summary>Which streams are over and wanted by nothing that goes on.</summary>
public interface IArchiveChoice
{
    /// <summary>All that may be archived of what was last appended to before a time.</summary>
    IAsyncEnumerable<ArchiveGroup> FindAsync(DateTimeOffset before, CancellationToken cancellationToken = default);

    /// <summary>Followers whose place only those know who know what they keep.</summary>
    Task<IReadOnlyList<Follower>> ReadFollowersAsync(CancellationToken cancellationToken = default);

    /// <summary>Why these, which go together, are wanted here; null where they are not.</summary>
    Task<string?> WhyWantedAsync(IReadOnlyList<string> streams, CancellationToken cancellationToken = default);
}

/// <summary>What engines say of what is archived.</summary>
public static class Archiving
{
    /// <summary>The stored name of an archive's record: the engines look for it before they take anything out.</summary>
    public static string RecordType { get; } = StoredNameAttribute.Of(typeof(StreamsArchived));

    public static EventStoreException Fault(string what, string archive) =>
        new(StoreFault.Archived, $"{what} is in the archive '{archive}'. Name the folder that has it with --archives.") { Archive = archive };

    public static EventStoreException Over(StreamId stream) =>
        new(StoreFault.Archived, $"{stream} is over and was archived; nothing was appended.");

    /// <summary>For whoever needs to know what was decided then.</summary>
    public static EventStoreException DecidedBefore() =>
        new(StoreFault.Archived, "This was decided before, in a stream that is over and was archived; nothing was appended. A new request has a key of its own.");

    public static void Check(TakeOut takeOut)
    {
        ArgumentNullException.ThrowIfNull(takeOut);
        if (takeOut.Events.Count == 0 || (takeOut.Events.Count > IArchivingLedger.TakeOutMax && takeOut.Streams.Count > 1))
            throw Wrong($"it takes out {takeOut.Events.Count} events at once; 1 to {IArchivingLedger.TakeOutMax} are allowed, or one stream");
        if (takeOut.Events.FirstOrDefault(e => e.Content.Length != ChainLink.HashLength) is { Content: not null } none)
            throw Wrong($"a hash has {ChainLink.HashLength} bytes; that of sequence {none.Sequence} has {none.Content.Length}");
        if (takeOut.Streams.Select(s => s.Stream).Distinct(StringComparer.Ordinal).Count() != takeOut.Streams.Count)
            throw Wrong("a stream is named twice");
        if (takeOut.Events.Select(e => e.Sequence).Distinct().Count() != takeOut.Events.Count)
            throw WrongEvents();
    }

    public static EventStoreException NoRecord(string archive) => Wrong($"nothing records the archive '{archive}'");

    public static EventStoreException WrongEvents() => Wrong("its events are not all that these streams have, or not in the chain");

    public static EventStoreException WrongContent(long position) => Wrong($"what is said of the event at position {position} is not what its link was made of");

    private static EventStoreException Wrong(string what) => new(StoreFault.Invalid, $"Nothing was taken out of the store: {what}.");
}
