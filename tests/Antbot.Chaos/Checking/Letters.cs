namespace Antbot.Chaos.Checking;

/// <summary>What has to become of messages that a case lays among the dead ones itself.</summary>
internal static class Letters
{
    /// <summary>So begin the ids of such messages.</summary>
    public const string ByHand = "0badf00d-";

    private const string Kept = "dead_letter_kept";
    private const string Replayed = "dead_letter_replayed";

    public static bool IsByHand(EventRow kept) => MessageOf(kept)?.StartsWith(ByHand, StringComparison.Ordinal) == true;

    /// <summary>Each message is one letter, each letter came to be replayed, and each message was decided on once.</summary>
    public static IEnumerable<(string What, IReadOnlyList<string> Which)> Faults(Store store)
    {
        var letters = store.Events.Where(e => e.Type == Kept && IsByHand(e)).ToLookup(e => MessageOf(e)!, StringComparer.Ordinal);
        var ends = store.Events.Where(e => e.Stream.StartsWith("deadletter-", StringComparison.Ordinal)).GroupBy(e => e.Stream, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.MaxBy(e => e.Version)!.Type, StringComparer.Ordinal);
        var effects = store.Events.Where(e => !e.Stream.StartsWith("deadletter-", StringComparison.Ordinal) && e.Causation is not null).ToLookup(e => e.Causation!, StringComparer.Ordinal);
        yield return ("dead letters are there more than once", [.. letters.Where(l => l.Count() > 1).Select(l => l.Key)]);
        yield return ("dead letters were not replayed in the end", [.. letters.SelectMany(l => l).Where(l => ends[l.Stream] != Replayed).Select(l => $"{l.Stream} {ends[l.Stream]}")]);
        yield return ("dead letters have not had one effect", [.. letters
            .Select(l => (Message: l.Key, Effects: effects[Guid.Parse(l.Key).ToString("N")].Count()))
            .Where(l => l.Effects != 1)
            .Select(l => $"{l.Message} {l.Effects}")]);
    }

    private static string? MessageOf(EventRow kept) => kept.Body.TryGetProperty("Message", out var message) ? message.GetString() : null;
}
