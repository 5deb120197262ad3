namespace Antbot.Messaging;

/// <summary>
/// Holds the messages of one endpoint while a dependency is down: each waits and is tried again. The prefetch bounds how many.
/// </summary>
internal sealed class Gate(BusOptions options, TimeProvider clock)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    public static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _released = new();
    private TaskCompletionSource _tripped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _held;
    private long? _since;
    private Exception? _trouble;

    /// <summary>Completes when a dependency has been down for too long to go on taking messages.</summary>
    public Task Tripped => Volatile.Read(ref _tripped).Task;

    /// <summary>How many messages wait here.</summary>
    public int Held => Volatile.Read(ref _held);

    public bool IsReleased => Released.IsCancellationRequested;

    public CancellationToken Released => _released.Token;

    /// <summary>Why the last attempt failed, or null since one went through.</summary>
    public Exception? Trouble
    {
        get
        {
            lock (_lock)
                return _trouble;
        }
    }

    public void Passed()
    {
        lock (_lock)
            (_since, _trouble) = (null, null);
    }

    /// <summary>All that can be asked is well: what is held has a trouble of its own, and the time begins anew.</summary>
    public void Rearm()
    {
        lock (_lock)
        {
            _since = null;
            _tripped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>Everything that waits is given back to the broker, and so is what would.</summary>
    public void Release() => _released.Cancel();

    /// <returns>Whether the message shall be tried again; else it goes back to the broker.</returns>
    public async Task<bool> HoldAsync(Exception fault, long heldSince, int times, CancellationToken cancellationToken)
    {
        Report(fault);
        // What is given back on the bus within this process is gone until the sweeper finds it: there it waits for as long as it takes.
        if (!options.IsMemory && clock.GetElapsedTime(heldSince) >= options.HoldAtMost)
            return false;
        Interlocked.Increment(ref _held);
        try
        {
            using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _released.Token);
            await Task.Delay(Pause(times), clock, end.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        finally
        {
            Interlocked.Decrement(ref _held);
        }
    }

    private void Report(Exception fault)
    {
        lock (_lock)
        {
            _trouble = fault;
            _since ??= clock.GetTimestamp();
            if (clock.GetElapsedTime(_since.Value) >= options.StopAfter)
                _tripped.TrySetResult();
        }
    }

    /// <summary>Doubling, with a spread so that those who wait do not come back in one moment.</summary>
    private static TimeSpan Pause(int times)
    {
        var full = Math.Min(FirstPause.TotalMilliseconds * Math.Pow(2, Math.Min(times, 10)), LongestPause.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(full * (0.5 + (Random.Shared.NextDouble() / 2)));
    }
}
