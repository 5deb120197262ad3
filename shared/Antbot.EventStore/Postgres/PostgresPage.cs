using Antbot.Runtime.Store;
using Npgsql;

namespace Antbot.EventStore.Postgres;

/// <summary>A page of what a query finds, bounded in rows by the query and in bytes here.</summary>
/// <param name="IsLast">Nothing comes after it; a page that was full in either way may have been the last one too.</param>
internal sealed record PostgresPage<T>(List<T> Rows, bool IsLast)
{
    /// <param name="limit">How many rows the query gives at most.</param>
    public static async Task<PostgresPage<T>> ReadAsync(
        NpgsqlCommand command, int limit, Func<NpgsqlDataReader, (T Row, int Bytes)> read, CancellationToken cancellationToken)
    {
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var (rows, bytes) = (new List<T>(), 0L);
        while (await reader.ReadAsync(cancellationToken))
        {
            var (row, size) = read(reader);
            rows.Add(row);
            bytes += size;
            if (bytes < StoreLimits.PageBytesMax)
                continue;
            // Else the server would send all the other rows before the connection is free again.
            command.Cancel();
            return new PostgresPage<T>(rows, IsLast: false);
        }
        return new PostgresPage<T>(rows, rows.Count < limit);
    }
}
