using System.Globalization;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Coordinator.Core;
using Antbot.EventStore.Proof;
using Antbot.Integration.Tests.PaperVenue;
using Antbot.Reconciliation;
using Antbot.Risk.Core;
using Antbot.Runtime.Store;
using Antbot.Validation.Core;
using Xunit;

namespace Antbot.Integration.Tests.Faults;

/// <summary>An order as the venue itself remembers it.</summary>
internal sealed record VenueOrderLine(ClientOrderId Id, string Status, string Side, decimal Executed)
{
    public TradeId Trade => Id.Trade!.Value;

    public bool IsOver => Status is not ("NEW" or "PARTIALLY_FILLED");

    public static async Task<IReadOnlyList<VenueOrderLine>> ReadAsync(VenueClient venue) =>
    [
        .. (await venue.LedgerAsync("order"))
            .Select(o => (Id: new ClientOrderId(o.GetProperty("clientOrderId").GetString()!), Order: o))
            .Where(o => o.Id.Trade is not null)
            .Select(o => new VenueOrderLine(o.Id, Text(o.Order, "status"), Text(o.Order, "side"), decimal.Parse(Text(o.Order, "executedQty"), CultureInfo.InvariantCulture))),
    ];

    private static string Text(JsonElement order, string name) => order.GetProperty(name).GetString()!;
}

/// <summary>Everything that was recorded, read from outside, and what must be true of it whatever has happened.</summary>
internal sealed class History(IEventStore store)
{
    private const int PageSize = 1_000;

    private static readonly EventCodec Codec = new(EventRegistry.From(
        typeof(TradeRaised).Assembly, typeof(RiskState).Assembly, typeof(ReconciliationState).Assembly, typeof(SymbolMemory).Assembly, typeof(Hosting.ProcessStarted).Assembly, typeof(ConsoleService.OperatorCommands).Assembly));

    private readonly List<(StoredEvent Stored, object Event)> _events = [];

    public IReadOnlyList<(StoredEvent Stored, object Event)> Events => _events;

    public IReadOnlyDictionary<TradeId, TradeState> Trades =>
        Of(Streams.TradePrefix).ToDictionary(t => t.Key, t => t.Aggregate(TradeState.Initial, (state, e) => TradeState.Fold.Apply(state, e)));

    public RiskState Account => _events.Where(e => e.Stored.Stream == Streams.Account(new AccountId("main")).Value).Aggregate(RiskState.Initial, (state, e) => RiskState.Fold.Apply(state, e.Event));

    /// <summary>Reads what has come since.</summary>
    public async Task<History> ReadOnAsync(CancellationToken cancellationToken)
    {
        while (await store.ReadPageAsync(_events.Count == 0 ? 0 : _events[^1].Stored.Sequence, PageSize, cancellationToken) is { Count: > 0 } page)
            _events.AddRange(page.Select(e => (e, Codec.Decode(e))));
        return this;
    }

    public IEnumerable<T> Of<T>() => _events.Select(e => e.Event).OfType<T>();

    public IReadOnlyList<object> Of(TradeId trade) => [.. _events.Where(e => e.Stored.Stream == Streams.Trade(trade).Value).Select(e => e.Event)];

    /// <summary>Over, closed ones looked at by Reconciliation, and nothing held back for them any more.</summary>
    public bool IsSettled(IReadOnlyCollection<TradeId> trades)
    {
        var states = Trades;
        return trades.All(t => states.GetValueOrDefault(t) is { IsOver: true } state && (state.Phase != TradePhase.Closed || state.Reconciled)) && Account.Trades.Count == 0;
    }

    /// <summary>What is not settled, for whoever reads that it did not come about.</summary>
    public string WhatIsOpen(IReadOnlyCollection<TradeId> trades)
    {
        var states = Trades;
        var open = trades.Where(t => states.GetValueOrDefault(t) is not { IsOver: true } state || (state.Phase == TradePhase.Closed && !state.Reconciled)).ToList();
        return $"{open.Count} trades: {string.Join(", ", open.Take(5).Select(t => $"{t} {states.GetValueOrDefault(t)?.Phase}"))}; held at Risk: {string.Join(", ", Account.Trades.Take(5).Select(t => $"{t.Key} {t.Value.Stage}"))}"
            + string.Concat(open.Take(2).Select(t => $"\n{t}:\n{StoryOf(t)}"));
    }

    private string StoryOf(TradeId trade) => string.Join('\n', _events
        .Where(e => e.Stored.CorrelationId == trade.Value || e.Stored.Stream.EndsWith(trade.Value, StringComparison.Ordinal))
        .Select(e => $"  {e.Stored.Timestamp:HH:mm:ss.fff} {e.Stored.Stream.Split('-')[0]} {e.Event}"));

    /// <summary>One effect of everything, however often it was said, done or interrupted.</summary>
    public async Task HoldsAsync(IReadOnlyCollection<TradeId> trades, IReadOnlyList<VenueOrderLine> orders, CancellationToken cancellationToken)
    {
        Assert.All(_events.GroupBy(e => e.Stored.EventId), same => Assert.Single(same));
        Assert.All(_events.GroupBy(e => e.Stored.Stream, StringComparer.Ordinal), s => Assert.Equal(Enumerable.Range(1, s.Count()).Select(v => (long)v), s.Select(e => e.Stored.Version)));
        Assert.Equal(trades.Order(ById), Trades.Keys.Order(ById));
        Assert.All(trades, OneLife);
        Assert.All(Of(Streams.OrderPrefix), t => OneSetOfOrders(t.Key, [.. t]));
        OneReservation();
        Assert.Equal((0m, 0m, 0), (Account.Reserved, Account.Open, Account.Trades.Count));
        AtTheVenue(orders);
        var report = await new LedgerVerifier(store.Ledger).VerifyAsync(new VerifyOptions(), cancellationToken);
        Assert.True(report.IsIntact, string.Join(", ", report.Findings.Select(f => f.What)));
        Assert.True(report.EventsChecked >= _events.Count);
    }

    private void OneLife(TradeId trade)
    {
        var life = Of(trade);
        Assert.Single(life, e => e is TradeRaised);
        Assert.Single(life, e => e is TradeRejected or TradeDenied or TradeFailed or TradeExpired or TradeClosedRecorded);
        Assert.All(
            life.Where(e => e is TradeValidated or TradeApproved or TradeOpenedRecorded or TradeClosingRecorded).GroupBy(e => e.GetType()),
            same => Assert.True(same.Count() == 1, $"{trade}: {same.Count()} times {same.Key.Name}"));
    }

    private static void OneSetOfOrders(TradeId trade, IReadOnlyList<object> events)
    {
        Assert.All(
            events.Where(e => e is EntryPlanned or EntryForbidden or EntryWithdrawn or EntryFailedRecorded or PositionOpened or PositionClosing or PositionClosed).GroupBy(e => e.GetType()),
            same => Assert.True(same.Count() == 1, $"{trade}: {same.Count()} times {same.Key.Name}"));
        Assert.All(events.OfType<OrderIntended>().GroupBy(i => i.Order), same => Assert.Single(same));
        Assert.True(events.OfType<OrderIntended>().Count(i => i.Role == OrderRole.Entry) <= 1);
        Assert.All(events.OfType<OrderFilled>().GroupBy(f => (f.Order, f.FillId)), same => Assert.Single(same));
        Assert.All(events.OfType<OrderEnded>().GroupBy(f => f.Order), same => Assert.Single(same));
    }

    private void OneReservation()
    {
        var reserved = Of<ExposureReserved>().Select(e => e.Trade).ToList();
        Assert.Equal(reserved.Count, reserved.Distinct().Count());
        // Whatever was held back was let go once: as it was filled, released, or closed before the news of its filling.
        var freed = Of<object>()
            .Select(e => e switch
            {
                ReservationFilled { Released.Value: > 0 } f => f.Trade,
                ReservationReleased r => r.Trade,
                PositionClosedCounted { AwaitsFill: true } c => c.Trade,
                _ => (TradeId?)null,
            })
            .OfType<TradeId>()
            .ToList();
        Assert.Equal(reserved.Order(ById), freed.Order(ById));
        Assert.All(Of<PositionClosedCounted>().GroupBy(c => c.Trade), same => Assert.Single(same));
    }

    private void AtTheVenue(IReadOnlyList<VenueOrderLine> orders)
    {
        Assert.All(orders.GroupBy(o => o.Id), same => Assert.Single(same));
        Assert.All(orders.Where(o => o.Id.Role == OrderRole.Entry).GroupBy(o => o.Trade), same => Assert.Single(same));
        Assert.All(orders, o => Assert.True(o.IsOver, $"{o.Id} is {o.Status}"));
        // What the venue has executed is what was recorded, order by order, and what it leaves of a trade is what was said to be left.
        var recorded = Of<OrderFilled>().GroupBy(f => f.Order).ToDictionary(f => f.Key, f => f.Sum(x => x.Quantity.Value));
        Assert.All(orders, o => Assert.Equal(o.Executed, recorded.GetValueOrDefault(o.Id)));
        Assert.Superset(recorded.Keys.ToHashSet(), orders.Select(o => o.Id).ToHashSet());
        var entered = orders.Where(o => o.Id.Role == OrderRole.Entry && o.Executed > 0).Select(o => o.Trade).ToHashSet();
        Assert.Equal(entered.Order(ById), Of<PositionClosed>().Select(c => c.Trade).Order(ById));
        Assert.All(Of<PositionClosed>(), closed =>
        {
            var ours = orders.Where(o => o.Trade == closed.Trade).ToList();
            Assert.Equal(closed.Quantity.Value, ours.Where(o => o.Id.Role == OrderRole.Entry).Sum(o => o.Executed));
            Assert.True(ours.Where(o => o.Id.Role != OrderRole.Entry).Sum(o => o.Executed) <= closed.Quantity.Value, $"{closed.Trade} gave back more than it had");
        });
    }

    private IEnumerable<IGrouping<TradeId, object>> Of(string prefix) =>
        _events.Where(e => e.Stored.Stream.StartsWith(prefix, StringComparison.Ordinal)).GroupBy(e => TradeId.From(e.Stored.Stream[prefix.Length..]), e => e.Event);

    private static readonly Comparer<TradeId> ById = Comparer<TradeId>.Create((one, other) => string.CompareOrdinal(one.Value, other.Value));
}
