using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Venue;

namespace Antbot.Execution;

/// <summary>
/// What an entry has filled has no stop while its rest rests. It waits for more for as long as the policy says; then the rest is
/// cancelled, and what is filled is a position like any other.
/// </summary>
internal static class PartialEntry
{
    /// <summary>When its rest is cancelled; null where it may rest for as long as it is valid.</summary>
    public static DateTimeOffset? CutAt(OrdersState state, OrderState order)
    {
        if (order is not { Status: OrderStatus.Resting, Intended.Role: OrderRole.Entry, CancelIntended: false } || state.Plan is not { Rules: { } rules } plan || order.Executed == Quantity.Zero)
            return null;
        // Nobody says how long an order that was found may rest.
        if (order.IsAdopted)
            return DateTimeOffset.MinValue;
        return plan.Policy.PartialEntrySecondsMax is { } seconds && IsToBeProtected(state, plan, rules) ? Plus(order.Fills.Min(f => f.VenueTime), TimeSpan.FromSeconds(Math.Max(0, seconds))) : null;
    }

    /// <summary>A stop is wanted, and the venue would take it where it stands: of less than it sells there nothing can be protected, and cancelling would leave it for good.</summary>
    private static bool IsToBeProtected(OrdersState state, EntryPlanned plan, SymbolRules rules)
    {
        var average = TradeProgress.AverageOfEntries(state);
        return Sizing.StopOf(plan.Signal.Side, average, plan.Signal.Stop, plan.Policy, rules) is { } stop
            && Sizing.LimitOf(Side.Buy, Math.Min(average.Value, stop.Value) * (1 - (plan.Policy.StopLimitDistance ?? 0)), rules) is { } lowest
            && Sizing.Sellable(state.Held(), TradeProgress.RulesOfStop(plan), lowest) > Quantity.Zero;
    }

    private static DateTimeOffset Plus(DateTimeOffset time, TimeSpan patience) => time < DateTimeOffset.MaxValue - patience ? time + patience : DateTimeOffset.MaxValue;
}
