using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;
using Antbot.Execution;
using Antbot.Integration.Tests.Support;
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
        // All at once: none of them rests at the venue yet when the next one comes.
        await Task.WhenAll(Enumerable.Range(0, 5).Select(n => rig.ExecuteAsync(ExecutionRig.Signal(ExecutionRig.TradeOf(n)), inSymbol: n + 1)));
        await rig.UntilAsync(() => Task.FromResult(StopsOpen == 3), "each that was entered is protected");
        Assert.Equal(3, _venue.Book.Count(o => o.Role == OrderRole.Entry));
        var failed = _bus.Of<EntryFailed>();
        Assert.Equal(2, failed.Count);
        Assert.Equal(["3", "4"], failed.Select(f => f.Reason[..1]).Order());
        Assert.All(failed, f => Assert.EndsWith(" trades in BTCUSDT are not over, and the venue lets the stops of 3 rest there", f.Reason, StringComparison.Ordinal));

        // Another process finds the same; and what is over makes room.
        var next = Rig();
        await next.ExecuteAsync(ExecutionRig.Signal(ExecutionRig.TradeOf(7)), inSymbol: 4);
        Assert.Equal(3, _bus.Of<EntryFailed>().Count);
        var open = (await Task.WhenAll(Enumerable.Range(0, 5).Select(async n => (Trade: ExecutionRig.TradeOf(n), State: await next.StateAsync(ExecutionRig.TradeOf(n)))))).First(t => t.State.Stage == TradeStage.Open);
        await next.CloseAsync(open.Trade);
        await next.UntilAsync(
            async () =>
            {
                var another = ExecutionRig.TradeOf(100 + _bus.Of<EntryFailed>().Count);
                await next.ExecuteAsync(ExecutionRig.Signal(another), inSymbol: 3);
                return (await next.StateAsync(another)).Stage == TradeStage.Open;
            },
            "there is room for one again");
        await next.UntilAsync(() => Task.FromResult(StopsOpen == 3), "it is protected too");
    }

    /// <summary>Prevents purchases that are sold again at the market's price, signal after signal, because the owner's own stops leave ours no room.</summary>
    [Fact]
    public async Task Stops_of_others_take_room_and_their_orders_at_a_limit_take_none_of_the_stops()
    {
        _venue.Told = ScriptedVenue.Rules with { StopsMax = 3, OrdersMax = 200 };
        for (var n = 0; n < 2; n++)
            await PlaceAsync($"web_stop_{n}", trigger: 50_000);
        for (var n = 0; n < 5; n++)
            await PlaceAsync($"web_{n}", trigger: null);
        var rig = Rig();
        rig.StartKeeper();
        for (var n = 0; n < 3; n++)
            await rig.ExecuteAsync(ExecutionRig.Signal(ExecutionRig.TradeOf(n)), inSymbol: n + 1);
        await rig.UntilAsync(() => Task.FromResult(StopsOpen == 1), "the one that was entered is protected");
        Assert.Equal(1, _venue.Book.Count(o => o.Role == OrderRole.Entry));
        Assert.Equal(2, _bus.Of<EntryFailed>().Count);
        Assert.Equal(
            new[] { 1, 2 }.Select(ours => $"{ours} trades in BTCUSDT are not over, and the venue lets the stops of 1 rest there beside 7 orders of others"),
            _bus.Of<EntryFailed>().Select(f => f.Reason));
    }

    /// <summary>After a kill the commands of trades that were long over came again, and for ten seconds each of them refused another's entry for good.</summary>
    [Fact]
    public async Task A_command_that_comes_again_for_a_trade_that_is_over_takes_no_room()
    {
        _venue.Told = ScriptedVenue.Rules with { StopsMax = 1 };
        var (over, next) = (ExecutionRig.TradeOf(1), ExecutionRig.TradeOf(2));
        var rig = Rig();
        await rig.ExecuteAsync(ExecutionRig.Signal(over));
        await rig.CloseAsync(over);
        rig.StartKeeper();
        await rig.UntilAsync(async () => (await rig.StateAsync(over)).Stage == TradeStage.Closed, "it is over");
        var after = Rig();
        await after.ExecuteAsync(ExecutionRig.Signal(over), "again");
        await after.ExecuteAsync(ExecutionRig.Signal(next));
        Assert.Empty(_bus.Of<EntryFailed>());
        Assert.Equal(TradeStage.Open, (await after.StateAsync(next)).Stage);
    }

    /// <summary>Prevents entries that failed for good because the budget had nothing left for them just then, or the venue no answer.</summary>
    [Theory]
    [InlineData("the budget is used up")]
    [InlineData("no answer")]
    [InlineData("too much weight")]
    public async Task Where_it_is_not_known_what_others_have_resting_an_entry_waits_and_nothing_is_kept_back_by_it(string why)
    {
        _venue.Told = ScriptedVenue.Rules with { StopsMax = 3 };
        var (rig, open, waits) = (Rig(), ExecutionRig.TradeOf(1), ExecutionRig.TradeOf(2));
        rig.StartKeeper();
        await rig.ExecuteAsync(ExecutionRig.Signal(open));
        await rig.UntilAsync(() => Task.FromResult(StopsOpen == 1), "the first is protected");
        // What was listed a moment ago does for a second.
        await Task.Delay(1_100, TestContext.Current.CancellationToken);
        _venue.ForEntry = () => Task.FromResult<VenueAnswer<IReadOnlyList<OrderReport>>?>(why switch
        {
            "the budget is used up" => new VenueAnswer<IReadOnlyList<OrderReport>>.NotSent(why, TimeSpan.FromSeconds(40)),
            "no answer" => new VenueAnswer<IReadOnlyList<OrderReport>>.Unknown(why),
            _ => new VenueAnswer<IReadOnlyList<OrderReport>>.Refused(Refusal.RateLimited, "-1003", why),
        });
        await rig.ExecuteAsync(ExecutionRig.Signal(waits));
        await rig.ExecuteAsync(ExecutionRig.Signal(waits), "again");
        await rig.CorrectAsync(waits, ClientOrderId.Of(waits, OrderRole.Entry, 0));
        await rig.CloseAsync(open);
        await rig.UntilAsync(async () => (await rig.StateAsync(open)).Stage == TradeStage.Closed, "the way out of another is free");
        var state = await rig.StateAsync(waits);
        Assert.Equal((TradeStage.Entering, 0), (state.Stage, state.Entry!.Attempts));
        Assert.Empty(_bus.Of<EntryFailed>());

        _venue.ForEntry = () => Task.FromResult<VenueAnswer<IReadOnlyList<OrderReport>>?>(null);
        await rig.UntilAsync(() => Task.FromResult(StopsOpen == 1), "it is entered and protected");
        Assert.Equal(1, _venue.Book.Count(o => o.Id == ClientOrderId.Of(waits, OrderRole.Entry, 0)));
    }

    [Fact]
    public async Task An_entry_that_waited_until_it_was_not_valid_any_more_is_never_sent()
    {
        _venue.Told = ScriptedVenue.Rules with { StopsMax = 3 };
        _venue.ForEntry = () => Task.FromResult<VenueAnswer<IReadOnlyList<OrderReport>>?>(new VenueAnswer<IReadOnlyList<OrderReport>>.NotSent("the budget is used up", null));
        var rig = Rig();
        rig.StartKeeper();
        await rig.ExecuteAsync(ExecutionRig.Signal(ExecutionRig.TradeOf(1), validForSeconds: 4));
        await rig.UntilAsync(() => Task.FromResult(_bus.Of<EntryFailed>().Count == 1), "it has failed");
        Assert.Contains("valid until", _bus.Of<EntryFailed>()[0].Reason, StringComparison.Ordinal);
        Assert.Empty(_venue.Book);
    }

    /// <summary>Prevents exits that wait behind entries: whoever brings an entry does not wait for a slow venue.</summary>
    [Fact]
    public async Task A_listing_that_takes_its_time_is_waited_for_by_the_entry_alone()
    {
        _venue.Told = ScriptedVenue.Rules with { StopsMax = 3 };
        var answer = new TaskCompletionSource<VenueAnswer<IReadOnlyList<OrderReport>>?>();
        _venue.ForEntry = () => answer.Task;
        var (rig, trade) = (Rig(), ExecutionRig.TradeOf(1));
        await rig.ExecuteAsync(ExecutionRig.Signal(trade));
        Assert.Equal((TradeStage.Entering, 0), ((await rig.StateAsync(trade)).Stage, _venue.Book.Count));
        rig.StartKeeper();
        answer.SetResult(null);
        await rig.UntilAsync(() => Task.FromResult(StopsOpen == 1), "it is entered and protected");
    }

    [Fact]
    public async Task Of_an_entry_that_has_waited_it_is_found_all_the_same_that_there_is_no_room()
    {
        _venue.Told = ScriptedVenue.Rules with { StopsMax = 3 };
        _venue.ForEntry = () => Task.FromResult<VenueAnswer<IReadOnlyList<OrderReport>>?>(new VenueAnswer<IReadOnlyList<OrderReport>>.NotSent("the budget is used up", null));
        var rig = Rig();
        rig.StartKeeper();
        await rig.ExecuteAsync(ExecutionRig.Signal(ExecutionRig.TradeOf(1)), inSymbol: 4);
        _venue.ForEntry = () => Task.FromResult<VenueAnswer<IReadOnlyList<OrderReport>>?>(null);
        await rig.UntilAsync(() => Task.FromResult(_bus.Of<EntryFailed>().Count == 1), "it has failed");
        Assert.Contains("3 trades in BTCUSDT are not over", _bus.Of<EntryFailed>()[0].Reason, StringComparison.Ordinal);
        Assert.Empty(_venue.Book);
    }

    /// <summary>Prevents one trade too many that another process lets in at the same moment: neither finds the other's at the venue yet.</summary>
    [Fact]
    public async Task Two_processes_at_once_never_let_in_more_than_there_is_room_for()
    {
        _venue.Told = ScriptedVenue.Rules with { StopsMax = 3 };
        var rigs = new[] { Rig(), Rig() };
        rigs[0].StartKeeper();
        await Task.WhenAll(Enumerable.Range(0, 6).Select(n => rigs[n % 2].ExecuteAsync(ExecutionRig.Signal(ExecutionRig.TradeOf(n)), inSymbol: n + 1)));
        await rigs[0].UntilAsync(() => Task.FromResult(StopsOpen == 3), "each that was entered is protected");
        Assert.Equal(3, _venue.Book.Count(o => o.Role == OrderRole.Entry));
        Assert.Equal(3, _bus.Of<EntryFailed>().Count);
    }

    /// <summary>A message of the build before this has no number, and what was adopted a moment ago is in none.</summary>
    [Fact]
    public async Task What_rests_at_the_venue_counts_though_no_number_says_so()
    {
        _venue.Told = ScriptedVenue.Rules with { StopsMax = 1 };
        var rig = Rig();
        rig.StartKeeper();
        await rig.ExecuteAsync(ExecutionRig.Signal(ExecutionRig.TradeOf(1)));
        await rig.UntilAsync(() => Task.FromResult(StopsOpen == 1), "it is protected");
        await Rig().ExecuteAsync(ExecutionRig.Signal(ExecutionRig.TradeOf(2)));
        Assert.Equal("1 trades in BTCUSDT are not over, and the venue lets the stops of 1 rest there", Assert.Single(_bus.Of<EntryFailed>()).Reason);
    }

    /// <summary>Prevents bought positions without a stop: those that Risk has no number of were forgotten beside those that it numbers, and those of an old build were not counted at all.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_burst_beside_trades_without_a_number_finds_no_more_room_than_there_is(bool isNumbered)
    {
        var rules = ScriptedVenue.Rules with { StopsMax = 5 };
        var room = new SymbolRoom(new PipelineParts(_store, new EventCodec(EventRegistry.From(typeof(EntryPlanned).Assembly)), _bus, TimeProvider.System, NoCrashPoints.Instance), _venue);
        for (var n = 0; n < 3; n++)
            await PlaceAsync(ClientOrderId.Of(ExecutionRig.TradeOf(50 + n), OrderRole.Stop, 0).Value, trigger: 50_000);
        var bars = await Task.WhenAll(Enumerable.Range(1, 4).Select(n =>
        {
            var signal = ExecutionRig.Signal(ExecutionRig.TradeOf(n));
            return room.FindAsync(new ExecuteTrade(signal, signal.Notional, isNumbered ? n : null), rules, TestContext.Current.CancellationToken);
        }));
        Assert.Equal(2, bars.Count(b => b == default));
    }

    /// <summary>Prevents that every entry waits for a list of the venue's, where there is room for twenty more; and that one near the end does not.</summary>
    [Fact]
    public async Task Where_there_is_plenty_of_room_the_venue_is_not_asked_for_every_entry()
    {
        var clock = new ManualClock(DateTimeOffset.UtcNow);
        var parts = new PipelineParts(_store, new EventCodec(EventRegistry.From(typeof(EntryPlanned).Assembly)), _bus, clock, NoCrashPoints.Instance);
        var room = new SymbolRoom(parts, _venue);
        var rules = ScriptedVenue.Rules with { StopsMax = 40 };
        Assert.Null(await EnterAsync(1, inSymbol: 1));
        _venue.IsAway = true;
        clock.Move(TimeSpan.FromSeconds(29));
        Assert.Null(await EnterAsync(2, inSymbol: 21));
        clock.Move(TimeSpan.FromSeconds(2));
        Assert.Contains("is not known", await EnterAsync(3, inSymbol: 1), StringComparison.Ordinal);

        _venue.IsAway = false;
        clock.Move(TimeSpan.FromSeconds(2));
        Assert.Null(await EnterAsync(4, inSymbol: 1));
        _venue.IsAway = true;
        clock.Move(TimeSpan.FromSeconds(2));
        Assert.Contains("is not known", await EnterAsync(5, inSymbol: 22), StringComparison.Ordinal);

        async Task<string?> EnterAsync(int trade, int inSymbol)
        {
            var signal = ExecutionRig.Signal(ExecutionRig.TradeOf(trade));
            var found = await room.FindAsync(new ExecuteTrade(signal, signal.Notional, inSymbol), rules, TestContext.Current.CancellationToken);
            return found.Bar ?? found.Hold;
        }
    }

    [Fact]
    public async Task Where_the_venue_names_no_number_there_is_none()
    {
        var rig = Rig();
        rig.StartKeeper();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(n => rig.ExecuteAsync(ExecutionRig.Signal(ExecutionRig.TradeOf(n)))));
        await rig.UntilAsync(() => Task.FromResult(StopsOpen == 20), "each is protected");
    }

    private Task PlaceAsync(string id, decimal? trigger) => _venue.PlaceAsync(
        new VenueOrder(
            new ClientOrderId(id), new Symbol("BTCUSDT"), Side.Sell, trigger is null ? OrderKind.Limit : OrderKind.Market, new Quantity(0.01m), trigger is null ? new Price(90_000) : null,
            trigger is { } at ? new Price(at) : null, DateTimeOffset.UtcNow, TimeSpan.FromSeconds(3), ReduceOnly: false),
        TestContext.Current.CancellationToken);

    private ExecutionRig Rig()
    {
        var rig = new ExecutionRig(_store, _venue, _venue, _bus);
        _rigs.Add(rig);
        return rig;
    }
}
