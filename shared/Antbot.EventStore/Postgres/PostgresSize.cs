using Antbot.Runtime.Store;
using Npgsql;

namespace Antbot.EventStore.Postgres;

public sealed class PostgresSize(string connectionString) : IStoreSize
{
    public async Task<StoreSize> ReadAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            await using var connection = new NpgsqlConnection(connectionString);
            await connection.OpenAsync(cancellationToken);
            await using var command = new NpgsqlCommand("select pg_database_size(current_database())", connection);
            return new StoreSize((long)(await command.ExecuteScalarAsync(cancellationToken))!, null);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            throw PostgresFaults.Translate(e, "reading the database's size");
        }
    }
}
