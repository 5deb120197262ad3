using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;
using Antbot.Kernel.Identity;
using Antbot.Reconciliation;
using Antbot.Runtime.Store;

namespace Antbot.Core.Tests.Reconciliation;

/// <summary>Words for what Reconciliation's tests are about.</summary>
internal static class Given
{
    public static readonly DateTimeOffset Now = new(2026, 3, 4, 5, 6, 7, TimeSpan.Zero);
    public static readonly AccountId Account = new("main");
    public static readonly Symbol Symbol = new("BTCUSDT");
    public static readonly Guid Message = DeterministicId.From("message");

    public static EventCodec Codec { get; } = new(EventRegistry.From(typeof(TradeVerified).Assembly, typeof(OrderIntended).Assembly));

    public static IReadOnlyDictionary<Symbol, SymbolRules> Rules { get; } = new Dictionary<Symbol, SymbolRules>
    {
        [Symbol] = new(Symbol, "BTC", "USDT", 0.01m, 0.001m, new Quantity(0.001m), new Quantity(100), new Money(5)),
    };

    public static TradeId Trade(int n = 1) => new(DeterministicId.From("trade", n.ToString()));

    public static ClientOrderId Entry(int trade = 1) => ClientOrderId.Of(Trade(trade), OrderRole.Entry, 0);

    public static ClientOrderId Exit(int trade = 1) => ClientOrderId.Of(Trade(trade), OrderRole.Exit, 0);

    public static VerifyTrade Verify(decimal quantity, bool closed = false, Side side = Side.Buy) =>
        new(Trade(), Account, Symbol, side, new Quantity(quantity), closed, closed ? [Entry(), Exit()] : [Entry()]);

    public static SeenOrder Seen(ClientOrderId order, Side side, decimal executed, VenueOrderStatus status = VenueOrderStatus.Filled, decimal fees = 0) =>
        new(order, Known: true, "77", side, status, new Quantity(Math.Max(executed, 1)), new Quantity(executed), new Money(executed * 100), new Quantity(fees), Now);

    public static SeenOrder NotKnown(ClientOrderId order, Side side) => new(order, Known: false, "", side, null, Quantity.Zero, Quantity.Zero, Money.Zero, Quantity.Zero, null);

    public static TradeSeen At(VerifyTrade verify, params SeenOrder[] orders) => new(verify, Message, orders, null, null, 0);

    public static OrderIntended Intended(int trade, Side side = Side.Buy, decimal quantity = 1, ClientOrderId? order = null, AccountId? account = null) =>
        new(order ?? Entry(trade), Trade(trade), account ?? Account, OrderRole.Entry, Symbol, side, OrderKind.Market, new Quantity(quantity), null, null, ReduceOnly: false, null, "test", null);

    public static OrderAttempted Attempted(ClientOrderId order) => new(order, 1, Now, 5_000, 0);

    public static OrderAccepted Accepted(ClientOrderId order) => new(order, "77", Now);

    public static OrderFilled Filled(ClientOrderId order, string fill, decimal quantity, decimal price = 100, decimal fee = 0, string asset = "USDT") =>
        new(order, fill, new Quantity(quantity), new Price(price), new Money(fee), asset, Now, asset == "USDT" ? new Money(fee) : null);

    public static OrderEnded Ended(ClientOrderId order, decimal executed = 0) => new(order, OrderEnd.Filled, new Quantity(executed), "test");

    public static PositionClosed Closed(int trade) =>
        new(Trade(trade), Account, Symbol, Side.Buy, new Quantity(1), new Price(100), new Price(110), new Money(10), Money.Zero, "test", [Entry(trade)], Quantity.Zero);

    public static OrderReport Report(ClientOrderId order, Side side = Side.Buy, decimal quantity = 1, decimal executed = 0, VenueOrderStatus status = VenueOrderStatus.Open) =>
        new(order, "77", Symbol, side, status, new Quantity(quantity), new Quantity(executed), new Money(executed * 100), Now, []);

    public static OrderBook Book(params object[] events) => events.Aggregate(OrderBook.Empty(Account), (book, e) => book.Apply(e, Now));

    public static ReconciliationState State(params object[] events) => events.Aggregate(ReconciliationState.Initial, ReconciliationState.Fold.Apply);

    public static object Stored(object @event)
    {
        var encoded = Codec.Encode(@event);
        return Codec.Decode(new StoredEvent
        {
            Sequence = 1, Position = 1, EventId = Message, Stream = "reconciliation-main", Version = 1, Type = encoded.Type, ClrType = encoded.ClrType, Data = encoded.Data, Timestamp = Now,
        });
    }

    /// <summary>Records hold lists, which compare by reference: their JSON says whether they are equal.</summary>
    public static string Json(object value) => JsonSerializer.Serialize(value, value.GetType(), EventCodec.Json);
}
