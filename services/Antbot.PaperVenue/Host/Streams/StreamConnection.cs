using System.Text;
using System.Text.Json;

namespace Antbot.PaperVenue.Streams;

/// <summary>A WebSocket that listens: to the market, and with a listen key to its owner's account.</summary>
internal sealed class StreamConnection(StreamHub hub, PaperVenueOptions options, TimeProvider clock, bool combined) : Connection(clock, options.MaxStreamAge)
{
    private const int MaxStreams = 1_024;
    private const int MaxRequestsPerSecond = 5;

    /// <summary>Requests up to this many are forgiven above the rate, so that a client may set itself up.</summary>
    private const int MaxRequestsAtOnce = 20;

    private readonly VenueRules _rules = options.Rules;
    private readonly HashSet<string> _streams = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _keys = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _askedAs = new(StringComparer.Ordinal);
    private volatile bool _combined = combined;
    private double _tokens = MaxRequestsAtOnce;
    private long _lastHeard = clock.GetTimestamp();

    /// <summary>Whether there is such a stream, and room for it; then it is listened to.</summary>
    public bool TryListen(string asked)
    {
        if (MarketMessages.Find(asked, _rules) is { } stream)
        {
            if (_streams.Count >= MaxStreams && !_streams.Contains(stream))
                return false;
            lock (_askedAs)
                _askedAs[stream] = asked;
            _streams.Add(stream);
            hub.Listen(this, stream);
            return true;
        }
        if (hub.FindKey(asked) is not { } account)
            return false;
        lock (_keys)
            _keys[asked] = account;
        hub.ListenAsOwner(this, account);
        return true;
    }

    public override void Send(string stream, ReadOnlyMemory<byte> message) => Enqueue(_combined ? Wrap(AskedAs(stream), message) : message);

    public override void Tell(int account, ReadOnlyMemory<byte> message)
    {
        if (!_combined)
        {
            Enqueue(message);
            return;
        }
        string key;
        lock (_keys)
            key = _keys.FirstOrDefault(k => k.Value == account).Key ?? "";
        Enqueue(Wrap(key, message));
    }

    public override void KeyEnded(string key, ReadOnlyMemory<byte> message)
    {
        bool listens;
        lock (_keys)
            listens = _keys.ContainsKey(key);
        if (!listens)
            return;
        Enqueue(_combined ? Wrap(key, message) : message);
        Finish("its listen key has ended");
    }

    public override void Leave()
    {
        foreach (var stream in _streams)
            hub.Unlisten(this, stream);
        foreach (var account in _keys.Values)
            hub.UnlistenAsOwner(this, account);
    }

    protected override bool Hear(ReadOnlySpan<byte> request)
    {
        _tokens = Math.Min(MaxRequestsAtOnce, _tokens + (Clock.GetElapsedTime(_lastHeard).TotalSeconds * MaxRequestsPerSecond)) - 1;
        _lastHeard = Clock.GetTimestamp();
        if (_tokens < 0)
            return false;
        Enqueue(Answer(request));
        return true;
    }

    private byte[] Answer(ReadOnlySpan<byte> request)
    {
        JsonDocument document;
        try
        {
            var reader = new Utf8JsonReader(request, new JsonReaderOptions { MaxDepth = 4 });
            document = JsonDocument.ParseValue(ref reader);
        }
        catch (JsonException)
        {
            return Error(null, 3, "Invalid JSON: expected one object.");
        }
        using (document)
        {
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                return Error(null, 3, "Invalid JSON: expected an object.");
            JsonElement? id = root.TryGetProperty("id", out var given) && given.ValueKind is JsonValueKind.Number or JsonValueKind.String ? given : null;
            if (!root.TryGetProperty("method", out var method) || method.ValueKind != JsonValueKind.String)
                return Error(id, 2, "Invalid request: method must be a text.");
            var names = new List<string>();
            if (root.TryGetProperty("params", out var parameters))
            {
                if (parameters.ValueKind != JsonValueKind.Array || parameters.EnumerateArray().Any(p => p.ValueKind is not (JsonValueKind.String or JsonValueKind.True or JsonValueKind.False)))
                    return Error(id, 2, "Invalid request: params must be a list of texts.");
                names.AddRange(parameters.EnumerateArray().Select(p => p.ValueKind == JsonValueKind.String ? p.GetString()! : p.ValueKind == JsonValueKind.True ? "true" : "false"));
            }
            return method.GetString() switch
            {
                "SUBSCRIBE" => Subscribe(id, names),
                "UNSUBSCRIBE" => Unsubscribe(id, names),
                "LIST_SUBSCRIPTIONS" => Result(id, json => WriteNames(json)),
                "SET_PROPERTY" when names is ["combined", var on] => SetCombined(id, on == "true"),
                _ => Error(id, 2, "Invalid request: unknown method, or parameters that it does not take."),
            };
        }
    }

    private byte[] Subscribe(JsonElement? id, List<string> names)
    {
        if (names.Count == 0 || names.Count + _streams.Count > MaxStreams)
            return Error(id, 2, $"Invalid request: name 1 to {MaxStreams} streams.");
        var unknown = names.Find(n => MarketMessages.Find(n, _rules) is null && hub.FindKey(n) is null);
        if (unknown is not null)
            return Error(id, 2, "Invalid request: there is no such stream.");
        names.ForEach(n => TryListen(n));
        return Result(id, json => json.WriteNullValue());
    }

    private byte[] Unsubscribe(JsonElement? id, List<string> names)
    {
        foreach (var name in names)
        {
            if (MarketMessages.Find(name, _rules) is not { } stream || !_streams.Remove(stream))
                continue;
            hub.Unlisten(this, stream);
        }
        return Result(id, json => json.WriteNullValue());
    }

    private byte[] SetCombined(JsonElement? id, bool on)
    {
        _combined = on;
        return Result(id, json => json.WriteNullValue());
    }

    private void WriteNames(Utf8JsonWriter json)
    {
        json.WriteStartArray();
        foreach (var stream in _streams)
            json.WriteStringValue(AskedAs(stream));
        json.WriteEndArray();
    }

    private string AskedAs(string stream)
    {
        lock (_askedAs)
            return _askedAs.GetValueOrDefault(stream, stream);
    }

    private static byte[] Result(JsonElement? id, Action<Utf8JsonWriter> result) => Json.Write(json =>
    {
        json.WriteStartObject();
        json.WritePropertyName("result");
        result(json);
        WriteId(json, id);
        json.WriteEndObject();
    });

    private static byte[] Error(JsonElement? id, int code, string message) => Json.Write(json =>
    {
        json.WriteStartObject();
        json.WriteStartObject("error");
        json.Field("code", code).Field("msg", message);
        json.WriteEndObject();
        WriteId(json, id);
        json.WriteEndObject();
    });

    private static void WriteId(Utf8JsonWriter json, JsonElement? id)
    {
        json.WritePropertyName("id");
        if (id is { } known)
            known.WriteTo(json);
        else
            json.WriteNullValue();
    }

    private static byte[] Wrap(string stream, ReadOnlyMemory<byte> message)
    {
        var head = Encoding.UTF8.GetBytes($$"""{"stream":"{{stream}}","data":""");
        var wrapped = new byte[head.Length + message.Length + 1];
        head.CopyTo(wrapped, 0);
        message.Span.CopyTo(wrapped.AsSpan(head.Length));
        wrapped[^1] = (byte)'}';
        return wrapped;
    }
}
