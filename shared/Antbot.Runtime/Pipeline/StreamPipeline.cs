using System.Collections.Concurrent;
using Antbot.Contracts;
using Antbot.Kernel.Decisions;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Store;

namespace Antbot.Runtime.Pipeline;

/// <param name="Guards">Other streams that must not have moved when the decision is committed.</param>
public sealed record Decided(IReadOnlyList<object> Events, IReadOnlyList<StreamGuard> Guards)
{
    public static Decided Of(IReadOnlyList<object> events) => new(events, []);
}

public delegate ValueTask<Decided> Deliberate<in TState>(TState state, DateTimeOffset now);

/// <param name="IsNew">Whether this very call recorded them: only then may it do what they announce. False where they were found, or where there are none.</param>
public sealed record Recorded(IReadOnlyList<StoredEvent> Events, bool IsNew);

/// <summary>What every pipeline of a process shares.</summary>
public sealed record PipelineParts(IEventStore Store, EventCodec Codec, IMessageBus Bus, TimeProvider Clock, ICrashPoints CrashPoints)
{
    public StreamLoader Loader { get; init; } = new(Store, Codec);
}

/// <summary>Another stream that the decision rests on has moved on; nothing was appended. The caller looks at it again.</summary>
public sealed class GuardedStreamMovedException(AppendOutcome.Conflict conflict)
    : Exception($"{conflict.Stream} is at version {conflict.Actual}, where {conflict.Expected} was expected.")
{
    public AppendOutcome.Conflict Conflict { get; } = conflict;
}

/// <summary>
/// The one way from an input to its effect: load, decide, append, react, publish; the caller then acknowledges. The look-up of an
/// input that was decided before is part of the append, which answers with the events of then; these are what is published, again.
/// </summary>
public sealed class StreamPipeline<TState>(PipelineParts parts, Behaviour<TState> behaviour)
    where TState : class
{
    private const int RoundMax = 64;

    /// <summary>How many lanes at rest keep what they know: those of the trades of a large burst under way. Fewer, and each is loaded again for every message.</summary>
    private const int RestingMax = 6_000;

    private readonly ConcurrentDictionary<StreamId, Queue> _lanes = new();
    private readonly LinkedList<Queue> _resting = new();

    /// <summary>Decides and records, and publishes what follows. Returns the events of this input's decision, new or old.</summary>
    public Task<IReadOnlyList<StoredEvent>> HandleAsync(StreamId stream, Input input, CancellationToken cancellationToken = default) =>
        HandleAsync(stream, input, Plainly(input), cancellationToken);

    /// <summary>The same for a caller that has read the stream already: it is not read again where nothing has come since.</summary>
    public Task<IReadOnlyList<StoredEvent>> HandleAsync(StreamId stream, Input input, Loaded<TState> read, CancellationToken cancellationToken = default) =>
        HandleAsync(new LaneWork<TState>(input, Plainly(input), cancellationToken) { Read = read }, stream, cancellationToken);

    public Task<IReadOnlyList<StoredEvent>> HandleAsync(StreamId stream, Input input, Deliberate<TState> decide, CancellationToken cancellationToken = default) =>
        HandleAsync(new LaneWork<TState>(input, decide, cancellationToken), stream, cancellationToken);

    /// <summary>Decides and records; nothing is published.</summary>
    public async Task<IReadOnlyList<StoredEvent>> RecordAsync(StreamId stream, Input input, Deliberate<TState> decide, CancellationToken cancellationToken = default) =>
        (await DecideAsync(stream, input, decide, cancellationToken)).Events;

    /// <summary>The same, for a caller that acts outside on what it has recorded and must not act on what was recorded before.</summary>
    public Task<Recorded> DecideAsync(StreamId stream, Input input, Deliberate<TState> decide, CancellationToken cancellationToken = default) =>
        DecideAsync(new LaneWork<TState>(input, decide, cancellationToken), stream, cancellationToken);

    private Deliberate<TState> Plainly(Input input) => (state, now) => ValueTask.FromResult(Decided.Of(behaviour.Decide(state, input.Body, now)));

    private async Task<IReadOnlyList<StoredEvent>> HandleAsync(LaneWork<TState> work, StreamId stream, CancellationToken cancellationToken)
    {
        var recorded = await DecideAsync(work, stream, cancellationToken);
        await PublishAsync(recorded.Events, cancellationToken);
        return recorded.Events;
    }

    private async Task<Recorded> DecideAsync(LaneWork<TState> work, StreamId stream, CancellationToken cancellationToken)
    {
        Queue queue;
        bool start;
        do
        {
            queue = _lanes.GetOrAdd(stream, static (s, self) => new Queue(new StreamLane<TState>(s, self.Parts, self.Behaviour)), (Parts: parts, Behaviour: behaviour));
        }
        while (!queue.TryAdd(work, out start));
        // Not awaited: whoever found the lane idle must not wait for those who come after.
        if (start)
            _ = RunAsync(queue);
        await using var patience = cancellationToken.UnsafeRegister(static (state, token) => ((LaneWork<TState>)state!).TryGiveUp(token), work);
        var recorded = await work.Done.Task;
        parts.CrashPoints.Reach($"{behaviour.Consumer}.after-append");
        return recorded;
    }

    public async Task PublishAsync(IEnumerable<StoredEvent> stored, CancellationToken cancellationToken = default)
    {
        var messages = Outgoing.From(stored, parts.Codec, behaviour.React);
        if (messages.Count > 0)
            await parts.Bus.PublishAsync(messages, cancellationToken);
        parts.CrashPoints.Reach($"{behaviour.Consumer}.after-publish");
    }

    /// <summary>The newest state. Of what was decided here only what has come since is read.</summary>
    public Task<Loaded<TState>> LoadAsync(StreamId stream, CancellationToken cancellationToken = default) => _lanes.TryGetValue(stream, out var queue) && queue.Lane.Known is { } known
        ? parts.Loader.CatchUpAsync(stream, behaviour.Fold, known, cancellationToken)
        : parts.Loader.LoadAsync(stream, behaviour.Fold, cancellationToken);

    /// <summary>
    /// What would come of an input at this time, by the same steps; nothing is recorded and nothing is sent. What a decider throws of the input is
    /// thrown here, too.
    /// </summary>
    /// <param name="on">The stream as it would stand by then; null for as it stands.</param>
    public async Task<Foreseen<TState>> ForeseeAsync(StreamId stream, Input input, DateTimeOffset now, Loaded<TState>? on = null, CancellationToken cancellationToken = default)
    {
        var state = on ?? await LoadAsync(stream, cancellationToken);
        if (await parts.Store.FindDecisionAsync(new Decision(input.Id, behaviour.Consumer), cancellationToken) is { Count: > 0 } found)
            return new Foreseen<TState>(found, Outgoing.From(found, parts.Codec, behaviour.React), IsOld: true, state);
        if (behaviour.Decide(state.State, input.Body, now) is not { Count: > 0 } decided)
            return new Foreseen<TState>([], [], IsOld: false, state);
        var deliberation = Deliberation<TState>.Of(stream, input, behaviour, parts.Codec, state, Decided.Of(decided), now);
        // As the store would give them back: what it does not take fails here, too.
        var stored = PreparedAppend.From(deliberation.Request).ToStored(state.Version + 1, 0, new long[decided.Count]);
        return new Foreseen<TState>(stored, Outgoing.From(stored, parts.Codec, behaviour.React), IsOld: false, deliberation.After);
    }

    private async Task RunAsync(Queue queue)
    {
        while (queue.TakeRound(RoundMax) is { } round)
        {
            queue.PutBack(await queue.Lane.DecideAsync(round));
        }
        Rest(queue);
    }

    /// <summary>A lane that is over goes, and the one that has rested longest makes room; its stream is loaded again when it is asked for.</summary>
    private void Rest(Queue queue)
    {
        var isOver = queue.TryRetire(onlyIfOver: true);
        Queue? longest = null;
        lock (_resting)
        {
            if (queue.Place.List is not null)
                _resting.Remove(queue.Place);
            if (!isOver)
                _resting.AddLast(queue.Place);
            if (_resting.Count > RestingMax)
            {
                longest = _resting.First!.Value;
                _resting.RemoveFirst();
            }
        }
        if (isOver)
            Forget(queue);
        // One at work again comes back here when it has done.
        if (longest is not null && longest.TryRetire(onlyIfOver: false))
            Forget(longest);
    }

    private void Forget(Queue queue) => _lanes.TryRemove(new KeyValuePair<StreamId, Queue>(queue.Lane.Stream, queue));

    private sealed class Queue
    {
        private readonly Lock _lock = new();
        private readonly LinkedList<LaneWork<TState>> _waiting = new();
        private bool _running;
        private bool _retired;

        public Queue(StreamLane<TState> lane) => (Lane, Place) = (lane, new LinkedListNode<Queue>(this));

        public StreamLane<TState> Lane { get; }

        /// <summary>Among those at rest.</summary>
        public LinkedListNode<Queue> Place { get; }

        public bool TryAdd(LaneWork<TState> work, out bool start)
        {
            lock (_lock)
            {
                start = false;
                if (_retired)
                    return false;
                _waiting.AddLast(work);
                start = !_running;
                _running = true;
                return true;
            }
        }

        public List<LaneWork<TState>>? TakeRound(int atMost)
        {
            lock (_lock)
            {
                var round = new List<LaneWork<TState>>(Math.Min(atMost, _waiting.Count));
                while (round.Count < atMost && _waiting.First is { } first)
                {
                    _waiting.RemoveFirst();
                    round.Add(first.Value);
                }
                _running = round.Count > 0;
                return _running ? round : null;
            }
        }

        public void PutBack(List<LaneWork<TState>> again)
        {
            lock (_lock)
            {
                for (var i = again.Count - 1; i >= 0; i--)
                    _waiting.AddFirst(again[i]);
            }
        }

        public bool TryRetire(bool onlyIfOver)
        {
            lock (_lock)
                return _retired = !_running && _waiting.Count == 0 && (_retired || !onlyIfOver || Lane.IsOver);
        }
    }
}
