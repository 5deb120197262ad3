namespace Antbot.Signals;

/// <summary>So many at once, so many a second on average.</summary>
public sealed class TokenBucket(int ratePerSecond, int burst, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private double _tokens = burst;
    private long _filledAt = clock.GetTimestamp();

    /// <summary>Null where one was taken; else how long until there is one.</summary>
    public TimeSpan? TryTake()
    {
        lock (_lock)
        {
            var now = clock.GetTimestamp();
            _tokens = Math.Min(burst, _tokens + clock.GetElapsedTime(_filledAt, now).TotalSeconds * ratePerSecond);
            _filledAt = now;
            if (_tokens < 1)
                return TimeSpan.FromSeconds((1 - _tokens) / ratePerSecond);
            _tokens--;
            return null;
        }
    }

    public void GiveBack()
    {
        lock (_lock)
            _tokens = Math.Min(burst, _tokens + 1);
    }
}
