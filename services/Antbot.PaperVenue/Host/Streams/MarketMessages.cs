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

    /// <summary>The name under which a stream is published, for one that a client asks for; null for one that there is not.</summary>
    public static string? Find(string asked, VenueRules rules)
    {
        var at = asked.IndexOf('@', StringComparison.Ordinal);
        if (at <= 0 || rules.Find(asked[..at].ToUpperInvariant()) is not { } instrument)
            return null;
        var kind = asked[(at + 1)..];
        if (kind is "trade" or "bookTicker")
            return Name(instrument, kind);
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

    public static byte[] BookTicker(Market market, long update) => Json.Write(json =>
    {
        json.WriteStartObject();
        json.Field("u", update).Field("s", market.Instrument.Symbol);
        WriteBest(json, "b", "B", market.Bids.Best);
        WriteBest(json, "a", "A", market.Asks.Best);
        json.WriteEndObject();
    });

    public static byte[] Depth(Market market, int levels, long update) => Json.Write(json => WriteDepth(json, market, levels, update));

    public static void WriteDepth(Utf8JsonWriter json, Market market, int levels, long update)
    {
        json.WriteStartObject();
        json.Field("lastUpdateId", update);
        WriteLevels(json, "bids", market.Bids, levels);
        WriteLevels(json, "asks", market.Asks, levels);
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

    private static void WriteBest(Utf8JsonWriter json, string price, string quantity, Level? best) =>
        json.Number(price, best?.Price ?? Fixed8.Zero).Number(quantity, best?.Total ?? Fixed8.Zero);

    private static void WriteLevels(Utf8JsonWriter json, string name, BookSide side, int levels)
    {
        json.WriteStartArray(name);
        foreach (var level in side.Levels.Take(levels))
        {
            json.WriteStartArray();
            json.Number(level.Price).Number(level.Total);
            json.WriteEndArray();
        }
        json.WriteEndArray();
    }

    private static string Name(Instrument instrument, string kind) => Names.GetOrAdd((instrument.Symbol, kind), static key => $"{key.Symbol.ToLowerInvariant()}@{key.Kind}");
}
