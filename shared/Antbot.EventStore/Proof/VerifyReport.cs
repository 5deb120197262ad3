namespace Antbot.EventStore.Proof;

public enum FindingKind
{
    EventAltered,
    EventMissing,
    LinkAltered,
    LinkMissing,
    ChainBroken,
    HeadMismatch,
    CheckpointForged,
    CheckpointMissing,
    HistoryRewritten,
    HistoryCut,
    ExportDamaged,

    /// <summary>The store says that an archive has an event, and its history does not.</summary>
    ArchiveUnrecorded,
    ArchiveMissing,
    ArchiveAltered,
}

/// <summary>One thing that is not as it was recorded.</summary>
/// <param name="Position">Where in the ledger, as near as it can be told; 0 where it is not about a place in it.</param>
public sealed record Finding(FindingKind Kind, long Position, long? Sequence, Guid? EventId, string? Stream, long? Version, string What);

public sealed record VerifyReport
{
    public required Guid StoreId { get; init; }
    public required long FromPosition { get; init; }
    public required long ToPosition { get; init; }
    public required long EventsChecked { get; init; }
    public required int CheckpointsChecked { get; init; }

    /// <summary>Up to the last position at which what is here was signed; 0 where no signature was checked. What is behind it anybody could have made.</summary>
    public required long ProvenThrough { get; init; }

    /// <summary>How many of the events are in archives.</summary>
    public long EventsArchived { get; init; }

    /// <summary>What is wrong, the earliest first; empty for a history that is as it was recorded.</summary>
    public required IReadOnlyList<Finding> Findings { get; init; }

    /// <summary>Events that somebody else appended and that the sealer has not adopted yet. Not an accusation.</summary>
    public required IReadOnlyList<string> Unsealed { get; init; }

    /// <summary>What could not be checked, and why.</summary>
    public required IReadOnlyList<string> Notices { get; init; }

    public bool IsIntact => Findings.Count == 0;
}
