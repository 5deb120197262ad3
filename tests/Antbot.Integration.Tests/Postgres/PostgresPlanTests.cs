using Antbot.EventStore.Postgres;
using Npgsql;
using Xunit;

namespace Antbot.Integration.Tests.Postgres;

/// <summary>How the server goes about what is read most, in a store that is neither small nor large, with a plan that is kept for any values.</summary>
public sealed class PostgresPlanTests(PostgresFixture fixture)
{
    private const string Nobody = "'00000000-0000-0000-0000-000000000000'";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Prevents a look-up that goes through the whole ledger in order, for the first thousand links that it never finds.</summary>
    [Fact]
    public async Task What_is_read_by_key_goes_by_its_index()
    {
        var database = await fixture.Server.CreateDatabaseAsync(cancellationToken: Cancel);
        await PostgresSchema.EnsureAsync(database.ConnectionString, Cancel);
        await using (var fill = NpgsqlDataSource.Create(database.ConnectionString))
        {
            foreach (var sql in new[]
            {
                "insert into public.mt_streams (id, version, is_archived) select 's-' || n, 20, false from generate_series(1, 2000) n",
                """
                insert into public.mt_events (seq_id, id, stream_id, version, data, type, correlation_id)
                select n, md5(n::text)::uuid, 's-' || 1 + (n - 1) % 2000, 1 + (n - 1) / 2000, '{}', 'noted', 'c-' || n % 2000 from generate_series(1, 40000) n
                """,
                """
                insert into antbot.ledger (position, seq_id, event_id, correlation_id, prev_hash, hash, is_foreign)
                select n, n, md5(n::text)::uuid, 'c-' || n % 2000, sha256(''), sha256(''), false from generate_series(1, 40000) n
                """,
                "analyze",
            })
            {
                await using var command = fill.CreateCommand(sql);
                await command.ExecuteNonQueryAsync(Cancel);
            }
        }
        await using var pool = new PostgresPool(new PostgresStoreOptions { ConnectionString = database.ConnectionString });
        var connection = await pool.OpenReaderAsync(Cancel);

        Assert.Contains("ix_ledger_correlation_id", await PlanAsync(connection, "varchar, int", PostgresReader.FindCorrelation, "'c-1', 1000"), StringComparison.Ordinal);
        Assert.Contains("uq_ledger_event_id", await PlanAsync(connection, "uuid, bigint", PostgresReader.FindDecision, $"{Nobody}, 8"), StringComparison.Ordinal);
        Assert.Contains("pk_mt_events_stream_and_version", await PlanAsync(connection, "varchar, bigint, int", PostgresReader.ReadStream, "'s-1', 1, 500"), StringComparison.Ordinal);
        Assert.Contains("pk_mt_events_stream_and_version", await PlanAsync(connection, "varchar[], bigint[], int, varchar[], bigint[]", PostgresReader.ReadStreams, "'{s-1,s-2}', '{1,5}', 500, '{s-1,s-2}', '{1,5}'"), StringComparison.Ordinal);
        Assert.Contains("uq_ledger_event_id", await PlanAsync(connection, "uuid[]", PostgresReader.FindDecided, $"array[{Nobody}]::uuid[]"), StringComparison.Ordinal);
        Assert.Contains("pk_ledger", await PlanAsync(connection, "bigint, int", PostgresReader.ReadPage, "100, 500"), StringComparison.Ordinal);
        await pool.ReturnAsync(connection);
    }

    private static async Task<string> PlanAsync(NpgsqlConnection connection, string types, string sql, string values)
    {
        var plan = new List<string>();
        foreach (var text in new[] { "set plan_cache_mode = force_generic_plan", $"prepare asked ({types}) as {sql}", $"explain execute asked ({values})", "deallocate asked" })
        {
            await using var command = new NpgsqlCommand(text, connection);
            await using var row = await command.ExecuteReaderAsync(Cancel);
            while (await row.ReadAsync(Cancel))
                plan.Add(row.GetString(0));
        }
        var whole = string.Join('\n', plan);
        Assert.DoesNotContain("Seq Scan on", whole, StringComparison.Ordinal);
        return whole;
    }
}
