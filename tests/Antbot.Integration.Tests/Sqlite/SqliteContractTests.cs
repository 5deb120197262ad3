using Antbot.EventStore.Contract;
using Antbot.Runtime.Store;

namespace Antbot.Integration.Tests.Sqlite;

/// <summary>The SQLite engine under the contract: a fresh file for each test.</summary>
internal sealed class SqliteStores
{
    private readonly SqliteFolder _folder = new();

    public async Task<IEventStore> OpenAsync() => await _folder.OpenAsync();

    /// <summary>As another program would, with nothing in its way.</summary>
    public Task ExecuteAsync(params string[] statements)
    {
        using var beside = _folder.OpenBeside();
        foreach (var statement in statements.Prepend("BEGIN IMMEDIATE").Append("COMMIT"))
            beside.Execute(statement);
        return Task.CompletedTask;
    }

    public ValueTask DropAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }
}

public sealed class SqliteAppendTests : AppendContract
{
    private readonly SqliteStores _stores = new();

    protected override Task<IEventStore> OpenEmptyAsync() => _stores.OpenAsync();

    protected override Task<IEventStore> OpenAgainAsync() => _stores.OpenAsync();

    protected override ValueTask CleanUpAsync() => _stores.DropAsync();
}

public sealed class SqliteReadTests : ReadContract
{
    private readonly SqliteStores _stores = new();

    protected override Task<IEventStore> OpenEmptyAsync() => _stores.OpenAsync();

    protected override Task<IEventStore> OpenAgainAsync() => _stores.OpenAsync();

    protected override ValueTask CleanUpAsync() => _stores.DropAsync();
}

public sealed class SqliteSubscriptionTests : SubscriptionContract
{
    private readonly SqliteStores _stores = new();

    protected override Task<IEventStore> OpenEmptyAsync() => _stores.OpenAsync();

    protected override Task<IEventStore> OpenAgainAsync() => _stores.OpenAsync();

    protected override ValueTask CleanUpAsync() => _stores.DropAsync();
}

public sealed class SqliteLedgerTests : LedgerContract
{
    private readonly SqliteStores _stores = new();

    protected override Task<IEventStore> OpenEmptyAsync() => _stores.OpenAsync();

    protected override Task<IEventStore> OpenAgainAsync() => _stores.OpenAsync();

    protected override ValueTask CleanUpAsync() => _stores.DropAsync();
}

public sealed class SqliteSealTests : SealContract
{
    private readonly SqliteStores _stores = new();

    protected override Task<IEventStore> OpenEmptyAsync() => _stores.OpenAsync();

    protected override Task<IEventStore> OpenAgainAsync() => _stores.OpenAsync();

    protected override string NextSequence => "null";

    protected override Task ExecuteAsync(params string[] statements) => _stores.ExecuteAsync(statements);

    protected override ValueTask CleanUpAsync() => _stores.DropAsync();
}

public sealed class SqliteArchiveContractTests : ArchiveContract
{
    private readonly SqliteStores _stores = new();

    protected override Task<IEventStore> OpenEmptyAsync() => _stores.OpenAsync();

    protected override Task<IEventStore> OpenAgainAsync() => _stores.OpenAsync();

    protected override ValueTask CleanUpAsync() => _stores.DropAsync();
}
