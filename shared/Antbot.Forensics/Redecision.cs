using System.Collections.Concurrent;
using System.Text.Json;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;

namespace Antbot.Forensics;

/// <summary>
/// Makes recorded decisions again: each on the state that its stream had, on what it was made on, at its time and with the settings of
/// then. It is given the whole history in commit order, page by page. What a message said is known before it is decided on: the event that
/// it follows from came before. Within a page streams are worked on side by side, each in its order.
/// </summary>
public sealed class Redecision
{
    private const int ChangesMax = 50;

    private static readonly TimeSpan EndWithin = TimeSpan.FromSeconds(1);

    private readonly RedecisionOptions _options;
    private readonly ParallelOptions _parallel;
    private readonly HashSet<string> _endpoints;
    private readonly Dictionary<string, Lane?> _lanes = new(StringComparer.Ordinal);

    /// <summary>Said, and not decided on yet.</summary>
    private readonly Dictionary<Guid, object> _messages = [];
    private readonly Dictionary<string, (decimal? Notional, decimal? Realised)> _stakes = new(StringComparer.Ordinal);
    private readonly Dictionary<StreamKind, Counter> _counters;
    private readonly Dictionary<(string Service, string Reason), (long Count, string First)> _reasons = [];
    private readonly HashSet<string> _atStake = new(StringComparer.Ordinal);
    private readonly List<Redecided> _differences = [];

    /// <summary>Of the last page: there may be more of its last decision.</summary>
    private IReadOnlyList<StoredEvent> _rest = [];
    private long _events;
    private long _others;

    public Redecision(RedecisionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Threads };
        _endpoints = [.. options.Kinds.Select(k => k.Endpoint).OfType<string>()];
        _counters = options.Kinds.ToDictionary(k => k, _ => new Counter());
    }

    /// <summary>Reads the whole history while it decides on what has been read.</summary>
    /// <param name="progress">Is told how many events have been worked on.</param>
    public static async Task<RedecisionReport> RunAsync(IAsyncEnumerable<IReadOnlyList<StoredEvent>> pages, RedecisionOptions options, Action<long>? progress = null, CancellationToken cancellationToken = default)
    {
        var redecision = new Redecision(options);
        var page = pages.GetAsyncEnumerator(cancellationToken);
        var next = NextAsync();
        try
        {
            while (await next.WaitAsync(cancellationToken))
            {
                var read = page.Current;
                next = NextAsync();
                redecision.Take(read);
                progress?.Invoke(redecision._events);
            }
            return redecision.End();
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return redecision.Report(stopped: true);
        }
        finally
        {
            // Whoever waits for more to come from outside may wait for ever.
            await Task.WhenAny(next, Task.Delay(EndWithin, CancellationToken.None));
            if (next.IsCompleted)
                await page.DisposeAsync();
        }

        Task<bool> NextAsync() => Task.Run(async () => await page.MoveNextAsync(), CancellationToken.None);
    }

    /// <summary>What a stream has been folded to; null where nothing was read of it or it holds no decisions.</summary>
    public FollowedStream? Find(string stream) => _lanes.GetValueOrDefault(stream)?.Stream;

    public void Take(IReadOnlyList<StoredEvent> page)
    {
        ArgumentNullException.ThrowIfNull(page);
        IReadOnlyList<StoredEvent> all = _rest.Count == 0 ? page : [.. _rest, .. page];
        var end = EndOfWhole(all);
        _rest = [.. all.Skip(end)];
        Work(all, end);
    }

    public RedecisionReport End()
    {
        var rest = _rest;
        _rest = [];
        Work(rest, rest.Count);
        return Report(stopped: false);
    }

    /// <summary>Where the last decision begins.</summary>
    private static int EndOfWhole(IReadOnlyList<StoredEvent> all)
    {
        var end = all.Count;
        while (end > 0 && all[end - 1] is { CausationId: not null } e && e.CausationId == all[^1].CausationId && e.Stream == all[^1].Stream)
            end--;
        return end;
    }

    private void Work(IReadOnlyList<StoredEvent> all, int count)
    {
        var read = new Read[count];
        for (var i = 0; i < count; i++)
            read[i].Lane = LaneOf(all[i].Stream);
        For(count, i =>
        {
            if (read[i].Lane is { } lane)
                Decode(lane, all[i], ref read[i]);
        });
        var (active, round) = (new List<Lane>(), new List<Waiting>(count));
        for (var i = 0; i < count; i++)
            Sort(all[i], read[i], active, round);
        _events += count;
        active.Sort(static (a, b) => b.Waiting.Count.CompareTo(a.Waiting.Count));
        ForEach(active, lane => lane.Run(_options));
        // In the order in which they were made, whichever was made again first.
        foreach (var work in round)
            Note(work);
        foreach (var lane in active)
            lane.Waiting.Clear();
    }

    private Lane? LaneOf(string stream)
    {
        if (_lanes.TryGetValue(stream, out var known))
            return known;
        Lane? lane = null;
        foreach (var kind in _options.Kinds)
        {
            if (kind.Has(stream))
                lane = new Lane(kind.Follow(stream), _options.Wants(stream, kind));
        }
        return _lanes[stream] = lane;
    }

    private void Decode(Lane lane, StoredEvent stored, ref Read read)
    {
        try
        {
            read.Event = _options.Codec.Decode(stored);
        }
        catch (EventStoreException e)
        {
            read.Fault = e.Message;
            return;
        }
        // Whether or not this stream is asked for: another one may be decided on what it says.
        var bodies = lane.Stream.Kind.React(read.Event);
        for (var i = 0; i < bodies.Count; i++)
        {
            foreach (var endpoint in Routes.Of(bodies[i].GetType()))
            {
                if (_endpoints.Contains(endpoint))
                    (read.Messages ??= []).Add((Outgoing.IdOf(stored, i, endpoint), bodies[i]));
            }
        }
    }

    /// <summary>Puts an event to its decision, and a decision to its stream.</summary>
    private void Sort(StoredEvent stored, in Read read, List<Lane> active, List<Waiting> round)
    {
        if (read.Lane is not { } lane)
        {
            _others++;
            return;
        }
        foreach (var (id, body) in read.Messages ?? [])
            _messages[id] = body;
        NoteStake(read.Event);
        if (lane.Waiting.Count == 0)
            active.Add(lane);
        var cause = stored.CausationId;
        if (lane.Waiting.Count > 0 && cause is not null && lane.Waiting[^1].Stored[0].CausationId == cause)
        {
            lane.Waiting[^1].Add(stored, read);
            return;
        }
        object? message = null;
        if (lane.Stream.Kind.Endpoint is not null && Guid.TryParseExact(cause, "N", out var id_))
            _messages.Remove(id_, out message);
        var work = new Waiting(lane.Stream.Kind, stored, read, message);
        lane.Waiting.Add(work);
        round.Add(work);
    }

    private void NoteStake(object? @event)
    {
        switch (@event)
        {
            case SignalRecorded e:
                Set(e.Signal.Trade.Value, e.Signal.Notional.Value, null);
                break;
            case TradeRaised e:
                Set(e.Signal.Trade.Value, e.Signal.Notional.Value, null);
                break;
            case TradeAdopted e:
                Set(e.Signal.Trade.Value, e.Signal.Notional.Value, null);
                break;
            case PositionClosed e:
                Set(e.Trade.Value, null, e.Realised.Value);
                break;
            default:
                // No money in it.
                break;
        }

        void Set(string trade, decimal? notional, decimal? realised)
        {
            var (was, won) = _stakes.GetValueOrDefault(trade);
            _stakes[trade] = (notional ?? was, realised ?? won);
        }
    }

    private void Note(Waiting work)
    {
        var (kind, first) = (work.Kind, work.Stored[0]);
        if (work.Outcome is not { } outcome)
            return;
        var counter = _counters[kind];
        counter.Decisions++;
        if (outcome.Why is { } why)
        {
            counter.Impossible++;
            var key = (kind.Service, why);
            _reasons[key] = _reasons.TryGetValue(key, out var known) ? (known.Count + 1, known.First) : (1, $"{first.Stream} version {first.Version}");
        }
        if (outcome.Different is not { } again)
            return;
        counter.Different++;
        if (first.CorrelationId is { } trade)
            _atStake.Add(trade);
        if (_differences.Count < _options.DifferencesMax)
            _differences.Add(Tell(work, again));
    }

    private static Redecided Tell(Waiting work, Again again)
    {
        var first = work.Stored[0];
        (string Input, IReadOnlyList<object> Events, string? Refusal) now = again switch
        {
            Again.Decided d => (d.Input.GetType().Name, d.Events, null),
            Again.Refused r => (work.Message?.GetType().Name ?? "", [], r.Reason),
            _ => throw new InvalidOperationException("Only what is decided again, or refused, is another decision."),
        };
        List<NamedEvent> was = [.. work.Events.Select(Named)], @is = [.. now.Events.Select(Named)];
        IEnumerable<string> changes = was.Select(w => w.Type).SequenceEqual(@is.Select(i => i.Type), StringComparer.Ordinal)
            ? was.Zip(@is, (w, i) => JsonChange.Between(w.Body, i.Body).Select(c => $"{w.Type} {c}")).SelectMany(c => c).Take(ChangesMax)
            : [];
        return new Redecided(first.Sequence, first.Stream, first.Version, first.Timestamp, work.Kind.Service, now.Input, first.CorrelationId is { } trade ? new Stake(trade, null, null) : null, was, @is, now.Refusal, [.. changes]);

        static NamedEvent Named(object e) => new(StreamKinds.Registry.NameOf(e.GetType()), JsonSerializer.SerializeToElement(e, e.GetType(), EventCodec.JsonForPeople));
    }

    private RedecisionReport Report(bool stopped)
    {
        var services = _counters.Where(c => c.Value.Decisions > 0).Select(c => new ServiceCount(c.Key.Service, c.Value.Decisions, c.Value.Different, c.Value.Impossible)).ToList();
        // What nothing was staked on is no trade's.
        var stakes = _atStake.Where(_stakes.ContainsKey).Select(t => _stakes[t]).ToList();
        return new RedecisionReport(
            _events, _others, services.Sum(s => s.Decisions), services.Sum(s => s.Different), services.Sum(s => s.Impossible), stopped, services,
            [.. _reasons.Select(r => new ReasonCount(r.Key.Service, r.Key.Reason, r.Value.Count, r.Value.First)).OrderBy(r => r.Service, StringComparer.Ordinal).ThenBy(r => r.Reason, StringComparer.Ordinal)],
            new StakeSum(stakes.Count, stakes.Sum(s => s.Notional ?? 0), stakes.Sum(s => s.Realised ?? 0)),
            [.. _differences.Select(d => d.Stake is { } s ? d with { Stake = _stakes.TryGetValue(s.Trade, out var sum) ? new Stake(s.Trade, sum.Notional, sum.Realised) : null } : d)]);
    }

    private void For(int count, Action<int> work)
    {
        if (_options.Threads > 1)
            Parallel.For(0, count, _parallel, work);
        else
        {
            for (var i = 0; i < count; i++)
                work(i);
        }
    }

    private void ForEach(List<Lane> lanes, Action<Lane> work)
    {
        // One by one: the busiest stream of all takes as long as the rest together.
        if (_options.Threads > 1)
            Parallel.ForEach(Partitioner.Create(lanes, EnumerablePartitionerOptions.NoBuffering), _parallel, work);
        else
            lanes.ForEach(work);
    }

    private sealed class Counter
    {
        public long Decisions { get; set; }

        public long Different { get; set; }

        public long Impossible { get; set; }
    }

    private struct Read
    {
        public Lane? Lane;
        public object? Event;
        public string? Fault;
        public List<(Guid Id, object Body)>? Messages;
    }

    /// <param name="Different">What is decided now, where it is something else.</param>
    /// <param name="Why">It cannot be decided again.</param>
    private sealed record Outcome(Again? Different, string? Why)
    {
        public static Outcome Same { get; } = new(null, null);
    }

    /// <summary>A decision that waits to be made again.</summary>
    private sealed class Waiting
    {
        private readonly List<StoredEvent> _stored = [];
        private readonly List<object> _events = [];

        public Waiting(StreamKind kind, StoredEvent first, in Read read, object? message)
        {
            (Kind, Message) = (kind, message);
            Add(first, read);
        }

        public StreamKind Kind { get; }

        public IReadOnlyList<StoredEvent> Stored => _stored;

        public IReadOnlyList<object> Events => _events;

        public object? Message { get; }

        /// <summary>Why one of its events cannot be read.</summary>
        public string? Fault { get; private set; }

        /// <summary>Null where it was not asked for.</summary>
        public Outcome? Outcome { get; set; }

        public void Add(StoredEvent stored, in Read read)
        {
            _stored.Add(stored);
            if (read.Event is { } @event)
                _events.Add(@event);
            Fault ??= read.Fault;
        }
    }

    private sealed class Lane(FollowedStream stream, bool isWanted)
    {
        private string? _torn;

        public FollowedStream Stream => stream;

        public List<Waiting> Waiting { get; } = [];

        public void Run(RedecisionOptions options)
        {
            // Nobody asks what it is folded to.
            if (!isWanted)
                return;
            foreach (var work in Waiting)
            {
                if (work.Stored[0].Version != stream.Version + 1)
                    _torn ??= $"{stream.Stream} goes from version {stream.Version} to {work.Stored[0].Version}: what it held between is not here.";
                if (options.Wants(work.Stored[0]))
                    work.Outcome = Decide(work, options.With);
                Fold(work);
            }
        }

        private Outcome Decide(Waiting work, Overrides overrides)
        {
            if ((_torn ?? work.Fault) is { } why)
                return new Outcome(null, why);
            if (!stream.Kind.IsOwn(work.Stored[0]))
                return new Outcome(null, "Its own service did not record it: its id is not made of what it names as its input.");
            return stream.DecideAgain(new RecordedDecision(work.Stored, work.Events, work.Message), overrides) switch
            {
                Again.Impossible i => new Outcome(null, i.Reason),
                Again.Decided d when IsSame(d.Events, work, overrides) => Outcome.Same,
                var other => new Outcome(other, null),
            };
        }

        private static bool IsSame(IReadOnlyList<object> now, Waiting then, Overrides overrides) => overrides.Any
            ? Written.Same([.. now.Select(Overrides.WithoutSettings)], [.. then.Events.Select(Overrides.WithoutSettings)])
            : Written.Same(now, then.Events, then.Stored);

        /// <summary>What cannot be read cannot be folded, and then nothing that comes after it stands on anything.</summary>
        private void Fold(Waiting work)
        {
            if ((_torn ??= work.Fault) is not null)
                return;
            try
            {
                for (var i = 0; i < work.Stored.Count; i++)
                    stream.Add(work.Stored[i], work.Events[i]);
            }
            catch (EventStoreException e)
            {
                _torn = e.Message;
            }
        }
    }
}
