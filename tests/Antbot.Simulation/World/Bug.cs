using Antbot.ConsoleService;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Store;
using Antbot.Runtime.Venue;

namespace Antbot.Simulation.World;

/// <summary>A mistake on purpose, put around what a process stands on, to see that it is found. None of them is in what is shipped.</summary>
public class Bug(string name, string what)
{
    public static Bug None { get; } = new("none", "nothing");

    public string Name { get; } = name;

    public string What { get; } = what;

    public virtual IEventStore Around(IEventStore store, SimProcess process) => store;

    public virtual IMessageBus Around(IMessageBus bus, SimProcess process) => bus;

    public virtual IVenue Around(IVenue venue, SimProcess process) => venue;

    public virtual OrderSettlementOrdered Around(OrderSettlementOrdered said) => said;
}
