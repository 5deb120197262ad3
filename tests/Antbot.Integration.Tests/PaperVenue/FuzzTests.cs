using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Antbot.Integration.Tests.PaperVenue;

/// <summary>Whatever is sent, the venue answers in its form, never with a fault of its own, and lives on.</summary>
public sealed class FuzzTests : IAsyncLifetime
{
    private const int Requests = 4_000;
    private const int RawRequests = 300;

    private static readonly string[] Paths =
    [
        "order", "order/test", "openOrders", "allOrders", "myTrades", "account", "userDataStream", "exchangeInfo", "depth", "trades", "klines", "avgPrice", "ticker/price", "ticker/bookTicker", "ticker/24hr", "time", "nowhere", "aggTrades", "historicalTrades", "order/cancelReplace", "account/commission", "rateLimit/order", "orderList", "orderList/oco", "order/oco", "openOrderList", "allOrderList",
    ];

    private static readonly string[] Names =
    [
        "symbol", "symbols", "side", "type", "timeInForce", "quantity", "quoteOrderQty", "price", "stopPrice", "newClientOrderId", "origClientOrderId", "orderId", "limit", "startTime", "endTime", "fromId", "interval", "recvWindow",
        "newOrderRespType", "listenKey", "omitZeroBalances", "reduceOnly", "cancelReplaceMode", "cancelOrderId", "cancelOrigClientOrderId", "", "%00", "x",
        "orderListId", "listClientOrderId", "cancelRestrictions", "timeZone", "aboveType", "belowType", "abovePrice", "belowPrice", "aboveStopPrice", "belowStopPrice", "belowTimeInForce", "stopLimitPrice", "stopLimitTimeInForce", "trailingDelta", "icebergQty", "aboveIcebergQty", "stopIcebergQty", "aboveTrailingDelta", "belowTrailingDelta",
    ];

    private static readonly string[] Values =
    [
        "BTCUSDT", "ETHUSDT", "BUY", "SELL", "MARKET", "LIMIT", "STOP_ON_FAILURE", "ALLOW_FAILURE", "LIMIT_MAKER", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT", "GTC", "IOC", "FOK", "1", "0", "-1", "0.001", "65000", "1e9", "0.00000001", "92233720368.54775807",
        "92233720368547758079223372036854775807", "9223372036854775807", "9223372036854775808", "NaN", "null", "true", "[]", "[\"BTCUSDT\"]", "[null]", "[[[[[[", "{}", "1m", "1s", "", " ", "%", "%zz", "%00", "\u0000", "ſ", "💥", "'; drop", "<script>", "../../etc",
    ];

    private RunningVenue _venue = null!;

    public async ValueTask InitializeAsync() => _venue = await RunningVenue.StartAsync();

    public ValueTask DisposeAsync() => _venue.DisposeAsync();

    [Fact]
    public async Task Requests_of_any_kind_signed_or_not_are_answered_in_form()
    {
        var random = new Random(20_240_101);
        for (var i = 0; i < Requests; i++)
        {
            var method = ((HttpMethod[])[HttpMethod.Get, HttpMethod.Post, HttpMethod.Put, HttpMethod.Delete])[random.Next(4)];
            var path = Paths[random.Next(Paths.Length)];
            var query = string.Join('&', Enumerable.Range(0, random.Next(12)).Select(_ => $"{Names[random.Next(Names.Length)]}={Value(random)}").Append($"timestamp={VenueClient.Timestamp()}"));
            var body = random.Next(3) == 0 ? Value(random) : null;
            // What the server signs over is what comes over the wire.
            var wire = new Uri(_venue.Server.Address, $"/x?{query}").Query[1..];
            if (random.Next(4) != 0)
                wire += $"&signature={VenueClient.Sign(wire + (method == HttpMethod.Get ? "" : body), _venue.Server.Key.Secret)}";
            var answer = await _venue.Client.SendAsync(method, $"/api/v3/{path}?{wire}", body is null ? null : new StringContent(body), _venue.Server.Key.Key);
            Assert.True(answer.Status < 500, $"request {i}: {method} {path}?{wire} with '{body}' was answered {answer.Status}: {answer.Json}");
            Assert.True(answer.Status == 200 || answer.Code != 0, $"request {i}: {answer.Status} {answer.Json}");
        }
        await LivesAsync();
    }

    [Fact]
    public async Task Admin_bodies_of_any_kind_are_answered_in_form()
    {
        var random = new Random(20_240_102);
        string[] paths = ["faults", "away", "accounts", "deposit", "balances", "reset", "market", "ledger", "status", "keys", "scenario", "x"];
        string[] names = ["kind", "route", "probability", "count", "ms", "name", "deposits", "account", "asset", "amount", "balances", "symbol", "price", "frozen", "seconds", "mode", "id", "scenario", "file", "permissions", "publicKey", "ratio", "status"];
        string[] values = ["\"main\"", "\"USDT\"", "\"BTCUSDT\"", "\"1\"", "\"-1\"", "\"60000\"", "1", "-1", "1e400", "99999999999999999999", "null", "true", "{}", "[]", "{\"USDT\":\"5\"}", "{\"USDT\":5}", "\"delay\"", "\"crossedBook\"", "\"flash-crash\"", "[\"read\"]", "\"\"", "\"92233720368.54775807\""];
        for (var i = 0; i < Requests / 4; i++)
        {
            var body = "{" + string.Join(',', Enumerable.Range(0, random.Next(5)).Select(_ => $"\"{names[random.Next(names.Length)]}\":{values[random.Next(values.Length)]}")) + (random.Next(20) == 0 ? "" : "}");
            var answer = await _venue.Client.SendAsync(random.Next(8) == 0 ? HttpMethod.Delete : HttpMethod.Post, $"/admin/{paths[random.Next(paths.Length)]}", new StringContent(body), adminKey: _venue.Server.AdminKey);
            Assert.True(answer.Status < 500, $"request {i}: {body} was answered {answer.Status}: {answer.Json}");
            await _venue.Client.AdminAsync(HttpMethod.Delete, "/admin/faults");
        }
        await LivesAsync();
    }

    [Fact]
    public async Task Bytes_that_are_no_HTTP_harm_nobody()
    {
        var random = new Random(20_240_103);
        for (var i = 0; i < RawRequests; i++)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(_venue.Server.Address.Host, _venue.Server.Address.Port, TestContext.Current.CancellationToken);
            var head = Encoding.ASCII.GetBytes(random.Next(3) switch
            {
                0 => "POST /api/v3/order HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
                1 => "GET /ws/btcusdt@trade HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
                _ => "",
            });
            var noise = new byte[random.Next(2_000)];
            random.NextBytes(noise);
            try
            {
                await socket.SendAsync(head);
                await socket.SendAsync(noise);
            }
            catch (SocketException)
            {
                // Cut already.
            }
        }
        await LivesAsync();
    }

    private async Task LivesAsync()
    {
        Assert.Equal(200, (await _venue.Client.GetAsync("/api/v3/ping")).Status);
        Assert.Equal(200, (await _venue.Client.SignedAsync(HttpMethod.Get, "/api/v3/account")).Status);
        Assert.Equal(JsonNull, (await _venue.Client.AdminAsync(HttpMethod.Get, "/admin/status"))["trouble"]);
    }

    private const string JsonNull = "";

    private static string Value(Random random) => random.Next(6) == 0
        ? string.Concat(Enumerable.Range(0, random.Next(60)).Select(_ => $"%{random.Next(256):X2}"))
        : Uri.EscapeDataString(Values[random.Next(Values.Length)]) is var escaped && random.Next(3) == 0 ? Values[random.Next(Values.Length)].Replace("#", "", StringComparison.Ordinal) : escaped;
}
