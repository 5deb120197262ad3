using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Venue;

namespace Antbot.Reconciliation;

/// <param name="Orders">All open orders.</param>
/// <param name="Balances">Null where they were not to be had; the orders are compared all the same.</param>
/// <param name="Rules">By symbol; null where they were not to be had.</param>
public sealed record VenueAccount(IReadOnlyList<OrderReport> Orders, IReadOnlyList<Balance>? Balances, IReadOnlyDictionary<Symbol, SymbolRules>? Rules);

/// <summary>One thing in which the venue and our record differ.</summary>
/// <param name="Evidence">The venue's own words.</param>
/// <param name="Asks">The order that the venue is to be asked about before it is believed; null where the listing says it all.</param>
/// <param name="Found">The order that our record does not know.</param>
/// <param name="Balance">What the venue holds of an asset, and by how much that is more than our record says.</param>
public sealed record Difference(
    DifferenceKind Kind, string Subject, TradeId? Trade, bool Ours, string What, string Evidence, BookedOrder? Asks = null, OrderReport? Found = null, (decimal Held, decimal More)? Balance = null)
{
    public string Key => DifferenceKey.Of(Kind, Subject);
}

/// <param name="BalancesCompared">Only where nothing is under way and all orders agree: else a balance may be right and our record behind it.</param>
public sealed record Compared(IReadOnlyList<Difference> Differences, bool BalancesCompared);

/// <summary>Our record of an account held against the venue's.</summary>
public static class AccountComparison
{
    public static Compared Compare(OrderBook book, VenueAccount venue, BalanceBaselineSet? baseline, decimal tolerance, TimeSpan unresolvedAfter, DateTimeOffset now)
    {
        var differences = new List<Difference>();
        var listed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var report in venue.Orders.Where(r => !r.IsOver && listed.Add(r.Id.Value)))
        {
            if (AtVenue(book, report) is { } difference)
                differences.Add(difference);
        }
        bool HasVanished(BookedOrder order) => order.Standing == Standing.Accepted && !listed.Contains(order.Id.Value);
        bool IsUnresolved(BookedOrder order) => order.Standing == Standing.Attempted && now - order.Since > unresolvedAfter;
        foreach (var order in book.Live.Values.Where(o => HasVanished(o) || IsUnresolved(o)).OrderBy(o => o.Id.Value, StringComparer.Ordinal))
        {
            if (HasVanished(order))
                differences.Add(new Difference(DifferenceKind.VanishedOrder, order.Id.Value, order.Trade, Ours: true, $"open in our record (executed {order.Executed} of {order.Quantity}), not open at the venue", "", order));
            else
                differences.Add(new Difference(DifferenceKind.UnresolvedOrder, order.Id.Value, order.Trade, Ours: true, $"attempted at {order.Since:O}, and what became of it is not in our record", "", order));
        }
        // Somebody else's order that has executed nothing moves no balance, however long it rests.
        var still = differences.All(d => d is { Kind: DifferenceKind.UnknownOrder, Found.Executed.Value: 0 }) && !book.IsMoving && venue.Balances is not null && venue.Rules is not null;
        if (still && baseline is not null)
            differences.AddRange(CompareBalances(book, venue, venue.Rules!, baseline, tolerance));
        return new Compared(differences, still);
    }

    /// <summary>What the venue answered for an order that its listing does not show; null where that is no difference, or not known.</summary>
    public static Difference? Confirm(Difference suspected, VenueAnswer<OrderReport> answer) => answer switch
    {
        // Listed a moment too early or too late: it is open after all.
        VenueAnswer<OrderReport>.Said { Value.IsOver: false } when suspected.Kind == DifferenceKind.VanishedOrder => null,
        VenueAnswer<OrderReport>.Said { Value: var r } => suspected with { Asks = null, What = $"{suspected.What}; the venue says {r.Status}, executed {r.Executed} of {r.Quantity}", Evidence = Words(r) },
        VenueAnswer<OrderReport>.Refused { Refusal: Refusal.UnknownOrder } a => suspected with { Asks = null, What = $"{suspected.What}; the venue does not know it", Evidence = $"{a.Code}: {a.Text}" },
        _ => null,
    };

    /// <summary>Where the account's balances start from: what is there now, and what our fills have added up to by now.</summary>
    public static BalanceBaselineSet Baseline(OrderBook book, string venue, IReadOnlyList<Balance> balances, long through) => new(
        0,
        book.Account,
        venue,
        through,
        [.. balances.OrderBy(b => b.Asset, StringComparer.Ordinal).Select(b => new AssetAmount(b.Asset, b.Total))],
        [.. book.Flows.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => new SymbolFlow(new Symbol(f.Key), f.Value.Base, f.Value.Quote))],
        [.. book.Fees.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => new AssetAmount(f.Key, f.Value))]);

    private static Difference? AtVenue(OrderBook book, OrderReport report)
    {
        var words = Words(report);
        if (!book.Live.TryGetValue(report.Id.Value, out var ours))
            return new Difference(DifferenceKind.UnknownOrder, report.Id.Value, report.Id.Trade, Ours: false, $"open at the venue ({report.Side} {report.Quantity} {report.Symbol}), not open in our record", words, Found: report);
        if (ours.Standing == Standing.Ended)
            return new Difference(DifferenceKind.OpenOrder, report.Id.Value, ours.Trade, Ours: true, "open at the venue, ended in our record", words);
        return ours.Executed != report.Executed
            ? new Difference(DifferenceKind.Executed, report.Id.Value, ours.Trade, Ours: true, $"executed {report.Executed} at the venue, {ours.Executed} in our record", words)
            : null;
    }

    private static string Words(OrderReport r) => $"{r.Id} is the venue's order {r.VenueOrderId}: {r.Side} {r.Symbol} {r.Status}, executed {r.Executed} of {r.Quantity} for {r.Cost}, at {r.At:O}";

    private static IEnumerable<Difference> CompareBalances(
        OrderBook book, VenueAccount venue, IReadOnlyDictionary<Symbol, SymbolRules> rules, BalanceBaselineSet baseline, decimal tolerance)
    {
        var expected = baseline.Balances.ToDictionary(b => b.Asset, b => b.Amount, StringComparer.Ordinal);
        var before = baseline.Flows.ToDictionary(f => f.Symbol.Value, StringComparer.Ordinal);
        foreach (var (name, flow) in book.Flows)
        {
            // A symbol that the venue has no rules for any more: which assets moved cannot be said.
            if (!rules.TryGetValue(new Symbol(name), out var rule))
                yield break;
            var start = before.GetValueOrDefault(name);
            expected[rule.BaseAsset] = expected.GetValueOrDefault(rule.BaseAsset) + flow.Base - (start?.Base ?? 0);
            expected[rule.QuoteAsset] = expected.GetValueOrDefault(rule.QuoteAsset) + flow.Quote - (start?.Quote ?? 0);
        }
        var paid = baseline.Fees.ToDictionary(f => f.Asset, f => f.Amount, StringComparer.Ordinal);
        foreach (var (asset, fee) in book.Fees)
            expected[asset] = expected.GetValueOrDefault(asset) - fee + paid.GetValueOrDefault(asset);
        var actual = new Dictionary<string, Balance>(StringComparer.Ordinal);
        foreach (var balance in venue.Balances!)
            actual.TryAdd(balance.Asset, balance);
        foreach (var asset in expected.Keys.Union(actual.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            var has = actual.GetValueOrDefault(asset);
            var difference = (has?.Total ?? 0) - expected.GetValueOrDefault(asset);
            // Open orders that sell hold back what they sell: who lists them and less than that cannot be right in both. A debt is none of them.
            var onSale = venue.Orders.Where(o => o is { IsOver: false, Side: Side.Sell } && rules.TryGetValue(o.Symbol, out var rule) && rule.BaseAsset == asset).Sum(o => o.Quantity.Value - o.Executed.Value);
            if (onSale > 0 && difference < -tolerance && (has?.Total ?? 0) < onSale - tolerance)
            {
                yield return new Difference(
                    DifferenceKind.Balance, asset, null, Ours: true, $"{difference:0.################} {asset} more than by our record, and more than that is on sale",
                    has is null ? $"the venue lists no {asset}" : $"the venue holds {has.Free} {asset} free and {has.Locked} locked");
            }
            else if (Math.Abs(difference) > tolerance || (difference < 0 && Remedies.Short(book, asset, -difference, has?.Total ?? 0, rules) > 0))
            {
                yield return new Difference(
                    DifferenceKind.Balance, asset, null, Ours: true, $"{difference:+0.################;-0.################} {asset} more than by our record",
                    has is null ? $"the venue lists no {asset}" : $"the venue holds {has.Free} {asset} free and {has.Locked} locked", Balance: (has?.Total ?? 0, difference));
            }
        }
    }
}
