using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Execution;
using Antbot.Runtime.Health;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Execution;

/// <summary>A venue lets only so many stops rest in a symbol: what could not be protected is not entered.</summary>
public sealed class SymbolRoomTests : IAsyncDisposable
{
    private readonly InMemoryEventStore _store = new(Guid.NewGuid());
    private readonly ScriptedVenue _venue = new(TimeProvider.System);
    private readonly RecordingBus _bus = new();
    private readonly List<ExecutionRig> _rigs = [];

    private int StopsOpen => _venue.Book.Count(o => o.Role == OrderRole.Stop && o.IsOpen);

    public async ValueTask DisposeAsync()
    {
        foreach (var rig in _rigs)
            await rig.DisposeAsync();
    }

    [Theory]
    [InlineData(10_000, 3)]
    [InlineData(3, null)]
    [InlineData(null, 3)]
    public async Task The_entry_that_would_be_one_too_many_is_refused_before_it_is_sent_and_says_why(int? orders, int? stops)
    {
        _venue.Told = ScriptedVenue.Rules with { OrdersMax = orders, StopsMax = stops };
        var rig = Rig();
        // On a busy machine an attempt may come too late for its window, and is made again.
        rig.StartKeeper();
        // All at once: none of them is in the history yet when the next one comes.
        await Task.WhenAll(Enumerable.Range(0, 5).Select(n => rig.ExecuteAsync(ExecutionRig.Signal(ExecutionRig.TradeOf(n)))));
        await rig.UntilAsync(() => Task.FromResult(StopsOpen == 3), "each that was entered is protected");
        Assert.Equal(3, _venue.Book.Count(o => o.Role == OrderRole.Entry));
        var failed = _bus.Of<EntryFailed>();
        Assert.Equal(2, failed.Count);
        Assert.All(failed, f => Assert.Equal("3 trades in BTCUSDT are not over, and the venue lets the stops of 3 rest there", f.Reason));

        // Another process knows it from the history; and what is over makes room.
        var next = Rig();
        await next.ExecuteAsync(ExecutionRig.Signal(ExecutionRig.TradeOf(7)));
        Assert.Equal(3, _bus.Of<EntryFailed>().Count);
        var open = (await Task.WhenAll(Enumerable.Range(0, 5).Select(async n => (Trade: ExecutionRig.TradeOf(n), State: await next.StateAsync(ExecutionRig.TradeOf(n)))))).First(t => t.State.Stage == TradeStage.Open);
        await next.CloseAsync(open.Trade);
        await next.UntilAsync(
            async () =>
            {
                var another = ExecutionRig.TradeOf(100 + _bus.Of<EntryFailed>().Count);
                await next.ExecuteAsync(ExecutionRig.Signal(another));
                return (await next.StateAsync(another)).Stage == TradeStage.Open;
            },
            "there is room for one again");
        await next.UntilAsync(() => Task.FromResult(StopsOpen == 3), "it is protected too");
    }

    /// <summary>Prevents that whatever comes in the first seconds of a process is refused for good: it was, while the history was still being read.</summary>
    [Fact]
    public async Task Before_the_history_is_known_an_entry_waits_and_is_not_refused()
    {
        var parts = new PipelineParts(_store, new EventCodec(EventRegistry.From(typeof(EntryPlanned).Assembly)), _bus, TimeProvider.System, NoCrashPoints.Instance);
        var room = new SymbolRoom(parts);
        var rules = ScriptedVenue.Rules with { StopsMax = 3 };
        var signal = ExecutionRig.Signal(ExecutionRig.TradeOf(1));
        await Assert.ThrowsAsync<DependencyDownException>(() => room.BarAsync(signal.Trade, signal.Symbol, rules, TimeSpan.FromMilliseconds(20), TestContext.Current.CancellationToken));
        using var end = new CancellationTokenSource();
        var running = room.RunAsync(end.Token);
        Assert.Null(await room.BarAsync(signal.Trade, signal.Symbol, rules, TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        await end.CancelAsync();
        await running;
    }

    [Fact]
    public async Task Where_the_venue_names_no_number_there_is_none()
    {
        var rig = Rig();
        rig.StartKeeper();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(n => rig.ExecuteAsync(ExecutionRig.Signal(ExecutionRig.TradeOf(n)))));
        await rig.UntilAsync(() => Task.FromResult(StopsOpen == 20), "each is protected");
    }

    private ExecutionRig Rig()
    {
        var rig = new ExecutionRig(_store, _venue, _venue, _bus);
        _rigs.Add(rig);
        return rig;
    }
}
