using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;

namespace Antbot.Execution;

/// <summary>What follows from where a trade stands: one order at a time, the entry first, then its stop, then the exit.</summary>
internal static class TradeProgress
{
    /// <summary>What a client order id has room for.</summary>
    private const int IntentsMax = ClientOrderId.IntentsMax;

    /// <summary>The command has come: the entry is intended, or there is a reason why not.</summary>
    public static void Plan(Turn turn)
    {
        var plan = turn.State.Plan!;
        var signal = plan.Signal;
        var (price, reason) = PriceOf(turn, plan);
        Quantity? quantity = null;
        if (price is { } known)
            (quantity, reason) = SizeOf(plan, known);
        if (quantity is not { } size)
        {
            turn.Record(new EntryFailedRecorded(signal.Trade, signal.Account, reason!));
            return;
        }
        turn.Record(new OrderIntended(
            ClientOrderId.Of(signal.Trade, OrderRole.Entry, 0), signal.Trade, signal.Account, OrderRole.Entry, signal.Symbol, signal.Side, signal.Kind, size,
            signal.Kind == OrderKind.Limit ? price : null, Trigger: null, ReduceOnly: false, signal.ValidUntil,
            $"{signal.Source}: at most {MoneyOf(plan)} {plan.Rules!.QuoteAsset} at {price}", NotBefore: null, Tries.CriticalityOf(OrderRole.Entry, signal.Kind)));
    }

    /// <summary>What an entry may cost at the most.</summary>
    public static Money MoneyOf(EntryPlanned plan) => plan.Reserved < plan.Signal.Notional ? plan.Reserved : plan.Signal.Notional;

    /// <summary>A market order pays what it finds: what it may find is kept within what is reserved.</summary>
    public static Price Worst(EntryPlanned plan, OrderKind kind, Price price) =>
        kind == OrderKind.Market && plan.Signal.Side == Side.Buy ? new Price(price.Value * (1 + plan.Policy.SlippageMax)) : price;

    public static SymbolRules RulesOfStop(EntryPlanned plan) => plan.Rules!.Of(plan.Policy.StopLimitDistance is null ? OrderKind.Market : OrderKind.Limit);

    public static string? WrongSide(Signal signal, Price price)
    {
        var sign = signal.Side.Sign();
        if (signal.Stop is { } stop && stop.Value * sign >= price.Value * sign)
            return $"the stop at {stop} is on the wrong side of {price}";
        return signal.TakeProfit is { } profit && profit.Value * sign <= price.Value * sign ? $"the profit at {profit} is on the wrong side of {price}" : null;
    }

    public static void LookAtPrices(Turn turn, Price? bid, Price? ask)
    {
        if (PriceExit.ReasonOf(turn.State, bid, ask) is { } reason)
            turn.Record(Closing(turn.State.Position!, reason));
    }

    public static void Advance(Turn turn)
    {
        if (turn.State.Stage == TradeStage.Entering)
            Enter(turn);
        if (turn.State.Stage is TradeStage.Failed or TradeStage.Closed)
            TidyUp(turn);
        if (turn.State.Stage == TradeStage.Open)
            Protect(turn);
        if (turn.State.Stage == TradeStage.Closing)
            Close(turn);
    }

    private static (Price? Price, string? Reason) PriceOf(Turn turn, EntryPlanned plan)
    {
        var (signal, policy) = (plan.Signal, plan.Policy);
        if (turn.Stamp.EntryBar is { } bar)
            return (null, bar);
        if (plan.Rules is not { } rules)
            return (null, $"what the venue asks of orders in {signal.Symbol} is not known");
        if (turn.IsPast(signal.ValidUntil))
            return (null, $"it was valid until {signal.ValidUntil:O}");
        if (Keepable.Fault(signal, policy, rules) is { } fault)
            return (null, fault);
        if (signal.Kind == OrderKind.Limit)
            return signal.Limit is { } limit ? (Sizing.LimitOf(signal.Side, limit.Value, rules), null) : (null, "a limit order without its limit");
        var isFresh = turn.Now - signal.RaisedAt <= TimeSpan.FromSeconds(policy.PriceAgeSecondsMax);
        if ((plan.Market ?? (isFresh ? signal.Reference : null)) is not { } market)
            return (null, $"no price of {signal.Symbol} is younger than {policy.PriceAgeSecondsMax} s");
        return Math.Abs(market.Value - signal.Reference.Value) > signal.Reference.Value * policy.PriceMoveMax
            ? (null, $"the market has moved from {signal.Reference} to {market}, by more than {policy.PriceMoveMax:P1}")
            : (market, null);
    }

    private static (Quantity? Quantity, string? Reason) SizeOf(EntryPlanned plan, Price price) => WrongSide(plan.Signal, price) is { } wrong
        ? (null, wrong)
        : Sizing.Entry(MoneyOf(plan), Worst(plan, plan.Signal.Kind, price), Keepable.RulesOfEntry(plan.Rules!, plan.Signal.Kind));

    private static void Enter(Turn turn)
    {
        var plan = turn.State.Plan!;
        // One that was given up and turned up all the same: the order after it waits for its end, and then it is the entry.
        CancelEntriesBefore(turn, turn.State.Entry!, "another one is under way for it");
        GoOn(turn, plan);
        if (turn.State.Entries.FirstOrDefault(o => PartialEntry.CutAt(turn.State, o) is { } at && turn.IsPast(at)) is { } partial)
            turn.Record(new OrderCancelIntended(partial.Id, $"{partial.Executed} are filled, and are to be protected"));
        if (turn.State.Entries.Any(o => o.IsLive))
            return;
        if (turn.State.Entered == Quantity.Zero)
        {
            Fail(turn, plan);
            return;
        }
        turn.Record(Opened(turn));
        if (turn.State.Withdrawn is { } reason)
            turn.Record(Closing(turn.State.Position!, $"withdrawn: {reason}"));
    }

    private static void GoOn(Turn turn, EntryPlanned plan)
    {
        var entry = turn.State.Entry!;
        if (!entry.IsLive)
            return;
        var over = turn.State.Withdrawn is { } withdrawn ? $"withdrawn: {withdrawn}" : turn.IsPast(entry.Intended.ValidUntil) ? "it was valid until then" : null;
        if (entry.Status == OrderStatus.Intended)
            AttemptEntry(turn, entry, plan.Policy, over);
        else if (over is not null && entry is { Status: OrderStatus.Resting, CancelIntended: false })
            turn.Record(new OrderCancelIntended(entry.Id, over));
    }

    /// <summary>Nothing was entered: half of it is tried at the market's price where the policy wants that, or it has come to nothing.</summary>
    private static void Fail(Turn turn, EntryPlanned plan)
    {
        var entry = turn.State.Entry!;
        var (fallback, reason) = HalfSizeFallback.Of(turn, plan, entry);
        if (fallback is not null)
        {
            turn.Record(fallback);
            Attempt(turn, turn.State.Entry!);
            return;
        }
        var why = turn.State.Withdrawn is { } withdrawn ? $"withdrawn: {withdrawn}" : $"{entry.End}: {entry.LastWord}{(reason is null ? "" : $"; no half of it either: {reason}")}";
        turn.Record(new EntryFailedRecorded(plan.Signal.Trade, plan.Signal.Account, why));
    }

    private static void CancelEntriesBefore(Turn turn, OrderState entry, string reason)
    {
        foreach (var earlier in turn.State.Entries.Where(o => o.Id != entry.Id && o is { Status: OrderStatus.Resting, CancelIntended: false }).ToList())
            turn.Record(new OrderCancelIntended(earlier.Id, reason));
    }

    private static void AttemptEntry(Turn turn, OrderState entry, ExecutionPolicy policy, string? over)
    {
        var earlier = turn.State.Entries.Where(o => o.Id != entry.Id).ToList();
        var most = Tries.Most(entry.Intended, policy) + (entry.Strictly is true ? 1 : 0);
        if (over is not null)
            turn.End(entry, OrderEnd.NeverPlaced, entry.LastWord is { } word ? $"{over}; before that: {word}" : over);
        else if (earlier.Exists(o => o.Executed > Quantity.Zero))
            turn.End(entry, OrderEnd.NeverPlaced, "the order before it was filled after all");
        else if (Tries.IsLookedAtStrictly(entry, policy))
            BarEntry(turn, entry);
        else if (Tries.IsFinal(entry.Refusal) || entry.Attempts >= most)
            turn.End(entry, OrderEnd.NeverPlaced, $"after {entry.Attempts} attempts: {entry.LastWord}");
        else if (!BarEntry(turn, entry) && turn.Stamp.EntryHold is null && !earlier.Exists(o => o.IsLive))
            Attempt(turn, entry);
    }

    private static bool BarEntry(Turn turn, OrderState entry)
    {
        if (turn.Stamp.EntryBar is not { } bar)
            return false;
        turn.End(entry, OrderEnd.NeverPlaced, bar);
        return true;
    }

    /// <summary>An order that turns up after its trade had ended is cancelled, and what it filled is given back.</summary>
    private static void TidyUp(Turn turn)
    {
        var state = turn.State;
        foreach (var live in state.Orders.Where(o => o is { Status: OrderStatus.Resting, CancelIntended: false }))
            turn.Record(new OrderCancelIntended(live.Id, "the trade had ended before it turned up"));
        if (state.Orders.Any(o => o.IsLive))
            return;
        if (state.Plan?.Rules is not { } rules || state.Entered == Quantity.Zero || state.Held() <= state.Left.Value)
            return;
        if (Sizing.Sellable(state.Held(), rules.AtMarket(), turn.Stamp.Last ?? AverageOfEntries(state)) == Quantity.Zero)
            return;
        if (state.Position is null)
            turn.Record(Opened(turn));
        turn.Record(Closing(turn.State.Position!, "fills turned up after the trade had ended"));
    }

    private static void Protect(Turn turn)
    {
        CancelEntriesBefore(turn, turn.State.Entry!, "the position is open");
        var (state, position) = (turn.State, turn.State.Position!);
        var stop = state.Stop;
        if (turn.Now >= position.HoldUntil)
        {
            turn.Record(Closing(position, $"held until {position.HoldUntil:O}, as long as it may be"));
            return;
        }
        var quantity = Sizing.Sellable(state.Held(), RulesOfStop(state.Plan!), turn.Stamp.Last ?? position.Average);
        if (stop is { Status: OrderStatus.Intended } && stop.Intended.Quantity > quantity)
        {
            turn.End(stop, OrderEnd.NeverPlaced, $"only {quantity} can be sold by now");
            stop = turn.State.Stop!;
        }
        // A stop that is at work may leave less than could be sold: it is left to finish.
        if (quantity == Quantity.Zero && stop is not { IsLive: true })
        {
            turn.Record(Closing(position, stop?.Executed > Quantity.Zero ? $"stop: {stop.LastWord}" : $"what is held is less than the venue sells: {state.Held()}"));
            return;
        }
        if (position.Stop is not { } trigger)
            return;
        if (stop is null or { IsLive: false })
        {
            // What fired and was not filled to the end is no stop any more: the rest goes at once.
            if (stop?.Executed > Quantity.Zero || state.Count(OrderRole.Stop) >= IntentsMax)
            {
                turn.Record(Closing(position, $"stop: {stop?.LastWord}"));
                return;
            }
            Intend(turn, OrderRole.Stop, quantity, trigger, $"protects {quantity} at {trigger}");
            stop = turn.State.Stop!;
        }
        if (stop is { Status: OrderStatus.Resting, CancelIntended: false } && stop.Intended.Quantity - stop.Executed > quantity)
            turn.Record(new OrderCancelIntended(stop.Id, $"only {quantity} can be sold by now"));
        if (stop.Status != OrderStatus.Intended)
            return;
        if (Tries.IsFinal(stop.Refusal))
        {
            turn.End(stop, OrderEnd.NeverPlaced, $"refused: {stop.LastWord}");
            turn.Record(Closing(position, $"it cannot be protected, the venue refused its stop at {trigger}: {stop.LastWord}"));
            return;
        }
        Attempt(turn, stop);
    }

    private static void Close(Turn turn)
    {
        // Every turn of this loop ends one order; there are never more than a few.
        while (turn.State.Orders.FirstOrDefault(o => o.IsLive) is { } live)
        {
            if (live.Status == OrderStatus.Resting && !live.CancelIntended && live.Intended.Role != OrderRole.Exit)
                turn.Record(new OrderCancelIntended(live.Id, turn.State.Closing!));
            if (live.Status != OrderStatus.Intended)
                return;
            if (live.Intended.Role == OrderRole.Exit && Sellable(turn) >= live.Intended.Quantity)
            {
                Attempt(turn, live);
                return;
            }
            turn.End(live, OrderEnd.NeverPlaced, "the position is being closed");
        }
        var quantity = Sellable(turn);
        if (quantity == Quantity.Zero)
        {
            turn.Record(Closed(turn.State));
        }
        else if (turn.State.Count(OrderRole.Exit) < IntentsMax)
        {
            Intend(turn, OrderRole.Exit, quantity, trigger: null, turn.State.Closing!);
            Attempt(turn, turn.State.Exit!);
        }
    }

    private static Quantity Sellable(Turn turn) =>
        Sizing.Sellable(turn.State.Held(), turn.State.Plan!.Rules!.AtMarket(), turn.Stamp.Last ?? turn.State.Position!.Average);

    /// <summary>Always the other side of the position, and never more than is held of it.</summary>
    private static void Intend(Turn turn, OrderRole role, Quantity quantity, Price? trigger, string reason)
    {
        var (plan, earlier) = (turn.State.Plan!, turn.State.Count(role));
        var (signal, side) = (plan.Signal, plan.Signal.Side.Opposite());
        Price? limit = trigger is { } at && plan.Policy.StopLimitDistance is { } distance ? Sizing.LimitOf(side.Opposite(), at.Value * (1 + side.Sign() * distance), plan.Rules!) : null;
        var (id, kind) = (ClientOrderId.Of(signal.Trade, role, earlier), limit is null ? OrderKind.Market : OrderKind.Limit);
        turn.Record(new OrderIntended(
            id, signal.Trade, signal.Account, role, signal.Symbol, side, kind, quantity, limit,
            trigger, ReduceOnly: true, ValidUntil: null, reason, earlier == 0 ? null : turn.Now + Tries.Pause(id, earlier),
            Tries.CriticalityOf(role, kind)));
    }

    private static void Attempt(Turn turn, OrderState order)
    {
        if (turn.Stamp.VenueTime is { } time && !(order.NotBefore > turn.Now))
            turn.Record(new OrderAttempted(order.Id, order.Attempts + 1, time, WindowOf(turn, order, time), turn.Stamp.ControlVersion));
    }

    /// <summary>An entry that is late on its way is not taken when its signal is valid no more.</summary>
    private static int WindowOf(Turn turn, OrderState order, DateTimeOffset time)
    {
        var most = turn.Stamp.WindowMilliseconds;
        return turn.State.Plan?.Policy.EndsWithSignal is true && order.Intended.ValidUntil is { } until && until - time < TimeSpan.FromMilliseconds(most)
            ? Math.Max(1, (int)(until - time).TotalMilliseconds)
            : most;
    }

    private static PositionOpened Opened(Turn turn)
    {
        var (state, plan) = (turn.State, turn.State.Plan!);
        var (average, filled) = (AverageOfEntries(state), state.Entries.Where(o => o.Executed > Quantity.Zero).ToList());
        var (side, signal) = (plan.Signal.Side, plan.Signal);
        return new PositionOpened(
            signal.Trade, signal.Account, signal.Symbol, side, state.Entered, average, Sum(filled, o => o.Cost), Sum(filled, o => o.FeeValue),
            Sizing.StopOf(side, average, signal.Stop, plan.Policy, plan.Rules!), Sizing.TakeProfitOf(side, average, signal.TakeProfit, plan.Policy),
            [.. filled.Select(o => o.Id)], new Quantity(Math.Max(0, state.Held())), plan.Policy.HoldingSecondsMax is { } seconds ? turn.Now.AddSeconds(seconds) : null);
    }

    private static PositionClosing Closing(PositionOpened position, string reason) => new(position.Trade, position.Account, reason);

    private static PositionClosed Closed(OrdersState state)
    {
        var position = state.Position!;
        var exits = state.Orders.Where(o => o.Intended.Role != OrderRole.Entry).SelectMany(o => o.Fills).ToList();
        return new PositionClosed(
            position.Trade, position.Account, position.Symbol, position.Side, state.Entered, state.Entered == Quantity.Zero ? position.Average : AverageOfEntries(state), exits.Count == 0 ? position.Average : AverageOf(exits),
            state.CashFlow(), state.Fees(), state.Closing!, [.. state.Orders.Where(o => o.Attempts > 0).Select(o => o.Id)], new Quantity(Math.Max(0, state.Held())));
    }

    public static Price AverageOfEntries(OrdersState state) => AverageOf([.. state.Entries.SelectMany(o => o.Fills)]);

    private static Price AverageOf(IReadOnlyList<OrderFilled> fills) => new(fills.Sum(f => f.Price.Value * f.Quantity.Value) / fills.Sum(f => f.Quantity.Value));

    private static Money Sum(IEnumerable<OrderState> orders, Func<OrderState, Money> of) => orders.Aggregate(Money.Zero, (sum, o) => sum + of(o));
}
