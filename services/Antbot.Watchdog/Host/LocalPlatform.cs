using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Antbot.Hosting;
using Antbot.LocalServers;
using Npgsql;

namespace Antbot.Watchdog;

/// <summary>Every service as a process of its own, over a private PostgreSQL and a private RabbitMQ.</summary>
public sealed class LocalPlatform : IAsyncDisposable
{
    private static readonly TimeSpan VenueLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    private readonly List<(SupervisedProcess Process, Uri Health)> _processes = [];
    private readonly string _folder;
    private readonly TextWriter _report;
    private PostgresServer? _postgres;
    private RabbitServer? _rabbit;

    public LocalPlatform(string folder, TextWriter report)
    {
        _folder = Path.GetFullPath(folder);
        _report = report;
        Directory.CreateDirectory(Logs);
        Keys = new KeyFolder(Path.Combine(_folder, "keys"));
    }

    public KeyFolder Keys { get; }

    public string Logs => Path.Combine(_folder, "logs");

    public Uri? Console { get; private set; }

    public Uri? Signals { get; private set; }

    public Uri? Venue { get; private set; }

    public IReadOnlyList<SupervisedProcess> Processes => [.. _processes.Select(p => p.Process)];

    public async Task StartServersAsync(CancellationToken cancellationToken)
    {
        var postgres = PostgresServer.StartAsync(new PostgresServerOptions { MustBeOwned = true, DataFolder = Path.Combine(_folder, "postgres") }, cancellationToken);
        var rabbit = RabbitServer.StartAsync(new RabbitServerOptions { MustBeOwned = true, DataFolder = Path.Combine(_folder, "rabbitmq") }, cancellationToken);
        // Each is kept even where the other fails: it has to be ended then.
        _postgres = await postgres;
        _rabbit = await rabbit;
    }

    public async Task StartServicesAsync(IReadOnlyDictionary<string, int> instances, CancellationToken cancellationToken)
    {
        var environment = await CommonEnvironmentAsync(cancellationToken);
        foreach (var program in ServiceProgram.All)
        {
            for (var i = 1; i <= instances.GetValueOrDefault(program.Name, 1); i++)
                Start(program, i, environment);
            // Who comes before the venue answers finds nobody there, and opens its breakers for a minute.
            if (program.Name == ServiceProgram.Venue)
                await WaitUntilReadyAsync(VenueLimit, cancellationToken);
        }
    }

    /// <summary>Returns when every one says that it is ready; whoever cannot be is named.</summary>
    public async Task WaitUntilReadyAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        var began = Stopwatch.GetTimestamp();
        foreach (var (process, health) in _processes)
        {
            while (await WhyNotReadyAsync(client, health, cancellationToken) is { } reason)
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
        var trading = _processes.Where(p => p.Process.Name != ServiceProgram.Venue).Select(p => p.Process.DisposeAsync().AsTask());
        await Task.WhenAll(trading);
        foreach (var (process, _) in _processes.Where(p => p.Process.Name == ServiceProgram.Venue))
            await process.DisposeAsync();
        if (_rabbit is not null)
            await _rabbit.DisposeAsync();
        if (_postgres is not null)
            await _postgres.DisposeAsync();
    }

    private async Task<Dictionary<string, string>> CommonEnvironmentAsync(CancellationToken cancellationToken)
    {
        var database = await EnsureDatabaseAsync("antbot", cancellationToken);
        var host = await _rabbit!.CreateVirtualHostAsync("antbot", cancellationToken);
        Venue = new Uri($"http://127.0.0.1:{FreePort()}");
        return new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["ANTBOT_STORE"] = database,
            ["ANTBOT_BUS"] = host.Uri.ToString(),
            ["ANTBOT_VENUE__ADDRESS"] = Venue.ToString(),
            ["ANTBOT_VENUE__PAPER"] = "true",
            ["ANTBOT_VENUE__KEY_FILE"] = Keys.FileOf("venue-key"),
            ["ANTBOT_VENUE__SECRET_FILE"] = Keys.FileOf("venue-secret"),
            ["ANTBOT_VENUE_API_KEY_FILE"] = Keys.FileOf("venue-key"),
            ["ANTBOT_VENUE_API_SECRET_FILE"] = Keys.FileOf("venue-secret"),
            ["ANTBOT_SIGNAL__APIKEY_FILE"] = Keys.FileOf("signal-api-key"),
            ["ANTBOT_CONSOLE__TOKEN_FILE"] = Keys.FileOf("console-token"),
        };
    }

    private async Task<string> EnsureDatabaseAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            return (await _postgres!.CreateDatabaseAsync(name, cancellationToken)).ConnectionString;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.DuplicateDatabase)
        {
            return new NpgsqlConnectionStringBuilder(_postgres!.AdminConnectionString) { Database = name }.ConnectionString;
        }
    }

    private void Start(ServiceProgram program, int number, Dictionary<string, string> environment)
    {
        var name = number == 1 ? program.Name : $"{program.Name}-{number}";
        var address = program.Name == ServiceProgram.Venue ? Venue! : new Uri($"http://127.0.0.1:{FreePort()}");
        var dll = program.FindProgram();
        var process = new SupervisedProcess(name, () => StartInfo(dll, name, address, environment), Path.Combine(Logs, $"{name}.log"), _report);
        if (program.Name == "console")
            Console ??= address;
        if (program.Name == "signal")
            Signals ??= address;
        _processes.Add((process, new Uri(address, program.Name == ServiceProgram.Venue ? "/api/v3/ping" : "/readyz")));
        process.Start();
    }

    private ProcessStartInfo StartInfo(string dll, string name, Uri address, Dictionary<string, string> environment)
    {
        string[] arguments = name == ServiceProgram.Venue ? ["--port", $"{address.Port}", "--data", Path.Combine(_folder, name), "--practice"] : [];
        var info = new ProcessStartInfo(Environment.ProcessPath is { } self && Path.GetFileNameWithoutExtension(self) == "dotnet" ? self : "dotnet", [dll, .. arguments]);
        foreach (var (key, value) in environment)
            info.Environment[key] = value;
        info.Environment["ANTBOT_LISTEN"] = address.ToString();
        info.Environment["ANTBOT_INSTANCE"] = name;
        return info;
    }

    private static async Task<string?> WhyNotReadyAsync(HttpClient client, Uri health, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await client.GetAsync(health, cancellationToken);
            return answer.IsSuccessStatusCode ? null : await answer.Content.ReadAsStringAsync(cancellationToken);
        }
        catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return e.Message;
        }
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
