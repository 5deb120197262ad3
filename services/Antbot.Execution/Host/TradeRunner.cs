using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;
using Antbot.Messaging;
using Antbot.Runtime.Control;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Antbot.Runtime.Venue;

namespace Antbot.Execution;

/// <summary>
/// What a message that was here before makes be said again. It must never be what that message itself may have followed from: the
/// others repeat themselves too, and the same words would go round for ever.
/// </summary>
public enum Recall
{
    /// <summary>What was decided on this very message. What follows from a correction is asked for by nobody.</summary>
    Own = 1,

    /// <summary>How the trade came out, or is coming: not that it was opened, for which a compensation may have come.</summary>
    WayOut = 2,

    Everything = 3,
}

/// <summary>
/// Between decisions and the venue: what was recorded just now is sent, its answer is decided on, and so on until nothing more is to
/// be done at once. Only who recorded an attempt sends it, so that it leaves at most once; whoever finds it recorded asks.
/// </summary>
public sealed class TradeRunner(
    PipelineParts parts, StreamPipeline<OrdersState> pipeline, IVenue venue, Prices prices, ControlWatch control, IEntryGate gate, SymbolRoom room, ExecutionOptions options)
{
    /// <summary>In events that no message caused; the keeper sees to their messages.</summary>
    public const string Worker = "worker:execution";

    public const string MeterName = "Antbot.Execution";

    private const int GuardTriesMax = 10;
    private const int StepsMax = 50;

    /// <summary>Each is an event, and what follows from them is recorded in the same append.</summary>
    private const int FillsAtOnceMax = StoreLimits.EventsPerAppendMax - 100;

    private static readonly Meter Meter = new(MeterName);
    private static readonly Counter<long> Sent = Meter.CreateCounter<long>("antbot_orders_sent", description: "Attempts by role and by what came of them");

    private readonly Inquiry _inquiry = new(venue);

    /// <summary>How many are at work on a trade here: an attempt that one of them is sending is not unanswered.</summary>
    private readonly ConcurrentDictionary<TradeId, int> _atWork = new();

    /// <param name="Decided">The same events as objects; empty where this call recorded nothing.</param>
    private sealed record Outcome(OrdersState State, long Version, IReadOnlyList<object> Decided, IReadOnlyList<StoredEvent> Stored)
    {
        public bool IsNew => Decided.Count > 0;
    }

    public bool IsBusy(TradeId trade) => _atWork.ContainsKey(trade);

    /// <summary>A message: decided, sent and published. One that has been here before makes be said again what <paramref name="recall"/> says.</summary>
    public async Task HandleAsync(TradeId trade, Input input, Recall recall, Func<OrdersState, Stamp, ExecutionInput> make, CancellationToken cancellationToken)
    {
        var isAlone = Begin(trade);
        try
        {
            var outcome = await DecideAsync(trade, input, make, cancellationToken);
            // What the message itself would not have said again is the keeper's to say: a crash may come before it is.
            var origin = recall == Recall.Everything ? input : Own(input);
            if (!outcome.IsNew)
                outcome = await RecallAsync(trade, origin, outcome.Stored, recall, isAlone, cancellationToken);
            await RunOnAsync(trade, origin, outcome, cancellationToken);
        }
        finally
        {
            End(trade);
        }
    }

    /// <summary>A trade that stands still: whatever its state asks for is done. False where nothing came of it.</summary>
    /// <param name="doubtful">Orders that are asked for besides.</param>
    /// <param name="listed">What the venue has just listed as open: an attempt of these need not be asked for.</param>
    public async Task<bool> DriveAsync(TradeId trade, IReadOnlyList<ClientOrderId> doubtful, CancellationToken cancellationToken, IReadOnlyDictionary<ClientOrderId, OrderReport>? listed = null)
    {
        if (!Begin(trade))
        {
            End(trade);
            return true;
        }
        try
        {
            var loaded = await pipeline.LoadAsync(Streams.Order(trade), cancellationToken);
            using var span = Traces.Continue("look after a trade", loaded.Trail?.TraceId);
            var asked = doubtful.Select(loaded.State.Find).OfType<OrderState>().Select(o => new NextStep.Ask(o.Id, o.Intended.Symbol));
            foreach (var step in StepsOf(loaded.State).Concat(asked).Distinct())
            {
                var origin = new Input(Guid.Empty, step, trade.Value, Worker);
                // That the venue says nothing of one order keeps nothing else of the trade waiting.
                if (await TakeAsync(trade, origin, step, loaded, listed, cancellationToken) is not { IsNew: true } outcome)
                    continue;
                await RunOnAsync(trade, origin, outcome, cancellationToken);
                return true;
            }
            return false;
        }
        finally
        {
            End(trade);
        }
    }

    private async Task<Outcome?> TakeAsync(TradeId trade, Input origin, NextStep step, Loaded<OrdersState> loaded, IReadOnlyDictionary<ClientOrderId, OrderReport>? listed, CancellationToken cancellationToken) => step switch
    {
        NextStep.Ask s when listed?.TryGetValue(s.Order, out var open) is true && loaded.State.Find(s.Order) is { IsOpenAttempt: true, Doubted: false } => await SeenAsync(trade, origin, s.Order, open, loaded.Version, cancellationToken),
        NextStep.Ask s => await AskAsync(trade, origin, loaded.State.Find(s.Order)!, loaded.Version, cancellationToken),
        NextStep.Cancel s => await CancelAsync(trade, origin, loaded.State.Find(s.Order)!, loaded.Version, cancellationToken),
        NextStep.Revalidate s => await RevalidateAsync(trade, origin, s, loaded.Version, cancellationToken),
        NextStep.Decide => await DecideAsync(
            trade, origin with { Id = StepIds.Proceed(trade, loaded.Version) }, Proceed, cancellationToken, SymbolRoom.IsAwaitedBy(loaded.State) && loaded.State.Plan!.Signal.ValidUntil > parts.Clock.GetUtcNow() ? await room.FindAsync(loaded.State.Plan!, cancellationToken) : null),
        _ => null,
    };

    private IReadOnlyList<NextStep> StepsOf(OrdersState state)
    {
        var steps = NextStep.AllOf(state, parts.Clock.GetUtcNow(), venue.Now);
        return PriceOf(state) is { } price && PriceExit.ReasonOf(state, price.Bid, price.Ask) is not null ? [.. steps.Prepend(new NextStep.Decide()).Distinct()] : steps;
    }

    /// <summary>An operator's word on an order in doubt: the venue is asked first, and where it says what became of it, that is what counts.</summary>
    public async Task SettleAsync(SettleOrder message, Input input, CancellationToken cancellationToken)
    {
        var (trade, evidence, origin) = (message.Trade, Beforehand.NotAsked, Own(input));
        var isAlone = Begin(trade);
        try
        {
            var loaded = await pipeline.LoadAsync(Streams.Order(trade), cancellationToken);
            if (loaded.State.Find(message.Order) is { IsOpenAttempt: true } order)
            {
                var found = await _inquiry.AskAsync(order, cancellationToken);
                evidence = found.Evidence;
                if (await HearAsync(trade, origin, order, found, loaded.Version, cancellationToken) is { IsNew: true } heard)
                    await RunOnAsync(trade, origin, heard, cancellationToken);
            }
            var outcome = await DecideAsync(
                trade, input,
                (_, stamp) => Beforehand.Settle(message, evidence, stamp),
                cancellationToken);
            if (!outcome.IsNew)
                outcome = await RecallAsync(trade, origin, outcome.Stored, Recall.Own, isAlone, cancellationToken);
            await RunOnAsync(trade, origin, outcome, cancellationToken);
        }
        finally
        {
            End(trade);
        }
    }

    /// <summary>Says everything that was recorded for the trade again.</summary>
    public Task RepublishAsync(TradeId trade, CancellationToken cancellationToken) => RepublishAsync(trade, _ => true, cancellationToken);

    private async Task RepublishAsync(TradeId trade, Func<StoredEvent, bool> which, CancellationToken cancellationToken)
    {
        var stored = new List<StoredEvent>();
        await foreach (var e in parts.Store.ReadStreamAsync(Streams.Order(trade), cancellationToken: cancellationToken))
        {
            if (which(e))
                stored.Add(e);
        }
        await pipeline.PublishAsync(stored, cancellationToken);
    }

    private bool IsWayOut(StoredEvent stored) => parts.Codec.Decode(stored) is EntryForbidden or EntryFailedRecorded or PositionClosing or PositionClosed;

    /// <summary>The input was decided before, or changes nothing: what stands is said again. An attempt that nobody answers for is unknown from now on.</summary>
    private async Task<Outcome> RecallAsync(TradeId trade, Input input, IReadOnlyList<StoredEvent> own, Recall recall, bool isAlone, CancellationToken cancellationToken)
    {
        if (recall == Recall.Own)
            await pipeline.PublishAsync(own, cancellationToken);
        else
            await RepublishAsync(trade, recall == Recall.WayOut ? IsWayOut : _ => true, cancellationToken);
        var loaded = await pipeline.LoadAsync(Streams.Order(trade), cancellationToken);
        return isAlone && loaded.State.Orders.FirstOrDefault(o => o.Status == OrderStatus.Attempted) is { } open
            ? await DecideAsync(
                trade, input with { Id = StepIds.Unanswered(open.Id, open.Attempts) },
                (_, stamp) => new AttemptUnanswered(open.Id, open.Attempts, "its sender never recorded an answer", stamp), cancellationToken)
            : new Outcome(loaded.State, loaded.Version, [], []);
    }

    private static Input Own(Input input) => input with { Actor = Worker };

    /// <summary>Does what was recorded just now, decides on what comes of it, and goes on while there is more.</summary>
    private async Task RunOnAsync(TradeId trade, Input origin, Outcome outcome, CancellationToken cancellationToken)
    {
        for (var step = 0; step < StepsMax && outcome.IsNew; step++)
        {
            // The venue is not kept waiting for the bus.
            var publishing = outcome.Stored[0].Actor == Worker ? Task.CompletedTask : pipeline.PublishAsync(outcome.Stored, cancellationToken);
            Outcome? next = null;
            try
            {
                next = outcome.Decided.LastOrDefault(e => e is OrderAttempted or OrderCancelIntended) switch
                {
                    OrderAttempted attempted => await SendAsync(trade, origin, outcome, attempted, cancellationToken),
                    OrderCancelIntended cancel => await CancelAsync(trade, origin, outcome.State.Find(cancel.Order)!, outcome.Version, cancellationToken),
                    _ => null,
                };
            }
            finally
            {
                await publishing;
            }
            if (next is null)
                return;
            outcome = next;
        }
    }

    private async Task<Outcome> SendAsync(TradeId trade, Input origin, Outcome outcome, OrderAttempted attempted, CancellationToken cancellationToken)
    {
        var intended = outcome.State.Find(attempted.Order)!.Intended;
        var order = new VenueOrder(
            attempted.Order, intended.Symbol, intended.Side, intended.Kind, intended.Quantity, intended.Limit, intended.Trigger, attempted.VenueTime,
            TimeSpan.FromMilliseconds(attempted.WindowMilliseconds), intended.ReduceOnly);
        parts.CrashPoints.Reach("execution.before-send");
        // Not given up when the process is asked to stop: the answer comes within the venue's time limit, and is worth the wait.
        var answer = await venue.PlaceAsync(order, CancellationToken.None);
        parts.CrashPoints.Reach("execution.after-send");
        Sent.Add(1, new("role", intended.Role.ToString()), new("answer", answer.GetType().Name));
        if (answer is VenueAnswer<OrderReport>.Said said)
            answer = new VenueAnswer<OrderReport>.Said(await CompleteAsync(said.Value, outcome.State, cancellationToken));
        return await DecideAsync(
            trade, origin with { Id = StepIds.Answer(attempted.Order, attempted.Attempt) }, (state, stamp) => new AttemptAnswered(attempted.Order, attempted.Attempt, answer is VenueAnswer<OrderReport>.Said { Value: var report } ? new VenueAnswer<OrderReport>.Said(New(report, state)) : answer, stamp),
            cancellationToken);
    }

    private async Task<Outcome?> CancelAsync(TradeId trade, Input origin, OrderState order, long version, CancellationToken cancellationToken) =>
        await venue.CancelAsync(order.Intended.Symbol, order.Id, CancellationToken.None) is VenueAnswer<OrderReport>.Said said
            ? await SeenAsync(trade, origin, order.Id, said.Value, version, cancellationToken)
            // Filled meanwhile, or gone, or nobody knows: the order itself says which.
            : await AskAsync(trade, origin, order, version, cancellationToken);

    private async Task<Outcome?> AskAsync(TradeId trade, Input origin, OrderState order, long version, CancellationToken cancellationToken) =>
        await HearAsync(trade, origin, order, await _inquiry.AskAsync(order, cancellationToken), version, cancellationToken);

    /// <returns>Null where the venue did not say what became of the order: it stays as it is.</returns>
    private async Task<Outcome?> HearAsync(TradeId trade, Input origin, OrderState order, Inquired found, long version, CancellationToken cancellationToken) => found switch
    {
        { Report: { } report } => await SeenAsync(trade, origin, order.Id, report, version, cancellationToken),
        { IsAbsent: true, AskedAt: { } at } => await DecideAsync(
            trade, origin with { Id = StepIds.NotFound(order.Id, version) }, (_, stamp) => new OrderNotFound(order.Id, at, found.Evidence, stamp), cancellationToken),
        _ => null,
    };

    private async Task<Outcome> RevalidateAsync(TradeId trade, Input origin, NextStep.Revalidate step, long version, CancellationToken cancellationToken)
    {
        var rules = gate.Bar is null && await venue.ReadRulesAsync(cancellationToken) is VenueAnswer<IReadOnlyList<SymbolRules>>.Said said ? said.Value.FirstOrDefault(r => r.Symbol == step.Symbol) : null;
        return await DecideAsync(
            trade, origin with { Id = StepIds.Revalidate(step.Order, version) },
            (state, stamp) =>
            {
                var price = PriceOf(state);
                return new Revalidate(step.Order, rules, price?.Bid, price?.Ask, stamp);
            },
            cancellationToken);
    }

    private async Task<Outcome> SeenAsync(TradeId trade, Input origin, ClientOrderId order, OrderReport report, long version, CancellationToken cancellationToken)
    {
        var loaded = await pipeline.LoadAsync(Streams.Order(trade), cancellationToken);
        var complete = await CompleteAsync(report, loaded.State, cancellationToken);
        return await DecideAsync(trade, origin with { Id = StepIds.Seen(order, version) }, (state, stamp) => new OrderSeen(order, New(complete, state), stamp), cancellationToken);
    }

    /// <summary>
    /// Of its fills those that are not recorded, and no more than one decision can hold: the rest is asked for again, because they do not
    /// add up. Only where less is executed than was recorded do all of them say which are gone.
    /// </summary>
    private static OrderReport New(OrderReport report, OrdersState state) =>
        state.Find(report.Id) is { } known && report.Executed >= known.Executed && report.Fills.Count > 0
            ? report with { Fills = [.. report.Fills.Where(f => !known.Knows(f.FillId)).Take(FillsAtOnceMax)] }
            : report;

    /// <summary>With its fills, where the report leaves them out. Those that cannot be had now are asked for again.</summary>
    private async Task<OrderReport> CompleteAsync(OrderReport report, OrdersState state, CancellationToken cancellationToken)
    {
        var known = state.Find(report.Id)?.Executed ?? Quantity.Zero;
        var told = report.Fills.Aggregate(Quantity.Zero, (sum, f) => sum + f.Quantity);
        // As much as is known may be other fills, of which one was taken back before the rest came: at its end they are held against one another.
        var isSettled = report.Executed == known && !(report.IsOver && known > Quantity.Zero && state.Find(report.Id)!.IsLive);
        // Less than is known is only believed of what is over; then too the fills themselves are asked for.
        if (isSettled || report.Executed == told || (report.Executed < known && !report.IsOver))
            return report;
        return await venue.ListFillsAsync(report.Symbol, report.VenueOrderId, cancellationToken) is VenueAnswer<IReadOnlyList<FillReport>>.Said said
            ? report with { Fills = said.Value }
            : report;
    }

    /// <param name="found">What was found out for an entry that waits for its room; null where that was not asked.</param>
    private async Task<Outcome> DecideAsync(TradeId trade, Input input, Func<OrdersState, Stamp, ExecutionInput> make, CancellationToken cancellationToken, Room? found = null)
    {
        var known = control.Known.Version < 0 ? await control.RefreshAsync(cancellationToken) : control.Known;
        if (venue.Now is null)
            await venue.MeasureClockAsync(cancellationToken);
        for (var attempt = 1; ; attempt++)
        {
            OrdersState before = OrdersState.Initial;
            IReadOnlyList<object> events = [];
            try
            {
                var recorded = await pipeline.DecideAsync(
                    Streams.Order(trade), input,
                    (state, now) =>
                    {
                        before = state;
                        events = ExecutionDecider.Record(state, make(state, StampOf(state, known, found)), now);
                        return ValueTask.FromResult(new Decided(events, events.Any(e => e is OrderAttempted { Order.Role: OrderRole.Entry }) ? [known.Guard] : []));
                    },
                    cancellationToken);
                var version = recorded.Events.Count > 0 ? recorded.Events[^1].Version : 0;
                foreach (var accepted in events.OfType<OrderAccepted>())
                    _inquiry.Claim(accepted.VenueOrderId, accepted.Order);
                return recorded.IsNew
                    ? new Outcome(events.Aggregate(before, OrdersState.Fold.Apply), version, events, recorded.Events)
                    : new Outcome(before, version, [], recorded.Events);
            }
            catch (GuardedStreamMovedException) when (attempt < GuardTriesMax)
            {
                known = await control.RefreshAsync(cancellationToken);
            }
        }
    }

    /// <returns>Whether nobody else is at work on it here.</returns>
    private bool Begin(TradeId trade) => _atWork.AddOrUpdate(trade, 1, static (_, n) => n + 1) == 1;

    private void End(TradeId trade)
    {
        while (_atWork.TryGetValue(trade, out var n))
        {
            if (n == 1 ? _atWork.TryRemove(new KeyValuePair<TradeId, int>(trade, 1)) : _atWork.TryUpdate(trade, n - 1, n))
                return;
        }
    }

    private Stamp StampOf(OrdersState state, KnownControl known, Room? found)
    {
        var place = !SymbolRoom.IsAwaitedBy(state) ? default : found ?? new Room(null, "nobody has looked yet whether there is room for it");
        var bar = known.State.EntryBar ?? (venue.IsPaper ? null : known.State.Mode == TradingMode.Dry ? $"dry: {venue.Name} is no paper venue" : venue.LiveBar);
        // Signed in whole milliseconds: what is recorded is what is sent.
        DateTimeOffset? time = venue.Now is { } now ? DateTimeOffset.FromUnixTimeMilliseconds(now.ToUnixTimeMilliseconds()) : null;
        return new Stamp(time, options.WindowMilliseconds, Math.Max(0, known.Version), bar ?? place.Bar, gate.Bar ?? place.Hold, PriceOf(state)?.Middle);
    }

    private Proceed Proceed(OrdersState state, Stamp stamp)
    {
        var price = PriceOf(state);
        return new Proceed(price?.Bid, price?.Ask, stamp);
    }

    private Contracts.Market.MarketPrice? PriceOf(OrdersState state) => state.Plan is { } plan ? prices.Fresh(plan.Signal.Symbol) : null;
}
