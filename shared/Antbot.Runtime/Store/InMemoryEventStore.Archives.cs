using Antbot.Contracts;
using Antbot.Kernel.Proof;

namespace Antbot.Runtime.Store;

/// <summary>Streams that are moved to an archive.</summary>
public sealed partial class InMemoryEventStore
{
    public Task<IReadOnlyList<StreamHead>> FindStreamsAsync(string prefix, DateTimeOffset before, string after, int limit, CancellationToken cancellationToken = default)
    {
        StoreChecks.Page(limit);
        lock (_data.Gate)
        {
            return Task.FromResult<IReadOnlyList<StreamHead>>([.. _data.Streams
                .Where(s => s.Key.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(s.Key, after) > 0 && s.Value[^1].Timestamp < before)
                .OrderBy(s => s.Key, StringComparer.Ordinal).Take(limit)
                .Select(s => new StreamHead(s.Key, s.Value[^1].Version, s.Value[^1].Timestamp))]);
        }
    }

    public Task<IReadOnlyList<Follower>> ReadFollowersAsync(CancellationToken cancellationToken = default)
    {
        lock (_data.Gate)
        {
            var copies = _data.Snapshots.Values.Where(s => s.Stream.Value.StartsWith(Projections.ProjectionRunner.HomePrefix, StringComparison.Ordinal));
            return Task.FromResult<IReadOnlyList<Follower>>([.. _data.Subscriptions.Select(s => new Follower(s.Key, s.Value)), .. copies.Select(s => new Follower(s.Name, s.Version))]);
        }
    }

    public Task<IReadOnlySet<string>> ReadArchivedStreamsAsync(string archive, CancellationToken cancellationToken = default)
    {
        lock (_data.Gate)
            return Task.FromResult<IReadOnlySet<string>>(_data.Archived.Where(a => a.Value.Archive == archive).Select(a => a.Key).ToHashSet(StringComparer.Ordinal));
    }

    public Task<long> CountArchivedAsync(CancellationToken cancellationToken = default)
    {
        lock (_data.Gate)
            return Task.FromResult(_data.Links.LongCount(l => l.Archived is not null));
    }

    public Task<IReadOnlyList<string>> TakeOutAsync(TakeOut takeOut, CancellationToken cancellationToken = default)
    {
        Archiving.Check(takeOut);
        lock (_data.Gate)
        {
            CheckOpen();
            CheckRecord(takeOut);
            string[] moved = [.. takeOut.Streams.Where(s => !_data.Streams.TryGetValue(s.Stream, out var events) || events[^1].Version != s.Version).Select(s => s.Stream)];
            if (moved.Length > 0)
                return Task.FromResult<IReadOnlyList<string>>(moved);
            var contents = takeOut.Events.ToDictionary(e => e.Sequence, e => e.Content);
            var places = takeOut.Streams.SelectMany(s => _data.Streams[s.Stream]).Select(e => _data.BySequence[e.Sequence]).ToList();
            if (places.Count != contents.Count || !places.TrueForAll(p => contents.ContainsKey(_data.Links[p].Sequence)))
                throw Archiving.WrongEvents();
            if (places.FindIndex(p => !IsContent(_data.Links[p], contents[_data.Links[p].Sequence])) is >= 0 and var wrong)
                throw Archiving.WrongContent(_data.Links[places[wrong]].Position);
            foreach (var place in places)
            {
                var link = _data.Links[place];
                _data.Links[place] = _data.ById[link.EventId] = link with { Event = null, Archived = new ArchivedEvent(link.Position, link.Sequence, takeOut.Archive, link.Event!.Version, contents[link.Sequence]) };
            }
            foreach (var (stream, version) in takeOut.Streams)
            {
                _data.Streams.Remove(stream);
                _data.Archived.Add(stream, (takeOut.Archive, version));
                foreach (var key in _data.Snapshots.Keys.Where(k => k.Stream == stream).ToList())
                    _data.Snapshots.Remove(key);
            }
        }
        return Task.FromResult<IReadOnlyList<string>>([]);
    }

    private static bool IsContent(LedgerLink link, byte[] content) =>
        ChainLink.Hash(link.PreviousHash, content, link.Position, link.Sequence, link.Event!.Version, link.Foreign).AsSpan().SequenceEqual(link.Hash);

    private void CheckRecord(TakeOut takeOut)
    {
        if (!_data.BySequence.TryGetValue(takeOut.Record, out var place) || _data.Links[place].Event is not { } record
            || record.Stream != Streams.Archive(takeOut.Archive).Value || record.Type != Archiving.RecordType)
        {
            throw Archiving.NoRecord(takeOut.Archive);
        }
    }

    /// <summary>Up to the event with which there are so many bytes.</summary>
    private static EventPage PageOf(IEnumerable<LedgerLink> links, long after, IReadOnlyList<string> prefixes, long bytesMax)
    {
        var (events, archived, through, bytes) = (new List<StoredEvent>(), new List<ArchivedEvent>(), after, 0L);
        foreach (var link in links)
        {
            if (link.Event is { } e && EventPage.IsWanted(e, prefixes))
                events.Add(e);
            else if (link.Archived is { } gone)
                archived.Add(gone);
            (through, bytes) = (link.Sequence, bytes + (link.Event?.Bytes ?? 0));
            if (bytes >= bytesMax)
                break;
        }
        return new EventPage(events, through) { Archived = archived };
    }
}
