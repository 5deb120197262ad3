using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using Antbot.Kernel.Time;

namespace Antbot.PaperVenue.Following;

/// <summary>The real venue's answer cannot be used, or it wants us to wait.</summary>
internal sealed class RealMarketException(string message, TimeSpan? retryAfter = null, Exception? inner = null) : Exception(message, inner)
{
    public TimeSpan? RetryAfter { get; } = retryAfter;
}

/// <summary>
/// Looks at a real venue's public market data and can do nothing else there: it knows no key, it has no way to send anything but a GET,
/// and it refuses every path that is not on its list.
/// </summary>
internal sealed class PublicMarket : IDisposable
{
    private const int AnswerBytesMax = 4 << 20;

    /// <summary>No candle opens later than that, nor does a calendar go on for ever.</summary>
    private const long LatestTime = 4_102_444_800_000;

    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(3);

    private readonly HttpClient _http;
    private readonly TimeProvider _clock;

    /// <param name="inner">For tests; never anything that is not asked through the list.</param>
    public PublicMarket(Uri address, TimeProvider clock, HttpMessageHandler? inner = null)
    {
        _clock = clock;
        _http = new HttpClient(new OnlyPublic(inner ?? new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, Credentials = null, ConnectTimeout = AnswerWithin }))
        {
            BaseAddress = address,
            Timeout = AnswerWithin,
            MaxResponseContentBufferSize = AnswerBytesMax,
        };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("antbot-paper", "1"));
    }

    /// <summary>What may be asked, and everything that may.</summary>
    public static IReadOnlySet<string> Paths { get; } = new HashSet<string>(StringComparer.Ordinal) { "/api/v3/ticker/bookTicker", "/api/v3/klines" };

    /// <summary>Best bid and ask; an instrument whose figures make no sense has none.</summary>
    public async Task<IReadOnlyDictionary<string, (Fixed8 Bid, Fixed8 Ask)>> BestAsync(IEnumerable<Instrument> instruments, CancellationToken cancellationToken)
    {
        var symbols = $"[{string.Join(',', instruments.Select(i => $"\"{i.Symbol}\""))}]";
        using var answer = await GetAsync($"/api/v3/ticker/bookTicker?symbols={Uri.EscapeDataString(symbols)}", cancellationToken);
        var best = new Dictionary<string, (Fixed8, Fixed8)>(StringComparer.Ordinal);
        foreach (var entry in List(answer.RootElement))
        {
            if (entry.ValueKind == JsonValueKind.Object && Text(entry, "symbol") is { } symbol && Amount(entry, "bidPrice") is { IsPositive: true } bid && Amount(entry, "askPrice") is { } ask && ask >= bid)
                best[symbol] = (bid, ask);
        }
        return best;
    }

    /// <summary>The oldest first, the last of them still growing; one that makes no sense is left out.</summary>
    public async Task<IReadOnlyList<Candle>> CandlesAsync(Instrument instrument, Interval interval, CancellationToken cancellationToken)
    {
        using var answer = await GetAsync($"/api/v3/klines?symbol={instrument.Symbol}&interval={interval.Name}&limit=1000", cancellationToken);
        return [.. List(answer.RootElement).Select(k => Read(k, interval)).OfType<Candle>().OrderBy(c => c.OpenTime).DistinctBy(c => c.OpenTime)];
    }

    public void Dispose() => _http.Dispose();

    private static Candle? Read(JsonElement kline, Interval interval)
    {
        if (kline.ValueKind != JsonValueKind.Array || kline.GetArrayLength() < 6 || kline[0].ValueKind != JsonValueKind.Number || !kline[0].TryGetInt64(out var open) || open is <= 0 or > LatestTime || !interval.MayOpen(open))
            return null;
        if (Amount(kline[1]) is not { } first || Amount(kline[2]) is not { } high || Amount(kline[3]) is not { IsPositive: true } low || Amount(kline[4]) is not { } last || Amount(kline[5]) is not { } volume)
            return null;
        return low <= first && first <= high && low <= last && last <= high && last.CanMultiply(volume)
            ? new Candle { OpenTime = open, CloseTime = interval.After(open) - 1, Open = first, High = high, Low = low, Close = last, Volume = volume, QuoteVolume = last.Times(volume) }
            : null;
    }

    private async Task<JsonDocument> GetAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _http.GetAsync(path, cancellationToken);
            var status = (int)response.StatusCode;
            if (ToldToWait.Of(status, response.Headers.RetryAfter?.Delta, response.Headers.RetryAfter?.Date, response.Headers.Date, _clock.GetUtcNow()) is { } wait)
                throw new RealMarketException($"it wants us to wait (status {status})", wait);
            if (status != 200)
                throw new RealMarketException($"it answers with status {status}");
            return JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or IOException or JsonException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new RealMarketException(e is OperationCanceledException ? $"it does not answer within {AnswerWithin.TotalSeconds} s" : e.Message, inner: e);
        }
    }

    private static IEnumerable<JsonElement> List(JsonElement json) => json.ValueKind == JsonValueKind.Array ? json.EnumerateArray() : throw new RealMarketException("it answers with something that is no list");

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static Fixed8? Amount(JsonElement json, string name) => json.TryGetProperty(name, out var value) ? Amount(value) : null;

    private static Fixed8? Amount(JsonElement value) =>
        value.ValueKind == JsonValueKind.String && Fixed8.TryParse(value.GetString(), out var amount) == NumberFault.None ? amount : null;

    /// <summary>The last look at everything that leaves: whoever changes what is above, this still refuses.</summary>
    private sealed class OnlyPublic(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var isPublic = request.Method == HttpMethod.Get && request.Content is null && request.RequestUri is { UserInfo.Length: 0 } uri && Paths.Contains(uri.AbsolutePath)
                && !uri.Query.Contains("signature", StringComparison.OrdinalIgnoreCase) && !request.Headers.Contains("X-MBX-APIKEY") && request.Headers.Authorization is null;
            return isPublic
                ? base.SendAsync(request, cancellationToken)
                : throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"{request.Method} {request.RequestUri?.AbsolutePath} is no look at public market data; a real venue is asked for nothing else."));
        }
    }
}
