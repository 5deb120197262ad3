using System.Net.Sockets;
using Npgsql;

namespace Antbot.LocalServers.Postgres;

internal static class PostgresProbe
{
    private const int TryLimitSeconds = 5;

    public static string ConnectionString(int port, string user, string password) => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = port,
        Username = user,
        Password = password,
        Database = "postgres",
        Pooling = false,
        IncludeErrorDetail = true,
    }.ConnectionString;

    /// <summary>Null when the server answers a query, else why not.</summary>
    public static async Task<Exception?> TryAsync(string connectionString, CancellationToken cancellationToken)
    {
        try
        {
            var limited = new NpgsqlConnectionStringBuilder(connectionString) { Timeout = TryLimitSeconds, CommandTimeout = TryLimitSeconds, Pooling = false };
            await using var connection = new NpgsqlConnection(limited.ConnectionString);
            await connection.OpenAsync(cancellationToken);
            await using var command = new NpgsqlCommand("SELECT 1", connection);
            await command.ExecuteScalarAsync(cancellationToken);
            return null;
        }
        catch (Exception noAnswer) when (noAnswer is NpgsqlException or SocketException or TimeoutException or ArgumentException)
        {
            return noAnswer;
        }
    }
}
