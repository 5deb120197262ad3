using System.Text.Json;
using Antbot.EventStore.Sqlite;
using Antbot.Integration.Tests.ConsoleApi;
using Antbot.Integration.Tests.Support;
using Xunit;

namespace Antbot.Integration.Tests.Cli;

/// <summary>What operators and analysts do all day, as processes: over a Console, and straight on the store when it is down.</summary>
public sealed class OperatorVerbTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-verbs-").FullName;
    private RunningConsole? _console;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Data => Path.Combine(_folder, ".local");

    public ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(Data);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await StopConsoleAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("trade")]
    [InlineData("trade", "xyz")]
    [InlineData("trade", "ab")]
    [InlineData("trades", "--limit", "0")]
    [InlineData("trades", "--state", "Bogus")]
    [InlineData("trades", "--symbol", "btc usdt")]
    [InlineData("reconcile", "--account", "No Account")]
    [InlineData("watch", "--trade", "abcd")]
    [InlineData("watch", "--after", "-1")]
    [InlineData("halt")]
    [InlineData("halt", "--reason", "")]
    [InlineData("halt", "--reason", "x", "--by", "an na")]
    [InlineData("signal", "BTCUSDT", "sideways")]
    [InlineData("signal", "BTCUSDT", "buy")]
    [InlineData("status", "--console", "nonsense", "--token-file", "x")]
    [InlineData("status", "--console", "http://127.0.0.1:1")]
    public async Task Wrong_usage_is_exit_code_2_and_says_what_was_wrong(params string[] arguments)
    {
        var said = await AntbotProcess.RunAsync(_folder, arguments);
        Assert.Equal(2, said.ExitCode);
        Assert.StartsWith("antbot: ", said.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Over_a_console_that_runs_here_everything_is_seen_and_steered()
    {
        await StartConsoleAsync();
        await new RandomHistory(_console!.Store, 7).GrowAsync(300);
        await Eventually.HoldsAsync(async () => (await _console.GetAsync("/api/status")).GetProperty("Views").GetProperty("Behind").GetInt64() == 0, "the read models have caught up");
        await SeeEverythingAsync("the Console at");

        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "halt", "--reason", "drill", "--by", "anna")).ExitCode);
        Assert.Equal("Halted", Json(await AntbotProcess.RunAsync(_folder, "status", "--json")).GetProperty("Control").GetProperty("Activity").GetString());
        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "resume", "--reason", "over", "--by", "anna")).ExitCode);
        Assert.Contains((await _console.Store.ReadPageAsync(0, 10_000, Cancel)).Select(e => e.Type), t => t == "operator_command_recorded");

        // Another's token opens nothing.
        await File.WriteAllTextAsync(Path.Combine(_folder, "wrong"), "wrong-token-wrong-token", Cancel);
        var refused = await AntbotProcess.RunAsync(_folder, "status", "--token-file", "wrong", "--json");
        Assert.Equal(6, refused.ExitCode);
        Assert.Equal("Unauthorized", JsonDocument.Parse(refused.Error).RootElement.GetProperty("Error").GetString());
        Assert.Equal(5, (await AntbotProcess.RunAsync(_folder, "trade", "0123456789abcdef0123456789abcdef")).ExitCode);
    }

    [Fact]
    public async Task With_everything_down_the_store_itself_is_asked()
    {
        await using (var store = await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = Path.Combine(Data, "antbot.db") }, Cancel))
            await new RandomHistory(store, 7).GrowAsync(300);
        // A Console was here and is gone.
        await WriteRunAsync("http://127.0.0.1:1");
        Assert.Contains("asking the store itself", (await AntbotProcess.RunAsync(_folder, "status")).Error, StringComparison.Ordinal);
        await SeeEverythingAsync("SQLite file");

        var halt = await AntbotProcess.RunAsync(_folder, "halt", "--reason", "venue looks wrong", "--by", "anna", "--json");
        Assert.Equal(0, halt.ExitCode);
        Assert.Equal(("Halted", 1), (Json(halt).GetProperty("Control").GetProperty("Activity").GetString(), Json(halt).GetProperty("Version").GetInt32()));
        var resume = await AntbotProcess.RunAsync(_folder, "resume", "--reason", "it was nothing", "--by", "anna");
        Assert.Contains("Active, recorded as version 2", resume.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "verify")).ExitCode);

        var rebuilt = await AntbotProcess.RunAsync(_folder, "views", "rebuild");
        Assert.Equal(0, rebuilt.ExitCode);
        await SeeEverythingAsync("SQLite file");
        Assert.Equal(5, (await AntbotProcess.RunAsync(_folder, "trade", "0123456789abcdef0123456789abcdef")).ExitCode);
        Assert.Equal(5, (await AntbotProcess.RunAsync(_folder, "trade", "00000")).ExitCode);

        // Asked for by name, a Console that is down is a failure, not a reason to look elsewhere.
        await File.WriteAllTextAsync(Path.Combine(_folder, "token"), RunningConsole.Token, Cancel);
        var down = await AntbotProcess.RunAsync(_folder, "status", "--console", "http://127.0.0.1:1", "--token-file", "token", "--json");
        Assert.Equal((1, "Unavailable"), (down.ExitCode, JsonDocument.Parse(down.Error).RootElement.GetProperty("Error").GetString()));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Watch_shows_what_is_committed_while_it_watches_until_its_count_or_a_ctrl_c(bool overConsole)
    {
        if (overConsole)
            await StartConsoleAsync();
        await using var own = overConsole ? null : await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = Path.Combine(Data, "antbot.db") }, Cancel);
        var store = own ?? _console!.Store;
        var history = new RandomHistory(store, 7);
        await history.GrowAsync(50);
        var before = (await store.Ledger.ReadHeadAsync(Cancel)).Sequence;

        using (var counting = AntbotProcess.Start(AntbotProcess.CommandLine, _folder, "watch", "--count", "1", "--json"))
        {
            var said = counting.StandardOutput.ReadToEndAsync(Cancel);
            await AppendUntilAsync(() => counting.HasExited, "it has seen one event");
            await counting.WaitForExitAsync(Cancel);
            Assert.Equal(0, counting.ExitCode);
            // What was there before it began is not shown.
            Assert.InRange(JsonDocument.Parse(Assert.Single((await said).Split('\n', StringSplitOptions.RemoveEmptyEntries))).RootElement.GetProperty("Position").GetInt64(), before + 1, long.MaxValue);
        }

        using var watching = AntbotProcess.Start(AntbotProcess.CommandLine, _folder, "watch");
        var line = watching.StandardOutput.ReadLineAsync(Cancel).AsTask();
        await AppendUntilAsync(() => line.IsCompleted, "it has shown an event");
        Assert.NotNull(await line);
        Assert.False(watching.HasExited);
        AntbotProcess.Signal(watching, "INT");
        await watching.WaitForExitAsync(Cancel);
        Assert.Equal(130, watching.ExitCode);

        // When it has begun to watch nobody says: events come until it has seen one.
        async Task AppendUntilAsync(Func<bool> seen, string what) => await Eventually.HoldsAsync(
            async () =>
            {
                await history.GrowAsync(1);
                return seen();
            },
            what);
    }

    [Fact]
    public async Task Where_there_is_no_store_either_nothing_is_made_and_the_exit_code_says_so()
    {
        foreach (var verb in new[] { new[] { "status" }, ["trades"], ["trade", "abcdef"], ["halt", "--reason", "x"], ["views", "rebuild"] })
        {
            var said = await AntbotProcess.RunAsync(_folder, verb);
            Assert.Equal(1, said.ExitCode);
            Assert.Contains("antbot.db", said.Error, StringComparison.Ordinal);
        }
        Assert.Empty(Directory.EnumerateFileSystemEntries(Data));
    }

    private async Task SeeEverythingAsync(string where)
    {
        var status = await AntbotProcess.RunAsync(_folder, "status");
        Assert.Equal(0, status.ExitCode);
        Assert.Contains(where, status.Output, StringComparison.Ordinal);
        Assert.Contains("Control   Active, Dry", status.Output, StringComparison.Ordinal);
        Assert.True(Json(await AntbotProcess.RunAsync(_folder, "status", "--json")).GetProperty("Trades").GetProperty("Closed").GetInt64() > 0);

        var trades = Json(await AntbotProcess.RunAsync(_folder, "trades", "--state", "Closed", "--limit", "2", "--json"));
        Assert.Equal(2, trades.GetProperty("Items").GetArrayLength());
        var id = trades.GetProperty("Items")[0].GetProperty("Id").GetString()!;
        Assert.Contains(id[..12], (await AntbotProcess.RunAsync(_folder, "trades", "--state", "Closed", "--limit", "2")).Output, StringComparison.Ordinal);

        var story = await AntbotProcess.RunAsync(_folder, "trade", id[..12]);
        Assert.Equal((0, ""), (story.ExitCode, Unhinted(story.Error)));
        var inOrder = new[] { $"Trade {id}", "trade raised", "trade validated", "trade approved", "✗ max_notional: 250 of at most 100", "order intended", "order filled", "position opened", "position closed", "trade closed" };
        var at = 0;
        foreach (var words in inOrder)
        {
            var found = story.Output.IndexOf(words, at, StringComparison.Ordinal);
            Assert.True(found >= at, $"'{words}' is not behind what comes before it:\n{story.Output}");
            at = found;
        }
        Assert.Equal(id, Json(await AntbotProcess.RunAsync(_folder, "trade", id, "--json")).GetProperty("Trade").GetProperty("Id").GetString());

        var order = Json(await AntbotProcess.RunAsync(_folder, "trade", id, "--json")).GetProperty("Orders")[0].GetProperty("Id").GetString()!;
        Assert.Equal(id, Json(await AntbotProcess.RunAsync(_folder, "trade", order, "--json")).GetProperty("Trade").GetProperty("Id").GetString());
        Assert.Equal(5, (await AntbotProcess.RunAsync(_folder, "trade", order[..^1])).ExitCode);

        var watched = await AntbotProcess.RunAsync(_folder, "watch", "--after", "0", "--count", "3", "--json");
        Assert.Equal(0, watched.ExitCode);
        Assert.Equal([1L, 2, 3], watched.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement.GetProperty("Position").GetInt64()));
        var ofTrade = await AntbotProcess.RunAsync(_folder, "watch", "--after", "0", "--count", "1", "--trade", id);
        Assert.Contains($"trade-{id}", ofTrade.Output, StringComparison.Ordinal);
    }

    private static string Unhinted(string error) => string.Join('\n', error.Split('\n').Where(l => l.Length > 0 && !l.Contains("asking the store itself", StringComparison.Ordinal)));

    private static JsonElement Json(Said said)
    {
        Assert.True(said.ExitCode == 0, said.Error);
        return JsonDocument.Parse(said.Output).RootElement;
    }

    private async Task StartConsoleAsync()
    {
        _console = await RunningConsole.StartAsync(Data);
        await WriteRunAsync(_console.Address);
    }

    private async Task WriteRunAsync(string address)
    {
        var token = Path.Combine(Data, "console-token");
        await File.WriteAllTextAsync(token, RunningConsole.Token, Cancel);
        await File.WriteAllTextAsync(Path.Combine(Data, "console.json"), JsonSerializer.Serialize(new { address, tokenFile = token }), Cancel);
    }

    private async Task StopConsoleAsync()
    {
        if (_console is not null)
            await _console.DisposeAsync();
        _console = null;
    }
}
