using System.Text.Json;
using Antbot.PaperVenue.Streams;

namespace Antbot.PaperVenue.Http;

/// <summary>What the owner of an account may ask and do.</summary>
internal sealed class TradingRoutes(Venue venue, StreamHub hub, RateLimits limits, PaperVenueOptions options)
{
    private const int MaxHistory = 1_000;
    private const long Day = 86_400_000;

    private VenueRules Rules => venue.Rules;

    public IEnumerable<(string Method, string Path, Route Route)> All =>
    [
        ("POST", "/api/v3/order", Placing(PlaceAsync)),
        ("POST", "/api/v3/order/test", Placing(TestAsync)),
        ("POST", "/api/v3/order/cancelReplace", Placing(ReplaceAsync)),
        ("GET", "/api/v3/order", Signed(RouteGroup.Query, 4, QueryAsync)),
        ("DELETE", "/api/v3/order", Cancelling(CancelAsync)),
        ("GET", "/api/v3/openOrders", new Route(RouteGroup.OpenOrders, Security.Signed, p => p.Find("symbol") is null ? 80 : 6, OpenOrdersAsync)),
        ("DELETE", "/api/v3/openOrders", Cancelling(CancelAllAsync)),
        ("GET", "/api/v3/allOrders", Signed(RouteGroup.Query, 20, AllOrdersAsync)),
        ("GET", "/api/v3/myTrades", new Route(RouteGroup.Trades, Security.Signed, p => p.Find("orderId") is null ? 20 : 5, TradesAsync)),
        ("GET", "/api/v3/account", Signed(RouteGroup.Account, 20, AccountAsync)),
        ("GET", "/api/v3/account/commission", Signed(RouteGroup.Account, 20, Commission)),
        ("GET", "/api/v3/rateLimit/order", Signed(RouteGroup.Account, 40, OrderLimits)),
        ("POST", "/api/v3/userDataStream", Keyed(NewStream)),
        ("PUT", "/api/v3/userDataStream", Keyed(KeepStream)),
        ("DELETE", "/api/v3/userDataStream", Keyed(EndStream)),
    ];

    private static Route Signed(RouteGroup group, int weight, Func<Call, ValueTask<byte[]>> answer) => new(group, Security.Signed, _ => weight, answer);

    private static Route Placing(Func<Call, ValueTask<byte[]>> answer) => new(RouteGroup.Order, Security.Trade, _ => 1, answer) { Orders = 1 };

    private static Route Cancelling(Func<Call, ValueTask<byte[]>> answer) => new(RouteGroup.Cancel, Security.Trade, _ => 1, answer);

    private static Route Keyed(Func<Call, byte[]> answer) => new(RouteGroup.UserStream, Security.Key, _ => 2, call => ValueTask.FromResult(answer(call)));

    private async ValueTask<byte[]> PlaceAsync(Call call)
    {
        var order = OrderRequests.Read(call.Parameters, Rules);
        var kind = OrderRequests.ResponseTo(call.Parameters, OrderRequests.DefaultOf(order.Type));
        venue.RefuseInBadWeather(order.Instrument);
        // So that it is the fault that leaves too little, and not who came before.
        if (call.Fault is { Kind: Faults.FaultKind.Partial })
            venue.Move(order.Instrument);
        var (answer, rejection) = await venue.ChangeAsync((exchange, now) =>
        {
            if (call.Fault is { Kind: Faults.FaultKind.Partial } fault && order.Quantity.IsPositive)
                exchange.Thin(order.Instrument, order.Side == Side.Buy ? Side.Sell : Side.Buy, fault.PartOf(order.Quantity, order.Instrument.Lot));
            var placed = exchange.Place(exchange.FindAccount(call.Account)!, order, now, isHeld: call.Fault is { Kind: Faults.FaultKind.LateFill });
            if (placed.Order is not null && call.Fault is { Kind: Faults.FaultKind.LateFill or Faults.FaultKind.BustedFill } undone)
                venue.Later(undone, placed.Order.Id);
            return placed.Order is { } made ? (Json.Write(json => json.WritePlaced(made, kind, Rules)), (Rejection?)null) : (System.Array.Empty<byte>(), placed.Rejection);
        });
        return rejection is null ? answer : throw ApiException.Refused(rejection);
    }

    private async ValueTask<byte[]> TestAsync(Call call)
    {
        var order = OrderRequests.Read(call.Parameters, Rules);
        OrderRequests.ResponseTo(call.Parameters, OrderRequests.DefaultOf(order.Type));
        var rejection = await venue.ReadAsync((exchange, now) => exchange.Check(exchange.FindAccount(call.Account)!, order, now));
        return rejection is null ? "{}"u8.ToArray() : throw ApiException.Refused(rejection);
    }

    private ValueTask<byte[]> QueryAsync(Call call)
    {
        var (instrument, find) = Which(call);
        return new(venue.ReadAsync((exchange, _) =>
        {
            var order = find(exchange) is { } found && found.Instrument == instrument ? found : throw new ApiException(-2013, "Order does not exist.");
            return Json.Write(json => json.WriteOrder(order));
        }));
    }

    private ValueTask<byte[]> CancelAsync(Call call)
    {
        var (instrument, find) = Which(call);
        var cancelId = call.Parameters.FindId("newClientOrderId") ?? OrderRequests.NewClientId();
        var only = OnlyIf(call.Parameters);
        return new(venue.ChangeAsync((exchange, now) =>
        {
            var order = find(exchange);
            if (NoCancel(order, instrument, only) is { } rejection)
                throw ApiException.Refused(rejection);
            exchange.Cancel(order!, cancelId, now);
            return Json.Write(json => json.WriteCancelled(order!, exchange));
        }));
    }

    private ValueTask<byte[]> CancelAllAsync(Call call)
    {
        var instrument = call.Parameters.NeedSymbol(Rules);
        return new(venue.ChangeAsync((exchange, now) =>
        {
            var open = exchange.FindAccount(call.Account)!.OpenOrders.Where(o => o.Instrument == instrument).ToList();
            if (open.Count == 0)
                throw new ApiException(-2011, "Unknown order sent.");
            // With the first of a list goes the other.
            var cancelled = open.Where(order => exchange.Cancel(order, OrderRequests.NewClientId(), now)).ToList();
            return Array(cancelled, (json, o) => json.WriteCancelled(o, exchange));
        }));
    }

    /// <summary>Cancels one order and places another as one step, so that nobody trades between the two.</summary>
    private ValueTask<byte[]> ReplaceAsync(Call call)
    {
        var p = call.Parameters;
        var order = OrderRequests.Read(p, Rules, replaces: true);
        var kind = OrderRequests.ResponseTo(p, OrderRequests.DefaultOf(order.Type));
        var (id, clientId) = (p.FindWhole("cancelOrderId"), p.FindId("cancelOrigClientOrderId"));
        if (id is null && clientId is null)
            throw ApiException.Missing("cancelOrderId");
        venue.RefuseInBadWeather(order.Instrument);
        var cancelId = p.FindId("cancelNewClientOrderId") ?? OrderRequests.NewClientId();
        var only = OnlyIf(p);
        var stopsOnFailure = p.Need("cancelReplaceMode") switch
        {
            "STOP_ON_FAILURE" => true,
            "ALLOW_FAILURE" => false,
            _ => throw ApiException.Invalid("cancelReplaceMode"),
        };
        return new(venue.ChangeAsync((exchange, now) =>
        {
            var account = exchange.FindAccount(call.Account)!;
            var old = id is { } number ? exchange.FindOrder(number) : account.Latest(clientId!);
            var noCancel = NoCancel(old?.Account == account ? old : null, order.Instrument, only);
            var cancelled = noCancel is null && exchange.Cancel(old!, cancelId, now);
            var placed = cancelled || !stopsOnFailure ? exchange.Place(account, order, now) : default;
            var result = Json.Write(json =>
            {
                json.WriteStartObject();
                json.Field("cancelResult", cancelled ? "SUCCESS" : "FAILURE")
                    .Field("newOrderResult", placed.Order is not null ? "SUCCESS" : placed.Rejection is not null ? "FAILURE" : "NOT_ATTEMPTED");
                json.WritePropertyName("cancelResponse");
                if (cancelled)
                    json.WriteCancelled(old!, exchange);
                else
                    WriteError(json, noCancel!);
                json.WritePropertyName("newOrderResponse");
                if (placed.Order is { } made)
                    json.WritePlaced(made, kind, Rules);
                else if (placed.Rejection is { } rejection)
                    WriteError(json, rejection);
                else
                    json.WriteNullValue();
                json.WriteEndObject();
            });
            if (cancelled && placed.Order is not null)
                return result;
            throw cancelled || placed.Order is not null
                ? new ApiException(-2021, "Order cancel-replace partially failed.", 409) { Details = result }
                : new ApiException(-2022, "Order cancel-replace failed.") { Details = result };
        }));
    }

    /// <summary>The only status in which an order is to be cancelled; null for any in which it is open.</summary>
    private static OrderStatus? OnlyIf(Parameters p) => p.Find("cancelRestrictions") switch
    {
        null => null,
        "ONLY_NEW" => OrderStatus.New,
        "ONLY_PARTIALLY_FILLED" => OrderStatus.PartiallyFilled,
        _ => throw new ApiException(-1145, "Invalid cancelRestrictions"),
    };

    /// <summary>Why an order is not cancelled; null where it can be.</summary>
    private static Rejection? NoCancel(Order? order, Instrument instrument, OrderStatus? only)
    {
        if (order is not { IsOpen: true } || order.Instrument != instrument)
            return new Rejection(-2011, "Unknown order sent.");
        return only is null || order.Status == only ? null : new Rejection(-2011, "Order was not canceled due to cancel restrictions.");
    }

    private static void WriteError(Utf8JsonWriter json, Rejection rejection)
    {
        json.WriteStartObject();
        json.Field("code", rejection.Code).Field("msg", rejection.Message);
        json.WriteEndObject();
    }

    private ValueTask<byte[]> OpenOrdersAsync(Call call)
    {
        var instrument = call.Parameters.FindSymbol(Rules);
        return new(venue.ReadAsync((exchange, _) =>
            Array(exchange.FindAccount(call.Account)!.OpenOrders.Where(o => instrument is null || o.Instrument == instrument), (json, o) => json.WriteOrder(o))));
    }

    private ValueTask<byte[]> AllOrdersAsync(Call call)
    {
        var p = call.Parameters;
        var instrument = p.NeedSymbol(Rules);
        var (from, limit) = (p.FindWhole("orderId"), p.Limit(500, MaxHistory));
        var (start, end) = Span(p);
        return new(venue.ReadAsync((exchange, _) =>
        {
            var account = exchange.FindAccount(call.Account)!;
            var orders = from is { } id ? account.OrdersFrom(id) : start is not null ? account.Orders : account.OrdersFromLatest;
            var found = orders.Where(o => o.Instrument == instrument && (start is null || o.Time >= start) && (end is null || o.Time <= end)).Take(limit).OrderBy(o => o.Id);
            return Array(found, (json, o) => json.WriteOrder(o));
        }));
    }

    private ValueTask<byte[]> TradesAsync(Call call)
    {
        var p = call.Parameters;
        var instrument = p.NeedSymbol(Rules);
        var (order, from, limit) = (p.FindWhole("orderId"), p.FindWhole("fromId"), p.Limit(500, MaxHistory));
        var (start, end) = Span(p);
        return new(venue.ReadAsync((exchange, _) =>
        {
            var account = exchange.FindAccount(call.Account)!;
            IEnumerable<Fill> fills = order is { } id
                ? exchange.FindOrder(id) is { } known && known.Account == account ? known.Fills : []
                : from is { } trade ? account.FillsFrom(trade) : start is not null ? account.FillsFrom(0) : account.FillsFromLatest;
            var found = fills
                .Where(f => f.Order.Instrument == instrument && (from is null || f.Trade >= from) && (start is null || f.Time >= start) && (end is null || f.Time <= end))
                .Take(limit).OrderBy(f => f.Trade);
            return Array(found, (json, f) => json.WriteFill(f, Rules));
        }));
    }

    private ValueTask<byte[]> AccountAsync(Call call)
    {
        var withoutZeros = call.Parameters.Find("omitZeroBalances") == "true";
        return new(venue.ReadAsync((exchange, _) => Json.Write(json => json.WriteAccount(exchange.FindAccount(call.Account)!, call.Caller.Permissions, Rules, withoutZeros, call.Fault is { Kind: Faults.FaultKind.WrongBalances } wrong ? wrong : null))));
    }

    private ValueTask<byte[]> Commission(Call call)
    {
        var instrument = call.Parameters.NeedSymbol(Rules);
        return ValueTask.FromResult(Json.Write(json =>
        {
            json.WriteStartObject();
            json.Field("symbol", instrument.Symbol);
            WriteRates("standardCommission", Rules.MakerFee, Rules.TakerFee);
            WriteRates("specialCommission", Fixed8.Zero, Fixed8.Zero);
            WriteRates("taxCommission", Fixed8.Zero, Fixed8.Zero);
            json.WriteEndObject();

            void WriteRates(string name, Fixed8 maker, Fixed8 taker)
            {
                json.WriteStartObject(name);
                json.Number("maker", maker).Number("taker", taker).Number("buyer", Fixed8.Zero).Number("seller", Fixed8.Zero);
                json.WriteEndObject();
            }
        }));
    }

    private ValueTask<byte[]> OrderLimits(Call call)
    {
        var (inTenSeconds, today) = limits.OrdersOf(call.Account);
        return ValueTask.FromResult(Json.Write(json =>
        {
            json.WriteStartArray();
            MarketRoutes.WriteLimit(json, "ORDERS", "SECOND", 10, options.OrdersPerTenSeconds, inTenSeconds);
            MarketRoutes.WriteLimit(json, "ORDERS", "DAY", 1, options.OrdersPerDay, today);
            json.WriteEndArray();
        }));
    }

    private byte[] NewStream(Call call)
    {
        var key = hub.NewKey(call.Account) ?? throw new ApiException(-1003, "Too many listen keys; use the ones there are, or end them.");
        return Json.Write(json =>
        {
            json.WriteStartObject();
            json.Field("listenKey", key);
            json.WriteEndObject();
        });
    }

    private byte[] KeepStream(Call call) =>
        hub.KeepKey(call.Parameters.Need("listenKey"), call.Account) ? "{}"u8.ToArray() : throw new ApiException(-1125, "This listenKey does not exist.");

    private byte[] EndStream(Call call) =>
        hub.DropKey(call.Parameters.Need("listenKey"), call.Account) ? "{}"u8.ToArray() : throw new ApiException(-1125, "This listenKey does not exist.");

    /// <summary>The order that a request names by its id, or by the client's.</summary>
    private (Instrument Instrument, Func<Exchange, Order?> Find) Which(Call call)
    {
        var p = call.Parameters;
        var instrument = p.NeedSymbol(Rules);
        var (id, clientId) = (p.FindWhole("orderId"), p.FindId("origClientOrderId"));
        if (id is null && clientId is null)
            throw new ApiException(-1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!");
        return (instrument, exchange =>
        {
            var account = exchange.FindAccount(call.Account)!;
            var order = id is { } number ? exchange.FindOrder(number) : account.Latest(clientId!);
            return order is not null && order.Account == account && (clientId is null || order.ClientId == clientId) ? order : null;
        });
    }

    private static (long? Start, long? End) Span(Parameters p)
    {
        var (start, end) = (p.FindWhole("startTime"), p.FindWhole("endTime"));
        return start is { } s && end is { } e && e - s > Day ? throw new ApiException(-1127, "More than 24 hours between startTime and endTime.") : (start, end);
    }

    private static byte[] Array<T>(IEnumerable<T> items, Action<Utf8JsonWriter, T> write) => Json.Write(json =>
    {
        json.WriteStartArray();
        foreach (var item in items)
            write(json, item);
        json.WriteEndArray();
    });
}
