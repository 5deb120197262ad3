using Antbot.Core.Tests.Kernel;
using Antbot.Runtime.Store;
using FsCheck.Fluent;
using Xunit;

namespace Antbot.Core.Tests.Store;

public sealed class AppendSignalTests
{
    /// <summary>Long enough that a lost wake-up is told from a late one, never waited for otherwise.</summary>
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Everyone_who_waits_is_woken_by_one_announcement()
    {
        var signal = new AppendSignal();
        var waiting = Enumerable.Range(0, 10).Select(_ => signal.WaitAsync(signal.Mark, Long, Cancel)).ToList();
        Assert.All(waiting, w => Assert.False(w.IsCompleted));
        signal.Announce();
        await Task.WhenAll(waiting).WaitAsync(Soon, Cancel);
        Assert.Equal(1, signal.Mark);
    }

    [Fact]
    public async Task What_was_announced_after_the_mark_was_taken_needs_no_waiting()
    {
        var signal = new AppendSignal();
        var mark = signal.Mark;
        signal.Announce();
        Assert.True(signal.WaitAsync(mark, Long, Cancel).IsCompletedSuccessfully);
        var again = signal.WaitAsync(signal.Mark, Long, Cancel);
        Assert.False(again.IsCompleted);
        signal.Announce();
        await again.WaitAsync(Soon, Cancel);
    }

    [Fact]
    public async Task Waiting_ends_with_its_time_and_with_its_token()
    {
        var signal = new AppendSignal();
        await signal.WaitAsync(signal.Mark, TimeSpan.FromMilliseconds(1), Cancel).WaitAsync(Soon, Cancel);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => signal.WaitAsync(signal.Mark, Long, new CancellationToken(canceled: true)));
        Assert.Equal(0, signal.Mark);
    }

    /// <summary>One announcement races one waiter through every interleaving that two threads find in many rounds.</summary>
    [Fact]
    public async Task An_announcement_that_races_with_the_wait_is_not_lost()
    {
        const int Rounds = 20_000;
        var signals = Enumerable.Range(0, Rounds).Select(_ => new AppendSignal()).ToArray();
        using var start = new Barrier(2);
        var announcing = Task.Run(
            () =>
            {
                foreach (var signal in signals)
                {
                    start.SignalAndWait(Cancel);
                    signal.Announce();
                }
            },
            Cancel);
        var waits = new Task[Rounds];
        for (var i = 0; i < Rounds; i++)
        {
            var mark = signals[i].Mark;
            start.SignalAndWait(Cancel);
            waits[i] = signals[i].WaitAsync(mark, Long, Cancel);
        }
        await announcing;
        await Task.WhenAll(waits).WaitAsync(Soon, Cancel);
    }

    [Fact]
    public void However_many_announce_and_wait_nobody_misses_the_last_announcement() =>
        Holds.ForAll(
            Gen.Choose(1, 4).Two().ToArbitrary(),
            Gen.Choose(1, 200).ToArbitrary(),
            (threads, announcements) =>
            {
                var signal = new AppendSignal();
                var (done, expected) = (0, threads.Item1 * announcements);
                async Task FollowAsync()
                {
                    while (true)
                    {
                        var mark = signal.Mark;
                        if (Volatile.Read(ref done) == expected)
                            return;
                        await signal.WaitAsync(mark, Long, Cancel);
                    }
                }
                var followers = Enumerable.Range(0, threads.Item2).Select(_ => Task.Run(FollowAsync, Cancel)).ToArray();
                var announcers = Enumerable.Range(0, threads.Item1).Select(_ => Task.Run(
                    () =>
                    {
                        for (var i = 0; i < announcements; i++)
                        {
                            Interlocked.Increment(ref done);
                            signal.Announce();
                        }
                    },
                    Cancel)).ToArray();
                Assert.True(Task.WhenAll([.. followers, .. announcers]).Wait(Soon, Cancel), "somebody still waits for what was announced");
                Assert.Equal(expected, signal.Mark);
            });
}
