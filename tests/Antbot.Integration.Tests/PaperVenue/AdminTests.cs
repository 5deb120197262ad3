using Antbot.PaperVenue;
using Xunit;

namespace Antbot.Integration.Tests.PaperVenue;

public sealed class AdminTests : IAsyncLifetime
{
    private RunningVenue _venue = null!;

    private VenueClient Client => _venue.Client;

    public async ValueTask InitializeAsync() => _venue = await RunningVenue.StartAsync();

    public ValueTask DisposeAsync() => _venue.DisposeAsync();

    [Fact]
    public async Task A_price_that_is_held_stays_fills_who_waits_for_it_and_moves_on_from_there()
    {
        await Client.AdminAsync(HttpMethod.Post, "/admin/market", new { symbol = "BTCUSDT", price = "60000" });
        Assert.Equal("60000.00000000", (await Client.GetAsync("/api/v3/ticker/price?symbol=BTCUSDT"))["price"]);
        await Client.LimitAsync("BUY", "59000", "0.01", "waits");
        await Client.BuyAsync("0.01");
        var stop = await Client.OrderAsync(("symbol", "BTCUSDT"), ("side", "SELL"), ("type", "STOP_LOSS"), ("quantity", "0.009"), ("stopPrice", "58500"), ("newClientOrderId", "stop"));
        Assert.Equal(200, stop.Status);

        await Client.AdminAsync(HttpMethod.Post, "/admin/market", new { symbol = "BTCUSDT", price = "59000" });
        Assert.Equal(("FILLED", "NEW"), ((await Client.FindAsync("waits"))["status"], (await Client.FindAsync("stop"))["status"]));
        await Client.AdminAsync(HttpMethod.Post, "/admin/market", new { symbol = "BTCUSDT", price = "58500" });
        Assert.Equal("FILLED", (await Client.FindAsync("stop"))["status"]);

        await Client.AdminAsync(HttpMethod.Post, "/admin/market", new { symbol = "BTCUSDT", frozen = false });
        var moved = await PriceAsync();
        for (var i = 0; i < 200 && moved == 58_500; i++, moved = await PriceAsync())
            await Task.Delay(50, TestContext.Current.CancellationToken);
        Assert.NotEqual(58_500, moved);
        Assert.InRange(moved, 57_500, 59_500);

        async Task<decimal> PriceAsync() => decimal.Parse((await Client.GetAsync("/api/v3/ticker/price?symbol=BTCUSDT"))["price"]);
    }

    [Fact]
    public async Task A_held_price_and_every_account_are_there_after_a_restart()
    {
        var folder = Directory.CreateTempSubdirectory("antbot-venue-").FullName;
        try
        {
            string key;
            await using (var first = await RunningVenue.StartAsync(folder: folder))
            {
                await first.Client.AdminAsync(HttpMethod.Post, "/admin/market", new { symbol = "ETHUSDT", price = "3000" });
                key = (await first.Client.AdminAsync(HttpMethod.Post, "/admin/accounts", new { name = "second", deposits = new { ETH = "3" } }))["apiSecret"];
            }
            await using var again = await RunningVenue.StartAsync(folder: folder);
            Assert.Equal("3000.00000000", (await again.Client.GetAsync("/api/v3/ticker/price?symbol=ETHUSDT"))["price"]);
            Assert.Contains(key, File.ReadAllText(Path.Combine(folder, "keys", "second.json")), StringComparison.Ordinal);
            var accounts = await again.Client.AdminAsync(HttpMethod.Get, "/admin/accounts");
            Assert.Equal("3.00000000", accounts.Json.EnumerateArray().Single(a => a.GetProperty("account").GetString() == "second").GetProperty("balances").GetProperty("ETH").GetProperty("free").GetString());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Balances_are_deposited_set_and_reset()
    {
        await Client.AdminAsync(HttpMethod.Post, "/admin/deposit", new { account = "main", asset = "BTC", amount = "2" });
        var sold = await Client.LimitAsync("SELL", "100000", "1.5");
        Assert.Equal("NEW", sold["status"]);
        var set = await Client.AdminAsync(HttpMethod.Post, "/admin/balances", new { account = "main", balances = new { BTC = "7", USDT = "5" } });
        Assert.Equal(("7.00000000", "1.50000000"), Btc(set));
        var reset = await Client.AdminAsync(HttpMethod.Post, "/admin/reset", new { account = "main" });
        Assert.Equal(("0.00000000", "0.00000000"), Btc(reset));
        Assert.Equal("100000.00000000", reset.Json.GetProperty("balances").GetProperty("USDT").GetProperty("free").GetString());
        Assert.Equal(404, (await Client.AdminAsync(HttpMethod.Post, "/admin/reset", new { account = "nobody" })).Status);
        Assert.Equal(409, (await Client.AdminAsync(HttpMethod.Post, "/admin/accounts", new { name = "main" })).Status);

        static (string?, string?) Btc(Answer answer) => answer.Json.GetProperty("balances").GetProperty("BTC") is var btc ? (btc.GetProperty("free").GetString(), btc.GetProperty("locked").GetString()) : default;
    }

    [Fact]
    public async Task Two_venues_with_one_seed_show_the_same_prices()
    {
        await using var other = await RunningVenue.StartAsync();
        await using var different = await RunningVenue.StartAsync(o => o with { Seed = 2 });
        const string Path = "/api/v3/klines?symbol=DOGEUSDT&interval=1h&limit=100&endTime=";
        var end = DateTimeOffset.UtcNow.AddHours(-2).ToUnixTimeMilliseconds();
        var mine = (await Client.GetAsync(Path + end)).Json.GetRawText();
        Assert.Equal(mine, (await other.Client.GetAsync(Path + end)).Json.GetRawText());
        Assert.NotEqual(mine, (await different.Client.GetAsync(Path + end)).Json.GetRawText());
    }

    [Fact]
    public async Task Keys_that_are_given_are_used()
    {
        await using var venue = await RunningVenue.StartAsync(o => o with { ApiKey = new string('k', 64), ApiSecret = new string('s', 64), AdminKey = new string('a', 64) });
        Assert.Equal(new ApiKey("main", new string('k', 64), new string('s', 64)), venue.Server.Key);
        Assert.Equal(200, (await venue.Client.SignedAsync(HttpMethod.Get, "/api/v3/account")).Status);
        Assert.Equal(200, (await venue.Client.AdminAsync(HttpMethod.Get, "/admin/status")).Status);
    }
}
