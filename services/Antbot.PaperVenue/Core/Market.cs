namespace Antbot.PaperVenue;

/// <summary>One instrument's book and what is known of its price.</summary>
public sealed class Market(Instrument instrument)
{
    public Instrument Instrument { get; } = instrument;

    public BookSide Bids { get; } = new(Side.Buy);

    public BookSide Asks { get; } = new(Side.Sell);

    /// <summary>Of the last trade; zero before the first.</summary>
    public Fixed8 Last { get; internal set; }

    /// <summary>The price an operator holds the market at; zero while it moves.</summary>
    public Fixed8 HeldAt { get; internal set; }

    /// <summary>What an operator added to the path, in parts of the path.</summary>
    public Fixed8 Shift { get; internal set; }

    internal StopBook Stops { get; } = new();

    internal TrailBook Trails { get; } = new();

    internal List<Order> HouseOrders { get; } = [];

    internal void Wait(Order order)
    {
        if (order.Trails)
            Trails.Add(order);
        else
            Stops.Add(order);
    }

    internal void Woke(Order order)
    {
        if (order.Trails)
            Trails.Remove(order);
        else
            Stops.Remove(order);
    }

    public BookSide Of(Side side) => side == Side.Buy ? Bids : Asks;

    public BookSide Opposite(Side side) => side == Side.Buy ? Asks : Bids;
}
