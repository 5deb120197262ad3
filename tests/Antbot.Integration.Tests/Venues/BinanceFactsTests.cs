using System.Text;
using Antbot.Contracts;
using Antbot.Contracts.Venue;
using Antbot.Integration.Tests.PaperVenue;
using Antbot.Integration.Tests.Support;
using Antbot.Resilience;
using Antbot.Runtime.Venue;
using Antbot.Venues;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Antbot.Integration.Tests.Venues;

/// <summary>What Binance's public documentation says of its spot API, held against the adapter and the paper venue alike.</summary>
public sealed class BinanceFactsTests
{
    private const string DocumentedKey = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A";
    private const string DocumentedSecret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
    private const string DocumentedOrder = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559";
    private const string DocumentedSignature = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>The example with which its documentation explains signatures.</summary>
    [Fact]
    public async Task The_documented_request_has_the_documented_signature()
    {
        Assert.Equal(DocumentedSignature, VenueHttp.SignatureOf(DocumentedOrder, Encoding.UTF8.GetBytes(DocumentedSecret)));
        // Part of it in the query and part in the body: without anything between.
        Assert.Equal("0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77", VenueHttp.SignatureOf(DocumentedOrder.Replace("GTC&", "GTC", StringComparison.Ordinal), Encoding.UTF8.GetBytes(DocumentedSecret)));

        // The paper venue takes it, at that time: what it says then is that it does not trade that symbol.
        var then = new ManualClock(DateTimeOffset.FromUnixTimeMilliseconds(1_499_827_319_600));
        await using var venue = await RunningVenue.StartAsync(o => o with { ApiKey = DocumentedKey, ApiSecret = DocumentedSecret }, clock: then);
        Assert.Equal(-1121, (await PlaceAsync(DocumentedSignature)).Code);
        Assert.Equal(-1022, (await PlaceAsync(DocumentedSignature.Replace('c', 'd'))).Code);

        Task<Answer> PlaceAsync(string signature) => venue.Client.SendAsync(HttpMethod.Post, $"/api/v3/order?{DocumentedOrder}&signature={signature}", apiKey: DocumentedKey);
    }

    public static TheoryData<string, string, string, int> Weights => new()
    {
        { "GET", "ping", "", 1 }, { "GET", "time", "", 1 }, { "GET", "exchangeInfo", "", 20 },
        { "GET", "depth", "symbol=BTCUSDT", 5 }, { "GET", "depth", "symbol=BTCUSDT&limit=100", 5 }, { "GET", "depth", "symbol=BTCUSDT&limit=101", 25 }, { "GET", "depth", "symbol=BTCUSDT&limit=500", 25 },
        { "GET", "depth", "symbol=BTCUSDT&limit=501", 50 }, { "GET", "depth", "symbol=BTCUSDT&limit=1000", 50 }, { "GET", "depth", "symbol=BTCUSDT&limit=1001", 250 }, { "GET", "depth", "symbol=BTCUSDT&limit=5000", 250 },
        { "GET", "trades", "symbol=BTCUSDT", 25 }, { "GET", "historicalTrades", "symbol=BTCUSDT", 25 }, { "GET", "aggTrades", "symbol=BTCUSDT", 4 },
        { "GET", "klines", "symbol=BTCUSDT&interval=1m", 2 }, { "GET", "uiKlines", "symbol=BTCUSDT&interval=1m", 2 }, { "GET", "avgPrice", "symbol=BTCUSDT", 2 },
        { "GET", "ticker/price", "symbol=BTCUSDT", 2 }, { "GET", "ticker/price", "", 4 }, { "GET", "ticker/bookTicker", "symbol=BTCUSDT", 2 }, { "GET", "ticker/bookTicker", "", 4 },
        { "GET", "ticker/24hr", "symbol=BTCUSDT", 2 }, { "GET", "ticker/24hr", "symbols=[\"BTCUSDT\",\"ETHUSDT\"]", 2 }, { "GET", "ticker/24hr", "", 80 },
        { "POST", "order/test", "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.001", 1 }, { "POST", "order", "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.001", 1 },
        { "GET", "order", "symbol=BTCUSDT&orderId=1", 4 }, { "DELETE", "order", "symbol=BTCUSDT&orderId=1", 1 }, { "DELETE", "openOrders", "symbol=BTCUSDT", 1 },
        { "GET", "openOrders", "symbol=BTCUSDT", 6 }, { "GET", "openOrders", "", 80 }, { "GET", "allOrders", "symbol=BTCUSDT", 20 },
        { "GET", "orderList", "orderListId=1", 4 }, { "GET", "allOrderList", "", 20 }, { "GET", "openOrderList", "", 6 },
        { "GET", "account", "", 20 }, { "GET", "myTrades", "symbol=BTCUSDT", 20 }, { "GET", "myTrades", "symbol=BTCUSDT&orderId=1", 5 }, { "GET", "rateLimit/order", "", 40 },
        { "GET", "account/commission", "symbol=BTCUSDT", 20 },
    };

    [Fact]
    public async Task The_paper_venue_counts_each_request_as_documented()
    {
        // A minute that does not end: the count is of the minute.
        await using var venue = await RunningVenue.StartAsync(clock: new ManualClock(DateTimeOffset.UtcNow));
        var time = (await venue.Client.GetAsync("/api/v3/time"))["serverTime"];
        var used = 1;
        foreach (var row in Weights)
        {
            var (method, path, query, weight) = row.Data;
            var unsigned = path is "ping" or "time" or "exchangeInfo" or "depth" or "trades" or "historicalTrades" or "aggTrades" or "klines" or "uiKlines" or "avgPrice" || path.StartsWith("ticker/", StringComparison.Ordinal);
            var signed = string.Join('&', new[] { Escaped(query), unsigned ? "" : $"timestamp={time}" }.Where(p => p.Length > 0));
            var asked = $"/api/v3/{path}{(signed.Length > 0 ? "?" : "")}{signed}{(unsigned ? "" : $"&signature={VenueClient.Sign(signed, venue.Server.Key.Secret)}")}";
            var answer = await venue.Client.SendAsync(new HttpMethod(method), asked, apiKey: venue.Server.Key.Key);
            Assert.True(answer.Status is 200 or 400 && answer.Code is not (-1100 or -1022 or -1021), $"{asked}: {answer.Status} {answer.Json}");
            var after = int.Parse(answer.Headers["X-MBX-USED-WEIGHT-1M"], System.Globalization.CultureInfo.InvariantCulture);
            Assert.True(after - used == weight, $"{method} {path} {query} weighs {after - used}, by the documentation {weight}");
            used = after;
        }

        static string Escaped(string query) => string.Join('&', query.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(p => p.Split('=', 2)).Select(p => $"{p[0]}={Uri.EscapeDataString(p[1])}"));
    }

    /// <summary>Prevents a budget that is spent on what was never asked, or that the venue counts higher than we do.</summary>
    [Fact]
    public async Task The_adapter_takes_from_its_budget_what_each_request_weighs()
    {
        await using var running = await RunningVenue.StartAsync();
        var options = new VenueOptions { Address = running.Server.Address, Key = running.Server.Key.Key, Secret = running.Server.Key.Secret, Paper = true, Name = "weighed" };
        var (spy, clock, listing) = (new Spy(), new VenueClock(TimeProvider.System), new Listing(options, NullLogger<Listing>.Instance));
        using var breakers = new BreakerPanel();
        using var budget = new RequestBudget(options, spy, clock, TimeProvider.System, NullLogger.Instance);
        using var http = new VenueHttp(options, breakers, budget, TimeProvider.System, NullLogger.Instance);
        var venue = new BinanceVenue(options, http, budget, clock, new KeyWatch(TimeProvider.System), listing, TimeProvider.System);
        await venue.MeasureClockAsync(Cancel);
        var (btc, id) = (new Symbol("BTCUSDT"), new ClientOrderId("weighed-1"));
        var order = new VenueOrder(
            id, btc, Side.Buy, OrderKind.Limit, new Quantity(0.001m), new Price(30_000), null, DateTimeOffset.FromUnixTimeMilliseconds(venue.Now!.Value.ToUnixTimeMilliseconds()), TimeSpan.FromSeconds(5), ReduceOnly: false);
        var placed = (VenueAnswer<OrderReport>.Said)await venue.PlaceAsync(order, Cancel);
        foreach (var (name, weight, ask) in new (string, long, Func<Task>)[]
        {
            ("exchangeInfo", 20, () => venue.ReadRulesAsync(Cancel)),
            ("order by the client's id", 4, () => venue.FindOrderAsync(btc, id, Cancel)),
            ("order by the venue's", 4, () => venue.FindOrderAsync(btc, placed.Value.VenueOrderId, Cancel)),
            ("openOrders", 80, () => venue.ListOpenOrdersAsync(Cancel)),
            ("openOrders of a symbol", 6, () => venue.ListOpenOrdersAsync(btc, Cancel)),
            ("openOrders of a symbol for an entry", 6, () => venue.ListOpenOrdersForEntryAsync(btc, Cancel)),
            ("myTrades of an order", 5, () => venue.ListFillsAsync(btc, placed.Value.VenueOrderId, Cancel)),
            ("myTrades", 20, () => venue.ListFillsAsync(btc, DateTimeOffset.UtcNow, Cancel)),
            ("account", 20, () => venue.ReadBalancesAsync(Cancel)),
            ("apiRestrictions", 1, () => venue.ReadPermissionsAsync(Cancel)),
            ("cancel", 1, () => venue.CancelAsync(btc, id, Cancel)),
        })
        {
            spy.Weights.Clear();
            await ask();
            Assert.True(spy.Weights.Distinct().SequenceEqual([weight]), $"{name} takes {string.Join(", ", spy.Weights)}, and weighs {weight}");
        }
    }

    /// <summary>Prevents that a burst of entries, each of which has the venue list what rests, uses up what exits and questions of what is in doubt live on.</summary>
    [Fact]
    public async Task A_listing_for_the_sake_of_an_entry_takes_nothing_of_what_is_kept_back()
    {
        var (manual, btc) = (new ManualClock(DateTimeOffset.UtcNow), new Symbol("BTCUSDT"));
        var options = new VenueOptions { Address = new Uri("http://venue.invalid/"), Key = DocumentedKey, Secret = DocumentedSecret, Paper = true };
        using var handler = new Recorder([]);
        using var breakers = new BreakerPanel();
        var clock = new VenueClock(manual);
        using var budget = new RequestBudget(options, new LocalVenueBudget(manual), clock, manual, NullLogger.Instance);
        using var http = new VenueHttp(options, breakers, budget, manual, NullLogger.Instance, handler);
        var venue = new BinanceVenue(options, http, budget, clock, new KeyWatch(manual), new Listing(options, NullLogger<Listing>.Instance), manual);
        await venue.MeasureClockAsync(Cancel);
        budget.SetLimits(new(1_000, 100, null));
        while ((await budget.TakeAsync(5, isOrder: false, VenueRoute.Entry.Part, Cancel)).IsGranted)
        {
        }
        Assert.Contains("used up", Assert.IsType<VenueAnswer<IReadOnlyList<OrderReport>>.NotSent>(await venue.ListOpenOrdersForEntryAsync(btc, Cancel)).Text, StringComparison.Ordinal);
        Assert.IsNotType<VenueAnswer<IReadOnlyList<OrderReport>>.NotSent>(await venue.ListOpenOrdersAsync(btc, Cancel));
    }

    [Theory]
    [InlineData("https://api.binance.com", "wss://stream.binance.com:9443/")]
    [InlineData("https://api4.binance.com", "wss://stream.binance.com:9443/")]
    [InlineData("https://api-gcp.binance.com", "wss://stream.binance.com:9443/")]
    [InlineData("https://testnet.binance.vision", "wss://stream.testnet.binance.vision/")]
    [InlineData("https://api.binance.com.example.org", "wss://api.binance.com.example.org/")]
    [InlineData("https://evilapi.binance.com", "wss://evilapi.binance.com/")]
    [InlineData("http://127.0.0.1:8080", "ws://127.0.0.1:8080/")]
    public async Task Requests_and_streams_go_to_the_hosts_of_production_or_of_the_testnet(string address, string streams)
    {
        var options = new VenueOptions { Address = new Uri(address), Key = DocumentedKey, Secret = DocumentedSecret, Paper = !address.EndsWith("binance.com", StringComparison.Ordinal) };
        Assert.Empty(VenueOptions.Check(options));
        Assert.Equal(streams, options.Streams.ToString());
        Assert.Equal("wss://elsewhere.example.org/", new VenueOptions { Address = options.Address, StreamAddress = new Uri("wss://elsewhere.example.org") }.Streams.ToString());
        var asked = new List<Uri>();
        using var handler = new Recorder(asked);
        using var breakers = new BreakerPanel();
        var clock = new VenueClock(TimeProvider.System);
        using var budget = new RequestBudget(options, new LocalVenueBudget(TimeProvider.System), clock, TimeProvider.System, NullLogger.Instance);
        using var http = new VenueHttp(options, breakers, budget, TimeProvider.System, NullLogger.Instance, handler);
        var venue = new BinanceVenue(options, http, budget, clock, new KeyWatch(TimeProvider.System), new Listing(options, NullLogger<Listing>.Instance), TimeProvider.System);
        await venue.ReadBalancesAsync(Cancel);
        Assert.Contains(asked, u => u.AbsolutePath == "/api/v3/account");
        Assert.All(asked, u => Assert.Equal((new Uri(address).Authority, new Uri(address).Scheme), (u.Authority, u.Scheme)));
    }

    /// <summary>A real venue is never spoken to in the clear.</summary>
    [Fact]
    public void Production_without_encryption_is_refused() =>
        Assert.Contains(VenueOptions.Check(new VenueOptions { Address = new Uri("http://api.binance.com"), Key = "k", Secret = "s" }), f => f.ErrorMessage!.Contains("https alone", StringComparison.Ordinal));

    /// <summary>Prevents real orders in Dry: one wrong setting would send them, with no look at the key and no word of it.</summary>
    [Theory]
    [InlineData("https://api.binance.com", null, "real money")]
    [InlineData("http://API1.binance.com", null, "real money")]
    [InlineData("https://api-gcp.binance.com:443", null, "real money")]
    [InlineData("https://testnet.binance.vision", null, null)]
    [InlineData("http://127.0.0.1:8080", "ws://127.0.0.1:8081", null)]
    public void What_is_said_to_be_paper_is_not_believed_of_a_venue_with_real_money(string address, string? streams, string? fault) =>
        Assert.Equal(fault is not null, VenueOptions.Check(new VenueOptions { Address = new Uri(address), StreamAddress = streams is null ? null : new Uri(streams), Key = "k", Secret = "s", Paper = true })
            .Any(f => f.ErrorMessage!.Contains(fault ?? "", StringComparison.Ordinal)));

    [Fact]
    public void Streams_of_a_real_venue_in_the_clear_are_refused() =>
        Assert.Contains(VenueOptions.Check(new VenueOptions { Address = new Uri("https://api.binance.com"), StreamAddress = new Uri("ws://stream.binance.com:9443"), Key = "k", Secret = "s" }), f => f.ErrorMessage!.Contains("wss alone", StringComparison.Ordinal));

    private sealed class Spy : IVenueBudget
    {
        public List<long> Weights { get; } = [];

        public Task<BudgetAnswer> DrawAsync(string venue, IReadOnlyList<BudgetDraw> draws, CancellationToken cancellationToken = default)
        {
            // What is taken along for those that follow is none of it.
            Weights.AddRange(draws.Where(d => d.Kind == "weight").Select(d => d.Need));
            return Task.FromResult(new BudgetAnswer([.. draws.Select(d => d.Need)], [.. draws.Select(_ => 0L)], TimeSpan.Zero));
        }

        public Task BlockAsync(string venue, TimeSpan wait, CancellationToken cancellationToken = default) => Task.CompletedTask;
    }

    private sealed class Recorder(List<Uri> asked) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            asked.Add(request.RequestUri!);
            return Task.FromResult(new HttpResponseMessage(System.Net.HttpStatusCode.OK)
            {
                Content = new StringContent(request.RequestUri!.AbsolutePath == "/api/v3/time" ? $$"""{"serverTime":{{DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()}}}""" : """{"balances":[]}"""),
            });
        }
    }
}
