using Antbot.Contracts;
using Antbot.Contracts.Events;

namespace Antbot.ReadModels;

internal static class OrderFold
{
    public static OrderView? Apply(OrderView? order, object @event, DateTimeOffset at)
    {
        return @event switch
        {
            // An intent is recorded once; a repetition would lose what came since.
            OrderIntended e => order ?? Begin(e, at),
            OrderAdopted e => order ?? Begin(e.ToIntent(), at) with { Status = OrderStatus.Accepted, VenueOrderId = e.VenueOrderId, LastWord = e.Evidence },
            PositionAdopted e => order ?? Filled(Begin(e.ToIntent(), at), e.ToFill()) with { Status = OrderStatus.Filled, LastWord = e.Evidence },
            _ => order is null ? null : Next(order, @event) with { ChangedAt = at },
        };
    }

    private static OrderView Begin(OrderIntended e, DateTimeOffset at) => new(
        e.Order, e.Trade, e.Account, e.Symbol, e.Side, e.Role, e.Kind, e.Quantity, e.Limit, e.Trigger, e.ReduceOnly, OrderStatus.Intended, Quantity.Zero, Money.Zero,
        new Dictionary<string, Money>(), "", 0, [], e.Reason, "", at, at);

    private static OrderView Next(OrderView order, object @event) => @event switch
    {
        OrderAttempted e => order with { Attempts = Math.Max(order.Attempts, e.Attempt), Status = Before(order, OrderStatus.Attempted) },
        OrderAccepted e => order with { VenueOrderId = e.VenueOrderId, Status = order.Status < OrderStatus.Accepted ? OrderStatus.Accepted : order.Status },
        OrderRefused e => order with { Status = Before(order, OrderStatus.Intended), LastWord = $"{e.Code}: {e.Text}" },
        OrderUnknown e => order with { Status = Before(order, OrderStatus.Unknown), LastWord = e.Text },
        OrderAbsent => order with { Status = Before(order, OrderStatus.Intended), LastWord = "the venue does not know it" },
        OrderFilled e when !order.Fills.Contains(e.FillId, StringComparer.Ordinal) => Filled(order, e),
        OrderFillBusted e when order.Fills.Contains(e.Fill.FillId, StringComparer.Ordinal) => TakenBack(order, e),
        OrderCancelIntended e => order with { LastWord = $"to be cancelled: {e.Reason}" },
        OrderEnded e => order with { Status = Ended(e.End), LastWord = e.Evidence },
        OrderCorrected e => order with { LastWord = $"corrected: {e.What}" },
        OrderSettlementProposed e => order with { LastWord = $"{e.By} would settle it as never placed: {e.Reason}" },
        _ => order,
    };

    private static OrderView Filled(OrderView order, OrderFilled e)
    {
        var fees = new SortedDictionary<string, Money>(order.Fees.ToDictionary(), StringComparer.Ordinal);
        if (e.Fee != Money.Zero)
            fees[e.FeeAsset] = fees.GetValueOrDefault(e.FeeAsset) + e.Fee;
        return order with
        {
            Executed = order.Executed + e.Quantity,
            Cost = order.Cost + e.Price * e.Quantity,
            Fees = fees,
            Fills = [.. order.Fills, e.FillId],
            Status = OrderView.IsOver(order.Status) ? order.Status : OrderStatus.PartiallyFilled,
        };
    }

    private static OrderView TakenBack(OrderView order, OrderFillBusted e)
    {
        var fees = new SortedDictionary<string, Money>(order.Fees.ToDictionary(), StringComparer.Ordinal);
        if (e.Fill.Fee != Money.Zero)
            fees[e.Fill.FeeAsset] = fees.GetValueOrDefault(e.Fill.FeeAsset) - e.Fill.Fee;
        return order with
        {
            Executed = order.Executed - e.Fill.Quantity,
            Cost = order.Cost - e.Fill.Price * e.Fill.Quantity,
            Fees = fees,
            Fills = [.. order.Fills.Where(f => f != e.Fill.FillId)],
            LastWord = $"a fill was taken back: {e.Evidence}",
        };
    }

    /// <summary>The word of an attempt says nothing to an order that the venue has by now.</summary>
    private static OrderStatus Before(OrderView order, OrderStatus status) => order.Status < OrderStatus.Accepted ? status : order.Status;

    private static OrderStatus Ended(OrderEnd end) => end switch
    {
        OrderEnd.Filled => OrderStatus.Filled,
        OrderEnd.Cancelled => OrderStatus.Cancelled,
        OrderEnd.Expired => OrderStatus.Expired,
        OrderEnd.NeverPlaced => OrderStatus.NeverPlaced,
        _ => throw new ArgumentOutOfRangeException(nameof(end), end, "An order ends in one of four ways."),
    };
}
