using System.Runtime.CompilerServices;
using System.Text;
using Antbot.ConsoleService;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;
using Antbot.Kernel.Control;
using Antbot.Kernel.Identity;
using Antbot.Kernel.Proof;
using Antbot.Risk.Core;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Antbot.Runtime.Venue;
using Streams = Antbot.Contracts.Streams;

namespace Antbot.Simulation.World;

/// <summary>The mistakes that bots of this kind are known for. Each has to be found, or the simulator proves nothing.</summary>
public static class Bugs
{
    public static IReadOnlyList<Bug> All { get; } =
    [
        new HandlerBug("entry-unapproved", "Risk's refusal is read as its approval", Invariant.Approved, body => body is RiskDenied e ? new RiskApproved(e.Trade, new Money(100), e.Verdicts) : body),
        new HandlerBug("larger-than-approved", "Execution is asked for twice what was approved", Invariant.Approved, body => body is ExecuteTrade e ? new ExecuteTrade(e.Signal with { Notional = e.Signal.Notional + e.Signal.Notional }, e.Reserved + e.Reserved) : body),
        new HandlerBug("stale-entry", "how long its signal is valid is lost on the way to Execution", Invariant.Fresh, body => body is ExecuteTrade e ? e with { Signal = e.Signal with { ValidUntil = e.Signal.ValidUntil.AddHours(1) } } : body),
        new VenueBug("order-too-large", "an entry is sent with twice the quantity that was intended", Invariant.AsIntended, (inner, _) => new DoublingVenue(inner)),
        new StoreBug("exposure-overlooked", "what another instance has set aside is read as nothing", Invariant.Exposure, (inner, process) => new FreeStore(inner, process)),
        new StoreBug("escapes-the-thread", "an append is prepared on the thread pool", Invariant.OneThread, (inner, process) => new EscapingStore(inner, process)),
        new WholeBusBug("messages-multiply", "whatever was published once is published again with all that follows", Invariant.QueuesBounded, inner => new HoardingBus(inner)),
        new WholeBusBug("told-otherwise", "what an entry has cost is told as half of it", Invariant.PublishedIsCommitted, inner => new ChangingBus(inner)),
        new LedgerBug("chain-broken", "now and then an event is chained to the one before the last", Invariant.ChainHolds, links => new ForkedLedger(links)),
        new LedgerBug("event-lost", "an event is gone from the history", Invariant.Versions, links => new TornLedger(links)),
        new StoreBug("copy-behind", "a state is kept as that of a version which it does not know yet", Invariant.FoldedAgain, (inner, _) => new RashStore(inner)),
        new StoreBug("ack-before-append", "the caller is told that its events are in before they are", Invariant.PublishedIsCommitted, (inner, process) => new EarlyStore(inner, process)),
        new StoreBug("publish-before-commit", "what follows from a decision is said before it is recorded", Invariant.PublishedIsCommitted, (inner, process) => new EagerStore(inner, process)),
        new StoreBug("skip-the-id-check", "an input is not looked up: the same message again is a new decision", Invariant.OneEffect, (inner, _) => new ForgetfulStore(inner)),
        new StoreBug("stale-control", "an entry's append does not look at the control stream", Invariant.HaltHolds, (inner, _) => new ChangedStore(inner, r => r with { Guards = [] })),
        new StoreBug("skip-the-version-check", "two decisions are made on the same state", Invariant.DecidedAgain, (inner, _) => new ChangedStore(inner, r => r with { Expected = ExpectedVersion.Any })),
        new StoreBug("tail-skips", "who follows the history passes over an event now and then", Invariant.CommittedIsPublished, (inner, _) => new SkippingStore(inner)),
        new StoreBug("tail-by-sequence", "who follows the history goes by its sequences alone", Invariant.ComesToRest, (inner, _) => new SequenceStore(inner)),
        new StoreBug("halt-stops-exits", "what is halted cannot get out either", Invariant.ComesToRest, (inner, process) => new HaltedStore(inner, process)),
        new StoreBug("adopt-twice", "that a balance is about to be adopted is forgotten at once", Invariant.OneOwner, (inner, _) => new OverlookingStore(inner)),
        new WholeBusBug("confirms-are-not-awaited", "what the broker has not confirmed is believed to be there", Invariant.CommittedIsPublished, inner => new DeafBus(inner)),
        new BusBug("publish-is-forgotten", "some messages are never sent, and their sender believes that they were", Invariant.ComesToRest, m => m.Id.ToByteArray()[0] < 24),
        new BusBug("reservation-not-released", "Risk is not told that an entry failed", Invariant.CommittedIsPublished, m => m is { Endpoint: Routes.Risk, Body: EntryFailed }),
        new BusBug("close-not-counted", "Risk is not told that a trade was closed", Invariant.CommittedIsPublished, m => m is { Endpoint: Routes.Risk, Body: TradeClosed }),
        new BusBug("not-reconciled", "nobody asks Reconciliation", Invariant.Reconciled, m => m.Body is VerifyTrade),
        new BusBug("nothing-is-written-off", "Execution is not told what the venue does not hold any more", Invariant.ComesToRest, m => m.Body is WriteOffPosition),
        new VenueBug("coins-overlooked", "a line of the balances makes no sense, and nobody looks at the others", Invariant.BooksAgree, (inner, _) => new DimVenue(inner)),
        new VenueBug("blind-retry", "an order without an answer is sent again", Invariant.OneOrder, (inner, process) => new RetryingVenue(inner, process, sameWindow: false)),
        new VenueBug("unknown-is-rejected", "a time-out is taken for a refusal", Invariant.BooksAgree, (inner, _) => new SureVenue(inner)),
        new VenueBug("no-window", "a late order is signed anew on its way", Invariant.InWindow, (inner, process) => new RetryingVenue(inner, process, sameWindow: true)),
        new VenueBug("absent-at-once", "an order that cannot be found is believed never to come", Invariant.BooksAgree, (inner, _) => new HastyVenue(inner)),
        new VenueBug("fills-forgotten", "the second fill of an order is passed over", Invariant.ComesToRest, (inner, _) => new OneFillVenue(inner)),
        new VenueBug("fallback-after-unknown", "half of an entry is tried although nobody knows what became of the whole", Invariant.OneOrder, (inner, _) => new GivenUpVenue(inner)),
        new VenueBug("retry-whole-after-partial", "what was filled in part is taken for a refusal, and the whole is tried again", Invariant.OneOrder, (inner, _) => new AllOrNothingVenue(inner)),
        new VenueBug("absent-by-id-alone", "an order that is not found by its id is not looked for elsewhere", Invariant.BooksAgree, (inner, _) => new ShortSightedVenue(inner)),
        new OperatorBug("resolve-by-one", "whoever confirms is somebody else by saying so", Invariant.TwoOperators, said => said.Confirms ? said with { By = "somebody-else" } : said),
        new VenueBug("open-is-filled", "an order that rests is reported as filled", Invariant.BooksAgree, (inner, _) => new HopefulVenue(inner)),
    ];

    public static Bug Find(string name) => All.FirstOrDefault(b => b.Name == name) ?? throw new ArgumentException($"There is no bug '{name}'. There are: {string.Join(", ", All.Select(b => b.Name))}.", nameof(name));

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

    private sealed class HandlerBug(string name, string what, Invariant shows, Func<object, object> change) : Bug(name, what, shows)
    {
        public override OutboundMessage Around(OutboundMessage message, SimProcess process) => message with { Body = change(message.Body) };
    }

    private sealed class LedgerBug(string name, string what, Invariant shows, Func<ILedger, ILedger> around) : Bug(name, what, shows)
    {
        public override ILedger Around(ILedger ledger) => around(ledger);
    }

    private sealed class DeafBus(IMessageBus inner) : IMessageBus
    {
        public async Task PublishAsync(IReadOnlyList<OutboundMessage> messages, CancellationToken cancellationToken = default)
        {
            try
            {
                await inner.PublishAsync(messages, cancellationToken);
            }
            catch (BusUnavailableException)
            {
                // Nobody listens.
            }
        }
    }

    private sealed class DroppingBus(IMessageBus inner, Func<OutboundMessage, bool> drops) : IMessageBus
    {
        public Task PublishAsync(IReadOnlyList<OutboundMessage> messages, CancellationToken cancellationToken = default) =>
            inner.PublishAsync([.. messages.Where(m => !drops(m))], cancellationToken);
    }

    private sealed class HoardingBus(IMessageBus inner) : IMessageBus
    {
        private readonly List<OutboundMessage> _hoard = [];

        public Task PublishAsync(IReadOnlyList<OutboundMessage> messages, CancellationToken cancellationToken = default)
        {
            _hoard.AddRange(messages);
            return inner.PublishAsync([.. _hoard], cancellationToken);
        }
    }

    private sealed class ChangingBus(IMessageBus inner) : IMessageBus
    {
        public Task PublishAsync(IReadOnlyList<OutboundMessage> messages, CancellationToken cancellationToken = default) =>
            inner.PublishAsync([.. messages.Select(m => m.Body is TradeOpened e ? m with { Body = e with { Cost = new Money(e.Cost.Value / 2) } } : m)], cancellationToken);
    }

    private class OverLedger(ILedger inner) : ILedger
    {
        public Task<LedgerHead> ReadHeadAsync(CancellationToken cancellationToken = default) => inner.ReadHeadAsync(cancellationToken);

        public virtual IAsyncEnumerable<LedgerLink> ReadLinksAsync(long afterPosition = 0, CancellationToken cancellationToken = default) => inner.ReadLinksAsync(afterPosition, cancellationToken);

        public Task<IReadOnlyList<HeadMismatch>> FindHeadMismatchesAsync(int limit, CancellationToken cancellationToken = default) => inner.FindHeadMismatchesAsync(limit, cancellationToken);

        public Task<IReadOnlyList<StoredEvent>> FindUnsealedAsync(int limit, CancellationToken cancellationToken = default) => inner.FindUnsealedAsync(limit, cancellationToken);

        public Task<SealSummary> SealAsync(int limit, long afterSequence = long.MinValue, CancellationToken cancellationToken = default) => inner.SealAsync(limit, afterSequence, cancellationToken);

        public Task<IReadOnlyList<Checkpoint>> ReadCheckpointsAsync(CancellationToken cancellationToken = default) => inner.ReadCheckpointsAsync(cancellationToken);

        public Task SaveCheckpointAsync(Checkpoint checkpoint, CancellationToken cancellationToken = default) => inner.SaveCheckpointAsync(checkpoint, cancellationToken);

        public Task ImportAsync(Guid storeId, IReadOnlyList<LedgerLink> links, CancellationToken cancellationToken = default) => inner.ImportAsync(storeId, links, cancellationToken);
    }

    /// <summary>As two that commit at once without the lock would: each link is right by itself, and stands beside another.</summary>
    private sealed class ForkedLedger(ILedger inner) : OverLedger(inner)
    {
        private const long Every = 40;

        public override async IAsyncEnumerable<LedgerLink> ReadLinksAsync(long afterPosition = 0, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            var before = Array.Empty<byte>();
            await foreach (var link in base.ReadLinksAsync(afterPosition, cancellationToken))
            {
                yield return link.Position % Every == 0
                    ? link with { PreviousHash = before, Hash = ChainLink.Hash(before, link.Event!.ContentHash(), link.Position, link.Sequence, link.Event.Version, link.Foreign) }
                    : link;
                before = link.PreviousHash;
            }
        }
    }

    private sealed class TornLedger(ILedger inner) : OverLedger(inner)
    {
        private const long Lost = 50;

        public override async IAsyncEnumerable<LedgerLink> ReadLinksAsync(long afterPosition = 0, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            await foreach (var link in base.ReadLinksAsync(afterPosition, cancellationToken))
            {
                if (link.Position != Lost)
                    yield return link;
            }
        }
    }

    private class OverStore(IEventStore inner) : IEventStore
    {
        public ILedger Ledger => inner.Ledger;

        public long AppendMark => inner.AppendMark;

        public virtual Task<AppendOutcome> AppendAsync(AppendRequest request, CancellationToken cancellationToken = default) => inner.AppendAsync(request, cancellationToken);

        public virtual Task<IReadOnlyList<StoredEvent>> FindDecisionAsync(Decision decision, CancellationToken cancellationToken = default) => inner.FindDecisionAsync(decision, cancellationToken);

        public Task<long> ReadVersionAsync(StreamId stream, CancellationToken cancellationToken = default) => inner.ReadVersionAsync(stream, cancellationToken);

        public virtual IAsyncEnumerable<StoredEvent> ReadStreamAsync(StreamId stream, long fromVersion = 1, CancellationToken cancellationToken = default) => inner.ReadStreamAsync(stream, fromVersion, cancellationToken);

        public virtual Task<IReadOnlyList<StoredEvent>> ReadPageAsync(long afterSequence, int limit, CancellationToken cancellationToken = default) => inner.ReadPageAsync(afterSequence, limit, cancellationToken);

        public Task<IReadOnlyList<StoredEvent>> FindByCorrelationAsync(string correlationId, int limit = 1_000, CancellationToken cancellationToken = default) => inner.FindByCorrelationAsync(correlationId, limit, cancellationToken);

        public Task WaitForAppendAsync(long mark, TimeSpan atMost, CancellationToken cancellationToken = default) => inner.WaitForAppendAsync(mark, atMost, cancellationToken);

        public Task<long> LoadCheckpointAsync(string subscription, CancellationToken cancellationToken = default) => inner.LoadCheckpointAsync(subscription, cancellationToken);

        public Task SaveCheckpointAsync(string subscription, long sequence, CancellationToken cancellationToken = default) => inner.SaveCheckpointAsync(subscription, sequence, cancellationToken);

        public Task<Snapshot?> LoadSnapshotAsync(StreamId stream, string name, CancellationToken cancellationToken = default) => inner.LoadSnapshotAsync(stream, name, cancellationToken);

        public virtual Task SaveSnapshotAsync(Snapshot snapshot, CancellationToken cancellationToken = default) => inner.SaveSnapshotAsync(snapshot, cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }

    private sealed class FreeStore(IEventStore inner, SimProcess process) : OverStore(inner)
    {
        public override async IAsyncEnumerable<StoredEvent> ReadStreamAsync(StreamId stream, long fromVersion = 1, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            await foreach (var stored in base.ReadStreamAsync(stream, fromVersion, cancellationToken))
            {
                yield return stream.Value.StartsWith(Streams.AccountPrefix, StringComparison.Ordinal) && process.Parts.Codec.Decode(stored) is ExposureReserved e
                    ? stored with { Data = process.Parts.Codec.Encode(e with { Reserved = Money.Zero }).Data }
                    : stored;
            }
        }
    }

    /// <summary>It is waited for, so that it is the same in every run.</summary>
    private sealed class EscapingStore(IEventStore inner, SimProcess process) : OverStore(inner)
    {
        public override Task<AppendOutcome> AppendAsync(AppendRequest request, CancellationToken cancellationToken = default)
        {
            ReadTheClockElsewhere();
            return base.AppendAsync(request, cancellationToken);
        }

        private void ReadTheClockElsewhere()
        {
            using var read = new ManualResetEventSlim();
            ThreadPool.UnsafeQueueUserWorkItem(
                _ =>
                {
                    process.Clock.GetUtcNow();
                    read.Set();
                },
                null);
            read.Wait(CancellationToken.None);
        }
    }

    private sealed class RashStore(IEventStore inner) : OverStore(inner)
    {
        public override Task SaveSnapshotAsync(Snapshot snapshot, CancellationToken cancellationToken = default) => base.SaveSnapshotAsync(snapshot with { Version = snapshot.Version + 1 }, cancellationToken);
    }

    private sealed class EarlyStore(IEventStore inner, SimProcess process) : OverStore(inner)
    {
        private long _told;

        public override async Task<AppendOutcome> AppendAsync(AppendRequest request, CancellationToken cancellationToken = default)
        {
            if (request.Expected.Value < 0)
                return await base.AppendAsync(request, cancellationToken);
            var there = await FindDecisionAsync(request.Decision, cancellationToken);
            if (there.Count > 0)
                return new AppendOutcome.AlreadyThere(there);
            _ = LaterAsync(request);
            var prepared = PreparedAppend.From(request);
            return new AppendOutcome.Appended(prepared.ToStored(request.Expected.Value + 1, 1, [.. Enumerable.Range(0, prepared.Events.Count).Select(_ => ++_told)]));
        }

        private async Task LaterAsync(AppendRequest request)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), process.Clock);
            await base.AppendAsync(request);
        }
    }

    private sealed class EagerStore(IEventStore inner, SimProcess process) : OverStore(inner)
    {
        public override async Task<AppendOutcome> AppendAsync(AppendRequest request, CancellationToken cancellationToken = default)
        {
            var prepared = PreparedAppend.From(request);
            var stored = prepared.ToStored(Math.Max(0, request.Expected.Value) + 1, 0, new long[prepared.Events.Count]);
            var messages = Outgoing.From(stored, process.Parts.Codec, e => Checker.React(request.Stream.Value, e));
            if (messages.Count > 0)
                await process.Parts.Bus.PublishAsync(messages, cancellationToken);
            return await base.AppendAsync(request, cancellationToken);
        }
    }

    private sealed class HaltedStore(IEventStore inner, SimProcess process) : OverStore(inner)
    {
        public override async Task<AppendOutcome> AppendAsync(AppendRequest request, CancellationToken cancellationToken = default)
        {
            var control = await process.Parts.Loader.LoadAsync(Streams.Control, ControlState.Fold, cancellationToken);
            return control.State.EntryBar is not null && request.Events.Any(e => e.Type == "order_attempted")
                ? throw new EventStoreException(StoreFault.Unavailable, "Nothing is sent while everything is halted.")
                : await base.AppendAsync(request, cancellationToken);
        }
    }

    private sealed class SequenceStore(IEventStore inner) : OverStore(inner)
    {
        public override async Task<IReadOnlyList<StoredEvent>> ReadPageAsync(long afterSequence, int limit, CancellationToken cancellationToken = default)
        {
            var all = await base.ReadPageAsync(0, 10_000, cancellationToken);
            return [.. all.Where(e => e.Sequence > afterSequence).OrderBy(e => e.Sequence).Take(limit)];
        }
    }

    /// <summary>What was decided is read as if it had been about something else.</summary>
    private sealed class OverlookingStore(IEventStore inner) : OverStore(inner)
    {
        private static readonly string Decided = StoredNameAttribute.Of(typeof(AdoptionDecided));

        public override async IAsyncEnumerable<StoredEvent> ReadStreamAsync(StreamId stream, long fromVersion = 1, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            await foreach (var stored in base.ReadStreamAsync(stream, fromVersion, cancellationToken))
                yield return stored.Type == Decided ? stored with { Data = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(stored.Data.Span).Replace("\"Balance:", "\"Nothing:", StringComparison.Ordinal)) } : stored;
        }
    }

    private sealed class ForgetfulStore(IEventStore inner) : OverStore(inner)
    {
        private long _decisions;

        public override Task<AppendOutcome> AppendAsync(AppendRequest request, CancellationToken cancellationToken = default) =>
            base.AppendAsync(request with { Decision = new Decision(DeterministicId.From("forgotten", request.Decision.EventId(0).ToString("N"), (++_decisions).ToString()), "forgetful") }, cancellationToken);

        public override Task<IReadOnlyList<StoredEvent>> FindDecisionAsync(Decision decision, CancellationToken cancellationToken = default) => Task.FromResult<IReadOnlyList<StoredEvent>>([]);
    }

    private sealed class ChangedStore(IEventStore inner, Func<AppendRequest, AppendRequest> change) : OverStore(inner)
    {
        public override Task<AppendOutcome> AppendAsync(AppendRequest request, CancellationToken cancellationToken = default) => base.AppendAsync(change(request), cancellationToken);
    }

    private sealed class SkippingStore(IEventStore inner) : OverStore(inner)
    {
        public override async Task<IReadOnlyList<StoredEvent>> ReadPageAsync(long afterSequence, int limit, CancellationToken cancellationToken = default)
        {
            var page = await base.ReadPageAsync(afterSequence, limit, cancellationToken);
            return page.Count > 1 ? [.. page.Where((e, i) => i == page.Count - 1 || e.Sequence % 3 != 0)] : page;
        }
    }

    private static VenueAnswer<OrderReport> TooMany() => new VenueAnswer<OrderReport>.Refused(Refusal.RateLimited, "-1003", "Too much request weight used.");

    private class OverVenue(IVenue inner) : IVenue
    {
        public string Name => inner.Name;

        public AccountId Account => inner.Account;

        public bool IsPaper => inner.IsPaper;

        public virtual DateTimeOffset? Now => inner.Now;

        public string? LiveBar => inner.LiveBar;

        public Task<VenueAnswer<DateTimeOffset>> MeasureClockAsync(CancellationToken cancellationToken = default) => inner.MeasureClockAsync(cancellationToken);

        public Task<VenueAnswer<IReadOnlyList<SymbolRules>>> ReadRulesAsync(CancellationToken cancellationToken = default) => inner.ReadRulesAsync(cancellationToken);

        public virtual Task<VenueAnswer<OrderReport>> PlaceAsync(VenueOrder order, CancellationToken cancellationToken = default) => inner.PlaceAsync(order, cancellationToken);

        public virtual Task<VenueAnswer<OrderReport>> FindOrderAsync(Symbol symbol, ClientOrderId order, CancellationToken cancellationToken = default) => inner.FindOrderAsync(symbol, order, cancellationToken);

        public virtual Task<VenueAnswer<OrderReport>> FindOrderAsync(Symbol symbol, string venueOrderId, CancellationToken cancellationToken = default) => inner.FindOrderAsync(symbol, venueOrderId, cancellationToken);

        public virtual Task<VenueAnswer<IReadOnlyList<FillReport>>> ListFillsAsync(Symbol symbol, DateTimeOffset since, CancellationToken cancellationToken = default) => inner.ListFillsAsync(symbol, since, cancellationToken);

        public Task<VenueAnswer<OrderReport>> CancelAsync(Symbol symbol, ClientOrderId order, CancellationToken cancellationToken = default) => inner.CancelAsync(symbol, order, cancellationToken);

        public virtual Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListOpenOrdersAsync(CancellationToken cancellationToken = default) => inner.ListOpenOrdersAsync(cancellationToken);

        public virtual Task<VenueAnswer<IReadOnlyList<FillReport>>> ListFillsAsync(Symbol symbol, string venueOrderId, CancellationToken cancellationToken = default) => inner.ListFillsAsync(symbol, venueOrderId, cancellationToken);

        public virtual Task<VenueAnswer<IReadOnlyList<Balance>>> ReadBalancesAsync(CancellationToken cancellationToken = default) => inner.ReadBalancesAsync(cancellationToken);

        public Task<VenueAnswer<KeyPermissions>> ReadPermissionsAsync(CancellationToken cancellationToken = default) => inner.ReadPermissionsAsync(cancellationToken);
    }

    private sealed class RetryingVenue(IVenue inner, SimProcess process, bool sameWindow) : OverVenue(inner)
    {
        public override async Task<VenueAnswer<OrderReport>> PlaceAsync(VenueOrder order, CancellationToken cancellationToken = default)
        {
            var answer = await base.PlaceAsync(order, cancellationToken);
            if (answer is not VenueAnswer<OrderReport>.Unknown)
                return answer;
            await Task.Delay(TimeSpan.FromSeconds(sameWindow ? 3 : 0.1), process.Clock, cancellationToken);
            return await base.PlaceAsync(order with { SignedAt = Now ?? order.SignedAt }, cancellationToken);
        }
    }

    private sealed class DoublingVenue(IVenue inner) : OverVenue(inner)
    {
        public override Task<VenueAnswer<OrderReport>> PlaceAsync(VenueOrder order, CancellationToken cancellationToken = default) =>
            base.PlaceAsync(order.Id.Role == OrderRole.Entry ? order with { Quantity = order.Quantity + order.Quantity } : order, cancellationToken);
    }

    private sealed class SureVenue(IVenue inner) : OverVenue(inner)
    {
        public override async Task<VenueAnswer<OrderReport>> PlaceAsync(VenueOrder order, CancellationToken cancellationToken = default)
        {
            var answer = await base.PlaceAsync(order, cancellationToken);
            return answer is VenueAnswer<OrderReport>.Unknown unknown ? new VenueAnswer<OrderReport>.Refused(Refusal.Other, "-1", unknown.Text) : answer;
        }
    }

    /// <summary>An entry without an answer is given up, and every further try at it refused.</summary>
    private sealed class GivenUpVenue(IVenue inner) : OverVenue(inner)
    {
        private readonly HashSet<ClientOrderId> _givenUp = [];

        public override async Task<VenueAnswer<OrderReport>> PlaceAsync(VenueOrder order, CancellationToken cancellationToken = default)
        {
            if (_givenUp.Contains(order.Id))
                return TooMany();
            var answer = await base.PlaceAsync(order, cancellationToken);
            if (order.Id.Role != OrderRole.Entry || answer is not VenueAnswer<OrderReport>.Unknown)
                return answer;
            _givenUp.Add(order.Id);
            return TooMany();
        }
    }

    private sealed class AllOrNothingVenue(IVenue inner) : OverVenue(inner)
    {
        public override async Task<VenueAnswer<OrderReport>> PlaceAsync(VenueOrder order, CancellationToken cancellationToken = default)
        {
            var answer = await base.PlaceAsync(order, cancellationToken);
            return answer is VenueAnswer<OrderReport>.Said { Value: { Status: VenueOrderStatus.PartiallyFilled } }
                ? TooMany()
                : answer;
        }
    }

    private sealed class ShortSightedVenue(IVenue inner) : OverVenue(inner)
    {
        public override Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListOpenOrdersAsync(CancellationToken cancellationToken = default) =>
            Task.FromResult<VenueAnswer<IReadOnlyList<OrderReport>>>(new VenueAnswer<IReadOnlyList<OrderReport>>.Said([]));

        public override Task<VenueAnswer<IReadOnlyList<FillReport>>> ListFillsAsync(Symbol symbol, DateTimeOffset since, CancellationToken cancellationToken = default) =>
            Task.FromResult<VenueAnswer<IReadOnlyList<FillReport>>>(new VenueAnswer<IReadOnlyList<FillReport>>.Said([]));
    }

    /// <summary>Once an answer has failed to come, its clock says that the order's window has passed already.</summary>
    private sealed class HastyVenue(IVenue inner) : OverVenue(inner)
    {
        private static readonly TimeSpan Haste = TimeSpan.FromSeconds(20);

        private bool _hasty;

        public override DateTimeOffset? Now => base.Now + (_hasty ? Haste : TimeSpan.Zero);

        public override async Task<VenueAnswer<OrderReport>> PlaceAsync(VenueOrder order, CancellationToken cancellationToken = default)
        {
            var signed = order.SignedAt > base.Now + Haste / 2 ? order with { SignedAt = order.SignedAt - Haste } : order;
            var answer = await base.PlaceAsync(signed, cancellationToken);
            _hasty |= answer is VenueAnswer<OrderReport>.Unknown;
            return answer;
        }
    }

    /// <summary>After what the account began with, which is known.</summary>
    private sealed class DimVenue(IVenue inner) : OverVenue(inner)
    {
        private int _asked;

        public override async Task<VenueAnswer<IReadOnlyList<Balance>>> ReadBalancesAsync(CancellationToken cancellationToken = default)
        {
            var answer = await base.ReadBalancesAsync(cancellationToken);
            return answer is VenueAnswer<IReadOnlyList<Balance>>.Said said && _asked++ > 0 ? said with { PassedOver = 1 } : answer;
        }
    }

    private sealed class OneFillVenue(IVenue inner) : OverVenue(inner)
    {
        public override async Task<VenueAnswer<IReadOnlyList<FillReport>>> ListFillsAsync(Symbol symbol, string venueOrderId, CancellationToken cancellationToken = default) =>
            await base.ListFillsAsync(symbol, venueOrderId, cancellationToken) is VenueAnswer<IReadOnlyList<FillReport>>.Said { Value: { Count: > 1 } fills }
                ? new VenueAnswer<IReadOnlyList<FillReport>>.Said([fills[0]])
                : await base.ListFillsAsync(symbol, venueOrderId, cancellationToken);
    }

    private sealed class HopefulVenue(IVenue inner) : OverVenue(inner)
    {
        public override async Task<VenueAnswer<OrderReport>> FindOrderAsync(Symbol symbol, ClientOrderId order, CancellationToken cancellationToken = default) =>
            await base.FindOrderAsync(symbol, order, cancellationToken) is VenueAnswer<OrderReport>.Said { Value: { IsOver: false } report }
                ? new VenueAnswer<OrderReport>.Said(report with { Status = VenueOrderStatus.Filled })
                : await base.FindOrderAsync(symbol, order, cancellationToken);
    }
}
