using Antbot.Runtime.Leases;

namespace Antbot.Hosting;

/// <summary>Runs leased work and remembers it, so that health can say what is held here.</summary>
public sealed class LeaseKeeper(ILeases leases, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly List<LeasedWork> _works = [];

    public IReadOnlyList<LeasedWork> Works
    {
        get
        {
            lock (_lock)
                return [.. _works];
        }
    }

    public Task RunAsync(string name, Func<CancellationToken, Task> run, CancellationToken cancellationToken)
    {
        var work = new LeasedWork(leases, name, run, clock);
        lock (_lock)
            _works.Add(work);
        return work.RunAsync(cancellationToken);
    }
}
