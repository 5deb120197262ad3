namespace Antbot.PaperVenue.Faults;

/// <summary>The machine's clock, wrong by as much as was ordered. Timers and stretches of time are the machine's own.</summary>
internal sealed class WrongClock(TimeProvider right) : TimeProvider
{
    private long _offTicks;

    public override TimeZoneInfo LocalTimeZone => right.LocalTimeZone;

    public override long TimestampFrequency => right.TimestampFrequency;

    public void SetOff(TimeSpan by) => Interlocked.Exchange(ref _offTicks, by.Ticks);

    public override DateTimeOffset GetUtcNow() => right.GetUtcNow().AddTicks(Interlocked.Read(ref _offTicks));

    public override long GetTimestamp() => right.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => right.CreateTimer(callback, state, dueTime, period);
}
