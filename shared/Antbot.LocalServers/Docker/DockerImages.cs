namespace Antbot.LocalServers.Docker;

internal static class DockerImages
{
    public const string Postgres = "postgres:17";
    public const string Rabbit = "rabbitmq:4-management";
}
