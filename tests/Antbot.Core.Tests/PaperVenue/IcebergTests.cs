using Antbot.PaperVenue;
using Xunit;
using static Antbot.Core.Tests.PaperVenue.Trading;

namespace Antbot.Core.Tests.PaperVenue;

/// <summary>Orders that show a part of themselves at a time.</summary>
public sealed class IcebergTests
{
    private readonly Trading _venue = new();

    private Account Alice => _venue.Alice;

    private Account Bob => _venue.Bob;

    private BookSide Asks => _venue.Exchange[Btc].Asks;

    [Fact]
    public void Given_an_order_shown_in_parts_When_a_part_is_taken_Then_the_next_stands_behind_who_came_meanwhile()
    {
        var iceberg = _venue.Accepted(Alice, Sale("100", "5", "2"));
        var other = _venue.Sell(Bob, "100", "1");
        Assert.Equal((N("3"), N("2")), (Asks.ShownAt(N("100")), iceberg.Shown));

        _venue.Buy(Bob, "100", "1.5");
        Assert.Equal((N("1.5"), N("0.5"), N("0")), (Asks.ShownAt(N("100")), iceberg.Shown, other.Executed));

        _venue.Buy(Bob, "100", "1");
        Assert.Equal((N("2"), N("0.5"), N("2.5")), (iceberg.Executed, other.Executed, Asks.ShownAt(N("100"))));

        // What is left of the other comes first, then part by part all that nobody saw.
        var all = _venue.Buy(Bob, "100", "3.5");
        Assert.Equal([N("0.5"), N("2"), N("1")], all.Fills.Select(f => f.Quantity));
        Assert.Equal((OrderStatus.Filled, OrderStatus.Filled), (iceberg.Status, other.Status));
        Assert.Null(Asks.Best);
    }

    [Fact]
    public void Given_offers_When_an_order_shown_in_parts_takes_them_Then_it_takes_with_all_of_it_and_shows_a_part_of_the_rest()
    {
        _venue.Buy(Bob, "100", "2.5");
        var iceberg = _venue.Accepted(Alice, Sale("100", "5", "1"));
        Assert.Equal((N("2.5"), N("1"), N("1"), N("2.5")), (iceberg.Executed, iceberg.Shown, Asks.Best!.Shown, Asks.Best.Total));
        Assert.Equal(N("2.5"), Alice.Balances[Btc.Base].Locked);
        Assert.True(_venue.Cancel(iceberg));
        Assert.Null(Asks.Best);
    }

    /// <summary>Who needs all or nothing gets all: what is hidden trades, only nobody sees it.</summary>
    [Fact]
    public void Given_more_than_is_shown_When_an_order_is_fill_or_kill_Then_it_is_filled_from_what_is_hidden()
    {
        _venue.Accepted(Alice, Sale("100", "5", "1"));
        Assert.Equal(OrderStatus.Filled, _venue.Limit(Bob, Side.Buy, "100", "4.5", TimeInForce.FillOrKill).Status);
        Assert.Equal(N("0.5"), Asks.ShownAt(N("100")));
    }

    [Fact]
    public void Given_a_stop_limit_shown_in_parts_When_it_wakes_Then_it_shows_a_part()
    {
        _venue.ShowLast("100");
        var order = _venue.Accepted(Alice, Sale("97", "5", "1") with { Type = OrderType.StopLossLimit, StopPrice = N("95") });
        Assert.Null(Asks.Best);
        _venue.ShowLast("95");
        Assert.Equal((true, N("1"), N("5")), (order.IsWorking, Asks.Best!.Shown, Asks.Best.Total));
    }

    [Theory]
    [InlineData("5", "0.5", null)]
    [InlineData("5", "0.49999", "Filter failure: ICEBERG_PARTS")]
    [InlineData("5", "5", null)]
    [InlineData("5", "5.00001", "IcebergQty exceeds QTY.")]
    [InlineData("5", "1.000001", "Filter failure: LOT_SIZE")]
    public void Given_rules_for_parts_When_one_is_broken_Then_it_is_refused_by_its_name(string quantity, string part, string? refusal) =>
        Assert.Equal(refusal, _venue.Place(Alice, Sale("100", quantity, part)).Rejection?.Message);

    [Fact]
    public void Given_parts_half_taken_When_the_journal_or_a_snapshot_is_read_back_Then_they_stand_as_they_stood()
    {
        _venue.Accepted(Alice, Sale("100", "5", "2"));
        _venue.Accepted(Bob, Sale("100", "3", "1"));
        _venue.Buy(Alice, "100", "3.7");
        foreach (var again in (Exchange[])[Replayed(_venue.Journal), Exchange.Restore(VenueRules.Default, StateOf(_venue.Exchange))])
        {
            again.Recovered();
            Assert.Equal(StateOf(_venue.Exchange), StateOf(again));
            Assert.Equal(Asks.ShownAt(N("100")), again[Btc].Asks.ShownAt(N("100")));
            var swept = again.Place(again.FindAccount("bob")!, Sale("100", "4.3", "4.3") with { Side = Side.Buy, IcebergQuantity = Fixed8.Zero }, _venue.Now).Order!;
            Assert.Equal([N("1.3"), N("1"), N("1"), N("1")], swept.Fills.Select(f => f.Quantity));
        }
    }

    private NewOrder Sale(string price, string quantity, string part) => new()
    {
        Instrument = Btc,
        Side = Side.Sell,
        Type = OrderType.Limit,
        Price = N(price),
        Quantity = N(quantity),
        IcebergQuantity = N(part),
        ClientId = _venue.NextId(),
    };
}
