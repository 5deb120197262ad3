using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Venue;

namespace Antbot.Reconciliation;

/// <summary>What the venue holds of each asset, and by how much that is more than our record says.</summary>
/// <param name="Unclear">Assets of which that cannot be said: they are in no other list.</param>
public sealed record Reckoning(IReadOnlyList<(string Asset, decimal More, Balance? Has)> Assets, IReadOnlySet<string> Unclear)
{
    public static Reckoning Of(OrderBook book, VenueAccount venue, IReadOnlyDictionary<Symbol, SymbolRules> rules, BalanceBaselineSet baseline)
    {
        var expected = baseline.Balances.ToDictionary(b => b.Asset, b => b.Amount, StringComparer.Ordinal);
        var before = baseline.Flows.ToDictionary(f => f.Symbol.Value, StringComparer.Ordinal);
        var unnamed = new List<string>();
        foreach (var (name, flow) in book.Flows)
        {
            var start = before.GetValueOrDefault(name);
            var (more, paid) = (flow.Base - (start?.Base ?? 0), flow.Quote - (start?.Quote ?? 0));
            if (more == 0 && paid == 0)
                continue;
            if (AssetsOf(book, rules, name) is { } assets)
            {
                expected[assets.Base] = expected.GetValueOrDefault(assets.Base) + more;
                expected[assets.Quote] = expected.GetValueOrDefault(assets.Quote) + paid;
            }
            else
            {
                unnamed.Add(name);
            }
        }
        var fees = baseline.Fees.ToDictionary(f => f.Asset, f => f.Amount, StringComparer.Ordinal);
        foreach (var (asset, fee) in book.Fees)
            expected[asset] = expected.GetValueOrDefault(asset) - fee + fees.GetValueOrDefault(asset);
        var actual = new Dictionary<string, Balance>(StringComparer.Ordinal);
        foreach (var balance in venue.Balances ?? [])
            actual.TryAdd(balance.Asset, balance);
        var all = expected.Keys.Union(actual.Keys, StringComparer.Ordinal).Concat(venue.Names ?? []).Concat(baseline.Unread ?? []).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        var unclear = all.Where(IsUnclear).ToHashSet(StringComparer.Ordinal);
        return new Reckoning(
            [.. all.Where(a => !unclear.Contains(a)).Select(a => (a, (actual.GetValueOrDefault(a)?.Total ?? 0) - expected.GetValueOrDefault(a), actual.GetValueOrDefault(a)))], unclear);

        // A symbol is named by its base asset first. Of one whose assets nobody names any more only that is known.
        bool IsUnclear(string asset) => venue.Names?.Contains(asset) is true || baseline.Unread?.Contains(asset) is true || (venue.HasNameless && !actual.ContainsKey(asset))
            || unnamed.Exists(s => s.StartsWith(asset, StringComparison.Ordinal) || s.EndsWith(asset, StringComparison.Ordinal));
    }

    /// <summary>The venue may have delisted the symbol, or say nothing of it that makes sense: then our own record names what it trades.</summary>
    private static SymbolAssets? AssetsOf(OrderBook book, IReadOnlyDictionary<Symbol, SymbolRules> rules, string symbol) =>
        rules.TryGetValue(new Symbol(symbol), out var rule) ? new SymbolAssets(rule.BaseAsset, rule.QuoteAsset) : book.Assets.GetValueOrDefault(symbol);
}
