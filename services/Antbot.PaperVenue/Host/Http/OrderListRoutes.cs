namespace Antbot.PaperVenue.Http;

/// <summary>Pairs of orders of which one cancels the other.</summary>
internal sealed class OrderListRoutes(Venue venue)
{
    private const int MaxHistory = 1_000;

    private VenueRules Rules => venue.Rules;

    public IEnumerable<(string Method, string Path, Route Route)> All =>
    [
        ("POST", "/api/v3/orderList/oco", Placing(OrderListRequests.Read)),
        ("POST", "/api/v3/order/oco", Placing(OrderListRequests.ReadOlder)),
        ("DELETE", "/api/v3/orderList", new Route(RouteGroup.Cancel, Security.Trade, _ => 1, CancelAsync)),
        ("GET", "/api/v3/orderList", new Route(RouteGroup.Query, Security.Signed, _ => 4, QueryAsync)),
        ("GET", "/api/v3/openOrderList", new Route(RouteGroup.OpenOrders, Security.Signed, _ => 6, OpenAsync)),
        ("GET", "/api/v3/allOrderList", new Route(RouteGroup.Query, Security.Signed, _ => 20, AllAsync)),
    ];

    private Route Placing(Func<Parameters, VenueRules, NewOrderList> read) =>
        new(RouteGroup.OrderList, Security.Trade, _ => 1, call => PlaceAsync(call, read)) { Orders = 2 };

    private async ValueTask<byte[]> PlaceAsync(Call call, Func<Parameters, VenueRules, NewOrderList> read)
    {
        var request = read(call.Parameters, Rules);
        var kind = OrderRequests.ResponseTo(call.Parameters, ResponseKind.Result);
        venue.RefuseInBadWeather(request.Other.Instrument);
        var (answer, rejection) = await venue.ChangeAsync((exchange, now) =>
        {
            var placed = exchange.Place(exchange.FindAccount(call.Account)!, request, now);
            return placed.List is { } list
                ? (Json.Write(json => json.WriteList(list, exchange.OrdersOf(list), (j, o) => j.WritePlaced(o, kind, Rules))), (Rejection?)null)
                : (System.Array.Empty<byte>(), placed.Rejection);
        });
        return rejection is null ? answer : throw ApiException.Refused(rejection);
    }

    private ValueTask<byte[]> CancelAsync(Call call)
    {
        var p = call.Parameters;
        var instrument = p.NeedSymbol(Rules);
        var find = Which(call, "listClientOrderId");
        var cancelId = p.FindId("newClientOrderId") ?? OrderRequests.NewClientId();
        return new(venue.ChangeAsync((exchange, now) =>
        {
            if (find(exchange) is not { } list || list.Instrument != instrument || !exchange.Cancel(list, cancelId, now))
                throw new ApiException(-2011, "Unknown order sent.");
            return Json.Write(json => json.WriteCancelledList(list, exchange));
        }));
    }

    private ValueTask<byte[]> QueryAsync(Call call)
    {
        var find = Which(call, "origClientOrderId");
        return new(venue.ReadAsync((exchange, _) =>
        {
            var list = find(exchange) ?? throw new ApiException(-2018, "Order list does not exist.");
            return Json.Write(json => json.WriteList(list));
        }));
    }

    private ValueTask<byte[]> OpenAsync(Call call) => new(venue.ReadAsync((exchange, _) => Array(exchange.FindAccount(call.Account)!.OpenLists)));

    private ValueTask<byte[]> AllAsync(Call call)
    {
        var p = call.Parameters;
        var (from, start, end, limit) = (p.FindWhole("fromId"), p.FindWhole("startTime"), p.FindWhole("endTime"), p.Limit(500, MaxHistory));
        if (from is not null && (start is not null || end is not null))
            throw new ApiException(-1128, "Combination of optional parameters invalid.");
        return new(venue.ReadAsync((exchange, _) =>
        {
            var account = exchange.FindAccount(call.Account)!;
            var lists = from is { } id ? account.ListsFrom(id) : start is not null ? account.ListsFrom(0) : account.ListsFromLatest;
            return Array(lists.Where(l => (start is null || l.Time >= start) && (end is null || l.Time <= end)).Take(limit).OrderBy(l => l.Id));
        }));
    }

    /// <summary>The list that a request names by its id, or else by the client's.</summary>
    private static Func<Exchange, OrderList?> Which(Call call, string clientIdName)
    {
        var (id, clientId) = (call.Parameters.FindWhole("orderListId"), call.Parameters.FindId(clientIdName));
        if (id is null && clientId is null)
            throw new ApiException(-1102, $"Param '{clientIdName}' or 'orderListId' must be sent, but both were empty/null!");
        return exchange =>
        {
            var account = exchange.FindAccount(call.Account)!;
            var list = id is { } number ? exchange.FindList(number) : account.LatestList(clientId!);
            return list?.Account == account ? list : null;
        };
    }

    private static byte[] Array(IEnumerable<OrderList> lists) => Json.Write(json =>
    {
        json.WriteStartArray();
        foreach (var list in lists)
            json.WriteList(list);
        json.WriteEndArray();
    });
}
