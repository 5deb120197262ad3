using System.Security.Cryptography;

namespace Antbot.PaperVenue.Http;

/// <summary>What a request calls the parameters of one order; empty for what it cannot have.</summary>
internal sealed record OrderNames(string Price, string StopPrice, string TrailingDelta, string IcebergQuantity, string TimeInForce, string ClientId)
{
    public IEnumerable<string> All => ((string[])[Price, StopPrice, TrailingDelta, IcebergQuantity, TimeInForce, ClientId]).Where(n => n.Length > 0);
}

/// <summary>Reads an order out of a request: which parameters each type needs, and which it must not have.</summary>
internal static class OrderRequests
{
    private static readonly OrderNames Names = new("price", "stopPrice", "trailingDelta", "icebergQty", "timeInForce", "newClientOrderId");

    private static readonly HashSet<string> Known =
    [
        .. Names.All, "symbol", "side", "type", "quantity", "quoteOrderQty", "newOrderRespType",
        "strategyId", "strategyType", "selfTradePreventionMode", "computeCommissionRates", "recvWindow", "timestamp", "signature", "reduceOnly",
    ];

    private static readonly HashSet<string> KnownToReplace = new(Known, StringComparer.Ordinal)
    {
        "cancelReplaceMode", "cancelOrderId", "cancelOrigClientOrderId", "cancelNewClientOrderId", "cancelRestrictions", "orderRateLimitExceededMode",
    };

    public static NewOrder Read(Parameters p, VenueRules rules, bool replaces = false)
    {
        var instrument = p.NeedSymbol(rules);
        RefuseUnknown(p, replaces ? KnownToReplace : Known);
        var (side, type) = (Side(p.Need("side")), Type(p.Need("type")));
        var byQuote = type == OrderType.Market && p.Find("quantity") is null;
        Forbid(p, "quoteOrderQty", byQuote);
        if (!byQuote)
        {
            var order = ReadByQuantity(p, Names, instrument, side, type) with { ReduceOnly = p.Flag("reduceOnly") };
            return order.IcebergQuantity.IsPositive && order.TimeInForce != PaperVenue.TimeInForce.GoodTillCancelled ? throw new ApiException(-1014, "Unsupported order combination.") : order;
        }
        if (p.Find("quoteOrderQty") is null)
            throw ApiException.Missing("quantity");
        return ReadPrices(p, Names, instrument, side, type) with { QuoteQuantity = p.NeedPositive("quoteOrderQty"), ReduceOnly = p.Flag("reduceOnly") };
    }

    /// <summary>What was sent that nobody reads is refused, and so is preventing what is not prevented here.</summary>
    public static void RefuseUnknown(Parameters p, HashSet<string> known)
    {
        var unknown = p.Names.Where(n => !known.Contains(n)).ToList();
        if (unknown.Count > 0)
            throw new ApiException(-1104, $"Not all sent parameters were read; read '{p.Names.Count() - unknown.Count}' parameter(s) but was sent '{p.Names.Count()}'.");
        if (p.Find("selfTradePreventionMode") is { } prevention and not "NONE")
            throw prevention.Length > 20 ? ApiException.Invalid("selfTradePreventionMode") : new ApiException(-1013, "This symbol does not support the specified self-trade prevention mode.");
    }

    /// <summary>An order by its quantity, with the prices that its type has.</summary>
    public static NewOrder ReadByQuantity(Parameters p, OrderNames names, Instrument instrument, Side side, OrderType type) =>
        ReadPrices(p, names, instrument, side, type) with { Quantity = p.NeedPositive("quantity") };

    private static NewOrder ReadPrices(Parameters p, OrderNames names, Instrument instrument, Side side, OrderType type)
    {
        var needsPrice = type is OrderType.Limit or OrderType.LimitMaker or OrderType.StopLossLimit or OrderType.TakeProfitLimit;
        var needsStop = type is OrderType.StopLoss or OrderType.StopLossLimit or OrderType.TakeProfit or OrderType.TakeProfitLimit;
        var needsTime = type is OrderType.Limit or OrderType.StopLossLimit or OrderType.TakeProfitLimit;
        Forbid(p, names.Price, needsPrice);
        Forbid(p, names.StopPrice, needsStop);
        Forbid(p, names.TrailingDelta, needsStop);
        Forbid(p, names.IcebergQuantity, needsPrice);
        Forbid(p, names.TimeInForce, needsTime);
        var delta = needsStop ? TrailingDelta(p, names.TrailingDelta) : 0;
        if (needsStop && delta == 0 && p.Find(names.StopPrice) is null)
            throw new ApiException(-1102, $"Param '{names.StopPrice}' or '{names.TrailingDelta}' must be sent, but both were empty/null!");
        return new NewOrder
        {
            Instrument = instrument,
            Side = side,
            Type = type,
            TimeInForce = needsTime ? TimeInForce(p.Need(names.TimeInForce)) : PaperVenue.TimeInForce.GoodTillCancelled,
            Price = needsPrice ? p.NeedPositive(names.Price) : Fixed8.Zero,
            StopPrice = needsStop && p.Find(names.StopPrice) is not null ? p.NeedPositive(names.StopPrice) : Fixed8.Zero,
            TrailingDelta = delta,
            IcebergQuantity = p.Find(names.IcebergQuantity) is null ? Fixed8.Zero : p.NeedPositive(names.IcebergQuantity),
            ClientId = p.FindId(names.ClientId) ?? NewClientId(),
        };
    }

    public static ResponseKind ResponseTo(Parameters p, ResponseKind otherwise) => p.Find("newOrderRespType") switch
    {
        null => otherwise,
        "ACK" => ResponseKind.Ack,
        "RESULT" => ResponseKind.Result,
        "FULL" => ResponseKind.Full,
        _ => throw ApiException.Invalid("newOrderRespType"),
    };

    /// <summary>What is told of an order whose sender has not said how much it wants to hear.</summary>
    public static ResponseKind DefaultOf(OrderType type) => type is OrderType.Market or OrderType.Limit ? ResponseKind.Full : ResponseKind.Ack;

    public static string NewClientId() => RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 22);

    private static void Forbid(Parameters p, string name, bool unless)
    {
        if (!unless && p.Find(name) is not null)
            throw ApiException.NotRequired(name);
    }

    /// <summary>Zero where it is not there, and so never what is sent.</summary>
    private static int TrailingDelta(Parameters p, string name) => p.FindWhole(name) switch
    {
        null => 0,
        0 => throw ApiException.Invalid(name),
        var delta => (int)Math.Min(delta.Value, int.MaxValue),
    };

    public static Side Side(string text) => text switch
    {
        "BUY" => PaperVenue.Side.Buy,
        "SELL" => PaperVenue.Side.Sell,
        _ => throw new ApiException(-1117, "Invalid side."),
    };

    public static OrderType Type(string text) => text switch
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
