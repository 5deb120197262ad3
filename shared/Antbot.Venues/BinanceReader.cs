using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Market;
using Antbot.Contracts.Venue;

namespace Antbot.Venues;

/// <summary>The answers of a Binance spot venue.</summary>
internal static class BinanceReader
{
    private const long LimitMax = 1_000_000_000;
    private const int TypeLengthMax = 100;

    /// <param name="placed">What was sent: an answer about anything else is none to it.</param>
    public static OrderReport Placed(JsonElement json, VenueOrder placed)
    {
        // The shortest form has none of these; one that has some of them has lost the others.
        var isShort = json.Find("status") is null && json.Find("side") is null && json.Find("origQty") is null && json.Find("executedQty") is null;
        var report = Report(json, "clientOrderId", "transactTime", isShort ? placed : null);
        return report.Id == placed.Id && report.Symbol == placed.Symbol && report.Side == placed.Side
            ? report
            : throw new BadAnswerException($"it speaks of {report.Id} {report.Side} {report.Symbol}");
    }

    public static OrderReport Cancelled(JsonElement json) => Report(json, "origClientOrderId", "transactTime", null);

    public static OrderReport Order(JsonElement json) => Report(json, "clientOrderId", "updateTime", null);

    public static FillReport Fill(JsonElement json) => Fill(
        json, json.Id("id"), json.Id("orderId"), json.Symbol("symbol"), json.Flag("isBuyer") ? Side.Buy : Side.Sell, json.Time("time"));

    public static Balance Balance(JsonElement json) => new(json.Text("asset"), json.Quantity("free").Value, json.Quantity("locked").Value);

    public static Candle Candle(JsonElement json, Symbol symbol, TimeSpan interval)
    {
        var fields = Json.List(json, "candle").ToList();
        if (fields.Count < 7 || fields[0].ValueKind != JsonValueKind.Number || !fields[0].TryGetInt64(out var opened))
            throw new BadAnswerException("a candle has too few fields");
        return Checked(new Candle(
            symbol, interval, Json.Time(opened, "open time"), Json.PriceOf(fields[1], "open"), Json.PriceOf(fields[2], "high"), Json.PriceOf(fields[3], "low"), Json.PriceOf(fields[4], "close"),
            Json.QuantityOf(fields[5], "volume")));
    }

    /// <summary>Of a stream; null while the candle is still open.</summary>
    public static Candle? Closed(JsonElement json, TimeSpan interval)
    {
        var k = json.Need("k");
        return k.Flag("x")
            ? Checked(new Candle(k.Symbol("s"), interval, k.Time("t"), k.Price("o"), k.Price("h"), k.Price("l"), k.Price("c"), k.Quantity("v")))
            : null;
    }

    /// <summary>Null where one side of the book is empty: no price to go by.</summary>
    public static MarketPrice? Best(JsonElement json, string symbol, string bid, string ask, DateTimeOffset heard)
    {
        var (low, high) = (json.Number(bid), json.Number(ask));
        return low > 0 && high > 0 ? new MarketPrice(json.Symbol(symbol), json.Price(bid), json.Price(ask), heard) : null;
    }

    public static SymbolRules? Rules(JsonElement json)
    {
        if (json.Text("status") != "TRADING" || Symbol.Fault(json.Text("symbol")) is not null)
            return null;
        var filters = Json.List(json.Need("filters"), "filters").GroupBy(f => f.Text("filterType"), StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.First(), StringComparer.Ordinal);
        var (price, lot) = (filters.GetValueOrDefault("PRICE_FILTER"), filters.GetValueOrDefault("LOT_SIZE"));
        var (tick, step) = (price.Number("tickSize"), lot.Number("stepSize"));
        if ((Price.Fault(tick) ?? Price.Fault(step)) is { } fault)
            throw new BadAnswerException(fault);
        // At any price there may be other bounds; what is zero there bounds nothing.
        var market = filters.TryGetValue("MARKET_LOT_SIZE", out var any) ? (Step: Positive(any.Quantity("stepSize")), Min: Positive(any.Quantity("minQty")), Max: Positive(any.Quantity("maxQty"))) : default;
        var notional = filters.TryGetValue("NOTIONAL", out var filter) || filters.TryGetValue("MIN_NOTIONAL", out filter) ? filter.Amount("minNotional") : Money.Zero;
        return new SymbolRules(json.Symbol("symbol"), json.Text("baseAsset"), json.Text("quoteAsset"), tick, step, lot.Quantity("minQty"), lot.Quantity("maxQty"), notional,
            Types(json.Need("orderTypes")), market.Step?.Value, market.Min, market.Max, Count("MAX_NUM_ORDERS", "maxNumOrders"), Count("MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders"));

        static Quantity? Positive(Quantity quantity) => quantity > Quantity.Zero ? quantity : null;

        int? Count(string type, string name) => !filters.TryGetValue(type, out var filter) ? null
            : filter.Whole(name) is >= 0 and <= int.MaxValue and var count ? (int)count : throw new BadAnswerException($"'{name}' is no number of orders");
    }

    /// <summary>Of those that it names, the ones that are used here.</summary>
    private static OrderTypes Types(JsonElement json)
    {
        var types = OrderTypes.None;
        foreach (var type in Json.List(json, "orderTypes"))
        {
            types |= (type.ValueKind == JsonValueKind.String ? type.GetString() : null) switch
            {
                "MARKET" => OrderTypes.Market,
                "LIMIT" => OrderTypes.Limit,
                "STOP_LOSS" => OrderTypes.Stop,
                "STOP_LOSS_LIMIT" => OrderTypes.StopLimit,
                { Length: > 0 and <= TypeLengthMax } => OrderTypes.None,
                _ => throw new BadAnswerException("'orderTypes' holds something else than names"),
            };
        }
        return types;
    }

    /// <summary>Of what, in the venue's words, and how much of it.</summary>
    public static (string Of, long Limit) Limit(JsonElement json) => json.Whole("limit") is > 0 and <= LimitMax and var limit
        ? ($"{json.Text("rateLimitType")} {json.Whole("intervalNum")} {json.Text("interval")}", limit)
        : throw new BadAnswerException("'limit' is no limit");

    public static KeyPermissions Permissions(JsonElement json) => new(
        json.Flag("enableReading"), json.Flag("enableSpotAndMarginTrading"), json.Flag("enableWithdrawals"), json.Flag("enableInternalTransfer") | json.Flag("permitsUniversalTransfer"), json.Flag("ipRestrict"));

    private static OrderReport Report(JsonElement json, string id, string time, VenueOrder? acknowledged)
    {
        var text = json.Text(id);
        if (ClientOrderId.Fault(text) is { } fault)
            throw new BadAnswerException(fault);
        var (symbol, venueId, at) = (json.Symbol("symbol"), json.Id("orderId"), json.Time(time));
        // The shortest form of an answer says only that the order is there.
        if (acknowledged is { } order)
            return new OrderReport(new ClientOrderId(text), venueId, symbol, order.Side, VenueOrderStatus.Open, order.Quantity, Quantity.Zero, Money.Zero, at, []);
        var side = json.Text("side") switch { "BUY" => Side.Buy, "SELL" => Side.Sell, var other => throw new BadAnswerException($"a side '{other}'") };
        var (quantity, executed) = (json.Quantity("origQty"), json.Quantity("executedQty"));
        if (executed > quantity)
            throw new BadAnswerException($"{executed} executed of {quantity}");
        var fills = json.Find("fills") is { } list
            ? Json.List(list, "fills").Select(f => Fill(f, f.Id("tradeId"), venueId, symbol, side, at)).ToList()
            : [];
        return new OrderReport(new ClientOrderId(text), venueId, symbol, side, Status(json.Text("status")), quantity, executed, json.Amount("cummulativeQuoteQty"), at, fills, IsStop(json.Text("type")));
    }

    /// <summary>Whether the venue counts it among those that wait for a trigger, of which it takes fewer.</summary>
    private static bool IsStop(string type) => type switch
    {
        "LIMIT" or "LIMIT_MAKER" or "MARKET" => false,
        "STOP_LOSS" or "STOP_LOSS_LIMIT" or "TAKE_PROFIT" or "TAKE_PROFIT_LIMIT" => true,
        _ => throw new BadAnswerException($"a type '{type}'"),
    };

    private static FillReport Fill(JsonElement json, string id, string order, Symbol symbol, Side side, DateTimeOffset at)
    {
        var (quantity, price, fee) = (json.Quantity("qty"), json.Price("price"), json.Amount("commission"));
        // Products of both are kept as sums of money; one that is none would be found too late.
        if (quantity.Value <= 0 || Money.Fault(quantity.Value * price.Value) is not null || Money.Fault(fee.Value * price.Value) is not null)
            throw new BadAnswerException($"a fill of {quantity} at {price} with a fee of {fee}");
        return new FillReport(id, order, symbol, side, quantity, price, fee, json.Text("commissionAsset"), at);
    }

    private static VenueOrderStatus Status(string status) => status switch
    {
        "NEW" or "PENDING_NEW" or "PENDING_CANCEL" => VenueOrderStatus.Open,
        "PARTIALLY_FILLED" => VenueOrderStatus.PartiallyFilled,
        "FILLED" => VenueOrderStatus.Filled,
        "CANCELED" => VenueOrderStatus.Cancelled,
        "REJECTED" => VenueOrderStatus.Rejected,
        "EXPIRED" or "EXPIRED_IN_MATCH" => VenueOrderStatus.Expired,
        _ => throw new BadAnswerException($"a status '{status}'"),
    };

    private static Candle Checked(Candle candle) => candle.Low <= candle.High && candle.Low <= candle.Open && candle.Open <= candle.High && candle.Low <= candle.Close && candle.Close <= candle.High
        ? candle
        : throw new BadAnswerException($"a candle of {candle.Symbol} whose prices lie outside of its range");
}
