using System.Linq.Expressions;
using System.Net;
using System.Reflection;
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
    private const string VenueId = "28";

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
    private static readonly DateTimeOffset Since = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static VenueOrder Asked => new(Id, Btc, Side.Buy, OrderKind.Market, new Quantity(1), null, null, DateTimeOffset.UtcNow, TimeSpan.FromSeconds(1), ReduceOnly: true);

    private static readonly VenueOptions Options = new() { Address = new Uri("http://venue.invalid/"), Key = "key", Secret = "secret", Paper = true };

    /// <summary>Every request that the port knows, with what a venue that is well replies to it.</summary>
    private static readonly IReadOnlyList<Call> Calls =
    [
        Of(v => v.MeasureClockAsync(default), """{"serverTime":1767225600000}""", t => t.Year is >= 1970 and < 2101),
        Of(v => v.ReadRulesAsync(default), Info, all => all.All(r => r is { PriceTick: > 0, QuantityStep: > 0 })),
        Of(v => v.PlaceAsync(Asked, default), Order, r => IsAsked(r) && r.Side == Side.Buy && r.Fills.All(f => f.Quantity.Value > 0)),
        Of(v => v.FindOrderAsync(Btc, Id, default), Order, IsAsked),
        Of(v => v.FindOrderAsync(Btc, VenueId, default), Order, r => r.VenueOrderId == VenueId && r.Symbol == Btc && r.Executed <= r.Quantity),
        Of(v => v.CancelAsync(Btc, Id, default), Order, r => r.Id == Id),
        Of(v => v.ListOpenOrdersAsync(default), $"[{Order},{Order}]", all => all.All(r => r.Executed <= r.Quantity)),
        Of(v => v.ListOpenOrdersAsync(Btc, default), $"[{Order},{Order}]", all => all.All(r => r.Symbol == Btc && r.Executed <= r.Quantity)),
        Of(v => v.ListOpenOrdersForEntryAsync(Btc, default), $"[{Order},{Order}]", all => all.All(r => r.Symbol == Btc && r.Executed <= r.Quantity)),
        Of(v => v.ListFillsAsync(Btc, VenueId, default), $"[{Fill},{Fill}]", all => all.All(f => f.VenueOrderId == VenueId) && AreSound(all)),
        Of(v => v.ListFillsAsync(Btc, Since, default), $"[{Fill},{Fill}]", AreSound),
        Of(v => v.ReadPermissionsAsync(default), Restrictions, _ => true),
        Of(v => v.ReadBalancesAsync(default), Balances, all => all.All(b => b is { Free: >= 0, Locked: >= 0 })),
    ];

    /// <summary>What it asks of a venue.</summary>
    public static IEnumerable<MethodInfo> Asks => Calls.Select(c => c.Method);

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
        var call = Calls[random.Next(Calls.Count)];
        handler.Good = call.Good;
        return call.Ask(venue).GetAwaiter().GetResult();
    }

    private static Call Of<T>(Expression<Func<IVenue, Task<VenueAnswer<T>>>> ask, string good, Func<T, bool> makesSense)
    {
        var asks = ask.Compile();
        return new Call(((MethodCallExpression)ask.Body).Method, good, async venue => Judge(await asks(venue), makesSense));
    }

    private static bool IsAsked(OrderReport report) => report.Id == Id && report.Symbol == Btc && report.Executed <= report.Quantity;

    private static bool AreSound(IReadOnlyList<FillReport> fills) => fills.All(f => f.Symbol == Btc && f.Quantity.Value > 0) && fills.DistinctBy(f => f.FillId).Count() == fills.Count;

    private static FuzzOutcome Judge<T>(VenueAnswer<T> answer, Func<T, bool> makesSense) => answer switch
    {
        VenueAnswer<T>.Said { Value: var value } => makesSense(value) ? FuzzOutcome.Taken : throw new FuzzException($"It was taken for {value}."),
        VenueAnswer<T>.Refused { Text.Length: > 0 } or VenueAnswer<T>.Unknown { Text.Length: > 0 } => FuzzOutcome.Refused,
        VenueAnswer<T>.NotSent { Text.Length: > 0 } => FuzzOutcome.Refused,
        _ => throw new FuzzException($"It was refused without a reason: {answer}."),
    };

    private sealed record Call(MethodInfo Method, string Good, Func<IVenue, Task<FuzzOutcome>> Ask);

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
