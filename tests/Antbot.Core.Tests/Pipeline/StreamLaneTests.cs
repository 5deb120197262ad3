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

[StoredName("sample_noted")]
internal sealed record Noted(string What, int After);

internal sealed record Notes(int Count)
{
    public static Fold<Notes> Fold { get; } = new("notes-1", new Notes(0), (state, _) => new Notes(state.Count + 1));
}

/// <summary>One stream's decisions within a process: in order, on the newest state, and each caller for itself.</summary>
public sealed class StreamLaneTests
{
    private const string Nothing = "nothing";

    private static readonly StreamId Stream = new("notes-1");

    private readonly InMemoryEventStore _memory = new(Guid.NewGuid());
    private readonly RememberingBus _bus = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Decided_twice_it_gives_what_was_stored_and_publishes_the_same_again()
    {
        var pipeline = Pipeline(_memory);
        var first = await pipeline.HandleAsync(Stream, Given("one"), Cancel);
        await pipeline.HandleAsync(Stream, Given("two"), Cancel);
        var again = await pipeline.HandleAsync(Stream, Given("one"), Cancel);
        var elsewhere = await Pipeline(_memory.OpenAgain()).HandleAsync(Stream, Given("one"), Cancel);
        Assert.Equal(first.Select(e => (e.EventId, e.Version)), again.Select(e => (e.EventId, e.Version)));
        Assert.Equal(first.Select(e => e.EventId), elsewhere.Select(e => e.EventId));
        var told = _bus.Published.Where(m => ((Antbot.Contracts.Messages.TradeReconciled)m.Body).Evidence == "one").ToList();
        Assert.Equal(3, told.Count);
        Assert.Single(told.Select(m => m.Id).Distinct());
        Assert.Equal([("one", 0), ("two", 1)], await ReadAsync());
    }

    /// <summary>Whoever only looked read the whole stream each time, and its snapshot.</summary>
    [Fact]
    public async Task Who_looks_at_a_stream_that_was_decided_on_here_reads_only_what_has_come_since()
    {
        var store = new ScriptedStore(_memory);
        var pipeline = Pipeline(store);
        await pipeline.HandleAsync(Stream, Given("one"), Cancel);
        await pipeline.HandleAsync(Stream, Given("two"), Cancel);
        await Pipeline(_memory.OpenAgain()).HandleAsync(Stream, Given("three"), Cancel);
        store.StreamReadsFrom.Clear();
        var loaded = await pipeline.LoadAsync(Stream, Cancel);
        Assert.Equal((3, 3L), (loaded.State.Count, loaded.Version));
        Assert.Equal([3], store.StreamReadsFrom);
    }

    [Fact]
    public async Task What_comes_meanwhile_is_decided_in_its_order_and_appended_together()
    {
        var store = new ScriptedStore(_memory);
        var pipeline = Pipeline(store);
        var wait = new TaskCompletionSource();
        var first = pipeline.RecordAsync(
            Stream, Given("first"),
            async (state, _) =>
            {
                await wait.Task;
                return Note(state, "first");
            },
            Cancel);
        var others = Enumerable.Range(0, 40).Select(i => pipeline.HandleAsync(Stream, Given($"{i}"), Cancel)).ToList();
        wait.SetResult();
        await Task.WhenAll(others);
        await first;
        Assert.Equal(Enumerable.Range(0, 40).Select(i => ($"{i}", i + 1)).Prepend(("first", 0)), await ReadAsync());
        Assert.Equal([40], store.Together);
    }

    [Fact]
    public async Task Another_process_that_was_faster_makes_it_decide_again_on_what_stands_then()
    {
        var (mine, other) = (Pipeline(_memory), Pipeline(_memory.OpenAgain()));
        await mine.HandleAsync(Stream, Given("mine"), Cancel);
        await other.HandleAsync(Stream, Given("other"), Cancel);
        var seen = new List<int>();
        await mine.RecordAsync(
            Stream, Given("again"),
            (state, _) =>
            {
                seen.Add(state.Count);
                return ValueTask.FromResult(Note(state, "again"));
            },
            Cancel);
        Assert.Equal([1, 2], seen);
        Assert.Equal([("mine", 0), ("other", 1), ("again", 2)], await ReadAsync());
    }

    [Fact]
    public async Task A_guarded_stream_that_moved_is_the_callers_to_look_at_and_nobody_elses()
    {
        var control = new StreamId("control");
        var pipeline = Pipeline(_memory);
        await pipeline.HandleAsync(control, Given("moved"), Cancel);
        var asked = new[]
        {
            pipeline.HandleAsync(Stream, Given("before"), Cancel),
            pipeline.RecordAsync(Stream, Given("guarded"), (state, _) => ValueTask.FromResult(Note(state, "guarded") with { Guards = [new StreamGuard(control, ExpectedVersion.None)] }), Cancel),
            pipeline.HandleAsync(Stream, Given("behind"), Cancel),
        };
        var moved = await Assert.ThrowsAsync<GuardedStreamMovedException>(() => asked[1]);
        Assert.Equal((control, 1L), (moved.Conflict.Stream, moved.Conflict.Actual));
        await asked[0];
        await asked[2];
        Assert.Equal([("before", 0), ("behind", 1)], await ReadAsync());
    }

    [Fact]
    public async Task That_there_is_nothing_to_decide_is_said_of_the_newest_state_alone()
    {
        var (mine, other) = (Pipeline(_memory), Pipeline(_memory.OpenAgain()));
        await mine.HandleAsync(Stream, Given("mine"), Cancel);
        await other.HandleAsync(Stream, Given("other"), Cancel);
        // On what is remembered here there is nothing to do; on what stands there is.
        Deliberate<Notes> onlySecond = (state, _) => ValueTask.FromResult(state.Count == 2 ? Note(state, "third") : Decided.Of([]));
        Assert.Single(await mine.RecordAsync(Stream, Given("third"), onlySecond, Cancel));
        Assert.Equal([("mine", 0), ("other", 1), ("third", 2)], await ReadAsync());

        // Nothing to do any more, and yet it was decided: what was recorded then is the answer.
        Assert.Equal("sample_noted", Assert.Single(await mine.RecordAsync(Stream, Given("third"), onlySecond, Cancel)).Type);
        Assert.Empty(await mine.RecordAsync(Stream, Given(Nothing), onlySecond, Cancel));
    }

    [Fact]
    public async Task A_refusal_on_what_another_process_has_moved_on_from_is_thought_over()
    {
        var (mine, other) = (Pipeline(_memory), Pipeline(_memory.OpenAgain()));
        await mine.HandleAsync(Stream, Given("mine"), Cancel);
        await other.HandleAsync(Stream, Given("other"), Cancel);
        Assert.Single(await mine.RecordAsync(
            Stream, Given("late"), (state, _) => state.Count < 2 ? throw new InvalidOperationException("not yet") : ValueTask.FromResult(Note(state, "late")), Cancel));
        await Assert.ThrowsAsync<InvalidOperationException>(() => mine.RecordAsync(Stream, Given("never"), (_, _) => throw new InvalidOperationException("never"), Cancel));
        await mine.HandleAsync(Stream, Given("after"), Cancel);
        Assert.Equal(["mine", "other", "late", "after"], (await ReadAsync()).Select(n => n.What));
    }

    [Fact]
    public async Task Whoever_gives_up_while_waiting_gives_up_alone_and_nothing_of_his_is_recorded()
    {
        var pipeline = Pipeline(_memory);
        var wait = new TaskCompletionSource();
        var first = pipeline.RecordAsync(
            Stream, Given("first"),
            async (state, _) =>
            {
                await wait.Task;
                return Note(state, "first");
            },
            Cancel);
        using var given = new CancellationTokenSource();
        var impatient = pipeline.HandleAsync(Stream, Given("impatient"), given.Token);
        var patient = pipeline.HandleAsync(Stream, Given("patient"), Cancel);
        await given.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient);
        wait.SetResult();
        await first;
        await patient;
        Assert.Equal([("first", 0), ("patient", 1)], await ReadAsync());
    }

    [Fact]
    public async Task What_begins_a_stream_is_decided_without_reading_it_and_what_follows_without_reading_it_again()
    {
        var store = new ScriptedStore(_memory);
        var pipeline = Pipeline(store);
        await pipeline.HandleAsync(Stream, Given("one") with { Begins = true }, Cancel);
        await pipeline.HandleAsync(Stream, Given("two"), Cancel);
        Assert.Empty(store.StreamReadsFrom);
        Assert.Equal([("one", 0), ("two", 1)], await ReadAsync());
    }

    /// <summary>Prevents that a command is carried out on an empty stream although its compensation has come before it.</summary>
    [Fact]
    public async Task What_was_taken_for_the_beginning_and_is_not_is_decided_on_what_is_there()
    {
        await Pipeline(_memory).HandleAsync(Stream, Given("before"), Cancel);
        var stored = await Pipeline(_memory.OpenAgain()).HandleAsync(Stream, Given("one") with { Begins = true }, Cancel);
        Assert.Equal(2, Assert.Single(stored).Version);
        Assert.Equal([("before", 0), ("one", 1)], await ReadAsync());
    }

    [Fact]
    public async Task What_begins_a_stream_and_comes_again_elsewhere_finds_itself()
    {
        var first = await Pipeline(_memory).HandleAsync(Stream, Given("one") with { Begins = true }, Cancel);
        await Pipeline(_memory).HandleAsync(Stream, Given("two"), Cancel);
        var again = await Pipeline(_memory.OpenAgain()).HandleAsync(Stream, Given("one") with { Begins = true }, Cancel);
        Assert.Equal(first.Select(e => (e.EventId, e.Version)), again.Select(e => (e.EventId, e.Version)));
        Assert.Equal([("one", 0), ("two", 1)], await ReadAsync());
    }

    [Fact]
    public async Task What_begins_a_stream_and_says_nothing_on_an_empty_one_is_asked_again_on_the_newest()
    {
        await Pipeline(_memory).HandleAsync(Stream, Given("before"), Cancel);
        var stored = await Pipeline(_memory.OpenAgain()).RecordAsync(
            Stream, Given("one") with { Begins = true }, (state, _) => ValueTask.FromResult(state.Count == 0 ? Decided.Of([]) : Note(state, "one")), Cancel);
        Assert.Single(stored);
        Assert.Equal([("before", 0), ("one", 1)], await ReadAsync());
    }

    [Fact]
    public async Task Of_streams_without_end_the_last_are_remembered_and_none_is_forgotten_wrongly()
    {
        var store = new ScriptedStore(_memory);
        var pipeline = Pipeline(store);
        const int Many = 6_050;
        for (var i = 0; i < Many; i++)
            await pipeline.HandleAsync(new StreamId($"many-{i}"), Given($"{i}"), Cancel);
        var loaded = store.StreamReadsFrom.Count;
        await pipeline.HandleAsync(new StreamId($"many-{Many - 1}"), Given("again"), Cancel);
        Assert.Equal(loaded, store.StreamReadsFrom.Count);
        // The longest at rest made room, as often as it takes.
        await pipeline.HandleAsync(new StreamId("many-0"), Given("again, elsewhere"), Cancel);
        Assert.Equal(loaded + 1, store.StreamReadsFrom.Count);
        await pipeline.HandleAsync(new StreamId("many-0"), Given("and again"), Cancel);
        Assert.Equal(loaded + 1, store.StreamReadsFrom.Count);
        Assert.Equal((3, 2), (await _memory.ReadVersionAsync(new StreamId("many-0"), Cancel), await _memory.ReadVersionAsync(new StreamId($"many-{Many - 1}"), Cancel)));
    }

    /// <summary>Prevents the closing half of every trade without a trace: nobody sends what comes of a deadline, a price or an age.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_nobody_sent_goes_on_in_the_trace_of_what_it_comes_of(bool afterRestart)
    {
        const string Trace = "0af7651916cd43dd8448eb211c80319c";
        var pipeline = Pipeline(_memory);
        await pipeline.HandleAsync(Stream, Given("sent") with { TraceId = Trace }, Cancel);
        if (afterRestart)
            pipeline = Pipeline(_memory);
        await pipeline.HandleAsync(Stream, Given("by itself"), Cancel);
        await pipeline.HandleAsync(Stream, Given("again by itself"), Cancel);
        var other = await pipeline.HandleAsync(Stream, Given("of another") with { CorrelationId = "another" }, Cancel);
        Assert.Null(Assert.Single(other).TraceId);
        var traces = new List<string?>();
        await foreach (var stored in _memory.ReadStreamAsync(Stream, cancellationToken: Cancel))
            traces.Add(stored.TraceId);
        Assert.Equal([Trace, Trace, Trace, null], traces);
    }

    /// <summary>Prevents a service that grows with every trade that there ever was, up to thousands of them.</summary>
    [Fact]
    public async Task A_stream_that_is_over_is_not_remembered_and_is_loaded_again_should_something_come_all_the_same()
    {
        var store = new ScriptedStore(_memory);
        var pipeline = Pipeline(store, isOver: notes => notes.Count >= 2);
        await pipeline.HandleAsync(Stream, Given("one"), Cancel);
        var loaded = store.StreamReadsFrom.Count;
        await pipeline.HandleAsync(Stream, Given("two"), Cancel);
        Assert.Equal(loaded, store.StreamReadsFrom.Count);
        await pipeline.HandleAsync(Stream, Given("three"), Cancel);
        Assert.Equal(loaded + 1, store.StreamReadsFrom.Count);
        Assert.Equal([("one", 0), ("two", 1), ("three", 2)], await ReadAsync());
    }

    [Fact]
    public async Task Streams_that_are_over_and_go_on_all_the_same_lose_and_double_nothing()
    {
        var pipeline = Pipeline(_memory, isOver: notes => notes.Count % 2 == 1);
        const int Inputs = 2_000;
        await Parallel.ForEachAsync(Enumerable.Range(0, Inputs), new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = Cancel }, async (i, token) =>
            await pipeline.HandleAsync(new StreamId($"notes-{i % 7}"), Given($"{i}"), token));
        var versions = await Task.WhenAll(Enumerable.Range(0, 7).Select(i => _memory.ReadVersionAsync(new StreamId($"notes-{i}"), Cancel)));
        Assert.Equal(Enumerable.Range(0, 7).Select(i => (long)Enumerable.Range(0, Inputs).Count(n => n % 7 == i)), versions);
    }

    [Fact]
    public async Task What_was_recorded_a_moment_ago_is_read_as_the_object_that_it_was()
    {
        var codec = new EventCodec(new EventRegistry().Add(typeof(Noted)));
        var pipeline = Pipeline(_memory, codec);
        var noted = new Noted("kept", 7);
        var stored = Assert.Single(await pipeline.HandleAsync(Stream, Given("kept"), (_, _) => ValueTask.FromResult(Decided.Of([noted])), Cancel));
        Assert.Same(noted, codec.Decode(stored));
        Assert.Same(noted, codec.Decode(stored with { Data = stored.Data.ToArray() }));
        Assert.NotSame(noted, new EventCodec(new EventRegistry().Add(typeof(Noted))).Decode(stored));
        // Of the same id, but of another place: what stands there is read.
        Assert.NotSame(noted, codec.Decode(stored with { Version = stored.Version + 1 }));
        Assert.NotSame(noted, codec.Decode(stored with { Stream = "notes-2" }));
    }

    [Fact]
    public async Task What_was_recorded_long_ago_is_not_held_and_reads_as_it_was_stored()
    {
        var codec = new EventCodec(new EventRegistry().Add(typeof(Noted)));
        var pipeline = Pipeline(_memory, codec);
        var (first, gone) = await RecordAsync(0);
        for (var i = 1; i <= 60_000; i++)
            codec.Remember(first with { EventId = DeterministicId.From("later", i.ToString()), Version = 1 + i }, new Noted("later", i));
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.False(gone.IsAlive);
        Assert.Equal("first 0", ((Noted)codec.Decode(first)).What);

        async Task<(StoredEvent, WeakReference)> RecordAsync(int number)
        {
            var noted = new Noted($"first {number}", number);
            var stored = await pipeline.HandleAsync(Stream, Given("first"), (_, _) => ValueTask.FromResult(Decided.Of([noted])), Cancel);
            return (stored[0], new WeakReference(noted));
        }
    }

    private static Decided Note(Notes state, string what) => Decided.Of([new Noted(what, state.Count)]);

    private static Input Given(string what) => new(DeterministicId.From("input", what), what, "chain", "service:test");

    private StreamPipeline<Notes> Pipeline(IEventStore store, EventCodec? codec = null, Func<Notes, bool>? isOver = null) => new(
        new PipelineParts(store, codec ?? new EventCodec(new EventRegistry().Add(typeof(Noted))), _bus, TimeProvider.System, NoCrashPoints.Instance),
        new Behaviour<Notes>(
            "notes",
            Notes.Fold,
            (state, input, _) => input is Nothing ? [] : [new Noted((string)input, state.Count)],
            @event => @event is Noted noted ? [new Antbot.Contracts.Messages.TradeReconciled(new TradeId(DeterministicId.From("trade", noted.What)), Closed: false, noted.What)] : []) { IsOver = isOver ?? (_ => false) });

    private async Task<List<(string What, int After)>> ReadAsync()
    {
        var codec = new EventCodec(new EventRegistry().Add(typeof(Noted)));
        var notes = new List<(string, int)>();
        await foreach (var stored in _memory.ReadStreamAsync(Stream, cancellationToken: Cancel))
        {
            var noted = (Noted)codec.Decode(stored);
            notes.Add((noted.What, noted.After));
        }
        return notes;
    }

    private sealed class RememberingBus : IMessageBus
    {
        private readonly Lock _lock = new();
        private readonly List<OutboundMessage> _published = [];

        public IReadOnlyList<OutboundMessage> Published
        {
            get
            {
                lock (_lock)
                    return [.. _published];
            }
        }

        public Task PublishAsync(IReadOnlyList<OutboundMessage> messages, CancellationToken cancellationToken = default)
        {
            lock (_lock)
                _published.AddRange(messages);
            return Task.CompletedTask;
        }
    }
}
