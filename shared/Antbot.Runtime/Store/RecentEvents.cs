namespace Antbot.Runtime.Store;

/// <summary>
/// The events that this process recorded a moment ago, as objects. Its publisher and its projections read each of them again at
/// once; given the object itself they neither parse it anew nor keep a second copy of all that it holds. An event whose place was
/// taken by a later one is parsed as any other.
/// </summary>
internal sealed class RecentEvents
{
    /// <summary>Some seconds of a full load.</summary>
    private const int Places = 8_192;

    private readonly Entry?[] _places = new Entry?[Places];

    private sealed record Entry(Guid Id, string Stream, long Version, object Event);

    public void Add(StoredEvent stored, object @event) =>
        Volatile.Write(ref _places[PlaceOf(stored)], new Entry(stored.EventId, stored.Stream, stored.Version, @event));

    public object? Find(StoredEvent stored) =>
        Volatile.Read(ref _places[PlaceOf(stored)]) is { } entry && entry.Id == stored.EventId && entry.Version == stored.Version && entry.Stream == stored.Stream ? entry.Event : null;

    private static int PlaceOf(StoredEvent stored) => stored.EventId.GetHashCode() & (Places - 1);
}
