using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Venue;
using Antbot.Execution;
using Xunit;

namespace Antbot.Core.Tests.Execution;

/// <summary>How often an order is tried, when, and what becomes of one whose tries are used up.</summary>
public sealed class RetryTests
{
    private static readonly ExecutionPolicy WithFallback = Given.Policy with { HalfSizeFallback = true };
    private static readonly ClientOrderId Half = ClientOrderId.Of(Given.Trade, OrderRole.Entry, 1);

    private readonly Given _given = new() { Last = new Price(65_000) };

    [Fact]
    public void The_pause_begins_with_a_second_doubles_up_to_half_a_minute_and_is_a_little_longer_for_each_order_otherwise()
    {
        for (var tries = 1; tries < 40; tries++)
        {
            var plain = Math.Min(30, Math.Pow(2, tries - 1));
            Assert.InRange(Tries.Pause(Given.Entry, tries).TotalSeconds, plain, plain * 1.25);
            Assert.Equal(Tries.Pause(Given.Entry, tries), Tries.Pause(Given.Entry, tries));
        }
        var pauses = Enumerable.Range(0, 100).Select(n => Tries.Pause(ClientOrderId.Of(Given.Trade, OrderRole.Exit, n), 1)).ToList();
        Assert.True(pauses.Distinct().Count() > 50, "All of them would come again together.");
    }

    [Fact]
    public void The_pause_is_recorded_with_the_refusal_and_nothing_is_attempted_before()
    {
        _given.Enters();
        var refused = Assert.IsType<OrderRefused>(Assert.Single(_given.Refuses(Given.Entry, Refusal.RateLimited)));
        Assert.Equal(_given.Now + Tries.Pause(Given.Entry, 1), refused.NotBefore);
        Assert.Equal(new NextStep.Wait(refused.NotBefore), _given.Next());
        Assert.Empty(_given.After((refused.NotBefore - _given.Now).TotalSeconds - 0.001).Proceeds());
        Assert.IsType<OrderAttempted>(Assert.Single(_given.After(0.001).Proceeds()));
    }

    [Fact]
    public void A_limit_entry_is_attempted_three_times_and_no_more()
    {
        _given.Enters(Given.Signal(kind: OrderKind.Limit, limit: 64_000));
        Assert.Equal(Criticality.Medium, _given.State.Entry!.Intended.Criticality);
        Assert.Equal([typeof(OrderRefused), typeof(OrderEnded), typeof(EntryFailedRecorded)], UsesUpItsTries().Select(e => e.GetType()));
        Assert.Equal(3, _given.State.Entry!.Attempts);
    }

    [Theory]
    [InlineData(Refusal.Invalid)]
    [InlineData(Refusal.InsufficientBalance)]
    [InlineData(Refusal.Unauthorized)]
    [InlineData(Refusal.UnknownOrder)]
    [InlineData(Refusal.Other)]
    public void What_would_be_refused_again_is_not_tried_again_and_not_by_half_either(Refusal refusal)
    {
        _given.Enters(policy: WithFallback);
        Assert.Equal([typeof(OrderRefused), typeof(OrderEnded), typeof(EntryFailedRecorded)], _given.Refuses(Given.Entry, refusal).Select(e => e.GetType()));
        Assert.Single(_given.State.Orders);
    }

    [Fact]
    public void A_market_entry_is_looked_at_strictly_before_it_is_tried_once_more()
    {
        _given.Enters();
        Assert.Equal(Criticality.High, _given.State.Entry!.Intended.Criticality);
        Assert.IsType<OrderRefused>(Assert.Single(UsesUpItsTries()));
        Assert.IsType<NextStep.Wait>(_given.Next());
        Assert.Empty(_given.Revalidates(rules: Given.Rules));
        _given.After(5);
        Assert.Equal(new NextStep.Revalidate(Given.Entry, Given.Btc), _given.Next());
        Assert.Empty(_given.Proceeds());
        var events = _given.Revalidates(65_100, Given.Rules);
        Assert.Equal([typeof(OrderRevalidated), typeof(OrderAttempted)], events.Select(e => e.GetType()));
        Assert.Equal(4, ((OrderAttempted)events[1]).Attempt);
        Assert.All(((OrderRevalidated)events[0]).Verdicts, v => Assert.True(v.Passed, v.Saw));
        Assert.IsType<EntryFailedRecorded>(_given.Refuses(Given.Entry, Refusal.RateLimited)[^1]);
    }

    [Theory]
    [InlineData(65_163, true, "half-slippage")]
    [InlineData(null, true, "fresh-price")]
    [InlineData(65_000, false, "venue-rules")]
    public void What_does_not_hold_strictly_ends_the_entry_with_the_rule_that_failed(int? price, bool knowsRules, string rule)
    {
        _given.Enters(policy: WithFallback);
        UsesUpItsTries();
        var events = _given.After(5).Revalidates(price, knowsRules ? Given.Rules : null);
        Assert.Equal([typeof(OrderRevalidated), typeof(OrderEnded), typeof(EntryFailedRecorded)], events.Select(e => e.GetType()));
        Assert.Contains(((OrderRevalidated)events[0]).Verdicts, v => v.Rule == rule && !v.Passed);
        Assert.Contains(rule, ((EntryFailedRecorded)events[^1]).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Rules_that_have_changed_since_end_the_entry()
    {
        _given.Enters();
        UsesUpItsTries();
        Assert.IsType<EntryFailedRecorded>(_given.After(5).Revalidates(65_000, Given.Rules with { QuantityStep = 0.001m })[^1]);
    }

    [Fact]
    public void A_halt_ends_what_waits_for_its_last_look()
    {
        _given.Enters(policy: WithFallback);
        UsesUpItsTries();
        _given.Bar = "halted: fire";
        Assert.Equal([typeof(OrderEnded), typeof(EntryFailedRecorded)], _given.After(5).Revalidates(65_000, Given.Rules).Select(e => e.GetType()));
    }

    [Fact]
    public void What_was_intended_before_there_was_a_criticality_goes_on_as_it_began()
    {
        _given.Enters();
        var old = OrdersState.Fold.Apply(OrdersState.Initial, _given.Events[0]);
        old = OrdersState.Fold.Apply(old, ((OrderIntended)_given.Events[1]) with { Criticality = null });
        old = OrdersState.Fold.Apply(old, new OrderAttempted(Given.Entry, 3, _given.Now, Given.Window, 0));
        var events = ExecutionDecider.Decide(old, new AttemptAnswered(Given.Entry, 3, new VenueAnswer<OrderReport>.Refused(Refusal.RateLimited, "-1003", "too many"), _given.Stamp), _given.Now);
        Assert.IsType<EntryFailedRecorded>(events[^1]);
    }

    [Fact]
    public void Everything_that_makes_a_position_smaller_is_critical()
    {
        _given.WithOpenPosition();
        Assert.Equal(Criticality.Critical, _given.State.Stop!.Intended.Criticality);
        _given.GetsOut();
        _given.Shows(Given.Stop, VenueOrderStatus.Cancelled);
        Assert.Equal(Criticality.Critical, _given.State.Exit!.Intended.Criticality);
    }

    [Theory]
    [InlineData(Refusal.RateLimited)]
    [InlineData(Refusal.Invalid)]
    [InlineData(Refusal.InsufficientBalance)]
    public void An_exit_is_tried_without_end_and_never_faster_than_its_pauses(Refusal refusal)
    {
        _given.WithOpenPosition();
        _given.GetsOut();
        _given.Shows(Given.Stop, VenueOrderStatus.Cancelled);
        for (var tries = 1; tries <= 50; tries++)
        {
            Assert.Equal(tries, _given.State.Exit!.Attempts);
            _given.Refuses(Given.Exit, refusal);
            Assert.Empty(_given.Proceeds());
            Assert.IsType<OrderAttempted>(Assert.Single(_given.After(Tries.Pause(Given.Exit, tries).TotalSeconds + 0.001).Proceeds()));
        }
    }

    /// <summary>Prevents an exit that waits half a minute, because it was tried often, for ten seconds that were over after four.</summary>
    [Fact]
    public void An_exit_waits_for_as_long_as_it_was_told_and_no_longer_however_often_it_was_tried()
    {
        _given.WithOpenPosition();
        _given.GetsOut();
        _given.Shows(Given.Stop, VenueOrderStatus.Cancelled);
        for (var tries = 1; tries <= 20; tries++)
        {
            var told = TimeSpan.FromSeconds(tries % 2 == 0 ? 4 : 200);
            var waits = tries % 2 == 0 ? told : TimeSpan.FromMinutes(1);
            VenueAnswer<OrderReport> answer = tries % 4 < 2
                ? new VenueAnswer<OrderReport>.Refused(Refusal.RateLimited, "-1015", "Too many new orders.", told)
                : new VenueAnswer<OrderReport>.NotSent("the request budget is used up (orders-10s)", told);
            _given.Answers(Given.Exit, answer);
            Assert.Empty(_given.After(waits.TotalSeconds - 0.001).Proceeds());
            Assert.IsType<OrderAttempted>(Assert.Single(_given.After(0.002).Proceeds()));
        }
    }

    [Fact]
    public void An_entry_that_was_told_to_wait_waits_for_it_and_for_its_own_pause()
    {
        _given.Enters(Given.Signal(kind: OrderKind.Limit, limit: 64_000));
        _given.Answers(Given.Entry, new VenueAnswer<OrderReport>.Refused(Refusal.RateLimited, "-1015", "Too many new orders.", TimeSpan.FromSeconds(8)));
        Assert.Empty(_given.After(7.999).Proceeds());
        Assert.IsType<OrderAttempted>(Assert.Single(_given.After(0.002).Proceeds()));
        _given.Answers(Given.Entry, new VenueAnswer<OrderReport>.Refused(Refusal.RateLimited, "-1015", "Too many new orders.", TimeSpan.FromSeconds(0.5)));
        Assert.Empty(_given.After(1.9).Proceeds());
        Assert.IsType<OrderAttempted>(Assert.Single(_given.After(0.7).Proceeds()));
    }

    [Fact]
    public void An_exit_that_the_venue_lets_go_of_is_intended_again_more_often_than_a_hundred_times()
    {
        _given.WithOpenPosition();
        _given.GetsOut();
        _given.Shows(Given.Stop, VenueOrderStatus.Cancelled);
        for (var n = 0; n < 150; n++)
        {
            var exit = _given.State.Exit!;
            Assert.Equal((ClientOrderId.Of(Given.Trade, OrderRole.Exit, n), OrderRole.Exit, Given.Trade), (exit.Id, exit.Id.Role!.Value, exit.Id.Trade!.Value));
            _given.Says(exit.Id, VenueOrderStatus.Expired);
            _given.After(40).Proceeds();
        }
        Assert.Equal(150, _given.State.Orders.Where(o => o.Intended.Role == OrderRole.Exit).Select(o => o.Id).Distinct().Count() - 1);
    }

    /// <summary>Prevents that a retry sells or buys what an earlier order had filled already.</summary>
    [Fact]
    public void What_is_tried_again_after_a_part_was_filled_is_only_the_rest()
    {
        _given.WithOpenPosition();
        _given.GetsOut();
        _given.Shows(Given.Stop, VenueOrderStatus.Cancelled);
        var first = _given.State.Exit!;
        _given.Says(first.Id, VenueOrderStatus.Expired, _given.Fill(first.Id, "part", 0.004m, 65_000));
        Assert.Equal(first.Intended.Quantity.Value - 0.004m, _given.State.Exit!.Intended.Quantity.Value);
    }

    [Fact]
    public void An_entry_of_which_a_part_was_filled_is_not_tried_again()
    {
        _given.Enters(policy: WithFallback);
        var events = _given.Says(Given.Entry, VenueOrderStatus.Expired, _given.Fill(Given.Entry, "part", 0.004m, 65_000));
        Assert.Equal(0.004m, Assert.Single(events.OfType<PositionOpened>()).Quantity.Value);
        Assert.Single(_given.State.Entries);
    }

    [Fact]
    public void Half_of_it_is_tried_once_at_the_markets_price_when_the_tries_are_used_up()
    {
        _given.Enters(policy: WithFallback);
        UsesUpItsTries();
        _given.After(5).Revalidates(65_000, Given.Rules);
        var events = _given.Refuses(Given.Entry, Refusal.RateLimited);
        Assert.Equal([typeof(OrderRefused), typeof(OrderEnded), typeof(OrderIntended), typeof(OrderAttempted)], events.Select(e => e.GetType()));
        var half = (OrderIntended)events[2];
        Assert.Equal((Half, 0.00497m, OrderKind.Market, Criticality.Low), (half.Order, half.Quantity.Value, half.Kind, half.Criticality));
        Assert.Equal([typeof(OrderRefused), typeof(OrderEnded), typeof(EntryFailedRecorded)], _given.Refuses(Half, Refusal.RateLimited).Select(e => e.GetType()));
        Assert.True(_given.State.IsDone);
    }

    [Fact]
    public void The_half_that_fills_is_the_position()
    {
        HalfUnderWay();
        var opened = Assert.Single(_given.Says(Half, VenueOrderStatus.Filled, _given.Fill(Half, "h", 0.00499m, 65_000)).OfType<PositionOpened>());
        Assert.Equal((0.00499m, 65_000m), (opened.Quantity.Value, opened.Average.Value));
        Assert.Equal([Half], opened.Orders);
    }

    [Fact]
    public void Without_the_policy_there_is_no_half()
    {
        _given.Enters(Given.Signal(kind: OrderKind.Limit, limit: 65_100), policy: Given.Policy with { HalfSizeFallback = false });
        Assert.IsType<EntryFailedRecorded>(UsesUpItsTries()[^1]);
        Assert.Single(_given.State.Orders);
    }

    /// <summary>Prevents a second position: what was in doubt once may yet turn up.</summary>
    [Fact]
    public void After_an_unknown_there_is_no_half_even_where_the_venue_denied_it()
    {
        _given.Enters(Given.Signal(kind: OrderKind.Limit, limit: 65_100), policy: WithFallback);
        _given.KeepsSilent(Given.Entry);
        _given.After(4).DoesNotKnow(Given.Entry);
        _given.Refuses(Given.Entry, Refusal.RateLimited);
        _given.After(3).Proceeds();
        Assert.IsType<EntryFailedRecorded>(_given.Refuses(Given.Entry, Refusal.RateLimited)[^1]);
        Assert.Single(_given.State.Orders);
    }

    [Theory]
    [InlineData("halted: fire", null, 65_000)]
    [InlineData("reducing only: care", null, 65_000)]
    [InlineData(null, "not reconciled yet", 65_000)]
    [InlineData(null, null, null)]
    [InlineData(null, null, 66_400)]
    public void Where_it_could_not_be_entered_now_there_is_no_half(string? bar, string? hold, int? price)
    {
        _given.Enters(Given.Signal(kind: OrderKind.Limit, limit: 67_000), policy: WithFallback);
        _given.Refuses(Given.Entry, Refusal.RateLimited);
        _given.After(1.25).Proceeds();
        _given.Refuses(Given.Entry, Refusal.RateLimited);
        _given.After(2.5).Proceeds();
        (_given.Bar, _given.Hold, _given.Last) = (bar, hold, price is { } p ? new Price(p) : null);
        Assert.IsType<EntryFailedRecorded>(_given.Refuses(Given.Entry, Refusal.RateLimited)[^1]);
        Assert.Single(_given.State.Orders);
    }

    [Fact]
    public void A_limits_half_is_not_bought_above_the_limit()
    {
        _given.Enters(Given.Signal(kind: OrderKind.Limit, limit: 64_900), policy: WithFallback);
        Assert.Contains("worse than the limit", Assert.IsType<EntryFailedRecorded>(UsesUpItsTries()[^1]).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_half_that_the_venue_does_not_take_is_none()
    {
        _given.Enters(Given.Signal(kind: OrderKind.Limit, limit: 65_100, notional: 9), policy: WithFallback);
        Assert.Contains("less than the venue takes", Assert.IsType<EntryFailedRecorded>(UsesUpItsTries()[^1]).Reason, StringComparison.Ordinal);
    }

    /// <summary>Prevents two positions of one trade where the venue took what it had said it refused.</summary>
    [Fact]
    public void A_whole_that_turns_up_beside_its_half_is_cancelled_and_both_are_one_position()
    {
        HalfUnderWay();
        var shown = _given.Shows(Given.Entry, VenueOrderStatus.PartiallyFilled, _given.Fill(Given.Entry, "w", 0.002m, 65_000));
        Assert.Contains(shown, e => e is OrderCancelIntended { Order: var order } && order == Given.Entry);
        Assert.DoesNotContain(_given.Says(Half, VenueOrderStatus.Filled, _given.Fill(Half, "h", 0.00499m, 65_000)), e => e is PositionOpened);
        var opened = Assert.Single(_given.Shows(Given.Entry, VenueOrderStatus.Cancelled, _given.Fill(Given.Entry, "w", 0.002m, 65_000)).OfType<PositionOpened>());
        Assert.Equal(0.00699m, opened.Quantity.Value);
        Assert.Equal([Given.Entry, Half], opened.Orders);
    }

    [Fact]
    public void A_whole_that_turns_up_while_its_half_still_waits_is_the_entry()
    {
        HalfUnderWay();
        _given.Answers(Half, new VenueAnswer<OrderReport>.Unknown("timed out"));
        _given.Shows(Given.Entry, VenueOrderStatus.Filled, _given.Fill(Given.Entry, "w", _given.State.Find(Given.Entry)!.Intended.Quantity.Value, 65_000));
        var events = _given.After(4).DoesNotKnow(Half);
        Assert.DoesNotContain(events, e => e is OrderAttempted { Order.Role: OrderRole.Entry });
        Assert.Contains(events, e => e is PositionOpened { Orders: [var only] } && only == Given.Entry);
    }

    private void HalfUnderWay()
    {
        _given.Enters(Given.Signal(kind: OrderKind.Limit, limit: 65_000), policy: WithFallback);
        UsesUpItsTries();
        Assert.Equal(Half, _given.State.Entry!.Id);
    }

    private IReadOnlyList<object> UsesUpItsTries()
    {
        _given.Refuses(Given.Entry, Refusal.OutOfWindow);
        Assert.Equal(2, Assert.IsType<OrderAttempted>(Assert.Single(_given.After(1.25).Proceeds())).Attempt);
        _given.Refuses(Given.Entry, Refusal.RateLimited);
        Assert.Equal(3, Assert.IsType<OrderAttempted>(Assert.Single(_given.After(2.5).Proceeds())).Attempt);
        return _given.Refuses(Given.Entry, Refusal.RateLimited);
    }
}
