using System.Text.Json;
using Antbot.Cli.Commands;
using Antbot.Forensics;
using Antbot.Integration.Tests.Forensics;
using Xunit;

namespace Antbot.Integration.Tests.Cli;

/// <summary><c>antbot at</c>, <c>diff</c> and <c>trade --step</c>.</summary>
public sealed class TimeVerbTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-at-").FullName;

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
    public async Task A_stream_an_account_and_the_whole_system_are_told_as_they_were()
    {
        var all = await JsonAsync("at", "100");
        Assert.Equal(64, all.GetProperty("Hash").GetString()!.Length);
        var account = all.GetProperty("States").EnumerateArray().Single(s => s.GetProperty("Stream").GetString() == "account-main");
        Assert.True(JsonElement.DeepEquals(account, await JsonAsync("at", "100", "--stream", "account-main")));
        var own = await JsonAsync("at", "100", "--account", "main");
        Assert.Contains(own.GetProperty("States").EnumerateArray(), s => JsonElement.DeepEquals(s, account));
        var said = await AntbotProcess.RunAsync(_folder, "at", "100");
        Assert.Contains("account-main of risk at version", said.Output, StringComparison.Ordinal);
        Assert.Equal(all.GetRawText(), (await JsonAsync("at", "100")).GetRawText());
    }

    [Fact]
    public async Task What_is_another_between_two_moments_is_told_member_by_member()
    {
        var diff = await JsonAsync("diff", "20", "100");
        Assert.NotEmpty(diff.GetProperty("Streams").EnumerateArray());
        var said = await AntbotProcess.RunAsync(_folder, "diff", "20", "100", "--stream", "account-main");
        Assert.Equal(0, said.ExitCode);
        Assert.Contains("account-main of risk, version", said.Output, StringComparison.Ordinal);
        Assert.Contains("→", said.Output, StringComparison.Ordinal);
        Assert.Empty((await JsonAsync("diff", "20", "20")).GetProperty("Streams").EnumerateArray());
    }

    [Fact]
    public async Task A_trade_is_told_step_by_step_where_there_is_no_terminal()
    {
        var trade = (await JsonAsync("trades")).GetProperty("Items").EnumerateArray().First().GetProperty("Id").GetString()!;
        var steps = (await JsonAsync("trade", trade, "--step")).GetProperty("Steps").EnumerateArray().ToList();
        Assert.Equal("signal_raised", steps[0].GetProperty("Type").GetString());
        var said = await AntbotProcess.RunAsync(_folder, "trade", trade[..8], "--step");
        Assert.Equal(0, said.ExitCode);
        Assert.Equal(steps.Count, said.Output.Split('\n').Count(l => l.StartsWith('[')));
        Assert.Contains("  ⇒ Phase: ", said.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "at")]
    [InlineData(2, "at", "soon")]
    [InlineData(2, "at", "5", "--stream", "audit-2026-01-01")]
    [InlineData(2, "at", "5", "--stream", "account-main", "--account", "main")]
    [InlineData(5, "at", "5", "--stream", "account-nobody")]
    [InlineData(5, "at", "5", "--account", "nobody")]
    [InlineData(5, "diff", "5", "9", "--stream", "account-nobody")]
    [InlineData(5, "diff", "5", "9", "--account", "nobody")]
    [InlineData(2, "diff", "7", "5")]
    [InlineData(2, "diff", "5")]
    [InlineData(5, "trade", "00000000000000000000000000000000", "--step")]
    public async Task What_cannot_be_answered_is_said_in_one_line(int exitCode, params string[] arguments)
    {
        var said = await AntbotProcess.RunAsync(_folder, arguments);
        Assert.Equal((exitCode, ""), (said.ExitCode, said.Output));
        Assert.StartsWith("antbot: ", said.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_go_forward_back_to_both_ends_and_out()
    {
        var nothing = JsonElement.Parse("{}"u8);
        var state = JsonElement.Parse("""{"Phase":"Open"}"""u8);
        var steps = Enumerable.Range(1, 4).Select(n => new Step(n, n, default, "trade-x", n, $"event_{n}", null, null, nothing, [], state)).ToList();
        var keys = new Queue<ConsoleKey>([ConsoleKey.RightArrow, ConsoleKey.Spacebar, ConsoleKey.LeftArrow, ConsoleKey.S, ConsoleKey.End, ConsoleKey.RightArrow, ConsoleKey.Home, ConsoleKey.LeftArrow, ConsoleKey.Q, ConsoleKey.End]);
        var output = new StringWriter();
        new TradeStepper(new TradeSteps("x", More: false, steps), output).Run(() => keys.Dequeue());
        Assert.Equal(["[1/4]", "[2/4]", "[3/4]", "[2/4]", "[2/4]", "[4/4]", "[1/4]"], output.ToString().Split('\n').Where(l => l.StartsWith('[')).Select(l => l[..5]));
        Assert.Equal(1, output.ToString().Split('\n').Count(l => l.Contains("= Phase Open", StringComparison.Ordinal)));
        Assert.Equal(ConsoleKey.End, Assert.Single(keys));
    }

    private async Task<JsonElement> JsonAsync(params string[] arguments)
    {
        var said = await AntbotProcess.RunAsync(_folder, [.. arguments, "--json"]);
        Assert.True(said.ExitCode == 0, said.Error);
        return JsonDocument.Parse(said.Output).RootElement;
    }
}
