using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Antbot.Contracts.Venue;
using Antbot.Hosting;
using Antbot.Kernel.Time;
using Antbot.Resilience;
using Antbot.Venues.Recording;
using Microsoft.Extensions.Logging;

namespace Antbot.Venues;

/// <summary>
/// The way to the venue and back. Whatever happens on it is an answer: refused where the venue said so, not sent where it is certain
/// that nothing left, and unknown for everything else.
/// </summary>
internal sealed class VenueHttp : IDisposable
{
    public const string Dependency = "venue";

    private const int AnswerBytesMax = 32 * 1024 * 1024;
    private const int BufferFirst = 16 * 1024;
    private const int BufferKept = 8 * 1024 * 1024;
    private const int TextLengthMax = 200;

    private static readonly string TooManyOrders = VenueCodes.TooManyOrders.ToString(CultureInfo.InvariantCulture);

    private readonly HttpClient _http;
    private readonly VenueOptions _options;
    private readonly BreakerPanel _breakers;
    private readonly RequestBudget _budget;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly TrafficRecorder? _recorder;
    private readonly DependencyBoard? _board;
    private readonly byte[] _secret;

    /// <summary>What the last long answer was read into: a list of thousands of open orders every other second would leave megabytes behind each time.</summary>
    private byte[]? _spare;

    public VenueHttp(VenueOptions options, BreakerPanel breakers, RequestBudget budget, TimeProvider clock, ILogger log, HttpMessageHandler? handler = null, TrafficRecorder? recorder = null, DependencyBoard? board = null)
    {
        (_options, _breakers, _budget, _clock, _log, _recorder, _board) = (options, breakers, budget, clock, log, recorder, board);
        _secret = Encoding.UTF8.GetBytes(VenueOptions.Read(options.Secret, options.SecretFile));
        _http = new HttpClient(handler ?? Handler())
        {
            BaseAddress = options.Address,
            Timeout = Timeout.InfiniteTimeSpan,
        };
        _http.DefaultRequestHeaders.Add("X-MBX-APIKEY", VenueOptions.Read(options.Key, options.KeyFile));
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("antbot", "1"));
    }

    public Task<VenueAnswer<T>> SendAsync<T>(
        VenueRoute route, int weight, HttpMethod method, string path, string parameters, bool isSigned, Func<JsonElement, T> read, CancellationToken cancellationToken) =>
        SendAsync(route, weight, method, path, parameters, isSigned, Whole(read), cancellationToken);

    /// <param name="weight">What the venue counts it as.</param>
    /// <param name="parameters">Without signature; names and values are of letters that need no escaping.</param>
    /// <param name="read">Of the answer's own bytes, which are another's afterwards. Throws <see cref="BadAnswerException"/> for what makes no sense.</param>
    public async Task<VenueAnswer<T>> SendAsync<T>(
        VenueRoute route, int weight, HttpMethod method, string path, string parameters, bool isSigned, Func<ReadOnlyMemory<byte>, T> read, CancellationToken cancellationToken)
    {
        var breaker = _breakers.Get(NameOf(route), route.Breaker, _clock);
        if (breaker.TryEnter(out var retryAfter) is not { } call)
            return new VenueAnswer<T>.NotSent($"the breaker of {breaker.Name} is open", retryAfter);
        try
        {
            var permit = await _budget.TakeAsync(weight, route.IsOrder, route.Part, cancellationToken, route.TellsLimits);
            if (permit.Why is { } why)
            {
                call.Abandoned();
                return new VenueAnswer<T>.NotSent(why, permit.RetryAfter);
            }
            var answer = await ExchangeAsync(route, method, path, parameters, isSigned ? SignatureOf(parameters, _secret) : null, read, cancellationToken);
            if (FaultOf(answer) is { } fault)
            {
                call.Failed();
                _board?.Fails(Dependency, $"{NameOf(route)}: {fault}");
            }
            else
            {
                call.Succeeded();
                _board?.Works(Dependency);
            }
            return answer;
        }
        catch
        {
            call.Abandoned();
            throw;
        }
    }

    /// <summary>
    /// A route that failed and that nobody has asked for since would never be found well again: it is tried with the cheapest question
    /// there is. What that does not show, the next failures do.
    /// </summary>
    public async Task ProbeAsync(CancellationToken cancellationToken)
    {
        var waiting = _breakers.All.Where(b => b.State == BreakerState.HalfOpen).Select(b => b.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var route in VenueRoute.All.Where(r => waiting.Contains(NameOf(r))))
            await SendAsync(route with { IsOrder = false }, 1, HttpMethod.Get, "/api/v3/time", "", isSigned: false, j => j.Time("serverTime"), cancellationToken);
    }

    public static Func<ReadOnlyMemory<byte>, T> Whole<T>(Func<JsonElement, T> read) => body =>
    {
        using var document = JsonDocument.Parse(body);
        return read(document.RootElement);
    };

    public void Dispose() => _http.Dispose();

    /// <summary>Why it did not answer; one that refuses has answered.</summary>
    private static string? FaultOf<T>(VenueAnswer<T> answer) => answer switch
    {
        VenueAnswer<T>.Unknown unknown => unknown.Text,
        VenueAnswer<T>.NotSent notSent => notSent.Text,
        _ => null,
    };

    private string NameOf(VenueRoute route) => $"{_options.Name}/{route.Name}";

    private SocketsHttpHandler Handler() => new()
    {
        AllowAutoRedirect = false,
        // Our trace ids are no business of an exchange's.
        ActivityHeadersPropagator = null,
        UseCookies = false,
        ConnectTimeout = TimeSpan.FromMilliseconds(Math.Min(2_000, _options.TimeoutMilliseconds)),
        // Shorter than servers keep idle connections: on one that the other side closes just then an order would be unknown.
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(20),
        PooledConnectionLifetime = TimeSpan.FromMinutes(10),
        // More than a process has hands: who waits for an answer keeps nobody else from a connection.
        MaxConnectionsPerServer = 512,
    };

    internal static string SignatureOf(string parameters, ReadOnlySpan<byte> secret)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(parameters), hash);
        return Convert.ToHexStringLower(hash);
    }

    private async Task<VenueAnswer<T>> ExchangeAsync<T>(
        VenueRoute route, HttpMethod method, string path, string parameters, string? signature, Func<ReadOnlyMemory<byte>, T> read, CancellationToken cancellationToken)
    {
        var recorded = _recorder?.Begin(route.Name, method, path, parameters, signature);
        using var span = VenueTrace.Begin(_options.Name, route, method, path);
        try
        {
            var answer = await ExchangeAsync(route, method, path, signature is null ? parameters : $"{parameters}&signature={signature}", recorded, span, read, cancellationToken);
            recorded?.Ended(answer);
            span.Ended(answer);
            return answer;
        }
        catch (Exception e)
        {
            recorded?.Ended($"given up: {e.Message}");
            throw;
        }
    }

    private async Task<VenueAnswer<T>> ExchangeAsync<T>(
        VenueRoute route, HttpMethod method, string path, string parameters, RecordedExchange? recorded, Activity? span, Func<ReadOnlyMemory<byte>, T> read, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromMilliseconds(_options.TimeoutMilliseconds), _clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        using var request = Request(method, path, parameters);
        var sent = _budget.Now;
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            span.Heard(response);
            return await HearAsync(route, response, sent, recorded, read, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new VenueAnswer<T>.Unknown($"no answer within {_options.TimeoutMilliseconds} ms");
        }
        catch (HttpRequestException e) when (e.HttpRequestError is HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError)
        {
            return new VenueAnswer<T>.NotSent($"no connection: {e.Message}", null);
        }
        // The client lets a socket's own exception through where the other side is gone just after it took the connection.
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException)
        {
            return new VenueAnswer<T>.Unknown($"the connection broke: {Cut(e.Message)}");
        }
    }

    private static HttpRequestMessage Request(HttpMethod method, string path, string parameters)
    {
        // What changes something travels in the body: the client sends a request without one again by itself when a kept connection
        // turns out to be closed, and an order that is sent twice may be two orders.
        if (method == HttpMethod.Post)
            return new HttpRequestMessage(method, path) { Content = new StringContent(parameters, Encoding.UTF8, "application/x-www-form-urlencoded") };
        return new HttpRequestMessage(method, parameters.Length == 0 ? path : $"{path}?{parameters}");
    }

    /// <summary>What the venue says of its limits counts before our own book-keeping.</summary>
    private async Task<VenueAnswer<T>> HearAsync<T>(
        VenueRoute route, HttpResponseMessage response, DateTimeOffset sent, RecordedExchange? recorded, Func<ReadOnlyMemory<byte>, T> read, CancellationToken cancellationToken)
    {
        _budget.Counted(sent, new VenueLimits(Header(response, "X-MBX-USED-WEIGHT-1M"), Header(response, "X-MBX-ORDER-COUNT-10S"), Header(response, "X-MBX-ORDER-COUNT-1D")));
        // Whether it is orders that were too many, or everything, is in the body alone.
        var isInTheBody = route.IsOrder && (int)response.StatusCode == 429;
        var wait = isInTheBody ? null : await HeedAsync(response);
        var answer = (VenueAnswer<T>?)null;
        try
        {
            answer = await ReadAsync(response, recorded, read, cancellationToken);
        }
        finally
        {
            // Of a body that cannot be read the worse is taken.
            if (route.IsOrder && answer is VenueAnswer<T>.Refused { Code: var code, Text: var text } && code == TooManyOrders)
                wait = await HoldOrdersAsync(text, sent);
            else if (isInTheBody)
                wait = await HeedAsync(response);
        }
        return answer is VenueAnswer<T>.Refused refused ? refused with { RetryAfter = wait } : answer;
    }

    /// <summary>The venue gives no Retry-After with it: what was too much of ten seconds, or of a day, is over with these.</summary>
    private async Task<TimeSpan> HoldOrdersAsync(string text, DateTimeOffset sent)
    {
        var wait = await _budget.OrdersUsedUpAsync(sent, VenueCodes.IsOfTheDay(text));
        _log.LogWarning("{Venue} says that there are too many orders ({Text}): none is sent for {Wait}", _options.Name, text, wait);
        return wait;
    }

    /// <returns>How long nothing is sent; null where nothing was said of that.</returns>
    private async Task<TimeSpan?> HeedAsync(HttpResponseMessage response)
    {
        var status = (int)response.StatusCode;
        if (ToldToWait.Of(status, response.Headers.RetryAfter?.Delta, response.Headers.RetryAfter?.Date, response.Headers.Date, _budget.Now) is not { } wait)
            return null;
        _log.LogWarning("{Venue} says {Status}: nothing is sent for {Wait}", _options.Name, status, wait);
        await _budget.BlockAsync(wait);
        return wait;
    }

    private static long? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) && long.TryParse(values.FirstOrDefault(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private async Task<VenueAnswer<T>> ReadAsync<T>(HttpResponseMessage response, RecordedExchange? recorded, Func<ReadOnlyMemory<byte>, T> read, CancellationToken cancellationToken)
    {
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        var pooled = ArrayPool<byte>.Shared.Rent(BufferFirst);
        var (buffer, length) = (pooled, 0);
        try
        {
            while (await stream.ReadAsync(buffer.AsMemory(length), cancellationToken) is > 0 and var count)
            {
                length += count;
                if (length > AnswerBytesMax)
                    throw new IOException($"its answer is longer than {AnswerBytesMax} bytes");
                if (length == buffer.Length)
                    buffer = Larger(buffer);
            }
            return Answer(response, buffer.AsMemory(0, length), read);
        }
        finally
        {
            recorded?.Answered((int)response.StatusCode, buffer.AsSpan(0, length));
            ArrayPool<byte>.Shared.Return(pooled);
            if (buffer != pooled && buffer.Length <= BufferKept)
                Volatile.Write(ref _spare, buffer);
        }
    }

    private byte[] Larger(byte[] full)
    {
        var larger = Interlocked.Exchange(ref _spare, null) is { } spare && spare.Length > full.Length ? spare : new byte[full.Length * 2];
        full.CopyTo(larger, 0);
        return larger;
    }

    private static VenueAnswer<T> Answer<T>(HttpResponseMessage response, ReadOnlyMemory<byte> body, Func<ReadOnlyMemory<byte>, T> read)
    {
        var status = (int)response.StatusCode;
        try
        {
            if (status is >= 200 and < 300)
                return new VenueAnswer<T>.Said(read(body));
            using var document = JsonDocument.Parse(body);
            if (status is >= 400 and < 500 && document.RootElement.Find("code") is { ValueKind: JsonValueKind.Number } code && code.TryGetInt32(out var number))
            {
                var text = document.RootElement.Find("msg") is { ValueKind: JsonValueKind.String } msg && msg.GetString() is { Length: > 0 } said ? Cut(said) : $"status {status}, without a word";
                return VenueCodes.RefusalOf(status, number, text) is { } refusal
                    ? new VenueAnswer<T>.Refused(refusal, number.ToString(CultureInfo.InvariantCulture), text)
                    : new VenueAnswer<T>.Unknown($"{status}: {number} {text}");
            }
        }
        catch (Exception e) when (Json.MakesNoSense(e))
        {
            // A firewall says no in a page of its own; its status says enough.
            if (VenueCodes.RefusalOf(status, code: 0, "") is null)
                return new VenueAnswer<T>.Unknown($"an answer of status {status} that makes no sense: {Cut(e.Message)}");
        }
        return VenueCodes.RefusalOf(status, code: 0, "") is { } bare ? new VenueAnswer<T>.Refused(bare, $"{status}", $"status {status}") : new VenueAnswer<T>.Unknown($"status {status}");
    }

    private static string Cut(string text) => text.Length <= TextLengthMax ? text : text[..TextLengthMax];
}
