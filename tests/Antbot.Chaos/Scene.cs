using System.Diagnostics;
using Antbot.Chaos.Running;

namespace Antbot.Chaos;

/// <summary>What a case works with while its load runs.</summary>
internal sealed class Scene(Target target, Load load, Action<string> say, CancellationToken cancellationToken)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan StandsStillFor = TimeSpan.FromSeconds(5);

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

    /// <summary>From here on nothing is broken any more, although the case goes on looking: the time to come to rest counts from here.</summary>
    public void Healed() => HealedAt = Stopwatch.GetTimestamp();

    /// <summary>Null where it is the end of the case itself.</summary>
    public long? HealedAt { get; private set; }

    public Task WaitAsync(double seconds) => Task.Delay(TimeSpan.FromSeconds(seconds), cancellationToken);

    public Task UntilAsync(Func<Task<bool>> holds, string what, TimeSpan? patience = null) => UntilAsync(holds, () => what, patience);

    public async Task UntilAsync(Func<Task<bool>> holds, Func<string> what, TimeSpan? patience = null)
    {
        var began = Stopwatch.GetTimestamp();
        while (!await holds())
        {
            if (Stopwatch.GetElapsedTime(began) > (patience ?? Patience))
                throw new ChaosException($"It did not come about within {(patience ?? Patience).TotalSeconds:0} s: {what()}");
            await Task.Delay(Look, cancellationToken);
        }
    }

    public Task UntilAsync(Func<bool> holds, string what, TimeSpan? patience = null) => UntilAsync(holds, () => what, patience);

    public Task UntilAsync(Func<bool> holds, Func<string> what, TimeSpan? patience = null) => UntilAsync(() => Task.FromResult(holds()), what, patience);

    /// <summary>Waits so long, in which <paramref name="count"/> must not have moved for a while: whoever breaks something shows that something stood still.</summary>
    public async Task StandstillAsync(Func<Task<long>> count, double seconds, string what)
    {
        var (began, since, before, longest) = (Stopwatch.GetTimestamp(), Stopwatch.GetTimestamp(), await count(), TimeSpan.Zero);
        while (Stopwatch.GetElapsedTime(began).TotalSeconds < seconds)
        {
            await Task.Delay(Look, cancellationToken);
            var now = await count();
            if (now != before)
                since = Stopwatch.GetTimestamp();
            before = now;
            longest = Stopwatch.GetElapsedTime(since) > longest ? Stopwatch.GetElapsedTime(since) : longest;
        }
        Note($"{what} stood still for {longest.TotalSeconds:0} s");
        if (longest < StandsStillFor)
            Fault($"{what} never stood still for {StandsStillFor.TotalSeconds:0} s: nothing was broken");
    }

    /// <summary>So many more have been accepted.</summary>
    public Task AcceptedAsync(int more, TimeSpan? patience = null)
    {
        var goal = load.AcceptedCount + more;
        return UntilAsync(() => load.AcceptedCount >= goal, () => $"{more} more signals are accepted, not {more - goal + load.AcceptedCount}", patience);
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
    /// <param name="meanwhile">What is looked for while it stands still.</param>
    public async Task FreezeAsync(string name, double seconds, Func<Task>? meanwhile = null)
    {
        var daemon = target[name];
        if (!daemon.Send(Signals.Stop))
            throw new ChaosException($"{name} could not be frozen: it is not running.");
        try
        {
            await UntilAsync(() => daemon.IsStopped, $"{name} stands still", TimeSpan.FromSeconds(5));
            var used = daemon.Processor;
            await Task.WhenAll(WaitAsync(seconds), meanwhile?.Invoke() ?? Task.CompletedTask);
            if (daemon.Processor > used)
                Fault($"{name} did not stand still: it used the processor");
        }
        finally
        {
            daemon.Send(Signals.Continue);
        }
        Note($"{name} stood still for {seconds:0} s");
    }
}
