using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Integration.Tests.Archives;
using Antbot.Integration.Tests.Support;
using Xunit;

namespace Antbot.Integration.Tests.DeadLetters;

/// <summary>What is in an archive that the Console cannot read hides itself, and no other letter.</summary>
public sealed class ArchivedDecisionTests : OnAConsole
{
    private const string InArchive = $"is in the archive '{TakenOut.File}'";

    /// <summary>The question for all of a page once ended with the one that nobody could answer.</summary>
    [Fact]
    public async Task An_archived_decision_leaves_its_own_letter_unconfirmed_and_no_other()
    {
        var kept = new List<DeadLetterKept>();
        await using (var store = await StoreAsync())
        {
            for (var i = 0; i < 5; i++)
            {
                kept.Add(await SeededLetters.KeepAsync(store, k => k with { Endpoint = Routes.Risk }));
                await SeededLetters.OrderAsync(store, kept[i], 1);
                if (i < 4)
                    await store.AppendAsync(SeededLetters.EffectOf(kept[i]), Cancel);
            }
            await TakenOut.FromAsync(store, Streams.Order(kept[1].Trades[0]));
        }
        await RunAsync([], ["--console:resendSeconds=1"]);
        await Eventually.HoldsAsync(async () => (await LettersAsync("state=replayed")).Count == 3, "the others are confirmed");
        Assert.Equal(["Replayed", "Replaying", "Replayed", "Replayed", "Replaying"], await Task.WhenAll(kept.Select(async k => State(await LetterAsync(k.Letter)))));

        // Whoever waits no longer, or holds that nothing came of it, is told that something was decided.
        var (status, why) = await Running.PostAsync($"/api/deadletters/{kept[1].Letter:N}/discard", new { Reason = "of no use" });
        Assert.Equal(409, status);
        Assert.Contains(InArchive, why.GetProperty("Message").GetString(), StringComparison.Ordinal);
        Assert.Equal(200, (await Running.PostAsync($"/api/deadletters/{kept[4].Letter:N}/discard", new { Reason = "of no use" })).Status);
    }

    [Fact]
    public async Task A_batch_says_of_which_letter_the_decision_is_archived()
    {
        DeadLetterKept kept;
        await using (var store = await StoreAsync())
        {
            kept = await SeededLetters.KeepAsync(store, k => k with { Endpoint = Routes.Risk });
            await store.AppendAsync(SeededLetters.EffectOf(kept), Cancel);
            await TakenOut.FromAsync(store, Streams.Order(kept.Trades[0]));
        }
        var (console, _) = await RunAsync(1, [], []);
        var (status, requested) = await console.PostAsync("/api/replays", new { All = true, Reason = "mended" });
        Assert.Equal(202, status);
        var path = $"/api/replays/{requested.GetProperty("Selection").GetProperty("Id").GetString()}";
        await Eventually.HoldsAsync(async () => State((await console.GetAsync(path)).GetProperty("Selection")) == "Stopped", "it is over");
        Assert.Contains(InArchive, (await console.GetAsync(path)).GetRawText(), StringComparison.Ordinal);
    }

    /// <summary>It once was tried again for ever, and kept its place in the queue from those behind it.</summary>
    [Fact]
    public async Task A_copy_that_dies_after_its_letter_was_archived_is_a_letter_of_its_own()
    {
        var (trade, id) = (new TradeId(Guid.NewGuid()), Guid.NewGuid());
        var dead = SeededLetters.Dead(id, nameof(CloseTrade), $$"""{"trade":"{{trade}}","account":"main","reason":"now"}""");
        var kept = SeededLetters.Of(Routes.Execution, id, nameof(CloseTrade), $$"""{"trade":"{{trade}}","account":"main","reason":"now"}""");
        await using (var store = await StoreAsync())
        {
            await SeededLetters.KeepAsync(store, _ => kept);
            await SeededLetters.OrderAsync(store, kept, 1);
            await SeededLetters.AppendAsync(store, kept, new DeadLetterDiscarded(kept.Letter, Guid.NewGuid(), kept.Fingerprint, "of no use", "anna"));
        }
        var (console, _) = await RunAsync(1, [], []);
        await TakenOut.FromAsync(console.Store, Streams.DeadLetter(kept.Letter));
        var copy = dead with { Properties = dead.Properties with { Headers = [new(0, DeadLetterHeaders.Replay, HeaderKind.Text, $"{kept.Letter:N}/1")] } };
        for (var again = 0; again < 2; again++)
            await console.Letters.KeepAsync(copy, Cancel);
        await Eventually.HoldsAsync(async () => (await LettersAsync("state=new")).Count == 1, "it is kept");
        Assert.NotEqual($"{kept.Letter:N}", (await LettersAsync("state=new"))[0].GetProperty("Id").GetString());
    }
}
