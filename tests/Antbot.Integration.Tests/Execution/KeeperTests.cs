using System.Collections.Concurrent;
using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;
using Antbot.Execution;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Execution;

/// <summary>What the keeper has to do at the venue is of several kinds, and more of one than there are hands for keeps none of another waiting.</summary>
public sealed class KeeperTests : IAsyncDisposable
{
    /// <summary>As many of a kind are looked after at once.</summary>
    private const int Hands = 32;
    private const int Many = Hands + 8;

    /// <summary>What stands still for a second is taken on.</summary>
    private static readonly TimeSpan TakenOn = TimeSpan.FromSeconds(3);

    private readonly ScriptedVenue _venue = new(TimeProvider.System) { Told = ScriptedVenue.Rules with { StopsMax = 1_000 } };
    private readonly RecordingBus _bus = new();
    private readonly TaskCompletionSource _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ExecutionRig _rig;

    public KeeperTests() => _rig = new ExecutionRig(new InMemoryEventStore(Guid.NewGuid()), _venue, _venue, _bus);

    public async ValueTask DisposeAsync()
    {
        _answer.TrySetResult();
        await _rig.DisposeAsync();
    }

    /// <summary>Prevents positions that are not got rid of because the venue does not say what rests in a symbol, for which only entries wait.</summary>
    [Fact]
    public async Task However_many_entries_wait_for_a_listing_what_has_to_get_out_does_and_an_exit_in_doubt_is_found_out_about()
    {
        _rig.StartKeeper();
        var (doubtful, other) = (ExecutionRig.TradeOf(1_000), ExecutionRig.TradeOf(1_001));
        foreach (var trade in new[] { doubtful, other })
            await _rig.ExecuteAsync(ExecutionRig.Signal(trade));
        await ProtectedAsync(2);
        // What was listed a moment ago does for a second.
        await Task.Delay(1_100, TestContext.Current.CancellationToken);
        _venue.ForEntry = async () =>
        {
            await _answer.Task;
            return null;
        };
        var waiting = Enumerable.Range(0, Many).Select(ExecutionRig.TradeOf).ToList();
        await Task.WhenAll(waiting.Select(t => _rig.ExecuteAsync(ExecutionRig.Signal(t, validForSeconds: 600))));
        await Task.Delay(TakenOn, TestContext.Current.CancellationToken);

        _venue.Script = o => o.Id == ClientOrderId.Of(doubtful, OrderRole.Exit, 0) ? Mishap.AcceptThenSilence : Mishap.None;
        // Above the profit of both.
        _venue.Price = 70_000;
        await _rig.UntilAsync(() => Task.FromResult(_bus.Of<TradeClosed>().Count == 2), "both are closed");
        Assert.True((await _rig.StateAsync(doubtful)).Exit!.WasInDoubt);
        Assert.All(await Task.WhenAll(waiting.Select(_rig.StateAsync)), s => Assert.Equal((TradeStage.Entering, 0), (s.Stage, s.Entry!.Attempts)));
    }

    /// <summary>And prevents entries that are not made while they are valid because exits are in doubt.</summary>
    [Fact]
    public async Task However_many_exits_the_venue_says_nothing_of_an_entry_that_waited_is_made()
    {
        _rig.StartKeeper();
        var (open, waits) = (Enumerable.Range(0, Many).Select(ExecutionRig.TradeOf).ToList(), ExecutionRig.TradeOf(1_000));
        await Task.WhenAll(open.Select(t => _rig.ExecuteAsync(ExecutionRig.Signal(t))));
        await ProtectedAsync(Many);
        _venue.Script = o => o.Id.Role == OrderRole.Exit ? Mishap.AcceptThenSilence : Mishap.None;
        _venue.BeforeAnswer = id => id.Role == OrderRole.Exit ? _answer.Task : Task.CompletedTask;
        _venue.Price = 70_000;
        await _rig.UntilAsync(async () => (await Task.WhenAll(open.Select(_rig.StateAsync))).Count(s => s.Exit is { Status: OrderStatus.Unknown }) >= Hands, "they are in doubt");
        await Task.Delay(TakenOn, TestContext.Current.CancellationToken);

        _venue.ForEntry = () => Task.FromResult<VenueAnswer<IReadOnlyList<OrderReport>>?>(new VenueAnswer<IReadOnlyList<OrderReport>>.NotSent("the budget is used up", null));
        await _rig.ExecuteAsync(ExecutionRig.Signal(waits) with { Reference = new Price(70_000) });
        var state = await _rig.StateAsync(waits);
        Assert.Equal((TradeStage.Entering, 0), (state.Stage, state.Entry!.Attempts));
        _venue.ForEntry = () => Task.FromResult<VenueAnswer<IReadOnlyList<OrderReport>>?>(null);
        await _rig.UntilAsync(async () => (await _rig.StateAsync(waits)).Stop is { Status: OrderStatus.Resting }, "it is entered and protected");
        Assert.Empty(_bus.Of<TradeClosed>());
        _answer.SetResult();
        await _rig.UntilAsync(() => Task.FromResult(_bus.Of<TradeClosed>().Count == Many), "all of them get out once the venue answers");
    }

    /// <summary>Prevents positions without their stops for as long as the venue does not answer the exits of others, whose hands they waited for.</summary>
    [Theory]
    [InlineData("sent")]
    [InlineData("asked about")]
    public async Task However_many_exits_hang_as_they_are_sent_or_asked_about_what_is_held_gets_its_stop(string hangs)
    {
        _rig.StartKeeper();
        var leaving = Enumerable.Range(0, Many).Select(ExecutionRig.TradeOf).ToList();
        await Task.WhenAll(leaving.Select(t => _rig.ExecuteAsync(ExecutionRig.Signal(t))));
        await ProtectedAsync(Many);
        var hanging = 0;
        TradeId refused = ExecutionRig.TradeOf(1_000), inDoubt = ExecutionRig.TradeOf(1_001), stopNotSent = ExecutionRig.TradeOf(1_002), stopLost = ExecutionRig.TradeOf(1_003);
        var tried = new HashSet<ClientOrderId>();
        _venue.Before = o => hangs == "sent" && o.Id.Role == OrderRole.Exit ? HangAsync() : Task.CompletedTask;
        _venue.BeforeAnswer = id => hangs == "asked about" && id.Role == OrderRole.Exit ? HangAsync() : Task.CompletedTask;
        _venue.Script = o => o.Id.Role == OrderRole.Exit ? Mishap.AcceptThenSilence
            : !tried.Add(o.Id) ? Mishap.None
            : o.Id == ClientOrderId.Of(refused, OrderRole.Entry, 0) ? Mishap.OutOfWindow
            : o.Id == ClientOrderId.Of(inDoubt, OrderRole.Entry, 0) ? Mishap.AcceptThenSilence
            : o.Id == ClientOrderId.Of(stopNotSent, OrderRole.Stop, 0) ? Mishap.NotSent
            : Mishap.None;
        _venue.Price = 70_000;
        await _rig.UntilAsync(() => Task.FromResult(Volatile.Read(ref hanging) >= Hands), "no more of them can hang at once");
        await Task.Delay(TakenOn, TestContext.Current.CancellationToken);

        TradeId[] held = [refused, inDoubt, stopNotSent, stopLost];
        await Task.WhenAll(held.Select(t => _rig.ExecuteAsync(ExecutionRig.Signal(t) with { Reference = new Price(70_000) })));
        await _rig.UntilAsync(async () => (await _rig.StateAsync(stopLost)).Stop is { Status: OrderStatus.Resting }, "it is protected");
        Assert.IsType<VenueAnswer<OrderReport>.Said>(await _venue.CancelAsync(new Symbol("BTCUSDT"), ClientOrderId.Of(stopLost, OrderRole.Stop, 0), TestContext.Current.CancellationToken));
        await _rig.UntilAsync(
            async () => (await Task.WhenAll(held.Select(_rig.StateAsync))).All(s => s is { Stage: TradeStage.Open, Stop.Status: OrderStatus.Resting }) && (await _rig.StateAsync(stopLost)).Count(OrderRole.Stop) == 2,
            "each has its stop, the one whose stop somebody cancelled too");
        Assert.Empty(_bus.Of<TradeClosed>());
        _answer.SetResult();
        await _rig.UntilAsync(() => Task.FromResult(_bus.Of<TradeClosed>().Count == Many), "all of them get out once the venue answers");

        Task HangAsync()
        {
            Interlocked.Increment(ref hanging);
            return _answer.Task;
        }
    }

    /// <summary>The other way about: neither entries that are tried again nor those in doubt keep anybody in.</summary>
    [Theory]
    [InlineData("sent")]
    [InlineData("asked about")]
    public async Task However_many_entries_hang_as_they_are_sent_or_asked_about_whoever_is_in_gets_out(string hangs)
    {
        _rig.StartKeeper();
        TradeId atProfit = ExecutionRig.TradeOf(1_000), inDoubt = ExecutionRig.TradeOf(1_001);
        foreach (var trade in new[] { atProfit, inDoubt })
            await _rig.ExecuteAsync(ExecutionRig.Signal(trade));
        await ProtectedAsync(2);
        var hanging = 0;
        var tried = new ConcurrentDictionary<ClientOrderId, bool>();
        _venue.Before = o => hangs == "sent" && o.Id.Role == OrderRole.Entry && tried.ContainsKey(o.Id) ? HangAsync() : Task.CompletedTask;
        _venue.BeforeAnswer = id => hangs == "asked about" && id.Role == OrderRole.Entry ? HangAsync() : Task.CompletedTask;
        _venue.Script = o => o.Id == ClientOrderId.Of(inDoubt, OrderRole.Exit, 0) ? Mishap.AcceptThenSilence
            : o.Id.Role != OrderRole.Entry ? Mishap.None
            : hangs == "asked about" ? Mishap.AcceptThenSilence
            : tried.TryAdd(o.Id, true) ? Mishap.OutOfWindow : Mishap.None;
        await Task.WhenAll(Enumerable.Range(0, Many).Select(n => _rig.ExecuteAsync(ExecutionRig.Signal(ExecutionRig.TradeOf(n), validForSeconds: 600))));
        await _rig.UntilAsync(() => Task.FromResult(Volatile.Read(ref hanging) >= Hands), "no more of them can hang at once");
        await Task.Delay(TakenOn, TestContext.Current.CancellationToken);

        _venue.Price = 70_000;
        await _rig.UntilAsync(() => Task.FromResult(_bus.Of<TradeClosed>().Count == 2), "both are closed");
        Assert.True((await _rig.StateAsync(inDoubt)).Exit!.WasInDoubt);

        Task HangAsync()
        {
            Interlocked.Increment(ref hanging);
            return _answer.Task;
        }
    }

    private Task ProtectedAsync(int count) => _rig.UntilAsync(() => Task.FromResult(_venue.Book.Count(o => o.Role == OrderRole.Stop && o.IsOpen) == count), "each is protected");
}
