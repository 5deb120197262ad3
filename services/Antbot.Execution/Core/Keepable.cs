using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;

namespace Antbot.Execution;

/// <summary>What is entered must be of a kind that the venue takes, and so must everything that protects it and sells it again.</summary>
internal static class Keepable
{
    /// <summary>Null where the venue takes all of them.</summary>
    public static string? Fault(Signal signal, ExecutionPolicy policy, SymbolRules rules)
    {
        var wanted = new List<(OrderTypes Type, string What)>
        {
            (OrderTypes.Market, "what is held could not be sold at the market's price"),
        };
        if (signal.Stop is not null || policy.StopDistance > 0)
            wanted.Add(policy.StopLimitDistance is null ? (OrderTypes.Stop, "it could not be protected") : (OrderTypes.StopLimit, "it could not be protected"));
        if (signal.Kind == OrderKind.Limit)
            wanted.Add((OrderTypes.Limit, "it could not be entered"));
        return wanted.Find(w => !rules.Takes(w.Type)) is { What: { } why } missing ? $"the venue takes no {missing.Type} orders in {rules.Symbol}: {why}" : null;
    }

    /// <summary>Of an entry: no more than one order at any price sells again, whether a stop or an exit.</summary>
    public static SymbolRules RulesOfEntry(SymbolRules rules, OrderKind kind)
    {
        var (own, exit) = (rules.Of(kind), rules.AtMarket());
        return exit.QuantityMax < own.QuantityMax ? own with { QuantityMax = exit.QuantityMax } : own;
    }
}
