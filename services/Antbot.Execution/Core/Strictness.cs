using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;

namespace Antbot.Execution;

/// <summary>
/// The last look at an entry whose tries are used up: with the venue's rules of just now and a fresh price, and within half of the
/// slippage. Every rule says what it saw; one that fails ends the entry.
/// </summary>
internal static class Strictness
{
    private const decimal SlippagePart = 0.5m;

    public static void Look(Turn turn, Revalidate input)
    {
        // Where it may not be entered at all, that is what it ends with; where it waits, the look would be old when it goes on.
        if (turn.State is not { Stage: TradeStage.Entering, Plan: { } plan, Withdrawn: null } state || state.Entry is not { } entry || entry.Id != input.Order
            || !Tries.IsLookedAtStrictly(entry, plan.Policy) || turn.Stamp.EntryBar is not null || turn.Stamp.EntryHold is not null || entry.NotBefore > turn.Now)
        {
            return;
        }
        var price = entry.Intended.Side == Side.Buy ? input.Ask : input.Bid;
        turn.Record(new OrderRevalidated(entry.Id, entry.Attempts + 1, [RulesHold(entry.Intended, input.Rules, price), PriceIsFresh(price, plan.Policy), IsWithinSlippage(plan, price)]));
    }

    private static Verdict RulesHold(OrderIntended intended, SymbolRules? told, Price? price)
    {
        const string Name = "venue-rules";
        var rules = told?.Of(intended.Kind);
        if (rules is null || rules.QuantityStep <= 0 || rules.PriceTick <= 0)
            return new Verdict(Name, Passed: false, "the venue did not tell what it asks of orders");
        var quantity = intended.Quantity.Value;
        var fits = quantity % rules.QuantityStep == 0 && quantity >= rules.QuantityMin.Value && quantity <= rules.QuantityMax.Value
            && (intended.Limit is not { } limit || limit.Value % rules.PriceTick == 0)
            && ((intended.Limit ?? price) is not { } at || quantity * at.Value >= rules.NotionalMin.Value);
        return new Verdict(Name, fits, $"{quantity} in steps of {rules.QuantityStep}, from {rules.QuantityMin} to {rules.QuantityMax}, of {rules.NotionalMin} at least");
    }

    private static Verdict PriceIsFresh(Price? price, ExecutionPolicy policy) =>
        new("fresh-price", price is not null, price is { } known ? $"{known}" : $"no price is younger than {policy.PriceAgeSecondsMax} s");

    private static Verdict IsWithinSlippage(EntryPlanned plan, Price? price)
    {
        const string Name = "half-slippage";
        var (sized, most) = (plan.Market ?? plan.Signal.Reference, plan.Policy.SlippageMax * SlippagePart);
        if (price is not { } now)
            return new Verdict(Name, Passed: false, "without a price nothing can be said");
        var worse = (now.Value - sized.Value) * plan.Signal.Side.Sign();
        return new Verdict(Name, worse <= sized.Value * most, $"{now} where {sized} was planned, at most {most:P2} worse");
    }
}
