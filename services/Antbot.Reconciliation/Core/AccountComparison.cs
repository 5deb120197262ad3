using System.Collections.Immutable;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Venue;

namespace Antbot.Reconciliation;

/// <summary>An order that was under way in our record and over at the venue before it was asked what the account holds: all that it moved is in that.</summary>
/// <param name="Fills">All of them.</param>
public sealed record OverOrder(OrderReport Report, IReadOnlyList<FillReport> Fills);

/// <param name="Orders">All open orders.</param>
/// <param name="Balances">Null where they were not to be had; the orders are compared all the same.</param>
/// <param name="Rules">By symbol; null where they were not to be had.</param>
/// <param name="PassedOver">How many balances made no sense.</param>
/// <param name="Names">Of which assets those are, where that could be read.</param>
/// <param name="Over">Of the orders that were under way.</param>
public sealed record VenueAccount(
    IReadOnlyList<OrderReport> Orders, IReadOnlyList<Balance>? Balances, IReadOnlyDictionary<Symbol, SymbolRules>? Rules, int PassedOver = 0, IReadOnlyList<string>? Names = null,
    IReadOnlyList<OverOrder>? Over = null)
{
    /// <summary>Any asset that is not listed may be the one whose balance made no sense.</summary>
    public bool HasNameless => PassedOver > (Names?.Count ?? 0);
}

/// <summary>One thing in which the venue and our record differ.</summary>
/// <param name="Evidence">The venue's own words.</param>
/// <param name="Asks">The order that the venue is to be asked about before it is believed; null where the listing says it all.</param>
/// <param name="Found">The order that our record does not know.</param>
/// <param name="Balance">What the venue holds of an asset, and by how much that is more than our record says.</param>
/// <param name="Roughly">Of a balance, only whether there is more or less: that lasts where the amount changes from look to look.</param>
public sealed record Difference(
    DifferenceKind Kind, string Subject, TradeId? Trade, bool Ours, string What, string Evidence, BookedOrder? Asks = null, OrderReport? Found = null, (decimal Held, decimal More)? Balance = null,
    string? Roughly = null)
{
    public string Key => DifferenceKey.Of(Kind, Subject);

    /// <summary>A stop that bears the name of a trade which the book holds nothing of: what it would sell is a position that nobody here remembers.</summary>
    public bool IsStrayStop(OrderBook book) => this is { Kind: DifferenceKind.UnknownOrder, Found: { Side: Side.Sell, Id.Trade: { } trade } } && !book.Holds(trade);

    /// <summary>By how much is not known: it is told, and nothing is done about it.</summary>
    public bool IsRough => Roughly == What;

    public Difference AsRough() => this with { What = Roughly!, Balance = null };
}

/// <param name="BalancesCompared">Only where nothing is under way and all orders agree: else a balance may be right and our record behind it.</param>
public sealed record Compared(IReadOnlyList<Difference> Differences, bool BalancesCompared)
{
    /// <summary>Assets of which nothing could be said, whatever was compared.</summary>
    public IReadOnlySet<string> Unclear { get; init; } = ImmutableHashSet<string>.Empty;

    /// <summary>Where something was listed of which not even the name made sense: what was listed besides. Of any other asset nothing could be said.</summary>
    public IReadOnlySet<string>? Listed { get; init; }

    /// <summary>Our record as it will be when it has what the venue has said of orders that were under way.</summary>
    public OrderBook? Ahead { get; init; }

    public bool IsUnclear(string asset) => Unclear.Contains(asset) || Listed?.Contains(asset) is false;

    public Compared WithoutBalances() => this with { Differences = [.. Differences.Where(d => d.Kind != DifferenceKind.Balance)], BalancesCompared = false };
}

/// <summary>Our record of an account held against the venue's.</summary>
public static class AccountComparison
{
    /// <summary>What an order may have paid or brought, against the last price that is known of its symbol.</summary>
    private const decimal PriceMargin = 1.5m;

    /// <summary>What a fee may have taken of what was bought.</summary>
    private const decimal FeeMargin = 1.01m;

    /// <param name="before">Our record before the venue was asked; what was recorded since, the venue may have done after it spoke.</param>
    public static Compared Compare(
        OrderBook book, VenueAccount venue, BalanceBaselineSet? baseline, decimal tolerance, TimeSpan unresolvedAfter, DateTimeOffset now, OrderBook? before = null)
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
        // What an order moved that is over is known to the last fill, though our record does not have it yet.
        var over = (venue.Over ?? []).Select(o => o.Report.Id.Value).ToHashSet(StringComparer.Ordinal);
        var ahead = (venue.Over ?? []).Aggregate(book, (b, o) => b.Ahead(o, now));
        var open = differences.Where(d => !over.Contains(d.Subject)).ToList();
        // Somebody else's order that has executed nothing moves no balance, however long it rests.
        var still = open.TrueForAll(d => d is { Kind: DifferenceKind.UnknownOrder, Found.Executed.Value: 0 }) && !ahead.IsMoving && venue.Balances is not null && venue.Rules is not null;
        if (baseline is null || venue is not { Balances: { } balances, Rules: { } rules })
            return new Compared(differences, still) { Ahead = ahead };
        var reckoned = Reckoning.Of(ahead, venue, rules, baseline);
        differences.AddRange(still ? CompareBalances(ahead, venue, reckoned, rules, tolerance) : FindBeyondWhatMoves(before ?? book, ahead, open, over, reckoned, rules, tolerance));
        return new Compared(differences, still) { Ahead = ahead, Unclear = reckoned.Unclear, Listed = venue.HasNameless ? balances.Select(b => b.Asset).ToHashSet(StringComparer.Ordinal) : null };
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
    /// <param name="unread">Assets whose balances made no sense.</param>
    public static BalanceBaselineSet Baseline(OrderBook book, string venue, IReadOnlyList<Balance> balances, long through, IReadOnlyList<string>? unread = null) => new(
        0,
        book.Account,
        venue,
        through,
        [.. balances.OrderBy(b => b.Asset, StringComparer.Ordinal).Select(b => new AssetAmount(b.Asset, b.Total))],
        [.. book.Flows.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => new SymbolFlow(new Symbol(f.Key), f.Value.Base, f.Value.Quote))],
        [.. book.Fees.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => new AssetAmount(f.Key, f.Value))],
        unread is { Count: > 0 } ? [.. unread.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)] : null);

    /// <summary>With those assets that could not be read when it was set, and can be now: what is there now is where they start from. Null where there are none.</summary>
    public static BalanceBaselineSet? Joined(OrderBook book, VenueAccount venue, BalanceBaselineSet baseline)
    {
        if (baseline.Unread is not { } unread || venue is not { Balances: not null, Rules: { } rules, HasNameless: false })
            return null;
        // What a symbol without rules may have moved is no more known than what could not be read: it stays out until it can be reckoned.
        // One that is not listed holds nothing, and is asked about all the same.
        var asked = unread.Except(baseline.Balances.Select(b => b.Asset), StringComparer.Ordinal).Select(a => new AssetAmount(a, 0));
        var reckoned = Reckoning.Of(book, venue, rules, baseline with { Unread = null, Balances = [.. baseline.Balances, .. asked] });
        var still = unread.Where(reckoned.Unclear.Contains).ToList();
        var come = reckoned.Assets.Where(a => unread.Contains(a.Asset));
        return still.Count == unread.Count ? null : baseline with
        {
            Balances = [.. baseline.Balances, .. come.Select(a => new AssetAmount(a.Asset, a.More))],
            Unread = still.Count > 0 ? still : null,
        };
    }

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
        OrderBook book, VenueAccount venue, Reckoning reckoned, IReadOnlyDictionary<Symbol, SymbolRules> rules, decimal tolerance)
    {
        foreach (var (asset, difference, has) in reckoned.Assets)
        {
            // Open orders that sell hold back what they sell: who lists them and less than that cannot be right in both. A debt is none of them.
            var onSale = venue.Orders.Where(o => o is { IsOver: false, Side: Side.Sell } && rules.TryGetValue(o.Symbol, out var rule) && rule.BaseAsset == asset).Sum(o => o.Quantity.Value - o.Executed.Value);
            if (onSale > 0 && difference < -tolerance && (has?.Total ?? 0) < onSale - tolerance)
            {
                yield return new Difference(
                    DifferenceKind.Balance, asset, null, Ours: true, $"{difference:0.################} {asset} more than by our record, and more than that is on sale",
                    Words(asset, has));
            }
            else if (Math.Abs(difference) > tolerance || (difference < 0 && Remedies.Short(book, asset, -difference, has?.Total ?? 0, rules) > 0))
            {
                yield return new Difference(
                    DifferenceKind.Balance, asset, null, Ours: true, $"{difference:+0.################;-0.################} {asset} more than by our record",
                    Words(asset, has), Balance: (has?.Total ?? 0, difference), Roughly: Roughly(asset, difference));
            }
        }
    }

    /// <summary>
    /// On an account that never stands still only what all that is under way could not have moved, however it comes out, is a difference:
    /// that is one at any time.
    /// </summary>
    private static IEnumerable<Difference> FindBeyondWhatMoves(
        OrderBook before, OrderBook book, IReadOnlyList<Difference> differences, HashSet<string> over, Reckoning reckoned, IReadOnlyDictionary<Symbol, SymbolRules> rules, decimal tolerance)
    {
        var moving = WhatMoves(before, book, differences, over, rules);
        return reckoned.Assets
            .Where(a => moving.GetValueOrDefault(a.Asset, 0) is { } most && Math.Abs(a.More) > tolerance + most)
            .Select(a => new Difference(
                DifferenceKind.Balance, a.Asset, null, Ours: true, Roughly(a.Asset, a.More), $"{Words(a.Asset, a.Has)}, and {book.Live.Values.Count(o => o.Standing == Standing.Attempted)} orders are under way",
                Roughly: Roughly(a.Asset, a.More)));
    }

    /// <summary>By asset how much may have come or gone that is in the venue's word and not in our record, or the other way round; null where nobody can say.</summary>
    private static Dictionary<string, decimal?> WhatMoves(
        OrderBook before, OrderBook book, IReadOnlyList<Difference> differences, HashSet<string> over, IReadOnlyDictionary<Symbol, SymbolRules> rules)
    {
        var moving = new Dictionary<string, decimal?>(StringComparer.Ordinal);
        var doubtful = differences.Select(d => d.Subject).ToHashSet(StringComparer.Ordinal);
        foreach (var id in before.Live.Keys.Union(book.Live.Keys).Where(id => !over.Contains(id)))
        {
            var (was, now) = (before.Live.GetValueOrDefault(id), book.Live.GetValueOrDefault(id));
            if (was == now && now is { Standing: not Standing.Attempted } && !doubtful.Contains(id))
                continue;
            var order = now ?? was!;
            Move(order.Symbol, order.Quantity.Value - (was?.Executed.Value ?? 0), cost: null);
        }
        foreach (var stranger in differences.Where(d => d.Found is not null).Select(d => d.Found!))
            Move(stranger.Symbol, stranger.Executed.Value, stranger.Cost.Value);
        return moving;

        void Move(Symbol symbol, decimal quantity, decimal? cost)
        {
            if (!rules.TryGetValue(symbol, out var rule))
                return;
            Add(rule.BaseAsset, quantity * FeeMargin);
            Add(rule.QuoteAsset, cost ?? (book.Prices.TryGetValue(symbol.Value, out var price) ? quantity * price * PriceMargin : null));
            foreach (var asset in book.ThirdFees)
                moving[asset] = null;
        }

        void Add(string asset, decimal? most) => moving[asset] = moving.GetValueOrDefault(asset, 0) + most;
    }

    private static string Roughly(string asset, decimal more) => $"{(more > 0 ? "more" : "less")} {asset} than by our record, however what is under way comes out";

    private static string Words(string asset, Balance? has) => has is null ? $"the venue lists no {asset}" : $"the venue holds {has.Free} {asset} free and {has.Locked} locked";
}
