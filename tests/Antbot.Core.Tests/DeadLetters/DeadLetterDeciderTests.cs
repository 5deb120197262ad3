using Antbot.ConsoleService.DeadLetters;
using Antbot.Contracts.Events;
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

    private static DiscardDeadLetter Discard(int request) => new(Kept.Letter, new Guid(request, 0, 0, new byte[8]), "of no use", "anna");

    private static DeadLetterState Fold(IEnumerable<object> history) => history.Aggregate(DeadLetterState.Initial, DeadLetterDecider.Behaviour.Fold.Apply);

    private static IReadOnlyList<object> Decide(IEnumerable<object> history, object input) => DeadLetterDecider.Behaviour.Decide(Fold(history), input, Now);
}
