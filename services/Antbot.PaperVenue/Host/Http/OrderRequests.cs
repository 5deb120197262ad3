using System.Security.Cryptography;

namespace Antbot.PaperVenue.Http;

/// <summary>Reads an order out of a request: which parameters each type needs, and which it must not have.</summary>
internal static class OrderRequests
{
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "symbol", "side", "type", "timeInForce", "quantity", "quoteOrderQty", "price", "newClientOrderId", "stopPrice", "newOrderRespType",
        "strategyId", "strategyType", "selfTradePreventionMode", "computeCommissionRates", "recvWindow", "timestamp", "signature", "reduceOnly",
    };

    private static readonly HashSet<string> KnownToReplace = new(Known, StringComparer.Ordinal)
    {
        "cancelReplaceMode", "cancelOrderId", "cancelOrigClientOrderId", "cancelNewClientOrderId", "cancelRestrictions", "orderRateLimitExceededMode",
    };

    public static NewOrder Read(Parameters p, VenueRules rules, bool replaces = false)
    {
        var instrument = p.NeedSymbol(rules);
        var known = replaces ? KnownToReplace : Known;
        var unknown = p.Names.Where(n => !known.Contains(n)).ToList();
        if (unknown.Count > 0)
            throw new ApiException(-1104, $"Not all sent parameters were read; read '{p.Names.Count() - unknown.Count}' parameter(s) but was sent '{p.Names.Count()}'.");
        if (p.Find("selfTradePreventionMode") is { } prevention and not "NONE")
            throw prevention.Length > 20 ? ApiException.Invalid("selfTradePreventionMode") : new ApiException(-1013, "This symbol does not support the specified self-trade prevention mode.");
        var side = Side(p.Need("side"));
        var type = Type(p.Need("type"));
        var needsPrice = type is OrderType.Limit or OrderType.LimitMaker or OrderType.StopLossLimit or OrderType.TakeProfitLimit;
        var needsStop = type is OrderType.StopLoss or OrderType.StopLossLimit or OrderType.TakeProfit or OrderType.TakeProfitLimit;
        var needsTime = type is OrderType.Limit or OrderType.StopLossLimit or OrderType.TakeProfitLimit;
        Forbid(p, "price", needsPrice);
        Forbid(p, "stopPrice", needsStop);
        Forbid(p, "timeInForce", needsTime);
        var byQuote = type == OrderType.Market && p.Find("quantity") is null;
        Forbid(p, "quoteOrderQty", byQuote);
        if (byQuote && p.Find("quoteOrderQty") is null)
            throw ApiException.Missing("quantity");
        return new NewOrder
        {
            Instrument = instrument,
            Side = side,
            Type = type,
            TimeInForce = needsTime ? TimeInForce(p.Need("timeInForce")) : PaperVenue.TimeInForce.GoodTillCancelled,
            Price = needsPrice ? p.NeedPositive("price") : Fixed8.Zero,
            StopPrice = needsStop ? p.NeedPositive("stopPrice") : Fixed8.Zero,
            Quantity = byQuote ? Fixed8.Zero : p.NeedPositive("quantity"),
            QuoteQuantity = byQuote ? p.NeedPositive("quoteOrderQty") : Fixed8.Zero,
            ClientId = p.FindId("newClientOrderId") ?? NewClientId(),
            ReduceOnly = p.Flag("reduceOnly"),
        };
    }

    public static ResponseKind ResponseTo(Parameters p, OrderType type) => p.Find("newOrderRespType") switch
    {
        null => type is OrderType.Market or OrderType.Limit ? ResponseKind.Full : ResponseKind.Ack,
        "ACK" => ResponseKind.Ack,
        "RESULT" => ResponseKind.Result,
        "FULL" => ResponseKind.Full,
        _ => throw ApiException.Invalid("newOrderRespType"),
    };

    public static string NewClientId() => RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 22);

    private static void Forbid(Parameters p, string name, bool unless)
    {
        if (!unless && p.Find(name) is not null)
            throw ApiException.NotRequired(name);
    }

    private static Side Side(string text) => text switch
    {
        "BUY" => PaperVenue.Side.Buy,
        "SELL" => PaperVenue.Side.Sell,
        _ => throw new ApiException(-1117, "Invalid side."),
    };

    private static OrderType Type(string text) => text switch
    {
        "LIMIT" => OrderType.Limit,
        "LIMIT_MAKER" => OrderType.LimitMaker,
        "MARKET" => OrderType.Market,
        "STOP_LOSS" => OrderType.StopLoss,
        "STOP_LOSS_LIMIT" => OrderType.StopLossLimit,
        "TAKE_PROFIT" => OrderType.TakeProfit,
        "TAKE_PROFIT_LIMIT" => OrderType.TakeProfitLimit,
        _ => throw new ApiException(-1116, "Invalid orderType."),
    };

    private static TimeInForce TimeInForce(string text) => text switch
    {
        "GTC" => PaperVenue.TimeInForce.GoodTillCancelled,
        "IOC" => PaperVenue.TimeInForce.ImmediateOrCancel,
        "FOK" => PaperVenue.TimeInForce.FillOrKill,
        _ => throw new ApiException(-1115, "Invalid timeInForce."),
    };
}

internal enum ResponseKind
{
    Ack,
    Result,
    Full,
}
