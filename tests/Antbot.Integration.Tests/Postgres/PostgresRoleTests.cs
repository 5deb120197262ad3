using Antbot.Contracts;
using Antbot.EventStore.Contract;
using Antbot.EventStore.Postgres;
using Antbot.LocalServers;
using Antbot.Runtime.Store;
using Npgsql;
using Xunit;

namespace Antbot.Integration.Tests.Postgres;

/// <summary>What the database itself forbids, whatever the code above it does.</summary>
public sealed class PostgresRoleTests(PostgresFixture fixture) : IAsyncLifetime
{
    private PostgresDatabase _database = null!;
    private readonly string _suffix = Guid.NewGuid().ToString("N")[..8];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await fixture.Server.CreateDatabaseAsync(cancellationToken: Cancel);
        await PostgresSchema.EnsureAsync(_database.ConnectionString, Cancel);
        foreach (var role in new[] { "writer", "control", "reader" })
            await ExecuteAsync(_database.ConnectionString, $"create role {role}_{_suffix} login password 'p-{_suffix}' in role antbot_{role}");
        await using var owner = Open(_database.ConnectionString);
        await owner.AppendAsync(Some.Append(new StreamId("control")), Cancel);
        await owner.AppendAsync(Some.Append(new StreamId("order-1"), Some.Events(3)), Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        await fixture.Server.DropDatabaseAsync(_database.Name, CancellationToken.None);
        foreach (var role in new[] { "writer", "control", "reader" })
            await ExecuteAsync(fixture.Server.AdminConnectionString, $"drop role {role}_{_suffix}");
    }

    [Theory]
    [InlineData("update public.mt_events set data = '{}'")]
    [InlineData("delete from public.mt_events")]
    [InlineData("truncate public.mt_events cascade")]
    [InlineData("delete from public.mt_streams")]
    [InlineData("update antbot.ledger set hash = ''")]
    [InlineData("delete from antbot.ledger")]
    [InlineData("update antbot.checkpoints set hash = ''")]
    [InlineData("delete from antbot.checkpoints")]
    [InlineData("update antbot.identity set store_id = gen_random_uuid()")]
    [InlineData("update antbot.blob set body = ''")]
    [InlineData("delete from antbot.blob")]
    [InlineData("insert into antbot.archived values (1, 1, 1, 1, '')")]
    [InlineData("insert into antbot.archived_streams values ('order-1', 1, 3)")]
    [InlineData("insert into antbot.archives (name, events) values ('x', 1)")]
    [InlineData("call antbot.take_out('x', 1, 'x', 'x', '{}', '{}', '{}', '{}', null, null, null)")]
    [InlineData("drop table antbot.ledger")]
    [InlineData("alter table public.mt_events disable trigger all")]
    [InlineData("create or replace function antbot.append_lock() returns bigint language sql as 'select 1::bigint'")]
    public async Task No_service_role_can_change_what_has_happened(string sql)
    {
        foreach (var role in new[] { "writer", "control", "reader" })
        {
            var refused = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(As(role), sql));
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
        }
    }

    /// <summary>All that each role may do with tables, columns and sequences: a right more than these is caught, wherever it was given.</summary>
    [Fact]
    public async Task No_role_has_a_right_that_is_not_listed()
    {
        string[] derived = ["actions", "dead_letter_groups", "dead_letters", "mentions", "orders", "positions", "processes", "summaries", "trades"];
        string[] all = [.. derived, "archived", "archived_streams", "archives", "blob", "checkpoints", "identity", "ledger", "mt_event_progression", "mt_events", "mt_streams", "schema", "snapshots", "venue_block", "venue_budget"];
        var expected = new List<string>();
        foreach (var role in new[] { "control", "reader", "writer" })
            expected.AddRange(all.Select(table => $"{role} SELECT {table}"));
        expected.AddRange(new[] { "blob", "checkpoints", "ledger", "mt_events", "mt_streams", "mt_event_progression", "snapshots", "venue_block", "venue_budget" }.Concat(derived).Select(table => $"writer INSERT {table}"));
        expected.AddRange(new[] { "mt_streams", "mt_event_progression", "snapshots", "venue_block", "venue_budget" }.Concat(derived).Select(table => $"writer UPDATE {table}"));
        expected.AddRange(derived.Append("venue_budget").Select(table => $"writer DELETE {table}"));
        expected.Add("writer USAGE mt_events_sequence");

        Assert.Equal(expected.Order(StringComparer.Ordinal), (await ReadAsync("""
            select replace(r.rolname, 'antbot_', '') || ' ' || p.may || ' ' || c.relname
            from pg_class c
            join pg_namespace n on n.oid = c.relnamespace and n.nspname in ('public', 'antbot')
            cross join pg_roles r
            cross join unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p (may)
            where c.relkind in ('r', 'v', 'm', 'p') and r.rolname in ('antbot_writer', 'antbot_control', 'antbot_reader')
              and (has_table_privilege(r.oid, c.oid, p.may) or (p.may not in ('DELETE', 'TRUNCATE', 'TRIGGER') and has_any_column_privilege(r.oid, c.oid, p.may)))
            union all
            select replace(r.rolname, 'antbot_', '') || ' ' || p.may || ' ' || c.relname
            from pg_class c
            join pg_namespace n on n.oid = c.relnamespace and n.nspname in ('public', 'antbot')
            cross join pg_roles r
            cross join unnest(array['USAGE', 'SELECT', 'UPDATE']) p (may)
            where c.relkind = 'S' and r.rolname in ('antbot_writer', 'antbot_control', 'antbot_reader') and has_sequence_privilege(r.oid, c.oid, p.may)
            """)).Order(StringComparer.Ordinal));
        Assert.Equal(
            [
                "control append_control", "control append_control_batch", "control append_lock", "control genesis", "reader genesis",
                "writer append", "writer append_batch", "writer append_lock", "writer block_venue", "writer chain_batch", "writer draw_venue_budget", "writer genesis", "writer link_append", "writer seal", "writer seal_batch",
            ],
            (await ReadAsync("""
                select distinct replace(r.rolname, 'antbot_', '') || ' ' || p.proname
                from pg_proc p cross join pg_roles r
                where p.pronamespace = 'antbot'::regnamespace and r.rolname in ('antbot_writer', 'antbot_control', 'antbot_reader') and has_function_privilege(r.oid, p.oid, 'EXECUTE')
                """)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_writer_appends_reads_and_keeps_its_checkpoints_and_snapshots()
    {
        await using var store = Open(As("writer"));
        var stream = new StreamId("order-1");
        Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(Some.Append(stream) with { Expected = ExpectedVersion.Exactly(3) }, Cancel));
        await store.SaveCheckpointAsync("sub", 3, Cancel);
        await store.SaveCheckpointAsync("sub", 4, Cancel);
        Assert.Equal(4, await store.LoadCheckpointAsync("sub", Cancel));
        await store.SaveSnapshotAsync(new Snapshot(stream, "s", 3, "{}"u8.ToArray()), Cancel);
        await store.SaveSnapshotAsync(new Snapshot(stream, "s", 4, "{}"u8.ToArray()), Cancel);
        Assert.Equal(4, (await store.LoadSnapshotAsync(stream, "s", Cancel))!.Version);
        var head = await store.Ledger.ReadHeadAsync(Cancel);
        await store.Ledger.SaveCheckpointAsync(new Checkpoint(head.StoreId, head.Position, head.Sequence, head.Hash, Some.Time, [], "k", [1]), Cancel);
        Assert.Equal(5, (await store.ReadPageAsync(0, 100, Cancel)).Count);

        await ExecuteAsync(_database.ConnectionString, """
            insert into public.mt_streams (id, version) values ('stranger', 1);
            insert into public.mt_events (seq_id, id, stream_id, version, data, type) values (nextval('public.mt_events_sequence'), gen_random_uuid(), 'stranger', 1, '{}', 'noted')
            """);
        Assert.Equal(1, (await store.Ledger.SealAsync(10, cancellationToken: Cancel)).Sealed);
    }

    [Fact]
    public async Task The_control_role_appends_a_halt_and_nothing_else()
    {
        await using var store = new PostgresEventStore(new PostgresStoreOptions { ConnectionString = As("control"), ControlOnly = true });
        var halt = Some.Append(new StreamId("control")) with { Expected = ExpectedVersion.Exactly(1) };
        Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(halt, Cancel));
        Assert.IsType<AppendOutcome.AlreadyThere>(await store.AppendAsync(halt, Cancel));

        foreach (var stream in new[] { "order-1", "controls", "account-1" })
        {
            var refused = await Assert.ThrowsAsync<EventStoreException>(() => store.AppendAsync(Some.Append(new StreamId(stream)), Cancel));
            Assert.Equal(StoreFault.Forbidden, refused.Fault);
        }
        foreach (var sql in new[]
        {
            "insert into public.mt_streams (id, version) values ('x', 1)",
            "insert into antbot.ledger select 99, 99, gen_random_uuid(), null, '', '', false",
            "select nextval('public.mt_events_sequence')",
        })
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(As("control"), sql))).SqlState);
        Assert.Equal(2, await store.ReadVersionAsync(new StreamId("control"), Cancel));
    }

    /// <summary>A batch must not carry a stranger's append past the check of its neighbours.</summary>
    [Fact]
    public async Task The_control_role_cannot_slip_another_stream_into_a_batch_with_a_halt()
    {
        await using var store = new PostgresEventStore(new PostgresStoreOptions { ConnectionString = As("control"), ControlOnly = true });
        var appends = Enumerable.Range(0, 10).Select(i => store.AppendAsync(Some.Append(new StreamId(i % 2 == 0 ? "control" : "order-1")), Cancel)).ToArray();
        await Task.WhenAll(appends.Select(a => a.ContinueWith(_ => { }, TaskScheduler.Default)));

        Assert.Equal(3, await store.ReadVersionAsync(new StreamId("order-1"), Cancel));
        Assert.All(appends.Where((_, i) => i % 2 == 1), a => Assert.Equal(StoreFault.Forbidden, Assert.IsType<EventStoreException>(a.Exception!.InnerException).Fault));
        Assert.All(appends.Where((_, i) => i % 2 == 0), a => Assert.IsType<AppendOutcome.Appended>(a.Result));
    }

    /// <summary>Prevents a halt that also moves another stream's head: PostgreSQL's arrays may begin below 1.</summary>
    [Fact]
    public async Task The_control_role_cannot_hide_a_stream_below_the_first_subscript()
    {
        var call = $"""
            call antbot.append_control('[0:1]={"{order-1,control}"}', '{"{1}"}', '{"{-1}"}', '{"{1}"}', '{"{1}"}', '{"{}"}', '{"{}"}', '{"{}"}', array[now()], array[null]::varchar[], array[null]::varchar[],
              array[null]::varchar[], array[null]::jsonb[], array[gen_random_uuid()], array['x']::varchar[], array['X, X']::varchar[], array['{"{}"}']::jsonb[], array[sha256('')], null, null, null, null, null)
            """;
        var refused = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(As("control"), call));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
        await using var store = Open(_database.ConnectionString);
        Assert.Empty(await store.Ledger.FindHeadMismatchesAsync(10, Cancel));
        Assert.Equal(3, await store.ReadVersionAsync(new StreamId("order-1"), Cancel));
    }

    /// <summary>What others may not call they cannot call: an import writes whatever numbers it is given, a seal makes a history of what lies there.</summary>
    [Theory]
    [InlineData("reader", "call antbot.seal('{1}', array[gen_random_uuid()], array[sha256('')], 0, null)")]
    [InlineData("control", "call antbot.seal('{1}', array[gen_random_uuid()], array[sha256('')], 0, null)")]
    [InlineData("reader", "select antbot.seal_batch('{1}', array[gen_random_uuid()], array[sha256('')], 0)")]
    [InlineData("writer", "call antbot.import(gen_random_uuid(), 1, '', '{1}', null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null)")]
    [InlineData("control", "call antbot.import(gen_random_uuid(), 1, '', '{1}', null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null)")]
    public async Task Sealing_is_a_writers_and_importing_the_owners(string role, string sql) =>
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(As(role), sql))).SqlState);

    [Fact]
    public async Task A_reader_reads_and_verifies_and_appends_nothing()
    {
        await using var store = Open(As("reader"));
        Assert.Equal(4, (await store.ReadPageAsync(0, 100, Cancel)).Count);
        Assert.Equal(4, (await store.Ledger.ReadHeadAsync(Cancel)).Position);
        Assert.Equal(StoreFault.Forbidden, (await Assert.ThrowsAsync<EventStoreException>(() => store.AppendAsync(Some.Append(new StreamId("control")), Cancel))).Fault);
    }

    private static PostgresEventStore Open(string connectionString) => new(new PostgresStoreOptions { ConnectionString = connectionString });

    [Theory]
    [InlineData("writer")]
    [InlineData("reader")]
    public async Task Whoever_reads_the_history_may_know_its_size(string role) => Assert.True((await new PostgresSize(As(role)).ReadAsync(Cancel)).Bytes > 1_000_000);

    private string As(string role) => new NpgsqlConnectionStringBuilder(_database.ConnectionString) { Username = $"{role}_{_suffix}", Password = $"p-{_suffix}", Pooling = false }.ConnectionString;

    private async Task<List<string>> ReadAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_database.ConnectionString);
        await connection.OpenAsync(Cancel);
        await using var command = new NpgsqlCommand(sql, connection);
        await using var row = await command.ExecuteReaderAsync(Cancel);
        var rows = new List<string>();
        while (await row.ReadAsync(Cancel))
            rows.Add(row.GetString(0));
        return rows;
    }

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(Cancel);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
