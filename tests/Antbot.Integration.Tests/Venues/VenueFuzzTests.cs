using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Antbot.Contracts;
using Antbot.Contracts.Venue;
using Antbot.Runtime.Venue;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Antbot.Integration.Tests.Venues;

/// <summary>A venue that answers nonsense: what makes no sense is unknown or passed over, and never an exception or a silent default.</summary>
public sealed partial class VenueFuzzTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private const string Order = """
        {"symbol":"BTCUSDT","orderId":28,"clientOrderId":"e0","transactTime":1767225600000,"updateTime":1767225600000,"price":"0.00","origQty":"1.0","executedQty":"1.0",
         "cummulativeQuoteQty":"65000.0","status":"FILLED","type":"MARKET","side":"BUY","origClientOrderId":"e0",
         "fills":[{"price":"65000.0","qty":"1.0","commission":"0.001","commissionAsset":"BTC","tradeId":56}]}
        """;

    private const string Fill = """{"symbol":"BTCUSDT","id":56,"orderId":28,"price":"65000.0","qty":"1.0","commission":"0.001","commissionAsset":"BTC","time":1767225600000,"isBuyer":true}""";

    private const string Info = """
        {"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":1000000000},{"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":1000000}],
         "symbols":[{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT","filters":[{"filterType":"PRICE_FILTER","tickSize":"0.01"},
         {"filterType":"LOT_SIZE","minQty":"0.00001","maxQty":"9000","stepSize":"0.00001"},{"filterType":"NOTIONAL","minNotional":"5"}]}]}
        """;

    private static readonly string[] Spoiled = ["null", "true", "-1", "0", "\"\"", "\"-1\"", "\"NaN\"", "\"1e5\"", "\"99999999999999999999999999999999\"", "\"79228162514264337593543950335\"", "9223372036854775807", "[]", "{}", "\"\\u0000\"", "\"BTC USDT\""];

    /// <summary>Well-formed JSON whose text cannot be read: it once escaped as an exception, and left the route's breaker waiting for its probe for ever.</summary>
    private const string HalfAPair = "\"\\ud800\"";

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Nothing_that_a_venue_says_throws_or_becomes_what_it_is_not(int seed)
    {
        await using var server = new NonsenseVenue(new Random(seed));
        await using var services = VenueAdapterTests.Connect(server.Address, "key", "secret");
        var venue = services.GetRequiredService<IVenue>();
        var symbol = new Symbol("BTCUSDT");
        var (said, not) = (0, 0);
        for (var i = 0; i < 100; i++)
        {
            server.Body = Order;
            var id = new ClientOrderId("e0");
            // Reduce-only: the breaker of these opens for seconds, that of entries for a minute.
            var placed = await venue.PlaceAsync(new VenueOrder(id, symbol, Side.Buy, OrderKind.Market, new Quantity(1), null, null, DateTimeOffset.UtcNow, TimeSpan.FromSeconds(1), ReduceOnly: true), Cancel);
            Count(placed, r => r.Id == id && r.Side == Side.Buy && r.Executed <= r.Quantity && r.Fills.All(f => f.Quantity.Value > 0));
            Count(await venue.FindOrderAsync(symbol, id, Cancel), r => r.Id == id && r.Symbol == symbol);
            Count(await venue.CancelAsync(symbol, id, Cancel), r => r.Id == id);
            server.Body = $"[{Order},{Order}]";
            Count(await venue.ListOpenOrdersAsync(Cancel), all => all.Count <= 2);
            server.Body = $"[{Fill},{Fill}]";
            Count(await venue.ListFillsAsync(symbol, "28", Cancel), all => all.All(f => f.VenueOrderId == "28") && all.DistinctBy(f => f.FillId).Count() == all.Count);
            server.Body = """{"balances":[{"asset":"BTC","free":"1.0","locked":"0.5"}]}""";
            Count(await venue.ReadBalancesAsync(Cancel), all => all.All(b => b is { Free: >= 0, Locked: >= 0 }));
            server.Body = Info;
            Count(await venue.ReadRulesAsync(Cancel), all => all.All(r => r is { PriceTick: > 0, QuantityStep: > 0 }));
        }
        Assert.True(said > 20 && not > 20, $"{said} made sense and {not} did not: the test says nothing");

        void Count<T>(VenueAnswer<T> answer, Func<T, bool> makesSense)
        {
            if (answer is VenueAnswer<T>.Said { Value: var value })
            {
                said++;
                Assert.True(makesSense(value), value?.ToString());
            }
            else
            {
                not++;
            }
        }
    }

    private sealed partial class NonsenseVenue : IAsyncDisposable
    {
        private readonly HttpListener _listener;
        private readonly Random _random;
        private readonly Task _serving;

        public NonsenseVenue(Random random)
        {
            _random = random;
            for (var tries = 0; ; tries++)
            {
                Address = new Uri($"http://127.0.0.1:{Random.Shared.Next(20_000, 60_000)}/");
                // A new one each time: who could not start is disposed of.
                _listener = new HttpListener { Prefixes = { Address.ToString() } };
                try
                {
                    _listener.Start();
                    break;
                }
                catch (HttpListenerException) when (tries < 20)
                {
                    // Somebody else has this port.
                }
            }
            _serving = ServeAsync();
        }

        public Uri Address { get; }

        public string Body { get; set; } = "";

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            await _serving;
            _listener.Close();
        }

        private async Task ServeAsync()
        {
            while (true)
            {
                try
                {
                    var context = await _listener.GetContextAsync();
                    var isTime = context.Request.Url!.AbsolutePath.EndsWith("/time", StringComparison.Ordinal);
                    var body = isTime ? $$"""{"serverTime":{{DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()}}}""" : Spoil(Body);
                    context.Response.StatusCode = isTime || _random.Next(8) > 0 ? 200 : _random.Next(3) switch { 0 => 400, 1 => 404, _ => 302 };
                    if (!isTime && _random.Next(8) == 0)
                        body = Torn(body);
                    var bytes = Encoding.UTF8.GetBytes(body);
                    await context.Response.OutputStream.WriteAsync(bytes);
                    context.Response.Close();
                }
                catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
                {
                    return;
                }
            }
        }

        /// <summary>One of its texts becomes half of a surrogate pair, or all of it an error that says one.</summary>
        private string Torn(string body)
        {
            var texts = Texts().Matches(body);
            if (texts.Count == 0 || _random.Next(3) == 0)
                return $$"""{"code":-1000,"msg":{{HalfAPair}}}""";
            var text = texts[_random.Next(texts.Count)];
            return $"{body[..text.Index]}{HalfAPair}{body[(text.Index + text.Length)..]}";
        }

        [GeneratedRegex("(?<=:)\"[^\"\\\\]*\"", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
        private static partial Regex Texts();

        private string Spoil(string body)
        {
            switch (_random.Next(5))
            {
                case 0 or 1:
                    return body;
                case 2:
                    return body[.._random.Next(body.Length)];
                default:
                    var root = JsonNode.Parse(body)!;
                    var node = root;
                    while (true)
                    {
                        if (node is JsonArray { Count: > 0 } array)
                        {
                            node = array[_random.Next(array.Count)]!;
                        }
                        else if (node is JsonObject { Count: > 0 } members)
                        {
                            var (name, value) = members.ElementAt(_random.Next(members.Count));
                            if (value is JsonArray or JsonObject && _random.Next(3) > 0)
                            {
                                node = value;
                                continue;
                            }
                            if (_random.Next(4) == 0)
                                members.Remove(name);
                            else
                                members[name] = JsonNode.Parse(Spoiled[_random.Next(Spoiled.Length)]);
                            return root.ToJsonString();
                        }
                        else
                        {
                            return root.ToJsonString();
                        }
                    }
            }
        }
    }
}
