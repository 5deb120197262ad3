using Antbot.Core.Tests.Kernel;
using Antbot.PaperVenue;
using Xunit;
using static Antbot.Core.Tests.PaperVenue.Trading;

namespace Antbot.Core.Tests.PaperVenue;

public sealed class CandleTests
{
    private const long Start = 1_700_000_000_000;

    [Fact]
    public void Given_trades_in_a_second_When_the_next_begins_Then_the_candle_says_what_they_were()
    {
        var series = new CandleSeries(Interval.All[0], 10);
        Take(series, 0, "100", "1", Side.Buy, 1);
        Take(series, 200, "103", "2", Side.Sell, 2);
        Take(series, 400, "99", "1", Side.Sell, 3);
        Take(series, 999, "101", "1", Side.Buy, 4);

        var closed = Assert.Single(series.Advance(Start + 1_000));

        Assert.Equal((N("100"), N("103"), N("99"), N("101")), (closed.Open, closed.High, closed.Low, closed.Close));
        Assert.Equal((N("5"), N("506"), N("2"), N("201")), (closed.Volume, closed.QuoteVolume, closed.TakerVolume, closed.TakerQuoteVolume));
        Assert.Equal((4, 1L, 4L, Start, Start + 999), (closed.Trades, closed.FirstTrade, closed.LastTrade, closed.OpenTime, closed.CloseTime));
    }

    [Fact]
    public void Given_no_trade_for_seconds_When_one_comes_Then_there_is_a_flat_candle_for_each()
    {
        var series = new CandleSeries(Interval.All[0], 10);
        Take(series, 0, "100", "1", Side.Buy, 1);
        Assert.Equal(3, series.Advance(Start + 3_500).Count);
        Take(series, 3_500, "105", "1", Side.Buy, 2);
        Assert.Equal([0, 1, 2, 3], series.All.Select(c => (c.OpenTime - Start) / 1_000));
        Assert.Equal([1, 0, 0, 1], series.All.Select(c => c.Trades));
        Assert.Equal((N("100"), N("100")), (series.All.ElementAt(2).Open, series.All.ElementAt(2).Close));
        Assert.Equal((N("100"), N("105")), (series.Current!.Open, series.Current.Close));
    }

    [Fact]
    public void Given_a_sleep_longer_than_is_kept_When_it_ends_Then_no_more_is_made_than_is_kept()
    {
        var series = new CandleSeries(Interval.All[0], 10);
        Take(series, 0, "100", "1", Side.Buy, 1);
        Assert.InRange(series.Advance(Start + 86_400_000).Count, 1, 12);
        Assert.Equal(10, series.Count);
        Assert.Equal(Start + 86_400_000, series.Current!.OpenTime);
    }

    [Theory]
    [InlineData("3d", "2024-03-02T13:00:00Z", "2024-02-29", "2024-03-03")]
    [InlineData("1w", "2024-03-03T23:59:59Z", "2024-02-26", "2024-03-04")]
    [InlineData("1w", "2024-03-04T00:00:00Z", "2024-03-04", "2024-03-11")]
    [InlineData("1M", "2024-02-29T23:59:59Z", "2024-02-01", "2024-03-01")]
    [InlineData("1M", "2023-12-31T23:59:59Z", "2023-12-01", "2024-01-01")]
    public void Given_a_trade_When_its_candle_is_longer_than_a_day_Then_it_begins_and_ends_with_the_calendar(string interval, string at, string open, string next)
    {
        var series = new CandleSeries(Interval.All[Interval.Find(interval)!.Value], 10);
        series.Take(new Print(Btc, 1, N("100"), N("1"), Milliseconds(at), Side.Buy));
        Assert.Equal((Milliseconds(open), Milliseconds(next) - 1), (series.Current!.OpenTime, series.Current.CloseTime));
        Assert.Empty(series.Advance(Milliseconds(next) - 1));
        Assert.Single(series.Advance(Milliseconds(next)));
        Assert.Equal(Milliseconds(next), series.Current.OpenTime);
    }

    [Fact]
    public void Given_months_without_a_trade_When_time_goes_on_Then_each_has_its_own_length_and_no_more_are_kept_than_there_is_room_for()
    {
        var series = new CandleSeries(Interval.All[^1], 4);
        series.Take(new Print(Btc, 1, N("100"), N("1"), Milliseconds("2023-01-15"), Side.Buy));
        series.Advance(Milliseconds("2023-03-10"));
        Assert.Equal([31, 28, 31], series.All.Select(c => (c.CloseTime + 1 - c.OpenTime) / 86_400_000));
        Assert.InRange(series.Advance(Milliseconds("2033-05-31")).Count, 1, 6);
        Assert.Equal((4, Milliseconds("2033-05-01")), (series.Count, series.Current!.OpenTime));
    }

    [Fact]
    public void Candles_of_a_minute_are_those_of_its_seconds_together() => Holds.ForAll(
        Holds.Seed,
        seed =>
        {
            var random = new Random(seed);
            var (seconds, minutes) = (new CandleSeries(Interval.All[0], 1_000), new CandleSeries(Interval.All[1], 10));
            var start = Start / 60_000 * 60_000;
            var time = start;
            for (var trade = 1; time < start + 180_000; trade++, time += random.Next(1, 3_000))
            {
                var print = new Print(Btc, trade, new Fixed8(Btc.Tick.Units * random.Next(1, 1_000_000)), new Fixed8(Btc.Lot.Units * random.Next(1, 1_000)), time, (Side)random.Next(2));
                foreach (var series in (CandleSeries[])[seconds, minutes])
                {
                    series.Advance(time);
                    series.Take(print);
                }
            }
            foreach (var minute in minutes.All)
            {
                var parts = seconds.All.Where(s => s.OpenTime >= minute.OpenTime && s.CloseTime <= minute.CloseTime).ToList();
                Assert.Equal((parts.Max(p => p.High), parts.Min(p => p.Low)), (minute.High, minute.Low));
                Assert.Equal((parts[0].Open, parts[^1].Close), (minute.Open, minute.Close));
                Assert.Equal((parts.Sum(p => p.Volume.Units), parts.Sum(p => p.QuoteVolume.Units), parts.Sum(p => p.Trades)), (minute.Volume.Units, minute.QuoteVolume.Units, minute.Trades));
            }
        },
        times: 50);

    private static long Milliseconds(string date) => DateTimeOffset.Parse(date, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal).ToUnixTimeMilliseconds();

    private static void Take(CandleSeries series, long after, string price, string quantity, Side taker, long trade) =>
        series.Take(new Print(Btc, trade, N(price), N(quantity), Start + after, taker));
}
