namespace Antbot.Runtime.Store;

/// <summary>Wakes everyone who waits for new events. It says "look again", never "here it is": what is lost costs a poll, not an event.</summary>
public sealed class AppendSignal
{
    private TaskCompletionSource _next = NewSource();
    private long _mark;

    public long Mark => Interlocked.Read(ref _mark);

    public void Announce()
    {
        Interlocked.Increment(ref _mark);
        Interlocked.Exchange(ref _next, NewSource()).TrySetResult();
    }

    public async Task WaitAsync(long mark, TimeSpan atMost, CancellationToken cancellationToken)
    {
        var next = Volatile.Read(ref _next);
        if (Mark != mark)
            return;
        try
        {
            await next.Task.WaitAsync(atMost, cancellationToken);
        }
        catch (TimeoutException)
        {
            // The poll behind the signal: the caller looks for itself.
        }
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
