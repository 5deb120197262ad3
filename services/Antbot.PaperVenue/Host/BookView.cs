namespace Antbot.PaperVenue;

/// <summary>A book as it is shown: the best levels first.</summary>
internal sealed record BookView(IEnumerable<Quote> Bids, IEnumerable<Quote> Asks)
{
    private const int MaxLevels = 5_000;

    /// <summary>Of which update it is; null for the last.</summary>
    public long? Update { get; init; }

    public Quote? BestBid => First(Bids);

    public Quote? BestAsk => First(Asks);

    public static BookView Of(Market market) => new(Quotes(market.Bids), Quotes(market.Asks));

    public BookView Copied() => new([.. Bids.Take(MaxLevels)], [.. Asks.Take(MaxLevels)]);

    /// <summary>Each side at the other's prices.</summary>
    public BookView Crossed()
    {
        var copy = Copied();
        return BestBid is { } bid && BestAsk is { } ask
            ? new BookView(copy.Bids.Select(q => q with { Price = q.Price + ask.Price - bid.Price }).ToList(), copy.Asks.Select(q => q with { Price = q.Price + bid.Price - ask.Price }).ToList())
            : copy;
    }

    private static IEnumerable<Quote> Quotes(BookSide side) => side.Levels.Select(l => new Quote(l.Price, l.Shown));

    private static Quote? First(IEnumerable<Quote> quotes)
    {
        foreach (var quote in quotes)
            return quote;
        return null;
    }
}
