using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.EventStore.Sqlite;
using Antbot.Integration.Tests.PaperVenue;
using Antbot.Integration.Tests.Support;
using Antbot.Integration.Tests.Venues.Conformance;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Cli;

/// <summary>`make run ARGS='--market …'` with a recording stand-in for the real venue: its prices are traded on, and nothing else of it is ever touched.</summary>
public sealed class FollowedMarketTests : IAsyncLifetime
{
    private const decimal RealPrice = 50_000;

    private static readonly string[] ByHandOnly = ["--set", "signal:strategies=", "--set", "validation:duplicateWindowSeconds=0", "--set", "execution:holdingSecondsMax=86400"];

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-followed-").FullName;
    private readonly ConcurrentQueue<string> _said = new();
    private readonly HttpClient _passing = new(new SocketsHttpHandler { UseProxy = false });
    private RunningVenue _venue = null!;
    private VenueFront _real = null!;
    private Process? _process;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Data => Path.Combine(_folder, ".local");

    public async ValueTask InitializeAsync()
    {
        _venue = await RunningVenue.StartAsync();
        // Far from where the market that is made up has it, so that it shows whose price it is.
        await _venue.Client.AdminAsync(HttpMethod.Post, "/admin/market", new { symbol = "BTCUSDT", price = "50000" });
        _real = await VenueFront.StartAsync(PassOnAsync);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
            _process.Kill();
        _process?.Dispose();
        await _real.DisposeAsync();
        await _venue.DisposeAsync();
        _passing.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task It_trades_on_a_real_venues_prices_asks_it_for_nothing_else_and_waits_while_it_is_away()
    {
        // Everything that would make an order reach the real venue, if anything could.
        await StartAsync(
            [("VENUE__ADDRESS", _real.Address.ToString()), ("VENUE__KEY", _venue.Server.Key.Key), ("VENUE__SECRET", _venue.Server.Key.Secret), ("VENUE__PAPER", "false"), ("VENUE__STREAMADDRESS", $"ws://127.0.0.1:{_real.Address.Port}")],
            ["--market", _real.Address.ToString(), .. ByHandOnly]);
        await SignalAsync("first", HttpStatusCode.Accepted);
        await Eventually.HoldsAsync(async () => (await OpenedAsync()).Count == 1, "a trade is open");
        Assert.InRange(Assert.Single(await OpenedAsync()).Average.Value, RealPrice * 0.99m, RealPrice * 1.01m);

        _real.Instead((_, context) =>
        {
            context.Abort();
            return Task.FromResult(true);
        });
        await Eventually.HoldsAsync(async () => await ReadyAsync() is (503, var why) && why.Contains("market", StringComparison.Ordinal), "it says that there are no prices");
        await SignalAsync("while it is away", HttpStatusCode.ServiceUnavailable);
        await Eventually.HoldsAsync(() => _said.Any(l => l.Contains("NOTHING IS ENTERED", StringComparison.Ordinal)), "the summary says so");
        Assert.Single(await OpenedAsync());

        _real.BeHonest();
        await Eventually.HoldsAsync(async () => (await ReadyAsync()).Status == 200, "it goes on by itself");
        await SignalAsync("after it", HttpStatusCode.Accepted);
        await Eventually.HoldsAsync(async () => (await OpenedAsync()).Count == 2, "another trade is open");

        Assert.NotEmpty(_real.Asked);
        Assert.All(_real.Asked, r =>
        {
            Assert.True(r.Method == "GET" && r.Path is "/api/v3/ticker/bookTicker" or "/api/v3/klines", $"{r.Method} {r.Path} reached the real venue");
            Assert.Null(r.ApiKey);
            Assert.Equal(("", ""), (r["signature"], r["timestamp"]));
        });
        Assert.Empty(await _venue.Client.LedgerAsync("order"));
    }

    [Fact]
    public async Task What_its_prices_pass_while_it_is_stopped_is_sold_when_it_is_started_again_and_who_stops_it_is_told()
    {
        await StartAsync([], ["--market", _real.Address.ToString(), .. ByHandOnly]);
        await SignalAsync("first", HttpStatusCode.Accepted);
        await Eventually.HoldsAsync(
            async () => (await EventsAsync<OrderIntended>()).FirstOrDefault(e => e.Role == OrderRole.Stop) is { } stop && (await EventsAsync<OrderAccepted>()).Any(e => e.Order == stop.Order), "the venue has its stop");
        AntbotProcess.Signal(_process!, "INT");
        await _process!.WaitForExitAsync(Cancel);
        Assert.Contains(_said, l => l.Contains("BTCUSDT Buy", StringComparison.Ordinal) && l.Contains("): a stop at 4", StringComparison.Ordinal));
        Assert.Contains(_said, l => l.EndsWith($"NOTHING protects these positions, and the market of {_real.Address.Host} moves on.", StringComparison.Ordinal));

        await _venue.Client.AdminAsync(HttpMethod.Post, "/admin/market", new { symbol = "BTCUSDT", price = "30000" });
        Assert.Empty(await EventsAsync<PositionClosed>());
        _process.Dispose();
        await StartAsync([], ["--market", _real.Address.ToString(), .. ByHandOnly]);
        await Eventually.HoldsAsync(async () => (await EventsAsync<PositionClosed>()).Count == 1, "its stop has sold it");
        Assert.InRange(Assert.Single(await EventsAsync<PositionClosed>()).Exit.Value, 30_000 * 0.99m, 30_000 * 1.01m);
    }

    /// <summary>Prevents positions that nobody looks after because the real venue happened to be away when the machine came up.</summary>
    [Fact]
    public async Task It_starts_without_the_real_venue_enters_nothing_and_goes_on_when_it_is_there()
    {
        _real.Instead((_, context) =>
        {
            context.Abort();
            return Task.FromResult(true);
        });
        await StartAsync([], ["--market", _real.Address.ToString(), .. ByHandOnly]);
        Assert.True(await ReadyAsync() is (503, var why) && why.Contains("no prices from", StringComparison.Ordinal), $"{await ReadyAsync()}");
        await SignalAsync("while it is away", HttpStatusCode.ServiceUnavailable);
        await Eventually.HoldsAsync(() => _said.Any(l => l.Contains("NOTHING IS ENTERED", StringComparison.Ordinal)), "the summary says so");

        _real.BeHonest();
        await Eventually.HoldsAsync(async () => (await ReadyAsync()).Status == 200, "it goes on by itself");
        await SignalAsync("after it", HttpStatusCode.Accepted);
        await Eventually.HoldsAsync(async () => (await OpenedAsync()).Count == 1, "a trade is open");
        Assert.InRange(Assert.Single(await OpenedAsync()).Average.Value, RealPrice * 0.99m, RealPrice * 1.01m);
    }

    [Theory]
    [InlineData("venue:address=https://api.binance.com")]
    [InlineData("venue:key_file=/tmp/key")]
    [InlineData("VENUE:paper=false")]
    public async Task No_setting_makes_another_venue_the_one_that_orders_go_to(string setting)
    {
        var said = await EndedAsync("--market", _real.Address.ToString(), "--set", setting);
        Assert.Equal(78, said.ExitCode);
        Assert.Contains("paper venue in this process", said.Error, StringComparison.Ordinal);
        Assert.Empty(_real.Asked);
    }

    [Theory]
    [InlineData("http://api.binance.com")]
    [InlineData("binance-of-sorts")]
    [InlineData("https://user:secret@api.binance.com")]
    [InlineData("https://api.binance.com/api/v3/order")]
    public async Task A_market_that_is_no_address_over_https_is_refused(string market)
    {
        var said = await EndedAsync("--market", market);
        Assert.NotEqual(0, said.ExitCode);
        Assert.Contains("binance, binance-testnet", said.Error, StringComparison.Ordinal);
    }

    private async Task StartAsync(IReadOnlyList<(string Name, string Value)> environment, string[] arguments)
    {
        var process = _process = AntbotProcess.Start("Antbot.Standalone.dll", _folder, environment, arguments);
        var started = new TaskCompletionSource();
        process.OutputDataReceived += (_, line) =>
        {
            _said.Enqueue(line.Data ?? "");
            if (line.Data is null || line.Data.StartsWith("  data", StringComparison.Ordinal))
                started.TrySetResult();
        };
        process.BeginOutputReadLine();
        var errors = process.StandardError.ReadToEndAsync(Cancel);
        await started.Task.WaitAsync(TimeSpan.FromMinutes(2), Cancel);
        if (!_said.Any(l => l.StartsWith("  data", StringComparison.Ordinal)))
            Assert.Fail($"It ended: {await errors}");
    }

    private async Task<Said> EndedAsync(params string[] arguments)
    {
        using var process = AntbotProcess.Start("Antbot.Standalone.dll", _folder, arguments);
        var (output, error) = (process.StandardOutput.ReadToEndAsync(Cancel), process.StandardError.ReadToEndAsync(Cancel));
        await process.WaitForExitAsync(Cancel).WaitAsync(TimeSpan.FromMinutes(1), Cancel);
        return new Said(process.ExitCode, await output, await error);
    }

    private async Task SignalAsync(string key, HttpStatusCode wanted)
    {
        using var console = await ConsoleAsync();
        using var client = new HttpClient { BaseAddress = new Uri(console.RootElement.GetProperty("signals").GetString()!), Timeout = TimeSpan.FromSeconds(20) };
        client.DefaultRequestHeaders.Add("X-Api-Key", await File.ReadAllTextAsync(console.RootElement.GetProperty("signalKeyFile").GetString()!, Cancel));
        var said = "";
        await Eventually.HoldsAsync(
            async () =>
            {
                using var answer = await client.PostAsJsonAsync("signals", new { symbol = "BTCUSDT", side = "buy", notional = 50, idempotencyKey = key }, Cancel);
                said = $"{answer.StatusCode}: {await answer.Content.ReadAsStringAsync(Cancel)}";
                return answer.StatusCode == wanted;
            },
            $"a signal is answered with {wanted}, not {said}");
    }

    private async Task<(int Status, string Body)> ReadyAsync()
    {
        using var console = await ConsoleAsync();
        using var answer = await _passing.GetAsync(new Uri(new Uri(console.RootElement.GetProperty("address").GetString()!), "/readyz"), Cancel);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancel));
    }

    private async Task<JsonDocument> ConsoleAsync() => JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Data, "console.json"), Cancel));

    private Task<List<PositionOpened>> OpenedAsync() => EventsAsync<PositionOpened>();

    private async Task<List<TEvent>> EventsAsync<TEvent>()
    {
        await using var store = await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = Path.Combine(Data, "antbot.db"), ReadOnly = true }, Cancel);
        var registry = EventRegistry.From(typeof(PositionOpened).Assembly);
        var (codec, name, events, after) = (new EventCodec(registry), registry.NameOf(typeof(TEvent)), new List<TEvent>(), 0L);
        while (await store.ReadPageAsync(after, 1_000, Cancel) is { Count: > 0 } page)
        {
            events.AddRange(page.Where(e => e.Type == name).Select(e => (TEvent)codec.Decode(e)));
            after = page[^1].Sequence;
        }
        return events;
    }

    private async Task<FrontReply> PassOnAsync(FrontRequest request)
    {
        using var response = await _passing.GetAsync(new Uri(_venue.Server.Address, request.Query.Length == 0 ? request.Path : $"{request.Path}?{request.Query}"));
        return new FrontReply((int)response.StatusCode, await response.Content.ReadAsByteArrayAsync());
    }
}
