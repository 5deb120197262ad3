using Antbot.EventStore.Postgres;
using Antbot.EventStore.Sqlite;
using Antbot.Integration.Tests.Postgres;
using Antbot.Kernel.Identity;
using Antbot.LocalServers;
using Antbot.ReadModels;
using Antbot.Runtime.Store;
using Npgsql;
using Xunit;

namespace Antbot.Integration.Tests.ConsoleApi;

public sealed class SqliteReadModelTests : ReadModelContract, IDisposable
{
    private static readonly Guid StoreId = DeterministicId.From("store");

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-views-").FullName;

    private string File_ => Path.Combine(_folder, "antbot.views.db");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_damaged_file_is_made_anew()
    {
        var store = new InMemoryEventStore(StoreId);
        await new RandomHistory(store, 1).GrowAsync(50);
        await using (var models = await OpenAsync())
            await New(store, models).CatchUpAsync(_ => { }, Cancel);
        await File.WriteAllTextAsync(File_, new string('x', 8192), Cancel);
        await using var again = await OpenAsync();
        Assert.Equal(0, await again.ReadPositionAsync(Cancel));
        await New(store, again).CatchUpAsync(_ => { }, Cancel);
        Assert.NotEmpty(await again.ListAsync(ViewTable.Trades, ViewQuery.All, Cancel));
    }

    /// <summary>Prevents that a build whose tables have another column cannot begin on the file of the one before it.</summary>
    [Fact]
    public async Task A_file_of_another_build_is_made_anew()
    {
        using (var session = SqliteSession.Open(File_, SqliteAccess.Create, TimeSpan.Zero))
            session.Execute("CREATE TABLE dead_letters (id TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL, at TEXT NOT NULL, trade TEXT NULL, symbol TEXT NULL)");
        await using var models = await OpenAsync();
        Assert.Empty(await models.ListAsync(ViewTable.DeadLetters, ViewQuery.All, Cancel));
    }

    /// <summary>It may be whole, and this build too old for it: nothing says that it is nobody's.</summary>
    [Fact]
    public async Task A_file_that_cannot_be_opened_is_a_fault_and_stays()
    {
        await using (await OpenAsync())
        {
        }
        var bytes = await File.ReadAllBytesAsync(File_, Cancel);
        // The schema format of a file that a later SQLite has made.
        bytes[47] = 9;
        await File.WriteAllBytesAsync(File_, bytes, Cancel);
        var fault = await Assert.ThrowsAsync<EventStoreException>(OpenAsync);
        Assert.Contains("unsupported file format", fault.Message, StringComparison.Ordinal);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(File_, Cancel));
    }

    [Fact]
    public async Task A_file_that_was_made_for_another_store_says_nothing_of_this_one()
    {
        var store = new InMemoryEventStore(StoreId);
        await new RandomHistory(store, 1).GrowAsync(50);
        await using (var models = await OpenAsync())
            await New(store, models).CatchUpAsync(_ => { }, Cancel);
        await using var other = await SqliteReadModels.OpenAsync(File_, Guid.NewGuid(), Cancel);
        Assert.Equal(0, await other.ReadPositionAsync(Cancel));
        await New(new InMemoryEventStore(Guid.NewGuid()), other).CatchUpAsync(_ => { }, Cancel);
        Assert.Empty(await other.ListAsync(ViewTable.Trades, ViewQuery.All, Cancel));
    }

    protected override Task FoldByAnotherBuildAsync()
    {
        using var session = SqliteSession.Open(File_, SqliteAccess.Write, TimeSpan.FromSeconds(5));
        session.Execute("DELETE FROM trades");
        session.Execute($"INSERT INTO progress (name, sequence) VALUES ('views-0:{StoreId:N}', 7)");
        return Task.CompletedTask;
    }

    protected override async Task<IReadModels> OpenAsync() => await SqliteReadModels.OpenAsync(File_, StoreId, Cancel);
}

public sealed class PostgresReadModelTests(PostgresFixture fixture) : ReadModelContract, IAsyncLifetime
{
    private PostgresDatabase _database = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await fixture.Server.CreateDatabaseAsync(cancellationToken: Cancel);
        await PostgresSchema.EnsureAsync(_database.ConnectionString, Cancel);
    }

    public async ValueTask DisposeAsync() => await fixture.Server.DropDatabaseAsync(_database.Name, CancellationToken.None);

    [Fact]
    public async Task A_writer_keeps_and_rebuilds_them_and_a_reader_only_reads()
    {
        var suffix = Guid.NewGuid().ToString("N")[..8];
        await ExecuteAsync($"create role w_{suffix} login password 'p' in role antbot_writer; create role r_{suffix} login password 'p' in role antbot_reader");
        try
        {
            var store = new InMemoryEventStore(DeterministicId.From("store"));
            await new RandomHistory(store, 1).GrowAsync(50);
            await using (var writer = As($"w_{suffix}"))
            {
                await New(store, writer).CatchUpAsync(_ => { }, Cancel);
                await writer.ClearAsync(Cancel);
                await New(store, writer).CatchUpAsync(_ => { }, Cancel);
            }
            await using var reader = As($"r_{suffix}");
            Assert.NotEmpty(await reader.ListAsync(ViewTable.Trades, ViewQuery.All, Cancel));
            Assert.Equal(StoreFault.Forbidden, (await Assert.ThrowsAsync<EventStoreException>(() => reader.ClearAsync(Cancel))).Fault);
        }
        finally
        {
            await ExecuteAsync($"drop role w_{suffix}; drop role r_{suffix}");
        }
    }

    /// <summary>A build that is at work on them when another clears them must not go on with its rows.</summary>
    [Fact]
    public async Task Whoever_clears_them_takes_the_place_of_another_build()
    {
        await using var models = await OpenAsync();
        await FoldByAnotherBuildAsync();
        await models.ClearAsync(Cancel);
        await using var connection = new NpgsqlConnection(_database.ConnectionString);
        await connection.OpenAsync(Cancel);
        await using var command = new NpgsqlCommand("select last_seq_id from public.mt_event_progression where name = 'views-0'", connection);
        Assert.Equal(0L, await command.ExecuteScalarAsync(Cancel));
    }

    protected override Task FoldByAnotherBuildAsync() => ExecuteAsync("delete from antbot.trades; insert into public.mt_event_progression (name, last_seq_id, last_updated) values ('views-0', 7, now())");

    protected override Task<IReadModels> OpenAsync() => Task.FromResult<IReadModels>(new PostgresReadModels(_database.ConnectionString));

    private PostgresReadModels As(string role) => new(new NpgsqlConnectionStringBuilder(_database.ConnectionString) { Username = role, Password = "p" }.ConnectionString);

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_database.ConnectionString);
        await connection.OpenAsync(Cancel);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
