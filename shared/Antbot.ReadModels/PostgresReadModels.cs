using Antbot.EventStore.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Antbot.ReadModels;

/// <summary>Read models in the tables of the schema <c>antbot</c>, beside the events.</summary>
public sealed class PostgresReadModels : IReadModels
{
    private const int SearchFrom = 9;

    /// <summary>Another build has put something into these rows since they were cleared: they stand for nothing.</summary>
    private const string OthersAreIn = "exists (select 1 from public.mt_event_progression o where starts_with(o.name, 'views-') and o.name <> $1 and o.last_seq_id > 0)";

    private readonly NpgsqlDataSource _source;

    public PostgresReadModels(string connectionString)
    {
        var text = new NpgsqlConnectionStringBuilder(connectionString)
        {
            Pooling = true,
            MinPoolSize = 0,
            MaxPoolSize = 5,
            Timeout = 3,
            CommandTimeout = 15,
            Enlist = false,
            MaxAutoPrepare = 40,
            AutoPrepareMinUsages = 2,
            ApplicationName = "antbot read models",
        };
        text.Options = $"{text.Options} -c timezone=UTC -c statement_timeout=10000 -c lock_timeout=2000 -c idle_in_transaction_session_timeout=5000 -c jit=off".Trim();
        _source = NpgsqlDataSource.Create(text);
    }

    public Task<long> ReadPositionAsync(CancellationToken cancellationToken = default) => RunAsync("reading where the read models stand", async connection =>
    {
        await using var command = new NpgsqlCommand($"select last_seq_id from public.mt_event_progression where name = $1 and not {OthersAreIn}", connection) { Parameters = { new() { Value = ViewFold.Name } } };
        return await command.ExecuteScalarAsync(cancellationToken) is long position ? position : 0;
    }, cancellationToken);

    public Task<IReadOnlyDictionary<RowKey, ViewRow>> FindAsync(IReadOnlyCollection<RowKey> keys, CancellationToken cancellationToken = default) => RunAsync("reading read models", async connection =>
    {
        var found = new Dictionary<RowKey, ViewRow>();
        foreach (var group in keys.GroupBy(k => k.Table))
        {
            await using var command = new NpgsqlCommand($"select {ViewTables.ColumnsOf(group.Key)} from antbot.{ViewTables.NameOf(group.Key)} where id = any($1)", connection) { Parameters = { new() { Value = group.Select(k => k.Id).ToArray() } } };
            foreach (var row in await ReadAsync(command, group.Key, cancellationToken))
                found[row.Key] = row;
        }
        return (IReadOnlyDictionary<RowKey, ViewRow>)found;
    }, cancellationToken);

    public Task<bool> ApplyAsync(long from, long to, IReadOnlyCollection<ViewRow> rows, CancellationToken cancellationToken = default) => RunAsync("writing read models", async connection =>
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (!await MoveAsync(connection, from, to, cancellationToken))
            return false;
        foreach (var group in rows.GroupBy(r => r.Table))
            await WriteAsync(connection, group.Key, [.. group], cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }, cancellationToken);

    public Task ClearAsync(CancellationToken cancellationToken = default) => RunAsync("clearing read models", async connection =>
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        // First, as whoever applies does: whoever comes second then finds that they stand elsewhere.
        await ExecuteAsync(connection, "insert into public.mt_event_progression (name, last_seq_id, last_updated) values ($1, 0, now()) on conflict (name) do update set last_seq_id = 0, last_updated = now()", cancellationToken, ViewFold.Name);
        // A build that is still at work on them would go on with rows that are not there.
        await ExecuteAsync(connection, "update public.mt_event_progression set last_seq_id = 0, last_updated = now() where starts_with(name, 'views-') and name <> $1 and last_seq_id > 0", cancellationToken, ViewFold.Name);
        foreach (var table in ViewTables.All)
            await ExecuteAsync(connection, $"delete from antbot.{ViewTables.NameOf(table)}", cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }, cancellationToken);

    public Task<IReadOnlyList<ViewRow>> ListAsync(ViewTable table, ViewQuery query, CancellationToken cancellationToken = default) => RunAsync("listing read models", async connection =>
    {
        ViewTables.Checked(table, query);
        var name = ViewTables.NameOf(table);
        await using var command = new NpgsqlCommand { Connection = connection };
        var where = new List<string>();
        int Add(object value)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
            return command.Parameters.Count;
        }
        if (query.States.Count > 0)
            where.Add($"state = any(${Add(query.States.ToArray())})");
        if (query.Symbol is { } symbol)
            where.Add($"symbol = ${Add(symbol)}");
        if (query.Account is { } account)
            where.Add($"account = ${Add(account)}");
        if (query.Trade is { } trade)
            where.Add($"trade = ${Add(trade)}");
        foreach (var (column, value) in query.Search)
            where.Add($"{column} = ${Add(value)}");
        if (query.IdPrefix is { } prefix)
            where.Add($"""id collate "C" >= ${Add(prefix)} and id collate "C" < ${Add(ViewTables.PrefixEnd(prefix))}""");
        if (query.Since is { } since)
            where.Add($"at >= ${Add(since.UtcDateTime)}");
        if (query.Until is { } until)
            where.Add($"at <= ${Add(until.UtcDateTime)}");
        if (query.ChangedSince is { } changed)
            where.Add($"changed_at >= ${Add(changed.UtcDateTime)}");
        if (query.After is { } after)
            where.Add($"(at, id) {(query.OldestFirst ? '>' : '<')} (select at, id from antbot.{name} where id = ${Add(after)})");
        command.CommandText = $"select {ViewTables.ColumnsOf(table)} from antbot.{name} {(where.Count > 0 ? $"where {string.Join(" and ", where)}" : "")} order by {(query.OldestFirst ? "at, id" : "at desc, id desc")} limit ${Add(query.Limit)}";
        return (IReadOnlyList<ViewRow>)await ReadAsync(command, table, cancellationToken);
    }, cancellationToken);

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private static async Task<bool> MoveAsync(NpgsqlConnection connection, long from, long to, CancellationToken cancellationToken)
    {
        const string Move = $"update public.mt_event_progression set last_seq_id = $3, last_updated = now() where name = $1 and last_seq_id = $2 and not {OthersAreIn}";
        const string Begin = $"insert into public.mt_event_progression (name, last_seq_id, last_updated) select $1, $3, now() where $2 = 0 and not {OthersAreIn} on conflict (name) do nothing";
        return await ExecuteAsync(connection, Move, cancellationToken, ViewFold.Name, from, to) == 1 || await ExecuteAsync(connection, Begin, cancellationToken, ViewFold.Name, from, to) == 1;
    }

    private static async Task WriteAsync(NpgsqlConnection connection, ViewTable table, ViewRow[] rows, CancellationToken cancellationToken)
    {
        var search = ViewTables.SearchedBy(table);
        await using var command = new NpgsqlCommand($"""
            insert into antbot.{ViewTables.NameOf(table)} ({ViewTables.ColumnsOf(table)})
            select * from unnest($1::varchar[], $2::bigint[], $3::varchar[], $4::varchar[], $5::varchar[], $6::varchar[], $7::timestamptz[], $8::timestamptz[], $9::jsonb[]{string.Concat(search.Select((_, i) => $", ${i + 10}::varchar[]"))})
            on conflict (id) do update set sequence = excluded.sequence, trade = excluded.trade, account = excluded.account, symbol = excluded.symbol,
              state = excluded.state, at = excluded.at, changed_at = excluded.changed_at, document = excluded.document{string.Concat(search.Select(c => $", {c} = excluded.{c}"))}
            """, connection);
        void Add(object value, NpgsqlDbType type) => command.Parameters.Add(new NpgsqlParameter { Value = value, NpgsqlDbType = NpgsqlDbType.Array | type });
        Add(Array.ConvertAll(rows, r => r.Id), NpgsqlDbType.Varchar);
        Add(Array.ConvertAll(rows, r => r.Sequence), NpgsqlDbType.Bigint);
        Add(Array.ConvertAll(rows, r => r.Trade), NpgsqlDbType.Varchar);
        Add(Array.ConvertAll(rows, r => r.Account), NpgsqlDbType.Varchar);
        Add(Array.ConvertAll(rows, r => r.Symbol), NpgsqlDbType.Varchar);
        Add(Array.ConvertAll(rows, r => r.State), NpgsqlDbType.Varchar);
        Add(Array.ConvertAll(rows, r => r.At.UtcDateTime), NpgsqlDbType.TimestampTz);
        Add(Array.ConvertAll(rows, r => r.ChangedAt.UtcDateTime), NpgsqlDbType.TimestampTz);
        Add(Array.ConvertAll(rows, r => r.Document.ToArray()), NpgsqlDbType.Jsonb);
        for (var i = 0; i < search.Count; i++)
            Add(Array.ConvertAll(rows, r => r.Search[i]), NpgsqlDbType.Varchar);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<List<ViewRow>> ReadAsync(NpgsqlCommand command, ViewTable table, CancellationToken cancellationToken)
    {
        var rows = new List<ViewRow>();
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
        {
            rows.Add(new ViewRow(
                table, row.GetString(0), row.GetInt64(1), Text(row, 2), Text(row, 3), Text(row, 4), row.GetString(5), row.GetFieldValue<DateTimeOffset>(6), row.GetFieldValue<DateTimeOffset>(7), row.GetFieldValue<byte[]>(8))
            {
                Search = [.. ViewTables.SearchedBy(table).Select((_, i) => Text(row, SearchFrom + i))],
            });
        }
        return rows;
    }

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static async Task<int> ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<T> RunAsync<T>(string doing, Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await _source.OpenConnectionAsync(cancellationToken);
            return await work(connection);
        }
        catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException or System.Net.Sockets.SocketException or ObjectDisposedException)
        {
            throw PostgresFaults.Translate(e, doing);
        }
    }
}
