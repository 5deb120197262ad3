using System.Collections.Concurrent;
using Antbot.Contracts;
using Antbot.Contracts.Venue;
using Antbot.Runtime;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Projections;
using Antbot.Runtime.Store;
using Antbot.Runtime.Venue;
using Microsoft.Extensions.Logging;

namespace Antbot.Execution;

/// <summary>
/// Under a lease, one in all instances: takes on every trade that stands still. It finds out what became of unknown attempts, watches
/// resting orders and prices, lets entries expire and positions age, and publishes what nobody's message caused. Its start is recovery.
/// </summary>
public sealed class Keeper(
    PipelineParts parts, StreamPipeline<OrdersState> pipeline, TradeRunner runner, OpenOrders open, IVenue venue, Prices prices, ExecutionOptions options, ILogger<Keeper> log)
{
    private const int AtOnce = 32;
    private const int SaidAtOnce = 500;

    /// <summary>Asked for one by one, more than so many orders in doubt would weigh more than the list of all that are open.</summary>
    private const int AskedOneByOneMax = 20;

    private const int OpenOrdersSecondsOnPaper = 2;
    private const int OpenOrdersSecondsElsewhere = 5;

    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(5);

    /// <summary>Who recorded something goes on with it; only what has stood still this long is taken over.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan PauseFirst = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PauseMax = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private (DateTimeOffset At, Task<IReadOnlyDictionary<ClientOrderId, OrderReport>?> Open)? _listed;
    private volatile bool _areMany;

    private readonly ConcurrentDictionary<TradeId, (long Version, DateTimeOffset Until, TimeSpan Pause)> _pauses = new();

    /// <summary>Orders of which the venue's last listing says something else than the trade's record of this version does: they are asked for.</summary>
    private readonly ConcurrentDictionary<TradeId, (long Version, IReadOnlyList<ClientOrderId> Orders)> _doubtful = new();

    private ProjectionRunner? _index;

    /// <summary>Why it does not see all there is to see; null while it does, and where another process has its lease.</summary>
    public string? Trouble => _index?.Trouble;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var index = new ProjectionRunner(parts.Store, open, parts.Clock, SaveEvery);
        _index = index;
        Task[] works = [index.RunAsync(stop.Token)];
        try
        {
            await index.CaughtUp.WaitAsync(stop.Token);
            _pauses.Clear();
            _doubtful.Clear();
            _listed = null;
            log.LogInformation("Execution keeps {Count} trades that are not finished", open.All.Count);
            works = [.. works, SweepAsync(stop.Token), WatchOpenOrdersAsync(stop.Token), SpeakAsync(stop.Token)];
            // None of them ends by itself; if one fails, all are started again.
            await await Task.WhenAny(works);
        }
        finally
        {
            stop.CancelHere();
            await Task.WhenAll(works).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            _index = null;
            if (cancellationToken.IsCancellationRequested)
                await index.SaveAsync(CancellationToken.None);
        }
    }

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        var crews = Enum.GetValues<Work>().Select(w => (Work: w, Crew: new Crew<OpenOrderTrade>(AtOnce, t => TryAsync(t, () => LookAtAsync(t, w, cancellationToken), cancellationToken)))).ToList();
        try
        {
            while (true)
            {
                var now = parts.Clock.GetUtcNow();
                var due = open.All.Where(t => IsDue(t, now)).ToLookup(t => WorkOf(t, now));
                _areMany = due.Where(w => IsQuestion(w.Key)).Sum(w => w.Count(HasOpenAttempt)) > AskedOneByOneMax;
                foreach (var (work, crew) in crews)
                    crew.Offer(due[work], t => t.Trade);
                if (_pauses.Count > (open.All.Count * 2) + 1_000)
                    Forget();
                await Task.Delay(Every, parts.Clock, cancellationToken);
            }
        }
        finally
        {
            await Task.WhenAll(crews.Select(c => c.Crew.EndAsync()));
        }
    }

    private Work WorkOf(OpenOrderTrade trade, DateTimeOffset now)
    {
        if (trade.State is not { } state)
            return Work.Read;
        if (IsAtItsPrice(state))
            return Work.Leave;
        // What comes after a question waits for its answer.
        var isQuestion = NextStep.Of(state, now, venue.Now) is NextStep.Ask or NextStep.Rest or NextStep.Wait;
        return state switch
        {
            { Stage: TradeStage.Closing or TradeStage.Closed or TradeStage.Failed } => isQuestion ? Work.AskToLeave : Work.Leave,
            { Stage: TradeStage.Open, Position.HoldUntil: { } until } when until <= now => isQuestion ? Work.AskToLeave : Work.Leave,
            { Stage: TradeStage.Entering } when !isQuestion && state.Orders.All(o => o.Status is OrderStatus.Intended || (!o.IsLive && o.Executed == Quantity.Zero)) => Work.Enter,
            _ => isQuestion ? Work.AskToProtect : Work.Protect,
        };
    }

    /// <summary>Only of these a listing says all there is to ask.</summary>
    private static bool HasOpenAttempt(OpenOrderTrade trade) => trade.State?.Orders.Any(o => o.IsOpenAttempt) is true;

    private static bool IsQuestion(Work work) => work is Work.AskToProtect or Work.AskToLeave;

    private bool IsDue(OpenOrderTrade trade, DateTimeOffset now)
    {
        if (runner.IsBusy(trade.Trade) || now - trade.MovedAt < Grace)
            return false;
        if (DoubtfulOf(trade).Count > 0)
            return true;
        if (_pauses.TryGetValue(trade.Trade, out var pause) && pause.Version == trade.Version && now < pause.Until)
            return false;
        return trade.State is null || IsDue(trade.State, now);
    }

    private bool IsDue(OrdersState state, DateTimeOffset now) => NextStep.Of(state, now, venue.Now) switch
    {
        NextStep.Rest or NextStep.Wait => IsAtItsPrice(state),
        _ => true,
    };

    private bool IsAtItsPrice(OrdersState state) => state.Plan is { } plan && prices.Fresh(plan.Signal.Symbol) is { } price && PriceExit.ReasonOf(state, price.Bid, price.Ask) is not null;

    private IReadOnlyList<ClientOrderId> DoubtfulOf(OpenOrderTrade trade) => _doubtful.TryGetValue(trade.Trade, out var doubtful) && doubtful.Version == trade.Version ? doubtful.Orders : [];

    /// <summary>What was listed a moment ago does: an order that is not in it is asked for. Null where the venue has not said.</summary>
    private Task<IReadOnlyDictionary<ClientOrderId, OrderReport>?> ListedAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var now = parts.Clock.GetUtcNow();
            if (_listed is not { } last || now - last.At >= ListEvery)
                _listed = last = (now, ListAsync(cancellationToken));
            return last.Open;
        }
    }

    private async Task<IReadOnlyDictionary<ClientOrderId, OrderReport>?> ListAsync(CancellationToken cancellationToken) =>
        (await venue.ListOpenOrdersAsync(cancellationToken) as VenueAnswer<IReadOnlyList<OrderReport>>.Said)?.Value.DistinctBy(o => o.Id).ToDictionary(o => o.Id);

    private TimeSpan ListEvery => TimeSpan.FromSeconds(options.OpenOrdersSeconds > 0 ? options.OpenOrdersSeconds : venue.IsPaper ? OpenOrdersSecondsOnPaper : OpenOrdersSecondsElsewhere);

    private async Task LookAtAsync(OpenOrderTrade trade, Work work, CancellationToken cancellationToken)
    {
        // What is to be done is seen with the next look at all of them.
        if (trade.State is null)
        {
            open.Set(trade.Trade, await pipeline.LoadAsync(Streams.Order(trade.Trade), cancellationToken));
            return;
        }
        var doubtful = DoubtfulOf(trade);
        _doubtful.TryRemove(trade.Trade, out _);
        var listed = _areMany && IsQuestion(work) && HasOpenAttempt(trade) ? await ListedAsync(cancellationToken) : null;
        // What the next listing shows again is asked for again; it keeps nothing else of the trade waiting.
        if (!await runner.DriveAsync(trade.Trade, doubtful, cancellationToken, listed) && doubtful.Count == 0)
            Pause(trade);
    }

    private void Pause(OpenOrderTrade trade)
    {
        var pause = _pauses.TryGetValue(trade.Trade, out var last) && last.Version == trade.Version && last.Pause * 2 is var twice ? twice < PauseMax ? twice : PauseMax : PauseFirst;
        _pauses[trade.Trade] = (trade.Version, parts.Clock.GetUtcNow() + pause, pause);
    }

    private void Forget()
    {
        var still = open.All.Select(t => t.Trade).ToHashSet();
        foreach (var gone in _pauses.Keys.Where(t => !still.Contains(t)))
            _pauses.TryRemove(gone, out _);
    }

    /// <summary>Orders of ours that the venue does not list as open any more are asked for, and so are those that were filled in part.</summary>
    private async Task WatchOpenOrdersAsync(CancellationToken cancellationToken)
    {
        // One for all time: with thousands of orders open each new one is large, and left behind every other second.
        var listed = new Dictionary<ClientOrderId, OrderReport>();
        while (true)
        {
            var before = parts.Clock.GetUtcNow();
            if (open.All.Any(t => t.State is not null && Resting(t.State).Any()))
            {
                switch (await venue.ListOpenOrdersAsync(cancellationToken))
                {
                    case VenueAnswer<IReadOnlyList<OrderReport>>.Said said:
                        listed.Clear();
                        foreach (var order in said.Value)
                            listed[order.Id] = order;
                        Compare(listed, before);
                        break;
                    case var other:
                        // Unknown is not empty: nothing follows from it.
                        log.LogWarning("{Venue} does not list its open orders: {Answer}", venue.Name, other);
                        break;
                }
            }
            await Task.Delay(ListEvery, parts.Clock, cancellationToken);
        }
    }

    private void Compare(Dictionary<ClientOrderId, OrderReport> listed, DateTimeOffset before)
    {
        _doubtful.Clear();
        foreach (var trade in open.All.Where(t => t.State is not null && before - t.MovedAt >= Grace))
        {
            if (Resting(trade.State!).Where(o => !listed.TryGetValue(o.Id, out var there) || there.Executed > o.Executed).Select(o => o.Id).ToList() is { Count: > 0 } orders)
                _doubtful[trade.Trade] = (trade.Version, orders);
        }
    }

    private static IEnumerable<OrderState> Resting(OrdersState state) => state.Orders.Where(o => o.Status == OrderStatus.Resting);

    /// <summary>Publishes what no message caused. What was said twice is harmless; what was not said is kept.</summary>
    private async Task SpeakAsync(CancellationToken cancellationToken)
    {
        var repeatAt = DateTimeOffset.MinValue;
        while (true)
        {
            var mark = parts.Store.AppendMark;
            var (events, repeat) = open.TakeUnsaid(SaidAtOnce);
            try
            {
                await pipeline.PublishAsync(events, cancellationToken);
                open.Said(events, []);
                if (repeat.Count > 0 && parts.Clock.GetUtcNow() >= repeatAt && !await RepeatAsync(repeat, cancellationToken))
                    repeatAt = parts.Clock.GetUtcNow() + PauseFirst;
            }
            catch (Exception e) when (e is BusUnavailableException or EventStoreException && !cancellationToken.IsCancellationRequested)
            {
                log.LogWarning("{Count} messages wait for the bus: {Reason}", events.Count, e.Message);
                await Task.Delay(PauseFirst, parts.Clock, cancellationToken);
            }
            if (events.Count < SaidAtOnce)
            {
                await parts.Store.WaitForAppendAsync(mark, PauseFirst, cancellationToken);
                await Task.Delay(TimeSpan.FromMilliseconds(5), parts.Clock, cancellationToken);
            }
        }
    }

    /// <summary>False where some of them could not be: those are kept, and keep no other from being said.</summary>
    private async Task<bool> RepeatAsync(IReadOnlyList<TradeId> trades, CancellationToken cancellationToken)
    {
        var all = true;
        foreach (var trade in trades)
        {
            try
            {
                await runner.RepublishAsync(trade, cancellationToken);
                open.Said([], [trade]);
            }
            catch (EventStoreException e) when (!cancellationToken.IsCancellationRequested)
            {
                log.LogWarning("What became of trade {Trade} cannot be said again: {Reason}", trade, e.Message);
                all = false;
            }
        }
        return all;
    }

    /// <summary>One trade's trouble is its own.</summary>
    private async Task TryAsync(OpenOrderTrade trade, Func<Task> act, CancellationToken cancellationToken)
    {
        try
        {
            await act();
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            log.LogWarning(e, "Trade {Trade} could not be driven on; it is tried again", trade.Trade);
            Pause(trade);
        }
    }

    /// <summary>
    /// What keeps another of its kind waiting, and no other kind: exits that the venue does not answer delay no stop, what an entry waits for delays no
    /// exit, and a question, which may take long, delays nothing that is to be sent.
    /// </summary>
    private enum Work
    {
        /// <summary>Its record is read, for which no venue is needed.</summary>
        Read,

        /// <summary>Nothing of it is at the venue.</summary>
        Enter,

        /// <summary>Something is held, or may be, that is to have a stop.</summary>
        Protect,

        AskToProtect,

        /// <summary>What is held is to be got rid of, or what is left of a trade that is over.</summary>
        Leave,

        AskToLeave,
    }
}
