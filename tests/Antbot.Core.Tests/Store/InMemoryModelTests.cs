using System.Text;
using Antbot.Contracts;
using Antbot.Kernel.Identity;
using Antbot.Kernel.Proof;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Core.Tests.Store;

/// <summary>Random operations against a model that knows nothing of the store but its promises.</summary>
public sealed class InMemoryModelTests
{
    private const int Sequences = 2_000;
    private const int OperationsMax = 30;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whatever_is_done_the_store_answers_as_its_model()
    {
        for (var seed = 0; seed < Sequences; seed++)
        {
            var run = new Run(seed);
            try
            {
                await run.ToEndAsync();
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}, after: {string.Join("; ", run.Log)}\n{e}");
            }
        }
    }

    /// <summary>One event as the model remembers it.</summary>
    private sealed record Fact(long Sequence, string Stream, long Version, Guid Input, string Consumer, int Ordinal, string Body, string? Correlation);

    private sealed class Run(int seed)
    {
        private static readonly string[] Streams = ["a-1", "a-2", "b-1", "control"];
        private static readonly string[] Correlations = ["c1", "c2", "c3"];

        private readonly Random _random = new(seed);
        private readonly List<Fact> _facts = [];
        private readonly List<Decision> _decisions = [];
        private readonly Dictionary<string, long> _checkpoints = new(StringComparer.Ordinal);
        private readonly Dictionary<(string Stream, string Name), (long Version, string State)> _snapshots = [];
        private readonly Guid _storeId = new(seed, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
        private InMemoryEventStore _store = null!;

        public List<string> Log { get; } = [];

        public async Task ToEndAsync()
        {
            _store = new InMemoryEventStore(_storeId);
            for (var i = _random.Next(1, OperationsMax + 1); i > 0; i--)
                await StepAsync();
            await CheckChainAsync();
        }

        private Task StepAsync() => _random.Next(12) switch
        {
            < 5 => AppendAsync(),
            5 => ReadStreamAsync(),
            6 => ReadPageAsync(),
            7 => FindDecisionAsync(),
            8 => FindByCorrelationAsync(),
            9 => CheckpointAsync(),
            10 => SnapshotAsync(),
            _ => OpenAgainAsync(),
        };

        private async Task AppendAsync()
        {
            var stream = Pick(Streams);
            var decision = _decisions.Count > 0 && _random.Next(4) == 0 ? Pick(_decisions) : NewDecision();
            var expected = Expectation(stream);
            var guards = Enumerable.Range(0, _random.Next(3)).Select(_ => Pick(Streams)).Select(s => (Stream: s, Expected: Expectation(s))).ToList();
            var bodies = Enumerable.Range(0, _random.Next(1, 4)).Select(_ => $$"""{"N":{{_random.Next(1000)}}}""").ToList();
            var correlation = _random.Next(3) == 0 ? null : Pick(Correlations);
            Log.Add($"append {bodies.Count} to {stream} at {expected} as {decision}, guards {string.Join(',', guards)}");
            var outcome = await _store.AppendAsync(
                new AppendRequest
                {
                    Stream = new StreamId(stream),
                    Expected = Version(expected),
                    Decision = decision,
                    Events = [.. bodies.Select(b => new NewEvent("thing_done", "Tests.ThingDone, Tests", Encoding.UTF8.GetBytes(b)))],
                    At = DateTimeOffset.UnixEpoch.AddSeconds(_facts.Count),
                    Meta = new EventMeta(correlation),
                    Guards = [.. guards.Select(g => new StreamGuard(new StreamId(g.Stream), Version(g.Expected)))],
                },
                Cancel);

            var there = Of(decision);
            if (there.Count > 0)
            {
                Same(there, Assert.IsType<AppendOutcome.AlreadyThere>(outcome).Events);
                return;
            }
            var stale = guards.Append((stream, expected)).Where(g => g.Item2 >= 0 && g.Item2 != Head(g.Item1)).ToList();
            if (stale.Count > 0)
            {
                Assert.Equal(new AppendOutcome.Conflict(new StreamId(stale[0].Item1), Version(stale[0].Item2), Head(stale[0].Item1)), outcome);
                return;
            }
            var (head, last) = (Head(stream), _facts.Count);
            for (var i = 0; i < bodies.Count; i++)
                _facts.Add(new Fact(last + i + 1, stream, head + i + 1, decision.InputId, decision.Consumer, i, bodies[i], correlation));
            _decisions.Add(decision);
            Same(Of(decision), Assert.IsType<AppendOutcome.Appended>(outcome).Events);
        }

        private async Task ReadStreamAsync()
        {
            var (stream, from) = (Pick(Streams), _random.Next(0, 8));
            Log.Add($"read {stream} from {from}");
            var read = new List<StoredEvent>();
            await foreach (var e in _store.ReadStreamAsync(new StreamId(stream), from, Cancel))
                read.Add(e);
            Same(_facts.Where(f => f.Stream == stream && f.Version >= from), read);
            Assert.Equal(Head(stream), await _store.ReadVersionAsync(new StreamId(stream), Cancel));
        }

        private async Task ReadPageAsync()
        {
            var (after, limit) = (_random.Next(0, _facts.Count + 3), _random.Next(1, 6));
            Log.Add($"read {limit} after {after}");
            Same(_facts.Where(f => f.Sequence > after).Take(limit), await _store.ReadPageAsync(after, limit, Cancel));
        }

        private async Task FindDecisionAsync()
        {
            var decision = _decisions.Count > 0 && _random.Next(3) > 0 ? Pick(_decisions) : NewDecision();
            Log.Add($"find {decision}");
            Same(Of(decision), await _store.FindDecisionAsync(decision, Cancel));
        }

        private async Task FindByCorrelationAsync()
        {
            var (correlation, limit) = (Pick(Correlations), _random.Next(1, 10));
            Log.Add($"find {limit} of {correlation}");
            Same(_facts.Where(f => f.Correlation == correlation).Take(limit), await _store.FindByCorrelationAsync(correlation, limit, Cancel));
        }

        private async Task CheckpointAsync()
        {
            var name = _random.Next(2) == 0 ? "trades" : "orders";
            Log.Add($"checkpoint {name}");
            Assert.Equal(_checkpoints.GetValueOrDefault(name), await _store.LoadCheckpointAsync(name, Cancel));
            _checkpoints[name] = _random.Next(100);
            await _store.SaveCheckpointAsync(name, _checkpoints[name], Cancel);
        }

        private async Task SnapshotAsync()
        {
            var (stream, name, version) = (Pick(Streams), _random.Next(2) == 0 ? "fold:1" : "fold:2", (long)_random.Next(1, 10));
            var state = $$"""{"R":{{_random.Next(1000)}},"V":{{version}}}""";
            Log.Add($"snapshot {name} of {stream} at {version}");
            await _store.SaveSnapshotAsync(new Snapshot(new StreamId(stream), name, version, Encoding.UTF8.GetBytes(state)), Cancel);
            if (_snapshots.GetValueOrDefault((stream, name)).Version < version)
                _snapshots[(stream, name)] = (version, state);
            foreach (var other in Streams)
            {
                var kept = await _store.LoadSnapshotAsync(new StreamId(other), name, Cancel);
                var expected = _snapshots.GetValueOrDefault((other, name));
                Assert.Equal(expected, kept is null ? default : (kept.Version, Encoding.UTF8.GetString(kept.State.Span)));
            }
        }

        private async Task OpenAgainAsync()
        {
            Log.Add("close and open again");
            var old = _store;
            _store = old.OpenAgain();
            await old.DisposeAsync();
            Assert.Equal(StoreFault.Closed, (await Assert.ThrowsAsync<EventStoreException>(() => old.ReadPageAsync(0, 1, Cancel))).Fault);
        }

        private async Task CheckChainAsync()
        {
            var (previous, count) = (ChainLink.Genesis(_storeId), 0);
            await foreach (var link in _store.ReadLinksAsync(0, Cancel))
            {
                var fact = _facts[count++];
                Same([fact], [link.Event!]);
                Assert.Equal((count, fact.Sequence, fact.Correlation), (link.Position, link.Sequence, link.CorrelationId));
                Assert.Equal(previous, link.PreviousHash);
                previous = ChainLink.Hash(previous, link.Event!.ContentHash(), count, fact.Sequence, fact.Version, foreign: false);
                Assert.Equal(previous, link.Hash);
            }
            Assert.Equal(_facts.Count, count);
            Assert.Equal(previous, (await _store.ReadHeadAsync(Cancel)).Hash);
        }

        /// <summary>-1 for any, else mostly the version that is there.</summary>
        private long Expectation(string stream) => _random.Next(6) switch
        {
            < 3 => -1,
            5 => _random.Next(0, 6),
            _ => Head(stream),
        };

        private static ExpectedVersion Version(long expected) => expected < 0 ? ExpectedVersion.Any : ExpectedVersion.Exactly(expected);

        private long Head(string stream) => _facts.Count(f => f.Stream == stream);

        private List<Fact> Of(Decision decision) => [.. _facts.Where(f => f.Input == decision.InputId && f.Consumer == decision.Consumer)];

        private Decision NewDecision() => new(new Guid(_random.Next(), 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte)_random.Next(256)), _random.Next(2) == 0 ? "risk" : "execution");

        private T Pick<T>(IReadOnlyList<T> items) => items[_random.Next(items.Count)];

        private static void Same(IEnumerable<Fact> expected, IEnumerable<StoredEvent> actual) => Assert.Equal(
            expected.Select(f => (f.Sequence, f.Sequence, f.Stream, f.Version, new Decision(f.Input, f.Consumer).EventId(f.Ordinal), f.Body, f.Correlation)),
            actual.Select(e => (e.Sequence, e.Position, e.Stream, e.Version, e.EventId, Encoding.UTF8.GetString(e.Data.Span), e.CorrelationId)));
    }
}
