using Antbot.Contracts;
using Antbot.Contracts.Events;

namespace Antbot.Execution;

/// <summary>
/// Once, where the policy wants it and the tries of an entry were used up by refusals that said nothing happened: a market order of half
/// its size. Never where one of the tries was ever in doubt.
/// </summary>
internal static class HalfSizeFallback
{
    private const decimal Part = 0.5m;

    /// <returns>The intent, or why there is none; neither where there was no question of one.</returns>
    public static (OrderIntended? Intent, string? Reason) Of(Turn turn, EntryPlanned plan, OrderState entry)
    {
        if (plan.Policy.HalfSizeFallback is not true || turn.State.Count(OrderRole.Entry) > 1 || turn.State.Withdrawn is not null
            || entry is not { End: OrderEnd.NeverPlaced, WasInDoubt: false, Strictly: not false } || entry.Executed > Quantity.Zero || Tries.IsFinal(entry.Refusal) || entry.Attempts < plan.Policy.EntryAttemptsMax)
        {
            return (null, null);
        }
        var (signal, stamp) = (plan.Signal, turn.Stamp);
        if ((stamp.EntryBar ?? stamp.EntryHold) is { } bar)
            return (null, bar);
        if (turn.IsPast(signal.ValidUntil))
            return (null, $"it was valid until {signal.ValidUntil:O}");
        if (stamp.Last is not { } price)
            return (null, $"no price of {signal.Symbol} is younger than {plan.Policy.PriceAgeSecondsMax} s");
        var (quantity, reason) = SizeOf(plan, entry, price);
        if (quantity is not { } size)
            return (null, reason);
        return (
            new OrderIntended(
                ClientOrderId.Of(signal.Trade, OrderRole.Entry, 1), signal.Trade, signal.Account, OrderRole.Entry, signal.Symbol, signal.Side, OrderKind.Market, size, Limit: null,
                Trigger: null, ReduceOnly: false, signal.ValidUntil, $"half of {entry.Id} at the market's price, {price}: {entry.LastWord}", NotBefore: null, Criticality.Low),
            null);
    }

    private static (Quantity? Quantity, string? Reason) SizeOf(EntryPlanned plan, OrderState entry, Price price)
    {
        var (signal, rules, sign) = (plan.Signal, Keepable.RulesOfEntry(plan.Rules!, OrderKind.Market), plan.Signal.Side.Sign());
        if (Math.Abs(price.Value - signal.Reference.Value) > signal.Reference.Value * plan.Policy.PriceMoveMax)
            return (null, $"the market has moved from {signal.Reference} to {price}");
        if (entry.Intended.Limit is { } limit && price.Value * sign > limit.Value * sign)
            return (null, $"the market at {price} is worse than the limit of {limit}");
        if (TradeProgress.WrongSide(signal, price) is { } wrong)
            return (null, wrong);
        var worst = TradeProgress.Worst(plan, OrderKind.Market, price);
        var money = TradeProgress.MoneyOf(plan);
        // What half of it may cost at the most: never more than what is set aside for the whole.
        var (most, reason) = Sizing.Entry(money, worst, rules);
        if (most is not { } affordable)
            return (null, reason);
        var half = Sizing.Sellable(Math.Min(entry.Intended.Quantity.Value * Part, affordable.Value), rules, price);
        return half == Quantity.Zero ? (null, $"half of {entry.Intended.Quantity} is less than the venue takes") : (half, null);
    }
}
