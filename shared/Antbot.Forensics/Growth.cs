using Antbot.Runtime.Store;

namespace Antbot.Forensics;

/// <summary>How fast a store grows, and when there is no room left for it.</summary>
/// <param name="RoomBytes">What it may still grow by: what the disk has left, or what was allotted to it, whichever is less; null where neither is known.</param>
/// <param name="BytesPerDay">By the last days' events and what an event has come to weigh so far; null while the history is too short to say.</param>
/// <param name="DaysLeft">Null where it cannot be said, or nothing comes.</param>
/// <param name="Events">That are in the store.</param>
/// <param name="Archived">That were moved to archives; of each the store keeps its link.</param>
public sealed record Growth(long Bytes, long? RoomBytes, long Events, long Archived, double? EventsPerDay, double? BytesPerDay, double? DaysLeft)
{
    /// <summary>About as much as an event weighs that is archived: its link, its hash and their indices.</summary>
    private const long ArchivedBytes = 350;

    /// <summary>By as many days it is said how fast a store grows; nothing younger is archived.</summary>
    public static TimeSpan Window { get; } = TimeSpan.FromDays(7);

    private static readonly TimeSpan ShortestHistory = TimeSpan.FromHours(1);

    /// <param name="bytesMax">What is allotted to the store; null where only its disk bounds it.</param>
    public static async Task<Growth> OfAsync(IEventStore store, StoreSize size, long? bytesMax, DateTimeOffset now, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(size);
        var head = await store.Ledger.ReadHeadAsync(cancellationToken);
        var archived = store.Ledger is IArchivingLedger ledger ? await ledger.CountArchivedAsync(cancellationToken) : 0;
        var since = await Moment.LastAsync(head.Sequence, now - Window, (after, limit) => TimesAsync(store, after, limit, cancellationToken));
        var first = (await store.ReadPageAsync(since, 1, EventPage.EveryStream, cancellationToken)).Events is [{ } stored] ? stored : null;
        if (first is { Position: 0 })
            return Of(size, bytesMax, head.Position - archived, 0, null, archived);
        // Over the whole window where the history is as long: days without anything count too.
        var over = since > 0 ? Window : first is null ? (TimeSpan?)null : now - first.Timestamp;
        return Of(size, bytesMax, head.Position - archived, first is null ? 0 : head.Position - first.Position + 1, over, archived);
    }

    /// <summary>What is archived was recorded before the window: nothing younger is.</summary>
    private static async Task<IReadOnlyList<(long Sequence, DateTimeOffset At)>> TimesAsync(IEventStore store, long after, int limit, CancellationToken cancellationToken)
    {
        var page = await store.ReadPageAsync(after, limit, EventPage.EveryStream, cancellationToken);
        return [.. page.Events.Select(e => (e.Position, e.Sequence, e.Timestamp)).Concat(page.Archived.Select(a => (a.Position, a.Sequence, DateTimeOffset.MinValue))).OrderBy(e => e.Item1).Select(e => (e.Item2, e.Item3))];
    }

    /// <param name="recent">How many of them came in the last of <paramref name="over"/>, which is null where that is not known.</param>
    public static Growth Of(StoreSize size, long? bytesMax, long events, long recent, TimeSpan? over, long archived = 0)
    {
        ArgumentNullException.ThrowIfNull(size);
        var allotted = bytesMax - size.Bytes;
        long? room = (size.FreeBytes, allotted) is ({ } free, { } rest) ? Math.Min(free, rest) : size.FreeBytes ?? allotted;
        if (room < 0)
            room = 0;
        if (over is not { } span || span < ShortestHistory || events == 0)
            return new Growth(size.Bytes, room, events, archived, null, null, null);
        var eventsPerDay = recent / span.TotalDays;
        var bytesPerDay = eventsPerDay * Math.Max(0, size.Bytes - archived * ArchivedBytes) / events;
        return new Growth(size.Bytes, room, events, archived, eventsPerDay, bytesPerDay, room is { } left && bytesPerDay > 0 ? left / bytesPerDay : null);
    }
}
