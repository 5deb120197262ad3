using Antbot.Contracts;

namespace Antbot.Execution;

/// <summary>What should be done at the venue for a trade that stands still.</summary>
public abstract record NextStep
{
    private static readonly Rest Resting = new();
    private static readonly IReadOnlyList<NextStep> AtRest = [Resting];

    private NextStep()
    {
    }

    /// <summary>Nothing until something is heard.</summary>
    public sealed record Rest : NextStep;

    /// <summary>Nothing before this time of ours.</summary>
    public sealed record Wait(DateTimeOffset Until) : NextStep;

    /// <summary>Ask the venue for the order.</summary>
    public sealed record Ask(ClientOrderId Order, Symbol Symbol) : NextStep;

    /// <summary>Cancel the order; its intent is recorded.</summary>
    public sealed record Cancel(ClientOrderId Order, Symbol Symbol) : NextStep;

    /// <summary>Ask anew for everything that an entry rests on: its tries are used up.</summary>
    public sealed record Revalidate(ClientOrderId Order, Symbol Symbol) : NextStep;

    /// <summary>Decide again: something is due.</summary>
    public sealed record Decide : NextStep;

    /// <summary>The first of what is due, or what is waited for.</summary>
    public static NextStep Of(OrdersState state, DateTimeOffset now, DateTimeOffset? venueNow) => AllOf(state, now, venueNow)[0];

    /// <summary>
    /// All that is due, in its order; where nothing is, the one thing that is waited for. What one order waits for, or the venue does not
    /// say of it, must not keep another from what is due to it.
    /// </summary>
    public static IReadOnlyList<NextStep> AllOf(OrdersState state, DateTimeOffset now, DateTimeOffset? venueNow)
    {
        // Asked ten times a second for every trade that is open, of which next to none has anything due.
        List<NextStep>? due = null;
        NextStep? wait = null;
        var isLive = false;
        foreach (var order in state.Orders)
        {
            if (order.Doubted)
                Consider(new Ask(order.Id, order.Intended.Symbol));
        }
        foreach (var order in state.Orders)
        {
            if (!order.IsLive)
                continue;
            isLive = true;
            Consider(Of(order, state, now, venueNow));
        }
        Consider(!isLive && state.Stage is TradeStage.Entering or TradeStage.Closing ? new Decide() : Age(state, now));
        return due ?? (wait is null ? AtRest : [wait]);

        void Consider(NextStep step)
        {
            if (step is Wait)
                wait ??= step;
            else if (step is not Rest && due?.Contains(step) is not true)
                (due ??= []).Add(step);
        }
    }

    private static NextStep Of(OrderState order, OrdersState state, DateTimeOffset now, DateTimeOffset? venueNow)
    {
        var (symbol, stage) = (order.Intended.Symbol, state.Stage);
        switch (order.Status)
        {
            case OrderStatus.Intended:
                if (stage == TradeStage.Entering && (order.Intended.ValidUntil <= now || state.Withdrawn is not null))
                    return new Decide();
                if (order.NotBefore > now)
                    return new Wait(order.NotBefore.Value);
                return stage == TradeStage.Entering && Tries.IsLookedAtStrictly(order, state.Plan!.Policy) ? new Revalidate(order.Id, symbol) : new Decide();
            case OrderStatus.Attempted or OrderStatus.Unknown:
                // Without the venue's clock nobody knows whether its window has passed: look again soon.
                if (venueNow is not { } venue)
                    return new Wait(now.AddSeconds(1));
                return venue >= order.AskAt ? new Ask(order.Id, symbol) : new Wait(now + (order.AskAt!.Value - venue));
            case OrderStatus.Resting when order.CancelIntended:
                return new Cancel(order.Id, symbol);
            case OrderStatus.Resting when stage is TradeStage.Failed or TradeStage.Closed:
                return new Decide();
            case OrderStatus.Resting when PartialEntry.CutAt(state, order) is { } cut && (cut <= now || cut <= venueNow):
                return new Decide();
            case OrderStatus.Resting when order.Intended is { Kind: OrderKind.Market, Trigger: null }:
                return new Ask(order.Id, symbol);
            case OrderStatus.Resting when Sooner(PartialEntry.CutAt(state, order), order.Intended.ValidUntil) is { } until:
                return order.Intended.ValidUntil <= now ? new Decide() : new Wait(until);
            default:
                return Resting;
        }
    }

    private static DateTimeOffset? Sooner(DateTimeOffset? a, DateTimeOffset? b) => a is null || b < a ? b : a;

    private static NextStep Age(OrdersState state, DateTimeOffset now) => state is { Stage: TradeStage.Open, Position.HoldUntil: { } until }
        ? until <= now ? new Decide() : new Wait(until)
        : Resting;
}
