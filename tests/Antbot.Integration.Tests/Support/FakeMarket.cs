using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Antbot.Contracts;
using Antbot.Contracts.Market;
using Antbot.Contracts.Venue;
using Antbot.Runtime.Venue;

namespace Antbot.Integration.Tests.Support;

/// <summary>A market that does what a test says.</summary>
internal sealed class FakeMarket : IMarketData
{
    private readonly ConcurrentDictionary<Symbol, MarketPrice> _latest = [];
    private readonly ConcurrentBag<Channel<Candle>> _followers = [];

    public List<Candle> History { get; } = [];

    public Func<VenueAnswer<IReadOnlyList<Candle>>>? Answer { get; set; }

    public int Followers => _followers.Count;

    public MarketPrice? Latest(Symbol symbol) => _latest.GetValueOrDefault(symbol);

    public void Say(Symbol symbol, decimal price, DateTimeOffset at) => _latest[symbol] = new MarketPrice(symbol, new Price(price), new Price(price), at);

    /// <summary>A candle closes: it is history, and whoever follows hears of it.</summary>
    public void Close(Candle candle)
    {
        lock (History)
            History.Add(candle);
        foreach (var follower in _followers)
            follower.Writer.TryWrite(candle);
    }

    public Task<VenueAnswer<IReadOnlyList<Candle>>> ReadCandlesAsync(Symbol symbol, TimeSpan interval, int count, CancellationToken cancellationToken = default)
    {
        lock (History)
        {
            return Task.FromResult(Answer?.Invoke()
                ?? new VenueAnswer<IReadOnlyList<Candle>>.Said([.. History.Where(c => c.Symbol == symbol && c.Interval == interval).TakeLast(count)]));
        }
    }

    public async IAsyncEnumerable<Candle> FollowCandlesAsync(IReadOnlyCollection<Symbol> symbols, TimeSpan interval, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var channel = Channel.CreateUnbounded<Candle>();
        _followers.Add(channel);
        await foreach (var candle in channel.Reader.ReadAllAsync(cancellationToken))
        {
            if (symbols.Contains(candle.Symbol))
                yield return candle;
        }
    }

    public Task FollowPricesAsync(IReadOnlyCollection<Symbol> symbols, CancellationToken cancellationToken = default) => Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
}
