using System.Collections.Immutable;
using Antbot.Contracts;
using Antbot.Contracts.Events;

namespace Antbot.Reconciliation;

public enum Standing
{
    Intended = 1,

    /// <summary>Sent, or about to be: the venue may have it or not.</summary>
    Attempted = 2,
    Accepted = 3,
    Ended = 4,
}

/// <param name="Since">When it came to its standing.</param>
/// <param name="Fills">The numbers of its fills: the same one twice counts once.</param>
/// <param name="BaseFees">What the venue kept of the base asset.</param>
public sealed record BookedOrder(
    ClientOrderId Id, TradeId Trade, Symbol Symbol, Side Side, Quantity Quantity, Quantity Executed, Standing Standing, DateTimeOffset Since, ImmutableList<string> Fills, decimal BaseFees = 0);

public sealed record Flow(decimal Base, decimal Quote);

public sealed record ClosedTrade(Symbol Symbol, DateTimeOffset At);

/// <summary>What a symbol trades, by our own record: a venue that delists it does not say any more.</summary>
public sealed record SymbolAssets(string Base, string Quote);

/// <summary>
/// One account's orders as the order events tell them, and what all fills ever added up to. Orders are kept until their trade is
/// over, so it stays small however long the history is.
/// </summary>
/// <param name="Live">By client order id.</param>
/// <param name="Flows">By symbol.</param>
/// <param name="Fees">By asset.</param>
/// <param name="WrittenOff">By trade, what left it without an order of ours.</param>
/// <param name="Prices">By symbol, at which it was traded or valued last.</param>
/// <param name="ThirdFees">In what fees were ever taken that was neither bought nor sold.</param>
/// <param name="Unverified">Trades that were closed and not yet held against the venue: what is found beside them may still be theirs.</param>
/// <param name="Assets">By symbol.</param>
/// <param name="Asked">Orders that were found to be otherwise than recorded, and that the venue is being asked for: their fills may be about to change.</param>
public sealed record OrderBook(
    AccountId Account, ImmutableDictionary<string, BookedOrder> Live, ImmutableDictionary<string, Flow> Flows, ImmutableDictionary<string, decimal> Fees, ImmutableHashSet<string> Over,
    ImmutableDictionary<string, decimal> WrittenOff, ImmutableDictionary<string, decimal> Prices, ImmutableHashSet<string> ThirdFees, ImmutableHashSet<string> Asked,
    ImmutableDictionary<string, ClosedTrade> Unverified, ImmutableDictionary<string, SymbolAssets> Assets)
{
    /// <summary>Changes with the fold: kept states of another one are passed over.</summary>
    public const string Name = "order-book-7";

    private static readonly TimeSpan RememberedFor = TimeSpan.FromHours(1);

    public static OrderBook Empty(AccountId account) => new(
        account, ImmutableDictionary<string, BookedOrder>.Empty, ImmutableDictionary<string, Flow>.Empty, ImmutableDictionary<string, decimal>.Empty, [],
        ImmutableDictionary<string, decimal>.Empty, ImmutableDictionary<string, decimal>.Empty, [], [], ImmutableDictionary<string, ClosedTrade>.Empty,
        ImmutableDictionary<string, SymbolAssets>.Empty);

    /// <summary>Something is on its way to the venue or may be there, or what it did there is being asked for.</summary>
    public bool IsMoving => !Asked.IsEmpty || Live.Values.Any(o => o.Standing == Standing.Attempted);

    /// <summary>The order of a fill that the book has no order for: its trade is over, or it is another account's.</summary>
    public ClientOrderId? Missing(object @event) => OrderOf(@event) is { } order && !Live.ContainsKey(order.Value) ? order : null;

    /// <summary>Brings an order of a trade that is over back, with what its stream said before the event at hand.</summary>
    public OrderBook WithMissing(BookedOrder order) => this with { Live = Live.SetItem(order.Id.Value, order), Over = Over.Add(order.Trade.Value) };

    public OrderBook Apply(object @event, DateTimeOffset at)
    {
        var (book, asked) = (Booked(@event, at), AskedAfter(@event));
        return ReferenceEquals(asked, Asked) ? book : book with { Asked = asked };
    }

    /// <summary>As it will be when what the venue has said of an order that is over there has been recorded.</summary>
    public OrderBook Ahead(OverOrder over, DateTimeOffset at)
    {
        if (!Live.ContainsKey(over.Report.Id.Value))
            return this;
        var (id, book) = (over.Report.Id, this);
        foreach (var f in over.Fills)
            book = book.Apply(new OrderFilled(id, f.FillId, f.Quantity, f.Price, f.Fee, f.FeeAsset, f.At, null), at);
        return book.Apply(new OrderEnded(id, OrderEnd.Filled, over.Report.Executed, ""), at);
    }

    private OrderBook Booked(object @event, DateTimeOffset at) => @event switch
    {
        EntryPlanned { Rules: { } rules } e when e.Signal.Account == Account => Know(e.Signal.Symbol, new SymbolAssets(rules.BaseAsset, rules.QuoteAsset)),
        OrderIntended e when e.Account == Account => Put(new BookedOrder(e.Order, e.Trade, e.Symbol, e.Side, e.Quantity, Quantity.Zero, Standing.Intended, at, [])),
        OrderAdopted e when e.Account == Account => Put(new BookedOrder(e.Order, e.Trade, e.Symbol, e.Side, e.Quantity, Quantity.Zero, Standing.Accepted, at, [])),
        PositionAdopted e when e.Account == Account => Adopt(e, at),
        PositionWrittenOff e when e.Account == Account => WriteOff(e),
        OrderAttempted e => Stand(e.Order, Standing.Attempted, at),
        OrderAccepted e => Stand(e.Order, Standing.Accepted, at),
        OrderRefused e => Stand(e.Order, Standing.Intended, at),
        OrderNotSent e => Stand(e.Order, Standing.Intended, at),
        OrderAbsent e => Stand(e.Order, Standing.Intended, at),
        OrderFilled e => Fill(e),
        OrderFillBusted e => TakeBack(e.Fill),
        OrderEnded e => Stand(e.Order, Standing.Ended, at),
        PositionClosed e when e.Account == Account => Finish(e.Trade) with { Unverified = Remembered(at).SetItem(e.Trade.Value, new ClosedTrade(e.Symbol, at)) },
        TradeVerified { Verify: { Closed: true } closed } when closed.Account == Account => this with { Unverified = Unverified.Remove(closed.Trade.Value) },
        EntryFailedRecorded e when e.Account == Account => Finish(e.Trade),
        _ => this,
    };

    /// <summary>A trade that is over is corrected too, and then bears an account no more: whosever it is, it is asked for a moment only.</summary>
    private ImmutableHashSet<string> AskedAfter(object @event) => @event switch
    {
        OrderCorrected e => Asked.Add(e.Order.Value),
        OrderConfirmed e => Asked.Remove(e.Order.Value),
        OrderAccepted e => Asked.Remove(e.Order.Value),
        OrderAbsent e => Asked.Remove(e.Order.Value),
        // Asked about before it was adopted: there is nothing left to be found out.
        OrderAdopted e => Asked.Remove(e.Order.Value),
        PositionAdopted e => Asked.Remove(e.Order.Value),
        OrderFilled e => Asked.Remove(e.Order.Value),
        OrderFillBusted e => Asked.Remove(e.Fill.Order.Value),
        OrderEnded e => Asked.Remove(e.Order.Value),
        _ => Asked,
    };

    /// <summary>One that waits for a person is not waited for.</summary>
    private ImmutableDictionary<string, ClosedTrade> Remembered(DateTimeOffset at) => Unverified.RemoveRange(Unverified.Where(u => u.Value.At < at - RememberedFor).Select(u => u.Key));

    public bool Holds(TradeId trade) => Live.Values.Any(o => o.Trade == trade);

    /// <summary>What each open trade holds of a symbol, by our record.</summary>
    public IEnumerable<(TradeId Trade, decimal Held, DateTimeOffset Since)> HoldingsOf(Symbol symbol) => Live.Values
        .Where(o => o.Symbol == symbol)
        .GroupBy(o => o.Trade)
        .Select(g => (g.Key, Held: g.Sum(o => o.Side.Sign() * o.Executed.Value - o.BaseFees) - WrittenOff.GetValueOrDefault(g.Key.Value), Since: g.Min(o => o.Since)));

    /// <summary>It came to the account without money of ours.</summary>
    private OrderBook Adopt(PositionAdopted e, DateTimeOffset at) =>
        Put(new BookedOrder(e.Order, e.Trade, e.Symbol, e.Side, e.Quantity, e.Quantity, Standing.Ended, at, ["adopted"])).Shift(e.Symbol, e.Side.Sign() * e.Quantity.Value) with { Prices = Prices.SetItem(e.Symbol.Value, e.Price.Value) };

    private OrderBook WriteOff(PositionWrittenOff e) =>
        (this with { WrittenOff = WrittenOff.SetItem(e.Trade.Value, WrittenOff.GetValueOrDefault(e.Trade.Value) + e.Quantity.Value) }).Shift(e.Symbol, -e.Side.Sign() * e.Quantity.Value);

    private OrderBook Shift(Symbol symbol, decimal quantity)
    {
        var flow = Flows.GetValueOrDefault(symbol.Value) ?? new Flow(0, 0);
        return this with { Flows = Flows.SetItem(symbol.Value, flow with { Base = flow.Base + quantity }) };
    }

    private OrderBook Know(Symbol symbol, SymbolAssets assets) => Assets.GetValueOrDefault(symbol.Value) == assets ? this : this with { Assets = Assets.SetItem(symbol.Value, assets) };

    private OrderBook Put(BookedOrder order) => this with { Live = Live.SetItem(order.Id.Value, order) };

    private OrderBook Stand(ClientOrderId id, Standing standing, DateTimeOffset at)
    {
        // What has ended, or was accepted, is not undone by the late word of an attempt.
        if (!Live.TryGetValue(id.Value, out var order) || order.Standing == Standing.Ended || (order.Standing == Standing.Accepted && standing < Standing.Ended))
            return this;
        var book = Put(order with { Standing = standing, Since = at });
        return standing == Standing.Ended && Over.Contains(order.Trade.Value) ? book.Finish(order.Trade) : book;
    }

    private OrderBook Fill(OrderFilled e) => Live.TryGetValue(e.Order.Value, out var order) && !order.Fills.Contains(e.FillId)
        ? Move(order with { Executed = order.Executed + e.Quantity, Fills = order.Fills.Add(e.FillId), BaseFees = order.BaseFees + BaseFeeOf(order, e) }, e, order.Side.Sign(), 1)
        : this;

    private OrderBook TakeBack(OrderFilled e) => Live.TryGetValue(e.Order.Value, out var order) && order.Fills.Contains(e.FillId)
        ? Move(order with { Executed = order.Executed - e.Quantity, Fills = order.Fills.Remove(e.FillId), BaseFees = order.BaseFees - BaseFeeOf(order, e) }, e, -order.Side.Sign(), -1)
        : this;

    /// <summary>A symbol is named by its base asset first.</summary>
    private static decimal BaseFeeOf(BookedOrder order, OrderFilled e) => order.Symbol.Value.StartsWith(e.FeeAsset, StringComparison.Ordinal) ? e.Fee.Value : 0;

    private OrderBook Move(BookedOrder order, OrderFilled e, int sign, int times)
    {
        var flow = Flows.GetValueOrDefault(order.Symbol.Value) ?? new Flow(0, 0);
        var book = this with
        {
            Live = Live.SetItem(order.Id.Value, order),
            Flows = Flows.SetItem(order.Symbol.Value, new Flow(flow.Base + sign * e.Quantity.Value, flow.Quote - sign * e.Quantity.Value * e.Price.Value)),
            Fees = e.Fee == Money.Zero ? Fees : Fees.SetItem(e.FeeAsset, Fees.GetValueOrDefault(e.FeeAsset) + times * e.Fee.Value),
            Prices = Prices.SetItem(order.Symbol.Value, e.Price.Value),
            ThirdFees = e.Fee == Money.Zero || order.Symbol.Value.StartsWith(e.FeeAsset, StringComparison.Ordinal) || order.Symbol.Value.EndsWith(e.FeeAsset, StringComparison.Ordinal) ? ThirdFees : ThirdFees.Add(e.FeeAsset),
        };
        return Over.Contains(order.Trade.Value) ? book.Finish(order.Trade) : book;
    }

    private static ClientOrderId? OrderOf(object @event) => @event switch
    {
        OrderFilled e => e.Order,
        OrderFillBusted e => e.Fill.Order,
        _ => null,
    };

    /// <summary>The trade is over; its orders go as soon as all of them have ended.</summary>
    private OrderBook Finish(TradeId trade)
    {
        var orders = Live.Values.Where(o => o.Trade == trade).ToList();
        return orders.Exists(o => o.Standing is Standing.Attempted or Standing.Accepted)
            ? this with { Over = Over.Add(trade.Value) }
            : this with { Live = Live.RemoveRange(orders.Select(o => o.Id.Value)), Over = Over.Remove(trade.Value), WrittenOff = WrittenOff.Remove(trade.Value) };
    }
}
