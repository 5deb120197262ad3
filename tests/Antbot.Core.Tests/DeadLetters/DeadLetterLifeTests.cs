using System.Text.Json;
using Antbot.ConsoleService.DeadLetters;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Xunit;

namespace Antbot.Core.Tests.DeadLetters;

/// <summary>What is changed in a letter, and what becomes of one about which nobody does anything.</summary>
public sealed class DeadLetterLifeTests
{
    private const int Days = 30;

    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly DeadLetterKept Kept = Letter.Read("antbot-risk_error", "risk", DeadLetterKind.Fault, new(null, null, null, null, null, null, null, null, null, null, null, null, null, []), "x"u8.ToArray());
    private static readonly ContentHash Changed = new("another", 2);

    [Fact]
    public void A_letter_is_changed_by_somebody_for_a_reason_and_goes_out_so()
    {
        var edited = Assert.IsType<DeadLetterEdited>(Assert.Single(Decide([Kept], Edit())));
        Assert.Equal((1, "anna", "a typing error", "[]", Kept.Content, Changed), (edited.Edit, edited.By, edited.Reason, edited.Patch, edited.Before, edited.After));
        Assert.Equal((DeadLetterStatus.Edited, Changed), (Fold([Kept, edited]).Status, Fold([Kept, edited]).Content!));
        var again = Assert.IsType<DeadLetterEdited>(Assert.Single(Decide([Kept, edited], Edit(Sound with { Before = Changed, After = Kept.Content }))));
        Assert.Equal(2, again.Edit);
        Assert.IsType<DeadLetterReplayOrdered>(Assert.Single(Decide([Kept, edited], Replay)));
        Assert.IsType<DeadLetterDiscarded>(Assert.Single(Decide([Kept, edited], Discard)));
    }

    /// <summary>What comes back is what was sent, and not what had come first.</summary>
    [Fact]
    public void One_that_was_changed_and_comes_back_or_is_given_up_is_edited_again()
    {
        object[] edited = [Kept, .. Decide([Kept], Edit())];
        object[] sent = [.. edited, .. Decide(edited, Replay)];
        Assert.Equal(DeadLetterStatus.Replaying, Fold(sent).Status);
        Assert.Equal("new", Failed(Decide(sent, Edit(Sound with { Before = Changed }))));
        Assert.Equal(DeadLetterStatus.Edited, Fold([.. sent, .. Decide(sent, new ReturnDeadLetter(Kept.Letter, 1, Kept with { Letter = Guid.Empty }))]).Status);
        Assert.Equal(DeadLetterStatus.Edited, Fold([.. sent, .. Decide(sent, new GiveUpReplay(Kept.Letter, Guid.Empty, "it takes too long", "anna"))]).Status);
        object[] over = [.. sent, .. Decide(sent, new ConfirmReplay(Kept.Letter, 1, Guid.Empty, "account-main", 7))];
        Assert.Equal((DeadLetterStatus.Replayed, true), (Fold(over).Status, DeadLetterDecider.Behaviour.IsOver(Fold(over))));
        Assert.Equal("new", Failed(Decide(over, Edit(Sound with { Before = Changed }))));
    }

    [Fact]
    public void Every_fault_is_named_and_nothing_is_changed()
    {
        var refused = Assert.IsType<DeadLetterRefused>(Assert.Single(Decide([Kept], Edit(Sound with { Faults = ["/a: one", "/b: another"] }))));
        Assert.Equal("edit", refused.Command);
        Assert.Equal(["/a: one", "/b: another"], refused.Verdicts.Where(v => !v.Passed).Select(v => v.Saw));
        Assert.Equal(Fold([Kept]), Fold([Kept, refused]));
        // Whoever changed it in between knows nothing of this.
        Assert.Equal("newest", Failed(Decide([Kept], Edit(Sound with { Before = Changed }))));
        // Another message under its id would never be looked at.
        Assert.Equal("undecided", Failed(Decide([Kept], Edit() with { Effect = "event 7" })));
        Assert.Equal("new", Failed(Decide([Kept, .. Decide([Kept], Discard)], Edit())));
    }

    [Fact]
    public void One_about_which_nobody_did_anything_for_long_expires_for_good()
    {
        Assert.Empty(Decide([Kept], Expire(Now.AddDays(-Days).AddTicks(1))));
        var expired = Assert.IsType<DeadLetterExpired>(Assert.Single(Decide([Kept], Expire(Now.AddDays(-Days)))));
        Assert.Equal(("system", "nothing was done about it for 30 days"), (expired.By, expired.Reason));
        object[] over = [Kept, expired];
        Assert.Equal((DeadLetterStatus.Expired, true), (Fold(over).Status, DeadLetterDecider.Behaviour.IsOver(Fold(over))));
        Assert.Equal("new", Failed(Decide(over, Replay)));
        Assert.Equal("open", Failed(Decide(over, Discard)));
        Assert.Equal("new", Failed(Decide(over, Edit())));
        Assert.Empty(Decide(over, Expire(Now.AddDays(-Days))));
        // A copy that was still on its way and comes back changes nothing about it.
        object[] late = [Kept, .. Decide([Kept], Replay)];
        late = [.. late, .. Decide(late, new GiveUpReplay(Kept.Letter, Guid.Empty, "it takes too long", "anna"))];
        late = [.. late, Assert.IsType<DeadLetterExpired>(Assert.Single(Decide(late, Expire(Now.AddDays(-Days)) with { Replays = 1, Effect = "event 7 of order-1 was decided on it" })))];
        Assert.Contains("event 7 of order-1", ((DeadLetterExpired)late[^1]).Reason, StringComparison.Ordinal);
        object[] back = [.. late, .. Decide(late, new ReturnDeadLetter(Kept.Letter, 1, Kept with { Letter = Guid.Empty }))];
        Assert.Equal(DeadLetterStatus.Expired, Fold(back).Status);
        Assert.Empty(Decide(back, Confirm(1)));
    }

    /// <summary>What was decided on the copy has happened, whoever held that nothing was to come of it.</summary>
    [Fact]
    public void One_that_was_discarded_or_has_expired_while_its_copy_was_on_its_way_is_replayed_when_that_has_its_effect()
    {
        object[] sent = [Kept, .. Decide([Kept], Replay)];
        object[] givenUp = [.. sent, .. Decide(sent, new GiveUpReplay(Kept.Letter, Guid.Empty, "it takes too long", "anna"))];
        // One that is open is for whoever opened it.
        Assert.Empty(Decide(givenUp, Confirm(1)));
        foreach (var over in new object[][]
        {
            [.. sent, .. Decide(sent, Discard)], [.. givenUp, .. Decide(givenUp, Discard)], [.. givenUp, .. Decide(givenUp, Expire(Now.AddDays(-Days)) with { Replays = 1 })],
        })
        {
            Assert.True(Fold(over).MayBeReplayed);
            Assert.Empty(Decide(over, Confirm(2)));
            object[] replayed = [.. over, Assert.IsType<DeadLetterReplayed>(Assert.Single(Decide(over, Confirm(1))))];
            Assert.Equal((DeadLetterStatus.Replayed, false), (Fold(replayed).Status, Fold(replayed).MayBeReplayed));
            Assert.Empty(Decide(replayed, Confirm(1)));
        }
        // Nothing of it was on its way by then.
        object[] back = [.. sent, .. Decide(sent, new ReturnDeadLetter(Kept.Letter, 1, Kept with { Letter = Guid.Empty }))];
        Assert.Empty(Decide([.. back, .. Decide(back, Discard)], Confirm(1)));
        Assert.Empty(Decide([Kept, .. Decide([Kept], Discard)], Confirm(0)));
    }

    [Fact]
    public void What_is_about_a_trade_that_goes_on_or_is_under_way_or_was_touched_meanwhile_does_not_expire()
    {
        var old = Expire(Now.AddDays(-10 * Days));
        Assert.Empty(Decide([Kept], old with { OpenTrade = TradeId.From("0123456789abcdef0123456789abcdef") }));
        object[] sent = [Kept, .. Decide([Kept], Replay)];
        Assert.Empty(Decide(sent, old with { Replays = 1 }));
        object[] edited = [Kept, .. Decide([Kept], Edit())];
        Assert.Empty(Decide(edited, old));
        Assert.IsType<DeadLetterExpired>(Assert.Single(Decide(edited, old with { Edits = 1 })));
        object[] back = [.. sent, .. Decide(sent, new ReturnDeadLetter(Kept.Letter, 1, Kept with { Letter = Guid.Empty }))];
        Assert.Empty(Decide(back, old));
        Assert.Empty(Decide([], old));
    }

    /// <summary>Whatever comes in whatever order: decided twice it is the same, and what is over stays over.</summary>
    [Fact]
    public void It_is_decided_twice_the_same_and_what_is_terminal_stays_so()
    {
        for (var seed = 0; seed < 2_000; seed++)
        {
            var random = new Random(seed);
            var history = new List<object> { Kept };
            DeadLetterStatus? terminal = null;
            for (var step = 0; step < 12; step++)
            {
                var state = Fold(history);
                object[] inputs =
                [
                    Edit(Sound with { Before = state.Content!, After = new ContentHash($"{seed}/{step}", step) }), Replay, Discard, Expire(Now.AddDays(-random.Next(2 * Days))) with { Replays = state.Replays, Edits = state.Edits },
                    new GiveUpReplay(Kept.Letter, Guid.Empty, "it takes too long", "anna"), new ConfirmReplay(Kept.Letter, state.Replays, Guid.Empty, "account-main", 7),
                ];
                var input = inputs[random.Next(inputs.Length)];
                var decided = Decide(history, input);
                Assert.Equal(JsonSerializer.Serialize(decided), JsonSerializer.Serialize(Decide(history, input)));
                history.AddRange(decided);
                var after = Fold(history).Status;
                Assert.True(terminal is null || after == terminal || decided is [DeadLetterReplayed], $"seed {seed}: {terminal} became {after}");
                terminal = after is DeadLetterStatus.Replayed or DeadLetterStatus.Discarded or DeadLetterStatus.Expired ? after : null;
            }
        }
    }

    private static LetterEdit Sound { get; } = new("[]", Kept.Content, Changed, [1, 2], []);

    private static ReplayDeadLetter Replay { get; } = new(Kept.Letter, Guid.Empty, "mended", "anna", new(MessageIdentity.One, "risk", null, null));

    private static DiscardDeadLetter Discard { get; } = new(Kept.Letter, Guid.Empty, "of no use", "anna");

    private static ConfirmReplay Confirm(int replay) => new(Kept.Letter, replay, Guid.Empty, "account-main", 7);

    private static EditDeadLetter Edit(LetterEdit? edit = null) => new(Kept.Letter, Guid.Empty, "a typing error", "anna", edit ?? Sound);

    private static ExpireDeadLetter Expire(DateTimeOffset since) => new(Kept.Letter, 0, 0, since, Days, null);

    private static string Failed(IReadOnlyList<object> decided) => Assert.Single(Assert.IsType<DeadLetterRefused>(Assert.Single(decided)).Verdicts, v => !v.Passed).Rule;

    private static DeadLetterState Fold(IEnumerable<object> history) => history.Aggregate(DeadLetterState.Initial, DeadLetterDecider.Behaviour.Fold.Apply);

    private static IReadOnlyList<object> Decide(IEnumerable<object> history, object input) => DeadLetterDecider.Behaviour.Decide(Fold(history), input, Now);
}
