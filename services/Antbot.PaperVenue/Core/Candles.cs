namespace Antbot.PaperVenue;

/// <summary>How long candles are, in universal time: weeks begin on Mondays, months on their first, all others are counted from the beginning of 1970.</summary>
public sealed record Interval
{
    private const long Day = 86_400_000;

    /// <summary>Zero for a month, which is as long as it is.</summary>
    private readonly long _milliseconds;

    /// <summary>When one of them began.</summary>
    private readonly long _from;

    private Interval(string name, long milliseconds, long from = 0) => (Name, _milliseconds, _from) = (name, milliseconds, from);

    public string Name { get; }

    public static IReadOnlyList<Interval> All { get; } =
    [
        new("1s", 1_000), new("1m", 60_000), new("3m", 180_000), new("5m", 300_000), new("15m", 900_000), new("30m", 1_800_000),
        new("1h", 3_600_000), new("2h", 7_200_000), new("4h", 14_400_000), new("6h", 21_600_000), new("8h", 28_800_000), new("12h", 43_200_000), new("1d", Day),
        // 1970 began on a Thursday.
        new("3d", 3 * Day), new("1w", 7 * Day, 4 * Day), new("1M", 0),
    ];

    public static int? Find(ReadOnlySpan<char> name)
    {
        for (var i = 0; i < All.Count; i++)
        {
            if (name.SequenceEqual(All[i].Name))
                return i;
        }
        return null;
    }

    /// <summary>When the candle opened in which this moment lies.</summary>
    public long OpenOf(long time)
    {
        if (_milliseconds > 0)
            return time - Remainder(time - _from, _milliseconds);
        var date = DateTimeOffset.FromUnixTimeMilliseconds(time);
        return new DateTimeOffset(date.Year, date.Month, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
    }

    /// <summary>When the candle opens that comes so many after, or before, the one that opens then.</summary>
    public long After(long open, long count = 1) =>
        _milliseconds > 0 ? open + (count * _milliseconds) : DateTimeOffset.FromUnixTimeMilliseconds(open).AddMonths(checked((int)count)).ToUnixTimeMilliseconds();

    /// <summary>How many of them end from one opening up to a moment.</summary>
    public long Between(long open, long time)
    {
        if (_milliseconds > 0)
            return (time - open) / _milliseconds;
        var (first, last) = (DateTimeOffset.FromUnixTimeMilliseconds(open), DateTimeOffset.FromUnixTimeMilliseconds(time));
        return ((last.Year - first.Year) * 12) + last.Month - first.Month;
    }

    /// <summary>Whether one could open then: those of a day and more at midnight, for each venue counts threes of days from a day of its own.</summary>
    public bool MayOpen(long time) => time % (_milliseconds is > 0 and < Day ? _milliseconds : Day) == 0;

    private static long Remainder(long value, long by) => ((value % by) + by) % by;
}

public sealed record Candle
{
    public required long OpenTime { get; init; }

    public required long CloseTime { get; init; }

    public Fixed8 Open { get; init; }

    public Fixed8 High { get; init; }

    public Fixed8 Low { get; init; }

    public Fixed8 Close { get; init; }

    public Fixed8 Volume { get; init; }

    public Fixed8 QuoteVolume { get; init; }

    /// <summary>Bought by takers.</summary>
    public Fixed8 TakerVolume { get; init; }

    public Fixed8 TakerQuoteVolume { get; init; }

    public int Trades { get; init; }

    public long FirstTrade { get; init; } = -1;

    public long LastTrade { get; init; } = -1;

    public Candle With(Fixed8 price, Fixed8 quantity, Side takerSide, long trade)
    {
        var quote = price.Times(quantity);
        var empty = Trades == 0;
        return this with
        {
            High = price > High ? price : High,
            Low = price < Low ? price : Low,
            Close = price,
            Volume = Volume + quantity,
            QuoteVolume = QuoteVolume + quote,
            TakerVolume = takerSide == Side.Buy ? TakerVolume + quantity : TakerVolume,
            TakerQuoteVolume = takerSide == Side.Buy ? TakerQuoteVolume + quote : TakerQuoteVolume,
            Trades = Trades + 1,
            FirstTrade = empty ? trade : FirstTrade,
            LastTrade = trade,
        };
    }
}

/// <summary>The candles of one instrument and interval, the last one still growing; the oldest fall off. Intervals without a trade have one too.</summary>
public sealed class CandleSeries(Interval interval, int capacity)
{
    private readonly Candle?[] _ring = new Candle?[capacity];
    private long _count;

    public Interval Interval { get; } = interval;

    public int Capacity => _ring.Length;

    public int Count => (int)Math.Min(_count, _ring.Length);

    public Candle? Current => _count == 0 ? null : At(_count - 1);

    /// <summary>From the oldest on.</summary>
    public IEnumerable<Candle> All
    {
        get
        {
            for (var i = _count - Count; i < _count; i++)
                yield return At(i);
        }
    }

    public IEnumerable<Candle> FromLatest
    {
        get
        {
            for (var i = _count - 1; i >= _count - Count; i--)
                yield return At(i);
        }
    }

    public void Add(Candle candle) => _ring[_count++ % _ring.Length] = candle;

    /// <summary>Closes what has ended by <paramref name="time"/>; what is closed, the oldest first, no more than there is room for.</summary>
    public IReadOnlyList<Candle> Advance(long time)
    {
        if (Current is not { } current || time <= current.CloseTime)
            return [];
        var closed = new List<Candle> { current };
        // After a long sleep only what the ring can hold is made.
        var open = Interval.After(current.OpenTime, Math.Max(1, Interval.Between(current.OpenTime, time) - _ring.Length));
        for (; ; open = Interval.After(open))
        {
            var next = Flat(open, current.Close);
            Add(next);
            if (time <= next.CloseTime)
                return closed;
            closed.Add(next);
        }
    }

    public void Take(in Print print)
    {
        var current = Current ?? Start(print);
        _ring[(_count - 1) % _ring.Length] = current.With(print.Price, print.Quantity, print.TakerSide, print.Trade);
    }

    private Candle Start(in Print print)
    {
        var candle = Flat(Interval.OpenOf(print.Time), print.Price);
        Add(candle);
        return candle;
    }

    private Candle Flat(long open, Fixed8 price) => new() { OpenTime = open, CloseTime = Interval.After(open) - 1, Open = price, High = price, Low = price, Close = price };

    private Candle At(long index) => _ring[index % _ring.Length]!;
}
