using Antbot.Contracts;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;
using Antbot.Simulation.Faults;
using Antbot.Simulation.Time;

namespace Antbot.Simulation.Ports;

/// <summary>The database: what every process's store stands on. It commits in its own time, whether its client lives or not.</summary>
public sealed class SimDisk
{
    public const string CheckpointRefused = "checkpoints that a full disk refused";
    public const string CopyRefused = "kept states that a full disk refused";
    public const string RowsRefused = "rows of read models that a full disk refused";
    public const string BodyRefused = "large bodies that a full disk refused";

    private readonly SimLoop _loop;
    private readonly Chance _chance;
    private readonly Dictionary<int, StoreStalls> _stalls;
    private readonly Dictionary<int, StoreDoubt> _doubts;
    private readonly Dictionary<int, StoreGap> _gaps;
    private readonly Dictionary<int, HaltedBefore> _halts;
    private readonly Lasting<StoreDown> _downs;
    private readonly Lasting<StoreSlow> _slows;
    private readonly List<(TaskCompletionSource Woken, SimContext Context)> _waiting = [];
    private int _appends;
    private int _entries;
    private long _calls;

    /// <summary>One batch at a time, as the lock on appends makes it.</summary>
    private long _freeAt;

    public SimDisk(SimLoop loop, Plan plan, Tally tally)
    {
        (_loop, _chance, Tally) = (loop, new Chance(plan.Seed), tally);
        _stalls = plan.Faults.OfType<StoreStalls>().DistinctBy(f => f.Nth).ToDictionary(f => f.Nth);
        _doubts = plan.Faults.OfType<StoreDoubt>().DistinctBy(f => f.Nth).ToDictionary(f => f.Nth);
        _gaps = plan.Faults.OfType<StoreGap>().DistinctBy(f => f.Nth).ToDictionary(f => f.Nth);
        _halts = plan.Faults.OfType<HaltedBefore>().DistinctBy(f => f.NthEntry).ToDictionary(f => f.NthEntry);
        (_downs, _slows) = (new Lasting<StoreDown>(plan), new Lasting<StoreSlow>(plan));
    }

    public InMemoryEventStore Data { get; } = new(DeterministicId.From("simulation"));

    public Tally Tally { get; }

    /// <summary>Called with what was committed, at that moment.</summary>
    public Action<IReadOnlyList<StoredEvent>> Committed { get; set; } = _ => { };

    /// <summary>Called in the middle of a commit, to put another one before it.</summary>
    public Action<HaltedBefore> Halt { get; set; } = _ => { };

    public long Mark { get; private set; }

    /// <summary>Appends that have come and are not committed.</summary>
    public int UnderWay { get; private set; }

    /// <summary>As many as there ever were at once.</summary>
    public int UnderWayMost { get; private set; }

    /// <summary>Appends that were committed, whether anything came of them or not.</summary>
    public int Commits { get; private set; }

    /// <summary>As many as ever waited at once for something to be appended.</summary>
    public int WaitingMost { get; private set; }

    public StoreDown? Down => _downs.At(_loop);

    public TimeSpan Latency(string what) => _chance.Between(0.0005, 0.004, what, _calls++);

    public void Append(PreparedAppend append, TaskCompletionSource<AppendOutcome> done, SimContext client)
    {
        var number = ++_appends;
        var stall = TimeSpan.Zero;
        if (_stalls.TryGetValue(number, out var fault))
        {
            stall = TimeSpan.FromSeconds(fault.Seconds);
            Tally.Happened(fault);
        }
        var at = Math.Max(_loop.Ticks, _freeAt) + (AppendTime() + stall).Ticks;
        _freeAt = at;
        UnderWayMost = Math.Max(UnderWayMost, ++UnderWay);
        _loop.At(TimeSpan.FromTicks(at - _loop.Ticks), () => Commit(append, number, done, client));
    }

    private TimeSpan AppendTime()
    {
        if (_slows.At(_loop) is not { } slow)
            return Latency("append");
        Tally.Happened(slow);
        return TimeSpan.FromMilliseconds(slow.Milliseconds);
    }

    /// <summary>One request and its answer, but for appends.</summary>
    /// <param name="refused">What a full disk refuses; null for what it does not.</param>
    public async Task CallAsync(string what, string latency, string? refused, SimContext client)
    {
        _loop.IsHere(what);
        await client.AliveAsync();
        await _loop.DelayAsync(Latency(latency), client);
        if (Down is not { } down || (down.Full && refused is null))
            return;
        Tally.Happened(down);
        if (down.Full)
            Tally.Happened(refused!);
        throw Fault(down);
    }

    /// <summary>Completed when something is appended, or never.</summary>
    public void OnAppend(TaskCompletionSource woken, SimContext client)
    {
        _waiting.RemoveAll(w => w.Woken.Task.IsCompleted || w.Context.IsDead);
        _waiting.Add((woken, client));
        WaitingMost = Math.Max(WaitingMost, _waiting.Count);
    }

    /// <summary>What an operator says from the terminal, at this very moment.</summary>
    public void CommitCommand(AppendRequest request)
    {
        if (Data.Append(PreparedAppend.From(request)) is AppendOutcome.Appended appended)
            Announce(appended.Events);
    }

    /// <summary>What another application has committed shows up at the end of the ledger.</summary>
    public void Seal(StoredEvent foreign) => Announce([Data.Seal(foreign)]);

    private static bool IsEntry(AppendRequest request) => request.Events.Any(e => e.Type == "order_attempted" && e.Data.Span.IndexOf("\"e"u8) >= 0);

    private void Commit(PreparedAppend append, int number, TaskCompletionSource<AppendOutcome> done, SimContext client)
    {
        UnderWay--;
        Commits++;
        if (Down is { } down)
        {
            Tally.Happened(down);
            Answer(client, () => done.SetException(Fault(down)));
            return;
        }
        if (_gaps.TryGetValue(number, out var gap))
        {
            Tally.Happened(gap);
            Data.DrawSequences(gap.Numbers);
        }
        if (_halts.Count > 0 && IsEntry(append.Request) && _halts.TryGetValue(++_entries, out var halt))
        {
            Tally.Happened(halt);
            Halt(halt);
        }
        var outcome = Data.Append(append);
        if (outcome is AppendOutcome.Appended appended)
            Announce(appended.Events);
        if (_doubts.TryGetValue(number, out var doubt))
        {
            Tally.Happened(doubt);
            _loop.At(TimeSpan.FromSeconds(2), () => done.SetException(new EventStoreException(StoreFault.OutcomeUnknown, "The connection broke after the append was sent.")), client);
            return;
        }
        Answer(client, () => done.SetResult(outcome));
    }

    public static EventStoreException Fault(StoreDown down) => down.Full
        ? new EventStoreException(StoreFault.Full, "The disk is full.")
        : new EventStoreException(StoreFault.Unavailable, "The database is away.");

    private void Announce(IReadOnlyList<StoredEvent> events)
    {
        Committed(events);
        Mark++;
        foreach (var (woken, client) in _waiting)
            _loop.CompleteAfter(Latency("notify"), woken, client);
        _waiting.Clear();
    }

    private void Answer(SimContext client, Action answer) => _loop.At(Latency("answer"), answer, client);
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
        var done = new TaskCompletionSource<AppendOutcome>();
        disk.Append(PreparedAppend.From(request), done, context);
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
        await using var cancelled = cancellationToken.UnsafeRegister(static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), woken);
        disk.OnAppend(woken, context);
        loop.CompleteAfter(atMost, woken, context);
        await woken.Task;
    }

    public async Task<long> LoadCheckpointAsync(string subscription, CancellationToken cancellationToken = default)
    {
        await ReadAsync();
        return await disk.Data.LoadCheckpointAsync(subscription, cancellationToken);
    }

    public async Task SaveCheckpointAsync(string subscription, long sequence, CancellationToken cancellationToken = default)
    {
        await WriteAsync(SimDisk.CheckpointRefused);
        await disk.Data.SaveCheckpointAsync(subscription, sequence, cancellationToken);
    }

    public async Task<Snapshot?> LoadSnapshotAsync(StreamId stream, string name, CancellationToken cancellationToken = default)
    {
        await ReadAsync();
        return await disk.Data.LoadSnapshotAsync(stream, name, cancellationToken);
    }

    public async Task SaveSnapshotAsync(Snapshot snapshot, CancellationToken cancellationToken = default)
    {
        await WriteAsync(SimDisk.CopyRefused);
        await disk.Data.SaveSnapshotAsync(snapshot, cancellationToken);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private Task ReadAsync() => disk.CallAsync("a read", "read", refused: null, context);

    private Task WriteAsync(string refused) => disk.CallAsync("a write", "write", refused, context);
}
