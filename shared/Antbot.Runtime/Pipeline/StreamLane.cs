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
    private const int Waiting = 0;
    private const int Taken = 1;
    private const int GivenUp = 2;

    private int _state;

    public TaskCompletionSource<Recorded> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Input Input { get; } = input;

    public Deliberate<TState> Decide { get; } = decide;

    public CancellationToken CancellationToken { get; } = cancellationToken;

    /// <summary>The stream as its caller has read it; null where it has not.</summary>
    public Loaded<TState>? Read { get; init; }

    public int Attempts { get; set; }

    /// <summary>It was decided on an empty stream that was not empty, or in vain.</summary>
    public bool NeedsToLook { get; set; }

    /// <summary>False where its caller has given up; once it is taken, the caller waits for what becomes of it.</summary>
    public bool TryTake() => Interlocked.CompareExchange(ref _state, Taken, Waiting) != GivenUp;

    public void TryGiveUp(CancellationToken token)
    {
        if (Interlocked.CompareExchange(ref _state, GivenUp, Waiting) == Waiting)
            Done.TrySetCanceled(token);
    }
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

    public StreamId Stream => stream;

    /// <summary>For whoever only wants to look, at any time.</summary>
    public Loaded<TState>? Known => _known;

    public bool IsOver => _known is { } known && behaviour.IsOver(known.State);

    /// <summary>The newest state that is known to rest on nothing but what is in the store.</summary>
    private volatile Loaded<TState>? _known;
    private bool _mayHaveMoved = true;

    private sealed record Prepared(LaneWork<TState> Work, Deliberation<TState> Deliberation);

    /// <summary>Decides a round of inputs; those that must be decided again are returned, in their order. Never throws: what fails, fails its own work.</summary>
    public async Task<List<LaneWork<TState>>> DecideAsync(IReadOnlyList<LaneWork<TState>> round)
    {
        var decided = new List<Prepared>(round.Count);
        var again = new List<LaneWork<TState>>();
        var fresh = false;
        Loaded<TState>? assumed = null;
        foreach (var work in round)
        {
            if (!work.TryTake())
                continue;
            try
            {
                // The same input twice would not find itself within one round.
                if (decided.Exists(d => d.Work.Input.Id == work.Input.Id))
                {
                    again.Add(work);
                    continue;
                }
                assumed = decided.Count > 0 ? assumed : Assume(work);
                if (decided.Count == 0)
                    Believe(work);
                if (assumed is null && (_known is null || _mayHaveMoved))
                {
                    fresh = true;
                    _known = await LoadAsync(work.CancellationToken);
                    _mayHaveMoved = false;
                }
                var isNewest = fresh && decided.Count == 0;
                if (await DeliberateAsync(work, decided.Count == 0 ? assumed ?? _known! : decided[^1].Deliberation.After) is not { } next)
                    await FindAsync(work, isNewest, again);
                else
                    decided.Add(next);
            }
            catch (EventStoreException e) when (e.Fault == StoreFault.Archived)
            {
                await AnswerArchivedAsync(work, e);
            }
            catch (Exception e)
            {
                // What is refused on a state that another process has moved on from may be in order on the newest.
                if ((fresh && decided.Count == 0) || !Retry(work))
                    work.Done.TrySetException(e);
                else
                    again.Add(work);
            }
        }
        _mayHaveMoved = again.Count > 0;
        await AppendAsync(decided, again);
        await SnapshotAsync();
        return again;
    }

    /// <summary>An empty stream, for what begins one, until that has proved wrong.</summary>
    private Loaded<TState>? Assume(LaneWork<TState> work)
    {
        if (_known is not null || !work.Input.Begins || work.NeedsToLook)
            return null;
        work.NeedsToLook = true;
        return new Loaded<TState>(behaviour.Fold.Initial, 0, 0);
    }

    /// <summary>What the caller has read is as good as what would be read here: whether more has come since, the append says. One that was decided in vain has to look.</summary>
    private void Believe(LaneWork<TState> work)
    {
        if (work.Read is not { } read || work.NeedsToLook || read.Version <= (_known?.Version ?? 0))
            return;
        work.NeedsToLook = true;
        (_known, _mayHaveMoved) = (read, false);
    }

    /// <summary>Null where there is nothing to record.</summary>
    private async Task<Prepared?> DeliberateAsync(LaneWork<TState> work, Loaded<TState> state)
    {
        var now = parts.Clock.GetUtcNow().Cut();
        var decided = await work.Decide(state.State, now);
        if (decided.Events.Count == 0)
            return null;
        return new Prepared(work, Deliberation<TState>.Of(stream, work.Input, behaviour, parts.Codec, state, decided, now));
    }

    /// <summary>Nothing to decide is only true on the newest state; a lane may have slept while another process wrote.</summary>
    private async Task FindAsync(LaneWork<TState> work, bool isNewest, List<LaneWork<TState>> again)
    {
        if (isNewest)
            work.Done.TrySetResult(new Recorded(await parts.Store.FindDecisionAsync(new Decision(work.Input.Id, behaviour.Consumer), work.CancellationToken), IsNew: false));
        else if (Retry(work))
            again.Add(work);
    }

    /// <summary>The stream is over and in an archive. What was decided in it stays decided, and all that was to come of it has come; nothing else is decided on it any more.</summary>
    private async Task AnswerArchivedAsync(LaneWork<TState> work, EventStoreException archived)
    {
        try
        {
            var found = await parts.Store.FindDecisionAsync(new Decision(work.Input.Id, behaviour.Consumer), work.CancellationToken);
            if (found.Count > 0)
                work.Done.TrySetResult(new Recorded(found, IsNew: false));
            else
                work.Done.TrySetException(archived);
        }
        catch (EventStoreException e) when (e.Fault == StoreFault.Archived)
        {
            work.Done.TrySetResult(new Recorded([], IsNew: false));
        }
        catch (Exception e)
        {
            work.Done.TrySetException(e);
        }
    }

    private async Task AppendAsync(List<Prepared> decided, List<LaneWork<TState>> again)
    {
        if (decided.Count == 0)
            return;
        IReadOnlyList<Task<AppendOutcome>> appends;
        try
        {
            parts.CrashPoints.Reach($"{behaviour.Consumer}.before-append");
            // Each rests on the one before it. Once they are on their way, no single caller can take its own back.
            appends = decided.Count == 1
                ? [parts.Store.AppendAsync(decided[0].Deliberation.Request, decided[0].Work.CancellationToken)]
                : parts.Store.AppendInOrder([.. decided.Select(d => d.Deliberation.Request)], CancellationToken.None);
        }
        catch (Exception e)
        {
            foreach (var each in decided)
                each.Work.Done.TrySetException(e);
            return;
        }
        for (var i = 0; i < appends.Count; i++)
        {
            if (!await FinishAsync(decided[i], appends[i], again))
                _mayHaveMoved = true;
        }
    }

    private async Task<bool> FinishAsync(Prepared prepared, Task<AppendOutcome> append, List<LaneWork<TState>> again)
    {
        var work = prepared.Work;
        try
        {
            switch (await append)
            {
                case AppendOutcome.Appended done:
                    _known = prepared.Deliberation.After;
                    for (var i = 0; i < done.Events.Count; i++)
                        parts.Codec.Remember(done.Events[i], prepared.Deliberation.Events[i]);
                    work.Done.TrySetResult(new Recorded(done.Events, IsNew: true));
                    return true;
                case AppendOutcome.AlreadyThere there:
                    // Decided before, on the state of then: what was decided now is forgotten.
                    work.Done.TrySetResult(new Recorded(there.Events, IsNew: false));
                    return false;
                case AppendOutcome.Conflict conflict when conflict.Stream != stream:
                    work.Done.TrySetException(new GuardedStreamMovedException(conflict));
                    return false;
                case AppendOutcome.Conflict conflict:
                    // The store is behind what was known: that was another history. From the beginning, then, or it would be behind for ever.
                    if (conflict.Actual >= 0 && conflict.Actual < _known?.Version)
                        _known = null;
                    // Who only stood behind another that failed has not been tried: the other's attempts are counted.
                    if (conflict.Actual < 0 || Retry(work))
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

    /// <summary>What was known once stays true: only what has come since is read.</summary>
    private Task<Loaded<TState>> LoadAsync(CancellationToken cancellationToken) => _known is { } known
        ? parts.Loader.CatchUpAsync(stream, behaviour.Fold, known, cancellationToken)
        : parts.Loader.LoadAsync(stream, behaviour.Fold, cancellationToken);

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
