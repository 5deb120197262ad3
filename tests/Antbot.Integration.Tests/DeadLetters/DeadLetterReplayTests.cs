using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Integration.Tests.ConsoleApi;
using Antbot.Integration.Tests.Support;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.DeadLetters;

/// <summary>What is sent once more within one process: it is found again, is lost to nobody, and holds nobody up.</summary>
public sealed class DeadLetterReplayTests : OnAConsole
{
    /// <summary>Its bytes are others by then: it is written anew on the way.</summary>
    [Fact]
    public async Task One_that_dies_again_is_the_same_letter()
    {
        var console = await StartAsync();
        var (trade, id) = (new TradeId(Guid.NewGuid()), Guid.NewGuid());
        await console.Letters.KeepAsync(SeededLetters.Dead(id, nameof(CloseTrade), $$"""{"trade":"{{trade}}","account":"main","reason":"{{RunningConsole.Deadly}}"}"""), Cancel);
        await Eventually.HoldsAsync(async () => (await LettersAsync()).Count == 1, "it is in the read models");
        var letter = (await LettersAsync())[0].GetProperty("Id").GetString()!;
        Assert.Equal(202, (await console.PostAsync($"/api/deadletters/{letter}/replay", new { Reason = "perhaps" })).Status);
        await Eventually.HoldsAsync(async () => (await LettersAsync()).Any(l => l.GetProperty("Replays").GetInt32() == 1 && State(l) == "New"), "it is back");
        await Task.Delay(500, Cancel);
        Assert.Equal(letter, Assert.Single(await LettersAsync()).GetProperty("Id").GetString());

        // The same header on another message: that one was never sent once more, and is not dropped for it.
        var other = SeededLetters.Dead(Guid.NewGuid(), nameof(CloseTrade), "{}");
        await console.Letters.KeepAsync(other with { Properties = other.Properties with { Headers = [new(0, DeadLetterHeaders.Replay, HeaderKind.Text, $"{letter}/1")] } }, Cancel);
        await Eventually.HoldsAsync(async () => (await LettersAsync()).Count == 2, "it is a letter of its own");
    }

    /// <summary>It was in the memory of a process that is gone; that it was sent had been noted.</summary>
    [Fact]
    public async Task What_was_lost_on_its_way_is_sent_again()
    {
        var letter = await SeedAsync(async store =>
        {
            var kept = await SeededLetters.KeepAsync(store);
            await SeededLetters.OrderAsync(store, kept, 1);
            await store.SaveCheckpointAsync("dead-letter-replays", (await store.ReadPageAsync(0, 100, Cancel))[^1].Sequence, Cancel);
            return kept.Letter;
        });
        await StartAsync("--console:resendSeconds=1");
        await Eventually.HoldsAsync(async () => State(await LetterAsync(letter)) == "Replayed", "it has its effect");
        Assert.Equal(1, (await LetterAsync(letter)).GetProperty("Replays").GetInt32());
    }

    [Fact]
    public async Task One_that_cannot_be_sent_is_open_again_with_the_reason_and_holds_up_nobody()
    {
        var letters = await SeedAsync(async store =>
        {
            var (corrupt, strange, sound) = (await SeededLetters.KeepAsync(store, k => k with { Content = new ContentHash(new string('0', 64), 1) }), await SeededLetters.KeepAsync(store, k => k with
            {
                Properties = k.Properties! with { Headers = [new(0, "number", HeaderKind.Int32, "none")] },
            }), await SeededLetters.KeepAsync(store));
            foreach (var kept in new[] { corrupt, strange, sound })
                await SeededLetters.OrderAsync(store, kept, 1);
            return new[] { corrupt.Letter, strange.Letter, sound.Letter };
        });
        await StartAsync();
        await Eventually.HoldsAsync(async () => State(await LetterAsync(letters[2])) == "Replayed", "the one behind them has its effect");
        await Eventually.HoldsAsync(async () => (await LettersAsync("state=new")).Count == 2, "the list says so");
        foreach (var (letter, why) in new[] { (letters[0], "has been changed since it was put there"), (letters[1], "It cannot be sent") })
        {
            // One whose body is not what it was is not shown, but listed.
            var view = Assert.Single(await LettersAsync("state=new"), l => l.GetProperty("Id").GetString() == $"{letter:N}");
            Assert.Contains(why, view.GetProperty("Reason").GetString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_was_decided_otherwise_before_it_went_is_not_sent()
    {
        var trade = new TradeId(Guid.NewGuid());
        var letters = await SeedAsync(async store =>
        {
            var (discarded, givenUp, last) = (await SeededLetters.KeepAsync(store, trade: trade), await SeededLetters.KeepAsync(store, trade: trade), await SeededLetters.KeepAsync(store));
            foreach (var kept in new[] { discarded, givenUp, last })
                await SeededLetters.OrderAsync(store, kept, 1);
            await SeededLetters.AppendAsync(store, discarded, new DeadLetterDiscarded(discarded.Letter, Guid.NewGuid(), discarded.Fingerprint, "of no use", "anna"));
            await SeededLetters.AppendAsync(store, givenUp, new DeadLetterGivenUp(givenUp.Letter, Guid.NewGuid(), givenUp.Fingerprint, 1, "it takes too long", "anna"));
            return new[] { discarded.Letter, givenUp.Letter, last.Letter };
        });
        var console = await StartAsync();
        // In order: whatever came before it has been passed by then.
        await Eventually.HoldsAsync(async () => State(await LetterAsync(letters[2])) == "Replayed", "the last one has its effect");
        Assert.Equal(("Discarded", "New"), (State(await LetterAsync(letters[0])), State(await LetterAsync(letters[1]))));
        await Task.Delay(300, Cancel);
        await foreach (var _ in console.Store.ReadStreamAsync(Streams.Order(trade), 1, Cancel))
            Assert.Fail("It was sent.");
    }

    /// <summary>Nobody takes them here, so that all stand waiting; whose effect comes to be is found wherever it stands in the list.</summary>
    [Fact]
    public async Task However_many_are_under_way_all_are_looked_at()
    {
        var kept = await SeedAsync(async store =>
        {
            var all = new List<DeadLetterKept>();
            for (var i = 0; i < 1_100; i++)
            {
                all.Add(await SeededLetters.KeepAsync(store, k => k with { Endpoint = Routes.Risk }));
                await SeededLetters.OrderAsync(store, all[^1], 1);
            }
            return all;
        });
        var console = await StartAsync();
        await Eventually.HoldsAsync(async () => (await LettersAsync("state=replaying&limit=1000")).Count == 1_000, "they are in the read models");
        foreach (var letter in new[] { kept[0], kept[550], kept[^1] })
        {
            await console.Store.AppendAsync(SeededLetters.EffectOf(letter), Cancel);
            await Eventually.HoldsAsync(async () => State(await LetterAsync(letter.Letter)) == "Replayed", "its effect is found");
        }
    }

    /// <summary>Somebody held that nothing was to come of it, and something came: the record says what happened.</summary>
    [Fact]
    public async Task What_was_discarded_or_has_expired_on_its_way_is_replayed_when_its_copy_has_its_effect()
    {
        var kept = await SeedAsync(async store =>
        {
            var all = new List<DeadLetterKept>();
            for (var i = 0; i < 4; i++)
            {
                all.Add(await SeededLetters.KeepAsync(store, k => k with { Endpoint = Routes.Risk }));
                if (i < 3)
                    await SeededLetters.OrderAsync(store, all[i], 1);
            }
            await SeededLetters.AppendAsync(store, all[0], new DeadLetterDiscarded(all[0].Letter, Guid.NewGuid(), all[0].Fingerprint, "of no use", "anna"));
            await SeededLetters.AppendAsync(store, all[1], new DeadLetterGivenUp(all[1].Letter, Guid.NewGuid(), all[1].Fingerprint, 1, "it takes too long", "anna"));
            await SeededLetters.AppendAsync(store, all[1], new DeadLetterExpired(all[1].Letter, all[1].Fingerprint, "nothing was done about it for 30 days", "system"));
            await SeededLetters.AppendAsync(store, all[2], new DeadLetterDiscarded(all[2].Letter, Guid.NewGuid(), all[2].Fingerprint, "of no use", "anna"));
            await SeededLetters.AppendAsync(store, all[3], new DeadLetterDiscarded(all[3].Letter, Guid.NewGuid(), all[3].Fingerprint, "of no use", "anna"));
            return all;
        });
        var console = await StartAsync();
        await Eventually.HoldsAsync(async () => (await LettersAsync("state=discarded,expired")).Count == 4, "they are in the read models");
        // The last was never sent: whatever its message came to, it was not by a copy of it.
        foreach (var letter in new[] { kept[0], kept[1], kept[3] })
            await console.Store.AppendAsync(SeededLetters.EffectOf(letter), Cancel);
        await Eventually.HoldsAsync(async () => (await LettersAsync("state=replayed")).Count == 2, "what came of them is in the list");
        Assert.Equal(["Replayed", "Replayed", "Discarded", "Discarded"], await Task.WhenAll(kept.Select(async k => State(await LetterAsync(k.Letter)))));
        Assert.Equal(["dead_letter_kept", "dead_letter_replay_ordered", "dead_letter_discarded", "dead_letter_replayed"], (await console.Store.ReadStreamAsync(Streams.DeadLetter(kept[0].Letter), 1, Cancel).ToListAsync(Cancel)).Select(e => e.Type));
    }

    /// <summary>Every one of them was once asked about each second, for ever.</summary>
    [Fact]
    public async Task One_that_went_astray_is_looked_for_as_long_as_letters_are_kept()
    {
        var kept = await SeedAsync(async store =>
        {
            var all = new List<DeadLetterKept>();
            foreach (var days in new[] { 40, 20 })
            {
                var at = DateTimeOffset.UtcNow.AddDays(-days);
                all.Add(await SeededLetters.KeepAsync(store, k => k with { Endpoint = Routes.Risk }, at: at));
                foreach (var @event in new object[] { new DeadLetterReplayOrdered(all[^1].Letter, Guid.NewGuid(), all[^1].Fingerprint, 1, "mended", "anna"), new DeadLetterDiscarded(all[^1].Letter, Guid.NewGuid(), all[^1].Fingerprint, "of no use", "anna") })
                    await store.AppendAsync(SeededLetters.Append(Streams.DeadLetter(all[^1].Letter), new Decision(Guid.NewGuid(), "test"), @event, at), Cancel);
                await store.AppendAsync(SeededLetters.EffectOf(all[^1]), Cancel);
            }
            return all;
        });
        await StartAsync("--console:deadLetterDays=30");
        await Eventually.HoldsAsync(async () => State(await LetterAsync(kept[1].Letter)) == "Replayed", "the younger one is looked for");
        await Task.Delay(2_500, Cancel);
        Assert.Equal("Discarded", State(await LetterAsync(kept[0].Letter)));
    }

    [Fact]
    public async Task One_that_nobody_is_heard_of_is_given_up_or_discarded_and_never_told_to_be_replayed()
    {
        var letters = await SeedAsync(async store =>
        {
            var (one, other) = (await SeededLetters.KeepAsync(store, k => k with { Endpoint = Routes.Risk }), await SeededLetters.KeepAsync(store, k => k with { Endpoint = Routes.Risk }));
            await SeededLetters.OrderAsync(store, one, 1);
            await SeededLetters.OrderAsync(store, other, 1);
            return new[] { one.Letter, other.Letter };
        });
        var console = await StartAsync("--console:resendSeconds=1");
        await Eventually.HoldsAsync(async () => (await LettersAsync("state=replaying")).Count == 2, "they are in the read models");
        await Task.Delay(3_000, Cancel);
        Assert.Equal(2, (await LettersAsync("state=replaying")).Count);

        var (status, done) = await console.PostAsync($"/api/deadletters/{letters[0]:N}/give-up", new { Reason = "it takes too long" }, "give-up-one");
        Assert.Equal((200, "New", "default"), (status, State(done), done.GetProperty("By").GetString()));
        Assert.Equal(409, (await console.PostAsync($"/api/deadletters/{letters[0]:N}/give-up", new { Reason = "once more" })).Status);
        Assert.Equal(200, (await console.PostAsync($"/api/deadletters/{letters[1]:N}/discard", new { Reason = "of no use" })).Status);
        Assert.Equal(("New", "Discarded"), (State(await LetterAsync(letters[0])), State(await LetterAsync(letters[1]))));
        await Eventually.HoldsAsync(async () => (await LettersAsync("state=replaying")).Count == 0, "the list says so");
        Assert.Equal(202, (await console.PostAsync($"/api/deadletters/{letters[0]:N}/replay", new { Reason = "mended" })).Status);
        Assert.Equal(2, (await LetterAsync(letters[0])).GetProperty("Replays").GetInt32());
    }

    /// <summary>Under one key one thing is done; whoever asks for another is not told that it was.</summary>
    [Fact]
    public async Task Another_request_under_the_same_key_is_refused()
    {
        var letters = await SeedAsync(async store =>
        {
            var (one, other) = (await SeededLetters.KeepAsync(store, k => k with { Endpoint = Routes.Risk }), await SeededLetters.KeepAsync(store, k => k with { Endpoint = Routes.Risk }));
            return new[] { one.Letter, other.Letter };
        });
        var console = await StartAsync();
        var replay = $"/api/deadletters/{letters[0]:N}/replay";
        Assert.Equal(202, (await console.PostAsync(replay, new { Reason = "mended" }, "the-same-key")).Status);
        Assert.Equal(202, (await console.PostAsync(replay, new { Reason = "mended" }, "the-same-key")).Status);
        foreach (var (path, reason) in new[]
        {
            (replay, "another reason"), ($"/api/deadletters/{letters[1]:N}/replay", "mended"), ($"/api/deadletters/{letters[0]:N}/discard", "mended"), ($"/api/deadletters/{letters[0]:N}/give-up", "mended"),
        })
        {
            var (status, said) = await console.PostAsync(path, new { Reason = reason }, "the-same-key");
            Assert.Equal((409, "Other"), (status, said.GetProperty("Error").GetString()));
        }
        Assert.Equal(("Replaying", "New"), (State(await LetterAsync(letters[0])), State(await LetterAsync(letters[1]))));
        // A refusal, too, is the answer to what was asked for and to nothing else.
        Assert.Equal(409, (await console.PostAsync($"/api/deadletters/{letters[1]:N}/give-up", new { Reason = "never sent" }, "another-key")).Status);
        var (again, why) = await console.PostAsync($"/api/deadletters/{letters[1]:N}/discard", new { Reason = "never sent" }, "another-key");
        Assert.Equal((409, "Other"), (again, why.GetProperty("Error").GetString()));
    }

    private Task<RunningConsole> StartAsync(params IReadOnlyList<string> more) => RunAsync([], more);

    private async Task<T> SeedAsync<T>(Func<IEventStore, Task<T>> seed)
    {
        await using var store = await StoreAsync();
        return await seed(store);
    }
}
