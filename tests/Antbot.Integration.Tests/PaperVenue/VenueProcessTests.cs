using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text.Json;
using Antbot.Integration.Tests.Cli;
using Antbot.Integration.Tests.Support;
using Antbot.PaperVenue;
using Xunit;

namespace Antbot.Integration.Tests.PaperVenue;

/// <summary>The program as its users run it: killed, stopped, and started wrongly.</summary>
public sealed class VenueProcessTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-venue-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Killed_in_mid_load_it_has_every_acknowledged_order_once()
    {
        var acknowledged = new ConcurrentBag<(string ClientId, string OrderId)>();
        for (var round = 0; round < 4; round++)
        {
            using var process = Start("--json");
            using var client = await ConnectAsync(process);
            var name = round;
            var load = Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
            {
                for (var i = 0; ; i++)
                {
                    var id = $"r{name}-w{worker}-{i}";
                    try
                    {
                        var sending = (i % 5) switch
                        {
                            0 => client.BuyAsync("0.0002", id),
                            1 => client.LimitAsync("BUY", "20000", "0.001", id),
                            2 => WaitAsync("STOP_LOSS", "200000", null),
                            3 => WaitAsync("TAKE_PROFIT_LIMIT", "20000", "20000"),
                            _ => client.OrderAsync(("symbol", "BTCUSDT"), ("side", "BUY"), ("type", "LIMIT_MAKER"), ("price", "20000"), ("quantity", "0.001"), ("newClientOrderId", id)),
                        };
                        var answer = await sending;
                        if (answer.Status == 200)
                            acknowledged.Add((id, answer["orderId"]));
                    }
                    catch (Exception e) when (e is HttpRequestException or SocketException or OperationCanceledException)
                    {
                        return;
                    }

                    Task<Answer> WaitAsync(string type, string stop, string? price) => client.OrderAsync(
                        [("symbol", "BTCUSDT"), ("side", "BUY"), ("type", type), ("stopPrice", stop), ("quantity", "0.001"), ("newClientOrderId", id), .. price is null ? [] : new (string, string)[] { ("price", price), ("timeInForce", "GTC") }]);
                }
            })).ToList();
            var enough = acknowledged.Count + 200 + (round * 150);
            while (acknowledged.Count < enough)
                await Task.Delay(5, Cancel);
            AntbotProcess.Signal(process, "KILL");
            await process.WaitForExitAsync(Cancel);
            await Task.WhenAll(load);
        }

        await using var venue = await RunningVenue.StartAsync(folder: Path.Combine(_folder, "data"));
        var orders = (await venue.Client.LedgerAsync("order")).ToDictionary(o => o.GetProperty("clientOrderId").GetString()!, o => o.GetProperty("orderId").ToString(), StringComparer.Ordinal);
        Assert.Equal(acknowledged.Count, acknowledged.Select(a => a.ClientId).Distinct().Count());
        Assert.All(acknowledged, a => Assert.Equal(a.OrderId, orders[a.ClientId]));
        // What waits for a price, waits still; what rests, rests in the book.
        var open = (await venue.Client.SignedAsync(HttpMethod.Get, "/api/v3/openOrders", ("symbol", "BTCUSDT"))).Json.EnumerateArray().ToList();
        foreach (var (kind, type, isWorking) in ((int, string, bool)[])[(1, "LIMIT", true), (2, "STOP_LOSS", false), (3, "TAKE_PROFIT_LIMIT", false), (4, "LIMIT_MAKER", true)])
        {
            var here = open.Where(o => o.GetProperty("type").GetString() == type && o.GetProperty("isWorking").GetBoolean() == isWorking).Select(o => o.GetProperty("clientOrderId").GetString()!).ToHashSet(StringComparer.Ordinal);
            Assert.Subset(here, acknowledged.Select(a => a.ClientId).Where(id => int.Parse(id.Split('-')[2]) % 5 == kind).ToHashSet(StringComparer.Ordinal));
        }
        var fills = await venue.Client.LedgerAsync("fill");
        Assert.Equal(fills.Count, fills.Select(f => f.GetProperty("id").GetInt64()).Distinct().Count());
        // What is held is what was bought, but for the fee: no fill was lost or counted twice.
        var bought = fills.Sum(f => decimal.Parse(f.GetProperty("qty").GetString()!) - decimal.Parse(f.GetProperty("commission").GetString()!));
        var account = await venue.Client.SignedAsync(HttpMethod.Get, "/api/v3/account");
        var btc = account.Json.GetProperty("balances").EnumerateArray().Single(b => b.GetProperty("asset").GetString() == "BTC");
        Assert.Equal(bought, decimal.Parse(btc.GetProperty("free").GetString()!));
    }

    [Fact]
    public async Task Killed_with_a_pair_of_orders_it_has_both_and_one_of_them_still_cancels_the_other()
    {
        using (var process = Start("--json", "--practice"))
        {
            using var client = await ConnectAsync(process);
            var placed = await client.SignedAsync(
                HttpMethod.Post, "/api/v3/orderList/oco", ("symbol", "BTCUSDT"), ("side", "SELL"), ("quantity", "0.01"), ("listClientOrderId", "pair"),
                ("aboveType", "LIMIT_MAKER"), ("abovePrice", "200000"), ("aboveClientOrderId", "limit"), ("belowType", "STOP_LOSS"), ("belowStopPrice", "30000"), ("belowClientOrderId", "stop"));
            Assert.Equal("EXECUTING", placed["listOrderStatus"]);
            AntbotProcess.Signal(process, "KILL");
            await process.WaitForExitAsync(Cancel);
        }
        using (var process = Start("--json", "--practice"))
        {
            using var client = await ConnectAsync(process);
            Assert.Equal("EXECUTING", (await client.SignedAsync(HttpMethod.Get, "/api/v3/orderList", ("origClientOrderId", "pair")))["listOrderStatus"]);
            Assert.Equal(("NEW", "NEW"), ((await client.FindAsync("limit"))["status"], (await client.FindAsync("stop"))["status"]));
            await client.AdminAsync(HttpMethod.Post, "/admin/market", new { symbol = "BTCUSDT", price = "25000" });
            Assert.Equal(("EXPIRED", "FILLED"), ((await client.FindAsync("limit"))["status"], (await client.FindAsync("stop"))["status"]));
            AntbotProcess.Signal(process, "KILL");
            await process.WaitForExitAsync(Cancel);
        }
        await using var venue = await RunningVenue.StartAsync(folder: Path.Combine(_folder, "data"));
        Assert.Equal(("EXPIRED", "FILLED"), ((await venue.Client.FindAsync("limit"))["status"], (await venue.Client.FindAsync("stop"))["status"]));
        Assert.Equal("ALL_DONE", (await venue.Client.SignedAsync(HttpMethod.Get, "/api/v3/orderList", ("origClientOrderId", "pair")))["listOrderStatus"]);
        Assert.Equal(0, (await venue.Client.SignedAsync(HttpMethod.Get, "/api/v3/openOrderList")).Json.GetArrayLength());
    }

    /// <summary>An order that a fault holds back is in the journal; who was to let it go died with the process.</summary>
    [Fact]
    public async Task Killed_while_an_order_is_held_back_it_lets_it_go_at_the_next_start()
    {
        using (var process = Start("--json"))
        {
            using var client = await ConnectAsync(process);
            await client.FaultAsync(new { kind = "lateFill", count = 1, ms = 600_000 });
            Assert.Equal("NEW", (await client.BuyAsync("0.001", "held"))["status"]);
            AntbotProcess.Signal(process, "KILL");
            await process.WaitForExitAsync(Cancel);
        }
        await using var venue = await RunningVenue.StartAsync(folder: Path.Combine(_folder, "data"));
        Assert.Equal("FILLED", (await venue.Client.FindAsync("held"))["status"]);
    }

    [Fact]
    public async Task Asked_for_shell_assignments_it_prints_what_a_client_needs_and_nothing_else()
    {
        using var process = Start("--shell");
        var said = new Dictionary<string, string>(StringComparer.Ordinal);
        while (said.Count < 5)
        {
            var line = (await process.StandardOutput.ReadLineAsync(Cancel))!.Split('=', 2);
            said.Add(line[0], line[1]);
        }
        using (var client = new VenueClient(new Uri(said["VENUE_ADDRESS"]), new ApiKey("main", said["VENUE_API_KEY"], said["VENUE_API_SECRET"]), new Uri(said["VENUE_ADMIN_ADDRESS"]), said["VENUE_ADMIN_KEY"]))
        {
            Assert.Equal("FILLED", (await client.BuyAsync("0.001"))["status"]);
            Assert.Equal(200, (await client.AdminAsync(HttpMethod.Get, "/admin/status")).Status);
        }
        AntbotProcess.Signal(process, "INT");
        await process.WaitForExitAsync(Cancel);
    }

    /// <summary>Without an answer that was asked for it logs as the services do: where it is, and what troubles it.</summary>
    [Fact]
    public async Task What_it_says_while_it_runs_are_lines_of_JSON()
    {
        using var process = AntbotProcess.Start("Antbot.PaperVenue.dll", _folder, [("INSTANCE", "venue-7")], ["--data", "data", "--follow", "https://127.0.0.1:1"]);
        var said = new List<string>();
        while (said.Count < 2)
            said.Add(await process.StandardError.ReadLineAsync(Cancel) ?? throw new InvalidOperationException("It ended."));
        var entries = said.ConvertAll(l => LogLines.Check(l, "venue", "venue-7")).ToDictionary(e => e.GetProperty("level").GetString()!, e => e.GetProperty("message").GetString()!, StringComparer.Ordinal);
        Assert.StartsWith("The paper venue listens on http://127.0.0.1:", entries["Information"], StringComparison.Ordinal);
        Assert.StartsWith("The market at https://127.0.0.1:1/ cannot be followed", entries["Warning"], StringComparison.Ordinal);
        AntbotProcess.Signal(process, "TERM");
        await process.WaitForExitAsync(Cancel);
        Assert.Equal("", await process.StandardOutput.ReadToEndAsync(Cancel));
    }

    /// <summary>The web server's host takes SIGQUIT as well, and ended nothing: the venue ran on.</summary>
    [Theory]
    [InlineData("INT")]
    [InlineData("QUIT")]
    public async Task It_stops_in_order_and_keeps_its_keys_to_itself(string signal)
    {
        using var process = Start("--json");
        string keyFile;
        using (var client = await ConnectAsync(process))
        {
            keyFile = Path.Combine(_folder, "data", "keys", "main.json");
            Assert.Equal(200, (await client.BuyAsync("0.001", "kept")).Status);
        }
        if (!OperatingSystem.IsWindows())
        {
            foreach (var file in (string[])[keyFile, Path.Combine(_folder, "data", "admin.json"), .. Directory.GetFiles(Path.Combine(_folder, "data", "journal"))])
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }
        AntbotProcess.Signal(process, signal);
        await process.WaitForExitAsync(Cancel);
        Assert.Equal(0, process.ExitCode);
        Assert.Equal("", await process.StandardError.ReadToEndAsync(Cancel));

        using var next = Start("--json");
        using var again = await ConnectAsync(next);
        Assert.Equal("FILLED", (await again.FindAsync("kept"))["status"]);
        AntbotProcess.Signal(next, "KILL");
        await next.WaitForExitAsync(Cancel);
    }

    [Fact]
    public async Task Wrong_options_end_it_at_once_with_every_fault_named()
    {
        var started = Stopwatch.StartNew();
        using var process = Start("--port", "70000", "--listen", "nowhere", "--speed", "0", "--weight-limit", "-1");
        await process.WaitForExitAsync(Cancel);
        var said = await process.StandardError.ReadToEndAsync(Cancel);
        // So that whoever supervises it does not start it again and again.
        Assert.Equal(78, process.ExitCode);
        Assert.All((string[])["70000", "'nowhere'", "The speed is 0", "is -1"], fault => Assert.Contains(fault, said, StringComparison.Ordinal));
        Assert.True(started.Elapsed < TimeSpan.FromSeconds(5), $"it took {started.Elapsed}");
        Assert.False(Directory.Exists(Path.Combine(_folder, "data", "journal")));
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named()
    {
        await using var venue = await RunningVenue.StartAsync();
        using var process = Start("--port", venue.Server.Address.Port.ToString());
        await process.WaitForExitAsync(Cancel);
        Assert.Equal(1, process.ExitCode);
        Assert.Contains("Choose another port", await process.StandardError.ReadToEndAsync(Cancel), StringComparison.Ordinal);
    }

    private Process Start(params string[] arguments) => AntbotProcess.Start("Antbot.PaperVenue.dll", _folder, ["--data", "data", .. arguments]);

    private async Task<VenueClient> ConnectAsync(Process process)
    {
        var line = await process.StandardOutput.ReadLineAsync(Cancel) ?? throw new InvalidOperationException($"It ended: {await process.StandardError.ReadToEndAsync(Cancel)}");
        var said = JsonDocument.Parse(line).RootElement;
        var key = JsonDocument.Parse(await File.ReadAllTextAsync(said.GetProperty("keyFile").GetString()!, Cancel)).RootElement;
        var admin = JsonDocument.Parse(await File.ReadAllTextAsync(said.GetProperty("adminFile").GetString()!, Cancel)).RootElement;
        return new VenueClient(new Uri(said.GetProperty("address").GetString()!), new ApiKey("main", key.GetProperty("apiKey").GetString()!, key.GetProperty("apiSecret").GetString()!), new Uri(said.GetProperty("adminAddress").GetString()!), admin.GetProperty("adminKey").GetString()!);
    }
}
