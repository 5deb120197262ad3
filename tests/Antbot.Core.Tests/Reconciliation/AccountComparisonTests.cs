using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;
using Antbot.Reconciliation;
using Xunit;
using static Antbot.Core.Tests.Reconciliation.Given;

namespace Antbot.Core.Tests.Reconciliation;

public sealed class AccountComparisonTests
{
    private static readonly Balance[] Start = [new("BTC", 2, 0), new("USDT", 1_000, 0)];

    private static BalanceBaselineSet Baseline { get; } = AccountComparison.Baseline(Book(), "paper", Start, 0);

    /// <summary>Prevents that somebody's order to sell, which may rest for months, ends all reckoning with balances.</summary>
    [Fact]
    public void An_order_of_somebody_else_that_has_executed_nothing_keeps_no_balance_from_being_compared()
    {
        var baseline = AccountComparison.Baseline(Book(), "paper", [new Balance("BTC", 1, 0)], 42);
        var stranger = Report(new ClientOrderId("web_1"), Side.Sell, quantity: 0.5m);
        var compared = AccountComparison.Compare(Book(), new VenueAccount([stranger], [new Balance("BTC", 0.9m, 0.5m)], Rules), baseline, 0.001m, TimeSpan.FromSeconds(30), Now);
        Assert.True(compared.BalancesCompared);
        Assert.Equal([DifferenceKind.UnknownOrder, DifferenceKind.Balance], compared.Differences.Select(d => d.Kind));
        var begun = stranger with { Executed = new Quantity(0.1m), Status = VenueOrderStatus.PartiallyFilled };
        Assert.False(AccountComparison.Compare(Book(), new VenueAccount([begun], [new Balance("BTC", 0.9m, 0)], Rules), baseline, 0.001m, TimeSpan.FromSeconds(30), Now).BalancesCompared);
    }

    /// <summary>Prevents that a venue which lists too little takes the stops off positions that are there.</summary>
    [Fact]
    public void A_venue_that_lists_an_order_that_sells_more_than_it_lists_to_be_held_contradicts_itself_and_nothing_is_written_off()
    {
        var stop = ClientOrderId.Of(Trade(), OrderRole.Stop, 0);
        var book = Book(
            Intended(1), Attempted(Entry()), Accepted(Entry()), Filled(Entry(), "f1", 1), Ended(Entry(), 1),
            Intended(1, Side.Sell, order: stop), Attempted(stop), Accepted(stop));
        var baseline = AccountComparison.Baseline(Book(), "paper", [new Balance("USDT", 1_000, 0)], 42);
        var compared = AccountComparison.Compare(
            book, new VenueAccount([Report(stop, Side.Sell)], [new Balance("USDT", 900, 0)], Rules), baseline, 0.001m, TimeSpan.FromSeconds(30), Now);
        var difference = Assert.Single(compared.Differences);
        Assert.Contains("more than that is on sale", difference.What, StringComparison.Ordinal);
        Assert.Empty(Remedies.Of(book, difference, Rules, new Price(100), new RemedyPolicy(Adopt: true, "USDT", 0.001m), 7, Now));
    }

    [Fact]
    public void A_book_and_a_venue_that_agree_show_no_difference_and_compare_balances()
    {
        var book = Book(Intended(1), Attempted(Entry(1)), Accepted(Entry(1)), Filled(Entry(1), "1", 0.25m, 100, 0.5m));
        var compared = Compare(book, [Report(Entry(1), executed: 0.25m, status: VenueOrderStatus.PartiallyFilled)], [new("BTC", 2.25m, 0), new("USDT", 900, 74.5m)]);
        Assert.Empty(compared.Differences);
        Assert.True(compared.BalancesCompared);
    }

    /// <summary>Prevents two owners: what an exit that was taken back has left was adopted while its own trade was about to sell it again.</summary>
    [Fact]
    public void While_the_venue_is_asked_for_an_order_that_was_corrected_balances_say_nothing()
    {
        var exit = ClientOrderId.Of(Trade(), OrderRole.Exit, 0);
        object[] sold =
        [
            Intended(1), Attempted(Entry()), Accepted(Entry()), Filled(Entry(), "f1", 1), Ended(Entry(), 1),
            Intended(1, Side.Sell, order: exit), Attempted(exit), Accepted(exit), Filled(exit, "f2", 1), Ended(exit, 1),
        ];
        var corrected = new OrderCorrected(exit, "executed 0 at the venue", "");
        Assert.True(Compare(Book(sold), []).BalancesCompared);
        Assert.False(Compare(Book([.. sold, corrected]), []).BalancesCompared);
        Assert.True(Compare(Book([.. sold, corrected, new OrderConfirmed(exit, "the venue says Filled with 1 executed")]), []).BalancesCompared);
        Assert.True(Compare(Book([.. sold, corrected, new OrderFillBusted(Filled(exit, "f2", 1), "")]), []).BalancesCompared);
    }

    [Fact]
    public void An_open_order_of_nobody_is_found_and_has_no_owner()
    {
        var difference = Assert.Single(Compare(Book(), [Report(new ClientOrderId("web_12345"))]).Differences);
        Assert.Equal((DifferenceKind.UnknownOrder, (TradeId?)null, false), (difference.Kind, difference.Trade, difference.Ours));
        Assert.Contains("the venue's order 77", difference.Evidence, StringComparison.Ordinal);
        Assert.Empty(ReconciliationDecider.React(Found(difference)));
    }

    [Fact]
    public void An_open_order_that_bears_a_trade_of_ours_is_handed_to_the_owner_of_orders_alone()
    {
        var difference = Assert.Single(Compare(Book(), [Report(Entry(9))]).Differences);
        Assert.Equal(new CorrectOrder(Trade(9), Account, Entry(9), difference.What, difference.Evidence), Assert.Single(ReconciliationDecider.React(Found(difference))));
    }

    [Fact]
    public void An_order_that_vanished_counts_only_with_the_venues_own_word()
    {
        var book = Book(Intended(1), Attempted(Entry(1)), Accepted(Entry(1)));
        var suspected = Assert.Single(Compare(book, []).Differences);
        Assert.Equal(DifferenceKind.VanishedOrder, suspected.Kind);
        Assert.NotNull(suspected.Asks);

        Assert.Null(AccountComparison.Confirm(suspected, new VenueAnswer<OrderReport>.Unknown("timed out")));
        Assert.Null(AccountComparison.Confirm(suspected, new VenueAnswer<OrderReport>.NotSent("breaker", null)));
        Assert.Null(AccountComparison.Confirm(suspected, new VenueAnswer<OrderReport>.Refused(Refusal.RateLimited, "-1003", "slow down")));
        Assert.Null(AccountComparison.Confirm(suspected, new VenueAnswer<OrderReport>.Said(Report(Entry(1)))));
        var filled = AccountComparison.Confirm(suspected, new VenueAnswer<OrderReport>.Said(Report(Entry(1), executed: 1, status: VenueOrderStatus.Filled)));
        Assert.Contains("the venue says Filled, executed 1 of 1", filled!.What, StringComparison.Ordinal);
        var gone = AccountComparison.Confirm(suspected, new VenueAnswer<OrderReport>.Refused(Refusal.UnknownOrder, "-2013", "Order does not exist."));
        Assert.Contains("does not know it", gone!.What, StringComparison.Ordinal);
        Assert.Equal("-2013: Order does not exist.", gone.Evidence);
        Assert.Equal([typeof(DriftFound), typeof(CorrectOrder)], ReconciliationDecider.React(Found(filled)).Select(m => m.GetType()));
    }

    [Fact]
    public void An_order_that_ended_in_our_record_and_is_open_at_the_venue_is_found()
    {
        var book = Book(Intended(1), Attempted(Entry(1)), Accepted(Entry(1)), Ended(Entry(1)));
        Assert.Equal(DifferenceKind.OpenOrder, Assert.Single(Compare(book, [Report(Entry(1))]).Differences).Kind);
    }

    [Fact]
    public void Executed_quantities_that_differ_are_found()
    {
        var book = Book(Intended(1), Attempted(Entry(1)), Accepted(Entry(1)), Filled(Entry(1), "1", 0.25m));
        var difference = Assert.Single(Compare(book, [Report(Entry(1), executed: 0.5m)]).Differences);
        Assert.Equal((DifferenceKind.Executed, "executed 0.5 at the venue, 0.25 in our record"), (difference.Kind, difference.What));
    }

    [Fact]
    public void An_attempt_is_its_resolvers_until_that_took_too_long()
    {
        var book = Book(Intended(1), Attempted(Entry(1)), new OrderUnknown(Entry(1), 1, "timed out", Account, Now));
        var young = Compare(book, []);
        Assert.Empty(young.Differences);
        Assert.False(young.BalancesCompared);
        Assert.Equal(DifferenceKind.UnresolvedOrder, Assert.Single(Compare(book, [], now: Now.AddMinutes(1)).Differences).Kind);
        // One that is listed is known to be there.
        Assert.DoesNotContain(Compare(book, [Report(Entry(1))]).Differences, d => d.Kind == DifferenceKind.UnknownOrder);
    }

    [Fact]
    public void Balances_are_baseline_and_fills_less_fees_within_the_tolerance()
    {
        var book = Book(Intended(1), Attempted(Entry(1)), Accepted(Entry(1)), Filled(Entry(1), "1", 1, 100, 0.001m, "BTC"), Ended(Entry(1), 1));
        Assert.Empty(Compare(book, [], [new("BTC", 2.999m, 0), new("USDT", 900, 0)]).Differences);
        Assert.Empty(Compare(book, [], [new("BTC", 3.000m, 0), new("USDT", 900, 0)]).Differences);
        var short_ = Assert.Single(Compare(book, [], [new("BTC", 2.9979m, 0), new("USDT", 900, 0)]).Differences);
        Assert.Equal((DifferenceKind.Balance, "BTC"), (short_.Kind, short_.Subject));
        Assert.Contains("-0.0011 BTC", short_.What, StringComparison.Ordinal);
        Assert.Equal("the venue lists no USDT", Assert.Single(Compare(book, [], [new("BTC", 2.999m, 0)]).Differences).Evidence);
        Assert.Equal("SHIB", Assert.Single(Compare(book, [], [new("BTC", 2.999m, 0), new("USDT", 900, 0), new("SHIB", 7, 0)]).Differences).Subject);
    }

    [Fact]
    public void A_baseline_that_is_set_later_counts_only_what_came_after_it()
    {
        var before = Book(Intended(1), Attempted(Entry(1)), Accepted(Entry(1)), Filled(Entry(1), "1", 1, 100, 1), Ended(Entry(1), 1));
        var baseline = AccountComparison.Baseline(before, "paper", [new("BTC", 5, 0), new("USDT", 500, 0)], 10);
        var after = before.Apply(Intended(2, Side.Sell), Now).Apply(Attempted(Entry(2)), Now).Apply(Accepted(Entry(2)), Now).Apply(Filled(Entry(2), "2", 1, 110, 1), Now).Apply(Ended(Entry(2), 1), Now);
        Assert.Empty(Compare(after, [], [new("BTC", 4, 0), new("USDT", 609, 0)], baseline: baseline).Differences);
    }

    [Fact]
    public void Balances_say_nothing_while_orders_differ_or_move_or_the_venue_did_not_say_them()
    {
        Balance[] wrong = [new("USDT", 1, 0)];
        Assert.False(Compare(Book(), [Report(new ClientOrderId("web"), executed: 0.5m)], wrong).BalancesCompared);
        Assert.False(Compare(Book(Intended(1), Attempted(Entry(1))), [], wrong).BalancesCompared);
        var unknown = AccountComparison.Compare(Book(), new VenueAccount([], null, Rules), Baseline, 0.001m, TimeSpan.FromSeconds(30), Now);
        Assert.Equal((0, false), (unknown.Differences.Count, unknown.BalancesCompared));
    }

    [Fact]
    public void Only_what_stays_the_same_for_a_while_is_believed()
    {
        var wait = TimeSpan.FromSeconds(3);
        var first = new Difference(DifferenceKind.Executed, "e0", null, true, "1 for 0", "");
        var (seen, lasting) = Suspicions.None.With(Seen(first), Now, wait);
        Assert.Empty(lasting);
        Assert.Empty(seen.With(Seen(first), Now.AddSeconds(2), wait).Lasting);
        Assert.Equal([first], seen.With(Seen(first), Now.AddSeconds(3), wait).Lasting);
        // It moved: the record is being written.
        Assert.Empty(seen.With(Seen(first with { What = "2 for 1" }), Now.AddSeconds(3), wait).Lasting);
        // It went and came again.
        Assert.Empty(seen.With(Seen(), Now.AddSeconds(1), wait).Next.With(Seen(first), Now.AddSeconds(3), wait).Lasting);
    }

    /// <summary>Prevents coins that are never found missing because the account never stands still for as long as that takes.</summary>
    [Fact]
    public void A_balance_that_differs_by_the_same_is_believed_however_much_is_traded_between_the_looks()
    {
        var wait = TimeSpan.FromSeconds(3);
        var before = Compare(Book(), [], [new("BTC", 1.5m, 0), new("USDT", 1_000, 0)], baseline: Held(1));
        var (seen, _) = Suspicions.None.With(before, Now, wait);
        var moving = Compare(Book(Intended(1), Attempted(Entry(1))), [], [new("BTC", 2.5m, 0), new("USDT", 900, 0)], baseline: Held(1));
        Assert.False(moving.BalancesCompared);
        (seen, var lasting) = seen.With(moving, Now.AddSeconds(2), wait);
        Assert.Empty(lasting);
        var after = Compare(Book(Intended(1), Attempted(Entry(1)), Accepted(Entry(1)), Filled(Entry(1), "f1", 1), Ended(Entry(1), 1)), [], [new("BTC", 2.5m, 0), new("USDT", 900, 0)], baseline: Held(1));
        Assert.Equal(["Balance:BTC"], seen.With(after, Now.AddSeconds(4), wait).Lasting.Select(d => d.Key));
        // One that is gone when they are compared again has never lasted.
        Assert.Empty(seen.With(new Compared([], BalancesCompared: true), Now.AddSeconds(4), wait).Next.With(after, Now.AddSeconds(6), wait).Lasting);

        static BalanceBaselineSet Held(decimal btc) => AccountComparison.Baseline(Book(), "paper", [new Balance("BTC", btc, 0), new Balance("USDT", 1_000, 0)], 42);
    }

    /// <summary>Prevents that one symbol which the venue has delisted, or says nothing of that makes sense, ends all reckoning with balances and passes every difference off as settled.</summary>
    [Fact]
    public void A_symbol_that_the_venue_has_no_rules_for_any_more_keeps_nothing_from_being_compared()
    {
        var luna = new Symbol("LUNAUSDT");
        object[] traded = [Intended(1) with { Symbol = luna }, Attempted(Entry(1)), Accepted(Entry(1)), Filled(Entry(1), "1", 1), Ended(Entry(1), 1)];
        var planned = new EntryPlanned(
            new Signal(Trade(1), Account, "test", luna, Side.Buy, OrderKind.Market, new Price(100), null, null, null, new Money(100), 1, Now, Now), new Money(100),
            Rules[Given.Symbol] with { Symbol = luna, BaseAsset = "LUNA" }, null, null!);
        Balance[] right = [new("BTC", 2, 0), new("LUNA", 1, 0), new("USDT", 900, 0)];
        Balance[] wrong = [new("BTC", 1.5m, 0), new("LUNA", 0.5m, 0), new("USDT", 800, 0)];

        // Our own record says what it traded.
        Assert.Empty(Compare(Book([planned, .. traded]), [], right).Differences);
        Assert.Equal(["BTC", "LUNA", "USDT"], Compare(Book([planned, .. traded]), [], wrong).Differences.Select(d => d.Subject));
        // What traded before the baseline was set moves nothing.
        var baseline = AccountComparison.Baseline(Book(traded), "paper", right, 0);
        Assert.Equal(["BTC", "LUNA", "USDT"], Compare(Book(traded), [], wrong, baseline: baseline).Differences.Select(d => d.Subject));
        // Where nobody can say what it trades, nothing is said of what it may be.
        var unnamed = Compare(Book(traded), [], wrong);
        Assert.Equal("BTC", Assert.Single(unnamed.Differences).Subject);
        Assert.Equal([false, true, true], new[] { "BTC", "LUNA", "USDT" }.Select(unnamed.IsUnclear));
    }

    /// <summary>Prevents coins that are found missing, and passed off as there again, because their line is garbled; and others that are not looked at because of it.</summary>
    [Fact]
    public void Of_balances_of_which_one_makes_no_sense_the_others_are_compared()
    {
        var named = Of(new VenueAccount([], [new("USDT", 900, 0)], Rules, PassedOver: 1, Names: ["BTC"]));
        Assert.Equal("USDT", Assert.Single(named.Differences).Subject);
        Assert.Equal([true, false, false], new[] { "BTC", "USDT", "SHIB" }.Select(named.IsUnclear));
        var nameless = Of(new VenueAccount([], [new("USDT", 900, 0)], Rules, PassedOver: 1));
        Assert.Equal("USDT", Assert.Single(nameless.Differences).Subject);
        Assert.Equal([true, false, true], new[] { "BTC", "USDT", "SHIB" }.Select(nameless.IsUnclear));

        // What has lasted is not begun anew because nothing could be said of it for a moment.
        var (seen, _) = Suspicions.None.With(Compare(Book(), [], [new("BTC", 1, 0), new("USDT", 1_000, 0)]), Now, TimeSpan.FromSeconds(3));
        (seen, _) = seen.With(named, Now.AddSeconds(2), TimeSpan.FromSeconds(3));
        Assert.Contains("Balance:BTC", seen.With(Compare(Book(), [], [new("BTC", 1, 0), new("USDT", 1_000, 0)]), Now.AddSeconds(4), TimeSpan.FromSeconds(3)).Lasting.Select(d => d.Key));

        static Compared Of(VenueAccount account) => AccountComparison.Compare(Book(), account, Baseline, 0.001m, TimeSpan.FromSeconds(30), Now);
    }

    [Fact]
    public void What_could_not_be_read_when_the_baseline_was_set_joins_it_as_it_is_when_it_can_be()
    {
        var baseline = AccountComparison.Baseline(Book(), "paper", [new Balance("USDT", 1_000, 0)], 0, ["BTC", "SHIB"]);
        Assert.Equal(["BTC", "SHIB"], baseline.Unread!);
        var traded = Book(Intended(1), Attempted(Entry(1)), Accepted(Entry(1)), Filled(Entry(1), "1", 1, 100), Ended(Entry(1), 1));
        VenueAccount Account(params string[] unread) => new([], [new("BTC", 3, 0), new("USDT", 900, 0)], Rules, unread.Length, unread);
        Assert.Empty(AccountComparison.Compare(traded, Account("SHIB"), baseline, 0.001m, TimeSpan.FromSeconds(30), Now).Differences);
        Assert.Null(AccountComparison.Joined(traded, Account("BTC", "SHIB"), baseline));
        var joined = AccountComparison.Joined(traded, Account("SHIB"), baseline)!;
        Assert.Equal(["SHIB"], joined.Unread!);
        Assert.Equal(2, joined.Balances.Single(b => b.Asset == "BTC").Amount);
        Assert.Null(AccountComparison.Joined(traded, Account(), joined)!.Unread);
        Assert.Equal("BTC", Assert.Single(AccountComparison.Compare(Book(), Account(), joined, 0.001m, TimeSpan.FromSeconds(30), Now).Differences, d => d.Subject == "BTC").Subject);

        // Prevents coins that drop out of the comparison for ever, neither unread nor read, because no rules named their symbol just then.
        var noRules = new Dictionary<Symbol, SymbolRules>();
        Assert.Null(AccountComparison.Joined(traded, Account("SHIB") with { Rules = noRules }, baseline));
        // Nor when all of them were sold, so that the venue lists none.
        Assert.Null(AccountComparison.Joined(traded, Account("SHIB") with { Rules = noRules, Balances = [new("USDT", 900, 0)] }, baseline));
    }

    /// <summary>Prevents a small loss that nobody finds on an account where there is always an order of which our record does not know yet that it is over.</summary>
    [Fact]
    public void What_an_order_moved_that_is_over_at_the_venue_is_reckoned_with_though_our_record_does_not_have_it_yet()
    {
        var book = Book(Intended(1), Attempted(Entry(1)));
        var fill = new FillReport("f1", "77", Given.Symbol, Side.Buy, new Quantity(1), new Price(100), new Money(0.5m), "USDT", Now);
        var over = new OverOrder(Report(Entry(1), executed: 1, status: VenueOrderStatus.Filled), [fill]);
        Compared Of(decimal btc, OrderBook of) => AccountComparison.Compare(of, new VenueAccount([], [new("BTC", btc, 0), new("USDT", 899.5m, 0)], Rules, Over: [over]), Baseline, 0.001m, TimeSpan.FromSeconds(30), Now);
        var right = Of(3, book);
        Assert.Equal((0, true), (right.Differences.Count, right.BalancesCompared));
        Assert.StartsWith("-0.05 BTC", Assert.Single(Of(2.95m, book).Differences).What, StringComparison.Ordinal);
        // It is the same when the record has it meanwhile, in part or all of it.
        var part = book.Apply(Accepted(Entry(1)), Now).Apply(Filled(Entry(1), "f1", 1, 100, 0.5m), Now);
        Assert.DoesNotContain(Of(3, part).Differences, d => d.Kind == DifferenceKind.Balance);
        Assert.DoesNotContain(Of(3, part.Apply(Ended(Entry(1), 1), Now)).Differences, d => d.Kind == DifferenceKind.Balance);
        // What is done about it is reckoned from there too.
        Assert.Equal(1, Assert.Single(Of(3, book).Ahead!.HoldingsOf(Given.Symbol)).Held);
    }

    private static Compared Seen(params Difference[] differences) => new(differences, BalancesCompared: true);

    private static Compared Compare(OrderBook book, OrderReport[] orders, Balance[]? balances = null, DateTimeOffset? now = null, BalanceBaselineSet? baseline = null) =>
        AccountComparison.Compare(book, new VenueAccount(orders, balances ?? Start, Rules), baseline ?? Baseline, 0.001m, TimeSpan.FromSeconds(30), now ?? Now);

    private static DifferenceFound Found(Difference d) => new(1, Account, d.Kind, d.Subject, d.Trade, d.Ours, d.What, d.Evidence, 1, Now);
}
