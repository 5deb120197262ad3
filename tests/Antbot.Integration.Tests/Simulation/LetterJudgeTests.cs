using Antbot.Contracts.Events;
using Antbot.Kernel.Identity;
using Antbot.Simulation.Faults;
using Antbot.Simulation.World;
using Xunit;

namespace Antbot.Integration.Tests.Simulation;

/// <summary>What no plan has happen to a dead letter, said in the middle of a run: the judge finds nothing in what is sound, and in each word that is not true what is wrong with it.</summary>
public sealed class LetterJudgeTests
{
    private const int SeedsMax = 200;

    private static readonly ContentHash Other = new(new string('0', 64), 1);

    [Fact]
    public void A_letter_may_be_edited_while_it_waits_and_once_more_after_that()
    {
        Assert.Empty(After<DeadLetterKept>(_ => true, (say, e) =>
        {
            say(Edit(e.Letter, 1, e.Content, Other), 0);
            say(Edit(e.Letter, 2, Other, e.Content), 0);
        }));
        Assert.Empty(After<DeadLetterKept>(_ => true, (say, e) =>
        {
            say(Edit(e.Letter, 1, e.Content, Other), 0);
            say(Order(e.Letter), 0);
            say(NotSent(e.Letter, 1), 0);
            say(Edit(e.Letter, 2, Other, e.Content), 0);
            say(Order(e.Letter, 2), 0);
        }));
    }

    [Fact]
    public void One_that_is_edited_after_it_was_replayed_is_found() =>
        Finds("is Replayed, and is edited", After<DeadLetterReplayed>(_ => true, (say, e) => say(Edit(e.Letter, 1, Other, Other), 0)));

    [Fact]
    public void One_that_is_edited_while_it_is_on_its_way_is_found() => Finds("is Replaying, and is edited", After<DeadLetterKept>(_ => true, (say, e) =>
    {
        say(Order(e.Letter), 0);
        say(Edit(e.Letter, 1, e.Content, Other), 0);
    }));

    [Fact]
    public void One_that_is_edited_as_it_had_been_before_another_edit_is_found()
    {
        Finds("edit 1 of the dead letter", After<DeadLetterKept>(_ => true, (say, e) => say(Edit(e.Letter, 1, Other, e.Content), 0)));
        Finds("where edit 1 had left", After<DeadLetterKept>(_ => true, (say, e) =>
        {
            say(Edit(e.Letter, 1, e.Content, Other), 0);
            say(Edit(e.Letter, 2, e.Content, Other), 0);
        }));
        Finds("edit 2 of the dead letter", After<DeadLetterKept>(_ => true, (say, e) => say(Edit(e.Letter, 2, e.Content, Other), 0)));
    }

    [Fact]
    public void One_that_is_edited_although_its_message_was_decided_on_is_found() => Finds("was edited, and ", After<DeadLetterReplayed>(_ => true, (say, e) =>
    {
        // It came back after it had had its effect: it waits again, and may be sent, but as it is.
        say(NotSent(e.Letter, e.Replay), 0);
        say(Edit(e.Letter, 1, Other, Other), 0);
    }));

    [Fact]
    public void A_letter_expires_after_thirty_days_that_is_about_nothing_which_goes_on() =>
        Assert.Empty(After<DeadLetterKept>(e => e.Trades.Count == 0, (say, e) => say(Expiry(e.Letter), SimConsole.Options.DeadLetterDays)));

    [Fact]
    public void An_edited_one_expires_as_long_after_its_edit()
    {
        Assert.Empty(After<DeadLetterKept>(e => e.Trades.Count == 0, (say, e) =>
        {
            say(Edit(e.Letter, 1, e.Content, Other), 1);
            say(Expiry(e.Letter), 1 + SimConsole.Options.DeadLetterDays);
        }));
        Finds("29 days after something was done about it", After<DeadLetterKept>(e => e.Trades.Count == 0, (say, e) =>
        {
            say(Edit(e.Letter, 1, e.Content, Other), 1);
            say(Expiry(e.Letter), SimConsole.Options.DeadLetterDays);
        }));
    }

    [Fact]
    public void One_that_expires_a_day_early_is_found() =>
        Finds("29 days after something was done about it", After<DeadLetterKept>(e => e.Trades.Count == 0, (say, e) => say(Expiry(e.Letter), SimConsole.Options.DeadLetterDays - 1)));

    [Fact]
    public void One_that_expires_while_its_trade_goes_on_is_found() =>
        Finds("which it is about, goes on", After<DeadLetterKept>((world, e) => e.Trades.Any(world.Checker.GoesOn), (say, e) => say(Expiry(e.Letter), SimConsole.Options.DeadLetterDays)));

    [Fact]
    public void One_that_expires_when_it_is_over_is_found() =>
        Finds("is Replayed, and has expired", After<DeadLetterReplayed>(_ => true, (say, e) => say(Expiry(e.Letter), SimConsole.Options.DeadLetterDays)));

    [Fact]
    public void An_expired_one_that_is_sent_once_more_is_found() => Finds("is Expired, and is sent once more", After<DeadLetterKept>(e => e.Trades.Count == 0, (say, e) =>
    {
        say(Expiry(e.Letter), SimConsole.Options.DeadLetterDays);
        say(Order(e.Letter), SimConsole.Options.DeadLetterDays);
    }));

    private static void Finds(string what, IReadOnlyList<string> found) => Assert.Contains(found, f => f.Contains(what, StringComparison.Ordinal));

    private static IReadOnlyList<string> After<T>(Func<T, bool> when, Action<Action<object, int>, T> tamper) => After<T>((_, e) => when(e), tamper);

    /// <summary>What is found as soon as something was said, days later, behind the first such event of the first plan that has one.</summary>
    private static IReadOnlyList<string> After<T>(Func<SimWorld, T, bool> when, Action<Action<object, int>, T> tamper)
    {
        for (var seed = 1UL; seed <= SeedsMax; seed++)
        {
            string[]? found = null;
            SimRun.WorldOf(Planner.OfLetters(seed), world =>
            {
                var committed = world.Disk.Committed;
                world.Disk.Committed = events =>
                {
                    committed(events);
                    if (found is not null || events.FirstOrDefault(s => world.Codec.Decode(s) is T e && when(world, e)) is not { } stored)
                        return;
                    var before = world.Checker.Violations.Count;
                    tamper((said, days) => world.Checker.Letters.Look(stored with { Timestamp = stored.Timestamp.AddDays(days) }, said), (T)world.Codec.Decode(stored));
                    found = [.. world.Checker.Violations.Skip(before).Where(v => v.Broken == Invariant.LettersTrue).Select(v => v.What)];
                    world.Checker.Violated(Invariant.SimulationHolds, "all has been seen: the run ends here");
                };
            });
            if (found is not null)
                return found;
        }
        throw new InvalidOperationException($"No such {typeof(T).Name} in {SeedsMax} plans.");
    }

    private static DeadLetterEdited Edit(Guid letter, int edit, ContentHash before, ContentHash after) => new(letter, Guid.NewGuid(), "", edit, "[]", before, after, null, "a test", "anna");

    private static DeadLetterExpired Expiry(Guid letter) => new(letter, "", "nothing was done about it", "system");

    private static DeadLetterReplayOrdered Order(Guid letter, int replay = 1) => new(letter, Guid.NewGuid(), "", replay, "a test", "anna");

    private static DeadLetterReturned NotSent(Guid letter, int replay) =>
        new(letter, "", replay, DeterministicId.From("not-sent", $"{letter:N}", $"{replay}"), DeadLetterKind.Fault, "", "", "", null, null, "", "");
}
