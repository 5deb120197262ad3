using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Runtime.Store;

namespace Antbot.Forensics;

/// <summary>What there was at any moment: the events up to it, folded as they were folded when they came.</summary>
public sealed class TimeTravel(IEventStore store)
{
    private const int StepsMax = 5_000;

    private static readonly JsonElement Nothing = JsonElement.Parse("{}"u8);

    private readonly EventCodec _codec = new(StreamKinds.Registry);

    public Task<Moment> FindAsync(string text, CancellationToken cancellationToken = default) => Moment.FindAsync(store, text, cancellationToken);

    /// <summary>Null where nothing had been recorded in it.</summary>
    /// <exception cref="ArgumentException">It is no stream that is folded to anything.</exception>
    public async Task<StateAt?> StreamAsync(StreamId stream, Moment moment, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(moment);
        var (followed, last) = (StreamKinds.Of(stream.Value).Follow(stream.Value), (StoredEvent?)null);
        await foreach (var stored in store.ReadStreamAsync(stream, cancellationToken: cancellationToken))
        {
            if (stored.Sequence > moment.Sequence)
                break;
            followed.Add(stored, _codec.Decode(stored));
            last = stored;
        }
        return last is null ? null : StateAt.Of(followed, last);
    }

    /// <param name="account">Only its own streams and those of its trades; null for all there are.</param>
    public async Task<SystemAt> SystemAsync(Moment moment, AccountId? account, Action<long>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(moment);
        var streams = new Dictionary<string, Place>(StringComparer.Ordinal);
        var events = await FoldAsync(streams, 0, moment.Sequence, touch: null, progress, cancellationToken);
        var wanted = streams.Where(s => account is null || s.Value.Followed.Account == account).OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => s.Value).ToList();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var place in wanted)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{place.Last.Stream} {place.Followed.Version}\n"));
            hash.AppendData(StateAt.HashOf(place.Followed.State));
        }
        return new SystemAt(
            moment, events, Convert.ToHexStringLower(hash.GetHashAndReset()),
            [.. wanted.GroupBy(p => p.Followed.Kind.Service, StringComparer.Ordinal).Select(g => new StreamCount(g.Key, g.Count(), g.Count(p => !p.Followed.IsOver)))],
            [.. wanted.Where(p => !p.Followed.IsOver).Select(p => StateAt.Of(p.Followed, p.Last))]);
    }

    /// <summary>What is another at the later moment than at the earlier one. Null where of that stream or account nothing had been recorded by then.</summary>
    /// <param name="stream">This one alone; null for all.</param>
    public async Task<Difference?> DiffAsync(Moment from, Moment to, StreamId? stream, AccountId? account, Action<long>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        if (from.Sequence > to.Sequence)
            throw new ArgumentException($"The first moment (sequence {from.Sequence}) comes after the second ({to.Sequence}).", nameof(from));
        var (streams, before) = (new Dictionary<string, Place>(StringComparer.Ordinal), new Dictionary<string, (long Version, JsonElement State)>(StringComparer.Ordinal));
        if (stream is { } one)
            await FoldOneAsync(one, streams, before, from.Sequence, to.Sequence, cancellationToken);
        else
        {
            await FoldAsync(streams, 0, from.Sequence, touch: null, progress, cancellationToken);
            await FoldAsync(streams, from.Sequence, to.Sequence, (name, place) => before.TryAdd(name, Kept(place.Followed)), progress, cancellationToken);
        }
        if ((stream is not null || account is not null) && !streams.Values.Any(p => p.Followed.Version > 0 && (account is null || p.Followed.Account == account)))
            return null;
        var changed = before.Select(b => (Place: streams[b.Key], b.Value.Version, b.Value.State)).Where(c => account is null || c.Place.Followed.Account == account);
        return new Difference(from, to, [.. changed
            .Select(c => new StreamChange(c.Place.Last.Stream, c.Place.Followed.Kind.Service, c.Version, c.Place.Followed.Version, JsonChange.Between(c.State, StateAt.Told(c.Place.Followed.State))))
            .OrderBy(c => c.Stream, StringComparer.Ordinal)]);
    }

    /// <summary>A trade event by event, over all services, with what each made of its stream.</summary>
    public async Task<TradeSteps> StepsAsync(TradeId trade, CancellationToken cancellationToken = default)
    {
        var events = await store.FindByCorrelationAsync(trade.Value, StepsMax, cancellationToken);
        var folds = new Dictionary<long, (IReadOnlyList<JsonChange> Changes, JsonElement? State)>();
        foreach (var stream in events.GroupBy(e => e.Stream, StringComparer.Ordinal))
            await FoldStepsAsync(new StreamId(stream.Key), stream.ToDictionary(e => e.Version), folds, trade, cancellationToken);
        return new TradeSteps(trade.Value, events.Count == StepsMax, [.. events.Select((e, i) => Step(i + 1, e, folds.GetValueOrDefault(e.Sequence, ([], null))))]);
    }

    private Step Step(int number, StoredEvent stored, (IReadOnlyList<JsonChange> Changes, JsonElement? State) fold)
    {
        JsonElement body;
        try
        {
            body = StateAt.Told(_codec.Decode(stored));
        }
        catch (EventStoreException)
        {
            // What this build does not know is told as it is: the story has no holes.
            body = JsonElement.Parse(stored.Data.Span);
        }
        return new Step(number, stored.Sequence, stored.Timestamp, stored.Stream, stored.Version, stored.Type, stored.Actor, stored.CausationId, body, fold.Changes, fold.State);
    }

    private async Task FoldStepsAsync(
        StreamId stream, Dictionary<long, StoredEvent> steps, Dictionary<long, (IReadOnlyList<JsonChange>, JsonElement?)> folds, TradeId trade, CancellationToken cancellationToken)
    {
        if (StreamKinds.Find(stream.Value) is not { } kind)
            return;
        var (followed, last, isOwn) = (kind.Follow(stream.Value), steps.Keys.Max(), stream.Value.EndsWith(trade.Value, StringComparison.Ordinal));
        await foreach (var stored in store.ReadStreamAsync(stream, cancellationToken: cancellationToken))
        {
            var isStep = steps.ContainsKey(stored.Version);
            var was = isStep ? StateAt.Told(followed.State) : Nothing;
            followed.Add(stored, _codec.Decode(stored));
            if (isStep)
            {
                var now = StateAt.Told(followed.State);
                folds[stored.Sequence] = (JsonChange.Between(was, now), isOwn ? now : null);
            }
            if (stored.Version == last)
                return;
        }
    }

    private async Task FoldOneAsync(
        StreamId stream, Dictionary<string, Place> streams, Dictionary<string, (long, JsonElement)> before, long from, long to, CancellationToken cancellationToken)
    {
        var place = new Place(StreamKinds.Of(stream.Value).Follow(stream.Value));
        await foreach (var stored in store.ReadStreamAsync(stream, cancellationToken: cancellationToken))
        {
            if (stored.Sequence > to)
                break;
            if (stored.Sequence > from && before.Count == 0)
                before[stream.Value] = Kept(place.Followed);
            place.Add(stored, _codec);
        }
        streams[stream.Value] = place;
    }

    private static (long Version, JsonElement State) Kept(FollowedStream followed) => (followed.Version, followed.Version == 0 ? Nothing : StateAt.Told(followed.State));

    /// <param name="touch">Is given each stream before an event is added to it.</param>
    private async Task<long> FoldAsync(Dictionary<string, Place> streams, long after, long through, Action<string, Place>? touch, Action<long>? progress, CancellationToken cancellationToken)
    {
        var (events, position) = (0L, after);
        while (position < through && await store.ReadPageAsync(position, HistoryPages.Size, cancellationToken) is { Count: > 0 } page)
        {
            foreach (var stored in page)
            {
                if (stored.Sequence > through)
                    return events;
                events++;
                if (!streams.TryGetValue(stored.Stream, out var place))
                {
                    if (StreamKinds.Find(stored.Stream) is not { } kind)
                        continue;
                    streams[stored.Stream] = place = new Place(kind.Follow(stored.Stream));
                }
                touch?.Invoke(stored.Stream, place);
                place.Add(stored, _codec);
            }
            position = page[^1].Sequence;
            progress?.Invoke(events);
        }
        return events;
    }

    private sealed class Place(FollowedStream followed)
    {
        public FollowedStream Followed => followed;

        public StoredEvent Last { get; private set; } = null!;

        public void Add(StoredEvent stored, EventCodec codec)
        {
            followed.Add(stored, codec.Decode(stored));
            Last = stored;
        }
    }
}
