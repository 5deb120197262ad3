namespace Antbot.Kernel.Time;

/// <summary>Time as the store keeps it: UTC, cut (never rounded) to microseconds, so that what was decided is what is read back.</summary>
public static class Microseconds
{
    public static DateTimeOffset Cut(this DateTimeOffset time)
    {
        var utc = time.UtcTicks;
        return new DateTimeOffset(utc - utc % TimeSpan.TicksPerMicrosecond, TimeSpan.Zero);
    }

    public static long ToUnixMicroseconds(this DateTimeOffset time) =>
        (time.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / TimeSpan.TicksPerMicrosecond;

    public static DateTimeOffset FromUnixMicroseconds(long microseconds) =>
        DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);
}
