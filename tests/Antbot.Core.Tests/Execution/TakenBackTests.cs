using Antbot.Contracts.Events;
using Antbot.Contracts.Venue;
using Antbot.Execution;
using Antbot.Reconciliation;
using Xunit;

namespace Antbot.Core.Tests.Execution;

/// <summary>Exchanges take trades back now and then. What is recorded must be what they have, or too much is sold and nothing ever ends.</summary>
public sealed class TakenBackTests
{
    private readonly Given _given = new();

    /// <summary>The record had more than the venue had executed: the entry never ended, and what was bought never had its stop.</summary>
    [Fact]
    public void An_entry_whose_first_half_is_taken_back_ends_with_what_the_venue_has()
    {
        _given.Enters(Given.Signal(stop: 64_000));
        _given.Says(Given.Entry, VenueOrderStatus.PartiallyFilled, _given.Fill(Given.Entry, "f1", 0.004m, 65_000));
        var events = _given.After(3).Shows(Given.Entry, VenueOrderStatus.Filled, _given.Fill(Given.Entry, "f2", 0.00995m, 65_000));
        Assert.Equal([typeof(OrderFilled), typeof(OrderFillBusted), typeof(OrderEnded), typeof(PositionOpened), typeof(OrderIntended), typeof(OrderAttempted)], events.Select(e => e.GetType()));
        Assert.Equal("f1", ((OrderFillBusted)events[1]).Fill.FillId);
        Assert.Equal((0.00995m, 0.00995m), (((PositionOpened)events[3]).Quantity.Value, _given.State.Stop!.Intended.Quantity.Value));
    }

    [Fact]
    public void What_an_exit_did_not_sell_after_all_is_sold_again()
    {
        _given.WithOpenPosition();
        _given.GetsOut();
        _given.Shows(Given.Stop, VenueOrderStatus.Cancelled);
        Assert.IsType<PositionClosed>(_given.Says(Given.Exit, VenueOrderStatus.Filled, _given.Fill(Given.Exit, "x", 0.00994m, 65_100))[^1]);
        _given.When(new Correct(Given.Exit, "executed 0 at the venue", "its words", _given.Stamp));
        var events = _given.After(60).Shows(Given.Exit, VenueOrderStatus.Filled);
        Assert.Equal([typeof(OrderFillBusted), typeof(PositionClosing), typeof(OrderIntended)], events.Select(e => e.GetType()));
        Assert.Equal(0.00994m, _given.State.Exit!.Intended.Quantity.Value);
        Assert.False(_given.State.IsDone);
    }

    [Fact]
    public void A_stop_that_would_sell_more_than_is_held_is_replaced()
    {
        _given.Enters(Given.Signal(stop: 64_000));
        var kept = _given.Fill(Given.Entry, "f1", 0.004m, 65_000);
        _given.Says(Given.Entry, VenueOrderStatus.Filled, kept, _given.Fill(Given.Entry, "f2", 0.00595m, 65_000));
        _given.Says(Given.Stop, VenueOrderStatus.Open);
        _given.When(new Correct(Given.Entry, "executed 0.004 at the venue", "its words", _given.Stamp));
        Assert.Equal([typeof(OrderFillBusted), typeof(OrderCancelIntended)], _given.After(1).Shows(Given.Entry, VenueOrderStatus.Filled, kept).Select(e => e.GetType()));
        _given.Shows(Given.Stop, VenueOrderStatus.Cancelled);
        Assert.Equal((OrderStatus.Intended, 0.004m), (_given.State.Stop!.Status, _given.State.Stop.Intended.Quantity.Value));
    }

    /// <summary>Venues answer from copies that lag behind: less than is known means nothing while an order may still be filled.</summary>
    [Theory]
    [InlineData(VenueOrderStatus.Open)]
    [InlineData(VenueOrderStatus.PartiallyFilled)]
    public void An_answer_that_lags_behind_takes_nothing_back(VenueOrderStatus status)
    {
        _given.Enters();
        _given.Says(Given.Entry, VenueOrderStatus.PartiallyFilled, _given.Fill(Given.Entry, "f1", 0.004m, 65_000));
        Assert.Empty(_given.Shows(Given.Entry, status));
        Assert.Equal(0.004m, _given.State.Entry!.Executed.Value);
    }

    [Fact]
    public void The_account_is_compared_without_what_was_taken_back()
    {
        _given.WithOpenPosition();
        var fill = _given.Events.OfType<OrderFilled>().Single();
        var book = _given.Events.Aggregate(OrderBook.Empty(Given.Account), (b, e) => b.Apply(e, Given.Start)).Apply(new OrderFillBusted(fill, "its words"), Given.Start);
        Assert.Equal(new Flow(0, 0), book.Flows[Given.Btc.Value]);
        Assert.Equal((0m, 0m), (book.Fees["BTC"], book.Live[Given.Entry.Value].Executed.Value));
    }

    /// <summary>A machine whose clock is behind sent what had long been stale.</summary>
    [Fact]
    public void Stale_is_what_either_clock_says()
    {
        _given.Behind = TimeSpan.FromSeconds(31);
        Assert.DoesNotContain(_given.Enters(), e => e is OrderAttempted);
        Assert.Equal(TradeStage.Failed, _given.State.Stage);
    }
}
