namespace Antbot.EventStore.Archives;

/// <param name="Before">Of what was last appended to before this.</param>
/// <param name="Without">Followers that are gone for good: nobody waits for them.</param>
/// <param name="DryRun">Says what would be done.</param>
public sealed record ArchiveOrder(DateTimeOffset Before, string Reason, string By, IReadOnlyCollection<string> Without, bool DryRun);

/// <param name="Kept">Streams that stayed, because something had come to them or they are wanted.</param>
public sealed record ArchiveMade(string File, string Sha256, int Streams, int Events, long Bytes, IReadOnlyList<string> Kept);

/// <param name="Resumed">Archives that an earlier run had begun and this one has brought to their end.</param>
/// <param name="Unsigned">Groups of streams that nothing signed vouches for yet.</param>
/// <param name="HeldBack">Groups that a follower has not passed, by its name.</param>
public sealed record ArchiveRun(
    bool DryRun, IReadOnlyList<ArchiveMade> Resumed, IReadOnlyList<ArchiveMade> Made, long Streams, long Events, long Unsigned, IReadOnlyDictionary<string, long> HeldBack);
