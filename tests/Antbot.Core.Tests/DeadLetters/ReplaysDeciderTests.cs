using Antbot.ConsoleService.DeadLetters;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Xunit;

namespace Antbot.Core.Tests.DeadLetters;

public sealed class ReplaysDeciderTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly Guid Selection = new(9, 0, 0, new byte[8]);

    [Fact]
    public void A_small_selection_runs_at_once_and_what_is_in_it_is_recorded_before_anything_goes()
    {
        var requested = Assert.IsType<ReplaysRequested>(Assert.Single(Decide([], Request(3))));
        Assert.Equal((Selection, 3, new Money(30), false, "mended", "anna"), (requested.Selection, requested.Letters.Count, requested.Notional, requested.NeedsApproval, requested.Reason, requested.By));
        Assert.Equal(ReplaysStatus.Running, Fold([requested]).Status);
        Assert.Equal("unheard-of", Failed(Decide([requested], Request(3))));
        Assert.Equal("some", Failed(Decide([], Request(0))));
        Assert.Equal("few", Failed(Decide([], Request(ReplaysDecider.LettersMax + 1))));
    }

    [Theory]
    [InlineData(11, 30, true)]
    [InlineData(10, 101, true)]
    [InlineData(10, null, true)]
    [InlineData(10, 100, false)]
    public void More_than_one_may_have_sent_alone_waits_for_another(int letters, int? notional, bool waits)
    {
        var requested = Assert.IsType<ReplaysRequested>(Assert.Single(Decide([], Request(letters) with { Notional = notional is { } n ? new Money(n) : null })));
        Assert.Equal(waits, requested.NeedsApproval);
        Assert.Equal(waits, Decide([requested], new BeginReplayBatch(Selection)).Count == 0);
    }

    [Fact]
    public void It_is_approved_by_another_and_by_nobody_else()
    {
        object[] history = [.. Decide([], Request(11))];
        Assert.Equal("another", Failed(Decide(history, Approve("anna"))));
        var approved = Assert.IsType<ReplaysApproved>(Assert.Single(Decide(history, Approve("ben"))));
        Assert.IsType<ReplayBatchBegun>(Assert.Single(Decide([.. history, approved], new BeginReplayBatch(Selection))));
        Assert.Equal("requested", Failed(Decide([.. history, approved], Approve("carl"))));
        Assert.Equal("requested", Failed(Decide([], Approve("ben"))));
    }

    [Fact]
    public void Batches_grow_and_every_letter_has_one_turn_the_oldest_first()
    {
        var request = Request(100) with { Limits = new ReplaysLimits(1_000, new Money(1_000)), Pace = new ReplaysPace(10, 30, 60) };
        var (history, sizes, sent) = (Decide([], request).ToList(), new List<int>(), new List<Guid>());
        while (Decide(history, new BeginReplayBatch(Selection)) is [ReplayBatchBegun begun])
        {
            history.Add(begun);
            sizes.Add(begun.Letters.Count);
            sent.AddRange(begun.Letters);
            Assert.Equal((sizes.Count, Now.AddSeconds(60 + (begun.Letters.Count / 10))), (begun.Batch, begun.Until));
            // It is not begun twice.
            Assert.Empty(Decide(history, new BeginReplayBatch(Selection)));
            history.AddRange(Decide(history, End(begun.Batch, begun.Letters.Count)));
        }
        Assert.Equal([1, 2, 5, 10, 20, 30, 30, 2], sizes);
        Assert.Equal(request.Letters.Select(l => l.Letter), sent);
        Assert.Equal((ReplaysStatus.Done, true), (Fold(history).Status, ReplaysDecider.Behaviour.IsOver(Fold(history))));
        Assert.IsType<ReplaysDone>(history[^1]);
    }

    [Fact]
    public void Of_one_trade_one_goes_at_a_time()
    {
        var (one, other) = (new TradeId(new Guid(1, 0, 0, new byte[8])), new TradeId(new Guid(2, 0, 0, new byte[8])));
        TradeId?[] trades = [one, one, null, other, null, one, other];
        var request = Request(0) with { Letters = [.. trades.Select((t, i) => new SelectedLetter(Letter(i), t))] };
        var (history, batches) = (Decide([], request).ToList(), new List<Guid[]>());
        while (Decide(history, new BeginReplayBatch(Selection)) is [ReplayBatchBegun begun])
        {
            batches.Add([.. begun.Letters]);
            history.AddRange([begun, .. Decide([.. history, begun], End(begun.Batch, begun.Letters.Count))]);
        }
        Assert.Equal([[Letter(0)], [Letter(1), Letter(2)], [Letter(3), Letter(4), Letter(5)], [Letter(6)]], batches);
    }

    [Fact]
    public void The_first_batch_in_which_one_fails_is_the_last_one_and_what_is_refused_stops_nobody()
    {
        var history = Decide([], Request(8)).ToList();
        history.AddRange(Decide(history, new BeginReplayBatch(Selection)));
        history.AddRange(Decide(history, End(1, 0) with { Refused = [new(Letter(0), "valid: its signal was valid until yesterday")] }));
        Assert.Equal(ReplaysStatus.Running, Fold(history).Status);
        history.AddRange(Decide(history, new BeginReplayBatch(Selection)));
        // One that is not under way ends nothing.
        Assert.Empty(Decide(history, End(1, 1)));
        history.AddRange(Decide(history, End(2, 1) with { Failed = [new(Letter(2), "it came back")] }));
        var stopped = Assert.IsType<ReplaysStopped>(history[^1]);
        Assert.Equal((2, 5, $"{Letter(2):N}: it came back"), (stopped.Batch, stopped.Left, stopped.Why));
        Assert.Empty(Decide(history, new BeginReplayBatch(Selection)));
        Assert.Equal("open", Failed(Decide(history, Cancel)));
    }

    [Fact]
    public void When_it_is_cancelled_no_further_batch_begins_and_the_one_under_way_comes_to_its_end()
    {
        var history = Decide([], Request(8)).ToList();
        history.AddRange(Decide(history, new BeginReplayBatch(Selection)));
        history.AddRange(Decide(history, Cancel));
        Assert.False(ReplaysDecider.Behaviour.IsOver(Fold(history)));
        Assert.IsType<ReplayBatchEnded>(Assert.Single(Decide(history, End(1, 1))));
        history.AddRange(Decide(history, End(1, 1)));
        Assert.Equal(ReplaysStatus.Cancelled, Fold(history).Status);
        Assert.Empty(Decide(history, new BeginReplayBatch(Selection)));
        Assert.IsType<ReplaysCancelled>(Assert.Single(Decide(Decide([], Request(11)), Cancel)));
    }

    private static CancelReplays Cancel { get; } = new(Selection, Guid.Empty, "enough", "carl");

    private static RequestReplays Request(int letters) => new(
        Selection, new ReplaysQuery("risk", null, null, null, null), [.. Enumerable.Range(0, letters).Select(i => new SelectedLetter(Letter(i), null))], new Money(30), new ReplaysPace(100, 500, 60), new ReplaysLimits(10, new Money(100)), "mended", "anna");

    private static ApproveReplays Approve(string by) => new(Selection, Guid.Empty, "looks right", by);

    private static EndReplayBatch End(int batch, int replayed) => new(Selection, batch, replayed, [], []);

    private static Guid Letter(int i) => new(i + 1, 0, 0, new byte[8]);

    private static string Failed(IReadOnlyList<object> decided) => Assert.Single(Assert.IsType<ReplaysRefused>(Assert.Single(decided)).Verdicts, v => !v.Passed).Rule;

    private static ReplaysState Fold(IEnumerable<object> history) => history.Aggregate(ReplaysState.Initial, ReplaysDecider.Behaviour.Fold.Apply);

    private static IReadOnlyList<object> Decide(IEnumerable<object> history, object input) => ReplaysDecider.Behaviour.Decide(Fold(history), input, Now);
}
