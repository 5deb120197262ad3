using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Kernel.Control;
using Antbot.Kernel.Identity;
using Antbot.Risk.Core;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Streams = Antbot.Contracts.Streams;

namespace Antbot.Simulation.World;

public static partial class Bugs
{
    private const string Attempted = "order_attempted";
    private const string Filled = "order_filled";

    private static AppendRequest Changed(AppendRequest request, string type, Func<NewEvent, NewEvent> change) =>
        request with { Events = [.. request.Events.Select(e => e.Type == type ? change(e) : e)] };

    private static NewEvent WithMember(NewEvent e) => e with { Data = Encoding.UTF8.GetBytes($$"""{"Unread":1,{{Encoding.UTF8.GetString(e.Data.Span)[1..]}}""") };

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

    private sealed class EarlyStore(IEventStore inner, SimProcess process, Func<AppendRequest, bool> which) : OverStore(inner)
    {
        private long _told;

        public override async Task<AppendOutcome> AppendAsync(AppendRequest request, CancellationToken cancellationToken = default)
        {
            if (request.Expected.Value < 0 || !which(request))
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
            return control.State.EntryBar is not null && request.Events.Any(e => e.Type == Attempted)
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

    /// <summary>What a trade was approved with comes once more with its end.</summary>
    private sealed class RepeatingStore(IEventStore inner) : OverStore(inner)
    {
        private static readonly string Approved = StoredNameAttribute.Of(typeof(TradeApproved));
        private static readonly string Closed = StoredNameAttribute.Of(typeof(TradeClosedRecorded));

        private readonly Dictionary<StreamId, NewEvent> _approvals = [];

        public override Task<AppendOutcome> AppendAsync(AppendRequest request, CancellationToken cancellationToken = default)
        {
            foreach (var approval in request.Events.Where(e => e.Type == Approved))
                _approvals[request.Stream] = approval;
            return base.AppendAsync(
                request.Events.Any(e => e.Type == Closed) && _approvals.TryGetValue(request.Stream, out var before) ? request with { Events = [.. request.Events, before] } : request, cancellationToken);
        }
    }

    private sealed class KeepingStore(IEventStore inner, SimProcess process) : OverStore(inner)
    {
        private static readonly string Released = StoredNameAttribute.Of(typeof(ReservationReleased));

        public override Task<AppendOutcome> AppendAsync(AppendRequest request, CancellationToken cancellationToken = default) => base.AppendAsync(Changed(request, Released, Kept), cancellationToken);

        private NewEvent Kept(NewEvent released) =>
            process.Parts.Codec.Encode(new RiskNewsAbsorbed(JsonSerializer.Deserialize<ReservationReleased>(released.Data.Span, EventCodec.Json)!.Trade, nameof(EntryFailed), "nothing is set aside for it"));
    }

    private sealed class ImpatientStore(IEventStore inner, SimProcess process) : OverStore(inner)
    {
        private const long MillisecondsMost = 5;

        public override async Task<AppendOutcome> AppendAsync(AppendRequest request, CancellationToken cancellationToken = default)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(Stopwatch.GetTimestamp() % MillisecondsMost), process.Clock, cancellationToken);
            return await base.AppendAsync(request, cancellationToken);
        }
    }

    private sealed class PointedStore(IEventStore inner, SimProcess process) : OverStore(inner)
    {
        public override Task<AppendOutcome> AppendAsync(AppendRequest request, CancellationToken cancellationToken = default)
        {
            process.Parts.CrashPoints.Reach("nobody.knows-it");
            return base.AppendAsync(request, cancellationToken);
        }
    }
}
