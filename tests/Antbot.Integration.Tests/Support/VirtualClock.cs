namespace Antbot.Integration.Tests.Support;

/// <summary>Time that passes when a test says so, its timers included: who waits is woken at the very moment.</summary>
internal sealed class VirtualClock(DateTimeOffset start) : TimeProvider
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly List<Timer> _timers = [];
    private long _ticks = start.UtcTicks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => new(Volatile.Read(ref _ticks), TimeSpan.Zero);

    public override long GetTimestamp() => Volatile.Read(ref _ticks);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>For what waits for one thing at a time: each time it was woken, it is given time to come to wait again.</summary>
    public async Task PassAsync(TimeSpan time)
    {
        var until = Volatile.Read(ref _ticks) + time.Ticks;
        while (true)
        {
            await SomebodyWaitsAsync();
            Timer? next;
            lock (_lock)
            {
                next = _timers.Where(t => t.Due <= until).MinBy(t => t.Due);
                Volatile.Write(ref _ticks, next?.Due ?? until);
                if (next is not null)
                    _timers.Remove(next);
            }
            if (next is null)
                return;
            await Task.Run(next.Fire);
        }
    }

    private async Task SomebodyWaitsAsync()
    {
        var limit = DateTimeOffset.UtcNow + Patience;
        while (true)
        {
            lock (_lock)
            {
                if (_timers.Count > 0)
                    return;
            }
            Xunit.Assert.True(DateTimeOffset.UtcNow < limit, "Nobody came to wait for time to pass.");
            await Task.Delay(1);
        }
    }

    private sealed class Timer(VirtualClock clock, Action fire) : ITimer
    {
        public long Due { get; private set; }

        public void Fire() => fire();

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._lock)
            {
                clock._timers.Remove(this);
                if (dueTime != Timeout.InfiniteTimeSpan)
                {
                    Due = clock._ticks + dueTime.Ticks;
                    clock._timers.Add(this);
                }
            }
            return true;
        }

        public void Dispose()
        {
            lock (clock._lock)
                clock._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
