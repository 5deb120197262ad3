namespace Antbot.Runtime.Store;

public sealed record SubscriptionOptions
{
    public int PageSize { get; init; } = 500;

    /// <summary>Only streams whose names begin so. The rest is passed over where it lies.</summary>
    public IReadOnlyList<string> Prefixes { get; init; } = EventPage.EveryStream;

    /// <summary>How long it waits for a signal before it looks by itself.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan RetryMin { get; init; } = TimeSpan.FromMilliseconds(100);

    public TimeSpan RetryMax { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>
/// Follows everything that is committed, in commit order, and remembers how far it came. The handler sees every event at least
/// once: the checkpoint is kept after it, so it must bear repetition. A failing handler is tried again, never passed over. What was archived
/// before it came there is over, and passed over.
/// </summary>
public sealed class DurableSubscription(
    IEventStore store,
    string name,
    Func<IReadOnlyList<StoredEvent>, CancellationToken, Task> handle,
    TimeProvider clock,
    SubscriptionOptions? options = null)
{
    private readonly SubscriptionOptions _options = options ?? new SubscriptionOptions();
    private long _position = -1;

    public string Name { get; } = name;

    /// <summary>The sequence of the last event that was handled and remembered; -1 before the first look.</summary>
    public long Position => Interlocked.Read(ref _position);

    /// <summary>Why it stands still, or null while it moves.</summary>
    public Exception? Trouble { get; private set; }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var retry = _options.RetryMin;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await StepAsync(cancellationToken);
                Trouble = null;
                retry = _options.RetryMin;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                Trouble = e;
                await PauseAsync(retry, cancellationToken);
                retry = TimeSpan.FromTicks(Math.Min(retry.Ticks * 2, _options.RetryMax.Ticks));
            }
        }
    }

    /// <summary>Handles one page, or waits for one to come.</summary>
    private async Task StepAsync(CancellationToken cancellationToken)
    {
        if (Position < 0)
            Interlocked.Exchange(ref _position, await store.LoadCheckpointAsync(Name, cancellationToken));
        var mark = store.AppendMark;
        var page = await store.ReadPageAsync(Position, _options.PageSize, _options.Prefixes, cancellationToken);
        if (page.Through == Position)
        {
            await store.WaitForAppendAsync(mark, _options.Poll, cancellationToken);
            return;
        }
        if (page.Events.Count > 0)
            await handle(page.Events, cancellationToken);
        await store.SaveCheckpointAsync(Name, page.Through, cancellationToken);
        Interlocked.Exchange(ref _position, page.Through);
    }

    private async Task PauseAsync(TimeSpan pause, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(pause, clock, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The loop looks at the token itself.
        }
    }
}
