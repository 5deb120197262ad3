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

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(250);

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
        var (seen, trouble) = await AskAsync(cancellationToken);
        // Again after the venue has spoken: whatever it knows was recorded before it was sent.
        await life.Book.CatchUpAsync(cancellationToken);
        var state = (await pipeline.LoadAsync(stream, cancellationToken)).State;
        var number = state.Looks + 1;
        AccountLook look;
        if (seen is null)
        {
            look = new AccountLook(number, account, venue.Name, through, 0, trouble, [], new HashSet<string>(), BalancesCompared: false, null, Completes: false, [], []);
        }
        else
        {
            var baseline = state.Baseline?.Venue == venue.Name ? state.Baseline : null;
            var compared = AccountComparison.Compare(life.Book.Book, seen, baseline, options.Tolerance, TimeSpan.FromSeconds(options.UnresolvedSeconds), clock.GetUtcNow(), before);
            var policy = Policy;
            // The account is not reckoned from what it holds before the positions in it that are ours have become trades again.
            if (policy.Adopt && compared.Differences.Any(d => d.IsStrayStop(life.Book.Book)))
                compared = compared.WithoutBalances();
            var lasts = TimeSpan.FromSeconds(options.LastsSeconds);
            (life.Suspicions, var lasting) = life.Suspicions.With(compared, clock.GetUtcNow(), lasts);
            life.NextLasts = life.Suspicions.NextLasts(clock.GetUtcNow(), lasts);
            // What was told with its amount is not told again without.
            var confirmed = await ConfirmAsync([.. lasting.Where(d => !d.IsRough || !state.Differences.ContainsKey(d.Key))], life.Book.Book, cancellationToken);
            life.Looks++;
            var completes = IsAwaited(life, through) && (life.NextLasts is null || life.Looks >= StartLooksMax);
            var (failed, onTheWay) = await AwaitedAsync(life, state, cancellationToken);
            var first = baseline is null && compared.BalancesCompared ? AccountComparison.Baseline(life.Book.Book, venue.Name, seen.Balances!, life.Book.Through) : null;
            look = new AccountLook(
                number, account, venue.Name, through, seen.Orders.Count, null, confirmed,
                // What became of an order that is being adopted is known when it is a trade; until then it is not over.
                compared.Differences.Select(d => d.Key).Concat(state.Differences.Where(d => d.Value.Awaited.Exists(a => onTheWay.Contains(a.Trade))).Select(d => d.Key)).ToHashSet(StringComparer.Ordinal),
                compared.BalancesCompared, first, completes, await RemediesAsync(life.Book.Book, state, confirmed, onTheWay, seen.Rules, policy, number, cancellationToken), failed);
        }
        var stored = await pipeline.HandleAsync(stream, new Input(ReconciliationDecider.LookId(account, number), look, account.Value, "service:reconciliation"), cancellationToken);
        foreach (var e in stored)
            log.LogInformation("Look {Look} at the account {Account}: {Event}", number, account, e.Type);
        life.Troubled = trouble is not null;
        if (look.Completes && stored.Count > 0)
            (life.ReconciledThrough, life.Looks) = (look.Through, 0);
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
        return now - life.LastLook >= TimeSpan.FromSeconds(seconds) || (!life.Troubled && life.NextLasts <= now && now - life.LastLook >= TimeSpan.FromSeconds(SoonestSeconds));
    }

    /// <summary>This holder has not completed a look yet, or somebody within what the look knows has begun to wait since.</summary>
    private static bool IsAwaited(Life life, long through) => life.ReconciledThrough < 0 || (life.ReconciledThrough < life.Book.Awaited && life.Book.Awaited <= through);

    private async Task<(VenueAccount? Seen, string? Trouble)> AskAsync(CancellationToken cancellationToken)
    {
        var orders = await venue.ListOpenOrdersAsync(cancellationToken);
        if (orders is not VenueAnswer<IReadOnlyList<OrderReport>>.Said { Value: var open })
            return (null, $"open orders: {VenueWords.Trouble(orders)}");
        var balances = await venue.ReadBalancesAsync(cancellationToken);
        if (balances is not VenueAnswer<IReadOnlyList<Balance>>.Said { Value: var held, PassedOver: var dim })
            return (null, $"balances: {VenueWords.Trouble(balances)}");
        // An asset that is not listed is held no more; where an entry made no sense, it may be that one.
        return (new VenueAccount(open, dim == 0 ? held : null, (await rules.ReadAsync(cancellationToken)).Rules), null);
    }

    /// <summary>
    /// Of an order that the listing does not show, the venue is asked itself; only its answer makes it a difference. One that bears the
    /// name of a trade whose record never knew it is nobody's: a store that was lost, or is older than what was sent.
    /// </summary>
    private async Task<IReadOnlyList<Difference>> ConfirmAsync(IReadOnlyList<Difference> lasting, OrderBook book, CancellationToken cancellationToken)
    {
        var confirmed = lasting.Where(d => d.Asks is null && !IsForgotten(d)).ToList();
        foreach (var difference in lasting.Where(IsForgotten).Take(QuestionsMax))
        {
            var record = await OrderRecord.ReadAsync(parts.Store, parts.Codec, difference.Trade!.Value, venue.Account, cancellationToken);
            confirmed.Add(record.Orders.ContainsKey(difference.Subject) ? difference : difference with { Trade = null });
        }
        foreach (var difference in lasting.Where(d => d.Asks is not null).Take(QuestionsMax))
        {
            var answer = await venue.FindOrderAsync(difference.Asks!.Symbol, difference.Asks.Id, cancellationToken);
            if (AccountComparison.Confirm(difference, answer) is { } sure)
                confirmed.Add(sure);
        }
        return confirmed;

        bool IsForgotten(Difference d) => d is { Kind: DifferenceKind.UnknownOrder, Trade: { } trade } && !book.Holds(trade);
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

        /// <summary>Looks since the start, or since it was last awaited.</summary>
        public int Looks { get; set; }

        /// <summary>-1 before this holder's own first complete look.</summary>
        public long ReconciledThrough { get; set; } = -1;
    }
}
