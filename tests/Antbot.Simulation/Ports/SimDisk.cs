using Antbot.Contracts;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;
using Antbot.Simulation.Faults;
using Antbot.Simulation.Time;

namespace Antbot.Simulation.Ports;

/// <summary>The database: what every process's store stands on. It commits in its own time, whether its client lives or not.</summary>
public sealed class SimDisk
{
    private readonly SimLoop _loop;
    private readonly Chance _chance;
    private readonly Dictionary<int, StoreStalls> _stalls;
    private readonly HashSet<int> _doubts;
    private readonly List<StoreDown> _downs;
    private readonly List<Action> _waiting = [];
    private readonly Dictionary<int, HaltedBefore> _halts;
    private int _appends;
    private int _entries;
    private long _calls;

    /// <summary>One batch at a time, as the lock on appends makes it.</summary>
    private long _freeAt;

    public SimDisk(SimLoop loop, Plan plan, Tally tally)
    {
        (_loop, _chance, Tally) = (loop, new Chance(plan.Seed), tally);
        _stalls = plan.Faults.OfType<StoreStalls>().DistinctBy(f => f.Nth).ToDictionary(f => f.Nth);
        _doubts = [.. plan.Faults.OfType<StoreDoubt>().Select(f => f.Nth)];
        _downs = [.. plan.Faults.OfType<StoreDown>()];
        _halts = plan.Faults.OfType<HaltedBefore>().DistinctBy(f => f.NthEntry).ToDictionary(f => f.NthEntry);
    }

    public InMemoryEventStore Data { get; } = new(DeterministicId.From("simulation"));

    public Tally Tally { get; }

    /// <summary>Called with what was committed, at that moment.</summary>
    public Action<IReadOnlyList<StoredEvent>> Committed { get; set; } = _ => { };

    /// <summary>Called in the middle of a commit, to put another one before it.</summary>
    public Action<HaltedBefore> Halt { get; set; } = _ => { };

    public long Mark { get; private set; }

    public TimeSpan Latency(string what) => _chance.Between(0.0005, 0.004, what, _calls++);

    public StoreDown? Down => _downs.Find(d => _loop.Now.TotalSeconds >= d.AtSeconds && _loop.Now.TotalSeconds < d.AtSeconds + d.ForSeconds);

    public void Append(AppendRequest request, TaskCompletionSource<AppendOutcome> done)
    {
        var number = ++_appends;
        var stall = TimeSpan.Zero;
        if (_stalls.TryGetValue(number, out var fault))
        {
            stall = TimeSpan.FromSeconds(fault.Seconds);
            Tally.Happened(fault);
        }
        var at = Math.Max(_loop.Ticks, _freeAt) + (Latency("append") + stall).Ticks;
        _freeAt = at;
        _loop.At(TimeSpan.FromTicks(at - _loop.Ticks), () => Commit(request, number, done));
    }

    /// <summary>Called back when something is appended, or never.</summary>
    public void OnAppend(Action look) => _waiting.Add(look);

    private void Commit(AppendRequest request, int number, TaskCompletionSource<AppendOutcome> done)
    {
        if (Down is { } down)
        {
            Tally.Happened(down);
            Answer(() => done.SetException(down.Full
                ? new EventStoreException(StoreFault.Full, "The disk is full.")
                : new EventStoreException(StoreFault.Unavailable, "The database is away.")));
            return;
        }
        // An entry's attempt is what rests on another stream.
        if (IsEntry(request) && _halts.TryGetValue(++_entries, out var halt))
        {
            Tally.Happened(halt);
            Halt(halt);
        }
        CommitNow(request, number, done);
    }

    /// <summary>What an operator says from the terminal, at this very moment.</summary>
    public void CommitCommand(AppendRequest request) => CommitNow(request, 0, new TaskCompletionSource<AppendOutcome>());

    private static bool IsEntry(AppendRequest request) => request.Events.Any(e => e.Type == "order_attempted" && e.Data.Span.IndexOf("\"e"u8) >= 0);

    private void CommitNow(AppendRequest request, int number, TaskCompletionSource<AppendOutcome> done)
    {
        // Nothing in it waits: it is done when it returns.
        var outcome = Data.AppendAsync(request, CancellationToken.None);
        if (outcome.IsFaulted)
        {
            Answer(() => done.SetException(outcome.Exception!.InnerExceptions));
            return;
        }
        if (outcome.Result is AppendOutcome.Appended appended)
        {
            Committed(appended.Events);
            Mark++;
            var waiting = _waiting.ToList();
            _waiting.Clear();
            foreach (var look in waiting)
                _loop.At(Latency("notify"), look);
        }
        if (_doubts.Remove(number))
        {
            Tally.Happened(new StoreDoubt(number));
            _loop.At(TimeSpan.FromSeconds(2), () => done.SetException(new EventStoreException(StoreFault.OutcomeUnknown, "The connection broke after the append was sent.")));
            return;
        }
        Answer(() => done.SetResult(outcome.Result));
    }

    private void Answer(Action answer) => _loop.At(Latency("answer"), answer);
}

/// <summary>One process's way to the database.</summary>
public sealed class SimStore(SimDisk disk, SimLoop loop, SimContext context) : IEventStore
{
    public ILedger Ledger => disk.Data.Ledger;

    public long AppendMark => disk.Mark;

    public async Task<AppendOutcome> AppendAsync(AppendRequest request, CancellationToken cancellationToken = default)
    {
        loop.IsHere("an append");
        await context.AliveAsync();
        cancellationToken.ThrowIfCancellationRequested();
        _ = PreparedAppend.From(request);
        var done = new TaskCompletionSource<AppendOutcome>();
        disk.Append(request, done);
        return await done.Task;
    }

    public async Task<IReadOnlyList<StoredEvent>> FindDecisionAsync(Decision decision, CancellationToken cancellationToken = default)
    {
        await ReadAsync();
        return await disk.Data.FindDecisionAsync(decision, cancellationToken);
    }

    public async Task<long> ReadVersionAsync(StreamId stream, CancellationToken cancellationToken = default)
    {
        await ReadAsync();
        return await disk.Data.ReadVersionAsync(stream, cancellationToken);
    }

    public async IAsyncEnumerable<StoredEvent> ReadStreamAsync(
        StreamId stream, long fromVersion = 1, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await ReadAsync();
        await foreach (var stored in disk.Data.ReadStreamAsync(stream, fromVersion, cancellationToken))
            yield return stored;
    }

    public async Task<IReadOnlyList<StoredEvent>> ReadPageAsync(long afterSequence, int limit, CancellationToken cancellationToken = default)
    {
        await ReadAsync();
        return await disk.Data.ReadPageAsync(afterSequence, limit, cancellationToken);
    }

    public async Task<IReadOnlyList<StoredEvent>> FindByCorrelationAsync(string correlationId, int limit = 1_000, CancellationToken cancellationToken = default)
    {
        await ReadAsync();
        return await disk.Data.FindByCorrelationAsync(correlationId, limit, cancellationToken);
    }

    public async Task WaitForAppendAsync(long mark, TimeSpan atMost, CancellationToken cancellationToken = default)
    {
        loop.IsHere("a wait for events");
        await context.AliveAsync();
        if (mark != disk.Mark)
            return;
        var woken = new TaskCompletionSource();
        using var cancelled = cancellationToken.Register(() => woken.TrySetCanceled(cancellationToken));
        disk.OnAppend(() => woken.TrySetResult());
        loop.At(atMost, () => woken.TrySetResult());
        await woken.Task;
    }

    public async Task<long> LoadCheckpointAsync(string subscription, CancellationToken cancellationToken = default)
    {
        await ReadAsync();
        return await disk.Data.LoadCheckpointAsync(subscription, cancellationToken);
    }

    public async Task SaveCheckpointAsync(string subscription, long sequence, CancellationToken cancellationToken = default)
    {
        await ReadAsync();
        await disk.Data.SaveCheckpointAsync(subscription, sequence, cancellationToken);
    }

    public async Task<Snapshot?> LoadSnapshotAsync(StreamId stream, string name, CancellationToken cancellationToken = default)
    {
        await ReadAsync();
        return await disk.Data.LoadSnapshotAsync(stream, name, cancellationToken);
    }

    public async Task SaveSnapshotAsync(Snapshot snapshot, CancellationToken cancellationToken = default)
    {
        await ReadAsync();
        await disk.Data.SaveSnapshotAsync(snapshot, cancellationToken);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task ReadAsync()
    {
        loop.IsHere("a read");
        await context.AliveAsync();
        await loop.DelayAsync(disk.Latency("read"));
        if (disk.Down is { Full: false } down)
        {
            disk.Tally.Happened(down);
            throw new EventStoreException(StoreFault.Unavailable, "The database is away.");
        }
    }
}
