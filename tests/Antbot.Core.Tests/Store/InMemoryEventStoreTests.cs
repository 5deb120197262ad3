using Antbot.EventStore.Contract;
using Antbot.Runtime.Store;

namespace Antbot.Core.Tests.Store;

/// <summary>The in-memory engine under the contract.</summary>
internal static class InMemory
{
    public static Task<IEventStore> NewAsync() => Task.FromResult<IEventStore>(new InMemoryEventStore(Guid.NewGuid()));

    public static Task<IEventStore> AgainAsync(IEventStore store) => Task.FromResult<IEventStore>(((InMemoryEventStore)store).OpenAgain());
}

public sealed class InMemoryAppendTests : AppendContract
{
    protected override Task<IEventStore> OpenEmptyAsync() => InMemory.NewAsync();

    protected override Task<IEventStore> OpenAgainAsync() => InMemory.AgainAsync(Store);
}

public sealed class InMemoryReadTests : ReadContract
{
    protected override Task<IEventStore> OpenEmptyAsync() => InMemory.NewAsync();

    protected override Task<IEventStore> OpenAgainAsync() => InMemory.AgainAsync(Store);
}

public sealed class InMemorySubscriptionTests : SubscriptionContract
{
    protected override Task<IEventStore> OpenEmptyAsync() => InMemory.NewAsync();

    protected override Task<IEventStore> OpenAgainAsync() => InMemory.AgainAsync(Store);
}

public sealed class InMemoryLedgerTests : LedgerContract
{
    protected override Task<IEventStore> OpenEmptyAsync() => InMemory.NewAsync();

    protected override Task<IEventStore> OpenAgainAsync() => InMemory.AgainAsync(Store);
}
