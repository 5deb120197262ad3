namespace Antbot.Messaging;

/// <summary>So many bytes at once, in the order in which they are asked for. What is larger than all of it goes alone.</summary>
public sealed class ByteBudget(long bytesMax)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Waiting> _waiting = new();
    private long _held;

    /// <summary>They are given back when the answer is disposed of.</summary>
    public async Task<IDisposable> TakeAsync(long bytes, CancellationToken cancellationToken)
    {
        var waiting = new Waiting(Math.Min(bytes, bytesMax));
        lock (_lock)
        {
            _waiting.AddLast(waiting);
            Admit();
        }
        await using var giveUp = cancellationToken.UnsafeRegister(_ => Leave(waiting, cancellationToken), null);
        await waiting.Admitted.Task;
        return new Held(this, waiting.Bytes);
    }

    private void Admit()
    {
        while (_waiting.First is { Value: var next } && _held + next.Bytes <= bytesMax)
        {
            _waiting.RemoveFirst();
            _held += next.Bytes;
            next.Admitted.TrySetResult();
        }
    }

    private void Leave(Waiting waiting, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            // One that has been let in by now is on its way to whoever asked.
            if (!_waiting.Remove(waiting))
                return;
            waiting.Admitted.TrySetCanceled(cancellationToken);
            Admit();
        }
    }

    private void GiveBack(long bytes)
    {
        lock (_lock)
        {
            _held -= bytes;
            Admit();
        }
    }

    private sealed class Waiting(long bytes)
    {
        public long Bytes { get; } = bytes;

        public TaskCompletionSource Admitted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class Held(ByteBudget budget, long bytes) : IDisposable
    {
        private int _givenBack;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _givenBack, 1) == 0)
                budget.GiveBack(bytes);
        }
    }
}
