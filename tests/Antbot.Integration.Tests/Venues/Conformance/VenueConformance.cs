using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Antbot.Contracts;
using Antbot.Contracts.Market;
using Antbot.Contracts.Venue;
using Antbot.Integration.Tests.Support;
using Antbot.Resilience;
using Antbot.Runtime.Venue;
using Antbot.Venues;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Antbot.Integration.Tests.Venues.Conformance;

/// <summary>What every adapter passes on every venue that it is made for. The numbers, and why each is asked, are in docs/venues.md.</summary>
public abstract partial class VenueConformance : IAsyncLifetime
{
    private static readonly Symbol Btc = new("BTCUSDT");
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(5);

    private readonly List<IDisposable> _open = [];
    private readonly LogLines _log = new();
    private IVenueStage _stage = null!;
    private IVenue _venue = null!;
    private IMarketData _market = null!;
    private int _orders;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private VenueFront Front => _stage.Front;

    public async ValueTask InitializeAsync()
    {
        _stage = await StageAsync();
        (_venue, _market) = Open(_stage.Key, _stage.Secret);
        Said(await _venue.MeasureClockAsync(Cancel));
        Said(await _venue.ReadRulesAsync(Cancel));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var one in Enumerable.Reverse(_open))
            one.Dispose();
        await _stage.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected abstract Task<IVenueStage> StageAsync();

    [Fact]
    public async Task V01_the_clock_is_the_venues_own_and_follows_it()
    {
        Assert.InRange(_venue.Now!.Value - DateTimeOffset.UtcNow, TimeSpan.FromSeconds(-1), TimeSpan.FromSeconds(1));
        await _stage.SetClockOffAsync(TimeSpan.FromSeconds(90));
        Said(await _venue.MeasureClockAsync(Cancel));
        Assert.InRange(_venue.Now!.Value - DateTimeOffset.UtcNow, TimeSpan.FromSeconds(89), TimeSpan.FromSeconds(91));
    }

    [Fact]
    public async Task V02_the_rules_of_each_symbol_that_is_traded_are_read()
    {
        var rules = Said(await _venue.ReadRulesAsync(Cancel));
        var btc = Assert.Single(rules, r => r.Symbol == Btc);
        Assert.Equal(
            new SymbolRules(
                Btc, "BTC", "USDT", 0.01m, 0.00001m, new Quantity(0.00001m), new Quantity(9_000), new Money(5), OrderTypes.Market | OrderTypes.Limit | OrderTypes.Stop | OrderTypes.StopLimit,
                MarketQuantityMax: new Quantity(1_000), OrdersMax: 10_000, StopsMax: 5_000),
            btc with { MarketQuantityMin = null, MarketQuantityStep = null });
        // Nothing that bounds nothing is taken for a bound.
        Assert.Equal((0.00001m, 0.00001m), (btc.AtMarket().QuantityStep, btc.AtMarket().QuantityMin.Value));
        Assert.DoesNotContain(rules, r => r.Symbol.Value == "LUNAUSDT");
    }

    [Fact]
    public async Task V03_a_market_order_is_filled_and_its_fills_add_up()
    {
        foreach (var order in new[] { Order(), Order() with { Side = Side.Sell, ReduceOnly = true } })
        {
            var placed = Said(await _venue.PlaceAsync(order, Cancel));
            Assert.Equal((order.Id, order.Side, VenueOrderStatus.Filled, order.Quantity), (placed.Id, placed.Side, placed.Status, placed.Executed));
            Assert.Equal(placed.Executed.Value, placed.Fills.Sum(f => f.Quantity.Value));
            Assert.Equal(placed.Cost.Value, placed.Fills.Sum(f => f.Quantity.Value * f.Price.Value));
            Assert.All(placed.Fills, f => Assert.True(f.Fee.Value > 0 && f.FeeAsset.Length > 0));
        }
    }

    [Fact]
    public async Task V04_a_limit_order_rests_at_its_price()
    {
        var order = Limit();
        Assert.Equal((order.Id, VenueOrderStatus.Open, Quantity.Zero), Said(await _venue.PlaceAsync(order, Cancel)) is var r ? (r.Id, r.Status, r.Executed) : default);
        Assert.Equal(("LIMIT", "GTC", 30_000m), Sent() is var s ? (s["type"], s["timeInForce"], Decimal(s["price"])) : default);
    }

    [Fact]
    public async Task V05_a_stop_rests_until_its_trigger()
    {
        var stop = Order() with { Side = Side.Sell, Trigger = new Price(20_000), ReduceOnly = true };
        Assert.Equal(VenueOrderStatus.Open, Said(await _venue.PlaceAsync(stop, Cancel)).Status);
        Assert.Equal(("STOP_LOSS", "", 20_000m), Sent() is var s ? (s["type"], s["price"], Decimal(s["stopPrice"])) : default);
    }

    [Fact]
    public async Task V06_a_stop_with_a_limit_rests_with_both()
    {
        var stop = Order() with { Side = Side.Sell, Kind = OrderKind.Limit, Limit = new Price(19_990), Trigger = new Price(20_000), ReduceOnly = true };
        Assert.Equal(VenueOrderStatus.Open, Said(await _venue.PlaceAsync(stop, Cancel)).Status);
        Assert.Equal(("STOP_LOSS_LIMIT", 19_990m, 20_000m), Sent() is var s ? (s["type"], Decimal(s["price"]), Decimal(s["stopPrice"])) : default);
    }

    [Fact]
    public async Task V07_what_the_venue_refuses_is_refused_and_of_the_right_kind()
    {
        Assert.Equal(Refusal.UnknownOrder, Refused(await _venue.FindOrderAsync(Btc, NextId(), Cancel)));
        Assert.Equal(Refusal.UnknownOrder, Refused(await _venue.CancelAsync(Btc, NextId(), Cancel)));
        Assert.Equal(Refusal.InsufficientBalance, Refused(await _venue.PlaceAsync(Order() with { Quantity = new Quantity(100) }, Cancel)));
        Assert.Equal(Refusal.Invalid, Refused(await _venue.PlaceAsync(Order() with { Quantity = new Quantity(0.00001m) }, Cancel)));
        Assert.Equal(Refusal.Invalid, Refused(await _venue.PlaceAsync(Limit() with { Limit = new Price(30_000.001m) }, Cancel)));
        var (stranger, _) = Open(_stage.Key, new string('x', 64));
        Assert.Equal(Refusal.Unauthorized, Refused(await stranger.FindOrderAsync(Btc, NextId(), Cancel)));
    }

    [Theory]
    [InlineData(400, -1013, "Filter failure: MIN_NOTIONAL", Refusal.Invalid)]
    [InlineData(400, -1100, "Illegal characters found in parameter 'price'.", Refusal.Invalid)]
    [InlineData(400, -1102, "Mandatory parameter 'quantity' was not sent.", Refusal.Invalid)]
    [InlineData(400, -1111, "Precision is over the maximum defined for this asset.", Refusal.Invalid)]
    [InlineData(400, -1121, "Invalid symbol.", Refusal.Invalid)]
    [InlineData(400, -2010, "Account has insufficient balance for requested action.", Refusal.InsufficientBalance)]
    [InlineData(400, -2010, "Duplicate order sent.", Refusal.DuplicateOrder)]
    [InlineData(400, -2010, "Market is closed.", Refusal.Other)]
    [InlineData(400, -2010, "Stop price would trigger immediately.", Refusal.Other)]
    [InlineData(400, -2011, "Unknown order sent.", Refusal.UnknownOrder)]
    [InlineData(400, -2013, "Order does not exist.", Refusal.UnknownOrder)]
    [InlineData(400, -2026, "Order was canceled or expired with no executed qty over 90 days ago and has been archived.", Refusal.UnknownOrder)]
    [InlineData(400, -1021, "Timestamp for this request is outside of the recvWindow.", Refusal.OutOfWindow)]
    [InlineData(400, -1022, "Signature for this request is not valid.", Refusal.Unauthorized)]
    [InlineData(401, -2014, "API-key format invalid.", Refusal.Unauthorized)]
    [InlineData(401, -2015, "Invalid API-key, IP, or permissions for action.", Refusal.Unauthorized)]
    [InlineData(400, -1015, "Too many new orders.", Refusal.RateLimited)]
    [InlineData(503, -1008, "Server is currently overloaded with other requests.", null)]
    [InlineData(400, -1000, "An unknown error occurred while processing the request.", null)]
    [InlineData(400, -1001, "Internal error; unable to process your request.", null)]
    [InlineData(400, -1006, "An unexpected response was received from the message bus.", null)]
    [InlineData(400, -1014, "Unsupported order combination.", Refusal.Invalid)]
    [InlineData(400, -1020, "This operation is not supported.", Refusal.Invalid)]
    [InlineData(400, -1016, "This service is no longer available.", null)]
    [InlineData(409, -2021, "Order cancel-replace partially failed.", null)]
    [InlineData(400, -7777, "A code that came after this was written.", null)]
    [InlineData(400, -1007, "Timeout waiting for response from backend server.", null)]
    public async Task V08_every_code_is_a_refusal_of_one_kind_or_leaves_it_unknown(int status, int code, string text, Refusal? kind)
    {
        Front.Answer("POST", "/api/v3/order", FrontReply.Of(status, JsonSerializer.Serialize(new { code, msg = text })));
        var answer = await _venue.PlaceAsync(Order(), Cancel);
        Assert.Equal(kind, answer is VenueAnswer<OrderReport>.Refused refused ? refused.Refusal : (Refusal?)null);
        Assert.True(kind is not null || answer is VenueAnswer<OrderReport>.Unknown, answer.ToString());
    }

    [Fact]
    public async Task V09_a_client_order_id_is_taken_once_while_its_order_is_open()
    {
        var order = Limit();
        Said(await _venue.PlaceAsync(order, Cancel));
        Assert.Equal(Refusal.DuplicateOrder, Refused(await _venue.PlaceAsync(order with { SignedAt = _venue.Now!.Value }, Cancel)));
        Assert.Single(Said(await _venue.ListOpenOrdersAsync(Cancel)));
    }

    [Fact]
    public async Task V10_an_order_that_nobody_answers_is_unknown_was_sent_once_and_is_found()
    {
        Front.Instead(async (request, context) =>
        {
            if (!request.Is("POST", "/api/v3/order"))
                return false;
            await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted);
            return true;
        });
        await IsUnknownAndWasSentOnceAsync(isThere: false);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task V11_a_connection_that_breaks_leaves_it_unknown_and_it_is_sent_once(bool isDone)
    {
        // One that is in use already is one that a client might try again on by itself.
        Said(await _venue.PlaceAsync(Order(), Cancel));
        BreakAt("POST", isDone, (context, _) =>
        {
            context.Abort();
            return Task.CompletedTask;
        });
        await IsUnknownAndWasSentOnceAsync(isDone);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    public async Task V12_an_error_of_the_venues_own_leaves_it_unknown(int status)
    {
        BreakAt("POST", isDone: true, (context, _) => VenueFront.WriteAsync(context, FrontReply.Of(status, "<html><body>it is not well</body></html>")));
        await IsUnknownAndWasSentOnceAsync(isThere: true);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("<html>")]
    [InlineData("{\"symbol\":")]
    [InlineData("\"\\ud800\"")]
    [InlineData("{\"code\":\"-2010\",\"msg\":5}")]
    public async Task V13_an_answer_that_makes_no_sense_leaves_it_unknown(string nonsense)
    {
        BreakAt("POST", isDone: true, (context, _) => VenueFront.WriteAsync(context, FrontReply.Of(200, nonsense)));
        await IsUnknownAndWasSentOnceAsync(isThere: true);
    }

    [Fact]
    public async Task V14_an_answer_without_end_is_cut_off_and_leaves_it_unknown()
    {
        BreakAt("POST", isDone: true, async (context, _) =>
        {
            context.Response.ContentLength = 1L << 40;
            var part = new byte[1 << 20];
            while (true)
                await context.Response.Body.WriteAsync(part, context.RequestAborted);
        });
        await IsUnknownAndWasSentOnceAsync(isThere: true);
    }

    [Fact]
    public async Task V15_half_an_answer_leaves_it_unknown()
    {
        BreakAt("POST", isDone: true, async (context, reply) =>
        {
            context.Response.ContentLength = reply.Body.Length;
            await context.Response.Body.WriteAsync(reply.Body.AsMemory(0, reply.Body.Length / 2));
            await context.Response.Body.FlushAsync();
            context.Abort();
        });
        await IsUnknownAndWasSentOnceAsync(isThere: true);
    }

    [Fact]
    public async Task V16_an_answer_about_another_order_is_none()
    {
        Front.Misquote((request, reply) => request.Path == "/api/v3/order" ? Changed(reply, json => json["clientOrderId"] = json["origClientOrderId"] = "another") : reply);
        Assert.IsType<VenueAnswer<OrderReport>.Unknown>(await _venue.PlaceAsync(Limit(), Cancel));
        Front.BeHonest();
        var order = Limit();
        Said(await _venue.PlaceAsync(order, Cancel));
        Front.Misquote((request, reply) => request.Path == "/api/v3/order" ? Changed(reply, json => json["clientOrderId"] = json["origClientOrderId"] = "another") : reply);
        Assert.IsType<VenueAnswer<OrderReport>.Unknown>(await _venue.FindOrderAsync(Btc, order.Id, Cancel));
        Assert.IsType<VenueAnswer<OrderReport>.Unknown>(await _venue.CancelAsync(Btc, order.Id, Cancel));
    }

    [Fact]
    public async Task V17_a_redirection_is_not_followed()
    {
        Front.Answer("POST", "/api/v3/order", FrontReply.Of(307, "", ("Location", "/elsewhere")));
        Assert.IsType<VenueAnswer<OrderReport>.Unknown>(await _venue.PlaceAsync(Order(), Cancel));
        Assert.DoesNotContain(Front.Asked, r => r.Path == "/elsewhere");
    }

    [Fact]
    public async Task V18_an_order_is_found_by_its_client_id_as_it_was_placed()
    {
        var placed = Said(await _venue.PlaceAsync(Order(), Cancel));
        var found = Said(await _venue.FindOrderAsync(Btc, placed.Id, Cancel));
        Assert.Equal((placed.VenueOrderId, placed.Symbol, placed.Side, placed.Status, placed.Quantity, placed.Executed, placed.Cost), (found.VenueOrderId, found.Symbol, found.Side, found.Status, found.Quantity, found.Executed, found.Cost));
    }

    [Fact]
    public async Task V19_an_order_is_cancelled_once()
    {
        var order = Limit();
        Said(await _venue.PlaceAsync(order, Cancel));
        Assert.Equal((order.Id, VenueOrderStatus.Cancelled), Said(await _venue.CancelAsync(Btc, order.Id, Cancel)) is var r ? (r.Id, r.Status) : default);
        Assert.Equal(Refusal.UnknownOrder, Refused(await _venue.CancelAsync(Btc, order.Id, Cancel)));
        Assert.Equal(VenueOrderStatus.Cancelled, Said(await _venue.FindOrderAsync(Btc, order.Id, Cancel)).Status);
    }

    [Fact]
    public async Task V20_open_orders_are_those_that_rest_and_no_others()
    {
        Assert.Empty(Said(await _venue.ListOpenOrdersAsync(Cancel)));
        Said(await _venue.PlaceAsync(Order(), Cancel));
        var (one, other) = (Limit(), Limit());
        Said(await _venue.PlaceAsync(one, Cancel));
        Said(await _venue.PlaceAsync(other, Cancel));
        Assert.Equal(new[] { one.Id, other.Id }.ToHashSet(), Said(await _venue.ListOpenOrdersAsync(Cancel)).Select(o => o.Id).ToHashSet());
        Assert.Equal(new[] { one.Id, other.Id }.ToHashSet(), Said(await _venue.ListOpenOrdersAsync(one.Symbol, Cancel)).Select(o => o.Id).ToHashSet());
    }

    [Fact]
    public async Task V21_fills_are_listed_to_the_last_over_however_many_pages()
    {
        var order = Order() with { Side = Side.Sell, Kind = OrderKind.Limit, Limit = new Price(65_001), Quantity = new Quantity(1) };
        var placed = Said(await _venue.PlaceAsync(order, Cancel));
        await _stage.FillInPartsAsync(order.Id, 1_101);
        var fills = Said(await _venue.ListFillsAsync(Btc, placed.VenueOrderId, Cancel));
        Assert.Equal(1_101, fills.DistinctBy(f => f.FillId).Count());
        Assert.Equal(0.1101m, fills.Sum(f => f.Quantity.Value));
        Assert.All(fills, f => Assert.Equal((placed.VenueOrderId, Side.Sell, new Price(65_001)), (f.VenueOrderId, f.Side, f.Price)));
        Assert.True(Front.Asked.Count(r => r.Path == "/api/v3/myTrades") > 1);
    }

    [Fact]
    public async Task V22_balances_are_read_asset_by_asset()
    {
        var balances = Said(await _venue.ReadBalancesAsync(Cancel));
        Assert.Equal([new Balance("BTC", 10, 0), new Balance("USDT", 100_000, 0)], balances.Where(b => b.Total > 0).OrderBy(b => b.Asset, StringComparer.Ordinal));
    }

    [Fact]
    public async Task V23_an_order_is_taken_within_its_window_or_never()
    {
        Assert.Equal(Refusal.OutOfWindow, Refused(await _venue.PlaceAsync(Order() with { SignedAt = _venue.Now!.Value - Window - TimeSpan.FromSeconds(1) }, Cancel)));
        var order = Order();
        Said(await _venue.PlaceAsync(order, Cancel));
        var sent = Sent();
        Assert.Equal((order.SignedAt.ToUnixTimeMilliseconds(), 5_000), (long.Parse(sent["timestamp"], CultureInfo.InvariantCulture), int.Parse(sent["recvWindow"], CultureInfo.InvariantCulture)));
        // A clock that was set is measured again: the next question is in time.
        await _stage.SetClockOffAsync(TimeSpan.FromSeconds(-90));
        Assert.Equal(Refusal.OutOfWindow, Refused(await _venue.FindOrderAsync(Btc, order.Id, Cancel)));
        Said(await _venue.FindOrderAsync(Btc, order.Id, Cancel));
    }

    [Theory]
    [InlineData(429, false)]
    [InlineData(429, true)]
    [InlineData(418, false)]
    [InlineData(403, false)]
    [InlineData(503, false)]
    [InlineData(503, true)]
    public async Task V24_told_to_wait_nothing_is_sent_before_it_is_over(int status, bool asDate)
    {
        // Of a firewall there is no more than a page.
        var body = status == 403 ? "<html><head><title>403 Forbidden</title></head></html>" : """{"code":-1003,"msg":"Too much request weight used."}""";
        var now = DateTimeOffset.UtcNow;
        var retryAfter = asDate ? now.AddSeconds(3).ToString("R", CultureInfo.InvariantCulture) : "2";
        Front.Answer("GET", "/api/v3/order", FrontReply.Of(status, body, ("Retry-After", retryAfter), ("Date", now.ToString("R", CultureInfo.InvariantCulture))));
        // What a venue that is away says of one order is nothing.
        var answer = await _venue.FindOrderAsync(Btc, NextId(), Cancel);
        Assert.True(status == 503 ? answer is VenueAnswer<OrderReport>.Unknown : Refused(answer) == Refusal.RateLimited, $"{answer}");
        Front.BeHonest();
        var asked = Front.Asked.Count;
        var waits = Assert.IsType<VenueAnswer<OrderReport>.NotSent>(await _venue.PlaceAsync(Order() with { ReduceOnly = true }, Cancel));
        Assert.IsType<VenueAnswer<DateTimeOffset>.NotSent>(await _venue.MeasureClockAsync(Cancel));
        Assert.IsType<VenueAnswer<IReadOnlyList<Candle>>.NotSent>(await _market.ReadCandlesAsync(Btc, TimeSpan.FromMinutes(1), 1, Cancel));
        Assert.Equal(asked, Front.Asked.Count);
        await Task.Delay(waits.RetryAfter!.Value, Cancel);
        await Eventually.HoldsAsync(async () => await _venue.FindOrderAsync(Btc, NextId(), Cancel) is VenueAnswer<OrderReport>.Refused { Refusal: Refusal.UnknownOrder }, "the wait ends");
    }

    [Fact]
    public async Task V25_what_the_venue_has_counted_holds_entries_back_before_it_is_too_much()
    {
        // In the middle of a minute, so that the count is of the one that is asked in.
        while (_venue.Now!.Value.Second is < 1 or > 50)
            await Task.Delay(500, Cancel);
        Front.Misquote((_, reply) => reply with { Headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["X-MBX-USED-WEIGHT-1M"] = "900000" } });
        Assert.Equal(Refusal.UnknownOrder, Refused(await _venue.FindOrderAsync(Btc, NextId(), Cancel)));
        Assert.IsType<VenueAnswer<OrderReport>.NotSent>(await _venue.PlaceAsync(Order(), Cancel));
        Assert.Equal(Refusal.UnknownOrder, Refused(await _venue.FindOrderAsync(Btc, NextId(), Cancel)));
    }

    [Fact]
    public async Task V26_closed_candles_are_read_oldest_first_without_the_open_one()
    {
        var candles = Said(await _market.ReadCandlesAsync(Btc, TimeSpan.FromMinutes(1), 5, Cancel));
        Assert.Equal(5, candles.Count);
        Assert.All(candles.Zip(candles.Skip(1)), pair => Assert.Equal(pair.First.ClosedAt, pair.Second.OpenedAt));
        Assert.True(candles[^1].ClosedAt <= _venue.Now!.Value);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task V27_what_the_key_may_do_is_known_before_real_money_is_risked(bool mayWithdraw)
    {
        var (key, secret) = await _stage.NewKeyAsync(mayWithdraw);
        var (paper, _) = Open(key, secret);
        var (live, _) = Open(key, secret, isPaper: false);
        Assert.Contains("not known", live.LiveBar!, StringComparison.Ordinal);
        Assert.Equal(new KeyPermissions(Reads: true, Trades: true, mayWithdraw, Transfers: false, IsBoundToAddresses: false), Said(await live.ReadPermissionsAsync(Cancel)));
        Assert.Equal(mayWithdraw, live.LiveBar is not null);
        Assert.Equal(mayWithdraw, live.LiveBar?.Contains("withdraw", StringComparison.Ordinal) is true);
        Assert.Null(paper.LiveBar);
    }

    [Theory]
    [InlineData("time")]
    [InlineData("placed")]
    [InlineData("found")]
    [InlineData("cancelled")]
    [InlineData("permissions")]
    public async Task V28_an_answer_with_any_field_wrong_is_unknown_and_never_a_guess(string which)
    {
        var question = Questions.Single(q => q.Name == which);
        var rejected = 0;
        foreach (var spoiled in await CasesAsync(question))
        {
            var (path, answered) = ("", false);
            var ask = await question.PrepareAsync(this);
            Front.Misquote((request, reply) =>
            {
                if (!request.Is(question.Method, question.Path) || reply.Status != 200 || answered)
                    return reply;
                answered = true;
                (path, var changed) = spoiled.In(reply);
                return changed;
            });
            var answer = await ask();
            Front.BeHonest();
            Assert.True(answered);
            if (answer.Value is { } value)
                Assert.True(question.IsSame(value, Front.Answered!.Body), $"{path}: it was taken for {value}");
            else
                Assert.True(answer.IsUnknown && ++rejected > 0, $"{path}: it was not unknown");
            // What was wrong once does not last.
            Assert.NotNull((await (await question.PrepareAsync(this))()).Value);
        }
        Assert.InRange(rejected, question.Reads.Count * 4, int.MaxValue);
    }

    [Theory]
    [InlineData("rules")]
    [InlineData("open orders")]
    [InlineData("fills")]
    [InlineData("balances")]
    [InlineData("candles")]
    public async Task V29_an_entry_with_any_field_wrong_is_reported_and_passed_over_and_the_others_count(string which)
    {
        var listing = Listings.Single(l => l.Name == which);
        var ask = await listing.PrepareAsync(this);
        var good = (await ask()).Entries!;
        Assert.InRange(good.Count, 2, int.MaxValue);
        var entries = listing.Entries(JsonNode.Parse(Front.Answered!.Body)!);
        var (reported, rejected) = (0L, 0);
        using var metrics = Listen(() => reported++);
        foreach (var spoiled in Spoiled.All(entries[0]!).ToList())
        {
            var (before, lines) = (reported, _log.Count);
            Front.Misquote((request, reply) => request.Is("GET", listing.Path) ? Changed(reply, json => spoiled.Do(listing.Entries(json)[0]!)) : reply);
            var answer = (await ask()).Entries;
            Front.BeHonest();
            Assert.True(answer is not null, $"{spoiled} took the others with it");
            // A field that nobody goes by.
            if (answer.SequenceEqual(good, StringComparer.Ordinal))
                continue;
            rejected++;
            Assert.True(answer.SequenceEqual(good.Skip(1), StringComparer.Ordinal), $"{spoiled} was taken for {string.Join(' ', answer)}");
            Assert.True(reported > before && _log.Count > lines, $"{spoiled} was passed over in silence");
        }
        Assert.Equal(good, (await ask()).Entries);
        Assert.InRange(rejected, listing.Reads.Count * 4, int.MaxValue);
    }

    [Theory]
    [InlineData("rules")]
    [InlineData("open orders")]
    [InlineData("fills")]
    [InlineData("balances")]
    [InlineData("candles")]
    public async Task V30_a_listing_that_fails_is_unknown_and_never_empty(string which)
    {
        var listing = Listings.Single(l => l.Name == which);
        var ask = await listing.PrepareAsync(this);
        foreach (var (status, body) in new[] { (500, ""), (503, "<html>"), (200, ""), (200, "null"), (200, "{}"), (200, "{\"code\":-1000}"), (200, "\"none\""), (200, "[[["), (404, "") })
        {
            Front.Answer("GET", listing.Path, FrontReply.Of(status, body));
            var answer = await ask();
            Assert.True(answer.Entries is null, $"{status} '{body}' was taken for {answer.Entries?.Count} entries");
            Front.BeHonest();
            Assert.NotNull((await ask()).Entries);
        }
    }

    private async Task IsUnknownAndWasSentOnceAsync(bool isThere)
    {
        var order = Limit();
        var before = Front.Asked.Count(r => r.Method == "POST");
        Assert.IsType<VenueAnswer<OrderReport>.Unknown>(await _venue.PlaceAsync(order, Cancel));
        Assert.Equal(before + 1, Front.Asked.Count(r => r.Method == "POST"));
        Assert.Equal(isThere, await _venue.FindOrderAsync(Btc, order.Id, Cancel) is VenueAnswer<OrderReport>.Said);
    }

    [Fact]
    public async Task V31_a_countdown_cancels_what_was_entered_and_leaves_stops_and_a_venue_without_one_says_so()
    {
        Assert.Equal(HasCountdown, _venue.EntryCountdown is not null);
        if (_venue.EntryCountdown is not { } countdown)
            return;
        var (entry, stop) = (Limit(), Order() with { Side = Side.Sell, Trigger = new Price(20_000), ReduceOnly = true });
        Said(await _venue.PlaceAsync(entry, Cancel));
        Said(await _venue.PlaceAsync(stop, Cancel));
        var (length, before) = (TimeSpan.FromSeconds(2), DateTimeOffset.UtcNow);
        Assert.InRange(Said(await countdown.ArmAsync(length, Cancel)), before + length, DateTimeOffset.UtcNow + length);
        await CountDownAsync(_venue);
        Assert.Equal([entry.Id, stop.Id], (await OpenAsync()).OrderBy(o => o.Value != entry.Id.Value));
        await Eventually.HoldsAsync(
            async () =>
            {
                await CountDownAsync(_venue);
                return !(await OpenAsync()).Contains(entry.Id);
            },
            "what was entered is cancelled");
        Assert.Equal([stop.Id], await OpenAsync());

        async Task<IReadOnlyList<ClientOrderId>> OpenAsync() => [.. Said(await _venue.ListOpenOrdersAsync(Cancel)).Select(o => o.Id)];
    }

    [Fact]
    public async Task V32_too_many_orders_hold_back_new_ones_alone_until_their_ten_seconds_are_over()
    {
        var resting = Limit();
        Said(await _venue.PlaceAsync(resting, Cancel));
        // Early in ten seconds, so that all of this is of the same.
        while (_venue.Now!.Value.ToUnixTimeMilliseconds() % 10_000 is < 500 or > 4_000)
            await Task.Delay(100, Cancel);
        Front.Answer("POST", "/api/v3/order", FrontReply.Of(429, """{"code":-1015,"msg":"Too many new orders; current limit is 50 orders per 10 SECOND."}"""));
        var over = DateTimeOffset.FromUnixTimeMilliseconds((_venue.Now!.Value.ToUnixTimeMilliseconds() / 10_000 + 1) * 10_000);
        var refused = Assert.IsType<VenueAnswer<OrderReport>.Refused>(await PlaceAsync(Order(), a => ((VenueAnswer<OrderReport>.Refused)a).RetryAfter));
        Assert.Equal(Refusal.RateLimited, refused.Refusal);
        Front.BeHonest();
        var sent = Front.Asked.Count(r => r.Method == "POST");
        var exit = Order() with { Side = Side.Sell, ReduceOnly = true };
        foreach (var order in new[] { Order(), exit })
            await PlaceAsync(order, a => Assert.IsType<VenueAnswer<OrderReport>.NotSent>(a).RetryAfter);
        Assert.Equal(sent, Front.Asked.Count(r => r.Method == "POST"));
        Said(await _venue.FindOrderAsync(Btc, resting.Id, Cancel));
        Said(await _venue.ListOpenOrdersAsync(Cancel));
        Said(await _market.ReadCandlesAsync(Btc, TimeSpan.FromMinutes(1), 1, Cancel));
        Said(await _venue.CancelAsync(Btc, resting.Id, Cancel));
        if (over.AddSeconds(1) - _venue.Now!.Value is { Ticks: > 0 } left)
            await Task.Delay(left, Cancel);
        Said(await _venue.PlaceAsync(exit with { SignedAt = _venue.Now!.Value }, Cancel));

        // However long it takes to ask, the wait ends with the ten seconds.
        async Task<VenueAnswer<OrderReport>> PlaceAsync(VenueOrder order, Func<VenueAnswer<OrderReport>, TimeSpan?> waitOf)
        {
            var before = _venue.Now!.Value;
            var answer = await _venue.PlaceAsync(order, Cancel);
            Assert.InRange(waitOf(answer)!.Value, over - _venue.Now!.Value - TimeSpan.FromMilliseconds(50), over - before + TimeSpan.FromSeconds(1));
            return answer;
        }
    }

    /// <summary>Whether the venue is said to have one.</summary>
    private protected virtual bool HasCountdown => false;

    [Fact]
    public async Task V33_every_fill_since_a_time_is_listed_once_over_however_many_pages_and_none_of_before()
    {
        Said(await _venue.PlaceAsync(Order(), Cancel));
        await Task.Delay(50, Cancel);
        var since = DateTimeOffset.FromUnixTimeMilliseconds(_venue.Now!.Value.ToUnixTimeMilliseconds());
        await Task.Delay(50, Cancel);
        var order = Limit() with { Side = Side.Sell, Limit = new Price(65_001), Quantity = new Quantity(1) };
        var placed = Said(await _venue.PlaceAsync(order, Cancel));
        await _stage.FillInPartsAsync(order.Id, 1_101);
        // Of another order, after the last page began.
        var last = Said(await _venue.PlaceAsync(Order() with { Side = Side.Sell, ReduceOnly = true }, Cancel));
        var fills = Said(await _venue.ListFillsAsync(Btc, since, Cancel));
        Assert.True(Front.Asked.Count(r => r.Path == "/api/v3/myTrades") > 1);
        Assert.Equal((1_101, 0.1101m), (fills.Count(f => f.VenueOrderId == placed.VenueOrderId), fills.Where(f => f.VenueOrderId == placed.VenueOrderId).Sum(f => f.Quantity.Value)));
        Assert.Equal(last.Executed.Value, fills.Where(f => f.VenueOrderId == last.VenueOrderId).Sum(f => f.Quantity.Value));
        Assert.Equal(new[] { placed.VenueOrderId, last.VenueOrderId }, fills.Select(f => f.VenueOrderId).Distinct());
        Assert.Equal(fills.Count, fills.DistinctBy(f => f.FillId).Count());
        Assert.Equal(fills.OrderBy(f => f.At).Select(f => f.FillId), fills.Select(f => f.FillId));
        // Several are of one moment, and each of them is there whether a page ends among them or begins with them.
        var shared = fills.GroupBy(f => f.At).Where(g => g.Count() > 1).ToList();
        Assert.NotEmpty(shared);
        foreach (var moment in new[] { shared[0], shared[^1] })
            Assert.Equal(fills.Where(f => f.At >= moment.Key).Select(f => f.FillId), Said(await _venue.ListFillsAsync(Btc, moment.Key, Cancel)).Select(f => f.FillId));
        Assert.Empty(Said(await _venue.ListFillsAsync(Btc, _venue.Now!.Value.AddSeconds(5), Cancel)));
    }

    /// <summary>A real venue does that by itself.</summary>
    private protected virtual Task CountDownAsync(IVenue venue) => Task.CompletedTask;

    /// <summary>The venue has done it, or has not, when it goes wrong.</summary>
    private void BreakAt(string method, bool isDone, Func<HttpContext, FrontReply, Task> how) => Front.Instead(async (request, context) =>
    {
        if (request.Method != method)
            return false;
        await how(context, isDone ? await Front.AskVenueAsync(request) : new FrontReply(0, []));
        return true;
    });

    private async Task<IReadOnlyList<Spoiled>> CasesAsync(Question question)
    {
        await (await question.PrepareAsync(this))();
        return [.. Spoiled.All(JsonNode.Parse(Front.Answered!.Body)!)];
    }

    /// <summary>The adapter that is tried.</summary>
    private protected virtual (IVenue Venue, IMarketData Market) Open(string key, string secret, bool isPaper = true)
    {
        var options = new VenueOptions { Address = Front.Address, Key = key, Secret = secret, Paper = isPaper, TimeoutMilliseconds = 2_000, Name = "tried" };
        var clock = new VenueClock(TimeProvider.System);
        var listing = new Listing(options, new Logger<Listing>(_log));
        var breakers = new BreakerPanel();
        var budget = new RequestBudget(options, new LocalVenueBudget(TimeProvider.System), clock, TimeProvider.System, NullLogger.Instance);
        var http = new VenueHttp(options, breakers, budget, TimeProvider.System, NullLogger.Instance);
        _open.AddRange([breakers, budget, http]);
        var venue = new BinanceVenue(options, http, budget, clock, new KeyWatch(TimeProvider.System), listing, TimeProvider.System);
        return (venue, new BinanceMarketData(http, new VenueStream(options, budget, new StreamWatch(TimeProvider.System, NullLogger<StreamWatch>.Instance), TimeProvider.System), venue, listing, TimeProvider.System, NullLogger<BinanceMarketData>.Instance));
    }

    private ClientOrderId NextId() => new($"c-{++_orders}");

    private VenueOrder Order() => new(
        NextId(), Btc, Side.Buy, OrderKind.Market, new Quantity(0.001m), null, null, DateTimeOffset.FromUnixTimeMilliseconds(_venue.Now!.Value.ToUnixTimeMilliseconds()), Window, ReduceOnly: false);

    private VenueOrder Limit() => Order() with { Kind = OrderKind.Limit, Limit = new Price(30_000) };

    private FrontRequest Sent() => Front.Asked.Last(r => r.Method == "POST");

    private static decimal Decimal(string text) => decimal.Parse(text, CultureInfo.InvariantCulture);

    private static T Said<T>(VenueAnswer<T> answer) => answer is VenueAnswer<T>.Said said ? said.Value : throw Xunit.Sdk.FailException.ForFailure($"It was not said: {answer}");

    private static Refusal Refused(VenueAnswer<OrderReport> answer) => Assert.IsType<VenueAnswer<OrderReport>.Refused>(answer).Refusal;

    private static FrontReply Changed(FrontReply reply, Action<JsonNode> change)
    {
        if (reply.Status != 200)
            return reply;
        var json = JsonNode.Parse(reply.Body)!;
        change(json);
        return reply with { Body = Encoding.UTF8.GetBytes(json.ToJsonString()) };
    }

    private static MeterListener Listen(Action reported)
    {
        var listener = new MeterListener { InstrumentPublished = (instrument, all) => { if (instrument.Name == "antbot_venue_malformed_total") all.EnableMeasurementEvents(instrument); } };
        listener.SetMeasurementEventCallback<long>((_, _, _, _) => reported());
        listener.Start();
        return listener;
    }

    private sealed record Told(object? Value, bool IsUnknown)
    {
        public static Told Of<T>(VenueAnswer<T> answer) => answer is VenueAnswer<T>.Said said ? new Told(said.Value, IsUnknown: false) : new Told(null, answer is VenueAnswer<T>.Unknown);
    }

    /// <param name="Reads">The fields that an adapter goes by; what others say is of no matter.</param>
    private sealed record Question(string Name, string Method, string Path, IReadOnlyList<string> Reads, Func<VenueConformance, Task<Func<Task<Told>>>> PrepareAsync, Func<object, byte[], bool> IsSame);

    private static readonly string[] FillFields = ["price", "qty", "commission", "commissionAsset", "tradeId"];
    private static readonly string[] OrderFields = ["symbol", "orderId", "origQty", "executedQty", "cummulativeQuoteQty", "status", "side", "type"];

    private static readonly Question[] Questions =
    [
        new("time", "GET", "/api/v3/time", ["serverTime"], c => Task.FromResult(async () => Told.Of(await c._venue.MeasureClockAsync(Cancel))), (_, _) => false),
        new("placed", "POST", "/api/v3/order", [.. OrderFields, .. FillFields, "clientOrderId", "transactTime", "fills"], c =>
        {
            var order = c.Order();
            return Task.FromResult(async () => Told.Of(await c._venue.PlaceAsync(order, Cancel)));
        }, IsReport),
        new("found", "GET", "/api/v3/order", [.. OrderFields, "clientOrderId", "updateTime"], async c =>
        {
            var order = c.Order();
            Said(await c._venue.PlaceAsync(order, Cancel));
            return async () => Told.Of(await c._venue.FindOrderAsync(Btc, order.Id, Cancel));
        }, IsReport),
        new("cancelled", "DELETE", "/api/v3/order", [.. OrderFields, "origClientOrderId", "transactTime"], async c =>
        {
            var order = c.Limit();
            Said(await c._venue.PlaceAsync(order, Cancel));
            return async () => Told.Of(await c._venue.CancelAsync(Btc, order.Id, Cancel));
        }, IsReport),
        new("permissions", "GET", "/sapi/v1/account/apiRestrictions", ["enableReading", "enableSpotAndMarginTrading", "enableWithdrawals", "enableInternalTransfer", "permitsUniversalTransfer", "ipRestrict"],
            c => Task.FromResult(async () => Told.Of(await c._venue.ReadPermissionsAsync(Cancel))),
            (told, _) => told is KeyPermissions { Reads: true, Trades: true, Withdraws: false, Transfers: false, IsBoundToAddresses: false }),
    ];

    private static bool IsReport(object told, byte[] body)
    {
        var (report, json) = ((OrderReport)told, JsonNode.Parse(body)!);
        return report.VenueOrderId == json["orderId"]!.ToString() && report.Quantity.Value == Decimal((string)json["origQty"]!) && report.Executed.Value == Decimal((string)json["executedQty"]!)
            && report.Cost.Value == Decimal((string)json["cummulativeQuoteQty"]!) && (report.Side == Side.Buy) == ((string)json["side"]! == "BUY");
    }

    private sealed record Listed(IReadOnlyList<string>? Entries)
    {
        public static Listed Of<T>(VenueAnswer<IReadOnlyList<T>> answer) => new(answer is VenueAnswer<IReadOnlyList<T>>.Said said ? [.. said.Value.Select(v => v!.ToString()!)] : null);
    }

    private sealed record AnyListing(string Name, string Path, IReadOnlyList<string> Reads, Func<JsonNode, JsonArray> Entries, Func<VenueConformance, Task<Func<Task<Listed>>>> PrepareAsync);

    private static readonly AnyListing[] Listings =
    [
        new("rules", "/api/v3/exchangeInfo", ["symbol", "status", "baseAsset", "quoteAsset", "filters", "filterType", "tickSize", "stepSize", "minQty", "maxQty", "minNotional", "orderTypes", "maxNumOrders", "maxNumAlgoOrders"],
            json => json["symbols"]!.AsArray(), c => Task.FromResult(async () => Listed.Of(await c._venue.ReadRulesAsync(Cancel)))),
        new("open orders", "/api/v3/openOrders", [.. OrderFields, "clientOrderId", "updateTime"], json => json.AsArray(), async c =>
        {
            Said(await c._venue.PlaceAsync(c.Limit(), Cancel));
            Said(await c._venue.PlaceAsync(c.Limit(), Cancel));
            return async () => Listed.Of(await c._venue.ListOpenOrdersAsync(Cancel));
        }),
        new("fills", "/api/v3/myTrades", ["symbol", "id", "orderId", "price", "qty", "commission", "commissionAsset", "time", "isBuyer"], json => json.AsArray(), async c =>
        {
            var order = c.Order() with { Side = Side.Sell, Kind = OrderKind.Limit, Limit = new Price(65_001) };
            var placed = Said(await c._venue.PlaceAsync(order, Cancel));
            await c._stage.FillInPartsAsync(order.Id, 3);
            return async () => Listed.Of(await c._venue.ListFillsAsync(Btc, placed.VenueOrderId, Cancel));
        }),
        new("balances", "/api/v3/account", ["asset", "free", "locked"], json => json["balances"]!.AsArray(), c => Task.FromResult(async () => Listed.Of(await c._venue.ReadBalancesAsync(Cancel)))),
        // By place and without names: time of opening, open, high, low, close, volume.
        new("candles", "/api/v3/klines", ["0", "1", "2", "3", "4", "5"], json => json.AsArray(), c =>
            Task.FromResult(async () => Listed.Of(await c._market.ReadCandlesAsync(Btc, TimeSpan.FromDays(1), 5, Cancel)))),
    ];

    private sealed class LogLines : ILoggerFactory, ILogger
    {
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Interlocked.Increment(ref _count);

        public void Dispose()
        {
        }
    }
}

public sealed class PaperVenueConforms : VenueConformance
{
    private protected override async Task<IVenueStage> StageAsync() => await PaperStage.StartAsync();
}

public sealed class DocumentedVenueConforms : VenueConformance
{
    private protected override async Task<IVenueStage> StageAsync() => await DocumentedStage.StartAsync();
}

/// <summary>One that has a countdown for entries.</summary>
public sealed class CountdownVenueConforms : VenueConformance
{
    private protected override bool HasCountdown => true;

    private protected override async Task<IVenueStage> StageAsync() => await DocumentedStage.StartAsync();

    private protected override (IVenue Venue, IMarketData Market) Open(string key, string secret, bool isPaper = true)
    {
        var (venue, market) = base.Open(key, secret, isPaper);
        return (new CountdownVenue(venue, TimeProvider.System), market);
    }

    private protected override Task CountDownAsync(IVenue venue) => ((CountdownVenue)venue).CountDownAsync(TestContext.Current.CancellationToken);
}
