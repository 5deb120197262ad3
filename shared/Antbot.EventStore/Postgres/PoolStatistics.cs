namespace Antbot.EventStore.Postgres;

public enum PoolHealth
{
    /// <summary>Nobody has asked for a connection yet.</summary>
    Unknown,
    Healthy,

    /// <summary>It works, but something failed within the last minute.</summary>
    Degraded,

    /// <summary>The last attempt failed.</summary>
    Down,
}

/// <param name="Opened">Connections handed out.</param>
/// <param name="InUse">Handed out and not yet given back.</param>
/// <param name="Pings">Checks of connections that had lain idle.</param>
/// <param name="Replaced">Connections that failed their check and were replaced before anyone noticed.</param>
/// <param name="Failures">Operations that failed for want of a working connection.</param>
public sealed record PoolReport(PoolHealth Health, int Size, long Opened, int InUse, int InUsePeak, long Pings, long Replaced, long Failures, TimeSpan OpenTimeAverage, string? LastFailure);

/// <summary>What the pool has done and how it is. The figures are for people and metrics; no decision rests on them.</summary>
internal sealed class PoolStatistics(int size, TimeProvider clock)
{
    private static readonly TimeSpan DegradedFor = TimeSpan.FromMinutes(1);

    private long _opened;
    private long _pings;
    private long _replaced;
    private long _failures;
    private long _openTicks;
    private int _inUse;
    private int _peak;
    private long _failedAt = long.MinValue;
    private bool _lastFailed;
    private string? _lastFailure;

    public void Opened(TimeSpan took)
    {
        Interlocked.Increment(ref _opened);
        Interlocked.Add(ref _openTicks, took.Ticks);
        var inUse = Interlocked.Increment(ref _inUse);
        int peak;
        while (inUse > (peak = Volatile.Read(ref _peak)) && Interlocked.CompareExchange(ref _peak, inUse, peak) != peak)
        {
        }
        Volatile.Write(ref _lastFailed, false);
    }

    public void Returned() => Interlocked.Decrement(ref _inUse);

    public void Pinged() => Interlocked.Increment(ref _pings);

    public void Replaced() => Interlocked.Increment(ref _replaced);

    public void Worked() => Volatile.Write(ref _lastFailed, false);

    public void Failed(Exception e)
    {
        Interlocked.Increment(ref _failures);
        Interlocked.Exchange(ref _failedAt, clock.GetTimestamp());
        Volatile.Write(ref _lastFailure, e.Message);
        Volatile.Write(ref _lastFailed, true);
    }

    public PoolReport Report()
    {
        var opened = Interlocked.Read(ref _opened);
        return new PoolReport(
            Health(), size, opened, Volatile.Read(ref _inUse), Volatile.Read(ref _peak), Interlocked.Read(ref _pings), Interlocked.Read(ref _replaced),
            Interlocked.Read(ref _failures), opened == 0 ? TimeSpan.Zero : TimeSpan.FromTicks(Interlocked.Read(ref _openTicks) / opened), Volatile.Read(ref _lastFailure));
    }

    private PoolHealth Health()
    {
        if (Volatile.Read(ref _lastFailed))
            return PoolHealth.Down;
        var failedAt = Interlocked.Read(ref _failedAt);
        if (failedAt != long.MinValue && clock.GetElapsedTime(failedAt) < DegradedFor)
            return PoolHealth.Degraded;
        return Interlocked.Read(ref _opened) == 0 ? PoolHealth.Unknown : PoolHealth.Healthy;
    }
}
