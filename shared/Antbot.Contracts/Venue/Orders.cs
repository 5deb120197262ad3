using System.Text.Json.Serialization;

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

/// <param name="IsStop">Whether it is one of those that wait for a trigger; null where the venue does not say.</param>
public sealed record OrderReport(
    ClientOrderId Id, string VenueOrderId, Symbol Symbol, Side Side, VenueOrderStatus Status, Quantity Quantity, Quantity Executed, Money Cost,
    DateTimeOffset At, IReadOnlyList<FillReport> Fills, bool? IsStop = null)
{
    /// <summary>Nothing will change in it any more.</summary>
    public bool IsOver => Status is VenueOrderStatus.Filled or VenueOrderStatus.Cancelled or VenueOrderStatus.Rejected or VenueOrderStatus.Expired;
}

public sealed record FillReport(string FillId, string VenueOrderId, Symbol Symbol, Side Side, Quantity Quantity, Price Price, Money Fee, string FeeAsset, DateTimeOffset At);

public sealed record Balance(string Asset, decimal Free, decimal Locked)
{
    public decimal Total => Free + Locked;
}

/// <summary>What kinds of orders a venue takes in a symbol.</summary>
[Flags]
public enum OrderTypes
{
    None = 0,
    Market = 1,
    Limit = 2,

    /// <summary>At any price, when its trigger has come.</summary>
    Stop = 4,
    StopLimit = 8,
}

/// <summary>What an order must keep to. Quantities are rounded down and prices to their tick before anything is intended.</summary>
/// <param name="Types">Null where the venue does not say; then it takes all of them.</param>
/// <param name="MarketQuantityMin">Of an order at any price; what is null is as of every other.</param>
/// <param name="OrdersMax">How many orders of one account may rest; null for any number.</param>
/// <param name="StopsMax">How many of these may wait for a trigger.</param>
public sealed record SymbolRules(
    Symbol Symbol, string BaseAsset, string QuoteAsset, decimal PriceTick, decimal QuantityStep, Quantity QuantityMin, Quantity QuantityMax, Money NotionalMin,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] OrderTypes? Types = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] decimal? MarketQuantityStep = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Quantity? MarketQuantityMin = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Quantity? MarketQuantityMax = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? OrdersMax = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? StopsMax = null)
{
    /// <summary>Of orders at any price, with or without a trigger.</summary>
    public SymbolRules AtMarket() => this with
    {
        QuantityStep = Math.Max(QuantityStep, MarketQuantityStep ?? 0),
        QuantityMin = MarketQuantityMin > QuantityMin ? MarketQuantityMin.Value : QuantityMin,
        QuantityMax = MarketQuantityMax < QuantityMax ? MarketQuantityMax.Value : QuantityMax,
    };

    public SymbolRules Of(OrderKind kind) => kind == OrderKind.Market ? AtMarket() : this;

    public bool Takes(OrderTypes type) => Types is not { } types || types.HasFlag(type);
}
