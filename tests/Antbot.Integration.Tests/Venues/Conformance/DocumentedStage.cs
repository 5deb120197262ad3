using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Antbot.Contracts;

namespace Antbot.Integration.Tests.Venues.Conformance;

/// <summary>
/// Binance spot as its public documentation has it, down to the order of fields, those that nobody here reads included: enough of it to
/// answer what an adapter asks. Made without a look at the paper venue, so that the two are not wrong together.
/// </summary>
internal sealed class DocumentedStage : IVenueStage
{
    private const decimal Price = 65_000m;
    private const int PageMax = 1_000;

    private readonly Lock _lock = new();
    private readonly List<Order> _orders = [];
    private readonly Dictionary<string, (string Secret, bool MayWithdraw)> _keys = new(StringComparer.Ordinal);
    private TimeSpan _off;
    private long _trades = 28_457;

    public VenueFront Front { get; private set; } = null!;

    public string Key => "documented-key";

    public string Secret => "documented-secret";

    private long Now => (DateTimeOffset.UtcNow + _off).ToUnixTimeMilliseconds();

    public static async Task<DocumentedStage> StartAsync()
    {
        var stage = new DocumentedStage();
        stage._keys[stage.Key] = (stage.Secret, false);
        stage.Front = await VenueFront.StartAsync(request => Task.FromResult(stage.Answer(request)), (streams, socket, token) => new DocumentedStreams(() => stage.Now).SpeakAsync(streams, socket, token));
        return stage;
    }

    public Task SetClockOffAsync(TimeSpan by)
    {
        _off = by;
        return Task.CompletedTask;
    }

    public Task FillInPartsAsync(ClientOrderId order, int parts)
    {
        lock (_lock)
        {
            for (var i = 0; i < parts; i++)
                Fill(_orders.Single(o => o.ClientId == order.Value), 0.0001m, isMaker: true);
        }
        return Task.CompletedTask;
    }

    public Task<(string Key, string Secret)> NewKeyAsync(bool mayWithdraw)
    {
        var key = $"documented-{_keys.Count}";
        _keys[key] = ("another-secret", mayWithdraw);
        return Task.FromResult((key, "another-secret"));
    }

    public ValueTask DisposeAsync() => Front.DisposeAsync();

    private FrontReply Answer(FrontRequest r)
    {
        lock (_lock)
        {
            var answer = (r.Method, r.Path) switch
            {
                ("GET", "/api/v3/time") => Ok($$"""{"serverTime":{{Now}}}"""),
                ("GET", "/api/v3/exchangeInfo") => Ok(ExchangeInfo()),
                ("GET", "/api/v3/klines") => Ok(Klines(r["interval"] switch { "1d" => 86_400_000, "1s" => 1_000, _ => 60_000 }, int.Parse(r["limit"], CultureInfo.InvariantCulture))),
                _ => Refusal(r) ?? Signed(r),
            };
            return answer with { Headers = new Dictionary<string, string>(answer.Headers, StringComparer.Ordinal) { ["X-MBX-USED-WEIGHT"] = "10", ["X-MBX-USED-WEIGHT-1M"] = "10" } };
        }
    }

    private FrontReply Signed(FrontRequest r) => (r.Method, r.Path) switch
    {
        ("POST", "/api/v3/order") => Place(r),
        ("GET", "/api/v3/order") => _orders.LastOrDefault(o => r["orderId"].Length > 0 ? o.Id.ToString(CultureInfo.InvariantCulture) == r["orderId"] : o.ClientId == r["origClientOrderId"]) is { } found ? Ok(Queried(found)) : Error(400, -2013, "Order does not exist."),
        ("DELETE", "/api/v3/order") => Cancel(r),
        ("GET", "/api/v3/openOrders") => Ok($"[{string.Join(',', _orders.Where(o => o.IsOpen).Select(Queried))}]"),
        ("GET", "/api/v3/myTrades") => MyTrades(r),
        ("GET", "/api/v3/account") => Ok(Account()),
        ("GET", "/sapi/v1/account/apiRestrictions") => Ok(Restrictions(_keys[r.ApiKey!].MayWithdraw)),
        _ => new FrontReply(404, "<html><body>404</body></html>"u8.ToArray()),
    };

    /// <summary>Key, signature and time, in the order in which they are looked at.</summary>
    private FrontReply? Refusal(FrontRequest r)
    {
        if (r.ApiKey is not { } name || !_keys.TryGetValue(name, out var key))
            return Error(401, -2015, "Invalid API-key, IP, or permissions for action.");
        var at = r.Query.LastIndexOf("&signature=", StringComparison.Ordinal);
        if (at < 0 || Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(key.Secret), Encoding.UTF8.GetBytes(r.Query[..at]))) != r["signature"])
            return Error(400, -1022, "Signature for this request is not valid.");
        var (time, window) = (long.Parse(r["timestamp"], CultureInfo.InvariantCulture), long.Parse(r["recvWindow"], CultureInfo.InvariantCulture));
        if (window > 60_000)
            return Error(400, -1131, "recvWindow must be less than 60000");
        if (time >= Now + 1_000)
            return Error(400, -1021, "Timestamp for this request was 1000ms ahead of the server's time.");
        return Now - time > window ? Error(400, -1021, "Timestamp for this request is outside of the recvWindow.") : null;
    }

    private FrontReply Place(FrontRequest r)
    {
        string[] wanted = r["type"] switch
        {
            "MARKET" => ["quantity"],
            "LIMIT" => ["timeInForce", "quantity", "price"],
            "STOP_LOSS" => ["quantity", "stopPrice"],
            "STOP_LOSS_LIMIT" => ["timeInForce", "quantity", "price", "stopPrice"],
            _ => ["type"],
        };
        if (wanted.FirstOrDefault(w => r[w].Length == 0 || w == "type") is { } missing)
            return Error(400, -1102, $"Mandatory parameter '{missing}' was not sent, was empty/null, or malformed.");
        if (new[] { "quantity", "price", "stopPrice", "timeInForce" }.Except(wanted, StringComparer.Ordinal).FirstOrDefault(u => r[u].Length > 0) is { } unread)
            return Error(400, -1106, $"Parameter '{unread}' sent when not required.");
        var quantity = decimal.Parse(r["quantity"], CultureInfo.InvariantCulture);
        var price = r["price"].Length > 0 ? decimal.Parse(r["price"], CultureInfo.InvariantCulture) : 0;
        if (quantity % 0.00001m != 0 || quantity is 0 or > 9_000)
            return Error(400, -1013, "Filter failure: LOT_SIZE");
        if (price % 0.01m != 0)
            return Error(400, -1013, "Filter failure: PRICE_FILTER");
        if (quantity * (price > 0 ? price : Price) < 5)
            return Error(400, -1013, "Filter failure: NOTIONAL");
        if (r["side"] == "BUY" ? quantity * Price > 100_000 : quantity > 10)
            return Error(400, -2010, "Account has insufficient balance for requested action.");
        if (_orders.Exists(o => o.IsOpen && o.ClientId == r["newClientOrderId"]))
            return Error(400, -2010, "Duplicate order sent.");
        var order = new Order
        {
            Id = _orders.Count + 1,
            ClientId = r["newClientOrderId"],
            Side = r["side"],
            Type = r["type"],
            Quantity = quantity,
            Limit = price,
            Stop = r["stopPrice"].Length > 0 ? decimal.Parse(r["stopPrice"], CultureInfo.InvariantCulture) : 0,
            Time = Now,
        };
        _orders.Add(order);
        if (order.Type == "MARKET")
        {
            Fill(order, quantity / 2 - (quantity / 2 % 0.00001m), isMaker: false);
            Fill(order, quantity - order.Executed, isMaker: false);
        }
        return Ok(Placed(order));
    }

    private FrontReply Cancel(FrontRequest r)
    {
        if (_orders.Find(o => o.IsOpen && o.ClientId == r["origClientOrderId"]) is not { } order)
            return Error(400, -2011, "Unknown order sent.");
        order.IsCancelled = true;
        return Ok($$"""
            {"symbol":"BTCUSDT","origClientOrderId":"{{order.ClientId}}","orderId":{{order.Id}},"orderListId":-1,"clientOrderId":"cancelMyOrder{{order.Id}}","transactTime":{{Now}},"price":"{{N(order.Limit)}}","origQty":"{{N(order.Quantity)}}","executedQty":"{{N(order.Executed)}}","origQuoteOrderQty":"0.000000","cummulativeQuoteQty":"{{N(order.Cost)}}","status":"CANCELED","timeInForce":"GTC","type":"{{order.Type}}","side":"{{order.Side}}","selfTradePreventionMode":"NONE"}
            """);
    }

    private void Fill(Order order, decimal quantity, bool isMaker)
    {
        if (quantity > 0)
            order.Fills.Add((++_trades, quantity, order.Limit > 0 ? order.Limit : Price, isMaker, Now));
    }

    private static string Placed(Order o) => $$"""
        {"symbol":"BTCUSDT","orderId":{{o.Id}},"orderListId":-1,"clientOrderId":"{{o.ClientId}}","transactTime":{{o.Time}},"price":"{{N(o.Limit)}}","origQty":"{{N(o.Quantity)}}","executedQty":"{{N(o.Executed)}}","origQuoteOrderQty":"0.000000","cummulativeQuoteQty":"{{N(o.Cost)}}","status":"{{o.Status}}","timeInForce":"GTC","type":"{{o.Type}}","side":"{{o.Side}}","workingTime":{{o.Time}},"selfTradePreventionMode":"NONE","fills":[{{string.Join(',', o.Fills.Select(f => $$"""{"price":"{{N(f.Price)}}","qty":"{{N(f.Quantity)}}","commission":"{{N(f.Quantity * 0.001m)}}","commissionAsset":"BTC","tradeId":{{f.Id}}}"""))}}]}
        """;

    private static string Queried(Order o) => $$"""
        {"symbol":"BTCUSDT","orderId":{{o.Id}},"orderListId":-1,"clientOrderId":"{{o.ClientId}}","price":"{{N(o.Limit)}}","origQty":"{{N(o.Quantity)}}","executedQty":"{{N(o.Executed)}}","cummulativeQuoteQty":"{{N(o.Cost)}}","status":"{{o.Status}}","timeInForce":"GTC","type":"{{o.Type}}","side":"{{o.Side}}","stopPrice":"{{N(o.Stop)}}","icebergQty":"0.0","time":{{o.Time}},"updateTime":{{o.Time}},"isWorking":true,"workingTime":{{o.Time}},"origQuoteOrderQty":"0.000000","selfTradePreventionMode":"NONE"}
        """;

    /// <summary>Of a time or of an order from its first on, and from a number on; by time and by number is one too many.</summary>
    private FrontReply MyTrades(FrontRequest r)
    {
        if (r["startTime"].Length > 0 && (r["fromId"].Length > 0 || r["orderId"].Length > 0))
            return Error(400, -1128, "Combination of optional parameters invalid.");
        var (from, start) = (Number("fromId"), Number("startTime"));
        var fills = _orders.Where(o => r["orderId"].Length == 0 || o.Id == Number("orderId"))
            .SelectMany(o => o.Fills.Select(f => (Order: o, Fill: f)))
            .Where(f => f.Fill.Id >= from && f.Fill.Time >= start).OrderBy(f => f.Fill.Id).Take((int)Math.Min(PageMax, Number("limit")))
            .Select(f => Traded(f.Order, f.Fill));
        return Ok($"[{string.Join(',', fills)}]");

        long Number(string name) => r[name].Length > 0 ? long.Parse(r[name], CultureInfo.InvariantCulture) : 0;
    }

    private static string Traded(Order order, (long Id, decimal Quantity, decimal Price, bool IsMaker, long Time) f) => $$"""
        {"symbol":"BTCUSDT","id":{{f.Id}},"orderId":{{order.Id}},"orderListId":-1,"price":"{{N(f.Price)}}","qty":"{{N(f.Quantity)}}","quoteQty":"{{N(f.Quantity * f.Price)}}","commission":"{{N(f.Quantity * 0.001m)}}","commissionAsset":"BTC","time":{{f.Time}},"isBuyer":{{(order.Side == "BUY" ? "true" : "false")}},"isMaker":{{(f.IsMaker ? "true" : "false")}},"isBestMatch":true}
        """;

    private static string Account() => """
        {"makerCommission":15,"takerCommission":15,"buyerCommission":0,"sellerCommission":0,"commissionRates":{"maker":"0.00150000","taker":"0.00150000","buyer":"0.00000000","seller":"0.00000000"},"canTrade":true,"canWithdraw":true,"canDeposit":true,"brokered":false,"requireSelfTradePrevention":false,"preventSor":false,"updateTime":123456789,"accountType":"SPOT","balances":[{"asset":"USDT","free":"100000.00000000","locked":"0.00000000"},{"asset":"BTC","free":"10.00000000","locked":"0.00000000"}],"permissions":["SPOT"],"uid":354937868}
        """;

    private static string Restrictions(bool mayWithdraw) => $$"""
        {"ipRestrict":false,"createTime":1698645219000,"enableInternalTransfer":false,"enableFutures":false,"enablePortfolioMarginTrading":true,"enableVanillaOptions":false,"permitsUniversalTransfer":false,"enableReading":true,"enableSpotAndMarginTrading":true,"enableWithdrawals":{{(mayWithdraw ? "true" : "false")}},"enableMargin":false}
        """;

    private string ExchangeInfo() => $$"""
        {"timezone":"UTC","serverTime":{{Now}},"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":1200000},{"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":100000},{"rateLimitType":"ORDERS","interval":"DAY","intervalNum":1,"limit":20000000},{"rateLimitType":"RAW_REQUESTS","interval":"MINUTE","intervalNum":5,"limit":61000}],"exchangeFilters":[],"symbols":[{{Symbol("BTCUSDT", "TRADING", "BTC")}},{{Symbol("ETHUSDT", "TRADING", "ETH")}},{{Symbol("LUNAUSDT", "BREAK", "LUNA")}}],"sors":[{"baseAsset":"BTC","symbols":["BTCUSDT","BTCUSDC"]}]}
        """;

    private static string Symbol(string name, string status, string asset) => $$"""
        {"symbol":"{{name}}","status":"{{status}}","baseAsset":"{{asset}}","baseAssetPrecision":8,"quoteAsset":"USDT","quotePrecision":8,"quoteAssetPrecision":8,"baseCommissionPrecision":8,"quoteCommissionPrecision":8,"orderTypes":["LIMIT","LIMIT_MAKER","MARKET","STOP_LOSS","STOP_LOSS_LIMIT","TAKE_PROFIT","TAKE_PROFIT_LIMIT"],"icebergAllowed":true,"ocoAllowed":true,"otoAllowed":true,"quoteOrderQtyMarketAllowed":true,"allowTrailingStop":true,"cancelReplaceAllowed":true,"isSpotTradingAllowed":true,"isMarginTradingAllowed":true,"filters":[{"filterType":"PRICE_FILTER","minPrice":"0.01000000","maxPrice":"1000000.00000000","tickSize":"0.01000000"},{"filterType":"LOT_SIZE","minQty":"0.00001000","maxQty":"9000.00000000","stepSize":"0.00001000"},{"filterType":"MARKET_LOT_SIZE","minQty":"0.00000000","maxQty":"1000.00000000","stepSize":"0.00000000"},{"filterType":"MAX_NUM_ORDERS","maxNumOrders":10000},{"filterType":"MAX_NUM_ALGO_ORDERS","maxNumAlgoOrders":5000},{"filterType":"ICEBERG_PARTS","limit":10},{"filterType":"NOTIONAL","minNotional":"5.00000000","applyMinToMarket":true,"maxNotional":"9000000.00000000","applyMaxToMarket":false,"avgPriceMins":5}],"permissions":[],"permissionSets":[["SPOT","MARGIN"]],"defaultSelfTradePreventionMode":"NONE","allowedSelfTradePreventionModes":["NONE"]}
        """;

    /// <summary>Candles that are over, and the one that is not.</summary>
    private string Klines(long length, int count)
    {
        var last = Now / length * length;
        return $"[{string.Join(',', Enumerable.Range(0, count).Select(i => Kline(last - ((count - 1 - i) * length), length)))}]";
    }

    private static string Kline(long open, long length) =>
        $"""[{open},"65000.00000000","65010.00000000","64990.00000000","65005.00000000","148.97600000",{open + length - 1},"2434.19055334",308,"1756.87402397","28.46694368","0"]""";

    private static FrontReply Ok(string body) => FrontReply.Of(200, body.Trim());

    private static FrontReply Error(int status, int code, string message) => FrontReply.Of(status, $$"""{"code":{{code}},"msg":"{{message}}"}""");

    private static string N(decimal number) => number.ToString("0.00000000", CultureInfo.InvariantCulture);

    private sealed class Order
    {
        public required int Id { get; init; }

        public required string ClientId { get; init; }

        public required string Side { get; init; }

        public required string Type { get; init; }

        public required decimal Quantity { get; init; }

        public required decimal Limit { get; init; }

        public required decimal Stop { get; init; }

        public required long Time { get; init; }

        public bool IsCancelled { get; set; }

        public List<(long Id, decimal Quantity, decimal Price, bool IsMaker, long Time)> Fills { get; } = [];

        public decimal Executed => Fills.Sum(f => f.Quantity);

        public decimal Cost => Fills.Sum(f => f.Quantity * f.Price);

        public bool IsOpen => !IsCancelled && Executed < Quantity;

        public string Status => IsCancelled ? "CANCELED" : Executed == Quantity ? "FILLED" : Executed > 0 ? "PARTIALLY_FILLED" : "NEW";
    }
}
