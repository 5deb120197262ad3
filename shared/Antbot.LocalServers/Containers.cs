#if TESTCONTAINERS
using Antbot.LocalServers.Docker;
using Antbot.LocalServers.Postgres;
using Antbot.LocalServers.Rabbit;
using DotNet.Testcontainers.Containers;
using Testcontainers.PostgreSql;
using Testcontainers.RabbitMq;

namespace Antbot.LocalServers;

/// <summary>Servers from Testcontainers, in builds with <c>-p:Testcontainers=true</c>. They can be neither killed nor restarted.</summary>
internal static class Containers
{
    private const int ManagementPort = 15672;

    // Its own default is an hour. The image may have to be fetched first.
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(10);

// The constructor with an image is not in every 4.x version, the one without is marked obsolete in the newest.
#pragma warning disable CS0618
    public static async Task<PostgresServer> StartPostgresAsync(PostgresServerOptions options, CancellationToken cancellationToken)
    {
        // It switches durability off. The last of two settings counts, so ours come behind its own.
        string[] durable = ["-c", "full_page_writes=on", "-c", "synchronous_commit=on"];
        var container = Built(() => new PostgreSqlBuilder()
            .WithImage(DockerImages.Postgres)
            .WithPassword(Password.New())
            .WithCommand([.. durable, .. DockerPostgresServer.Settings(options)])
            .Build());
        await StartAsync(container, cancellationToken);
        return new ExternalPostgresServer(container.GetConnectionString(), container);
    }

    public static async Task<RabbitServer> StartRabbitAsync(RabbitServerOptions options, CancellationToken cancellationToken)
    {
        var user = "antbot";
        var password = Password.New();
        var container = Built(() => new RabbitMqBuilder()
            .WithImage(DockerImages.Rabbit)
            .WithUsername(user)
            .WithPassword(password)
            .WithPortBinding(ManagementPort, assignRandomHostPort: true)
            .WithCommand([.. DockerRabbitServer.Command(options)])
            .Build());
        await StartAsync(container, cancellationToken);
        var management = new Uri($"http://{user}:{password}@{container.Hostname}:{container.GetMappedPublicPort(ManagementPort)}/");
        return new ExternalRabbitServer(new Uri(container.GetConnectionString()), management, container);
    }
#pragma warning restore CS0618

    /// <summary>It looks for an engine by itself, and may find none where the docker program answers.</summary>
    private static TContainer Built<TContainer>(Func<TContainer> build)
    {
        try
        {
            return build();
        }
        catch (Exception failed)
        {
            throw new ServerException($"Testcontainers finds no Docker engine: {failed.Message}", failed);
        }
    }

    private static async Task StartAsync(IContainer container, CancellationToken cancellationToken)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(StartLimit);
        try
        {
            await container.StartAsync(limited.Token);
        }
        catch (Exception failed)
        {
            await container.DisposeAsync();
            cancellationToken.ThrowIfCancellationRequested();
            throw new ServerException($"Testcontainers could not start {container.Image.FullName}: {failed.Message}", failed);
        }
    }
}
#endif
