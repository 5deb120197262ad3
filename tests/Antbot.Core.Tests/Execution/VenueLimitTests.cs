using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Venue;
using Xunit;
using static Antbot.Core.Tests.Execution.Given;

namespace Antbot.Core.Tests.Execution;

/// <summary>What the venue does not take is not sent, and what could not be protected or sold again is not entered.</summary>
public sealed class VenueLimitTests
{
    private const OrderTypes All = OrderTypes.Market | OrderTypes.Limit | OrderTypes.Stop | OrderTypes.StopLimit;

    private readonly Given _given = new();

    [Theory]
    [InlineData(OrderTypes.Stop, false, OrderKind.Market, "no Stop orders in BTCUSDT: it could not be protected")]
    [InlineData(OrderTypes.StopLimit, true, OrderKind.Market, "no StopLimit orders in BTCUSDT: it could not be protected")]
    [InlineData(OrderTypes.Market, false, OrderKind.Market, "no Market orders in BTCUSDT: what is held could not be sold")]
    [InlineData(OrderTypes.Market, false, OrderKind.Limit, "no Market orders in BTCUSDT: what is held could not be sold")]
    [InlineData(OrderTypes.Limit, false, OrderKind.Limit, "no Limit orders in BTCUSDT: it could not be entered")]
    public void What_the_venue_does_not_take_is_refused_before_it_is_sent_and_says_why(OrderTypes missing, bool stopsHaveLimits, OrderKind kind, string why)
    {
        var decided = _given.Enters(
            Signal(kind: kind, limit: kind == OrderKind.Limit ? 65_000 : null), rules: Rules with { Types = All & ~missing }, policy: Policy with { StopLimitDistance = stopsHaveLimits ? 0.01m : null });
        Assert.Contains(why, Assert.Single(decided.OfType<EntryFailedRecorded>()).Reason, StringComparison.Ordinal);
        Assert.DoesNotContain(decided, e => e is OrderIntended);
    }

    [Theory]
    [InlineData(All & ~OrderTypes.StopLimit, false, OrderKind.Market)]
    [InlineData(All & ~OrderTypes.Stop, true, OrderKind.Market)]
    [InlineData(All & ~OrderTypes.Limit, false, OrderKind.Market)]
    [InlineData(All, false, OrderKind.Limit)]
    [InlineData(null, false, OrderKind.Market)]
    public void What_is_not_needed_need_not_be_taken(OrderTypes? types, bool stopsHaveLimits, OrderKind kind) => Assert.Single(
        _given.Enters(
            Signal(kind: kind, limit: kind == OrderKind.Limit ? 65_000 : null), rules: Rules with { Types = types }, policy: Policy with { StopLimitDistance = stopsHaveLimits ? 0.01m : null })
            .OfType<OrderAttempted>());

    /// <summary>Prevents that coins somebody bought are put up for sale because no stop may be placed for them.</summary>
    [Fact]
    public void What_could_not_be_protected_is_not_adopted_either()
    {
        var failed = Assert.Single(_given.When(new Antbot.Execution.Adopt(Signal(), null, new Quantity(0.01m), Rules with { Types = All & ~OrderTypes.Stop }, Policy, "the venue holds it", null, _given.Stamp)).OfType<EntryFailedRecorded>());
        Assert.StartsWith("not adopted: the venue takes no Stop orders", failed.Reason, StringComparison.Ordinal);
    }

    /// <summary>Prevents market orders that the venue refuses for their size, which lot sizes alone allow.</summary>
    [Fact]
    public void Orders_at_any_price_keep_to_bounds_of_their_own()
    {
        var rules = Rules with { MarketQuantityMax = new Quantity(0.004m), MarketQuantityStep = 0.001m, MarketQuantityMin = new Quantity(0.002m) };
        _given.Enters(Signal(notional: 650), rules: rules);
        Assert.Equal(0.004m, _given.State.Entry!.Intended.Quantity.Value);
        var limited = new Given();
        limited.Enters(Signal(kind: OrderKind.Limit, limit: 65_000), rules: rules);
        // What is bought at a limit must be sold again at any price: in one order, with the step of those at a limit.
        Assert.Equal(0.004m, limited.State.Entry!.Intended.Quantity.Value);
        Assert.Single(new Given().Enters(Signal(notional: 100), rules: rules).OfType<EntryFailedRecorded>());
    }

    [Fact]
    public void What_is_more_than_one_order_sells_is_sold_in_several()
    {
        _given.When(new Antbot.Execution.Adopt(Signal(), null, new Quantity(0.01m), Rules with { MarketQuantityMax = new Quantity(0.006m) }, Policy, "the venue holds it", null, _given.Stamp));
        Assert.Equal(0.006m, _given.State.Stop!.Intended.Quantity.Value);
        _given.Says(Stop, VenueOrderStatus.Open);
        _given.GetsOut();
        _given.Shows(Stop, VenueOrderStatus.Cancelled);
        _given.Says(Exit, VenueOrderStatus.Filled, _given.Fill(Exit, "x1", 0.006m, 65_000));
        Assert.Equal(0.004m, _given.State.Exit!.Intended.Quantity.Value);
    }
}
