using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Antbot.PaperVenue;

namespace Antbot.Integration.Tests.PaperVenue;

internal sealed record Answer(int Status, JsonElement Json, IReadOnlyDictionary<string, string> Headers)
{
    /// <summary>The error's code, or zero.</summary>
    public int Code => Json.ValueKind == JsonValueKind.Object && Json.TryGetProperty("code", out var code) ? code.GetInt32() : 0;

    public string this[string field] => Json.GetProperty(field).ToString();
}

/// <summary>A client that signs by itself, so that the venue's own signing is held to the published rule and not to itself.</summary>
internal sealed class VenueClient : IDisposable
{
    private readonly HttpClient _http;
    private readonly ApiKey _key;
    private readonly Uri? _admin;
    private readonly string _adminKey;

    public VenueClient(Uri address, ApiKey key, Uri? admin = null, string adminKey = "")
    {
        (_key, _admin, _adminKey) = (key, admin, adminKey);
        // No retry behind the test's back: a reset connection is what some tests are about.
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(30) };
    }

    public HttpClient Http => _http;

    public static string Query(IEnumerable<(string Name, string Value)> parameters) =>
        string.Join('&', parameters.Select(p => $"{p.Name}={Uri.EscapeDataString(p.Value)}"));

    public static string Sign(string payload, string secret) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(payload)));

    public static string Timestamp(int offset = 0) => (DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() + offset).ToString();

    public Task<Answer> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    public Task<Answer> SignedAsync(HttpMethod method, string path, params (string Name, string Value)[] parameters)
    {
        var query = Query(parameters.Append(("timestamp", Timestamp())));
        return SendAsync(method, $"{path}?{query}&signature={Sign(query, _key.Secret)}", apiKey: _key.Key);
    }

    public Task<Answer> OrderAsync(params (string Name, string Value)[] parameters) => SignedAsync(HttpMethod.Post, "/api/v3/order", parameters);

    public Task<Answer> BuyAsync(string quantity, string? clientId = null, string symbol = "BTCUSDT") => OrderAsync(
        [("symbol", symbol), ("side", "BUY"), ("type", "MARKET"), ("quantity", quantity), .. clientId is null ? [] : ((string, string)[])[("newClientOrderId", clientId)]]);

    public Task<Answer> LimitAsync(string side, string price, string quantity, string? clientId = null, string timeInForce = "GTC") => OrderAsync(
        [("symbol", "BTCUSDT"), ("side", side), ("type", "LIMIT"), ("timeInForce", timeInForce), ("price", price), ("quantity", quantity), .. clientId is null ? [] : ((string, string)[])[("newClientOrderId", clientId)]]);

    public Task<Answer> FindAsync(string clientId) => SignedAsync(HttpMethod.Get, "/api/v3/order", ("symbol", "BTCUSDT"), ("origClientOrderId", clientId));

    public Task<Answer> AdminAsync(HttpMethod method, string path, object? body = null) =>
        SendAsync(method, path, body is null ? null : new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json"), adminKey: _adminKey);

    public Task<Answer> FaultAsync(object fault) => AdminAsync(HttpMethod.Post, "/admin/faults", fault);

    public async Task<IReadOnlyList<JsonElement>> LedgerAsync(string kind)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_admin!, "/admin/ledger")) { Headers = { { "X-Admin-Key", _adminKey } } };
        using var response = await _http.SendAsync(request);
        var lines = (await response.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement);
        return [.. lines.Where(l => l.GetProperty("kind").GetString() == kind).Select(l => l.GetProperty("entry"))];
    }

    public async Task<Answer> SendAsync(HttpMethod method, string path, HttpContent? content = null, string? apiKey = null, string? adminKey = null)
    {
        // The admin routes have a port of their own.
        var isAdmin = _admin is not null && path.StartsWith("/admin/", StringComparison.Ordinal);
        using var request = new HttpRequestMessage(method, isAdmin ? new Uri(_admin!, path) : new Uri(path, UriKind.Relative)) { Content = content };
        if (apiKey is not null)
            request.Headers.Add("X-MBX-APIKEY", apiKey);
        if (adminKey is not null)
            request.Headers.Add("X-Admin-Key", adminKey);
        using var response = await _http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        var headers = response.Headers.ToDictionary(h => h.Key, h => string.Join(",", h.Value), StringComparer.OrdinalIgnoreCase);
        return new Answer((int)response.StatusCode, text.Length == 0 ? default : JsonDocument.Parse(text).RootElement, headers);
    }

    public async Task<VenueStream> ListenAsync(string path)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(_http.BaseAddress!) { Scheme = "ws" }.Uri.ToString().TrimEnd('/') is var root ? new Uri(root + path) : null!, CancellationToken.None);
        return new VenueStream(socket);
    }

    public async Task<VenueStream> ListenAsOwnerAsync()
    {
        var key = await SendAsync(HttpMethod.Post, "/api/v3/userDataStream", apiKey: _key.Key);
        return await ListenAsync($"/ws/{key["listenKey"]}");
    }

    public void Dispose() => _http.Dispose();
}

internal sealed class VenueStream(ClientWebSocket socket) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly byte[] _buffer = new byte[1 << 20];

    public ClientWebSocket Socket => socket;

    public async Task<JsonElement> NextAsync(TimeSpan? within = null)
    {
        using var limit = new CancellationTokenSource(within ?? Patience);
        var length = 0;
        while (true)
        {
            var got = await socket.ReceiveAsync(_buffer.AsMemory(length), limit.Token);
            length += got.Count;
            if (got.MessageType == WebSocketMessageType.Close)
                throw new WebSocketException("It was closed.");
            if (got.EndOfMessage)
                return JsonDocument.Parse(_buffer.AsMemory(0, length).ToArray()).RootElement;
        }
    }

    public async Task<JsonElement> NextAsync(Func<JsonElement, bool> wanted)
    {
        for (var i = 0; i < 10_000; i++)
        {
            var message = await NextAsync();
            if (wanted(message))
                return message;
        }
        throw new InvalidOperationException("It did not come.");
    }

    public Task SayAsync(string text) => socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, CancellationToken.None);

    public void Dispose() => socket.Dispose();
}
