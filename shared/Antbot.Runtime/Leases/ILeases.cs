namespace Antbot.Runtime.Leases;

/// <summary>Work that no message starts runs in one process at a time. Where it does not, its deterministic ids keep it harmless.</summary>
public interface ILeases
{
    /// <summary>Null where another process holds it.</summary>
    Task<ILease?> TryTakeAsync(string name, CancellationToken cancellationToken = default);
}

public interface ILease : IAsyncDisposable
{
    /// <summary>Cancelled as soon as it can no longer be relied on.</summary>
    CancellationToken Lost { get; }
}

/// <summary>Where there is one process.</summary>
public sealed class LocalLeases : ILeases
{
    private readonly Lock _lock = new();
    private readonly HashSet<string> _held = new(StringComparer.Ordinal);

    public Task<ILease?> TryTakeAsync(string name, CancellationToken cancellationToken = default)
    {
        lock (_lock)
            return Task.FromResult<ILease?>(_held.Add(name) ? new Held(this, name) : null);
    }

    private sealed class Held(LocalLeases owner, string name) : ILease
    {
        public CancellationToken Lost => CancellationToken.None;

        public ValueTask DisposeAsync()
        {
            lock (owner._lock)
                owner._held.Remove(name);
            return ValueTask.CompletedTask;
        }
    }
}
