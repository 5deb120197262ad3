using System.Text;
using Antbot.PaperVenue;
using Xunit;

namespace Antbot.Integration.Tests.PaperVenue;

/// <summary>Who may ask, in what time, and what a wrong request is told.</summary>
public sealed class SecurityTests(SharedVenue shared) : IClassFixture<SharedVenue>
{
    private readonly VenueClient _client = shared.Venue.Client;

    private ApiKey Key => shared.Venue.Server.Key;

    [Fact]
    public async Task What_is_signed_in_the_query_in_the_form_or_in_both_is_taken()
    {
        var (query, form) = ($"symbol=BTCUSDT&side=BUY&type=MARKET&recvWindow=4000", $"quantity=0.001&timestamp={VenueClient.Timestamp()}");
        var inForm = $"{query}&{form}";
        Assert.Equal(200, (await PostAsync("", $"{inForm}&signature={Sign(inForm)}")).Status);
        Assert.Equal(200, (await PostAsync($"?{query}", $"{form}&signature={Sign(query + form)}")).Status);
        Assert.Equal(200, (await PostAsync($"?{query}&signature={Sign(query + form)}", form)).Status);
        Assert.Equal(200, (await PostAsync($"?signature={Sign(inForm).ToUpperInvariant()}&{inForm}", "")).Status);
    }

    [Fact]
    public async Task What_is_signed_wrongly_or_changed_since_is_refused()
    {
        var query = $"symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.001&timestamp={VenueClient.Timestamp()}";
        foreach (var signature in (string[])[Sign(query + "0"), VenueClient.Sign(query, Key.Secret + "x"), "00", "zz" + Sign(query)[2..], Sign(query)[..^1]])
            Assert.Equal((400, -1022), Told(await PostAsync($"?{query}&signature={signature}", "")));
        Assert.Equal((400, -1022), Told(await PostAsync($"?{query.Replace("0.001", "0.009", StringComparison.Ordinal)}&signature={Sign(query)}", "")));
        Assert.Equal((400, -1102), Told(await PostAsync($"?{query}", "")));
    }

    [Theory]
    [InlineData(-4_000, null, 200, 0)]
    [InlineData(-5_500, null, 400, -1021)]
    [InlineData(-5_500, "10000", 200, 0)]
    [InlineData(-2_000, "1000", 400, -1021)]
    [InlineData(2_000, null, 400, -1021)]
    [InlineData(500, null, 200, 0)]
    [InlineData(0, "60001", 400, -1131)]
    [InlineData(0, "0", 400, -1131)]
    [InlineData(0, "abc", 400, -1100)]
    public async Task A_request_out_of_its_time_is_refused(int offset, string? window, int status, int code)
    {
        var query = $"timestamp={VenueClient.Timestamp(offset)}{(window is null ? "" : $"&recvWindow={window}")}";
        Assert.Equal((status, code), Told(await _client.SendAsync(HttpMethod.Get, $"/api/v3/account?{query}&signature={Sign(query)}", apiKey: Key.Key)));
    }

    [Fact]
    public async Task Time_in_microseconds_is_understood()
    {
        var query = $"timestamp={VenueClient.Timestamp()}123";
        Assert.Equal(200, (await _client.SendAsync(HttpMethod.Get, $"/api/v3/account?{query}&signature={Sign(query)}", apiKey: Key.Key)).Status);
    }

    [Fact]
    public async Task A_key_that_is_missing_malformed_or_unknown_is_refused()
    {
        var query = $"timestamp={VenueClient.Timestamp()}";
        Assert.Equal((401, -2014), Told(await _client.SendAsync(HttpMethod.Get, $"/api/v3/account?{query}&signature={Sign(query)}")));
        Assert.Equal((401, -2014), Told(await _client.SendAsync(HttpMethod.Get, $"/api/v3/account?{query}&signature={Sign(query)}", apiKey: "short")));
        Assert.Equal((401, -2015), Told(await _client.SendAsync(HttpMethod.Get, $"/api/v3/account?{query}&signature={Sign(query)}", apiKey: new string('a', 64))));
        Assert.Equal(401, (await _client.SendAsync(HttpMethod.Post, "/api/v3/userDataStream")).Status);
        Assert.Equal(401, (await _client.SendAsync(HttpMethod.Get, "/admin/status")).Status);
        Assert.Equal(401, (await _client.SendAsync(HttpMethod.Get, "/admin/status", adminKey: Key.Secret)).Status);
    }

    [Theory]
    [InlineData("", -1102)]
    [InlineData("symbol=BTCUSDT", -1102)]
    [InlineData("symbol=NOPE&side=BUY&type=MARKET&quantity=1", -1121)]
    [InlineData("symbol=btcusdt&side=BUY&type=MARKET&quantity=1", -1100)]
    [InlineData("symbol=BTCUSDT&side=UP&type=MARKET&quantity=1", -1117)]
    [InlineData("symbol=BTCUSDT&side=BUY&type=WISH&quantity=1", -1116)]
    [InlineData("symbol=BTCUSDT&side=BUY&type=MARKET", -1102)]
    [InlineData("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=1&quoteOrderQty=5", -1106)]
    [InlineData("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=1&price=5", -1106)]
    [InlineData("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=1&timeInForce=GTC", -1106)]
    [InlineData("symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=5", -1102)]
    [InlineData("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTX&quantity=1&price=5", -1115)]
    [InlineData("symbol=BTCUSDT&side=BUY&type=STOP_LOSS&quantity=1", -1102)]
    [InlineData("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0", -1013)]
    [InlineData("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=1e3", -1100)]
    [InlineData("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=-1", -1100)]
    [InlineData("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.000000001", -1111)]
    [InlineData("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=99999999999999999999", -1130)]
    [InlineData("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.000001", -1013)]
    [InlineData("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.001&newClientOrderId=a%20b", -1100)]
    [InlineData("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.001&newOrderRespType=LONG", -1130)]
    [InlineData("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.001&quantity=0.002", -1101)]
    [InlineData("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.001&icebergQty=1", -1106)]
    [InlineData("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.001&leverage=1", -1104)]
    [InlineData("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.00001&price=5", -1013)]
    [InlineData("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=20000.001", -1013)]
    [InlineData("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=100&price=20000", -2010)]
    [InlineData("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=999", -1013)]
    [InlineData("symbol=BTCUSDT&side=SELL&type=MARKET&quantity=1000.00001", -1013)]
    [InlineData("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01&reduceOnly=true", -2010)]
    [InlineData("symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.01&reduceOnly=maybe", -1100)]
    [InlineData("symbol=BTCUSDT&side=SELL&type=LIMIT_MAKER&quantity=0.01&price=20000", -2010)]
    [InlineData("symbol=BTCUSDT&side=SELL&type=STOP_LOSS&quantity=0.01&stopPrice=500000", -2010)]
    public async Task A_wrong_order_is_told_what_is_wrong(string parameters, int code)
    {
        // For the one that nobody could pay.
        var poor = await _client.AdminAsync(HttpMethod.Post, "/admin/balances", new { account = "main", balances = new { USDT = "1000000", BTC = "10" } });
        Assert.Equal(200, poor.Status);
        var query = $"{parameters}&timestamp={VenueClient.Timestamp()}".TrimStart('&');
        var told = await PostAsync($"?{query}&signature={Sign(query)}", "");
        Assert.Equal((400, code), Told(told));
        Assert.NotEqual("", told["msg"]);
    }

    [Theory]
    [InlineData("/api/v3/klines?symbol=BTCUSDT", -1102)]
    [InlineData("/api/v3/klines?symbol=BTCUSDT&interval=7m", -1120)]
    [InlineData("/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=0", -1130)]
    [InlineData("/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=x", -1100)]
    [InlineData("/api/v3/klines?symbol=BTCUSDT&interval=1d&timeZone=8", -1130)]
    [InlineData("/api/v3/depth?symbol=NOPE", -1121)]
    [InlineData("/api/v3/depth", -1102)]
    [InlineData("/api/v3/ticker/price?symbols=nope", -1100)]
    [InlineData("/api/v3/ticker/price?symbol=BTCUSDT&symbols=%5B%22BTCUSDT%22%5D", -1128)]
    public async Task A_wrong_question_is_told_what_is_wrong(string path, int code) => Assert.Equal((400, code), Told(await _client.GetAsync(path)));

    [Fact]
    public async Task What_is_too_large_or_nowhere_is_refused_in_the_same_form()
    {
        Assert.Equal((404, -1000), Told(await _client.GetAsync("/api/v3/nothing")));
        Assert.Equal((413, -1102), Told(await PostAsync("", new string('a', 20_000))));
        var many = string.Join('&', Enumerable.Range(0, 100).Select(i => $"p{i}=1"));
        Assert.Equal((400, -1101), Told(await _client.GetAsync($"/api/v3/time?{many}")));
    }

    [Fact]
    public async Task Too_much_weight_is_told_to_wait_and_then_banned()
    {
        await using var venue = await RunningVenue.StartAsync(o => o with { WeightPerMinute = 100 });
        var seen = new List<Answer>();
        for (var i = 0; i < 300; i++)
            seen.Add(await venue.Client.GetAsync("/api/v3/ping"));
        // A minute may have turned once meanwhile; each way up is the same.
        var limited = seen.First(a => a.Status == 429);
        Assert.Equal(-1003, limited.Code);
        Assert.InRange(int.Parse(limited.Headers["Retry-After"]), 1, 60);
        Assert.True(int.Parse(limited.Headers["X-MBX-USED-WEIGHT-1M"]) > 100);
        var banned = seen.Last();
        Assert.Equal((418, -1003), Told(banned));
        Assert.InRange(int.Parse(banned.Headers["Retry-After"]), 1, 120);
    }

    /// <summary>However little they weigh.</summary>
    [Fact]
    public async Task Too_many_requests_in_five_minutes_are_told_to_wait()
    {
        await using var venue = await RunningVenue.StartAsync(o => o with { RequestsPerFiveMinutes = 20 });
        var limits = (await venue.Client.GetAsync("/api/v3/exchangeInfo")).Json.GetProperty("rateLimits").EnumerateArray().Single(l => l.GetProperty("rateLimitType").GetString() == "RAW_REQUESTS");
        Assert.Equal(("MINUTE", 5, 20), (limits.GetProperty("interval").GetString(), limits.GetProperty("intervalNum").GetInt32(), limits.GetProperty("limit").GetInt32()));
        var seen = new List<Answer>();
        for (var i = 0; i < 60; i++)
            seen.Add(await venue.Client.GetAsync("/api/v3/ping"));
        // The five minutes may have turned once meanwhile; there were too many in one of the two.
        var limited = seen.First(a => a.Status != 200);
        Assert.Equal((429, -1003), Told(limited));
        Assert.InRange(int.Parse(limited.Headers["Retry-After"]), 1, 300);
    }

    [Fact]
    public async Task Too_many_orders_in_ten_seconds_are_refused()
    {
        await using var venue = await RunningVenue.StartAsync(o => o with { OrdersPerTenSeconds = 3 });
        var answers = new List<Answer>();
        for (var i = 0; i < 8; i++)
            answers.Add(await venue.Client.BuyAsync("0.001"));
        var refused = answers.First(a => a.Status != 200);
        Assert.Equal((429, -1015, "Too many new orders; current limit is 3 orders per 10 SECOND."), (refused.Status, refused.Code, refused["msg"]));
        // As at Binance, which says it of requests alone.
        Assert.DoesNotContain("Retry-After", refused.Headers.Keys);
        Assert.Equal("1", answers[0].Headers["X-MBX-ORDER-COUNT-1D"]);
    }

    private static (int Status, int Code) Told(Answer answer) => (answer.Status, answer.Code);

    private string Sign(string payload) => VenueClient.Sign(payload, Key.Secret);

    private Task<Answer> PostAsync(string query, string form) =>
        _client.SendAsync(HttpMethod.Post, $"/api/v3/order{query}", new StringContent(form, Encoding.UTF8, "application/x-www-form-urlencoded"), Key.Key);
}
