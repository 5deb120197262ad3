using System.Text.Json;
using Antbot.Contracts;
using Antbot.Fuzz.Making;
using Antbot.Runtime.Venue;
using Antbot.Venues;

namespace Antbot.Fuzz.Targets;

/// <summary>What the market's streams and candle requests say.</summary>
public sealed class MarketTarget : IFuzzTarget
{
    private static readonly Symbol Btc = new("BTCUSDT");
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private const string Candle = """[1767225600000,"65000.0","65100.0","64900.0","65050.0","12.5",1767225659999,"812000.0",100,"6.0","390000.0","0"]""";

    private const string Kline = """{"e":"kline","E":1767225660001,"s":"BTCUSDT","k":{"t":1767225600000,"T":1767225659999,"s":"BTCUSDT","i":"1m","o":"65000.0","c":"65050.0","h":"65100.0","l":"64900.0","v":"12.5","x":true}}""";

    private const string Ticker = """{"u":400900217,"s":"BTCUSDT","b":"65000.10","B":"31.2","a":"65000.20","A":"40.6"}""";

    public string Name => "market-message";

    public string What => "candles and prices, asked for and streamed";

    public int Cases => 100_000;

    public FuzzOutcome Try(Random random)
    {
        var which = random.Next(3);
        try
        {
            using var document = JsonDocument.Parse(Mutator.Spoil(which switch { 0 => Candle, 1 => Kline, _ => Ticker }, random));
            var json = document.RootElement;
            switch (which)
            {
                case 0:
                    return Sane(BinanceReader.Candle(json, Btc, Minute));
                case 1:
                    return BinanceReader.Closed(json, Minute) is { } closed ? Sane(closed) : FuzzOutcome.Refused;
                default:
                    return Heard(json) is { } best
                        ? best.Bid < best.Ask ? FuzzOutcome.Taken : throw new FuzzException($"It was taken for {best}.")
                        : FuzzOutcome.Refused;
            }
        }
        // What ends the stream's connection, or makes the request's answer unknown.
        catch (Exception e) when (Json.MakesNoSense(e))
        {
            return e.Message.Length > 0 ? FuzzOutcome.Refused : throw new FuzzException("It was refused without a reason.");
        }
    }

    private static Contracts.Market.MarketPrice? Heard(JsonElement json)
    {
        var books = new BestBooks();
        if (BinanceReader.Best(json, "s", "b", "a", DateTimeOffset.UnixEpoch) is not { } book)
            return null;
        books.Hear(book, json.Whole("u"));
        return books.Latest(book.Symbol);
    }

    private static FuzzOutcome Sane(Contracts.Market.Candle candle) =>
        candle.Low <= candle.Open && candle.Low <= candle.Close && candle.High >= candle.Open && candle.High >= candle.Close ? FuzzOutcome.Taken : throw new FuzzException($"It was taken for {candle}.");
}
