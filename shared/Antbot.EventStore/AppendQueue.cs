using System.Threading.Channels;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;

namespace Antbot.EventStore;

internal sealed record AppendQueueOptions
{
    /// <summary>How many batches may be on their way at once.</summary>
    public int Committers { get; init; } = 1;

    public int BatchAppendsMax { get; init; } = 512;
    public int BatchEventsMax { get; init; } = 2_000;
    public int BatchBytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>Appends in the queue and on their way; a large body counts for several.</summary>
    public int QueueMax { get; init; } = 4_096;

    /// <summary>How long a caller waits for room before it is told that the store is busy.</summary>
    public TimeSpan RoomWaitMax { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a caller with room waits for its answer, whatever becomes of the engine behind the queue.</summary>
    public TimeSpan AnswerMax { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>What is waited for, when an answer does not come.</summary>
    public string Behind { get; init; } = "The database";

    public TimeProvider Clock { get; init; } = TimeProvider.System;
}

/// <summary>
/// Group commit: what callers bring while the last batch commits goes into the next one. The queue is bounded by count and
/// by bytes, and a caller that finds it full waits.
/// </summary>
internal sealed class AppendQueue : IAsyncDisposable
{
    private const int BytesPerSlot = 16 * 1024;

    private readonly Func<IReadOnlyList<PendingAppend>, Task> _commit;
    private readonly AppendQueueOptions _options;
    private readonly Channel<PendingAppend> _queue = Channel.CreateUnbounded<PendingAppend>();
    private readonly SemaphoreSlim _slots;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Task _committers;

    /// <param name="commit">Completes every append it is given, whatever happens.</param>
    public AppendQueue(Func<IReadOnlyList<PendingAppend>, Task> commit, AppendQueueOptions options)
    {
        _commit = commit;
        _options = options;
        _slots = new SemaphoreSlim(options.QueueMax, options.QueueMax);
        _committers = Task.WhenAll(Enumerable.Range(0, options.Committers).Select(_ => Task.Run(CommitAsync)));
    }

    /// <summary>Appends that wait or are on their way, in slots.</summary>
    public int Depth => _options.QueueMax - _slots.CurrentCount;

    public async Task<AppendOutcome> AppendAsync(PreparedAppend prepared, CancellationToken cancellationToken)
    {
        var slots = Math.Min(_options.QueueMax, 1 + prepared.Bytes / BytesPerSlot);
        await EnterAsync(slots, cancellationToken);
        // Its room is given back when it leaves the queue, not when its caller loses patience: until then it takes it.
        var pending = new PendingAppend(prepared, () => _slots.Release(slots));
        if (!_queue.Writer.TryWrite(pending))
        {
            pending.Leave();
            throw Closed();
        }
        await using var _ = cancellationToken.UnsafeRegister(static (state, token) => ((PendingAppend)state!).TryCancel(token), pending);
        return await AnswerAsync(pending);
    }

    /// <summary>Whether these may go as one: in one batch, each knowing the one before it.</summary>
    public bool TakesInOrder(IReadOnlyList<PreparedAppend> appends) =>
        appends.Count <= _options.BatchAppendsMax
        && appends.Sum(a => a.Events.Count) <= _options.BatchEventsMax
        && appends.Sum(a => (long)a.Bytes) <= _options.BatchBytesMax
        && appends.DistinctBy(a => a.Request.Decision).Count() == appends.Count;

    /// <summary>All in one batch; once sent, none can be withdrawn.</summary>
    public IReadOnlyList<Task<AppendOutcome>> AppendInOrder(IReadOnlyList<PreparedAppend> appends, CancellationToken cancellationToken)
    {
        var slots = appends.Select(a => 1 + a.Bytes / BytesPerSlot).ToArray();
        var chain = new PendingAppend[appends.Count];
        for (var i = 0; i < chain.Length; i++)
        {
            var own = slots[i];
            chain[i] = new PendingAppend(appends[i], () => _slots.Release(own), i == 0 ? null : chain[i - 1]);
        }
        var entered = EnterInOrderAsync(chain, slots.Sum(), cancellationToken);
        return [.. chain.Select(link => OutcomeAsync(entered, link))];
    }

    /// <summary>What is queued is still committed; new appends are refused.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _committers;
    }

    private async Task EnterInOrderAsync(PendingAppend[] chain, int slots, CancellationToken cancellationToken)
    {
        await EnterAsync(slots, cancellationToken);
        chain[0].Chain = chain;
        if (_queue.Writer.TryWrite(chain[0]))
            return;
        foreach (var link in chain)
            link.Leave();
        throw Closed();
    }

    private async Task<AppendOutcome> OutcomeAsync(Task entered, PendingAppend link)
    {
        try
        {
            await entered;
        }
        catch (EventStoreException e)
        {
            // One for each caller: an exception that several tasks throw mixes up their traces.
            throw new EventStoreException(e.Fault, e.Message, e);
        }
        return await AnswerAsync(link);
    }

    /// <summary>The one bound on an answer: nobody waits longer, and nobody is told more than is known.</summary>
    private async Task<AppendOutcome> AnswerAsync(PendingAppend pending)
    {
        try
        {
            return await pending.Outcome.WaitAsync(_options.AnswerMax, _options.Clock, CancellationToken.None);
        }
        catch (TimeoutException) when (!pending.Outcome.IsCompleted)
        {
            var after = $"{_options.Behind} has not answered for {_options.AnswerMax.TotalSeconds:0.#} s";
            throw pending.TryWithdraw()
                ? new EventStoreException(StoreFault.Busy, $"{after} and did not come to this append; nothing was appended. Look at what holds it up.")
                : new EventStoreException(StoreFault.OutcomeUnknown, $"{after}, and it has this append. Append the same decision again to find out, and look at what holds it up.");
        }
    }

    private async Task EnterAsync(int slots, CancellationToken cancellationToken)
    {
        if (slots == 1 && _slots.Wait(0, CancellationToken.None))
            return;
        // One at a time gathers several slots: two that each held half would wait for ever.
        if (!await _turn.WaitAsync(_options.RoomWaitMax, cancellationToken))
            throw Busy();
        var taken = 0;
        try
        {
            while (taken < slots)
            {
                if (!await _slots.WaitAsync(_options.RoomWaitMax, cancellationToken))
                    throw Busy();
                taken++;
            }
        }
        catch
        {
            if (taken > 0)
                _slots.Release(taken);
            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task CommitAsync()
    {
        var carry = new Queue<PendingAppend>();
        while (carry.Count > 0 || await _queue.Reader.WaitToReadAsync())
        {
            var batch = Take(carry);
            if (batch.Count == 0)
                continue;
            try
            {
                await _commit(batch);
            }
            catch (Exception e)
            {
                foreach (var pending in batch)
                    pending.Fail(e);
            }
        }
    }

    private List<PendingAppend> Take(Queue<PendingAppend> carry)
    {
        var batch = new List<PendingAppend>();
        var decisions = new HashSet<Decision>();
        var (events, bytes) = (0, 0);
        var carried = carry.Count;
        while (batch.Count < _options.BatchAppendsMax && Next(carry, ref carried) is { } pending)
        {
            var chain = pending.Chain;
            var (itsEvents, itsBytes) = (chain.Sum(l => l.Prepared.Events.Count), chain.Sum(l => l.Prepared.Bytes));
            var full = batch.Count > 0
                && (batch.Count + chain.Count > _options.BatchAppendsMax || events + itsEvents > _options.BatchEventsMax || bytes + itsBytes > _options.BatchBytesMax);
            // The same decision twice in one batch could not see itself; it finds itself in the next one.
            if (full || chain.Any(l => decisions.Contains(l.Prepared.Request.Decision)))
            {
                carry.Enqueue(pending);
                if (full)
                    break;
                continue;
            }
            if (!pending.TryTake())
            {
                foreach (var link in chain)
                    link.Leave();
                continue;
            }
            foreach (var link in chain)
            {
                decisions.Add(link.Prepared.Request.Decision);
                batch.Add(link);
            }
            events += itsEvents;
            bytes += itsBytes;
        }
        return batch;
    }

    private PendingAppend? Next(Queue<PendingAppend> carry, ref int carried)
    {
        if (carried > 0)
        {
            carried--;
            return carry.Dequeue();
        }
        return _queue.Reader.TryRead(out var pending) ? pending : null;
    }

    private EventStoreException Busy() =>
        new(StoreFault.Busy, $"The store's queue of {_options.QueueMax} stayed full for {_options.RoomWaitMax.TotalSeconds:0.#} s; nothing was appended. Slow down, or look at what holds the database up.");

    private static EventStoreException Closed() => new(StoreFault.Closed, "The store has been closed; nothing was appended.");
}

/// <summary>An append in the queue. Until it is taken it can be cancelled; from then on it has an outcome.</summary>
/// <param name="before">What this one was decided on top of, and must not be appended without; it is the one before it in the same batch.</param>
internal sealed class PendingAppend(PreparedAppend prepared, Action leave, PendingAppend? before = null)
{
    private const int Queued = 0;
    private const int Taken = 1;
    private const int Cancelled = 2;

    private readonly TaskCompletionSource<AppendOutcome> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _state;
    private int _left;

    public PreparedAppend Prepared { get; } = prepared;

    public PendingAppend? Before { get; } = before;

    /// <summary>For the first of several in order: all of them, itself among them.</summary>
    public IReadOnlyList<PendingAppend> Chain { get => field ??= [this]; set; }

    /// <summary>It is tried alone, and what it was decided on top of is known not to be there.</summary>
    public bool IsCutOff => Before is { } before && !(before.Outcome.IsCompletedSuccessfully && before.Outcome.Result is AppendOutcome.Appended);

    public Task<AppendOutcome> Outcome => _outcome.Task;

    public bool TryTake() => Interlocked.CompareExchange(ref _state, Taken, Queued) == Queued;

    public void TryCancel(CancellationToken token)
    {
        if (Interlocked.CompareExchange(ref _state, Cancelled, Queued) == Queued)
            _outcome.TrySetCanceled(token);
    }

    /// <summary>False where it has been taken. Of several in order all are withdrawn, or none: they are taken with the first.</summary>
    public bool TryWithdraw()
    {
        var first = this;
        while (first.Before is { } earlier)
            first = earlier;
        return Interlocked.CompareExchange(ref first._state, Cancelled, Queued) != Taken;
    }

    public void Complete(AppendOutcome outcome)
    {
        Leave();
        _outcome.TrySetResult(outcome);
    }

    public void Fail(Exception fault)
    {
        Leave();
        _outcome.TrySetException(fault);
    }

    /// <summary>It is no longer in the queue, nor on its way.</summary>
    public void Leave()
    {
        if (Interlocked.Exchange(ref _left, 1) == 0)
            leave();
    }
}
