using Antbot.EventStore.Contract;
using Antbot.EventStore.Postgres;
using Antbot.LocalServers;
using Antbot.Runtime.Store;
using Npgsql;
using Xunit;

namespace Antbot.Integration.Tests.Postgres;

public sealed class PostgresSchemaTests(PostgresFixture fixture) : IAsyncLifetime
{
    private PostgresDatabase _database = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _database = await fixture.Server.CreateDatabaseAsync(cancellationToken: Cancel);

    public async ValueTask DisposeAsync() => await fixture.Server.DropDatabaseAsync(_database.Name, CancellationToken.None);

    /// <summary>A real Marten will open these tables: a column more or less, another type or default, and it alters them.</summary>
    [Fact]
    public async Task The_tables_are_Martens_column_by_column()
    {
        await PostgresSchema.EnsureAsync(_database.ConnectionString, Cancel);

        Assert.Equal(
            [
                "mt_event_progression.name varchar not null",
                "mt_event_progression.last_seq_id int8",
                "mt_event_progression.last_updated timestamptz default now()",
                "mt_events.seq_id int8 not null",
                "mt_events.id uuid not null",
                "mt_events.stream_id varchar",
                "mt_events.version int8 not null",
                "mt_events.data jsonb not null",
                "mt_events.bdata bytea",
                "mt_events.type varchar(500) not null",
                "mt_events.timestamp timestamptz not null default now()",
                "mt_events.tenant_id varchar default '*DEFAULT*'::character varying",
                "mt_events.mt_dotnet_type varchar",
                "mt_events.correlation_id varchar",
                "mt_events.causation_id varchar",
                "mt_events.headers jsonb",
                "mt_events.user_name varchar",
                "mt_events.is_archived bool default false",
                "mt_streams.id varchar not null",
                "mt_streams.type varchar",
                "mt_streams.version int8 not null",
                "mt_streams.timestamp timestamptz not null default now()",
                "mt_streams.created timestamptz not null default now()",
                "mt_streams.tenant_id varchar default '*DEFAULT*'::character varying",
                "mt_streams.is_archived bool default false",
            ],
            await ReadAsync("""
                select c.relname || '.' || a.attname || ' ' || t.typname || case when a.atttypmod > 0 then '(' || a.atttypmod - 4 || ')' else '' end
                  || case when a.attnotnull then ' not null' else '' end || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
                from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                join pg_type t on t.oid = a.atttypid left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
                where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by c.relname, a.attnum
                """));
    }

    [Fact]
    public async Task Keys_indexes_and_the_sequence_have_Martens_names_and_nothing_else_is_on_its_tables()
    {
        await PostgresSchema.EnsureAsync(_database.ConnectionString, Cancel);

        Assert.Equal(
            [
                "CREATE UNIQUE INDEX pk_mt_event_progression ON public.mt_event_progression USING btree (name)",
                "CREATE UNIQUE INDEX pk_mt_events_stream_and_version ON public.mt_events USING btree (stream_id, version)",
                "CREATE UNIQUE INDEX pkey_mt_events_seq_id ON public.mt_events USING btree (seq_id)",
                "CREATE UNIQUE INDEX pkey_mt_streams_id ON public.mt_streams USING btree (id)",
            ],
            await ReadAsync("select indexdef from pg_indexes where schemaname = 'public' order by indexname"));
        Assert.Equal(
            ["fkey_mt_events_stream_id FOREIGN KEY (stream_id) REFERENCES mt_streams(id) ON DELETE CASCADE"],
            await ReadAsync("select conname || ' ' || pg_get_constraintdef(oid) from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace"));
        Assert.Equal(["public.mt_events_sequence"], await ReadAsync("select pg_get_serial_sequence('public.mt_events', 'seq_id')"));
        Assert.Empty(await ReadAsync("select tgname::text from pg_trigger where tgrelid = 'public.mt_events'::regclass and not tgisinternal"));
    }

    [Fact]
    public async Task Five_services_that_start_at_once_make_one_schema()
    {
        var applied = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Task.Run(() => PostgresSchema.EnsureAsync(_database.ConnectionString, Cancel))));

        Assert.Single(applied, n => n > 0);
        Assert.Equal([PostgresSchema.Version.ToString()], await ReadAsync("select max(version)::text from antbot.schema"));
        Assert.Equal(0, await PostgresSchema.EnsureAsync(_database.ConnectionString, Cancel));
        await using var store = Open();
        Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(Some.Append(Some.Stream()), Cancel));
    }

    [Fact]
    public async Task Tables_that_Marten_made_first_are_taken_as_they_are()
    {
        await ExecuteAsync(PostgresSchema.Script("001_events.sql"));
        Assert.True(await PostgresSchema.EnsureAsync(_database.ConnectionString, Cancel) > 0);
        await using var store = Open();
        Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(Some.Append(Some.Stream()), Cancel));
    }

    [Fact]
    public async Task A_schema_newer_than_the_build_is_refused()
    {
        await PostgresSchema.EnsureAsync(_database.ConnectionString, Cancel);
        await ExecuteAsync("insert into antbot.schema (version, name) values (999, 'from the future')");

        var fault = await Assert.ThrowsAsync<EventStoreException>(() => PostgresSchema.EnsureAsync(_database.ConnectionString, Cancel));
        Assert.Equal(StoreFault.Invalid, fault.Fault);
        Assert.Contains("newer build", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_without_the_schema_says_so_and_works_once_it_is_there()
    {
        await using var store = Open();
        var fault = await Assert.ThrowsAsync<EventStoreException>(() => store.AppendAsync(Some.Append(Some.Stream()), Cancel));
        Assert.Equal(StoreFault.Unavailable, fault.Fault);
        Assert.Contains("schema", fault.Message, StringComparison.Ordinal);

        await PostgresSchema.EnsureAsync(_database.ConnectionString, Cancel);
        Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(Some.Append(Some.Stream()), Cancel));
    }

    private PostgresEventStore Open() => new(new PostgresStoreOptions { ConnectionString = _database.ConnectionString });

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_database.ConnectionString);
        await connection.OpenAsync(Cancel);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancel);
    }

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
}
