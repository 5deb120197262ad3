using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Integration.Tests.Cli;
using Antbot.Integration.Tests.ConsoleApi;
using Antbot.Integration.Tests.Support;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.DeadLetters;

/// <summary>What an operator sees of dead letters and does about them, over the API and from a terminal.</summary>
public sealed class DeadLetterApiTests : IAsyncLifetime
{
    private const string Trade = "0123456789abcdef0123456789abcdef";

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-letters-").FullName;
    private RunningConsole _console = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _console = await RunningConsole.StartAsync(_folder);
        for (var i = 0; i < 5; i++)
            await KeepAsync("risk", $$"""{"messageType":["urn:message:X:AssessRisk"],"message":{"trade":"{{Trade}}","n":{{i}} } }""", $"Number {i} is too large.");
        await KeepAsync("execution", """{"messageType":["urn:message:X:CloseTrade"],"message":{}}""", "There is no price.");
        await Eventually.HoldsAsync(async () => (await ItemsAsync("/api/deadletters")).Count == 6, "all are in the read models");
    }

    public async ValueTask DisposeAsync()
    {
        await _console.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task They_are_listed_newest_first_page_by_page_and_by_what_they_have_in_common()
    {
        var all = (await ItemsAsync("/api/deadletters")).Select(Id).ToList();
        var paged = new List<string>();
        for (var path = "/api/deadletters?limit=2"; path.Length > 0;)
        {
            var page = await _console.GetAsync(path);
            paged.AddRange(page.GetProperty("Items").EnumerateArray().Select(Id));
            path = page.GetProperty("Next").GetString() is { } next ? $"/api/deadletters?limit=2&after={next}" : "";
        }
        Assert.Equal(all, paged);
        Assert.Equal(5, (await ItemsAsync("/api/deadletters?endpoint=risk")).Count);
        Assert.Single(await ItemsAsync("/api/deadletters?type=CloseTrade&state=new"));
        Assert.Equal(5, (await ItemsAsync($"/api/deadletters?trade={Trade}")).Count);
        Assert.Empty(await ItemsAsync("/api/deadletters?state=discarded"));
        var groups = await ItemsAsync("/api/deadletters/groups");
        Assert.Equal([1L, 5L], groups.Select(g => g.GetProperty("Letters").GetProperty("New").GetInt64()));
        Assert.Equal(5, (await ItemsAsync($"/api/deadletters?fingerprint={groups[1].GetProperty("Fingerprint").GetString()}")).Count);
        Assert.Single(await ItemsAsync("/api/deadletters/groups?endpoint=execution&state=open"));
    }

    [Theory]
    [InlineData("/api/deadletters?state=lost")]
    [InlineData("/api/deadletters?colour=red")]
    [InlineData("/api/deadletters?after=x")]
    [InlineData("/api/deadletters?limit=1001")]
    [InlineData("/api/deadletters?type=")]
    [InlineData("/api/deadletters?endpoint=%00")]
    [InlineData("/api/deadletters/groups?state=new")]
    [InlineData("/api/deadletters/xyz")]
    [InlineData("/api/deadletters/abc/body")]
    public async Task What_cannot_be_meant_is_refused(string path) => Assert.Equal(HttpStatusCode.BadRequest, (await _console.Client.GetAsync(path, Cancel)).StatusCode);

    [Fact]
    public async Task One_is_shown_with_its_body_as_bytes_and_as_text_and_is_part_of_its_trades_story()
    {
        var letter = (await ItemsAsync("/api/deadletters?endpoint=risk"))[0];
        var story = await _console.GetAsync($"/api/deadletters/{Id(letter)[..12]}");
        var text = story.GetProperty("Text").GetString()!;
        Assert.Contains("\"n\":4", text, StringComparison.Ordinal);
        Assert.Equal(text, Encoding.UTF8.GetString(Convert.FromBase64String(story.GetProperty("Body").GetString()!)));
        Assert.Equal("Number 4 is too large.", story.GetProperty("Letter").GetProperty("Fault").GetString());
        Assert.Equal(Encoding.UTF8.GetBytes(text), await _console.Client.GetByteArrayAsync($"/api/deadletters/{Id(letter)}/body", Cancel));
        var timeline = (await _console.GetAsync($"/api/trades/{Trade}")).GetProperty("Timeline").EnumerateArray().ToList();
        Assert.Equal(5, timeline.Count(e => e.GetProperty("Type").GetString() == "dead_letter_kept"));
        Assert.All(timeline, e => Assert.Equal(JsonValueKind.Null, e.GetProperty("Body").GetProperty("Body").ValueKind));
    }

    [Fact]
    public async Task A_large_body_is_not_in_the_answer_and_is_had_by_itself()
    {
        var body = RandomNumberGenerator.GetBytes(3 * 1024 * 1024);
        await KeepAsync("risk", body, "It is too large.");
        await Eventually.HoldsAsync(async () => (await ItemsAsync("/api/deadletters")).Count == 7, "it is in the read models");
        var letter = Id((await ItemsAsync("/api/deadletters"))[0]);
        var story = await _console.GetAsync($"/api/deadletters/{letter}");
        Assert.Equal((JsonValueKind.Null, BlobHash.Of(body)), (story.GetProperty("Body").ValueKind, story.GetProperty("Sha256").GetString()));
        using var answer = await _console.Client.GetAsync($"/api/deadletters/{letter}/body", Cancel);
        Assert.Equal(("application/octet-stream", "nosniff"), (answer.Content.Headers.ContentType!.MediaType, answer.Headers.GetValues("X-Content-Type-Options").Single()));
        Assert.Equal(body, await answer.Content.ReadAsByteArrayAsync(Cancel));
    }

    [Fact]
    public async Task One_is_discarded_once_by_whoever_bears_the_token_and_for_a_reason()
    {
        var letter = Id((await ItemsAsync("/api/deadletters?endpoint=execution"))[0]);
        var (status, done) = await _console.PostAsync($"/api/deadletters/{letter}/discard", new { Reason = "of no use" }, "discard-one");
        Assert.Equal((200, "Discarded", "default"), (status, done.GetProperty("State").GetString(), done.GetProperty("By").GetString()));
        Assert.Equal(200, (await _console.PostAsync($"/api/deadletters/{letter}/discard", new { Reason = "of no use" }, "discard-one")).Status);
        var (refused, why) = await _console.PostAsync($"/api/deadletters/{letter}/discard", new { Reason = "once more" });
        Assert.Equal((409, "open: it is Discarded"), (refused, why.GetProperty("Message").GetString()));
        var other = Id((await ItemsAsync("/api/deadletters?endpoint=risk"))[0]);
        Assert.Equal(409, (await _console.PostAsync($"/api/deadletters/{other}/discard", new { Reason = "another" }, "discard-one")).Status);
        Assert.Equal(404, (await _console.PostAsync($"/api/deadletters/{Trade}/discard", new { Reason = "it is none" })).Status);
        await Eventually.HoldsAsync(async () => (await ItemsAsync("/api/deadletters?state=discarded")).Count == 1, "the list says so");
        await Eventually.HoldsAsync(async () => (await ItemsAsync("/api/deadletters/groups?state=settled")).Count == 1, "its group is settled");
        var history = (await _console.GetAsync($"/api/deadletters/{letter}")).GetProperty("History").EnumerateArray().Select(s => s.GetProperty("Type").GetString());
        Assert.Equal(["dead_letter_kept", "dead_letter_discarded", "dead_letter_refused"], history);
    }

    [Fact]
    public async Task The_command_lists_groups_shows_and_discards()
    {
        var token = Path.Combine(_folder, "token");
        await File.WriteAllTextAsync(token, RunningConsole.Token, Cancel);
        string[] at = ["--console", _console.Address, "--token-file", token];
        var list = await RunAsync(["dlq", "list", "--endpoint", "risk", "--limit", "2", "--json", .. at]);
        Assert.Equal(2, JsonDocument.Parse(list.Output).RootElement.GetProperty("Items").GetArrayLength());
        var letter = Id(JsonDocument.Parse(list.Output).RootElement.GetProperty("Items")[0]);
        Assert.Contains("Number 4 is too large.", (await RunAsync(["dlq", "list", .. at])).Output, StringComparison.Ordinal);
        Assert.Contains("There is no price.", (await RunAsync(["dlq", "groups", "--open", .. at])).Output, StringComparison.Ordinal);

        var body = Path.Combine(_folder, "body");
        var shown = await RunAsync(["dlq", "show", letter[..10], "--body", body, .. at]);
        Assert.Contains("AssessRisk to risk, New", shown.Output, StringComparison.Ordinal);
        Assert.Contains("\"n\":4", await File.ReadAllTextAsync(body, Cancel), StringComparison.Ordinal);
        // Asked of the store itself the answer is the same.
        var direct = await RunAsync(["dlq", "show", letter, "--json", "--store", $"sqlite:{Path.Combine(_folder, "antbot.db")}"]);
        Assert.Equal(letter, Id(JsonDocument.Parse(direct.Output).RootElement.GetProperty("Letter")));

        Assert.Contains("is Discarded by default: of no use", (await RunAsync(["dlq", "discard", letter, "--reason", "of no use", .. at])).Output, StringComparison.Ordinal);
        Assert.Equal(1, (await AntbotProcess.RunAsync(_folder, ["dlq", "discard", letter, "--reason", "once more", .. at])).ExitCode);
        Assert.Equal(5, (await AntbotProcess.RunAsync(_folder, ["dlq", "show", "ffffffffffffffffffffffffffffffff", .. at])).ExitCode);
        Assert.Equal(2, (await AntbotProcess.RunAsync(_folder, ["dlq", "show", "no-id", .. at])).ExitCode);
        Assert.Equal(2, (await AntbotProcess.RunAsync(_folder, ["dlq", "discard", letter, .. at])).ExitCode);
    }

    /// <summary>The bus within one process takes no bytes: the letter goes as the message that it is.</summary>
    [Fact]
    public async Task One_is_replayed_by_the_command_and_the_event_that_shows_it_is_named()
    {
        var token = Path.Combine(_folder, "token");
        await File.WriteAllTextAsync(token, RunningConsole.Token, Cancel);
        string[] at = ["--console", _console.Address, "--token-file", token];
        var unnamed = Id((await ItemsAsync("/api/deadletters?endpoint=execution"))[0]);
        var refused = await AntbotProcess.RunAsync(_folder, ["dlq", "replay", unnamed, "--reason", "mended", .. at]);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("identified: it has no id", refused.Error, StringComparison.Ordinal);

        var (trade, id) = (new TradeId(Guid.NewGuid()), Guid.NewGuid());
        var body = $$"""{"messageType":["urn:message:Antbot.Contracts.Messages:SettleOrder"],"message":{"trade":"{{trade}}","order":"{{ClientOrderId.Of(trade, OrderRole.Entry, 0)}}","request":"{{id}}","confirms":false,"by":"anna","reason":"a test"} }""";
        await _console.Letters.KeepAsync(
            new DeadMessage("antbot-execution_error", "execution", DeadLetterKind.Fault, new MessageProperties($"{id:D}", null, null, null, null, null, null, null, null, null, null, null, null, []), Encoding.UTF8.GetBytes(body)), Cancel);
        await Eventually.HoldsAsync(async () => (await ItemsAsync($"/api/deadletters?trade={trade}")).Count == 1, "it is in the read models");
        var letter = Id((await ItemsAsync($"/api/deadletters?trade={trade}"))[0]);
        Assert.Contains("is Replaying by default", (await RunAsync(["dlq", "replay", letter, "--reason", "mended", .. at])).Output, StringComparison.Ordinal);
        await Eventually.HoldsAsync(async () => (await ItemsAsync("/api/deadletters?state=replayed")).Count == 1, "it is replayed");
        var view = (await ItemsAsync("/api/deadletters?state=replayed"))[0];
        var effect = (await _console.Store.ReadPageAsync(view.GetProperty("Effect").GetInt64() - 1, 1, Cancel))[0];
        Assert.Equal((letter, 1, Streams.Order(trade).Value), (Id(view), view.GetProperty("Replays").GetInt32(), effect.Stream));
        var again = await AntbotProcess.RunAsync(_folder, ["dlq", "replay", letter, "--reason", "once more", .. at]);
        Assert.Contains("new: it is Replayed", again.Error, StringComparison.Ordinal);
    }

    private async Task<Said> RunAsync(string[] arguments)
    {
        var said = await AntbotProcess.RunAsync(_folder, arguments);
        Assert.True(said.ExitCode == 0, said.Error);
        return said;
    }

    private Task KeepAsync(string endpoint, string body, string fault) => KeepAsync(endpoint, Encoding.UTF8.GetBytes(body), fault);

    private Task KeepAsync(string endpoint, byte[] body, string fault) => _console.Letters.KeepAsync(
        new DeadMessage(
            $"antbot-{endpoint}_error", endpoint, DeadLetterKind.Fault,
            new MessageProperties(null, null, null, null, null, null, null, null, null, null, null, null, null, [new(0, Contracts.Messages.DeadLetterHeaders.FaultMessage, HeaderKind.Text, fault)]), body), Cancel);

    private async Task<List<JsonElement>> ItemsAsync(string path) => [.. (await _console.GetAsync(path)).GetProperty("Items").EnumerateArray()];

    private static string Id(JsonElement letter) => letter.GetProperty("Id").GetString()!;
}
