using Antbot.PaperVenue;
using Xunit;
using static Antbot.Core.Tests.PaperVenue.Trading;

namespace Antbot.Core.Tests.PaperVenue;

public sealed class MatchingTests
{
    private readonly Trading _venue = new();

    private Account Alice => _venue.Alice;

    private Account Bob => _venue.Bob;

    [Fact]
    public void Given_sales_at_several_prices_When_one_buys_Then_the_best_price_goes_first_and_at_one_price_who_came_first()
    {
        var dear = _venue.Sell(Bob, "101", "1");
        var first = _venue.Sell(Bob, "100", "1");
        var second = _venue.Sell(Bob, "100", "1");

        var bought = _venue.Buy(Alice, "101", "1.5");

        Assert.Equal([first, second], bought.Fills.Select(f => _venue.Exchange.FindOrder(Maker(f))));
        Assert.Equal((OrderStatus.Filled, OrderStatus.PartiallyFilled, OrderStatus.New), (first.Status, second.Status, dear.Status));
        Assert.Equal((OrderStatus.Filled, N("150")), (bought.Status, bought.QuoteExecuted));

        long Maker(Fill fill) => _venue.Journal.OfType<Traded>().Single(t => t.Trade == fill.Trade).MakerOrder;
    }

    [Fact]
    public void Given_a_sale_When_it_is_bought_Then_both_pay_a_thousandth_of_what_they_receive()
    {
        _venue.Sell(Bob, "60000", "0.5");
        _venue.Buy(Alice, "60000", "0.5");

        Assert.Equal((N("970000"), N("100.4995")), (Alice.Balances[0].Free, Alice.Balances[Btc.Base].Free));
        Assert.Equal((N("1029970"), N("99.5")), (Bob.Balances[0].Free, Bob.Balances[Btc.Base].Free));
        Assert.Equal((N("30"), N("0.0005")), (_venue.Exchange.House.Balances[0].Free, _venue.Exchange.House.Balances[Btc.Base].Free));
    }

    [Fact]
    public void Given_a_purchase_When_it_trades_below_its_limit_Then_what_was_locked_too_much_is_free_again()
    {
        _venue.Sell(Bob, "90", "1");
        var order = _venue.Buy(Alice, "100", "3");

        Assert.Equal((N("999710"), N("200")), (Alice.Balances[0].Free, Alice.Balances[0].Locked));
        Assert.Equal(N("200"), order.Locked);
        Assert.True(_venue.Cancel(order));
        Assert.Equal((N("999910"), N("0")), (Alice.Balances[0].Free, Alice.Balances[0].Locked));
        Assert.Equal((OrderStatus.Cancelled, N("1")), (order.Status, order.Executed));
        Assert.False(_venue.Cancel(order));
    }

    [Fact]
    public void Given_too_little_to_fill_it_When_it_is_fill_or_kill_Then_nothing_trades_and_it_expires()
    {
        _venue.Sell(Bob, "100", "1");
        _venue.Sell(Bob, "102", "5");

        var killed = _venue.Limit(Alice, Side.Buy, "101", "1.5", TimeInForce.FillOrKill);
        var filled = _venue.Limit(Alice, Side.Buy, "102", "1.5", TimeInForce.FillOrKill);

        Assert.Equal((OrderStatus.Expired, N("0"), N("0")), (killed.Status, killed.Executed, killed.Locked));
        Assert.Equal((OrderStatus.Filled, N("151")), (filled.Status, filled.QuoteExecuted));
    }

    [Fact]
    public void Given_a_part_of_it_on_offer_When_it_is_immediate_or_cancel_Then_it_takes_that_and_expires()
    {
        _venue.Sell(Bob, "100", "1");
        var order = _venue.Limit(Alice, Side.Buy, "101", "1.5", TimeInForce.ImmediateOrCancel);
        Assert.Equal((OrderStatus.Expired, N("1"), N("0")), (order.Status, order.Executed, Alice.Balances[0].Locked));
        Assert.Null(_venue.Exchange[Btc].Bids.Best);
    }

    [Fact]
    public void Given_an_offer_When_a_maker_only_order_would_take_it_Then_it_is_refused_and_else_it_rests()
    {
        _venue.Sell(Bob, "100", "1");
        Assert.Equal((-2010, "Order would immediately match and take."), Refused(OrderType.LimitMaker, Side.Buy, "100"));
        var order = _venue.Accepted(Alice, Order(OrderType.LimitMaker, Side.Buy) with { Price = N("99.99") });
        Assert.Equal((OrderStatus.New, N("99.99")), (order.Status, _venue.Exchange[Btc].Bids.Best!.Price));
    }

    [Fact]
    public void Given_an_empty_book_When_a_market_order_comes_Then_it_expires_and_by_quote_it_is_refused()
    {
        _venue.ShowLast("100");
        var order = _venue.Market(Alice, Side.Sell, "1");
        Assert.Equal((OrderStatus.Expired, N("0")), (order.Status, order.Executed));
        Assert.Equal(-1112, _venue.Place(Alice, Order(OrderType.Market, Side.Buy) with { Quantity = Fixed8.Zero, QuoteQuantity = N("50") }).Rejection!.Code);
    }

    [Fact]
    public void Given_a_market_order_by_quote_When_the_book_has_levels_Then_it_spends_no_more_in_whole_lots()
    {
        _venue.Sell(Bob, "100", "1");
        _venue.Sell(Bob, "300", "1");
        var order = _venue.Accepted(Alice, Order(OrderType.Market, Side.Buy) with { Quantity = Fixed8.Zero, QuoteQuantity = N("200") });
        Assert.Equal((OrderStatus.Filled, N("1.33333"), N("199.999")), (order.Status, order.Executed, order.QuoteExecuted));

        _venue.Buy(Bob, "100", "1");
        var sold = _venue.Accepted(Alice, Order(OrderType.Market, Side.Sell) with { Quantity = Fixed8.Zero, QuoteQuantity = N("50") });
        Assert.Equal((OrderStatus.Filled, N("0.5"), N("50")), (sold.Status, sold.Executed, sold.QuoteExecuted));
    }

    [Fact]
    public void Given_an_open_order_When_its_client_id_comes_again_Then_it_is_refused_until_the_first_is_closed()
    {
        var order = Order(OrderType.Limit, Side.Buy) with { Price = N("50"), ClientId = "mine" };
        var first = _venue.Accepted(Alice, order);
        Assert.Equal((-2010, "Duplicate order sent."), (_venue.Place(Alice, order).Rejection!.Code, _venue.Place(Alice, order).Rejection!.Message));
        Assert.NotNull(_venue.Place(Bob, order).Order);

        _venue.Cancel(first);
        var second = _venue.Accepted(Alice, order);
        Assert.Equal(second, Alice.Latest("mine"));
        Assert.NotEqual(first.Id, second.Id);
    }

    [Theory]
    [InlineData(OrderType.StopLoss, Side.Sell, "95", "96", "95")]
    [InlineData(OrderType.StopLoss, Side.Buy, "105", "104.99", "105")]
    [InlineData(OrderType.TakeProfit, Side.Sell, "105", "104.99", "105.5")]
    [InlineData(OrderType.TakeProfit, Side.Buy, "95", "95.01", "94")]
    public void Given_a_waiting_order_When_the_last_price_reaches_its_stop_Then_it_comes_to_the_market_and_not_before(OrderType type, Side side, string stop, string before, string at)
    {
        _venue.ShowLast("100");
        var order = _venue.Accepted(Alice, Order(type, side) with { StopPrice = N(stop) });
        Assert.Equal((OrderStatus.New, false), (order.Status, order.IsWorking));

        _venue.ShowLast(before);
        Assert.False(order.IsWorking);
        _venue.Quote("93", "107");
        _venue.ShowLast(at);

        Assert.Equal((OrderStatus.Filled, true), (order.Status, order.IsWorking));
        Assert.Equal(N(side == Side.Sell ? "93" : "107"), order.Fills[0].Price);
    }

    [Fact]
    public void Given_a_last_price_When_a_stop_is_already_reached_Then_it_is_refused()
    {
        _venue.ShowLast("100");
        Assert.Equal((-2010, "Stop price would trigger immediately."), Refused(OrderType.StopLoss, Side.Sell, null, "100"));
        Assert.Equal((-2010, "Stop price would trigger immediately."), Refused(OrderType.TakeProfit, Side.Sell, null, "99"));
    }

    [Fact]
    public void Given_a_stop_limit_When_it_wakes_Then_it_rests_at_its_price_behind_who_is_there()
    {
        _venue.ShowLast("100");
        var order = _venue.Accepted(Alice, Order(OrderType.StopLossLimit, Side.Sell) with { StopPrice = N("95"), Price = N("97") });
        Assert.Equal(N("1"), Alice.Balances[Btc.Base].Locked);
        var there = _venue.Sell(Bob, "97", "1");
        _venue.ShowLast("95");

        _venue.Buy(Bob, "97", "1");
        Assert.Equal((OrderStatus.Filled, OrderStatus.New, true), (there.Status, order.Status, order.IsWorking));
    }

    [Fact]
    public void Given_stops_on_both_sides_When_one_wakes_the_other_Then_each_wakes_once()
    {
        _venue.ShowLast("100");
        _venue.Buy(Bob, "90", "1");
        _venue.Sell(Bob, "110", "5");
        var falling = _venue.Accepted(Alice, Order(OrderType.StopLoss, Side.Sell) with { StopPrice = N("99") });
        var further = _venue.Accepted(Alice, Order(OrderType.TakeProfit, Side.Buy) with { StopPrice = N("91") });
        _venue.ShowLast("99");
        Assert.Equal((OrderStatus.Filled, N("90")), (falling.Status, falling.Fills[0].Price));
        Assert.Equal((OrderStatus.Filled, N("110")), (further.Status, further.Fills[0].Price));
        Assert.Equal(2, _venue.Journal.OfType<OrderTriggered>().Count());
    }

    [Fact]
    public void Given_a_waiting_purchase_at_any_price_When_its_owner_has_spent_the_money_Then_it_buys_what_is_left_pays_for_and_expires()
    {
        var carol = _venue.Open("carol", "1000", "0");
        _venue.ShowLast("100");
        var order = _venue.Accepted(carol, Order(OrderType.StopLoss, Side.Buy) with { StopPrice = N("105"), Quantity = N("5") });
        _venue.Buy(carol, "50", "12");
        _venue.Quote("100", "110");
        _venue.ShowLast("105");
        Assert.Equal((OrderStatus.Expired, N("3.63636")), (order.Status, order.Executed));
        Assert.True(carol.Balances[0].Free >= Fixed8.Zero);
    }

    [Theory]
    [InlineData("100.001", "1", "PRICE_FILTER")]
    [InlineData("0.001", "1", "PRICE_FILTER")]
    [InlineData("1000000.01", "1", "PRICE_FILTER")]
    [InlineData("100", "0.000001", "LOT_SIZE")]
    [InlineData("100", "0.100001", "LOT_SIZE")]
    [InlineData("100", "9001", "LOT_SIZE")]
    [InlineData("100", "0.04999", "NOTIONAL")]
    [InlineData("900000", "11", "NOTIONAL")]
    public void Given_a_filter_When_an_order_breaks_it_Then_it_is_refused_by_its_name(string price, string quantity, string filter)
    {
        var refused = _venue.Place(Alice, Order(OrderType.Limit, Side.Buy) with { Price = N(price), Quantity = N(quantity) }).Rejection!;
        Assert.Equal((-1013, $"Filter failure: {filter}"), (refused.Code, refused.Message));
        Assert.DoesNotContain(_venue.Journal, e => e is OrderAccepted);
    }

    [Theory]
    [InlineData("500", true)]
    [InlineData("500.01", false)]
    [InlineData("20", true)]
    [InlineData("19.99", false)]
    public void Given_a_last_price_When_a_limit_is_more_than_five_times_off_Then_it_is_refused(string price, bool taken)
    {
        _venue.ShowLast("100");
        var placed = _venue.Place(Alice, Order(OrderType.Limit, Side.Buy) with { Price = N(price) });
        Assert.Equal(taken ? null : "Filter failure: PERCENT_PRICE_BY_SIDE", placed.Rejection?.Message);
    }

    [Fact]
    public void Given_an_order_at_any_price_When_it_is_larger_than_such_may_be_Then_it_is_refused_and_at_a_price_it_is_not()
    {
        var rich = _venue.Open("rich", coins: "9000");
        _venue.ShowLast("100");
        var order = Order(OrderType.Market, Side.Sell) with { Quantity = N("1000.00001") };
        Assert.Equal("Filter failure: MARKET_LOT_SIZE", _venue.Place(rich, order).Rejection?.Message);
        Assert.Equal("Filter failure: MARKET_LOT_SIZE", _venue.Place(rich, order with { Type = OrderType.StopLoss, StopPrice = N("90") }).Rejection?.Message);
        Assert.NotNull(_venue.Place(rich, order with { Type = OrderType.Limit, Price = N("100") }).Order);
    }

    [Theory]
    [InlineData("60", "30", "30")]
    [InlineData("40", "100", "60")]
    [InlineData("100", "1", null)]
    public void Given_a_sale_that_only_reduces_When_less_is_free_Then_it_is_cut_to_that(string locked, string asked, string? placed)
    {
        _venue.Sell(Alice, "200", locked);
        var order = _venue.Place(Alice, Order(OrderType.Limit, Side.Sell) with { Price = N("150"), Quantity = N(asked), ReduceOnly = true });
        Assert.Equal(placed is null ? null : N(placed), order.Order?.Quantity);
        Assert.Equal(placed is null ? "ReduceOnly Order is rejected." : null, order.Rejection?.Message);
    }

    [Fact]
    public void Given_a_purchase_that_only_reduces_When_it_comes_Then_it_is_refused_as_it_would_add() =>
        Assert.Equal("ReduceOnly Order is rejected.", _venue.Place(Alice, Order(OrderType.Limit, Side.Buy) with { Price = N("150"), ReduceOnly = true }).Rejection?.Message);

    [Fact]
    public void Given_somebody_who_watches_the_book_When_it_changes_Then_every_price_that_changed_is_noted()
    {
        var (bids, asks) = (_venue.Exchange[Btc].Bids, _venue.Exchange[Btc].Asks);
        (bids.Changed, asks.Changed) = (new HashSet<long>(), new HashSet<long>());
        var sale = _venue.Sell(Bob, "101", "2");
        _venue.Buy(Alice, "101", "0.5");
        Assert.Equal([N("101").Units], asks.Changed);
        // It rested for the moment before it took.
        Assert.Equal([N("101").Units], bids.Changed);
        Assert.Equal((N("1.5"), N("0")), (asks.ShownAt(N("101")), bids.ShownAt(N("101"))));
        asks.Changed.Clear();
        _venue.Cancel(sale);
        Assert.Equal([N("101").Units], asks.Changed);
        Assert.Equal(N("0"), asks.ShownAt(N("101")));
    }

    [Theory]
    [InlineData(OrderType.Market, OrderStatus.Filled, "101")]
    [InlineData(OrderType.Limit, OrderStatus.PartiallyFilled, "101")]
    public void Given_an_order_that_is_held_back_When_it_is_let_go_Then_it_trades_and_not_before(OrderType type, OrderStatus status, string price)
    {
        _venue.ShowLast("100");
        _venue.Sell(Bob, "101", "1");
        var order = _venue.Exchange.Place(Alice, Order(type, Side.Buy) with { Price = type == OrderType.Limit ? N("102") : Fixed8.Zero, Quantity = type == OrderType.Limit ? N("2") : N("1") }, _venue.Now, isHeld: true).Order!;
        _venue.Drain();
        Assert.Equal((OrderStatus.New, true, false), (order.Status, order.IsHeld, order.IsWorking));
        _venue.Sell(Bob, "105", "1");
        Assert.Empty(order.Fills);
        foreach (var read in (Exchange[])[Replayed(_venue.Journal), Exchange.Restore(VenueRules.Default, StateOf(_venue.Exchange))])
        {
            Assert.Equal(order.Id, Assert.Single(read.Held).Id);
            Assert.True(read.Release(read.Held[0], _venue.Now));
            Assert.Equal(status, read.FindOrder(order.Id)!.Status);
        }

        Assert.True(_venue.Exchange.Release(order, ++_venue.Now));
        _venue.Drain();
        Assert.Equal((status, N(price)), (order.Status, order.Fills[0].Price));
        Assert.False(_venue.Exchange.Release(order, _venue.Now));
        Assert.Equal(StateOf(_venue.Exchange), StateOf(Replayed(_venue.Journal)));
    }

    [Fact]
    public void Given_an_order_that_is_held_back_When_it_is_cancelled_Then_all_is_free_again()
    {
        var order = _venue.Exchange.Place(Alice, Order(OrderType.Limit, Side.Buy) with { Price = N("100") }, _venue.Now, isHeld: true).Order!;
        Assert.Equal(N("100"), Alice.Balances[0].Locked);
        Assert.True(_venue.Cancel(order));
        Assert.Equal((N("0"), N("1000000")), (Alice.Balances[0].Locked, Alice.Balances[0].Free));
    }

    [Theory]
    [InlineData(Side.Buy)]
    [InlineData(Side.Sell)]
    public void Given_a_fill_When_it_is_busted_Then_its_owner_has_back_what_was_given_and_all_together_hold_the_same(Side side)
    {
        _venue.ShowLast("100");
        _venue.Quote("99", "101");
        var before = (Alice.Balances[0], Alice.Balances[Btc.Base]);
        var order = _venue.Market(Alice, side, "2");
        Assert.True(_venue.Exchange.Bust(order, ++_venue.Now));
        _venue.Drain();
        Assert.Equal(before, (Alice.Balances[0], Alice.Balances[Btc.Base]));
        var busted = _venue.Exchange.FindOrder(order.Id)!;
        Assert.Equal((OrderStatus.Expired, N("0"), N("0"), 0), (busted.Status, busted.Executed, busted.QuoteExecuted, busted.Fills.Count));
        Assert.Equal((busted, busted), (Alice.Latest(order.ClientId), Assert.Single(Alice.Orders)));
        Assert.Empty(Alice.FillsFrom(0));
        Assert.False(_venue.Exchange.Bust(order, _venue.Now));
        Assert.Equal(StateOf(_venue.Exchange), StateOf(Replayed(_venue.Journal)));
    }

    [Fact]
    public void Given_several_fills_When_they_are_busted_Then_the_last_goes_first_and_what_is_forgotten_is_gone_with_all_of_them()
    {
        var venue = new Trading(VenueRules.Default with { MaxClosedOrders = 2 });
        foreach (var price in (string[])["100", "101", "102"])
            venue.Sell(venue.Bob, price, "1");
        var order = venue.Buy(venue.Alice, "102", "3");
        for (var left = 2; left >= 1; left--)
        {
            Assert.True(venue.Exchange.Bust(order, ++venue.Now));
            venue.Drain();
            Assert.Equal(order.Fills.Take(left).Select(f => (f.Trade, f.Price)), venue.Alice.FillsFrom(0).Select(f => (f.Trade, f.Price)));
            Assert.Equal((OrderStatus.Expired, left), (venue.Exchange.FindOrder(order.Id)!.Status, venue.Exchange.FindOrder(order.Id)!.Fills.Count));
        }
        for (var i = 0; i < 3; i++)
            venue.Cancel(venue.Buy(venue.Alice, "50", "1"));
        Assert.Null(venue.Exchange.FindOrder(order.Id));
        Assert.Empty(venue.Alice.FillsFrom(0));
        Assert.False(venue.Exchange.Bust(order, venue.Now));
        Assert.Equal(StateOf(venue.Exchange), StateOf(Replayed(venue.Journal, venue.Exchange.Rules)));
    }

    [Fact]
    public void Given_a_fill_When_what_it_brought_is_spent_Then_it_cannot_be_busted()
    {
        var carol = _venue.Open("carol", "1000", "0");
        _venue.ShowLast("100");
        _venue.Quote("99", "101");
        var order = _venue.Market(carol, Side.Buy, "2");
        _venue.Sell(carol, "150", "1.9");
        Assert.False(_venue.Exchange.Bust(order, _venue.Now));
    }

    [Fact]
    public void Given_too_little_money_When_an_order_needs_more_Then_it_is_refused()
    {
        _venue.ShowLast("20000");
        _venue.Sell(Bob, "20000", "60");
        const string Why = "Account has insufficient balance for requested action.";
        Assert.Equal((-2010, Why), Refused(OrderType.Limit, Side.Buy, "20000", quantity: "50.00001"));
        Assert.Equal((-2010, Why), Refused(OrderType.Market, Side.Buy, null, quantity: "50.00001"));
        Assert.Equal((-2010, Why), Refused(OrderType.Limit, Side.Sell, "30000", quantity: "100.00001"));
        Assert.Equal((-2010, Why), Refused(OrderType.Market, Side.Sell, null, quantity: "100.00001"));
        Assert.Equal(OrderStatus.Filled, _venue.Market(Alice, Side.Buy, "50").Status);
        Assert.Equal(Fixed8.Zero, Alice.Balances[0].Free);
    }

    [Fact]
    public void Given_a_limit_of_open_orders_When_it_is_reached_Then_another_is_refused_until_one_is_closed()
    {
        var venue = new Trading(VenueRules.Default with { MaxOpenOrders = 2 });
        var first = venue.Buy(venue.Alice, "50", "1");
        venue.Buy(venue.Alice, "51", "1");
        Assert.Equal("Filter failure: MAX_NUM_ORDERS", venue.Place(venue.Alice, Order(OrderType.Limit, Side.Buy) with { Price = N("52"), ClientId = "x" }).Rejection!.Message);
        venue.Cancel(first);
        venue.Buy(venue.Alice, "52", "1");
    }

    [Fact]
    public void Given_orders_of_clients_When_the_house_quotes_past_them_Then_they_are_filled_at_their_own_prices()
    {
        var purchase = _venue.Buy(Alice, "99", "2");
        var sale = _venue.Sell(Bob, "101", "3");
        _venue.Quote("97", "98");
        Assert.Equal((OrderStatus.Filled, N("198")), (purchase.Status, purchase.QuoteExecuted));
        Assert.True(purchase.Fills[0].IsMaker);
        _venue.Quote("102", "103");
        Assert.Equal((OrderStatus.Filled, N("303")), (sale.Status, sale.QuoteExecuted));
    }

    [Fact]
    public void Given_a_client_in_the_way_When_the_house_quotes_Then_the_book_is_not_crossed()
    {
        _venue.Exchange.Requote(Btc, [], [], N("1000"), N("1"), _venue.Now);
        _venue.Buy(Alice, "99", "1");
        _venue.Exchange.Requote(Btc, [new Quote(N("97"), N("1"))], [new Quote(N("98"), N("1"))], N("1000"), N("1"), _venue.Now);
        Assert.Null(_venue.Exchange[Btc].Asks.Best);
    }

    [Fact]
    public void Given_quotes_When_they_are_thinned_Then_an_order_finds_only_that_much()
    {
        _venue.Quote("99", "101");
        _venue.Exchange.Thin(Btc, Side.Sell, N("0.4"));
        var order = _venue.Buy(Alice, "102", "1");
        Assert.Equal((OrderStatus.PartiallyFilled, N("0.4"), N("102")), (order.Status, order.Executed, _venue.Exchange[Btc].Bids.Best!.Price));
        _venue.Quote("99", "101");
        Assert.Equal(OrderStatus.Filled, order.Status);
    }

    [Fact]
    public void Given_more_closed_orders_than_are_remembered_When_another_closes_Then_the_oldest_is_forgotten_with_its_fills()
    {
        var venue = new Trading(VenueRules.Default with { MaxClosedOrders = 10 });
        var orders = new List<Order>();
        for (var i = 0; i < 40; i++)
        {
            venue.Sell(venue.Bob, "100", "1");
            orders.Add(venue.Buy(venue.Alice, "100", "1"));
        }
        Assert.Equal(5, venue.Alice.Orders.Count());
        Assert.Equal(orders[^5..], venue.Alice.Orders);
        Assert.Equal(orders[^5..].SelectMany(o => o.Fills), venue.Alice.FillsFrom(0));
        Assert.Null(venue.Exchange.FindOrder(orders[0].Id));
        Assert.Null(venue.Alice.Latest(orders[0].ClientId));
        Assert.Equal(70, venue.Exchange.Forgotten);
        Assert.Equal(StateOf(venue.Exchange), StateOf(Replayed(venue.Journal, venue.Exchange.Rules)));
    }

    [Fact]
    public void Given_an_order_in_two_fills_When_they_are_reported_Then_each_report_has_the_figures_of_its_moment()
    {
        _venue.Sell(Bob, "100", "1");
        _venue.Sell(Bob, "101", "1");
        var order = _venue.Buy(Alice, "101", "2");
        Assert.Equal(
            [(ExecutionKind.New, N("0"), OrderStatus.New), (ExecutionKind.Trade, N("1"), OrderStatus.PartiallyFilled), (ExecutionKind.Trade, N("2"), OrderStatus.Filled)],
            _venue.Reports.Where(r => r.Order == order).Select(r => (r.Kind, r.Executed, r.Status)));
    }

    private NewOrder Order(OrderType type, Side side) => new()
    {
        Instrument = Btc,
        Side = side,
        Type = type,
        Quantity = N("1"),
        ClientId = _venue.NextId(),
    };

    private (int Code, string Message) Refused(OrderType type, Side side, string? price, string? stop = null, string quantity = "1")
    {
        var order = Order(type, side) with { Price = price is null ? Fixed8.Zero : N(price), StopPrice = stop is null ? Fixed8.Zero : N(stop), Quantity = N(quantity) };
        var rejection = _venue.Place(Alice, order).Rejection!;
        return (rejection.Code, rejection.Message);
    }
}
