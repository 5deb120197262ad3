namespace Antbot.PaperVenue;

/// <summary>
/// A market made up from a seed: its price is a function of the time alone, so it goes on after a restart as if there had been none,
/// and the past can be shown to whoever asks. It is a sum of waves of hashed heights, slow ones high and fast ones low; how much the
/// middle ones count against the fast ones changes by the minute, which makes spells of trend and spells of going to and fro.
/// </summary>
public static class SyntheticMarket
{
    public const int Levels = 12;

    private const int Million = 1_000_000;

    /// <summary>Periods in milliseconds and heights in millionths.</summary>
    private static readonly (long Period, long Height, Spell Spell)[] Waves =
    [
        (1_000, 130, Spell.Choppy),
        (4_000, 320, Spell.Choppy),
        (15_000, 800, Spell.Trending),
        (60_000, 1_700, Spell.Trending),
        (240_000, 3_000, Spell.Trending),
        (900_000, 5_000, Spell.Both),
        (3_600_000, 9_000, Spell.Both),
        (21_600_000, 16_000, Spell.Both),
        (86_400_000, 28_000, Spell.Both),
        (604_800_000, 45_000, Spell.Both),
    ];

    private enum Spell : byte
    {
        Both,
        Choppy,
        Trending,
    }

    /// <summary>The middle of the market.</summary>
    /// <param name="time">Unix milliseconds on the market's own clock.</param>
    /// <param name="shift">What is added to the path, in parts of it.</param>
    public static Fixed8 Middle(Instrument instrument, long seed, long time, Fixed8 shift = default)
    {
        var key = (ulong)seed * 31 + (ulong)instrument.Index;
        // Between 0.4 and 1.6: what the trending waves are taken by; the choppy ones by what is missing to 2.
        var trending = 1_000 + (Wave(key, 77, 45_000, time) * 600 / Million);
        long path = 0;
        for (var i = 0; i < Waves.Length; i++)
        {
            var (period, height, spell) = Waves[i];
            var weight = spell switch { Spell.Trending => trending, Spell.Choppy => 2_000 - trending, Spell.Both => 1_000 };
            path += Wave(key, i, period, time) * height / 1_000 * weight / 1_000;
        }
        // Thousand-millionths by now, times a liveliness in thousandths.
        var moved = (Int128)instrument.ReferencePrice.Units * path * instrument.Liveliness / 1_000 / 1_000_000_000;
        var price = (long)(instrument.ReferencePrice.Units + moved);
        price = (long)((Int128)price * (Fixed8.One + shift.Units) / Fixed8.One);
        return new Fixed8(Math.Max(price, instrument.Tick.Units * 100)).FloorTo(instrument.Tick);
    }

    /// <summary>The house's quotes around a price: nearer ones smaller, none alike.</summary>
    public static void QuotesAround(Instrument instrument, long seed, long time, in Conditions conditions, Span<Quote> bids, Span<Quote> asks)
    {
        var key = (ulong)seed * 31 + (ulong)instrument.Index;
        var (middle, depth) = (conditions.Middle, conditions.Depth);
        // A basis point and a half between the levels, or a tick where that is more; or as much as takes the last one where it is to stand.
        var between = conditions.Reach == 0 ? middle.Units * 15 / 100_000 : (long)((Int128)middle.Units * conditions.Reach / 1_000 / bids.Length);
        var gap = Math.Max(instrument.Tick.Units, new Fixed8(between).FloorTo(instrument.Tick).Units);
        for (var i = 0; i < bids.Length; i++)
        {
            var away = (gap / 2 / instrument.Tick.Units * instrument.Tick.Units) + (gap * i);
            bids[i] = new Quote(new Fixed8(Math.Max(instrument.Tick.Units, middle.Units - Math.Max(away, instrument.Tick.Units * (i + 1)))), Size(instrument, middle, Hash(key, 101 + i, time), i, depth));
            asks[i] = new Quote(new Fixed8(middle.Units + Math.Max(away, instrument.Tick.Units * (i + 1))), Size(instrument, middle, Hash(key, 201 + i, time), i, depth));
        }
    }

    /// <summary>The same behind two prices that are given, which are the best.</summary>
    public static void QuotesBeside(Instrument instrument, long seed, long time, in Conditions conditions, Fixed8 bid, Fixed8 ask, Span<Quote> bids, Span<Quote> asks)
    {
        QuotesAround(instrument, seed, time, conditions, bids, asks);
        var (down, up) = (bids[0].Price.Units - bid.Units, ask.Units - asks[0].Price.Units);
        for (var i = 0; i < bids.Length; i++)
        {
            bids[i] = bids[i] with { Price = new Fixed8(Math.Max(instrument.Tick.Units, bids[i].Price.Units - down)) };
            asks[i] = asks[i] with { Price = new Fixed8(asks[i].Price.Units + up) };
        }
    }

    /// <summary>The trade that passes through the book at this time, if there is one; the side it takes, and how much.</summary>
    public static bool TryFlow(Instrument instrument, long seed, long time, in Conditions conditions, out Side side, out Fixed8 quantity)
    {
        var hash = Hash((ulong)seed * 31 + (ulong)instrument.Index, 301, time);
        side = (hash & 1) == 0 ? Side.Buy : Side.Sell;
        // Worth 20 to 2,020 of the quote asset.
        quantity = AtLeastOneLot(instrument, new Fixed8((20 + (long)((hash >> 8) % 2_000)) * (Fixed8.One / 1_000) * conditions.Volume).DividedBy(conditions.Middle));
        return (hash >> 40) % 10 < 8;
    }

    /// <summary>True so many times in a thousand.</summary>
    public static bool Chance(long seed, long turn, int perThousand) => Hash((ulong)seed, 501, turn) % 1_000 < (ulong)perThousand;

    /// <summary>A wave of straight pieces between hashed heights, from minus a million to a million.</summary>
    internal static long Wave(ulong key, int wave, long period, long time)
    {
        var at = time / period;
        var (left, right) = (Height(key, wave, at), Height(key, wave, at + 1));
        return left + ((right - left) * (time - (at * period)) / period);
    }

    private static long Height(ulong key, int wave, long at) => (long)(Hash(key, wave, at) % (2 * Million + 1)) - Million;

    private static Fixed8 Size(Instrument instrument, Fixed8 price, ulong hash, int level, int depth) =>
        AtLeastOneLot(instrument, new Fixed8((2_000 + (long)(hash % 6_000)) * (level + 1) * (Fixed8.One / 1_000) * depth).DividedBy(price));

    private static Fixed8 AtLeastOneLot(Instrument instrument, Fixed8 quantity) => quantity > instrument.Lot ? quantity.FloorTo(instrument.Lot) : instrument.Lot;

    /// <summary>A hash that is the same everywhere and always: three rounds of multiply and fold.</summary>
    private static ulong Hash(ulong key, int salt, long at)
    {
        var x = (key * 0x9E3779B97F4A7C15) ^ ((ulong)salt * 0xC2B2AE3D27D4EB4F) ^ ((ulong)at * 0x165667B19E3779F9);
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        x = (x ^ (x >> 31)) * 0xD6E8FEB86659FD93;
        return x ^ (x >> 32);
    }
}
