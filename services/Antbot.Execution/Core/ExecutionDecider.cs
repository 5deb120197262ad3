using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Venue;
using Antbot.Kernel.Decisions;

namespace Antbot.Execution;

/// <summary>
/// From what was heard to what is recorded: first the facts of the input, then everything that follows from them and is due
/// (<see cref="TradeProgress"/>), the next attempt included. Who records an attempt or a cancel's intent is the one who sends it.
/// </summary>
public static class ExecutionDecider
{
    public static Behaviour<OrdersState> Behaviour { get; } = new(
        "execution", OrdersState.Fold, (state, input, now) => Record(state, (ExecutionInput)input, now), ExecutionMessages.React) { IsOver = state => state.IsDone };

    /// <summary>What is stored: the input, and what follows from it; nothing where nothing does.</summary>
    public static IReadOnlyList<object> Record(OrdersState state, ExecutionInput input, DateTimeOffset now)
    {
        var decided = Decide(state, input, now);
        return decided.Count == 0 ? decided : [RecordedInput.Of(input, decided), .. decided];
    }

    public static IReadOnlyList<object> Decide(OrdersState state, ExecutionInput input, DateTimeOffset now)
    {
        var turn = new Turn(state, now, input.Stamp);
        switch (input)
        {
            case Enter i:
                Enter(turn, i);
                break;
            case GetOut i:
                GetOut(turn, i);
                break;
            case AttemptAnswered i when state.Find(i.Order) is { } order:
                Answered(turn, order, i);
                break;
            case AttemptUnanswered i when state.Find(i.Order) is { Status: OrderStatus.Attempted } order && order.Attempts == i.Attempt:
                Unknown(turn, order, i.Text, order.AskAt);
                break;
            case OrderSeen i when state.Find(i.Order) is { } order:
                Seen(turn, order, i.Report);
                break;
            case OrderNotFound i when state.Find(i.Order) is { } order:
                NotFound(turn, order, i);
                break;
            case Adopt i:
                Adopt(turn, i);
                break;
            case WriteOff i:
                WriteOff(turn, i);
                break;
            case Correct i:
                turn.Record(new OrderCorrected(i.Order, Words.Cut(i.What), Words.Cut(i.Evidence)));
                break;
            case Revalidate i:
                Strictness.Look(turn, i);
                break;
            case ProposeSettlement i:
                Settlement.Propose(turn, i);
                break;
            case ConfirmSettlement i:
                Settlement.Confirm(turn, i);
                break;
            case Proceed i:
                TradeProgress.LookAtPrices(turn, i.Bid, i.Ask);
                break;
            case AttemptAnswered or AttemptUnanswered or OrderSeen or OrderNotFound:
                // Of an order that is not known here, or of an attempt that has been settled.
                break;
            default:
                throw new ArgumentException($"Execution does not decide on {input.GetType().Name}.", nameof(input));
        }
        TradeProgress.Advance(turn);
        return turn.Events;
    }

    private static void Enter(Turn turn, Enter input)
    {
        var (signal, state) = (input.Signal, turn.State);
        if (state.Plan is not null || state.Refused)
            return;
        if (state.Forbidden is { } forbidden)
        {
            turn.Record(new EntryFailedRecorded(signal.Trade, signal.Account, $"forbidden before the command came: {forbidden}"));
            return;
        }
        turn.Record(new EntryPlanned(signal, input.Reserved, input.Rules, input.Market, input.Policy, input.InSymbol));
        TradeProgress.Plan(turn);
    }

    /// <summary>It is protected, and nothing else is done with it of our own accord: whoever wanted it may have other plans for it.</summary>
    private static void Adopt(Turn turn, Adopt input)
    {
        var (signal, state) = (input.Signal, turn.State);
        if (state.Plan is not null || state.Refused)
            return;
        // That it was to end has been told: whoever found it finds it again, and it becomes another trade.
        var forbidden = state.Forbidden is { } reason ? $"forbidden before the command came: {reason}" : null;
        if ((forbidden ?? input.Bar ?? Keepable.Fault(signal, input.Policy, input.Rules)) is { } bar)
        {
            turn.Record(new EntryFailedRecorded(signal.Trade, signal.Account, $"not adopted: {bar}"));
            return;
        }
        turn.Record(new EntryPlanned(signal, signal.Notional, input.Rules, Market: null, input.Policy with { TakeProfitDistance = null, HoldingSecondsMax = null }));
        var evidence = Words.Cut(input.Evidence);
        // With a stop of ours that nobody remembers the position comes that it protects.
        if (input.Found is null or { Order.Role: OrderRole.Stop or OrderRole.Exit })
        {
            turn.Record(new PositionAdopted(
                ClientOrderId.Of(signal.Trade, OrderRole.Entry, 0), signal.Trade, signal.Account, signal.Symbol, signal.Side, input.Quantity, signal.Reference, input.Rules.QuoteAsset, turn.Now, evidence));
        }
        if (input.Found is { } found)
        {
            var side = found.Order.Role is OrderRole.Stop or OrderRole.Exit ? signal.Side.Opposite() : signal.Side;
            turn.Record(new OrderAdopted(found.Order, signal.Trade, signal.Account, signal.Symbol, side, input.Quantity, found.VenueOrderId, found.VenueTime, evidence));
        }
    }

    private static void WriteOff(Turn turn, WriteOff input)
    {
        if (turn.State is not { Stage: TradeStage.Entering or TradeStage.Open or TradeStage.Closing, Plan.Signal: { } signal } state)
            return;
        // What was sold meanwhile is not gone a second time.
        var gone = Math.Min(input.Quantity.Value, state.Held());
        if (gone > 0)
            turn.Record(new PositionWrittenOff(signal.Trade, signal.Account, signal.Symbol, signal.Side, new Quantity(gone), Words.Cut(input.What), Words.Cut(input.Evidence)));
    }

    private static void GetOut(Turn turn, GetOut input)
    {
        switch (turn.State.Stage)
        {
            case TradeStage.None:
                turn.Record(new EntryForbidden(input.Trade, input.Account, Words.Cut(input.Reason)));
                break;
            case TradeStage.Entering when turn.State.Withdrawn is null:
                turn.Record(new EntryWithdrawn(input.Trade, input.Account, Words.Cut(input.Reason)));
                break;
            case TradeStage.Open:
                turn.Record(new PositionClosing(input.Trade, input.Account, Words.Cut(input.Reason)));
                break;
            default:
                // It is on its way out, or out.
                break;
        }
    }

    private static void Answered(Turn turn, OrderState order, AttemptAnswered input)
    {
        if (input.Answer is VenueAnswer<OrderReport>.Said { Value: { } report })
        {
            // Whichever attempt it answers, and however late: the venue has the order.
            Seen(turn, order, report);
            return;
        }
        if (input.Attempt != order.Attempts || !order.IsOpenAttempt)
            return;
        switch (input.Answer)
        {
            case VenueAnswer<OrderReport>.Refused { Refusal: Refusal.DuplicateOrder } refused:
                // An earlier sending got through after all. It can be asked for at once.
                Unknown(turn, order, $"{refused.Code} {refused.Text}", order.SentAt);
                break;
            case VenueAnswer<OrderReport>.Refused refused:
                turn.Record(new OrderRefused(order.Id, order.Attempts, Words.Cut(refused.Code), Words.Cut(refused.Text), refused.Refusal, turn.Now + Tries.Wait(order, refused.RetryAfter)));
                break;
            case VenueAnswer<OrderReport>.NotSent notSent:
                turn.Record(new OrderNotSent(order.Id, order.Attempts, Words.Cut(notSent.Text), turn.Now + Tries.Wait(order, notSent.RetryAfter)));
                break;
            case VenueAnswer<OrderReport>.Unknown unknown when order.Status == OrderStatus.Attempted:
                Unknown(turn, order, unknown.Text, order.AskAt);
                break;
            default:
                // That it is unknown was known.
                break;
        }
    }

    private static void Unknown(Turn turn, OrderState order, string text, DateTimeOffset? askAt) =>
        turn.Record(new OrderUnknown(order.Id, order.Attempts, Words.Cut(text), order.Intended.Account, askAt ?? order.SentAt!.Value));

    private static void Seen(Turn turn, OrderState order, OrderReport report)
    {
        // Of an order that was never attempted, or with other properties, this cannot be told: it is none of this intent.
        if (order.Attempts == 0 || report.Id != order.Id || report.Symbol != order.Intended.Symbol || report.Side != order.Intended.Side
            || (order.VenueOrderId is { } known && known != report.VenueOrderId))
        {
            return;
        }
        var before = turn.Events.Count;
        if (order.VenueOrderId is null)
            turn.Record(new OrderAccepted(order.Id, report.VenueOrderId, report.At));
        foreach (var fill in report.Fills)
        {
            if (fill.VenueOrderId == report.VenueOrderId && !turn.State.Find(order.Id)!.Knows(fill.FillId))
                turn.Record(new OrderFilled(order.Id, fill.FillId, fill.Quantity, fill.Price, fill.Fee, fill.FeeAsset, fill.At, ValueOf(fill, turn.State.Plan?.Rules)));
        }
        TakeBack(turn, order.Id, report);
        var now = turn.State.Find(order.Id)!;
        // An end with fills still missing is no end: it is asked again until they are all there.
        if (report.IsOver && now.IsLive && now.Executed == report.Executed)
            turn.End(now, EndOf(report), $"the venue says {report.Status} with {report.Executed} executed");
        else if (now.Doubted && turn.Events.Count == before)
            turn.Record(new OrderConfirmed(order.Id, $"the venue says {report.Status} with {report.Executed} executed"));
    }

    /// <summary>What we have recorded and the venue has no more. Only of an order that is over: an answer from a copy that lags behind shows less too.</summary>
    private static void TakeBack(Turn turn, ClientOrderId id, OrderReport report)
    {
        var order = turn.State.Find(id)!;
        var told = report.Fills.Where(f => f.VenueOrderId == report.VenueOrderId).DistinctBy(f => f.FillId).ToDictionary(f => f.FillId, f => f.Quantity.Value, StringComparer.Ordinal);
        if (!report.IsOver || order.Executed <= report.Executed || told.Values.Sum() != report.Executed.Value)
            return;
        foreach (var fill in order.Fills.Where(f => !told.ContainsKey(f.FillId)).ToList())
            turn.Record(new OrderFillBusted(fill, $"the venue says {report.Status} with {report.Executed} executed, and does not list the fill"));
    }

    private static void NotFound(Turn turn, OrderState order, OrderNotFound input)
    {
        if (order.IsOpenAttempt && order.VenueOrderId is null)
        {
            // A duplicate may be asked after at once; that it is not there is believed only after its window.
            if (input.AskedAt >= order.SettledAt)
                turn.Record(new OrderAbsent(order.Id, order.Attempts, input.AskedAt, Words.Cut(input.Evidence)));
            return;
        }
        // Venues answer from copies that lag behind, and answers come late: an accepted order is given up only where Reconciliation
        // doubts it too, and the question was asked when no attempt at it could still be on its way.
        if (!order.Doubted || input.AskedAt < order.SettledAt)
            return;
        if (order.IsLive && order.VenueOrderId is not null)
            turn.End(order, OrderEnd.Cancelled, $"the venue does not know it any more: {Words.Cut(input.Evidence)}");
        else
            turn.Record(new OrderConfirmed(order.Id, $"the venue does not know it: {Words.Cut(input.Evidence)}"));
    }

    private static Money? ValueOf(FillReport fill, SymbolRules? rules) =>
        rules is null ? null
        : fill.FeeAsset == rules.QuoteAsset ? fill.Fee
        : fill.FeeAsset == rules.BaseAsset ? new Money(fill.Fee.Value * fill.Price.Value)
        : null;

    private static OrderEnd EndOf(OrderReport report) => report.Status switch
    {
        VenueOrderStatus.Filled => OrderEnd.Filled,
        VenueOrderStatus.Cancelled => OrderEnd.Cancelled,
        _ => OrderEnd.Expired,
    };
}
