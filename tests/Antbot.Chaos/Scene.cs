using System.Diagnostics;
using Antbot.Chaos.Running;

namespace Antbot.Chaos;

/// <summary>What a case works with while its load runs.</summary>
internal sealed class Scene(Target target, Load load, Action<string> say, CancellationToken cancellationToken)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly List<string> _notes = [];
    private readonly List<string> _faults = [];

    public Target Target => target;

    public ServicesTarget Services => (ServicesTarget)target;

    public Load Load => load;

    public CancellationToken Cancel => cancellationToken;

    /// <summary>What really happened, for the table.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>What the case itself saw that must not be, besides what the checker sees.</summary>
    public IReadOnlyList<string> Faults => _faults;

    public void Note(string what) => _notes.Add(what);

    public void Fault(string what) => _faults.Add(what);

    public void Say(string what) => say(what);

    public Task WaitAsync(double seconds) => Task.Delay(TimeSpan.FromSeconds(seconds), cancellationToken);

    public async Task UntilAsync(Func<Task<bool>> holds, string what, TimeSpan? patience = null)
    {
        var began = Stopwatch.GetTimestamp();
        while (!await holds())
        {
            if (Stopwatch.GetElapsedTime(began) > (patience ?? Patience))
                throw new ChaosException($"It did not come about within {(patience ?? Patience).TotalSeconds:0} s: {what}");
            await Task.Delay(Look, cancellationToken);
        }
    }

    public Task UntilAsync(Func<bool> holds, string what, TimeSpan? patience = null) => UntilAsync(() => Task.FromResult(holds()), what, patience);

    /// <summary>So many more have been accepted.</summary>
    public Task AcceptedAsync(int more)
    {
        var goal = load.AcceptedCount + more;
        return UntilAsync(() => load.AcceptedCount >= goal, $"{more} more signals are accepted");
    }

    /// <summary>SIGKILL; returns when it has been started again and is ready.</summary>
    public async Task KillAsync(string name)
    {
        var daemon = target[name];
        var starts = daemon.Starts;
        daemon.Send(Signals.Kill);
        await UntilAsync(() => daemon.Starts > starts, $"{name} is started again");
        await ReadyAsync(name);
    }

    public Task ReadyAsync(string name) => target is ServicesTarget services
        ? UntilAsync(async () => await services.WhyNotReadyAsync(name, cancellationToken) is null, $"{name} is ready again")
        : UntilAsync(async () => await target.WhyNotReadyAsync(cancellationToken) is null, $"{name} is ready again");

    /// <summary>It stands still as if its machine had been suspended, and then goes on with whatever it believed.</summary>
    public async Task FreezeAsync(string name, double seconds)
    {
        var daemon = target[name];
        if (!daemon.Send(Signals.Stop))
            throw new ChaosException($"{name} could not be frozen: it is not running.");
        try
        {
            await WaitAsync(seconds);
        }
        finally
        {
            daemon.Send(Signals.Continue);
        }
        Note($"{name} stood still for {seconds:0} s");
    }
}
