using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using Antbot.Chaos.Checking;
using Antbot.Chaos.Links;
using Antbot.LocalServers;
using Npgsql;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Antbot.Chaos.Running;

/// <param name="Instances">More than one of a service.</param>
/// <param name="SmallDiskMegabytes">The database's tables lie on a disk of this size, where it is not null; or its log.</param>
/// <param name="LogOnSmallDisk">Its write-ahead log and not its tables.</param>
/// <param name="SignalLifeSeconds">After which a signal that was not entered yet is not entered any more.</param>
/// <param name="Previous">Where the second instance of each service comes from, where it is another build.</param>
internal sealed record Layout(IReadOnlyDictionary<string, int> Instances, int? SmallDiskMegabytes = null, bool LogOnSmallDisk = false, int SignalLifeSeconds = 300, Programs? Previous = null)
{
    public static Layout Plain { get; } = new(new Dictionary<string, int>(StringComparer.Ordinal));

    public static Layout Twice(params string[] services) => new(services.ToDictionary(s => s, _ => 2, StringComparer.Ordinal));
}

/// <summary>Every service as a process of its own over a private PostgreSQL, a private RabbitMQ and the paper venue, and a link of ours between every pair.</summary>
internal sealed class ServicesTarget : Target
{
    private const string Database = "antbot";
    private const string VirtualHost = "antbot";
    private const double OpenBreaker = 2;

    /// <summary>The routes that an entry goes over: these breakers keep entries back for a minute.</summary>
    private static readonly string[] Entering = ["entry", "account", "market", "rules"];

    private static readonly string[] Endpoints = ["coordinator", "validation", "risk", "execution", "reconciliation"];

    /// <summary>So that a trade takes seconds, and nothing is refused for its number or its age.</summary>
    private static readonly (string Name, string Value)[] Settings =
    [
        ("PROFILE", "load"), ("SIGNAL__STRATEGIES", ""), ("VALIDATION__MAXAGESECONDS", "600"), ("VALIDATION__DUPLICATEWINDOWSECONDS", "0"),
        ("RISK__MAXEXPOSURE", "100000"), ("RISK__MAXTRADES", "50000"), ("RISK__STARTINGEQUITY", "1000000000"), ("RISK__DAILYLOSSPERCENT", "20"), ("EXECUTION__HOLDINGSECONDSMAX", "3"), ("LOGLEVEL", "Warning"),
    ];

    /// <summary>What fits on its disk as long as nobody else writes there.</summary>
    private static readonly IReadOnlyDictionary<string, string> SmallLog = new Dictionary<string, string>(StringComparer.Ordinal) { ["min_wal_size"] = "32MB", ["max_wal_size"] = "48MB" };

    private static readonly IReadOnlyDictionary<string, string> PlainLog = new Dictionary<string, string>(StringComparer.Ordinal);

    private readonly List<Daemon> _daemons = [];
    private readonly List<Link> _links = [];
    private readonly Dictionary<string, Uri> _addresses = new(StringComparer.Ordinal);
    private readonly Layout _layout;
    private readonly Programs _programs;
    private string _data = "";
    private PostgresServer? _postgres;
    private RabbitServer? _rabbit;
    private Uri? _broker;

    private ServicesTarget(string folder, Programs programs, Layout layout)
        : base(folder) => (_programs, _layout) = (programs, layout);

    public override IReadOnlyList<Daemon> Daemons => _daemons;

    public IReadOnlyList<Link> Links => _links;

    public override IReadOnlyList<Uri> Signals => [.. _addresses.Where(a => a.Key.StartsWith("signal", StringComparison.Ordinal)).Select(a => a.Value)];

    public override string SignalKey { get; } = Secret();

    public PostgresServer Postgres => _postgres!;

    public RabbitServer Rabbit => _rabbit!;

    public string StoreAddress { get; private set; } = "";

    /// <summary>Not over a link: for whoever is none of ours.</summary>
    public Uri VenueAddress => _addresses["venue"];

    /// <summary>The account's, which whoever owns it may use himself.</summary>
    public (string Key, string Secret) VenueKey { get; } = (Secret(), Secret());

    protected override string VenueFolder => Path.Combine(Folder, "venue");

    public static async Task<ServicesTarget> StartAsync(string folder, Programs programs, Layout layout, Action<string> say, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var target = new ServicesTarget(folder, programs, layout);
        try
        {
            say("starting PostgreSQL, RabbitMQ and the services");
            await target.StartServersAsync(cancellationToken);
            await target.StartServicesAsync(cancellationToken);
            return target;
        }
        catch
        {
            await target.DisposeAsync();
            throw;
        }
    }

    public IEnumerable<Link> LinksTo(string server, string? from = null) => _links.Where(l => l.To == server && (from is null || l.From == from));

    public Uri AddressOf(string process) => _addresses[process];

    /// <summary>By how many seconds a process's clock goes wrong from now on.</summary>
    public async Task SetClockAsync(string process, double seconds, CancellationToken cancellationToken)
    {
        var file = ClockOf(process);
        await File.WriteAllTextAsync(file + ".new", seconds.ToString(CultureInfo.InvariantCulture), cancellationToken);
        File.Move(file + ".new", file, overwrite: true);
    }

    /// <summary>The broker's data is gone: what a person would do who starts an empty one. Queues are the services' own affair.</summary>
    public Task MakeVirtualHostAsync(CancellationToken cancellationToken) => _rabbit!.CreateVirtualHostAsync(VirtualHost, cancellationToken);

    /// <summary>Returns when the broker has all of them.</summary>
    public async Task PublishAsync(string queue, IEnumerable<(string Id, byte[] Body)> messages, CancellationToken cancellationToken)
    {
        await using var connection = await new ConnectionFactory { Uri = _broker!, AutomaticRecoveryEnabled = false }.CreateConnectionAsync(cancellationToken);
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), cancellationToken);
        await Parallel.ForEachAsync(messages, new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = cancellationToken }, async (message, token) =>
            await channel.BasicPublishAsync("", queue, mandatory: true, new BasicProperties { Persistent = true, MessageId = message.Id, ContentType = "application/vnd.masstransit+json" }, message.Body, token));
    }

    public override Task<Store> ReadStoreAsync(CancellationToken cancellationToken) => PostgresReader.ReadAsync(StoreAddress, cancellationToken);

    public override async Task<IReadOnlyList<QueueDepth>> ReadQueuesAsync(CancellationToken cancellationToken)
    {
        await using var connection = await new ConnectionFactory { Uri = _broker!, AutomaticRecoveryEnabled = false }.CreateConnectionAsync(cancellationToken);
        var depths = new List<QueueDepth>();
        foreach (var queue in Endpoints.SelectMany(e => new[] { $"antbot-{e}", $"antbot-{e}_error", $"antbot-{e}_skipped" }).Append("antbot-coordinator-intake").Append("antbot-dead"))
        {
            await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
            try
            {
                depths.Add(new QueueDepth(queue, await channel.MessageCountAsync(queue, cancellationToken)));
            }
            catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == 404)
            {
                depths.Add(new QueueDepth(queue, Waiting: null));
            }
        }
        return depths;
    }

    public override async Task<IReadOnlyList<QueueDepth>> AddUnacknowledgedAsync(IReadOnlyList<QueueDepth> queues, CancellationToken cancellationToken) =>
        await _rabbit!.ReadUnacknowledgedAsync(VirtualHost, cancellationToken) is { } held ? [.. queues.Select(q => q with { Waiting = q.Waiting + held.GetValueOrDefault(q.Name) })] : queues;

    public override async Task<string?> WhyNotReadyAsync(CancellationToken cancellationToken)
    {
        foreach (var (name, address) in _addresses)
        {
            if (await WhyNotReadyAsync(name, cancellationToken) is { } reason)
                return reason;
        }
        return null;
    }

    public Task<string?> WhyNotReadyAsync(string process, CancellationToken cancellationToken) =>
        WhyNotReadyAsync(process, new Uri(_addresses[process], process == "venue" ? "api/v3/ping" : "readyz"), cancellationToken);

    public override async Task<bool> HasOpenBreakerAsync(CancellationToken cancellationToken)
    {
        foreach (var name in _addresses.Keys.Where(n => n.StartsWith("execution", StringComparison.Ordinal)))
        {
            foreach (var route in Entering)
            {
                if (await TryGaugeAsync(name, "antbot_breaker_state", cancellationToken, $"/{route}\"") is OpenBreaker)
                    return true;
            }
        }
        return false;
    }

    public Task<double?> GaugeAsync(string process, string metric, CancellationToken cancellationToken, string label = "") => GaugeAsync(_addresses[process], metric, label, cancellationToken);

    /// <summary>Null too where the process does not answer.</summary>
    public async Task<double?> TryGaugeAsync(string process, string metric, CancellationToken cancellationToken, string label = "")
    {
        try
        {
            return await GaugeAsync(process, metric, cancellationToken, label);
        }
        catch (Exception e) when (e is HttpRequestException or SocketException)
        {
            return null;
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        foreach (var link in _links)
            await link.DisposeAsync();
        if (_rabbit is not null)
            await _rabbit.DisposeAsync();
        if (_postgres is not null)
            await _postgres.DisposeAsync();
    }

    private static string Secret() => RandomNumberGenerator.GetHexString(64, lowercase: true);

    private async Task StartServersAsync(CancellationToken cancellationToken)
    {
        var postgres = PostgresServer.StartAsync(new PostgresServerOptions { MustBeOwned = true, ConnectionsMax = 400, SmallDiskMegabytes = _layout.SmallDiskMegabytes, Settings = _layout.LogOnSmallDisk ? SmallLog : PlainLog }, cancellationToken);
        var rabbit = RabbitServer.StartAsync(new RabbitServerOptions { MustBeOwned = true }, cancellationToken);
        // Each is kept even where the other fails: it has to be ended then.
        _postgres = await postgres;
        _rabbit = await rabbit;
        if (_layout.LogOnSmallDisk)
            await MoveLogAsync(cancellationToken);
        if (_layout.SmallDiskMegabytes is null || _layout.LogOnSmallDisk)
        {
            StoreAddress = (await _postgres.CreateDatabaseAsync(Database, cancellationToken)).ConnectionString;
        }
        else
        {
            await SqlAsync(_postgres.AdminConnectionString, $"create tablespace small location '{_postgres.SmallDiskFolder}'", cancellationToken);
            await SqlAsync(_postgres.AdminConnectionString, $"create database {Database} tablespace small", cancellationToken);
            StoreAddress = new NpgsqlConnectionStringBuilder(_postgres.AdminConnectionString) { Database = Database }.ConnectionString;
        }
        _broker = (await _rabbit.CreateVirtualHostAsync(VirtualHost, cancellationToken)).Uri;
    }

    /// <summary>As whoever gives the log a disk of its own does it: the log is moved, and a link is left where it was.</summary>
    private async Task MoveLogAsync(CancellationToken cancellationToken)
    {
        await using (var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(Postgres.AdminConnectionString) { Pooling = false }.ConnectionString))
        {
            await connection.OpenAsync(cancellationToken);
            await using var command = new NpgsqlCommand("show data_directory", connection);
            _data = (string)(await command.ExecuteScalarAsync(cancellationToken))!;
        }
        await Postgres.StopAsync(cancellationToken);
        await OnSmallDiskAsync("""mv "$1/pg_wal" "$2/pg_wal" && ln -s "$2/pg_wal" "$1/pg_wal" """, cancellationToken);
        await Postgres.StartAgainAsync(cancellationToken);
    }

    /// <summary>Does it as the user whom the database runs as, for nobody else can write there: $1 is its data folder, $2 the small disk.</summary>
    public async Task<string> OnSmallDiskAsync(string script, CancellationToken cancellationToken)
    {
        const string AsItsOwner = """user=$(stat -c %u "$1") group=$(stat -c %g "$1"); [ "$(id -u)" = "$user" ] || set -- "$@" setpriv "--reuid=$user" "--regid=$group" --clear-groups; data=$1 disk=$2 script=$3; shift 3; exec "$@" /bin/sh -c "$script" disk "$data" "$disk" """;
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", AsItsOwner, "disk", _data, Postgres.SmallDiskFolder, script]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(cancellationToken), process.StandardError.ReadToEndAsync(cancellationToken));
        await process.WaitForExitAsync(cancellationToken);
        return process.ExitCode == 0 ? await output : throw new ChaosException($"The small disk could not be used: {await error}");
    }

    public static async Task SqlAsync(string address, string sql, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(address) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 60 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task StartServicesAsync(CancellationToken cancellationToken)
    {
        var (venueKey, venueSecret) = VenueKey;
        _addresses["venue"] = Listen();
        Add("venue", () => new ProcessStartInfo("dotnet", [_programs.Find("venue"), "--port", $"{_addresses["venue"].Port}", "--data", VenueFolder, "--practice", "--stop-with-input"])
        {
            Environment = { ["ANTBOT_VENUE_API_KEY"] = venueKey, ["ANTBOT_VENUE_API_SECRET"] = venueSecret },
        });
        // Who comes before the venue answers finds nobody there, and opens its breakers for a minute.
        await ReadyAsync(TimeSpan.FromSeconds(60), cancellationToken);
        var store = new NpgsqlConnectionStringBuilder(StoreAddress);
        foreach (var service in Programs.Services)
        {
            for (var n = 1; n <= _layout.Instances.GetValueOrDefault(service, 1); n++)
            {
                var name = n == 1 ? service : $"{service}-{n}";
                var (postgres, rabbit, venue) = (Linked(name, "postgres", store.Port), Linked(name, "rabbitmq", _broker!.Port), Linked(name, "venue", _addresses["venue"].Port));
                var address = _addresses[name] = Listen();
                var environment = new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    ["ANTBOT_STORE"] = new NpgsqlConnectionStringBuilder(StoreAddress) { Host = "127.0.0.1", Port = postgres.Port }.ConnectionString,
                    ["ANTBOT_BUS"] = new UriBuilder(_broker) { Host = "127.0.0.1", Port = rabbit.Port }.Uri.ToString(),
                    ["ANTBOT_VENUE__ADDRESS"] = $"http://127.0.0.1:{venue.Port}",
                    ["ANTBOT_VENUE__PAPER"] = "true",
                    ["ANTBOT_VENUE__KEY"] = venueKey,
                    ["ANTBOT_VENUE__SECRET"] = venueSecret,
                    ["ANTBOT_SIGNAL__APIKEY"] = SignalKey,
                    ["ANTBOT_CONSOLE__TOKEN"] = SignalKey,
                    ["ANTBOT_LISTEN"] = address.ToString(),
                    ["ANTBOT_INSTANCE"] = name,
                    ["ANTBOT_SIGNAL__LIFESECONDS"] = _layout.SignalLifeSeconds.ToString(CultureInfo.InvariantCulture),
                    ["ANTBOT_TESTING"] = "true",
                    ["ANTBOT_CLOCK_FROM"] = ClockOf(name),
                };
                foreach (var (key, value) in Settings)
                    environment[$"ANTBOT_{key}"] = value;
                var programs = n > 1 && _layout.Previous is { } previous ? previous : _programs;
                Add(name, () =>
                {
                    var info = new ProcessStartInfo("dotnet", [programs.Find(service)]);
                    foreach (var (key, value) in environment)
                        info.Environment[key] = value;
                    return info;
                });
            }
        }
        await ReadyAsync(TimeSpan.FromSeconds(180), cancellationToken);
    }

    private string ClockOf(string process) => Path.Combine(Folder, $"clock-{process}");

    private void Add(string name, Func<ProcessStartInfo> start)
    {
        var daemon = new Daemon(name, () => Clean(start()), Path.Combine(Logs, $"{name}.log"));
        _daemons.Add(daemon);
        daemon.Start();
    }

    /// <summary>Only what was said here: whoever starts us may have settings of its own.</summary>
    private static ProcessStartInfo Clean(ProcessStartInfo info)
    {
        foreach (var name in Environment.GetEnvironmentVariables().Keys.Cast<string>().Where(k => k.StartsWith("ANTBOT_", StringComparison.Ordinal)))
        {
            if (info.Environment.TryGetValue(name, out var value) && value == Environment.GetEnvironmentVariable(name))
                info.Environment.Remove(name);
        }
        return info;
    }

    private Link Linked(string from, string to, int port)
    {
        var link = new Link(from, to, port);
        _links.Add(link);
        return link;
    }

    private static Uri Listen() => new($"http://127.0.0.1:{FreePort.Next()}");
}
