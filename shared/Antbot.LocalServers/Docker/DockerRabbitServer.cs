using Antbot.LocalServers.Processes;
using Antbot.LocalServers.Rabbit;

namespace Antbot.LocalServers.Docker;

internal sealed class DockerRabbitServer : RabbitServer
{
    private const string User = "antbot";
    private const int AmqpPort = 5672;
    private const int ContainerManagementPort = 15672;
    private readonly DockerContainer _container;
    private readonly TimeSpan _startLimit;

    private DockerRabbitServer(DockerContainer container, Uri uri, Uri? management, TimeSpan startLimit)
        : base(uri, management) => (_container, _startLimit) = (container, startLimit);

    public override bool IsOwned => true;

    public override int BrokerPid => throw new NotOwnedException("The broker runs in a container; it has no process id here.");

    public override string Folder => _container.Folder;

    public static async Task<RabbitServer> RunAsync(DockerEngine engine, RabbitServerOptions options, CancellationToken cancellationToken)
    {
        var folder = await InstanceFolder.OpenAsync("mq", options.DataFolder, cancellationToken);
        try
        {
            var password = Password.OfInstance(folder, await UnprivilegedUser.FindAsync("nobody", cancellationToken));
            var port = options.Port ?? FreePort.Next();
            int? management = options.Management ? options.ManagementPort ?? FreePort.Next() : null;
            var container = await DockerContainer.RunAsync(engine, folder, "mq", Plan(port, management, password), cancellationToken);
            var server = new DockerRabbitServer(
                container,
                AmqpUri.Create(port, User, password),
                management is null ? null : new Uri($"http://{User}:{password}@127.0.0.1:{management}/"),
                options.StartLimit);
            return await ReadyAsync(server, cancellationToken);
        }
        catch
        {
            await folder.ReleaseAsync();
            throw;
        }
    }

    public override Task KillAsync(CancellationToken cancellationToken = default) => _container.KillAsync(cancellationToken);

    public override Task StopAsync(CancellationToken cancellationToken = default) => _container.StopAsync(cancellationToken);

    public override async Task StartAgainAsync(CancellationToken cancellationToken = default)
    {
        await _container.StartAgainAsync(cancellationToken);
        await WaitUntilReadyAsync(cancellationToken);
    }

    public override ValueTask DisposeAsync() => _container.DisposeAsync();

    private protected override Task AddVirtualHostAsync(string name, CancellationToken cancellationToken) =>
        _container.ExecuteAsync(["rabbitmqctl", "import_definitions"], RabbitDefinitions.VirtualHost(name, User), cancellationToken);

    private protected override Task RemoveVirtualHostAsync(string name, CancellationToken cancellationToken) =>
        _container.ExecuteAsync(["rabbitmqctl", "delete_vhost", name], input: null, cancellationToken);

    private static DockerContainer.Plan Plan(int port, int? management, string password)
    {
        var ports = new List<(int, int)> { (port, AmqpPort) };
        if (management is not null)
            ports.Add((management.Value, ContainerManagementPort));
        return new DockerContainer.Plan(
            management is null ? DockerImages.Rabbit : DockerImages.RabbitWithManagement,
            ports,
            new Dictionary<string, string> { ["RABBITMQ_DEFAULT_USER"] = User, ["RABBITMQ_DEFAULT_PASS"] = password },
            "/var/lib/rabbitmq",
            []);
    }

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

    private Task WaitUntilReadyAsync(CancellationToken cancellationToken) =>
        _container.WaitUntilAsync(token => RabbitProbe.TryAsync(AdminUri, token), _startLimit, cancellationToken);
}
