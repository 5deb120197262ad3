using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Antbot.Hosting;
using Antbot.Integration.Tests.Cli;
using Antbot.Integration.Tests.PaperVenue;
using Antbot.Integration.Tests.Support;
using Antbot.LocalServers;
using Antbot.Venues;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Antbot.Integration.Tests.Venues;

/// <summary>What a service says of its venue and of the market's feed, while they are there and while they are not.</summary>
public sealed class VenueHealthTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_real_service_tells_a_venue_and_a_feed_that_are_away_apart_and_stays_ready_without_them()
    {
        var folder = Directory.CreateTempSubdirectory("antbot-venue-health-");
        await using var venue = await RunningVenue.StartAsync();
        await using TcpProxy orders = new(venue.Server.Address.Port), feed = new(venue.Server.Address.Port);
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{FreePort.Next()}") };
        using var execution = AntbotProcess.Start(
            "Antbot.Execution.dll", folder.FullName,
            [
                ("STORE", $"sqlite:{Path.Combine(folder.FullName, "antbot.db")}"), ("LISTEN", http.BaseAddress.ToString()), ("LOGLEVEL", "Critical"), ("VENUE__PAPER", "true"),
                ("VENUE__ADDRESS", $"http://127.0.0.1:{orders.Port}"), ("VENUE__STREAMADDRESS", $"ws://127.0.0.1:{feed.Port}"),
                ("VENUE__KEY", venue.Server.Key.Key), ("VENUE__SECRET", venue.Server.Key.Secret),
            ],
            []);
        try
        {
            await UntilAsync(async () => await WorksAsync("venue") == true && await WorksAsync("market") == true && await IsReadyAsync(), "all is well");

            Break(feed);
            await UntilAsync(async () => await WorksAsync("market") == false && await IsAProblemAsync("market"), "the feed is away");
            var market = await DependencyAsync("market");
            Assert.Contains("bookTicker", market.GetProperty("last_error").GetString(), StringComparison.Ordinal);
            Assert.InRange(market.GetProperty("since").GetDateTimeOffset(), DateTimeOffset.UtcNow.AddMinutes(-3), DateTimeOffset.UtcNow);
            Assert.True(await WorksAsync("venue"), "the venue is another");
            Assert.True(await IsReadyAsync(), "it goes on without prices");
            feed.Down = false;
            await UntilAsync(async () => await WorksAsync("market") == true && !await IsAProblemAsync("market"), "the feed is back");

            Break(orders);
            // The venue is not asked for its health: a feed that comes again fetches the prices that stand.
            feed.BreakAll();
            await UntilAsync(async () => await WorksAsync("venue") == false && await IsAProblemAsync("venue"), "the venue is away");
            var away = await DependencyAsync("venue");
            Assert.NotEmpty(away.GetProperty("last_error").GetString()!);
            Assert.True(away.GetProperty("last_error_at").GetDateTimeOffset() >= away.GetProperty("since").GetDateTimeOffset());
            Assert.True(await IsReadyAsync(), "ways out are not shut off by a process that is not ready");
            orders.Down = false;
            feed.BreakAll();
            await UntilAsync(async () => await WorksAsync("venue") == true && !await IsAProblemAsync("venue"), "the venue is back");
        }
        finally
        {
            execution.Kill();
            await execution.WaitForExitAsync(CancellationToken.None);
            folder.Delete(recursive: true);
        }

        static void Break(TcpProxy way)
        {
            way.Down = true;
            way.BreakAll();
        }

        async Task<bool> IsReadyAsync() => (await http.GetAsync("/readyz", Cancel)).StatusCode == HttpStatusCode.OK;

        async Task<JsonElement> HealthAsync() => JsonDocument.Parse(await (await http.GetAsync("/health", Cancel)).Content.ReadAsStringAsync(Cancel)).RootElement;

        async Task<JsonElement> DependencyAsync(string name) => (await HealthAsync()).GetProperty("dependencies").EnumerateArray().FirstOrDefault(d => d.GetProperty("name").GetString() == name);

        async Task<bool?> WorksAsync(string name) => await DependencyAsync(name) is { ValueKind: JsonValueKind.Object } there ? there.GetProperty("works").GetBoolean() : null;

        async Task<bool> IsAProblemAsync(string name) => (await HealthAsync()).GetProperty("problems").EnumerateArray()
            .Any(p => p.GetProperty("name").GetString() == name && p.GetProperty("level").GetString() == "reduced" && p.GetProperty("reason").GetString()!.Length > 0);

        Task UntilAsync(Func<Task<bool>> holds, string what) => Faults.WholePlatform.UntilAsync(
            async () =>
            {
                Assert.False(execution.HasExited, what);
                try
                {
                    return await holds();
                }
                catch (Exception e) when (e is HttpRequestException or SocketException)
                {
                    // It does not listen yet.
                    return false;
                }
            },
            () => what);
    }

    [Fact]
    public void The_market_works_when_every_stream_of_it_does()
    {
        var board = new DependencyBoard(TimeProvider.System);
        var watch = new StreamWatch(TimeProvider.System, NullLogger<StreamWatch>.Instance, board);
        var prices = watch.Begin(["btcusdt@bookTicker"], TimeSpan.FromSeconds(5));
        var candles = watch.Begin(["btcusdt@kline_1s"], TimeSpan.FromSeconds(5));
        Assert.Null(Market());
        candles.Broke("cut");
        prices.Heard();
        Assert.Equal((false, "btcusdt@kline_1s: cut"), (Market()!.Works, Market()!.LastError));
        candles.Broke("refused");
        Assert.Equal((false, "btcusdt@kline_1s: refused"), (Market()!.Works, Market()!.LastError));
        candles.Heard();
        Assert.Equal((true, "btcusdt@kline_1s: refused"), (Market()!.Works, Market()!.LastError));
        prices.Broke("cut");
        Assert.False(Market()!.Works);
        // What nobody follows any more is missed by nobody.
        prices.Dispose();
        Assert.True(Market()!.Works);

        DependencyState? Market() => board.Find(StreamWatch.Dependency);
    }
}
