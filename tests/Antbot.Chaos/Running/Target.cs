using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Antbot.Chaos.Checking;

namespace Antbot.Chaos.Running;

/// <summary>Whatever is broken and judged: processes of ours, a store, a venue, and where signals go.</summary>
internal abstract class Target(string folder) : IAsyncDisposable
{
    private const string Account = "main";
    private const string LogFolder = "logs";

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    private IReadOnlyDictionary<string, decimal> _deposits = new Dictionary<string, decimal>(StringComparer.Ordinal);

    public string Folder { get; } = folder;

    public HttpClient Http { get; } = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(10) };

    public abstract IReadOnlyList<Daemon> Daemons { get; }

    public abstract IReadOnlyList<Uri> Signals { get; }

    public abstract string SignalKey { get; }

    public Daemon this[string name] => Daemons.FirstOrDefault(d => d.Name == name) ?? throw new ArgumentException($"There is no process '{name}' here, only {string.Join(", ", Daemons.Select(d => d.Name))}.", nameof(name));

    protected string Logs => Directory.CreateDirectory(Path.Combine(Folder, LogFolder)).FullName;

    public abstract Task<Store> ReadStoreAsync(CancellationToken cancellationToken);

    public abstract Task<IReadOnlyList<QueueDepth>> ReadQueuesAsync(CancellationToken cancellationToken);

    /// <summary>The same with what was delivered and not acknowledged, where that can be asked for.</summary>
    public virtual Task<IReadOnlyList<QueueDepth>> AddUnacknowledgedAsync(IReadOnlyList<QueueDepth> queues, CancellationToken cancellationToken) => Task.FromResult(queues);

    /// <summary>Why it cannot take work; null where it can.</summary>
    public abstract Task<string?> WhyNotReadyAsync(CancellationToken cancellationToken);

    public async Task ReadyAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        while (await WhyNotReadyAsync(cancellationToken) is { } reason)
        {
            if (Daemons.FirstOrDefault(d => d.GivenUp is not null) is { } given)
                throw new ChaosException($"{given.Name} cannot run: {given.GivenUp}");
            if (Stopwatch.GetElapsedTime(began) > limit)
                throw new ChaosException($"It was not ready after {limit.TotalSeconds:0} s: {reason}");
            await Task.Delay(Look, cancellationToken);
        }
    }

    public async Task<Evidence> ReadAsync(IReadOnlyCollection<string> accepted, CancellationToken cancellationToken)
    {
        // Queues first, then the venue, then the store: what moves meanwhile shows as not settled, never as settled.
        var queues = await ReadQueuesAsync(cancellationToken);
        var venue = VenueReader.Parse(await VenueLinesAsync(cancellationToken), Account);
        return new Evidence(await ReadStoreAsync(cancellationToken), venue, _deposits, queues, accepted);
    }

    /// <summary>An order to the venue itself: faults, absence, its clock.</summary>
    public async Task VenueAsync(HttpMethod method, string route, object? body, CancellationToken cancellationToken)
    {
        using var answer = await AdminAsync(method, route, body, cancellationToken);
        if (!answer.IsSuccessStatusCode)
            throw new ChaosException($"The venue answered {route} with {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(cancellationToken)}");
    }

    /// <summary>Whether one of ours keeps its orders from the venue for a while, because the venue failed.</summary>
    public virtual Task<bool> HasOpenBreakerAsync(CancellationToken cancellationToken) => Task.FromResult(false);

    /// <summary>What the account holds before anybody trades on it.</summary>
    public async Task RememberDepositsAsync(CancellationToken cancellationToken) =>
        _deposits = VenueReader.Parse(await VenueLinesAsync(cancellationToken), Account).Balances;

    /// <summary>How often each kind of fault has struck at the venue since it was started, and how many requests might have been.</summary>
    public async Task<(IReadOnlyDictionary<string, long> Struck, long Exposed)> VenueFaultsAsync(CancellationToken cancellationToken)
    {
        using var answer = await AdminAsync(HttpMethod.Get, "status", null, cancellationToken);
        using var status = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(cancellationToken));
        return (status.RootElement.GetProperty("struck").EnumerateObject().ToDictionary(k => k.Name, k => k.Value.GetInt64(), StringComparer.Ordinal), status.RootElement.GetProperty("exposed").GetInt64());
    }

    /// <summary>Of whatever has run in this folder.</summary>
    public static void SaveLogs(string from, string to)
    {
        var (logs, kept) = (Path.Combine(from, LogFolder), Directory.CreateDirectory(Path.Combine(to, LogFolder)).FullName);
        foreach (var log in Directory.Exists(logs) ? Directory.EnumerateFiles(logs) : [])
            File.Copy(log, Path.Combine(kept, Path.GetFileName(log)), overwrite: true);
    }

    /// <summary>Everything that somebody needs who was not there, beside the logs.</summary>
    public async Task SaveAsync(string folder, Evidence? evidence, CancellationToken cancellationToken)
    {
        if (evidence is not null)
            await File.WriteAllLinesAsync(Path.Combine(folder, "events.jsonl"), evidence.Store.Events.Select(e => $$"""{"seq":{{e.Sequence}},"at":"{{DateTime.UnixEpoch.AddMicroseconds(e.At):O}}","stream":"{{e.Stream}}","version":{{e.Version}},"type":"{{e.Type}}","data":{{Encoding.UTF8.GetString(e.Data)}}}"""), cancellationToken);
        if (evidence is not null)
            await File.WriteAllLinesAsync(Path.Combine(folder, "queues.txt"), evidence.Queues.Select(q => $"{q.Waiting,8} {q.Name}"), cancellationToken);
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "venue-ledger.jsonl"), await VenueLinesAsync(cancellationToken), cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "venue-ledger.jsonl"), $"The venue did not answer: {e.Message}", cancellationToken);
        }
    }

    public virtual async ValueTask DisposeAsync()
    {
        await Task.WhenAll(Daemons.Where(d => d.Name != "venue").Select(d => d.DisposeAsync().AsTask()));
        foreach (var venue in Daemons.Where(d => d.Name == "venue"))
            await venue.DisposeAsync();
        Http.Dispose();
    }

    /// <summary>Where the venue keeps what is its own.</summary>
    protected abstract string VenueFolder { get; }

    /// <summary>The admin routes are at another port after each start, and the venue writes down where.</summary>
    private (Uri Address, string Key) VenueAdmin
    {
        get
        {
            using var admin = JsonDocument.Parse(File.ReadAllText(Path.Combine(VenueFolder, "admin.json")));
            return (new Uri(admin.RootElement.GetProperty("address").GetString()!), admin.RootElement.GetProperty("adminKey").GetString()!);
        }
    }

    /// <summary>A gauge over all of its labels, the largest; null where the process has none of that name.</summary>
    /// <param name="label">Only of lines that have it.</param>
    protected async Task<double?> GaugeAsync(Uri process, string metric, string label, CancellationToken cancellationToken)
    {
        var text = await Http.GetStringAsync(new Uri(process, "metrics"), cancellationToken);
        return text.Split('\n').Where(l => l.StartsWith(metric, StringComparison.Ordinal) && l.Contains(label, StringComparison.Ordinal)).Select(l => (double?)double.Parse(l[(l.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture)).Max();
    }

    protected async Task<string?> WhyNotReadyAsync(string name, Uri route, CancellationToken cancellationToken)
    {
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(TimeSpan.FromSeconds(2));
            using var answer = await Http.GetAsync(route, limit.Token);
            return answer.IsSuccessStatusCode ? null : $"{name}: {await answer.Content.ReadAsStringAsync(limit.Token)}";
        }
        catch (Exception e) when (e is HttpRequestException or SocketException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return $"{name}: {e.Message}";
        }
    }

    private async Task<HttpResponseMessage> AdminAsync(HttpMethod method, string route, object? body, CancellationToken cancellationToken)
    {
        var admin = VenueAdmin;
        using var request = new HttpRequestMessage(method, new Uri(admin.Address, $"admin/{route}")) { Content = body is null ? null : JsonContent.Create(body, options: JsonSerializerOptions.Default) };
        request.Headers.Add("X-Admin-Key", admin.Key);
        return await Http.SendAsync(request, cancellationToken);
    }

    private async Task<string> VenueLinesAsync(CancellationToken cancellationToken)
    {
        using var answer = await AdminAsync(HttpMethod.Get, "ledger", null, cancellationToken);
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadAsStringAsync(cancellationToken);
    }
}

/// <summary>The fault could not be done, or what is broken could not be set up: the case says nothing.</summary>
internal sealed class ChaosException(string message) : Exception(message);
