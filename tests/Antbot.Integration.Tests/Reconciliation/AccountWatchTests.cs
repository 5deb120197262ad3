using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;
using Antbot.Integration.Tests.Support;
using Antbot.Reconciliation;
using Antbot.Runtime.Control;
using Antbot.Runtime.Store;
using Xunit;
using static Antbot.Integration.Tests.Reconciliation.ReconciliationWorld;

namespace Antbot.Integration.Tests.Reconciliation;

/// <summary>The whole account is held against the venue: at start, when somebody awaits it, and again and again.</summary>
public sealed class AccountWatchTests
{
    private readonly ReconciliationWorld _world = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_first_look_sets_the_baseline_and_says_that_the_start_is_reconciled_and_the_next_adds_nothing()
    {
        await _world.LookAsync();
        await _world.LookAsync();
        Assert.Equal([typeof(BalanceBaselineSet), typeof(StartReconciled)], (await _world.EventsAsync()).Select(e => e.GetType()));

        // The next process looks for itself, and keeps the baseline.
        var next = _world.NextProcess();
        await next.LookAsync();
        Assert.Equal([typeof(StartReconciled)], (await next.EventsAsync()).Skip(2).Select(e => e.GetType()));
    }

    [Fact]
    public async Task A_listing_that_failed_is_unknown_never_empty()
    {
        await _world.RecordOpenAsync();
        _world.Venue.Away = true;
        await _world.LookAsync();
        await _world.LookAsync();
        var stalled = Assert.IsType<ReconciliationStalled>(Assert.Single(await _world.EventsAsync()));
        Assert.StartsWith("open orders: ", stalled.Reason, StringComparison.Ordinal);
        Assert.Empty(_world.Bus.Sent);

        _world.Venue.Away = false;
        _world.Venue.Put(Entry(), Side.Buy, 0, VenueOrderStatus.Open);
        await _world.LookAsync();
        Assert.Equal([typeof(ReconciliationResumed), typeof(BalanceBaselineSet), typeof(StartReconciled)], (await _world.EventsAsync()).Skip(1).Select(e => e.GetType()));
    }

    /// <summary>Prevents a stop that is gone and not missed as long as the venue does not say its balances.</summary>
    [Fact]
    public async Task Without_balances_orders_are_compared_all_the_same_and_the_start_is_not_over()
    {
        await _world.RecordOpenAsync();
        _world.Venue.BalancesAway = true;
        for (var look = 0; look < 8; look++)
            await _world.LookAsync();
        Assert.Equal([typeof(ReconciliationStalled), typeof(DifferenceFound)], (await _world.EventsAsync()).Select(e => e.GetType()));
        Assert.StartsWith("balances: ", _world.Watch.Trouble, StringComparison.Ordinal);
        Assert.Contains(_world.Bus.Sent, m => m.Body is CorrectOrder);

        _world.Venue.BalancesAway = false;
        _world.Venue.Put(Entry(), Side.Buy, 0, VenueOrderStatus.Open);
        await _world.LookAsync();
        Assert.Equal([typeof(ReconciliationResumed), typeof(BalanceBaselineSet), typeof(DifferenceSettled), typeof(StartReconciled)], (await _world.EventsAsync()).Skip(2).Select(e => e.GetType()));
        Assert.Null(_world.Watch.Trouble);
    }

    /// <summary>Prevents that one line which makes no sense leaves the whole account unreckoned, without a word.</summary>
    [Fact]
    public async Task One_balance_that_makes_no_sense_is_said_and_keeps_no_other_from_being_compared()
    {
        (_world.Venue.PassedOver, _world.Venue.Names) = (1, ["BTC"]);
        await _world.LookAsync();
        var events = await _world.EventsAsync();
        Assert.Equal(["BTC"], Assert.Single(events.OfType<BalanceBaselineSet>()).Unread!);
        Assert.Equal("the balances of BTC make no sense", Assert.Single(events.OfType<StartReconciled>()).Uncompared);
        Assert.Equal("the balances of BTC make no sense", _world.Watch.Trouble);
        _world.Venue.Balances["USDT"] = 999.5m;
        await _world.LookAsync();
        Assert.Equal("USDT", Assert.Single((await _world.EventsAsync()).OfType<DifferenceFound>()).Subject);

        // What is there when it can be read is where it starts from: no trade is made of it.
        (_world.Venue.PassedOver, _world.Venue.Names, _world.Venue.Balances["BTC"]) = (0, [], 0.5m);
        for (var look = 0; look < 4; look++)
            await _world.LookAsync();
        Assert.Null((await _world.EventsAsync()).OfType<BalanceBaselineSet>().Last().Unread);
        Assert.Null(_world.Watch.Trouble);
        _world.Venue.Balances["BTC"] = 0.4m;
        await _world.LookAsync();
        Assert.Single((await _world.EventsAsync()).OfType<DifferenceFound>(), d => d.Subject == "BTC");
        Assert.Empty(_world.Bus.Sent);
        // While it makes no sense again, that difference is not over.
        (_world.Venue.PassedOver, _world.Venue.Names) = (1, ["BTC"]);
        _world.Venue.Balances.TryRemove("BTC", out _);
        await _world.LookAsync();
        Assert.DoesNotContain((await _world.EventsAsync()).OfType<DifferenceSettled>(), d => d.Subject == "BTC");
    }

    /// <summary>Prevents a start that passes for complete though nothing of what the account holds was compared.</summary>
    [Fact]
    public async Task Where_nobody_can_say_whose_balance_makes_no_sense_the_start_waits_and_then_says_so()
    {
        _world.Venue.PassedOver = 1;
        for (var look = 0; look < 4; look++)
            await _world.LookAsync();
        Assert.Empty(await _world.EventsAsync());
        await _world.LookAsync();
        Assert.Equal("1 balances make no sense, and it is not known of which assets", Assert.IsType<StartReconciled>(Assert.Single(await _world.EventsAsync())).Uncompared);
        _world.Venue.PassedOver = 0;
        await _world.LookAsync();
        Assert.IsType<BalanceBaselineSet>((await _world.EventsAsync())[^1]);
    }

    /// <summary>Prevents positions that a store which was lost had opened, and that lie there unprotected without anybody knowing.</summary>
    [Theory]
    [InlineData(0.05, true)]
    [InlineData(0.049, false)]
    public async Task What_is_worth_a_position_and_was_there_before_us_is_named(double amount, bool isNamed)
    {
        _world.Venue.Balances["BTC"] = (decimal)amount;
        await _world.LookAsync();
        var unprotected = Assert.Single((await _world.EventsAsync()).OfType<BalanceBaselineSet>()).Unprotected;
        IReadOnlyList<AssetAmount>? expected = isNamed ? [new AssetAmount("BTC", 0.05m)] : null;
        Assert.Equal(expected, unprotected);
    }

    /// <summary>Prevents a position without its stop: the entries before it in the alphabet were asked about, look after look.</summary>
    [Fact]
    public async Task A_stop_that_is_gone_is_found_at_once_beside_sixty_entries_that_are_gone_too()
    {
        var stop = ClientOrderId.Of(Trade(99), OrderRole.Stop, 0);
        for (var n = 0; n < 60; n++)
            await _world.RecordOpenAsync(n);
        await _world.RecordAsync(
            Trade(99), new OrderIntended(stop, Trade(99), Account, OrderRole.Stop, FakeVenue.Btc, Side.Sell, OrderKind.Market, new Quantity(1), null, new Price(90), ReduceOnly: true, null, "test", NotBefore: null),
            new OrderAttempted(stop, 1, DateTimeOffset.UtcNow, 5_000, 0), new OrderAccepted(stop, "v-stop", DateTimeOffset.UtcNow));
        await _world.LookAsync();
        Assert.Contains((await _world.EventsAsync()).OfType<DifferenceFound>(), d => d.Subject == stop.Value);
        await _world.LookAsync();
        Assert.Equal(61, (await _world.EventsAsync()).OfType<DifferenceFound>().Count());
    }

    [Fact]
    public async Task Unknown_and_vanished_orders_are_told_once_corrected_by_their_owner_and_settled()
    {
        await _world.LookAsync();
        await _world.RecordOpenAsync(1);
        await _world.RecordOpenAsync(2);
        await _world.RecordGivenUpAsync(3);
        _world.Venue.Put(Entry(1), Side.Buy, 1, VenueOrderStatus.Filled);
        _world.Venue.Put(Entry(2), Side.Buy, 0, VenueOrderStatus.Open);
        _world.Venue.Put(Entry(3), Side.Buy, 0, VenueOrderStatus.Open);
        await _world.LookAsync();
        await _world.LookAsync();

        var found = (await _world.EventsAsync()).OfType<DifferenceFound>().OrderBy(d => d.Kind).ToList();
        Assert.Equal([(DifferenceKind.UnknownOrder, Entry(3).Value), (DifferenceKind.VanishedOrder, Entry(1).Value)], found.Select(d => (d.Kind, d.Subject)));
        // Decided at the account, and all the same in the story of its trade.
        Assert.All(_world.Bus.Sent.Where(m => m.Body is CorrectOrder), m => Assert.Equal(((CorrectOrder)m.Body).Trade.Value, m.CorrelationId));
        Assert.Equal([Trade(1), Trade(3)], _world.Bus.Sent.Select(m => m.Body).OfType<CorrectOrder>().Select(c => c.Trade).OrderByDescending(t => t == Trade(1)));
        Assert.Equal([Trade(1)], _world.Bus.Sent.Select(m => m.Body).OfType<DriftFound>().Select(c => c.Trade));

        await _world.RecordAsync(Trade(1), Filled(1, 1), new OrderEnded(Entry(1), OrderEnd.Filled, new Quantity(1), "corrected"));
        _world.Venue.Put(Entry(3), Side.Buy, 0, VenueOrderStatus.Cancelled);
        _world.Venue.Balances["BTC"] = 1;
        _world.Venue.Balances["USDT"] = 900;
        await _world.LookAsync();
        Assert.Equal(2, (await _world.EventsAsync()).OfType<DifferenceSettled>().Count());
        await _world.LookAsync();
        Assert.Equal(6, (await _world.EventsAsync()).Count);
    }

    [Fact]
    public async Task Money_that_no_fill_explains_is_told_and_then_reckoned_with()
    {
        await _world.LookAsync();
        _world.Venue.Balances["USDT"] = 999.5m;
        await _world.LookAsync();
        var found = Assert.Single((await _world.EventsAsync()).OfType<DifferenceFound>());
        Assert.Equal((DifferenceKind.Balance, "USDT"), (found.Kind, found.Subject));
        Assert.Contains("-0.5 USDT", found.What, StringComparison.Ordinal);
        Assert.Equal("the venue holds 999.5 USDT free and 0 locked", found.Evidence);
        for (var look = 0; look < 4; look++)
            await _world.LookAsync();
        Assert.Equal([typeof(DifferenceFound), typeof(BalanceTakenOver), typeof(DifferenceSettled)], (await _world.EventsAsync()).Skip(2).Select(e => e.GetType()));
        Assert.Empty(_world.Bus.Sent);
    }

    /// <summary>As it is without any setting, of whatever asset.</summary>
    [Theory]
    [InlineData("USDT", 10, 0)]
    [InlineData("USDT", -10, 0)]
    [InlineData("USDT", 11, 1)]
    [InlineData("USDT", -11, 1)]
    [InlineData("BTC", 10, 0)]
    [InlineData("BTC", -11, 1)]
    public async Task By_default_what_differs_by_a_thousandth_is_equal_and_what_differs_by_more_is_not(string asset, int tenThousandths, int differences)
    {
        Assert.Equal(0.001m, _world.Options.Tolerance);
        _world.Venue.Balances[asset] = 1_000;
        await _world.LookAsync();
        _world.Venue.Balances[asset] = 1_000 + tenThousandths / 10_000m;
        await _world.LookAsync();
        Assert.Equal(differences, (await _world.EventsAsync()).OfType<DifferenceFound>().Count());
    }

    [Fact]
    public async Task A_holding_that_nobody_entered_is_adopted_once_and_settled_when_it_is_a_trade()
    {
        await _world.LookAsync();
        _world.Venue.Balances["BTC"] = 0.5m;
        for (var look = 0; look < 4; look++)
            await _world.LookAsync();
        var adopted = Assert.Single(_world.Bus.Sent.Select(m => m.Body).OfType<AdoptTrade>());
        Assert.Equal(adopted.Trade.Value, _world.Bus.Sent.Single(m => m.Body is AdoptTrade).CorrelationId);
        Assert.Equal((0.5m, 50m), (adopted.Quantity.Value, adopted.Signal.Notional.Value));
        await _world.RecordAsync(
            adopted.Trade, new PositionAdopted(ClientOrderId.Of(adopted.Trade, OrderRole.Entry, 0), adopted.Trade, Account, FakeVenue.Btc, Side.Buy, adopted.Quantity, new Price(100), "USDT", DateTimeOffset.UtcNow, "test"));
        await _world.LookAsync();
        await _world.LookAsync();
        Assert.Equal([typeof(DifferenceFound), typeof(AdoptionDecided), typeof(DifferenceSettled)], (await _world.EventsAsync()).Skip(2).Select(e => e.GetType()));

        // Whether it is right, the record tells: the venue never had an order for it.
        await _world.HandleAsync(new VerifyTrade(adopted.Trade, Account, FakeVenue.Btc, Side.Buy, adopted.Quantity, Closed: false, [ClientOrderId.Of(adopted.Trade, OrderRole.Entry, 0)]));
        Assert.Equal(0.5m, Assert.IsType<TradeVerified>((await _world.EventsAsync())[^1]).Adopted.Value);
    }

    /// <summary>Prevents an adoption at a price that nobody knows, and one that is forgotten because the market was away at first.</summary>
    [Fact]
    public async Task Without_a_price_it_is_told_and_adopted_when_there_is_one()
    {
        await _world.LookAsync();
        (_world.Venue.Balances["BTC"], _world.Venue.Price) = (0.5m, null);
        for (var look = 0; look < 3; look++)
            await _world.LookAsync();
        Assert.Empty(_world.Bus.Sent);
        _world.Venue.Price = 100;
        await _world.LookAsync();
        Assert.IsType<AdoptTrade>(Assert.Single(_world.Bus.Sent).Body);
    }

    /// <summary>Prevents a holding that is left without a stop for ever because its adoption was refused once, or somebody closed it before it came.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_adoption_that_came_to_nothing_is_ended_and_tried_anew_at_the_next_look_and_after_that_ever_later(bool closedBefore)
    {
        var clock = new ManualClock(DateTimeOffset.UtcNow);
        var world = new ReconciliationWorld(clock: clock);
        await world.LookAsync();
        world.Venue.Balances["BTC"] = 0.5m;
        await LookAsync();
        await FailAsync(Assert.Single(Told()));
        await LookAsync();
        await FailAsync(Told()[1]);
        await LookAsync();
        var reason = closedBefore ? "it was to end before it began: not wanted" : "not adopted: dry";
        Assert.Equal([(Told()[0], reason), (Told()[1], reason)], (await world.EventsAsync()).OfType<RemedyEnded>().Select(e => (e.Trade, e.Reason)));
        Assert.Equal(2, world.Bus.Sent.Count);
        clock.Move(TimeSpan.FromMinutes(1));
        await LookAsync();
        Assert.Equal(3, Told().Distinct().Count());
        var last = world.Bus.Sent.Select(m => m.Body).OfType<AdoptTrade>().Last();
        await world.RecordAsync(
            last.Trade, new PositionAdopted(ClientOrderId.Of(last.Trade, OrderRole.Entry, 0), last.Trade, Account, FakeVenue.Btc, Side.Buy, last.Quantity, new Price(100), "USDT", DateTimeOffset.UtcNow, "test"));
        await world.LookAsync();
        await world.LookAsync();
        Assert.IsType<DifferenceSettled>((await world.EventsAsync())[^1]);

        List<TradeId> Told() => [.. world.Bus.Sent.Select(m => m.Body).OfType<AdoptTrade>().Select(a => a.Trade)];

        Task FailAsync(TradeId trade) => world.RecordAsync(trade, closedBefore ? new EntryForbidden(trade, Account, "not wanted") : new EntryFailedRecorded(trade, Account, "not adopted: dry"));

        async Task LookAsync()
        {
            for (var look = 0; look < 4; look++)
                await world.LookAsync();
        }
    }

    [Fact]
    public async Task An_order_that_nobody_here_placed_is_adopted_while_it_rests()
    {
        await _world.LookAsync();
        var foreign = new ClientOrderId("web_17");
        _world.Venue.Put(foreign, Side.Buy, 0, VenueOrderStatus.Open);
        for (var look = 0; look < 3; look++)
            await _world.LookAsync();
        var adopted = Assert.IsType<AdoptTrade>(Assert.Single(_world.Bus.Sent).Body);
        Assert.Equal(("v-web_17", foreign), (adopted.Order!.VenueOrderId, adopted.Order.Order));
        await _world.RecordAsync(adopted.Trade, new OrderAdopted(foreign, adopted.Trade, Account, FakeVenue.Btc, Side.Buy, new Quantity(1), "v-web_17", DateTimeOffset.UtcNow, "test"));
        await _world.LookAsync();
        Assert.IsType<DifferenceSettled>((await _world.EventsAsync())[^1]);
    }

    /// <summary>
    /// Prevents orders of ours that nobody looks after when the store was lost: what was entered and rests, and positions that only a
    /// stop without an owner protects, which were taken for what the account had always held.
    /// </summary>
    [Fact]
    public async Task After_the_store_was_lost_orders_that_bear_our_names_are_adopted_with_what_they_protect()
    {
        var stop = ClientOrderId.Of(Trade(1), OrderRole.Stop, 0);
        (_world.Venue.Balances["BTC"], _world.Venue.Balances["USDT"]) = (1, 900);
        _world.Venue.Put(stop, Side.Sell, 0, VenueOrderStatus.Open);
        _world.Venue.Put(Entry(2), Side.Buy, 0, VenueOrderStatus.Open);
        for (var look = 0; look < 4; look++)
            await _world.LookAsync();
        Assert.DoesNotContain(await _world.EventsAsync(), e => e is BalanceBaselineSet);
        // To a trade that nobody remembers nothing is said.
        Assert.DoesNotContain(_world.Bus.Sent, m => m.Body is CorrectOrder or DriftFound);
        var adopted = _world.Bus.Sent.Select(m => m.Body).OfType<AdoptTrade>().ToDictionary(a => a.Order!.Order);
        Assert.Equal([Entry(2), stop], adopted.Keys.OrderBy(o => o.Value, StringComparer.Ordinal));
        Assert.Equal(2, (await _world.EventsAsync()).OfType<DifferenceFound>().Count());

        var (position, order) = (adopted[stop].Trade, adopted[Entry(2)].Trade);
        await _world.RecordAsync(
            position, new PositionAdopted(ClientOrderId.Of(position, OrderRole.Entry, 0), position, Account, FakeVenue.Btc, Side.Buy, new Quantity(1), new Price(100), "USDT", DateTimeOffset.UtcNow, "test"),
            new OrderAdopted(stop, position, Account, FakeVenue.Btc, Side.Sell, new Quantity(1), $"v-{stop.Value}", DateTimeOffset.UtcNow, "test"));
        await _world.RecordAsync(order, new OrderAdopted(Entry(2), order, Account, FakeVenue.Btc, Side.Buy, new Quantity(1), $"v-{Entry(2).Value}", DateTimeOffset.UtcNow, "test"));
        for (var look = 0; look < 4; look++)
            await _world.LookAsync();
        Assert.Equal(2, (await _world.EventsAsync()).OfType<DifferenceSettled>().Count());
        // Now it is known what the account holds beside them: nothing, so that nothing is missing when the stop fires.
        Assert.Single((await _world.EventsAsync()).OfType<BalanceBaselineSet>());
        _world.Venue.Put(stop, Side.Sell, 1, VenueOrderStatus.Filled);
        (_world.Venue.Balances["BTC"], _world.Venue.Balances["USDT"]) = (0, 1_000);
        await _world.RecordAsync(position, new OrderFilled(stop, "1", new Quantity(1), new Price(100), Money.Zero, "USDT", DateTimeOffset.UtcNow, Money.Zero), new OrderEnded(stop, OrderEnd.Filled, new Quantity(1), "test"));
        var before = (await _world.EventsAsync()).Count;
        await _world.LookAsync();
        await _world.LookAsync();
        Assert.Equal(before, (await _world.EventsAsync()).Count);
    }

    /// <summary>Prevents coins with two owners: a purchase that was found, and filled while its adoption was on its way, was adopted again as a holding that nobody explains.</summary>
    [Fact]
    public async Task An_order_that_is_filled_while_its_adoption_is_held_up_is_adopted_once()
    {
        await _world.LookAsync();
        var foreign = new ClientOrderId("web_17");
        _world.Venue.Put(foreign, Side.Buy, 0, VenueOrderStatus.Open);
        for (var look = 0; look < 3; look++)
            await _world.LookAsync();
        var adopted = Assert.Single(_world.Bus.Sent.Select(m => m.Body).OfType<AdoptTrade>());
        _world.Venue.Put(foreign, Side.Buy, 1, VenueOrderStatus.Filled);
        (_world.Venue.Balances["BTC"], _world.Venue.Balances["USDT"]) = (1, 900);
        for (var look = 0; look < 5; look++)
            await _world.LookAsync();
        Assert.Single(_world.Bus.Sent.Select(m => m.Body).OfType<AdoptTrade>());

        // It comes, is found to be filled, and is all there is.
        await _world.RecordAsync(
            adopted.Trade, new OrderAdopted(foreign, adopted.Trade, Account, FakeVenue.Btc, Side.Buy, new Quantity(1), "v-web_17", DateTimeOffset.UtcNow, "test"),
            new OrderFilled(foreign, "1", new Quantity(1), new Price(100), Money.Zero, "USDT", DateTimeOffset.UtcNow, Money.Zero), new OrderEnded(foreign, OrderEnd.Filled, new Quantity(1), "test"));
        for (var look = 0; look < 4; look++)
            await _world.LookAsync();
        Assert.Single(_world.Bus.Sent.Select(m => m.Body).OfType<AdoptTrade>());
        Assert.DoesNotContain(_world.Bus.Sent, m => m.Body is WriteOffPosition);
        var open = (await _world.EventsAsync()).Aggregate(ReconciliationState.Initial, ReconciliationState.Fold.Apply).Differences;
        Assert.Empty(open);
    }

    /// <summary>Prevents coins that are never adopted because the order that bought them was adopted, and over, between two looks.</summary>
    [Fact]
    public async Task An_adoption_that_came_and_was_over_between_two_looks_is_not_awaited_for_ever()
    {
        await _world.LookAsync();
        var foreign = new ClientOrderId("web_17");
        _world.Venue.Put(foreign, Side.Buy, 0, VenueOrderStatus.Open);
        for (var look = 0; look < 3; look++)
            await _world.LookAsync();
        var adopted = Assert.Single(_world.Bus.Sent.Select(m => m.Body).OfType<AdoptTrade>());
        await _world.RecordAsync(
            adopted.Trade, new OrderAdopted(foreign, adopted.Trade, Account, FakeVenue.Btc, Side.Buy, new Quantity(1), "v-web_17", DateTimeOffset.UtcNow, "test"),
            new OrderEnded(foreign, OrderEnd.Cancelled, Quantity.Zero, "test"), new EntryFailedRecorded(adopted.Trade, Account, "test"));
        _world.Venue.Put(foreign, Side.Buy, 0, VenueOrderStatus.Cancelled);
        _world.Venue.Balances["BTC"] = 0.5m;
        for (var look = 0; look < 6; look++)
            await _world.LookAsync();
        Assert.Equal(2, _world.Bus.Sent.Select(m => m.Body).OfType<AdoptTrade>().Count());
    }

    [Fact]
    public async Task A_position_that_the_venue_does_not_have_any_more_is_written_off_by_its_owner()
    {
        await _world.LookAsync();
        await _world.RecordOpenAsync();
        await _world.RecordAsync(Trade(), Filled(1, 1), new OrderEnded(Entry(), OrderEnd.Filled, new Quantity(1), "test"));
        _world.Venue.Put(Entry(), Side.Buy, 1, VenueOrderStatus.Filled);
        (_world.Venue.Balances["BTC"], _world.Venue.Balances["USDT"]) = (0.25m, 900);
        for (var look = 0; look < 4; look++)
            await _world.LookAsync();
        var off = Assert.IsType<WriteOffPosition>(Assert.Single(_world.Bus.Sent).Body);
        Assert.Equal((Trade(), 0.75m, "the venue holds 0.25 BTC free and 0 locked"), (off.Trade, off.Quantity.Value, off.Evidence));
        await _world.RecordAsync(Trade(), new PositionWrittenOff(Trade(), Account, FakeVenue.Btc, Side.Buy, off.Quantity, "test", "test"));
        await _world.LookAsync();
        await _world.LookAsync();
        Assert.IsType<DifferenceSettled>((await _world.EventsAsync())[^1]);
    }

    /// <summary>Prevents real coins that are put up for sale although nothing may be sent: in Dry, and before the control is known, what is found at a real venue is only told.</summary>
    [Fact]
    public async Task With_real_money_nothing_is_adopted_but_in_live()
    {
        _world.Venue.IsPaper = false;
        await _world.LookAsync();
        _world.Venue.Balances["BTC"] = 0.5m;
        for (var look = 0; look < 4; look++)
            await _world.LookAsync();
        Assert.Empty(_world.Bus.Sent);
        Assert.Equal(0.5m, Assert.Single((await _world.EventsAsync()).OfType<BalanceTakenOver>()).Amount);
    }

    /// <summary>Prevents a position that is written off because the venue garbled the line that held it.</summary>
    [Fact]
    public async Task A_balance_that_made_no_sense_is_not_taken_for_none()
    {
        await _world.LookAsync();
        await _world.RecordOpenAsync();
        await _world.RecordAsync(Trade(), Filled(1, 1), new OrderEnded(Entry(), OrderEnd.Filled, new Quantity(1), "test"));
        _world.Venue.Put(Entry(), Side.Buy, 1, VenueOrderStatus.Filled);
        (_world.Venue.Balances["USDT"], _world.Venue.PassedOver) = (900, 1);
        for (var look = 0; look < 4; look++)
            await _world.LookAsync();
        Assert.DoesNotContain(await _world.EventsAsync(), e => e is DifferenceFound);
        Assert.Empty(_world.Bus.Sent);
    }

    /// <summary>Prevents an adoption that is decided, never told, and never told again.</summary>
    [Fact]
    public async Task A_remedy_that_was_recorded_and_not_told_is_told_by_the_next_process()
    {
        await _world.LookAsync();
        _world.Venue.Balances["BTC"] = 0.5m;
        await _world.LookAsync();
        _world.Bus.Down = true;
        await Assert.ThrowsAsync<Runtime.Bus.BusUnavailableException>(_world.LookAsync);
        var next = _world.NextProcess();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = next.Watch.RunAsync(stop.Token);
        await Eventually.HoldsAsync(() => next.Bus.Sent.Any(m => m.Body is AdoptTrade), "the adoption is told");
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    /// <summary>Prevents a drift that is cried while Execution is about to record the fill.</summary>
    [Fact]
    public async Task What_has_not_lasted_yet_is_not_told()
    {
        var world = new ReconciliationWorld(options: new ReconciliationOptions { LastsSeconds = 600 });
        await world.LookAsync();
        await world.RecordOpenAsync();
        world.Venue.Put(Entry(), Side.Buy, 1, VenueOrderStatus.Filled);
        await world.LookAsync();
        await world.RecordAsync(Trade(), Filled(1, 1), new OrderEnded(Entry(), OrderEnd.Filled, new Quantity(1), "test"));
        (world.Venue.Balances["BTC"], world.Venue.Balances["USDT"]) = (1, 900);
        await world.LookAsync();
        Assert.Equal(2, (await world.EventsAsync()).Count);
        Assert.Empty(world.Bus.Sent);
    }

    /// <summary>Prevents a correction that is lost when the process ends between recording and telling it.</summary>
    [Fact]
    public async Task What_was_recorded_and_not_told_is_told_by_the_next_process()
    {
        await _world.RecordGivenUpAsync(3);
        _world.Venue.Put(Entry(3), Side.Buy, 0, VenueOrderStatus.Open);
        _world.Bus.Down = true;
        await Assert.ThrowsAsync<Runtime.Bus.BusUnavailableException>(_world.LookAsync);
        Assert.Contains(await _world.EventsAsync(), e => e is DifferenceFound);

        var next = _world.NextProcess();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = next.Watch.RunAsync(stop.Token);
        await Eventually.HoldsAsync(() => next.Bus.Sent.Any(m => m.Body is CorrectOrder), "the correction is told");
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task The_gate_opens_only_after_the_account_was_reconciled_after_this_process_began()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        await _world.LookAsync();

        // A history that was reconciled for somebody who began earlier does not open it.
        // It runs where none of Reconciliation's own events are known, and once failed at the first of them, for ever.
        var known = new EventCodec(EventRegistry.From(typeof(StartReconciled).Assembly));
        var gate = new StartGate(_world.Parts.Store, known, TimeProvider.System, Guid.NewGuid());
        var waiting = gate.RunAsync("execution", Account, stop.Token);
        await Task.Delay(200, Cancel);
        Assert.False(gate.IsOpen);
        Assert.NotNull(gate.Bar);

        // While the venue is away it stays shut.
        _world.Venue.Away = true;
        var watching = _world.Watch.RunAsync(stop.Token);
        await Eventually.HoldsAsync(async () => (await _world.EventsAsync()).Any(e => e is ReconciliationStalled), "the venue's absence is seen");
        Assert.False(gate.IsOpen);
        _world.Venue.Away = false;
        await Eventually.HoldsAsync(() => gate.IsOpen, "the gate is open");
        Assert.Null(gate.Bar);

        // One that begins later is answered without anybody being restarted.
        var later = new StartGate(_world.Parts.Store, known, TimeProvider.System, Guid.NewGuid());
        var second = later.RunAsync("execution", Account, stop.Token);
        await Eventually.HoldsAsync(() => later.IsOpen, "the second gate is open");

        await stop.CancelAsync();
        foreach (var work in new[] { waiting, watching, second })
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => work);
    }
}
