using Antbot.Contracts;
using Antbot.Contracts.Venue;

namespace Antbot.Core.Tests.Execution;

/// <summary>
/// A venue whose every order and fill is known, as exchanges are: a client order id is refused only while an open order bears it,
/// so that an order sent a second time after the first has filled really is a second order.
/// </summary>
internal sealed class SimulatedVenue(Random random)
{
    private const decimal Fee = 0.001m;

    private readonly List<Held> _orders = [];
    private int _fills;

    public decimal Price { get; set; } = 65_000;

    /// <summary>Orders are only refused for their own faults, and market orders always fill to the end.</summary>
    public bool IsCalm { get; set; }

    /// <summary>Most of what is sent is refused for its weight, over a network that is well.</summary>
    public bool IsBusy { get; init; }

    public IReadOnlyList<Held> Orders => _orders;

    public VenueAnswer<OrderReport> Place(VenueOrder order, DateTimeOffset now)
    {
        if (now > order.SignedAt + order.Window)
            return new VenueAnswer<OrderReport>.Refused(Refusal.OutOfWindow, "-1021", "outside of the recvWindow");
        if (_orders.Any(o => o.Order.Id == order.Id && o.IsOpen))
            return new VenueAnswer<OrderReport>.Refused(Refusal.DuplicateOrder, "-2010", "Duplicate order sent.");
        if (!IsCalm && IsBusy && random.Next(10) > 0)
            return new VenueAnswer<OrderReport>.Refused(Refusal.RateLimited, "-1003", "too much weight");
        if (!IsCalm && random.Next(12) == 0)
            return new VenueAnswer<OrderReport>.Refused((Refusal)random.Next(4, 9), "-1", "refused");
        var held = new Held(order, $"v{_orders.Count + 1}");
        _orders.Add(held);
        if (order is { Kind: OrderKind.Market, Trigger: null })
            Trade(held, now, complete: IsCalm || random.Next(4) > 0);
        return new VenueAnswer<OrderReport>.Said(held.Report(now));
    }

    public VenueAnswer<OrderReport> Cancel(ClientOrderId id, DateTimeOffset now)
    {
        if (_orders.LastOrDefault(o => o.Order.Id == id) is not { IsOpen: true } held)
            return new VenueAnswer<OrderReport>.Refused(Refusal.UnknownOrder, "-2011", "Unknown order sent.");
        held.Status = VenueOrderStatus.Cancelled;
        return new VenueAnswer<OrderReport>.Said(held.Report(now));
    }

    public VenueAnswer<OrderReport> Find(ClientOrderId id, DateTimeOffset now) => _orders.LastOrDefault(o => o.Order.Id == id) is { } held
        ? new VenueAnswer<OrderReport>.Said(held.Report(now))
        : new VenueAnswer<OrderReport>.Refused(Refusal.UnknownOrder, "-2013", "Order does not exist.");

    /// <summary>Something that rests is filled, in part or to the end, or the venue throws it out.</summary>
    public void Stir(DateTimeOffset now)
    {
        if (_orders.FirstOrDefault(o => o.IsOpen) is not { } held)
            return;
        switch (random.Next(4))
        {
            case 0:
                held.Status = VenueOrderStatus.Cancelled;
                break;
            case 1:
                Fill(held, now, held.Remaining / 2);
                break;
            default:
                Fill(held, now, held.Remaining);
                break;
        }
        if (held.Remaining == 0)
            held.Status = VenueOrderStatus.Filled;
    }

    private void Trade(Held held, DateTimeOffset now, bool complete)
    {
        Fill(held, now, held.Remaining / 2);
        if (complete)
            Fill(held, now, held.Remaining);
        held.Status = held.Remaining == 0 ? VenueOrderStatus.Filled : VenueOrderStatus.Expired;
    }

    private void Fill(Held held, DateTimeOffset now, decimal quantity)
    {
        var size = Math.Floor(quantity / Given.Rules.QuantityStep) * Given.Rules.QuantityStep;
        if (size <= 0)
            size = held.Remaining;
        if (size <= 0)
            return;
        var price = new Price(held.Order.Limit?.Value ?? held.Order.Trigger?.Value ?? Price);
        var (fee, asset) = held.Order.Side == Side.Buy ? (size * Fee, "BTC") : (size * price.Value * Fee, "USDT");
        held.Fills.Add(new FillReport($"t{++_fills}", held.VenueId, held.Order.Symbol, held.Order.Side, new Quantity(size), price, new Money(fee), asset, now));
        held.Status = VenueOrderStatus.PartiallyFilled;
    }

    internal sealed class Held(VenueOrder order, string venueId)
    {
        public VenueOrder Order { get; } = order;

        public string VenueId { get; } = venueId;

        public VenueOrderStatus Status { get; set; } = VenueOrderStatus.Open;

        public List<FillReport> Fills { get; } = [];

        public bool IsOpen => Status is VenueOrderStatus.Open or VenueOrderStatus.PartiallyFilled;

        public decimal Executed => Fills.Sum(f => f.Quantity.Value);

        public decimal Remaining => Order.Quantity.Value - Executed;

        public OrderReport Report(DateTimeOffset now) => new(
            Order.Id, VenueId, Order.Symbol, Order.Side, Status, Order.Quantity, new Quantity(Executed), Fills.Aggregate(Money.Zero, (m, f) => m + f.Price * f.Quantity), now, [.. Fills]);
    }
}
