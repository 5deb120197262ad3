using System.Text.Json.Serialization;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Venue;
using Antbot.Kernel.Decisions;

namespace Antbot.Execution;

public enum OrderStatus
{
    /// <summary>No attempt is open: none was made, or the last one came to nothing for certain.</summary>
    Intended = 1,

    /// <summary>An attempt was recorded and its answer was not.</summary>
    Attempted = 2,

    /// <summary>The venue may have it.</summary>
    Unknown = 3,

    /// <summary>The venue has it.</summary>
    Resting = 4,

    Ended = 5,
}

/// <param name="SentAt">The venue time that the last attempt was signed with.</param>
/// <param name="AskAt">From when on the venue is asked after the open attempt.</param>
/// <param name="SettledAt">From when on its "no such order" is believed.</param>
/// <param name="NotBefore">When the next attempt may be made.</param>
/// <param name="Doubted">A correction came: the venue is asked whatever the status.</param>
/// <param name="Refusal">What the last attempt was refused with.</param>
/// <param name="WasInDoubt">Of one of its attempts it was not known for a while what became.</param>
/// <param name="Strictly">Whether it passed the last look, its tries used up; null where there was none.</param>
/// <param name="Proposal">How an operator wants it settled.</param>
public sealed record OrderState(
    OrderIntended Intended, OrderStatus Status, int Attempts, DateTimeOffset? SentAt, DateTimeOffset? AskAt, DateTimeOffset? SettledAt, DateTimeOffset? NotBefore, string? VenueOrderId,
    bool CancelIntended, bool Doubted, Refusal? Refusal, string? LastWord, OrderEnd? End, IReadOnlyList<OrderFilled> Fills, bool WasInDoubt, bool? Strictly, OrderSettlementProposed? Proposal)
{
    public static OrderState Of(OrderIntended intended) => new(
        intended, OrderStatus.Intended, 0, null, null, null, intended.NotBefore, null, CancelIntended: false, Doubted: false, null, null, null, [], WasInDoubt: false, null, null);

    /// <summary>Somebody else placed it.</summary>
    [JsonIgnore]
    public bool IsAdopted => Intended.Reason == OrderIntended.AdoptedReason;

    [JsonIgnore]
    public ClientOrderId Id => Intended.Order;

    [JsonIgnore]
    public bool IsLive => Status != OrderStatus.Ended;

    /// <summary>Whether an attempt is out of which it is not known what became.</summary>
    [JsonIgnore]
    public bool IsOpenAttempt => Status is OrderStatus.Attempted or OrderStatus.Unknown;

    [JsonIgnore]
    public Quantity Executed => Fills.Aggregate(Quantity.Zero, (sum, f) => sum + f.Quantity);

    [JsonIgnore]
    public Money Cost => Fills.Aggregate(Money.Zero, (sum, f) => sum + f.Price * f.Quantity);

    [JsonIgnore]
    public Money FeeValue => Fills.Aggregate(Money.Zero, (sum, f) => sum + (f.FeeValue ?? Money.Zero));

    public bool Knows(string fillId) => Fills.Any(f => f.FillId == fillId);
}

public enum TradeStage
{
    None = 0,
    Entering = 1,
    Open = 2,
    Closing = 3,
    Closed = 4,

    /// <summary>Nothing was entered, and nothing will be.</summary>
    Failed = 5,
}

/// <summary>The fold of `order-{trade}`.</summary>
/// <param name="Forbidden">Why no entry is made: a compensation overtook its command.</param>
/// <param name="Withdrawn">Why the entry under way is taken back.</param>
/// <param name="Closing">Why the position is closed.</param>
/// <param name="Left">What was left over when it was closed.</param>
/// <param name="WrittenOff">What the venue did not hold any more though nothing of ours had sold it.</param>
public sealed record OrdersState(
    TradeStage Stage, EntryPlanned? Plan, string? Forbidden, bool Refused, string? Withdrawn, PositionOpened? Position, string? Closing, Quantity Left,
    IReadOnlyList<OrderState> Orders, decimal WrittenOff = 0)
{
    public static OrdersState Initial { get; } = new(TradeStage.None, null, null, Refused: false, null, null, null, Quantity.Zero, []);

    public static Fold<OrdersState> Fold { get; } = new("orders-3", Initial, Apply);

    /// <summary>The last of its entries: a second one there is only where the first came to nothing.</summary>
    [JsonIgnore]
    public OrderState? Entry => Last(OrderRole.Entry);

    [JsonIgnore]
    public IEnumerable<OrderState> Entries => Orders.Where(o => o.Intended.Role == OrderRole.Entry);

    [JsonIgnore]
    public Quantity Entered => Entries.Aggregate(Quantity.Zero, (sum, o) => sum + o.Executed);

    [JsonIgnore]
    public OrderState? Stop => Last(OrderRole.Stop);

    [JsonIgnore]
    public OrderState? Exit => Last(OrderRole.Exit);

    /// <summary>Nothing is left to do for this trade, unless the venue turns out to say otherwise.</summary>
    [JsonIgnore]
    public bool IsDone => Stage is TradeStage.None or TradeStage.Closed or TradeStage.Failed && !Orders.Any(o => o.IsLive || o.Doubted);

    public OrderState? Find(ClientOrderId order) => Orders.FirstOrDefault(o => o.Id == order);

    public OrderState? Last(OrderRole role) => Orders.LastOrDefault(o => o.Intended.Role == role);

    public int Count(OrderRole role) => Orders.Count(o => o.Intended.Role == role);

    /// <summary>
    /// What is held of the base asset for this trade, or owed by it where it began with a sale. A fee that a purchase paid in the base
    /// asset was never received. Negative where the venue executed more of the exits than was entered.
    /// </summary>
    public decimal Held()
    {
        var held = -WrittenOff;
        foreach (var order in Orders)
        {
            var inwards = order.Intended.Role == OrderRole.Entry;
            foreach (var fill in order.Fills)
                held += inwards ? fill.Quantity.Value - (order.Intended.Side == Side.Buy ? FeeInBase(fill) : 0) : -fill.Quantity.Value;
        }
        return held;
    }

    /// <summary>
    /// The quote currency that came in, less what went out; what a sale's buying back paid in the base asset is still owed, and counts.
    /// What came without money of ours and is gone the same way is neither won nor lost.
    /// </summary>
    public Money CashFlow()
    {
        var (flow, gone) = (0m, WrittenOff);
        foreach (var order in Orders)
        {
            var buys = order.Intended.Side == Side.Buy;
            foreach (var fill in order.Fills)
            {
                var free = order is { IsAdopted: true, VenueOrderId: null } ? Math.Min(gone, fill.Quantity.Value) : 0;
                gone -= free;
                flow += (fill.Price * new Quantity(fill.Quantity.Value - free)).Value * (buys ? -1 : 1);
                var missing = buys && order.Intended.Role == OrderRole.Entry && FeeInBase(fill) > 0;
                flow -= missing ? 0 : (fill.FeeValue ?? Money.Zero).Value;
            }
        }
        return new Money(flow);
    }

    public Money Fees() => Orders.Aggregate(Money.Zero, (sum, o) => sum + o.FeeValue);

    private decimal FeeInBase(OrderFilled fill) => Plan?.Rules is { } rules && fill.FeeAsset == rules.BaseAsset ? fill.Fee.Value : 0;

    private static OrdersState Apply(OrdersState state, object @event) => @event switch
    {
        EntryPlanned e => state with { Stage = TradeStage.Entering, Plan = e },
        EntryForbidden e => state with { Stage = TradeStage.Failed, Forbidden = e.Reason },
        EntryWithdrawn e => state with { Withdrawn = e.Reason },
        EntryFailedRecorded => state with { Stage = TradeStage.Failed, Refused = true },
        PositionOpened e => state with { Stage = TradeStage.Open, Position = e },
        PositionClosing e => state with { Stage = TradeStage.Closing, Closing = e.Reason },
        PositionClosed e => state with { Stage = TradeStage.Closed, Left = e.Left },
        OrderIntended e => state with { Orders = [.. state.Orders, OrderState.Of(e)] },
        OrderAdopted e => state with { Orders = [.. state.Orders, OrderState.Of(e.ToIntent()) with { Status = OrderStatus.Resting, Attempts = 1, SentAt = e.VenueTime, SettledAt = e.VenueTime, VenueOrderId = e.VenueOrderId }] },
        PositionAdopted e => state with { Orders = [.. state.Orders, OrderState.Of(e.ToIntent()) with { Status = OrderStatus.Ended, End = OrderEnd.Filled, LastWord = e.Evidence, Fills = [e.ToFill()] }] },
        PositionWrittenOff e => state with { WrittenOff = state.WrittenOff + e.Quantity.Value },
        OrderAttempted e => state.Attempted(e),
        // An order that was given up and turns up at the venue lives again.
        OrderAccepted e => state.With(e.Order, o => o with { Status = o.VenueOrderId is null ? OrderStatus.Resting : o.Status, VenueOrderId = e.VenueOrderId, Doubted = false, Proposal = null }),
        OrderRefused e => state.With(e.Order, o => o with { Status = OrderStatus.Intended, NotBefore = e.NotBefore, Refusal = e.Refusal, LastWord = $"{e.Code} {e.Text}" }),
        OrderNotSent e => state.With(e.Order, o => o with { Status = OrderStatus.Intended, NotBefore = e.NotBefore, LastWord = e.Text }),
        OrderUnknown e => state.With(e.Order, o => o with { Status = OrderStatus.Unknown, AskAt = e.AskAt, LastWord = e.Text, WasInDoubt = true }),
        OrderAbsent e => state.With(e.Order, o => o with
        {
            Status = OrderStatus.Intended, NotBefore = null, LastWord = "the venue does not know it", Doubted = false, WasInDoubt = true, Proposal = null,
        }),
        OrderRevalidated e => state.With(e.Order, o => o with { Strictly = e.Verdicts.All(v => v.Passed), LastWord = LastWordOf(o, e) }),
        OrderFilled e => state.With(e.Order, o => o with { Fills = [.. o.Fills, e], Doubted = false }),
        OrderFillBusted e => state.With(e.Fill.Order, o => o with { Fills = [.. o.Fills.Where(f => f.FillId != e.Fill.FillId)], Doubted = false }),
        OrderCancelIntended e => state.With(e.Order, o => o with { CancelIntended = true }),
        OrderEnded e => state.With(e.Order, o => o with { Status = OrderStatus.Ended, End = e.End, LastWord = e.Evidence, Doubted = false }),
        OrderCorrected e => state.With(e.Order, o => o with { Doubted = true }),
        OrderConfirmed e => state.With(e.Order, o => o with { Doubted = false }),
        OrderSettlementProposed e => state.With(e.Order, o => o with { Proposal = e }),
        // The venue is asked until it has answered: its word wins over anybody's.
        OrderSettled e => state.With(e.Order, o => o with { Doubted = true, WasInDoubt = true, Proposal = null }),
        _ => state,
    };

    private static string? LastWordOf(OrderState order, OrderRevalidated e) =>
        e.Verdicts.FirstOrDefault(v => !v.Passed) is { } failed ? $"{order.LastWord}; {failed.Rule}: {failed.Saw}" : order.LastWord;

    private OrdersState Attempted(OrderAttempted e)
    {
        var patience = TimeSpan.FromMilliseconds(Math.Max(0L, (long)e.WindowMilliseconds + (Plan?.Policy.AskMarginMilliseconds ?? 0)));
        var settled = e.VenueTime < DateTimeOffset.MaxValue - patience ? e.VenueTime + patience : DateTimeOffset.MaxValue;
        return With(e.Order, o => o with
        {
            Status = OrderStatus.Attempted,
            Attempts = e.Attempt,
            SentAt = e.VenueTime,
            AskAt = settled,
            SettledAt = settled,
            Refusal = null,
        });
    }

    private OrdersState With(ClientOrderId order, Func<OrderState, OrderState> change) =>
        this with { Orders = [.. Orders.Select(o => o.Id == order ? change(o) : o)] };
}
