using System.Diagnostics;
using System.Diagnostics.Metrics;
using Antbot.Contracts;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;

namespace Antbot.Hosting.Telemetry;

/// <summary>
/// The store as this process has it: what it appends says which process it was, and is counted; what fails for want of the database is told
/// to health.
/// </summary>
internal sealed class ProcessEventStore(IEventStore inner, Guid process, DependencyBoard board) : IEventStore
{
    private const string Dependency = Runtime.Health.StoreProbe.Dependency;

    private static readonly Meter Meter = new("Antbot.Store");
    private static readonly Counter<long> Appends = Meter.CreateCounter<long>("antbot_appends_total", description: "Appends, by how they ended.");
    private static readonly Histogram<double> AppendTime = Meter.CreateHistogram<double>("antbot_append_duration_seconds", "s", "From an append to its commit.");
    private static readonly Counter<long> Events = Meter.CreateCounter<long>("antbot_events_recorded_total", description: "Events that this process recorded.");

    /// <summary>The document's name for the same figure: the ledger is the black box.</summary>
    private static readonly Counter<long> BlackBoxEvents = Meter.CreateCounter<long>("trading_bot_black_box_events_total", description: "Events that this process recorded.");

    public IEventStore Inner => inner;

    public ILedger Ledger => inner.Ledger;

    public long AppendMark => inner.AppendMark;

    public Task<AppendOutcome> AppendAsync(AppendRequest request, CancellationToken cancellationToken = default) => CountedAsync(() => inner.AppendAsync(Of(request), cancellationToken));

    public IReadOnlyList<Task<AppendOutcome>> AppendInOrder(IReadOnlyList<AppendRequest> requests, CancellationToken cancellationToken = default) =>
        [.. inner.AppendInOrder([.. requests.Select(Of)], cancellationToken).Select(append => CountedAsync(() => append))];

    public Task<IReadOnlyList<StoredEvent>> FindDecisionAsync(Decision decision, CancellationToken cancellationToken = default) => WatchedAsync(inner.FindDecisionAsync(decision, cancellationToken));

    public Task<IReadOnlyDictionary<Decision, EventPlace>> FindDecidedAsync(IReadOnlyCollection<Decision> decisions, CancellationToken cancellationToken = default) => WatchedAsync(inner.FindDecidedAsync(decisions, cancellationToken));

    public Task<long> ReadVersionAsync(StreamId stream, CancellationToken cancellationToken = default) => WatchedAsync(inner.ReadVersionAsync(stream, cancellationToken));

    public IAsyncEnumerable<StoredEvent> ReadStreamAsync(StreamId stream, long fromVersion = 1, CancellationToken cancellationToken = default) => inner.ReadStreamAsync(stream, fromVersion, cancellationToken);

    public IAsyncEnumerable<StoredEvent> ReadStreamsAsync(IReadOnlyList<StreamStart> streams, CancellationToken cancellationToken = default) => inner.ReadStreamsAsync(streams, cancellationToken);

    public Task<IReadOnlyList<StoredEvent>> ReadPageAsync(long afterSequence, int limit, CancellationToken cancellationToken = default) => WatchedAsync(inner.ReadPageAsync(afterSequence, limit, cancellationToken));

    public Task<EventPage> ReadPageAsync(long afterSequence, int limit, IReadOnlyList<string> prefixes, CancellationToken cancellationToken = default) =>
        WatchedAsync(inner.ReadPageAsync(afterSequence, limit, prefixes, cancellationToken));

    public Task<IReadOnlyList<StoredEvent>> FindByCorrelationAsync(string correlationId, int limit = 1_000, CancellationToken cancellationToken = default) =>
        WatchedAsync(inner.FindByCorrelationAsync(correlationId, limit, cancellationToken));

    public Task<EventPage> FindChainAsync(string correlationId, int limit = 1_000, CancellationToken cancellationToken = default) =>
        WatchedAsync(inner.FindChainAsync(correlationId, limit, cancellationToken));

    public Task WaitForAppendAsync(long mark, TimeSpan atMost, CancellationToken cancellationToken = default) => inner.WaitForAppendAsync(mark, atMost, cancellationToken);

    public Task<long> LoadCheckpointAsync(string subscription, CancellationToken cancellationToken = default) => WatchedAsync(inner.LoadCheckpointAsync(subscription, cancellationToken));

    public Task SaveCheckpointAsync(string subscription, long sequence, CancellationToken cancellationToken = default) => inner.SaveCheckpointAsync(subscription, sequence, cancellationToken);

    public Task<Snapshot?> LoadSnapshotAsync(StreamId stream, string name, CancellationToken cancellationToken = default) => WatchedAsync(inner.LoadSnapshotAsync(stream, name, cancellationToken));

    public Task SaveSnapshotAsync(Snapshot snapshot, CancellationToken cancellationToken = default) => inner.SaveSnapshotAsync(snapshot, cancellationToken);

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private AppendRequest Of(AppendRequest request) => request with { Meta = request.Meta with { Process = process } };

    private async Task<AppendOutcome> CountedAsync(Func<Task<AppendOutcome>> append)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            var outcome = await append();
            AppendTime.Record(Stopwatch.GetElapsedTime(started).TotalSeconds);
            Count(outcome switch { AppendOutcome.Appended => "appended", AppendOutcome.AlreadyThere => "already_there", _ => "conflict" });
            if (outcome is AppendOutcome.Appended appended)
            {
                Events.Add(appended.Events.Count);
                BlackBoxEvents.Add(appended.Events.Count);
            }
            board.Works(Dependency);
            return outcome;
        }
        catch (EventStoreException e)
        {
            Count("failed");
            Report(e);
            throw;
        }
    }

    private static void Count(string outcome) => Appends.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    private async Task<T> WatchedAsync<T>(Task<T> reading)
    {
        try
        {
            return await reading;
        }
        catch (EventStoreException e)
        {
            Report(e);
            throw;
        }
    }

    private void Report(EventStoreException e)
    {
        if (e.Fault is StoreFault.Unavailable or StoreFault.ReadOnly or StoreFault.Full or StoreFault.OutcomeUnknown or StoreFault.Forbidden)
            board.Fails(Dependency, e.Message);
    }
}
