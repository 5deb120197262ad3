using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Core.Tests.Store;
using Antbot.Kernel.Decisions;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Core.Tests.Pipeline;

/// <summary>From inputs to events, with many inputs for one stream at once.</summary>
public sealed class StreamPipelineTests
{
    private static readonly StreamId Stream = new("counter-1");

    private readonly InMemoryEventStore _memory = new(Guid.NewGuid());

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Inputs_of_two_instances_are_each_decided_once_on_what_stood_before()
    {
        var two = new[] { Pipeline(_memory), Pipeline(_memory.OpenAgain()) };
        await Task.WhenAll(Enumerable.Range(0, 300).Select(i => Task.Run(() => two[i % 2].HandleAsync(Stream, Given(i), Cancel))));
        await AssertCountedAsync(300);
    }

    [Fact]
    public async Task The_same_input_many_times_at_once_is_one_event_and_the_same_answer()
    {
        var two = new[] { Pipeline(_memory), Pipeline(_memory.OpenAgain()) };
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(() => two[i % 2].HandleAsync(Stream, Given(i % 4), Cancel))));
        await AssertCountedAsync(4);
        for (var i = 0; i < answers.Length; i++)
            Assert.Equal(Given(i % 4).Id.ToString("N"), Assert.Single(answers[i]).CausationId);
    }

    /// <summary>After a restart a full prefetch comes again at once; giving up on those behind the first lost innocent messages.</summary>
    [Fact]
    public async Task A_full_prefetch_that_is_delivered_again_finds_its_old_answers()
    {
        var before = await Task.WhenAll(Enumerable.Range(0, 150).Select(i => Pipeline(_memory).HandleAsync(Stream, Given(i), Cancel)));
        var restarted = Pipeline(_memory.OpenAgain());
        var again = await Task.WhenAll(Enumerable.Range(0, 160).Reverse().Select(i => restarted.HandleAsync(Stream, Given(i), Cancel)));
        Assert.Equal(before.Select(b => b[0].EventId), again.Reverse().Take(150).Select(a => a[0].EventId));
        await AssertCountedAsync(160);
    }

    [Fact]
    public async Task What_its_caller_has_read_is_not_read_again_unless_more_has_come()
    {
        var store = new ScriptedStore(_memory);
        var (pipeline, other) = (Pipeline(store), Pipeline(_memory.OpenAgain()));
        await other.HandleAsync(Stream, Given(0), Cancel);
        var read = await other.LoadAsync(Stream, Cancel);
        await pipeline.HandleAsync(Stream, Given(1), read, Cancel);
        Assert.Empty(store.StreamReadsFrom);
        // Behind by now; and what was decided before is found all the same.
        await other.HandleAsync(Stream, Given(2), Cancel);
        await pipeline.HandleAsync(Stream, Given(3), read, Cancel);
        Assert.Single(store.StreamReadsFrom);
        var found = await Pipeline(_memory.OpenAgain()).HandleAsync(Stream, Given(1), read, Cancel);
        Assert.Equal(Given(1).Id.ToString("N"), Assert.Single(found).CausationId);
        await AssertCountedAsync(4);
    }

    [Fact]
    public async Task A_store_that_is_away_fails_those_who_ask_and_not_those_who_come_later()
    {
        var away = true;
        var store = new ScriptedStore(_memory)
        {
            SnapshotRead = snapshot => away ? throw new EventStoreException(StoreFault.Unavailable, "The database is away.") : snapshot,
        };
        var pipeline = Pipeline(store);
        foreach (var asked in Enumerable.Range(0, 5).Select(i => pipeline.HandleAsync(Stream, Given(i), Cancel)).ToList())
            Assert.Equal(StoreFault.Unavailable, (await Assert.ThrowsAsync<EventStoreException>(() => asked)).Fault);
        away = false;
        await Task.WhenAll(Enumerable.Range(0, 5).Select(i => pipeline.HandleAsync(Stream, Given(i), Cancel)));
        await AssertCountedAsync(5);
    }

    [Fact]
    public async Task An_input_that_is_refused_fails_alone()
    {
        var pipeline = Pipeline(_memory);
        var asked = Enumerable.Range(0, 20).Select(i => pipeline.HandleAsync(Stream, i == 7 ? Given(i) with { Body = "odd" } : Given(i), Cancel)).ToList();
        await Assert.ThrowsAsync<ArgumentException>(() => asked[7]);
        await Task.WhenAll(asked.Where((_, i) => i != 7));
        await AssertCountedAsync(19);
    }

    /// <summary>A restored database is behind what a running process knows of it; asking only for what came since would never find the way back.</summary>
    [Fact]
    public async Task A_history_that_is_shorter_than_what_was_known_is_read_from_its_beginning()
    {
        var store = new ScriptedStore(_memory);
        var pipeline = Pipeline(store);
        await Task.WhenAll(Enumerable.Range(0, 5).Select(i => pipeline.HandleAsync(Stream, Given(i), Cancel)));
        store.Inner = new InMemoryEventStore(Guid.NewGuid());
        await Pipeline(store.Inner).HandleAsync(Stream, Given(0), Cancel);
        await pipeline.HandleAsync(Stream, Given(7), Cancel);
        Assert.Equal(2, await store.Inner.ReadVersionAsync(Stream, Cancel));
    }

    /// <summary>Prevents a second decision on what was decided before its stream was archived, and one that is dropped in silence.</summary>
    [Fact]
    public async Task What_was_decided_in_an_archived_stream_stays_decided_and_nothing_else_is_decided_in_it()
    {
        var before = Pipeline(_memory);
        await Task.WhenAll(Enumerable.Range(0, 5).Select(i => before.HandleAsync(Stream, Given(i), Cancel)));
        await ArchiveAsync();
        foreach (var pipeline in new[] { before, Pipeline(_memory.OpenAgain()) })
        {
            var again = Enumerable.Range(0, 5).Select(i => pipeline.DecideAsync(Stream, Given(i), (state, _) => ValueTask.FromResult(Decided.Of(i == 3 ? [] : [new Counted(state.Count + 1)])), Cancel)).ToList();
            Assert.All(await Task.WhenAll(again), r => Assert.Equal((0, false), (r.Events.Count, r.IsNew)));
            Assert.Equal(StoreFault.Archived, (await Assert.ThrowsAsync<EventStoreException>(() => pipeline.HandleAsync(Stream, Given(9), Cancel))).Fault);
            Assert.Equal(StoreFault.Archived, (await Assert.ThrowsAsync<EventStoreException>(() => pipeline.HandleAsync(Stream, Given(9) with { Begins = true }, Cancel))).Fault);
        }
        Assert.Equal(5, await _memory.ReadVersionAsync(Stream, Cancel));
    }

    private async Task ArchiveAsync()
    {
        const string file = "antbot-1-5-0123456789abcdef.jsonl";
        var events = await _memory.ReadPageAsync(0, 100, Cancel);
        var record = new AppendRequest
        {
            Stream = Streams.Archive(file), Expected = ExpectedVersion.None, Decision = new Decision(Guid.NewGuid(), "test"), Events = [new NewEvent(Archiving.RecordType, "x, y", "{}"u8.ToArray())], At = DateTimeOffset.UnixEpoch,
        };
        var recorded = Assert.IsType<AppendOutcome.Appended>(await _memory.AppendAsync(record, Cancel)).Events[0];
        Assert.Empty(await _memory.TakeOutAsync(new TakeOut(file, recorded.Sequence, [(Stream.Value, events.Count)], [.. events.Select(e => (e.Sequence, e.ContentHash()))]), Cancel));
    }

    private static Input Given(int n) => new(DeterministicId.From("input", $"{n}"), n, "chain", "service:test");

    private static StreamPipeline<Counter> Pipeline(IEventStore store) => new(
        new PipelineParts(store, new EventCodec(new EventRegistry().Add(typeof(Counted))), new NoBus(), TimeProvider.System, NoCrashPoints.Instance),
        new Behaviour<Counter>("test", new Fold<Counter>("counter-1", new Counter(0), (state, _) => new Counter(state.Count + 1)), Decide, _ => []));

    private static IReadOnlyList<object> Decide(Counter state, object input, DateTimeOffset now) =>
        input is int ? [new Counted(state.Count + 1)] : throw new ArgumentException("no number", nameof(input));

    /// <summary>Every event says how many there were: one that was decided on anything else would not fit.</summary>
    private async Task AssertCountedAsync(int events)
    {
        var codec = new EventCodec(new EventRegistry().Add(typeof(Counted)));
        var counts = new List<int>();
        await foreach (var stored in _memory.ReadStreamAsync(Stream, cancellationToken: Cancel))
            counts.Add(((Counted)codec.Decode(stored)).Count);
        Assert.Equal(Enumerable.Range(1, events), counts);
    }

    internal sealed record Counter(int Count);

    [StoredName("test_counted")]
    internal sealed record Counted(int Count);

    private sealed class NoBus : IMessageBus
    {
        public Task PublishAsync(IReadOnlyList<OutboundMessage> messages, CancellationToken cancellationToken = default) => Task.CompletedTask;
    }
}
