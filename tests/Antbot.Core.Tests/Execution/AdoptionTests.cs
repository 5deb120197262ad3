using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;
using Antbot.Execution;
using Antbot.Kernel.Identity;
using Xunit;
using static Antbot.Core.Tests.Execution.Given;

namespace Antbot.Core.Tests.Execution;

/// <summary>What the venue has and nobody here asked for becomes a trade that is protected as any other; what it has not any more is written off.</summary>
public sealed class AdoptionTests
{
    private static readonly ClientOrderId Foreign = new("web_17");

    private readonly Given _given = new();

    [Fact]
    public void A_position_that_is_adopted_is_open_at_once_and_its_stop_is_sent()
    {
        var decided = Adopts(null, 0.01m);
        var opened = Assert.Single(decided.OfType<PositionOpened>());
        Assert.Equal((0.01m, 65_000m, 63_700m), (opened.Quantity.Value, opened.Average.Value, opened.Stop!.Value.Value));
        // Whoever wanted it may have other plans for it than we have for our own.
        Assert.Equal(((Price?)null, (DateTimeOffset?)null), (opened.TakeProfit, opened.HoldUntil));
        Assert.Equal((OrderRole.Stop, 0.01m), decided.OfType<OrderIntended>().Select(i => (i.Role, i.Quantity.Value)).Single());
        Assert.Single(decided.OfType<OrderAttempted>());
        Assert.DoesNotContain(decided, e => e is OrderIntended { Role: OrderRole.Entry });
        Assert.Single(decided.SelectMany(ExecutionMessages.React).OfType<TradeOpened>());
    }

    [Fact]
    public void Halted_or_dry_it_is_adopted_and_protected_all_the_same()
    {
        (_given.Bar, _given.Hold) = ("halted", "not reconciled");
        Assert.Single(Adopts(null, 0.01m).OfType<OrderAttempted>());
    }

    [Fact]
    public void An_adopted_position_is_closed_as_any_other_and_counts_from_the_price_it_was_found_at()
    {
        Adopts(null, 0.01m);
        _given.Says(Stop, VenueOrderStatus.Open);
        _given.Shows(Stop, VenueOrderStatus.Filled, _given.Fill(Stop, "s1", 0.01m, 63_700));
        var closed = Assert.Single(_given.Events.OfType<PositionClosed>());
        Assert.Equal((-13m, 65_000m), (closed.Realised.Value, closed.Entry.Value));
        // The venue never knew the entry: nobody shall be asked for it.
        Assert.Equal([Stop], closed.Orders);
    }

    [Fact]
    public void An_order_that_is_adopted_rests_and_what_it_fills_is_protected()
    {
        Assert.DoesNotContain(Adopts(Foreign, 0.01m), e => e is OrderIntended or OrderAttempted);
        Assert.Equal((TradeStage.Entering, OrderStatus.Resting), (_given.State.Stage, _given.State.Entry!.Status));
        Assert.IsType<NextStep.Rest>(_given.After(86_400).Next());
        var report = new OrderReport(
            Foreign, "v-web", Btc, Side.Buy, VenueOrderStatus.Filled, new Quantity(0.01m), new Quantity(0.01m), new Money(640), _given.Now,
            [new FillReport("f1", "v-web", Btc, Side.Buy, new Quantity(0.01m), new Price(64_000), Money.Zero, "USDT", _given.Now)]);
        var decided = _given.When(new OrderSeen(Foreign, report, _given.Stamp));
        Assert.Equal(64_000m, Assert.Single(decided.OfType<PositionOpened>()).Average.Value);
        Assert.Single(decided.OfType<OrderAttempted>(), a => a.Order == Stop);
    }

    [Fact]
    public void An_adopted_order_is_cancelled_where_its_trade_is_not_wanted()
    {
        Adopts(Foreign, 0.01m);
        Assert.Equal(Foreign, Assert.Single(_given.GetsOut().OfType<OrderCancelIntended>()).Order);
    }

    [Fact]
    public void What_was_adopted_is_not_adopted_again()
    {
        Adopts(null, 0.01m);
        Assert.Empty(Adopts(null, 0.01m));
        Assert.Empty(Adopts(Foreign, 0.01m));
        Assert.DoesNotContain(_given.Enters(), e => e is EntryPlanned);
    }

    /// <summary>Prevents real coins that are sold in Dry: a stop is an exit, and exits are held back by nothing.</summary>
    [Fact]
    public void Where_nothing_may_be_made_ours_nothing_is_intended_and_the_reason_is_kept()
    {
        var failed = Assert.Single(Adopts(null, 0.01m, "dry: the venue is no paper venue").OfType<EntryFailedRecorded>());
        Assert.Contains("dry", failed.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain(_given.Events, e => e is PositionAdopted or OrderIntended);
        Assert.DoesNotContain(Adopts(null, 0.01m), e => e is PositionAdopted);
    }

    /// <summary>Prevents a holding without a stop of which nobody says why: whoever found it adopts it anew when it knows.</summary>
    [Fact]
    public void What_was_told_to_end_before_its_adoption_came_is_refused_with_that_reason()
    {
        Assert.IsType<EntryForbidden>(Assert.Single(_given.GetsOut("not wanted")));
        var failed = Assert.IsType<EntryFailedRecorded>(Assert.Single(Adopts(null, 0.01m)));
        Assert.Equal("not adopted: forbidden before the command came: not wanted", failed.Reason);
        Assert.IsType<EntryFailed>(Assert.Single(ExecutionMessages.React(failed)));
        Assert.Empty(Adopts(null, 0.01m));
        Assert.Empty(_given.State.Orders);
    }

    [Fact]
    public void A_correction_a_write_off_and_a_settlement_that_come_before_it_keep_nothing_from_being_protected()
    {
        _given.When(new Correct(Entry, "it is not there", "none", _given.Stamp));
        _given.When(new WriteOff(new Quantity(0.01m), "gone", "nothing", _given.Stamp));
        Assert.IsType<OrderSettlementRefused>(Assert.Single(_given.Proposes(Entry, "anna")));
        var decided = Adopts(null, 0.01m);
        Assert.Equal(0.01m, Assert.Single(decided.OfType<PositionOpened>()).Held.Value);
        Assert.Single(decided.OfType<OrderAttempted>(), a => a.Order == Stop);
        Assert.DoesNotContain(_given.State.Orders, o => o.Doubted);
    }

    /// <summary>Prevents a purchase by hand that rests for months with nine tenths filled and nothing to protect them.</summary>
    [Fact]
    public void What_a_found_order_has_filled_is_not_left_without_a_stop_while_the_rest_of_it_rests()
    {
        Adopts(Foreign, 0.01m);
        var fill = new FillReport("f1", "v-web", Btc, Side.Buy, new Quantity(0.004m), new Price(64_000), Money.Zero, "USDT", _given.Now);
        var report = new OrderReport(Foreign, "v-web", Btc, Side.Buy, VenueOrderStatus.PartiallyFilled, new Quantity(0.01m), new Quantity(0.004m), new Money(256), _given.Now, [fill]);
        Assert.Equal(Foreign, Assert.Single(_given.When(new OrderSeen(Foreign, report, _given.Stamp)).OfType<OrderCancelIntended>()).Order);
        var decided = _given.When(new OrderSeen(Foreign, report with { Status = VenueOrderStatus.Cancelled }, _given.Stamp));
        Assert.Equal(0.004m, Assert.Single(decided.OfType<PositionOpened>()).Quantity.Value);
        Assert.Single(decided.OfType<OrderAttempted>(), a => a.Order == Stop);
    }

    /// <summary>Prevents a position that is opened on coins that are gone already, and a write-off that nobody ever answers.</summary>
    [Fact]
    public void What_is_gone_while_the_entry_still_rests_is_written_off_then()
    {
        Adopts(Foreign, 0.01m);
        var fill = new FillReport("f1", "v-web", Btc, Side.Buy, new Quantity(0.004m), new Price(64_000), Money.Zero, "USDT", _given.Now);
        var report = new OrderReport(Foreign, "v-web", Btc, Side.Buy, VenueOrderStatus.PartiallyFilled, new Quantity(0.01m), new Quantity(0.004m), new Money(256), _given.Now, [fill]);
        _given.When(new OrderSeen(Foreign, report, _given.Stamp));
        Assert.Equal(0.004m, Assert.Single(_given.When(new WriteOff(new Quantity(0.004m), "gone", "nothing", _given.Stamp)).OfType<PositionWrittenOff>()).Quantity.Value);
        _given.When(new OrderSeen(Foreign, report with { Status = VenueOrderStatus.Cancelled }, _given.Stamp));
        Assert.Single(_given.Events.OfType<PositionClosed>());
        Assert.DoesNotContain(_given.Events, e => e is OrderAttempted);
    }

    [Fact]
    public void What_is_gone_in_part_leaves_a_stop_for_the_rest()
    {
        _given.WithOpenPosition();
        var held = _given.State.Held();
        var gone = Assert.Single(_given.When(new WriteOff(new Quantity(0.004m), "gone", "the venue holds less", _given.Stamp)).OfType<PositionWrittenOff>());
        Assert.Equal((0.004m, held - 0.004m), (gone.Quantity.Value, _given.State.Held()));
        Assert.True(_given.State.Stop!.CancelIntended);
        _given.Shows(Stop, VenueOrderStatus.Cancelled);
        Assert.InRange(_given.State.Stop!.Intended.Quantity.Value, 0.00001m, held - 0.004m);
        Assert.Single(_given.After(2).Proceeds().OfType<OrderAttempted>());
    }

    /// <summary>Prevents a trade that stays open for ever on coins that somebody else has sold.</summary>
    [Fact]
    public void What_is_gone_as_a_whole_closes_the_trade_with_the_evidence_and_sells_nothing()
    {
        _given.WithOpenPosition();
        _given.When(new WriteOff(new Quantity(5), "gone", "the venue holds nothing", _given.Stamp));
        Assert.Equal(0, _given.State.Held());
        _given.Shows(Stop, VenueOrderStatus.Cancelled);
        var closed = Assert.Single(_given.Events.OfType<PositionClosed>());
        Assert.Equal(-_given.State.Entry!.Cost, closed.Realised);
        Assert.Equal(Quantity.Zero, closed.Left);
        Assert.DoesNotContain(_given.Events, e => e is OrderIntended { Role: OrderRole.Exit });
        Assert.Empty(_given.When(new WriteOff(new Quantity(5), "gone", "again", _given.Stamp)));
    }

    /// <summary>Prevents a position without an owner that only a forgotten stop protects, and a second stop beside it, which the venue would refuse.</summary>
    [Fact]
    public void With_a_stop_of_ours_that_nobody_remembers_the_position_comes_that_it_protects()
    {
        var stop = ClientOrderId.Of(new TradeId(DeterministicId.From("forgotten")), OrderRole.Stop, 3);
        var decided = Adopts(stop, 0.01m);
        Assert.Equal(0.01m, Assert.Single(decided.OfType<PositionOpened>()).Held.Value);
        Assert.Equal((Side.Sell, 0.01m), decided.OfType<OrderAdopted>().Select(o => (o.Side, o.Quantity.Value)).Single());
        Assert.DoesNotContain(decided, e => e is OrderIntended or OrderAttempted);
        Assert.Equal((stop, OrderStatus.Resting), (_given.State.Stop!.Id, _given.State.Stop.Status));
        Assert.Equal([typeof(TradeOpened)], decided.SelectMany(ExecutionMessages.React).Select(m => m.GetType()));

        // It fires as if it had been this trade's from the start.
        var fill = new FillReport("s1", "v-web", Btc, Side.Sell, new Quantity(0.01m), new Price(63_700), Money.Zero, "USDT", _given.Now);
        _given.When(new OrderSeen(stop, new OrderReport(stop, "v-web", Btc, Side.Sell, VenueOrderStatus.Filled, new Quantity(0.01m), new Quantity(0.01m), new Money(637), _given.Now, [fill]), _given.Stamp));
        var closed = Assert.Single(_given.Events.OfType<PositionClosed>());
        Assert.Equal((-13m, 0m), (closed.Realised.Value, closed.Left.Value));
        Assert.Equal([stop], closed.Orders);
    }

    [Fact]
    public void When_a_stop_that_was_found_is_cancelled_by_somebody_another_takes_its_place()
    {
        var stop = ClientOrderId.Of(new TradeId(DeterministicId.From("forgotten")), OrderRole.Stop, 3);
        Adopts(stop, 0.01m);
        _given.When(new OrderSeen(stop, new OrderReport(stop, "v-web", Btc, Side.Sell, VenueOrderStatus.Cancelled, new Quantity(0.01m), Quantity.Zero, Money.Zero, _given.Now, []), _given.Stamp));
        Assert.Equal((ClientOrderId.Of(Trade, OrderRole.Stop, 1), 0.01m), (_given.State.Stop!.Id, _given.State.Stop.Intended.Quantity.Value));
    }

    /// <summary>Prevents a day without entries because somebody put coins on the account and took them away again: no money of ours came or went.</summary>
    [Fact]
    public void What_came_without_money_of_ours_and_is_gone_the_same_way_is_no_loss_and_what_was_bought_is_one()
    {
        Adopts(null, 0.01m);
        _given.Says(Stop, VenueOrderStatus.Open);
        _given.When(new WriteOff(new Quantity(0.004m), "gone", "the venue holds less", _given.Stamp));
        _given.Shows(Stop, VenueOrderStatus.Cancelled);
        _given.GetsOut();
        _given.After(60).Proceeds(60_000);
        _given.Says(Exit, VenueOrderStatus.Filled, _given.Fill(Exit, "x1", 0.006m, 60_000));
        // What was there to the end counts from the price at which it was found.
        Assert.Equal(0.006m * -5_000, Assert.Single(_given.Events.OfType<PositionClosed>()).Realised.Value);

        var all = new Given();
        all.When(Adoption(all, null, 0.01m, null));
        all.When(new WriteOff(new Quantity(0.01m), "gone", "the venue holds nothing", all.Stamp));
        all.Says(Stop, VenueOrderStatus.Cancelled);
        Assert.Equal(Money.Zero, Assert.Single(all.Events.OfType<PositionClosed>()).Realised);
    }

    [Fact]
    public void Nothing_is_written_off_that_is_not_held()
    {
        Assert.Empty(_given.When(new WriteOff(new Quantity(1), "gone", "nothing", _given.Stamp)));
        _given.Enters();
        Assert.DoesNotContain(_given.When(new WriteOff(new Quantity(1), "gone", "nothing", _given.Stamp)), e => e is PositionWrittenOff);
    }

    private IReadOnlyList<object> Adopts(ClientOrderId? order, decimal quantity, string? bar = null) => _given.When(Adoption(_given, order, quantity, bar));

    private static Adopt Adoption(Given given, ClientOrderId? order, decimal quantity, string? bar) => new(
        Signal(notional: quantity * 65_000) with { Source = "adopted:venue", ValidUntil = new DateTimeOffset(9999, 12, 31, 0, 0, 0, TimeSpan.Zero) },
        order is { } found ? new FoundOrder(found, "v-web", Start) : null, new Quantity(quantity), Rules, Policy, "the venue holds it", bar, given.Stamp);
}
