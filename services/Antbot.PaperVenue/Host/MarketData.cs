using Antbot.PaperVenue.Following;

namespace Antbot.PaperVenue;

/// <summary>The last 24 hours in figures.</summary>
internal readonly record struct DayFigures(
    Fixed8 Open, Fixed8 High, Fixed8 Low, Fixed8 Last, Fixed8 LastQuantity, Fixed8 Volume, Fixed8 QuoteVolume, long OpenTime, long FirstTrade, long LastTrade, long Trades)
{
    public Fixed8 Change => Last - Open;

    public string ChangePercent => (Open.IsZero ? 0 : (decimal)Change.Units * 100 / Open.Units).ToString("0.000");

    public Fixed8 Average => Volume.IsPositive ? QuoteVolume.DividedBy(Volume) : Last;
}

/// <summary>What everybody may see of one instrument: its last trades and its candles.</summary>
internal sealed class MarketData
{
    private const long DayMilliseconds = 86_400_000;

    private const int MaxPrints = 1_000;
    private const int MaxCandles = 1_000;

    /// <summary>A day of minutes, for the day's figures, and a little more.</summary>
    private const int MaxMinutes = 1_500;

    private const int Samples = 24;
    private const int MinuteIndex = 1;

    private readonly Queue<Print> _prints = new();

    public MarketData(Instrument instrument, PaperVenueOptions options, Fixed8 shift, long now, History? past = null)
    {
        Instrument = instrument;
        Series = NewSeries();
        if (past is not null)
        {
            TakePast(past);
            return;
        }
        foreach (var series in Series)
            Fill(series, options, shift, now);
    }

    public Instrument Instrument { get; }

    /// <summary>The last change of the book that was told.</summary>
    public long ChangesShownTo { get; set; }

    /// <summary>What whoever keeps the book from its changes knows of it.</summary>
    public ToldSide Bids { get; } = new();

    public ToldSide Asks { get; } = new();

    /// <summary>The book as it is shown while a fault keeps it so.</summary>
    public BookView? Stale { get; set; }

    public long TickerShownAt { get; set; }

    public IReadOnlyList<CandleSeries> Series { get; private set; }

    public CandleSeries Minutes => Series[MinuteIndex];

    public IReadOnlyCollection<Print> Prints => _prints;

    /// <summary>Candles that have closed since this was last asked for.</summary>
    public List<(CandleSeries Series, Candle Candle)> Closed { get; } = [];

    public DayFigures Day(Fixed8 last, long now)
    {
        var (open, high, low) = (last, last, last);
        var (openTime, first, latest, trades) = (now, -1L, -1L, 0L);
        var (volume, quote) = (Fixed8.Zero, Fixed8.Zero);
        foreach (var minute in Minutes.FromLatest)
        {
            if (minute.OpenTime <= now - DayMilliseconds)
                break;
            (open, openTime) = (minute.Open, minute.OpenTime);
            high = minute.High > high ? minute.High : high;
            low = minute.Low < low ? minute.Low : low;
            volume += minute.Volume;
            quote += minute.QuoteVolume;
            trades += minute.Trades;
            if (latest < 0)
                latest = minute.LastTrade;
            if (minute.FirstTrade >= 0)
                first = minute.FirstTrade;
        }
        return new DayFigures(open, high, low, last, _prints.Count > 0 ? _prints.Last().Quantity : Fixed8.Zero, volume, quote, openTime, first, latest, trades);
    }

    /// <summary>Of the last five minutes, weighed by what was traded.</summary>
    public Fixed8 AveragePrice(Fixed8 last)
    {
        var minutes = Minutes.FromLatest.Take(5).ToList();
        var volume = new Fixed8(minutes.Sum(c => c.Volume.Units));
        return volume.IsPositive ? new Fixed8(minutes.Sum(c => c.QuoteVolume.Units)).DividedBy(volume) : last;
    }

    /// <summary>In the place of what was there.</summary>
    public void TakePast(History past)
    {
        Closed.Clear();
        Series = NewSeries();
        for (var i = 0; i < Series.Count; i++)
        {
            foreach (var candle in past.Of(Instrument, i))
                Series[i].Add(candle);
        }
    }

    public void Take(in Print print)
    {
        _prints.Enqueue(print);
        if (_prints.Count > MaxPrints)
            _prints.Dequeue();
        Advance(print.Time);
        foreach (var series in Series)
            series.Take(print);
    }

    private static IReadOnlyList<CandleSeries> NewSeries() => [.. Interval.All.Select((interval, i) => new CandleSeries(interval, CapacityOf(i)))];

    private static int CapacityOf(int interval) => interval == MinuteIndex ? MaxMinutes : MaxCandles;

    public void Advance(long time)
    {
        foreach (var series in Series)
        {
            foreach (var closed in series.Advance(time))
                Closed.Add((series, closed));
        }
    }

    /// <summary>The past is what the market's path says of it, seen at a few moments of each candle.</summary>
    private void Fill(CandleSeries series, PaperVenueOptions options, Fixed8 shift, long now)
    {
        var current = series.Interval.OpenOf(now);
        var previous = Fixed8.Zero;
        // A thousand months ago nobody counted milliseconds yet.
        for (var open = Math.Max(0, series.Interval.After(current, 1 - series.Capacity)); open <= current; open = series.Interval.After(open))
        {
            Candle? candle = null;
            var next = series.Interval.After(open);
            var step = Math.Max(options.StepMilliseconds, (next - open) / Samples);
            for (var at = open; at < next && at <= now; at += step)
            {
                var price = SyntheticMarket.Middle(Instrument, options.Seed, at * options.Speed, shift);
                if (previous.IsZero)
                    previous = price;
                candle ??= new Candle { OpenTime = open, CloseTime = next - 1, Open = previous, High = previous, Low = previous, Close = previous };
                SyntheticMarket.TryFlow(Instrument, options.Seed, at * options.Speed, new Conditions(price), out var side, out var quantity);
                candle = candle.With(price, quantity, side, -1);
                previous = price;
            }
            if (candle is not null)
                series.Add(candle);
        }
    }
}
