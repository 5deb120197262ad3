using Antbot.EventStore.Marten;
using Antbot.EventStore.Postgres;
using Antbot.Integration.Tests.Postgres;
using Antbot.LocalServers;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.MartenTests;

/// <summary>A database with the store's schema, and both engines on it.</summary>
internal sealed class Stores(PostgresFixture fixture)
{
    private PostgresDatabase? _database;

    public string ConnectionString => _database!.ConnectionString;

    public async Task CreateAsync()
    {
        _database = await fixture.Server.CreateDatabaseAsync(cancellationToken: TestContext.Current.CancellationToken);
        await PostgresSchema.EnsureAsync(ConnectionString, TestContext.Current.CancellationToken);
    }

    public MartenEventStore OpenMarten() => new(new PostgresStoreOptions { ConnectionString = ConnectionString });

    public PostgresEventStore OpenNpgsql() => new(new PostgresStoreOptions { ConnectionString = ConnectionString });

    public async Task<IEventStore> OpenEmptyAsync()
    {
        await CreateAsync();
        return OpenMarten();
    }

    public Task<IEventStore> OpenAgainAsync() => Task.FromResult<IEventStore>(OpenMarten());

    public async ValueTask DropAsync()
    {
        if (_database is not null)
            await fixture.Server.DropDatabaseAsync(_database.Name, CancellationToken.None);
    }
}
