namespace Antbot.Simulation.Time;

/// <summary>
/// One thread, one queue, virtual time. Everything that happens is an item of it, in the order of its time and then of its coming, so
/// that a run is the same whenever it is run.
/// </summary>
public sealed class SimLoop
{
    /// <summary>A key is the time in its upper bits and the order of coming in its lower ones: they are compared in one step.</summary>
    private const int OrderBits = 24;
    private const long OrderMask = (1L << OrderBits) - 1;

    private static readonly SendOrPostCallback Call = static act => ((Action)act!)();
    private static readonly SendOrPostCallback Complete = static done => ((TaskCompletionSource)done!).TrySetResult();

    /// <summary>The queue orders the places of what waits, and not what waits itself: what it moves about holds no references.</summary>
    private readonly PriorityQueue<int, long> _queue = new();
    private readonly List<Item> _places = [];
    private readonly Stack<int> _free = [];
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private long _order;

    public SimLoop() => World = new SimContext(this, "world");

    public static DateTimeOffset Epoch { get; } = new(2026, 3, 2, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Where what belongs to no process happens: the wire, the store's disk, the venue.</summary>
    public SimContext World { get; }

    /// <summary>Since the beginning, in ticks.</summary>
    public long Ticks { get; private set; }

    public TimeSpan Now => TimeSpan.FromTicks(Ticks);

    public double Seconds => (double)Ticks / TimeSpan.TicksPerSecond;

    public long Steps { get; private set; }

    /// <summary>What is going to happen, as far as it is known.</summary>
    public int Waiting => _queue.Count;

    /// <summary>As much as there ever was of it.</summary>
    public int WaitingMost { get; private set; }

    /// <summary>What went on outside of this thread, where anything did.</summary>
    public string? Escaped { get; private set; }

    public void At(TimeSpan delay, Action act, SimContext? context = null) => At(delay, Call, act, context ?? World);

    public void At(TimeSpan delay, SendOrPostCallback act, object? state, SimContext context)
    {
        if (IsHere("something was scheduled"))
            Enqueue(new Item(context, act, state), Ticks + Math.Max(0, delay.Ticks), _order++);
    }

    /// <summary>Completes in that context: what awaits it there goes on in the same step.</summary>
    public Task DelayAsync(TimeSpan delay, SimContext context)
    {
        var done = new TaskCompletionSource();
        CompleteAfter(delay, done, context);
        return done.Task;
    }

    public void CompleteAfter(TimeSpan delay, TaskCompletionSource done, SimContext context) => At(delay, Complete, done, context);

    public bool Step()
    {
        if (!_queue.TryDequeue(out var place, out var key))
            return false;
        var item = _places[place];
        _places[place] = default;
        _free.Push(place);
        Ticks = Math.Max(Ticks, key >> OrderBits);
        if (item.Context.IsDead)
            return true;
        if (item.Context.FrozenUntil > Ticks)
        {
            Enqueue(item, item.Context.FrozenUntil, key & OrderMask);
            return true;
        }
        Steps++;
        SynchronizationContext.SetSynchronizationContext(item.Context);
        item.Act(item.State);
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

    private void Enqueue(Item item, long at, long order)
    {
        if (order > OrderMask || at >= 1L << (63 - OrderBits))
            throw new InvalidOperationException("More happens in this run than its queue can order.");
        if (_free.TryPop(out var place))
        {
            _places[place] = item;
        }
        else
        {
            place = _places.Count;
            _places.Add(item);
        }
        _queue.Enqueue(place, at << OrderBits | order);
        if (_queue.Count > WaitingMost)
            WaitingMost = _queue.Count;
    }

    private readonly record struct Item(SimContext Context, SendOrPostCallback Act, object? State);
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

    public override void Post(SendOrPostCallback d, object? state) => loop.At(TimeSpan.Zero, d, state, this);

    public override void Send(SendOrPostCallback d, object? state) => throw new NotSupportedException("Nothing waits for another thread here.");

    public override SynchronizationContext CreateCopy() => this;
}

/// <summary>A process's own clocks: the one on the wall may be wrong and may be set, the steady one never is.</summary>
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
        var timer = new Timer(loop, context, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class Timer(SimLoop loop, SimContext context, TimerCallback callback, object? state) : ITimer
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
            callback(state);
        }
    }
}
