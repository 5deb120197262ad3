using System.Net;
using System.Reflection;
using Antbot.Integration.Tests.Support;
using Antbot.PaperVenue;
using Antbot.PaperVenue.Following;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Antbot.Integration.Tests.PaperVenue;

/// <summary>What looks at a real venue can do nothing else there, however it is asked.</summary>
public sealed class PublicMarketTests : IDisposable
{
    private static readonly Uri Address = new("https://venue.invalid");

    private readonly string _waitFile = Path.Combine(Path.GetTempPath(), $"antbot-told-{Guid.NewGuid():N}.json");

    public void Dispose() => File.Delete(_waitFile);

    [Theory]
    [InlineData("POST", "/api/v3/ticker/bookTicker")]
    [InlineData("DELETE", "/api/v3/klines")]
    [InlineData("GET", "/api/v3/order")]
    [InlineData("POST", "/api/v3/order")]
    [InlineData("GET", "/api/v3/account")]
    [InlineData("GET", "/sapi/v1/capital/withdraw/apply")]
    [InlineData("GET", "/api/v3/klines/../order")]
    [InlineData("GET", "/api/v3/klines?signature=00")]
    [InlineData("GET", "/API/V3/KLINES")]
    public async Task Whatever_is_no_look_at_public_data_does_not_leave(string method, string path)
    {
        var sent = new Recorder();
        using var http = Inside(new PublicMarket(Address, TimeProvider.System, sent));
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        await Assert.ThrowsAsync<InvalidOperationException>(() => http.SendAsync(request, TestContext.Current.CancellationToken));
        Assert.Equal(0, sent.Count);
    }

    [Fact]
    public async Task With_a_key_or_a_body_even_a_public_path_is_refused()
    {
        var sent = new Recorder();
        using var http = Inside(new PublicMarket(Address, TimeProvider.System, sent));
        using var keyed = new HttpRequestMessage(HttpMethod.Get, "/api/v3/klines") { Headers = { { "X-MBX-APIKEY", "key" } } };
        await Assert.ThrowsAsync<InvalidOperationException>(() => http.SendAsync(keyed, TestContext.Current.CancellationToken));
        using var full = new HttpRequestMessage(HttpMethod.Get, "/api/v3/klines") { Content = new StringContent("side=BUY") };
        await Assert.ThrowsAsync<InvalidOperationException>(() => http.SendAsync(full, TestContext.Current.CancellationToken));
        Assert.Equal(0, sent.Count);
    }

    [Fact]
    public async Task Prices_and_candles_that_make_no_sense_are_left_out_and_the_others_count()
    {
        var rules = VenueRules.Default;
        using var market = new PublicMarket(Address, TimeProvider.System, new Recorder(uri => uri.AbsolutePath.EndsWith("klines", StringComparison.Ordinal)
            ? """[[60000,"1","3","1","2","5"],[120000,"1","3","2","2","5"],[180000,"x","3","1","2","5"],[180001,"1","3","1","2","5"],"no",[240000,"2","2","2","2","0"]]"""
            : """[{"symbol":"BTCUSDT","bidPrice":"50000.00","askPrice":"50000.01"},{"symbol":"ETHUSDT","bidPrice":"-1","askPrice":"2"},{"symbol":"SOLUSDT","bidPrice":"3","askPrice":"2"},{"symbol":12},7]"""));
        var best = await market.BestAsync(rules.Instruments, TestContext.Current.CancellationToken);
        Assert.Equal(("BTCUSDT", Fixed8.Parse("50000")), (Assert.Single(best).Key, best["BTCUSDT"].Bid));
        var candles = await market.CandlesAsync(rules.Instruments[0], Interval.All[1], TestContext.Current.CancellationToken);
        Assert.Equal([60_000, 240_000], candles.Select(c => c.OpenTime));
    }

    [Theory]
    [InlineData(429)]
    [InlineData(418)]
    [InlineData(403)]
    [InlineData(503)]
    public async Task Told_to_wait_it_says_for_how_long(int status)
    {
        using var market = new PublicMarket(Address, TimeProvider.System, new Recorder(_ => "{}", (HttpStatusCode)status));
        var told = await Assert.ThrowsAsync<RealMarketException>(() => market.BestAsync(VenueRules.Default.Instruments, TestContext.Current.CancellationToken));
        Assert.Equal(TimeSpan.FromSeconds(7), told.RetryAfter);
    }

    /// <summary>A venue that is away and does not say until when has not told anybody to wait.</summary>
    [Theory]
    [InlineData(503)]
    [InlineData(500)]
    public async Task Without_a_time_a_fault_of_its_own_is_no_word_to_wait(int status)
    {
        using var market = new PublicMarket(Address, TimeProvider.System, new Recorder(_ => "{}", (HttpStatusCode)status, retryAfter: null));
        Assert.Null((await Assert.ThrowsAsync<RealMarketException>(() => market.BestAsync(VenueRules.Default.Instruments, TestContext.Current.CancellationToken))).RetryAfter);
    }

    /// <summary>Prevents a ban: who was told at the start to wait for longer than a start waits asked again at once when it began to follow.</summary>
    [Fact]
    public async Task Told_at_the_start_to_wait_for_seven_seconds_it_asks_nothing_more_before_they_are_over()
    {
        var (clock, venue) = (new VirtualClock(DateTimeOffset.UtcNow), new Recorder(_ => "{}", HttpStatusCode.TooManyRequests));
        await using var market = Follow(clock, venue);
        await market.FirstAsync(TestContext.Current.CancellationToken);
        market.Start(_ => { });
        await clock.PassAsync(TimeSpan.FromSeconds(6));
        Assert.Equal(1, venue.Count);
        await clock.PassAsync(TimeSpan.FromSeconds(2));
        Assert.Equal(2, venue.Count);
    }

    /// <summary>Prevents a longer ban: who was told to wait and was started again asked at once.</summary>
    [Theory]
    [InlineData(418)]
    [InlineData(403)]
    public async Task Started_again_it_waits_for_what_is_left_of_what_it_was_told(int status)
    {
        var (clock, venue) = (new VirtualClock(DateTimeOffset.UtcNow), new Recorder(_ => "{}", (HttpStatusCode)status, retryAfter: "60"));
        await using (var first = Follow(clock, venue))
            await first.FirstAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, venue.Count);
        var later = new VirtualClock(clock.GetUtcNow().AddSeconds(30));
        await using var again = Follow(later, venue);
        await again.FirstAsync(TestContext.Current.CancellationToken);
        Assert.Contains("wanted us to wait until", again.Trouble, StringComparison.Ordinal);
        again.Start(_ => { });
        await later.PassAsync(TimeSpan.FromSeconds(28));
        Assert.Equal(1, venue.Count);
        await later.PassAsync(TimeSpan.FromSeconds(4));
        Assert.Equal(2, venue.Count);
    }

    [Fact]
    public async Task Of_another_venue_or_of_a_file_that_makes_no_sense_nothing_is_waited_for()
    {
        var (clock, venue) = (new VirtualClock(DateTimeOffset.UtcNow), new Recorder(_ => "{}", HttpStatusCode.TooManyRequests));
        await using (var first = Follow(clock, venue))
            await first.FirstAsync(TestContext.Current.CancellationToken);
        await using (var other = new RealMarket(new Uri("https://other.invalid"), VenueRules.Default, clock, NullLogger.Instance, _waitFile, venue))
            await other.FirstAsync(TestContext.Current.CancellationToken);
        Assert.Equal(2, venue.Count);
        await File.WriteAllTextAsync(_waitFile, "{", TestContext.Current.CancellationToken);
        await using (var again = Follow(clock, venue))
            await again.FirstAsync(TestContext.Current.CancellationToken);
        Assert.Equal(3, venue.Count);
    }

    private RealMarket Follow(TimeProvider clock, HttpMessageHandler venue) => new(Address, VenueRules.Default, clock, NullLogger.Instance, _waitFile, venue);

    /// <summary>Its own client, as somebody would have it who adds a request to it.</summary>
    private static HttpClient Inside(PublicMarket market) => (HttpClient)typeof(PublicMarket).GetField("_http", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(market)!;

    private sealed class Recorder(Func<Uri, string>? answer = null, HttpStatusCode status = HttpStatusCode.OK, string? retryAfter = "7") : HttpMessageHandler
    {
        public int Count { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Count++;
            var response = new HttpResponseMessage(status) { Content = new StringContent(answer?.Invoke(request.RequestUri!) ?? "") };
            if (retryAfter is not null)
                response.Headers.TryAddWithoutValidation("Retry-After", retryAfter);
            return Task.FromResult(response);
        }
    }
}
