using Antbot.EventStore.Contract;
using Antbot.Integration.Tests.Postgres;
using Antbot.Runtime.Store;

namespace Antbot.MartenTests;

public sealed class MartenAppendTests(PostgresFixture fixture) : AppendContract
{
    private readonly Stores _stores = new(fixture);

    protected override Task<IEventStore> OpenEmptyAsync() => _stores.OpenEmptyAsync();

    protected override Task<IEventStore> OpenAgainAsync() => _stores.OpenAgainAsync();

    protected override ValueTask CleanUpAsync() => _stores.DropAsync();
}

public sealed class MartenReadTests(PostgresFixture fixture) : ReadContract
{
    private readonly Stores _stores = new(fixture);

    protected override Task<IEventStore> OpenEmptyAsync() => _stores.OpenEmptyAsync();

    protected override Task<IEventStore> OpenAgainAsync() => _stores.OpenAgainAsync();

    protected override ValueTask CleanUpAsync() => _stores.DropAsync();
}

public sealed class MartenSubscriptionTests(PostgresFixture fixture) : SubscriptionContract
{
    private readonly Stores _stores = new(fixture);

    protected override Task<IEventStore> OpenEmptyAsync() => _stores.OpenEmptyAsync();

    protected override Task<IEventStore> OpenAgainAsync() => _stores.OpenAgainAsync();

    protected override ValueTask CleanUpAsync() => _stores.DropAsync();
}

public sealed class MartenLedgerTests(PostgresFixture fixture) : LedgerContract
{
    private readonly Stores _stores = new(fixture);

    protected override Task<IEventStore> OpenEmptyAsync() => _stores.OpenEmptyAsync();

    protected override Task<IEventStore> OpenAgainAsync() => _stores.OpenAgainAsync();

    protected override ValueTask CleanUpAsync() => _stores.DropAsync();
}
