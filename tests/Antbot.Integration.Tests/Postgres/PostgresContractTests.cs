using Antbot.EventStore.Contract;
using Antbot.EventStore.Postgres;
using Antbot.LocalServers;
using Antbot.Runtime.Store;
using Npgsql;
using Xunit;

namespace Antbot.Integration.Tests.Postgres;

/// <summary>Opens stores for the contract's classes: a fresh database for each test.</summary>
internal sealed class PostgresStores(PostgresFixture fixture)
{
    private PostgresDatabase? _database;

    public string ConnectionString => _database!.ConnectionString;

    public async Task<IEventStore> OpenEmptyAsync()
    {
        _database = await fixture.Server.CreateDatabaseAsync(cancellationToken: TestContext.Current.CancellationToken);
        await PostgresSchema.EnsureAsync(ConnectionString, TestContext.Current.CancellationToken);
        return Open();
    }

    public PostgresEventStore Open() => new(new PostgresStoreOptions { ConnectionString = ConnectionString });

    public Task<IEventStore> OpenAgainAsync() => Task.FromResult<IEventStore>(Open());

    /// <summary>As another program would, with every right and nothing in its way.</summary>
    public async Task ExecuteAsync(params string[] statements)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(string.Join(";\n", statements.Prepend("set session_replication_role = replica")), connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DropAsync()
    {
        if (_database is not null)
            await fixture.Server.DropDatabaseAsync(_database.Name, CancellationToken.None);
    }
}

public sealed class PostgresAppendTests(PostgresFixture fixture) : AppendContract
{
    private readonly PostgresStores _stores = new(fixture);

    protected override Task<IEventStore> OpenEmptyAsync() => _stores.OpenEmptyAsync();

    protected override Task<IEventStore> OpenAgainAsync() => _stores.OpenAgainAsync();

    protected override ValueTask CleanUpAsync() => _stores.DropAsync();
}

public sealed class PostgresReadTests(PostgresFixture fixture) : ReadContract
{
    private readonly PostgresStores _stores = new(fixture);

    protected override Task<IEventStore> OpenEmptyAsync() => _stores.OpenEmptyAsync();

    protected override Task<IEventStore> OpenAgainAsync() => _stores.OpenAgainAsync();

    protected override ValueTask CleanUpAsync() => _stores.DropAsync();
}

public sealed class PostgresSubscriptionTests(PostgresFixture fixture) : SubscriptionContract
{
    private readonly PostgresStores _stores = new(fixture);

    protected override Task<IEventStore> OpenEmptyAsync() => _stores.OpenEmptyAsync();

    protected override Task<IEventStore> OpenAgainAsync() => _stores.OpenAgainAsync();

    protected override ValueTask CleanUpAsync() => _stores.DropAsync();
}

public sealed class PostgresLedgerTests(PostgresFixture fixture) : LedgerContract
{
    private readonly PostgresStores _stores = new(fixture);

    protected override Task<IEventStore> OpenEmptyAsync() => _stores.OpenEmptyAsync();

    protected override Task<IEventStore> OpenAgainAsync() => _stores.OpenAgainAsync();

    protected override ValueTask CleanUpAsync() => _stores.DropAsync();
}

public sealed class PostgresSealTests(PostgresFixture fixture) : SealContract
{
    private readonly PostgresStores _stores = new(fixture);

    protected override Task<IEventStore> OpenEmptyAsync() => _stores.OpenEmptyAsync();

    protected override Task<IEventStore> OpenAgainAsync() => _stores.OpenAgainAsync();

    protected override string NextSequence => "greatest(nextval('public.mt_events_sequence'), (select coalesce(max(seq_id), 0) + 1 from mt_events))";

    protected override Task ExecuteAsync(params string[] statements) => _stores.ExecuteAsync(statements);

    protected override ValueTask CleanUpAsync() => _stores.DropAsync();
}

public sealed class PostgresArchiveContractTests(PostgresFixture fixture) : ArchiveContract
{
    private readonly PostgresStores _stores = new(fixture);

    protected override Task<IEventStore> OpenEmptyAsync() => _stores.OpenEmptyAsync();

    protected override Task<IEventStore> OpenAgainAsync() => _stores.OpenAgainAsync();

    protected override ValueTask CleanUpAsync() => _stores.DropAsync();
}
