using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Coordinator.Core;
using Antbot.Runtime;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Projections;
using Antbot.Runtime.Store;
using Microsoft.Extensions.Logging;

namespace Antbot.Coordinator;

/// <summary>
/// Fires deadlines, and drives on what stands still: the command that a trade last gave is sent again, with the same id, so that
/// whoever has done it already only says so again. This is what makes a bus that forgets (or a process that died) harmless.
/// </summary>
public sealed class Sweeper(
    PipelineParts parts, StreamPipeline<TradeState> pipeline, OpenTradesProjection projection, CoordinatorOptions options, ILogger<Sweeper> log)
{
    private const int AtOnce = 16;
    private const int SaidAtOnce = 500;

    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PauseMax = TimeSpan.FromMinutes(1);

    private readonly Dictionary<TradeId, (long Version, DateTimeOffset Next, TimeSpan Pause)> _driven = [];

    private ProjectionRunner? _index;

    /// <summary>Why it does not see all there is to see; null while it does, and where another process has its lease.</summary>
    public string? Trouble => _index?.Trouble;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var runner = new ProjectionRunner(parts.Store, projection, parts.Clock, SaveEvery);
        _index = runner;
        var following = runner.RunAsync(stop.Token);
        try
        {
            await runner.CaughtUp.WaitAsync(cancellationToken);
            // Whoever takes over knows nothing of what was on its way: everything that is open is driven once, at once.
            _driven.Clear();
            var sinceStart = true;
            while (!cancellationToken.IsCancellationRequested)
            {
                await SweepAsync(sinceStart, cancellationToken);
                sinceStart = false;
                await Task.Delay(Every, parts.Clock, cancellationToken);
            }
        }
        finally
        {
            stop.CancelHere();
            await following;
            _index = null;
        }
    }

    private async Task SweepAsync(bool all, CancellationToken cancellationToken)
    {
        var now = parts.Clock.GetUtcNow();
        var (open, progress) = projection.Snapshot();
        foreach (var gone in _driven.Keys.Except(open.Select(t => t.Trade)).ToList())
            _driven.Remove(gone);
        var due = open.Where(t => t.Due <= now).ToList();
        var still = all ? open.Where(t => Standstill.IsExpectingNews(t.Phase)) : Standstill.Of(open, progress, now, TimeSpan.FromSeconds(options.StandstillSeconds));
        var drive = still.Where(t => !(t.Due <= now) && MayBeDriven(t, now)).ToList();
        await Bounded.ForEachAsync(due, AtOnce, async (trade, token) => await TryAsync("fire the deadline of", trade, () => FireAsync(trade, token), token), cancellationToken);
        await SayAsync(cancellationToken);
        await Bounded.ForEachAsync(drive, AtOnce, async (trade, token) => await TryAsync("drive on", trade, () => DriveAsync(trade, token), token), cancellationToken);
    }

    /// <summary>A deadline that has passed is told to whoever acts on it, however often that fails and whoever recorded it.</summary>
    private async Task SayAsync(CancellationToken cancellationToken)
    {
        var (events, repeat) = projection.TakeUnsaid(SaidAtOnce);
        try
        {
            if (events.Count > 0)
                await pipeline.PublishAsync(events, cancellationToken);
            projection.Said(events, []);
            foreach (var trade in repeat)
                await RepeatAsync(trade, cancellationToken);
        }
        catch (Exception e) when (e is EventStoreException or BusUnavailableException && !cancellationToken.IsCancellationRequested)
        {
            log.LogWarning("Deadlines of {Count} trades have passed and cannot be told; it is tried again: {Reason}", events.Count + repeat.Count, e.Message);
        }
    }

    /// <summary>A trade of which this build cannot read everything is kept, and keeps no other from being said.</summary>
    private async Task RepeatAsync(TradeId trade, CancellationToken cancellationToken)
    {
        try
        {
            await pipeline.PublishAsync(await DeadlinesOfAsync(trade, cancellationToken), cancellationToken);
            projection.Said([], [trade]);
        }
        catch (EventStoreException e) when (e.Fault is StoreFault.UnknownType or StoreFault.Undecodable)
        {
            log.LogWarning("The deadlines of trade {Trade} cannot be said again: {Reason}", trade, e.Message);
        }
    }

    private async Task<IReadOnlyList<StoredEvent>> DeadlinesOfAsync(TradeId trade, CancellationToken cancellationToken)
    {
        var deadlines = new List<StoredEvent>();
        await foreach (var stored in parts.Store.ReadStreamAsync(Streams.Trade(trade), cancellationToken: cancellationToken))
        {
            if (parts.Codec.Decode(stored) is TradeDeadlinePassed)
                deadlines.Add(stored);
        }
        return deadlines;
    }

    /// <summary>Each time that it did not help, twice as long passes before the next.</summary>
    private bool MayBeDriven(OpenTrade trade, DateTimeOffset now)
    {
        var pause = TimeSpan.FromSeconds(options.StandstillSeconds);
        if (_driven.TryGetValue(trade.Trade, out var driven) && driven.Version == trade.Version)
        {
            if (now < driven.Next)
                return false;
            pause = TimeSpan.FromTicks(Math.Min(driven.Pause.Ticks * 2, PauseMax.Ticks));
        }
        _driven[trade.Trade] = (trade.Version, now + pause, pause);
        return true;
    }

    private async Task FireAsync(OpenTrade trade, CancellationToken cancellationToken)
    {
        var due = trade.Due!.Value;
        var reached = new DeadlineReached(trade.Trade, trade.Phase, due);
        var input = new Input(reached.InputId(), reached, trade.Trade.Value, "service:coordinator");
        await pipeline.HandleAsync(Streams.Trade(trade.Trade), input, cancellationToken);
        log.LogWarning("Trade {Trade} was in phase {Phase} until its deadline {Due:O}", trade.Trade, trade.Phase, due);
    }

    /// <summary>Sends again what the trade said last that anybody should act on.</summary>
    private async Task DriveAsync(OpenTrade trade, CancellationToken cancellationToken)
    {
        StoredEvent? last = null;
        await foreach (var stored in parts.Store.ReadStreamAsync(Streams.Trade(trade.Trade), cancellationToken: cancellationToken))
        {
            if (TradeDecider.React(parts.Codec.Decode(stored)).Count > 0)
                last = stored;
        }
        if (last is null)
            return;
        await pipeline.PublishAsync([last], cancellationToken);
        log.LogInformation("Trade {Trade} stood still in phase {Phase}; its {Event} was sent on again", trade.Trade, trade.Phase, last.Type);
    }

    private async Task TryAsync(string what, OpenTrade trade, Func<Task> act, CancellationToken cancellationToken)
    {
        try
        {
            await act();
        }
        catch (Exception e) when (e is EventStoreException or BusUnavailableException && !cancellationToken.IsCancellationRequested)
        {
            log.LogWarning("Could not {What} trade {Trade}; it is tried again: {Reason}", what, trade.Trade, e.Message);
        }
    }
}
