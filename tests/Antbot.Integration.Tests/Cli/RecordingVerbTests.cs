using System.Text;
using System.Text.Json;
using Antbot.Venues.Recording;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Antbot.Integration.Tests.Cli;

/// <summary><c>antbot recording</c>.</summary>
public sealed class RecordingVerbTests : IAsyncLifetime
{
    private const string Trade = "0123456789abcdef0123456789abcdef";
    private const string Entry = $"e0-{Trade}";

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-recording-verb-").FullName;

    private string Recording => Path.Combine(_folder, ".local", "recording");

    public ValueTask InitializeAsync()
    {
        using var recorder = new TrafficRecorder(
            new RecordingOptions { Folder = Recording, FreeMegabytes = 0, AnswerBytes = 1_000 }, new RecordingFile(default, "execution", "execution", "0123abcd", 0), "the build", [], TimeProvider.System, NullLogger.Instance);
        Say("entry", HttpMethod.Post, "/api/v3/order", $"symbol=BTCUSDT&newClientOrderId={Entry}", $$"""{"symbol":"BTCUSDT","orderId":77,"clientOrderId":"{{Entry}}"}""");
        Say("query", HttpMethod.Get, "/api/v3/myTrades", "symbol=BTCUSDT&orderId=77&limit=1000", "[]");
        Say("query", HttpMethod.Get, "/api/v3/myTrades", "symbol=BTCUSDT&orderId=78&limit=1000", $"[{new string(' ', 5_000)}]");
        recorder.Heard("ethusdt@bookTicker", "{\"s\":\"ETHUSDT\"}\u001b[2J"u8, keep: false);
        return ValueTask.CompletedTask;

        void Say(string route, HttpMethod method, string path, string parameters, string answer)
        {
            var exchange = recorder.Begin(route, method, path, parameters, null)!;
            exchange.Answered(200, Encoding.UTF8.GetBytes(answer));
            exchange.Ended("said");
        }
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_trades_requests_and_answers_are_told_where_anything_runs_here()
    {
        foreach (var which in new[] { new[] { "--trade", Trade[..4] }, ["--order", Entry] })
        {
            var said = await AntbotProcess.RunAsync(_folder, ["recording", .. which]);
            Assert.True(said.ExitCode == 0, said.Error);
            Assert.Equal(2, said.Output.Split('\n').Count(l => l.Contains("execution/execution", StringComparison.Ordinal)));
            foreach (var part in new[] { $"entry: POST /api/v3/order, status 200 after ", $", said [order {Entry}]", $"    → symbol=BTCUSDT&newClientOrderId={Entry}", "    ← {\"symbol\":\"BTCUSDT\",\"orderId\":77,", "    → symbol=BTCUSDT&orderId=77&limit=1000" })
                Assert.Contains(part, said.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task All_of_it_is_told_page_by_page_and_as_JSON()
    {
        var whole = await JsonAsync();
        Assert.Equal(["Began", "Asked", "Asked", "Asked", "Heard", "Ended"], whole.GetProperty("Records").EnumerateArray().Select(r => r.GetProperty("Record").GetProperty("Kind").GetString()));
        var (paged, after) = (new List<string>(), Array.Empty<string>());
        do
        {
            var page = await JsonAsync(["--limit", "4", .. after]);
            paged.AddRange(page.GetProperty("Records").EnumerateArray().Select(r => r.GetProperty("Record").GetRawText()));
            after = page.GetProperty("Next").GetString() is { } next ? ["--after", next] : [];
        }
        while (after.Length > 0);
        Assert.Equal(whole.GetProperty("Records").EnumerateArray().Select(r => r.GetProperty("Record").GetRawText()), paged);
        var cut = whole.GetProperty("Records")[3].GetProperty("Record").GetProperty("Body");
        Assert.Equal((5_002, 1_000, 64), (cut.GetProperty("Length").GetInt64(), cut.GetProperty("Text").GetString()!.Length, cut.GetProperty("Sha256").GetString()!.Length));
        Assert.Single((await JsonAsync("--symbol", "ETHUSDT")).GetProperty("Records").EnumerateArray());
        var first = await AntbotProcess.RunAsync(_folder, "recording", "--limit", "1");
        Assert.Contains("More: the same with --after ", first.Output, StringComparison.Ordinal);
    }

    /// <summary>What the venue says goes to a terminal.</summary>
    [Fact]
    public async Task No_answer_speaks_to_the_terminal_itself()
    {
        var said = await AntbotProcess.RunAsync(_folder, "recording", "--symbol", "ETHUSDT");
        Assert.Contains("{\"s\":\"ETHUSDT\"} [2J", said.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', said.Output);
    }

    [Fact]
    public async Task A_torn_end_is_told_and_the_rest_is_read()
    {
        var file = Directory.EnumerateFiles(Recording).Single();
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..^3]);
        var said = await AntbotProcess.RunAsync(_folder, [("RECORDING__FOLDER", Recording)], ["recording", "--folder", Recording]);
        Assert.Equal(0, said.ExitCode);
        Assert.Contains("the build", said.Output, StringComparison.Ordinal);
        Assert.Contains("its end is torn", said.Error, StringComparison.Ordinal);
        Assert.Single((await JsonAsync()).GetProperty("Notices").EnumerateArray());
    }

    [Theory]
    [InlineData(2, "--trade", "0")]
    [InlineData(2, "--trade", "'; drop")]
    [InlineData(2, "--symbol", "btc")]
    [InlineData(2, "--order", "a b")]
    [InlineData(2, "--from", "soon")]
    [InlineData(2, "--from", "2026-02-01", "--to", "2026-01-01")]
    [InlineData(2, "--limit", "0")]
    [InlineData(2, "--after", "nothing")]
    [InlineData(2, "--after", "20260301T10Z.a.b.00000000.0001.jsonl.gz@0+0")]
    [InlineData(5, "--folder", "nowhere")]
    public async Task What_cannot_be_answered_is_said_in_one_line(int exitCode, params string[] arguments)
    {
        var said = await AntbotProcess.RunAsync(_folder, ["recording", .. arguments]);
        Assert.Equal((exitCode, ""), (said.ExitCode, said.Output));
        Assert.StartsWith("antbot: ", said.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_found_is_not_done()
    {
        var said = await AntbotProcess.RunAsync(_folder, "recording", "--order", "nobody");
        Assert.Equal((5, "Nothing is recorded of it.\n"), (said.ExitCode, said.Output));
    }

    private async Task<JsonElement> JsonAsync(params string[] arguments)
    {
        var said = await AntbotProcess.RunAsync(_folder, ["recording", "--json", .. arguments]);
        Assert.True(said.ExitCode == 0, said.Error);
        return JsonDocument.Parse(said.Output).RootElement;
    }
}
