using Antbot.Contracts;
using Antbot.Execution;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Execution;

public sealed class OpenOrdersTests
{
    /// <summary>Prevents a trade that is kept by what it was before: read from the store just before, and put over what was heard since.</summary>
    [Fact]
    public async Task What_was_read_before_the_last_event_was_heard_of_is_read_again()
    {
        await using var rig = new ExecutionRig(new InMemoryEventStore(Guid.NewGuid()), new ScriptedVenue(TimeProvider.System), new ScriptedVenue(TimeProvider.System), new RecordingBus());
        var trade = ExecutionRig.TradeOf(1);
        await rig.ExecuteAsync(ExecutionRig.Signal(trade));
        var stored = new List<StoredEvent>();
        await foreach (var e in rig.Store.ReadStreamAsync(Streams.Order(trade), cancellationToken: TestContext.Current.CancellationToken))
            stored.Add(e);
        var before = new OpenOrders(rig.Codec);
        stored.ForEach(before.Apply);
        var open = new OpenOrders(rig.Codec);
        open.Load(before.Save());
        open.Apply(stored[^1]);

        Assert.Null(open.Set(trade, new Loaded<OrdersState>(await rig.StateAsync(trade) with { Stage = TradeStage.Failed, Orders = [] }, stored[^2].Version, 0))!.State);
        Assert.Single(open.All);
        Assert.NotNull(open.Set(trade, new Loaded<OrdersState>(await rig.StateAsync(trade), stored[^1].Version, 0))!.State);
    }
}
