using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Antbot.Integration.Tests.Cli;
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
                        var answer = i % 2 == 0 ? await client.BuyAsync("0.0002", id) : await client.LimitAsync("BUY", "20000", "0.001", id);
                        if (answer.Status == 200)
                            acknowledged.Add((id, answer["orderId"]));
                    }
                    catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
                    {
                        return;
                    }
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
        var fills = await venue.Client.LedgerAsync("fill");
        Assert.Equal(fills.Count, fills.Select(f => f.GetProperty("id").GetInt64()).Distinct().Count());
        // What is held is what was bought, but for the fee: no fill was lost or counted twice.
        var bought = fills.Sum(f => decimal.Parse(f.GetProperty("qty").GetString()!) - decimal.Parse(f.GetProperty("commission").GetString()!));
        var account = await venue.Client.SignedAsync(HttpMethod.Get, "/api/v3/account");
        var btc = account.Json.GetProperty("balances").EnumerateArray().Single(b => b.GetProperty("asset").GetString() == "BTC");
        Assert.Equal(bought, decimal.Parse(btc.GetProperty("free").GetString()!));
    }

    [Fact]
    public async Task It_stops_in_order_and_keeps_its_keys_to_itself()
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
        AntbotProcess.Signal(process, "INT");
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
        Assert.Equal(1, process.ExitCode);
        Assert.All((string[])["70000", "'nowhere'", "The speed is 0", "is -1"], fault => Assert.Contains(fault, said, StringComparison.Ordinal));
        Assert.True(started.Elapsed < TimeSpan.FromSeconds(30));
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
        return new VenueClient(new Uri(said.GetProperty("address").GetString()!), new ApiKey("main", key.GetProperty("apiKey").GetString()!, key.GetProperty("apiSecret").GetString()!));
    }
}
