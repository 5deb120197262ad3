using Xunit;

namespace Antbot.Integration.Tests.PaperVenue;

/// <summary>The market's programs, chosen while it runs and at its start.</summary>
public sealed class MarketProgramTests : IAsyncLifetime
{
    private RunningVenue _venue = null!;

    private VenueClient Client => _venue.Client;

    public async ValueTask InitializeAsync() => _venue = await RunningVenue.StartAsync(o => o with { StepMilliseconds = 50, Deposits = new Dictionary<string, string>(StringComparer.Ordinal) { ["USDT"] = "10000000", ["BTC"] = "100" } });

    public ValueTask DisposeAsync() => _venue.DisposeAsync();

    [Fact]
    public async Task A_flash_crash_takes_ninety_percent_and_wakes_what_waits_on_the_way()
    {
        var before = await PriceAsync("BTCUSDT");
        var stop = await Client.OrderAsync(("symbol", "BTCUSDT"), ("side", "SELL"), ("type", "STOP_LOSS"), ("quantity", "0.01"), ("stopPrice", $"{Math.Round(before * 0.6m, 2)}"), ("newClientOrderId", "protects"));
        Assert.Equal(200, stop.Status);
        var chosen = await ChooseAsync(new { scenario = "flash-crash", seconds = 2 });
        Assert.Equal(("flash-crash", 2), (chosen["scenario"], chosen.Json.GetProperty("seconds").GetInt32()));
        await UntilAsync(async () => await PriceAsync("BTCUSDT") < before * 0.12m);
        Assert.InRange(await PriceAsync("BTCUSDT"), before * 0.08m, before * 0.12m);
        var sold = await Client.FindAsync("protects");
        Assert.Equal("FILLED", sold["status"]);
        // What is usual goes on from there: nothing jumps back.
        await ChooseAsync(new { scenario = "usual" });
        Assert.InRange(await PriceAsync("BTCUSDT"), before * 0.08m, before * 0.12m);
    }

    [Fact]
    public async Task In_a_liquidity_crisis_a_large_order_slips_far()
    {
        var usual = await SlipAsync();
        await ChooseAsync(new { scenario = "liquidity-crisis" });
        var crisis = await SlipAsync();
        Assert.True(usual < 0.002m && crisis > 0.1m, $"It slipped {usual} as usual and {crisis} in the crisis.");

        async Task<decimal> SlipAsync()
        {
            var price = await PriceAsync("BTCUSDT");
            var bought = await Client.OrderAsync(("symbol", "BTCUSDT"), ("side", "BUY"), ("type", "MARKET"), ("quoteOrderQty", "20000"));
            return (decimal.Parse(bought["cummulativeQuoteQty"]) / decimal.Parse(bought["executedQty"]) / price) - 1;
        }
    }

    [Fact]
    public async Task In_a_gas_war_most_orders_are_turned_away_and_nothing_has_happened_to_them()
    {
        await ChooseAsync(new { scenario = "gas-war" });
        var turned = new List<string>();
        for (var i = 0; i < 100; i++)
        {
            var answer = await Client.BuyAsync("0.001", $"gas-{i}");
            Assert.Contains((answer.Status, answer.Code), ((int, int)[])[(200, 0), (503, -1008)]);
            if (answer.Status != 200)
                turned.Add($"gas-{i}");
        }
        Assert.InRange(turned.Count, 40, 80);
        Assert.Equal(-2013, (await Client.FindAsync(turned[0])).Code);
        Assert.Equal(5_000, (await Client.AdminAsync(HttpMethod.Get, "/admin/scenario")).Json.GetProperty("instruments")[0].GetProperty("gasGwei").GetInt32());
    }

    [Fact]
    public async Task A_candle_file_is_replayed_and_a_restart_goes_on_with_it()
    {
        var folder = Directory.CreateTempSubdirectory("antbot-venue-");
        try
        {
            Directory.CreateDirectory(Path.Combine(folder.FullName, "candles"));
            // A candle a second, each a hundred above the last: the price says where in the file it is.
            await File.WriteAllLinesAsync(
                Path.Combine(folder.FullName, "candles", "BTCUSDT-1s.csv"),
                Enumerable.Range(0, 600).Select(i => $"{1_700_000_000_000 + (i * 1_000)},{40_000 + (i * 100)},{40_120 + (i * 100)},{39_980 + (i * 100)},{40_100 + (i * 100)},1"),
                TestContext.Current.CancellationToken);
            var began = DateTimeOffset.UtcNow;
            await using (var first = await RunningVenue.StartAsync(o => o with { Scenario = "replay", ReplayFile = "BTCUSDT-1s.csv" }, folder.FullName))
            {
                var running = DateTimeOffset.UtcNow;
                await UntilAsync(async () => await SecondAsync(first) > 8);
                Assert.InRange(await SecondAsync(first), (DateTimeOffset.UtcNow - running).TotalSeconds - 5, (DateTimeOffset.UtcNow - began).TotalSeconds + 1);
            }
            await using var again = await RunningVenue.StartAsync(folder: folder.FullName);
            Assert.InRange(await SecondAsync(again), 8, (DateTimeOffset.UtcNow - began).TotalSeconds + 1);
            Assert.InRange(await PriceAsync("ETHUSDT", again), 1_000, 10_000);
            Assert.Equal("replay", (await again.Client.AdminAsync(HttpMethod.Get, "/admin/scenario"))["scenario"]);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        async Task<double> SecondAsync(RunningVenue venue) => (double)(await PriceAsync("BTCUSDT", venue) - 40_000) / 100;
    }

    [Theory]
    [InlineData("""{"scenario":"doom"}""")]
    [InlineData("""{"scenario":"usual","file":"BTCUSDT-1m.csv"}""")]
    [InlineData("""{"scenario":"replay"}""")]
    [InlineData("""{"scenario":"replay","file":"BTCUSDT-none.csv"}""")]
    [InlineData("""{"scenario":"replay","file":"BTCUSDT-../../keys/main.json"}""")]
    [InlineData("""{"scenario":"replay","file":"nothing.csv"}""")]
    [InlineData("""{"scenario":"quiet","seconds":0}""")]
    public async Task A_program_that_makes_no_sense_is_refused(string body)
    {
        var answer = await Client.SendAsync(HttpMethod.Post, "/admin/scenario", new StringContent(body), adminKey: _venue.Server.AdminKey);
        Assert.Equal((400, -1102), (answer.Status, answer.Code));
        Assert.Equal("usual", (await Client.AdminAsync(HttpMethod.Get, "/admin/scenario"))["scenario"]);
    }

    private async Task<Answer> ChooseAsync(object program)
    {
        var answer = await Client.AdminAsync(HttpMethod.Post, "/admin/scenario", program);
        Assert.Equal(200, answer.Status);
        return answer;
    }

    private async Task<decimal> PriceAsync(string symbol, RunningVenue? venue = null) => decimal.Parse((await (venue ?? _venue).Client.GetAsync($"/api/v3/ticker/price?symbol={symbol}"))["price"]);

    private static async Task UntilAsync(Func<Task<bool>> happened)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await happened())
            await Task.Delay(50, limit.Token);
    }
}
