using System.Text.Json;
using Antbot.Integration.Tests.PaperVenue;
using Antbot.Integration.Tests.Venues.Conformance;
using Xunit;

namespace Antbot.Integration.Tests.Cli;

/// <summary>`antbot venue check` against a venue as it is and as it should not be.</summary>
public sealed class VenueVerbTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-venue-verb-").FullName;
    private RunningVenue _venue = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Address => _venue.Server.Address.ToString();

    public async ValueTask InitializeAsync()
    {
        _venue = await RunningVenue.StartAsync();
        await KeysAsync(_venue.Server.Key.Key, _venue.Server.Key.Secret);
    }

    public async ValueTask DisposeAsync()
    {
        await _venue.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_venue_that_is_well_is_said_to_be_line_by_line()
    {
        var said = await CheckAsync("--paper", "--symbols", "BTCUSDT,ETHUSDT");
        Assert.Equal((0, ""), (said.ExitCode, said.Error));
        Assert.Contains("It can be traded at.", said.Output, StringComparison.Ordinal);
        foreach (var expected in new[] { "clock", "round trip", "filters BTCUSDT", "filters ETHUSDT", "price tick 0.01", "100000 USDT", "it may read and trade", "it may not withdraw" })
            Assert.Contains(expected, said.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(_venue.Server.Key.Secret, said.Output, StringComparison.Ordinal);
        Assert.Empty(await _venue.Client.LedgerAsync("order"));
    }

    [Fact]
    public async Task As_services_are_told_it_by_the_environment_and_as_json()
    {
        var said = await AntbotProcess.RunAsync(
            _folder,
            [("VENUE__ADDRESS", Address), ("VENUE__KEY_FILE", "key"), ("VENUE__SECRET_FILE", "secret"), ("VENUE__PAPER", "true"), ("EXECUTION__SYMBOLS", "BTCUSDT")],
            ["venue", "check", "--json"]);
        Assert.Equal((0, ""), (said.ExitCode, said.Error));
        var json = JsonDocument.Parse(said.Output).RootElement;
        Assert.True(json.GetProperty("Fine").GetBoolean());
        Assert.Contains(json.GetProperty("Lines").EnumerateArray(), l => l.GetProperty("Name").GetString() == "filters BTCUSDT");
    }

    [Fact]
    public async Task A_key_that_may_withdraw_fails_where_there_is_real_money_and_is_warned_of_on_paper()
    {
        var made = await _venue.Client.AdminAsync(HttpMethod.Post, "/admin/keys", new { account = "main", permissions = new[] { "read", "trade", "withdraw" } });
        await KeysAsync(made["apiKey"], made["apiSecret"]);
        var real = await CheckAsync();
        Assert.Equal(1, real.ExitCode);
        Assert.Contains("REAL MONEY", real.Output, StringComparison.Ordinal);
        Assert.Contains("it may withdraw", real.Output, StringComparison.Ordinal);
        Assert.Contains("take this one back", real.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await CheckAsync("--paper")).ExitCode);
    }

    [Fact]
    public async Task A_key_that_may_not_trade_a_wrong_secret_and_a_symbol_that_is_not_there_fail_with_what_to_do()
    {
        var made = await _venue.Client.AdminAsync(HttpMethod.Post, "/admin/keys", new { account = "main", permissions = new[] { "read" } });
        await KeysAsync(made["apiKey"], made["apiSecret"]);
        var reads = await CheckAsync("--paper", "--symbols", "NONEUSDT");
        Assert.Equal(1, reads.ExitCode);
        Assert.Contains("it may not trade", reads.Output, StringComparison.Ordinal);
        Assert.Contains("it is not traded there", reads.Output, StringComparison.Ordinal);
        await KeysAsync(made["apiKey"], new string('x', 64));
        var wrong = await CheckAsync("--paper");
        Assert.Equal(1, wrong.ExitCode);
        Assert.Contains("-1022", wrong.Output, StringComparison.Ordinal);
        Assert.Contains("Check the key", wrong.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_venue_that_does_not_answer_or_tells_us_to_wait_is_not_known_to_be_well()
    {
        var away = await AntbotProcess.RunAsync(_folder, "venue", "check", "--address", "http://127.0.0.1:9", "--key-file", "key", "--secret-file", "secret", "--paper");
        Assert.Equal(1, away.ExitCode);
        Assert.Contains("unknown", away.Output, StringComparison.Ordinal);
        await using var front = await VenueFront.StartAsync(_ => Task.FromResult(FrontReply.Of(418, """{"code":-1003,"msg":"banned"}""", ("Retry-After", "60"))));
        var banned = await AntbotProcess.RunAsync(_folder, "venue", "check", "--address", front.Address.ToString(), "--key-file", "key", "--secret-file", "secret", "--paper");
        Assert.Equal(1, banned.ExitCode);
        Assert.Contains("told us to wait", banned.Output, StringComparison.Ordinal);
        Assert.Single(front.Asked);
        // Nor does whoever asks again within that time.
        var again = await AntbotProcess.RunAsync(_folder, "venue", "check", "--address", front.Address.ToString(), "--key-file", "key", "--secret-file", "secret", "--paper");
        Assert.Equal(1, again.ExitCode);
        Assert.Matches("Ask again in [1-6]?[0-9] s", again.Output);
        Assert.Single(front.Asked);
    }

    [Fact]
    public async Task What_is_not_said_is_asked_for()
    {
        var said = await AntbotProcess.RunAsync(_folder, "venue", "check");
        Assert.Equal(2, said.ExitCode);
        Assert.Contains("--address", said.Error, StringComparison.Ordinal);
        said = await AntbotProcess.RunAsync(_folder, "venue", "check", "--address", Address);
        Assert.Equal(2, said.ExitCode);
        Assert.Contains("--key-file", said.Error, StringComparison.Ordinal);
        Assert.Equal(2, (await CheckAsync("--symbols", "not a symbol")).ExitCode);
        Assert.Contains("check", (await AntbotProcess.RunAsync(_folder, "venue", "--help")).Output, StringComparison.Ordinal);
    }

    private Task<Said> CheckAsync(params string[] more) => AntbotProcess.RunAsync(_folder, [], ["venue", "check", "--address", Address, "--key-file", "key", "--secret-file", "secret", .. more]);

    private async Task KeysAsync(string key, string secret)
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "key"), key, Cancel);
        await File.WriteAllTextAsync(Path.Combine(_folder, "secret"), secret, Cancel);
    }
}
