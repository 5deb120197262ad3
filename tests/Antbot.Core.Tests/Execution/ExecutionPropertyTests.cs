using Antbot.Contracts.Events;
using Antbot.Core.Tests.Kernel;
using Antbot.Execution;
using Xunit;

namespace Antbot.Core.Tests.Execution;

public sealed class ExecutionPropertyTests
{
    [Fact]
    public void However_the_network_behaves_no_order_is_placed_twice_and_every_trade_ends_as_the_venue_has_it() =>
        Holds.ForAll(Holds.Seed, seed => new TradeSimulation(seed).RunToItsEnd(), times: 2_000);

    /// <summary>Guards the simulation itself: one in which nothing interesting happens would hold for anything.</summary>
    [Fact]
    public void The_simulation_reaches_what_it_is_about()
    {
        var seen = new HashSet<Type>();
        var stages = new HashSet<TradeStage>();
        var halves = 0;
        for (var seed = 0; seed < 400; seed++)
        {
            var simulation = new TradeSimulation(seed);
            simulation.RunToItsEnd();
            seen.UnionWith(simulation.Events.Select(e => e.GetType()));
            stages.Add(simulation.State.Stage);
            halves += simulation.State.Entries.Count() > 1 ? 1 : 0;
        }
        Type[] wanted =
        [
            typeof(EntryForbidden), typeof(EntryWithdrawn), typeof(EntryFailedRecorded), typeof(OrderUnknown), typeof(OrderAbsent), typeof(OrderRefused), typeof(OrderNotSent),
            typeof(OrderCancelIntended), typeof(OrderCorrected), typeof(OrderConfirmed), typeof(PositionOpened), typeof(PositionClosing), typeof(PositionClosed), typeof(OrderRevalidated),
            typeof(OrderSettlementProposed), typeof(OrderSettlementRefused), typeof(OrderSettled),
        ];
        Assert.Empty(wanted.Except(seen));
        Assert.True(halves > 0, "Nothing was tried by half.");
        Assert.Equal([TradeStage.Closed, TradeStage.Failed], stages.Order());
    }
}
