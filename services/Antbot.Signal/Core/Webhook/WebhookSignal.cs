using System.Globalization;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Kernel.Identity;
using Antbot.Kernel.Proof;
using Antbot.Kernel.Time;

namespace Antbot.Signals.Core.Webhook;

/// <summary>What a request was found to say: a signal without its trade's id and its caller, or every fault.</summary>
/// <param name="Draft">The signal, under an id and from a source that <see cref="WebhookSignal.Named"/> completes.</param>
/// <param name="Key">Under which the caller may say it again.</param>
/// <param name="BodyHash">Of the body's meaning as JSON: white space and the order of members do not count.</param>
/// <param name="LacksPrice">The symbol whose price it neither names nor is known here, where nothing else is wrong with it.</param>
public sealed record WebhookRead(Signal? Draft, string? Key, string BodyHash, string Inputs, IReadOnlyList<string> Faults, Symbol? LacksPrice = null);

/// <summary>Between the bodies that charting tools send and signals.</summary>
public static class WebhookSignal
{
    public const int BytesMax = 64 * 1024;

    private const int DepthMax = 8;
    private const int ShownMax = 200;
    /// <summary>With "webhook:" and the name of a key, of 40 at most, no longer than Validation takes.</summary>
    private const int SourceMax = 50;
    private const int UnixDigitsOfSeconds = 11;

    /// <summary>A body's time may be this far ahead of ours.</summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromSeconds(5);

    private static readonly TradeId NotYetNamed = new(DeterministicId.From("webhook", "not yet named"));

    /// <param name="marketOf">The market's price now, where it is known.</param>
    /// <param name="headerKey">An idempotency key that came beside the body.</param>
    public static WebhookRead Read(ReadOnlyMemory<byte> body, string? headerKey, Func<Symbol, Price?> marketOf, SignalTerms terms, DateTimeOffset now)
    {
        try
        {
            var canonical = CanonicalJson.From(body.Span);
            using var document = JsonDocument.Parse(canonical, new JsonDocumentOptions { MaxDepth = DepthMax });
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? Read(document.RootElement, SignalDecider.HashOf(canonical), headerKey, marketOf, terms, now.Cut())
                : Refused("The body is not a JSON object.");
        }
        catch (Exception e) when (e is CanonicalJsonException or JsonException)
        {
            return Refused(e is JsonException ? $"The body is nested deeper than {DepthMax} levels." : $"The body is not JSON that can be kept: {Short(e.Message)}");
        }
    }

    /// <summary>The same caller's same key is the same trade, for ever.</summary>
    public static TradeId TradeOfKey(string caller, string key) => new(DeterministicId.From("webhook-key", caller, key));

    /// <summary>Without a key: the same body within the same stretch of time is the same trade.</summary>
    public static TradeId TradeOfBody(string caller, string bodyHash, long stretch) =>
        new(DeterministicId.From("webhook-body", caller, bodyHash, stretch.ToString(CultureInfo.InvariantCulture)));

    public static string SourceOf(string caller) => $"webhook:{caller}";

    /// <summary>Whatever a body says of its source, it is its caller's: nobody's signal is taken for another's.</summary>
    public static SignalRecorded Named(WebhookRead read, string caller, TradeId trade) =>
        new(read.Draft! with { Trade = trade, Source = $"{SourceOf(caller)}{read.Draft.Source}" }, read.BodyHash, read.Inputs);

    private static string Short(string text) => text.Length <= ShownMax ? text : $"{text[..ShownMax]}….";

    private static WebhookRead Refused(string fault) => new(null, null, "", "", [fault]);

    private static WebhookRead Read(JsonElement body, string hash, string? headerKey, Func<Symbol, Price?> marketOf, SignalTerms terms, DateTimeOffset now)
    {
        var reader = new WebhookReader(body);
        var symbol = ReadSymbol(reader);
        var side = ReadSide(reader);
        var said = ReadPrice(reader, "price", "close");
        var market = symbol is { } known ? marketOf(known) : null;
        var reference = market ?? said;
        if (symbol is not null && reference is null)
            reader.FaultOnce("is missing, and the market's is not known here at the moment", "price", "close");
        if (market is { } current && said is { } then && Math.Abs(then.Value - current.Value) * 100 > terms.PriceDeviationPercent * current.Value)
            reader.Fault("price", $"{then} lies more than {terms.PriceDeviationPercent} % from the market's {current}: the alert is stale or of another market");
        var limit = ReadPrice(reader, "limit", "limitPrice");
        var kind = ReadKind(reader, limit);
        var stop = ReadPrice(reader, "stop", "stopLoss", "sl");
        var target = ReadPrice(reader, "takeProfit", "tp");
        var notional = ReadNotional(reader, limit ?? reference, terms);
        var confidence = reader.Number("confidence") ?? terms.Confidence;
        if (confidence is < 0 or > 1)
            reader.Fault("confidence", "lies between 0 and 1");
        var raised = ReadTime(reader, now);
        var key = ReadKey(reader, headerKey);
        var source = ReadSource(reader);
        if (reader.Faults.Count > 0)
            return new WebhookRead(null, key, hash, "", reader.Faults, reader.Faults.Count == 1 && reference is null && !reader.Has("price", "close") ? symbol : null);

        var entry = limit ?? reference!.Value;
        var signal = new Signal(
            NotYetNamed, terms.Account, source, symbol!.Value, side!.Value, kind, reference!.Value, limit, stop ?? terms.StopFor(side.Value, entry),
            target ?? terms.TakeProfitFor(side.Value, entry), notional!.Value, confidence, raised, raised + terms.Life);
        var inputs = JsonSerializer.Serialize(new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["arrived"] = now.ToString("O", CultureInfo.InvariantCulture),
            ["body_sha256"] = hash,
            ["market_price"] = market?.Value,
            ["said_price"] = said?.Value,
            ["stop_given"] = stop is not null,
            ["take_profit_given"] = target is not null,
        });
        return new WebhookRead(signal, key, hash, inputs, []);
    }

    /// <summary>As venues and charts spell it: <c>BTCUSDT</c>, <c>BINANCE:BTCUSDT</c>, <c>btc/usdt</c>.</summary>
    private static Symbol? ReadSymbol(WebhookReader reader)
    {
        if (reader.Text("symbol", "ticker") is not { } text)
        {
            reader.FaultOnce("is missing", "symbol", "ticker");
            return null;
        }
        var plain = text[(text.LastIndexOf(':') + 1)..].Replace("/", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).ToUpperInvariant();
        if (Symbol.Fault(plain) is not { } fault)
            return new Symbol(plain);
        reader.Fault("symbol", fault.TrimEnd('.'));
        return null;
    }

    private static Side? ReadSide(WebhookReader reader)
    {
        var side = reader.Text("side", "action")?.ToLowerInvariant() switch
        {
            "buy" or "long" => Side.Buy,
            "sell" or "short" => Side.Sell,
            _ => (Side?)null,
        };
        if (side is null)
            reader.FaultOnce("is \"buy\" or \"sell\"", "side", "action");
        return side;
    }

    private static OrderKind ReadKind(WebhookReader reader, Price? limit)
    {
        OrderKind? kind = reader.Text("type", "orderType")?.ToLowerInvariant() switch
        {
            null => limit is null ? OrderKind.Market : OrderKind.Limit,
            "market" => OrderKind.Market,
            "limit" => OrderKind.Limit,
            _ => null,
        };
        if (kind is null)
            reader.FaultOnce("is \"market\" or \"limit\"", "type", "orderType");
        else if (kind == OrderKind.Market && limit is not null)
            reader.Fault("limit", "belongs to a limit order, and the type is \"market\"");
        else if (kind == OrderKind.Limit && limit is null)
            reader.FaultOnce("is missing, and a limit order needs it", "limit", "limitPrice");
        return kind ?? OrderKind.Market;
    }

    private static Money? ReadNotional(WebhookReader reader, Price? entry, SignalTerms terms)
    {
        var notional = reader.Number("notional");
        var quantity = reader.Number("quantity", "qty", "contracts");
        if (notional is not null && quantity is not null)
        {
            reader.Fault("notional", "and quantity say the same; one of them is enough");
            return null;
        }
        if (quantity is { } units)
        {
            if (units <= 0 || Quantity.Fault(units) is not null)
            {
                reader.Fault("quantity", "lies above 0 and within what a quantity can be");
                return null;
            }
            // Without an entry price the fault is told already.
            notional = entry is { } price ? price.Value * units : terms.Notional.Value;
        }
        var money = notional ?? terms.Notional.Value;
        if (Money.Fault(money) is null && new Money(money) is var sum && sum > Money.Zero)
            return sum;
        reader.Fault(quantity is null ? "notional" : "quantity", "lies above 0 and within what a sum of money can be");
        return null;
    }

    private static Price? ReadPrice(WebhookReader reader, params ReadOnlySpan<string> names)
    {
        if (reader.Number(names) is not { } number)
            return null;
        if (Price.Fault(number) is not { } fault)
            return new Price(number);
        reader.Fault(names[0], fault.TrimEnd('.'));
        return null;
    }

    /// <summary>When the wish was uttered: an alert that was held up on its way is as old as it is. Without it, now.</summary>
    private static DateTimeOffset ReadTime(WebhookReader reader, DateTimeOffset now)
    {
        if (reader.Text("time", "timestamp", "timenow") is not { } text)
            return now;
        if (ParseTime(text) is not { } time)
            reader.Fault("time", "is neither ISO 8601 with its zone (2026-01-02T03:04:05Z) nor Unix seconds or milliseconds");
        else if (time > now + Ahead)
            reader.Fault("time", $"lies in the future; it is {now:yyyy-MM-ddTHH:mm:ss}Z here");
        else
            return time < now ? time : now;
        return now;
    }

    private static DateTimeOffset? ParseTime(string text)
    {
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            var milliseconds = text.Length <= UnixDigitsOfSeconds ? number * 1_000 : number;
            return milliseconds is > 0 and < 4_102_444_800_000 ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) : null;
        }
        string[] forms = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];
        return DateTimeOffset.TryParseExact(text, forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) && time > DateTimeOffset.UnixEpoch ? time.Cut() : null;
    }

    private static string? ReadKey(WebhookReader reader, string? header)
    {
        var key = reader.Text("idempotencyKey");
        if (string.IsNullOrEmpty(header))
            return key;
        if (header.Length > 200 || !header.All(c => c is > ' ' and < '\x7f'))
            reader.Fault("Idempotency-Key", "has 1 to 200 printable ASCII characters");
        else if (key is not null && key != header)
            reader.Fault("idempotencyKey", "differs from the header Idempotency-Key");
        return header;
    }

    private static string ReadSource(WebhookReader reader)
    {
        if (reader.Text("source", "strategy") is not { } source)
            return "";
        if (source.Length > SourceMax)
            reader.Fault("source", $"has {source.Length} characters; at most {SourceMax} are taken");
        return $":{source}";
    }
}
