using Antbot.Kernel.Decisions;
using System.Text;
using Antbot.Contracts;
using Antbot.Core.Tests.Kernel;
using Antbot.EventStore.Contract;
using Antbot.Runtime.Store;
using FsCheck.Fluent;
using Xunit;

namespace Antbot.Core.Tests.Store;

public sealed class StreamLoaderTests : IAsyncDisposable
{
    private static readonly EventCodec Codec = new(Sample.Registry());
    private static readonly Fold<Sum> Adding = new("adding:1", new Sum(0, 0, null), Add);

    private readonly InMemoryEventStore _memory = new(Guid.NewGuid());
    private readonly ScriptedStore _store;
    private readonly StreamId _stream = Some.Stream();

    public StreamLoaderTests() => _store = new ScriptedStore(_memory);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task A_stream_that_is_not_there_has_the_initial_state_at_version_0() =>
        Assert.Equal(new Loaded<Sum>(Adding.Initial, 0, 0), await Loader().LoadAsync(_stream, Adding, Cancel));

    [Fact]
    public async Task Events_are_folded_in_their_order()
    {
        await AppendAsync(_stream, 1, 2.50m, 4);
        await AppendAsync(Some.Stream(), 100);
        Assert.Equal(new Loaded<Sum>(new Sum(7.50m, 3, "4"), 3, 0), await Loader().LoadAsync(_stream, Adding, Cancel));
    }

    [Fact]
    public void With_snapshots_and_without_the_state_is_the_same() =>
        Holds.ForAll(
            Gen.Choose(0, 12).ListOf().Select(counts => counts.Take(8).ToArray()).ToArbitrary(),
            Gen.Choose(1, 15).ToArbitrary(),
            (counts, eventsPerSnapshot) =>
            {
                var stream = Some.Stream();
                var (plain, snapshotting) = (Loader(int.MaxValue), Loader(eventsPerSnapshot));
                foreach (var count in counts)
                {
                    if (count > 0)
                        Wait(AppendAsync(stream, [.. Enumerable.Range(1, count).Select(i => i * 0.10m)]));
                    var expected = Wait(plain.LoadAsync(stream, Adding with { Name = "never kept" }, Cancel));
                    var loaded = Wait(snapshotting.LoadAsync(stream, Adding, Cancel));
                    Assert.Equal((expected.State, expected.Version), (loaded.State, loaded.Version));
                    var due = loaded.Version - loaded.SnapshotVersion >= eventsPerSnapshot;
                    Assert.Equal(due, Wait(snapshotting.SnapshotWhenDueAsync(stream, Adding, loaded, Cancel)));
                    Assert.Equal(due ? loaded.Version : loaded.SnapshotVersion, Wait(snapshotting.LoadAsync(stream, Adding, Cancel)).SnapshotVersion);
                }
            },
            times: 100);

    [Fact]
    public async Task A_snapshot_is_due_only_after_so_many_events_since_the_last()
    {
        var loader = Loader(eventsPerSnapshot: 3);
        await AppendAsync(_stream, 1, 1);
        Assert.False(await SnapshotAsync(loader));
        Assert.Null(await _memory.LoadSnapshotAsync(_stream, Adding.Name, Cancel));
        await AppendAsync(_stream, 1);
        Assert.True(await SnapshotAsync(loader));
        Assert.Equal(3, (await _memory.LoadSnapshotAsync(_stream, Adding.Name, Cancel))!.Version);
        await AppendAsync(_stream, 1, 1);
        Assert.False(await SnapshotAsync(loader));
        await AppendAsync(_stream, 1);
        Assert.True(await SnapshotAsync(loader));
        Assert.Equal(6, (await _memory.LoadSnapshotAsync(_stream, Adding.Name, Cancel))!.Version);
    }

    [Fact]
    public async Task Only_what_came_after_the_snapshot_is_read()
    {
        await AppendAsync(_stream, 1, 2, 3, 4);
        await SaveSnapshotAsync(Adding.Name, version: 3, """{"Total":1000,"Count":3,"Last":"snapshot"}""");
        var loaded = await Loader().LoadAsync(_stream, Adding, Cancel);
        Assert.Equal(new Loaded<Sum>(new Sum(1004, 4, "4"), 4, 3), loaded);
        Assert.Equal([4L], _store.StreamReadsFrom);
    }

    [Fact]
    public async Task A_snapshot_of_another_fold_is_passed_over()
    {
        await AppendAsync(_stream, 1, 2);
        await SaveSnapshotAsync("adding:0", version: 2, """{"Total":1000,"Count":2,"Last":null}""");
        Assert.Equal(new Loaded<Sum>(new Sum(3, 2, "2"), 2, 0), await Loader().LoadAsync(_stream, Adding, Cancel));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"total":1000,"count":2,"last":null}""")]
    [InlineData("""{"Total":1000,"Count":2}""")]
    [InlineData("""{"Total":1000,"Count":2,"Last":null,"Total":1}""")]
    [InlineData("""{"Total":1000,"Count":-1,"Last":null}""")]
    [InlineData("""{"Total":1000,"Count":99,"Last":null}""")]
    public async Task A_snapshot_that_cannot_be_read_or_that_the_state_refuses_is_passed_over(string state)
    {
        await AppendAsync(_stream, 1, 2);
        // No engine takes what is no JSON, but what it kept may have been damaged since.
        _store.SnapshotRead = _ => new Snapshot(_stream, Adding.Name, 1, Encoding.UTF8.GetBytes(state));
        Assert.Equal(new Loaded<Sum>(new Sum(3, 2, "2"), 2, 0), await Loader().LoadAsync(_stream, Adding, Cancel));
        Assert.Equal([1L], _store.StreamReadsFrom);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    [InlineData(4, 3)]
    public async Task A_hole_in_the_versions_is_corruption_and_never_folded_over(long missing, long before)
    {
        await AppendAsync(_stream, 1, 2, 3, 4, 5);
        _store.Shown = e => e.Version != missing;
        var e = await Assert.ThrowsAsync<EventStoreException>(() => Loader().LoadAsync(_stream, Adding, Cancel));
        Assert.Equal(StoreFault.Corrupt, e.Fault);
        Assert.Contains($"from version {before} to {missing + 1}", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_event_that_cannot_be_read_fails_the_load_instead_of_being_left_out()
    {
        await AppendAsync(_stream, 1);
        await _memory.AppendAsync(Some.Append(_stream, Some.Event("{}", "sample_amount_added")), Cancel);
        await AppendAsync(_stream, 2);
        Assert.Equal(StoreFault.Undecodable, (await Assert.ThrowsAsync<EventStoreException>(() => Loader().LoadAsync(_stream, Adding, Cancel))).Fault);
    }

    [Fact]
    public async Task A_state_too_large_to_keep_is_folded_again_each_time()
    {
        var growing = new Fold<Sum>("growing", new Sum(0, 0, new string('a', StoreLimits.SnapshotBytesMax)), (state, _) => state with { Count = state.Count + 1 });
        await AppendAsync(_stream, 1);
        var loader = Loader(eventsPerSnapshot: 1);
        Assert.False(await loader.SnapshotWhenDueAsync(_stream, growing, await loader.LoadAsync(_stream, growing, Cancel), Cancel));
        Assert.Null(await _memory.LoadSnapshotAsync(_stream, growing.Name, Cancel));
    }

    private static Sum Add(Sum state, object e) => e is AmountAdded added
        ? new Sum(state.Total + added.Amount, state.Count + 1, added.Note)
        : throw new ArgumentException($"{e} is not of this stream.", nameof(e));

    private StreamLoader Loader(int eventsPerSnapshot = 500) => new(_store, Codec, eventsPerSnapshot);

    private async Task<bool> SnapshotAsync(StreamLoader loader) =>
        await loader.SnapshotWhenDueAsync(_stream, Adding, await loader.LoadAsync(_stream, Adding, Cancel), Cancel);

    private Task SaveSnapshotAsync(string name, long version, string state) =>
        _memory.SaveSnapshotAsync(new Snapshot(_stream, name, version, Encoding.UTF8.GetBytes(state)), Cancel);

    private async Task AppendAsync(StreamId stream, params decimal[] amounts) => Assert.IsType<AppendOutcome.Appended>(
        await _memory.AppendAsync(Some.Append(stream, [.. amounts.Select(a => Codec.Encode(new AmountAdded(a, $"{a}")))]), Cancel));

    /// <summary>The in-memory store never waits; a property's body cannot.</summary>
    private static T Wait<T>(Task<T> task) => task.IsCompleted ? task.GetAwaiter().GetResult() : throw new InvalidOperationException("It waits.");

    private static void Wait(Task task) => Assert.True(task.IsCompletedSuccessfully);

    private sealed record Sum
    {
        public Sum(decimal total, int count, string? last)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(count);
            if (count == 99)
                throw new OverflowException("more than this build can hold");
            (Total, Count, Last) = (total, count, last);
        }

        public decimal Total { get; }

        public int Count { get; init; }

        public string? Last { get; }
    }
}
