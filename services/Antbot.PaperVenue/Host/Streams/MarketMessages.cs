using System.Text.Json;

namespace Antbot.PaperVenue.Streams;

/// <summary>What everybody is told, and under which names.</summary>
internal static class MarketMessages
{
    private static readonly System.Collections.Concurrent.ConcurrentDictionary<(string Symbol, string Kind), string> Names = new();

    /// <summary>How many levels of the book there are streams for.</summary>
    public static IReadOnlyList<int> Depths { get; } = [5, 10, 20];

    public static string TradeStream(Instrument instrument) => Name(instrument, "trade");

    public static string BookTickerStream(Instrument instrument) => Name(instrument, "bookTicker");

    public static string KlineStream(Instrument instrument, Interval interval) => Name(instrument, interval.Name);

    public static string DepthStream(Instrument instrument, int levels) => Name(instrument, levels switch { 5 => "depth5", 10 => "depth10", _ => "depth20" });

    public static string AggregateTradeStream(Instrument instrument) => Name(instrument, "aggTrade");

    /// <summary>Changes of the whole book.</summary>
    public static string ChangeStream(Instrument instrument) => Name(instrument, "depth");

    public static string TickerStream(Instrument instrument) => Name(instrument, "ticker");

    public static string MiniTickerStream(Instrument instrument) => Name(instrument, "miniTicker");

    public static string AveragePriceStream(Instrument instrument) => Name(instrument, "avgPrice");

    public const string AllTickers = "!ticker@arr";

    public const string AllMiniTickers = "!miniTicker@arr";

    /// <summary>The name under which a stream is published, for one that a client asks for; null for one that there is not.</summary>
    public static string? Find(string asked, VenueRules rules)
    {
        if (asked is AllTickers or AllMiniTickers)
            return asked;
        var at = asked.IndexOf('@', StringComparison.Ordinal);
        if (at <= 0 || rules.Find(asked[..at].ToUpperInvariant()) is not { } instrument)
            return null;
        var kind = asked[(at + 1)..];
        if (kind is "trade" or "aggTrade" or "bookTicker" or "ticker" or "miniTicker" or "avgPrice")
            return Name(instrument, kind);
        if (kind is "depth" or "depth@100ms" or "depth@1000ms")
            return ChangeStream(instrument);
        if (kind.StartsWith("kline_", StringComparison.Ordinal))
            return Interval.Find(kind.AsSpan(6)) is { } interval ? KlineStream(instrument, Interval.All[interval]) : null;
        foreach (var levels in Depths)
        {
            if (kind == $"depth{levels}" || kind == $"depth{levels}@100ms" || kind == $"depth{levels}@1000ms")
                return DepthStream(instrument, levels);
        }
        return null;
    }

    public static byte[] Trade(Print p) => Json.Write(json =>
    {
        json.WriteStartObject();
        json.Field("e", "trade").Field("E", p.Time).Field("s", p.Instrument.Symbol).Field("t", p.Trade).Number("p", p.Price).Number("q", p.Quantity)
            .Field("T", p.Time).Field("m", p.TakerSide == Side.Sell).Field("M", true);
        json.WriteEndObject();
    });

    public static byte[] AggregateTrade(Print p) => Json.Write(json =>
    {
        json.WriteStartObject();
        json.Field("e", "aggTrade").Field("E", p.Time).Field("s", p.Instrument.Symbol).Field("a", p.Trade).Number("p", p.Price).Number("q", p.Quantity)
            .Field("f", p.Trade).Field("l", p.Trade).Field("T", p.Time).Field("m", p.TakerSide == Side.Sell).Field("M", true);
        json.WriteEndObject();
    });

    /// <summary>What stands now at every price at which something has changed since the last of these; zero where nothing does.</summary>
    public static byte[] Changes(Instrument instrument, IReadOnlyList<Quote> bids, IReadOnlyList<Quote> asks, long first, long last, long now) => Json.Write(json =>
    {
        json.WriteStartObject();
        json.Field("e", "depthUpdate").Field("E", now).Field("s", instrument.Symbol).Field("U", first).Field("u", last);
        WriteLevels(json, "b", bids, bids.Count);
        WriteLevels(json, "a", asks, asks.Count);
        json.WriteEndObject();
    });

    public static byte[] Ticker(Market market, MarketData data, long now) => Json.Write(json => WriteTicker(json, market, data, now));

    public static byte[] MiniTicker(Market market, MarketData data, long now) => Json.Write(json => WriteMiniTicker(json, market, data, now));

    public static void WriteTicker(Utf8JsonWriter json, Market market, MarketData data, long now)
    {
        var day = data.Day(market.Last, now);
        json.WriteStartObject();
        json.Field("e", "24hrTicker").Field("E", now).Field("s", market.Instrument.Symbol).Number("p", day.Change).Field("P", day.ChangePercent).Number("w", day.Average)
            .Number("x", day.Open).Number("c", day.Last).Number("Q", day.LastQuantity);
        var book = BookView.Of(market);
        WriteBest(json, "b", "B", book.BestBid);
        WriteBest(json, "a", "A", book.BestAsk);
        json.Number("o", day.Open).Number("h", day.High).Number("l", day.Low).Number("v", day.Volume).Number("q", day.QuoteVolume).Field("O", day.OpenTime).Field("C", now)
            .Field("F", day.FirstTrade).Field("L", day.LastTrade).Field("n", day.Trades);
        json.WriteEndObject();
    }

    public static void WriteMiniTicker(Utf8JsonWriter json, Market market, MarketData data, long now)
    {
        var day = data.Day(market.Last, now);
        json.WriteStartObject();
        json.Field("e", "24hrMiniTicker").Field("E", now).Field("s", market.Instrument.Symbol).Number("c", day.Last).Number("o", day.Open).Number("h", day.High)
            .Number("l", day.Low).Number("v", day.Volume).Number("q", day.QuoteVolume);
        json.WriteEndObject();
    }

    public static byte[] AveragePrice(Market market, MarketData data, long now) => Json.Write(json =>
    {
        json.WriteStartObject();
        json.Field("e", "avgPrice").Field("E", now).Field("s", market.Instrument.Symbol).Field("i", "5m").Number("w", data.AveragePrice(market.Last)).Field("T", now);
        json.WriteEndObject();
    });

    public static byte[] BookTicker(Instrument instrument, BookView book, long update) => Json.Write(json =>
    {
        json.WriteStartObject();
        json.Field("u", update).Field("s", instrument.Symbol);
        WriteBest(json, "b", "B", book.BestBid);
        WriteBest(json, "a", "A", book.BestAsk);
        json.WriteEndObject();
    });

    public static byte[] Depth(BookView book, int levels, long update) => Json.Write(json => WriteDepth(json, book, levels, update));

    private static void WriteDepth(Utf8JsonWriter json, BookView book, int levels, long update)
    {
        json.WriteStartObject();
        json.Field("lastUpdateId", update);
        WriteLevels(json, "bids", book.Bids, levels);
        WriteLevels(json, "asks", book.Asks, levels);
        json.WriteEndObject();
    }

    public static byte[] Kline(Instrument instrument, Interval interval, Candle c, bool isClosed, long now) => Json.Write(json =>
    {
        json.WriteStartObject();
        json.Field("e", "kline").Field("E", now).Field("s", instrument.Symbol);
        json.WriteStartObject("k");
        json.Field("t", c.OpenTime).Field("T", c.CloseTime).Field("s", instrument.Symbol).Field("i", interval.Name).Field("f", c.FirstTrade).Field("L", c.LastTrade)
            .Number("o", c.Open).Number("c", c.Close).Number("h", c.High).Number("l", c.Low).Number("v", c.Volume).Field("n", c.Trades).Field("x", isClosed)
            .Number("q", c.QuoteVolume).Number("V", c.TakerVolume).Number("Q", c.TakerQuoteVolume).Field("B", "0");
        json.WriteEndObject();
        json.WriteEndObject();
    });

    private static void WriteBest(Utf8JsonWriter json, string price, string quantity, Quote? best) =>
        json.Number(price, best?.Price ?? Fixed8.Zero).Number(quantity, best?.Quantity ?? Fixed8.Zero);

    private static void WriteLevels(Utf8JsonWriter json, string name, IEnumerable<Quote> side, int levels)
    {
        json.WriteStartArray(name);
        foreach (var level in side.Take(levels))
        {
            json.WriteStartArray();
            json.Number(level.Price).Number(level.Quantity);
            json.WriteEndArray();
        }
        json.WriteEndArray();
    }

    private static string Name(Instrument instrument, string kind) => Names.GetOrAdd((instrument.Symbol, kind), static key => $"{key.Symbol.ToLowerInvariant()}@{key.Kind}");
}
