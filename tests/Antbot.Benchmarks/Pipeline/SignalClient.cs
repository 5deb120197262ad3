using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Antbot.Benchmarks.Pipeline;

/// <summary>What was sent: each trade by its id, and when its request left.</summary>
internal sealed record SentSignals(IReadOnlyDictionary<string, DateTimeOffset> Trades, DateTimeOffset First, TimeSpan Took);

/// <summary>Sends signals as a charting tool does, each with its own idempotency key.</summary>
internal sealed class SignalClient : IDisposable
{
    private const int Connections = 64;
    private const int AttemptsMax = 50;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private static readonly string[] Symbols = ["BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "XRPUSDT", "DOGEUSDT"];

    private readonly HttpClient _http;
    private readonly IReadOnlyDictionary<string, decimal> _prices;

    /// <summary>A key that was used before, by another client on the same store, would be the same trade again.</summary>
    private readonly string _name = Guid.NewGuid().ToString("N")[..8];

    private int _number;

    /// <param name="prices">Null where the service looks at the market itself.</param>
    public SignalClient(Uri address, string key, IReadOnlyDictionary<string, decimal>? prices)
    {
        _http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 256, UseProxy = false }) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(120) };
        _http.DefaultRequestHeaders.Add("X-Api-Key", key);
        _prices = prices ?? new Dictionary<string, decimal>(StringComparer.Ordinal);
    }

    /// <summary>As fast as they are taken.</summary>
    public async Task<SentSignals> BurstAsync(int count, CancellationToken cancellationToken)
    {
        var trades = new ConcurrentDictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        var (first, began, left) = (DateTimeOffset.UtcNow, Stopwatch.GetTimestamp(), count);
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(async _ =>
        {
            while (Interlocked.Decrement(ref left) >= 0)
                await SendAsync(trades, cancellationToken);
        }));
        return new SentSignals(trades, first, Stopwatch.GetElapsedTime(began));
    }

    /// <summary>So many a second, whether or not the last ones have been answered.</summary>
    public async Task<SentSignals> PacedAsync(int perSecond, TimeSpan time, CancellationToken cancellationToken)
    {
        var trades = new ConcurrentDictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        var sending = new List<Task>();
        var (first, began) = (DateTimeOffset.UtcNow, Stopwatch.GetTimestamp());
        while (Stopwatch.GetElapsedTime(began) is var passed && passed < time)
        {
            while (sending.Count < passed.TotalSeconds * perSecond)
                sending.Add(SendAsync(trades, cancellationToken));
            await Task.Delay(1, cancellationToken);
        }
        await Task.WhenAll(sending);
        return new SentSignals(trades, first, Stopwatch.GetElapsedTime(began));
    }

    public void Dispose() => _http.Dispose();

    private async Task SendAsync(ConcurrentDictionary<string, DateTimeOffset> trades, CancellationToken cancellationToken)
    {
        var number = Interlocked.Increment(ref _number);
        var symbol = Symbols[number % Symbols.Length];
        var key = $"bench-{_name}-{number}";
        var price = _prices.TryGetValue(symbol, out var known) ? FormattableString.Invariant($",\"price\":{known}") : "";
        var body = $"{{\"symbol\":\"{symbol}\",\"side\":\"buy\",\"notional\":15,\"key\":\"{key}\"{price}}}";
        var sent = DateTimeOffset.UtcNow;
        for (var attempt = 1; ; attempt++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/signals") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
            request.Headers.Add("Idempotency-Key", key);
            using var response = await _http.SendAsync(request, cancellationToken);
            if (response.IsSuccessStatusCode)
            {
                var answer = await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
                trades[answer.GetProperty("tradeId").GetString()!] = sent;
                return;
            }
            // Under a load the market's prices may come late, and a caller is told to send the same again. The time goes on from the first.
            if (response.StatusCode != HttpStatusCode.ServiceUnavailable || attempt == AttemptsMax)
                throw new InvalidOperationException($"A signal was not taken: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync(cancellationToken)}");
            await Task.Delay(Pause, cancellationToken);
        }
    }
}
