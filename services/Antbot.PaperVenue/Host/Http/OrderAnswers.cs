using System.Text.Json;

namespace Antbot.PaperVenue.Http;

/// <summary>Orders, fills and accounts as the API shows them.</summary>
internal static class OrderAnswers
{
    public static void WritePlaced(this Utf8JsonWriter json, Order o, ResponseKind kind, VenueRules rules)
    {
        json.WriteStartObject();
        json.Field("symbol", o.Instrument.Symbol).Field("orderId", o.Id).Field("orderListId", o.ListId()).Field("clientOrderId", o.ClientId).Field("transactTime", o.UpdateTime);
        if (kind != ResponseKind.Ack)
            WriteFigures(json, o);
        if (kind == ResponseKind.Full)
        {
            json.WriteStartArray("fills");
            foreach (var fill in o.Fills)
            {
                json.WriteStartObject();
                json.Number("price", fill.Price).Number("qty", fill.Quantity).Number("commission", fill.Fee).Field("commissionAsset", rules.Assets[fill.FeeAsset]).Field("tradeId", fill.Trade);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static void WriteCancelled(this Utf8JsonWriter json, Order o)
    {
        json.WriteStartObject();
        json.Field("symbol", o.Instrument.Symbol).Field("origClientOrderId", o.ClientId).Field("orderId", o.Id).Field("orderListId", o.ListId())
            .Field("clientOrderId", o.CancelId ?? o.ClientId).Field("transactTime", o.UpdateTime);
        WriteFigures(json, o);
        json.WriteEndObject();
    }

    public static void WriteOrder(this Utf8JsonWriter json, Order o)
    {
        json.WriteStartObject();
        json.Field("symbol", o.Instrument.Symbol).Field("orderId", o.Id).Field("orderListId", o.ListId()).Field("clientOrderId", o.ClientId)
            .Number("price", o.Price).Number("origQty", o.Quantity).Number("executedQty", o.Executed).Number("cummulativeQuoteQty", o.QuoteExecuted)
            .Field("status", o.Status.Text()).Field("timeInForce", o.TimeInForce.Text()).Field("type", o.Type.Text()).Field("side", o.Side.Text())
            .Number("stopPrice", o.StopPrice).Number("icebergQty", o.IcebergQuantity).Field("time", o.Time).Field("updateTime", o.UpdateTime)
            .Field("isWorking", o.IsWorking).Field("workingTime", o.WorkingTime).Number("origQuoteOrderQty", o.QuoteQuantity).Field("selfTradePreventionMode", "NONE");
        WriteTrail(json, o);
        json.WriteEndObject();
    }

    /// <summary>A list as it is found: which orders are in it, and not how they are.</summary>
    public static void WriteList(this Utf8JsonWriter json, OrderList list) => json.WriteList(list, [], null);

    /// <param name="write">How each of the orders is told; null where they are not.</param>
    public static void WriteList(this Utf8JsonWriter json, OrderList list, IEnumerable<Order> orders, Action<Utf8JsonWriter, Order>? write)
    {
        json.WriteStartObject();
        json.Field("orderListId", list.Id).Field("contingencyType", "OCO").Field("listStatusType", StatusType(!list.IsOpen)).Field("listOrderStatus", OrderStatus(!list.IsOpen))
            .Field("listClientOrderId", list.ClientId).Field("transactionTime", list.UpdateTime).Field("symbol", list.Instrument.Symbol);
        json.WriteStartArray("orders");
        foreach (var listed in list.Orders)
        {
            json.WriteStartObject();
            json.Field("symbol", list.Instrument.Symbol).Field("orderId", listed.Order).Field("clientOrderId", listed.ClientId);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        if (write is not null)
        {
            json.WriteStartArray("orderReports");
            foreach (var order in orders)
                write(json, order);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    /// <summary>Whoever cancels one order of a list has cancelled the list, and is told so.</summary>
    public static void WriteCancelled(this Utf8JsonWriter json, Order o, Exchange exchange)
    {
        if (o.List is { } list)
            json.WriteCancelledList(list, exchange);
        else
            json.WriteCancelled(o);
    }

    public static void WriteCancelledList(this Utf8JsonWriter json, OrderList list, Exchange exchange) => json.WriteList(list, exchange.OrdersOf(list), (j, o) => j.WriteCancelled(o));

    public static string StatusType(bool isDone) => isDone ? "ALL_DONE" : "EXEC_STARTED";

    public static string OrderStatus(bool isDone) => isDone ? "ALL_DONE" : "EXECUTING";

    /// <summary>Minus one for an order by itself.</summary>
    public static long ListId(this Order o) => o.List?.Id ?? -1;

    public static void WriteFill(this Utf8JsonWriter json, Fill f, VenueRules rules)
    {
        json.WriteStartObject();
        json.Field("symbol", f.Order.Instrument.Symbol).Field("id", f.Trade).Field("orderId", f.Order.Id).Field("orderListId", f.Order.ListId())
            .Number("price", f.Price).Number("qty", f.Quantity).Number("quoteQty", f.QuoteQuantity).Number("commission", f.Fee).Field("commissionAsset", rules.Assets[f.FeeAsset])
            .Field("time", f.Time).Field("isBuyer", f.Order.Side == Side.Buy).Field("isMaker", f.IsMaker).Field("isBestMatch", true);
        json.WriteEndObject();
    }

    public static void WriteAccount(this Utf8JsonWriter json, Account a, Permissions may, VenueRules rules, bool withoutZeros, Faults.Fault? wrong = null)
    {
        json.WriteStartObject();
        json.Field("makerCommission", rules.MakerFee.Units / 10_000).Field("takerCommission", rules.TakerFee.Units / 10_000).Field("buyerCommission", 0).Field("sellerCommission", 0);
        json.WriteStartObject("commissionRates");
        json.Number("maker", rules.MakerFee).Number("taker", rules.TakerFee).Number("buyer", Fixed8.Zero).Number("seller", Fixed8.Zero);
        json.WriteEndObject();
        json.Field("canTrade", may.HasFlag(Permissions.Trade)).Field("canWithdraw", may.HasFlag(Permissions.Withdraw)).Field("canDeposit", true).Field("brokered", false).Field("requireSelfTradePrevention", false).Field("preventSor", false)
            .Field("updateTime", a.UpdateTime).Field("accountType", "SPOT");
        json.WriteStartArray("balances");
        for (var asset = 0; asset < a.Balances.Length; asset++)
        {
            var balance = a.Balances[asset];
            if (withoutZeros && balance.Free.IsZero && balance.Locked.IsZero)
                continue;
            json.WriteStartObject();
            json.Field("asset", rules.Assets[asset]).Number("free", Told(balance.Free)).Number("locked", Told(balance.Locked));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("permissions");
        json.WriteStringValue("SPOT");
        json.WriteEndArray();
        json.Field("uid", a.Id);
        json.WriteEndObject();

        Fixed8 Told(Fixed8 amount) => wrong is null ? amount : wrong.PartOf(amount, new Fixed8(1));
    }

    private static void WriteFigures(Utf8JsonWriter json, Order o)
    {
        json.Number("price", o.Price).Number("origQty", o.Quantity).Number("executedQty", o.Executed).Number("origQuoteOrderQty", o.QuoteQuantity)
            .Number("cummulativeQuoteQty", o.QuoteExecuted).Field("status", o.Status.Text()).Field("timeInForce", o.TimeInForce.Text()).Field("type", o.Type.Text()).Field("side", o.Side.Text());
        if (o.HasStop)
            json.Number("stopPrice", o.StopPrice);
        if (o.IcebergQuantity.IsPositive)
            json.Number("icebergQty", o.IcebergQuantity);
        if (o.IsWorking)
            json.Field("workingTime", o.WorkingTime);
        json.Field("selfTradePreventionMode", "NONE");
        WriteTrail(json, o);
    }

    /// <summary>Of a stop that follows the price; of others it is not told.</summary>
    private static void WriteTrail(Utf8JsonWriter json, Order o)
    {
        if (o.Trails)
            json.Field("trailingDelta", o.TrailingDelta).Field("trailingTime", o.TrailingTime);
    }
}
