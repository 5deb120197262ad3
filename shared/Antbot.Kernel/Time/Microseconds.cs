namespace Antbot.Kernel.Time;

/// <summary>Time as the store keeps it: UTC, cut (never rounded) to microseconds, so that what was decided is what is read back.</summary>
public static class Microseconds
{
    private static readonly long EpochMicroseconds = DateTimeOffset.UnixEpoch.UtcTicks / TimeSpan.TicksPerMicrosecond;

    public static DateTimeOffset Cut(this DateTimeOffset time)
    {
        var utc = time.UtcTicks;
        return new DateTimeOffset(utc - utc % TimeSpan.TicksPerMicrosecond, TimeSpan.Zero);
    }

    /// <summary>The same for a time and its cut, before 1970 too: ticks count from year 1, so this division never rounds up.</summary>
    public static long ToUnixMicroseconds(this DateTimeOffset time) =>
        time.UtcTicks / TimeSpan.TicksPerMicrosecond - EpochMicroseconds;

    public static DateTimeOffset FromUnixMicroseconds(long microseconds)
    {
        // A number from a file may be anything: unchecked, the product wraps round to a time that looks right.
        ArgumentOutOfRangeException.ThrowIfLessThan(microseconds, DateTimeOffset.MinValue.ToUnixMicroseconds());
        ArgumentOutOfRangeException.ThrowIfGreaterThan(microseconds, DateTimeOffset.MaxValue.ToUnixMicroseconds());
        return DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);
    }
}
