using System.Collections.Concurrent;
using Antbot.Contracts;
using Antbot.Contracts.Venue;
using Antbot.Hosting;
using Antbot.Integration.Tests.PaperVenue;
using Antbot.Integration.Tests.Support;
using Antbot.Messaging;
using Antbot.Resilience;
using Antbot.Runtime.Venue;
using Antbot.Venues;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Antbot.Integration.Tests.Venues;

/// <summary>The adapter against the real paper venue over its real API, faults included.</summary>
public sealed class VenueAdapterTests : IAsyncLifetime
{
    private static readonly Symbol Btc = new("BTCUSDT");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private RunningVenue _server = null!;
    private ServiceProvider _services = null!;
    private IVenue _venue = null!;
    private int _orders;

    public async ValueTask InitializeAsync()
    {
        _server = await RunningVenue.StartAsync(o => o with { Deposits = new Dictionary<string, string>(StringComparer.Ordinal) { ["USDT"] = "100000" } });
        _services = Connect(_server.Server.Address, _server.Server.Key.Key, _server.Server.Key.Secret);
        _venue = _services.GetRequiredService<IVenue>();
        Assert.IsType<VenueAnswer<DateTimeOffset>.Said>(await _venue.MeasureClockAsync(Cancel));
        Assert.IsType<VenueAnswer<IReadOnlyList<SymbolRules>>.Said>(await _venue.ReadRulesAsync(Cancel));
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task An_order_lives_from_placing_to_its_fills()
    {
        var id = NextId();
        var placed = Said(await _venue.PlaceAsync(Market(id), Cancel));
        Assert.Equal((id, VenueOrderStatus.Filled, 0.01m), (placed.Id, placed.Status, placed.Executed.Value));
        Assert.Equal(placed.Executed.Value, placed.Fills.Sum(f => f.Quantity.Value));
        var found = Said(await _venue.FindOrderAsync(Btc, id, Cancel));
        Assert.Equal((placed.VenueOrderId, placed.Status, placed.Cost), (found.VenueOrderId, found.Status, found.Cost));
        var fills = ((VenueAnswer<IReadOnlyList<FillReport>>.Said)await _venue.ListFillsAsync(Btc, placed.VenueOrderId, Cancel)).Value;
        Assert.Equal(placed.Fills.Select(f => (f.FillId, f.Quantity, f.Price, f.Fee, f.FeeAsset)), fills.Select(f => (f.FillId, f.Quantity, f.Price, f.Fee, f.FeeAsset)));
        var balances = ((VenueAnswer<IReadOnlyList<Balance>>.Said)await _venue.ReadBalancesAsync(Cancel)).Value;
        Assert.Equal(0.01m - fills.Sum(f => f.Fee.Value), balances.Single(b => b.Asset == "BTC").Total);
    }

    [Fact]
    public async Task A_stop_rests_is_listed_and_is_cancelled_once()
    {
        Said(await _venue.PlaceAsync(Market(NextId()), Cancel));
        var stop = Market(NextId()) with { Side = Side.Sell, Quantity = new Quantity(0.009m), Trigger = new Price(20_000), ReduceOnly = true };
        Assert.Equal(VenueOrderStatus.Open, Said(await _venue.PlaceAsync(stop, Cancel)).Status);
        Assert.Equal([stop.Id], ((VenueAnswer<IReadOnlyList<OrderReport>>.Said)await _venue.ListOpenOrdersAsync(Cancel)).Value.Select(o => o.Id));
        Assert.Equal((stop.Id, VenueOrderStatus.Cancelled), (Said(await _venue.CancelAsync(Btc, stop.Id, Cancel)) is var c ? c.Id : default, VenueOrderStatus.Cancelled));
        Assert.Equal(Refusal.UnknownOrder, Refused(await _venue.CancelAsync(Btc, stop.Id, Cancel)));
    }

    [Fact]
    public async Task A_recording_that_cannot_be_written_is_told_and_nothing_else_comes_of_it()
    {
        var folder = Path.Combine(Path.GetTempPath(), $"antbot-{Guid.NewGuid():N}");
        await File.WriteAllTextAsync(folder, "in the way", Cancel);
        await using (var services = Connect(_server.Server.Address, _server.Server.Key.Key, _server.Server.Key.Secret, recording: folder))
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
            var running = services.GetServices<BackgroundWork>().Single(w => w.Name == "test/venue-recording").Run(services, stop.Token);
            Said(await services.GetRequiredService<IVenue>().PlaceAsync(Market(NextId()), Cancel));
            await Eventually.HoldsAsync(() => Recording(services) is { State: HealthState.Degraded, Level: DegradationLevel.Reduced, IsNeeded: false }, "it is told");
            Assert.Contains("trading does not wait for it", Recording(services).Reason, StringComparison.Ordinal);
            File.Delete(folder);
            await Eventually.HoldsAsync(() => Recording(services).State == HealthState.Ok, "it goes on");
            await stop.CancelAsync();
            await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
        Assert.Matches(@"^[0-9TZ]+\.test\.test-1\.[0-9a-f]{8}\.0001\.jsonl\.gz$", Path.GetFileName(Assert.Single(Directory.EnumerateFiles(folder))));
        Directory.Delete(folder, recursive: true);

        static HealthReading Recording(ServiceProvider services) => services.GetServices<IHealthSource>().SelectMany(s => s.Read()).Single(r => r.Name == "recording");
    }

    [Fact]
    public async Task Refusals_are_told_apart()
    {
        Assert.Equal(Refusal.UnknownOrder, Refused(await _venue.FindOrderAsync(Btc, NextId(), Cancel)));
        Assert.Equal(Refusal.InsufficientBalance, Refused(await _venue.PlaceAsync(Market(NextId()) with { Quantity = new Quantity(10) }, Cancel)));
        Assert.Equal(Refusal.Invalid, Refused(await _venue.PlaceAsync(Market(NextId()) with { Quantity = new Quantity(0.00001m) }, Cancel)));
        Assert.Equal(Refusal.OutOfWindow, Refused(await _venue.PlaceAsync(Market(NextId()) with { SignedAt = _venue.Now!.Value.AddSeconds(-10) }, Cancel)));
        var limit = Market(NextId()) with { Kind = OrderKind.Limit, Limit = new Price(30_000) };
        Said(await _venue.PlaceAsync(limit, Cancel));
        Assert.Equal(Refusal.DuplicateOrder, Refused(await _venue.PlaceAsync(limit with { SignedAt = _venue.Now!.Value }, Cancel)));
        await using var stranger = Connect(_server.Server.Address, _server.Server.Key.Key, new string('x', 64));
        var other = stranger.GetRequiredService<IVenue>();
        Assert.Equal(Refusal.Unauthorized, Refused(await other.FindOrderAsync(Btc, NextId(), Cancel)));
    }

    [Theory]
    [InlineData("acceptThenTimeout", true)]
    [InlineData("resetAfter", true)]
    [InlineData("resetBefore", false)]
    [InlineData("errorAfter", true)]
    [InlineData("errorBefore", false)]
    [InlineData("drop", false)]
    public async Task What_is_not_answered_is_unknown_and_is_sent_only_once(string kind, bool isThere)
    {
        // A connection that is in use already is one that the client might try again on by itself.
        Said(await _venue.PlaceAsync(Market(NextId()), Cancel));
        await _server.Client.FaultAsync(new { kind, route = "order", count = 1, ms = 5_000, status = 503 });
        var id = NextId();
        Assert.IsType<VenueAnswer<OrderReport>.Unknown>(await _venue.PlaceAsync(Market(id), Cancel));
        var found = await _venue.FindOrderAsync(Btc, id, Cancel);
        Assert.Equal(isThere, found is VenueAnswer<OrderReport>.Said);
        Assert.Equal(isThere ? 2 : 1, (await _server.Client.LedgerAsync("order")).Count);
    }

    [Fact]
    public async Task Five_failures_on_end_open_the_breaker_of_entries_and_of_nothing_else()
    {
        await _server.Client.FaultAsync(new { kind = "errorBefore", route = "order", count = 5, status = 503 });
        for (var i = 0; i < 5; i++)
            Assert.IsType<VenueAnswer<OrderReport>.Unknown>(await _venue.PlaceAsync(Market(NextId()), Cancel));
        var notSent = Assert.IsType<VenueAnswer<OrderReport>.NotSent>(await _venue.PlaceAsync(Market(NextId()), Cancel));
        Assert.InRange(notSent.RetryAfter!.Value.TotalSeconds, 30, 60);
        Assert.Equal(BreakerState.Open, _services.GetRequiredService<BreakerPanel>().All.Single(b => b.Name == "venue/entry").State);
        // Selling what is not there is refused, by the venue and not by us.
        Assert.Equal(Refusal.InsufficientBalance, Refused(await _venue.PlaceAsync(Market(NextId()) with { Side = Side.Sell, ReduceOnly = true }, Cancel)));
        Assert.Equal(Refusal.UnknownOrder, Refused(await _venue.FindOrderAsync(Btc, NextId(), Cancel)));
    }

    /// <summary>They shared a breaker: sales that the venue did not answer kept positions without their stops.</summary>
    [Fact]
    public async Task What_gets_out_fails_without_shutting_off_what_protects()
    {
        Said(await _venue.PlaceAsync(Market(NextId()), Cancel));
        await _server.Client.FaultAsync(new { kind = "errorBefore", route = "order", count = 5, status = 503 });
        for (var i = 0; i < 5; i++)
            Assert.IsType<VenueAnswer<OrderReport>.Unknown>(await _venue.PlaceAsync(Sale(), Cancel));
        Assert.IsType<VenueAnswer<OrderReport>.NotSent>(await _venue.PlaceAsync(Sale(), Cancel));
        Assert.Equal(VenueOrderStatus.Open, Said(await _venue.PlaceAsync(Sale() with { Trigger = new Price(20_000) }, Cancel)).Status);

        VenueOrder Sale() => Market(NextId()) with { Side = Side.Sell, Quantity = new Quantity(0.009m), ReduceOnly = true };
    }

    /// <summary>They shared a breaker: entries that waited for a listing that failed shut off the questions about exits in doubt.</summary>
    [Fact]
    public async Task What_entries_wait_for_fails_without_shutting_off_what_finds_out()
    {
        await _server.Client.FaultAsync(new { kind = "errorBefore", route = "openOrders", count = 5, status = 503 });
        for (var i = 0; i < 5; i++)
            Assert.IsNotType<VenueAnswer<IReadOnlyList<OrderReport>>.Said>(await _venue.ListOpenOrdersForEntryAsync(Btc, Cancel));
        Assert.IsType<VenueAnswer<IReadOnlyList<OrderReport>>.NotSent>(await _venue.ListOpenOrdersForEntryAsync(Btc, Cancel));
        Assert.IsType<VenueAnswer<IReadOnlyList<OrderReport>>.Said>(await _venue.ListOpenOrdersAsync(Btc, Cancel));
        Assert.Equal(Refusal.UnknownOrder, Refused(await _venue.FindOrderAsync(Btc, NextId(), Cancel)));
    }

    /// <summary>A process stayed reduced for as long as no signal came, because nothing but an entry could show that entries work again.</summary>
    [Fact]
    public async Task A_route_that_nobody_asks_for_is_found_well_again_without_an_order()
    {
        var clock = new LeapingClock();
        await using var services = Connect(_server.Server.Address, _server.Server.Key.Key, _server.Server.Key.Secret, clock);
        var (venue, http) = (services.GetRequiredService<IVenue>(), services.GetRequiredService<VenueHttp>());
        await _server.Client.FaultAsync(new { kind = "errorBefore", route = "order", count = 5, status = 503 });
        for (var i = 0; i < 5; i++)
            Assert.IsType<VenueAnswer<OrderReport>.Unknown>(await venue.PlaceAsync(Market(NextId()), Cancel));
        await http.ProbeAsync(Cancel);
        Assert.Equal(BreakerState.Open, Entries(services));
        clock.Leap(TimeSpan.FromSeconds(61));
        Assert.Equal(BreakerState.HalfOpen, Entries(services));
        await http.ProbeAsync(Cancel);
        Assert.Equal(BreakerState.Closed, Entries(services));
        Assert.Empty(await _server.Client.LedgerAsync("order"));
    }

    [Fact]
    public async Task A_route_whose_venue_is_still_away_stays_shut()
    {
        var clock = new LeapingClock();
        await using var services = Connect(new Uri("http://127.0.0.1:9"), "key", "secret", clock);
        for (var i = 0; i < 5; i++)
            Assert.IsType<VenueAnswer<OrderReport>.NotSent>(await services.GetRequiredService<IVenue>().PlaceAsync(Market(NextId()), Cancel));
        clock.Leap(TimeSpan.FromSeconds(61));
        Assert.Equal(BreakerState.HalfOpen, Entries(services));
        await services.GetRequiredService<VenueHttp>().ProbeAsync(Cancel);
        Assert.Equal(BreakerState.Open, Entries(services));
    }

    [Fact]
    public async Task When_told_to_wait_nothing_is_sent_until_then()
    {
        await _server.Client.FaultAsync(new { kind = "rateLimit", route = "query", count = 1, ms = 2_000 });
        Assert.Equal(Refusal.RateLimited, Refused(await _venue.FindOrderAsync(Btc, NextId(), Cancel)));
        var waits = Assert.IsType<VenueAnswer<OrderReport>.NotSent>(await _venue.PlaceAsync(Market(NextId()) with { ReduceOnly = true }, Cancel));
        Assert.NotNull(waits.RetryAfter);
        await Task.Delay(waits.RetryAfter.Value + TimeSpan.FromMilliseconds(50), TestContext.Current.CancellationToken);
        Assert.Equal(Refusal.UnknownOrder, Refused(await _venue.FindOrderAsync(Btc, NextId(), Cancel)));
    }

    [Fact]
    public async Task A_venue_that_nobody_listens_at_was_sent_nothing()
    {
        await using var nowhere = Connect(new Uri("http://127.0.0.1:9"), "key", "secret");
        var venue = nowhere.GetRequiredService<IVenue>();
        Assert.IsType<VenueAnswer<DateTimeOffset>.NotSent>(await venue.MeasureClockAsync(Cancel));
        Assert.IsType<VenueAnswer<OrderReport>.NotSent>(await venue.PlaceAsync(Market(NextId()), Cancel));
        Assert.IsType<VenueAnswer<IReadOnlyList<OrderReport>>.NotSent>(await venue.ListOpenOrdersAsync(Cancel));
    }

    [Fact]
    public async Task The_clock_is_the_venues_own()
    {
        var difference = (_venue.Now!.Value - DateTimeOffset.UtcNow).Duration();
        Assert.True(difference < TimeSpan.FromMilliseconds(500), $"It is off by {difference}");
        Assert.Contains(((VenueAnswer<IReadOnlyList<SymbolRules>>.Said)await _venue.ReadRulesAsync(Cancel)).Value, r => r is { BaseAsset: "BTC", QuoteAsset: "USDT", PriceTick: 0.01m, QuantityStep: 0.00001m, QuantityMin.Value: 0.00001m, QuantityMax.Value: 9_000, NotionalMin.Value: 5 } && r.Symbol == Btc);
    }

    [Fact]
    public async Task Prices_and_candles_come_by_stream()
    {
        var market = _services.GetRequiredService<IMarketData>();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var following = market.FollowPricesAsync([Btc], end.Token);
        var candles = new List<Contracts.Market.Candle>();
        end.CancelAfter(TimeSpan.FromSeconds(30));
        await foreach (var candle in market.FollowCandlesAsync([Btc], TimeSpan.FromSeconds(1), end.Token))
        {
            candles.Add(candle);
            if (candles.Count == 4)
                break;
        }
        Assert.All(candles.Zip(candles.Skip(1)), pair => Assert.Equal(pair.First.ClosedAt, pair.Second.OpenedAt));
        Assert.NotNull(market.Latest(Btc));
        var read = ((VenueAnswer<IReadOnlyList<Contracts.Market.Candle>>.Said)await market.ReadCandlesAsync(Btc, TimeSpan.FromSeconds(1), 3, Cancel)).Value;
        Assert.Equal(3, read.Count);
        Assert.True(read[^1].ClosedAt <= _venue.Now!.Value);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following);
    }

    /// <summary>Prevents a purchase at a price that is none: a book that is shown as it was, or with its sides crossed, is no news however often it is told, and the price before it grows too old to be traded on.</summary>
    [Theory]
    [InlineData("staleBook")]
    [InlineData("crossedBook")]
    public async Task A_stale_or_crossed_book_is_no_price(string kind)
    {
        var market = _services.GetRequiredService<IMarketData>();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var following = market.FollowPricesAsync([Btc], end.Token);
        await Eventually.HoldsAsync(() => Age() < TimeSpan.FromSeconds(1), "a price is there");
        await _server.Client.FaultAsync(new { kind, seconds = 600 });
        await Eventually.HoldsAsync(() => Age() > TimeSpan.FromSeconds(5), "it has grown old");
        await _server.Client.AdminAsync(HttpMethod.Delete, "/admin/faults");
        await Eventually.HoldsAsync(() => Age() < TimeSpan.FromSeconds(1), "there is one again");
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following);

        TimeSpan Age() => market.Latest(Btc) is { } price ? DateTimeOffset.UtcNow - price.At : TimeSpan.MaxValue;
    }

    /// <summary>A market that is not heard was nowhere to be seen: the stream was connected again and again, in silence.</summary>
    [Fact]
    public async Task A_market_that_falls_silent_is_said_in_health_and_once_in_the_log_and_so_is_its_return()
    {
        var log = new MarketLog();
        await using var services = Connect(_server.Server.Address, _server.Server.Key.Key, _server.Server.Key.Secret, log: log);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        Assert.Equal(HealthState.Ok, Reading().State);
        var following = services.GetRequiredService<IMarketData>().FollowPricesAsync([Btc, new Symbol("ETHUSDT")], end.Token);
        await Eventually.HoldsAsync(() => services.GetRequiredService<IMarketData>().Latest(Btc) is not null, "a price is there");

        await _server.Client.FaultAsync(new { kind = "silentStream", route = "market", seconds = 600 });
        await Eventually.HoldsAsync(() => Reading().State == HealthState.Degraded, "health says that the market is not heard");
        Assert.StartsWith("The market's stream btcusdt@bookTicker and 1 more has said nothing for ", Reading().Reason, StringComparison.Ordinal);
        // Long enough that it was taken for dead more than once.
        await Eventually.HoldsAsync(() => SilentFor() > 11, "it goes on");
        Assert.Equal(HealthState.Degraded, Reading().State);

        await _server.Client.AdminAsync(HttpMethod.Delete, "/admin/faults");
        await Eventually.HoldsAsync(() => Reading().State == HealthState.Ok, "it is heard again");
        Assert.Collection(
            log.Lines,
            l => Assert.StartsWith("Warning The market's stream btcusdt@bookTicker and 1 more is broken: nothing that makes sense was heard for 5 s", l, StringComparison.Ordinal),
            l => Assert.StartsWith("Information The market's stream btcusdt@bookTicker and 1 more is back after ", l, StringComparison.Ordinal));
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following);

        HealthReading Reading() => services.GetServices<IHealthSource>().SelectMany(s => s.Read()).Single(r => r.Name == "market");

        int SilentFor() => int.Parse(Reading().Reason!.Split("nothing for ")[1].Split(' ')[0]);
    }

    private static BreakerState Entries(IServiceProvider services) => services.GetRequiredService<BreakerPanel>().All.Single(b => b.Name == "venue/entry").State;

    internal static ServiceProvider Connect(Uri address, string key, string secret, TimeProvider? clock = null, ILoggerProvider? log = null, string recording = "")
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["venue:Address"] = address.ToString(),
            ["venue:Key"] = key,
            ["venue:Secret"] = secret,
            ["venue:Paper"] = "true",
            ["venue:TIMEOUT_MILLISECONDS"] = "5000",
            ["recording:Folder"] = recording,
        }).Build();
        var services = new ServiceCollection();
        services.AddLogging(l => l.AddProvider(log ?? NullLoggerProvider.Instance));
        services.AddSingleton(clock ?? TimeProvider.System);
        services.AddSingleton(new ServiceIdentity("test", "test-1"));
        var builder = new ModuleBuilder("test", services, configuration, new EndpointCatalog());
        builder.AddVenue().AddVenue();
        var provider = services.BuildServiceProvider();
        Assert.Empty(provider.GetServices<IStartCheck>().SelectMany(c => c.Faults()));
        return provider;
    }

    private VenueOrder Market(ClientOrderId id) => new(id, Btc, Side.Buy, OrderKind.Market, new Quantity(0.01m), null, null, _venue.Now ?? DateTimeOffset.UtcNow, TimeSpan.FromSeconds(3), ReduceOnly: false);

    /// <summary>The steady clock, now and then further than it went by itself.</summary>
    private sealed class LeapingClock : TimeProvider
    {
        private long _ahead;

        public override long GetTimestamp() => base.GetTimestamp() + _ahead;

        public void Leap(TimeSpan time) => _ahead += (long)(time.TotalSeconds * TimestampFrequency);
    }

    /// <summary>What is said of the market's streams.</summary>
    private sealed class MarketLog : ILoggerProvider, ILogger
    {
        private readonly ConcurrentQueue<string> _lines = new();

        public IReadOnlyCollection<string> Lines => _lines;

        public ILogger CreateLogger(string categoryName) => categoryName == typeof(StreamWatch).FullName ? this : NullLogger.Instance;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => _lines.Enqueue($"{logLevel} {formatter(state, exception)}");

        public void Dispose()
        {
            // Its lines are looked at to the end.
        }
    }

    private ClientOrderId NextId() => new($"test-{++_orders}");

    private static OrderReport Said(VenueAnswer<OrderReport> answer) => Assert.IsType<VenueAnswer<OrderReport>.Said>(answer).Value;

    private static Refusal Refused(VenueAnswer<OrderReport> answer) => Assert.IsType<VenueAnswer<OrderReport>.Refused>(answer).Refusal;
}
