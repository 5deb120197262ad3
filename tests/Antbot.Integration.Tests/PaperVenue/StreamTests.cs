using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Antbot.Integration.Tests.PaperVenue;

public sealed class StreamTests : IAsyncLifetime
{
    private RunningVenue _venue = null!;

    private VenueClient Client => _venue.Client;

    public async ValueTask InitializeAsync() => _venue = await RunningVenue.StartAsync(o => o with { StepMilliseconds = 100 });

    public ValueTask DisposeAsync() => _venue.DisposeAsync();

    [Fact]
    public async Task Candles_come_as_they_grow_and_once_when_they_close_without_a_gap()
    {
        using var stream = await Client.ListenAsync("/ws/btcusdt@kline_1s");
        var closed = new List<JsonElement>();
        var growing = 0;
        while (closed.Count < 4)
        {
            var message = await stream.NextAsync();
            Assert.Equal(("kline", "BTCUSDT"), (message.GetProperty("e").GetString(), message.GetProperty("s").GetString()));
            var candle = message.GetProperty("k");
            if (candle.GetProperty("x").GetBoolean())
                closed.Add(candle);
            else
                growing++;
        }
        Assert.True(growing > 0);
        for (var i = 1; i < closed.Count; i++)
            Assert.Equal(closed[i - 1].GetProperty("t").GetInt64() + 1_000, closed[i].GetProperty("t").GetInt64());
        // What was streamed is what can be asked for.
        var asked = await Client.GetAsync($"/api/v3/klines?symbol=BTCUSDT&interval=1s&startTime={closed[0].GetProperty("t")}&limit=4");
        Assert.Equal(
            closed.Select(c => (c.GetProperty("o").GetString(), c.GetProperty("h").GetString(), c.GetProperty("l").GetString(), c.GetProperty("c").GetString(), c.GetProperty("v").GetString())),
            asked.Json.EnumerateArray().Select(c => (c[1].GetString(), c[2].GetString(), c[3].GetString(), c[4].GetString(), c[5].GetString())));
    }

    [Fact]
    public async Task Combined_streams_say_which_they_are()
    {
        using var stream = await Client.ListenAsync("/stream?streams=btcusdt@trade/ethusdt@bookTicker/solusdt@depth5@100ms");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (seen.Count < 3)
        {
            var message = await stream.NextAsync();
            var name = message.GetProperty("stream").GetString()!;
            var data = message.GetProperty("data");
            Assert.True(name switch
            {
                "btcusdt@trade" => data.GetProperty("e").GetString() == "trade" && data.GetProperty("s").GetString() == "BTCUSDT",
                "ethusdt@bookTicker" => decimal.Parse(data.GetProperty("b").GetString()!) < decimal.Parse(data.GetProperty("a").GetString()!),
                "solusdt@depth5@100ms" => data.GetProperty("bids").GetArrayLength() == 5,
                _ => false,
            });
            seen.Add(name);
        }
    }

    [Fact]
    public async Task Streams_are_subscribed_listed_and_left_by_message()
    {
        using var stream = await Client.ListenAsync("/ws");
        await stream.SayAsync("""{"method":"SUBSCRIBE","params":["btcusdt@bookTicker","ethusdt@trade"],"id":1}""");
        var answer = await stream.NextAsync(m => m.TryGetProperty("id", out _));
        Assert.Equal((JsonValueKind.Null, 1), (answer.GetProperty("result").ValueKind, answer.GetProperty("id").GetInt32()));
        await stream.NextAsync(m => m.TryGetProperty("b", out _));
        await stream.SayAsync("""{"method":"UNSUBSCRIBE","params":["btcusdt@bookTicker"],"id":"two"}""");
        await stream.NextAsync(m => m.TryGetProperty("id", out var id) && id.ToString() == "two");
        await stream.SayAsync("""{"method":"LIST_SUBSCRIPTIONS","id":3}""");
        var list = await stream.NextAsync(m => m.TryGetProperty("id", out var id) && id.ToString() == "3");
        Assert.Equal(["ethusdt@trade"], list.GetProperty("result").EnumerateArray().Select(s => s.GetString()));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("[1,2]")]
    [InlineData("""{"method":5}""")]
    [InlineData("""{"method":"DANCE","id":1}""")]
    [InlineData("""{"method":"SUBSCRIBE","params":"btcusdt@trade","id":1}""")]
    [InlineData("""{"method":"SUBSCRIBE","params":[5],"id":1}""")]
    [InlineData("""{"method":"SUBSCRIBE","params":["nope@trade"],"id":1}""")]
    [InlineData("""{"method":"SUBSCRIBE","params":[],"id":{"a":1}}""")]
    public async Task A_message_that_makes_no_sense_is_told_so_and_the_stream_goes_on(string message)
    {
        using var stream = await Client.ListenAsync("/ws/btcusdt@trade");
        await stream.SayAsync(message);
        var answer = await stream.NextAsync(m => m.TryGetProperty("error", out _));
        Assert.NotEqual("", answer.GetProperty("error").GetProperty("msg").GetString());
        await stream.NextAsync(m => m.TryGetProperty("e", out _));
    }

    [Fact]
    public async Task A_stream_that_there_is_not_is_refused_and_so_is_one_who_asks_too_often()
    {
        await Assert.ThrowsAnyAsync<Exception>(() => Client.ListenAsync("/ws/nope@trade"));
        await Assert.ThrowsAnyAsync<Exception>(() => Client.ListenAsync($"/ws/{new string('k', 64)}"));
        using var stream = await Client.ListenAsync("/ws");
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            for (var i = 0; i < 1_000; i++)
            {
                await stream.SayAsync("""{"method":"LIST_SUBSCRIPTIONS","id":3}""");
                await stream.NextAsync();
            }
        });
    }

    [Fact]
    public async Task The_owner_is_told_of_every_change_of_an_order_and_of_the_balances()
    {
        using var stream = await Client.ListenAsOwnerAsync();
        await Client.LimitAsync("BUY", "20000", "0.01", "told");
        await Client.SignedAsync(HttpMethod.Delete, "/api/v3/order", ("symbol", "BTCUSDT"), ("origClientOrderId", "told"), ("newClientOrderId", "end"));
        await Client.BuyAsync("0.01", "bought");

        var messages = new List<JsonElement>();
        while (messages.Count(m => m.GetProperty("e").GetString() == "outboundAccountPosition") < 3)
            messages.Add(await stream.NextAsync());
        var reports = messages.Where(m => m.GetProperty("e").GetString() == "executionReport").ToList();
        Assert.Equal(
            [("told", "", "NEW", "NEW"), ("end", "told", "CANCELED", "CANCELED"), ("bought", "", "NEW", "NEW"), ("bought", "", "TRADE", "FILLED")],
            reports.Select(r => (Text(r, "c"), Text(r, "C"), Text(r, "x"), Text(r, "X"))).Distinct());
        Assert.Equal(0.01m, decimal.Parse(Text(reports[^1], "z")));
        var last = messages.Last(m => m.GetProperty("e").GetString() == "outboundAccountPosition");
        var account = await Client.SignedAsync(HttpMethod.Get, "/api/v3/account");
        foreach (var told in last.GetProperty("B").EnumerateArray())
        {
            var held = account.Json.GetProperty("balances").EnumerateArray().Single(b => Text(b, "asset") == Text(told, "a"));
            Assert.Equal((Text(held, "free"), Text(held, "locked")), (Text(told, "f"), Text(told, "l")));
        }
    }

    /// <summary>An order placed as soon as the stream is open was once told to nobody: the venue began to listen after it had answered.</summary>
    [Fact]
    public async Task What_happens_right_after_a_stream_opens_is_told()
    {
        for (var i = 0; i < 30; i++)
        {
            using var stream = await Client.ListenAsOwnerAsync();
            await Client.BuyAsync("0.0001", $"at-once-{i}");
            var report = await stream.NextAsync(m => m.GetProperty("e").GetString() == "executionReport");
            Assert.Equal($"at-once-{i}", Text(report, "c"));
        }
    }

    [Fact]
    public async Task A_listen_key_is_kept_and_ended_by_its_owner_alone()
    {
        var key = _venue.Server.Key.Key;
        var listen = (await Client.SendAsync(HttpMethod.Post, "/api/v3/userDataStream", apiKey: key))["listenKey"];
        Assert.Equal(200, (await Client.SendAsync(HttpMethod.Put, $"/api/v3/userDataStream?listenKey={listen}", apiKey: key)).Status);
        var other = await Client.AdminAsync(HttpMethod.Post, "/admin/accounts", new { name = "other" });
        Assert.Equal(-1125, (await Client.SendAsync(HttpMethod.Delete, $"/api/v3/userDataStream?listenKey={listen}", apiKey: other["apiKey"])).Code);
        Assert.Equal(200, (await Client.SendAsync(HttpMethod.Delete, $"/api/v3/userDataStream?listenKey={listen}", apiKey: key)).Status);
        Assert.Equal(-1125, (await Client.SendAsync(HttpMethod.Put, $"/api/v3/userDataStream?listenKey={listen}", apiKey: key)).Code);
    }

    /// <summary>One that reads nothing must not make the venue keep all that it has not read.</summary>
    [Fact]
    public async Task A_listener_that_does_not_keep_up_is_cut()
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4_096 };
        await socket.ConnectAsync(_venue.Server.Address.Host, _venue.Server.Address.Port, TestContext.Current.CancellationToken);
        var streams = string.Join('/', Antbot.PaperVenue.VenueRules.Default.Instruments.SelectMany(i => Antbot.PaperVenue.Interval.All.Select(v => $"{i.Symbol.ToLowerInvariant()}@kline_{v.Name}")));
        await socket.SendAsync(Encoding.ASCII.GetBytes($"GET /stream?streams={streams} HTTP/1.1\r\nHost: venue\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"), TestContext.Current.CancellationToken);
        while (await ListenersAsync() == 0)
            await Task.Delay(50, TestContext.Current.CancellationToken);
        for (var started = DateTime.UtcNow; await ListenersAsync() > 0; await Task.Delay(200, TestContext.Current.CancellationToken))
            Assert.True(DateTime.UtcNow - started < TimeSpan.FromMinutes(2), "It was not cut.");
        Assert.Equal(200, (await Client.GetAsync("/api/v3/ping")).Status);
    }

    [Fact]
    public async Task A_book_kept_from_the_stream_of_its_changes_is_the_book()
    {
        // Of all instruments the last to move: between its moves nothing does.
        using var stream = await Client.ListenAsync("/ws/dogeusdt@depth@100ms");
        var book = new KeptBook(await BookAsync());
        await Client.OrderAsync(("symbol", "DOGEUSDT"), ("side", "BUY"), ("type", "LIMIT"), ("timeInForce", "GTC"), ("price", "0.05"), ("quantity", "200"));
        for (var (i, compared) = (0, 0); compared < 3; i++)
        {
            Assert.True(i < 200, $"Of {i} changes only {compared} could be compared.");
            var change = await stream.NextAsync();
            Assert.Equal(("depthUpdate", "DOGEUSDT"), (Text(change, "e"), Text(change, "s")));
            if (!book.Apply(change))
                continue;
            var now = await BookAsync();
            // The move itself ends with a number of its own.
            if (now.GetProperty("lastUpdateId").GetInt64() > book.Last + 1)
                continue;
            compared++;
            Assert.Equal(KeptBook.Levels(now.GetProperty("bids")), book.Bids);
            Assert.Equal(KeptBook.Levels(now.GetProperty("asks")), book.Asks);
        }
        Assert.Equal("200.00000000", book.Bids[0.05m]);

        async Task<JsonElement> BookAsync() => (await Client.GetAsync("/api/v3/depth?symbol=DOGEUSDT&limit=5000")).Json;
    }

    [Fact]
    public async Task Each_second_the_day_is_told_of_one_instrument_and_of_all()
    {
        using var stream = await Client.ListenAsync("/stream?streams=btcusdt@ticker/ethusdt@miniTicker/!miniTicker@arr/!ticker@arr/btcusdt@aggTrade/btcusdt@avgPrice");
        var seen = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        while (seen.Count < 6)
        {
            var message = await stream.NextAsync();
            seen[Text(message, "stream")] = message.GetProperty("data");
        }
        Assert.Equal(("24hrTicker", "24hrMiniTicker", "aggTrade", "avgPrice"), (Text(seen["btcusdt@ticker"], "e"), Text(seen["ethusdt@miniTicker"], "e"), Text(seen["btcusdt@aggTrade"], "e"), Text(seen["btcusdt@avgPrice"], "e")));
        Assert.Equal((6, 6), (seen["!miniTicker@arr"].GetArrayLength(), seen["!ticker@arr"].GetArrayLength()));
        Assert.InRange(decimal.Parse(Text(seen["btcusdt@ticker"], "c")), decimal.Parse(Text(seen["btcusdt@ticker"], "l")) * 0.99m, decimal.Parse(Text(seen["btcusdt@ticker"], "h")) * 1.01m);
    }

    [Fact]
    public async Task A_deposit_is_told_as_what_came_and_as_what_is_there()
    {
        using var stream = await Client.ListenAsOwnerAsync();
        await Client.AdminAsync(HttpMethod.Post, "/admin/deposit", new { account = "main", asset = "ETH", amount = "2.5" });
        var credit = await stream.NextAsync();
        Assert.Equal(("balanceUpdate", "ETH", "2.50000000"), (Text(credit, "e"), Text(credit, "a"), Text(credit, "d")));
        var position = await stream.NextAsync();
        Assert.Equal(("outboundAccountPosition", "2.50000000"), (Text(position, "e"), Text(position.GetProperty("B")[0], "f")));
    }

    [Fact]
    public async Task A_listen_key_that_nobody_keeps_ends_with_a_word_and_the_connection_with_it()
    {
        await using var venue = await RunningVenue.StartAsync(o => o with { ListenKeyLife = TimeSpan.FromSeconds(2) });
        using var stream = await venue.Client.ListenAsOwnerAsync();
        Assert.Equal("listenKeyExpired", Text(await stream.NextAsync(), "e"));
        await Assert.ThrowsAnyAsync<Exception>(() => stream.NextAsync());
        using var kept = await venue.Client.ListenAsOwnerAsync();
        Assert.Equal("listenKeyExpired", Text(await kept.NextAsync(), "e"));
    }

    [Theory]
    [InlineData("/ws/btcusdt@trade")]
    [InlineData("/ws-api/v3")]
    public async Task After_its_day_a_connection_is_closed_in_order(string path)
    {
        await using var venue = await RunningVenue.StartAsync(o => o with { MaxStreamAge = TimeSpan.FromSeconds(1.5) });
        using var stream = await venue.Client.ListenAsync(path);
        var closed = await Assert.ThrowsAsync<System.Net.WebSockets.WebSocketException>(async () =>
        {
            while (true)
                await stream.NextAsync();
        });
        Assert.Equal(System.Net.WebSockets.WebSocketCloseStatus.NormalClosure, stream.Socket.CloseStatus);
        Assert.Equal("It was closed.", closed.Message);
    }

    [Fact]
    public void A_connection_lives_for_a_day_and_is_pinged_every_twenty_seconds()
    {
        var options = new Antbot.PaperVenue.PaperVenueOptions { Data = "nowhere" };
        Assert.Equal((TimeSpan.FromHours(24), TimeSpan.FromSeconds(20), TimeSpan.FromMinutes(1)), (options.MaxStreamAge, options.PingEvery, options.PongWithin));
    }

    /// <summary>Prevents streams that are kept for clients which are gone, and clients that are cut although they answer.</summary>
    [Theory]
    [InlineData("/ws/17")]
    [InlineData("/ws-api/v3")]
    public async Task Who_does_not_answer_a_ping_is_cut_and_who_does_is_kept(string path)
    {
        await using var venue = await RunningVenue.StartAsync(o => o with { PingEvery = TimeSpan.FromMilliseconds(200), PongWithin = TimeSpan.FromMilliseconds(800) });
        using var answers = await venue.Client.ListenAsync(path);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        // A client answers pings while it reads.
        var reading = answers.NextAsync(TimeSpan.FromSeconds(30));

        var address = venue.Server.Address;
        using var dumb = new TcpClient();
        await dumb.ConnectAsync(address.Host, address.Port, limit.Token);
        var stream = dumb.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {address.Authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {Convert.ToBase64String(new byte[16])}\r\n\r\n"),
            limit.Token);
        var heard = new MemoryStream();
        var buffer = new byte[1_024];
        try
        {
            while (await stream.ReadAsync(buffer, limit.Token) is > 0 and var count)
                heard.Write(buffer, 0, count);
        }
        catch (IOException)
        {
            // It is cut.
        }
        var bytes = heard.ToArray();
        var head = Encoding.ASCII.GetString(bytes).IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
        Assert.StartsWith("HTTP/1.1 101", Encoding.ASCII.GetString(bytes), StringComparison.Ordinal);
        const byte LastFrameOfPing = 0x89;
        Assert.Equal(LastFrameOfPing, bytes[head]);

        // The other has outlived it by now, and is still spoken to.
        Assert.False(reading.IsCompleted);
        await answers.SayAsync("""{"id":"1","method":"time"}""");
        await reading;
        Assert.Equal(System.Net.WebSockets.WebSocketState.Open, answers.Socket.State);
    }

    /// <summary>Some clients number their connections in the path and subscribe afterwards.</summary>
    [Fact]
    public async Task A_numbered_connection_is_taken_and_listens_to_what_it_asks_for()
    {
        using var stream = await Client.ListenAsync("/ws/17");
        await stream.SayAsync("""{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1}""");
        await stream.NextAsync(m => m.TryGetProperty("e", out var e) && e.GetString() == "trade");
    }

    private async Task<int> ListenersAsync() => (await Client.AdminAsync(HttpMethod.Get, "/admin/status")).Json.GetProperty("listeners").GetInt32();

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;
}
