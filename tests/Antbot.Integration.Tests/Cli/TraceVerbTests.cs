using System.Text.Json;
using Antbot.Integration.Tests.Forensics;
using Antbot.Venues.Recording;
using Xunit;

namespace Antbot.Integration.Tests.Cli;

/// <summary><c>antbot trace</c>.</summary>
public sealed class TraceVerbTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-trace-").FullName;

    public async ValueTask InitializeAsync()
    {
        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "store", "create")).ExitCode);
        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "import", Corpus.Histories.First(h => Path.GetFileName(h).StartsWith("seed-", StringComparison.Ordinal)))).ExitCode);
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_chain_is_read_from_top_to_bottom_with_causes_reasons_and_what_is_not_there()
    {
        var trade = (await JsonAsync(0, "trades")).GetProperty("Items").EnumerateArray().Select(t => t.GetProperty("Id").GetString()!).First();
        var trace = await JsonAsync(0, "trace", trade);
        var steps = trace.GetProperty("Steps").EnumerateArray().ToList();
        var said = await AntbotProcess.RunAsync(_folder, "trace", trade[..8]);
        Assert.True(said.ExitCode == 0, said.Error);
        Assert.StartsWith($"Trade {trade}: {steps.Count} events of trade {trade}. Every link is there.", said.Output, StringComparison.Ordinal);
        for (var i = 0; i < steps.Count; i++)
            Assert.Contains($"[{i + 1}] {steps[i].GetProperty("Type").GetString()!.Replace('_', ' ')}  #{steps[i].GetProperty("Sequence").GetInt64()} ", said.Output, StringComparison.Ordinal);
        foreach (var part in new[] { "← from outside: webhook:", "← [1] message: SignalRaised to coordinator", "→ ValidateSignal to validation ", "✓ ", "Limits.", "Not kept [1] what webhook:" })
            Assert.Contains(part, said.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_what_was_said_with_the_venue_is_recorded_that_is_told()
    {
        var trade = (await JsonAsync(0, "trades")).GetProperty("Items").EnumerateArray().First();
        var (id, raised) = (trade.GetProperty("Id").GetString()!, trade.GetProperty("RaisedAt").GetDateTimeOffset());
        var recording = Directory.CreateDirectory(Path.Combine(_folder, ".local", "recording")).FullName;
        Assert.DoesNotContain("Said with the venue", (await AntbotProcess.RunAsync(_folder, "trade", id)).Output, StringComparison.Ordinal);
        File.WriteAllBytes(Path.Combine(recording, new RecordingFile(RecordingFile.HourOf(raised), "execution", "execution", "0123abcd", 1).Name), []);
        foreach (var verb in new[] { "trade", "trace" })
            Assert.Contains($"Said with the venue: antbot recording --trade {id} --folder '.local/recording'", (await AntbotProcess.RunAsync(_folder, verb, id)).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_symbol_and_a_time_lead_to_its_trades_and_their_chains()
    {
        var trade = (await JsonAsync(0, "trades")).GetProperty("Items").EnumerateArray().First();
        var (id, symbol, raised) = (trade.GetProperty("Id").GetString()!, trade.GetProperty("Symbol").GetString()!, trade.GetProperty("RaisedAt").GetString()!);
        var found = await JsonAsync(0, "trace", "--symbol", symbol, "--at", raised, "--around", "5");
        Assert.Contains(found.GetProperty("Subjects").EnumerateArray(), s => s.GetProperty("Target").GetProperty("Id").GetString() == id);
        var whole = await JsonAsync(0, "trace", "--symbol", symbol, "--at", raised, "--around", "5", "--whole");
        Assert.Equal(whole.GetProperty("Page").GetProperty("Subjects").GetArrayLength(), whole.GetProperty("Traces").GetArrayLength());
        var said = await AntbotProcess.RunAsync(_folder, "trace", "--symbol", symbol, "--at", raised, "--whole");
        Assert.True(said.ExitCode == 0, said.Error);
        Assert.Contains($"Trade {id}: ", said.Output, StringComparison.Ordinal);
        var one = await JsonAsync(0, "trace", "--actor", "service:risk", "--since", "2026-01-01", "--until", "2027-01-01", "--limit", "1");
        var next = await JsonAsync(0, "trace", "--actor", "service:risk", "--since", "2026-01-01", "--until", "2027-01-01", "--limit", "1", "--after", one.GetProperty("Next").GetString()!);
        Assert.True(next.GetProperty("Subjects")[0].GetProperty("First").GetDateTimeOffset() >= one.GetProperty("Subjects")[0].GetProperty("First").GetDateTimeOffset());
        Assert.NotEqual(one.GetProperty("Subjects")[0].GetRawText(), next.GetProperty("Subjects")[0].GetRawText());
    }

    [Theory]
    [InlineData(2, "trace")]
    [InlineData(2, "trace", "a b")]
    [InlineData(2, "trace", "5", "--kind", "message")]
    [InlineData(2, "trace", "5", "--kind", "king")]
    [InlineData(2, "trace", "abcd", "--symbol", "BTCUSDT")]
    [InlineData(2, "trace", "--symbol", "BTCUSDT")]
    [InlineData(2, "trace", "--symbol", "BTCUSDT", "--at", "2026-01-01", "--since", "2026-01-01")]
    [InlineData(2, "trace", "--symbol", "btc'", "--at", "2026-01-01")]
    [InlineData(2, "trace", "--symbol", "BTCUSDT", "--at", "0001-01-01")]
    [InlineData(2, "trace", "--symbol", "BTCUSDT", "--at", "9999-12-31T23:59:59Z")]
    [InlineData(2, "trace", "--symbol", "BTCUSDT", "--at", "soon")]
    [InlineData(2, "trace", "--actor", "operator:anna", "--since", "2026-02-01", "--until", "2026-01-01")]
    [InlineData(2, "trace", "--symbol", "BTCUSDT", "--at", "2026-01-01", "--limit", "501")]
    [InlineData(5, "trace", "0123456789abcdef0123456789abcdef")]
    [InlineData(5, "trace", "#999999")]
    [InlineData(5, "trace", "nobody-knows")]
    public async Task What_cannot_be_answered_is_said_in_one_line(int exitCode, params string[] arguments)
    {
        var said = await AntbotProcess.RunAsync(_folder, arguments);
        Assert.Equal((exitCode, ""), (said.ExitCode, said.Output));
        Assert.StartsWith("antbot: ", said.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_found_in_a_period_is_not_done()
    {
        var said = await AntbotProcess.RunAsync(_folder, "trace", "--symbol", "BTCUSDT", "--at", "2020-01-01");
        Assert.Equal((5, "Nothing was recorded of it.\n"), (said.ExitCode, said.Output));
    }

    private async Task<JsonElement> JsonAsync(int exitCode, params string[] arguments)
    {
        var said = await AntbotProcess.RunAsync(_folder, [.. arguments, "--json"]);
        Assert.True(said.ExitCode == exitCode, said.Error);
        return JsonDocument.Parse(said.Output).RootElement;
    }
}
