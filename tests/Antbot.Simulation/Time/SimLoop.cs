namespace Antbot.Simulation.Time;

/// <summary>
/// One thread, one queue, virtual time. Everything that happens is an item of it, in the order of its time and then of its coming, so
/// that a run is the same whenever it is run.
/// </summary>
public sealed class SimLoop
{
    private readonly PriorityQueue<(SimContext Context, Action Act), (long At, long Order)> _items = new();
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private long _order;

    public SimLoop() => World = new SimContext(this, "world");

    public static DateTimeOffset Epoch { get; } = new(2026, 3, 2, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Where what belongs to no process happens: the wire, the store's disk, the venue.</summary>
    public SimContext World { get; }

    /// <summary>Since the beginning, in ticks.</summary>
    public long Ticks { get; private set; }

    public TimeSpan Now => TimeSpan.FromTicks(Ticks);

    public long Steps { get; private set; }

    /// <summary>What went on outside of this thread, where anything did.</summary>
    public string? Escaped { get; private set; }

    public void At(TimeSpan delay, Action act, SimContext? context = null)
    {
        if (!IsHere("something was scheduled"))
            return;
        _items.Enqueue((context ?? World, act), (Ticks + Math.Max(0, delay.Ticks), _order++));
    }

    /// <summary>Completes in the caller's own context.</summary>
    public Task DelayAsync(TimeSpan delay)
    {
        var done = new TaskCompletionSource();
        At(delay, done.SetResult);
        return done.Task;
    }

    public bool Step()
    {
        if (!_items.TryDequeue(out var item, out var key))
            return false;
        Ticks = Math.Max(Ticks, key.At);
        if (item.Context.IsDead)
            return true;
        if (item.Context.FrozenUntil > Ticks)
        {
            _items.Enqueue(item, (item.Context.FrozenUntil, key.Order));
            return true;
        }
        Steps++;
        SynchronizationContext.SetSynchronizationContext(item.Context);
        item.Act();
        return true;
    }

    /// <summary>Whether this is the one thread; said of everything that a process can call.</summary>
    public bool IsHere(string what)
    {
        if (Environment.CurrentManagedThreadId == _thread)
            return true;
        Escaped ??= $"{what} on another thread: {Environment.StackTrace}";
        return false;
    }
}

/// <summary>Where a process's continuations run. Once it is dead they never do.</summary>
public sealed class SimContext(SimLoop loop, string name) : SynchronizationContext
{
    public string Name { get; } = name;

    public bool IsDead { get; private set; }

    /// <summary>In ticks: a stopped process goes on then, as if no time had passed.</summary>
    public long FrozenUntil { get; private set; }

    public void Kill() => IsDead = true;

    /// <summary>Never completes once the process is dead: whatever its code still tries on its way out leads nowhere.</summary>
    public Task AliveAsync() => IsDead ? new TaskCompletionSource().Task : Task.CompletedTask;

    public void Freeze(TimeSpan time) => FrozenUntil = loop.Ticks + time.Ticks;

    public override void Post(SendOrPostCallback d, object? state) => loop.At(TimeSpan.Zero, () => d(state), this);

    public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("Nothing waits for another thread here.");

    public override SynchronizationContext CreateCopy() => this;
}

/// <summary>A process's own clocks: the one on the wall may be wrong, the steady one never is.</summary>
public sealed class SimClock(SimLoop loop, SimContext context) : TimeProvider
{
    public TimeSpan Skew { get; set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        loop.IsHere("a clock was read");
        return SimLoop.Epoch + loop.Now + Skew;
    }

    public override long GetTimestamp() => loop.Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(loop, context, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class Timer(SimLoop loop, SimContext context, Action fire) : ITimer
    {
        private int _generation;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var generation = ++_generation;
            if (dueTime >= TimeSpan.Zero)
                loop.At(dueTime, () => Fire(generation, period), context);
            return true;
        }

        public void Dispose() => _generation++;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Fire(int generation, TimeSpan period)
        {
            if (generation != _generation)
                return;
            if (period > TimeSpan.Zero)
                loop.At(period, () => Fire(generation, period), context);
            fire();
        }
    }
}
