namespace Antbot.Contracts.Events;

// What becomes of streams that are over and old, in `archive-{its file's name}`.

/// <param name="Version">Of its last event.</param>
public sealed record ArchivedStream(string Stream, long Version);

/// <summary>These events are in a file, which was written, read back and verified before this was recorded. Only then are they taken out of the store.</summary>
/// <param name="Sha256">Of the whole file.</param>
/// <param name="Positions">Of the events in the ledger, in ranges: 12-15,20.</param>
/// <param name="Checkpoint">The position of the last checkpoint that vouches for them.</param>
[StoredName("streams_archived")]
public sealed record StreamsArchived(
    string File, string Sha256, long Bytes, IReadOnlyList<ArchivedStream> Streams, int Events, string Positions, long FirstSequence, long LastSequence, long Checkpoint, string Reason, string By);

/// <summary>What was recorded was done.</summary>
/// <param name="Kept">Streams that stayed, because something had come to them meanwhile.</param>
[StoredName("archive_completed")]
public sealed record ArchiveCompleted(string File, int Events, IReadOnlyList<string> Kept);
