using System.Globalization;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Integration.Tests.Postgres;
using Antbot.Integration.Tests.Support;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Venue;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Antbot.Integration.Tests.Faults;

/// <summary>Every message of the platform, on every hop, is delivered 2 to 50 times in shuffled order: one effect.</summary>
public sealed class DuplicatedAndShuffledTests(PostgresFixture postgres, RabbitFixture rabbit, ITestOutputHelper output) : IAsyncLifetime
{
    private const int CopiesMin = 2;
    private const int CopiesMax = 50;
    private const int Ordinary = 12;

    /// <summary>Longer than a phase may last here: what is said of a trade overtakes its deadline's compensation, or is overtaken by it.</summary>
    private static readonly TimeSpan VeryLate = TimeSpan.FromSeconds(25);

    /// <summary>Longer than it takes until what stands at the venue beside an open position is seen.</summary>
    private static readonly TimeSpan HeldFor = TimeSpan.FromSeconds(15);

    private static readonly string[] Symbols = ["BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "XRPUSDT", "DOGEUSDT"];

    private readonly int _seed = Environment.TickCount;
    private readonly HashSet<TradeId> _late = [];
    private WholePlatform _platform = null!;
    private Crossing? _crossing;
    private Random _random = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        output.WriteLine($"seed {_seed}");
        _random = new Random(_seed);
        _platform = await WholePlatform.StartAsync(
            postgres, rabbit,
            [$"execution:holdingSecondsMax={HeldFor.TotalSeconds}", "validation:minNotional=1", "coordinator:assessingRiskSeconds=15", "coordinator:executingSeconds=15", "coordinator:againSeconds=5", "reconciliation:everySeconds=1", "reconciliation:lastsSeconds=0"]);
        await _platform.ReadyAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_crossing is not null)
            await _crossing.DisposeAsync();
        await _platform.DisposeAsync();
    }

    /// <param name="whole">What travels together, as it does under load, is repeated and shuffled together.</param>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Each_has_one_effect(bool whole)
    {
        var crossing = _crossing = await Crossing.BuildAsync(_platform.Broker, Plan, messages => !whole || messages.Any(IsLate));
        await _platform.Venue.FaultAsync(new { kind = "acceptThenTimeout", route = "order", count = 2 });
        var trades = new List<TradeId>(await Task.WhenAll(Enumerable.Range(0, Ordinary).Select(i =>
            _platform.SignalAsync(new { symbol = Symbols[i % Symbols.Length], side = "buy", notional = 50, idempotencyKey = $"ordinary-{i}" }))));
        // Rejected, denied, and refused by the venue's own rules.
        trades.Add(await _platform.SignalAsync(new { symbol = "BTCUSDT", side = "buy", notional = 50, confidence = 0.01, idempotencyKey = "unconvincing" }));
        trades.Add(await _platform.SignalAsync(new { symbol = "BTCUSDT", side = "buy", notional = 1_500, idempotencyKey = "large" }));
        trades.Add(await _platform.SignalAsync(new { symbol = "BTCUSDT", side = "buy", notional = 1, idempotencyKey = "small" }));
        // Its approval comes when it has been cancelled.
        crossing.Keep(m => m.Message == typeof(SignalRaised));
        var late = await _platform.SignalAsync(new { symbol = "ETHUSDT", side = "buy", notional = 50, idempotencyKey = "late" });
        lock (_late)
            _late.Add(late);
        trades.Add(late);
        crossing.Release();
        // An operator wants out, Reconciliation finds a difference, the venue shows an order that nobody sent.
        await WishedClosedAsync(trades[0]);
        await StrayOrderAsync(crossing, trades[1]);
        await SayAsync(new DriftFound(trades[2], new AccountId("main"), "the test says so", "none"), Routes.Coordinator);
        await SayAsync(new SettleOrder(trades[2], ClientOrderId.Of(trades[2], OrderRole.Entry, 0), Guid.NewGuid(), Confirms: false, "anna", "the test says so"), Routes.Execution);

        await _platform.SettledAsync(trades);
        // What was found belongs to a trade that is over: it is neither adopted nor written off.
        var signal = new Signal(
            trades[0], new AccountId("main"), "adopted:venue", new Symbol("BTCUSDT"), Side.Buy, OrderKind.Market, new Price(100), null, null, null, new Money(100), 1, DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddYears(1));
        await SayAsync(new AdoptTrade(signal, null, new Quantity(1), "the test says so", "none"), Routes.Coordinator);
        await SayAsync(new AdoptPosition(signal, null, new Quantity(1), "none"), Routes.Execution);
        await SayAsync(new WriteOffPosition(trades[0], new AccountId("main"), new Quantity(1), "the test says so", "none"), Routes.Execution);
        await WholePlatform.UntilAsync(() => Task.FromResult(crossing.Seen.Count == Routes.All.Count), () => $"every kind of message has come by; lacking: {string.Join(", ", Routes.All.Keys.Except(crossing.Seen.Keys).Select(t => t.Name))} (seed {_seed})");
        await WholePlatform.UntilAsync(async () => !await IsMovingAsync(crossing), () => "it has become quiet");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{crossing.Seen.Values.Sum()} messages of {crossing.Seen.Count} kinds, delivered {crossing.Delivered} times, {crossing.DeliveredWhole} times several at once"));
        Assert.Equal(whole, crossing.DeliveredWhole > 0);
        await _platform.HoldsAsync(trades);
        Assert.Equal(TradePhase.Expired, _platform.History.Trades[late].Phase);
        await _platform.NothingIsDeadLetteredAsync();
    }

    /// <summary>Few are repeated often, all within a moment in which their neighbours come too.</summary>
    private TimeSpan[] Plan(Crossed message)
    {
        var skew = _random.NextDouble();
        var copies = CopiesMin + (int)((CopiesMax - CopiesMin + 1) * skew * skew * skew);
        var times = Enumerable.Range(0, copies).Select(_ => TimeSpan.FromMilliseconds(_random.Next(0, 600)) + (IsLate(message) ? VeryLate : TimeSpan.Zero));
        return [.. times];
    }

    private bool IsLate(Crossed message)
    {
        lock (_late)
            return message.Message == typeof(RiskApproved) && _late.Contains(message.Trade);
    }

    private Task OpenedAsync(TradeId trade) =>
        WholePlatform.UntilAsync(async () => (await _platform.History.ReadOnAsync(Cancel)).Of<PositionOpened>().Any(p => p.Trade == trade), () => "it is open");

    private async Task WishedClosedAsync(TradeId trade)
    {
        await OpenedAsync(trade);
        await _platform.CloseAsync(trade);
    }

    /// <summary>It bears the name of a trade that holds something, and no record has an intent for it. Of one that holds nothing it would be nobody's, and adopted.</summary>
    private async Task StrayOrderAsync(Crossing crossing, TradeId trade)
    {
        await OpenedAsync(trade);
        var id = ClientOrderId.Of(trade, OrderRole.Exit, 50).Value;
        var price = _platform.Services.GetRequiredService<IMarketData>().Latest(new Symbol("BTCUSDT"))!.Middle.Value;
        Assert.Equal(200, (await _platform.Venue.LimitAsync("BUY", string.Create(CultureInfo.InvariantCulture, $"{Math.Round(price * 0.9m)}.00"), "0.001", id)).Status);
        await WholePlatform.UntilAsync(() => Task.FromResult(crossing.Seen.ContainsKey(typeof(CorrectOrder))), () => "Reconciliation has found it");
        Assert.Equal(200, (await _platform.Venue.SignedAsync(HttpMethod.Delete, "/api/v3/order", ("symbol", "BTCUSDT"), ("origClientOrderId", id))).Status);
    }

    private Task SayAsync(ITradeMessage message, string endpoint) =>
        _platform.Services.GetRequiredService<IMessageBus>().PublishAsync([new OutboundMessage(Guid.NewGuid(), endpoint, message, message.Trade.Value, null)], Cancel);

    private async Task<bool> IsMovingAsync(Crossing crossing)
    {
        var (delivered, recorded) = (crossing.Delivered, _platform.History.Events.Count);
        await Task.Delay(TimeSpan.FromSeconds(2), Cancel);
        return delivered != crossing.Delivered || recorded != (await _platform.History.ReadOnAsync(Cancel)).Events.Count;
    }
}
