using System.Security.Cryptography;
using Antbot.LocalServers.Docker;
using Antbot.LocalServers.Rabbit;

namespace Antbot.LocalServers;

/// <summary>A RabbitMQ for tests, benchmarks and development. Dispose ends one that was started here.</summary>
public abstract class RabbitServer : IAsyncDisposable
{
    private protected RabbitServer(Uri adminUri, Uri? managementUri) => (AdminUri, ManagementUri) = (adminUri, managementUri);

    /// <summary>The amqp address of the default virtual host, with a user that may do everything.</summary>
    public Uri AdminUri { get; }

    /// <summary>The management plugin's address, with user and password; null when it is off.</summary>
    public Uri? ManagementUri { get; }

    /// <summary>Started here, so that it can be killed, stopped and started again.</summary>
    public abstract bool IsOwned { get; }

    /// <summary>The process id of the broker; it changes with every start.</summary>
    public virtual int BrokerPid => throw NotOwned(nameof(BrokerPid));

    /// <summary>The instance's own folder; empty when the broker is not owned.</summary>
    public virtual string Folder => "";

    /// <summary>
    /// Takes the first source that there is: the environment, Testcontainers when built with it and an engine answers, local binaries, a Docker engine.
    /// </summary>
    public static async Task<RabbitServer> StartAsync(RabbitServerOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new RabbitServerOptions();
        var given = !options.MustBeOwned && options.DataFolder is null;
        if (given && options.Host.Value(HostView.RabbitVariable) is { } address)
            return await ExternalRabbitServer.OpenAsync(address, options.Host.Value(HostView.RabbitManagementVariable), cancellationToken);
#if TESTCONTAINERS
        // Many can build with it where no engine runs.
        if (given && await DockerEngine.FindAsync(options.Host, cancellationToken) is not null)
            return await Containers.StartRabbitAsync(options, cancellationToken);
#endif
        if (RabbitBinaries.Find(options.Host) is { } binaries)
            return await LocalRabbitServer.RunAsync(binaries, options, cancellationToken);
        if (await DockerEngine.FindAsync(options.Host, cancellationToken) is { } engine)
            return await DockerRabbitServer.RunAsync(engine, options, cancellationToken);
        throw new ServerNotFoundException(RabbitBinaries.Missing);
    }

    /// <summary>A fresh virtual host of a unique name, or of the given one, where the user may do everything.</summary>
    public async Task<RabbitVirtualHost> CreateVirtualHostAsync(string? name = null, CancellationToken cancellationToken = default)
    {
        name ??= $"test-{RandomNumberGenerator.GetHexString(12, lowercase: true)}";
        if (ManagementUri is not null)
            await new ManagementApi(ManagementUri).CreateVirtualHostAsync(name, AmqpUri.UserOf(AdminUri), cancellationToken);
        else
            await AddVirtualHostAsync(name, cancellationToken);
        return new RabbitVirtualHost(name, AmqpUri.WithVirtualHost(AdminUri, name));
    }

    /// <summary>Drops the virtual host with all its queues and connections.</summary>
    public async Task DropVirtualHostAsync(string name, CancellationToken cancellationToken = default)
    {
        if (ManagementUri is not null)
            await new ManagementApi(ManagementUri).DropVirtualHostAsync(name, cancellationToken);
        else
            await RemoveVirtualHostAsync(name, cancellationToken);
    }

    /// <summary>Whether its process is there; one that was killed from outside is not.</summary>
    public virtual Task<bool> IsRunningAsync(CancellationToken cancellationToken = default) => throw NotOwned(nameof(IsRunningAsync));

    /// <summary>SIGKILL of the broker.</summary>
    public virtual Task KillAsync(CancellationToken cancellationToken = default) => throw NotOwned(nameof(KillAsync));

    /// <summary>Lets the broker end in order.</summary>
    public virtual Task StopAsync(CancellationToken cancellationToken = default) => throw NotOwned(nameof(StopAsync));

    /// <summary>Starts the ended broker with the same ports and data; returns when it takes connections.</summary>
    public virtual Task StartAgainAsync(CancellationToken cancellationToken = default) => throw NotOwned(nameof(StartAgainAsync));

    /// <summary>Has <c>rabbitmqctl</c> do something: limits, alarms.</summary>
    public virtual Task ControlAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken = default) => throw NotLocal(nameof(ControlAsync));

    /// <summary>What lies with consumers and is not acknowledged, by queue; null where it cannot be asked for.</summary>
    public virtual Task<IReadOnlyDictionary<string, long>?> ReadUnacknowledgedAsync(string virtualHost, CancellationToken cancellationToken = default) => Task.FromResult<IReadOnlyDictionary<string, long>?>(null);

    /// <summary>Removes everything that an ended broker has kept, as a lost disk would.</summary>
    public virtual Task LoseDataAsync(CancellationToken cancellationToken = default) => throw NotLocal(nameof(LoseDataAsync));

    public abstract ValueTask DisposeAsync();

    /// <summary>What the broker has written to its log.</summary>
    internal virtual Task<string> ReadLogAsync(CancellationToken cancellationToken) => throw NotOwned(nameof(ReadLogAsync));

    /// <summary>How virtual hosts are made without the management plugin, where there is a way.</summary>
    private protected virtual Task AddVirtualHostAsync(string name, CancellationToken cancellationToken) => throw NeedsManagement();

    private protected virtual Task RemoveVirtualHostAsync(string name, CancellationToken cancellationToken) => throw NeedsManagement();

    private static ServerException NeedsManagement() => new(
        $"Virtual hosts of the broker in {HostView.RabbitVariable} are made through its management API: "
        + $"set {HostView.RabbitManagementVariable} too, for example http://user:password@host:15672.");

    private ServerException NotLocal(string operation) => IsOwned ? new ServerException($"{operation} needs a RabbitMQ from local binaries, and this one runs in a container.") : NotOwned(operation);

    private static NotOwnedException NotOwned(string operation) => NotOwnedException.For(operation, nameof(RabbitServerOptions));
}
