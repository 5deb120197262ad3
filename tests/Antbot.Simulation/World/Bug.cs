using Antbot.ConsoleService;
using Antbot.Messaging;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Store;
using Antbot.Runtime.Venue;

namespace Antbot.Simulation.World;

/// <summary>A mistake on purpose, put around what a process stands on, to see that it is found. None of them is in what is shipped.</summary>
/// <param name="shows">What it breaks: a run under it that breaks something else has not found it. Null where there is no mistake.</param>
public class Bug(string name, string what, Invariant? shows)
{
    public static Bug None { get; } = new("none", "nothing", shows: null);

    public string Name { get; } = name;

    public string What { get; } = what;

    public Invariant? Shows { get; } = shows;

    /// <summary>Whether this is what was looked for: anything at all where there is no mistake.</summary>
    public bool IsShownBy(IEnumerable<Violation> violations) => violations.Any(v => Shows is null || v.Broken == Shows);

    public virtual IEventStore Around(IEventStore store, SimProcess process) => store;

    public virtual IMessageBus Around(IMessageBus bus, SimProcess process) => bus;

    public virtual IVenue Around(IVenue venue, SimProcess process) => venue;

    public virtual ILedger Around(ILedger ledger) => ledger;

    internal virtual IDeadLetters Around(IDeadLetters letters, SimConsole console) => letters;

    internal virtual IDeadLetterSender Around(IDeadLetterSender sender, SimConsole console) => sender;

    /// <summary>What the process is given to handle.</summary>
    public virtual OutboundMessage Around(OutboundMessage message, SimProcess process) => message;

    public virtual OrderSettlementOrdered Around(OrderSettlementOrdered said) => said;
}
