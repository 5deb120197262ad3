using System.Text.Json;
using Antbot.PaperVenue.Streams;

namespace Antbot.PaperVenue.Http;

/// <summary>What anybody may ask.</summary>
internal sealed class MarketRoutes(Venue venue, PaperVenueOptions options)
{
    private const int MaxDepth = 5_000;

    private VenueRules Rules => venue.Rules;

    public IEnumerable<(string Method, string Path, Route Route)> All =>
    [
        Get("ping", 1, _ => "{}"u8.ToArray()),
        Get("time", 1, _ => Json.Write(json =>
        {
            json.WriteStartObject();
            json.Field("serverTime", venue.Now);
            json.WriteEndObject();
        })),
        Get("exchangeInfo", 20, Info),
        ("GET", "/api/v3/depth", new Route(RouteGroup.Market, Security.Open, DepthWeight, call => ValueTask.FromResult(Depth(call)))),
        Get("trades", 25, Trades),
        Get("historicalTrades", 25, Trades),
        Get("aggTrades", 4, AggregateTrades),
        Get("klines", 2, Klines),
        Get("uiKlines", 2, Klines),
        Get("avgPrice", 2, AveragePrice),
        Get("ticker/price", p => p.Find("symbol") is null ? 4 : 2, Price),
        Get("ticker/bookTicker", p => p.Find("symbol") is null ? 4 : 2, BookTicker),
        Get("ticker/24hr", DayTickerWeight, DayTicker),
    ];

    private static (string Method, string Path, Route Route) Get(string path, int weight, Func<Call, byte[]> answer) => Get(path, _ => weight, answer);

    private static (string Method, string Path, Route Route) Get(string path, Func<Parameters, int> weight, Func<Call, byte[]> answer) =>
        ("GET", $"/api/v3/{path}", new Route(RouteGroup.Market, Security.Open, weight, call => ValueTask.FromResult(answer(call))));

    /// <summary>By how many symbols are named: each is followed by a comma but the last.</summary>
    private static int DayTickerWeight(Parameters p) => (p.Find("symbol"), p.Find("symbols")?.Count(c => c == ',')) switch
    {
        (not null, _) or (_, < 20) => 2,
        (_, < 100) => 40,
        _ => 80,
    };

    private static int DepthWeight(Parameters p) => p.FindWhole("limit") switch
    {
        null or <= 100 => 5,
        <= 500 => 25,
        <= 1_000 => 50,
        _ => 250,
    };

    private byte[] Info(Call call)
    {
        var asked = Asked(call.Parameters) ?? Rules.Instruments;
        return Json.Write(json =>
        {
            json.WriteStartObject();
            json.Field("timezone", "UTC").Field("serverTime", venue.Now);
            json.WriteStartArray("rateLimits");
            WriteLimit(json, "REQUEST_WEIGHT", "MINUTE", 1, options.WeightPerMinute);
            WriteLimit(json, "ORDERS", "SECOND", 10, options.OrdersPerTenSeconds);
            WriteLimit(json, "ORDERS", "DAY", 1, options.OrdersPerDay);
            WriteLimit(json, "RAW_REQUESTS", "MINUTE", 5, options.RequestsPerFiveMinutes);
            json.WriteEndArray();
            json.WriteStartArray("exchangeFilters");
            json.WriteEndArray();
            json.WriteStartArray("symbols");
            foreach (var instrument in asked)
                WriteInstrument(json, instrument);
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    public static void WriteLimit(Utf8JsonWriter json, string type, string interval, int number, int limit, int? used = null)
    {
        json.WriteStartObject();
        json.Field("rateLimitType", type).Field("interval", interval).Field("intervalNum", number).Field("limit", limit);
        if (used is { } count)
            json.Field("count", count);
        json.WriteEndObject();
    }

    private void WriteInstrument(Utf8JsonWriter json, Instrument i)
    {
        json.WriteStartObject();
        json.Field("symbol", i.Symbol).Field("status", "TRADING").Field("baseAsset", Rules.Assets[i.Base]).Field("baseAssetPrecision", Fixed8.Decimals)
            .Field("quoteAsset", Rules.Assets[i.Quote]).Field("quotePrecision", Fixed8.Decimals).Field("quoteAssetPrecision", Fixed8.Decimals)
            .Field("baseCommissionPrecision", Fixed8.Decimals).Field("quoteCommissionPrecision", Fixed8.Decimals);
        json.WriteStartArray("orderTypes");
        foreach (var type in Enum.GetValues<OrderType>())
            json.WriteStringValue(type.Text());
        json.WriteEndArray();
        json.Field("icebergAllowed", true).Field("ocoAllowed", true).Field("otoAllowed", false).Field("quoteOrderQtyMarketAllowed", true)
            .Field("allowTrailingStop", true).Field("cancelReplaceAllowed", true).Field("isSpotTradingAllowed", true).Field("isMarginTradingAllowed", false);
        json.WriteStartArray("filters");
        json.WriteStartObject();
        json.Field("filterType", "PRICE_FILTER").Number("minPrice", i.Tick).Number("maxPrice", i.MaxPrice).Number("tickSize", i.Tick);
        json.WriteEndObject();
        json.WriteStartObject();
        json.Field("filterType", "LOT_SIZE").Number("minQty", i.Lot).Number("maxQty", i.MaxQuantity).Number("stepSize", i.Lot);
        json.WriteEndObject();
        json.WriteStartObject();
        json.Field("filterType", "ICEBERG_PARTS").Field("limit", Rules.MaxIcebergParts);
        json.WriteEndObject();
        json.WriteStartObject();
        json.Field("filterType", "MARKET_LOT_SIZE").Number("minQty", i.Lot).Number("maxQty", i.MaxMarketQuantity).Number("stepSize", i.Lot);
        json.WriteEndObject();
        json.WriteStartObject();
        var (up, down) = (new Fixed8(Rules.MaxPriceRatio * Fixed8.One), new Fixed8(Fixed8.One / Rules.MaxPriceRatio));
        json.Field("filterType", "PERCENT_PRICE_BY_SIDE").Number("bidMultiplierUp", up).Number("bidMultiplierDown", down).Number("askMultiplierUp", up)
            .Number("askMultiplierDown", down).Field("avgPriceMins", 0);
        json.WriteEndObject();
        json.WriteStartObject();
        json.Field("filterType", "NOTIONAL").Number("minNotional", i.MinNotional).Field("applyMinToMarket", true).Number("maxNotional", i.MaxNotional)
            .Field("applyMaxToMarket", true).Field("avgPriceMins", 0);
        json.WriteEndObject();
        json.WriteStartObject();
        json.Field("filterType", "MAX_NUM_ORDERS").Field("maxNumOrders", Rules.MaxOpenOrders);
        json.WriteEndObject();
        json.WriteStartObject();
        json.Field("filterType", "MAX_NUM_ALGO_ORDERS").Field("maxNumAlgoOrders", Rules.MaxWaitingOrders);
        json.WriteEndObject();
        json.WriteStartObject();
        json.Field("filterType", "TRAILING_DELTA").Field("minTrailingAboveDelta", Rules.MinTrailingDelta).Field("maxTrailingAboveDelta", Rules.MaxTrailingDelta)
            .Field("minTrailingBelowDelta", Rules.MinTrailingDelta).Field("maxTrailingBelowDelta", Rules.MaxTrailingDelta);
        json.WriteEndObject();
        json.WriteStartObject();
        json.Field("filterType", "MAX_NUM_ORDER_LISTS").Field("maxNumOrderLists", Rules.MaxOpenLists);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteStartArray("permissions");
        json.WriteEndArray();
        json.WriteStartArray("permissionSets");
        json.WriteStartArray();
        json.WriteStringValue("SPOT");
        json.WriteEndArray();
        json.WriteEndArray();
        json.Field("defaultSelfTradePreventionMode", "NONE");
        json.WriteStartArray("allowedSelfTradePreventionModes");
        json.WriteStringValue("NONE");
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private byte[] Depth(Call call)
    {
        var instrument = call.Parameters.NeedSymbol(Rules);
        var limit = call.Parameters.Limit(100, MaxDepth);
        return venue.Show(instrument, (market, _) => MarketMessages.Depth(venue.ViewOf(market), limit, venue.Updates));
    }

    private byte[] Trades(Call call)
    {
        var instrument = call.Parameters.NeedSymbol(Rules);
        var (from, limit) = (call.Parameters.FindWhole("fromId"), call.Parameters.Limit(500, 1_000));
        var prints = Prints(instrument, from, null, null, limit);
        return Array(prints, static (json, p) =>
        {
            json.WriteStartObject();
            json.Field("id", p.Trade).Number("price", p.Price).Number("qty", p.Quantity).Number("quoteQty", p.Price.Times(p.Quantity)).Field("time", p.Time)
                .Field("isBuyerMaker", p.TakerSide == Side.Sell).Field("isBestMatch", true);
            json.WriteEndObject();
        });
    }

    /// <summary>Each trade by itself: what one order took at one price is not added up here.</summary>
    private byte[] AggregateTrades(Call call)
    {
        var p = call.Parameters;
        var instrument = p.NeedSymbol(Rules);
        return Array(Prints(instrument, p.FindWhole("fromId"), p.FindWhole("startTime"), p.FindWhole("endTime"), p.Limit(500, 1_000)), static (json, print) =>
        {
            json.WriteStartObject();
            json.Field("a", print.Trade).Number("p", print.Price).Number("q", print.Quantity).Field("f", print.Trade).Field("l", print.Trade).Field("T", print.Time)
                .Field("m", print.TakerSide == Side.Sell).Field("M", true);
            json.WriteEndObject();
        });
    }

    /// <summary>The first from where is asked, or the last of all.</summary>
    private List<Print> Prints(Instrument instrument, long? from, long? start, long? end, int limit) => venue.Show(instrument, (_, data) =>
    {
        var found = data.Prints.Where(p => (from is null || p.Trade >= from) && (start is null || p.Time >= start) && (end is null || p.Time <= end));
        return from is null && start is null ? found.TakeLast(limit).ToList() : found.Take(limit).ToList();
    });

    private byte[] Klines(Call call)
    {
        var p = call.Parameters;
        var instrument = p.NeedSymbol(Rules);
        var interval = Interval.Find(p.Need("interval")) ?? throw new ApiException(-1120, "Invalid interval.");
        // Candles of another zone's days would be other candles.
        if (p.Find("timeZone") is not (null or "0" or "0:00" or "00:00"))
            throw ApiException.Invalid("timeZone");
        var limit = p.Limit(500, 1_000);
        var (start, end) = (p.FindWhole("startTime"), p.FindWhole("endTime") ?? long.MaxValue);
        var candles = venue.Show(instrument, (_, data) =>
        {
            var series = data.Series[interval];
            return start is { } from
                ? series.All.Where(c => c.OpenTime >= from && c.OpenTime <= end).Take(limit).ToList()
                : series.FromLatest.Where(c => c.OpenTime <= end).Take(limit).Reverse().ToList();
        });
        return Array(candles, static (json, c) =>
        {
            json.WriteStartArray();
            json.WriteNumberValue(c.OpenTime);
            json.Number(c.Open).Number(c.High).Number(c.Low).Number(c.Close).Number(c.Volume);
            json.WriteNumberValue(c.CloseTime);
            json.Number(c.QuoteVolume);
            json.WriteNumberValue(c.Trades);
            json.Number(c.TakerVolume).Number(c.TakerQuoteVolume);
            json.WriteStringValue("0");
            json.WriteEndArray();
        });
    }

    private byte[] AveragePrice(Call call)
    {
        var instrument = call.Parameters.NeedSymbol(Rules);
        return venue.Show(instrument, (market, data) => Json.Write(json =>
        {
            json.WriteStartObject();
            json.Field("mins", 5).Number("price", data.AveragePrice(market.Last)).Field("closeTime", venue.Now);
            json.WriteEndObject();
        }));
    }

    private byte[] Price(Call call) => OneOrMany(call, (json, market, _) =>
    {
        json.WriteStartObject();
        json.Field("symbol", market.Instrument.Symbol).Number("price", market.Last);
        json.WriteEndObject();
    });

    private byte[] BookTicker(Call call) => OneOrMany(call, (json, market, _) =>
    {
        json.WriteStartObject();
        json.Field("symbol", market.Instrument.Symbol);
        WriteBest(json, venue.ViewOf(market));
        json.WriteEndObject();
    });

    private byte[] DayTicker(Call call)
    {
        var now = venue.Now;
        return OneOrMany(call, (json, market, data) =>
        {
            var day = data.Day(market.Last, now);
            json.WriteStartObject();
            json.Field("symbol", market.Instrument.Symbol).Number("priceChange", day.Change).Field("priceChangePercent", day.ChangePercent)
                .Number("weightedAvgPrice", day.Average).Number("prevClosePrice", day.Open).Number("lastPrice", day.Last).Number("lastQty", day.LastQuantity);
            WriteBest(json, venue.ViewOf(market));
            json.Number("openPrice", day.Open).Number("highPrice", day.High).Number("lowPrice", day.Low)
                .Number("volume", day.Volume).Number("quoteVolume", day.QuoteVolume).Field("openTime", day.OpenTime).Field("closeTime", now)
                .Field("firstId", day.FirstTrade).Field("lastId", day.LastTrade).Field("count", day.Trades);
            json.WriteEndObject();
        });
    }

    private static void WriteBest(Utf8JsonWriter json, BookView book)
    {
        var (bid, ask) = (book.BestBid, book.BestAsk);
        json.Number("bidPrice", bid?.Price ?? Fixed8.Zero).Number("bidQty", bid?.Quantity ?? Fixed8.Zero).Number("askPrice", ask?.Price ?? Fixed8.Zero).Number("askQty", ask?.Quantity ?? Fixed8.Zero);
    }

    private byte[] OneOrMany(Call call, Action<Utf8JsonWriter, Market, MarketData> write)
    {
        var asked = Asked(call.Parameters) ?? Rules.Instruments;
        if (call.Parameters.Find("symbol") is not null)
            return venue.Show(asked[0], (market, data) => Json.Write(json => write(json, market, data)));
        return Json.Write(json =>
        {
            json.WriteStartArray();
            foreach (var instrument in asked)
            {
                venue.Show(instrument, (market, data) =>
                {
                    write(json, market, data);
                    return 0;
                });
            }
            json.WriteEndArray();
        });
    }

    /// <summary>The symbols that a request names, as one or as a list in JSON; null when it names none.</summary>
    private IReadOnlyList<Instrument>? Asked(Parameters p)
    {
        if (p.FindSymbol(Rules) is { } one)
            return p.Find("symbols") is null ? [one] : throw new ApiException(-1128, "Combination of optional parameters invalid.");
        if (p.Find("symbols") is not { } list)
            return null;
        try
        {
            var names = JsonSerializer.Deserialize<string[]>(list) ?? [];
            return names.Length == 0 ? throw ApiException.Missing("symbols") : [.. names.Select(n => Parameters.Symbol(n ?? "", "symbols", Rules)).Distinct()];
        }
        catch (JsonException)
        {
            throw ApiException.Illegal("symbols", @"^\[(""[A-Z0-9-_.]{1,20}""(,""[A-Z0-9-_.]{1,20}""){0,}){0,1}\]$");
        }
    }

    private static byte[] Array<T>(IEnumerable<T> items, Action<Utf8JsonWriter, T> write) => Json.Write(json =>
    {
        json.WriteStartArray();
        foreach (var item in items)
            write(json, item);
        json.WriteEndArray();
    });
}
