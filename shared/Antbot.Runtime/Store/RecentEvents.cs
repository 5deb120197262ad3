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

    /// <summary>Many codecs only read: theirs is never made.</summary>
    private Entry?[]? _places;

    private sealed record Entry(Guid Id, string Stream, long Version, object Event);

    public void Add(StoredEvent stored, object @event) =>
        Volatile.Write(ref LazyInitializer.EnsureInitialized(ref _places, () => new Entry?[Places])[PlaceOf(stored)], new Entry(stored.EventId, stored.Stream, stored.Version, @event));

    public object? Find(StoredEvent stored) =>
        Volatile.Read(ref _places) is { } places && Volatile.Read(ref places[PlaceOf(stored)]) is { } entry && entry.Id == stored.EventId && entry.Version == stored.Version && entry.Stream == stored.Stream ? entry.Event : null;

    private static int PlaceOf(StoredEvent stored) => stored.EventId.GetHashCode() & (Places - 1);
}
