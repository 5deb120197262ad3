using Antbot.LocalServers.Processes;
using Antbot.LocalServers.Rabbit;

namespace Antbot.LocalServers.Docker;

internal sealed class DockerRabbitServer : RabbitServer
{
    private const string User = "antbot";
    private const int AmqpPort = 5672;
    private const int ContainerManagementPort = 15672;
    // A file of ours would have to be where the engine sees it; lines on the command line go wherever the engine is.
    private const string Start = """printf '%s\n' "$@" >/etc/rabbitmq/conf.d/90-antbot.conf && exec docker-entrypoint.sh rabbitmq-server""";
    private readonly DockerContainer _container;
    private readonly RabbitServerOptions _options;

    private DockerRabbitServer(DockerContainer container, Uri uri, Uri management, RabbitServerOptions options)
        : base(uri, management) => (_container, _options) = (container, options);

    public override bool IsOwned => true;

    public override int BrokerPid => _container.ProcessId;

    public override string Folder => _container.Folder;

    public static async Task<RabbitServer> RunAsync(DockerEngine engine, RabbitServerOptions options, CancellationToken cancellationToken)
    {
        var folder = await InstanceFolder.OpenAsync("mq", options.DataFolder, cancellationToken);
        try
        {
            var password = Password.OfInstance(folder, await UnprivilegedUser.FindAsync("nobody", cancellationToken));
            var port = options.Port ?? FreePort.Next();
            // The image has the plugin, and virtual hosts made through it cost no start of Erlang.
            var management = options.ManagementPort ?? FreePort.Next();
            var container = await DockerContainer.RunAsync(engine, folder, "mq", Plan(options, port, management, password), cancellationToken);
            var server = new DockerRabbitServer(
                container,
                AmqpUri.Create(port, User, password),
                new Uri($"http://{User}:{password}@127.0.0.1:{management}/"),
                options);
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

    public override Task StopAsync(CancellationToken cancellationToken = default) => _container.StopAsync(cancellationToken);

    public override async Task StartAgainAsync(CancellationToken cancellationToken = default)
    {
        await _container.StartAgainAsync(cancellationToken);
        await WaitUntilReadyAsync(cancellationToken);
    }

    internal override Task<string> ReadLogAsync(CancellationToken cancellationToken) => _container.ReadLogAsync(cancellationToken);

    public override ValueTask DisposeAsync() => _container.DisposeAsync();

    /// <summary>What the image runs, so that the broker has its settings.</summary>
    public static IReadOnlyList<string> Command(RabbitServerOptions options) =>
        ["/bin/sh", "-c", Start, "rabbitmq", .. RabbitNode.LimitsAndMore(options)];

    private static DockerContainer.Plan Plan(RabbitServerOptions options, int port, int management, string password) => new(
        DockerImages.Rabbit,
        [(port, AmqpPort), (management, ContainerManagementPort)],
        new Dictionary<string, string> { ["RABBITMQ_DEFAULT_USER"] = User, ["RABBITMQ_DEFAULT_PASS"] = password },
        "/var/lib/rabbitmq",
        Command(options));

    private static async Task<RabbitServer> ReadyAsync(DockerRabbitServer server, CancellationToken cancellationToken)
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
        await _container.WaitUntilAsync(token => RabbitProbe.TryAsync(AdminUri, token), _options.StartLimit, cancellationToken);
        await _container.WaitUntilAsync(new ManagementApi(ManagementUri!).TryAsync, _options.StartLimit, cancellationToken);
    }
}
