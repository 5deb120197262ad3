using System.Collections.Concurrent;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;
using Antbot.Execution;
using Antbot.Kernel.Identity;
using Antbot.Kernel.Time;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Execution;

public sealed class ExecutionTests : IAsyncLifetime
{
    private readonly InMemoryEventStore _store = new(Guid.NewGuid());
    private readonly ScriptedVenue _venue = new(TimeProvider.System);
    private readonly RecordingBus _bus = new();
    private ExecutionRig _rig = null!;

    public ValueTask InitializeAsync()
    {
        _rig = new ExecutionRig(_store, _venue, _venue, _bus);
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _rig.DisposeAsync();

    [Fact]
    public async Task A_thousand_entries_that_are_accepted_and_never_answered_are_all_found_once_and_protected()
    {
        var trades = Enumerable.Range(0, 1_000).Select(ExecutionRig.TradeOf).ToList();
        _venue.Script = order => order.Id.Role == OrderRole.Entry ? Mishap.AcceptThenSilence : Mishap.None;
        _rig.StartKeeper();
        await Parallel.ForEachAsync(trades, async (trade, _) => await _rig.ExecuteAsync(ExecutionRig.Signal(trade)));

        await _rig.UntilAsync(() => Task.FromResult(_bus.Of<TradeOpened>().Count == trades.Count && _venue.Book.Count(o => o.Role == OrderRole.Stop && o.IsOpen) == trades.Count), "every entry is found, and its stop rests");
        Assert.All(_venue.Book.GroupBy(o => o.Id), orders => Assert.Single(orders));
        Assert.Equal(trades.Count, _venue.Book.Count(o => o.Role == OrderRole.Entry));
        Assert.Equal(trades.Count, _bus.Of<EntryUnknown>().Select(m => m.Trade).Distinct().Count());
        Assert.Equal(trades.ToHashSet(), _bus.Of<TradeOpened>(Routes.Risk).Select(m => m.Trade).ToHashSet());
    }

    /// <summary>All at once, while the venue answers nothing at all: as many as were ever asked for, found within a minute of its return where its limits let them be asked for.</summary>
    [Fact]
    public async Task Ten_thousand_entries_that_were_accepted_while_the_venue_went_away_are_all_found_once_within_a_minute_of_its_return()
    {
        var trades = Enumerable.Range(0, 10_000).Select(ExecutionRig.TradeOf).ToList();
        (_venue.Script, _venue.IsAway) = (order => order.Id.Role == OrderRole.Entry ? Mishap.AcceptThenSilence : Mishap.None, true);
        _rig.StartKeeper();
        var began = TimeProvider.System.GetTimestamp();
        await Parallel.ForEachAsync(trades, async (trade, _) => await _rig.ExecuteAsync(ExecutionRig.Signal(trade, validForSeconds: 600)));
        var entering = TimeProvider.System.GetElapsedTime(began);
        await Task.Delay(TimeSpan.FromSeconds(3), TestContext.Current.CancellationToken);
        Assert.Empty(_bus.Of<TradeOpened>());

        _venue.IsAway = false;
        var back = TimeProvider.System.GetTimestamp();
        await _rig.UntilAsync(() => Task.FromResult(_bus.Of<TradeOpened>().Count == trades.Count), "every entry is found");
        var finding = TimeProvider.System.GetElapsedTime(back);
        TestContext.Current.TestOutputHelper!.WriteLine($"{trades.Count} entries in doubt were found {finding.TotalSeconds:0.0} s after the venue's return, with {_venue.Asked} questions; to try them took {entering.TotalSeconds:0.0} s");
        // A machine with much else to do is as slow at the one as at the other.
        Assert.InRange(finding.TotalSeconds, 0, Math.Max(60, 6 * entering.TotalSeconds));
        Assert.All(_venue.Book.GroupBy(o => o.Id), orders => Assert.Single(orders));
        Assert.Equal(trades.Count, _venue.Book.Count(o => o.Role == OrderRole.Entry));
    }

    /// <summary>Prevents that a venue which comes back is asked about each of thousands that rest: one list says it of all of them.</summary>
    [Fact]
    public async Task Of_stops_in_doubt_that_rest_the_venue_is_not_asked_one_by_one()
    {
        var trades = Enumerable.Range(0, 200).Select(ExecutionRig.TradeOf).ToList();
        _venue.Script = order => order.Id.Role == OrderRole.Stop ? Mishap.AcceptThenSilence : Mishap.None;
        await Parallel.ForEachAsync(trades, async (trade, _) => await _rig.ExecuteAsync(ExecutionRig.Signal(trade)));
        await Task.Delay(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken);
        _rig.StartKeeper();
        await _rig.UntilAsync(async () => (await Task.WhenAll(trades.Select(_rig.StateAsync))).All(s => s.Stop is { Status: OrderStatus.Resting }), "every stop is known to rest");
        Assert.InRange(_venue.Asked, 0, 50);
    }

    [Theory]
    [InlineData(Mishap.SilenceWithoutOrder)]
    [InlineData(Mishap.AcceptThenSilence)]
    [InlineData(Mishap.AcceptThenDuplicate)]
    [InlineData(Mishap.NotSent)]
    [InlineData(Mishap.OutOfWindow)]
    public async Task Whatever_goes_wrong_once_every_order_of_a_trade_is_placed_exactly_once(Mishap mishap)
    {
        var struck = new ConcurrentDictionary<ClientOrderId, bool>();
        _venue.Script = order => struck.TryAdd(order.Id, true) ? mishap : Mishap.None;
        _rig.StartKeeper();
        var trade = ExecutionRig.TradeOf(1);
        await _rig.ExecuteAsync(ExecutionRig.Signal(trade));
        await _rig.UntilAsync(async () => (await _rig.StateAsync(trade)).Stop is { Status: OrderStatus.Resting }, "the stop rests");
        await _rig.CloseAsync(trade);
        await _rig.UntilAsync(() => Task.FromResult(_bus.Of<TradeClosed>().Count == 1), "the trade is closed");
        Assert.Equal([OrderRole.Entry, OrderRole.Stop, OrderRole.Exit], _venue.Book.Select(o => o.Role));
        // Only the fee of the purchase is missing from what was sold.
        Assert.Equal(_venue.Book[0].Executed - Math.Floor(_venue.Book[0].Executed * 0.999m * 100_000) / 100_000, _venue.Held);
    }

    /// <summary>Prevents an input that grows with every fill of an order, and a decision of more events than an append takes: the order would never be decided on again.</summary>
    [Fact]
    public async Task Of_an_order_that_is_filled_in_thousands_of_parts_each_decision_keeps_the_new_ones_and_no_more_than_it_can_hold()
    {
        const int fills = 2_500;
        _venue.Parts = fills;
        _rig.StartKeeper();
        var trade = ExecutionRig.TradeOf(1);
        await _rig.ExecuteAsync(ExecutionRig.Signal(trade, notional: 6_500));
        await _rig.UntilAsync(async () => (await _rig.StateAsync(trade)).Stage == TradeStage.Open, "the position is open");
        Assert.Equal(_venue.Book[0].Executed, (await _rig.StateAsync(trade)).Entered.Value);

        var stored = new List<StoredEvent>();
        await foreach (var e in _store.ReadStreamAsync(Streams.Order(trade), 1, TestContext.Current.CancellationToken))
            stored.Add(e);
        var decisions = stored.GroupBy(e => e.CausationId).Select(d => d.Select(_rig.Codec.Decode).ToList()).Where(d => d.Exists(e => e is OrderFilled)).ToList();
        Assert.Equal([900, 900, 700], decisions.ConvertAll(d => d.Count(e => e is OrderFilled)));
        Assert.Equal(fills, decisions.SelectMany(d => d.OfType<OrderFilled>()).Select(f => f.FillId).Distinct().Count());
        Assert.All(decisions, d => Assert.Equal(d.OfType<OrderFilled>().Select(f => f.FillId), d.OfType<OrderInput>().Single().Report!.Fills.Select(f => f.FillId)));
    }

    [Fact]
    public async Task A_command_that_is_delivered_again_sends_nothing_and_says_everything_again()
    {
        var signal = ExecutionRig.Signal(ExecutionRig.TradeOf(1));
        await _rig.ExecuteAsync(signal);
        var (orders, messages, published) = (_venue.Book.Count, _bus.Messages.Select(m => m.Id).ToHashSet(), _bus.Published);
        await _rig.ExecuteAsync(signal);
        await _rig.ExecuteAsync(signal, "another message for the same trade");
        Assert.Equal(orders, _venue.Book.Count);
        Assert.True(messages.SetEquals(_bus.Messages.Select(m => m.Id)));
        Assert.Equal(published * 3, _bus.Published);
    }

    [Theory]
    [InlineData("execution.before-send", 2)]
    [InlineData("execution.after-send", 1)]
    public async Task What_a_dying_process_leaves_behind_is_found_out_and_finished_by_the_next(string point, int attempts)
    {
        var trade = ExecutionRig.TradeOf(1);
        await using (var dying = new ExecutionRig(_store, _venue, _venue, _bus, new DiesAt(point)))
            await Assert.ThrowsAsync<ProcessDiedException>(() => dying.ExecuteAsync(ExecutionRig.Signal(trade)));
        await using var next = new ExecutionRig(_store.OpenAgain(), _venue, _venue, _bus);
        next.StartKeeper();
        await next.UntilAsync(async () => (await next.StateAsync(trade)).Stop is { Status: OrderStatus.Resting }, "the stop rests");
        Assert.Equal(attempts, (await next.StateAsync(trade)).Entry!.Attempts);
        Assert.Equal([OrderRole.Entry, OrderRole.Stop], _venue.Book.Select(o => o.Role));
        await next.UntilAsync(() => Task.FromResult(_bus.Of<TradeOpened>().Count == 1), "the Coordinator is told");
    }

    [Fact]
    public async Task A_redelivered_command_whose_sender_died_makes_its_attempt_unknown_and_is_done_with()
    {
        var signal = ExecutionRig.Signal(ExecutionRig.TradeOf(1));
        await using (var dying = new ExecutionRig(_store, _venue, _venue, _bus, new DiesAt("execution.after-send")))
            await Assert.ThrowsAsync<ProcessDiedException>(() => dying.ExecuteAsync(signal));
        await _rig.ExecuteAsync(signal);
        Assert.Equal(OrderStatus.Unknown, (await _rig.StateAsync(signal.Trade)).Entry!.Status);
        Assert.Single(_bus.Of<EntryUnknown>());
        Assert.Single(_venue.Book);
    }

    [Fact]
    public async Task Two_instances_that_are_given_the_same_commands_place_each_order_once()
    {
        await using var other = new ExecutionRig(_store.OpenAgain(), _venue, _venue, _bus);
        var trades = Enumerable.Range(0, 100).Select(ExecutionRig.TradeOf).ToList();
        await Task.WhenAll(trades.SelectMany(t => new[] { _rig.ExecuteAsync(ExecutionRig.Signal(t)), other.ExecuteAsync(ExecutionRig.Signal(t)), _rig.CloseAsync(t), other.CloseAsync(t) }));
        _rig.StartKeeper();
        other.StartKeeper();
        await _rig.UntilAsync(async () => (await Task.WhenAll(trades.Select(_rig.StateAsync))).All(s => s.IsDone && s.Stage != TradeStage.None), "every trade has ended");
        Assert.All(_venue.Book.GroupBy(o => o.Id), orders => Assert.Single(orders));
        Assert.DoesNotContain(_venue.Book, o => o.IsOpen);
    }

    [Fact]
    public async Task No_entry_is_attempted_after_a_halt_that_this_process_has_not_heard_of_yet()
    {
        await _rig.Control.RefreshAsync(TestContext.Current.CancellationToken);
        await ControlAsync(new ActivitySet(Activity.Halted, "fire", "operator:test"));
        Assert.Null(_rig.Control.Known.State.EntryBar);
        var trade = ExecutionRig.TradeOf(1);
        await _rig.ExecuteAsync(ExecutionRig.Signal(trade));
        Assert.Empty(_venue.Book);
        Assert.Equal("halted: fire", Assert.Single(_bus.Of<EntryFailed>()).Reason);
        Assert.DoesNotContain(await _rig.EventsAsync(trade), e => e is OrderAttempted);
    }

    [Fact]
    public async Task A_halt_lets_open_positions_out()
    {
        var trade = ExecutionRig.TradeOf(1);
        await _rig.ExecuteAsync(ExecutionRig.Signal(trade));
        await ControlAsync(new ActivitySet(Activity.Halted, "fire", "operator:test"));
        await _rig.CloseAsync(trade);
        Assert.Equal(TradeStage.Closed, (await _rig.StateAsync(trade)).Stage);
    }

    [Fact]
    public async Task Before_the_account_is_reconciled_positions_are_let_out_and_entries_wait_their_turn()
    {
        _rig.StartKeeper();
        var (open, waiting) = (ExecutionRig.TradeOf(1), ExecutionRig.TradeOf(2));
        await _rig.ExecuteAsync(ExecutionRig.Signal(open));
        _rig.Gate.Bar = "not reconciled yet";
        await _rig.ExecuteAsync(ExecutionRig.Signal(waiting));
        await _rig.CloseAsync(open);
        Assert.Equal(TradeStage.Closed, (await _rig.StateAsync(open)).Stage);
        await Task.Delay(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken);
        Assert.DoesNotContain(await _rig.EventsAsync(waiting), e => e is OrderAttempted);
        Assert.DoesNotContain(_venue.Book, o => o.Id.Trade == waiting);

        _rig.Gate.Bar = null;
        await _rig.UntilAsync(() => Task.FromResult(_bus.Of<TradeOpened>().Any(m => m.Trade == waiting)), "the entry that waited is sent");
        Assert.Equal(1, (await _rig.StateAsync(waiting)).Entry!.Attempts);
    }

    /// <summary>Prevents one account's trade from being made with another's money.</summary>
    [Fact]
    public async Task Another_accounts_trade_is_refused_and_never_sent()
    {
        var signal = ExecutionRig.Signal(ExecutionRig.TradeOf(1)) with { Account = new AccountId("other") };
        await _rig.ExecuteAsync(signal);
        Assert.Empty(_venue.Book);
        Assert.Equal("the keys here are those of the account main", Assert.Single(_bus.Of<EntryFailed>()).Reason);
    }

    [Fact]
    public async Task In_dry_mode_nothing_is_sent_to_a_venue_with_real_money()
    {
        var real = new ScriptedVenue(TimeProvider.System) { IsPaper = false };
        await using var rig = new ExecutionRig(_store, real, real, _bus);
        await rig.ExecuteAsync(ExecutionRig.Signal(ExecutionRig.TradeOf(1)));
        Assert.Empty(real.Book);
        Assert.StartsWith("dry:", Assert.Single(_bus.Of<EntryFailed>()).Reason, StringComparison.Ordinal);
        await ControlAsync(new TradingModeSet(TradingMode.Live, "test", "operator:test"));
        await rig.Control.RefreshAsync(TestContext.Current.CancellationToken);
        await rig.ExecuteAsync(ExecutionRig.Signal(ExecutionRig.TradeOf(2)));
        Assert.Equal([OrderRole.Entry, OrderRole.Stop], real.Book.Select(o => o.Role));
    }

    /// <summary>A key that may withdraw is a key to everything: real money is not risked with one, and what is open is let out.</summary>
    [Fact]
    public async Task Live_enters_nothing_with_a_key_that_may_withdraw_and_lets_positions_out()
    {
        var real = new ScriptedVenue(TimeProvider.System) { IsPaper = false };
        await using var rig = new ExecutionRig(_store, real, real, _bus);
        await ControlAsync(new TradingModeSet(TradingMode.Live, "test", "operator:test"));
        await rig.Control.RefreshAsync(TestContext.Current.CancellationToken);
        var open = ExecutionRig.TradeOf(1);
        await rig.ExecuteAsync(ExecutionRig.Signal(open));
        real.LiveBar = "live: the venue's key may withdraw";
        var refused = ExecutionRig.TradeOf(2);
        await rig.ExecuteAsync(ExecutionRig.Signal(refused));
        Assert.Equal("live: the venue's key may withdraw", Assert.Single(_bus.Of<EntryFailed>()).Reason);
        Assert.DoesNotContain(await rig.EventsAsync(refused), e => e is OrderAttempted);
        Assert.DoesNotContain(real.Book, o => o.Id.Trade == refused);
        await rig.CloseAsync(open);
        Assert.Equal(TradeStage.Closed, (await rig.StateAsync(open)).Stage);
    }

    [Fact]
    public async Task On_paper_it_does_not_matter_what_the_key_may_do()
    {
        _venue.LiveBar = "live: the venue's key may withdraw";
        await ControlAsync(new TradingModeSet(TradingMode.Live, "test", "operator:test"));
        await _rig.Control.RefreshAsync(TestContext.Current.CancellationToken);
        await _rig.ExecuteAsync(ExecutionRig.Signal(ExecutionRig.TradeOf(1)));
        Assert.Equal([OrderRole.Entry, OrderRole.Stop], _venue.Book.Select(o => o.Role));
    }

    [Fact]
    public async Task A_compensation_that_overtakes_its_command_refuses_it()
    {
        var trade = ExecutionRig.TradeOf(1);
        await _rig.CancelAsync(trade);
        Assert.Single(_bus.Of<EntryFailed>());
        await _rig.ExecuteAsync(ExecutionRig.Signal(trade));
        Assert.Empty(_venue.Book);
        Assert.Equal([typeof(EntryForbidden), typeof(EntryFailedRecorded)], (await _rig.EventsAsync(trade)).Select(e => e.GetType()));
    }

    [Fact]
    public async Task A_compensation_in_the_middle_of_the_sending_flattens_what_was_bought()
    {
        var trade = ExecutionRig.TradeOf(1);
        _venue.Before = async order =>
        {
            if (order.Id.Role == OrderRole.Entry)
                await _rig.CancelAsync(trade);
        };
        await _rig.ExecuteAsync(ExecutionRig.Signal(trade));
        Assert.Equal([OrderRole.Entry, OrderRole.Exit], _venue.Book.Select(o => o.Role));
        Assert.Single(_bus.Of<TradeClosed>());
    }

    [Fact]
    public async Task Stops_that_fire_at_the_venue_are_found_and_everybody_is_told()
    {
        _rig.StartKeeper();
        var trades = Enumerable.Range(0, 20).Select(ExecutionRig.TradeOf).ToList();
        foreach (var trade in trades)
            await _rig.ExecuteAsync(ExecutionRig.Signal(trade));
        _venue.FireStops();
        await _rig.UntilAsync(() => Task.FromResult(_bus.Of<TradeClosed>(Routes.Risk).Count == trades.Count && _bus.Of<TradeClosing>().Count == trades.Count), "all are closed");
        Assert.All(_bus.Of<TradeClosed>(), m => Assert.True(m.Realised < Money.Zero));
        await _rig.UntilAsync(() => Task.FromResult(_rig.Unfinished == 0), "nothing is left to keep");
    }

    [Fact]
    public async Task A_profit_is_taken_when_the_market_reaches_it()
    {
        _rig.StartKeeper();
        var trade = ExecutionRig.TradeOf(1);
        await _rig.ExecuteAsync(ExecutionRig.Signal(trade));
        _venue.Price = 67_700;
        await _rig.UntilAsync(() => Task.FromResult(_bus.Of<TradeClosed>().Count == 1), "the profit is taken");
        Assert.StartsWith("take profit", _bus.Of<TradeClosed>()[0].Reason, StringComparison.Ordinal);
        Assert.True(_bus.Of<TradeClosed>()[0].Realised > Money.Zero);
    }

    [Fact]
    public async Task While_the_venue_is_away_what_is_unknown_stays_unknown()
    {
        _venue.Script = _ => Mishap.AcceptThenSilence;
        _venue.IsAway = true;
        _rig.StartKeeper();
        var trade = ExecutionRig.TradeOf(1);
        await _rig.ExecuteAsync(ExecutionRig.Signal(trade));
        await Task.Delay(TimeSpan.FromSeconds(3), TestContext.Current.CancellationToken);
        Assert.Equal(OrderStatus.Unknown, (await _rig.StateAsync(trade)).Entry!.Status);
        Assert.Empty(_bus.Of<EntryFailed>());
        _venue.IsAway = false;
        await _rig.UntilAsync(() => Task.FromResult(_bus.Of<TradeOpened>().Count == 1), "it is found");
    }

    [Fact]
    public async Task A_start_reads_what_came_since_the_last_copy_and_not_all_of_history()
    {
        await using (var first = new ExecutionRig(_store, _venue, _venue, _bus))
        {
            first.StartKeeper();
            foreach (var i in Enumerable.Range(0, 30))
                await first.ExecuteAsync(ExecutionRig.Signal(ExecutionRig.TradeOf(i)));
            await first.UntilAsync(() => Task.FromResult(first.Unfinished == 30), "all are kept");
        }
        var saved = await _store.LoadSnapshotAsync(new StreamId("projection-open-orders-1"), "open-orders-1", TestContext.Current.CancellationToken);
        Assert.True(saved!.Version > 150);
        await using var next = new ExecutionRig(_store.OpenAgain(), _venue, _venue, _bus);
        next.StartKeeper();
        _venue.FireStops();
        await next.UntilAsync(() => Task.FromResult(_bus.Of<TradeClosed>().Count == 30), "what was open is still watched");
    }

    private async Task ControlAsync(object @event)
    {
        var version = await _store.ReadVersionAsync(Streams.Control);
        await _store.AppendAsync(new AppendRequest
        {
            Stream = Streams.Control,
            Expected = ExpectedVersion.Exactly(version),
            Decision = new Decision(Guid.NewGuid(), "test"),
            Events = [_rig.Codec.Encode(@event)],
            At = DateTimeOffset.UtcNow,
        });
    }

    /// <summary>Prevents that an order is placed again because the venue's look-up by the client's id lags behind or has lost it.</summary>
    [Theory]
    [InlineData(OrderRole.Entry)]
    [InlineData(OrderRole.Stop)]
    public async Task An_order_that_the_venue_has_forgotten_by_its_id_is_found_by_its_trades_or_among_the_open_ones(OrderRole inDoubt)
    {
        _venue.Forgets = _ => true;
        _venue.Script = order => order.Id.Role == inDoubt ? Mishap.AcceptThenSilence : Mishap.None;
        _rig.StartKeeper();
        var trade = ExecutionRig.TradeOf(1);
        await _rig.ExecuteAsync(ExecutionRig.Signal(trade));
        await _rig.UntilAsync(async () => (await _rig.StateAsync(trade)).Stop is { Status: OrderStatus.Resting }, "the stop rests");
        Assert.Equal([OrderRole.Entry, OrderRole.Stop], _venue.Book.Select(o => o.Role));
        Assert.Contains(await _rig.EventsAsync(trade), e => e is OrderUnknown { Order: var order } && order.Role == inDoubt);
        Assert.DoesNotContain(await _rig.EventsAsync(trade), e => e is OrderAbsent);
    }

    /// <summary>Prevents an order that is placed twice because the line that listed it was garbled.</summary>
    [Theory]
    [InlineData(1, 0)]
    [InlineData(0, 1)]
    public async Task A_listing_of_which_something_made_no_sense_says_of_no_order_that_it_is_absent(int openOrders, int fills)
    {
        var first = true;
        (_venue.OpenOrdersPassedOver, _venue.FillsPassedOver) = (openOrders, fills);
        _venue.Script = _ => first && !(first = false) ? Mishap.SilenceWithoutOrder : Mishap.None;
        _rig.StartKeeper();
        var trade = ExecutionRig.TradeOf(1);
        await _rig.ExecuteAsync(ExecutionRig.Signal(trade));
        await _rig.UntilAsync(async () => (await _rig.StateAsync(trade)).Entry is { Status: OrderStatus.Unknown }, "it is unknown");
        await Task.Delay(TimeSpan.FromSeconds(8), TestContext.Current.CancellationToken);
        Assert.Equal(OrderStatus.Unknown, (await _rig.StateAsync(trade)).Entry!.Status);
        (_venue.OpenOrdersPassedOver, _venue.FillsPassedOver) = (0, 0);
        await _rig.UntilAsync(async () => (await _rig.EventsAsync(trade)).Any(e => e is OrderAbsent), "its absence is known");
    }

    /// <summary>Prevents a position that is never protected, nor let go of, because the venue lists somebody's order or trade that makes no sense, and goes on listing it.</summary>
    [Theory]
    [InlineData(1, 0, "web_0")]
    [InlineData(0, 1, "1")]
    public async Task A_stop_that_was_lost_is_placed_again_beside_an_entry_that_makes_no_sense_and_can_be_told_from_it(int openOrders, int fills, string name)
    {
        await _venue.PlaceAsync(new VenueOrder(new ClientOrderId("web_0"), new Symbol("BTCUSDT"), Side.Sell, OrderKind.Limit, new Quantity(0.01m), new Price(90_000), null, DateTimeOffset.UtcNow, TimeSpan.FromSeconds(3), ReduceOnly: false), TestContext.Current.CancellationToken);
        var isLost = false;
        (_venue.OpenOrdersPassedOver, _venue.FillsPassedOver, _venue.Names) = (openOrders, fills, [name]);
        _venue.Script = order => order.Id.Role == OrderRole.Stop && !isLost && (isLost = true) ? Mishap.SilenceWithoutOrder : Mishap.None;
        _rig.StartKeeper();
        var trade = ExecutionRig.TradeOf(1);
        await _rig.ExecuteAsync(ExecutionRig.Signal(trade));
        await _rig.UntilAsync(async () => (await _rig.StateAsync(trade)).Stop is { Status: OrderStatus.Resting }, "its stop rests");
        Assert.Contains(await _rig.EventsAsync(trade), e => e is OrderAbsent);
    }

    /// <summary>Prevents an order that stays in doubt for ever because so many others trade that no question is ever asked.</summary>
    [Fact]
    public async Task On_a_busy_account_the_orders_behind_the_trades_are_asked_for_some_at_a_time_until_all_have_been()
    {
        for (var i = 0; i < 120; i++)
            await _venue.PlaceAsync(new VenueOrder(new ClientOrderId($"web_{i}"), new Symbol("BTCUSDT"), Side.Buy, OrderKind.Market, new Quantity(0.01m), null, null, DateTimeOffset.UtcNow, TimeSpan.FromSeconds(3), ReduceOnly: false), TestContext.Current.CancellationToken);
        var intended = new OrderIntended(
            ClientOrderId.Of(ExecutionRig.TradeOf(1), OrderRole.Entry, 0), ExecutionRig.TradeOf(1), new AccountId("main"), OrderRole.Entry, new Symbol("BTCUSDT"), Side.Buy, OrderKind.Market, new Quantity(0.01m), null, null,
            ReduceOnly: false, null, "test", null);
        var order = OrderState.Of(intended) with { Status = OrderStatus.Unknown, Attempts = 1, SentAt = DateTimeOffset.UtcNow.AddMinutes(-1), SettledAt = DateTimeOffset.UtcNow.AddMinutes(-1) };
        var inquiry = new Inquiry(_venue);
        for (var asked = 0; asked < 2; asked++)
            Assert.False((await inquiry.AskAsync(order, TestContext.Current.CancellationToken)).IsAbsent);
        Assert.True((await inquiry.AskAsync(order, TestContext.Current.CancellationToken)).IsAbsent);
    }

    /// <summary>Prevents real coins that are put up for sale in Dry, and those of another account: stops and exits are held back by nothing.</summary>
    [Theory]
    [InlineData(true, "main", true)]
    [InlineData(false, "main", false)]
    [InlineData(true, "another", false)]
    public async Task What_was_found_is_made_ours_only_where_its_stop_may_be_sent(bool isPaper, string account, bool isAdopted)
    {
        var venue = new ScriptedVenue(TimeProvider.System) { IsPaper = isPaper };
        await using var rig = new ExecutionRig(new InMemoryEventStore(Guid.NewGuid()), venue, venue, new RecordingBus());
        var trade = ExecutionRig.TradeOf(7);
        await rig.AdoptAsync(ExecutionRig.Signal(trade) with { Account = new AccountId(account) }, 0.01m);
        var events = await rig.EventsAsync(trade);
        Assert.Equal(isAdopted, events.Any(e => e is PositionAdopted));
        Assert.Equal(isAdopted ? 1 : 0, venue.Book.Count);
        Assert.Equal(isAdopted, !events.Any(e => e is EntryFailedRecorded));
    }

    /// <summary>Prevents a profit, a stop or an age that is passed by because the venue says nothing of an order that is doubted.</summary>
    [Fact]
    public async Task A_doubt_that_the_venue_does_not_clear_keeps_nothing_else_of_the_trade_waiting()
    {
        // The stop's cancel and the exit itself each have to be done again, after the doubt was asked about in vain.
        _venue.CancelsUnanswered = 1;
        _venue.Script = order => order.Id.Role == OrderRole.Exit ? Mishap.AcceptThenSilence : Mishap.None;
        _rig.StartKeeper();
        var trade = ExecutionRig.TradeOf(1);
        await _rig.ExecuteAsync(ExecutionRig.Signal(trade));
        await _rig.UntilAsync(async () => (await _rig.StateAsync(trade)).Stop is { Status: OrderStatus.Resting }, "the stop rests");
        (_venue.Forgets, _venue.FillsPassedOver) = (id => id.Role == OrderRole.Entry, 1);
        await _rig.CorrectAsync(trade, ClientOrderId.Of(trade, OrderRole.Entry, 0));
        await _rig.UntilAsync(async () => (await _rig.StateAsync(trade)).Entry is { Doubted: true }, "it is doubted");
        _venue.Price *= 1.1m;
        await _rig.UntilAsync(async () => (await _rig.EventsAsync(trade)).Any(e => e is PositionClosed), "the profit is taken");
        Assert.True((await _rig.StateAsync(trade)).Entry!.Doubted);
        Assert.Equal(0, _venue.CancelsUnanswered);
        Assert.InRange(_venue.Held, 0, 0.0001m);
    }

    /// <summary>One event of a build to come kept the whole index from moving, and no trade was looked after any more.</summary>
    [Fact]
    public async Task An_event_that_this_build_does_not_know_keeps_no_other_trade_from_being_looked_after()
    {
        _rig.StartKeeper();
        var (strange, trade) = (ExecutionRig.TradeOf(1), ExecutionRig.TradeOf(2));
        await _rig.ExecuteAsync(ExecutionRig.Signal(strange));
        await _rig.Store.AppendAsync(
            new AppendRequest
            {
                Stream = Streams.Order(strange),
                Expected = ExpectedVersion.Any,
                Decision = new Decision(Guid.NewGuid(), "tomorrow"),
                Events = [new NewEvent("order_of_tomorrow", "Tomorrow, Next", "{}"u8.ToArray())],
                At = DateTimeOffset.UtcNow.Cut(),
            },
            TestContext.Current.CancellationToken);
        await _rig.ExecuteAsync(ExecutionRig.Signal(trade));
        await _rig.UntilAsync(async () => (await _rig.StateAsync(trade)).Stop is { Status: OrderStatus.Resting }, "the stop rests");
        _venue.Price *= 1.1m;
        await _rig.UntilAsync(() => Task.FromResult(_bus.Of<TradeClosed>().Any(c => c.Trade == trade)), "the profit is taken");
    }

    /// <summary>The keeper looked at everything once and then waited for the slowest: one trade's long question held every other's exit.</summary>
    [Fact]
    public async Task A_question_that_takes_long_keeps_no_other_trade_waiting()
    {
        var (silent, trade) = (ExecutionRig.TradeOf(1), ExecutionRig.TradeOf(2));
        var asked = new TaskCompletionSource();
        var answer = new TaskCompletionSource();
        _venue.Script = order => order.Id.Trade == silent ? Mishap.SilenceWithoutOrder : Mishap.None;
        _venue.BeforeAnswer = async order =>
        {
            if (order.Trade != silent)
                return;
            asked.TrySetResult();
            await answer.Task;
        };
        _rig.StartKeeper();
        await _rig.ExecuteAsync(ExecutionRig.Signal(silent));
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        await _rig.ExecuteAsync(ExecutionRig.Signal(trade));
        await _rig.UntilAsync(async () => (await _rig.StateAsync(trade)).Stop is { Status: OrderStatus.Resting }, "the stop rests");
        _venue.Price *= 1.1m;
        await _rig.UntilAsync(() => Task.FromResult(_bus.Of<TradeClosed>().Any(c => c.Trade == trade)), "the profit is taken");
        answer.SetResult();
    }

    [Fact]
    public async Task That_an_order_is_absent_is_recorded_with_what_the_venue_said_to_each_question()
    {
        var first = true;
        _venue.Script = _ => first && !(first = false) ? Mishap.SilenceWithoutOrder : Mishap.None;
        _rig.StartKeeper();
        var trade = ExecutionRig.TradeOf(1);
        await _rig.ExecuteAsync(ExecutionRig.Signal(trade));
        await _rig.UntilAsync(async () => (await _rig.StateAsync(trade)).Stop is { Status: OrderStatus.Resting }, "the stop rests");
        var absent = Assert.Single((await _rig.EventsAsync(trade)).OfType<OrderAbsent>());
        Assert.Matches("^by its id: -2013 .*; open orders: 0, none of them it; trades since .*: 0, none of them its$", absent.Evidence);
    }

    [Fact]
    public async Task An_order_that_two_operators_settled_while_the_venue_was_away_is_given_back_when_it_turns_out_to_have_filled()
    {
        var (trade, entry) = (ExecutionRig.TradeOf(1), ClientOrderId.Of(ExecutionRig.TradeOf(1), OrderRole.Entry, 0));
        _venue.Script = order => order.Id.Role == OrderRole.Entry ? Mishap.AcceptThenSilence : Mishap.None;
        _venue.IsAway = true;
        _rig.StartKeeper();
        await _rig.ExecuteAsync(ExecutionRig.Signal(trade));
        await Task.Delay(TimeSpan.FromSeconds(1.5), TestContext.Current.CancellationToken);
        await _rig.SettleAsync(trade, entry, "anna", confirms: false);
        var proposed = Assert.Single((await _rig.EventsAsync(trade)).OfType<OrderSettlementProposed>());
        Assert.Equal("by its id: away", proposed.Evidence);
        await _rig.SettleAsync(trade, entry, "anna", confirms: true);
        Assert.Single((await _rig.EventsAsync(trade)).OfType<OrderSettlementRefused>());
        await _rig.SettleAsync(trade, entry, "ben", confirms: true);
        Assert.Single(_bus.Of<EntryFailed>());

        _venue.IsAway = false;
        await _rig.UntilAsync(() => Task.FromResult(_bus.Of<TradeClosed>().Count == 1), "what was bought is sold again");
        Assert.Equal([OrderRole.Entry, OrderRole.Exit], _venue.Book.Select(o => o.Role));
    }

    [Fact]
    public async Task An_entry_that_is_refused_four_times_is_tried_by_half_after_everything_was_asked_for_anew()
    {
        _venue.Script = order => order.Id.Value.StartsWith("e0", StringComparison.Ordinal) ? Mishap.OutOfWindow : Mishap.None;
        _rig.StartKeeper();
        var trade = ExecutionRig.TradeOf(1);
        await _rig.ExecuteAsync(ExecutionRig.Signal(trade));
        await _rig.UntilAsync(() => Task.FromResult(_bus.Of<TradeOpened>().Count == 1), "half of it is open");
        var events = await _rig.EventsAsync(trade);
        Assert.Equal(4, events.OfType<OrderRefused>().Count());
        Assert.All(Assert.Single(events.OfType<OrderRevalidated>()).Verdicts, v => Assert.True(v.Passed, v.Saw));
        var intended = events.OfType<OrderIntended>().Where(o => o.Role == OrderRole.Entry).ToList();
        Assert.Equal(Math.Floor(intended[0].Quantity.Value / 2 * 100_000) / 100_000, intended[1].Quantity.Value);
        Assert.Equal(intended[1].Order, _venue.Book.Single(o => o.Role == OrderRole.Entry).Id);
    }
}
