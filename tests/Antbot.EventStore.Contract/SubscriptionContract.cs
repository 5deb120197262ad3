using System.Collections.Concurrent;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.EventStore.Contract;

public abstract class SubscriptionContract : StoreTests
{
    private static readonly SubscriptionOptions Quick = new() { PageSize = 7, Poll = TimeSpan.FromMilliseconds(200), RetryMin = TimeSpan.FromMilliseconds(1), RetryMax = TimeSpan.FromMilliseconds(5) };

    [Fact]
    public async Task Several_subscriptions_each_see_everything_in_commit_order_while_many_append()
    {
        const int Appends = 200;
        var seen = Enumerable.Range(0, 3).Select(_ => new ConcurrentQueue<long>()).ToArray();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = seen.Select((queue, i) => Subscribe($"s{i}", queue).RunAsync(stop.Token)).ToArray();

        await Task.WhenAll(Enumerable.Range(0, Appends).Select(i => Task.Run(() => AppendAsync(Some.Append(Some.Stream(), Some.Events(1 + i % 2))))));
        var expected = (await ReadAllAsync(Store)).Select(e => e.Position).ToArray();
        await WaitUntilAsync(() => seen.All(q => q.Count >= expected.Length));
        await stop.CancelAsync();
        await Task.WhenAll(running);

        Assert.All(seen, q => Assert.Equal(expected, q));
    }

    [Fact]
    public async Task A_subscription_goes_on_where_it_stopped()
    {
        var seen = new ConcurrentQueue<long>();
        for (var round = 1; round <= 3; round++)
        {
            for (var i = 0; i < 10; i++)
                await AppendAsync(Some.Append(Some.Stream()));
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
            var subscription = Subscribe("resumed", seen);
            var running = subscription.RunAsync(stop.Token);
            var last = (await ReadAllAsync(Store))[^1].Sequence;
            await WaitUntilAsync(() => subscription.Position >= last);
            await stop.CancelAsync();
            await running;
        }
        Assert.Equal(Enumerable.Range(1, 30).Select(i => (long)i), seen);
    }

    [Fact]
    public async Task Large_bodies_come_in_pages_that_fit_into_memory()
    {
        var all = await AppendLargeAsync();
        var (seen, largest) = (new ConcurrentQueue<Guid>(), 0L);
        var subscription = new DurableSubscription(
            Store,
            "large",
            (page, _) =>
            {
                largest = Math.Max(largest, page.Take(page.Count - 1).Sum(e => (long)e.Bytes));
                foreach (var e in page)
                    seen.Enqueue(e.EventId);
                return Task.CompletedTask;
            },
            TimeProvider.System,
            Quick with { PageSize = 500 });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = subscription.RunAsync(stop.Token);
        await WaitUntilAsync(() => seen.Count >= all.Count);
        await stop.CancelAsync();
        await running;

        Assert.Equal(all.Select(e => e.EventId), seen);
        Assert.InRange(largest, 1, StoreLimits.PageBytesMax - 1);
    }

    [Fact]
    public async Task A_handler_that_fails_is_tried_again_and_nothing_is_passed_over()
    {
        for (var i = 0; i < 20; i++)
            await AppendAsync(Some.Append(Some.Stream()));
        var (seen, failures) = (new ConcurrentQueue<long>(), 0);
        var subscription = new DurableSubscription(
            Store,
            "failing",
            (page, _) =>
            {
                if (page[0].Position == 8 && failures++ < 3)
                    throw new InvalidOperationException("not yet");
                foreach (var e in page)
                    seen.Enqueue(e.Position);
                return Task.CompletedTask;
            },
            TimeProvider.System,
            Quick);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = subscription.RunAsync(stop.Token);
        await WaitUntilAsync(() => seen.Count >= 20);
        await stop.CancelAsync();
        await running;

        Assert.Equal(Enumerable.Range(1, 20).Select(i => (long)i), seen);
        Assert.Equal(4, failures);
    }

    private DurableSubscription Subscribe(string name, ConcurrentQueue<long> seen) => new(
        Store,
        name,
        (page, _) =>
        {
            foreach (var e in page)
                seen.Enqueue(e.Position);
            return Task.CompletedTask;
        },
        TimeProvider.System,
        Quick);

    private static async Task WaitUntilAsync(Func<bool> done)
    {
        for (var i = 0; i < 3_000 && !done(); i++)
            await Task.Delay(10, Cancel);
        Assert.True(done(), "it did not happen within 30 s");
    }
}
