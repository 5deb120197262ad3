using Antbot.Core.Tests.Kernel;
using Antbot.PaperVenue;
using FsCheck.Fluent;
using Xunit;

namespace Antbot.Core.Tests.PaperVenue;

public sealed class SyntheticMarketTests
{
    private const long Start = 1_700_000_000_000;

    private static readonly string[] Pinned =
    [
        "BTCUSDT 63594.41000000 63581.73000000",
        "ETHUSDT 3386.89000000 3386.76000000",
        "SOLUSDT 138.57000000 138.59000000",
        "BNBUSDT 608.11000000 608.10000000",
        "XRPUSDT 2.27070000 2.27050000",
        "DOGEUSDT 0.17388000 0.17390000",
    ];

    private static readonly IReadOnlyList<Instrument> Instruments = VenueRules.Default.Instruments;

    /// <summary>Pinned: the same seed gives the same market on every machine and in every version, or recorded sessions are worth nothing.</summary>
    [Fact]
    public void The_same_seed_gives_the_same_market_everywhere() => Assert.Equal(
        Pinned,
        Instruments.Select(i => $"{i.Symbol} {SyntheticMarket.Middle(i, 42, Start)} {SyntheticMarket.Middle(i, 42, Start + 1_000)}"));

    [Fact]
    public void Another_seed_gives_another_market() =>
        Assert.All(Instruments, i => Assert.NotEqual(Path(i, 1, 100), Path(i, 2, 100)));

    [Fact]
    public void Every_quote_keeps_the_filters_and_stands_on_its_side() => Holds.ForAll(
        Gen.Choose(0, int.MaxValue).Zip(Gen.Choose(-1_000, 1_000)).ToArbitrary(),
        pair =>
        {
            Span<Quote> bids = stackalloc Quote[SyntheticMarket.Levels];
            Span<Quote> asks = stackalloc Quote[SyntheticMarket.Levels];
            foreach (var instrument in Instruments)
            {
                var time = Start + ((long)pair.Item1 * 250);
                var middle = SyntheticMarket.Middle(instrument, pair.Item2, time);
                Assert.InRange(middle.Units, instrument.ReferencePrice.Units / 2, instrument.ReferencePrice.Units * 2);
                SyntheticMarket.QuotesAround(instrument, pair.Item2, time, new Conditions(middle), bids, asks);
                for (var i = 0; i < bids.Length; i++)
                {
                    Assert.True(bids[i].Price < middle && asks[i].Price > middle);
                    Assert.True(i == 0 || (bids[i].Price < bids[i - 1].Price && asks[i].Price > asks[i - 1].Price));
                    foreach (var quote in (Quote[])[bids[i], asks[i]])
                        Assert.True(quote.Price.IsMultipleOf(instrument.Tick) && quote.Quantity.IsMultipleOf(instrument.Lot) && quote.Quantity.IsPositive);
                }
                SyntheticMarket.TryFlow(instrument, pair.Item2, time, new Conditions(middle), out _, out var flow);
                Assert.True(flow.IsMultipleOf(instrument.Lot) && flow.IsPositive);
            }
        });

    /// <summary>What it is for: a market in which simple strategies on candles of a second find something to do.</summary>
    [Fact]
    public void Averages_cross_several_times_a_minute_and_prices_run_far_enough_to_turn()
    {
        const int Seconds = 3_600;
        var (crossings, extremes) = (0, 0);
        foreach (var instrument in Instruments)
        {
            var closes = Path(instrument, 1, Seconds, 1_000);
            crossings += Crossings(closes, 9, 21);
            extremes += Extremes(closes, 14);
        }
        Assert.InRange(crossings / 60.0, 3, 60);
        Assert.InRange(extremes / 60.0, 2, 120);
    }

    [Fact]
    public void The_price_moves_without_leaps()
    {
        foreach (var instrument in Instruments)
        {
            var path = Path(instrument, 7, 4_000);
            for (var i = 1; i < path.Count; i++)
                Assert.True(Math.Abs(path[i].Units - path[i - 1].Units) < instrument.ReferencePrice.Units / 200, $"{instrument} leapt from {path[i - 1]} to {path[i]}");
        }
    }

    private static List<Fixed8> Path(Instrument instrument, long seed, int steps, int milliseconds = 250) =>
        [.. Enumerable.Range(0, steps).Select(i => SyntheticMarket.Middle(instrument, seed, Start + ((long)i * milliseconds)))];

    private static int Crossings(List<Fixed8> closes, int fast, int slow)
    {
        var (a, b, count) = ((double)closes[0].Units, (double)closes[0].Units, 0);
        foreach (var close in closes)
        {
            var above = a > b;
            a += (close.Units - a) * 2 / (fast + 1);
            b += (close.Units - b) * 2 / (slow + 1);
            count += above != a > b ? 1 : 0;
        }
        return count;
    }

    /// <summary>How often the relative strength enters its upper or lower third.</summary>
    private static int Extremes(List<Fixed8> closes, int period)
    {
        var (up, down, count, inside) = (1.0, 1.0, 0, true);
        for (var i = 1; i < closes.Count; i++)
        {
            var change = (double)(closes[i].Units - closes[i - 1].Units);
            up += (Math.Max(change, 0) - up) / period;
            down += (Math.Max(-change, 0) - down) / period;
            var strength = 100 * up / (up + down);
            var isInside = strength is > 30 and < 70;
            count += inside && !isInside ? 1 : 0;
            inside = isInside;
        }
        return count;
    }
}
