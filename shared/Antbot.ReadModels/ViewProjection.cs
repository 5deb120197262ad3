using Antbot.Runtime.Store;

namespace Antbot.ReadModels;

/// <summary>
/// Keeps the read models up to date. Each page's rows are committed with the place it leads to: killed anywhere, in two processes at once,
/// or given a page twice, they become the same.
/// </summary>
public sealed class ViewProjection(IEventStore store, EventCodec codec, IReadModels models, TimeProvider clock)
{
    private const int Page = 1_000;

    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryMin = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(10);

    private long _position = -1;

    /// <summary>The sequence of the last event that is in the read models; -1 before the first look.</summary>
    public long Position => Interlocked.Read(ref _position);

    /// <summary>Why it stands still, or null while it moves.</summary>
    public Exception? Trouble { get; private set; }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var retry = RetryMin;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var mark = store.AppendMark;
                if (!await StepAsync(cancellationToken))
                    await store.WaitForAppendAsync(mark, Poll, cancellationToken);
                (Trouble, retry) = (null, RetryMin);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                Trouble = e;
                Interlocked.Exchange(ref _position, -1);
                await Task.Delay(retry, clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
                retry = TimeSpan.FromTicks(Math.Min(retry.Ticks * 2, RetryMax.Ticks));
            }
        }
    }

    /// <summary>Everything up to the end of the history, for a rebuild by hand. Says how far it has come.</summary>
    public async Task CatchUpAsync(Action<long> progress, CancellationToken cancellationToken)
    {
        while (await StepAsync(cancellationToken))
            progress(Position);
    }

    /// <returns>Whether there may be more.</returns>
    private async Task<bool> StepAsync(CancellationToken cancellationToken)
    {
        if (Position < 0)
            await BeginAsync(cancellationToken);
        var from = Position;
        // What is archived where nobody can read it is told and passed over: else there would be no rows of anything behind it.
        var page = await store.ReadPageAsync(from, Page, EventPage.EveryStream, cancellationToken);
        if (page.Through == from)
            return false;
        var to = page.Through;
        var wanted = page.Events.Where(ViewFold.Wants).Select(e => (Stored: e, Event: ViewFold.Reads(e) ? codec.Decode(e) : null)).ToList();
        var keys = wanted.SelectMany(e => ViewFold.Touches(e.Stored, e.Event)).ToHashSet();
        if (page.Archived.Count > 0)
            keys.Add(new RowKey(ViewTable.Summaries, ViewFold.LeftOutId));
        var fold = new ViewFold(keys.Count == 0 ? new Dictionary<RowKey, ViewRow>() : await models.FindAsync(keys, cancellationToken));
        foreach (var (stored, @event) in wanted)
            fold.Apply(stored, @event);
        foreach (var archived in page.Archived)
            fold.LeaveOut(archived);
        // Another process was faster, or they were cleared: what they stand for now is read again.
        Interlocked.Exchange(ref _position, await models.ApplyAsync(from, to, fold.Changed(), cancellationToken) ? to : -1);
        return true;
    }

    private async Task BeginAsync(CancellationToken cancellationToken)
    {
        var position = await models.ReadPositionAsync(cancellationToken);
        // Rows of another build have no position under this one's name; rows of a history that was longer are not this one's.
        if (position == 0 || position > (await store.Ledger.ReadHeadAsync(cancellationToken)).Sequence)
        {
            await models.ClearAsync(cancellationToken);
            position = 0;
        }
        Interlocked.Exchange(ref _position, position);
    }
}
