namespace Antbot.Contracts.Market;

public sealed record MarketPrice(Symbol Symbol, Price Bid, Price Ask, DateTimeOffset At)
{
    public Price Middle => new((Bid.Value + Ask.Value) / 2);
}

public sealed record Candle(Symbol Symbol, TimeSpan Interval, DateTimeOffset OpenedAt, Price Open, Price High, Price Low, Price Close, Quantity Volume)
{
    public DateTimeOffset ClosedAt => OpenedAt + Interval;
}
