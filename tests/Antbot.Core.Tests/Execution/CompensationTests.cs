using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;
using Antbot.Execution;
using Xunit;

namespace Antbot.Core.Tests.Execution;

public sealed class CompensationTests
{
    private readonly Given _given = new();

    [Fact]
    public void A_compensation_that_overtakes_its_command_leaves_a_tombstone_that_refuses_it()
    {
        Assert.IsType<EntryForbidden>(Assert.Single(_given.GetsOut()));
        Assert.Empty(_given.GetsOut());
        Assert.IsType<EntryFailedRecorded>(Assert.Single(_given.Enters()));
        Assert.Empty(_given.Enters());
        Assert.Empty(_given.State.Orders);
    }

    [Fact]
    public void An_unknown_entry_that_is_withdrawn_is_found_out_about_before_anything_else()
    {
        _given.Enters();
        _given.KeepsSilent(Given.Entry);
        Assert.IsType<EntryWithdrawn>(Assert.Single(_given.GetsOut()));
        Assert.IsType<NextStep.Wait>(_given.Next());
        Assert.Equal([typeof(OrderAbsent), typeof(OrderEnded), typeof(EntryFailedRecorded)], _given.After(4).DoesNotKnow(Given.Entry).Select(e => e.GetType()));
    }

    [Fact]
    public void What_a_withdrawn_entry_turns_out_to_have_filled_is_flattened_without_a_stop()
    {
        _given.Enters();
        _given.KeepsSilent(Given.Entry);
        _given.GetsOut();
        var events = _given.After(4).Shows(Given.Entry, VenueOrderStatus.Filled, _given.Fill(Given.Entry, "1", 0.00995m, 65_000));
        Assert.Equal(
            [typeof(OrderAccepted), typeof(OrderFilled), typeof(OrderEnded), typeof(PositionOpened), typeof(PositionClosing), typeof(OrderIntended), typeof(OrderAttempted)],
            events.Select(e => e.GetType()));
        Assert.Equal((Given.Exit, 0.00995m), (_given.State.Exit!.Id, _given.State.Exit.Intended.Quantity.Value));
    }

    [Fact]
    public void A_resting_entry_that_is_withdrawn_is_cancelled()
    {
        _given.Enters(Given.Signal(kind: OrderKind.Limit, limit: 64_000));
        _given.Says(Given.Entry, VenueOrderStatus.Open);
        Assert.Equal([typeof(EntryWithdrawn), typeof(OrderCancelIntended)], _given.GetsOut().Select(e => e.GetType()));
        Assert.IsType<EntryFailedRecorded>(_given.Shows(Given.Entry, VenueOrderStatus.Cancelled)[^1]);
    }

    [Fact]
    public void A_position_that_is_not_wanted_loses_its_stop_first_and_is_sold_then()
    {
        _given.WithOpenPosition();
        Assert.Equal([typeof(PositionClosing), typeof(OrderCancelIntended)], _given.GetsOut().Select(e => e.GetType()));
        Assert.Null(_given.State.Exit);
        var events = _given.Shows(Given.Stop, VenueOrderStatus.Cancelled);
        Assert.Equal([typeof(OrderEnded), typeof(OrderIntended), typeof(OrderAttempted)], events.Select(e => e.GetType()));
        Assert.Equal(0.00994m, ((OrderIntended)events[1]).Quantity.Value);
    }

    [Fact]
    public void A_halt_stops_neither_stops_nor_exits()
    {
        _given.Enters();
        _given.Bar = "halted: fire";
        Assert.IsType<OrderAttempted>(_given.Says(Given.Entry, VenueOrderStatus.Filled, _given.Fill(Given.Entry, "1", 0.00995m, 65_000))[^1]);
        _given.Says(Given.Stop, VenueOrderStatus.Open);
        _given.GetsOut();
        Assert.IsType<OrderAttempted>(_given.Shows(Given.Stop, VenueOrderStatus.Cancelled)[^1]);
    }

    [Fact]
    public void Who_is_told_what_follows_from_the_events_alone()
    {
        _given.GetsOut();
        Assert.IsType<EntryFailed>(Assert.Single(ExecutionMessages.React(_given.Events[^1])));
        var other = new Given();
        other.Enters();
        other.KeepsSilent(Given.Entry);
        Assert.Equal(new EntryUnknown(Given.Trade, Given.Account, "timed out"), Assert.Single(ExecutionMessages.React(other.Events[^1])));
        other.Shows(Given.Entry, VenueOrderStatus.Filled, other.Fill(Given.Entry, "1", 0.00995m, 65_000));
        other.Says(Given.Stop, VenueOrderStatus.Open);
        other.GetsOut();
        other.Shows(Given.Stop, VenueOrderStatus.Cancelled);
        other.Says(Given.Exit, VenueOrderStatus.Filled, other.Fill(Given.Exit, "2", 0.00995m, 65_100));
        Assert.Equal(
            [typeof(EntryUnknown), typeof(EntryAccepted), typeof(TradeOpened), typeof(TradeClosing), typeof(TradeClosed)],
            other.Events.SelectMany(ExecutionMessages.React).Select(m => m.GetType()));
    }
}
