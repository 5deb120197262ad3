using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;

namespace Antbot.Chaos.Running;

/// <summary>
/// Signals at a steady rate, each under a key of its own and sent again until it is accepted, as a client would. What was accepted is a promise.
/// Who is told that too many wait comes again when he is told to, as long as others come, or, where he gives up then, not at all: what he wished for is of this moment.
/// </summary>
/// <param name="signals">Where they are taken: what does not answer here is tried there.</param>
internal sealed class Load(IReadOnlyList<Uri> signals, string key, string run, double rate, bool givesUp = false) : IAsyncDisposable
{
    private const int ConnectionsMax = 256;

    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(300);
    private static readonly string[] Symbols = ["BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "XRPUSDT", "DOGEUSDT"];

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, ConnectTimeout = TimeSpan.FromSeconds(3), MaxConnectionsPerServer = ConnectionsMax }) { Timeout = TimeSpan.FromSeconds(15) };
    private readonly ConcurrentDictionary<int, string> _accepted = new();
    private readonly ConcurrentQueue<string> _refused = new();
    private readonly SemaphoreSlim _room = new(RoomFor(rate), RoomFor(rate));
    private readonly CancellationTokenSource _enough = new();
    private readonly CancellationTokenSource _giveUp = new();
    private readonly ConcurrentDictionary<int, Task> _posts = new();
    private Task _running = Task.CompletedTask;
    private readonly ConcurrentBag<double> _waited = [];
    private int _sent;
    private int _turnedAway;

    public IReadOnlyCollection<string> Accepted => [.. _accepted.Values];

    public int AcceptedCount => _accepted.Count;

    public int Sent => Volatile.Read(ref _sent);

    /// <summary>Whose senders were told that too many wait, and gave up.</summary>
    public int TurnedAway => Volatile.Read(ref _turnedAway);

    /// <summary>What was answered as no client would expect it.</summary>
    public IReadOnlyCollection<string> Refused => _refused;

    /// <summary>How long their senders waited until they were accepted: so long at most, all of them and all but one in a hundred.</summary>
    public (TimeSpan All, TimeSpan P99) Waited()
    {
        var sorted = _waited.Order().ToArray();
        return sorted.Length == 0 ? default : (TimeSpan.FromMilliseconds(sorted[^1]), TimeSpan.FromMilliseconds(sorted[sorted.Length * 99 / 100]));
    }

    /// <summary>How late the latest was sent for the first time: a load that cannot keep its rate is another load.</summary>
    public TimeSpan Behind { get; private set; }

    /// <param name="count">So many, or until it is stopped.</param>
    public void Start(int count = int.MaxValue) => _running = RunAsync(count);

    /// <summary>Returns when all of them have been sent for the first time.</summary>
    public Task FinishAsync(CancellationToken cancellationToken) => _running.WaitAsync(cancellationToken);

    /// <summary>No new ones; returns when those under way are accepted, or the time is up. False then.</summary>
    public async Task<bool> StopAsync(TimeSpan limit)
    {
        await _enough.CancelAsync();
        await _running;
        var all = Task.WhenAll(_posts.Values);
        if (await Task.WhenAny(all, Task.Delay(limit)) == all)
            return true;
        await _giveUp.CancelAsync();
        await all;
        return false;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.Zero);
        _http.Dispose();
        _room.Dispose();
        _enough.Dispose();
        _giveUp.Dispose();
    }

    private static int RoomFor(double rate) => Math.Max(256, (int)(rate * 60));

    private async Task RunAsync(int count)
    {
        var began = Stopwatch.GetTimestamp();
        for (var n = 0; n < count && !_enough.IsCancellationRequested; n++)
        {
            var due = TimeSpan.FromSeconds(n / rate) - Stopwatch.GetElapsedTime(began);
            if (due > TimeSpan.Zero)
                await Task.Delay(due, _enough.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                await _room.WaitAsync(_enough.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            var late = Stopwatch.GetElapsedTime(began) - TimeSpan.FromSeconds(n / rate);
            Behind = late > Behind ? late : Behind;
            var number = n;
            Interlocked.Increment(ref _sent);
            _posts[number] = PostAsync(number);
        }
    }

    private async Task PostAsync(int number)
    {
        var began = Stopwatch.GetTimestamp();
        try
        {
            for (var attempt = 0; !_giveUp.IsCancellationRequested; attempt++)
            {
                if (await TryAsync(number, signals[(number + attempt) % signals.Count]) is not var (again, until))
                    break;
                await Task.Delay(again, until).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        finally
        {
            _waited.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            _room.Release();
            _posts.TryRemove(number, out _);
        }
    }

    /// <summary>Null where it need not be sent again; else when, and what it does not wait beyond.</summary>
    private async Task<(TimeSpan Again, CancellationToken Until)?> TryAsync(int number, Uri address)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(address, "signals"))
            {
                Content = JsonContent.Create(new { symbol = Symbols[number % Symbols.Length], side = "buy", notional = 50, idempotencyKey = $"{run}-{number}" }, options: JsonSerializerOptions.Default),
            };
            request.Headers.Add("X-Api-Key", key);
            using var answer = await _http.SendAsync(request, _giveUp.Token);
            var text = await answer.Content.ReadAsStringAsync(_giveUp.Token);
            if (answer.StatusCode == HttpStatusCode.Accepted)
            {
                using var body = JsonDocument.Parse(text);
                _accepted[number] = body.RootElement.GetProperty("tradeId").GetString()!;
                return null;
            }
            if (answer.StatusCode == HttpStatusCode.TooManyRequests)
            {
                // When no more come, he asks once more at once, and is turned away for good.
                if (!givesUp && !_enough.IsCancellationRequested)
                    return (answer.Headers.RetryAfter?.Delta ?? Again, _enough.Token);
                Interlocked.Increment(ref _turnedAway);
                return null;
            }
            if (answer.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.InternalServerError)
                return (Again, _giveUp.Token);
            _refused.Enqueue($"signal {number}: {(int)answer.StatusCode} {text}");
            return null;
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or OperationCanceledException or IOException or JsonException)
        {
            // Killed under it, or its time was up.
            return (Again, _giveUp.Token);
        }
    }
}
