using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;
using Antbot.Kernel.Identity;

namespace Antbot.Reconciliation;

/// <param name="Adopt">Whether what is found becomes a trade of its own; else it is only told, and reckoned with from then on.</param>
/// <param name="QuoteAsset">In what a position of an asset is traded that was never traded here.</param>
public sealed record RemedyPolicy(bool Adopt, string QuoteAsset, decimal Tolerance);

/// <summary>
/// What is done about a difference that no correction of one order mends. The venue is the truth: what it has is adopted, what it has
/// not is written off, and a movement that belongs to no trade is reckoned with from then on.
/// </summary>
public static class Remedies
{
    private const string Source = "adopted:venue";

    /// <summary>So long it takes at most where messages are not late.</summary>
    private static readonly TimeSpan VerifiedWithin = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan WaitedFor = TimeSpan.FromMinutes(2);

    /// <summary>Nobody said for how long it is wanted.</summary>
    private static readonly DateTimeOffset NoEnd = new(9999, 12, 31, 0, 0, 0, TimeSpan.Zero);

    /// <summary>The symbol whose price has to be known before anything can be done; null where none has.</summary>
    public static Symbol? PricedBy(OrderBook book, Difference difference, IReadOnlyDictionary<Symbol, SymbolRules> rules, RemedyPolicy policy) => difference switch
    {
        // One that bears the name of a trade of ours is that trade's: its owner is told of it. What sells is a stop of ours that nobody remembers, or else makes nothing that would have to be protected.
        { Kind: DifferenceKind.UnknownOrder, Trade: null, Found: { } found } when (found.Side == Side.Buy || found.Id.Trade is not null) && policy.Adopt && rules.ContainsKey(found.Symbol) => found.Symbol,
        { Kind: DifferenceKind.Balance, Balance: { More: > 0 } } when policy.Adopt => SymbolOf(book, difference.Subject, rules, policy)?.Symbol,
        _ => null,
    };

    /// <summary>Empty where nothing can be done, or not yet.</summary>
    public static IReadOnlyList<IRemedy> Of(
        OrderBook book, Difference difference, IReadOnlyDictionary<Symbol, SymbolRules> rules, Price? price, RemedyPolicy policy, long look, DateTimeOffset now)
    {
        var priced = PricedBy(book, difference, rules, policy);
        if (priced is not null && price is null)
            return [];
        if (difference.Kind == DifferenceKind.Balance && MayBeATrades(book, difference.Subject, rules, now))
            return [];
        switch (difference)
        {
            case { Kind: DifferenceKind.UnknownOrder, Found: { } found }:
                return priced is { } at ? Adopt(book, difference, at, found.Quantity.Value, price!.Value, new FoundOrder(found.Id, found.VenueOrderId, found.At), look, now) : [];
            case { Kind: DifferenceKind.Balance, Balance: { More: > 0 } more }:
                return More(book, difference, more.More, more.Held, priced, rules, price, policy, look, now);
            case { Kind: DifferenceKind.Balance, Balance: { More: < 0 } less }:
                return Missing(book, difference, -less.More, less.Held, rules, policy, look);
            default:
                return [];
        }
    }

    /// <summary>
    /// A trade of the asset was closed a while ago and still not held against the venue, as when messages are late: what was found may be
    /// its own, such as what an exit that was taken back has left, and would have two owners.
    /// </summary>
    private static bool MayBeATrades(OrderBook book, string asset, IReadOnlyDictionary<Symbol, SymbolRules> rules, DateTimeOffset now) => book.Unverified.Values.Any(u =>
        rules.TryGetValue(u.Symbol, out var rule) && (rule.BaseAsset == asset || rule.QuoteAsset == asset) && now - u.At is var age && age > VerifiedWithin && age < WaitedFor);

    /// <summary>
    /// Only what the account really holds beside the trades can be sold: more than our record says may also be a record that had said too
    /// little, where it was written off before the venue told that it had taken its fill back.
    /// </summary>
    private static IReadOnlyList<IRemedy> More(
        OrderBook book, Difference difference, decimal more, decimal held, Symbol? symbol, IReadOnlyDictionary<Symbol, SymbolRules> rules, Price? price, RemedyPolicy policy, long look, DateTimeOffset now)
    {
        var there = Math.Min(more, held - HeldByTrades(book, difference.Subject, rules).Sum(t => t.Held));
        if (symbol is not { } of || !IsPosition(there, rules[of], price!.Value))
            return [TakeOver(book, difference, more, look)];
        var adopted = Adopt(book, difference, of, there, price.Value, null, look, now);
        return adopted.Count > 0 && more - there > policy.Tolerance ? [.. adopted, TakeOver(book, difference, more - there, look)] : adopted;
    }

    /// <summary>
    /// How much of what is missing the trades would sell and the account does not hold; 0 for less than a step. However little it is, no
    /// venue takes an order for more than there is, and the whole position could not be got rid of.
    /// </summary>
    internal static decimal Short(OrderBook book, string asset, decimal missing, decimal held, IReadOnlyDictionary<Symbol, SymbolRules> rules)
    {
        var left = Math.Min(missing, HeldByTrades(book, asset, rules).Sum(t => t.Held) - held);
        return left > 0 && rules.Values.Any(r => r.BaseAsset == asset && left >= r.QuantityStep) ? left : 0;
    }

    private static List<(TradeId Trade, decimal Held, DateTimeOffset Since)> HeldByTrades(OrderBook book, string asset, IReadOnlyDictionary<Symbol, SymbolRules> rules) =>
        [.. rules.Values.Where(r => r.BaseAsset == asset).SelectMany(r => book.HoldingsOf(r.Symbol)).Where(t => t.Held > 0)];

    private static IReadOnlyList<IRemedy> Adopt(OrderBook book, Difference difference, Symbol symbol, decimal quantity, Price price, FoundOrder? order, long look, DateTimeOffset now)
    {
        if (quantity * price.Value is var notional && (Money.Fault(notional) ?? Quantity.Fault(quantity)) is not null)
            return [];
        var trade = new TradeId(DeterministicId.From("adopted-trade", book.Account.Value, look.ToString(System.Globalization.CultureInfo.InvariantCulture), difference.Key));
        var signal = new Signal(
            trade, book.Account, Source, symbol, Side.Buy, order is null ? OrderKind.Market : OrderKind.Limit, price, Limit: null, Stop: null, TakeProfit: null, new Money(notional), 1, now, NoEnd);
        return [new AdoptionDecided(look, book.Account, difference.Key, signal, order, new Quantity(quantity), difference.What, difference.Evidence)];
    }

    /// <summary>
    /// Trades bear only what the account cannot hold for them any more: as long as it holds as much as they should, somebody has moved what
    /// was never theirs. The trade that held just so much bears it, or else the oldest.
    /// </summary>
    private static List<IRemedy> Missing(OrderBook book, Difference difference, decimal missing, decimal held, IReadOnlyDictionary<Symbol, SymbolRules> rules, RemedyPolicy policy, long look)
    {
        var trades = HeldByTrades(book, difference.Subject, rules);
        var left = Short(book, difference.Subject, missing, held, rules);
        var remedies = new List<IRemedy>();
        foreach (var (trade, own, _) in trades.OrderBy(t => Math.Abs(t.Held - left) > policy.Tolerance).ThenBy(t => t.Since).ThenBy(t => t.Trade.Value, StringComparer.Ordinal))
        {
            if (left <= 0)
                break;
            var gone = Math.Min(own, left);
            remedies.Add(new WriteOffDecided(look, book.Account, difference.Key, trade, new Quantity(gone), book.WrittenOff.GetValueOrDefault(trade.Value), $"{gone:0.################} {difference.Subject} of its {own:0.################} are not at the venue any more", difference.Evidence));
            (left, missing) = (left - gone, missing - gone);
        }
        if (missing > policy.Tolerance)
            remedies.Add(TakeOver(book, difference, -missing, look));
        return remedies;
    }

    private static BalanceTakenOver TakeOver(OrderBook book, Difference difference, decimal amount, long look) =>
        new(look, book.Account, difference.Key, difference.Subject, amount, difference.Evidence);

    /// <summary>In what symbol a holding that no trade of ours explains would be sold, and how much there is of it; null where there is none.</summary>
    public static (Symbol Symbol, decimal Beside)? HeldBeside(OrderBook book, Balance balance, IReadOnlyDictionary<Symbol, SymbolRules> rules, RemedyPolicy policy) =>
        balance.Total - HeldByTrades(book, balance.Asset, rules).Sum(t => t.Held) is > 0 and var beside && SymbolOf(book, balance.Asset, rules, policy) is { } rule ? (rule.Symbol, beside) : null;

    /// <summary>What the venue would not buy back is nothing that a stop could protect.</summary>
    public static bool IsPosition(decimal quantity, SymbolRules rule, Price price) =>
        quantity >= rule.QuantityMin.Value && quantity >= rule.QuantityStep && quantity * price.Value >= rule.NotionalMin.Value;

    private static SymbolRules? SymbolOf(OrderBook book, string asset, IReadOnlyDictionary<Symbol, SymbolRules> rules, RemedyPolicy policy) => rules.Values
        // Money to trade with is no position, whatever else it could be sold for.
        .Where(r => r.BaseAsset == asset && asset != policy.QuoteAsset && (r.QuoteAsset == policy.QuoteAsset || book.Flows.ContainsKey(r.Symbol.Value)))
        .Where(_ => !rules.Values.Any(r => r.QuoteAsset == asset && book.Flows.ContainsKey(r.Symbol.Value)))
        .OrderBy(r => !book.Flows.ContainsKey(r.Symbol.Value))
        .ThenBy(r => r.QuoteAsset != policy.QuoteAsset)
        .ThenBy(r => r.Symbol.Value, StringComparer.Ordinal)
        .FirstOrDefault();
}
