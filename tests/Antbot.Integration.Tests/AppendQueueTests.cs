using System.Collections.Concurrent;
using Antbot.EventStore;
using Antbot.EventStore.Contract;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests;

/// <summary>Group commit in front of any engine: batches, bounds, cancellation, and an answer for everyone.</summary>
public sealed class AppendQueueTests
{
    private static readonly AppendOutcome.Appended Done = new([]);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_comes_while_a_batch_commits_goes_into_the_next_one()
    {
        var (sizes, gate) = (new ConcurrentQueue<int>(), new SemaphoreSlim(0));
        await using var queue = new AppendQueue(
            async batch =>
            {
                sizes.Enqueue(batch.Count);
                await gate.WaitAsync(Cancel);
                Complete(batch);
            },
            new AppendQueueOptions());
        var first = queue.AppendAsync(Prepared(), Cancel);
        while (sizes.IsEmpty)
            await Task.Yield();
        var rest = Enumerable.Range(0, 50).Select(_ => queue.AppendAsync(Prepared(), Cancel)).ToArray();
        gate.Release(2);
        await Task.WhenAll([first, .. rest]);

        Assert.Equal([1, 50], sizes);
        Assert.Equal(0, queue.Depth);
    }

    [Fact]
    public async Task A_batch_keeps_its_limits_and_never_holds_a_decision_twice()
    {
        var (batches, gate) = (new ConcurrentQueue<IReadOnlyList<PendingAppend>>(), new SemaphoreSlim(0));
        await using var queue = new AppendQueue(
            async batch =>
            {
                batches.Enqueue(batch);
                await gate.WaitAsync(Cancel);
                Complete(batch);
            },
            new AppendQueueOptions { BatchAppendsMax = 8, BatchEventsMax = 20 });
        var same = Some.Append(Some.Stream());
        var appends = Enumerable.Range(0, 60).Select(i => queue.AppendAsync(PreparedAppend.From(i % 10 == 0 ? same : Some.Append(Some.Stream(), Some.Events(1 + i % 7))), Cancel)).ToArray();
        gate.Release(1_000);
        await Task.WhenAll(appends);

        Assert.Equal(60, batches.Sum(b => b.Count));
        Assert.All(batches, b => Assert.InRange(b.Count, 1, 8));
        Assert.All(batches, b => Assert.True(b.Count == 1 || b.Sum(p => p.Prepared.Events.Count) <= 20));
        Assert.All(batches, b => Assert.Equal(b.Count, b.Select(p => p.Prepared.Request.Decision).Distinct().Count()));
    }

    [Fact]
    public async Task A_full_queue_makes_callers_wait_and_tells_those_who_waited_too_long_that_it_is_busy()
    {
        var gate = new SemaphoreSlim(0);
        var committed = 0;
        await using var queue = new AppendQueue(
            async batch =>
            {
                await gate.WaitAsync(Cancel);
                Interlocked.Add(ref committed, batch.Count);
                Complete(batch);
            },
            new AppendQueueOptions { QueueMax = 10, RoomWaitMax = TimeSpan.FromMilliseconds(100) });
        var within = Enumerable.Range(0, 10).Select(_ => queue.AppendAsync(Prepared(), Cancel)).ToArray();
        Assert.Equal(10, queue.Depth);

        var busy = await Assert.ThrowsAsync<EventStoreException>(() => queue.AppendAsync(Prepared(), Cancel));
        Assert.Equal(StoreFault.Busy, busy.Fault);
        using var impatient = new CancellationTokenSource();
        var waiting = queue.AppendAsync(Prepared(), impatient.Token);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        gate.Release(1_000);
        await Task.WhenAll(within);
        Assert.Equal(10, committed);
        Assert.Equal(0, queue.Depth);
        Assert.IsType<AppendOutcome.Appended>(await queue.AppendAsync(Prepared(), Cancel));
    }

    [Fact]
    public async Task Large_bodies_take_the_room_of_several()
    {
        var gate = new SemaphoreSlim(0);
        await using var queue = new AppendQueue(
            async batch =>
            {
                await gate.WaitAsync(Cancel);
                Complete(batch);
            },
            new AppendQueueOptions { QueueMax = 100, RoomWaitMax = TimeSpan.FromMilliseconds(50) });
        var large = PreparedAppend.From(Some.Append(Some.Stream(), Some.Event($$"""{"x":"{{new string('a', 1_000_000)}}"}""")));
        var first = queue.AppendAsync(large, Cancel);
        Assert.InRange(queue.Depth, 50, 100);
        Assert.Equal(StoreFault.Busy, (await Assert.ThrowsAsync<EventStoreException>(() => queue.AppendAsync(large, Cancel))).Fault);
        Assert.InRange(queue.Depth, 50, 100);
        gate.Release(10);
        await first;
        Assert.Equal(0, queue.Depth);
    }

    [Fact]
    public async Task A_cancellation_counts_until_the_append_is_taken_and_not_after()
    {
        var (gate, taken) = (new SemaphoreSlim(0), new ConcurrentQueue<PendingAppend>());
        await using var queue = new AppendQueue(
            async batch =>
            {
                foreach (var pending in batch)
                    taken.Enqueue(pending);
                await gate.WaitAsync(Cancel);
                Complete(batch);
            },
            new AppendQueueOptions());
        using var cancel = new CancellationTokenSource();
        var underway = queue.AppendAsync(Prepared(), cancel.Token);
        while (taken.IsEmpty)
            await Task.Yield();
        var queued = queue.AppendAsync(Prepared(), cancel.Token);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => queued);
        Assert.False(underway.IsCompleted);
        gate.Release(10);
        Assert.IsType<AppendOutcome.Appended>(await underway);
        Assert.IsType<AppendOutcome.Appended>(await queue.AppendAsync(Prepared(), Cancel));
        Assert.Equal(2, taken.Count);
    }

    /// <summary>Prevents a queue without bound: callers that give up and come again while nothing moves.</summary>
    [Fact]
    public async Task A_caller_that_gives_up_leaves_its_append_taking_room_until_it_has_left_the_queue()
    {
        var (gate, taken) = (new SemaphoreSlim(0), new TaskCompletionSource());
        await using var queue = new AppendQueue(
            async batch =>
            {
                taken.TrySetResult();
                await gate.WaitAsync(Cancel);
                Complete(batch);
            },
            new AppendQueueOptions { QueueMax = 10, RoomWaitMax = TimeSpan.FromMilliseconds(50) });
        var underway = queue.AppendAsync(Prepared(), Cancel);
        await taken.Task.WaitAsync(Cancel);
        using var impatient = new CancellationTokenSource();
        var given = Enumerable.Range(0, 9).Select(_ => queue.AppendAsync(Prepared(), impatient.Token)).ToArray();
        await impatient.CancelAsync();
        foreach (var append in given)
            await Task.WhenAny(append);

        Assert.Equal(StoreFault.Busy, (await Assert.ThrowsAsync<EventStoreException>(() => queue.AppendAsync(Prepared(), Cancel))).Fault);
        gate.Release(100);
        await underway;
        Assert.IsType<AppendOutcome.Appended>(await queue.AppendAsync(Prepared(), Cancel));
    }

    [Fact]
    public async Task A_commit_that_throws_is_everyones_answer_and_the_queue_goes_on()
    {
        var broken = true;
        await using var queue = new AppendQueue(
            batch =>
            {
                if (broken)
                    throw new EventStoreException(StoreFault.Unavailable, "down");
                Complete(batch);
                return Task.CompletedTask;
            },
            new AppendQueueOptions());
        var appends = Enumerable.Range(0, 5).Select(_ => queue.AppendAsync(Prepared(), Cancel)).ToArray();
        foreach (var append in appends)
            Assert.Equal(StoreFault.Unavailable, (await Assert.ThrowsAsync<EventStoreException>(() => append)).Fault);
        broken = false;
        Assert.IsType<AppendOutcome.Appended>(await queue.AppendAsync(Prepared(), Cancel));
    }

    /// <summary>Prevents a caller that waits for ever on an engine that never answers; what it is told is what is known.</summary>
    [Fact]
    public async Task An_answer_that_does_not_come_is_unknown_for_what_was_taken_and_nothing_for_what_was_not()
    {
        var (gate, taken) = (new SemaphoreSlim(0), new TaskCompletionSource());
        await using var queue = new AppendQueue(
            async batch =>
            {
                taken.TrySetResult();
                await gate.WaitAsync(Cancel);
                Complete(batch);
            },
            new AppendQueueOptions { AnswerMax = TimeSpan.FromMilliseconds(300), Behind = "The test", BatchAppendsMax = 8 });
        var underway = queue.AppendAsync(Prepared(), Cancel);
        await taken.Task.WaitAsync(Cancel);
        var waiting = queue.AppendAsync(Prepared(), Cancel);
        var inOrder = queue.AppendInOrder([Prepared(), Prepared(), Prepared()], Cancel);

        var unknown = await Assert.ThrowsAsync<EventStoreException>(() => underway);
        Assert.Equal(StoreFault.OutcomeUnknown, unknown.Fault);
        Assert.Contains("The test has not answered", unknown.Message, StringComparison.Ordinal);
        foreach (var append in inOrder.Append(waiting))
        {
            var busy = await Assert.ThrowsAsync<EventStoreException>(() => append);
            Assert.Equal(StoreFault.Busy, busy.Fault);
            Assert.Contains("nothing was appended", busy.Message, StringComparison.Ordinal);
        }
        // What was withdrawn is never committed, and its room comes back.
        gate.Release(1);
        while (queue.Depth > 0)
            await Task.Delay(10, Cancel);
        gate.Release(1);
        Assert.IsType<AppendOutcome.Appended>(await queue.AppendAsync(Prepared(), Cancel));
        Assert.Equal(0, gate.CurrentCount);
    }

    [Fact]
    public async Task A_closing_queue_commits_what_it_has_and_takes_nothing_more()
    {
        var gate = new SemaphoreSlim(0);
        var queue = new AppendQueue(
            async batch =>
            {
                await gate.WaitAsync(Cancel);
                Complete(batch);
            },
            new AppendQueueOptions());
        var appends = Enumerable.Range(0, 5).Select(_ => queue.AppendAsync(Prepared(), Cancel)).ToArray();
        var closing = queue.DisposeAsync();
        Assert.Equal(StoreFault.Closed, (await Assert.ThrowsAsync<EventStoreException>(() => queue.AppendAsync(Prepared(), Cancel))).Fault);
        gate.Release(10);
        await closing;
        Assert.All(await Task.WhenAll(appends), o => Assert.IsType<AppendOutcome.Appended>(o));
    }

    private static PreparedAppend Prepared() => PreparedAppend.From(Some.Append(Some.Stream()));

    private static void Complete(IEnumerable<PendingAppend> batch)
    {
        foreach (var pending in batch)
            pending.Complete(Done);
    }
}
