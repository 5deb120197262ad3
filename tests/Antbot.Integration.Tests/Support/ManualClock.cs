namespace Antbot.Integration.Tests.Support;

/// <summary>Stands still until it is moved. Its timers are the system's.</summary>
internal sealed class ManualClock(DateTimeOffset start) : TimeProvider
{
    private long _ticks = start.UtcTicks;
    private Exception? _fails;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => Interlocked.Exchange(ref _fails, null) is { } fault ? throw fault : new DateTimeOffset(Volatile.Read(ref _ticks), TimeSpan.Zero);

    public override long GetTimestamp() => Volatile.Read(ref _ticks);

    public void Move(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);

    /// <summary>The next one that asks for the time gets this.</summary>
    public void Fail(Exception with) => Volatile.Write(ref _fails, with);
}
