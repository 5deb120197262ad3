using Antbot.Contracts;
using Antbot.Contracts.Venue;
using Xunit;

namespace Antbot.Integration.Tests.Venues.Conformance;

public abstract partial class VenueConformance
{
    [Fact]
    public async Task V34_an_order_is_found_by_the_venues_number()
    {
        var order = Limit();
        Said(await _venue.PlaceAsync(Order(), Cancel));
        var placed = Said(await _venue.PlaceAsync(order, Cancel));
        var found = Said(await _venue.FindOrderAsync(Btc, placed.VenueOrderId, Cancel));
        Assert.Equal((order.Id, placed.VenueOrderId, VenueOrderStatus.Open, order.Quantity), (found.Id, found.VenueOrderId, found.Status, found.Quantity));
        Assert.Equal(Refusal.UnknownOrder, Refused(await _venue.FindOrderAsync(Btc, "987654321", Cancel)));
        Front.Misquote((request, reply) => request.Is("GET", "/api/v3/order") ? Changed(reply, j => j["orderId"] = 987_654_321) : reply);
        Assert.IsType<VenueAnswer<OrderReport>.Unknown>(await _venue.FindOrderAsync(Btc, placed.VenueOrderId, Cancel));
    }

    [Fact]
    public async Task V35_what_rests_is_listed_for_an_entry_too_and_where_it_is_not_it_is_unknown()
    {
        var order = Limit();
        Said(await _venue.PlaceAsync(order, Cancel));
        Assert.Equal([order.Id], Said(await _venue.ListOpenOrdersForEntryAsync(Btc, Cancel)).Select(o => o.Id));
        Front.Answer("GET", "/api/v3/openOrders", FrontReply.Of(503, ""));
        Assert.IsType<VenueAnswer<IReadOnlyList<OrderReport>>.Unknown>(await _venue.ListOpenOrdersForEntryAsync(Btc, Cancel));
        Front.BeHonest();
        // What is kept back for finding out is not for this.
        while (_venue.Now!.Value.Second is < 1 or > 50)
            await Task.Delay(500, Cancel);
        Front.Misquote((_, reply) => reply with { Headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["X-MBX-USED-WEIGHT-1M"] = "900000" } });
        Said(await _venue.ListOpenOrdersAsync(Btc, Cancel));
        Assert.IsType<VenueAnswer<IReadOnlyList<OrderReport>>.NotSent>(await _venue.ListOpenOrdersForEntryAsync(Btc, Cancel));
        Said(await _venue.ListOpenOrdersAsync(Btc, Cancel));
    }

    [Theory]
    [InlineData("NEW", VenueOrderStatus.Open)]
    [InlineData("PENDING_NEW", VenueOrderStatus.Open)]
    [InlineData("PENDING_CANCEL", VenueOrderStatus.Open)]
    [InlineData("PARTIALLY_FILLED", VenueOrderStatus.PartiallyFilled)]
    [InlineData("FILLED", VenueOrderStatus.Filled)]
    [InlineData("CANCELED", VenueOrderStatus.Cancelled)]
    [InlineData("REJECTED", VenueOrderStatus.Rejected)]
    [InlineData("EXPIRED", VenueOrderStatus.Expired)]
    [InlineData("EXPIRED_IN_MATCH", VenueOrderStatus.Expired)]
    [InlineData("SOMETHING_NEW", null)]
    public async Task V36_every_status_is_told_apart_and_one_that_nobody_knows_leaves_it_unknown(string said, VenueOrderStatus? status)
    {
        var order = Order() with { Side = Side.Sell, Kind = OrderKind.Limit, Limit = new Price(65_001), Quantity = new Quantity(1) };
        Said(await _venue.PlaceAsync(order, Cancel));
        await _stage.FillInPartsAsync(order.Id, 1);
        // So it is by itself.
        Assert.Equal((VenueOrderStatus.PartiallyFilled, 0.0001m), Said(await _venue.FindOrderAsync(Btc, order.Id, Cancel)) is var own ? (own.Status, own.Executed.Value) : default);
        Assert.Equal(VenueOrderStatus.PartiallyFilled, Assert.Single(Said(await _venue.ListOpenOrdersAsync(Cancel))).Status);
        Front.Misquote((request, reply) => request.Is("GET", "/api/v3/order") ? Changed(reply, j => j["status"] = said) : reply);
        var answer = await _venue.FindOrderAsync(Btc, order.Id, Cancel);
        if (status is null)
            Assert.IsType<VenueAnswer<OrderReport>.Unknown>(answer);
        else
            Assert.Equal((status, 0.0001m), Said(answer) is var found ? (found.Status, found.Executed.Value) : default);
    }
}
