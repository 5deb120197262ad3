namespace Antbot.PaperVenue;

public readonly record struct Interval(string Name, long Milliseconds)
{
    public static IReadOnlyList<Interval> All { get; } =
    [
        new("1s", 1_000), new("1m", 60_000), new("3m", 180_000), new("5m", 300_000), new("15m", 900_000), new("30m", 1_800_000),
        new("1h", 3_600_000), new("2h", 7_200_000), new("4h", 14_400_000), new("6h", 21_600_000), new("8h", 28_800_000), new("12h", 43_200_000), new("1d", 86_400_000),
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
        var behind = (time - current.OpenTime) / Interval.Milliseconds;
        var open = current.OpenTime + (Math.Max(1, behind - _ring.Length) * Interval.Milliseconds);
        for (; ; open += Interval.Milliseconds)
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
        var candle = Flat(print.Time / Interval.Milliseconds * Interval.Milliseconds, print.Price);
        Add(candle);
        return candle;
    }

    private Candle Flat(long open, Fixed8 price) => new() { OpenTime = open, CloseTime = open + Interval.Milliseconds - 1, Open = price, High = price, Low = price, Close = price };

    private Candle At(long index) => _ring[index % _ring.Length]!;
}
