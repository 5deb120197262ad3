using System.Collections.Concurrent;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.EventStore.Contract;
using Antbot.Integration.Tests.Support;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Antbot.Signals;
using Antbot.Signals.Core;
using Antbot.Signals.Core.Strategies;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using CoordinatorSome = Antbot.Core.Tests.Coordinator.Some;

namespace Antbot.Integration.Tests.Signals;

/// <summary>What was recorded reaches the Coordinator, whatever happened between the append and the publish.</summary>
public sealed class SignalRedriverTests
{
    private readonly InMemoryEventStore _store = new(Guid.NewGuid());
    private readonly RecordingBus _bus = new();
    private readonly EventCodec _codec = new(EventRegistry.From(typeof(SignalRecorded).Assembly));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_signal_whose_publish_failed_is_published_again_with_the_same_id_until_there_is_a_trade()
    {
        _bus.Before = _ => throw new BusUnavailableException("The broker is away.");
        var trade = await RecordAsync(1);
        Assert.Empty(_bus.Sent);

        _bus.Before = _ => Task.CompletedTask;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = Redriver().RunAsync(stop.Token);
        await Eventually.HoldsAsync(() => _bus.Sent.Count >= 2, "it is published again");
        Assert.Single(_bus.Sent.Select(m => m.Id).Distinct());
        Assert.All(_bus.Sent, m => Assert.Equal((Routes.Coordinator, trade), (m.Endpoint, Assert.IsType<SignalRaised>(m.Body).Trade)));

        await BeginTradeAsync(trade);
        await Eventually.HoldsAsync(async () => await _store.LoadCheckpointAsync(SignalRedriver.Subscription, Cancel) >= 2, "it goes on");
        var published = _bus.Sent.Count;
        // The next repetition would have been due after four seconds at the latest.
        await Task.Delay(TimeSpan.FromSeconds(5), Cancel);
        Assert.Equal(published, _bus.Sent.Count);
        await StopAsync(stop, running);
    }

    [Fact]
    public async Task Who_takes_over_knows_of_every_signal_that_still_waits()
    {
        var begun = await RecordAsync(1);
        var waiting = await RecordAsync(2);
        var later = await RecordAsync(3);
        await BeginTradeAsync(begun);
        await BeginTradeAsync(later);
        using (var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel))
        {
            _bus.Before = _ => throw new BusUnavailableException("The broker is away.");
            var running = Redriver().RunAsync(stop.Token);
            await Eventually.HoldsAsync(async () => await _store.LoadCheckpointAsync(SignalRedriver.Subscription, Cancel) > 0, "it keeps its progress");
            await StopAsync(stop, running);
        }
        Assert.Equal(1, await _store.LoadCheckpointAsync(SignalRedriver.Subscription, Cancel));

        var before = _bus.Sent.Count;
        _bus.Before = _ => Task.CompletedTask;
        using var again = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var next = Redriver().RunAsync(again.Token);
        await Eventually.HoldsAsync(() => _bus.Sent.Count > before, "the one that waits is published");
        Assert.All(_bus.Sent.Skip(before), m => Assert.Equal(waiting, ((SignalRaised)m.Body).Trade));
        await StopAsync(again, next);
    }

    /// <summary>What another application wrote bore the number that progress was kept under, stood behind the signal that waited, and the signal was passed over.</summary>
    [Fact]
    public async Task Who_takes_over_passes_over_no_signal_for_what_another_application_has_written()
    {
        var begun = await RecordAsync(1);
        var drawn = _store.DrawSequences(1);
        var waiting = await RecordAsync(2);
        await BeginTradeAsync(begun);
        using (var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel))
        {
            _bus.Before = _ => throw new BusUnavailableException("The broker is away.");
            var running = Redriver().RunAsync(stop.Token);
            await Eventually.HoldsAsync(async () => await _store.LoadCheckpointAsync(SignalRedriver.Subscription, Cancel) > 0, "it keeps its progress");
            await StopAsync(stop, running);
        }
        _store.Seal(new StoredEvent
        {
            Sequence = drawn, Position = 0, EventId = Guid.NewGuid(), Stream = "elsewhere", Version = 1, Type = "something_else", ClrType = null, Data = "{}"u8.ToArray(), Timestamp = CoordinatorSome.Now,
        });

        var before = _bus.Sent.Count;
        _bus.Before = _ => Task.CompletedTask;
        using var again = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var next = Redriver().RunAsync(again.Token);
        await Eventually.HoldsAsync(() => _bus.Sent.Skip(before).Any(m => ((SignalRaised)m.Body).Trade == waiting), "the one that waits is published");
        await StopAsync(again, next);
    }

    [Fact]
    public async Task A_process_that_dies_between_the_append_and_the_publish_loses_nothing()
    {
        var parts = new PipelineParts(_store, _codec, _bus, TimeProvider.System, new CrashAt("signal.after-append"));
        await Assert.ThrowsAsync<CrashedException>(() => new SignalRecorder(parts, NullLogger<SignalRecorder>.Instance).RecordAsync(Recorded(1), "service:signal", [], Cancel));
        Assert.Empty(_bus.Sent);

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = Redriver().RunAsync(stop.Token);
        await Eventually.HoldsAsync(() => _bus.Sent.Count > 0, "the signal is published");
        await StopAsync(stop, running);
    }

    /// <summary>A burst that the Coordinator works off was published over and over while it waited in the queue, and so took longer still.</summary>
    [Fact]
    public async Task While_trades_begin_only_what_was_overtaken_is_published_again()
    {
        var clock = new ManualClock(CoordinatorSome.Now);
        var parts = new PipelineParts(_store, _codec, _bus, clock, NoCrashPoints.Instance);
        var recorder = new SignalRecorder(parts, NullLogger<SignalRecorder>.Instance);
        var redriver = new SignalRedriver(parts, recorder, new SignalOptions { RedriveSeconds = 60 }, NullLogger<SignalRedriver>.Instance);
        for (var i = 0; i < 40; i++)
            await recorder.RecordAsync(Recorded(i), "service:signal", [], Cancel);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = redriver.RunAsync(stop.Token);

        // The third is lost, and the queue is worked off up to the middle.
        clock.Move(TimeSpan.FromSeconds(50));
        foreach (var i in Enumerable.Range(0, 20).Where(i => i != 2))
            await BeginTradeAsync(Recorded(i).Signal.Trade);
        await Eventually.HoldsAsync(() => redriver.Position == 40 + 19, "all of it is seen");
        clock.Move(TimeSpan.FromSeconds(15));
        await Eventually.HoldsAsync(() => !_bus.Sent.IsEmpty, "the lost one is published");
        Assert.Equal(Recorded(2).Signal.Trade, ((SignalRaised)Assert.Single(_bus.Sent).Body).Trade);

        // Nothing begins any more: now whatever waits is published.
        clock.Move(TimeSpan.FromSeconds(60));
        await Eventually.HoldsAsync(() => _bus.Sent.Select(m => m.Id).Distinct().Count() == 21, "all that wait are published");
        await StopAsync(stop, running);
    }

    /// <summary>Thousands that waited were published again in one go, and the queue that they waited in was twice as long.</summary>
    [Fact]
    public async Task A_backlog_that_nobody_takes_is_published_again_a_part_at_a_time_the_oldest_first()
    {
        var clock = new ManualClock(CoordinatorSome.Now);
        var parts = new PipelineParts(_store, _codec, _bus, clock, NoCrashPoints.Instance);
        var recorder = new SignalRecorder(parts, NullLogger<SignalRecorder>.Instance);
        var shares = new Shares();
        var redriver = new SignalRedriver(parts, recorder, new SignalOptions { RedriveSeconds = 60 }, shares);
        for (var i = 0; i < 450; i++)
            await recorder.RecordAsync(Recorded(i), "service:signal", [], Cancel);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = redriver.RunAsync(stop.Token);
        await Eventually.HoldsAsync(() => redriver.Position == 450, "all of it is seen");
        var calls = 0;
        _bus.Before = _ =>
        {
            Interlocked.Increment(ref calls);
            return Task.CompletedTask;
        };

        clock.Move(TimeSpan.FromSeconds(61));
        await Eventually.HoldsAsync(() => shares.Published.Sum() == 450, "all of it is published again");
        Assert.Equal([200, 200, 50], shares.Published);
        Assert.Equal(3, calls);
        Assert.Equal(Enumerable.Range(0, 450).Select(i => Recorded(i).Signal.Trade), _bus.Sent.Select(m => ((SignalRaised)m.Body).Trade));
        await StopAsync(stop, running);
    }

    /// <summary>How many were published again in each look, as it is logged.</summary>
    private sealed class Shares : ILogger<SignalRedriver>
    {
        public ConcurrentQueue<int> Published { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (state is IEnumerable<KeyValuePair<string, object?>> values && values.FirstOrDefault(v => v.Key == "Published").Value is int published)
                Published.Enqueue(published);
        }
    }

    private static SignalRecorded Recorded(int n)
    {
        var recorded = SignalDecider.FromThought(
            new Thought("ema-cross", new Contracts.Market.Candle(CoordinatorSome.Symbol, TimeSpan.FromSeconds(1), CoordinatorSome.Now.AddSeconds(n), new Price(1), new Price(1), new Price(1), new Price(1), new Quantity(1)), new Idea(Side.Buy, 0.7m, [])),
            SignalTerms.Default,
            CoordinatorSome.Now);
        return recorded;
    }

    private SignalRecorder Recorder() => new(new PipelineParts(_store, _codec, _bus, TimeProvider.System, NoCrashPoints.Instance), NullLogger<SignalRecorder>.Instance);

    private SignalRedriver Redriver() => new(
        new PipelineParts(_store.OpenAgain(), _codec, _bus, TimeProvider.System, NoCrashPoints.Instance), Recorder(), new SignalOptions { RedriveSeconds = 1 }, NullLogger<SignalRedriver>.Instance);

    private async Task<TradeId> RecordAsync(int n)
    {
        var recorder = Recorder();
        var appended = Assert.IsType<AppendOutcome.Appended>(await recorder.RecordAsync(Recorded(n), "service:signal", [], Cancel));
        await recorder.TryPublishAsync(appended.Events, Cancel);
        return Recorded(n).Signal.Trade;
    }

    private async Task BeginTradeAsync(TradeId trade)
    {
        var request = Some.Append(Streams.Trade(trade), _codec.Encode(new TradeRaised(CoordinatorSome.Signal with { Trade = trade }, CoordinatorSome.Now)));
        Assert.IsType<AppendOutcome.Appended>(await _store.AppendAsync(request, Cancel));
    }

    private static async Task StopAsync(CancellationTokenSource stop, Task running)
    {
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    private sealed class CrashedException : Exception;

    private sealed class CrashAt(string point) : ICrashPoints
    {
        public void Reach(string reached)
        {
            if (reached == point)
                throw new CrashedException();
        }
    }
}
