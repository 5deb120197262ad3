using Npgsql;
using NpgsqlTypes;

namespace Antbot.Chaos.Checking;

/// <summary>The store's rows as plain SQL gives them, in one snapshot.</summary>
internal static class PostgresReader
{
    private const int TimeoutSeconds = 60;

    public static async Task<Store> ReadAsync(string connectionString, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, CommandTimeout = TimeoutSeconds, Timeout = 10 }.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellationToken);
        var id = (Guid)(await Command("select store_id from antbot.identity").ExecuteScalarAsync(cancellationToken))!;
        var events = await RowsAsync(
            "select seq_id, id, stream_id, version, data, bdata, type, timestamp, tenant_id, mt_dotnet_type, correlation_id, causation_id, headers, user_name, is_archived from mt_events order by seq_id",
            r => new EventRow(
                r.GetInt64(0), r.GetGuid(1), r.GetString(2), r.GetInt64(3), Bytes(r, 4)!, Bytes(r, 5), r.GetString(6), Microseconds(r, 7), Text(r, 8), Text(r, 9), Text(r, 10), Text(r, 11), Bytes(r, 12),
                Text(r, 13), r.IsDBNull(14) ? null : r.GetBoolean(14)));
        var ledger = await RowsAsync(
            "select position, seq_id, event_id, correlation_id, prev_hash, hash, is_foreign from antbot.ledger order by position",
            r => new LedgerRow(r.GetInt64(0), r.GetInt64(1), r.GetGuid(2), Text(r, 3), Bytes(r, 4)!, Bytes(r, 5)!, r.GetBoolean(6)));
        var streams = await RowsAsync("select id, version, is_archived from mt_streams", r => new StreamRow(r.GetString(0), r.GetInt64(1), r.IsDBNull(2) ? null : r.GetBoolean(2)));
        return new Store(id, events, ledger, streams);

        NpgsqlCommand Command(string sql) => new(sql, connection, transaction);

        async Task<List<T>> RowsAsync<T>(string sql, Func<NpgsqlDataReader, T> read)
        {
            var rows = new List<T>();
            await using var command = Command(sql);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
                rows.Add(read(reader));
            return rows;
        }
    }

    private static string? Text(NpgsqlDataReader row, int at) => row.IsDBNull(at) ? null : row.GetString(at);

    private static byte[]? Bytes(NpgsqlDataReader row, int at) => row.IsDBNull(at) ? null : row.GetFieldValue<byte[]>(at);

    private static long Microseconds(NpgsqlDataReader row, int at) =>
        row.GetProviderSpecificValue(at) is DateTime time ? (time.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond : throw new FormatException($"{NpgsqlDbType.TimestampTz} was expected.");
}
