using System.Text.Json;
using Antbot.PaperVenue;
using Xunit;

namespace Antbot.Integration.Tests.PaperVenue;

/// <summary>A venue for all tests of a class; each works with orders and ids of its own.</summary>
public sealed class SharedVenue : IAsyncLifetime
{
    internal RunningVenue Venue { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Venue = await RunningVenue.StartAsync(o => o with
    {
        Deposits = new Dictionary<string, string>(StringComparer.Ordinal) { ["USDT"] = "10000000", ["BTC"] = "100" },
    });

    public ValueTask DisposeAsync() => Venue.DisposeAsync();
}

public sealed class OrderApiTests(SharedVenue shared) : IClassFixture<SharedVenue>
{
    private readonly VenueClient _client = shared.Venue.Client;

    [Fact]
    public async Task A_market_order_trades_at_once_and_says_all_about_it()
    {
        var placed = await _client.BuyAsync("0.01", "market-1");
        Assert.Equal(200, placed.Status);
        Assert.Equal(("BTCUSDT", "market-1", "FILLED", "BUY", "MARKET", "GTC", "0.01000000", "0.01000000"), (placed["symbol"], placed["clientOrderId"], placed["status"], placed["side"], placed["type"], placed["timeInForce"], placed["origQty"], placed["executedQty"]));
        var fills = placed.Json.GetProperty("fills").EnumerateArray().ToList();
        Assert.Equal(0.01m, fills.Sum(f => Number(f, "qty")));
        Assert.Equal(Number(placed.Json, "cummulativeQuoteQty"), fills.Sum(f => Number(f, "qty") * Number(f, "price")));
        Assert.All(fills, f => Assert.Equal((Number(f, "qty") / 1_000, "BTC"), (Number(f, "commission"), f.GetProperty("commissionAsset").GetString())));

        var trades = await _client.SignedAsync(HttpMethod.Get, "/api/v3/myTrades", ("symbol", "BTCUSDT"), ("orderId", placed["orderId"]));
        Assert.Equal(fills.Select(f => f.GetProperty("tradeId").GetInt64()), trades.Json.EnumerateArray().Select(t => t.GetProperty("id").GetInt64()));
        Assert.All(trades.Json.EnumerateArray(), t => Assert.True(t.GetProperty("isBuyer").GetBoolean() && !t.GetProperty("isMaker").GetBoolean()));
    }

    [Fact]
    public async Task An_order_is_placed_found_by_either_id_listed_and_cancelled()
    {
        var placed = await _client.LimitAsync("BUY", "20000.00", "0.02", "limit-1");
        Assert.Equal(("NEW", "0.00000000"), (placed["status"], placed["executedQty"]));

        var byClientId = await _client.FindAsync("limit-1");
        var byId = await _client.SignedAsync(HttpMethod.Get, "/api/v3/order", ("symbol", "BTCUSDT"), ("orderId", placed["orderId"]));
        Assert.Equal(byId.Json.GetRawText(), byClientId.Json.GetRawText());
        Assert.Equal(("NEW", "20000.00000000", "True"), (byId["status"], byId["price"], byId["isWorking"]));
        var open = await _client.SignedAsync(HttpMethod.Get, "/api/v3/openOrders", ("symbol", "BTCUSDT"));
        Assert.Contains("limit-1", open.Json.EnumerateArray().Select(o => o.GetProperty("clientOrderId").GetString()));

        var cancelled = await _client.SignedAsync(HttpMethod.Delete, "/api/v3/order", ("symbol", "BTCUSDT"), ("origClientOrderId", "limit-1"), ("newClientOrderId", "cancel-1"));
        Assert.Equal(("CANCELED", "limit-1", "cancel-1"), (cancelled["status"], cancelled["origClientOrderId"], cancelled["clientOrderId"]));
        Assert.Equal("CANCELED", (await _client.FindAsync("limit-1"))["status"]);
        var again = await _client.SignedAsync(HttpMethod.Delete, "/api/v3/order", ("symbol", "BTCUSDT"), ("origClientOrderId", "limit-1"));
        Assert.Equal((400, -2011), (again.Status, again.Code));
    }

    /// <summary>What makes a blind retry dangerous at Binance, and so here: once the first order has ended, its id is free again.</summary>
    [Fact]
    public async Task A_client_order_id_is_unique_among_open_orders_only_and_a_lookup_finds_the_latest()
    {
        var first = await _client.LimitAsync("BUY", "20000", "0.02", "again");
        var refused = await _client.LimitAsync("BUY", "20000", "0.02", "again");
        Assert.Equal((400, -2010, "Duplicate order sent."), (refused.Status, refused.Code, refused["msg"]));
        await _client.SignedAsync(HttpMethod.Delete, "/api/v3/order", ("symbol", "BTCUSDT"), ("orderId", first["orderId"]));

        var second = await _client.BuyAsync("0.01", "again");
        var third = await _client.BuyAsync("0.01", "again");
        Assert.Equal(("FILLED", "FILLED"), (second["status"], third["status"]));
        Assert.Equal(third["orderId"], (await _client.FindAsync("again"))["orderId"]);
        var all = await _client.SignedAsync(HttpMethod.Get, "/api/v3/allOrders", ("symbol", "BTCUSDT"), ("orderId", first["orderId"]));
        Assert.Equal([first["orderId"], second["orderId"], third["orderId"]], all.Json.EnumerateArray().Where(o => o.GetProperty("clientOrderId").GetString() == "again").Select(o => o.GetProperty("orderId").ToString()));
    }

    [Fact]
    public async Task An_order_is_replaced_in_one_step_and_what_of_it_failed_is_told()
    {
        var first = await _client.LimitAsync("BUY", "20000", "0.02", "replaced");
        var replaced = await ReplaceAsync("STOP_ON_FAILURE", first["orderId"], "21000", "0.02");
        Assert.Equal(("SUCCESS", "SUCCESS"), (replaced["cancelResult"], replaced["newOrderResult"]));
        Assert.Equal("CANCELED", (await _client.FindAsync("replaced"))["status"]);
        var second = replaced.Json.GetProperty("newOrderResponse").GetProperty("orderId").ToString();

        var unknown = await ReplaceAsync("STOP_ON_FAILURE", first["orderId"], "21000", "0.02");
        Assert.Equal((400, -2022, "FAILURE", "NOT_ATTEMPTED"), (unknown.Status, unknown.Code, unknown.Json.GetProperty("data").GetProperty("cancelResult").GetString(), unknown.Json.GetProperty("data").GetProperty("newOrderResult").GetString()));
        var half = await ReplaceAsync("ALLOW_FAILURE", first["orderId"], "21001", "0.02");
        Assert.Equal((409, -2021, -2011), (half.Status, half.Code, half.Json.GetProperty("data").GetProperty("cancelResponse").GetProperty("code").GetInt32()));
        var tooLarge = await ReplaceAsync("STOP_ON_FAILURE", second, "21000", "8000");
        Assert.Equal((409, -2021, "SUCCESS", "FAILURE"), (tooLarge.Status, tooLarge.Code, tooLarge.Json.GetProperty("data").GetProperty("cancelResult").GetString(), tooLarge.Json.GetProperty("data").GetProperty("newOrderResult").GetString()));
        await _client.SignedAsync(HttpMethod.Delete, "/api/v3/openOrders", ("symbol", "BTCUSDT"));

        Task<Answer> ReplaceAsync(string mode, string id, string price, string quantity) => _client.SignedAsync(
            HttpMethod.Post, "/api/v3/order/cancelReplace", ("symbol", "BTCUSDT"), ("side", "BUY"), ("type", "LIMIT"), ("timeInForce", "GTC"), ("price", price), ("quantity", quantity), ("cancelReplaceMode", mode), ("cancelOrderId", id));
    }

    /// <summary>Were it not heeded, an order would be cancelled that its owner wanted to keep.</summary>
    [Fact]
    public async Task An_order_is_cancelled_only_in_the_status_that_was_named()
    {
        var placed = await _client.LimitAsync("BUY", "20000", "0.02", "restricted");
        Assert.Equal((-1145, "Invalid cancelRestrictions"), await CancelAsync("ONLY_FILLED"));
        Assert.Equal((-2011, "Order was not canceled due to cancel restrictions."), await CancelAsync("ONLY_PARTIALLY_FILLED"));
        var replaced = await _client.SignedAsync(
            HttpMethod.Post, "/api/v3/order/cancelReplace", ("symbol", "BTCUSDT"), ("side", "BUY"), ("type", "LIMIT"), ("timeInForce", "GTC"), ("price", "20001"), ("quantity", "0.02"),
            ("cancelReplaceMode", "STOP_ON_FAILURE"), ("cancelOrderId", placed["orderId"]), ("cancelRestrictions", "ONLY_PARTIALLY_FILLED"));
        Assert.Equal((-2022, "Order was not canceled due to cancel restrictions."), (replaced.Code, replaced.Json.GetProperty("data").GetProperty("cancelResponse").GetProperty("msg").GetString()));
        Assert.Equal("NEW", (await _client.FindAsync("restricted"))["status"]);
        Assert.Equal((0, ""), await CancelAsync("ONLY_NEW"));

        async Task<(int, string)> CancelAsync(string only)
        {
            var answer = await _client.SignedAsync(HttpMethod.Delete, "/api/v3/order", ("symbol", "BTCUSDT"), ("orderId", placed["orderId"]), ("cancelRestrictions", only));
            return (answer.Code, answer.Code == 0 ? "" : answer["msg"]);
        }
    }

    [Fact]
    public async Task What_may_only_reduce_sells_no_more_than_there_is()
    {
        var opened = await _client.AdminAsync(HttpMethod.Post, "/admin/accounts", new { name = "reducer", deposits = new { BTC = "0.05" } });
        using var client = new VenueClient(_client.Http.BaseAddress!, new ApiKey("reducer", opened["apiKey"], opened["apiSecret"]));
        var sold = await client.OrderAsync(("symbol", "BTCUSDT"), ("side", "SELL"), ("type", "MARKET"), ("quantity", "1"), ("reduceOnly", "true"));
        Assert.Equal(("FILLED", "0.05000000", "0.05000000"), (sold["status"], sold["origQty"], sold["executedQty"]));
        var nothing = await client.OrderAsync(("symbol", "BTCUSDT"), ("side", "SELL"), ("type", "MARKET"), ("quantity", "1"), ("reduceOnly", "true"));
        Assert.Equal((400, -2010, "ReduceOnly Order is rejected."), (nothing.Status, nothing.Code, nothing["msg"]));
    }

    [Fact]
    public async Task A_stop_that_follows_the_price_says_since_when()
    {
        var last = Number((await _client.GetAsync("/api/v3/ticker/price?symbol=BTCUSDT")).Json, "price");
        var placed = await StopAsync(("trailingDelta", "500"), ("newClientOrderId", "trails"));
        Assert.Equal((200, "500"), (placed.Status, placed["trailingDelta"]));
        Assert.InRange(long.Parse(placed["trailingTime"]), long.Parse(placed["transactTime"]), long.Parse(placed["transactTime"]) + 60_000);
        var waits = await StopAsync(("trailingDelta", "500"), ("stopPrice", $"{last / 2:0}"));
        Assert.Equal(("500", "-1"), (waits["trailingDelta"], waits["trailingTime"]));
        Assert.Equal((placed["trailingTime"], "0.00000000"), ((await _client.FindAsync("trails"))["trailingTime"], (await _client.FindAsync("trails"))["stopPrice"]));

        Assert.Equal((-1102, -1013, -1013, -1130, -1100), ((await StopAsync()).Code, (await StopAsync(("trailingDelta", "9"))).Code, (await StopAsync(("trailingDelta", "9223372036854775807"))).Code, (await StopAsync(("trailingDelta", "0"))).Code, (await StopAsync(("trailingDelta", "1.5"))).Code));
        Assert.Equal(-1106, (await _client.OrderAsync(("symbol", "BTCUSDT"), ("side", "BUY"), ("type", "MARKET"), ("quantity", "0.01"), ("trailingDelta", "100"))).Code);
        await _client.SignedAsync(HttpMethod.Delete, "/api/v3/openOrders", ("symbol", "BTCUSDT"));

        Task<Answer> StopAsync(params (string, string)[] further) => _client.OrderAsync([("symbol", "BTCUSDT"), ("side", "SELL"), ("type", "STOP_LOSS"), ("quantity", "0.01"), ("newOrderRespType", "RESULT"), .. further]);
    }

    [Fact]
    public async Task An_order_shown_in_parts_shows_no_more_to_anybody()
    {
        var placed = await OrderAsync("GTC", "0.3");
        Assert.Equal((200, "0.30000000", "1.00000000"), (placed.Status, placed["icebergQty"], placed["origQty"]));
        var depth = await _client.GetAsync("/api/v3/depth?symbol=BTCUSDT&limit=5000");
        Assert.Equal(["0.30000000"], depth.Json.GetProperty("bids").EnumerateArray().Where(b => b[0].GetString() == "15000.00000000").Select(b => b[1].GetString()));
        Assert.Equal("0.30000000", (await _client.FindAsync("in-parts"))["icebergQty"]);
        Assert.Equal((-1014, -1013, -2010, -1013), ((await OrderAsync("IOC", "0.3")).Code, (await OrderAsync("GTC", "0.01")).Code, (await OrderAsync("GTC", "2")).Code, (await OrderAsync("GTC", "0")).Code));
        Assert.Equal(-1106, (await _client.OrderAsync(("symbol", "BTCUSDT"), ("side", "BUY"), ("type", "MARKET"), ("quantity", "1"), ("icebergQty", "0.3"))).Code);
        await _client.SignedAsync(HttpMethod.Delete, "/api/v3/order", ("symbol", "BTCUSDT"), ("origClientOrderId", "in-parts"));

        Task<Answer> OrderAsync(string timeInForce, string part) => _client.OrderAsync(
            ("symbol", "BTCUSDT"), ("side", "BUY"), ("type", "LIMIT"), ("timeInForce", timeInForce), ("price", "15000"), ("quantity", "1"), ("icebergQty", part), ("newClientOrderId", "in-parts"));
    }

    [Fact]
    public async Task What_is_asked_beside_the_market_is_answered()
    {
        Assert.Equal(0, (await _client.GetAsync("/sapi/v1/system/status")).Json.GetProperty("status").GetInt32());
        Assert.Equal(0, (await _client.GetAsync("/fapi/v1/exchangeInfo")).Json.GetProperty("symbols").GetArrayLength());
        Assert.Equal(VenueRules.Default.Assets, (await _client.SignedAsync(HttpMethod.Get, "/sapi/v1/capital/config/getall")).Json.EnumerateArray().Select(a => a.GetProperty("coin").GetString()));
        var commission = await _client.SignedAsync(HttpMethod.Get, "/api/v3/account/commission", ("symbol", "BTCUSDT"));
        Assert.Equal("0.00100000", commission.Json.GetProperty("standardCommission").GetProperty("taker").GetString());
        await _client.BuyAsync("0.001");
        var limits = await _client.SignedAsync(HttpMethod.Get, "/api/v3/rateLimit/order");
        Assert.True(limits.Json[1].GetProperty("count").GetInt32() > 0);
        var trades = (await _client.GetAsync("/api/v3/trades?symbol=BTCUSDT&limit=5")).Json.EnumerateArray().ToList();
        var from = trades[1].GetProperty("id").GetInt64();
        var aggregated = (await _client.GetAsync($"/api/v3/aggTrades?symbol=BTCUSDT&fromId={from}&limit=3")).Json.EnumerateArray().ToList();
        Assert.Equal(trades.Skip(1).Take(3).Select(t => (t.GetProperty("id").GetInt64(), t.GetProperty("price").GetString())), aggregated.Select(t => (t.GetProperty("a").GetInt64(), t.GetProperty("p").GetString())));
    }

    [Theory]
    [InlineData("ACK", false, false)]
    [InlineData("RESULT", true, false)]
    [InlineData("FULL", true, true)]
    public async Task The_answer_is_as_long_as_was_asked_for(string kind, bool hasStatus, bool hasFills)
    {
        var placed = await _client.OrderAsync(("symbol", "BTCUSDT"), ("side", "BUY"), ("type", "MARKET"), ("quantity", "0.001"), ("newOrderRespType", kind));
        Assert.Equal((hasStatus, hasFills), (placed.Json.TryGetProperty("status", out _), placed.Json.TryGetProperty("fills", out _)));
    }

    [Fact]
    public async Task Cancelling_all_orders_of_a_symbol_leaves_those_of_another()
    {
        await _client.LimitAsync("BUY", "20000", "0.02", "all-1");
        await _client.LimitAsync("BUY", "20001", "0.02", "all-2");
        await _client.OrderAsync(("symbol", "ETHUSDT"), ("side", "BUY"), ("type", "LIMIT"), ("timeInForce", "GTC"), ("price", "1000"), ("quantity", "1"), ("newClientOrderId", "all-3"));
        var cancelled = await _client.SignedAsync(HttpMethod.Delete, "/api/v3/openOrders", ("symbol", "BTCUSDT"));
        Assert.Superset(new HashSet<string>(StringComparer.Ordinal) { "all-1", "all-2" }, cancelled.Json.EnumerateArray().Select(o => o.GetProperty("origClientOrderId").GetString()!).ToHashSet(StringComparer.Ordinal));
        var left = await _client.SignedAsync(HttpMethod.Get, "/api/v3/openOrders");
        Assert.Equal(["all-3"], left.Json.EnumerateArray().Select(o => o.GetProperty("clientOrderId").GetString()));
    }

    [Fact]
    public async Task The_account_shows_what_is_free_and_what_is_locked()
    {
        var opened = await _client.AdminAsync(HttpMethod.Post, "/admin/accounts", new { name = "locked", deposits = new { USDT = "1000", BTC = "1" } });
        using var client = new VenueClient(_client.Http.BaseAddress!, new ApiKey("locked", opened["apiKey"], opened["apiSecret"]));
        await client.LimitAsync("BUY", "20000", "0.02");
        await client.LimitAsync("SELL", "200000", "0.4");
        var account = await client.SignedAsync(HttpMethod.Get, "/api/v3/account", ("omitZeroBalances", "true"));
        Assert.Equal(
            [("USDT", "600.00000000", "400.00000000"), ("BTC", "0.60000000", "0.40000000")],
            account.Json.GetProperty("balances").EnumerateArray().Select(b => (b.GetProperty("asset").GetString(), b.GetProperty("free").GetString(), b.GetProperty("locked").GetString())));
        Assert.Equal("False", account["canWithdraw"]);
        // One account never sees another's orders.
        var other = await _client.LimitAsync("BUY", "20000", "0.02");
        Assert.Equal(-2013, (await client.SignedAsync(HttpMethod.Get, "/api/v3/order", ("symbol", "BTCUSDT"), ("orderId", other["orderId"]))).Code);
    }

    [Fact]
    public async Task Market_data_has_the_shapes_that_clients_expect()
    {
        Assert.InRange(long.Parse((await _client.GetAsync("/api/v3/time"))["serverTime"]), DateTimeOffset.UtcNow.AddSeconds(-5).ToUnixTimeMilliseconds(), DateTimeOffset.UtcNow.AddSeconds(5).ToUnixTimeMilliseconds());
        var info = await _client.GetAsync("/api/v3/exchangeInfo");
        Assert.Equal(VenueRules.Default.Instruments.Select(i => i.Symbol), info.Json.GetProperty("symbols").EnumerateArray().Select(s => s.GetProperty("symbol").GetString()));
        Assert.Equal(
            ["PRICE_FILTER", "LOT_SIZE", "ICEBERG_PARTS", "MARKET_LOT_SIZE", "PERCENT_PRICE_BY_SIDE", "NOTIONAL", "MAX_NUM_ORDERS", "MAX_NUM_ALGO_ORDERS", "TRAILING_DELTA", "MAX_NUM_ORDER_LISTS"],
            info.Json.GetProperty("symbols")[0].GetProperty("filters").EnumerateArray().Select(f => f.GetProperty("filterType").GetString()));
        var depth = await _client.GetAsync("/api/v3/depth?symbol=ETHUSDT&limit=5");
        var (bids, asks) = (Prices(depth.Json.GetProperty("bids")), Prices(depth.Json.GetProperty("asks")));
        Assert.Equal((5, 5), (bids.Count, asks.Count));
        Assert.Equal(bids.OrderDescending(), bids);
        Assert.Equal(asks.Order(), asks);
        Assert.True(bids[0] < asks[0]);
        var day = await _client.GetAsync("/api/v3/ticker/24hr?symbol=ETHUSDT");
        Assert.InRange(Number(day.Json, "lastPrice"), Number(day.Json, "lowPrice") * 0.99m, Number(day.Json, "highPrice") * 1.01m);
        Assert.Equal(6, (await _client.GetAsync("/api/v3/ticker/price")).Json.GetArrayLength());
        Assert.Equal(2, (await _client.GetAsync("/api/v3/ticker/bookTicker?symbols=%5B%22BTCUSDT%22,%22ETHUSDT%22%5D")).Json.GetArrayLength());
        Assert.NotEqual(0, (await _client.GetAsync("/api/v3/trades?symbol=BTCUSDT")).Json.GetArrayLength());
    }

    [Theory]
    [InlineData("1s", 1_000)]
    [InlineData("1m", 60_000)]
    [InlineData("1h", 3_600_000)]
    [InlineData("1d", 86_400_000)]
    [InlineData("3d", 259_200_000)]
    [InlineData("1w", 604_800_000)]
    public async Task There_is_a_past_from_the_first_moment_on(string interval, long length)
    {
        var candles = (await _client.GetAsync($"/api/v3/klines?symbol=SOLUSDT&interval={interval}&limit=1000")).Json.EnumerateArray().ToList();
        Assert.InRange(candles.Count, 500, 1_000);
        for (var i = 1; i < candles.Count; i++)
        {
            Assert.Equal(candles[i - 1][0].GetInt64() + length, candles[i][0].GetInt64());
            Assert.Equal(candles[i][0].GetInt64() + length - 1, candles[i][6].GetInt64());
        }
        Assert.All(candles, c => Assert.True(Price(c[3]) <= Price(c[1]) && Price(c[1]) <= Price(c[2]) && Price(c[3]) <= Price(c[4]) && Price(c[4]) <= Price(c[2])));
        var first = candles[100][0].GetInt64();
        var some = (await _client.GetAsync($"/api/v3/klines?symbol=SOLUSDT&interval={interval}&startTime={first}&limit=3")).Json.EnumerateArray().ToList();
        Assert.Equal([first, first + length, first + (2 * length)], some.Select(c => c[0].GetInt64()));
    }

    [Fact]
    public async Task Months_have_a_past_too_each_as_long_as_it_was()
    {
        var candles = (await _client.GetAsync("/api/v3/klines?symbol=SOLUSDT&interval=1M&limit=24")).Json.EnumerateArray().Select(c => (Open: c[0].GetInt64(), Close: c[6].GetInt64())).ToList();
        Assert.Equal(24, candles.Count);
        Assert.All(candles, c => Assert.Equal((1, 1), (DateTimeOffset.FromUnixTimeMilliseconds(c.Open).Day, DateTimeOffset.FromUnixTimeMilliseconds(c.Close + 1).Day)));
        Assert.Equal(candles.Skip(1).Select(c => c.Open), candles.SkipLast(1).Select(c => c.Close + 1));
        var minutes = (await _client.GetAsync("/api/v3/klines?symbol=SOLUSDT&interval=1m&limit=24")).Json;
        Assert.Equal(60_000 - 1, minutes[0][6].GetInt64() - minutes[0][0].GetInt64());
    }

    private static decimal Number(JsonElement json, string name) => decimal.Parse(json.GetProperty(name).GetString()!);

    private static decimal Price(JsonElement price) => decimal.Parse(price.GetString()!);

    private static List<decimal> Prices(JsonElement levels) => [.. levels.EnumerateArray().Select(l => Price(l[0]))];
}
