using System.Diagnostics;
using System.Net.Sockets;
using System.Text.Json;
using Antbot.EventStore.Postgres;
using Antbot.Hosting;
using Antbot.LocalServers;
using Npgsql;

namespace Antbot.Watchdog;

/// <summary>Every service as a process of its own, over a private PostgreSQL and a private RabbitMQ.</summary>
public sealed class LocalPlatform : IAsyncDisposable
{
    private const string StateFile = "platform.json";
    private const string ServicesUser = "antbot_services";

    private static readonly TimeSpan VenueLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    private readonly Lock _writing = new();
    private readonly List<SupervisedServer> _servers = [];
    private readonly List<(Instance Instance, SupervisedProcess Process)> _processes = [];
    private readonly string _folder;
    private readonly LineWriter _report;
    private PostgresServer? _postgres;
    private RabbitServer? _rabbit;

    public LocalPlatform(string folder, LineWriter report)
    {
        _folder = Path.GetFullPath(folder);
        _report = report;
        Directory.CreateDirectory(Logs);
        Keys = new KeyFolder(Path.Combine(_folder, "keys"));
    }

    /// <param name="Name">The service's, with a number from the second on.</param>
    private sealed record Instance(ServiceProgram Program, string Name, Uri Address)
    {
        public bool IsVenue => Program.Name == ServiceProgram.Venue;

        public Uri Health => new(Address, IsVenue ? "/api/v3/ping" : "/readyz");
    }

    public KeyFolder Keys { get; }

    public string Logs => Path.Combine(_folder, "logs");

    /// <summary>What was said with the venue.</summary>
    public string Recording => Path.Combine(_folder, "recording");

    public Uri? Console { get; private set; }

    public Uri? Signals { get; private set; }

    public Uri? Venue { get; private set; }

    /// <summary>The store itself, with the password of the user that all services log in as.</summary>
    public string? Store { get; private set; }

    public IReadOnlyList<SupervisedProcess> Processes => [.. _processes.Select(p => p.Process)];

    /// <summary>Where a folder's platform says what it consists of now.</summary>
    public static string StateFileIn(string folder) => Path.Combine(folder, StateFile);

    public async Task StartServersAsync(CancellationToken cancellationToken)
    {
        var postgres = PostgresServer.StartAsync(new PostgresServerOptions { MustBeOwned = true, DataFolder = Path.Combine(_folder, "postgres") }, cancellationToken);
        var rabbit = RabbitServer.StartAsync(new RabbitServerOptions { MustBeOwned = true, DataFolder = Path.Combine(_folder, "rabbitmq") }, cancellationToken);
        // Each is kept even where the other fails: it has to be ended then.
        _postgres = await postgres;
        _rabbit = await rabbit;
        _servers.Add(SupervisedServer.Watch("postgres", _postgres.IsRunningAsync, _postgres.StartAgainAsync, _report, WriteState));
        _servers.Add(SupervisedServer.Watch("rabbitmq", _rabbit.IsRunningAsync, _rabbit.StartAgainAsync, _report, WriteState));
    }

    public async Task StartServicesAsync(IReadOnlyDictionary<string, int> counts, CancellationToken cancellationToken)
    {
        // All addresses first: the Console is told where everybody answers.
        var instances = ServiceProgram.All
            .SelectMany(p => Enumerable.Range(1, counts.GetValueOrDefault(p.Name, 1)).Select(n => new Instance(p, n == 1 ? p.Name : $"{p.Name}-{n}", new Uri($"http://127.0.0.1:{FreePort.Next()}"))))
            .ToList();
        Console = AddressOf("console");
        Signals = AddressOf("signal");
        Venue = AddressOf(ServiceProgram.Venue);
        var environment = await CommonEnvironmentAsync(instances, cancellationToken);
        foreach (var instance in instances)
        {
            Start(instance, environment);
            // Who comes before the venue answers finds nobody there, and opens its breakers for a minute.
            if (instance.IsVenue)
                await WaitUntilReadyAsync(VenueLimit, cancellationToken);
        }

        Uri AddressOf(string name) => instances.First(i => i.Name == name).Address;
    }

    /// <summary>Returns when every one says that it is ready; whoever cannot be is named.</summary>
    public async Task WaitUntilReadyAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        var began = Stopwatch.GetTimestamp();
        foreach (var (instance, process) in _processes)
        {
            while (await WhyNotReadyAsync(client, instance.Health, cancellationToken) is { } reason)
            {
                if (process.GivenUp is { } given)
                    throw new InvalidOperationException($"{process.Name} cannot run: {given}: {process.LogFile}");
                if (Stopwatch.GetElapsedTime(began) > limit)
                    throw new TimeoutException($"{process.Name} is not ready after {limit.TotalSeconds:0} s: {reason}; its log: {process.LogFile}");
                await Task.Delay(Look, cancellationToken);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        // Those that trade end before the venue and the servers that they need to the last.
        await Task.WhenAll(_processes.Where(p => !p.Instance.IsVenue).Select(p => p.Process.DisposeAsync().AsTask()));
        foreach (var (_, process) in _processes.Where(p => p.Instance.IsVenue))
            await process.DisposeAsync();
        foreach (var server in _servers)
            await server.DisposeAsync();
        if (_rabbit is not null)
            await _rabbit.DisposeAsync();
        if (_postgres is not null)
            await _postgres.DisposeAsync();
        File.Delete(StateFileIn(_folder));
    }

    private async Task<Dictionary<string, string>> CommonEnvironmentAsync(IReadOnlyList<Instance> instances, CancellationToken cancellationToken)
    {
        Store = await EnsureDatabaseAsync("antbot", cancellationToken);
        var host = await _rabbit!.CreateVirtualHostAsync("antbot", cancellationToken);
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["ANTBOT_STORE_FILE"] = Keys.FileWith("store", Store),
            ["ANTBOT_BUS_FILE"] = Keys.FileWith("bus", host.Uri.ToString()),
            ["ANTBOT_VENUE__ADDRESS"] = Venue!.ToString(),
            ["ANTBOT_VENUE__PAPER"] = "true",
            ["ANTBOT_VENUE__KEY_FILE"] = Keys.FileOf("venue-key"),
            ["ANTBOT_VENUE__SECRET_FILE"] = Keys.FileOf("venue-secret"),
            ["ANTBOT_RECORDING__FOLDER"] = Recording,
            ["ANTBOT_SIGNAL__APIKEY_FILE"] = Keys.FileOf("signal-api-key"),
            ["ANTBOT_CONSOLE__TOKEN_FILE"] = Keys.FileOf("console-token"),
        };
        foreach (var service in instances.GroupBy(i => i.Program.Name, StringComparer.Ordinal))
            environment[$"ANTBOT_CONSOLE__SERVICES__{service.Key.ToUpperInvariant()}"] = string.Join(',', service.Select(i => i.Health));
        return environment;
    }

    /// <summary>An exchange has keys of its own, and nothing of the platform's: neither its database nor its bus.</summary>
    private Dictionary<string, string> VenueEnvironment() => new(StringComparer.Ordinal)
    {
        ["ANTBOT_VENUE_API_KEY_FILE"] = Keys.FileOf("venue-key"),
        ["ANTBOT_VENUE_API_SECRET_FILE"] = Keys.FileOf("venue-secret"),
    };

    /// <returns>The address for a user who can add to history and change nothing in it; the tables are their owner's, who does nothing else.</returns>
    private async Task<string> EnsureDatabaseAsync(string name, CancellationToken cancellationToken)
    {
        string owners;
        try
        {
            owners = (await _postgres!.CreateDatabaseAsync(name, cancellationToken)).ConnectionString;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.DuplicateDatabase)
        {
            owners = new NpgsqlConnectionStringBuilder(_postgres!.AdminConnectionString) { Database = name }.ConnectionString;
        }
        await PostgresSchema.EnsureAsync(owners, cancellationToken);
        var password = await File.ReadAllTextAsync(Keys.FileOf("services-password"), cancellationToken);
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(owners) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        // The password is one of ours: hexadecimal digits and nothing else.
        await using var command = new NpgsqlCommand($"""
            do $$ begin
              if not exists (select from pg_roles where rolname = '{ServicesUser}') then create role {ServicesUser}; end if;
            end $$;
            alter role {ServicesUser} login nosuperuser password '{password}';
            grant antbot_writer, antbot_control to {ServicesUser};
            """, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
        return new NpgsqlConnectionStringBuilder(owners) { Username = ServicesUser, Password = password }.ConnectionString;
    }

    private void Start(Instance instance, Dictionary<string, string> environment)
    {
        var dll = instance.Program.FindProgram();
        var process = new SupervisedProcess(instance.Name, () => StartInfo(dll, instance, environment), Path.Combine(Logs, $"{instance.Name}.log"), _report, WriteState);
        lock (_writing)
            _processes.Add((instance, process));
        process.Start();
    }

    private ProcessStartInfo StartInfo(string dll, Instance instance, Dictionary<string, string> environment)
    {
        string[] arguments = instance.IsVenue ? ["--port", $"{instance.Address.Port}", "--data", Path.Combine(_folder, instance.Name), "--practice", "--stop-with-input"] : [];
        var info = new ProcessStartInfo(Environment.ProcessPath is { } self && Path.GetFileNameWithoutExtension(self) == "dotnet" ? self : "dotnet", [dll, .. arguments]);
        foreach (var (key, value) in instance.IsVenue ? VenueEnvironment() : environment)
            info.Environment[key] = value;
        info.Environment["ANTBOT_LISTEN"] = instance.Address.ToString();
        info.Environment["ANTBOT_INSTANCE"] = instance.Name;
        return info;
    }

    /// <summary>Whenever a process has begun or ended: which ones there are, and where.</summary>
    private void WriteState()
    {
        lock (_writing)
        {
            var state = new
            {
                processId = Environment.ProcessId,
                console = Console,
                signals = Signals,
                venue = Venue,
                logs = Logs,
                servers = new { postgres = _postgres?.PostmasterPid, rabbitmq = _rabbit?.BrokerPid },
                processes = _processes.Select(p => new { name = p.Instance.Name, service = p.Instance.Program.Name, processId = p.Process.ProcessId, starts = p.Process.Starts, health = p.Instance.Health }),
            };
            try
            {
                var temporary = StateFileIn(_folder) + ".new";
                File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(state));
                File.Move(temporary, StateFileIn(_folder), overwrite: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // A full disk ends nobody's supervision.
                _report.Write($"! {StateFileIn(_folder)} cannot be written: {e.Message}");
            }
        }
    }

    private static async Task<string?> WhyNotReadyAsync(HttpClient client, Uri health, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await client.GetAsync(health, cancellationToken);
            return answer.IsSuccessStatusCode ? null : await answer.Content.ReadAsStringAsync(cancellationToken);
        }
        catch (Exception e) when (e is HttpRequestException or SocketException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return e.Message;
        }
    }
}
