using System.Collections.Concurrent;
using Antbot.EventStore.Contract;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Core.Tests.Store;

public sealed class DurableSubscriptionTests : IAsyncDisposable
{
    /// <summary>A guard against hanging; no test waits for it.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    /// <summary>Nobody polls here: what is not signalled is never seen.</summary>
    private static readonly SubscriptionOptions Options = new() { PageSize = 3, Poll = TimeSpan.FromHours(1) };

    private readonly InMemoryEventStore _memory = new(Guid.NewGuid());
    private readonly ScriptedStore _store;
    private readonly PauseClock _clock = new();
    private readonly ConcurrentQueue<long> _handled = new();
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);

    public DurableSubscriptionTests() => _store = new ScriptedStore(_memory);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        _stop.Dispose();
        await _store.DisposeAsync();
    }

    [Fact]
    public async Task The_checkpoint_follows_the_handling_of_each_page()
    {
        await AppendAsync(8);
        var order = new ConcurrentQueue<string>();
        _store.Before = what =>
        {
            if (what == nameof(IEventStore.SaveCheckpointAsync))
                order.Enqueue("saved");
        };
        var subscription = Subscribe(page => order.Enqueue($"handled {page[0].Sequence} to {page[^1].Sequence}"));
        Assert.Equal(-1, subscription.Position);
        await RunUntilAsync(8, subscription);

        Assert.Equal(["handled 1 to 3", "saved", "handled 4 to 6", "saved", "handled 7 to 8", "saved"], order);
        Assert.Equal([3L, 6L, 8L], _store.Saved);
        Assert.Equal(8, subscription.Position);
        Assert.Equal(8, await _memory.LoadCheckpointAsync("sub", Cancel));
    }

    [Fact]
    public async Task A_crash_between_handling_and_checkpoint_repeats_the_page_and_loses_none()
    {
        await AppendAsync(7);
        var saves = 0;
        _store.Before = what =>
        {
            if (what != nameof(IEventStore.SaveCheckpointAsync) || ++saves != 2)
                return;
            _stop.Cancel();
            _stop.Token.ThrowIfCancellationRequested();
        };
        await Subscribe().RunAsync(_stop.Token).WaitAsync(Soon, Cancel);
        Assert.Equal([1L, 2L, 3L, 4L, 5L, 6L], _handled);
        Assert.Equal(3, await _memory.LoadCheckpointAsync("sub", Cancel));

        await RunUntilAsync(7, Subscribe());
        Assert.Equal([1L, 2L, 3L, 4L, 5L, 6L, 4L, 5L, 6L, 7L], _handled);
    }

    [Fact]
    public async Task A_checkpoint_that_cannot_be_kept_is_no_reason_to_pass_the_page_over()
    {
        await AppendAsync(4);
        var failures = 2;
        _store.Before = what => FailWhile(what == nameof(IEventStore.SaveCheckpointAsync) && failures-- > 0);
        await RunUntilAsync(4, Subscribe());

        Assert.Equal([1L, 2L, 3L, 1L, 2L, 3L, 1L, 2L, 3L, 4L], _handled);
        Assert.Equal([3L, 4L], _store.Saved);
    }

    [Theory]
    [InlineData(nameof(IEventStore.LoadCheckpointAsync))]
    [InlineData(nameof(IEventStore.AppendMark))]
    [InlineData(nameof(IEventStore.ReadPageAsync))]
    [InlineData(nameof(IEventStore.WaitForAppendAsync))]
    public async Task A_store_that_fails_for_a_while_ends_nothing_and_hides_nothing(string operation)
    {
        await AppendAsync(2);
        await _memory.SaveCheckpointAsync("sub", 1, Cancel);
        var failures = 25;
        _store.Before = what => FailWhile(what == operation && failures-- > 0);
        _store.PageRead = async page =>
        {
            // The first empty page sends it to wait; the last event comes meanwhile.
            if (page.Count == 0 && _handled.Count == 1)
                await AppendAsync(1);
        };
        await RunUntilAsync(3, Subscribe());

        Assert.Equal([2L, 3L], _handled);
        Assert.True(failures <= 0, $"{failures} of the failures were never asked for");
    }

    [Fact]
    public async Task The_pause_doubles_up_to_its_limit_and_begins_anew_after_a_success()
    {
        await AppendAsync(1);
        var reads = 0;
        _store.Before = what => FailWhile(what == nameof(IEventStore.ReadPageAsync) && ++reads is not 9 and not >= 12);
        await RunUntilAsync(1, Subscribe());

        Assert.Equal([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 100, 200], _clock.Pauses.Select(p => p.TotalMilliseconds));
    }

    [Fact]
    public async Task Its_trouble_is_known_while_it_stands_still_and_gone_when_it_moves()
    {
        await AppendAsync(6);
        var failing = true;
        var troubles = new List<string?>();
        var subscription = Subscribe(_ =>
        {
            if (failing)
                throw new InvalidOperationException("the handler is not ready");
        });
        _clock.Paused = _ =>
        {
            troubles.Add(subscription.Trouble?.Message);
            failing = troubles.Count < 3;
        };
        var reads = new List<bool>();
        _store.PageRead = _ =>
        {
            reads.Add(subscription.Trouble is null);
            return Task.CompletedTask;
        };
        Assert.Null(subscription.Trouble);
        await RunUntilAsync(6, subscription);

        Assert.Equal(Enumerable.Repeat("the handler is not ready", 3), troubles);
        // Three failures; the page that was then handled cleared it before the next look.
        Assert.Equal([true, false, false, false, true], reads.Take(5));
        Assert.Null(subscription.Trouble);
        Assert.Equal([1L, 2L, 3L, 4L, 5L, 6L], _handled);
    }

    [Fact]
    public async Task An_event_that_comes_between_the_look_and_the_wait_is_not_slept_through()
    {
        var looked = false;
        _store.PageRead = async page =>
        {
            if (page.Count > 0 || looked)
                return;
            looked = true;
            await AppendAsync(1);
        };
        await RunUntilAsync(1, Subscribe());
        Assert.Equal([1L], _handled);
    }

    [Fact]
    public async Task It_ends_at_once_while_it_waits_for_events()
    {
        var waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _store.Before = what =>
        {
            if (what == nameof(IEventStore.WaitForAppendAsync))
                waiting.TrySetResult();
        };
        var subscription = Subscribe();
        var running = subscription.RunAsync(_stop.Token);
        await waiting.Task.WaitAsync(Soon, Cancel);
        await _stop.CancelAsync();
        await running.WaitAsync(Soon, Cancel);
        Assert.Null(subscription.Trouble);
    }

    [Fact]
    public async Task It_ends_at_once_while_it_pauses_after_a_fault()
    {
        var clock = new PauseClock(over: false);
        var pausing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        clock.Paused = _ => pausing.TrySetResult();
        _store.Before = what => FailWhile(what == nameof(IEventStore.LoadCheckpointAsync));
        var subscription = new DurableSubscription(_store, "sub", (_, _) => Task.CompletedTask, clock, Options);
        var running = subscription.RunAsync(_stop.Token);
        await pausing.Task.WaitAsync(Soon, Cancel);
        Assert.False(running.IsCompleted);
        await _stop.CancelAsync();
        await running.WaitAsync(Soon, Cancel);
        Assert.Equal(StoreFault.Unavailable, Assert.IsType<EventStoreException>(subscription.Trouble).Fault);
    }

    [Fact]
    public async Task It_ends_at_once_while_its_handler_works_and_does_not_count_that_page()
    {
        await AppendAsync(2);
        var working = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var subscription = new DurableSubscription(
            _store,
            "sub",
            (_, cancel) =>
            {
                working.TrySetResult();
                return Task.Delay(Timeout.InfiniteTimeSpan, cancel);
            },
            _clock,
            Options);
        var running = subscription.RunAsync(_stop.Token);
        await working.Task.WaitAsync(Soon, Cancel);
        await _stop.CancelAsync();
        await running.WaitAsync(Soon, Cancel);
        Assert.Equal(0, subscription.Position);
        Assert.Empty(_store.Saved);
    }

    [Fact]
    public async Task A_handler_that_times_out_by_itself_is_tried_again()
    {
        await AppendAsync(1);
        var timeouts = 2;
        await RunUntilAsync(1, Subscribe(_ =>
        {
            if (timeouts-- > 0)
                throw new TaskCanceledException("its own limit, not ours");
        }));
        Assert.Equal([1L], _handled);
        Assert.Equal(2, _clock.Pauses.Count);
    }

    [Fact]
    public async Task Of_other_streams_nothing_is_handled_and_it_goes_on_behind_them()
    {
        await AppendAsync(7);
        Assert.IsType<AppendOutcome.Appended>(await _memory.AppendAsync(Some.Append(Some.Stream("process")), Cancel));
        await AppendAsync(2);
        var subscription = Subscribe(options: Options with { Prefixes = ["process-", "control"] });
        await RunUntilAsync(8, subscription);
        Assert.Equal([8L], _handled);
        // What is passed over is not read once more by the next process.
        Assert.Equal([3L, 6L, 9L, 10L], _store.Saved);
        Assert.Equal(10, subscription.Position);
    }

    private DurableSubscription Subscribe(Action<IReadOnlyList<StoredEvent>>? handle = null, SubscriptionOptions? options = null) => new(
        _store,
        "sub",
        (page, _) =>
        {
            handle?.Invoke(page);
            foreach (var e in page)
                _handled.Enqueue(e.Sequence);
            return Task.CompletedTask;
        },
        _clock,
        options ?? Options);

    /// <summary>Runs until this event has been handled and there is nothing more to do.</summary>
    private async Task RunUntilAsync(long sequence, DurableSubscription subscription)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        _store.Idle = () =>
        {
            if (_handled.Contains(sequence))
                stop.Cancel();
        };
        await subscription.RunAsync(stop.Token).WaitAsync(Soon, Cancel);
    }

    private async Task AppendAsync(int events)
    {
        for (var i = 0; i < events; i++)
            Assert.IsType<AppendOutcome.Appended>(await _memory.AppendAsync(Some.Append(Some.Stream()), Cancel));
    }

    private static void FailWhile(bool failing)
    {
        if (failing)
            throw new EventStoreException(StoreFault.Unavailable, "The database is away.");
    }
}
