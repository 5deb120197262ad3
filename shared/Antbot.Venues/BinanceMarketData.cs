using System.Globalization;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Antbot.Contracts;
using Antbot.Contracts.Market;
using Antbot.Contracts.Venue;
using Antbot.Runtime.Venue;
using Microsoft.Extensions.Logging;

namespace Antbot.Venues;

/// <summary>Prices and candles from a Binance spot venue's streams, with what they miss fetched by REST.</summary>
internal sealed class BinanceMarketData(VenueHttp http, VenueStream stream, IVenue venue, Listing listing, TimeProvider clock, ILogger<BinanceMarketData> log) : IMarketData
{
    private const int CandlesMax = 1_000;
    private const int CandlesWaiting = 4_096;

    private static readonly TimeSpan StaleAfter = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    /// <summary>How long after its close a candle may take to come by itself.</summary>
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(2);

    private static readonly Dictionary<TimeSpan, string> Intervals = new()
    {
        [TimeSpan.FromSeconds(1)] = "1s",
        [TimeSpan.FromMinutes(1)] = "1m",
        [TimeSpan.FromMinutes(3)] = "3m",
        [TimeSpan.FromMinutes(5)] = "5m",
        [TimeSpan.FromMinutes(15)] = "15m",
        [TimeSpan.FromMinutes(30)] = "30m",
        [TimeSpan.FromHours(1)] = "1h",
        [TimeSpan.FromHours(2)] = "2h",
        [TimeSpan.FromHours(4)] = "4h",
        [TimeSpan.FromHours(6)] = "6h",
        [TimeSpan.FromHours(8)] = "8h",
        [TimeSpan.FromHours(12)] = "12h",
        [TimeSpan.FromDays(1)] = "1d",
    };

    private readonly BestBooks _books = new();

    public MarketPrice? Latest(Symbol symbol) => _books.Latest(symbol);

    public Task<VenueAnswer<IReadOnlyList<Candle>>> ReadCandlesAsync(Symbol symbol, TimeSpan interval, int count, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, CandlesMax - 1);
        // The last one is open still: one more is asked for, and no more than wanted is given.
        return ReadAsync(symbol, interval, $"&limit={count + 1}", all => [.. all.TakeLast(count)], cancellationToken);
    }

    public async IAsyncEnumerable<Candle> FollowCandlesAsync(IReadOnlyCollection<Symbol> symbols, TimeSpan interval, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var came = Channel.CreateBounded<Candle>(new BoundedChannelOptions(CandlesWaiting) { SingleReader = true });
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var sequence = new CandleSequence(interval, (symbol, from, token) => ReadAsync(symbol, interval, string.Create(CultureInfo.InvariantCulture, $"&startTime={from.ToUnixTimeMilliseconds()}&limit={CandlesMax}"), all => all, token));
        foreach (var symbol in symbols)
            sequence.Begin(symbol, clock.GetUtcNow());
        var listening = stream.FollowAsync(
            [.. symbols.Select(s => $"{s.Value.ToLowerInvariant()}@kline_{NameOf(interval)}")],
            token => FillAsync(sequence, came.Writer, DateTimeOffset.MaxValue, token),
            async (json, token) =>
            {
                if (BinanceReader.Closed(json, interval) is not { } candle)
                    return false;
                await sequence.TakeAsync(candle, came.Writer, token);
                return true;
            },
            // Quiet symbols have quiet streams: a candle that is due is fetched whether the stream speaks or not.
            TimeSpan.FromSeconds(30),
            end.Token);
        var looking = LookAsync(sequence, came.Writer, end.Token);
        try
        {
            await foreach (var candle in came.Reader.ReadAllAsync(cancellationToken))
                yield return candle;
        }
        finally
        {
            await end.CancelAsync();
            await Task.WhenAll(listening, looking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public Task FollowPricesAsync(IReadOnlyCollection<Symbol> symbols, CancellationToken cancellationToken = default) => stream.FollowAsync(
        [.. symbols.Select(s => $"{s.Value.ToLowerInvariant()}@bookTicker")],
        token =>
        {
            _books.Reconnected();
            return PrimeAsync(symbols, token);
        },
        (json, _) =>
        {
            if (BinanceReader.Best(json, "s", "b", "a", clock.GetUtcNow()) is { } book)
                _books.Hear(book, json.Whole("u"));
            return ValueTask.FromResult(false);
        },
        StaleAfter,
        cancellationToken);

    /// <summary>A stream speaks only when something moves: the price that stands is fetched first.</summary>
    private async Task PrimeAsync(IReadOnlyCollection<Symbol> symbols, CancellationToken cancellationToken)
    {
        foreach (var symbol in symbols)
        {
            var answer = await http.SendAsync(
                VenueRoute.Market, 2, HttpMethod.Get, "/api/v3/ticker/bookTicker", $"symbol={symbol.Value}", isSigned: false, j => BinanceReader.Best(j, "symbol", "bidPrice", "askPrice", clock.GetUtcNow()), cancellationToken);
            if (answer is VenueAnswer<MarketPrice?>.Said { Value: { } price })
                _books.Hear(price, number: null);
        }
    }

    private async Task LookAsync(CandleSequence sequence, ChannelWriter<Candle> came, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(Look, clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!cancellationToken.IsCancellationRequested)
                await FillAsync(sequence, came, clock.GetUtcNow() - Late, cancellationToken);
        }
    }

    private async Task FillAsync(CandleSequence sequence, ChannelWriter<Candle> came, DateTimeOffset dueBefore, CancellationToken cancellationToken)
    {
        foreach (var fault in await sequence.FillAsync(came, dueBefore, cancellationToken))
            log.LogWarning("Candles could not be fetched: {Fault}", fault);
    }

    private async Task<VenueAnswer<IReadOnlyList<Candle>>> ReadAsync(Symbol symbol, TimeSpan interval, string which, Func<IReadOnlyList<Candle>, IReadOnlyList<Candle>> choose, CancellationToken cancellationToken)
    {
        if (venue.Now is null)
            await venue.MeasureClockAsync(cancellationToken);
        var now = venue.Now ?? clock.GetUtcNow();
        return await http.SendAsync(
            VenueRoute.Market, 2, HttpMethod.Get, "/api/v3/klines", $"symbol={symbol.Value}&interval={NameOf(interval)}{which}", isSigned: false,
            (ReadOnlyMemory<byte> body) => choose([.. listing.Read(body, "candle", c => BinanceReader.Candle(c, symbol, interval)).Where(c => c.ClosedAt <= now).OrderBy(c => c.OpenedAt)]), cancellationToken);
    }

    private static string NameOf(TimeSpan interval) =>
        Intervals.TryGetValue(interval, out var name) ? name : throw new ArgumentException($"There are no candles of {interval}.", nameof(interval));
}
