namespace Antbot.PaperVenue;

/// <summary>How the market moves and how much there is of it. The numbers are in <see cref="Scenarios"/>. Their order is in journals: a new one comes last.</summary>
public enum Scenario : byte
{
    Usual,
    Quiet,
    Trending,
    Choppy,
    FlashCrash,
    AltcoinFrenzy,
    RugCascade,
    LiquidityCrisis,
    VolatilitySpike,
    GasWar,
    Replay,
}

/// <summary>The scenario in force, since when, how long its movement takes, and of a replay the file.</summary>
public sealed record MarketProgram(Scenario Scenario, long Since, long Length, string File)
{
    public static MarketProgram Usual { get; } = new(Scenario.Usual, 0, 0, "");
}

/// <summary>The market of one instrument at one moment. Parts are thousandths of what is usual.</summary>
/// <param name="Reach">How far from the middle the last quote stands, in thousandths of it; zero for as far as usual.</param>
/// <param name="FailedOrders">Of a thousand orders, how many the venue turns away.</param>
/// <param name="GasGwei">What a transaction costs on the chain, for who asks; this venue has none.</param>
public readonly record struct Conditions(Fixed8 Middle, int Depth = 1_000, int Reach = 0, int Volume = 1_000, int FailedOrders = 0, int GasGwei = 20);

/// <summary>
/// The programs. Each starts from the price that there is, is a function of the time alone as the usual market is, and keeps at its end what it
/// came to until another is chosen.
/// </summary>
public static class Scenarios
{
    /// <summary>Fifteen an hour.</summary>
    public const long RugEvery = 240_000;

    private const long RugFall = 5_000;
    private const long Minute = 60_000;
    private const int Part = 1_000;
    private const int Million = 1_000_000;

    /// <summary>How long the movement of a scenario takes where nobody says otherwise.</summary>
    public static long DefaultLength(Scenario scenario) => scenario switch
    {
        Scenario.FlashCrash => Minute,
        Scenario.AltcoinFrenzy => 5 * Minute,
        Scenario.Trending => 60 * Minute,
        _ => 0,
    };

    /// <param name="time">Of the market's own clock, as <paramref name="program"/>'s moments are.</param>
    /// <param name="replayed">Where the candles of a replay stand; null where there are none for this instrument.</param>
    public static Conditions At(MarketProgram program, Instrument instrument, long seed, long time, Fixed8 shift, Fixed8? replayed = null)
    {
        var elapsed = Math.Max(0, time - program.Since);
        var length = Math.Max(1, program.Length);
        var done = Math.Min(elapsed, length);
        // Of Bitcoin and Ether nobody pulls the rug, and they are no altcoins.
        var isCoin = instrument.Index > 1;
        return program.Scenario switch
        {
            Scenario.Usual => new(Path()),
            Scenario.Quiet => new(Path(swings: 200), Volume: 300),
            // Doubles over its length, goes back over as long, and again.
            Scenario.Trending => new(Path(swings: 500, factor: Million + (Million * Triangle(elapsed, length) / length))),
            Scenario.Choppy => new(Path(factor: Million + (SyntheticMarket.Wave((ulong)seed + (ulong)instrument.Index, 401, 2_000, time) * 15 / Part * Math.Min(elapsed, 2_000) / 2_000))),
            // Ninety percent down, with swings twice as large as usual.
            Scenario.FlashCrash => new(Path(swings: 2_000, factor: Million - (900_000 * done / length)), Volume: 5_000),
            // Five hundred percent up and twenty times the volume, with gas to match.
            Scenario.AltcoinFrenzy when isCoin => new(Path(factor: Million + (5L * Million * done / length)), Volume: 20_000, GasGwei: 500),
            Scenario.AltcoinFrenzy => new(Path(), GasGwei: 500),
            Scenario.RugCascade when isCoin && SincePulled(instrument, elapsed) is { } since => new(Path(factor: Million - (950_000 * Math.Min(since, RugFall) / RugFall)), Depth: 50),
            Scenario.RugCascade => new(Path()),
            // A tenth of what is usually there, and the last of it half the price away.
            Scenario.LiquidityCrisis => new(Path(), Depth: 100, Reach: 500),
            Scenario.VolatilitySpike => new(Path(swings: 3_000), Volume: 3_000),
            Scenario.GasWar => new(Path(), FailedOrders: 600, GasGwei: 5_000),
            Scenario.Replay => new(replayed ?? Path()),
        };

        // What the usual path has moved since, so many thousandths of it, and all of that times so many millionths.
        Fixed8 Path(int swings = Part, long factor = Million)
        {
            var now = SyntheticMarket.Middle(instrument, seed, time, shift).Units;
            var start = swings == Part ? now : SyntheticMarket.Middle(instrument, seed, program.Since, shift).Units;
            var price = (Int128)(start + ((now - start) * swings / Part)) * factor / Million;
            return new Fixed8((long)Int128.Clamp(price, instrument.Tick.Units * 100, instrument.MaxPrice.Units)).FloorTo(instrument.Tick);
        }
    }

    /// <summary>How long ago the rug was pulled from under this one: each in its turn; before its next turn it is listed anew.</summary>
    private static long? SincePulled(Instrument instrument, long elapsed)
    {
        const int Coins = 4;
        var since = elapsed - ((instrument.Index - 2) % Coins * RugEvery);
        return since >= 0 && since % (RugEvery * Coins) < RugEvery * (Coins - 1) ? since % (RugEvery * Coins) : null;
    }

    /// <summary>Up to the length and back.</summary>
    private static long Triangle(long elapsed, long length) => length - Math.Abs(length - (elapsed % (2 * length)));
}

/// <summary>Candles to be played again, each from its opening over one end to the other and to its close.</summary>
public sealed class CandleReplay
{
    private const int MaxCandles = 500_000;

    private readonly List<(long Time, Fixed8 Open, Fixed8 High, Fixed8 Low, Fixed8 Close)> _candles = [];
    private readonly long _length;

    private CandleReplay(List<(long Time, Fixed8 Open, Fixed8 High, Fixed8 Low, Fixed8 Close)> candles, long length) => (_candles, _length) = (candles, length);

    /// <summary>
    /// Lines as exchanges publish them: time of opening, open, high, low, close, and whatever follows; a line of names may come first. The times go
    /// up, in milliseconds or microseconds; the distance of the first two is the length of all.
    /// </summary>
    /// <exception cref="FormatException">Which line is not so.</exception>
    public static CandleReplay Parse(IEnumerable<string> lines)
    {
        var candles = new List<(long Time, Fixed8 Open, Fixed8 High, Fixed8 Low, Fixed8 Close)>();
        var number = 0;
        foreach (var line in lines)
        {
            number++;
            if (string.IsNullOrWhiteSpace(line) || (number == 1 && !char.IsAsciiDigit(line[0])))
                continue;
            var fields = line.Split(',');
            var values = new Fixed8[4];
            var isRight = fields.Length >= 5 && long.TryParse(fields[0], out var time) && time > 0;
            for (var i = 0; isRight && i < values.Length; i++)
                isRight = Fixed8.TryParse(fields[i + 1], out values[i]) == NumberFault.None && values[i].IsPositive;
            var (open, high, low, close) = (values[0], values[1], values[2], values[3]);
            isRight = isRight && low.Units <= Math.Min(open.Units, close.Units) && high.Units >= Math.Max(open.Units, close.Units);
            if (!isRight)
                throw new FormatException($"Line {number} is no candle: time, open, high, low, close, with the high above and the low below.");
            time = long.Parse(fields[0]);
            // Newer files count microseconds.
            if (time > 100_000_000_000_000)
                time /= 1_000;
            if (candles.Count > 0 && time <= candles[^1].Time)
                throw new FormatException($"Line {number} opens no later than the one before it.");
            if (candles.Count == MaxCandles)
                throw new FormatException($"There are more than {MaxCandles} candles.");
            candles.Add((time, open, high, low, close));
        }
        return candles.Count >= 2 ? new CandleReplay(candles, candles[1].Time - candles[0].Time) : throw new FormatException("There are fewer than two candles.");
    }

    /// <summary>The price after so much time; before a gap and after the end it stays at the last close.</summary>
    public Fixed8 At(long elapsed, Fixed8 tick)
    {
        var time = _candles[0].Time + elapsed;
        var (low, high) = (0, _candles.Count - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (_candles[middle].Time <= time)
                low = middle;
            else
                high = middle - 1;
        }
        var c = _candles[low];
        var part = Math.Min(time - c.Time, _length);
        // The nearer end first.
        var (first, second) = c.Close >= c.Open ? (c.Low, c.High) : (c.High, c.Low);
        var third = Math.Max(1, _length / 3);
        var price = part < third ? Between(c.Open, first, part, third)
            : part < 2 * third ? Between(first, second, part - third, third)
            : Between(second, c.Close, Math.Min(part - (2 * third), third), third);
        return new Fixed8(Math.Max(price.Units, tick.Units * 100)).FloorTo(tick);
    }

    private static Fixed8 Between(Fixed8 from, Fixed8 to, long part, long whole) => new(from.Units + (long)((Int128)(to.Units - from.Units) * part / whole));
}
