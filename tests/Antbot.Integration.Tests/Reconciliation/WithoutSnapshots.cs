using Antbot.Contracts;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;

namespace Antbot.Integration.Tests.Reconciliation;

/// <summary>The same history to somebody who has kept nothing of it.</summary>
internal sealed class WithoutSnapshots(IEventStore store) : IEventStore
{
    public ILedger Ledger => store.Ledger;

    public long AppendMark => store.AppendMark;

    public Task<AppendOutcome> AppendAsync(AppendRequest request, CancellationToken cancellationToken = default) => store.AppendAsync(request, cancellationToken);

    public Task<IReadOnlyList<StoredEvent>> FindDecisionAsync(Decision decision, CancellationToken cancellationToken = default) => store.FindDecisionAsync(decision, cancellationToken);

    public Task<long> ReadVersionAsync(StreamId stream, CancellationToken cancellationToken = default) => store.ReadVersionAsync(stream, cancellationToken);

    public IAsyncEnumerable<StoredEvent> ReadStreamAsync(StreamId stream, long fromVersion = 1, CancellationToken cancellationToken = default) => store.ReadStreamAsync(stream, fromVersion, cancellationToken);

    public Task<IReadOnlyList<StoredEvent>> ReadPageAsync(long afterSequence, int limit, CancellationToken cancellationToken = default) => store.ReadPageAsync(afterSequence, limit, cancellationToken);

    public Task<IReadOnlyList<StoredEvent>> FindByCorrelationAsync(string correlationId, int limit = 1_000, CancellationToken cancellationToken = default) =>
        store.FindByCorrelationAsync(correlationId, limit, cancellationToken);

    public Task WaitForAppendAsync(long mark, TimeSpan atMost, CancellationToken cancellationToken = default) => store.WaitForAppendAsync(mark, atMost, cancellationToken);

    public Task<long> LoadCheckpointAsync(string subscription, CancellationToken cancellationToken = default) => Task.FromResult(0L);

    public Task SaveCheckpointAsync(string subscription, long sequence, CancellationToken cancellationToken = default) => Task.CompletedTask;

    public Task<Snapshot?> LoadSnapshotAsync(StreamId stream, string name, CancellationToken cancellationToken = default) => Task.FromResult<Snapshot?>(null);

    public Task SaveSnapshotAsync(Snapshot snapshot, CancellationToken cancellationToken = default) => Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
