using System.Text.Json;
using Antbot.PaperVenue.Streams;

namespace Antbot.PaperVenue.Http;

/// <summary>What anybody may ask.</summary>
internal sealed class MarketRoutes(Venue venue, PaperVenueOptions options)
{
    private const int MaxDepth = 5_000;
    private const long Day = 86_400_000;

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
        Get("klines", 2, Klines),
        Get("avgPrice", 2, AveragePrice),
        Get("ticker/price", 2, Price),
        Get("ticker/bookTicker", 2, BookTicker),
        Get("ticker/24hr", 2, DayTicker),
    ];

    private static (string Method, string Path, Route Route) Get(string path, int weight, Func<Call, byte[]> answer) =>
        ("GET", $"/api/v3/{path}", new Route(RouteGroup.Market, Security.Open, _ => weight, call => ValueTask.FromResult(answer(call))));

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

    private static void WriteLimit(Utf8JsonWriter json, string type, string interval, int number, int limit)
    {
        json.WriteStartObject();
        json.Field("rateLimitType", type).Field("interval", interval).Field("intervalNum", number).Field("limit", limit);
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
        json.Field("icebergAllowed", false).Field("ocoAllowed", false).Field("otoAllowed", false).Field("quoteOrderQtyMarketAllowed", true)
            .Field("allowTrailingStop", false).Field("cancelReplaceAllowed", false).Field("isSpotTradingAllowed", true).Field("isMarginTradingAllowed", false);
        json.WriteStartArray("filters");
        json.WriteStartObject();
        json.Field("filterType", "PRICE_FILTER").Number("minPrice", i.Tick).Number("maxPrice", i.MaxPrice).Number("tickSize", i.Tick);
        json.WriteEndObject();
        json.WriteStartObject();
        json.Field("filterType", "LOT_SIZE").Number("minQty", i.Lot).Number("maxQty", i.MaxQuantity).Number("stepSize", i.Lot);
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
        return venue.Show(instrument, (market, _) => MarketMessages.Depth(market, limit, venue.Updates));
    }

    private byte[] Trades(Call call)
    {
        var instrument = call.Parameters.NeedSymbol(Rules);
        var limit = call.Parameters.Limit(500, 1_000);
        var prints = venue.Show(instrument, (_, data) => data.Prints.Skip(Math.Max(0, data.Prints.Count - limit)).ToList());
        return Array(prints, static (json, p) =>
        {
            json.WriteStartObject();
            json.Field("id", p.Trade).Number("price", p.Price).Number("qty", p.Quantity).Number("quoteQty", p.Price.Times(p.Quantity)).Field("time", p.Time)
                .Field("isBuyerMaker", p.TakerSide == Side.Sell).Field("isBestMatch", true);
            json.WriteEndObject();
        });
    }

    private byte[] Klines(Call call)
    {
        var p = call.Parameters;
        var instrument = p.NeedSymbol(Rules);
        var interval = Interval.Find(p.Need("interval")) ?? throw new ApiException(-1120, "Invalid interval.");
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
            var last = data.Minutes.FromLatest.Take(5).ToList();
            var volume = new Fixed8(last.Sum(c => c.Volume.Units));
            json.WriteStartObject();
            json.Field("mins", 5).Number("price", volume.IsPositive ? new Fixed8(last.Sum(c => c.QuoteVolume.Units)).DividedBy(volume) : market.Last).Field("closeTime", venue.Now);
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
        WriteBest(json, market);
        json.WriteEndObject();
    });

    private byte[] DayTicker(Call call)
    {
        var now = venue.Now;
        return OneOrMany(call, (json, market, data) =>
        {
            var day = data.Minutes.FromLatest.TakeWhile(c => c.OpenTime > now - Day).ToList();
            var (first, last) = (day[^1], market.Last);
            var volume = new Fixed8(day.Sum(c => c.Volume.Units));
            var quote = new Fixed8(day.Sum(c => c.QuoteVolume.Units));
            var change = last - first.Open;
            json.WriteStartObject();
            json.Field("symbol", market.Instrument.Symbol).Number("priceChange", change)
                .Field("priceChangePercent", ((decimal)change.Units * 100 / first.Open.Units).ToString("0.000"))
                .Number("weightedAvgPrice", volume.IsPositive ? quote.DividedBy(volume) : last).Number("prevClosePrice", first.Open)
                .Number("lastPrice", last).Number("lastQty", data.Prints.Count > 0 ? data.Prints.Last().Quantity : Fixed8.Zero);
            WriteBest(json, market);
            json.Number("openPrice", first.Open).Number("highPrice", day.Max(c => c.High)).Number("lowPrice", day.Min(c => c.Low))
                .Number("volume", volume).Number("quoteVolume", quote).Field("openTime", first.OpenTime).Field("closeTime", now)
                .Field("firstId", day.Where(c => c.FirstTrade >= 0).Select(c => c.FirstTrade).DefaultIfEmpty(-1).Last())
                .Field("lastId", day.Select(c => c.LastTrade).FirstOrDefault(-1)).Field("count", day.Sum(c => (long)c.Trades));
            json.WriteEndObject();
        });
    }

    private static void WriteBest(Utf8JsonWriter json, Market market)
    {
        var (bid, ask) = (market.Bids.Best, market.Asks.Best);
        json.Number("bidPrice", bid?.Price ?? Fixed8.Zero).Number("bidQty", bid?.Total ?? Fixed8.Zero).Number("askPrice", ask?.Price ?? Fixed8.Zero).Number("askQty", ask?.Total ?? Fixed8.Zero);
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
