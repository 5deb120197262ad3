using System.Text.Json;
using Xunit;

namespace Antbot.Integration.Tests.PaperVenue;

/// <summary>The same requests over one WebSocket, each with an id; and the user stream on it.</summary>
public sealed class WebSocketApiTests : IAsyncLifetime
{
    private RunningVenue _venue = null!;

    public async ValueTask InitializeAsync() => _venue = await RunningVenue.StartAsync();

    public ValueTask DisposeAsync() => _venue.DisposeAsync();

    [Fact]
    public async Task What_is_asked_is_answered_with_its_id_its_status_and_the_limits()
    {
        using var stream = await _venue.Client.ListenAsync("/ws-api/v3");
        await stream.SayAsync("""{"id":7,"method":"time"}""");
        var time = await stream.NextAsync();
        Assert.Equal((7, 200), (time.GetProperty("id").GetInt32(), time.GetProperty("status").GetInt32()));
        Assert.True(time.GetProperty("result").GetProperty("serverTime").GetInt64() > 0);
        Assert.Equal("REQUEST_WEIGHT", time.GetProperty("rateLimits")[0].GetProperty("rateLimitType").GetString());

        await stream.SayAsync("""{"id":"b","method":"depth","params":{"symbol":"BTCUSDT","limit":5,"returnRateLimits":false}}""");
        var depth = await stream.NextAsync();
        Assert.Equal(("b", 5, false), (depth.GetProperty("id").GetString(), depth.GetProperty("result").GetProperty("bids").GetArrayLength(), depth.TryGetProperty("rateLimits", out _)));

        await stream.SayAsync("""{"id":1,"method":"depth","params":{"symbol":"NOPE"}}""");
        Assert.Equal((400, -1121), Told(await stream.NextAsync()));
        await stream.SayAsync("""{"id":1,"method":"dance"}""");
        Assert.Equal((404, -1099), Told(await stream.NextAsync()));
        await stream.SayAsync("""{"id":1,"method":"time","params":[1]}""");
        Assert.Equal((400, -1135), Told(await stream.NextAsync()));
        await stream.SayAsync("not json");
        Assert.Equal((400, -1135), Told(await stream.NextAsync()));
        await stream.SayAsync("""{"id":1,"method":"order.place","params":{"symbol":"BTCUSDT"}}""");
        Assert.Equal((401, -2014), Told(await stream.NextAsync()));
    }

    [Fact]
    public async Task Orders_are_placed_found_and_cancelled_and_their_owner_is_told_on_the_same_connection()
    {
        using var stream = await _venue.Client.ListenAsync("/ws-api/v3");
        await stream.SayAsync(Signed("s", "userDataStream.subscribe.signature", []));
        var subscribed = await stream.NextAsync();
        Assert.Equal(0, subscribed.GetProperty("result").GetProperty("subscriptionId").GetInt32());

        await stream.SayAsync(Signed("o", "order.place", new() { ["symbol"] = "BTCUSDT", ["side"] = "BUY", ["type"] = "LIMIT", ["timeInForce"] = "GTC", ["price"] = "20000.00", ["quantity"] = "0.01", ["newClientOrderId"] = "by-socket" }));
        var placed = await stream.NextAsync(m => m.TryGetProperty("id", out var id) && id.GetString() == "o");
        Assert.Equal("NEW", placed.GetProperty("result").GetProperty("status").GetString());
        Assert.Contains(placed.GetProperty("rateLimits").EnumerateArray(), l => l.GetProperty("interval").GetString() == "DAY" && l.GetProperty("count").GetInt32() == 1);
        await stream.SayAsync(Signed("c", "order.cancel", new() { ["symbol"] = "BTCUSDT", ["origClientOrderId"] = "by-socket" }));
        var seen = new List<string>();
        while (!seen.Contains("CANCELED"))
        {
            var told = await stream.NextAsync(m => m.TryGetProperty("event", out var e) && e.GetProperty("e").GetString() == "executionReport");
            Assert.Equal(0, told.GetProperty("subscriptionId").GetInt32());
            seen.Add(told.GetProperty("event").GetProperty("x").GetString()!);
        }
        Assert.Equal("CANCELED", (await _venue.Client.FindAsync("by-socket"))["status"]);

        // Wrongly signed, it is not done.
        await stream.SayAsync(Signed("w", "order.place", new() { ["symbol"] = "BTCUSDT", ["side"] = "BUY", ["type"] = "MARKET", ["quantity"] = "0.01", ["newClientOrderId"] = "forged" }).Replace("0.01", "0.02", StringComparison.Ordinal));
        Assert.Equal((400, -1022), Told(await stream.NextAsync(m => m.TryGetProperty("id", out var id) && id.GetString() == "w")));
        await stream.SayAsync(Signed("l", "session.logon", []));
        Assert.Equal((400, -4056), Told(await stream.NextAsync(m => m.TryGetProperty("id", out var id) && id.GetString() == "l")));
    }

    [Fact]
    public async Task A_fault_befalls_it_as_it_does_a_request_by_http()
    {
        using var stream = await _venue.Client.ListenAsync("/ws-api/v3");
        await _venue.Client.FaultAsync(new { kind = "errorAfter", route = "order", count = 1, status = 503 });
        await stream.SayAsync(Signed("o", "order.place", new() { ["symbol"] = "BTCUSDT", ["side"] = "BUY", ["type"] = "MARKET", ["quantity"] = "0.01", ["newClientOrderId"] = "done" }));
        Assert.Equal((503, -1001), Told(await stream.NextAsync()));
        Assert.Equal("FILLED", (await _venue.Client.FindAsync("done"))["status"]);
        await _venue.Client.FaultAsync(new { kind = "resetAfter", route = "order", count = 1 });
        await stream.SayAsync(Signed("o", "order.place", new() { ["symbol"] = "BTCUSDT", ["side"] = "BUY", ["type"] = "MARKET", ["quantity"] = "0.01", ["newClientOrderId"] = "cut" }));
        await Assert.ThrowsAnyAsync<Exception>(() => stream.NextAsync());
        Assert.Equal("FILLED", (await _venue.Client.FindAsync("cut"))["status"]);
    }

    [Fact]
    public async Task Pairs_of_orders_are_placed_found_and_cancelled_and_a_fault_befalls_them()
    {
        await _venue.Client.AdminAsync(HttpMethod.Post, "/admin/deposit", new { account = "main", asset = "BTC", amount = "1" });
        using var stream = await _venue.Client.ListenAsync("/ws-api/v3");
        var placed = await AskAsync("orderList.place.oco", new()
        {
            ["symbol"] = "BTCUSDT",
            ["side"] = "SELL",
            ["quantity"] = "0.01",
            ["aboveType"] = "LIMIT_MAKER",
            ["abovePrice"] = "200000",
            ["belowType"] = "STOP_LOSS",
            ["belowStopPrice"] = "30000",
            ["listClientOrderId"] = "pair",
        });
        Assert.Equal(("EXECUTING", 2), (placed.GetProperty("listOrderStatus").GetString(), placed.GetProperty("orderReports").GetArrayLength()));
        await _venue.Client.FaultAsync(new { kind = "errorAfter", route = "orderList", count = 1, status = 503 });
        await stream.SayAsync(Signed("f", "orderList.place", new() { ["symbol"] = "BTCUSDT", ["side"] = "SELL", ["quantity"] = "0.01", ["price"] = "200000", ["stopPrice"] = "30000", ["listClientOrderId"] = "older" }));
        Assert.Equal((503, -1001), Told(await stream.NextAsync()));
        var open = await AskAsync("openOrderLists.status", []);
        Assert.Equal(["pair", "older"], open.EnumerateArray().Select(l => l.GetProperty("listClientOrderId").GetString()));
        Assert.Equal(2, (await AskAsync("allOrderLists", [])).GetArrayLength());
        Assert.Equal("ALL_DONE", (await AskAsync("orderList.cancel", new() { ["symbol"] = "BTCUSDT", ["listClientOrderId"] = "pair" })).GetProperty("listOrderStatus").GetString());
        Assert.Equal("ALL_DONE", (await AskAsync("orderList.status", new() { ["origClientOrderId"] = "pair" })).GetProperty("listStatusType").GetString());

        async Task<JsonElement> AskAsync(string method, Dictionary<string, string> parameters)
        {
            await stream.SayAsync(Signed(method, method, parameters));
            return (await stream.NextAsync(m => m.TryGetProperty("id", out var id) && id.GetString() == method)).GetProperty("result");
        }
    }

    private static (int Status, int Code) Told(JsonElement answer) => (answer.GetProperty("status").GetInt32(), answer.GetProperty("error").GetProperty("code").GetInt32());

    /// <summary>Over the parameters in the order of their names, as text.</summary>
    private string Signed(string id, string method, Dictionary<string, string> parameters)
    {
        var key = _venue.Server.Key;
        parameters["apiKey"] = key.Key;
        parameters["timestamp"] = VenueClient.Timestamp();
        var payload = string.Join('&', parameters.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key}={p.Value}"));
        parameters["signature"] = VenueClient.Sign(payload, key.Secret);
        return JsonSerializer.Serialize(new { id, method, @params = parameters });
    }
}
