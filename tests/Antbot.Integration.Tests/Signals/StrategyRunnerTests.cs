using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Market;
using Antbot.Contracts.Venue;
using Antbot.Hosting;
using Antbot.Integration.Tests.Support;
using Antbot.Runtime.Leases;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Antbot.Signals;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Antbot.Integration.Tests.Signals;

/// <summary>Strategies over a market, as one or several instances run them.</summary>
public sealed class StrategyRunnerTests
{
    private static readonly Symbol Symbol = new("BTCUSDT");
    private static readonly SignalOptions Options = new() { Symbols = "BTCUSDT", Strategies = "ema-cross", EmaFast = 2, EmaSlow = 3, CooldownSeconds = 0 };

    private readonly InMemoryEventStore _store = new(Guid.NewGuid());
    private readonly RecordingBus _bus = new();
    private readonly FakeMarket _market = new();
    private readonly LocalLeases _leases = new();
    private readonly ManualClock _clock = new(new DateTimeOffset(2026, 1, 2, 3, 0, 0, TimeSpan.Zero));
    private readonly DateTimeOffset _start = new(2026, 1, 2, 3, 0, 0, TimeSpan.Zero);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task History_warms_up_and_gives_no_signals_and_the_feed_does()
    {
        // The cross at the fifth candle is history.
        Play(10, 10, 10, 13, 7);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = Runner(_leases).RunAsync(stop.Token);
        await Eventually.HoldsAsync(() => _market.Followers == 1, "somebody follows");
        Play(20, 2);
        await Eventually.HoldsAsync(() => _bus.Sent.Count == 2, "all signals are there");
        Assert.Equal([Side.Buy, Side.Sell], _bus.Sent.Select(m => ((Contracts.Messages.SignalRaised)m.Body).Signal.Side));
        await StopAsync(stop, running);
    }

    [Fact]
    public async Task Candles_that_closed_between_the_history_and_the_feed_are_looked_at_and_not_acted_on()
    {
        Play(10, 10, 10, 13);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = Runner(_leases).RunAsync(stop.Token);
        await Eventually.HoldsAsync(() => _market.Followers == 1, "somebody follows");
        // The feed misses one that is in the history: a cross.
        _market.History.Add(At(4, 7));
        _clock.Move(TimeSpan.FromSeconds(1));
        Play(20);
        await Eventually.HoldsAsync(() => _bus.Sent.Count == 1, "all signals are there");
        Assert.Equal(Side.Buy, ((Contracts.Messages.SignalRaised)_bus.Sent.First().Body).Signal.Side);
        await StopAsync(stop, running);
    }

    [Fact]
    public async Task A_candle_that_comes_too_late_is_not_acted_on()
    {
        Play(10, 10, 10, 13);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = Runner(_leases).RunAsync(stop.Token);
        await Eventually.HoldsAsync(() => _market.Followers == 1, "somebody follows");
        _clock.Move(TimeSpan.FromMinutes(1));
        Play(7);
        var fresh = At(60, 20);
        _clock.Move(fresh.ClosedAt - _clock.GetUtcNow());
        _market.Close(fresh);
        await Eventually.HoldsAsync(() => _bus.Sent.Count > 0, "a signal is there");
        Assert.Equal(Side.Buy, ((Contracts.Messages.SignalRaised)Assert.Single(_bus.Sent).Body).Signal.Side);
        await StopAsync(stop, running);
    }

    [Fact]
    public async Task Two_instances_do_not_raise_one_thought_twice_even_without_leases()
    {
        Play(10, 10, 10, 13);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = Task.WhenAll(Runner(new LocalLeases()).RunAsync(stop.Token), Runner(new LocalLeases()).RunAsync(stop.Token));
        await Eventually.HoldsAsync(() => _market.Followers == 2, "two follow");
        Play(7, 20, 2);
        await Eventually.HoldsAsync(() => _bus.Sent.Count >= 3, "all signals are there");
        Assert.Equal(3, (await _store.ReadPageAsync(0, 100, Cancel)).Count);
        Assert.Equal(3, _bus.Sent.Select(m => m.Id).Distinct().Count());
        await StopAsync(stop, running);
    }

    [Fact]
    public async Task With_leases_one_instance_watches_and_another_takes_over()
    {
        Play(10, 10, 10, 13);
        using var first = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        using var second = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var one = Runner(_leases).RunAsync(first.Token);
        await Eventually.HoldsAsync(() => _market.Followers == 1, "somebody follows");
        var two = Runner(_leases).RunAsync(second.Token);
        await StopAsync(first, one);
        await Eventually.HoldsAsync(() => _market.Followers == 2, "the other takes over");
        Play(7);
        await Eventually.HoldsAsync(() => _bus.Sent.Count == 1, "all signals are there");
        await StopAsync(second, two);
    }

    [Fact]
    public async Task A_venue_that_does_not_answer_is_asked_again()
    {
        Play(10, 10, 10, 13);
        var asked = 0;
        _market.Answer = () => ++asked < 3 ? new VenueAnswer<IReadOnlyList<Candle>>.Unknown("no answer") : new VenueAnswer<IReadOnlyList<Candle>>.Said([.. _market.History]);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = Runner(_leases).RunAsync(stop.Token);
        await Eventually.HoldsAsync(() => _market.Followers == 1, "somebody follows");
        Assert.True(asked >= 3);
        await StopAsync(stop, running);
    }

    private StrategyRunner Runner(ILeases leases)
    {
        var parts = new PipelineParts(_store, new EventCodec(EventRegistry.From(typeof(SignalRecorded).Assembly)), _bus, _clock, NoCrashPoints.Instance);
        return new StrategyRunner(_market, new SignalRecorder(parts, NullLogger<SignalRecorder>.Instance), new LeaseKeeper(leases, TimeProvider.System), Options, _clock, NullLogger<StrategyRunner>.Instance);
    }

    /// <summary>Candles close one after the other, and the clock goes with them.</summary>
    private void Play(params decimal[] closes)
    {
        foreach (var close in closes)
        {
            var candle = At(_market.History.Count, close);
            _clock.Move(candle.ClosedAt - _clock.GetUtcNow() is { Ticks: > 0 } ahead ? ahead : TimeSpan.Zero);
            _market.Close(candle);
        }
    }

    private Candle At(int n, decimal close) => new(Symbol, TimeSpan.FromSeconds(1), _start.AddSeconds(n), new Price(close), new Price(close), new Price(close), new Price(close), new Quantity(1));

    private static async Task StopAsync(CancellationTokenSource stop, Task running)
    {
        await stop.CancelAsync();
        await running;
    }
}
