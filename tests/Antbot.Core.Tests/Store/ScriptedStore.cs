using System.Runtime.CompilerServices;
using Antbot.Contracts;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;

namespace Antbot.Core.Tests.Store;

/// <summary>The in-memory store with a script: what happens before an operation, and what a reader gets to see of the answer.</summary>
internal sealed class ScriptedStore(IEventStore inner) : IEventStore
{
    /// <summary>Called with the operation's name before it is done; what it throws is the operation's fault.</summary>
    public Action<string> Before { get; set; } = _ => { };

    /// <summary>Called when the reader has nothing to do and is about to wait.</summary>
    public Action Idle { get; set; } = () => { };

    /// <summary>Called with every page that was read, before the reader has it.</summary>
    public Func<IReadOnlyList<StoredEvent>, Task> PageRead { get; set; } = _ => Task.CompletedTask;

    public Func<StoredEvent, bool> Shown { get; set; } = _ => true;

    /// <summary>Makes of the snapshot that is there the one that the reader gets.</summary>
    public Func<Snapshot?, Snapshot?> SnapshotRead { get; set; } = there => there;

    public List<long> StreamReadsFrom { get; } = [];

    public List<long> Saved { get; } = [];

    /// <summary>How many appends came together, each time that several did.</summary>
    public List<int> Together { get; } = [];

    public Task<IReadOnlyList<StoredEvent>> FindDecisionAsync(Decision decision, CancellationToken cancellationToken = default) =>
        inner.FindDecisionAsync(decision, cancellationToken);

    public IReadOnlyList<Task<AppendOutcome>> AppendInOrder(IReadOnlyList<AppendRequest> requests, CancellationToken cancellationToken = default)
    {
        Together.Add(requests.Count);
        return inner.AppendInOrder(requests, cancellationToken);
    }

    public ILedger Ledger => inner.Ledger;

    public long AppendMark
    {
        get
        {
            Before(nameof(AppendMark));
            return inner.AppendMark;
        }
    }

    public Task<AppendOutcome> AppendAsync(AppendRequest request, CancellationToken cancellationToken = default) => inner.AppendAsync(request, cancellationToken);

    public Task<long> ReadVersionAsync(StreamId stream, CancellationToken cancellationToken = default) => inner.ReadVersionAsync(stream, cancellationToken);

    public async IAsyncEnumerable<StoredEvent> ReadStreamAsync(
        StreamId stream, long fromVersion = 1, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        StreamReadsFrom.Add(fromVersion);
        await foreach (var e in inner.ReadStreamAsync(stream, fromVersion, cancellationToken))
        {
            if (Shown(e))
                yield return e;
        }
    }

    public async Task<IReadOnlyList<StoredEvent>> ReadPageAsync(long afterSequence, int limit, CancellationToken cancellationToken = default)
    {
        Before(nameof(ReadPageAsync));
        var page = await inner.ReadPageAsync(afterSequence, limit, cancellationToken);
        await PageRead(page);
        return page;
    }

    public Task<IReadOnlyList<StoredEvent>> FindByCorrelationAsync(string correlationId, int limit = 1_000, CancellationToken cancellationToken = default) =>
        inner.FindByCorrelationAsync(correlationId, limit, cancellationToken);

    public Task WaitForAppendAsync(long mark, TimeSpan atMost, CancellationToken cancellationToken = default)
    {
        Before(nameof(WaitForAppendAsync));
        Idle();
        return inner.WaitForAppendAsync(mark, atMost, cancellationToken);
    }

    public Task<long> LoadCheckpointAsync(string subscription, CancellationToken cancellationToken = default)
    {
        Before(nameof(LoadCheckpointAsync));
        return inner.LoadCheckpointAsync(subscription, cancellationToken);
    }

    public async Task SaveCheckpointAsync(string subscription, long sequence, CancellationToken cancellationToken = default)
    {
        Before(nameof(SaveCheckpointAsync));
        await inner.SaveCheckpointAsync(subscription, sequence, cancellationToken);
        Saved.Add(sequence);
    }

    public async Task<Snapshot?> LoadSnapshotAsync(StreamId stream, string name, CancellationToken cancellationToken = default) =>
        SnapshotRead(await inner.LoadSnapshotAsync(stream, name, cancellationToken));

    public Task SaveSnapshotAsync(Snapshot snapshot, CancellationToken cancellationToken = default) => inner.SaveSnapshotAsync(snapshot, cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}

/// <summary>A clock on which a pause is over as soon as it has begun, or never; it remembers how long each was meant to be.</summary>
internal sealed class PauseClock(bool over = true) : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly List<TimeSpan> _pauses = [];

    public Action<TimeSpan> Paused { get; set; } = _ => { };

    public IReadOnlyList<TimeSpan> Pauses
    {
        get
        {
            lock (_gate)
                return [.. _pauses];
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime > TimeSpan.Zero)
        {
            lock (_gate)
                _pauses.Add(dueTime);
            Paused(dueTime);
        }
        return base.CreateTimer(callback, state, over ? TimeSpan.Zero : Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }
}
