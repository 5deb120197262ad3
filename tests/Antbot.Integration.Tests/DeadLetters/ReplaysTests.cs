using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Integration.Tests.Cli;
using Antbot.Integration.Tests.ConsoleApi;
using Antbot.Integration.Tests.Support;
using Antbot.Kernel.Identity;
using Xunit;

namespace Antbot.Integration.Tests.DeadLetters;

/// <summary>Many dead letters are sent once more together, by whoever may, as carefully as that takes.</summary>
public sealed class ReplaysTests : OnAConsole
{
    private const string Cause = "0123456789abcdef";

    [Fact]
    public async Task Those_of_one_cause_go_batch_by_batch_and_what_comes_later_is_not_among_them()
    {
        var (console, token) = await StartAsync(15);
        await console.Letters.KeepAsync(SeededLetters.Dead(Guid.NewGuid(), "CloseTrade", "{}"), Cancel);
        var said = await AntbotProcess.RunAsync(Folder, "dlq", "replay", "--fingerprint", Cause, "--reason", "mended", "--wait", "--json", "--console", console.Address, "--token-file", token);
        Assert.True(said.ExitCode == 0, said.Error);
        var selection = JsonDocument.Parse(said.Output).RootElement.GetProperty("Selection");
        Assert.Equal(("Done", 15, 15, 0, 0, 4), (State(selection), Number(selection, "Letters"), Number(selection, "Replayed"), Number(selection, "Refused"), Number(selection, "Failed"), Number(selection, "Batch")));
        await Eventually.HoldsAsync(async () => (await ItemsAsync("/api/deadletters?state=replayed")).Count == 15, "all have had their effect");
        Assert.Single(await ItemsAsync("/api/deadletters?state=new"));

        var id = selection.GetProperty("Id").GetString()!;
        await Eventually.HoldsAsync(async () => (await ItemsAsync("/api/replays?state=done")).Count == 1, "it is in the list");
        Assert.Contains("15 of 15 letters replayed", (await AntbotProcess.RunAsync(Folder, "dlq", "replays", id, "--console", console.Address, "--token-file", token)).Output, StringComparison.Ordinal);
        Assert.Contains("mended", (await AntbotProcess.RunAsync(Folder, "dlq", "replays", "--state", "done", "--console", console.Address, "--token-file", token)).Output, StringComparison.Ordinal);
        // None of that cause is left.
        var (status, why) = await console.PostAsync("/api/replays", new { Fingerprint = Cause, Reason = "once more" });
        Assert.Equal((409, true), (status, why.GetProperty("Message").GetString()!.StartsWith("some: ", StringComparison.Ordinal)));
        Assert.Equal(5, (await AntbotProcess.RunAsync(Folder, "dlq", "cancel", new string('0', 32), "--reason", "none", "--console", console.Address, "--token-file", token)).ExitCode);
    }

    [Fact]
    public async Task Where_one_dies_again_the_rest_is_left_alone_and_what_may_not_be_sent_stops_nobody()
    {
        // The oldest has no id that it could be found by; the third one dies wherever it goes.
        var (console, token) = await StartAsync(8, (i, kept) => i switch
        {
            0 => kept with { Properties = kept.Properties! with { MessageId = null } },
            2 => SeededLetters.Deadly(kept),
            _ => kept,
        });
        var said = await AntbotProcess.RunAsync(Folder, "dlq", "replay", "--all", "--reason", "mended", "--wait", "--console", console.Address, "--token-file", token);
        Assert.Equal(1, said.ExitCode);
        Assert.Contains("Stopped: 1 of 8 letters replayed, 1 refused, 1 failed", said.Output, StringComparison.Ordinal);
        Assert.Contains("identified: it has no id", said.Output, StringComparison.Ordinal);
        Assert.Contains("it came back", said.Output, StringComparison.Ordinal);
        await Eventually.HoldsAsync(async () => (await ItemsAsync("/api/deadletters?state=new")).Count == 7, "the rest is as it was");
    }

    /// <summary>Of what was ordered only by whoever went on it was once said at once that nothing was heard of it within a minute.</summary>
    [Fact]
    public async Task A_batch_that_was_killed_beyond_its_time_has_it_anew()
    {
        var selection = Guid.NewGuid();
        await using (var store = await StoreAsync())
        {
            var kept = await SeededLetters.KeepAsync(store);
            foreach (var @event in new object[]
            {
                new ReplaysRequested(selection, new ReplaysQuery(null, null, null, null, null), [new SelectedLetter(kept.Letter, null)], null, new ReplaysPace(10, 10, 60), new ReplaysLimits(10, new Money(10)), NeedsApproval: false, "mended", "anna"),
                new ReplayBatchBegun(selection, 1, [kept.Letter], DateTimeOffset.UtcNow.AddHours(-1)),
            })
                await store.AppendAsync(SeededLetters.Append(Streams.Replays(selection), new Decision(Guid.NewGuid(), "test"), @event), Cancel);
        }
        await RunAsync([], []);
        await Eventually.HoldsAsync(async () => State((await Running.GetAsync($"/api/replays/{selection:N}")).GetProperty("Selection")) is "Done" or "Stopped", "it is over");
        var over = await Running.GetAsync($"/api/replays/{selection:N}");
        Assert.True((State(over.GetProperty("Selection")), Number(over.GetProperty("Selection"), "Replayed")) == ("Done", 1), over.GetRawText());
    }

    [Fact]
    public async Task More_than_one_may_have_sent_alone_another_approves()
    {
        var (console, _) = await StartAsync(5, null, "--console:replayLettersMax=4");
        var (status, requested) = await console.PostAsync("/api/replays", new { Endpoint = "execution", Reason = "mended" }, "the-same-key");
        var selection = requested.GetProperty("Selection");
        Assert.Equal((202, "Requested"), (status, State(selection)));
        // Asked for again under the same key it is the same; anything else is told that it was not done.
        Assert.Equal(selection.GetProperty("Id").GetString(), (await console.PostAsync("/api/replays", new { Endpoint = "execution", Reason = "mended" }, "the-same-key")).Body.GetProperty("Selection").GetProperty("Id").GetString());
        foreach (var other in new object[] { new { Endpoint = "execution", Reason = "another" }, new { All = true, Reason = "mended" }, new { Endpoint = "execution", Reason = "mended", PerSecond = 1 } })
            Assert.Equal((409, "Other"), (await console.PostAsync("/api/replays", other, "the-same-key")) is var (refused, why) ? (refused, why.GetProperty("Error").GetString()) : default);

        var path = $"/api/replays/{selection.GetProperty("Id").GetString()}";
        var (own, reason) = await console.PostAsync($"{path}/approve", new { Reason = "I say so" });
        Assert.Equal((409, "another: default requested it"), (own, reason.GetProperty("Message").GetString()));
        Assert.Equal(5, (await ItemsAsync("/api/deadletters?state=new")).Count);
        var ben = (await console.PostAsync("/api/tokens", new { Name = "ben", Role = "Operator", Reason = "a test" })).Body.GetProperty("Token").GetString()!;
        using var client = console.ClientOf(ben);
        using var answer = await client.PostAsync(path + "/approve", new StringContent("""{"Reason":"looks right"}"""), Cancel);
        Assert.True(answer.IsSuccessStatusCode);
        await Eventually.HoldsAsync(async () => State((await console.GetAsync(path)).GetProperty("Selection")) == "Done", "it is done");
        Assert.Equal("ben", (await console.GetAsync(path)).GetProperty("Selection").GetProperty("ApprovedBy").GetString());
        Assert.Equal(409, (await console.PostAsync($"{path}/cancel", new { Reason = "too late" })).Status);
    }

    [Fact]
    public async Task What_is_not_heard_of_in_time_stops_it_and_one_that_was_cancelled_never_begins()
    {
        var (console, _) = await StartAsync(3, (_, kept) => kept with { Endpoint = "risk" }, "--console:replayPatienceSeconds=2", "--console:replayNotionalMax=0");
        var (_, small) = await console.PostAsync("/api/replays", new { All = true, Limit = 1, Reason = "perhaps" });
        var path = $"/api/replays/{small.GetProperty("Selection").GetProperty("Id").GetString()}";
        await Eventually.HoldsAsync(async () => State((await console.GetAsync(path)).GetProperty("Selection")) == "Stopped", "it is stopped");
        Assert.Contains("nothing was heard of it within 2 s", (await console.GetAsync(path)).GetProperty("Selection").GetProperty("Why").GetString(), StringComparison.Ordinal);
        // It is still on its way, and nobody says otherwise.
        await Eventually.HoldsAsync(async () => (await ItemsAsync("/api/deadletters?state=replaying")).Count == 1, "it is under way");
    }

    [Theory]
    [InlineData("""{"Reason":"mended"}""")]
    [InlineData("""{"Reason":"mended","All":true,"Endpoint":"risk"}""")]
    [InlineData("""{"Reason":"mended","All":false}""")]
    [InlineData("""{"Reason":"mended","All":true,"Limit":0}""")]
    [InlineData("""{"Reason":"mended","All":true,"PerSecond":1000000}""")]
    [InlineData("""{"Reason":"mended","Trade":"x"}""")]
    [InlineData("""{"Reason":"mended","Colour":"red"}""")]
    [InlineData("""{"Reason":"","All":true}""")]
    [InlineData("""{"All":true}""")]
    public async Task What_cannot_be_meant_is_refused(string body)
    {
        var (console, _) = await StartAsync(1);
        Assert.Equal(400, (await console.PostAsync("/api/replays", body)).Status);
        Assert.Empty(await ItemsAsync("/api/replays"));
    }

    private async Task<(RunningConsole Console, string Token)> StartAsync(int letters, Func<int, DeadLetterKept, DeadLetterKept>? with = null, params IReadOnlyList<string> more)
    {
        await using (var store = await StoreAsync())
        {
            for (var i = 0; i < letters; i++)
                await SeededLetters.KeepAsync(store, k => (with?.Invoke(i, k) ?? k) with { Fingerprint = Cause });
        }
        return await RunAsync(letters, [], more);
    }

    private static int Number(JsonElement view, string name) => view.GetProperty(name).GetInt32();
}
