using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;

namespace Antbot.PaperVenue.Streams;

/// <summary>One WebSocket: what it listens to, and what waits to be sent to it.</summary>
internal sealed class StreamConnection
{
    private const int MaxWaiting = 4_096;
    private const int MaxStreams = 1_024;
    private const int MaxRequestBytes = 64 << 10;
    private const int MaxRequestsPerSecond = 5;

    /// <summary>Requests up to this many are forgiven above the rate, so that a client may set itself up.</summary>
    private const int MaxRequestsAtOnce = 20;

    private static readonly TimeSpan MaxAge = TimeSpan.FromHours(24);

    private readonly StreamHub _hub;
    private readonly VenueRules _rules;
    private readonly TimeProvider _clock;
    private readonly HashSet<string> _streams = new(StringComparer.Ordinal);
    private readonly HashSet<int> _accounts = [];
    private readonly Dictionary<string, string> _askedAs = new(StringComparer.Ordinal);
    private readonly Channel<ReadOnlyMemory<byte>> _waiting = Channel.CreateBounded<ReadOnlyMemory<byte>>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private readonly CancellationTokenSource _cut = new();
    private volatile bool _combined;

    public StreamConnection(StreamHub hub, VenueRules rules, TimeProvider clock, bool combined) => (_hub, _rules, _clock, _combined) = (hub, rules, clock, combined);

    /// <summary>Why it was ended by the venue, if it was.</summary>
    public string? CutBecause { get; private set; }

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
            _hub.Listen(this, stream);
            return true;
        }
        if (_hub.FindKey(asked) is not { } account)
            return false;
        _accounts.Add(account);
        _hub.ListenAsOwner(this, account);
        return true;
    }

    public void Send(string stream, ReadOnlyMemory<byte> message) => Enqueue(_combined ? Wrap(AskedAs(stream), message) : message);

    public void Tell(ReadOnlyMemory<byte> message) => Enqueue(message);

    public void Cut(string why)
    {
        CutBecause ??= why;
        _waiting.Writer.TryComplete();
        // Whoever waits goes on elsewhere: this may be called while the market is held still.
        _ = _cut.CancelAsync();
    }

    public async Task RunAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _cut.Token);
        using var age = new CancellationTokenSource(MaxAge, _clock);
        using var old = age.Token.Register(() => Cut("24 hours are over"));
        var sending = SendAsync(socket, end.Token);
        await ReceiveAsync(socket, end.Token);
        Cut("it is closed");
        await sending;
        if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            socket.Abort();
    }

    public void Leave()
    {
        foreach (var stream in _streams)
            _hub.Unlisten(this, stream);
        foreach (var account in _accounts)
            _hub.UnlistenAsOwner(this, account);
    }

    private void Enqueue(ReadOnlyMemory<byte> message)
    {
        if (!_waiting.Writer.TryWrite(message))
            Cut("it does not keep up");
    }

    private async Task SendAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var message in _waiting.Reader.ReadAllAsync(cancellationToken))
                await socket.SendAsync(message, WebSocketMessageType.Text, endOfMessage: true, cancellationToken);
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            Cut("it cannot be sent to");
        }
    }

    private async Task ReceiveAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxRequestBytes];
        var tokens = (double)MaxRequestsAtOnce;
        var last = _clock.GetTimestamp();
        try
        {
            while (true)
            {
                var length = 0;
                ValueWebSocketReceiveResult got;
                do
                {
                    if (length == buffer.Length)
                        return;
                    got = await socket.ReceiveAsync(buffer.AsMemory(length), cancellationToken);
                    length += got.Count;
                }
                while (!got.EndOfMessage);
                if (got.MessageType == WebSocketMessageType.Close)
                {
                    await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken);
                    return;
                }
                tokens = Math.Min(MaxRequestsAtOnce, tokens + (_clock.GetElapsedTime(last).TotalSeconds * MaxRequestsPerSecond)) - 1;
                last = _clock.GetTimestamp();
                if (tokens < 0)
                {
                    Cut("it asks too often");
                    return;
                }
                Enqueue(Answer(buffer.AsSpan(0, length)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException or IOException or ObjectDisposedException)
        {
            // Gone, or cut.
        }
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
        var unknown = names.Find(n => MarketMessages.Find(n, _rules) is null && _hub.FindKey(n) is null);
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
            _hub.Unlisten(this, stream);
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
