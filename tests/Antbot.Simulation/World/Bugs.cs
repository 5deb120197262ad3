using Antbot.ConsoleService;
using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Execution;
using Antbot.Messaging;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Store;
using Antbot.Runtime.Venue;

namespace Antbot.Simulation.World;

/// <summary>The mistakes that bots of this kind are known for. Each has to be found, or the simulator proves nothing.</summary>
public static partial class Bugs
{
    public static IReadOnlyList<Bug> All { get; } =
    [
        new HandlerBug("entry-unapproved", "Risk's refusal is read as its approval", Invariant.Approved, m => m.Body is RiskDenied e ? new RiskApproved(e.Trade, new Money(100), e.Verdicts) : m.Body),
        new HandlerBug("larger-than-approved", "Execution is asked for twice what was approved", Invariant.Approved, m => Enlarged(m.Body, 2)),
        new HandlerBug("a-little-larger", "Execution is asked for 2 % more than was approved", Invariant.Exposure, m => Enlarged(m.Body, 1.02m)),
        new HandlerBug("stale-entry", "how long its signal is valid is lost on the way to Execution", Invariant.Fresh, m => m.Body is ExecuteTrade e ? e with { Signal = e.Signal with { ValidUntil = e.Signal.ValidUntil.AddHours(1) } } : m.Body),
        new HandlerBug("news-unreadable", "Risk cannot read what an entry has cost", Invariant.NothingDropped, m => m is { Endpoint: Routes.Risk, Body: TradeOpened } ? new object() : m.Body),
        new VenueBug("order-too-large", "an entry is sent with twice the quantity that was intended", Invariant.AsIntended, (inner, _) => new DoublingVenue(inner)),
        new StoreBug("exposure-overlooked", "what another instance has set aside is read as nothing", Invariant.Exposure, (inner, process) => new FreeStore(inner, process)),
        new StoreBug("escapes-the-thread", "an append is prepared on the thread pool", Invariant.OneThread, (inner, process) => new EscapingStore(inner, process)),
        new WholeBusBug("messages-multiply", "whatever was published once is published again with all that follows", Invariant.QueuesBounded, inner => new HoardingBus(inner)),
        new WholeBusBug("told-otherwise", "what an entry has cost is told as half of it", Invariant.PublishedIsCommitted, inner => new ChangingBus(inner)),
        new LedgerBug("chain-broken", "now and then an event is chained to the one before the last", Invariant.ChainHolds, links => new ForkedLedger(links)),
        new LedgerBug("event-lost", "an event is gone from the history", Invariant.Versions, links => new TornLedger(links)),
        new LedgerBug("history-rewritten", "what was approved is another amount when the history is read later", Invariant.SaidAgain, links => new RewrittenLedger(links)),
        new StoreBug("member-unread", "what is written has a member that nobody reads", Invariant.WrittenAsRead, (inner, _) => new ChangedStore(inner, r => Changed(r, Filled, WithMember))),
        new StoreBug("event-unreadable", "an event is written that nobody can read", Invariant.SimulationHolds, (inner, _) => new ChangedStore(inner, r => Changed(r, Filled, e => e with { Data = "{}"u8.ToArray() }))),
        new StoreBug("fill-recorded-twice", "each fill of an answer is recorded twice", Invariant.FillsOnce, (inner, _) => new ChangedStore(inner, r => r with { Events = [.. r.Events.SelectMany(e => Enumerable.Repeat(e, e.Type == Filled ? 2 : 1))] })),
        new StoreBug("approved-when-closed", "a trade that is closed is approved once more", Invariant.PhasesGoForward, (inner, _) => new RepeatingStore(inner)),
        new StoreBug("reservation-not-released", "Risk notes that an entry failed, and goes on holding what was set aside for it", Invariant.BooksAgree, (inner, process) => new KeepingStore(inner, process)),
        new StoreBug("outside-clock", "how long an append takes depends on the machine's own clock", Invariant.SameRun, (inner, process) => new ImpatientStore(inner, process)),
        new StoreBug("point-unknown", "a process can end where no plan lets it", Invariant.PointsKnown, (inner, process) => new PointedStore(inner, process)),
        new StoreBug("copy-behind", "a state is kept as that of a version which it does not know yet", Invariant.FoldedAgain, (inner, _) => new RashStore(inner)),
        new StoreBug("ack-before-append", "the caller is told that its events are in before they are", Invariant.PublishedIsCommitted, (inner, process) => new EarlyStore(inner, process, _ => true)),
        new StoreBug("send-before-append", "an order is sent while its attempt is still on its way into the store", Invariant.RecordedFirst, (inner, process) => new EarlyStore(inner, process, r => r.Events.Any(e => e.Type == Attempted))),
        new StoreBug("publish-before-commit", "what follows from a decision is said before it is recorded", Invariant.PublishedIsCommitted, (inner, process) => new EagerStore(inner, process)),
        new StoreBug("skip-the-id-check", "an input is not looked up: the same message again is a new decision", Invariant.OneEffect, (inner, _) => new ForgetfulStore(inner)),
        new StoreBug("stale-control", "an entry's append does not look at the control stream", Invariant.HaltHolds, (inner, _) => new ChangedStore(inner, r => r with { Guards = [] })),
        new StoreBug("skip-the-version-check", "two decisions are made on the same state", Invariant.DecidedAgain, (inner, _) => new ChangedStore(inner, r => r with { Expected = ExpectedVersion.Any })),
        new StoreBug("said-by-its-message-alone", "what followed from somebody's word is left to its message to say, which comes again after a crash and says no more than itself", Invariant.CommittedIsPublished, (inner, _) => new ChangedStore(inner, r => r.Meta.Actor == TradeRunner.Worker ? r with { Meta = r.Meta with { Actor = $"service:{Routes.Execution}" } } : r)),
        new StoreBug("tail-skips", "who follows the history passes over an event now and then", Invariant.CommittedIsPublished, (inner, _) => new SkippingStore(inner)),
        new StoreBug("tail-by-sequence", "who follows the history goes by its sequences alone", Invariant.ComesToRest, (inner, _) => new SequenceStore(inner)),
        new StoreBug("halt-stops-exits", "what is halted cannot get out either", Invariant.ComesToRest, (inner, process) => new HaltedStore(inner, process)),
        new StoreBug("adopt-twice", "that a balance is about to be adopted is forgotten at once", Invariant.OneOwner, (inner, _) => new OverlookingStore(inner)),
        new WholeBusBug("confirms-are-not-awaited", "what the broker has not confirmed is believed to be there", Invariant.CommittedIsPublished, inner => new DeafBus(inner)),
        new BusBug("publish-is-forgotten", "some messages are never sent, and their sender believes that they were", Invariant.ComesToRest, m => m.Id.ToByteArray()[0] < 24),
        new BusBug("close-not-counted", "Risk is not told that a trade was closed", Invariant.CommittedIsPublished, m => m is { Endpoint: Routes.Risk, Body: TradeClosed }),
        new BusBug("not-reconciled", "nobody asks Reconciliation", Invariant.Reconciled, m => m.Body is VerifyTrade),
        new BusBug("nothing-is-adopted", "Execution is not told what somebody else has bought", Invariant.Remedied, m => m.Body is AdoptPosition),
        new BusBug("nothing-is-written-off", "Execution is not told what the venue does not hold any more", Invariant.ComesToRest, m => m.Body is WriteOffPosition),
        new VenueBug("coins-overlooked", "the lines of the balances make no sense any more, and nobody minds", Invariant.BooksAgree, (inner, _) => new DimVenue(inner)),
        new VenueBug("blind-retry", "an order without an answer is sent again", Invariant.OneOrder, (inner, process) => new RetryingVenue(inner, process, sameWindow: false)),
        new VenueBug("unknown-is-rejected", "a time-out is taken for a refusal", Invariant.BooksAgree, (inner, _) => new SureVenue(inner)),
        new VenueBug("no-window", "a late order is signed anew on its way", Invariant.InWindow, (inner, process) => new RetryingVenue(inner, process, sameWindow: true)),
        new VenueBug("absent-at-once", "an order that cannot be found is believed never to come", Invariant.BooksAgree, (inner, _) => new HastyVenue(inner)),
        new VenueBug("fills-forgotten", "the second fill of an order is passed over", Invariant.ComesToRest, (inner, _) => new OneFillVenue(inner)),
        new VenueBug("fallback-after-unknown", "half of an entry is tried although nobody knows what became of the whole", Invariant.OneOrder, (inner, _) => new GivenUpVenue(inner)),
        new VenueBug("retry-whole-after-partial", "what was filled in part is taken for a refusal, and the whole is tried again", Invariant.OneOrder, (inner, _) => new AllOrNothingVenue(inner)),
        new VenueBug("absent-by-id-alone", "an order that is not found by its id is not looked for elsewhere", Invariant.BooksAgree, (inner, _) => new ShortSightedVenue(inner)),
        new LettersBug("letter-acknowledged-first", "a dead letter is acknowledged before it is recorded", Invariant.Conserved, inner => new HastyLetters(inner)),
        new SenderBug("replay-under-another-id", "what is sent once more is given an id of its own", Invariant.SentAsItWas, (inner, _) => new RenamingSender(inner)),
        new SenderBug("replay-made-fresh", "a signal that is sent once more is valid for another hour", Invariant.SentAsItWas, (inner, _) => new RefreshingSender(inner)),
        new SenderBug("replayed-when-sent", "a dead letter counts as replayed when it was sent", Invariant.LettersTrue, (inner, console) => new SureSender(inner, console)),
        new StoreBug("effect-overlooked", "what was decided on a dead letter's message is not found", Invariant.LettersTrue, (inner, process) => process.Service == SimConsole.Service ? new ShortSightedStore(inner) : inner),
        new StoreBug("selection-not-frozen", "what has died since a selection was made is sent with it", Invariant.SelectionFrozen, (inner, process) => new GrowingStore(inner, process)),
        new OperatorBug("resolve-by-one", "whoever confirms is somebody else by saying so", Invariant.TwoOperators, said => said.Confirms ? said with { By = "somebody-else" } : said),
        new VenueBug("found-out-late", "an order without an answer is not asked about for a minute and a half", Invariant.FoundOut, (inner, process) => new LateVenue(inner, process)),
        new VenueBug("cancel-is-forgotten", "an order whose cancelling was not answered is believed to rest for ever", Invariant.ComesToRest, (inner, _) => new StubbornVenue(inner)),
        new VenueBug("part-is-nothing", "what an order has filled is not heard before it is over", Invariant.Protected, (inner, _) => new PartBlindVenue(inner)),
        new VenueBug("open-is-filled", "an order that rests is reported as filled", Invariant.BooksAgree, (inner, _) => new HopefulVenue(inner)),
    ];

    public static Bug Find(string name) => All.FirstOrDefault(b => b.Name == name) ?? throw new ArgumentException($"There is no bug '{name}'. There are: {string.Join(", ", All.Select(b => b.Name))}.", nameof(name));

    private static object Enlarged(object body, decimal factor) => body is ExecuteTrade e
        ? new ExecuteTrade(e.Signal with { Notional = new Money(e.Signal.Notional.Value * factor) }, new Money(e.Reserved.Value * factor))
        : body;

    private sealed class StoreBug(string name, string what, Invariant shows, Func<IEventStore, SimProcess, IEventStore> around) : Bug(name, what, shows)
    {
        public override IEventStore Around(IEventStore store, SimProcess process) => around(store, process);
    }

    private sealed class VenueBug(string name, string what, Invariant shows, Func<IVenue, SimProcess, IVenue> around) : Bug(name, what, shows)
    {
        public override IVenue Around(IVenue venue, SimProcess process) => around(venue, process);
    }

    private sealed class BusBug(string name, string what, Invariant shows, Func<OutboundMessage, bool> drops) : Bug(name, what, shows)
    {
        public override IMessageBus Around(IMessageBus bus, SimProcess process) => new DroppingBus(bus, drops);
    }

    private sealed class OperatorBug(string name, string what, Invariant shows, Func<OrderSettlementOrdered, OrderSettlementOrdered> around) : Bug(name, what, shows)
    {
        public override OrderSettlementOrdered Around(OrderSettlementOrdered said) => around(said);
    }

    private sealed class WholeBusBug(string name, string what, Invariant shows, Func<IMessageBus, IMessageBus> around) : Bug(name, what, shows)
    {
        public override IMessageBus Around(IMessageBus bus, SimProcess process) => around(bus);
    }

    private sealed class LettersBug(string name, string what, Invariant shows, Func<IDeadLetters, IDeadLetters> around) : Bug(name, what, shows)
    {
        internal override IDeadLetters Around(IDeadLetters letters, SimConsole console) => around(letters);
    }

    private sealed class SenderBug(string name, string what, Invariant shows, Func<IDeadLetterSender, SimConsole, IDeadLetterSender> around) : Bug(name, what, shows)
    {
        internal override IDeadLetterSender Around(IDeadLetterSender sender, SimConsole console) => around(sender, console);
    }

    private sealed class HandlerBug(string name, string what, Invariant shows, Func<OutboundMessage, object> change) : Bug(name, what, shows)
    {
        public override OutboundMessage Around(OutboundMessage message, SimProcess process) => message with { Body = change(message) };
    }

    private sealed class LedgerBug(string name, string what, Invariant shows, Func<ILedger, ILedger> around) : Bug(name, what, shows)
    {
        public override ILedger Around(ILedger ledger) => around(ledger);
    }
}
