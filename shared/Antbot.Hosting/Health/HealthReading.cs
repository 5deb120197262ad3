namespace Antbot.Hosting;

/// <summary>How much of the platform still works, from what is broken. Entered at once, and left by itself after a calm while.</summary>
public enum DegradationLevel
{
    Normal = 0,

    /// <summary>Something works worse; everything is still done.</summary>
    Reduced = 1,

    /// <summary>New entries do not get through; what is open is looked after.</summary>
    Minimal = 2,

    /// <summary>Nothing can be recorded: entries and recorded exits stand still, and what rests at the venue protects.</summary>
    Emergency = 3,
}

/// <summary>The level that this process is at.</summary>
public interface IDegradation
{
    DegradationLevel Level { get; }
}

public enum HealthState
{
    Ok,
    Degraded,
    Down,
}

/// <summary>One thing that can be well or not.</summary>
/// <param name="Name">Small letters with hyphens: <c>store</c>, <c>venue-orders</c>. The same at all times: it labels a metric.</param>
/// <param name="Reason">What is wrong and what to do, for a person; null while it is well.</param>
/// <param name="Since">When it became so.</param>
public sealed record HealthReading(string Name, HealthState State, string? Reason = null, DateTimeOffset? Since = null)
{
    /// <summary>How far it pulls the whole down.</summary>
    public DegradationLevel Level { get; init; } = State switch
    {
        HealthState.Ok => DegradationLevel.Normal,
        HealthState.Degraded => DegradationLevel.Reduced,
        _ => DegradationLevel.Minimal,
    };

    /// <summary>Whether the process is not ready while this is down.</summary>
    public bool IsNeeded { get; init; }
}

/// <summary>What a module knows of its own health. Asked every second: it answers from memory, at once.</summary>
public interface IHealthSource
{
    IEnumerable<HealthReading> Read();

    /// <summary>Figures for <c>/health</c>, such as <c>open_positions</c>.</summary>
    IEnumerable<KeyValuePair<string, object?>> Figures() => [];
}
