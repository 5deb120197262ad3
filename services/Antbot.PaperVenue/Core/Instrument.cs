namespace Antbot.PaperVenue;

/// <summary>What is traded, with the filters an order must pass. Tick times lot is at least a hundred-millionth, so a notional is always exact.</summary>
public sealed record Instrument
{
    public required int Index { get; init; }

    public required string Symbol { get; init; }

    /// <summary>Index into <see cref="VenueRules.Assets"/>.</summary>
    public required int Base { get; init; }

    public required int Quote { get; init; }

    public required Fixed8 Tick { get; init; }

    public required Fixed8 Lot { get; init; }

    public required Fixed8 MaxPrice { get; init; }

    public required Fixed8 MaxQuantity { get; init; }

    /// <summary>Of an order at any price.</summary>
    public required Fixed8 MaxMarketQuantity { get; init; }

    public required Fixed8 MinNotional { get; init; }

    public required Fixed8 MaxNotional { get; init; }

    /// <summary>What the synthetic price moves around.</summary>
    public required Fixed8 ReferencePrice { get; init; }

    /// <summary>How far it moves, against the others, in thousandths.</summary>
    public required int Liveliness { get; init; }

    public override string ToString() => Symbol;
}

/// <summary>What the venue trades and on which terms.</summary>
public sealed record VenueRules
{
    public required IReadOnlyList<string> Assets { get; init; }

    public required IReadOnlyList<Instrument> Instruments { get; init; }

    /// <summary>Of the asset received, for maker and taker alike.</summary>
    public Fixed8 MakerFee { get; init; } = Fixed8.Parse("0.001");

    public Fixed8 TakerFee { get; init; } = Fixed8.Parse("0.001");

    /// <summary>A limit price is at most so many times the last price, and at least the last price divided by as many.</summary>
    public int MaxPriceRatio { get; init; } = 5;

    /// <summary>Open orders of one account on one instrument.</summary>
    public int MaxOpenOrders { get; init; } = 10_000;

    /// <summary>Of these, orders that wait for a stop price.</summary>
    public int MaxWaitingOrders { get; init; } = 5_000;

    /// <summary>Into so many an order that is shown in parts may be cut.</summary>
    public int MaxIcebergParts { get; init; } = 10;

    /// <summary>Of a stop that follows the price, in ten-thousandths.</summary>
    public int MinTrailingDelta { get; init; } = 10;

    public int MaxTrailingDelta { get; init; } = 2_000;

    /// <summary>Open order lists of one account on one instrument.</summary>
    public int MaxOpenLists { get; init; } = 1_000;

    /// <summary>Closed orders that are remembered; the oldest are forgotten with their fills.</summary>
    public int MaxClosedOrders { get; init; } = 200_000;

    public int MaxAccounts { get; init; } = 1_000;

    public static VenueRules Default { get; } = new()
    {
        Assets = ["USDT", "BTC", "ETH", "SOL", "BNB", "XRP", "DOGE"],
        Instruments =
        [
            Spot(0, "BTCUSDT", 1, "0.01", "0.00001", "65000", 1000),
            Spot(1, "ETHUSDT", 2, "0.01", "0.0001", "3200", 1200),
            Spot(2, "SOLUSDT", 3, "0.01", "0.001", "150", 1600),
            Spot(3, "BNBUSDT", 4, "0.01", "0.001", "600", 900),
            Spot(4, "XRPUSDT", 5, "0.0001", "0.1", "2.2", 1400),
            Spot(5, "DOGEUSDT", 6, "0.00001", "1", "0.16", 1800),
        ],
    };

    public Instrument? Find(ReadOnlySpan<char> symbol)
    {
        foreach (var instrument in Instruments)
        {
            if (symbol.SequenceEqual(instrument.Symbol))
                return instrument;
        }
        return null;
    }

    public int? FindAsset(string name)
    {
        for (var i = 0; i < Assets.Count; i++)
        {
            if (Assets[i] == name)
                return i;
        }
        return null;
    }

    private static Instrument Spot(int index, string symbol, int asset, string tick, string lot, string price, int liveliness) => new()
    {
        Index = index,
        Symbol = symbol,
        Base = asset,
        Quote = 0,
        Tick = Fixed8.Parse(tick),
        Lot = Fixed8.Parse(lot),
        MaxPrice = Fixed8.Parse("1000000"),
        MaxQuantity = new Fixed8(Fixed8.Parse(lot).Units * 900_000_000),
        MaxMarketQuantity = new Fixed8(Fixed8.Parse(lot).Units * 100_000_000),
        MinNotional = Fixed8.Parse("5"),
        MaxNotional = Fixed8.Parse("9000000"),
        ReferencePrice = Fixed8.Parse(price),
        Liveliness = liveliness,
    };
}
