using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Market;
using Antbot.Contracts.Venue;
using Antbot.Kernel.Identity;
using Antbot.Kernel.Time;
using Antbot.Runtime.Control;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Venue;
using Microsoft.Extensions.Logging;

namespace Antbot.Reconciliation;

/// <summary>
/// Holds the whole account against the venue: at start, when somebody awaits it, and every few seconds. In one process at a time;
/// its looks are numbered, so that two would record the same one.
/// </summary>
public sealed class AccountWatch(
    IVenue venue, IMarketData market, VenueRules rules, StreamPipeline<ReconciliationState> pipeline, PipelineParts parts, ReconciliationOptions options, ControlWatch control, ILogger<AccountWatch> log)
{
    /// <summary>A moving account shows a new suspicion at every look; the one after a start ends after so many.</summary>
    private const int StartLooksMax = 5;
    private const int QuestionsMax = 50;
    private const double TroubledSeconds = 2;
    private const double SoonestSeconds = 0.2;

    /// <summary>Of more orders under way the venue is not asked at one look: it weighs nine for each.</summary>
    private const int UnderWayMax = 20;

    private const int NamedMax = 10;

    /// <summary>So many prices at the most are asked for what an account holds beside our trades.</summary>
    private const int PricedMax = 50;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(250);

    private volatile string? _trouble;

    /// <summary>Why the account is not held against the venue, wholly or in part; null where it is, or in another process.</summary>
    public string? Trouble => _trouble;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var life = new Life(new OrderBookFollower(parts.Store, parts.Codec, venue.Account));
        await life.Book.CatchUpAsync(cancellationToken);
        await TellAgainAsync(cancellationToken);
        try
        {
            while (true)
            {
                await life.Book.CatchUpAsync(cancellationToken);
                if (IsDue(life))
                    await LookAsync(life, cancellationToken);
                await Task.Delay(Tick, parts.Clock, cancellationToken);
            }
        }
        finally
        {
            _trouble = null;
            using var last = new CancellationTokenSource(TimeSpan.FromSeconds(2), parts.Clock);
            await life.Book.KeepAsync(last.Token);
        }
    }

    /// <summary>One look, on its own: for tests and for those who ask at once.</summary>
    internal async Task LookAsync(Life life, CancellationToken cancellationToken)
    {
        var (clock, account) = (parts.Clock, venue.Account);
        life.LastLook = clock.GetUtcNow();
        var stream = Streams.Reconciliation(account);
        await life.Book.CatchUpAsync(cancellationToken);
        var (through, before) = (life.Book.Through, life.Book.Book);
        var (seen, trouble) = await AskAsync(life, cancellationToken);
        // Again after the venue has spoken: whatever it knows was recorded before it was sent.
        await life.Book.CatchUpAsync(cancellationToken);
        var state = (await pipeline.LoadAsync(stream, cancellationToken)).State;
        var number = state.Looks + 1;
        var look = seen is null
            ? new AccountLook(number, account, venue.Name, through, null, trouble, [], new HashSet<string>(), BalancesCompared: false, null, Completes: false, [], [])
            : await LookAtAsync(life, state, number, (through, before), seen, trouble, cancellationToken);
        var stored = await pipeline.HandleAsync(stream, new Input(ReconciliationDecider.LookId(account, number), look, account.Value, "service:reconciliation"), cancellationToken);
        foreach (var e in stored)
            log.LogInformation("Look {Look} at the account {Account}: {Event}", number, account, e.Type);
        life.Troubled = trouble is not null;
        _trouble = trouble ?? (seen is { PassedOver: > 0 } ? look.Uncompared : null);
        if (look.Completes && stored.Count > 0)
            (life.ReconciledThrough, life.Looks) = (look.Through, 0);
    }

    private async Task<AccountLook> LookAtAsync(
        Life life, ReconciliationState state, long number, (long Through, OrderBook Book) before, VenueAccount seen, string? trouble, CancellationToken cancellationToken)
    {
        var (clock, lasts) = (parts.Clock, TimeSpan.FromSeconds(options.LastsSeconds));
        var baseline = state.Baseline?.Venue == venue.Name ? state.Baseline : null;
        var compared = AccountComparison.Compare(life.Book.Book, seen, baseline, options.Tolerance, TimeSpan.FromSeconds(options.UnresolvedSeconds), clock.GetUtcNow(), before.Book);
        var (ahead, policy) = (compared.Ahead ?? life.Book.Book, Policy);
        // The account is not reckoned from what it holds before the positions in it that are ours have become trades again.
        if (policy.Adopt && compared.Differences.Any(d => d.IsStrayStop(life.Book.Book)))
            compared = compared.WithoutBalances();
        (life.Suspicions, var lasting) = life.Suspicions.With(compared, clock.GetUtcNow(), lasts);
        life.NextLasts = life.Suspicions.NextLasts(clock.GetUtcNow(), lasts);
        // What was told with its amount is not told again without.
        var confirmed = await ConfirmAsync(life, [.. lasting.Where(d => !d.IsRough || !state.Differences.ContainsKey(d.Key))], cancellationToken);
        life.Looks++;
        var (failed, onTheWay) = await AwaitedAsync(life, state, cancellationToken);
        var first = baseline is null ? await BaselineAsync(ahead, seen, compared, life.Book.Through, policy, cancellationToken)
            : compared.BalancesCompared ? AccountComparison.Joined(ahead, seen, baseline) : null;
        var isCompared = compared.BalancesCompared && (baseline ?? first) is not null;
        var completes = trouble is null && IsAwaited(life, before.Through) && ((life.NextLasts is null && isCompared) || life.Looks >= StartLooksMax);
        var unsettled = state.Differences.Where(d => d.Value.Awaited.Exists(a => onTheWay.Contains(a.Trade)) || (d.Value.Kind == DifferenceKind.Balance && compared.IsUnclear(d.Value.Subject)));
        return new AccountLook(
            number, venue.Account, venue.Name, before.Through, seen.Orders.Count, trouble, confirmed,
            // What became of an order that is being adopted is known when it is a trade; until then it is not over.
            compared.Differences.Select(d => d.Key).Concat(unsettled.Select(d => d.Key)).ToHashSet(StringComparer.Ordinal),
            isCompared, first, completes, await RemediesAsync(ahead, state, confirmed, onTheWay, seen.Rules, policy, number, cancellationToken), failed, UncomparedOf(seen, isCompared));
    }

    private static string? UncomparedOf(VenueAccount seen, bool isCompared) => seen switch
    {
        { PassedOver: > 0, HasNameless: false } => $"the balances of {string.Join(", ", seen.Names!.Take(NamedMax))}{(seen.Names!.Count > NamedMax ? $" and {seen.Names.Count - NamedMax} more" : "")} make no sense",
        { PassedOver: > 0 } => $"{seen.PassedOver} balances make no sense{(isCompared ? "" : ", and it is not known of which assets")}",
        _ when isCompared => null,
        _ => "orders were under way, or differed, at every look",
    };

    /// <summary>Null while nothing can be reckoned from. What lies there without a stop of ours is its owner's own as far as anybody can tell, and he is told so.</summary>
    private async Task<BalanceBaselineSet?> BaselineAsync(OrderBook book, VenueAccount seen, Compared compared, long through, RemedyPolicy policy, CancellationToken cancellationToken)
    {
        if (!compared.BalancesCompared || seen is not { Balances: { } balances, Rules: { } known, HasNameless: false })
            return null;
        var unprotected = new List<AssetAmount>();
        foreach (var (asset, symbol, beside) in balances.Select(b => (b.Asset, Of: Remedies.HeldBeside(book, b, known, policy))).Where(b => b.Of is not null).Select(b => (b.Asset, b.Of!.Value.Symbol, b.Of.Value.Beside)).Take(PricedMax))
        {
            // Of what nobody can say the worth, it is taken for a position.
            if (await PriceAsync(symbol, cancellationToken) is not { } price || Remedies.IsPosition(beside, known[symbol], price))
                unprotected.Add(new AssetAmount(asset, beside));
        }
        if (unprotected.Count > 0)
            log.LogWarning("The account {Account} holds {Holdings} that no trade here explains and no stop of ours protects: that is taken for its owner's own", venue.Account, string.Join(", ", unprotected.Select(u => $"{u.Amount} {u.Asset}")));
        return AccountComparison.Baseline(book, venue.Name, balances, through, seen.Names) with { Unprotected = unprotected.Count > 0 ? unprotected : null };
    }

    private async Task<IReadOnlyList<IRemedy>> RemediesAsync(
        OrderBook book, ReconciliationState state, IReadOnlyList<Difference> confirmed, IReadOnlySet<TradeId> onTheWay, IReadOnlyDictionary<Symbol, SymbolRules>? known, RemedyPolicy policy, long number,
        CancellationToken cancellationToken)
    {
        if (known is null)
            return [];
        var remedies = new List<IRemedy>();
        foreach (var difference in confirmed.Where(d => state.IsToRemedy(d.Key, book, parts.Clock.GetUtcNow())))
        {
            if (difference is { Kind: DifferenceKind.Balance, Balance.More: > 0 } && state.AwaitsCoins(difference.Subject, onTheWay, known))
                continue;
            var price = Remedies.PricedBy(book, difference, known, policy) is { } symbol ? await PriceAsync(symbol, cancellationToken) : null;
            remedies.AddRange(Remedies.Of(book, difference, known, price, policy, number, parts.Clock.GetUtcNow().Cut()));
        }
        return remedies;
    }

    /// <summary>A position that is ours has a stop, and exits are held back by nothing: where nothing may be sent, nothing is made ours.</summary>
    private RemedyPolicy Policy => options.Remedy with { Adopt = options.Adopt && (venue.IsPaper || (control.Known is { Version: >= 0, State.Mode: TradingMode.Live } && venue.LiveBar is null)) };

    /// <summary>The record of each trade that was asked says whether it refused, was told to end before it began, or has not heard of it yet.</summary>
    private async Task<(IReadOnlyList<FailedRemedy> Failed, IReadOnlySet<TradeId> OnTheWay)> AwaitedAsync(Life life, ReconciliationState state, CancellationToken cancellationToken)
    {
        var (failed, awaited) = (new List<FailedRemedy>(), state.AdoptionsAwaited(life.Book.Book).ToList());
        var onTheWay = awaited.Select(a => a.Trade).ToHashSet();
        foreach (var (difference, trade) in awaited.Take(QuestionsMax))
        {
            var record = await OrderRecord.ReadAsync(parts.Store, parts.Codec, trade, venue.Account, cancellationToken);
            if (record.Nothing is { } reason)
                failed.Add(new FailedRemedy(difference, trade, reason));
            // The book may not know of what has come just now; if it does not at the next look either, the trade is over already.
            else if (record.HasBegun && !life.Came.Add(trade))
                onTheWay.Remove(trade);
        }
        life.Came.IntersectWith(awaited.Select(a => a.Trade));
        onTheWay.ExceptWith(failed.Select(f => f.Trade));
        return (failed, onTheWay);
    }

    /// <summary>Null where the venue does not say: then it is asked again at the next look.</summary>
    private async Task<Price?> PriceAsync(Symbol symbol, CancellationToken cancellationToken) =>
        await market.ReadCandlesAsync(symbol, TimeSpan.FromMinutes(1), 1, cancellationToken) is VenueAnswer<IReadOnlyList<Candle>>.Said { Value: [.., { } last] } ? last.Close : null;

    private bool IsDue(Life life)
    {
        var now = parts.Clock.GetUtcNow();
        // While somebody awaits the start it looks as often as that takes; a venue that is away is given time. What awaits its confirmation is looked at as soon as it has lasted.
        var seconds = life.Troubled ? Math.Min(TroubledSeconds, options.EverySeconds)
            : IsAwaited(life, life.Book.Through) ? Math.Clamp(options.LastsSeconds / 2, SoonestSeconds, options.EverySeconds)
            : options.EverySeconds;
        var since = now - life.LastLook;
        return since >= TimeSpan.FromSeconds(seconds)
            || (!life.Troubled && life.NextLasts <= now && since >= TimeSpan.FromSeconds(SoonestSeconds))
            || (!life.Troubled && since >= TimeSpan.FromSeconds(options.LastsSeconds) && IsOneOverdue(life, now));
    }

    /// <summary>An attempt has become a difference since the last look: it is not told that much later only because the next look is some time off.</summary>
    private bool IsOneOverdue(Life life, DateTimeOffset now)
    {
        var after = TimeSpan.FromSeconds(options.UnresolvedSeconds);
        return life.Book.Book.Live.Values.Any(o => o.Standing == Standing.Attempted && now - o.Since > after && life.LastLook - o.Since <= after);
    }

    /// <summary>This holder has not completed a look yet, or somebody within what the look knows has begun to wait since.</summary>
    private static bool IsAwaited(Life life, long through) => life.ReconciledThrough < 0 || (life.ReconciledThrough < life.Book.Awaited && life.Book.Awaited <= through);

    private async Task<(VenueAccount? Seen, string? Trouble)> AskAsync(Life life, CancellationToken cancellationToken)
    {
        var orders = await venue.ListOpenOrdersAsync(cancellationToken);
        if (orders is not VenueAnswer<IReadOnlyList<OrderReport>>.Said { Value: var open })
            return (null, $"open orders: {VenueWords.Trouble(orders)}");
        await life.Book.CatchUpAsync(cancellationToken);
        // Before the balances: what an order moved that is over by then is in them.
        var over = await AskForOverAsync(life.Book.Book, open, cancellationToken);
        var balances = await venue.ReadBalancesAsync(cancellationToken);
        var known = (await rules.ReadAsync(cancellationToken)).Rules;
        return balances is VenueAnswer<IReadOnlyList<Balance>>.Said said
            ? (new VenueAccount(open, said.Value, known, said.PassedOver, said.Names, over), null)
            : (new VenueAccount(open, null, known), $"balances: {VenueWords.Trouble(balances)}");
    }

    /// <summary>Of an account that never stands still balances could never be compared exactly: what became of the orders that are under way is asked for.</summary>
    private async Task<IReadOnlyList<OverOrder>> AskForOverAsync(OrderBook book, IReadOnlyList<OrderReport> open, CancellationToken cancellationToken)
    {
        var listed = open.Select(o => o.Id.Value).ToHashSet(StringComparer.Ordinal);
        var underWay = book.Live.Values.Where(o => o.Standing is Standing.Attempted or Standing.Accepted && !listed.Contains(o.Id.Value)).OrderBy(o => o.Id.Value, StringComparer.Ordinal).Take(UnderWayMax + 1).ToList();
        if (underWay.Count > UnderWayMax)
            return [];
        var over = await Task.WhenAll(underWay.Select(o => AskForOverAsync(o, cancellationToken)));
        return [.. over.OfType<OverOrder>()];
    }

    /// <summary>Null where it is not over, or not all of its fills are told.</summary>
    private async Task<OverOrder?> AskForOverAsync(BookedOrder order, CancellationToken cancellationToken)
    {
        if (await venue.FindOrderAsync(order.Symbol, order.Id, cancellationToken) is not VenueAnswer<OrderReport>.Said { Value: { IsOver: true } report } || report.Symbol != order.Symbol || report.Side != order.Side || report.Executed < order.Executed)
            return null;
        if (report.Executed == order.Executed)
            return new OverOrder(report, []);
        return await venue.ListFillsAsync(order.Symbol, report.VenueOrderId, cancellationToken) is VenueAnswer<IReadOnlyList<FillReport>>.Said { Value: var fills } && fills.DistinctBy(f => f.FillId).Sum(f => f.Quantity.Value) == report.Executed.Value
            ? new OverOrder(report, fills)
            : null;
    }

    /// <summary>
    /// Of an order that the listing does not show, the venue is asked itself; only its answer makes it a difference. One that bears the
    /// name of a trade whose record never knew it is nobody's: a store that was lost, or is older than what was sent.
    /// </summary>
    private async Task<IReadOnlyList<Difference>> ConfirmAsync(Life life, IReadOnlyList<Difference> lasting, CancellationToken cancellationToken)
    {
        var confirmed = lasting.Where(d => d.Asks is null && !IsForgotten(d)).ToList();
        foreach (var difference in life.RecordTurns.Next(lasting.Where(IsForgotten), QuestionsMax))
        {
            var record = await OrderRecord.ReadAsync(parts.Store, parts.Codec, difference.Trade!.Value, venue.Account, cancellationToken);
            confirmed.Add(record.Orders.ContainsKey(difference.Subject) ? difference : difference with { Trade = null });
        }
        foreach (var difference in life.VenueTurns.Next(lasting.Where(d => d.Asks is not null), QuestionsMax))
        {
            var answer = await venue.FindOrderAsync(difference.Asks!.Symbol, difference.Asks.Id, cancellationToken);
            if (AccountComparison.Confirm(difference, answer) is { } sure)
                confirmed.Add(sure);
        }
        return confirmed;

        bool IsForgotten(Difference d) => d is { Kind: DifferenceKind.UnknownOrder, Trade: { } trade } && !life.Book.Book.Holds(trade);
    }

    /// <summary>What was recorded and perhaps never told, because the process ended in between, is told again under the same ids.</summary>
    private async Task TellAgainAsync(CancellationToken cancellationToken)
    {
        var state = (await pipeline.LoadAsync(Streams.Reconciliation(venue.Account), cancellationToken)).State;
        foreach (var look in state.Differences.Values.Select(d => d.Look).Distinct())
        {
            var stored = await parts.Store.FindDecisionAsync(new Decision(ReconciliationDecider.LookId(venue.Account, look), ReconciliationDecider.Consumer), cancellationToken);
            await pipeline.PublishAsync(stored, cancellationToken);
        }
    }

    /// <summary>What one holder of the lease remembers.</summary>
    internal sealed class Life(OrderBookFollower book)
    {
        public OrderBookFollower Book { get; } = book;

        public Suspicions Suspicions { get; set; } = Suspicions.None;

        public DateTimeOffset LastLook { get; set; } = DateTimeOffset.MinValue;

        public bool Troubled { get; set; }

        /// <summary>When the first thing that was seen and has not lasted yet will have.</summary>
        public DateTimeOffset? NextLasts { get; set; }

        /// <summary>Adoptions whose own record has them, and the book had not when that was read.</summary>
        public HashSet<TradeId> Came { get; } = [];

        /// <summary>About whom it is the venue's turn to be asked.</summary>
        public Turns VenueTurns { get; } = new();

        /// <summary>Whose record it is the turn to be read of.</summary>
        public Turns RecordTurns { get; } = new();

        /// <summary>Looks since the start, or since it was last awaited.</summary>
        public int Looks { get; set; }

        /// <summary>-1 before this holder's own first complete look.</summary>
        public long ReconciledThrough { get; set; } = -1;
    }
}
