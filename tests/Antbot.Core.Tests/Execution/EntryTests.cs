using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Venue;
using Antbot.Execution;
using Xunit;

namespace Antbot.Core.Tests.Execution;

public sealed class EntryTests
{
    private readonly Given _given = new();

    [Fact]
    public void A_command_is_planned_intended_and_attempted_in_one_decision()
    {
        var events = _given.Enters();
        Assert.Equal([typeof(EntryPlanned), typeof(OrderIntended), typeof(OrderAttempted)], events.Select(e => e.GetType()));
        var intended = (OrderIntended)events[1];
        Assert.Equal((Given.Entry, Side.Buy, OrderKind.Market, false), (intended.Order, intended.Side, intended.Kind, intended.ReduceOnly));
        Assert.Equal(0.00995m, intended.Quantity.Value);
        Assert.Equal(new OrderAttempted(Given.Entry, 1, Given.Start, Given.Window, 7), events[2]);
    }

    [Theory]
    [InlineData(1_000, 650, "0.00995")]
    [InlineData(325, 650, "0.00497")]
    public void The_quantity_is_what_the_lesser_of_both_sums_buys(int reserved, int notional, string quantity)
    {
        _given.Enters(Given.Signal(notional: notional), reserved);
        Assert.Equal(quantity, _given.State.Entry!.Intended.Quantity.ToString());
        Assert.True(_given.State.Entry.Intended.Quantity.Value * 65_000 * 1.005m <= Math.Min(reserved, notional));
    }

    [Fact]
    public void A_limit_order_is_sized_at_its_limit_and_its_limit_keeps_to_the_tick()
    {
        _given.Enters(Given.Signal(kind: OrderKind.Limit, limit: 64_000.017m));
        var intended = _given.State.Entry!.Intended;
        Assert.Equal((64_000.01m, 0.01015m), (intended.Limit!.Value.Value, intended.Quantity.Value));
    }

    [Fact]
    public void What_is_below_the_venues_minimum_is_refused_with_both_figures()
    {
        var failed = Assert.IsType<EntryFailedRecorded>(_given.Enters(Given.Signal(notional: 4))[^1]);
        Assert.Contains("takes no less than 5", failed.Reason, StringComparison.Ordinal);
        Assert.True(_given.State.IsDone);
    }

    [Fact]
    public void Without_the_venues_rules_nothing_is_entered() => Assert.Contains("not known", Reason(_given.EntersWithoutRules()), StringComparison.Ordinal);

    [Fact]
    public void A_bar_on_entries_refuses_the_command_and_nothing_is_attempted()
    {
        _given.Bar = "halted: fire";
        Assert.Equal("halted: fire", Reason(_given.Enters()));
        Assert.Empty(_given.State.Orders);
    }

    [Fact]
    public void An_entry_that_is_held_waits_and_is_attempted_when_it_may_be()
    {
        _given.Hold = "not reconciled yet";
        Assert.Equal([typeof(EntryPlanned), typeof(OrderIntended)], _given.Enters().Select(e => e.GetType()));
        Assert.Empty(_given.After(5).Proceeds());
        Assert.IsType<NextStep.Decide>(NextStep.Of(_given.State, _given.Now, _given.Now));
        _given.Hold = null;
        Assert.IsType<OrderAttempted>(Assert.Single(_given.Proceeds()));
    }

    [Fact]
    public void A_held_entry_ends_when_it_is_not_valid_any_more_or_not_wanted()
    {
        _given.Hold = "not reconciled yet";
        _given.Enters();
        Assert.Equal([typeof(OrderEnded), typeof(EntryFailedRecorded)], _given.After(31).Proceeds().Select(e => e.GetType()));

        var other = new Given { Hold = "not reconciled yet" };
        other.Enters();
        Assert.IsType<EntryFailedRecorded>(other.GetsOut()[^1]);
        Assert.True(other.State.IsDone);
    }

    /// <summary>An attempt just before the signal's end that was late on its way was taken after it.</summary>
    [Theory]
    [InlineData(true, 29, 1_000)]
    [InlineData(true, 10, 3_000)]
    [InlineData(null, 29, 3_000)]
    public void The_window_of_an_attempt_ends_with_its_signal(bool? endsWithSignal, double after, int window)
    {
        _given.After(after).Enters(policy: Given.Policy with { EndsWithSignal = endsWithSignal });
        Assert.Equal(TimeSpan.FromMilliseconds(window + Given.Policy.AskMarginMilliseconds), _given.State.Entry!.AskAt - _given.Now);
    }

    [Fact]
    public void A_command_that_comes_too_late_is_refused() => Assert.Contains("valid until", Reason(_given.After(31).Enters()), StringComparison.Ordinal);

    [Fact]
    public void Without_a_fresh_price_nothing_is_entered_at_market_price() => Assert.Contains("younger than 5 s", Reason(_given.After(6).Enters(market: null)), StringComparison.Ordinal);

    [Fact]
    public void The_signals_own_price_serves_while_it_is_fresh()
    {
        _given.After(4).Enters(market: null);
        Assert.Equal(1, _given.State.Entry!.Attempts);
    }

    [Fact]
    public void A_market_that_has_run_away_is_not_chased() => Assert.Contains("has moved", Reason(_given.Enters(market: 66_400)), StringComparison.Ordinal);

    [Theory]
    [InlineData(Side.Buy, 65_500, null)]
    [InlineData(Side.Sell, 64_500, null)]
    [InlineData(Side.Buy, null, 64_500)]
    [InlineData(Side.Sell, null, 65_500)]
    public void A_stop_or_profit_on_the_wrong_side_is_refused(Side side, int? stop, int? profit) =>
        Assert.Contains("wrong side", Reason(_given.Enters(Given.Signal(side, stop: stop, profit: profit))), StringComparison.Ordinal);

    [Fact]
    public void A_tiny_price_does_not_break_the_sizing()
    {
        var (quantity, _) = Sizing.Entry(new Money(1_000_000_000_000_000m), new Price(0.0000000000000001m), Given.Rules with { NotionalMin = Money.Zero });
        Assert.Equal(9_000m, quantity!.Value.Value);
    }

    [Fact]
    public void The_same_trade_commanded_twice_enters_once()
    {
        _given.Enters();
        Assert.Empty(_given.Enters());
    }

    [Fact]
    public void A_filled_entry_opens_the_position_and_attempts_its_stop_in_one_decision()
    {
        _given.Enters(Given.Signal(stop: 64_000));
        var events = _given.Says(Given.Entry, VenueOrderStatus.Filled, _given.Fill(Given.Entry, "1", 0.00995m, 65_000, 0.00000995m, "BTC"));
        Assert.Equal(
            [typeof(OrderAccepted), typeof(OrderFilled), typeof(OrderEnded), typeof(PositionOpened), typeof(OrderIntended), typeof(OrderAttempted)],
            events.Select(e => e.GetType()));
        var opened = (PositionOpened)events[3];
        Assert.Equal((0.00995m, 0.00994005m, 65_000m, 64_000m, 67_600m), (opened.Quantity.Value, opened.Held.Value, opened.Average.Value, opened.Stop!.Value.Value, opened.TakeProfit!.Value.Value));
        var stop = (OrderIntended)events[4];
        Assert.Equal((0.00994m, 64_000m, Side.Sell, true), (stop.Quantity.Value, stop.Trigger!.Value.Value, stop.Side, stop.ReduceOnly));
    }

    [Fact]
    public void A_refusal_that_would_be_repeated_fails_the_entry_at_once()
    {
        _given.Enters();
        Assert.Equal([typeof(OrderRefused), typeof(OrderEnded), typeof(EntryFailedRecorded)], _given.Refuses(Given.Entry, Refusal.InsufficientBalance).Select(e => e.GetType()));
    }

    [Fact]
    public void What_was_not_sent_waits_as_long_as_it_was_told_to()
    {
        _given.Enters();
        _given.Answers(Given.Entry, new VenueAnswer<OrderReport>.NotSent("budget", TimeSpan.FromSeconds(10)));
        Assert.Empty(_given.After(9).Proceeds());
        Assert.IsType<OrderAttempted>(Assert.Single(_given.After(1).Proceeds()));
    }

    [Fact]
    public void An_unknown_entry_is_not_attempted_again_before_the_venue_has_denied_it_after_its_window()
    {
        _given.Enters();
        Assert.IsType<OrderUnknown>(Assert.Single(_given.KeepsSilent(Given.Entry)));
        Assert.Equal(new NextStep.Wait(Given.Start.AddSeconds(4)), _given.Next());
        Assert.Empty(_given.After(3.999).DoesNotKnow(Given.Entry));
        Assert.Empty(_given.After(10).DoesNotKnow(Given.Entry, askedBefore: TimeSpan.FromSeconds(10)));
        Assert.Equal([typeof(OrderAbsent), typeof(OrderAttempted)], _given.DoesNotKnow(Given.Entry).Select(e => e.GetType()));
        Assert.Equal(2, _given.State.Entry!.Attempts);
    }

    [Fact]
    public void An_unknown_entry_that_the_venue_has_is_accepted()
    {
        _given.Enters();
        _given.KeepsSilent(Given.Entry);
        Assert.Equal(new NextStep.Ask(Given.Entry, Given.Btc), _given.After(4).Next());
        var events = _given.Shows(Given.Entry, VenueOrderStatus.Filled, _given.Fill(Given.Entry, "1", 0.00995m, 65_000));
        Assert.Contains(events, e => e is PositionOpened);
    }

    [Fact]
    public void An_absent_entry_whose_time_is_over_fails()
    {
        _given.Enters();
        _given.KeepsSilent(Given.Entry);
        Assert.Equal([typeof(OrderAbsent), typeof(OrderEnded), typeof(EntryFailedRecorded)], _given.After(31).DoesNotKnow(Given.Entry).Select(e => e.GetType()));
    }

    [Fact]
    public void An_absent_entry_is_not_attempted_again_after_a_halt()
    {
        _given.Enters();
        _given.KeepsSilent(Given.Entry);
        _given.Bar = "halted: fire";
        Assert.Equal([typeof(OrderAbsent), typeof(OrderEnded), typeof(EntryFailedRecorded)], _given.After(4).DoesNotKnow(Given.Entry).Select(e => e.GetType()));
    }

    [Fact]
    public void A_duplicate_is_looked_up_at_once_and_never_attempted_again()
    {
        _given.Enters();
        Assert.IsType<OrderUnknown>(Assert.Single(_given.Refuses(Given.Entry, Refusal.DuplicateOrder)));
        Assert.Equal(new NextStep.Ask(Given.Entry, Given.Btc), _given.Next());
        Assert.Empty(_given.DoesNotKnow(Given.Entry));
        _given.Shows(Given.Entry, VenueOrderStatus.Open);
        Assert.Equal(OrderStatus.Resting, _given.State.Entry!.Status);
    }

    [Fact]
    public void An_answer_that_nobody_recorded_is_unknown_once()
    {
        _given.Enters();
        Assert.IsType<OrderUnknown>(Assert.Single(_given.When(new AttemptUnanswered(Given.Entry, 1, "gone", _given.Stamp))));
        Assert.Empty(_given.When(new AttemptUnanswered(Given.Entry, 1, "gone", _given.Stamp)));
        Assert.Empty(_given.KeepsSilent(Given.Entry));
    }

    [Fact]
    public void A_late_answer_to_an_attempt_that_was_found_absent_still_counts()
    {
        _given.Enters();
        _given.KeepsSilent(Given.Entry);
        _given.After(4).DoesNotKnow(Given.Entry);
        _given.Answers(Given.Entry, new VenueAnswer<OrderReport>.Said(_given.Report(Given.Entry, VenueOrderStatus.Open)), attempt: 1);
        Assert.Equal(OrderStatus.Resting, _given.State.Entry!.Status);
        Assert.Empty(_given.Refuses(Given.Entry, Refusal.DuplicateOrder));
    }

    [Fact]
    public void A_limit_entry_rests_until_its_time_and_is_then_cancelled()
    {
        _given.Enters(Given.Signal(kind: OrderKind.Limit, limit: 64_000));
        _given.Says(Given.Entry, VenueOrderStatus.Open);
        Assert.Equal(new NextStep.Wait(Given.Start.AddSeconds(30)), _given.Next());
        Assert.IsType<OrderCancelIntended>(Assert.Single(_given.After(30).Proceeds()));
        Assert.Equal(new NextStep.Cancel(Given.Entry, Given.Btc), _given.Next());
        Assert.IsType<EntryFailedRecorded>(_given.Shows(Given.Entry, VenueOrderStatus.Cancelled)[^1]);
    }

    [Fact]
    public void What_a_cancelled_entry_had_filled_is_opened_and_protected()
    {
        _given.Enters(Given.Signal(kind: OrderKind.Limit, limit: 64_000));
        _given.Says(Given.Entry, VenueOrderStatus.Open);
        _given.After(30).Proceeds();
        var events = _given.Shows(Given.Entry, VenueOrderStatus.Cancelled, _given.Fill(Given.Entry, "1", 0.004m, 64_000));
        Assert.Equal(0.004m, Assert.Single(events.OfType<PositionOpened>()).Quantity.Value);
        Assert.Equal(0.004m, Assert.Single(events.OfType<OrderIntended>()).Quantity.Value);
    }

    [Fact]
    public void An_order_is_over_only_when_all_its_fills_are_there()
    {
        _given.Enters();
        var full = _given.Report(Given.Entry, VenueOrderStatus.Filled, _given.Fill(Given.Entry, "1", 0.005m, 65_000), _given.Fill(Given.Entry, "2", 0.00495m, 65_001));
        Assert.DoesNotContain(_given.Answers(Given.Entry, new VenueAnswer<OrderReport>.Said(full with { Fills = [full.Fills[1]] })), e => e is OrderEnded);
        Assert.Equal(new NextStep.Ask(Given.Entry, Given.Btc), _given.Next());
        Assert.Equal([typeof(OrderFilled), typeof(OrderEnded)], _given.When(new OrderSeen(Given.Entry, full, _given.Stamp)).Take(2).Select(e => e.GetType()));
        Assert.Equal(0.00995m, _given.State.Entry!.Executed.Value);
    }

    [Fact]
    public void A_fill_that_is_told_twice_counts_once()
    {
        _given.Enters(Given.Signal(kind: OrderKind.Limit, limit: 64_000));
        var fill = _given.Fill(Given.Entry, "1", 0.004m, 64_000);
        _given.Says(Given.Entry, VenueOrderStatus.PartiallyFilled, fill, fill);
        Assert.Empty(_given.Shows(Given.Entry, VenueOrderStatus.PartiallyFilled, fill));
        Assert.Equal(0.004m, _given.State.Entry!.Executed.Value);
    }

    [Fact]
    public void What_is_told_of_another_order_is_not_taken_for_this_one()
    {
        _given.Enters();
        var report = _given.Report(Given.Entry, VenueOrderStatus.Filled, _given.Fill(Given.Entry, "1", 0.00995m, 65_000));
        Assert.Empty(_given.When(new OrderSeen(Given.Entry, report with { Symbol = new Symbol("ETHUSDT") }, _given.Stamp)));
        Assert.Empty(_given.When(new OrderSeen(Given.Entry, report with { Side = Side.Sell }, _given.Stamp)));
        Assert.Empty(_given.When(new OrderSeen(Given.Entry, report with { Id = Given.Exit }, _given.Stamp)));
    }

    [Fact]
    public void Without_the_venues_clock_nothing_is_attempted_until_it_is_there()
    {
        _given.HasVenueClock = false;
        _given.Enters();
        Assert.Equal((0, new NextStep.Decide()), (_given.State.Entry!.Attempts, _given.Next()));
        _given.HasVenueClock = true;
        Assert.IsType<OrderAttempted>(Assert.Single(_given.Proceeds()));
    }

    private static string Reason(IReadOnlyList<object> events) => Assert.IsType<EntryFailedRecorded>(events[^1]).Reason;
}
