namespace Antbot.Contracts.Venue;

/// <param name="SignedAt">In the venue's time.</param>
/// <param name="Window">At most 5 s.</param>
/// <param name="ReduceOnly">Makes a position smaller: what holds entries back (a breaker, a budget) lets it through.</param>
public sealed record VenueOrder(
    ClientOrderId Id, Symbol Symbol, Side Side, OrderKind Kind, Quantity Quantity, Price? Limit, Price? Trigger, DateTimeOffset SignedAt, TimeSpan Window, bool ReduceOnly);

public enum VenueOrderStatus
{
    Open = 1,
    PartiallyFilled = 2,
    Filled = 3,
    Cancelled = 4,
    Rejected = 5,
    Expired = 6,
}

public sealed record OrderReport(
    ClientOrderId Id, string VenueOrderId, Symbol Symbol, Side Side, VenueOrderStatus Status, Quantity Quantity, Quantity Executed, Money Cost,
    DateTimeOffset At, IReadOnlyList<FillReport> Fills)
{
    /// <summary>Nothing will change in it any more.</summary>
    public bool IsOver => Status is VenueOrderStatus.Filled or VenueOrderStatus.Cancelled or VenueOrderStatus.Rejected or VenueOrderStatus.Expired;
}

public sealed record FillReport(string FillId, string VenueOrderId, Symbol Symbol, Side Side, Quantity Quantity, Price Price, Money Fee, string FeeAsset, DateTimeOffset At);

public sealed record Balance(string Asset, decimal Free, decimal Locked)
{
    public decimal Total => Free + Locked;
}

/// <summary>What an order must keep to. Quantities are rounded down and prices to their tick before anything is intended.</summary>
public sealed record SymbolRules(Symbol Symbol, string BaseAsset, string QuoteAsset, decimal PriceTick, decimal QuantityStep, Quantity QuantityMin, Quantity QuantityMax, Money NotionalMin);
