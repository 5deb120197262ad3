using System.Globalization;
using System.Text.Json;
using Antbot.EventStore.Postgres;
using Antbot.Runtime.Store;

namespace Antbot.Benchmarks.Pipeline;

/// <summary>The platform: every service a process of its own.</summary>
internal sealed class AntbotPipeline : IPipeline
{
    public const string Console = "Console";

    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(90);

    /// <summary>In the order in which a trade comes to them; the first takes the signals.</summary>
    public static IReadOnlyList<string> Names { get; } = ["Signal", "Coordinator", "Validation", "Risk", "Execution", "Reconciliation"];

    private readonly List<(BenchProcess Process, Uri Address)> _services = [];
    private readonly Dictionary<string, string> _environment;
    private readonly Servers _servers;
    private readonly VenueProcess _venue;
    private readonly PostgresEventStore _store;

    private AntbotPipeline(Servers servers, VenueProcess venue, string database, Uri bus)
    {
        (_servers, _venue, Bus) = (servers, venue, bus);
        _environment = new Dictionary<string, string>(LoadSettings.All, StringComparer.Ordinal)
        {
            ["ANTBOT_STORE"] = database,
            ["ANTBOT_BUS"] = bus.ToString(),
            ["ANTBOT_VENUE__ADDRESS"] = venue.Address.ToString(),
            ["ANTBOT_VENUE__PAPER"] = "true",
            ["ANTBOT_VENUE__KEY_FILE"] = venue.Keys.FileOf("venue-key"),
            ["ANTBOT_VENUE__SECRET_FILE"] = venue.Keys.FileOf("venue-secret"),
            ["ANTBOT_SIGNAL__APIKEY_FILE"] = venue.Keys.FileOf("signal-api-key"),
        };
        _store = new PostgresEventStore(new PostgresStoreOptions { ConnectionString = database });
        History = new HistoryReader(_store);
    }

    public SignalClient Client { get; private set; } = null!;

    public HistoryReader History { get; }

    public VenueProcess Venue => _venue;

    public Uri Bus { get; }

    public string Logs => _servers.Folder;

    public IReadOnlyList<BenchProcess> Processes => [.. _services.Select(s => s.Process), _venue.Process, .. _servers.Processes];

    public static async Task<AntbotPipeline> StartAsync(Servers servers, string database, CancellationToken cancellationToken)
    {
        var venue = await VenueProcess.StartAsync(Path.Combine(servers.Folder, "antbot"), cancellationToken);
        var pipeline = new AntbotPipeline(servers, venue, database, (await servers.Rabbit.CreateVirtualHostAsync(cancellationToken: cancellationToken)).Uri);
        try
        {
            await pipeline.StartServicesAsync(cancellationToken);
            return pipeline;
        }
        catch
        {
            await pipeline.DisposeAsync();
            throw;
        }
    }

    /// <summary>Returns when all of them say that they are ready.</summary>
    public async Task StartServicesAsync(CancellationToken cancellationToken)
    {
        _services.AddRange(Names.Select(Start));
        Client = await NewClientAsync(cancellationToken);
        foreach (var (process, address) in _services)
            await Servers.UntilAnsweredAsync(new Uri(address, "/readyz"), process, ReadyWithin, cancellationToken);
    }

    /// <summary>What every service is told that is started from now on.</summary>
    public void Set(string name, string value) => _environment[name] = value;

    /// <summary>Kills one of them hard and starts it again; returns at once where it is not the one that takes the signals.</summary>
    public async Task RestartServiceAsync(string name, CancellationToken cancellationToken)
    {
        var at = Names.ToList().IndexOf(name);
        await _services[at].Process.KillAsync();
        await _services[at].Process.DisposeAsync();
        _services[at] = Start(name);
        if (name != Names[0])
            return;
        Client.Dispose();
        Client = await NewClientAsync(cancellationToken);
        await Servers.UntilAnsweredAsync(new Uri(_services[at].Address, "/readyz"), _services[at].Process, ReadyWithin, cancellationToken);
    }

    public async Task KillServicesAsync()
    {
        await Task.WhenAll(_services.Select(s => s.Process.KillAsync()));
        Client.Dispose();
        _services.Clear();
    }

    public async Task<long> ProgressAsync(CancellationToken cancellationToken) => (await _store.Ledger.ReadHeadAsync(cancellationToken)).Position;

    /// <summary>Returns when whoever follows all of history has kept a copy of what it knows at least up to here.</summary>
    public async Task FollowedAsync(long through, CancellationToken cancellationToken)
    {
        while (await ((IArchivingLedger)_store.Ledger).ReadFollowersAsync(cancellationToken) is var followers && (followers.Count == 0 || followers.Any(f => f.Sequence < through)))
            await Task.Delay(500, cancellationToken);
    }

    public Task<IReadOnlyDictionary<string, TradeTimes>> ReadAsync(CancellationToken cancellationToken) => History.ReadAsync(cancellationToken);

    public Task<TradeHistory> TradesAsync(CancellationToken cancellationToken) => TradeHistory.FromAsync(_store, cancellationToken);

    /// <summary>The sum of a counter over all services.</summary>
    public async Task<double> CountAsync(string counter, CancellationToken cancellationToken)
    {
        using var client = new HttpClient();
        var sum = 0.0;
        foreach (var (_, address) in _services)
        {
            var text = await client.GetStringAsync(new Uri(address, "/metrics"), cancellationToken);
            sum += text.Split('\n').Where(l => l.StartsWith(counter, StringComparison.Ordinal)).Sum(l => double.Parse(l[(l.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
        }
        return sum;
    }

    /// <summary>A Console is started on the history and reads it to its end: what it and PostgreSQL use for that.</summary>
    public async Task<(TimeSpan Console, TimeSpan Postgres)> ReadIntoModelsAsync(CancellationToken cancellationToken)
    {
        var postgres = _servers.Processes.Single(p => p.Name == "postgres");
        var before = postgres.Processor();
        var (process, client) = await StartConsoleAsync(cancellationToken);
        using (client)
        await using (process)
        {
            while (JsonElement.Parse(await client.GetByteArrayAsync(new Uri("/api/status", UriKind.Relative), cancellationToken)).GetProperty("Views").GetProperty("Behind").GetInt64() > 0)
                await Task.Delay(500, cancellationToken);
            return (process.Processor(), postgres.Processor() - before);
        }
    }

    /// <summary>Does something while a Console follows what happens, as one of the processes.</summary>
    public async Task<T> FollowedByConsoleAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        var (process, client) = await StartConsoleAsync(cancellationToken);
        using (client)
        await using (process)
        {
            _services.Add((process, client.BaseAddress!));
            try
            {
                return await work();
            }
            finally
            {
                _services.RemoveAt(_services.Count - 1);
            }
        }
    }

    /// <summary>Ready, and asked by an operator.</summary>
    public async Task<(BenchProcess Process, HttpClient Client)> StartConsoleAsync(CancellationToken cancellationToken)
    {
        Set("ANTBOT_CONSOLE__TOKEN_FILE", _venue.Keys.FileOf("console-token"));
        var (process, address) = Start(Console);
        await Servers.UntilAnsweredAsync(new Uri(address, "/readyz"), process, ReadyWithin, cancellationToken);
        var client = new HttpClient { BaseAddress = address };
        client.DefaultRequestHeaders.Authorization = new("Bearer", await File.ReadAllTextAsync(_venue.Keys.FileOf("console-token"), cancellationToken));
        return (process, client);
    }

    private (BenchProcess Process, Uri Address) Start(string name)
    {
        var address = Servers.FreeAddress();
        var log = Path.Combine(_servers.Folder, string.Create(CultureInfo.InvariantCulture, $"{name.ToLowerInvariant()}.log"));
        return (BenchProcess.Start(
            name.ToLowerInvariant(), Servers.ProgramOf($"services/Antbot.{name}/Host/", $"Antbot.{name}"), [],
            new Dictionary<string, string>(_environment, StringComparer.Ordinal) { ["ANTBOT_LISTEN"] = address.ToString(), ["ANTBOT_INSTANCE"] = "bench" }, log), address);
    }

    private async Task<SignalClient> NewClientAsync(CancellationToken cancellationToken) =>
        new(_services[0].Address, await File.ReadAllTextAsync(_venue.Keys.FileOf("signal-api-key"), cancellationToken), prices: null);

    public async ValueTask DisposeAsync()
    {
        Client?.Dispose();
        await Task.WhenAll(_services.Select(s => s.Process.DisposeAsync().AsTask()));
        await _venue.DisposeAsync();
        await _store.DisposeAsync();
    }
}
