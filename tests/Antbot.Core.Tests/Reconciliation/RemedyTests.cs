using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;
using Antbot.Reconciliation;
using Xunit;
using static Antbot.Core.Tests.Reconciliation.Given;

namespace Antbot.Core.Tests.Reconciliation;

/// <summary>The venue is the truth: what it has is adopted, what it has not is written off, and what is nobody's is reckoned with.</summary>
public sealed class RemedyTests
{
    private const long Look = 7;

    private static readonly RemedyPolicy Policy = new(Adopt: true, "USDT", 0.001m);
    private static readonly Price Price = new(100);

    [Fact]
    public void A_holding_that_no_trade_explains_becomes_a_trade_of_its_own()
    {
        var adopted = Assert.IsType<AdoptionDecided>(Assert.Single(Of(Book(), More("BTC", 0.5m, held: 0.5m))));
        Assert.Equal(("Balance:BTC", Given.Symbol, Side.Buy, 0.5m, 50m), (adopted.Difference, adopted.Signal.Symbol, adopted.Signal.Side, adopted.Quantity.Value, adopted.Signal.Notional.Value));
        Assert.Null(adopted.Order);
        var told = Assert.IsType<AdoptTrade>(Assert.Single(ReconciliationDecider.React(adopted)));
        Assert.Equal((adopted.Signal.Trade, "words"), (told.Trade, told.Evidence));
        // The same finding of the same look is the same trade; of another look it is another one.
        Assert.Equal(adopted.Signal.Trade, ((AdoptionDecided)Of(Book(), More("BTC", 0.5m, 0.5m))[0]).Signal.Trade);
        Assert.NotEqual(adopted.Signal.Trade, ((AdoptionDecided)Remedies.Of(Book(), More("BTC", 0.5m, 0.5m), Rules, Price, Policy, Look + 1, Now)[0]).Signal.Trade);
    }

    [Fact]
    public void What_the_venue_would_not_buy_back_what_has_no_symbol_and_what_nobody_wants_adopted_is_reckoned_with()
    {
        Assert.Equal(0.01m, Assert.IsType<BalanceTakenOver>(Assert.Single(Of(Book(), More("BTC", 0.01m, 0.01m)))).Amount);
        Assert.Equal(("USDT", 5m), Taken(Of(Book(), More("USDT", 5, 1_005))));
        Assert.Equal(("USDT", -5m), Taken(Of(Book(), More("USDT", -5, 995))));
        Assert.Equal(("BTC", 0.5m), Taken(Remedies.Of(Book(), More("BTC", 0.5m, 0.5m), Rules, null, Policy with { Adopt = false }, Look, Now)));

        static (string, decimal) Taken(IReadOnlyList<IRemedy> remedies) => remedies is [BalanceTakenOver e] ? (e.Asset, e.Amount) : ("", 0);
    }

    /// <summary>Prevents a position that is entered in the books at a price that nobody knows.</summary>
    [Fact]
    public void Without_a_price_nothing_is_adopted_yet_and_nothing_is_given_up() => Assert.Empty(Remedies.Of(Book(), More("BTC", 0.5m, 0.5m), Rules, null, Policy, Look, Now));

    /// <summary>Prevents a deposit of money to trade with that is put up for sale because it is the base of some other symbol.</summary>
    [Fact]
    public void Money_to_trade_with_is_no_position()
    {
        var rules = new Dictionary<Symbol, SymbolRules>(Rules) { [new Symbol("USDTTRY")] = new(new Symbol("USDTTRY"), "USDT", "TRY", 0.01m, 1, new Quantity(1), new Quantity(1_000_000), new Money(10)) };
        Assert.IsType<BalanceTakenOver>(Assert.Single(Remedies.Of(Book(), More("USDT", 10_000, 11_000), rules, Price, Policy, Look, Now)));
        // Nor is a coin that is only traded for other money than ours.
        rules[new Symbol("XYZTRY")] = new(new Symbol("XYZTRY"), "XYZ", "TRY", 0.01m, 1, new Quantity(1), new Quantity(1_000_000), new Money(10));
        Assert.IsType<BalanceTakenOver>(Assert.Single(Remedies.Of(Book(), More("XYZ", 10_000, 10_000), rules, Price, Policy, Look, Now)));
    }

    /// <summary>Prevents one order with two owners, of which the second sells what is not its own.</summary>
    [Fact]
    public void An_order_that_bears_the_name_of_a_trade_of_ours_is_left_to_that_trade() => Assert.Empty(Of(Book(), UnknownOrder(Report(Entry()))));

    /// <summary>Prevents a position that rests on a stop which nobody here remembers: a store that was lost, or is older than what was sent.</summary>
    [Fact]
    public void What_bears_the_name_of_a_trade_that_no_record_knows_is_adopted_and_so_is_what_a_stop_of_ours_protects()
    {
        var stop = Report(ClientOrderId.Of(Trade(), OrderRole.Stop, 0), Side.Sell, quantity: 2);
        foreach (var found in new[] { Report(Entry(), quantity: 2), stop })
        {
            var adopted = Assert.IsType<AdoptionDecided>(Assert.Single(Of(Book(), UnknownOrder(found) with { Trade = null })));
            Assert.Equal((new FoundOrder(found.Id, "77", found.At), Side.Buy, 2m), (adopted.Order, adopted.Signal.Side, adopted.Quantity.Value));
            Assert.NotEqual(Trade(), adopted.Signal.Trade);
        }
        Assert.True(UnknownOrder(stop).IsStrayStop(Book()));
        Assert.False(UnknownOrder(stop).IsStrayStop(Book(Intended(1))));
        Assert.False(UnknownOrder(Report(new ClientOrderId("web_1"), Side.Sell)).IsStrayStop(Book()));
        Assert.Empty(Remedies.Of(Book(), UnknownOrder(stop) with { Trade = null }, Rules, Price, Policy with { Adopt = false }, Look, Now));
    }

    /// <summary>Prevents two owners of the same coins: what an exit that was taken back has left is its own trade's, which is only told of it when it is held against the venue.</summary>
    [Fact]
    public void Beside_a_trade_that_was_closed_and_not_yet_held_against_the_venue_nothing_is_adopted_and_nobody_waits_for_ever()
    {
        var verify = new VerifyTrade(Trade(), Given.Account, Given.Symbol, Side.Buy, new Quantity(1), Closed: true, [Entry()]);
        var closed = Book().Apply(new PositionClosed(Trade(), Given.Account, Given.Symbol, Side.Buy, new Quantity(1), Price, Price, Money.Zero, Money.Zero, "done", [Entry()], Quantity.Zero), Now);
        var verified = closed.Apply(new TradeVerified(verify, [], new Quantity(1), Quantity.Zero, "words"), Now);
        Assert.Empty(At(closed, 10));
        Assert.IsType<AdoptionDecided>(Assert.Single(At(verified, 10)));
        // It is held against the venue within moments, and where a person has to look at it others are not held up.
        Assert.IsType<AdoptionDecided>(Assert.Single(At(closed, 1)));
        Assert.IsType<AdoptionDecided>(Assert.Single(At(closed, 121)));
        Assert.Empty(At(closed.Apply(new TradeVerified(verify with { Closed = false }, [], new Quantity(1), Quantity.Zero, "words"), Now), 10));

        static IReadOnlyList<IRemedy> At(OrderBook book, int seconds) => Remedies.Of(book, More("BTC", 0.5m, 0.5m), Rules, Price, Policy, Look, Now.AddSeconds(seconds));
    }

    /// <summary>Prevents a loss that is booked on a trade because the venue took its fee in coins.</summary>
    [Fact]
    public void A_fee_that_was_taken_in_coins_is_missing_from_no_trade()
    {
        object[] events = [Intended(1, quantity: 10), Attempted(Entry(1)), Accepted(Entry(1)), Filled(Entry(1), "f1", 10, fee: 0.01m, asset: "BTC"), Ended(Entry(1), 10)];
        var book = events.Aggregate(Book(), (b, e) => b.Apply(e, Now));
        Assert.Equal(9.99m, Assert.Single(book.HoldingsOf(Given.Symbol)).Held);
        Assert.Equal(-5m, Assert.IsType<BalanceTakenOver>(Assert.Single(Of(book, More("BTC", -5, held: 9.99m)))).Amount);
    }

    [Fact]
    public void An_order_that_buys_is_adopted_as_it_rests_and_one_that_sells_is_only_told()
    {
        var found = Report(new ClientOrderId("web_1"), quantity: 2);
        var adopted = Assert.IsType<AdoptionDecided>(Assert.Single(Of(Book(), UnknownOrder(found))));
        Assert.Equal((new FoundOrder(found.Id, "77", found.At), 2m, 200m), (adopted.Order, adopted.Quantity.Value, adopted.Signal.Notional.Value));
        Assert.Empty(Of(Book(), UnknownOrder(Report(new ClientOrderId("web_2"), Side.Sell))));
        Assert.Empty(Remedies.Of(Book(), UnknownOrder(found), Rules, Price, Policy with { Adopt = false }, Look, Now));
    }

    [Fact]
    public void What_is_missing_is_borne_by_the_trade_that_held_just_so_much_or_else_by_the_oldest()
    {
        var book = Open(Open(Open(Book(), 1, 1, 0), 2, 3, 10), 3, 2, 20);
        Assert.Equal([(Trade(3), 2m)], Off(Of(book, More("BTC", -2, held: 4))));
        Assert.Equal([(Trade(1), 1m), (Trade(2), 1.5m)], Off(Of(book, More("BTC", -2.5m, held: 3.5m))));
        Assert.Equal([(Trade(1), 1m), (Trade(2), 3m), (Trade(3), 2m)], Off(Of(book, More("BTC", -6, held: 0))));
    }

    /// <summary>Prevents a trade that is closed in the books because its owner sold coins that were never the trade's.</summary>
    [Fact]
    public void As_long_as_the_account_holds_what_the_trades_should_hold_they_bear_nothing()
    {
        var book = Open(Book(), 1, 1, 0);
        Assert.Equal(-2m, Assert.IsType<BalanceTakenOver>(Assert.Single(Of(book, More("BTC", -2, held: 3)))).Amount);
        var both = Of(book, More("BTC", -2, held: 0.4m));
        Assert.Equal([(Trade(1), 0.6m)], Off(both));
        Assert.Equal(-1.4m, Assert.IsType<BalanceTakenOver>(both[^1]).Amount);
    }

    /// <summary>
    /// Found by the simulator: coins were written off, then the venue told that it had taken the purchase back; by our record the account
    /// held less than nothing, and what it seemed to hold more was adopted although nobody could sell it.
    /// </summary>
    [Fact]
    public void What_is_more_than_our_record_and_not_there_beside_the_trades_is_not_adopted()
    {
        Assert.Equal(4m, Assert.IsType<BalanceTakenOver>(Assert.Single(Of(Book(), More("BTC", 4, held: 0)))).Amount);
        var book = Open(Book(), 1, 3, 0);
        var both = Of(book, More("BTC", 4, held: 5));
        Assert.Equal(2m, Assert.IsType<AdoptionDecided>(both[0]).Quantity.Value);
        Assert.Equal(2m, Assert.IsType<BalanceTakenOver>(both[1]).Amount);
        Assert.Equal(4m, Assert.IsType<AdoptionDecided>(Assert.Single(Of(book, More("BTC", 4, held: 7)))).Quantity.Value);
    }

    /// <summary>
    /// Found by the simulator: somebody had sold less than the tolerance, and the exit of the whole position was refused for ever because
    /// the account did not hold that little.
    /// </summary>
    [Fact]
    public void Of_what_trades_would_sell_a_step_is_missing_however_little_it_is()
    {
        var baseline = AccountComparison.Baseline(Book(), "paper", [new Balance("USDT", 1_000, 0)], 42);
        var book = Open(Book(), 1, 3, 0);
        var rules = new Dictionary<Symbol, SymbolRules> { [Given.Symbol] = Rules[Given.Symbol] with { QuantityStep = 0.0001m } };
        Assert.Empty(Differences(2.99991m));
        var difference = Assert.Single(Differences(2.9995m));
        Assert.Equal([(Trade(1), 0.0005m)], Off(Remedies.Of(book, difference, rules, Price, Policy, Look, Now)));
        // Of what is nobody's the tolerance is what counts.
        Assert.Empty(AccountComparison.Compare(book, Held(3.0005m), baseline, 0.001m, TimeSpan.FromSeconds(30), Now).Differences);

        IReadOnlyList<Difference> Differences(decimal held) => AccountComparison.Compare(book, Held(held), baseline, 0.001m, TimeSpan.FromSeconds(30), Now).Differences;
        VenueAccount Held(decimal held) => new([], [new Balance("USDT", 700, 0), new Balance("BTC", held, 0)], rules);
    }

    /// <summary>Found by the simulator: a balance below zero was taken for a contradiction, and nothing was ever concluded.</summary>
    [Fact]
    public void A_debt_is_reckoned_with()
    {
        var baseline = AccountComparison.Baseline(Book(), "paper", [new Balance("BTC", 1, 0)], 42);
        var compared = AccountComparison.Compare(Book(), new VenueAccount([], [new Balance("BTC", -2, 0)], Rules), baseline, 0.001m, TimeSpan.FromSeconds(30), Now);
        Assert.Equal(-3m, Assert.IsType<BalanceTakenOver>(Assert.Single(Of(Book(), Assert.Single(compared.Differences)))).Amount);
    }

    [Fact]
    public void Each_difference_is_remedied_once_and_not_before_a_second_look_has_found_it()
    {
        var difference = More("USDT", -5, 995);
        var look = new AccountLook(1, Account, "paper", 42, 0, null, [difference], new HashSet<string>([difference.Key]), BalancesCompared: true, null, Completes: false, Of(Book(), difference), []);
        var baseline = AccountComparison.Baseline(Book(), "paper", [new Balance("USDT", 1_000, 0)], 42);
        var state = State(baseline with { Look = 1 });
        var first = ReconciliationDecider.Decide(state, look with { Number = 2 }, Now);
        Assert.IsType<DifferenceFound>(Assert.Single(first));
        state = first.Aggregate(state, ReconciliationState.Fold.Apply);
        var second = ReconciliationDecider.Decide(state, look with { Number = 3, Remedies = Remedies.Of(Book(), difference, Rules, Price, Policy, 3, Now) }, Now);
        Assert.IsType<BalanceTakenOver>(Assert.Single(second));
        state = second.Aggregate(state, ReconciliationState.Fold.Apply);
        // From here on the account is reckoned from what the venue says: nothing is left of it.
        Assert.Equal(995, Assert.Single(state.Baseline!.Balances).Amount);
        var compared = AccountComparison.Compare(Book(), new VenueAccount([], [new Balance("USDT", 995, 0)], Rules), state.Baseline, 0.001m, TimeSpan.FromSeconds(30), Now);
        Assert.Empty(compared.Differences);
        var third = ReconciliationDecider.Decide(state, look with { Number = 4, Confirmed = [], Present = new HashSet<string>(), Remedies = [] }, Now);
        Assert.IsType<DifferenceSettled>(Assert.Single(third));
    }

    /// <summary>Prevents a position that is adopted twice because the first adoption was still on its way, and one that is never mended because it changed meanwhile.</summary>
    [Fact]
    public void Nothing_more_is_done_until_what_was_asked_has_come_through_and_then_about_what_is_left()
    {
        var found = new DifferenceFound(1, Account, DifferenceKind.Balance, "BTC", null, Ours: true, "what", "words", 1, Now);
        var adoption = (AdoptionDecided)Of(Book(), More("BTC", 0.5m, 0.5m))[0];
        var state = State(found);
        Assert.True(state.IsToRemedy(adoption.Difference, Book(), Now));
        state = State(found, adoption);
        Assert.False(state.IsToRemedy(adoption.Difference, Book(), Now));
        var changed = State(found, adoption, found with { Look = 9, What = "another" });
        Assert.False(changed.IsToRemedy(adoption.Difference, Book(), Now));
        var adopted = new PositionAdopted(ClientOrderId.Of(adoption.Signal.Trade, OrderRole.Entry, 0), adoption.Signal.Trade, Account, Given.Symbol, Side.Buy, new Quantity(0.5m), Price, "USDT", Now, "words");
        Assert.True(changed.IsToRemedy(adoption.Difference, Book(adopted), Now));
        // Closed again before anybody looked: the book has forgotten it, but it was verified.
        var verify = new VerifyTrade(adoption.Signal.Trade, Account, Given.Symbol, Side.Buy, new Quantity(0.5m), Closed: false, []);
        Assert.True(State(found, adoption, new VerificationPending(verify, Message, "away")).IsToRemedy(adoption.Difference, Book(), Now));

        var book = Open(Book(), 1, 1, 0);
        var off = (WriteOffDecided)Of(book, More("BTC", -0.4m, 0.6m))[0];
        state = State(found, off);
        Assert.False(state.IsToRemedy(off.Difference, book, Now));
        Assert.True(state.IsToRemedy(off.Difference, book.Apply(new PositionWrittenOff(Trade(1), Account, Given.Symbol, Side.Buy, new Quantity(0.4m), "what", "words"), Now), Now));
        Assert.True(state.IsToRemedy(off.Difference, book.Apply(Closed(1), Now), Now));
    }

    /// <summary>Prevents an asset that is never protected again because one adoption of it was refused, or its trade was closed before it came.</summary>
    [Fact]
    public void What_came_to_nothing_is_ended_with_its_reason_and_tried_anew_at_once_and_then_ever_more_rarely()
    {
        var found = new DifferenceFound(1, Account, DifferenceKind.Balance, "BTC", null, Ours: true, "what", "words", 1, Now);
        var (state, key, at) = (State(found), DifferenceKey.Of(found.Kind, found.Subject), Now);
        var pauses = new List<TimeSpan>();
        for (var look = 2L; look < 22; look += 2)
        {
            var adoption = (AdoptionDecided)Remedies.Of(Book(), More("BTC", 0.5m, 0.5m), Rules, Price, Policy, look, at)[0];
            state = ReconciliationState.Fold.Apply(state, adoption);
            Assert.Equal([(key, adoption.Signal.Trade)], state.AdoptionsAwaited(Book()));
            var ended = Decide(state, look + 1, new FailedRemedy(key, adoption.Signal.Trade, "dry"), at);
            Assert.Equal((key, adoption.Signal.Trade, "dry", at), (ended.Difference, ended.Trade, ended.Reason, ended.At));
            Assert.Empty(ReconciliationDecider.React(ended));
            // That its kind of difference was seen with another number meanwhile does not make it forgotten.
            state = new object[] { ended, found with { Look = look + 1, What = $"what {look}" } }.Aggregate(state, ReconciliationState.Fold.Apply);
            Assert.Empty(state.AdoptionsAwaited(Book()));
            var due = at;
            while (!state.IsToRemedy(key, Book(), due))
                due += TimeSpan.FromMinutes(1);
            pauses.Add(due - at);
            at = due;
        }
        Assert.Equal([0, 1, 2, 4, 8, 16, 32, 64, 64, 64], pauses.Select(p => p.TotalMinutes));
    }

    [Fact]
    public void What_nobody_awaits_is_not_ended()
    {
        var found = new DifferenceFound(1, Account, DifferenceKind.Balance, "BTC", null, Ours: true, "what", "words", 1, Now);
        var adoption = (AdoptionDecided)Of(Book(), More("BTC", 0.5m, 0.5m))[0];
        var key = adoption.Difference;
        Assert.Empty(Look(State(found), new FailedRemedy(key, adoption.Signal.Trade, "dry")));
        Assert.Empty(Look(State(found, adoption), new FailedRemedy(key, Trade(9), "dry")));
        Assert.Empty(Look(State(found, adoption), new FailedRemedy("Balance:ETH", adoption.Signal.Trade, "dry")));
        Assert.Single(Look(State(found, adoption), new FailedRemedy(key, adoption.Signal.Trade, "dry")));

        static IReadOnlyList<object> Look(ReconciliationState state, FailedRemedy failed) => ReconciliationDecider.Decide(state, LookAt(state.Looks + 1, failed), Now);
    }

    /// <summary>The difference is gone from the book's reckoning as soon as the trade has it.</summary>
    [Fact]
    public void What_was_adopted_and_what_was_written_off_is_in_the_reckoning()
    {
        var baseline = AccountComparison.Baseline(Book(), "paper", [new Balance("USDT", 1_000, 0)], 42);
        var adopted = new PositionAdopted(Entry(), Trade(), Account, Given.Symbol, Side.Buy, new Quantity(0.5m), Price, "USDT", Now, "words");
        var book = Book(adopted);
        Assert.Empty(Differences(book, 0.5m));
        Assert.Equal([(Trade(), 0.5m)], book.HoldingsOf(Given.Symbol).Select(h => (h.Trade, h.Held)));
        book = book.Apply(new PositionWrittenOff(Trade(), Account, Given.Symbol, Side.Buy, new Quantity(0.2m), "what", "words"), Now);
        Assert.Empty(Differences(book, 0.3m));
        Assert.Equal([(Trade(), 0.3m)], book.HoldingsOf(Given.Symbol).Select(h => (h.Trade, h.Held)));
        Assert.Empty(Differences(book.Apply(Closed(1), Now), 0.3m));

        IReadOnlyList<Difference> Differences(OrderBook of, decimal held) => AccountComparison.Compare(
            of, new VenueAccount([], [new Balance("USDT", 1_000, 0), new Balance("BTC", held, 0)], Rules), baseline, 0.001m, TimeSpan.FromSeconds(30), Now).Differences;
    }

    [Fact]
    public void A_trade_that_was_adopted_or_lost_something_is_right_where_its_orders_alone_are_not()
    {
        var open = At(Verify(0.5m), NotKnown(Entry(), Side.Buy)) with { Record = [], Adopted = new Quantity(0.5m) };
        Assert.Null(TradeCheck.Drift(open));
        Assert.NotNull(TradeCheck.Drift(open with { Record = null, Adopted = Quantity.Zero }));
        var closed = At(Verify(1, closed: true), Seen(Entry(), Side.Buy, 1), Seen(Exit(), Side.Sell, 0.7m)) with { Record = [new RecordedOrder(Entry(), Side.Buy, new Quantity(1), Over: true), new RecordedOrder(Exit(), Side.Sell, new Quantity(0.7m), Over: true)] };
        Assert.NotNull(TradeCheck.Drift(closed));
        Assert.Null(TradeCheck.Drift(closed with { WrittenOff = new Quantity(0.3m) }));
    }

    private static RemedyEnded Decide(ReconciliationState state, long number, FailedRemedy failed, DateTimeOffset at) =>
        Assert.IsType<RemedyEnded>(Assert.Single(ReconciliationDecider.Decide(state, LookAt(number, failed), at)));

    private static AccountLook LookAt(long number, FailedRemedy failed) =>
        new(number, Account, "paper", 42, 0, null, [], new HashSet<string>(), BalancesCompared: false, null, Completes: false, [], [failed]);

    private static IReadOnlyList<IRemedy> Of(OrderBook book, Difference difference) => Remedies.Of(book, difference, Rules, Price, Policy, Look, Now);

    private static Difference More(string asset, decimal more, decimal held) => new(DifferenceKind.Balance, asset, null, Ours: true, "what", "words", Balance: (held, more));

    private static Difference UnknownOrder(OrderReport report) => new(DifferenceKind.UnknownOrder, report.Id.Value, report.Id.Trade, Ours: false, "what", "words", Found: report);

    private static List<(TradeId, decimal)> Off(IReadOnlyList<IRemedy> remedies) => [.. remedies.OfType<WriteOffDecided>().Select(w => (w.Trade, w.Quantity.Value))];

    private static OrderBook Open(OrderBook book, int trade, decimal quantity, int second)
    {
        object[] events = [Intended(trade, quantity: quantity), Attempted(Entry(trade)), Accepted(Entry(trade)), Filled(Entry(trade), $"f{trade}", quantity), Ended(Entry(trade), quantity)];
        return events.Aggregate(book, (b, e) => b.Apply(e, Now.AddSeconds(second)));
    }
}
