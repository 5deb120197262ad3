#if TESTCONTAINERS
using Antbot.LocalServers.Docker;
using Antbot.LocalServers.Postgres;
using Antbot.LocalServers.Rabbit;
using Testcontainers.PostgreSql;
using Testcontainers.RabbitMq;

namespace Antbot.LocalServers;

/// <summary>Servers from Testcontainers, in builds with <c>-p:Testcontainers=true</c>. They can be neither killed nor restarted.</summary>
internal static class Containers
{
    private const int ManagementPort = 15672;

// The constructor with an image is not in every 4.x version, the one without is marked obsolete in the newest.
#pragma warning disable CS0618
    public static async Task<PostgresServer> StartPostgresAsync(CancellationToken cancellationToken)
    {
        var container = new PostgreSqlBuilder().WithImage(DockerImages.Postgres).WithPassword(Password.New()).Build();
        await container.StartAsync(cancellationToken);
        return new ExternalPostgresServer(container.GetConnectionString(), container);
    }

    public static async Task<RabbitServer> StartRabbitAsync(CancellationToken cancellationToken)
    {
        var user = "antbot";
        var password = Password.New();
        var container = new RabbitMqBuilder()
            .WithImage(DockerImages.Rabbit)
            .WithUsername(user)
            .WithPassword(password)
            .WithPortBinding(ManagementPort, assignRandomHostPort: true)
            .Build();
        await container.StartAsync(cancellationToken);
        var management = new Uri($"http://{user}:{password}@{container.Hostname}:{container.GetMappedPublicPort(ManagementPort)}/");
        return new ExternalRabbitServer(new Uri(container.GetConnectionString()), management, container);
    }
#pragma warning restore CS0618
}
#endif
