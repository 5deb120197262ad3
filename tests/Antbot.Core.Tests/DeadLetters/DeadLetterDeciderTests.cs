using Antbot.ConsoleService.DeadLetters;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Coordinator.Core;
using Antbot.Execution;
using Antbot.Reconciliation;
using Antbot.Risk.Core;
using Antbot.Validation.Core;
using Xunit;

namespace Antbot.Core.Tests.DeadLetters;

public sealed class DeadLetterDeciderTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly DeadLetterKept Kept = Letter.Read("antbot-risk_error", "risk", DeadLetterKind.Fault, new(null, null, null, null, null, null, null, null, null, null, null, null, null, []), "x"u8.ToArray());

    [Fact]
    public void A_letter_is_discarded_by_somebody_for_a_reason()
    {
        var discarded = Assert.IsType<DeadLetterDiscarded>(Assert.Single(Decide([Kept], Discard(1))));
        Assert.Equal((Kept.Letter, Kept.Fingerprint, "anna", "of no use"), (discarded.Letter, discarded.Fingerprint, discarded.By, discarded.Reason));
        Assert.Equal(DeadLetterStatus.Discarded, Fold([Kept, discarded]).Status);
    }

    [Fact]
    public void What_was_discarded_is_not_discarded_again_and_the_refusal_changes_nothing()
    {
        IReadOnlyList<object> history = [Kept, .. Decide([Kept], Discard(1))];
        var refused = Assert.IsType<DeadLetterRefused>(Assert.Single(Decide(history, Discard(2))));
        Assert.Equal("it is Discarded", Assert.Single(refused.Verdicts, v => !v.Passed).Saw);
        Assert.Equal(Fold(history), Fold([.. history, refused]));
    }

    [Fact]
    public void What_is_not_there_is_not_discarded() => Assert.IsType<DeadLetterRefused>(Assert.Single(Decide([], Discard(1))));

    [Fact]
    public void A_letter_is_sent_once_more_and_is_replayed_when_its_effect_is_there()
    {
        var ordered = Assert.IsType<DeadLetterReplayOrdered>(Assert.Single(Decide([Kept], Replay())));
        Assert.Equal((1, "anna", DeadLetterStatus.Replaying), (ordered.Replay, ordered.By, Fold([Kept, ordered]).Status));
        var replayed = Assert.IsType<DeadLetterReplayed>(Assert.Single(Decide([Kept, ordered], new ConfirmReplay(Kept.Letter, 1, Guid.Empty, "account-main", 7))));
        Assert.Equal((DeadLetterStatus.Replayed, 7L), (Fold([Kept, ordered, replayed]).Status, replayed.Sequence));
        Assert.Empty(Decide([Kept, ordered, replayed], new ConfirmReplay(Kept.Letter, 1, Guid.Empty, "account-main", 7)));
        Assert.Equal("new", Failed(Decide([Kept, ordered, replayed], Replay())));
    }

    /// <summary>While it is on its way nothing else is decided about it: what would be true of it then is not known.</summary>
    [Fact]
    public void What_is_under_way_is_not_sent_again_and_is_given_up_or_discarded_where_nothing_was_decided_on_it()
    {
        object[] history = [Kept, .. Decide([Kept], Replay())];
        Assert.Equal("new", Failed(Decide(history, Replay())));
        Assert.Equal("undecided", Failed(Decide(history, Discard(1) with { Effect = "event 7" })));
        Assert.Equal("undecided", Failed(Decide(history, GiveUp with { Effect = "event 7" })));

        Assert.Equal(DeadLetterStatus.Discarded, Fold([.. history, Assert.IsType<DeadLetterDiscarded>(Assert.Single(Decide(history, Discard(1))))]).Status);
        var givenUp = Assert.IsType<DeadLetterGivenUp>(Assert.Single(Decide(history, GiveUp)));
        object[] open = [.. history, givenUp];
        Assert.Equal((1, "it takes too long", "anna", DeadLetterStatus.New), (givenUp.Replay, givenUp.Reason, givenUp.By, Fold(open).Status));
        Assert.Equal("replaying", Failed(Decide(open, GiveUp)));
        Assert.Equal("replaying", Failed(Decide([Kept], GiveUp)));
        // A copy that was on its way comes to its end: the letter is not told to be replayed for one that was given up.
        Assert.Empty(Decide(open, new ConfirmReplay(Kept.Letter, 1, Guid.Empty, "account-main", 7)));
        Assert.Equal(DeadLetterStatus.New, Fold([.. open, .. Decide(open, Return(1))]).Status);
        Assert.Equal(2, Assert.IsType<DeadLetterReplayOrdered>(Assert.Single(Decide(open, Replay()))).Replay);
    }

    [Fact]
    public void What_comes_back_is_the_same_letter_new_again_and_says_why()
    {
        object[] history = [Kept, .. Decide([Kept], Replay())];
        var returned = Assert.IsType<DeadLetterReturned>(Assert.Single(Decide(history, Return(1))));
        Assert.Equal(("It failed again.", DeadLetterStatus.New), (returned.FaultMessage, Fold([.. history, returned]).Status));
        Assert.Equal(2, Assert.IsType<DeadLetterReplayOrdered>(Assert.Single(Decide([.. history, returned], Replay()))).Replay);
        // One that was never sent is somebody's who writes what he likes into a header.
        Assert.Empty(Decide(history, Return(2)));
        Assert.Empty(Decide(history, Return(0)));
        Assert.Empty(Decide([], Return(1)));
    }

    /// <summary>A second copy of the first replay dies while the second replay is under way: it is recorded, and changes nothing. One that was decided on and then dies after all is open again, and hidden from nobody.</summary>
    [Fact]
    public void A_copy_that_comes_late_changes_nothing()
    {
        object[] first = [Kept, .. Decide([Kept], Replay())];
        object[] second = [.. first, .. Decide(first, Return(1))];
        second = [.. second, .. Decide(second, Replay())];
        Assert.Equal(DeadLetterStatus.Replaying, Fold([.. second, .. Decide(second, Return(1))]).Status);
        object[] over = [.. second, .. Decide(second, new ConfirmReplay(Kept.Letter, 2, Guid.Empty, "account-main", 7))];
        Assert.IsType<DeadLetterReturned>(Assert.Single(Decide(over, Return(2))));
        Assert.Equal(DeadLetterStatus.New, Fold([.. over, .. Decide(over, Return(2))]).Status);
        Assert.Equal(DeadLetterStatus.Replayed, Fold([.. over, .. Decide(over, Return(1))]).Status);
        Assert.Empty(Decide(second, new ConfirmReplay(Kept.Letter, 1, Guid.Empty, "account-main", 7)));
    }

    [Fact]
    public void A_wish_whose_time_is_over_and_what_nobody_could_find_again_are_refused_with_the_reason()
    {
        Assert.Equal("valid", Failed(Decide([Kept], Replay(Sound with { ValidUntil = Now }))));
        Assert.IsType<DeadLetterReplayOrdered>(Assert.Single(Decide([Kept], Replay(Sound with { ValidUntil = Now.AddSeconds(1) }))));
        Assert.Equal("trade-is-open", Failed(Decide([Kept], Replay(Sound with { Over = "Closed" }))));
        Assert.Equal("identified", Failed(Decide([Kept], Replay(Sound with { Identity = MessageIdentity.None }))));
        Assert.Equal("identified", Failed(Decide([Kept], Replay(Sound with { Identity = MessageIdentity.Two }))));
        Assert.Equal("identified", Failed(Decide([Kept], Replay(Sound with { Identity = MessageIdentity.Many }))));
        Assert.Equal("addressed", Failed(Decide([Kept], Replay(Sound with { Endpoint = "" }))));
        Assert.Equal("new", Failed(Decide([], Replay())));
    }

    /// <summary>Its effect is looked for under the endpoint's name.</summary>
    [Fact]
    public void Every_endpoint_decides_under_its_own_name() => Assert.Equal(
        Routes.Endpoints.Order(StringComparer.Ordinal),
        new[] { TradeDecider.Consumer, ValidationDecider.Consumer, RiskDecider.Consumer, ExecutionDecider.Behaviour.Consumer, ReconciliationDecider.Consumer }.Order(StringComparer.Ordinal));

    private static ReplayIntent Sound { get; } = new(MessageIdentity.One, "risk", null, null);

    private static GiveUpReplay GiveUp { get; } = new(Kept.Letter, Guid.Empty, "it takes too long", "anna");

    private static ReplayDeadLetter Replay(ReplayIntent? intent = null) => new(Kept.Letter, Guid.Empty, "mended", "anna", intent ?? Sound);

    private static ReturnDeadLetter Return(int replay) => new(Kept.Letter, replay, Kept with { Letter = Guid.Empty, FaultMessage = "It failed again." });

    private static string Failed(IReadOnlyList<object> decided) => Assert.Single(Assert.IsType<DeadLetterRefused>(Assert.Single(decided)).Verdicts, v => !v.Passed).Rule;

    private static DiscardDeadLetter Discard(int request) => new(Kept.Letter, new Guid(request, 0, 0, new byte[8]), "of no use", "anna");

    private static DeadLetterState Fold(IEnumerable<object> history) => history.Aggregate(DeadLetterState.Initial, DeadLetterDecider.Behaviour.Fold.Apply);

    private static IReadOnlyList<object> Decide(IEnumerable<object> history, object input) => DeadLetterDecider.Behaviour.Decide(Fold(history), input, Now);
}
