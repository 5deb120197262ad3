using System.Net;
using Antbot.Contracts;
using Antbot.Contracts.Venue;
using Antbot.Fuzz.Making;
using Antbot.Resilience;
using Antbot.Runtime.Venue;
using Antbot.Venues;
using Microsoft.Extensions.Logging.Abstractions;

namespace Antbot.Fuzz.Targets;

/// <summary>A venue that answers nonsense: what makes no sense is unknown or refused, and never an exception or a silent default.</summary>
public sealed class VenueTarget : IFuzzTarget
{
    private const string Order = """
        {"symbol":"BTCUSDT","orderId":28,"clientOrderId":"e0","transactTime":1767225600000,"updateTime":1767225600000,"price":"0.00","origQty":"1.0","executedQty":"1.0",
         "cummulativeQuoteQty":"65000.0","status":"FILLED","type":"MARKET","side":"BUY","origClientOrderId":"e0",
         "fills":[{"price":"65000.0","qty":"1.0","commission":"0.001","commissionAsset":"BTC","tradeId":56}]}
        """;

    private const string Fill = """{"symbol":"BTCUSDT","id":56,"orderId":28,"price":"65000.0","qty":"1.0","commission":"0.001","commissionAsset":"BTC","time":1767225600000,"isBuyer":true}""";

    private const string Info = """
        {"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":1000},{"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":100}],
         "symbols":[{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT","filters":[{"filterType":"PRICE_FILTER","tickSize":"0.01"},
         {"filterType":"LOT_SIZE","minQty":"0.00001","maxQty":"9000","stepSize":"0.00001"},{"filterType":"NOTIONAL","minNotional":"5"}]}]}
        """;

    private const string Balances = """{"balances":[{"asset":"BTC","free":"1.0","locked":"0.5"},{"asset":"USDT","free":"100.00000000","locked":"0.00000000"}]}""";

    private const string Restrictions = """{"ipRestrict":true,"enableReading":true,"enableSpotAndMarginTrading":true,"enableWithdrawals":false,"enableInternalTransfer":false,"permitsUniversalTransfer":false}""";

    private static readonly Symbol Btc = new("BTCUSDT");
    private static readonly ClientOrderId Id = new("e0");
    private static readonly VenueOptions Options = new() { Address = new Uri("http://venue.invalid/"), Key = "key", Secret = "secret", Paper = true };

    public string Name => "venue-reply";

    public string What => "what a venue replies to each request";

    public int Cases => 100_000;

    public FuzzOutcome Try(Random random)
    {
        using var handler = new Nonsense(random);
        var clock = new VenueClock(TimeProvider.System);
        // Their meters are the process's: a hundred thousand of them and every listener that starts is at it for minutes.
        using var budget = new RequestBudget(Options, new LocalVenueBudget(TimeProvider.System), clock, TimeProvider.System, NullLogger.Instance);
        using var breakers = new BreakerPanel();
        using var http = new VenueHttp(Options, breakers, budget, TimeProvider.System, NullLogger.Instance, handler);
        var venue = new BinanceVenue(Options, http, budget, clock, new KeyWatch(TimeProvider.System), new Listing(Options, NullLogger<Listing>.Instance), TimeProvider.System);
        return Ask(venue, handler, random.Next(9)).GetAwaiter().GetResult();
    }

    private static async Task<FuzzOutcome> Ask(BinanceVenue venue, Nonsense handler, int which)
    {
        switch (which)
        {
            case 0:
                handler.Good = """{"serverTime":1767225600000}""";
                return Judge(await venue.MeasureClockAsync(), t => t.Year is >= 1970 and < 2101);
            case 1:
                handler.Good = Order;
                return Judge(
                    await venue.PlaceAsync(new VenueOrder(Id, Btc, Side.Buy, OrderKind.Market, new Quantity(1), null, null, DateTimeOffset.UtcNow, TimeSpan.FromSeconds(1), ReduceOnly: true)),
                    r => r.Id == Id && r.Symbol == Btc && r.Side == Side.Buy && r.Executed <= r.Quantity && r.Fills.All(f => f.Quantity.Value > 0));
            case 2:
                handler.Good = Order;
                return Judge(await venue.FindOrderAsync(Btc, Id), r => r.Id == Id && r.Symbol == Btc && r.Executed <= r.Quantity);
            case 3:
                handler.Good = Order;
                return Judge(await venue.CancelAsync(Btc, Id), r => r.Id == Id);
            case 4:
                handler.Good = $"[{Order},{Order}]";
                return Judge(await venue.ListOpenOrdersAsync(), all => all.All(r => r.Executed <= r.Quantity));
            case 5:
                handler.Good = $"[{Fill},{Fill}]";
                return Judge(await venue.ListFillsAsync(Btc, "28"), all => all.All(f => f.VenueOrderId == "28" && f.Quantity.Value > 0) && all.DistinctBy(f => f.FillId).Count() == all.Count);
            case 6:
                handler.Good = Balances;
                return Judge(await venue.ReadBalancesAsync(), all => all.All(b => b is { Free: >= 0, Locked: >= 0 }));
            case 7:
                handler.Good = Restrictions;
                return Judge(await venue.ReadPermissionsAsync(), _ => true);
            default:
                handler.Good = Info;
                return Judge(await venue.ReadRulesAsync(), all => all.All(r => r is { PriceTick: > 0, QuantityStep: > 0 }));
        }
    }

    private static FuzzOutcome Judge<T>(VenueAnswer<T> answer, Func<T, bool> makesSense) => answer switch
    {
        VenueAnswer<T>.Said { Value: var value } => makesSense(value) ? FuzzOutcome.Taken : throw new FuzzException($"It was taken for {value}."),
        VenueAnswer<T>.Refused { Text.Length: > 0 } or VenueAnswer<T>.Unknown { Text.Length: > 0 } => FuzzOutcome.Refused,
        VenueAnswer<T>.NotSent { Text.Length: > 0 } => FuzzOutcome.Refused,
        _ => throw new FuzzException($"It was refused without a reason: {answer}."),
    };

    private sealed class Nonsense(Random random) : HttpMessageHandler
    {
        private static readonly HttpStatusCode[] Statuses =
            [HttpStatusCode.BadRequest, HttpStatusCode.Unauthorized, HttpStatusCode.Forbidden, HttpStatusCode.NotFound, HttpStatusCode.Redirect, HttpStatusCode.TooManyRequests, (HttpStatusCode)418, HttpStatusCode.InternalServerError, HttpStatusCode.ServiceUnavailable, HttpStatusCode.NoContent];

        private static readonly string[] Headers = ["-1", "0", "5", "1e9", "99999999999999999999", "soon", "Wed, 21 Oct 2015 07:28:00 GMT", ""];

        public string Good { get; set; } = "";

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var isFine = random.Next(8) > 0;
            var text = isFine ? Good : random.Next(2) == 0 ? """{"code":-2013,"msg":"Order does not exist."}""" : Good;
            var response = new HttpResponseMessage(isFine ? HttpStatusCode.OK : Statuses[random.Next(Statuses.Length)]) { Content = new ByteArrayContent(Mutator.Spoil(text, random)), RequestMessage = request };
            foreach (var name in new[] { "Retry-After", "X-MBX-USED-WEIGHT-1M", "X-MBX-ORDER-COUNT-10S" })
            {
                if (random.Next(4) == 0)
                    response.Headers.TryAddWithoutValidation(name, Headers[random.Next(Headers.Length)]);
            }
            return Task.FromResult(response);
        }
    }
}
