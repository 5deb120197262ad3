using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Venue;
using Antbot.Execution;
using Xunit;

namespace Antbot.Core.Tests.Execution;

/// <summary>Two operators, an order in doubt, and a venue that may still have the last word.</summary>
public sealed class SettlementTests
{
    private readonly Given _given = new();

    public SettlementTests()
    {
        _given.Enters();
        _given.KeepsSilent(Given.Entry);
        _given.After(10);
    }

    [Fact]
    public void Two_operators_settle_an_order_as_never_placed_and_its_entry_has_failed()
    {
        var proposed = Assert.IsType<OrderSettlementProposed>(Assert.Single(_given.Proposes(Given.Entry, "anna")));
        Assert.Equal(_given.Now.AddMinutes(15), proposed.ExpiresAt);
        Assert.Equal(OrderStatus.Unknown, _given.State.Entry!.Status);
        var events = _given.After(60).Confirms(Given.Entry, "ben");
        Assert.Equal([typeof(OrderEnded), typeof(OrderSettled), typeof(EntryFailedRecorded)], events.Select(e => e.GetType()));
        Assert.Equal(("anna", "ben"), (((OrderSettled)events[1]).ProposedBy, ((OrderSettled)events[1]).By));
        Assert.Contains("settled by anna and ben", ((EntryFailedRecorded)events[2]).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("anna", 60, "another-operator")]
    [InlineData("ben", 900, "not-expired")]
    public void The_same_operator_or_one_who_comes_too_late_is_refused(string by, int seconds, string rule)
    {
        _given.Proposes(Given.Entry, "anna");
        IsRefused(_given.After(seconds).Confirms(Given.Entry, by), rule);
        Assert.Equal(OrderStatus.Unknown, _given.State.Entry!.Status);
    }

    [Fact]
    public void Nothing_is_confirmed_that_nobody_proposed() => IsRefused(_given.Confirms(Given.Entry, "ben"), "proposed");

    [Fact]
    public void While_one_proposal_is_open_another_operator_confirms_it_and_makes_none_of_his_own()
    {
        _given.Proposes(Given.Entry, "anna");
        IsRefused(_given.Proposes(Given.Entry, "ben"), "no-other-proposal");
        Assert.IsType<OrderSettlementProposed>(Assert.Single(_given.Proposes(Given.Entry, "anna")));
        Assert.IsType<OrderSettlementProposed>(Assert.Single(_given.After(901).Proposes(Given.Entry, "ben")));
    }

    [Fact]
    public void What_may_still_arrive_at_the_venue_is_not_settled()
    {
        var given = new Given();
        given.Enters();
        given.KeepsSilent(Given.Entry);
        IsRefused(given.After(3).Proposes(Given.Entry, "anna"), "window-passed");
    }

    [Fact]
    public void What_is_in_no_doubt_is_not_settled()
    {
        _given.Shows(Given.Entry, VenueOrderStatus.Open);
        IsRefused(_given.Proposes(Given.Entry, "anna"), "in-doubt");
        IsRefused(_given.Proposes(Given.Exit, "anna"), "in-doubt");
    }

    [Fact]
    public void An_answer_of_the_venue_takes_the_proposal_back()
    {
        _given.Proposes(Given.Entry, "anna");
        _given.Shows(Given.Entry, VenueOrderStatus.Open);
        IsRefused(_given.Confirms(Given.Entry, "ben"), "in-doubt");
    }

    /// <summary>Prevents that a position is held at the venue that nobody looks after, because two operators were wrong.</summary>
    [Fact]
    public void The_venue_is_asked_until_it_answers_and_its_word_wins()
    {
        Settled();
        Assert.False(_given.State.IsDone);
        Assert.Equal(new NextStep.Ask(Given.Entry, Given.Btc), _given.Next());
        var events = _given.After(3_600).Shows(Given.Entry, VenueOrderStatus.Filled, _given.Fill(Given.Entry, "1", 0.00995m, 65_000));
        Assert.Contains(events, e => e is OrderAccepted);
        Assert.Contains(events, e => e is PositionOpened);
        Assert.Contains(events, e => e is PositionClosing);
        Assert.Equal(0.00995m, _given.State.Exit!.Intended.Quantity.Value);
    }

    /// <summary>With two doubted orders only the first was ever asked about, and a stop that was to be cancelled waited for both.</summary>
    [Fact]
    public void Every_doubt_is_asked_about_and_none_keeps_the_way_out_waiting()
    {
        var given = new Given().WithOpenPosition();
        given.When(new Correct(Given.Entry, "executed less at the venue", "its words", given.Stamp));
        given.When(new Correct(Given.Stop, "it is not open", "openOrders", given.Stamp));
        given.GetsOut();
        Assert.Equal(
            [new NextStep.Ask(Given.Entry, Given.Btc), new NextStep.Ask(Given.Stop, Given.Btc), new NextStep.Cancel(Given.Stop, Given.Btc)],
            NextStep.AllOf(given.State, given.Now, given.Now));
    }

    [Fact]
    public void Where_the_venue_agrees_with_the_operators_that_is_the_end_of_it()
    {
        Settled();
        Assert.IsType<OrderConfirmed>(Assert.Single(_given.After(60).DoesNotKnow(Given.Entry)));
        Assert.True(_given.State.IsDone);
    }

    [Fact]
    public void What_was_settled_is_not_tried_again_by_half_or_whole()
    {
        var given = new Given { Last = new Price(65_000) };
        given.Enters(policy: Given.Policy with { HalfSizeFallback = true, EntryAttemptsMax = 1 });
        given.KeepsSilent(Given.Entry);
        given.After(10).Proposes(Given.Entry, "anna");
        given.Confirms(Given.Entry, "ben");
        Assert.Single(given.State.Orders);
        Assert.Equal(TradeStage.Failed, given.State.Stage);
    }

    [Fact]
    public void An_exit_that_was_settled_is_followed_by_another_for_what_is_held()
    {
        var given = new Given().WithOpenPosition();
        given.GetsOut();
        given.Shows(Given.Stop, VenueOrderStatus.Cancelled);
        given.KeepsSilent(Given.Exit);
        given.After(10).Proposes(Given.Exit, "anna");
        given.Confirms(Given.Exit, "ben");
        Assert.Equal((ClientOrderId.Of(Given.Trade, OrderRole.Exit, 1), 0.00994m), (given.State.Exit!.Id, given.State.Exit.Intended.Quantity.Value));
    }

    private void Settled()
    {
        _given.Proposes(Given.Entry, "anna");
        _given.Confirms(Given.Entry, "ben");
    }

    private static void IsRefused(IReadOnlyList<object> events, string rule) =>
        Assert.Contains(Assert.IsType<OrderSettlementRefused>(Assert.Single(events)).Verdicts, v => v.Rule == rule && !v.Passed);
}
