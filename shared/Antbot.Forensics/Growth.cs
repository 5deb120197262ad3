using Antbot.Runtime.Store;

namespace Antbot.Forensics;

/// <summary>How fast a store grows, and when there is no room left for it.</summary>
/// <param name="RoomBytes">What it may still grow by: what the disk has left, or what was allotted to it, whichever is less; null where neither is known.</param>
/// <param name="BytesPerDay">By the last days' events and what an event has come to weigh so far; null while the history is too short to say.</param>
/// <param name="DaysLeft">Null where it cannot be said, or nothing comes.</param>
public sealed record Growth(long Bytes, long? RoomBytes, long Events, double? EventsPerDay, double? BytesPerDay, double? DaysLeft)
{
    private static readonly TimeSpan Window = TimeSpan.FromDays(7);
    private static readonly TimeSpan ShortestHistory = TimeSpan.FromHours(1);

    /// <param name="bytesMax">What is allotted to the store; null where only its disk bounds it.</param>
    public static async Task<Growth> OfAsync(IEventStore store, StoreSize size, long? bytesMax, DateTimeOffset now, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(size);
        var head = await store.Ledger.ReadHeadAsync(cancellationToken);
        var since = await Moment.FindAsync(store, (now - Window).ToString("O"), cancellationToken);
        var first = await store.ReadPageAsync(since.Sequence, 1, cancellationToken) is [{ } stored] ? stored : null;
        if (first is { Position: 0 })
            return Of(size, bytesMax, head.Position, 0, null);
        // Over the whole window where the history is as long: days without anything count too.
        var over = since.Sequence > 0 ? Window : first is null ? (TimeSpan?)null : now - first.Timestamp;
        return Of(size, bytesMax, head.Position, first is null ? 0 : head.Position - first.Position + 1, over);
    }

    /// <param name="recent">How many of them came in the last of <paramref name="over"/>, which is null where that is not known.</param>
    public static Growth Of(StoreSize size, long? bytesMax, long events, long recent, TimeSpan? over)
    {
        ArgumentNullException.ThrowIfNull(size);
        var allotted = bytesMax - size.Bytes;
        long? room = (size.FreeBytes, allotted) is ({ } free, { } rest) ? Math.Min(free, rest) : size.FreeBytes ?? allotted;
        if (room < 0)
            room = 0;
        if (over is not { } span || span < ShortestHistory || events == 0)
            return new Growth(size.Bytes, room, events, null, null, null);
        var eventsPerDay = recent / span.TotalDays;
        var bytesPerDay = eventsPerDay * size.Bytes / events;
        return new Growth(size.Bytes, room, events, eventsPerDay, bytesPerDay, room is { } left && bytesPerDay > 0 ? left / bytesPerDay : null);
    }
}
