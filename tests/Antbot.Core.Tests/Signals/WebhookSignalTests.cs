using System.Text;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Core.Tests.Coordinator;
using Antbot.Signals.Core;
using Antbot.Signals.Core.Webhook;
using Xunit;

namespace Antbot.Core.Tests.Signals;

public sealed class WebhookSignalTests
{
    private static readonly SignalTerms Terms = SignalTerms.Default;

    /// <summary>A body, and what it is told about it.</summary>
    public static TheoryData<string, string> Faulty => new()
    {
        { """{"side":"buy","price":100}""", "symbol" },
        { """{"symbol":"X","side":"buy","price":100}""", "symbol" },
        { """{"symbol":["BTCUSDT"],"side":"buy","price":100}""", "symbol" },
        { """{"symbol":"BTCUSDT","price":100}""", "side" },
        { """{"symbol":"BTCUSDT","side":"hold","price":100}""", "side" },
        { """{"symbol":"BTCUSDT","side":true,"price":100}""", "side" },
        { """{"symbol":"BTCUSDT","side":"buy","action":"sell","price":100}""", "action" },
        { """{"symbol":"BTCUSDT","side":"buy","Side":"sell","price":100}""", "side" },
        { """{"symbol":"BTCUSDT","side":"buy"}""", "price" },
        { """{"symbol":"BTCUSDT","side":"buy","price":0}""", "price" },
        { """{"symbol":"BTCUSDT","side":"buy","price":1e-20}""", "price" },
        { """{"symbol":"BTCUSDT","side":"buy","price":"1,000"}""", "price" },
        { """{"symbol":"BTCUSDT","side":"buy","price":"NaN"}""", "price" },
        { """{"symbol":"BTCUSDT","side":"buy","price":1e300}""", "price" },
        { """{"symbol":"BTCUSDT","side":"buy","price":"999999999999999999999999999999999999"}""", "price" },
        { """{"symbol":"BTCUSDT","side":"buy","price":{"a":1}}""", "price" },
        { """{"symbol":"BTCUSDT","side":"buy","price":100,"stop":-1}""", "stop" },
        { """{"symbol":"BTCUSDT","side":"buy","price":100,"take_profit":"x"}""", "takeprofit" },
        { """{"symbol":"BTCUSDT","side":"buy","price":100,"notional":0}""", "notional" },
        { """{"symbol":"BTCUSDT","side":"buy","price":100,"notional":1e-20}""", "notional" },
        { """{"symbol":"BTCUSDT","side":"buy","price":100,"quantity":1e-20}""", "quantity" },
        { """{"symbol":"BTCUSDT","side":"buy","price":100,"notional":50,"quantity":1}""", "notional" },
        { """{"symbol":"BTCUSDT","side":"buy","price":100,"quantity":0}""", "quantity" },
        { """{"symbol":"BTCUSDT","side":"buy","price":1000000000000,"quantity":1000000000000}""", "quantity" },
        { """{"symbol":"BTCUSDT","side":"buy","price":100,"confidence":1.01}""", "confidence" },
        { """{"symbol":"BTCUSDT","side":"buy","price":100,"type":"iceberg"}""", "type" },
        { """{"symbol":"BTCUSDT","side":"buy","price":100,"type":"limit"}""", "limit" },
        { """{"symbol":"BTCUSDT","side":"buy","price":100,"type":"market","limit":99}""", "limit" },
        { """{"symbol":"BTCUSDT","side":"buy","price":100,"time":"yesterday"}""", "time" },
        { """{"symbol":"BTCUSDT","side":"buy","price":100,"time":"2026-01-02T03:04:11Z"}""", "time" },
        { """{"symbol":"BTCUSDT","side":"buy","price":100,"time":99999999999999999999}""", "time" },
        { """{"symbol":"BTCUSDT","side":"buy","price":100,"source":"a\u0007b"}""", "source" },
        { """{"symbol":"BTCUSDT","side":"buy","price":100,"idempotencyKey":{"k":1}}""", "idempotencykey" },
        { """[{"symbol":"BTCUSDT"}]""", "the body" },
        { "\"buy\"", "the body" },
        { "buy BTCUSDT", "the body" },
        { "", "the body" },
        { """{"symbol":"BTCUSDT","side":"buy","price":100,"symbol":"ETHUSDT"}""", "the body" },
        { """{"symbol":"BTCUSDT","side":"buy","price":100,"x":[[[[[[[[[1]]]]]]]]]}""", "the body" },
    };

    [Theory]
    [MemberData(nameof(Faulty))]
    public void What_is_wrong_with_a_body_is_named(string body, string what)
    {
        var fault = Assert.Single(Read(body).Faults);
        Assert.StartsWith(what, fault.Replace("_", "", StringComparison.Ordinal).ToLowerInvariant(), StringComparison.Ordinal);
        Assert.EndsWith(".", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_fault_is_named_at_once()
    {
        var read = Read("""{"symbol":"btc usdt","side":"up","price":-1,"stop":"x","takeProfit":0,"notional":-5,"confidence":7,"type":"stop","time":"?"}""");
        Assert.Null(read.Draft);
        Assert.Equal(["symbol", "side", "price", "type", "stop", "takeProfit", "notional", "confidence", "time"], read.Faults.Select(f => f.Split(':')[0]));
    }

    [Theory]
    [InlineData("""{"symbol":"BTCUSDT","side":"buy","price":100}""")]
    [InlineData("""{"TICKER":"BINANCE:btc/usdt","Action":"LONG","Close":"100"}""")]
    [InlineData("""{"symbol":"BTC-USDT","side":" Buy ","price":"1e2","stop":null,"comment":"anything","strategy_position":{"size":3}}""")]
    public void Charting_tools_spell_it_in_many_ways(string body)
    {
        var signal = Read(body).Draft!;
        Assert.Equal((new Symbol("BTCUSDT"), Side.Buy, OrderKind.Market, new Price(100)), (signal.Symbol, signal.Side, signal.Kind, signal.Reference));
        Assert.Equal((Terms.Notional, Terms.Confidence, Terms.Account), (signal.Notional, signal.Confidence, signal.Account));
        Assert.Equal((new Price(99.5m), new Price(101)), (signal.Stop!.Value, signal.TakeProfit!.Value));
        Assert.Equal((Some.Now, Some.Now.AddSeconds(30), ""), (signal.RaisedAt, signal.ValidUntil, signal.Source));
    }

    [Fact]
    public void Everything_that_can_be_said_is_taken()
    {
        const string Body = """
            {"symbol":"ETHUSDT","side":"sell","price":"3200.5","type":"limit","limit":"3210","stop_loss":3300,"take-profit":"3100.25","quantity":"0.1","confidence":"0.9",
             "idempotency_key":"abc-1","source":"tradingview","time":"2026-01-02T03:04:00Z"}
            """;
        var read = Read(Body);
        var signal = read.Draft!;
        Assert.Equal((OrderKind.Limit, new Price(3210), new Price(3300), new Price(3100.25m)), (signal.Kind, signal.Limit!.Value, signal.Stop!.Value, signal.TakeProfit!.Value));
        Assert.Equal((new Money(321), 0.9m, ":tradingview", "abc-1"), (signal.Notional, signal.Confidence, signal.Source, read.Key));
        Assert.Equal(Some.Now.AddSeconds(-5), signal.RaisedAt);
    }

    /// <summary>Two callers' wishes of one symbol and side were once one source's, and the second was rejected as a repetition.</summary>
    [Theory]
    [InlineData("", "webhook:anna")]
    [InlineData(""","source":"chart" """, "webhook:anna:chart")]
    [InlineData(""","source":"webhook:bert" """, "webhook:anna:webhook:bert")]
    public void Whatever_it_says_of_its_source_it_is_its_callers(string more, string source)
    {
        var read = Read($$"""{"symbol":"BTCUSDT","side":"buy","price":100{{more}}}""");
        Assert.Equal(source, WebhookSignal.Named(read, "anna", Some.Trade).Signal.Source);
    }

    [Theory]
    [InlineData("1767323040")]
    [InlineData("1767323040000")]
    [InlineData("\"1767323040000\"")]
    [InlineData("\"2026-01-02T04:04:00+01:00\"")]
    [InlineData("\"2026-01-02T03:04:00.000Z\"")]
    public void A_time_may_be_spelled_as_a_text_or_as_a_number(string time) =>
        Assert.Equal(Some.Now.AddSeconds(-5), Read($$"""{"symbol":"BTCUSDT","side":"buy","price":100,"time":{{time}}}""").Draft!.RaisedAt);

    [Fact]
    public void The_markets_price_is_the_reference_where_it_is_known_and_a_stale_alert_is_told()
    {
        var market = new Price(102);
        Assert.Equal(market, Read("""{"symbol":"BTCUSDT","side":"buy"}""", market).Draft!.Reference);
        Assert.Equal(market, Read("""{"symbol":"BTCUSDT","side":"buy","price":100}""", market).Draft!.Reference);
        Assert.StartsWith("price", Assert.Single(Read("""{"symbol":"BTCUSDT","side":"buy","price":90}""", market).Faults), StringComparison.Ordinal);
    }

    [Fact]
    public void The_hash_is_of_what_is_said_not_of_how_it_is_spelled()
    {
        var hash = Read("""{"symbol":"BTCUSDT","side":"buy","price":100}""").BodyHash;
        Assert.Equal(hash, Read("""{ "side" : "buy", "price":100,  "symbol":"\u0042TCUSDT" }""").BodyHash);
        Assert.NotEqual(hash, Read("""{"symbol":"BTCUSDT","side":"sell","price":100}""").BodyHash);
        Assert.Equal(64, hash.Length);
    }

    [Theory]
    [InlineData("key-1", null, "key-1")]
    [InlineData(null, "key-2", "key-2")]
    [InlineData("key-3", "key-3", "key-3")]
    public void A_key_may_come_beside_the_body_or_in_it(string? header, string? member, string key) => Assert.Equal(key, ReadKey(header, member).Key);

    [Theory]
    [InlineData("key-1", "key-2")]
    [InlineData("key 1", null)]
    public void Keys_that_differ_and_keys_that_are_none_are_faults(string? header, string? member) =>
        Assert.StartsWith("idempotency", Assert.Single(ReadKey(header, member).Faults).Replace("-", "", StringComparison.Ordinal).ToLowerInvariant(), StringComparison.Ordinal);

    [Fact]
    public void Trades_are_told_apart_by_caller_by_key_and_by_stretch_of_time()
    {
        TradeId[] trades =
        [
            WebhookSignal.TradeOfKey("a", "k"), WebhookSignal.TradeOfKey("b", "k"), WebhookSignal.TradeOfKey("a", "l"),
            WebhookSignal.TradeOfBody("a", "k", 1), WebhookSignal.TradeOfBody("a", "k", 2), WebhookSignal.TradeOfBody("b", "k", 1),
        ];
        Assert.Equal(trades.Length, trades.Distinct().Count());
        Assert.Equal(trades[0], WebhookSignal.TradeOfKey("a", "k"));
    }

    /// <summary>A price so small that it was cut to nothing, and the profit or stop of one at the end of the scale, were once answered with 500.</summary>
    [Theory]
    [InlineData("buy", "1000000000000")]
    [InlineData("sell", "1000000000000")]
    [InlineData("buy", "1e-16")]
    [InlineData("sell", "1e-16")]
    public void At_the_ends_of_the_scale_a_signal_is_still_one(string side, string price)
    {
        var signal = Read($$"""{"symbol":"BTCUSDT","side":"{{side}}","price":100,"limit":{{price}}}""").Draft!;
        Assert.Null(Price.Fault(signal.Limit!.Value.Value));
        Assert.Null(Price.Fault(signal.Stop!.Value.Value));
        Assert.Null(Price.Fault(signal.TakeProfit!.Value.Value));
        Assert.StartsWith("price", Assert.Single(Read($$"""{"symbol":"BTCUSDT","side":"{{side}}","price":1000000000000}""", new Price(0.0000000000000001m)).Faults), StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_comes_in_is_either_a_signal_within_bounds_or_has_named_faults()
    {
        var random = new Random(20_260_102);
        var (good, bad) = (0, 0);
        for (var i = 0; i < 5_000; i++)
        {
            var body = Mutated(random);
            var read = WebhookSignal.Read(body, random.Next(4) == 0 ? Encoding.Latin1.GetString(body, 0, Math.Min(5, body.Length)) : null, _ => null, Terms, Some.Now);
            if (read.Draft is { } signal)
            {
                good++;
                Assert.Empty(read.Faults);
                Assert.True(signal.Side is Side.Buy or Side.Sell && signal.Notional > Money.Zero && signal.Confidence is >= 0 and <= 1 && signal.Source.Length <= 51);
                Assert.True(signal.RaisedAt <= Some.Now && read.Key is not { Length: > 200 });
                JsonDocument.Parse(read.Inputs).Dispose();
            }
            else
            {
                bad++;
                Assert.NotEmpty(read.Faults);
                Assert.All(read.Faults, f => Assert.InRange(f.Length, 5, 400));
            }
        }
        Assert.True(good > 200 && bad > 200, $"{good} good, {bad} bad: this tries nothing");
    }

    /// <summary>A body of plausible and odd members, at times with bytes changed or cut off.</summary>
    private static byte[] Mutated(Random random)
    {
        string[] names = ["symbol", "SIDE", "action", "price", "limit", "type", "stop", "takeProfit", "notional", "qty", "confidence", "time", "idempotencyKey", "source", "x", "Ünïcode", ""];
        string[] values =
        [
            "100", "1e-20", "1000000000000", "\"100\"", "\"BTCUSDT\"", "\"buy\"", "\"sell\"", "-1", "1e-30", "1e30", "\"\"", "null", "true", "[]", "{\"a\":[1]}", "\"\\ud83d\\ude00\"", "0.5", "\"limit\"",
            "\"" + new string('a', 300) + "\"", "79228162514264337593543950335", "\"0x10\"", "\"１００\"", "\"2026-01-02T03:04:05Z\"",
        ];
        var members = random.Next(3) == 0 ? [] : new List<string> { "\"symbol\":\"BTCUSDT\"", "\"side\":\"buy\"", "\"price\":100" };
        for (var i = random.Next(4); i > 0; i--)
            members.Add($"\"{names[random.Next(names.Length)]}\":{values[random.Next(values.Length)]}");
        var body = Encoding.UTF8.GetBytes($"{{{string.Join(',', members)}}}");
        for (var i = random.Next(3) == 0 ? random.Next(1, 4) : 0; i > 0; i--)
            body[random.Next(body.Length)] = (byte)random.Next(256);
        return random.Next(10) == 0 ? body[..random.Next(body.Length)] : body;
    }

    private static WebhookRead Read(string body, Price? market = null) => WebhookSignal.Read(Encoding.UTF8.GetBytes(body), null, _ => market, Terms, Some.Now);

    private static WebhookRead ReadKey(string? header, string? member)
    {
        var body = member is null ? """{"symbol":"BTCUSDT","side":"buy","price":100}""" : $$"""{"symbol":"BTCUSDT","side":"buy","price":100,"idempotencyKey":"{{member}}"}""";
        return WebhookSignal.Read(Encoding.UTF8.GetBytes(body), header, _ => null, Terms, Some.Now);
    }
}
