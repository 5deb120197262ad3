using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.EventStore;
using Antbot.Integration.Tests.Cli;
using Antbot.Integration.Tests.ConsoleApi;
using Antbot.Integration.Tests.Support;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.DeadLetters;

/// <summary>A letter that is mended before it is sent once more, and those that nobody does anything about, over the API and from a terminal.</summary>
public sealed class LetterLifeTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-letter-life-").FullName;
    private RunningConsole? _console;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_console is not null)
            await _console.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>It dies again as it came; mended it has its effect, once, under the id that it always had.</summary>
    [Fact]
    public async Task What_is_mended_goes_out_so_and_has_one_effect()
    {
        var (trade, id) = (new TradeId(Guid.NewGuid()), Guid.NewGuid());
        var kept = SeededLetters.Of(Routes.Execution, id, nameof(CloseTrade), $$"""{"trade":"{{trade}}","account":"main","reason":"{{RunningConsole.Deadly}}"}""");
        var (console, token) = await StartAsync([kept]);
        string[] at = ["--console", console.Address, "--token-file", token];
        var letter = $"{kept.Letter:N}";

        var patch = Path.Combine(_folder, "patch.json");
        await File.WriteAllTextAsync(patch, $$"""[{"op":"test","path":"/reason","value":"{{RunningConsole.Deadly}}"},{"op":"replace","path":"/reason","value":"it is enough"}]""", Cancel);
        var said = await AntbotProcess.RunAsync(_folder, ["dlq", "edit", letter[..12], "--patch", patch, "--reason", "a typing error", .. at]);
        Assert.True(said.ExitCode == 0, said.Error);
        Assert.Contains("is Edited by default: a typing error", said.Output, StringComparison.Ordinal);

        var story = await console.GetAsync($"/api/deadletters/{letter}");
        Assert.Equal(("Edited", 1), (story.GetProperty("Letter").GetProperty("State").GetString(), story.GetProperty("Letter").GetProperty("Edits").GetInt32()));
        var edit = Assert.Single(story.GetProperty("Edits").EnumerateArray());
        Assert.Equal(("default", "a typing error", kept.Content.Sha256), (edit.GetProperty("By").GetString(), edit.GetProperty("Reason").GetString(), edit.GetProperty("Before").GetString()));
        Assert.Contains("it is enough", edit.GetProperty("Text").GetString(), StringComparison.Ordinal);
        Assert.Equal(2, edit.GetProperty("Patch").GetArrayLength());
        // What came is untouched, beside what goes.
        Assert.Equal(kept.Body, await console.Client.GetByteArrayAsync($"/api/deadletters/{letter}/body", Cancel));
        Assert.Contains("it is enough", await console.Client.GetStringAsync($"/api/deadletters/{letter}/body?edited=true", Cancel), StringComparison.Ordinal);
        Assert.Contains("it is enough", (await AntbotProcess.RunAsync(_folder, ["dlq", "show", letter, .. at])).Output, StringComparison.Ordinal);

        Assert.Equal(202, (await console.PostAsync($"/api/deadletters/{letter}/replay", new { Reason = "mended" })).Status);
        await Eventually.HoldsAsync(() => Task.FromResult(console.Closes.Any(c => c.Trade == trade)), "it has arrived");
        Assert.Equal("it is enough", Assert.Single(console.Closes, c => c.Trade == trade).Reason);
    }

    [Fact]
    public async Task The_original_and_the_edited_one_have_one_effect_between_them()
    {
        var (trade, id) = (new TradeId(Guid.NewGuid()), Guid.NewGuid());
        var kept = SeededLetters.Of(Routes.Risk, id, new EntryFailed(trade, new AccountId("main"), "as it came"));
        var (console, _) = await StartAsync([kept], new Antbot.Risk.RiskModule());
        var letter = $"{kept.Letter:N}";
        Assert.Equal(200, (await console.PostAsync($"/api/deadletters/{letter}/edit", new { Reason = "mended", Patch = Set("/reason", "as it was changed") }, "edit-once")).Status);
        // The same request is the same edit; another one under its key is none.
        Assert.Equal(200, (await console.PostAsync($"/api/deadletters/{letter}/edit", new { Reason = "mended", Patch = Set("/reason", "as it was changed") }, "edit-once")).Status);
        Assert.Equal(409, (await console.PostAsync($"/api/deadletters/{letter}/edit", new { Reason = "mended", Patch = Set("/reason", "otherwise") }, "edit-once")).Status);
        Assert.Equal(1, (await LetterAsync(kept)).GetProperty("Edits").GetInt32());
        Assert.Equal(202, (await console.PostAsync($"/api/deadletters/{letter}/replay", new { Reason = "mended" })).Status);
        await Eventually.HoldsAsync(async () => State(await LetterAsync(kept)) == "Replayed", "it has its effect");

        // A copy of the original that was on its way all the time: it finds what was decided on the other.
        await console.Parts.Bus.PublishAsync([new OutboundMessage(id, Routes.Risk, new EntryFailed(trade, new AccountId("main"), "as it came"), trade.Value, null)], Cancel);
        await Task.Delay(1_000, Cancel);
        var effects = new List<string>();
        await foreach (var stored in console.Store.ReadStreamAsync(Streams.Account(new AccountId("main")), 1, Cancel))
            effects.Add(System.Text.Encoding.UTF8.GetString(stored.Data.Span));
        Assert.Contains("as it was changed", Assert.Single(effects), StringComparison.Ordinal);
        var (status, why) = await console.PostAsync($"/api/deadletters/{letter}/edit", new { Reason = "too late", Patch = Set("/reason", "otherwise") });
        Assert.Equal(409, status);
        Assert.Contains("new: it is Replayed", why.GetProperty("Message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_nobody_could_read_or_would_be_another_message_is_refused_with_every_fault()
    {
        var trade = new TradeId(Guid.NewGuid());
        var kept = SeededLetters.Of(Routes.Execution, Guid.NewGuid(), new CloseTrade(trade, new AccountId("main"), "now"));
        var own = SeededLetters.Of(Routes.Execution, Guid.NewGuid(), new SettleOrder(trade, ClientOrderId.Of(trade, OrderRole.Entry, 0), Guid.NewGuid(), true, "anna", "so"));
        var decided = SeededLetters.Of(Routes.Execution, Guid.NewGuid(), new CloseTrade(trade, new AccountId("main"), "now"));
        var (console, token) = await StartAsync([kept, own, decided]);
        await console.Store.AppendAsync(SeededLetters.EffectOf(decided), Cancel);

        var (status, why) = await EditAsync(kept, """[{"op":"replace","path":"/account","value":7},{"op":"remove","path":"/reason"},{"op":"add","path":"/colour","value":"red"}]""");
        var message = why.GetProperty("Message").GetString()!;
        Assert.Equal((409, "Refused"), (status, why.GetProperty("Error").GetString()));
        foreach (var fault in new[] { "/account: ", "/reason: it is missing", "/colour: nobody reads" })
            Assert.Contains(fault, message, StringComparison.Ordinal);
        foreach (var (letter, patch, fault) in new[]
        {
            (kept, $$"""[{"op":"replace","path":"/trade","value":"{{new TradeId(Guid.NewGuid())}}"}]""", "does not become one about"),
            (kept, """[{"op":"replace","path":"/account","value":"other"}]""", "does not become one about"),
            (kept, """[{"op":"test","path":"/reason","value":"another"}]""", "it is something else"),
            (kept, """[{"op":"replace","path":"/reason","value":"now"}]""", "It changes nothing"),
            (own, """[{"op":"replace","path":"/by","value":"ben"}]""", "operator's own word"),
            (decided, """[{"op":"replace","path":"/reason","value":"later"}]""", "undecided: event"),
        })
        {
            (status, why) = await EditAsync(letter, patch);
            Assert.True(status == 409 && why.GetProperty("Message").GetString()!.Contains(fault, StringComparison.Ordinal), $"{patch}: {status} {why}");
        }
        foreach (var patch in new[] { """[]""", """{}""", """[{"op":"merge","path":"/a"}]""", "null", "\"x\"" })
            Assert.Equal(400, (await EditAsync(kept, patch)).Status);
        Assert.Equal("New", State(await LetterAsync(kept)));
        Assert.Equal(kept.Body, await console.Client.GetByteArrayAsync($"/api/deadletters/{kept.Letter:N}/body?edited=true", Cancel));

        string[] at = ["--console", console.Address, "--token-file", token];
        var refused = await AntbotProcess.RunAsync(_folder, ["dlq", "edit", $"{kept.Letter:N}", "--set", "account=7", "--set", "reason=null", "--reason", "x", .. at]);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("/reason: it must not be null", refused.Error, StringComparison.Ordinal);
        Assert.Contains("/account: ", refused.Error, StringComparison.Ordinal);
        Assert.Equal(2, (await AntbotProcess.RunAsync(_folder, ["dlq", "edit", $"{kept.Letter:N}", "--reason", "x", .. at])).ExitCode);
        Assert.Equal(2, (await AntbotProcess.RunAsync(_folder, ["dlq", "edit", $"{kept.Letter:N}", "--set", "account", "--reason", "x", .. at])).ExitCode);
        Assert.Equal(2, (await AntbotProcess.RunAsync(_folder, ["dlq", "edit", $"{kept.Letter:N}", "--set", "reason=later", .. at])).ExitCode);
        var json = await AntbotProcess.RunAsync(_folder, ["dlq", "edit", $"{kept.Letter:N}", "--set", "reason=later", "--reason", "x", "--json", .. at]);
        Assert.Equal("Edited", JsonDocument.Parse(json.Output).RootElement.GetProperty("State").GetString());
    }

    /// <summary>Six months old, all of them: one is about a trade that goes on, one was looked after since.</summary>
    [Fact]
    public async Task Old_letters_expire_by_themselves_but_not_those_about_a_trade_that_goes_on()
    {
        var (open, over) = (new TradeId(Guid.NewGuid()), new TradeId(Guid.NewGuid()));
        var old = DateTimeOffset.UtcNow.AddDays(-180);
        List<DeadLetterKept> letters = [];
        await using (var store = await StoreAsync())
        {
            foreach (var trade in new[] { open, over })
                await store.AppendAsync(SeededLetters.Append(Streams.Trade(trade), new Decision(Guid.NewGuid(), "coordinator"), new TradeRaised(SignalOf(trade, DateTimeOffset.UtcNow.AddDays(-179)), old)), Cancel);
            await store.AppendAsync(SeededLetters.Append(Streams.Trade(over), new Decision(Guid.NewGuid(), "coordinator"), new TradeRejected(over, [])), Cancel);
            foreach (var trade in new[] { open, over, new TradeId(Guid.NewGuid()), new TradeId(Guid.NewGuid()) })
                letters.Add(await SeededLetters.KeepAsync(store, trade: trade, at: old));
            await SeededLetters.AppendAsync(store, letters[3], new DeadLetterEdited(letters[3].Letter, Guid.NewGuid(), letters[3].Fingerprint, 1, "[]", letters[3].Content, letters[3].Content, letters[3].Body, "later", "anna"));
            letters.Add(await SeededLetters.KeepAsync(store));
        }
        _console = await RunningConsole.StartAsync(_folder, "--console:deadLetterDays=170");
        await Eventually.HoldsAsync(async () => (await ItemsAsync("state=expired")).Count == 2, "those that are nobody's any more have expired");
        await Task.Delay(1_000, Cancel);
        Assert.Equal(["New", "Expired", "Expired", "Edited", "New"], await Task.WhenAll(letters.Select(Of)));
        var expired = await LetterAsync(letters[1]);
        Assert.Equal(("system", "nothing was done about it for 170 days"), (expired.GetProperty("By").GetString(), expired.GetProperty("Reason").GetString()));
        var (status, why) = await _console.PostAsync($"/api/deadletters/{letters[1].Letter:N}/replay", new { Reason = "after all" });
        Assert.Equal((409, "new: it is Expired"), (status, why.GetProperty("Message").GetString()));
        Assert.Equal(409, (await _console.PostAsync($"/api/deadletters/{letters[1].Letter:N}/discard", new { Reason = "after all" })).Status);

        async Task<string> Of(DeadLetterKept letter) => State(await LetterAsync(letter));
    }

    /// <summary>A yes to a wish is over with the wish; a way out never is.</summary>
    [Fact]
    public async Task What_is_over_is_refused_with_the_reason_and_an_exit_never()
    {
        var (stale, over) = (new TradeId(Guid.NewGuid()), new TradeId(Guid.NewGuid()));
        DeadLetterKept[] letters =
        [
            SeededLetters.Of(Routes.Coordinator, Guid.NewGuid(), new RiskApproved(stale, new Money(1), [])), SeededLetters.Of(Routes.Coordinator, Guid.NewGuid(), new RiskApproved(over, new Money(1), [])),
            SeededLetters.Of(Routes.Execution, Guid.NewGuid(), new CloseTrade(over, new AccountId("main"), "now")),
        ];
        await using (var store = await StoreAsync())
        {
            await store.AppendAsync(SeededLetters.Append(Streams.Trade(stale), new Decision(Guid.NewGuid(), "coordinator"), new TradeRaised(SignalOf(stale, DateTimeOffset.UtcNow.AddMinutes(-1)), DateTimeOffset.UtcNow)), Cancel);
            await store.AppendAsync(SeededLetters.Append(Streams.Trade(over), new Decision(Guid.NewGuid(), "coordinator"), new TradeRaised(SignalOf(over, DateTimeOffset.UtcNow.AddHours(1)), DateTimeOffset.UtcNow)), Cancel);
            await store.AppendAsync(SeededLetters.Append(Streams.Trade(over), new Decision(Guid.NewGuid(), "coordinator"), new TradeRejected(over, [])), Cancel);
        }
        var (console, _) = await StartAsync(letters);
        Assert.Contains("valid: its signal was valid until", (await ReplayAsync(letters[0])).GetProperty("Message").GetString(), StringComparison.Ordinal);
        Assert.Contains("trade-is-open: it is a wish to enter, and its trade is Rejected", (await ReplayAsync(letters[1])).GetProperty("Message").GetString(), StringComparison.Ordinal);
        Assert.Equal("Replaying", State(await ReplayAsync(letters[2])));

        async Task<JsonElement> ReplayAsync(DeadLetterKept letter) => (await console.PostAsync($"/api/deadletters/{letter.Letter:N}/replay", new { Reason = "mended" })).Body;
    }

    private static Signal SignalOf(TradeId trade, DateTimeOffset until) =>
        new(trade, new AccountId("main"), "strategy:test", new Symbol("BTCUSDT"), Side.Buy, OrderKind.Market, new Price(100), null, new Price(95), null, new Money(50), 0.7m, until.AddSeconds(-30), until);

    private static object[] Set(string path, string value) => [new { op = "replace", path, value }];

    private static string State(JsonElement letter) => letter.GetProperty("State").GetString()!;

    private async Task<(RunningConsole Console, string Token)> StartAsync(IReadOnlyList<DeadLetterKept> letters, params IReadOnlyList<Antbot.Hosting.IServiceModule> others)
    {
        await using (var store = await StoreAsync())
        {
            foreach (var letter in letters)
                await SeededLetters.KeepAsync(store, _ => letter);
        }
        _console = await RunningConsole.StartAsync(_folder, others, []);
        await Eventually.HoldsAsync(async () => (await ItemsAsync("limit=100")).Count == letters.Count, "they are in the read models");
        var token = Path.Combine(_folder, "token");
        await File.WriteAllTextAsync(token, RunningConsole.Token, Cancel);
        return (_console, token);
    }

    private Task<IEventStore> StoreAsync() => StoreAddress.OpenAsync($"sqlite:{Path.Combine(_folder, "antbot.db")}", create: true, Cancel);

    private Task<(int Status, JsonElement Body)> EditAsync(DeadLetterKept letter, string patch) => _console!.PostAsync($"/api/deadletters/{letter.Letter:N}/edit", $$"""{"Reason":"mended","Patch":{{patch}} }""");

    private async Task<List<JsonElement>> ItemsAsync(string query) => [.. (await _console!.GetAsync($"/api/deadletters?{query}")).GetProperty("Items").EnumerateArray()];

    private async Task<JsonElement> LetterAsync(DeadLetterKept letter) => (await _console!.GetAsync($"/api/deadletters/{letter.Letter:N}")).GetProperty("Letter");
}
