using System.Text.Json;
using Antbot.PaperVenue;
using Xunit;

namespace Antbot.Integration.Tests.PaperVenue;

/// <summary>Pairs of orders of which one cancels the other, as clients place, find and cancel them.</summary>
public sealed class OrderListApiTests(SharedVenue shared) : IClassFixture<SharedVenue>
{
    private static readonly (string Name, string Value)[] Pair =
    [
        ("symbol", "BTCUSDT"), ("side", "SELL"), ("quantity", "0.01"), ("aboveType", "LIMIT_MAKER"), ("abovePrice", "200000"),
        ("belowType", "STOP_LOSS_LIMIT"), ("belowStopPrice", "30000"), ("belowPrice", "29000"), ("belowTimeInForce", "GTC"),
    ];

    private readonly VenueClient _client = shared.Venue.Client;

    [Fact]
    public async Task A_pair_is_placed_found_by_either_id_listed_and_cancelled()
    {
        var placed = await PlaceAsync([.. Pair, ("listClientOrderId", "pair-1"), ("aboveClientOrderId", "pair-1-limit"), ("belowClientOrderId", "pair-1-stop")]);
        Assert.Equal(200, placed.Status);
        Assert.Equal(("OCO", "EXEC_STARTED", "EXECUTING", "pair-1", "BTCUSDT"), (placed["contingencyType"], placed["listStatusType"], placed["listOrderStatus"], placed["listClientOrderId"], placed["symbol"]));
        var reports = placed.Json.GetProperty("orderReports").EnumerateArray().ToList();
        Assert.Equal([("pair-1-stop", "STOP_LOSS_LIMIT", "NEW", "30000.00000000", "29000.00000000"), ("pair-1-limit", "LIMIT_MAKER", "NEW", null, "200000.00000000")], reports.Select(r =>
            (Text(r, "clientOrderId"), Text(r, "type"), Text(r, "status"), r.TryGetProperty("stopPrice", out var stop) ? stop.GetString() : null, Text(r, "price"))));
        Assert.Equal(reports.Select(r => (r.GetProperty("orderId").GetInt64(), Text(r, "clientOrderId"))), placed.Json.GetProperty("orders").EnumerateArray().Select(o => (o.GetProperty("orderId").GetInt64(), Text(o, "clientOrderId"))));
        Assert.All(reports, r => Assert.Equal(placed["orderListId"], r.GetProperty("orderListId").ToString()));

        var byId = await QueryAsync(("orderListId", placed["orderListId"]));
        var byClientId = await QueryAsync(("origClientOrderId", "pair-1"));
        Assert.Equal(byId.Json.GetRawText(), byClientId.Json.GetRawText());
        Assert.Equal(placed.Json.GetProperty("orders").GetRawText(), byId.Json.GetProperty("orders").GetRawText());
        Assert.False(byId.Json.TryGetProperty("orderReports", out _));
        Assert.Contains("pair-1", Ids(await _client.SignedAsync(HttpMethod.Get, "/api/v3/openOrderList")));
        Assert.Equal(placed["orderListId"], (await _client.FindAsync("pair-1-stop"))["orderListId"]);

        var cancelled = await _client.SignedAsync(HttpMethod.Delete, "/api/v3/orderList", ("symbol", "BTCUSDT"), ("listClientOrderId", "pair-1"), ("newClientOrderId", "pair-1-cancel"));
        Assert.Equal(("ALL_DONE", "ALL_DONE"), (cancelled["listStatusType"], cancelled["listOrderStatus"]));
        Assert.Equal([("pair-1-stop", "pair-1-cancel", "CANCELED"), ("pair-1-limit", "pair-1-cancel", "CANCELED")], cancelled.Json.GetProperty("orderReports").EnumerateArray().Select(r => (Text(r, "origClientOrderId"), Text(r, "clientOrderId"), Text(r, "status"))));
        Assert.Equal("ALL_DONE", (await QueryAsync(("orderListId", placed["orderListId"])))["listOrderStatus"]);
        Assert.DoesNotContain("pair-1", Ids(await _client.SignedAsync(HttpMethod.Get, "/api/v3/openOrderList")));
        Assert.Contains("pair-1", Ids(await _client.SignedAsync(HttpMethod.Get, "/api/v3/allOrderList")));
        var again = await _client.SignedAsync(HttpMethod.Delete, "/api/v3/orderList", ("symbol", "BTCUSDT"), ("orderListId", placed["orderListId"]));
        Assert.Equal((400, -2011), (again.Status, again.Code));
    }

    [Fact]
    public async Task Cancelling_one_order_of_a_pair_cancels_both_and_says_so()
    {
        var placed = await PlaceAsync([.. Pair, ("aboveClientOrderId", "leg-limit"), ("belowClientOrderId", "leg-stop")]);
        var cancelled = await _client.SignedAsync(HttpMethod.Delete, "/api/v3/order", ("symbol", "BTCUSDT"), ("origClientOrderId", "leg-limit"));
        Assert.Equal((placed["orderListId"], "ALL_DONE", 2), (cancelled["orderListId"], cancelled["listOrderStatus"], cancelled.Json.GetProperty("orderReports").GetArrayLength()));
        Assert.Equal(("CANCELED", "CANCELED"), ((await _client.FindAsync("leg-limit"))["status"], (await _client.FindAsync("leg-stop"))["status"]));
    }

    [Fact]
    public async Task Cancelling_all_orders_tells_of_a_pair_once()
    {
        var client = await NewClientAsync("all-of-pairs");
        using (client)
        {
            await PlaceAsync(Pair, client);
            await client.LimitAsync("SELL", "190000", "0.01", "by-itself");
            var cancelled = await client.SignedAsync(HttpMethod.Delete, "/api/v3/openOrders", ("symbol", "BTCUSDT"));
            Assert.Equal([2, 0], cancelled.Json.EnumerateArray().Select(c => c.TryGetProperty("orderReports", out var reports) ? reports.GetArrayLength() : 0));
            Assert.Equal(0, (await client.SignedAsync(HttpMethod.Get, "/api/v3/openOrders")).Json.GetArrayLength());
        }
    }

    /// <summary>The older request, which many libraries still send.</summary>
    [Theory]
    [InlineData("SELL", "200000", "30000", null, "STOP_LOSS")]
    [InlineData("SELL", "200000", "30000", "29000", "STOP_LOSS_LIMIT")]
    [InlineData("BUY", "30000", "200000", "201000", "STOP_LOSS_LIMIT")]
    public async Task The_older_request_gives_the_same(string side, string price, string stopPrice, string? stopLimitPrice, string stopType)
    {
        var id = $"older-{side}-{stopType}";
        var placed = await _client.SignedAsync(
            HttpMethod.Post,
            "/api/v3/order/oco",
            [
                ("symbol", "BTCUSDT"), ("side", side), ("quantity", "0.01"), ("price", price), ("stopPrice", stopPrice), ("listClientOrderId", id), ("limitClientOrderId", $"{id}-l"), ("stopClientOrderId", $"{id}-s"),
                .. stopLimitPrice is null ? [] : new (string, string)[] { ("stopLimitPrice", stopLimitPrice), ("stopLimitTimeInForce", "GTC") },
            ]);
        Assert.Equal(200, placed.Status);
        Assert.Equal([($"{id}-s", stopType), ($"{id}-l", "LIMIT_MAKER")], placed.Json.GetProperty("orderReports").EnumerateArray().Select(r => (Text(r, "clientOrderId"), Text(r, "type"))));
        Assert.Equal("ALL_DONE", (await _client.SignedAsync(HttpMethod.Delete, "/api/v3/orderList", ("symbol", "BTCUSDT"), ("listClientOrderId", id)))["listOrderStatus"]);
    }

    [Fact]
    public async Task Lists_are_walked_from_an_id_or_a_time_and_never_another_owners()
    {
        var client = await NewClientAsync("walker");
        using (client)
        {
            var ids = new List<string>();
            for (var i = 0; i < 5; i++)
            {
                ids.Add((await PlaceAsync([.. Pair, ("listClientOrderId", $"walk-{i}")], client))["orderListId"]);
                await client.SignedAsync(HttpMethod.Delete, "/api/v3/orderList", ("symbol", "BTCUSDT"), ("orderListId", ids[i]));
            }
            Assert.Equal(["walk-2", "walk-3"], Ids(await AllAsync(("fromId", ids[2]), ("limit", "2"))));
            Assert.Equal(["walk-3", "walk-4"], Ids(await AllAsync(("limit", "2"))));
            Assert.Equal(5, Ids(await AllAsync(("startTime", VenueClient.Timestamp(-60_000)), ("endTime", VenueClient.Timestamp(60_000)))).Count);
            Assert.Empty(Ids(await AllAsync(("endTime", VenueClient.Timestamp(-60_000)))));
            Assert.Equal(-1128, (await AllAsync(("fromId", ids[2]), ("startTime", "1"))).Code);
            // The other account does not find it.
            Assert.Equal(-2018, (await QueryAsync(("orderListId", ids[0]))).Code);

            Task<Answer> AllAsync(params (string, string)[] parameters) => client.SignedAsync(HttpMethod.Get, "/api/v3/allOrderList", parameters);
        }
    }

    [Theory]
    [InlineData(-1158, "aboveType", "LIMIT")]
    [InlineData(-1158, "belowType", "MARKET")]
    [InlineData(-1116, "belowType", "STOP")]
    [InlineData(-1168, "belowType", "LIMIT_MAKER")]
    [InlineData(-1199, "belowType", "TAKE_PROFIT")]
    [InlineData(-1197, "aboveType", "STOP_LOSS")]
    [InlineData(-1102, "aboveType", "")]
    [InlineData(-1102, "belowStopPrice", "")]
    [InlineData(-1102, "belowTimeInForce", "")]
    [InlineData(-1102, "quantity", "")]
    [InlineData(-1115, "belowTimeInForce", "GTX")]
    [InlineData(-1106, "aboveStopPrice", "100")]
    [InlineData(-1106, "aboveTimeInForce", "GTC")]
    [InlineData(-1104, "price", "100")]
    [InlineData(-1160, "belowTimeInForce", "FOK")]
    [InlineData(-1117, "side", "HOLD")]
    [InlineData(-1100, "listClientOrderId", "a b")]
    [InlineData(-1130, "newOrderRespType", "LONG")]
    [InlineData(-1013, "belowStopPrice", "0")]
    [InlineData(-1013, "selfTradePreventionMode", "EXPIRE_MAKER")]
    [InlineData(-2010, "abovePrice", "20000")]
    [InlineData(-1013, "quantity", "0.000001")]
    public async Task What_is_wrong_with_a_pair_is_told_by_its_code(int code, string name, string value)
    {
        var refused = await PlaceAsync([.. Pair.Where(p => p.Name != name), ("belowIcebergQty", "0.005"), (name, value)]);
        Assert.Equal((400, code), (refused.Status, refused.Code));
    }

    [Theory]
    [InlineData(-1197, "STOP_LOSS", "LIMIT_MAKER", "SELL")]
    [InlineData(-1166, "TAKE_PROFIT", "LIMIT_MAKER", "SELL")]
    [InlineData(-1165, "LIMIT_MAKER", "TAKE_PROFIT", "BUY")]
    [InlineData(-1196, "LIMIT_MAKER", "STOP_LOSS", "BUY")]
    [InlineData(-1198, "TAKE_PROFIT", "LIMIT_MAKER", "BUY")]
    [InlineData(-1197, "STOP_LOSS", "STOP_LOSS", "SELL")]
    public async Task An_order_on_the_wrong_side_of_the_price_is_told_by_its_code(int code, string above, string below, string side)
    {
        var refused = await PlaceAsync([("symbol", "BTCUSDT"), ("side", side), ("quantity", "0.01"), ("aboveType", above), ("belowType", below)]);
        Assert.Equal((400, code), (refused.Status, refused.Code));
    }

    [Fact]
    public async Task What_names_no_list_is_refused()
    {
        Assert.Equal(-1102, (await QueryAsync()).Code);
        Assert.Equal(-2018, (await QueryAsync(("orderListId", "999999"))).Code);
        Assert.Equal(-2018, (await QueryAsync(("origClientOrderId", "nobodys"))).Code);
        Assert.Equal(-1102, (await _client.SignedAsync(HttpMethod.Delete, "/api/v3/orderList", ("symbol", "BTCUSDT"))).Code);
        var placed = await PlaceAsync(Pair);
        Assert.Equal(-2011, (await _client.SignedAsync(HttpMethod.Delete, "/api/v3/orderList", ("symbol", "ETHUSDT"), ("orderListId", placed["orderListId"]))).Code);
        await _client.SignedAsync(HttpMethod.Delete, "/api/v3/orderList", ("symbol", "BTCUSDT"), ("orderListId", placed["orderListId"]));
    }

    [Fact]
    public async Task A_pair_counts_as_two_orders()
    {
        var client = await NewClientAsync("counted");
        using (client)
        {
            Assert.Equal("2", (await PlaceAsync(Pair, client)).Headers["X-MBX-ORDER-COUNT-1D"]);
            Assert.Equal("3", (await client.LimitAsync("SELL", "190000", "0.01")).Headers["X-MBX-ORDER-COUNT-1D"]);
        }
    }

    [Fact]
    public async Task The_owner_hears_of_the_list_when_it_begins_and_when_it_ends()
    {
        var client = await NewClientAsync("listener");
        using (client)
        {
            using var stream = await client.ListenAsOwnerAsync();
            var price = decimal.Parse((await client.GetAsync("/api/v3/ticker/price?symbol=DOGEUSDT"))["price"]);
            var placed = await client.SignedAsync(
                HttpMethod.Post, "/api/v3/orderList/oco", ("symbol", "DOGEUSDT"), ("side", "SELL"), ("quantity", "100"), ("listClientOrderId", "heard"),
                ("aboveType", "LIMIT_MAKER"), ("abovePrice", $"{price * 1.5m:0.00000}"), ("belowType", "STOP_LOSS"), ("belowStopPrice", $"{price * 0.7m:0.00000}"));
            Assert.Equal(200, placed.Status);
            var (began, before) = await NextListAsync(stream);
            Assert.Equal(("EXEC_STARTED", "EXECUTING", "OCO", "heard", "DOGEUSDT", "NONE"), (Text(began, "l"), Text(began, "L"), Text(began, "c"), Text(began, "C"), Text(began, "s"), Text(began, "r")));
            Assert.Equal([("NEW", "STOP_LOSS"), ("NEW", "LIMIT_MAKER")], before.Select(r => (Text(r, "x"), Text(r, "o"))));
            Assert.All(before, r => Assert.Equal(placed["orderListId"], r.GetProperty("g").ToString()));
            Assert.Equal(placed.Json.GetProperty("orders").EnumerateArray().Select(o => o.GetProperty("orderId").GetInt64()), began.GetProperty("O").EnumerateArray().Select(o => o.GetProperty("i").GetInt64()));

            await _client.AdminAsync(HttpMethod.Post, "/admin/market", new { symbol = "DOGEUSDT", price = $"{price * 0.6m:0.00000}" });
            var (ended, reports) = await NextListAsync(stream);
            Assert.Equal(("ALL_DONE", "ALL_DONE"), (Text(ended, "l"), Text(ended, "L")));
            Assert.Equal([("EXPIRED", "LIMIT_MAKER"), ("NEW", "STOP_LOSS"), ("TRADE", "STOP_LOSS")], reports.Select(r => (Text(r, "x"), Text(r, "o"))).Distinct());
            await _client.AdminAsync(HttpMethod.Post, "/admin/market", new { symbol = "DOGEUSDT", frozen = false });
        }

        static async Task<(JsonElement List, List<JsonElement> Before)> NextListAsync(VenueStream stream)
        {
            var before = new List<JsonElement>();
            while (true)
            {
                var message = await stream.NextAsync(m => Text(m, "e") is "executionReport" or "listStatus");
                if (Text(message, "e") == "listStatus")
                    return (message, before);
                before.Add(message);
            }
        }
    }

    private async Task<VenueClient> NewClientAsync(string name)
    {
        var opened = await _client.AdminAsync(HttpMethod.Post, "/admin/accounts", new { name, deposits = new { USDT = "10000", BTC = "1", DOGE = "1000" } });
        return new VenueClient(_client.Http.BaseAddress!, new ApiKey(name, opened["apiKey"], opened["apiSecret"]));
    }

    private Task<Answer> PlaceAsync((string Name, string Value)[] parameters, VenueClient? client = null) => (client ?? _client).SignedAsync(HttpMethod.Post, "/api/v3/orderList/oco", parameters);

    private Task<Answer> QueryAsync(params (string, string)[] parameters) => _client.SignedAsync(HttpMethod.Get, "/api/v3/orderList", parameters);

    private static List<string> Ids(Answer lists) => [.. lists.Json.EnumerateArray().Select(l => Text(l, "listClientOrderId"))];

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;
}
