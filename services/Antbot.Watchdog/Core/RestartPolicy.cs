namespace Antbot.Watchdog.Core;

/// <summary>How a process of ours ended.</summary>
/// <param name="RanFor">From its start to its end.</param>
public sealed record ProcessEnd(int ExitCode, TimeSpan RanFor);

/// <param name="Failures">Ends in a row of a process that had not run long enough to count as sound.</param>
public sealed record RestartState(int Failures)
{
    public static RestartState Initial { get; } = new(0);
}

public abstract record Restart(RestartState State)
{
    public sealed record After(RestartState State, TimeSpan Pause) : Restart(State);

    /// <summary>Starting it again would change nothing.</summary>
    public sealed record Never(RestartState State, string Reason) : Restart(State);
}

/// <summary>What dies is started again: at once the first time, then ever more slowly, for as long as it takes.</summary>
public static class RestartPolicy
{
    public const int InvalidConfiguration = 78;

    public static readonly TimeSpan Sound = TimeSpan.FromSeconds(60);
    public static readonly TimeSpan PauseMin = TimeSpan.FromMilliseconds(200);
    public static readonly TimeSpan PauseMax = TimeSpan.FromSeconds(60);

    public static Restart Decide(RestartState state, ProcessEnd end)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(end);
        if (end.ExitCode == InvalidConfiguration)
            return new Restart.Never(state, "its configuration is wrong; its log names every fault");
        var failures = end.RanFor >= Sound ? 0 : state.Failures;
        var pause = failures >= 20 ? PauseMax : TimeSpan.FromTicks(Math.Min(PauseMin.Ticks << failures, PauseMax.Ticks));
        return new Restart.After(new RestartState(failures + 1), pause);
    }
}
