using Antbot.Contracts.Market;
using Antbot.Integration.Tests.Support;
using Xunit;

namespace Antbot.Integration.Tests.Venues.Conformance;

public abstract partial class VenueConformance
{
    [Fact]
    public async Task V37_prices_are_followed_as_they_come()
    {
        // What stands is asked for first: here it is not said, so that what is heard comes from the stream.
        Front.Answer("GET", "/api/v3/ticker/bookTicker", FrontReply.Of(503, ""));
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var following = _market.FollowPricesAsync([Btc], end.Token);
        await Eventually.HoldsAsync(() => _market.Latest(Btc) is not null || following.IsFaulted, "a price is heard");
        var first = _market.Latest(Btc)!;
        Assert.Equal(Btc, first.Symbol);
        Assert.True(first.Bid <= first.Ask);
        Assert.InRange(first.Bid.Value, 60_000, 70_000);
        await Eventually.HoldsAsync(() => _market.Latest(Btc)!.At > first.At, "it is heard again");
        await end.CancelAsync();
        await following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    [Fact]
    public async Task V38_closed_candles_are_followed_each_once_and_in_order()
    {
        var candles = new List<Candle>();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        await foreach (var candle in _market.FollowCandlesAsync([Btc], TimeSpan.FromSeconds(1), limit.Token))
        {
            Assert.True(candle.ClosedAt <= DateTimeOffset.UtcNow.AddSeconds(1), $"{candle} is open still");
            candles.Add(candle);
            if (candles.Count == 4)
                break;
        }
        Assert.All(candles, c => Assert.Equal((Btc, TimeSpan.FromSeconds(1)), (c.Symbol, c.Interval)));
        Assert.All(candles.Zip(candles.Skip(1)), pair => Assert.Equal(pair.First.ClosedAt, pair.Second.OpenedAt));
        Assert.All(candles, c => Assert.InRange(c.Close.Value, 60_000, 70_000));
    }
}
