using Antbot.PaperVenue;
using Xunit;
using static Antbot.Core.Tests.PaperVenue.Trading;

namespace Antbot.Core.Tests.PaperVenue;

/// <summary>Stops that follow the price; the figures are those of the exchange's own public examples.</summary>
public sealed class TrailingStopTests
{
    private readonly Trading _venue = new();

    public TrailingStopTests() => _venue.ShowLast("40000");

    private Account Alice => _venue.Alice;

    /// <param name="still">Prices, one after the other, at which it waits.</param>
    [Theory]
    [InlineData(OrderType.StopLossLimit, Side.Buy, "44000", 500, "45000", "37000 44000 45000 46000 42000 44099.99", "44100")]
    [InlineData(OrderType.StopLossLimit, Side.Sell, "39000", 1000, "38000", "41500 39000 37000 41000 36900.01", "36900")]
    [InlineData(OrderType.TakeProfitLimit, Side.Buy, "38000", 850, "38500", "42000 38000 37000 39000 38000 40144.99", "40145")]
    [InlineData(OrderType.TakeProfitLimit, Side.Sell, "42000", 750, "41000", "41500 39000 42000 45000 44000 46500 43012.51", "43012.5")]
    [InlineData(OrderType.StopLossLimit, Side.Sell, null, 700, "39000", "42000 39500 45500 42315.01", "42315")]
    [InlineData(OrderType.TakeProfit, Side.Buy, null, 100, null, "40399.99 30000 30299.99", "30300")]
    public void Given_a_stop_that_follows_When_the_price_comes_back_by_as_much_from_the_best_Then_it_wakes_and_not_before(OrderType type, Side side, string? stop, int delta, string? limit, string still, string at)
    {
        var order = _venue.Accepted(Alice, Trailing(type, side, stop, delta, limit));
        // Without a stop price 40,000 is the best price there has been, with one nothing is before that price.
        Assert.Equal((stop is null, false), (order.TrailingTime >= 0, order.IsWorking));
        foreach (var price in still.Split(' '))
        {
            _venue.ShowLast(price);
            Assert.False(order.IsWorking, $"it woke at {price}");
        }
        _venue.ShowLast(at);
        Assert.True(order.IsWorking);
        Assert.Equal(limit is null ? OrderStatus.Expired : OrderStatus.New, order.Status);
    }

    [Theory]
    [InlineData(9, false)]
    [InlineData(10, true)]
    [InlineData(2_000, true)]
    [InlineData(2_001, false)]
    public void Given_a_filter_When_it_follows_too_close_or_too_far_Then_it_is_refused(int delta, bool isTaken) =>
        Assert.Equal(isTaken ? null : "Filter failure: TRAILING_DELTA", _venue.Place(Alice, Trailing(OrderType.StopLoss, Side.Sell, null, delta, null)).Rejection?.Message);

    /// <summary>The trades that moved them were the house's own, and those are in no journal.</summary>
    [Fact]
    public void Given_stops_that_have_followed_When_the_journal_or_a_snapshot_is_read_back_Then_they_wake_where_they_would_have()
    {
        var order = _venue.Accepted(Alice, Trailing(OrderType.StopLoss, Side.Sell, null, 1_000, null));
        var later = _venue.Accepted(Alice, Trailing(OrderType.StopLoss, Side.Sell, "39000", 1_000, null));
        _venue.ShowLast("45000");
        _venue.ShowLast("44000");
        Assert.Equal((N("45000"), -1L), (order.TrailingPrice, later.TrailingTime));

        foreach (var again in (Exchange[])[Replayed(_venue.Journal), Exchange.Restore(VenueRules.Default, StateOf(_venue.Exchange))])
        {
            again.Recovered();
            Assert.Equal(StateOf(_venue.Exchange), StateOf(again));
            again.Show(Btc, N("40500.01"), Btc.Lot, _venue.Now);
            Assert.False(again.FindOrder(order.Id)!.IsWorking);
            again.Show(Btc, N("40500"), Btc.Lot, _venue.Now);
            Assert.True(again.FindOrder(order.Id)!.IsWorking);
            Assert.True(again.FindOrder(later.Id)!.IsOpen);
        }
    }

    [Fact]
    public void Given_many_that_follow_the_same_price_When_it_moves_them_Then_the_journal_has_one_record_of_it_and_none_when_it_does_not()
    {
        for (var i = 0; i < 50; i++)
            _venue.Accepted(Alice, Trailing(OrderType.StopLoss, Side.Sell, null, 1_000, null));
        _venue.Journal.Clear();
        _venue.ShowLast("40001");
        Assert.Equal([N("40001")], _venue.Journal.OfType<PriceTrailed>().Select(p => p.Price));
        _venue.ShowLast("40001");
        _venue.ShowLast("39000");
        Assert.Single(_venue.Journal.OfType<PriceTrailed>());
    }

    [Fact]
    public void Given_a_pair_with_a_stop_that_follows_When_the_price_comes_back_Then_the_limit_has_expired()
    {
        var pair = _venue.Pair(Side.Sell, "50000", "1");
        var (_, stop, limit) = _venue.Accepted(Alice, pair with { StopLoss = pair.StopLoss with { StopPrice = Fixed8.Zero, TrailingDelta = 500 } });
        _venue.ShowLast("44000");
        _venue.Quote("41000", "42000");
        _venue.ShowLast("41800");
        Assert.Equal((OrderStatus.Filled, OrderStatus.Expired), (stop.Status, limit.Status));
    }

    [Fact]
    public void Given_one_that_is_cancelled_When_the_price_moves_Then_nobody_follows_it()
    {
        Assert.True(_venue.Cancel(_venue.Accepted(Alice, Trailing(OrderType.StopLoss, Side.Sell, null, 1_000, null))));
        _venue.ShowLast("50000");
        _venue.ShowLast("1000");
        Assert.Single(_venue.Journal.OfType<PriceTrailed>());
        Assert.DoesNotContain(_venue.Journal, e => e is OrderTriggered);
    }

    private NewOrder Trailing(OrderType type, Side side, string? stop, int delta, string? limit) => new()
    {
        Instrument = Btc,
        Side = side,
        Type = type,
        StopPrice = stop is null ? Fixed8.Zero : N(stop),
        TrailingDelta = delta,
        Price = limit is null ? Fixed8.Zero : N(limit),
        Quantity = N("0.1"),
        ClientId = _venue.NextId(),
    };
}
