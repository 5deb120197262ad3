namespace Antbot.PaperVenue;

/// <summary>What happened in the venue: the journal's records. State changes through these alone, so that replaying them rebuilds it.</summary>
public abstract record VenueEvent;

public sealed record AccountOpened(long Time, int Account, string Name) : VenueEvent;

/// <summary>A deposit, or a withdrawal below zero.</summary>
public sealed record Deposited(long Time, int Account, int Asset, Fixed8 Amount) : VenueEvent;

public sealed record OrderAccepted(
    long Time, long Order, int Account, int Instrument, Side Side, OrderType Type, TimeInForce TimeInForce,
    Fixed8 Price, Fixed8 StopPrice, Fixed8 Quantity, Fixed8 QuoteQuantity, string ClientId) : VenueEvent
{
    /// <summary>Taken, and kept from the market until it is let go: its fills come late.</summary>
    public bool IsHeld { get; init; }

    /// <summary>Of which it is one; zero for an order by itself.</summary>
    public long List { get; init; }

    public int TrailingDelta { get; init; }

    public Fixed8 IcebergQuantity { get; init; }
}

/// <summary>Two orders of which one cancels the other were taken; they follow.</summary>
public sealed record OrderListAccepted(long Time, long List, int Account, int Instrument, string ClientId) : VenueEvent;

/// <summary>The last price woke an order that waited for it, or one that was held back was let go.</summary>
public sealed record OrderTriggered(long Time, long Order) : VenueEvent;

/// <summary>A price that moved stops which follow it. The house's trades among themselves are in no journal, so what they moved must be.</summary>
public sealed record PriceTrailed(long Time, int Instrument, Fixed8 Price) : VenueEvent;

/// <summary>A trade in which at least one client took part. The house's orders have ids below zero and are in no journal.</summary>
public sealed record Traded(
    long Time, long Trade, int Instrument, Fixed8 Price, Fixed8 Quantity, Side TakerSide,
    long TakerOrder, long MakerOrder, Fixed8 TakerFee, Fixed8 MakerFee) : VenueEvent;

/// <summary>It ended with something left: cancelled by its owner, or expired by its own terms.</summary>
public sealed record OrderClosed(long Time, long Order, OrderStatus Status, string? CancelId) : VenueEvent;

/// <summary>A fill of an order that has ended was undone: its owner and the house have back what they gave.</summary>
public sealed record TradeBusted(long Time, long Trade, long Order) : VenueEvent;

/// <summary>The market goes by another program from now on.</summary>
/// <param name="Length">How long the movement of it takes, in milliseconds.</param>
/// <param name="File">Of a replay: the candles' file.</param>
public sealed record ScenarioChosen(long Time, Scenario Scenario, long Length, string File) : VenueEvent;

/// <summary>Trade numbers below this may be in use: trades of the house alone are in no journal.</summary>
public sealed record TradeNumbersReserved(long Below) : VenueEvent;

/// <summary>The market of an instrument was taken in hand: held at a price, or let go with its path shifted to continue from there.</summary>
public sealed record MarketDirected(long Time, int Instrument, Fixed8 HeldAt, Fixed8 Shift) : VenueEvent;
