using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Venue;

namespace Antbot.Execution;

/// <summary>Quantities are rounded down and prices to their tick, on the side that costs nobody more than was allowed.</summary>
public static class Sizing
{
    /// <summary>How much the money buys, or null with the reason why nothing can be entered for it.</summary>
    public static (Quantity? Quantity, string? Reason) Entry(Money money, Price price, SymbolRules rules)
    {
        if (rules.QuantityStep <= 0 || rules.PriceTick <= 0)
            return (null, $"the venue's rules for {rules.Symbol} have a step or a tick that is not above zero");
        if (money <= Money.Zero)
            return (null, $"no money is left for it: {money}");
        // Compared before it is divided: the quotient of a large sum and a tiny price is no decimal.
        var most = rules.QuantityMax.Value;
        var wanted = most * price.Value <= money.Value ? most : money.Value / price.Value;
        var quantity = Floor(wanted, rules.QuantityStep);
        if (quantity < rules.QuantityMin.Value || quantity <= 0)
            return (null, $"{money} {rules.QuoteAsset} buy {quantity} {rules.BaseAsset} at {price}, and the venue takes no less than {rules.QuantityMin}");
        if (quantity * price.Value < rules.NotionalMin.Value)
            return (null, $"{quantity} {rules.BaseAsset} at {price} are {quantity * price.Value} {rules.QuoteAsset}, and the venue takes no less than {rules.NotionalMin}");
        return (new Quantity(quantity), null);
    }

    /// <summary>What can be sold of what is held; zero where it is less than the venue takes.</summary>
    public static Quantity Sellable(decimal held, SymbolRules rules, Price price)
    {
        var quantity = Floor(Math.Min(held, rules.QuantityMax.Value), rules.QuantityStep);
        return quantity <= 0 || quantity < rules.QuantityMin.Value || quantity * price.Value < rules.NotionalMin.Value ? Quantity.Zero : new Quantity(quantity);
    }

    /// <summary>Down for a purchase and up for a sale: never a worse price than was asked for.</summary>
    public static Price LimitOf(Side side, decimal price, SymbolRules rules)
    {
        var (down, up) = (Floor(price, rules.PriceTick), -Floor(-price, rules.PriceTick));
        // Above the highest price there is nothing to round up to.
        return new(Math.Max(rules.PriceTick, side == Side.Buy || Price.Fault(up) is not null ? down : up));
    }

    /// <summary>Where the stop of a position lies: where the signal wants it, or the policy's distance away.</summary>
    public static Price? StopOf(Side side, Price average, Price? wanted, ExecutionPolicy policy, SymbolRules rules) => wanted is { } price
        ? LimitOf(side, price.Value, rules)
        : policy.StopDistance > 0 ? LimitOf(side, average.Value * (1 - side.Sign() * policy.StopDistance), rules) : null;

    public static Price? TakeProfitOf(Side side, Price average, Price? wanted, ExecutionPolicy policy) => wanted
        ?? (policy.TakeProfitDistance is { } distance ? new Price(average.Value * (1 + side.Sign() * distance)) : null);

    private static decimal Floor(decimal number, decimal step) => Math.Floor(number / step) * step;
}
