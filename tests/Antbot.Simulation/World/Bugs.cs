using System.Runtime.CompilerServices;
using System.Text;
using Antbot.ConsoleService;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;
using Antbot.Kernel.Control;
using Antbot.Kernel.Identity;
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
        new StoreBug("ack-before-append", "the caller is told that its events are in before they are", (inner, process) => new EarlyStore(inner, process)),
        new StoreBug("publish-before-commit", "what follows from a decision is said before it is recorded", (inner, process) => new EagerStore(inner, process)),
        new StoreBug("skip-the-id-check", "an input is not looked up: the same message again is a new decision", (inner, _) => new ForgetfulStore(inner)),
        new StoreBug("stale-control", "an entry's append does not look at the control stream", (inner, _) => new ChangedStore(inner, r => r with { Guards = [] })),
        new StoreBug("skip-the-version-check", "two decisions are made on the same state", (inner, _) => new ChangedStore(inner, r => r with { Expected = ExpectedVersion.Any })),
        new StoreBug("tail-skips", "who follows the history passes over an event now and then", (inner, _) => new SkippingStore(inner)),
        new StoreBug("tail-by-sequence", "who follows the history goes by its sequences alone", (inner, _) => new SequenceStore(inner)),
        new StoreBug("halt-stops-exits", "what is halted cannot get out either", (inner, process) => new HaltedStore(inner, process)),
        new StoreBug("adopt-twice", "that a balance is about to be adopted is forgotten at once", (inner, _) => new OverlookingStore(inner)),
        new PatientBug("confirms-are-not-awaited", "what the broker has not confirmed is believed to be there"),
        new BusBug("publish-is-forgotten", "some messages are never sent, and their sender believes that they were", m => m.Id.ToByteArray()[0] < 24),
        new BusBug("reservation-not-released", "Risk is not told that an entry failed", m => m is { Endpoint: Routes.Risk, Body: EntryFailed }),
        new BusBug("close-not-counted", "Risk is not told that a trade was closed", m => m is { Endpoint: Routes.Risk, Body: TradeClosed }),
        new BusBug("not-reconciled", "nobody asks Reconciliation", m => m.Body is VerifyTrade),
        new BusBug("nothing-is-written-off", "Execution is not told what the venue does not hold any more", m => m.Body is WriteOffPosition),
        new VenueBug("coins-overlooked", "a line of the balances makes no sense, and nobody looks at the others", (inner, _) => new DimVenue(inner)),
        new VenueBug("blind-retry", "an order without an answer is sent again", (inner, process) => new RetryingVenue(inner, process, sameWindow: false)),
        new VenueBug("unknown-is-rejected", "a time-out is taken for a refusal", (inner, _) => new SureVenue(inner)),
        new VenueBug("no-window", "a late order is signed anew on its way", (inner, process) => new RetryingVenue(inner, process, sameWindow: true)),
        new VenueBug("absent-at-once", "an order that cannot be found is believed never to come", (inner, _) => new HastyVenue(inner)),
        new VenueBug("fills-forgotten", "the second fill of an order is passed over", (inner, _) => new OneFillVenue(inner)),
        new VenueBug("fallback-after-unknown", "half of an entry is tried although nobody knows what became of the whole", (inner, _) => new GivenUpVenue(inner)),
        new VenueBug("retry-whole-after-partial", "what was filled in part is taken for a refusal, and the whole is tried again", (inner, _) => new AllOrNothingVenue(inner)),
        new VenueBug("absent-by-id-alone", "an order that is not found by its id is not looked for elsewhere", (inner, _) => new ShortSightedVenue(inner)),
        new OperatorBug("resolve-by-one", "whoever confirms is somebody else by saying so", said => said.Confirms ? said with { By = "somebody-else" } : said),
        new VenueBug("open-is-filled", "an order that rests is reported as filled", (inner, _) => new HopefulVenue(inner)),
    ];

    public static Bug Find(string name) => All.FirstOrDefault(b => b.Name == name) ?? throw new ArgumentException($"There is no bug '{name}'. There are: {string.Join(", ", All.Select(b => b.Name))}.", nameof(name));

    private sealed class StoreBug(string name, string what, Func<IEventStore, SimProcess, IEventStore> around) : Bug(name, what)
    {
        public override IEventStore Around(IEventStore store, SimProcess process) => around(store, process);
    }

    private sealed class VenueBug(string name, string what, Func<IVenue, SimProcess, IVenue> around) : Bug(name, what)
    {
        public override IVenue Around(IVenue venue, SimProcess process) => around(venue, process);
    }

    private sealed class BusBug(string name, string what, Func<OutboundMessage, bool> drops) : Bug(name, what)
    {
        public override IMessageBus Around(IMessageBus bus, SimProcess process) => new DroppingBus(bus, drops);
    }

    private sealed class OperatorBug(string name, string what, Func<OrderSettlementOrdered, OrderSettlementOrdered> around) : Bug(name, what)
    {
        public override OrderSettlementOrdered Around(OrderSettlementOrdered said) => around(said);
    }

    private sealed class PatientBug(string name, string what) : Bug(name, what)
    {
        public override IMessageBus Around(IMessageBus bus, SimProcess process) => new DeafBus(bus);
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

        public Task SaveSnapshotAsync(Snapshot snapshot, CancellationToken cancellationToken = default) => inner.SaveSnapshotAsync(snapshot, cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
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
