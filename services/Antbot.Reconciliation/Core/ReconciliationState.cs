using System.Collections.Immutable;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;
using Antbot.Kernel.Decisions;

namespace Antbot.Reconciliation;

/// <summary>A trade that could not be said to be right yet.</summary>
/// <param name="Steps">How many events there are about it: the next one's id is a hash of it.</param>
/// <param name="Told">The drift that was told, or empty while the venue has not been heard.</param>
public sealed record PendingVerification(VerifyTrade Verify, Guid Message, int Steps, string Told);

/// <param name="Trade">Who was asked.</param>
/// <param name="Before">What had been written off of the trade by then; null for an adoption.</param>
/// <param name="Symbol">Of what is adopted.</param>
public sealed record AwaitedRemedy(TradeId Trade, decimal? Before, Symbol? Symbol)
{
    /// <summary>The record shows it, or the trade has ended since.</summary>
    public bool HasCome(OrderBook book) =>
        Before is { } before ? book.WrittenOff.GetValueOrDefault(Trade.Value) > before || !book.Holds(Trade) : book.Holds(Trade);
}

/// <param name="Look">The look that last recorded something about it, by which its events are found again.</param>
/// <param name="Awaited">What has been asked of others about it and is not known to have come through; nothing more is done until it has.</param>
/// <param name="Failed">How many remedies have come to nothing.</param>
/// <param name="NotBefore">When the next one may be decided; null for at once.</param>
public sealed record OpenDifference(
    DifferenceKind Kind, string Subject, string What, TradeId? Trade, long Look, DateTimeOffset Since, ImmutableList<AwaitedRemedy> Awaited, int Failed = 0, DateTimeOffset? NotBefore = null);

/// <summary>The fold of `reconciliation-{account}`: only what is not finished, so that it stays small however long the history is.</summary>
/// <param name="Looks">The number of the last look that recorded anything.</param>
/// <param name="Through">Up to where in history the account was last reconciled after a start.</param>
/// <param name="StalledSince">Since when the venue has not been heard; null while it is.</param>
public sealed record ReconciliationState(
    long Looks,
    long Through,
    DateTimeOffset? StalledSince,
    BalanceBaselineSet? Baseline,
    ImmutableSortedDictionary<string, PendingVerification> Pending,
    ImmutableSortedDictionary<string, OpenDifference> Differences)
{
    public static ReconciliationState Initial { get; } = new(
        0, 0, null, null, ImmutableSortedDictionary<string, PendingVerification>.Empty, ImmutableSortedDictionary<string, OpenDifference>.Empty);

    public static Fold<ReconciliationState> Fold { get; } = new("reconciliation-5", Initial, Apply);

    /// <summary>
    /// Nothing the first time, for it may only have been overtaken by an end that was meant for it; then a minute, twice as long each time, and about an hour at the most.
    /// </summary>
    private const int DoublingsMax = 6;

    public static string KeyOf(VerifyTrade verify) => $"{verify.Trade.Value}:{(verify.Closed ? "closed" : "open")}";

    /// <summary>An earlier look has found it, what was asked about it has come through, and what came to nothing is some time ago.</summary>
    public bool IsToRemedy(string key, OrderBook book, DateTimeOffset now) =>
        Differences.TryGetValue(key, out var open) && open.Awaited.All(a => a.HasCome(book)) && !(now < open.NotBefore);

    /// <summary>Those whose owner the book knows nothing of: on their way to it, or come to nothing there.</summary>
    public IEnumerable<(string Difference, TradeId Trade)> AdoptionsAwaited(OrderBook book) =>
        Differences.SelectMany(d => d.Value.Awaited.Where(a => a.Before is null && !a.HasCome(book)).Select(a => (d.Key, a.Trade)));

    /// <summary>Coins of the asset may be those of an adoption that is on its way: an order that was found, and has been filled since.</summary>
    public bool AwaitsCoins(string asset, IReadOnlySet<TradeId> onTheWay, IReadOnlyDictionary<Symbol, SymbolRules> rules) => Differences.Values
        .SelectMany(d => d.Awaited)
        .Any(a => a.Symbol is { } symbol && onTheWay.Contains(a.Trade) && rules.TryGetValue(symbol, out var rule) && rule.BaseAsset == asset);

    public bool Awaits(string key, TradeId trade) => Differences.TryGetValue(key, out var open) && open.Awaited.Exists(a => a.Trade == trade);

    private static ReconciliationState Apply(ReconciliationState state, object @event)
    {
        var next = @event is ILookEvent look ? state with { Looks = Math.Max(state.Looks, look.Look) } : state;
        return @event switch
        {
            TradeVerified e => next.Heard(e.Verify.Trade) with { Pending = next.Pending.Remove(KeyOf(e.Verify)) },
            VerificationPending e => next.Heard(e.Verify.Trade).WithPending(e.Verify, e.Message, ""),
            TradeDrifted e => next.Heard(e.Verify.Trade).WithPending(e.Verify, e.Message, e.What),
            BalanceBaselineSet e => next with { Baseline = e },
            DifferenceFound e => next with { Differences = next.Differences.SetItem(DifferenceKey.Of(e.Kind, e.Subject), next.Open(e)) },
            BalanceTakenOver e => next.TakenOver(e),
            IRemedy e => next.WithRemedy(e),
            RemedyEnded e => next.Ended(e),
            DifferenceSettled e => next with { Differences = next.Differences.Remove(DifferenceKey.Of(e.Kind, e.Subject)) },
            StartReconciled e => next with { Looks = Math.Max(next.Looks, e.Look), Through = Math.Max(next.Through, e.Through) },
            ReconciliationStalled e => next with { StalledSince = e.At },
            ReconciliationResumed => next with { StalledSince = null },
            _ => next,
        };
    }

    private ReconciliationState WithPending(VerifyTrade verify, Guid message, string told)
    {
        var key = KeyOf(verify);
        // A repetition of the question under another id begins anew: its answers are found by its own id.
        var steps = Pending.TryGetValue(key, out var there) && there.Message == message ? there.Steps + 1 : 1;
        return this with { Pending = Pending.SetItem(key, new PendingVerification(verify, message, steps, told)) };
    }

    private OpenDifference Open(DifferenceFound found)
    {
        var since = Differences.TryGetValue(DifferenceKey.Of(found.Kind, found.Subject), out var there) ? there.Since : found.At;
        return new OpenDifference(found.Kind, found.Subject, found.What, found.Trade, found.Look, since, there?.Awaited ?? [], there?.Failed ?? 0, there?.NotBefore);
    }

    private ReconciliationState WithRemedy(IRemedy e)
    {
        if (!Differences.TryGetValue(e.Difference, out var open))
            return this;
        // Those of an earlier look have come through, or there would be none of this one.
        var awaited = open.Look == e.Look ? open.Awaited : [];
        AwaitedRemedy? asked = e switch
        {
            AdoptionDecided a => new AwaitedRemedy(a.Signal.Trade, null, a.Signal.Symbol),
            WriteOffDecided w => new AwaitedRemedy(w.Trade, w.Before, null),
            _ => null,
        };
        return this with { Differences = Differences.SetItem(e.Difference, open with { Awaited = asked is null ? awaited : awaited.Add(asked), Look = e.Look }) };
    }

    private ReconciliationState Ended(RemedyEnded e)
    {
        if (!Awaits(e.Difference, e.Trade))
            return this;
        var open = Differences[e.Difference];
        var pause = open.Failed == 0 ? TimeSpan.Zero : TimeSpan.FromMinutes(1 << Math.Min(open.Failed - 1, DoublingsMax));
        var next = open with
        {
            Awaited = open.Awaited.RemoveAll(a => a.Trade == e.Trade),
            Failed = open.Failed + 1,
            NotBefore = e.At < DateTimeOffset.MaxValue - pause ? e.At + pause : DateTimeOffset.MaxValue,
        };
        return this with { Differences = Differences.SetItem(e.Difference, next) };
    }

    /// <summary>A trade is only verified when its owner has recorded it: what was adopted as this one has come through, and may be over already.</summary>
    private ReconciliationState Heard(TradeId trade)
    {
        var next = this;
        foreach (var (key, open) in Differences.Where(d => d.Value.Awaited.Exists(a => a.Trade == trade && a.Before is null)))
            next = next with { Differences = next.Differences.SetItem(key, open with { Awaited = open.Awaited.RemoveAll(a => a.Trade == trade && a.Before is null) }) };
        return next;
    }

    private ReconciliationState TakenOver(BalanceTakenOver e)
    {
        var next = WithRemedy(e);
        if (next.Baseline is not { } baseline)
            return next;
        var before = baseline.Balances.FirstOrDefault(b => b.Asset == e.Asset)?.Amount ?? 0;
        return next with { Baseline = baseline with { Balances = [.. baseline.Balances.Where(b => b.Asset != e.Asset), new AssetAmount(e.Asset, before + e.Amount)] } };
    }
}
