using Antbot.Contracts;
using Antbot.Contracts.Market;
using Antbot.Contracts.Venue;

namespace Antbot.Runtime.Venue;

/// <summary>What the market does. Public data only; no credentials are needed.</summary>
public interface IMarketData
{
    /// <summary>The newest price of each symbol that is followed, with the time it was heard at.</summary>
    MarketPrice? Latest(Symbol symbol);

    /// <summary>Closed candles, oldest first.</summary>
    Task<VenueAnswer<IReadOnlyList<Candle>>> ReadCandlesAsync(Symbol symbol, TimeSpan interval, int count, CancellationToken cancellationToken = default);

    /// <summary>
    /// Closed candles as they come, each once and in order; a gap in the feed is filled from the venue's history before it goes on.
    /// Ends only by cancellation.
    /// </summary>
    IAsyncEnumerable<Candle> FollowCandlesAsync(IReadOnlyCollection<Symbol> symbols, TimeSpan interval, CancellationToken cancellationToken = default);

    /// <summary>Keeps <see cref="Latest"/> up to date until cancelled.</summary>
    Task FollowPricesAsync(IReadOnlyCollection<Symbol> symbols, CancellationToken cancellationToken = default);
}
