using Antbot.ConsoleService;
using Antbot.Contracts;
using Antbot.Execution;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Antbot.Simulation.Faults;
using Antbot.Simulation.Ports;
using Antbot.Simulation.Time;

namespace Antbot.Simulation.World;

/// <summary>
/// Two operators before orders in doubt. One wants each settled as never placed, and tries to confirm it herself; the other confirms
/// what the venue really does not have.
/// </summary>
internal sealed class Operators(SimWorld world, Bug bug)
{
    public const string AuditConsumer = "audit";

    private const string Anna = "anna";
    private const string Ben = "ben";

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan Think = TimeSpan.FromSeconds(1);

    private readonly Dictionary<Guid, (string By, OrderSettlementOrdered Words)> _said = [];

    /// <summary>Who really asked for it, whatever was recorded.</summary>
    public string WhoSaid(Guid request) => _said[request].By;

    /// <summary>What was asked for, as it was to be recorded; null where nobody did.</summary>
    public OrderSettlementOrdered? WordsOf(Guid request) => _said.TryGetValue(request, out var said) ? said.Words : null;

    /// <summary>Looks until there is something to settle, or nobody has to look any more.</summary>
    public async Task SettleAsync(OperatorsSettle fault)
    {
        var loop = world.Loop;
        while (loop.Now.TotalSeconds < Math.Max(world.HealedAt, Planner.FaultySeconds))
        {
            // What may still arrive at the venue nobody settles.
            if (world.Checker.InDoubt.FirstOrDefault(o => o.SettledAt < world.Exchange.Now) is { } order)
            {
                world.Tally.Happened(fault);
                await SayAsync(order, confirms: false, Anna);
                await loop.DelayAsync(Think, loop.World);
                await SayAsync(order, confirms: true, Anna);
                await loop.DelayAsync(Think, loop.World);
                if (!world.Exchange.Orders.Exists(o => o.Asked.Id == order.Id))
                    await SayAsync(order, confirms: true, Ben);
                return;
            }
            await loop.DelayAsync(LookEvery, loop.World);
        }
    }

    /// <summary>As the Console does: recorded, and told to Execution.</summary>
    private async Task SayAsync(OrderState order, bool confirms, string by)
    {
        var trade = order.Intended.Trade;
        var request = DeterministicId.From("settle", order.Id.Value, by, confirms.ToString());
        var said = bug.Around(new OrderSettlementOrdered(trade, order.Id, request, confirms, "the plan", by));
        _said[request] = (by, said);
        var (store, bus) = (new SimStore(world.Disk, world.Loop, world.Loop.World), new SimBus(world.Broker, world.Loop, world.Loop.World, new SimClock(world.Loop, world.Loop.World)));
        IReadOnlyList<StoredEvent>? stored = null;
        while (true)
        {
            try
            {
                stored ??= await AppendAsync(store, said, trade);
                await bus.PublishAsync(Outgoing.From(stored, world.Codec, OperatorCommands.React));
                return;
            }
            catch (Exception e) when (e is EventStoreException or BusUnavailableException)
            {
                await world.Loop.DelayAsync(LookEvery, world.Loop.World);
            }
        }
    }

    private async Task<IReadOnlyList<StoredEvent>> AppendAsync(SimStore store, OrderSettlementOrdered said, TradeId trade)
    {
        var outcome = await store.AppendAsync(new AppendRequest
        {
            Stream = Streams.Audit(world.Exchange.Now),
            Expected = ExpectedVersion.Any,
            Decision = new Decision(said.Request, AuditConsumer),
            Events = [world.Codec.Encode(said)],
            At = world.Exchange.Now,
            Meta = new EventMeta(trade.Value, null, $"operator:{said.By}"),
        });
        return outcome is AppendOutcome.Appended appended ? appended.Events : ((AppendOutcome.AlreadyThere)outcome).Events;
    }
}
