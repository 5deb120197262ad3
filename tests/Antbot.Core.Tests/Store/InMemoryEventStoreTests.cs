using Antbot.EventStore.Contract;
using Antbot.Runtime.Store;
using Xunit;

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

public sealed class InMemoryArchiveTests : ArchiveContract
{
    protected override Task<IEventStore> OpenEmptyAsync() => InMemory.NewAsync();

    protected override Task<IEventStore> OpenAgainAsync() => InMemory.AgainAsync(Store);
}

public sealed class InMemoryImportTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_import_that_lacks_an_event_in_its_middle_keeps_nothing_of_it()
    {
        await using var from = new InMemoryEventStore(Guid.NewGuid());
        await from.AppendAsync(Some.Append(Some.Stream(), Some.Events(3)), Cancel);
        var links = new List<LedgerLink>();
        await foreach (var link in from.ReadLinksAsync(0, Cancel))
            links.Add(link.Position == 2 ? link with { Event = null } : link);
        await using var to = new InMemoryEventStore(Guid.NewGuid());
        var (before, head) = (await to.ReadHeadAsync(Cancel), await from.ReadHeadAsync(Cancel));

        var e = await Assert.ThrowsAsync<EventStoreException>(() => to.ImportAsync(head.StoreId, links, Cancel));

        Assert.Equal(StoreFault.Invalid, e.Fault);
        Assert.Contains("position 2", e.Message, StringComparison.Ordinal);
        Assert.Equal(before.Hash, (await to.ReadHeadAsync(Cancel)).Hash);
        Assert.Empty(await to.ReadPageAsync(0, 10, Cancel));
    }
}
