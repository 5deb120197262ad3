using Npgsql;

namespace Antbot.LocalServers.Postgres;

/// <summary>A server that somebody else runs: named in the environment, or a container of Testcontainers'.</summary>
internal sealed class ExternalPostgresServer(string connectionString, IAsyncDisposable? container) : PostgresServer(connectionString)
{
    public override bool IsOwned => false;

    public static async Task<PostgresServer> OpenAsync(string connectionString, CancellationToken cancellationToken)
    {
        await DescribeAsync(connectionString, cancellationToken);
        return new ExternalPostgresServer(connectionString, container: null);
    }

    /// <summary>Host and port of the server, once it has answered.</summary>
    public static async Task<string> DescribeAsync(string connectionString, CancellationToken cancellationToken)
    {
        if (await PostgresProbe.TryAsync(connectionString, cancellationToken) is { } noAnswer)
        {
            throw new ServerException(
                $"{HostView.PostgresVariable} is set, but its server does not answer: {noAnswer.Message} Start it, correct the variable, or unset it to use a private one.",
                noAnswer);
        }

        var parts = new NpgsqlConnectionStringBuilder(connectionString);
        return $"{parts.Host}:{parts.Port}";
    }

    public override ValueTask DisposeAsync() => container?.DisposeAsync() ?? ValueTask.CompletedTask;
}
