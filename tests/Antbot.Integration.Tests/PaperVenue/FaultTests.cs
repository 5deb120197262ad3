using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using Xunit;

namespace Antbot.Integration.Tests.PaperVenue;

/// <summary>Each fault really happens, as often as it was ordered, and leaves at the venue what it says.</summary>
public sealed class FaultTests : IAsyncLifetime
{
    private RunningVenue _venue = null!;

    private VenueClient Client => _venue.Client;

    public async ValueTask InitializeAsync() => _venue = await RunningVenue.StartAsync();

    public ValueTask DisposeAsync() => _venue.DisposeAsync();

    [Fact]
    public async Task Accept_then_time_out_places_the_order_and_never_answers()
    {
        await Client.FaultAsync(new { kind = "acceptThenTimeout", route = "order", count = 1, ms = 300 });
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => Client.BuyAsync("0.01", "lost"));
        Assert.Equal("FILLED", (await Client.FindAsync("lost"))["status"]);
        // Once was asked for.
        Assert.Equal(200, (await Client.BuyAsync("0.01")).Status);
        Assert.Equal(2, (await Client.LedgerAsync("order")).Count);
    }

    [Fact]
    public async Task Accept_then_time_out_holds_until_the_client_gives_up()
    {
        await Client.FaultAsync(new { kind = "acceptThenTimeout", route = "order", count = 1 });
        using var impatient = new VenueClient(_venue.Server.Address, _venue.Server.Key) { Http = { Timeout = TimeSpan.FromSeconds(1) } };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient.BuyAsync("0.01", "held"));
        Assert.Equal("FILLED", (await Client.FindAsync("held"))["status"]);
    }

    [Theory]
    [InlineData("errorAfter", 500, -1000, true)]
    [InlineData("errorAfter", 503, -1001, true)]
    [InlineData("errorAfter", 504, -1007, true)]
    [InlineData("errorBefore", 503, -1001, false)]
    public async Task An_error_after_acceptance_hides_an_order_and_one_before_hides_none(string kind, int status, int code, bool placed)
    {
        await Client.FaultAsync(new { kind, route = "order", count = 1, status });
        var answer = await Client.BuyAsync("0.01", "error");
        Assert.Equal((status, code), (answer.Status, answer.Code));
        Assert.Equal(placed ? 0 : -2013, (await Client.FindAsync("error")).Code);
    }

    [Theory]
    [InlineData(90_000)]
    [InlineData(-90_000)]
    public async Task A_wrong_clock_shows_and_refuses_who_signs_by_the_right_one(int off)
    {
        await Client.AdminAsync(HttpMethod.Post, "/admin/clock", new { ms = off });
        var told = (await Client.GetAsync("/api/v3/time")).Json.GetProperty("serverTime").GetInt64();
        Assert.InRange(told - DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - off, -30_000, 30_000);
        Assert.Equal(-1021, (await Client.BuyAsync("0.01")).Code);
        await Client.AdminAsync(HttpMethod.Post, "/admin/clock", new { ms = 0 });
        Assert.Equal(200, (await Client.BuyAsync("0.01")).Status);
    }

    [Theory]
    [InlineData("resetAfter", true)]
    [InlineData("resetBefore", false)]
    [InlineData("drop", false)]
    public async Task A_reset_or_a_drop_gives_no_answer(string kind, bool placed)
    {
        await Client.FaultAsync(new { kind, route = "order", count = 1, ms = 100 });
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => Client.BuyAsync("0.01", "gone"));
        Assert.Equal(placed ? 0 : -2013, (await Client.FindAsync("gone")).Code);
    }

    [Fact]
    public async Task A_delay_holds_the_order_back_and_a_late_one_is_refused_for_its_time()
    {
        await Client.FaultAsync(new { kind = "delay", route = "order", count = 1, ms = 400 });
        var started = Stopwatch.StartNew();
        Assert.Equal(200, (await Client.BuyAsync("0.01")).Status);
        Assert.True(started.ElapsedMilliseconds >= 390);

        await Client.FaultAsync(new { kind = "delay", route = "order", count = 1, ms = 400 });
        var late = await Client.OrderAsync(("symbol", "BTCUSDT"), ("side", "BUY"), ("type", "MARKET"), ("quantity", "0.01"), ("recvWindow", "200"));
        Assert.Equal((400, -1021), (late.Status, late.Code));
    }

    [Fact]
    public async Task A_delayed_answer_comes_after_the_order_is_there()
    {
        await Client.FaultAsync(new { kind = "delayAnswer", route = "order", count = 1, ms = 3_000 });
        var slow = Client.BuyAsync("0.01", "slow");
        var found = await Client.FindAsync("slow");
        for (; found.Code == -2013; found = await Client.FindAsync("slow"))
            await Task.Delay(50, TestContext.Current.CancellationToken);
        Assert.False(slow.IsCompleted);
        Assert.Equal("FILLED", found["status"]);
        Assert.Equal(200, (await slow).Status);
    }

    [Fact]
    public async Task A_rate_limit_says_how_long_to_wait()
    {
        await Client.FaultAsync(new { kind = "rateLimit", route = "query", count = 1, ms = 7_000 });
        await Client.FaultAsync(new { kind = "rateLimit", route = "query", count = 1, ms = 9_000, status = 418 });
        var (first, second) = (await Client.FindAsync("x"), await Client.FindAsync("x"));
        Assert.Equal((429, -1003, "7"), (first.Status, first.Code, first.Headers["Retry-After"]));
        Assert.Equal((418, -1003, "9"), (second.Status, second.Code, second.Headers["Retry-After"]));
        Assert.Equal(-2013, (await Client.FindAsync("x")).Code);
    }

    [Fact]
    public async Task A_partial_fill_leaves_the_rest_to_expire_or_to_rest_and_be_filled_later()
    {
        await Client.AdminAsync(HttpMethod.Post, "/admin/market", new { symbol = "BTCUSDT", price = "60000" });
        await Client.FaultAsync(new { kind = "partial", route = "order", count = 2, ratio = 0.25 });
        var market = await Client.BuyAsync("0.04");
        Assert.Equal(("EXPIRED", "0.01000000"), (market["status"], market["executedQty"]));
        var limit = await Client.LimitAsync("BUY", "61000", "0.04", "rest");
        Assert.Equal("PARTIALLY_FILLED", limit["status"]);
        for (var found = await Client.FindAsync("rest"); found["status"] != "FILLED"; found = await Client.FindAsync("rest"))
            await Task.Delay(50, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Reports_of_fills_come_late_twice_or_not_at_all()
    {
        using var stream = await Client.ListenAsOwnerAsync();
        await Client.FaultAsync(new { kind = "lostReport", count = 1 });
        await Client.FaultAsync(new { kind = "duplicateReport", count = 1 });
        await Client.FaultAsync(new { kind = "lateReport", count = 1, ms = 1_000 });
        foreach (var id in (string[])["lost", "double", "late", "plain"])
            await Client.BuyAsync("0.001", id);
        var seen = new List<string>();
        while (!seen.Contains("late", StringComparer.Ordinal))
        {
            var fill = await stream.NextAsync(m => m.GetProperty("e").GetString() == "executionReport" && m.GetProperty("x").GetString() == "TRADE");
            seen.Add(fill.GetProperty("c").GetString()!);
        }
        Assert.Equal(["double", "double", "plain", "late"], seen);
    }

    [Fact]
    public async Task A_report_may_come_after_the_one_that_follows_it()
    {
        using var stream = await Client.ListenAsOwnerAsync();
        await Client.FaultAsync(new { kind = "reorderReport", count = 1 });
        foreach (var id in (string[])["first", "second", "third"])
            await Client.BuyAsync("0.001", id);
        var seen = new List<string>();
        while (seen.Count < 3)
            seen.Add((await stream.NextAsync(m => m.GetProperty("e").GetString() == "executionReport" && m.GetProperty("x").GetString() == "TRADE")).GetProperty("c").GetString()!);
        Assert.Equal(["second", "first", "third"], seen);
    }

    /// <summary>As a proxy does that repeats what it has not heard back of: with the order filled, its id is free again.</summary>
    [Fact]
    public async Task A_request_that_is_repeated_on_its_way_is_done_twice_and_answered_once()
    {
        await Client.FaultAsync(new { kind = "duplicate", route = "order", count = 2 });
        Assert.Equal("FILLED", (await Client.BuyAsync("0.01", "twice"))["status"]);
        Assert.Equal("NEW", (await Client.LimitAsync("BUY", "20000", "0.01", "rests"))["status"]);
        var orders = (await Client.LedgerAsync("order")).Select(o => o.GetProperty("clientOrderId").GetString()).ToList();
        Assert.Equal((2, 1), (orders.Count(o => o == "twice"), orders.Count(o => o == "rests")));
    }

    [Fact]
    public async Task A_late_fill_leaves_an_order_open_that_any_other_day_would_be_filled()
    {
        using var stream = await Client.ListenAsOwnerAsync();
        await Client.FaultAsync(new { kind = "lateFill", count = 1, ms = 700 });
        var placed = await Client.BuyAsync("0.01", "late");
        Assert.Equal(("NEW", "0.00000000"), (placed["status"], placed["executedQty"]));
        Assert.Equal("NEW", (await Client.FindAsync("late"))["status"]);
        var fill = await stream.NextAsync(m => m.GetProperty("e").GetString() == "executionReport" && m.GetProperty("x").GetString() == "TRADE");
        Assert.Equal(("late", "FILLED"), (fill.GetProperty("c").GetString(), fill.GetProperty("X").GetString()));
        Assert.Equal("FILLED", (await Client.FindAsync("late"))["status"]);
    }

    [Fact]
    public async Task A_busted_fill_was_told_and_is_gone_from_orders_trades_and_balances()
    {
        var before = await AccountAsync();
        await Client.FaultAsync(new { kind = "bustedFill", count = 1, ms = 300 });
        var placed = await Client.BuyAsync("0.01", "busted");
        Assert.Equal("FILLED", placed["status"]);
        var found = await Client.FindAsync("busted");
        for (var i = 0; i < 200 && found["status"] == "FILLED"; i++, found = await Client.FindAsync("busted"))
            await Task.Delay(50, TestContext.Current.CancellationToken);
        Assert.Equal(("EXPIRED", "0.00000000"), (found["status"], found["executedQty"]));
        Assert.Equal(0, (await Client.SignedAsync(HttpMethod.Get, "/api/v3/myTrades", ("symbol", "BTCUSDT"))).Json.GetArrayLength());
        Assert.Equal(before, await AccountAsync());
    }

    [Fact]
    public async Task Wrong_balances_are_told_to_whom_asks_and_change_nothing()
    {
        var right = await AccountAsync();
        await Client.FaultAsync(new { kind = "wrongBalances", count = 1, ratio = 0.25 });
        // It waits for what it can befall.
        Assert.Equal(-2013, (await Client.FindAsync("x")).Code);
        Assert.Equal("25000.00000000", (await AccountAsync())["USDT"]);
        Assert.Equal(right, await AccountAsync());
    }

    [Fact]
    public async Task A_stale_book_stays_while_the_market_moves_on()
    {
        await Client.AdminAsync(HttpMethod.Post, "/admin/market", new { symbol = "BTCUSDT", price = "60000" });
        await Client.FaultAsync(new { kind = "staleBook", seconds = 60 });
        var (stale, ticker) = (await BookAsync(), await TickerAsync());
        await Client.AdminAsync(HttpMethod.Post, "/admin/market", new { symbol = "BTCUSDT", price = "61000" });
        Assert.Equal((stale, ticker), (await BookAsync(), await TickerAsync()));
        var bought = await Client.BuyAsync("0.001");
        Assert.True(decimal.Parse(bought.Json.GetProperty("fills")[0].GetProperty("price").GetString()!) > 60_900);
        await Client.AdminAsync(HttpMethod.Delete, "/admin/faults");
        Assert.NotEqual(stale, await BookAsync());
        Assert.NotEqual(ticker, await TickerAsync());
    }

    [Fact]
    public async Task A_crossed_book_is_shown_and_not_traded_on()
    {
        using var stream = await Client.ListenAsync("/ws/btcusdt@bookTicker");
        await Client.FaultAsync(new { kind = "crossedBook", seconds = 60 });
        var depth = (await Client.GetAsync("/api/v3/depth?symbol=BTCUSDT&limit=5")).Json;
        Assert.True(Price(depth.GetProperty("bids")[0][0]) > Price(depth.GetProperty("asks")[0][0]));
        await stream.NextAsync(m => Price(m.GetProperty("b")) > Price(m.GetProperty("a")));
        await Client.AdminAsync(HttpMethod.Delete, "/admin/faults");
        await stream.NextAsync(m => Price(m.GetProperty("b")) < Price(m.GetProperty("a")));

        static decimal Price(JsonElement price) => decimal.Parse(price.GetString()!);
    }

    /// <summary>Whoever keeps a book from its changes is misled like everybody else, and is right again when it is over.</summary>
    [Theory]
    [InlineData("staleBook")]
    [InlineData("crossedBook")]
    public async Task A_book_kept_from_its_changes_is_wrong_while_the_fault_lasts_and_right_again_after_it(string kind)
    {
        using var stream = await Client.ListenAsync("/ws/dogeusdt@depth@100ms");
        var book = new KeptBook(await BookAsync());
        await ChangeAsync();
        await Client.FaultAsync(new { kind, seconds = 60 });
        await ChangeAsync();
        await ChangeAsync();
        var (bids, asks) = (Written(book.Bids), Written(book.Asks));
        var price = book.Bids.Keys.Last();
        await Client.AdminAsync(HttpMethod.Post, "/admin/market", new { symbol = "DOGEUSDT", price = $"{price * 1.2m:0.00000}" });
        for (var i = 0; i < 3; i++)
        {
            await ChangeAsync();
            Assert.Equal(kind == "crossedBook", book.IsCrossed);
        }
        if (kind == "staleBook")
            Assert.Equal((bids, asks), (Written(book.Bids), Written(book.Asks)));

        await Client.AdminAsync(HttpMethod.Delete, "/admin/faults");
        for (var i = 0; ; i++)
        {
            Assert.True(i < 200, "It was never the book again.");
            await ChangeAsync();
            var now = await BookAsync();
            if (now.GetProperty("lastUpdateId").GetInt64() > book.Last + 1)
                continue;
            Assert.Equal(KeptBook.Levels(now.GetProperty("bids")), book.Bids);
            Assert.Equal(KeptBook.Levels(now.GetProperty("asks")), book.Asks);
            Assert.True(book.Bids.Keys.Last() > price * 1.1m && !book.IsCrossed);
            break;
        }

        async Task<JsonElement> BookAsync() => (await Client.GetAsync("/api/v3/depth?symbol=DOGEUSDT&limit=5000")).Json;

        async Task ChangeAsync()
        {
            while (!book.Apply(await stream.NextAsync()))
            {
                // From before the whole.
            }
        }

        static string Written(SortedDictionary<decimal, string> side) => string.Join(' ', side);
    }

    [Fact]
    public async Task A_silent_stream_is_open_and_says_nothing_until_it_is_over()
    {
        using var owner = await Client.ListenAsOwnerAsync();
        using var market = await Client.ListenAsync("/ws/btcusdt@bookTicker");
        await Client.FaultAsync(new { kind = "silentStream", route = "userStream", seconds = 60 });
        await Client.BuyAsync("0.001", "unheard");
        await market.NextAsync();
        await Client.AdminAsync(HttpMethod.Delete, "/admin/faults");
        await Client.BuyAsync("0.001", "heard");
        var first = await owner.NextAsync(m => m.GetProperty("e").GetString() == "executionReport");
        Assert.Equal("heard", first.GetProperty("c").GetString());
        Assert.True((await Client.AdminAsync(HttpMethod.Get, "/admin/status")).Json.GetProperty("struck").GetProperty("silentStream").GetInt32() > 0);
    }

    [Theory]
    [InlineData("503")]
    [InlineData("reset")]
    public async Task A_venue_that_is_away_refuses_everything_cuts_its_streams_and_comes_back(string mode)
    {
        using var stream = await Client.ListenAsync("/ws/btcusdt@trade");
        Assert.Equal(200, (await Client.AdminAsync(HttpMethod.Post, "/admin/away", new { seconds = 1.5, mode })).Status);
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            while (true)
                await stream.NextAsync();
        });
        if (mode == "503")
            Assert.Equal((503, -1001), await Client.GetAsync("/api/v3/ping") is var away ? (away.Status, away.Code) : default);
        else
            await Assert.ThrowsAnyAsync<HttpRequestException>(() => Client.GetAsync("/api/v3/ping"));
        await Assert.ThrowsAnyAsync<Exception>(() => Client.ListenAsync("/ws/btcusdt@trade"));
        Assert.True((await Client.AdminAsync(HttpMethod.Get, "/admin/status")).Json.GetProperty("struck").GetProperty("away").GetInt32() >= 2);
        await Task.Delay(1_600, TestContext.Current.CancellationToken);
        Assert.Equal(200, (await Client.GetAsync("/api/v3/ping")).Status);
    }

    [Theory]
    [InlineData("503")]
    [InlineData("reset")]
    public async Task A_venue_that_is_away_cuts_who_asks_by_websocket_and_who_listens_to_nothing_yet(string mode)
    {
        using var asking = await Client.ListenAsync("/ws-api/v3");
        using var idle = await Client.ListenAsync("/ws");
        await asking.SayAsync("""{"id":1,"method":"time"}""");
        Assert.Equal(200, (await asking.NextAsync()).GetProperty("status").GetInt32());
        Assert.Equal(200, (await Client.AdminAsync(HttpMethod.Post, "/admin/away", new { seconds = 60, mode })).Status);
        await Assert.ThrowsAsync<WebSocketException>(() => asking.NextAsync());
        await Assert.ThrowsAsync<WebSocketException>(() => idle.NextAsync());
        await Assert.ThrowsAsync<WebSocketException>(() => Client.ListenAsync("/ws-api/v3"));
        await Client.AdminAsync(HttpMethod.Delete, "/admin/faults");
        using var again = await Client.ListenAsync("/ws-api/v3");
    }

    [Fact]
    public async Task A_probability_strikes_about_that_often_and_only_the_named_route()
    {
        await Client.FaultAsync(new { kind = "errorBefore", route = "query", probability = 0.5 });
        var struck = 0;
        for (var i = 0; i < 200; i++)
            struck += (await Client.FindAsync("x")).Status == 500 ? 1 : 0;
        Assert.InRange(struck, 60, 140);
        Assert.Equal(200, (await Client.SignedAsync(HttpMethod.Get, "/api/v3/account")).Status);
        var status = await Client.AdminAsync(HttpMethod.Get, "/admin/status");
        Assert.Equal(struck, status.Json.GetProperty("struck").GetProperty("errorBefore").GetInt32());
        await Client.AdminAsync(HttpMethod.Delete, "/admin/faults");
        Assert.Equal(-2013, (await Client.FindAsync("x")).Code);
    }

    [Fact]
    public async Task Faults_that_are_switched_off_cannot_be_ordered()
    {
        await using var venue = await RunningVenue.StartAsync(o => o with { Faults = false });
        Assert.Equal(403, (await venue.Client.FaultAsync(new { kind = "drop" })).Status);
        Assert.Equal(403, (await venue.Client.AdminAsync(HttpMethod.Post, "/admin/away", new { seconds = 5 })).Status);
    }

    [Theory]
    [InlineData("""{"kind":"explode"}""")]
    [InlineData("""{"kind":"drop","route":"everything"}""")]
    [InlineData("""{"kind":"drop","probability":2}""")]
    [InlineData("""{"kind":"drop","count":0}""")]
    [InlineData("""{"kind":"drop","ms":-5}""")]
    [InlineData("""{"kind":5}""")]
    [InlineData("[]")]
    [InlineData("{")]
    public async Task An_order_for_a_fault_that_makes_no_sense_is_refused(string body)
    {
        var answer = await Client.SendAsync(HttpMethod.Post, "/admin/faults", new StringContent(body), adminKey: _venue.Server.AdminKey);
        Assert.Equal((400, -1102), (answer.Status, answer.Code));
    }

    private async Task<IReadOnlyDictionary<string, string>> AccountAsync() => (await Client.SignedAsync(HttpMethod.Get, "/api/v3/account")).Json.GetProperty("balances").EnumerateArray()
        .ToDictionary(b => b.GetProperty("asset").GetString()!, b => b.GetProperty("free").GetString()!, StringComparer.Ordinal);

    private async Task<string> BookAsync() => (await Client.GetAsync("/api/v3/depth?symbol=BTCUSDT&limit=5")).Json is var book ? book.GetProperty("bids").GetRawText() + book.GetProperty("asks").GetRawText() : "";

    private async Task<string> TickerAsync() => (await Client.GetAsync("/api/v3/ticker/bookTicker?symbol=BTCUSDT")).Json.GetRawText();
}
