using Antbot.Contracts;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Antbot.Runtime.Venue;

namespace Antbot.Reconciliation;

/// <summary>
/// Asks the venue again about the trades that could not be said to be right, until they can. In one process at a time; each trade
/// more and more rarely.
/// </summary>
public sealed class PendingVerifications(
    StreamPipeline<ReconciliationState> pipeline, IEventStore store, TradeLook look, IVenue venue, ReconciliationOptions options, TimeProvider clock)
{
    private const int AtOnceMax = 50;

    /// <summary>What was recorded last before a holder ended or the bus went away.</summary>
    private const int AgainMax = 100;

    private readonly Dictionary<string, (DateTimeOffset Due, TimeSpan Pause)> _due = new(StringComparer.Ordinal);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await TellAgainAsync(cancellationToken);
        while (true)
        {
            await TurnAsync(cancellationToken);
            await Task.Delay(TimeSpan.FromSeconds(Math.Min(1, options.RetrySeconds)), clock, cancellationToken);
        }
    }

    /// <summary>Tries every trade that is due.</summary>
    public async Task TurnAsync(CancellationToken cancellationToken)
    {
        var stream = Streams.Reconciliation(venue.Account);
        var pending = (await pipeline.LoadAsync(stream, cancellationToken)).State.Pending;
        foreach (var gone in _due.Keys.Where(k => !pending.ContainsKey(k)).ToList())
            _due.Remove(gone);
        var now = clock.GetUtcNow();
        var due = pending.Where(p => !_due.TryGetValue(p.Key, out var next) || next.Due <= now).Take(AtOnceMax).ToList();
        foreach (var (key, open) in due)
        {
            var pause = _due.TryGetValue(key, out var last) ? TimeSpan.FromTicks(Math.Min(last.Pause.Ticks * 2, TimeSpan.FromSeconds(options.RetryMaxSeconds).Ticks)) : TimeSpan.FromSeconds(options.RetrySeconds);
            _due[key] = (clock.GetUtcNow() + pause, pause);
            var seen = await look.LookAsync(open.Verify, open.Message, again: true, cancellationToken);
            var input = new Input(ReconciliationDecider.StepId(open.Message, open.Steps), seen, open.Verify.Trade.Value, "service:reconciliation");
            await pipeline.HandleAsync(stream, input, Unless(open, seen), cancellationToken);
        }
    }

    /// <summary>No message causes what is found out here, so nobody delivers one again: whatever may not have been told is told at every start, under the same ids.</summary>
    private async Task TellAgainAsync(CancellationToken cancellationToken)
    {
        var stream = Streams.Reconciliation(venue.Account);
        var stored = new List<StoredEvent>();
        var from = Math.Max(1, await store.ReadVersionAsync(stream, cancellationToken) - AgainMax + 1);
        await foreach (var e in store.ReadStreamAsync(stream, from, cancellationToken))
            stored.Add(e);
        await pipeline.PublishAsync(stored, cancellationToken);
    }

    /// <summary>Another process may have said it meanwhile, or the question come anew: then there is nothing to add.</summary>
    private static Deliberate<ReconciliationState> Unless(PendingVerification open, TradeSeen seen) => (state, now) => ValueTask.FromResult(Decided.Of(
        state.Pending.TryGetValue(ReconciliationState.KeyOf(open.Verify), out var still) && still.Message == open.Message && still.Steps == open.Steps
            ? ReconciliationDecider.Decide(state, seen, now)
            : []));
}
