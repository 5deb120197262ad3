using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;
using Antbot.Reconciliation;
using Xunit;
using static Antbot.Integration.Tests.Reconciliation.ReconciliationWorld;

namespace Antbot.Integration.Tests.Reconciliation;

/// <summary>A trade is held against the venue, whatever the venue and the bus do meanwhile.</summary>
public sealed class VerifyTradeTests
{
    private readonly ReconciliationWorld _world = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_trade_is_answered_with_the_venues_words_and_a_repetition_is_answered_alike()
    {
        _world.Venue.Put(Entry(), Side.Buy, 1, VenueOrderStatus.Filled);
        await _world.HandleAsync(Verify());
        await _world.HandleAsync(Verify());

        Assert.Single(await _world.EventsAsync());
        Assert.Equal(2, _world.Bus.Sent.Count);
        Assert.Single(_world.Bus.Sent.Select(m => m.Id).Distinct());
        var answer = Assert.IsType<TradeReconciled>(_world.Bus.Sent.First().Body);
        Assert.Contains("executed 1 of 1", answer.Evidence, StringComparison.Ordinal);
    }

    /// <summary>Prevents a repetition that is decided anew because the venue says something else by now.</summary>
    [Fact]
    public async Task A_repetition_is_answered_as_the_first_time_although_the_venue_says_something_else_now()
    {
        _world.Venue.Put(Entry(), Side.Buy, 1, VenueOrderStatus.Filled);
        await _world.HandleAsync(Verify());
        _world.Venue.Put(Entry(), Side.Buy, 0.5m, VenueOrderStatus.Cancelled);
        await _world.HandleAsync(Verify());
        Assert.All(_world.Bus.Sent, m => Assert.IsType<TradeReconciled>(m.Body));
    }

    /// <summary>Found by the fault tests: what was left of an adopted position was too little to be sold, and its trade was never found right because no order of it had shown a price.</summary>
    [Theory]
    [InlineData(0.46, typeof(TradeVerified))]
    [InlineData(0.44, typeof(TradeDrifted))]
    public async Task Of_what_was_adopted_and_written_off_may_be_left_what_cannot_be_sold(double writtenOff, Type answer)
    {
        var stop = ClientOrderId.Of(Trade(), OrderRole.Stop, 0);
        await _world.RecordAsync(
            Trade(),
            new PositionAdopted(Entry(), Trade(), Account, FakeVenue.Btc, Side.Buy, new Quantity(0.5m), new Price(100), "USDT", DateTimeOffset.UtcNow, "test"),
            new PositionWrittenOff(Trade(), Account, FakeVenue.Btc, Side.Buy, new Quantity((decimal)writtenOff), "test", "test"));
        _world.Venue.Put(stop, Side.Sell, 0, VenueOrderStatus.Cancelled);
        await _world.HandleAsync(new VerifyTrade(Trade(), Account, FakeVenue.Btc, Side.Buy, new Quantity(0.5m), Closed: true, [stop]));
        Assert.IsType(answer, Assert.Single(await _world.EventsAsync()));
    }

    [Fact]
    public async Task While_the_venue_is_away_nothing_is_said_and_once_it_is_back_the_trade_is_reconciled()
    {
        _world.Venue.Away = true;
        await _world.HandleAsync(Verify());
        await _world.Pending.TurnAsync(Cancel);
        Assert.Empty(_world.Bus.Sent);
        Assert.IsType<VerificationPending>(Assert.Single(await _world.EventsAsync()));

        // The process dies; the next one goes on.
        _world.Venue.Away = false;
        _world.Venue.Put(Entry(), Side.Buy, 1, VenueOrderStatus.Filled);
        var next = _world.NextProcess();
        await next.Pending.TurnAsync(Cancel);
        var reconciled = Assert.Single(next.Bus.Sent);
        Assert.IsType<TradeReconciled>(reconciled.Body);
        Assert.Equal(Trade().Value, reconciled.CorrelationId);

        // The question comes once more: what was found since is said again, under the same id.
        await next.HandleAsync(Verify());
        Assert.Equal([reconciled.Id, reconciled.Id], next.Bus.Sent.Select(m => m.Id));
        Assert.Equal(2, (await next.EventsAsync()).Count);
    }

    [Fact]
    public async Task An_open_question_is_asked_again_more_and_more_rarely()
    {
        _world.Venue.Away = true;
        await _world.HandleAsync(Verify());
        var asked = _world.Venue.Questions;
        for (var i = 0; i < 10; i++)
            await _world.Pending.TurnAsync(Cancel);
        Assert.Equal(asked + 1, _world.Venue.Questions);
    }

    [Fact]
    public async Task A_drift_names_the_order_and_ends_when_the_owner_has_corrected_its_record()
    {
        await _world.RecordOpenAsync();
        _world.Venue.Put(Entry(), Side.Buy, 1, VenueOrderStatus.Filled);
        await _world.RecordAsync(Trade(), Filled(1, 0.5m));
        await _world.HandleAsync(Verify(0.5m));
        Assert.Equal([typeof(DriftFound), typeof(CorrectOrder)], _world.Bus.Sent.Select(m => m.Body.GetType()).OrderByDescending(t => t.Name));
        Assert.Equal(Entry(), _world.Bus.Sent.Select(m => m.Body).OfType<CorrectOrder>().Single().Order);

        await _world.RecordAsync(Trade(), Filled(1, 0.5m, "2"), new Contracts.Events.OrderEnded(Entry(), Contracts.Events.OrderEnd.Filled, new Quantity(1), "corrected"));
        await _world.Pending.TurnAsync(Cancel);
        Assert.Equal(typeof(TradeReconciled), _world.Bus.Sent.Last().Body.GetType());
        await _world.HandleAsync(Verify(0.5m));
        Assert.Equal(6, _world.Bus.Sent.Count);
        Assert.Equal(3, _world.Bus.Sent.Select(m => m.Id).Distinct().Count());
    }

    [Fact]
    public async Task Fees_of_the_base_asset_explain_what_seems_to_be_left_and_a_listing_that_lags_is_not_believed()
    {
        var exit = ClientOrderId.Of(Trade(), OrderRole.Exit, 0);
        var bought = _world.Venue.Put(Entry(), Side.Buy, 1, VenueOrderStatus.Filled);
        var sold = _world.Venue.Put(exit, Side.Sell, 0.9m, VenueOrderStatus.Filled);
        _world.Venue.Fills[sold.VenueOrderId] = [Fill("2", sold, 0.9m, 0, "USDT")];
        await _world.HandleAsync(Verify(closed: true));
        Assert.Contains("lists fills of 0", Assert.IsType<VerificationPending>(Assert.Single(await _world.EventsAsync())).Reason, StringComparison.Ordinal);

        _world.Venue.Fills[bought.VenueOrderId] = [Fill("1", bought, 1, 0.1m, "BTC")];
        await _world.Pending.TurnAsync(Cancel);
        Assert.IsType<TradeReconciled>(Assert.Single(_world.Bus.Sent).Body);
    }

    [Fact]
    public async Task A_trade_of_an_account_whose_keys_are_not_here_waits_in_that_accounts_stream()
    {
        await _world.HandleAsync(Verify() with { Account = new AccountId("other") });
        Assert.Empty(_world.Bus.Sent);
        Assert.Equal(1, await _world.Parts.Store.ReadVersionAsync(Streams.Reconciliation(new AccountId("other")), Cancel));
    }

    private static FillReport Fill(string id, OrderReport order, decimal quantity, decimal fee, string asset) =>
        new(id, order.VenueOrderId, order.Symbol, order.Side, new Quantity(quantity), new Price(100), new Money(fee), asset, DateTimeOffset.UtcNow);
}
