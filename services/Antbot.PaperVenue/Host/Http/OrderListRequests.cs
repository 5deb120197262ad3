namespace Antbot.PaperVenue.Http;

/// <summary>Reads two orders of which one cancels the other, in the words of today's request and of the older one.</summary>
internal static class OrderListRequests
{
    private static readonly OrderNames Above = Named("above");
    private static readonly OrderNames Below = Named("below");
    private static readonly OrderNames Limit = new("price", "", "", "limitIcebergQty", "", "limitClientOrderId");
    private static readonly OrderNames Stop = new("stopLimitPrice", "stopPrice", "trailingDelta", "stopIcebergQty", "stopLimitTimeInForce", "stopClientOrderId");

    private static readonly HashSet<string> Known =
    [
        "symbol", "side", "quantity", "listClientOrderId", "aboveType", "belowType", "aboveStrategyId", "aboveStrategyType", "belowStrategyId", "belowStrategyType",
        "newOrderRespType", "selfTradePreventionMode", "recvWindow", "timestamp", "signature", .. Above.All, .. Below.All,
    ];

    private static readonly HashSet<string> KnownOfOlder =
    [
        "symbol", "side", "quantity", "listClientOrderId", "limitStrategyId", "limitStrategyType", "stopStrategyId", "stopStrategyType",
        "newOrderRespType", "selfTradePreventionMode", "recvWindow", "timestamp", "signature", .. Limit.All, .. Stop.All,
    ];

    public static NewOrderList Read(Parameters p, VenueRules rules)
    {
        var (instrument, side) = Begin(p, rules, Known);
        var (above, below) = (Type(p, "aboveType"), Type(p, "belowType"));
        Place(side, above, below);
        var (first, second) = (
            ReadOne(p, Above, instrument, side, above),
            ReadOne(p, Below, instrument, side, below));
        return side == Side.Sell ? new NewOrderList(Id(p), second, first) : new NewOrderList(Id(p), first, second);
    }

    /// <summary>A limit that makes the market and a stop-loss, which has a limit where a price for it is given.</summary>
    public static NewOrderList ReadOlder(Parameters p, VenueRules rules)
    {
        var (instrument, side) = Begin(p, rules, KnownOfOlder);
        var stop = p.Find(Stop.Price) is null ? OrderType.StopLoss : OrderType.StopLossLimit;
        return new NewOrderList(
            Id(p),
            ReadOne(p, Stop, instrument, side, stop),
            ReadOne(p, Limit, instrument, side, OrderType.LimitMaker));
    }

    private static NewOrder ReadOne(Parameters p, OrderNames names, Instrument instrument, Side side, OrderType type)
    {
        var order = OrderRequests.ReadByQuantity(p, names, instrument, side, type);
        return order.IcebergQuantity.IsPositive && order.TimeInForce != TimeInForce.GoodTillCancelled
            ? throw new ApiException(-1160, $"Parameter '{names.IcebergQuantity}' is not supported if {names.TimeInForce} is not GTC.")
            : order;
    }

    private static OrderNames Named(string leg) => new($"{leg}Price", $"{leg}StopPrice", $"{leg}TrailingDelta", $"{leg}IcebergQty", $"{leg}TimeInForce", $"{leg}ClientOrderId");

    private static (Instrument Instrument, Side Side) Begin(Parameters p, VenueRules rules, HashSet<string> known)
    {
        var instrument = p.NeedSymbol(rules);
        OrderRequests.RefuseUnknown(p, known);
        return (instrument, OrderRequests.Side(p.Need("side")));
    }

    private static string Id(Parameters p) => p.FindId("listClientOrderId") ?? OrderRequests.NewClientId();

    private static OrderType Type(Parameters p, string name) =>
        OrderRequests.Type(p.Need(name)) is var type && type is OrderType.Limit or OrderType.Market ? throw new ApiException(-1158, "Order type not supported in OCO.") : type;

    /// <summary>A sale's stop-loss stands below and its target above, a purchase's the other way round.</summary>
    private static void Place(Side side, OrderType above, OrderType below)
    {
        if (above == OrderType.LimitMaker && below == OrderType.LimitMaker)
            throw new ApiException(-1168, "At least one OCO order must be contingent.");
        var (stop, target) = side == Side.Sell ? (below, above) : (above, below);
        if (IsStop(target))
            throw side == Side.Sell ? new ApiException(-1197, "A stop loss order in a sell OCO must be below.") : new ApiException(-1196, "A stop loss order in a buy OCO must be above.");
        if (stop == OrderType.LimitMaker)
            throw side == Side.Sell ? new ApiException(-1166, "A limit order in a sell OCO must be above.") : new ApiException(-1165, "A limit order in a buy OCO must be below.");
        if (!IsStop(stop))
            throw side == Side.Sell ? new ApiException(-1199, "A take profit order in a sell OCO must be above.") : new ApiException(-1198, "A take profit order in a buy OCO must be below.");

        static bool IsStop(OrderType type) => type is OrderType.StopLoss or OrderType.StopLossLimit;
    }
}
