using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Venue;
using Antbot.Execution;
using Xunit;
using static Antbot.Core.Tests.Execution.Given;

namespace Antbot.Core.Tests.Execution;

public sealed class PositionTests
{
    /// <summary>Row B9: a stop that is gone is recalculated: where the position wants it, as far from what was paid as the policy says, and for what is held by now.</summary>
    [Theory]
    [InlineData(null, 63_700, 0)]
    [InlineData(64_000, 64_000, 0)]
    [InlineData(null, 63_700, 4)]
    public void A_stop_that_is_missing_is_set_again_at_its_trigger_and_for_what_is_held(int? wanted, int trigger, int goneThousandths)
    {
        var gone = goneThousandths / 1_000m;
        var given = new Given();
        given.Enters(Signal(stop: wanted));
        var bought = given.State.Entry!.Intended.Quantity.Value;
        // Of what was bought the venue kept a thousandth: it was never received, and is not sold.
        given.Says(Entry, VenueOrderStatus.Filled, given.Fill(Entry, "f1", bought, 65_000, fee: bought / 1_000, asset: "BTC"));
        given.Says(Stop, VenueOrderStatus.Open);
        Assert.Equal(((decimal)trigger, bought), (given.State.Stop!.Intended.Trigger!.Value.Value, given.State.Position!.Quantity.Value));

        // Reconciliation has not found it at the venue, which does not know it any more.
        given.After(10).When(new Correct(Stop, "not open at the venue", "-2013", given.Stamp));
        if (gone > 0)
            given.When(new WriteOff(new Quantity(gone), "gone", "the venue holds less", given.Stamp));
        given.After(10).DoesNotKnow(Stop);
        given.After(10).Proceeds();
        var again = given.State.Stop!;
        Assert.Equal((ClientOrderId.Of(Trade, OrderRole.Stop, 1), OrderStatus.Attempted), (again.Id, again.Status));
        Assert.Equal((Side.Sell, (decimal)trigger, true), (again.Intended.Side, again.Intended.Trigger!.Value.Value, again.Intended.ReduceOnly));
        var held = bought - bought / 1_000 - gone;
        Assert.InRange(again.Intended.Quantity.Value, held - Rules.QuantityStep, held);
    }

    private readonly Given _given = new();

    [Fact]
    public void A_stop_that_fills_is_the_exit()
    {
        _given.WithOpenPosition();
        var events = _given.After(60).Shows(Given.Stop, VenueOrderStatus.Filled, _given.Fill(Given.Stop, "s", 0.00994m, 63_990, 0.63m));
        Assert.Equal([typeof(OrderFilled), typeof(OrderEnded), typeof(PositionClosing), typeof(PositionClosed)], events.Select(e => e.GetType()));
        var closed = (PositionClosed)events[^1];
        Assert.Equal(0.00994m * 63_990 - 0.63m - 0.00995m * 65_000, closed.Realised.Value);
        Assert.Equal((0.00000005m, 63_990m, 0.00995m), (closed.Left.Value, closed.Exit.Value, closed.Quantity.Value));
        Assert.Equal([Given.Entry, Given.Stop], closed.Orders);
        Assert.True(_given.State.IsDone);
    }

    [Fact]
    public void A_stop_that_fills_while_it_is_cancelled_is_the_exit()
    {
        _given.WithOpenPosition();
        _given.GetsOut();
        Assert.IsType<PositionClosed>(_given.Shows(Given.Stop, VenueOrderStatus.Filled, _given.Fill(Given.Stop, "s", 0.00994m, 63_990))[^1]);
        Assert.Null(_given.State.Exit);
    }

    [Fact]
    public void Only_what_a_half_filled_stop_has_left_is_sold()
    {
        _given.WithOpenPosition();
        _given.GetsOut();
        _given.Shows(Given.Stop, VenueOrderStatus.Cancelled, _given.Fill(Given.Stop, "s", 0.004m, 63_990));
        Assert.Equal(0.00594m, _given.State.Exit!.Intended.Quantity.Value);
    }

    [Theory]
    [InlineData(67_599, false)]
    [InlineData(67_600, true)]
    public void The_profit_is_taken_when_its_price_is_reached(int bid, bool taken)
    {
        _given.WithOpenPosition();
        Assert.Equal(taken, _given.Proceeds(bid).Any(e => e is PositionClosing));
    }

    [Fact]
    public void A_position_is_closed_for_its_age()
    {
        _given.WithOpenPosition();
        Assert.Equal(new NextStep.Wait(Given.Start.AddHours(1)), _given.Next());
        Assert.Equal(new NextStep.Decide(), _given.After(3_600).Next());
        Assert.IsType<PositionClosing>(_given.Proceeds()[0]);
    }

    [Fact]
    public void A_price_beyond_the_stop_closes_a_position_whose_stop_does_not_rest_yet()
    {
        _given.WithOpenPosition(withStop: false);
        _given.Answers(Given.Stop, new VenueAnswer<OrderReport>.NotSent("breaker open", null));
        var events = _given.Proceeds(63_999);
        Assert.Equal([typeof(PositionClosing), typeof(OrderEnded), typeof(OrderIntended), typeof(OrderAttempted)], events.Select(e => e.GetType()));
    }

    /// <summary>Prevents an exit that waits for a day because a day's budget was said to be used up.</summary>
    [Fact]
    public void What_protects_or_gets_out_and_never_left_is_tried_again_within_a_minute_whatever_wait_was_told()
    {
        _given.WithOpenPosition(withStop: false);
        var notSent = Assert.IsType<OrderNotSent>(_given.Answers(Given.Stop, new VenueAnswer<OrderReport>.NotSent("used up", TimeSpan.FromHours(20)))[0]);
        Assert.Equal(Given.Start.AddMinutes(1), notSent.NotBefore);
        Assert.Equal(new NextStep.Decide(), _given.After(60).Next());
        Assert.IsType<OrderAttempted>(_given.Proceeds()[0]);
    }

    [Fact]
    public void A_price_beyond_a_stop_that_rests_is_left_to_the_stop()
    {
        _given.WithOpenPosition();
        Assert.Empty(_given.Proceeds(63_000));
    }

    [Fact]
    public void A_position_whose_stop_the_venue_refuses_is_closed()
    {
        _given.WithOpenPosition(withStop: false);
        Assert.Equal(
            [typeof(OrderRefused), typeof(OrderEnded), typeof(PositionClosing), typeof(OrderIntended), typeof(OrderAttempted)],
            _given.Refuses(Given.Stop, Refusal.Other).Select(e => e.GetType()));
    }

    [Fact]
    public void A_stop_that_somebody_cancelled_is_set_again()
    {
        _given.WithOpenPosition();
        var events = _given.Shows(Given.Stop, VenueOrderStatus.Cancelled);
        Assert.Equal([typeof(OrderEnded), typeof(OrderIntended)], events.Select(e => e.GetType()));
        Assert.Equal(ClientOrderId.Of(Given.Trade, OrderRole.Stop, 1), Assert.IsType<OrderAttempted>(Assert.Single(_given.After(1.25).Proceeds())).Order);
    }

    [Fact]
    public void An_exit_is_attempted_as_often_as_it_takes()
    {
        _given.WithOpenPosition();
        _given.GetsOut();
        _given.Shows(Given.Stop, VenueOrderStatus.Cancelled);
        for (var attempt = 2; attempt < 20; attempt++)
        {
            _given.Refuses(Given.Exit, Refusal.Other);
            Assert.Equal(attempt, Assert.IsType<OrderAttempted>(Assert.Single(_given.After(37.5).Proceeds())).Attempt);
        }
    }

    [Fact]
    public void What_an_exit_left_open_is_sold_by_the_next()
    {
        _given.WithOpenPosition();
        _given.GetsOut();
        _given.Shows(Given.Stop, VenueOrderStatus.Cancelled);
        _given.Says(Given.Exit, VenueOrderStatus.Expired, _given.Fill(Given.Exit, "x", 0.005m, 65_000));
        Assert.Equal((ClientOrderId.Of(Given.Trade, OrderRole.Exit, 1), 0.00494m), (_given.State.Exit!.Id, _given.State.Exit.Intended.Quantity.Value));
        Assert.IsType<OrderAttempted>(Assert.Single(_given.After(1.25).Proceeds()));
    }

    [Fact]
    public void What_is_too_small_to_be_sold_closes_the_position_and_is_named()
    {
        _given.Enters(Given.Signal(kind: OrderKind.Limit, limit: 65_000));
        _given.Says(Given.Entry, VenueOrderStatus.Open);
        _given.After(30).Proceeds();
        var events = _given.Shows(Given.Entry, VenueOrderStatus.Cancelled, _given.Fill(Given.Entry, "1", 0.00005m, 65_000));
        var closed = Assert.IsType<PositionClosed>(events[^1]);
        Assert.Equal((0.00005m, -3.25m), (closed.Left.Value, closed.Realised.Value));
    }

    [Fact]
    public void A_short_trade_is_bought_back()
    {
        _given.Enters(Given.Signal(Side.Sell));
        _given.Says(Given.Entry, VenueOrderStatus.Filled, _given.Fill(Given.Entry, "1", 0.01m, 65_000, 0.65m));
        Assert.Equal((Side.Buy, 66_300m), (_given.State.Stop!.Intended.Side, _given.State.Position!.Stop!.Value.Value));
        _given.Says(Given.Stop, VenueOrderStatus.Open);
        _given.GetsOut();
        _given.Shows(Given.Stop, VenueOrderStatus.Cancelled);
        var closed = Assert.IsType<PositionClosed>(_given.Says(Given.Exit, VenueOrderStatus.Filled, _given.Fill(Given.Exit, "2", 0.01m, 64_000, 0.00001m, "BTC"))[^1]);
        Assert.Equal((650m - 0.65m) - (640m + 0.64m), closed.Realised.Value);
    }

    [Fact]
    public void A_correction_asks_the_venue_again_and_its_word_is_taken()
    {
        _given.WithOpenPosition();
        _given.When(new Correct(Given.Stop, "it is not open", "openOrders", _given.Stamp));
        Assert.Equal(new NextStep.Ask(Given.Stop, Given.Btc), _given.Next());
        Assert.Equal([typeof(OrderEnded), typeof(OrderIntended)], _given.After(4).DoesNotKnow(Given.Stop).Select(e => e.GetType()));
    }

    [Fact]
    public void What_the_venue_said_before_it_had_the_order_does_not_end_it()
    {
        _given.WithOpenPosition();
        _given.When(new Correct(Given.Stop, "it is not open", "openOrders", _given.Stamp));
        Assert.Empty(_given.After(10).DoesNotKnow(Given.Stop, askedBefore: TimeSpan.FromSeconds(10)));
        Assert.Equal(OrderStatus.Resting, _given.State.Stop!.Status);
    }

    [Fact]
    public void A_correction_that_the_venue_does_not_bear_out_is_laid_to_rest()
    {
        _given.WithOpenPosition();
        _given.When(new Correct(Given.Stop, "it is not open", "openOrders", _given.Stamp));
        Assert.IsType<OrderConfirmed>(Assert.Single(_given.Shows(Given.Stop, VenueOrderStatus.Open)));
        Assert.Equal(new NextStep.Wait(Given.Start.AddHours(1)), _given.Next());
    }

    [Fact]
    public void An_accepted_order_that_a_lagging_venue_does_not_find_is_not_given_up()
    {
        _given.WithOpenPosition();
        Assert.Empty(_given.After(100).DoesNotKnow(Given.Stop));
    }

    [Fact]
    public void Fills_that_turn_up_after_the_trade_had_failed_are_given_back()
    {
        _given.Enters();
        _given.KeepsSilent(Given.Entry);
        _given.After(31).DoesNotKnow(Given.Entry);
        Assert.True(_given.State.IsDone);
        _given.When(new Correct(Given.Entry, "the venue has it", "order 1", _given.Stamp));
        Assert.False(_given.State.IsDone);
        var events = _given.Shows(Given.Entry, VenueOrderStatus.Filled, _given.Fill(Given.Entry, "1", 0.00995m, 65_000));
        Assert.Equal(
            [typeof(OrderAccepted), typeof(OrderFilled), typeof(OrderEnded), typeof(PositionOpened), typeof(PositionClosing), typeof(OrderIntended), typeof(OrderAttempted)],
            events.Select(e => e.GetType()));
        Assert.IsType<PositionClosed>(_given.Says(Given.Exit, VenueOrderStatus.Filled, _given.Fill(Given.Exit, "2", 0.00995m, 65_000))[^1]);
    }

    [Fact]
    public void An_entry_that_turns_up_alive_after_the_trade_had_failed_is_cancelled()
    {
        _given.Enters(Given.Signal(kind: OrderKind.Limit, limit: 64_000));
        _given.KeepsSilent(Given.Entry);
        _given.After(31).DoesNotKnow(Given.Entry);
        Assert.Equal([typeof(OrderAccepted), typeof(OrderCancelIntended)], _given.Shows(Given.Entry, VenueOrderStatus.Open).Select(e => e.GetType()));
        Assert.Equal(new NextStep.Cancel(Given.Entry, Given.Btc), _given.Next());
        _given.Shows(Given.Entry, VenueOrderStatus.Cancelled);
        Assert.True(_given.State.IsDone);
    }
}
