using Antbot.Contracts;
using Antbot.Kernel.Decisions;
using Antbot.Kernel.Identity;
using Antbot.Kernel.Time;
using Antbot.Runtime.Store;

namespace Antbot.Runtime.Pipeline;

/// <summary>One input that waits for its decision, and who waits for it.</summary>
internal sealed class LaneWork<TState>(Input input, Deliberate<TState> decide, CancellationToken cancellationToken)
    where TState : class
{
    public TaskCompletionSource<Recorded> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Input Input { get; } = input;

    public Deliberate<TState> Decide { get; } = decide;

    public CancellationToken CancellationToken { get; } = cancellationToken;

    public int Attempts { get; set; }
}

/// <summary>
/// The decisions on one stream within one process: in order, each on the state that the one before it left, all appends of a round
/// sent together and so committed together. Another process that writes the same stream shows as a conflict: then it is
/// loaded and decided again. A lane is used by one thread at a time; <see cref="StreamPipeline{TState}"/> sees to it.
/// </summary>
internal sealed class StreamLane<TState>(StreamId stream, PipelineParts parts, Behaviour<TState> behaviour)
    where TState : class
{
    private const int AttemptsMax = 50;

    private Loaded<TState>? _known;

    /// <summary>Decides a round of inputs; those that must be decided again are returned, in their order. Never throws: what fails, fails its own work.</summary>
    public async Task<List<LaneWork<TState>>> DecideAsync(IReadOnlyList<LaneWork<TState>> round)
    {
        var pending = new List<(LaneWork<TState> Work, Task<AppendOutcome> Append, Loaded<TState> After)>(round.Count);
        var again = new List<LaneWork<TState>>();
        var state = _known;
        foreach (var work in round)
        {
            var fresh = state is null;
            try
            {
                state ??= await LoadAsync(work.CancellationToken);
                var (events, after, append) = await BeginAsync(work, state, fresh && pending.Count == 0);
                if (append is null)
                {
                    if (events)
                        again.Add(work);
                    continue;
                }
                pending.Add((work, append, after));
                state = after;
            }
            catch (Exception e)
            {
                // What is refused on a state that another process has moved on from may be in order on the newest.
                if (fresh || !Retry(work))
                    work.Done.TrySetException(e);
                else
                    again.Add(work);
            }
        }
        var broken = false;
        foreach (var (work, append, after) in pending)
            broken |= !await FinishAsync(work, append, after, again);
        if (broken || again.Count > 0)
            _known = null;
        await SnapshotAsync();
        return again;
    }

    /// <returns>
    /// The running append; or, without one, whether the input must be decided again on freshly loaded state.
    /// </returns>
    private async Task<(bool Again, Loaded<TState> After, Task<AppendOutcome>? Append)> BeginAsync(LaneWork<TState> work, Loaded<TState> state, bool fresh)
    {
        var now = parts.Clock.GetUtcNow().Cut();
        var decision = new Decision(work.Input.Id, behaviour.Consumer);
        var decided = await work.Decide(state.State, now);
        if (decided.Events.Count == 0)
        {
            // Nothing to decide is only true on the newest state; a lane may have slept while another process wrote.
            if (!fresh)
                return (Retry(work), state, null);
            work.Done.TrySetResult(new Recorded(await parts.Store.FindDecisionAsync(decision, work.CancellationToken), IsNew: false));
            return (false, state, null);
        }
        var encoded = new NewEvent[decided.Events.Count];
        for (var i = 0; i < encoded.Length; i++)
            encoded[i] = parts.Codec.Encode(decided.Events[i]);
        var request = new AppendRequest
        {
            Stream = stream,
            Expected = ExpectedVersion.Exactly(state.Version),
            Decision = decision,
            Events = encoded,
            At = now,
            Meta = new EventMeta(work.Input.CorrelationId, work.Input.Id.ToString("N"), work.Input.Actor, work.Input.TraceId),
            Guards = decided.Guards,
        };
        parts.CrashPoints.Reach($"{behaviour.Consumer}.before-append");
        var append = parts.Store.AppendAsync(request, work.CancellationToken);
        var folded = decided.Events.Aggregate(state.State, behaviour.Fold.Apply);
        return (false, new Loaded<TState>(folded, state.Version + encoded.Length, state.SnapshotVersion), append);
    }

    private async Task<bool> FinishAsync(LaneWork<TState> work, Task<AppendOutcome> append, Loaded<TState> after, List<LaneWork<TState>> again)
    {
        try
        {
            switch (await append)
            {
                case AppendOutcome.Appended done:
                    _known = after;
                    work.Done.TrySetResult(new Recorded(done.Events, IsNew: true));
                    return true;
                case AppendOutcome.AlreadyThere there:
                    // Decided before, on the state of then: what was decided now is forgotten.
                    work.Done.TrySetResult(new Recorded(there.Events, IsNew: false));
                    return false;
                case AppendOutcome.Conflict conflict when conflict.Stream != stream:
                    work.Done.TrySetException(new GuardedStreamMovedException(conflict));
                    return false;
                case AppendOutcome.Conflict:
                    if (Retry(work))
                        again.Add(work);
                    return false;
                default:
                    throw new InvalidOperationException("An append ends in one of three ways.");
            }
        }
        catch (Exception e)
        {
            work.Done.TrySetException(e);
            return false;
        }
    }

    private bool Retry(LaneWork<TState> work)
    {
        if (++work.Attempts < AttemptsMax)
            return true;
        work.Done.TrySetException(new EventStoreException(StoreFault.Busy, $"{stream} moved on {AttemptsMax} times while a decision was being made on it. Ask again later."));
        return false;
    }

    private Task<Loaded<TState>> LoadAsync(CancellationToken cancellationToken) => parts.Loader.LoadAsync(stream, behaviour.Fold, cancellationToken);

    private async Task SnapshotAsync()
    {
        if (_known is not { } known)
            return;
        try
        {
            if (await parts.Loader.SnapshotWhenDueAsync(stream, behaviour.Fold, known))
                _known = known with { SnapshotVersion = known.Version };
        }
        catch (Exception)
        {
            // A snapshot only saves time; the next round tries again.
        }
    }
}
