using System.Text.Json;
using Npgsql;
using Xunit;

namespace Antbot.MartenTests;

/// <summary>What stands in the database, as text that can be compared.</summary>
internal static class Layout
{
    private const string Columns = """
        select format('%s.%s.%s %s(%s) null:%s default:%s', table_schema, table_name, column_name, data_type, character_maximum_length, is_nullable, column_default)
        from information_schema.columns where table_schema = $1 and table_name = any($2) order by table_name, ordinal_position
        """;

    private const string Constraints = """
        select format('%s %s', conname, pg_get_constraintdef(oid)) from pg_constraint
        where connamespace = $1::regnamespace and conrelid in (select c.oid from pg_class c where c.relname = any($2)) order by conname
        """;

    private const string Indexes = "select indexdef from pg_indexes where schemaname = $1 and tablename = any($2) order by indexname";

    private const string Functions = """
        select pg_get_functiondef(p.oid) from pg_proc p where p.pronamespace = $1::regnamespace and p.prokind in ('f', 'p') order by p.oid
        """;

    public static readonly string[] MartenTables = ["mt_streams", "mt_events"];

    public static readonly string[] OurTables = ["identity", "ledger", "checkpoints", "snapshots", "schema"];

    public static async Task<List<string>> OfAsync(string connectionString, string schema, params string[] tables)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        return
        [
            .. await ListAsync(source, Columns, schema, tables),
            .. await ListAsync(source, Constraints, schema, tables),
            .. await ListAsync(source, Indexes, schema, tables),
        ];
    }

    public static async Task<List<string>> FunctionsAsync(string connectionString, string schema)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        return await ListAsync(source, Functions, schema);
    }

    public static async Task<List<string>> RowsAsync(string connectionString, params string[] tables)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        var rows = new List<string>();
        foreach (var table in tables)
            rows.AddRange((await ListAsync(source, $"select to_jsonb(t)::text from {table} t order by 1")).Select(row => $"{table} {row}"));
        return rows;
    }

    /// <summary>True when everything in <paramref name="before"/> is still there; Marten may have added columns of its own to a row.</summary>
    public static bool Holds(string after, string before)
    {
        using var old = JsonDocument.Parse(before);
        using var now = JsonDocument.Parse(after);
        return old.RootElement.EnumerateObject().All(member =>
            now.RootElement.TryGetProperty(member.Name, out var value) && JsonElement.DeepEquals(member.Value, value));
    }

    private static async Task<List<string>> ListAsync(NpgsqlDataSource source, string sql, params object[] values)
    {
        await using var command = source.CreateCommand(sql);
        foreach (var value in values)
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        await using var row = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var list = new List<string>();
        while (await row.ReadAsync(TestContext.Current.CancellationToken))
            list.Add(row.GetString(0));
        return list;
    }
}
