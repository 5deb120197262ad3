using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Venue;
using Antbot.Core.Tests.Kernel;
using Antbot.Execution;
using Xunit;

namespace Antbot.Core.Tests.Execution;

/// <summary>What an entry has filled is protected within seconds, however long its rest might rest.</summary>
public sealed class PartialEntryTests
{
    private const int Patience = 2;

    private static readonly ExecutionPolicy Policy = Given.Policy with { PartialEntrySecondsMax = Patience };

    private readonly Given _given = new();

    [Fact]
    public void The_rest_of_an_entry_is_cancelled_after_a_while_and_what_is_filled_gets_its_stop()
    {
        Rests();
        Assert.DoesNotContain(Fills(("f1", 0.004m)), e => e is OrderCancelIntended);
        Assert.Equal(_given.Now.AddSeconds(Patience), Assert.IsType<NextStep.Wait>(_given.Next()).Until);
        Assert.Empty(_given.After(Patience - 0.1).Proceeds());
        Assert.IsType<NextStep.Decide>(_given.After(0.1).Next());
        Assert.Equal(Given.Entry, Assert.IsType<OrderCancelIntended>(Assert.Single(_given.Proceeds())).Order);

        var events = _given.Shows(Given.Entry, VenueOrderStatus.Cancelled, Fill("f1", 0.004m));
        Assert.Equal([typeof(OrderEnded), typeof(PositionOpened), typeof(OrderIntended), typeof(OrderAttempted)], events.Select(e => e.GetType()));
        Assert.Equal((Given.Stop, 0.004m), (((OrderIntended)events[2]).Order, ((OrderIntended)events[2]).Quantity.Value));
    }

    /// <summary>The venue lists what is open every few seconds: the time since the fill counts, not since it was heard of.</summary>
    [Fact]
    public void A_fill_that_is_heard_of_late_waits_no_longer()
    {
        Rests();
        var fill = Fill("f1", 0.004m);
        Assert.Contains(_given.After(Patience).Shows(Given.Entry, VenueOrderStatus.PartiallyFilled, fill), e => e is OrderCancelIntended);
    }

    [Fact]
    public void What_fills_to_its_end_meanwhile_is_not_cancelled()
    {
        Rests();
        Fills(("f1", 0.004m));
        var rest = _given.State.Entry!.Intended.Quantity.Value - 0.004m;
        var events = _given.After(1).Shows(Given.Entry, VenueOrderStatus.Filled, Fill("f1", 0.004m), Fill("f2", rest));
        Assert.DoesNotContain(events, e => e is OrderCancelIntended);
        Assert.Equal(rest + 0.004m, _given.State.Stop!.Intended.Quantity.Value);
    }

    [Fact]
    public void What_fills_while_it_is_being_cancelled_is_protected_too()
    {
        Rests();
        Fills(("f1", 0.004m));
        _given.After(Patience).Proceeds();
        _given.Shows(Given.Entry, VenueOrderStatus.Cancelled, Fill("f1", 0.004m), Fill("f2", 0.002m));
        Assert.Equal((TradeStage.Open, 0.006m), (_given.State.Stage, _given.State.Stop!.Intended.Quantity.Value));
    }

    /// <summary>Prevents dust that nobody can sell: below the venue's least notional there is no stop, and with its rest cancelled there never would be.</summary>
    [Fact]
    public void Less_than_the_venue_sells_waits_for_more()
    {
        Rests();
        Fills(("f1", 0.00007m));
        Assert.Empty(_given.After(20).Proceeds());
        Assert.IsType<NextStep.Wait>(_given.Next());
        Assert.Contains(Fills(("f1", 0.00007m), ("f2", 0.00002m)), e => e is OrderCancelIntended);
    }

    /// <summary>What could just be sold at its price, and not any more where its stop stands, would be held for good.</summary>
    [Fact]
    public void Less_than_the_venue_sells_at_the_stop_waits_for_more()
    {
        Rests();
        Fills(("f1", 0.00008m));
        Assert.Empty(_given.After(20).Proceeds());
        Assert.Contains(Fills(("f1", 0.00008m), ("f2", 0.00001m)), e => e is OrderCancelIntended);
    }

    [Fact]
    public void Without_a_stop_there_is_nothing_to_cancel_for()
    {
        Rests(Policy with { StopDistance = 0 }, stop: null);
        Fills(("f1", 0.004m));
        Assert.Empty(_given.After(20).Proceeds());
    }

    [Fact]
    public void What_was_planned_before_there_was_an_end_rests_for_as_long_as_it_is_valid()
    {
        Rests(Given.Policy);
        Fills(("f1", 0.004m));
        Assert.Empty(_given.After(20).Proceeds());
        Assert.Contains(_given.After(11).Proceeds(), e => e is OrderCancelIntended);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-3)]
    public void Without_patience_it_is_cancelled_with_its_first_fill(int seconds)
    {
        Rests(Policy with { PartialEntrySecondsMax = seconds });
        Assert.Contains(Fills(("f1", 0.004m)), e => e is OrderCancelIntended);
    }

    /// <summary>A stop with a limit is taken for what it brings at that: what could be sold at the stop's own price is held for good where the limit is further down.</summary>
    [Theory]
    [InlineData(0.0, true)]
    [InlineData(0.10, true)]
    [InlineData(0.12, false)]
    public void Less_than_the_venue_sells_at_the_limit_of_its_stop_waits_for_more(double distance, bool isCut)
    {
        Rests(Policy with { StopLimitDistance = distance > 0 ? (decimal)distance : null });
        Fills(("f1", 0.00009m));
        Assert.Equal(isCut, _given.After(Patience).Proceeds().OfType<OrderCancelIntended>().Any());
    }

    [Fact]
    public void What_is_cut_gets_its_stop_with_a_limit_where_the_policy_wants_one()
    {
        Rests(Policy with { StopLimitDistance = 0.01m });
        Fills(("f1", 0.004m));
        Assert.Contains(_given.After(Patience).Proceeds(), e => e is OrderCancelIntended);
        var stop = Assert.Single(_given.Shows(Given.Entry, VenueOrderStatus.Cancelled, Fill("f1", 0.004m)).OfType<OrderIntended>());
        Assert.Equal((OrderKind.Limit, 62_000m, 61_380m, 0.004m), (stop.Kind, stop.Trigger!.Value.Value, stop.Limit!.Value.Value, stop.Quantity.Value));
    }

    [Fact]
    public void An_entry_that_sells_is_cut_like_one_that_buys()
    {
        _given.Enters(Given.Signal(Side.Sell, OrderKind.Limit, limit: 66_000, stop: 68_000), policy: Policy);
        _given.Says(Given.Entry, VenueOrderStatus.Open);
        _given.Shows(Given.Entry, VenueOrderStatus.PartiallyFilled, Sold("f1", 0.004m));
        Assert.Contains(_given.After(Patience).Proceeds(), e => e is OrderCancelIntended);
        var stop = Assert.Single(_given.Shows(Given.Entry, VenueOrderStatus.Cancelled, Sold("f1", 0.004m), Sold("f2", 0.001m)).OfType<OrderIntended>());
        Assert.Equal((OrderRole.Stop, Side.Buy, 68_000m, 0.005m), (stop.Role, stop.Side, stop.Trigger!.Value.Value, stop.Quantity.Value));

        FillReport Sold(string id, decimal quantity) => _given.Fill(Given.Entry, id, quantity, 66_000);
    }

    /// <summary>Patience is for what is bought: the way out waits until it is through, however long that takes.</summary>
    [Theory]
    [InlineData(OrderRole.Stop)]
    [InlineData(OrderRole.Exit)]
    public void What_gets_out_in_parts_is_never_cut(OrderRole role)
    {
        _given.Enters(Given.Signal(stop: 64_000), policy: Policy with { StopLimitDistance = 0.01m });
        var quantity = _given.State.Entry!.Intended.Quantity.Value;
        _given.Says(Given.Entry, VenueOrderStatus.Filled, _given.Fill(Given.Entry, "f1", quantity, 65_000));
        _given.Says(Given.Stop, VenueOrderStatus.Open);
        var order = Given.Stop;
        if (role == OrderRole.Exit)
        {
            order = Given.Exit;
            _given.GetsOut();
            _given.Shows(Given.Stop, VenueOrderStatus.Cancelled);
        }
        _given.Shows(order, VenueOrderStatus.PartiallyFilled, _given.Fill(order, "f2", 0.004m, 64_000));
        for (var second = 0; second < 20; second++)
            Assert.DoesNotContain(_given.After(1).Proceeds(), e => e is OrderCancelIntended);
        Assert.Equal(role == OrderRole.Exit, _given.Next() is NextStep.Ask);
        _given.Shows(order, VenueOrderStatus.Filled, _given.Fill(order, "f2", 0.004m, 64_000), _given.Fill(order, "f3", quantity - 0.004m, 64_000));
        Assert.Equal((TradeStage.Closed, 0m), (_given.State.Stage, _given.State.Held()));
    }

    [Fact]
    public void Where_its_validity_ends_first_it_is_cancelled_for_that_and_what_is_filled_is_protected_all_the_same()
    {
        Rests();
        _given.After(29);
        Assert.DoesNotContain(Fills(("f1", 0.004m)), e => e is OrderCancelIntended);
        Assert.Equal(_given.Now.AddSeconds(1), Assert.IsType<NextStep.Wait>(_given.Next()).Until);
        Assert.IsType<NextStep.Decide>(_given.After(1).Next());
        Assert.Contains("valid", Assert.Single(_given.Proceeds().OfType<OrderCancelIntended>()).Reason, StringComparison.Ordinal);
        // The time that it had left is no reason to cancel it twice.
        Assert.Empty(_given.After(Patience).Proceeds());
        _given.Shows(Given.Entry, VenueOrderStatus.Cancelled, _given.Fill(Given.Entry, "f1", 0.004m, 64_000));
        Assert.Equal((TradeStage.Open, 0.004m), (_given.State.Stage, _given.State.Stop!.Intended.Quantity.Value));
    }

    /// <summary>The venue takes no cancel of what has filled meanwhile: what the order itself says then is the position, whole.</summary>
    [Fact]
    public void A_cut_that_the_last_fill_has_overtaken_is_a_whole_position()
    {
        Rests();
        Fills(("f1", 0.004m));
        _given.After(Patience).Proceeds();
        Assert.IsType<NextStep.Cancel>(_given.Next());
        var whole = _given.State.Entry!.Intended.Quantity.Value;
        var events = _given.Shows(Given.Entry, VenueOrderStatus.Filled, Fill("f1", 0.004m), Fill("f2", whole - 0.004m));
        Assert.Equal([typeof(OrderFilled), typeof(OrderEnded), typeof(PositionOpened), typeof(OrderIntended), typeof(OrderAttempted)], events.Select(e => e.GetType()));
        Assert.Equal((OrderEnd.Filled, whole, whole), (_given.State.Entry!.End, _given.State.Position!.Quantity.Value, _given.State.Stop!.Intended.Quantity.Value));
    }

    /// <summary>The cancel's answer says how much was executed before the fills are listed: until they are all there it is not over, and nothing is protected short.</summary>
    [Fact]
    public void A_cut_whose_last_fill_is_not_told_yet_waits_for_it()
    {
        Rests();
        Fills(("f1", 0.004m));
        _given.After(Patience).Proceeds();
        var all = new[] { Fill("f1", 0.004m), Fill("f2", 0.002m) };
        var report = _given.Report(Given.Entry, VenueOrderStatus.Cancelled, all);
        Assert.Empty(_given.When(new OrderSeen(Given.Entry, report with { Fills = [all[0]] }, _given.Stamp)));
        Assert.Equal((TradeStage.Entering, OrderStatus.Resting), (_given.State.Stage, _given.State.Entry!.Status));
        Assert.IsType<NextStep.Cancel>(_given.Next());
        _given.Shows(Given.Entry, VenueOrderStatus.Cancelled, all);
        Assert.Equal((TradeStage.Open, 0.006m), (_given.State.Stage, _given.State.Stop!.Intended.Quantity.Value));
    }

    /// <summary>A venue that answers at once, and is looked at each second.</summary>
    [Fact]
    public void In_whatever_parts_an_entry_fills_all_that_can_be_sold_is_protected_within_seconds() => Holds.ForAll(Holds.Seed, FillsInParts, times: 500);

    private static void FillsInParts(int seed)
    {
        var random = new Random(seed);
        var given = new Given();
        given.Enters(Given.Signal(kind: OrderKind.Limit, limit: 64_000, stop: 62_000), policy: Policy);
        given.Says(Given.Entry, VenueOrderStatus.Open);
        var (fills, left, isCancelled) = (new List<FillReport>(), given.State.Entry!.Intended.Quantity.Value, false);
        DateTimeOffset? unprotectedSince = null;
        for (var second = 0; second < 60 && given.State.Stop is null; second++)
        {
            if (left > 0 && !isCancelled && random.Next(3) == 0)
            {
                var part = random.Next(4) == 0 ? left : Math.Min(left, Given.Rules.QuantityStep * random.Next(1, 60));
                fills.Add(given.Fill(Given.Entry, $"f{fills.Count + 1}", part, 64_000, random.Next(2) * part / 1_000, "BTC"));
                left -= part;
                if (left == 0 || random.Next(2) == 0)
                    Show(left == 0 ? VenueOrderStatus.Filled : VenueOrderStatus.PartiallyFilled);
            }
            else if (fills.Count > 0)
            {
                Show(left == 0 ? VenueOrderStatus.Filled : VenueOrderStatus.PartiallyFilled);
            }
            if (given.Next() is NextStep.Decide)
                given.Proceeds();
            if (given.State.Entry is { CancelIntended: true, Status: OrderStatus.Resting } && !isCancelled)
            {
                isCancelled = true;
                Show(VenueOrderStatus.Cancelled);
            }
            if (Sizing.Sellable(given.State.Held(), Given.Rules, new Price(62_000)) > Quantity.Zero)
                unprotectedSince ??= given.Now;
            if (given.State.Stop is null && given.State.Stage is TradeStage.Entering)
                Assert.True(given.Now - (unprotectedSince ?? given.Now) <= TimeSpan.FromSeconds(Patience), $"{given.State.Held()} have been held without a stop since {unprotectedSince:O}.");
            given.After(1);
        }
        var sellable = Sizing.Sellable(given.State.Held(), Given.Rules, new Price(64_000));
        Assert.Equal(sellable, given.State.Stop?.Intended.Quantity ?? Quantity.Zero);
        Assert.Equal(fills.Sum(f => f.Quantity.Value), given.State.Entered.Value);

        void Show(VenueOrderStatus status) => given.Shows(Given.Entry, status, [.. fills]);
    }

    private void Rests(ExecutionPolicy? policy = null, decimal? stop = 62_000)
    {
        _given.Enters(Given.Signal(kind: OrderKind.Limit, limit: 64_000, stop: stop), policy: policy ?? Policy);
        _given.Says(Given.Entry, VenueOrderStatus.Open);
    }

    private IReadOnlyList<object> Fills(params (string Id, decimal Quantity)[] fills) => _given.Shows(Given.Entry, VenueOrderStatus.PartiallyFilled, [.. fills.Select(f => Fill(f.Id, f.Quantity))]);

    private FillReport Fill(string id, decimal quantity) => _given.Fill(Given.Entry, id, quantity, 64_000);
}
