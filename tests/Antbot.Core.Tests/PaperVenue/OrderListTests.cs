using Antbot.PaperVenue;
using Xunit;
using static Antbot.Core.Tests.PaperVenue.Trading;

namespace Antbot.Core.Tests.PaperVenue;

/// <summary>Two orders of which one cancels the other.</summary>
public sealed class OrderListTests
{
    private readonly Trading _venue = new();

    public OrderListTests() => _venue.ShowLast("100");

    private Account Alice => _venue.Alice;

    private Account Bob => _venue.Bob;

    [Fact]
    public void Given_a_pair_When_its_limit_trades_even_in_part_Then_the_stop_has_expired_and_the_rest_goes_on()
    {
        var (list, stop, limit) = _venue.Accepted(Alice, _venue.Pair(Side.Sell, "110", "90"));
        Assert.Equal((N("99"), N("1")), (Alice.Balances[Btc.Base].Free, Alice.Balances[Btc.Base].Locked));

        _venue.Buy(Bob, "110", "0.4");

        Assert.Equal((OrderStatus.Expired, OrderStatus.PartiallyFilled, true), (stop.Status, limit.Status, list.IsOpen));
        _venue.ShowLast("80");
        Assert.Empty(stop.Fills);
        _venue.Buy(Bob, "110", "1");
        Assert.Equal((OrderStatus.Filled, false, N("99"), N("0")), (limit.Status, list.IsOpen, Alice.Balances[Btc.Base].Free, Alice.Balances[Btc.Base].Locked));
        Assert.Equal([false, true], _venue.ListReports.Select(r => r.IsDone));
    }

    [Theory]
    [InlineData(Side.Sell, "110", "90", "92", "88")]
    [InlineData(Side.Buy, "90", "110", "108", "112")]
    public void Given_a_pair_When_its_stop_price_comes_Then_the_limit_has_expired_before_the_stop_trades(Side side, string limitPrice, string stopPrice, string before, string at)
    {
        var (list, stop, limit) = _venue.Accepted(Alice, _venue.Pair(side, limitPrice, stopPrice));
        _venue.ShowLast(before);
        Assert.True(stop.IsOpen && limit.IsOpen);
        _venue.Quote("89", "111");
        _venue.ShowLast(at);

        Assert.Equal((OrderStatus.Filled, OrderStatus.Expired, false), (stop.Status, limit.Status, list.IsOpen));
        Assert.True(_venue.Reports.FindIndex(r => r.Order == limit && r.Kind == ExecutionKind.Expired) < _venue.Reports.FindIndex(r => r.Order == stop && r.Kind == ExecutionKind.Trade));
        Assert.Equal((N("0"), N("0")), (Alice.Balances[0].Locked, Alice.Balances[Btc.Base].Locked));
    }

    [Fact]
    public void Given_a_pair_of_a_stop_loss_and_a_take_profit_When_the_profit_is_there_Then_the_loss_has_expired()
    {
        var pair = _venue.Pair(Side.Sell, "110", "90");
        var (_, stop, profit) = _venue.Accepted(Alice, pair with { Other = pair.Other with { Type = OrderType.TakeProfitLimit, StopPrice = N("110"), Price = N("109") } });
        _venue.ShowLast("110");
        Assert.Equal((OrderStatus.Expired, OrderStatus.New, true), (stop.Status, profit.Status, profit.IsWorking));
        Assert.Equal(N("109"), _venue.Exchange[Btc].Asks.Best!.Price);
    }

    /// <summary>Were it the sum of both, nobody could protect all that is held.</summary>
    [Fact]
    public void Given_a_purchase_in_a_pair_When_it_waits_Then_the_dearer_order_alone_is_set_aside_and_what_is_left_of_it_is_free_when_it_ends()
    {
        var (_, stop, limit) = _venue.Accepted(Alice, _venue.Pair(Side.Buy, "90", "110", "112"));
        Assert.Equal((N("112"), N("112"), N("0")), (Alice.Balances[0].Locked, stop.Locked, limit.Locked));

        _venue.Sell(Bob, "90", "0.5");

        Assert.Equal((OrderStatus.Expired, N("45"), N("45")), (stop.Status, Alice.Balances[0].Locked, limit.Locked));
        Assert.Equal(N("999910"), Alice.Balances[0].Free);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Given_a_pair_When_either_order_is_cancelled_Then_both_are_and_all_is_free(bool byStop)
    {
        var (list, stop, limit) = _venue.Accepted(Alice, _venue.Pair(Side.Buy, "90", "110", "112"));
        Assert.True(_venue.Cancel(byStop ? stop : limit));
        Assert.Equal((OrderStatus.Cancelled, OrderStatus.Cancelled, false), (stop.Status, limit.Status, list.IsOpen));
        Assert.Equal(stop.CancelId, limit.CancelId);
        Assert.Equal((N("1000000"), N("0")), (Alice.Balances[0].Free, Alice.Balances[0].Locked));
        Assert.False(_venue.Exchange.Cancel(list, "again", _venue.Now));
    }

    [Theory]
    [InlineData(Side.Sell, "100", "90")]
    [InlineData(Side.Sell, "110", "100")]
    [InlineData(Side.Sell, "90", "110")]
    [InlineData(Side.Buy, "100", "110")]
    [InlineData(Side.Buy, "90", "100")]
    [InlineData(Side.Buy, "110", "90")]
    public void Given_a_last_price_When_it_is_not_between_the_two_Then_neither_is_taken(Side side, string limit, string stop)
    {
        var refused = _venue.Place(Alice, _venue.Pair(side, limit, stop)).Rejection!;
        Assert.Equal((-2010, "The relationship of the prices for the orders is not correct."), (refused.Code, refused.Message));
        Assert.DoesNotContain(_venue.Journal, e => e is OrderAccepted or OrderListAccepted);
    }

    [Fact]
    public void Given_one_order_that_breaks_a_rule_When_the_pair_comes_Then_neither_is_taken()
    {
        Assert.Equal("Filter failure: PRICE_FILTER", Refused(_venue.Pair(Side.Sell, "110", "90.001")));
        Assert.Equal("Filter failure: LOT_SIZE", Refused(_venue.Pair(Side.Sell, "110", "90", quantity: "0.000001")));
        Assert.Equal("Account has insufficient balance for requested action.", Refused(_venue.Pair(Side.Sell, "110", "90", quantity: "100.00001")));
        var pair = _venue.Pair(Side.Sell, "110", "90");
        Assert.Equal("Duplicate order sent.", Refused(pair with { Other = pair.Other with { ClientId = pair.StopLoss.ClientId } }));
        _venue.Accepted(Alice, pair);
        Assert.Equal("Duplicate order sent.", Refused(_venue.Pair(Side.Sell, "110", "90") with { ClientId = pair.ClientId }));
        _venue.Buy(Bob, "105", "1");
        Assert.Equal("Order would immediately match and take.", Refused(_venue.Pair(Side.Sell, "105", "90")));
        Assert.Equal(2, _venue.Journal.OfType<OrderAccepted>().Count(o => o.List != 0));

        string Refused(NewOrderList list) => _venue.Place(Alice, list).Rejection!.Message;
    }

    [Fact]
    public void Given_room_for_one_order_more_When_a_pair_comes_Then_it_is_refused_and_so_is_one_list_too_many()
    {
        var few = new Trading(VenueRules.Default with { MaxOpenOrders = 3, MaxOpenLists = 1 });
        few.ShowLast("100");
        var first = few.Accepted(few.Alice, few.Pair(Side.Sell, "110", "90"));
        Assert.Equal("Filter failure: MAX_NUM_ORDER_LISTS", few.Place(few.Alice, few.Pair(Side.Sell, "110", "90")).Rejection!.Message);
        few.Cancel(first.Stop);
        few.Sell(few.Alice, "120", "1");
        few.Sell(few.Alice, "120", "1");
        Assert.Equal("Filter failure: MAX_NUM_ORDERS", few.Place(few.Alice, few.Pair(Side.Sell, "110", "90")).Rejection!.Message);
    }

    [Fact]
    public void Given_a_pair_When_its_orders_are_forgotten_Then_it_is_forgotten_with_the_last_of_them()
    {
        var few = new Trading(VenueRules.Default with { MaxClosedOrders = 2 });
        few.ShowLast("100");
        var (list, stop, _) = few.Accepted(few.Alice, few.Pair(Side.Sell, "110", "90"));
        few.Cancel(stop);
        Assert.Equal(list, few.Exchange.FindList(list.Id));
        few.Cancel(few.Buy(few.Alice, "50", "1"));
        Assert.Single(few.Exchange.OrdersOf(list));
        Assert.Equal([list], few.Alice.ListsFromLatest);
        few.Cancel(few.Buy(few.Alice, "50", "1"));
        Assert.Null(few.Exchange.FindList(list.Id));
        Assert.Empty(few.Alice.ListsFromLatest);
        Assert.Null(few.Alice.LatestList(list.ClientId));
    }

    [Fact]
    public void Given_pairs_in_every_state_When_the_journal_or_a_snapshot_is_read_back_Then_they_go_on_as_they_were()
    {
        var waiting = _venue.Accepted(Alice, _venue.Pair(Side.Sell, "110", "90"));
        _venue.Cancel(_venue.Accepted(Alice, _venue.Pair(Side.Buy, "90", "110", "112")).Stop);
        var half = _venue.Accepted(Alice, _venue.Pair(Side.Sell, "109", "91"));
        _venue.Buy(Bob, "109", "0.5");

        foreach (var again in (Exchange[])[Replayed(_venue.Journal), Exchange.Restore(VenueRules.Default, StateOf(_venue.Exchange))])
        {
            again.Recovered();
            Assert.Equal(StateOf(_venue.Exchange), StateOf(again));
            var alice = again.FindAccount("alice")!;
            Assert.Equal([waiting.List.Id, half.List.Id], alice.OpenLists.Select(l => l.Id));
            again.Cancel(again.FindOrder(half.Other.Id)!, "c", _venue.Now);
            Assert.True(again.FindList(waiting.List.Id)!.IsOpen);
            again.Show(Btc, N("90"), Btc.Lot, _venue.Now);
            Assert.Equal((true, OrderStatus.Expired), (again.FindOrder(waiting.Stop.Id)!.IsWorking, again.FindOrder(waiting.Other.Id)!.Status));
            Assert.Empty(alice.OpenLists);
        }
    }
}
