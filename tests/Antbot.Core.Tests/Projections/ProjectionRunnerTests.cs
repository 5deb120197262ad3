using System.Text.Json;
using Antbot.Contracts;
using Antbot.EventStore.Contract;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Projections;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Core.Tests.Projections;

public sealed class ProjectionRunnerTests : IAsyncDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Always = TimeSpan.Zero;
    private static readonly TimeSpan Never = TimeSpan.FromDays(1);

    private readonly InMemoryEventStore _store = new(Guid.NewGuid());
    private int _appended;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task It_sees_every_event_once_in_order_and_says_when_it_has_caught_up()
    {
        await AppendAsync(5_000);
        var counter = new Counter();
        await RunAsync(counter, Never, async runner =>
        {
            await runner.CaughtUp.WaitAsync(Soon, Cancel);
            Assert.Equal(5_000, counter.Seen.Count);
            await AppendAsync(3);
            await UntilAsync(() => counter.Seen.Count == 5_003);
        });
        Assert.Equal(Enumerable.Range(1, 5_003).Select(n => (long)n), counter.Seen);
    }

    [Fact]
    public async Task A_start_reads_only_what_came_after_the_saved_copy()
    {
        await AppendAsync(10);
        await RunAsync(new Counter(), Always, runner => UntilSavedAsync(10));
        await AppendAsync(2);
        var again = new Counter();
        await RunAsync(again, Never, runner => runner.CaughtUp.WaitAsync(Soon, Cancel));
        Assert.Equal(Enumerable.Range(1, 12).Select(n => (long)n), again.Seen);
        Assert.Equal(2, again.Applied);
    }

    /// <summary>A service that was killed within its first half minute read a million events again.</summary>
    [Fact]
    public async Task A_long_history_is_saved_while_it_is_read_and_not_when_the_time_has_come()
    {
        await AppendAsync(30_000);
        await RunAsync(new Counter(), Never, runner => runner.CaughtUp.WaitAsync(Soon, Cancel));
        var again = new Counter();
        await RunAsync(again, Never, runner => runner.CaughtUp.WaitAsync(Soon, Cancel));
        Assert.Equal(30_000, again.Seen.Count);
        Assert.InRange(again.Applied, 0, 5_000);
    }

    [Fact]
    public async Task A_copy_that_cannot_be_read_is_as_good_as_none()
    {
        await AppendAsync(10);
        await RunAsync(new Counter(), Always, _ => UntilSavedAsync(10));
        var picky = new Counter { RefusesToLoad = true };
        await RunAsync(picky, Never, runner => runner.CaughtUp.WaitAsync(Soon, Cancel));
        Assert.Equal(10, picky.Applied);
        Assert.Equal(10, picky.Seen.Count);
    }

    /// <summary>Going on from a half-applied page would count its first half twice.</summary>
    [Fact]
    public async Task A_page_that_fails_half_way_is_begun_again_from_the_saved_copy_and_nothing_counts_twice()
    {
        await AppendAsync(10);
        var counter = new Counter { FailsOnceAt = 6 };
        await RunAsync(counter, Never, runner => runner.CaughtUp.WaitAsync(Soon, Cancel));
        Assert.Equal(Enumerable.Range(1, 10).Select(n => (long)n), counter.Seen);
    }

    /// <summary>In a rolling upgrade one event of a new kind, or one that this build's code fails on, kept every trade after it from being looked after.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Events_that_cannot_be_taken_in_are_passed_over_and_named_and_the_others_are_seen(bool isUnknown)
    {
        await AppendAsync(10);
        var counter = new Counter { FailsAlwaysAt = [3, 6], Fault = isUnknown ? new EventStoreException(StoreFault.UnknownType, "'next' is not known.") : new InvalidOperationException("'next' is not known.") };
        await RunAsync(counter, Never, async runner =>
        {
            await runner.CaughtUp.WaitAsync(Soon, Cancel);
            Assert.Equal("Passed over: event 6 of counted: 'next' is not known.", runner.Trouble);
        });
        Assert.Equal([1, 2, 4, 5, 7, 8, 9, 10], counter.Seen);
        Assert.Equal([3, 6], counter.PassedOver);
    }

    /// <summary>The build after it took what was passed over for read.</summary>
    [Fact]
    public async Task What_was_passed_over_is_read_by_a_build_that_can()
    {
        await AppendAsync(10);
        await RunAsync(
            new Counter { FailsAlwaysAt = [3], Fault = new EventStoreException(StoreFault.UnknownType, "'next' is not known.") }, Always,
            async runner =>
            {
                await runner.CaughtUp.WaitAsync(Soon, Cancel);
                await runner.SaveAsync(Cancel);
            });
        var next = new Counter();
        await RunAsync(next, Never, runner => runner.CaughtUp.WaitAsync(Soon, Cancel));
        Assert.Equal(Enumerable.Range(1, 10).Select(n => (long)n), next.Seen);
    }

    private async Task RunAsync(Counter counter, TimeSpan saveEvery, Func<ProjectionRunner, Task> meanwhile)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var runner = new ProjectionRunner(_store, counter, TimeProvider.System, saveEvery);
        var running = runner.RunAsync(stop.Token);
        try
        {
            await meanwhile(runner);
        }
        finally
        {
            await stop.CancelAsync();
            await running;
        }
    }

    private async Task AppendAsync(int count)
    {
        foreach (var size in Enumerable.Range(0, count).Chunk(500).Select(c => c.Length))
        {
            await _store.AppendAsync(
                new AppendRequest
                {
                    Stream = new StreamId("counted"),
                    Expected = ExpectedVersion.Any,
                    Decision = new Decision(DeterministicId.From("append", $"{++_appended}"), "test"),
                    Events = [.. Enumerable.Repeat(new NewEvent("counted", "Counted, Test", "{}"u8.ToArray()), size)],
                    At = Some.Time,
                },
                Cancel);
        }
    }

    private Task UntilSavedAsync(long version) =>
        UntilAsync(() => _store.LoadSnapshotAsync(new StreamId("projection-counter-1"), "counter-1", Cancel).GetAwaiter().GetResult()?.Version == version);

    private static async Task UntilAsync(Func<bool> holds)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(Soon);
        while (!holds())
            await Task.Delay(5, limit.Token);
    }

    private sealed class Counter : IProjection
    {
        public List<long> Seen { get; private set; } = [];

        public int Applied { get; private set; }

        public bool RefusesToLoad { get; init; }

        public long FailsOnceAt { get; set; }

        public IReadOnlyList<long> FailsAlwaysAt { get; init; } = [];

        public Exception Fault { get; init; } = new InvalidOperationException("always");

        public List<long> PassedOver { get; } = [];

        public string Name => "counter-1";

        public IReadOnlyList<string> Prefixes { get; } = [""];

        public void Apply(StoredEvent stored)
        {
            if (stored.Sequence == FailsOnceAt)
            {
                FailsOnceAt = 0;
                throw new InvalidOperationException("once");
            }
            if (FailsAlwaysAt.Contains(stored.Sequence))
                throw Fault;
            Applied++;
            Seen.Add(stored.Sequence);
        }

        public void PassOver(StoredEvent stored) => PassedOver.Add(stored.Sequence);

        public byte[] Save() => JsonSerializer.SerializeToUtf8Bytes(new { Seen });

        public void Load(ReadOnlySpan<byte> saved)
        {
            if (RefusesToLoad)
                throw new JsonException("another build's");
            using var document = JsonDocument.Parse(saved.ToArray());
            Seen = document.RootElement.GetProperty("Seen").Deserialize<List<long>>()!;
        }

        public void Clear()
        {
            Seen.Clear();
            PassedOver.Clear();
        }
    }
}
