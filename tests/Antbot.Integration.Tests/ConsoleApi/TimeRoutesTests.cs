using System.Net;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Forensics;
using Antbot.Integration.Tests.Cli;
using Antbot.Integration.Tests.Forensics;
using Antbot.ReadModels;
using Xunit;

namespace Antbot.Integration.Tests.ConsoleApi;

/// <summary>What there was at a moment, over the operators' API.</summary>
public sealed class TimeRoutesTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-time-").FullName;
    private RunningConsole _console = null!;
    private TimeTravel _travel = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var store = $"sqlite:{Path.Combine(_folder, "antbot.db")}";
        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "store", "create", "--store", store)).ExitCode);
        var imported = await AntbotProcess.RunAsync(_folder, "import", Corpus.Histories.First(h => Path.GetFileName(h).StartsWith("seed-", StringComparison.Ordinal)), "--store", store);
        Assert.True(imported.ExitCode == 0, imported.Error);
        _console = await RunningConsole.StartAsync(_folder);
        _travel = new TimeTravel(_console.Store);
    }

    public async ValueTask DisposeAsync()
    {
        await _console.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_stream_at_a_moment_what_changed_and_a_trades_steps_are_told_as_they_were()
    {
        var page = await _console.Store.ReadPageAsync(0, 10_000, Cancel);
        var last = page.Last(e => e.Stream == "account-main");
        var (one, other) = (page.First(e => e.Stream == "account-main").Sequence, last.Sequence);
        foreach (var moment in new[] { $"{other}", $"{last.Timestamp.AddSeconds(59):O}" })
        {
            var told = await _console.GetAsync($"/api/at?stream=account-main&moment={Uri.EscapeDataString(moment)}");
            var then = await _travel.StreamAsync(new StreamId("account-main"), await _travel.FindAsync(moment, Cancel), Cancel);
            Assert.Equal(JsonSerializer.Serialize(then, ReadModelJson.Options), told.GetRawText());
        }
        var diff = await _console.GetAsync($"/api/diff?stream=account-main&from={one}&to={other}");
        Assert.Equal("account-main", Assert.Single(diff.GetProperty("Streams").EnumerateArray()).GetProperty("Stream").GetString());
        var trade = page.First(e => e.Type == "trade_raised").CorrelationId!;
        var steps = await _console.GetAsync($"/api/trades/{trade}/steps");
        Assert.Equal(page.Count(e => e.CorrelationId == trade), steps.GetProperty("Steps").GetArrayLength());
    }

    /// <summary>As the list of tokens is.</summary>
    [Fact]
    public async Task Who_is_let_in_is_told_to_a_super_admin_and_nobody_below()
    {
        var tokens = new List<(string Token, HttpStatusCode Status)>();
        foreach (var (name, role, status) in new[] { ("vera", "Viewer", HttpStatusCode.Forbidden), ("oscar", "Operator", HttpStatusCode.Forbidden), ("sue", "SuperAdmin", HttpStatusCode.OK) })
            tokens.Add(((await _console.PostAsync("/api/tokens", new { Name = name, Role = role, Reason = "a test" })).Body.GetProperty("Token").GetString()!, status));
        foreach (var (token, status) in tokens)
        {
            using var client = _console.ClientOf(token);
            var until = (await _console.Store.ReadPageAsync(0, 10_000, Cancel))[^1].Sequence;
            foreach (var path in new[] { $"/api/at?stream=access&moment={until}", $"/api/diff?stream=access&from=1&to={until}" })
            {
                using var answer = await client.GetAsync(path, Cancel);
                Assert.Equal((path, status), (path, answer.StatusCode));
            }
        }
    }

    [Theory]
    [InlineData("/api/at", HttpStatusCode.BadRequest)]
    [InlineData("/api/at?stream=account-main", HttpStatusCode.BadRequest)]
    [InlineData("/api/at?moment=1", HttpStatusCode.BadRequest)]
    [InlineData("/api/at?stream=account-main&moment=soon", HttpStatusCode.BadRequest)]
    [InlineData("/api/at?stream=account-main&moment=1&mode=all", HttpStatusCode.BadRequest)]
    [InlineData("/api/at?stream=audit-2026-01-01&moment=1", HttpStatusCode.BadRequest)]
    [InlineData("/api/at?stream=account%20main&moment=1", HttpStatusCode.BadRequest)]
    [InlineData("/api/at?stream=account-nobody&moment=1", HttpStatusCode.NotFound)]
    [InlineData("/api/diff?stream=account-nobody&from=1&to=3", HttpStatusCode.NotFound)]
    [InlineData("/api/diff?stream=account-main&from=9&to=3", HttpStatusCode.BadRequest)]
    [InlineData("/api/diff?stream=account-main&from=9", HttpStatusCode.BadRequest)]
    [InlineData("/api/trades/0123456789abcdef0123456789abcdef/steps", HttpStatusCode.NotFound)]
    [InlineData("/api/trades/x/steps", HttpStatusCode.BadRequest)]
    public async Task What_cannot_be_answered_is_refused_with_the_reason(string path, HttpStatusCode status)
    {
        using var answer = await _console.Client.GetAsync(path, Cancel);
        Assert.Equal(status, answer.StatusCode);
        Assert.NotEqual("", JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancel)).RootElement.GetProperty("Message").GetString());
    }
}
