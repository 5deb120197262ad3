using System.Net;
using System.Text;
using System.Text.Json;
using Antbot.PaperVenue.Http;

namespace Antbot.PaperVenue.Streams;

/// <summary>A WebSocket that asks: the same requests as by HTTP, each with an id, many at a time; and on it the user stream.</summary>
internal sealed class ApiConnection(Gateway gateway, Keys keys, StreamHub hub, PaperVenueOptions options, TimeProvider clock, IPAddress address) : Connection(clock, options.MaxStreamAge)
{
    private const int MaxAtOnce = 256;

    private static readonly Dictionary<string, (string Method, string Path)> Methods = new(StringComparer.Ordinal)
    {
        ["ping"] = ("GET", "/api/v3/ping"),
        ["time"] = ("GET", "/api/v3/time"),
        ["exchangeInfo"] = ("GET", "/api/v3/exchangeInfo"),
        ["depth"] = ("GET", "/api/v3/depth"),
        ["trades.recent"] = ("GET", "/api/v3/trades"),
        ["trades.historical"] = ("GET", "/api/v3/historicalTrades"),
        ["trades.aggregate"] = ("GET", "/api/v3/aggTrades"),
        ["klines"] = ("GET", "/api/v3/klines"),
        ["uiKlines"] = ("GET", "/api/v3/uiKlines"),
        ["avgPrice"] = ("GET", "/api/v3/avgPrice"),
        ["ticker.24hr"] = ("GET", "/api/v3/ticker/24hr"),
        ["ticker.price"] = ("GET", "/api/v3/ticker/price"),
        ["ticker.book"] = ("GET", "/api/v3/ticker/bookTicker"),
        ["order.place"] = ("POST", "/api/v3/order"),
        ["order.test"] = ("POST", "/api/v3/order/test"),
        ["order.status"] = ("GET", "/api/v3/order"),
        ["order.cancel"] = ("DELETE", "/api/v3/order"),
        ["order.cancelReplace"] = ("POST", "/api/v3/order/cancelReplace"),
        ["openOrders.status"] = ("GET", "/api/v3/openOrders"),
        ["openOrders.cancelAll"] = ("DELETE", "/api/v3/openOrders"),
        ["orderList.place"] = ("POST", "/api/v3/order/oco"),
        ["orderList.place.oco"] = ("POST", "/api/v3/orderList/oco"),
        ["orderList.status"] = ("GET", "/api/v3/orderList"),
        ["orderList.cancel"] = ("DELETE", "/api/v3/orderList"),
        ["openOrderLists.status"] = ("GET", "/api/v3/openOrderList"),
        ["allOrderLists"] = ("GET", "/api/v3/allOrderList"),
        ["allOrders"] = ("GET", "/api/v3/allOrders"),
        ["myTrades"] = ("GET", "/api/v3/myTrades"),
        ["account.status"] = ("GET", "/api/v3/account"),
        ["account.commission"] = ("GET", "/api/v3/account/commission"),
        ["account.rateLimits.orders"] = ("GET", "/api/v3/rateLimit/order"),
        ["userDataStream.start"] = ("POST", "/api/v3/userDataStream"),
        ["userDataStream.ping"] = ("PUT", "/api/v3/userDataStream"),
        ["userDataStream.stop"] = ("DELETE", "/api/v3/userDataStream"),
    };

    private readonly Dictionary<int, int> _subscriptions = [];
    private int _nextSubscription;
    private int _atOnce;
    private (string Key, Caller Caller)? _session;

    public override void Send(string stream, ReadOnlyMemory<byte> message)
    {
        // It has no way to ask for what everybody may hear.
    }

    public override void Tell(int account, ReadOnlyMemory<byte> message)
    {
        List<int> subscriptions;
        lock (_subscriptions)
            subscriptions = [.. _subscriptions.Where(s => s.Value == account).Select(s => s.Key)];
        foreach (var subscription in subscriptions)
        {
            Enqueue(Json.Write(json =>
            {
                json.WriteStartObject();
                json.Field("subscriptionId", subscription);
                json.WritePropertyName("event");
                json.WriteRawValue(message.Span, skipInputValidation: true);
                json.WriteEndObject();
            }));
        }
    }

    public override void KeyEnded(string key, ReadOnlyMemory<byte> message)
    {
        // It listens without one.
    }

    public override void Leave()
    {
        lock (_subscriptions)
        {
            foreach (var account in _subscriptions.Values.Distinct())
                hub.UnlistenAsOwner(this, account);
            _subscriptions.Clear();
        }
    }

    protected override bool Hear(ReadOnlySpan<byte> request)
    {
        if (Interlocked.Increment(ref _atOnce) > MaxAtOnce)
            return false;
        ApiRequest asked;
        try
        {
            asked = ApiRequest.Read(request);
        }
        catch (ApiException e)
        {
            Interlocked.Decrement(ref _atOnce);
            Enqueue(Answer(null, new Reply(e.Status, e.ToJson()), null));
            return true;
        }
        _ = AnswerAsync(asked);
        return true;
    }

    private async Task AnswerAsync(ApiRequest asked)
    {
        try
        {
            var meters = new Meters();
            Reply? reply;
            try
            {
                reply = await ReplyAsync(asked, meters);
            }
            catch (ApiException e)
            {
                reply = new Reply(e.Status, e.ToJson());
            }
            if (reply is { } answer)
                Enqueue(Answer(asked.Id, answer, asked.WithLimits ? meters : null));
            else
                Cut("a fault was ordered");
        }
        catch (OperationCanceledException)
        {
            // It ended meanwhile.
        }
        finally
        {
            Interlocked.Decrement(ref _atOnce);
        }
    }

    private async Task<Reply?> ReplyAsync(ApiRequest asked, Meters meters)
    {
        var own = asked.Method switch
        {
            "session.logon" => LogOn(asked),
            "session.status" => Session(),
            "session.logout" => LogOut(),
            "userDataStream.subscribe" => Subscribe(_session?.Caller ?? throw Keys.NotAllowed()),
            "userDataStream.subscribe.signature" => Subscribe(keys.Verify(asked.Key, asked.Parameters)),
            "userDataStream.unsubscribe" => Unsubscribe(asked.Parameters.FindWhole("subscriptionId")),
            "session.subscriptions" => Subscriptions(),
            _ => null,
        };
        if (own is not null)
            return new Reply(200, own);
        if (!Methods.TryGetValue(asked.Method, out var route))
            throw new ApiException(-1099, "There is no such method.", 404);
        return await gateway.ReplyAsync(route.Method, route.Path, () => Task.FromResult(asked.Parameters), asked.Key ?? _session?.Key, asked.Key is null ? _session?.Caller : null, address, meters, Ended);
    }

    private byte[] LogOn(ApiRequest asked)
    {
        // As there: who logs on once signs so that nobody could have made it up later.
        if (!keys.IsEd25519(asked.Key))
            throw new ApiException(-4056, "HMAC_SHA256 API key is not supported.");
        _session = (asked.Key!, keys.Verify(asked.Key, asked.Parameters));
        return Session();
    }

    private byte[] LogOut()
    {
        _session = null;
        return Session();
    }

    private byte[] Session() => Json.Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("apiKey", _session?.Key);
        json.Field("serverTime", Clock.GetUtcNow().ToUnixTimeMilliseconds()).Field("userDataStream", _subscriptions.Count > 0);
        json.WriteEndObject();
    });

    private byte[] Subscribe(Caller caller)
    {
        int id;
        lock (_subscriptions)
        {
            if (_subscriptions.ContainsValue(caller.Account))
                throw new ApiException(-1130, "The user stream is listened to on this connection already.");
            id = _nextSubscription++;
            _subscriptions.Add(id, caller.Account);
        }
        hub.ListenAsOwner(this, caller.Account);
        return Json.Write(json =>
        {
            json.WriteStartObject();
            json.Field("subscriptionId", id);
            json.WriteEndObject();
        });
    }

    private byte[] Unsubscribe(long? id)
    {
        lock (_subscriptions)
        {
            foreach (var (subscription, account) in _subscriptions.Where(s => id is null || s.Key == id).ToList())
            {
                _subscriptions.Remove(subscription);
                hub.UnlistenAsOwner(this, account);
            }
        }
        return "{}"u8.ToArray();
    }

    private byte[] Subscriptions()
    {
        lock (_subscriptions)
        {
            return Json.Write(json =>
            {
                json.WriteStartArray();
                foreach (var id in _subscriptions.Keys)
                {
                    json.WriteStartObject();
                    json.Field("subscriptionId", id);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
            });
        }
    }

    private byte[] Answer(JsonElement? id, Reply reply, Meters? meters) => Json.Write(json =>
    {
        json.WriteStartObject();
        json.WritePropertyName("id");
        if (id is { } known)
            known.WriteTo(json);
        else
            json.WriteNullValue();
        json.Field("status", reply.Status);
        json.WritePropertyName(reply.Status == 200 ? "result" : "error");
        json.WriteRawValue(reply.Json, skipInputValidation: true);
        if (meters is not null)
            WriteLimits(json, meters);
        json.WriteEndObject();
    });

    private void WriteLimits(Utf8JsonWriter json, Meters meters)
    {
        json.WriteStartArray("rateLimits");
        if (meters.Weight is { } weight)
            MarketRoutes.WriteLimit(json, "REQUEST_WEIGHT", "MINUTE", 1, options.WeightPerMinute, weight);
        if (meters.OrdersInTenSeconds is { } inTenSeconds)
            MarketRoutes.WriteLimit(json, "ORDERS", "SECOND", 10, options.OrdersPerTenSeconds, inTenSeconds);
        if (meters.OrdersToday is { } today)
            MarketRoutes.WriteLimit(json, "ORDERS", "DAY", 1, options.OrdersPerDay, today);
        json.WriteEndArray();
    }

    /// <summary>One request: an id, a method, and parameters as an object, of which key and signature are two.</summary>
    private sealed record ApiRequest(JsonElement? Id, string Method, string? Key, bool WithLimits, Parameters Parameters)
    {
        public static ApiRequest Read(ReadOnlySpan<byte> request)
        {
            JsonElement root;
            try
            {
                var reader = new Utf8JsonReader(request, new JsonReaderOptions { MaxDepth = 4 });
                root = JsonElement.ParseValue(ref reader);
            }
            catch (JsonException)
            {
                throw new ApiException(-1135, "Invalid JSON Request.");
            }
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("method", out var method) || method.ValueKind != JsonValueKind.String)
                throw new ApiException(-1135, "Invalid JSON Request: 'method' must be a text.");
            JsonElement? id = root.TryGetProperty("id", out var given) && given.ValueKind is JsonValueKind.Number or JsonValueKind.String ? given : null;
            var values = new SortedDictionary<string, string>(StringComparer.Ordinal);
            if (root.TryGetProperty("params", out var parameters))
            {
                if (parameters.ValueKind != JsonValueKind.Object)
                    throw new ApiException(-1135, "Invalid JSON Request: 'params' must be an object.");
                foreach (var field in parameters.EnumerateObject())
                    values[field.Name] = Text(field);
            }
            var signed = new StringBuilder();
            foreach (var (name, value) in values.Where(v => v.Key != "signature"))
                signed.Append(signed.Length == 0 ? "" : "&").Append(name).Append('=').Append(value);
            values.Remove("apiKey", out var key);
            var withLimits = !values.Remove("returnRateLimits", out var wanted) || wanted != "false";
            return new ApiRequest(id, method.GetString()!, key, withLimits, Parameters.From(values, signed.ToString()));
        }

        private static string Text(JsonProperty field) => field.Value.ValueKind switch
        {
            JsonValueKind.String => field.Value.GetString()!,
            JsonValueKind.Number or JsonValueKind.Array => field.Value.GetRawText(),
            JsonValueKind.True => "true",
            JsonValueKind.False => "false",
            JsonValueKind.Null => "",
            _ => throw new ApiException(-1135, "Invalid JSON Request: a parameter is a text, a number, a list, true or false."),
        };
    }
}
