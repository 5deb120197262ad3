using Antbot.LocalServers.Postgres;
using Antbot.LocalServers.Processes;

namespace Antbot.LocalServers.Docker;

internal sealed class DockerPostgresServer : PostgresServer
{
    private const string Role = "antbot";
    private const int ContainerPort = 5432;
    private const string SmallDiskMount = "/small-disk";
    private readonly DockerContainer _container;
    private readonly PostgresServerOptions _options;

    private DockerPostgresServer(DockerContainer container, int port, string password, PostgresServerOptions options)
        : base(PostgresProbe.ConnectionString(port, Role, password)) => (_container, _options) = (container, options);

    public override bool IsOwned => true;

    public override int PostmasterPid => _container.ProcessId;

    public override string Folder => _container.Folder;

    public override string SmallDiskFolder => _options.SmallDiskMegabytes is null ? "" : $"{SmallDiskMount}/room";

    public static async Task<PostgresServer> RunAsync(DockerEngine engine, PostgresServerOptions options, CancellationToken cancellationToken)
    {
        var folder = await InstanceFolder.OpenAsync("pg", options.DataFolder, cancellationToken);
        try
        {
            var password = Password.OfInstance(folder, await UnprivilegedUser.FindAsync("nobody", cancellationToken));
            var port = options.Port ?? FreePort.Next();
            var container = await DockerContainer.RunAsync(engine, folder, "pg", Plan(options, port, password), cancellationToken);
            var server = new DockerPostgresServer(container, port, password, options);
            return await ReadyAsync(server, cancellationToken);
        }
        catch
        {
            await folder.ReleaseAsync();
            throw;
        }
    }

    public override Task<bool> IsRunningAsync(CancellationToken cancellationToken = default) => _container.IsRunningAsync(cancellationToken);

    public override Task KillAsync(CancellationToken cancellationToken = default) => _container.EndAsync("KILL", cancellationToken);

    public override Task StopImmediateAsync(CancellationToken cancellationToken = default) => _container.EndAsync("QUIT", cancellationToken);

    public override Task StopAsync(CancellationToken cancellationToken = default) => _container.EndAsync("INT", cancellationToken);

    public override async Task StartAgainAsync(CancellationToken cancellationToken = default)
    {
        await _container.StartAgainAsync(cancellationToken);
        await WaitUntilReadyAsync(cancellationToken);
    }

    internal override Task<string> ReadLogAsync(CancellationToken cancellationToken) => _container.ReadLogAsync(cancellationToken);

    public override ValueTask DisposeAsync() => _container.DisposeAsync();

    /// <summary>The settings as arguments of the server.</summary>
    public static IEnumerable<string> Settings(PostgresServerOptions options)
    {
        var settings = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["max_connections"] = $"{options.ConnectionsMax}",
            ["fsync"] = options.Fsync ? "on" : "off",
        };
        foreach (var (name, value) in options.Settings)
            settings[name] = value;
        return settings.SelectMany(setting => new[] { "-c", $"{setting.Key}={setting.Value}" });
    }

    private static DockerContainer.Plan Plan(PostgresServerOptions options, int port, string password) => new(
        DockerImages.Postgres,
        [(port, ContainerPort)],
        new Dictionary<string, string> { ["POSTGRES_USER"] = Role, ["POSTGRES_PASSWORD"] = password, ["POSTGRES_DB"] = "postgres" },
        "/var/lib/postgresql/data",
        ["postgres", .. Settings(options)])
    {
        Options = options.SmallDiskMegabytes is { } megabytes ? ["--tmpfs", $"{SmallDiskMount}:size={megabytes}m,mode=1777"] : [],
    };

    private static async Task<PostgresServer> ReadyAsync(DockerPostgresServer server, CancellationToken cancellationToken)
    {
        try
        {
            await server.WaitUntilReadyAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    private async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        await _container.WaitUntilAsync(token => PostgresProbe.TryAsync(AdminConnectionString, token), _options.StartLimit, cancellationToken);
        if (SmallDiskFolder.Length > 0)
            await _container.ExecuteAsync("postgres", ["mkdir", SmallDiskFolder], cancellationToken);
    }
}
