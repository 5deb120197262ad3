using System.Net;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Integration.Tests.Cli;
using Antbot.Integration.Tests.Forensics;
using Antbot.Integration.Tests.Support;
using Xunit;

namespace Antbot.Integration.Tests.ConsoleApi;

/// <summary>The causal chain of anything, over the operators' API.</summary>
public sealed class TraceRoutesTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-trace-").FullName;
    private RunningConsole _console = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var store = $"sqlite:{Path.Combine(_folder, "antbot.db")}";
        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "store", "create", "--store", store)).ExitCode);
        var imported = await AntbotProcess.RunAsync(_folder, "import", Corpus.Histories.First(h => Path.GetFileName(h).StartsWith("seed-", StringComparison.Ordinal)), "--store", store);
        Assert.True(imported.ExitCode == 0, imported.Error);
        _console = await RunningConsole.StartAsync(_folder);
        await Eventually.HoldsAsync(async () => (await _console.GetAsync("/api/status")).GetProperty("Views").GetProperty("Behind").GetInt64() == 0, "the read models are up to date");
    }

    public async ValueTask DisposeAsync()
    {
        await _console.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_chain_and_what_there_is_to_trace_are_told_by_every_id()
    {
        var accepted = (await _console.Store.ReadPageAsync(0, 10_000, Cancel)).First(e => e.Type == "order_accepted");
        var body = JsonDocument.Parse(accepted.Data).RootElement;
        var trade = accepted.Stream[Streams.OrderPrefix.Length..];
        var told = await _console.GetAsync($"/api/trace?id={trade}");
        Assert.Equal("Trade", told.GetProperty("Target").GetProperty("Kind").GetString());
        Assert.DoesNotContain(told.GetProperty("Gaps").EnumerateArray(), g => g.GetProperty("Kind").GetString() == "Missing");
        foreach (var id in new[] { $"id={body.GetProperty("Order").GetString()}", $"id={body.GetProperty("VenueOrderId").GetString()}&kind=VenueOrder", $"id=%23{accepted.Sequence}", $"id={trade[..8]}&kind=trade" })
            Assert.Equal(told.GetProperty("Steps").GetArrayLength(), (await _console.GetAsync($"/api/trace?{id}")).GetProperty("Steps").GetArrayLength());
        var symbol = JsonDocument.Parse((await _console.Store.ReadPageAsync(0, 10_000, Cancel)).First(e => e.Stream == $"signal-{trade}").Data).RootElement.GetProperty("Signal").GetProperty("Symbol").GetString();
        var then = await _console.GetAsync($"/api/traces?symbol={symbol}&since={Time(accepted.Timestamp.AddSeconds(-1))}&until={Time(accepted.Timestamp.AddSeconds(1))}");
        Assert.Contains(then.GetProperty("Subjects").EnumerateArray(), s => s.GetProperty("Target").GetProperty("Id").GetString() == trade);

        static string Time(DateTimeOffset at) => Uri.EscapeDataString(at.ToString("O"));
    }

    [Fact]
    public async Task Who_may_not_see_tokens_is_told_of_them_without_what_was_said()
    {
        var made = await _console.PostAsync("/api/tokens", new { Name = "vera", Role = "Viewer", Reason = "to look" }, key: "a-request-for-vera");
        Assert.Equal(201, made.Status);
        var stored = Assert.Single(await _console.Store.ReadStreamAsync(Streams.Access, cancellationToken: Cancel).ToListAsync(Cancel));
        using var vera = _console.ClientOf(made.Body.GetProperty("Token").GetString()!);
        var path = $"/api/trace?id={stored.CorrelationId}";
        var (all, less) = ((await _console.GetAsync(path)).GetProperty("Steps")[0], JsonDocument.Parse(await vera.GetStringAsync(path, Cancel)).RootElement.GetProperty("Steps")[0]);
        Assert.Equal(("access_token_made", false, true), (all.GetProperty("Type").GetString(), all.GetProperty("Withheld").GetBoolean(), all.GetProperty("Body").TryGetProperty("Name", out _)));
        Assert.Equal(("access_token_made", true, "{}"), (less.GetProperty("Type").GetString(), less.GetProperty("Withheld").GetBoolean(), less.GetProperty("Body").GetRawText()));
        // What this Console records names its process, which began with a build and a configuration.
        var process = Assert.Single((await _console.GetAsync(path)).GetProperty("Processes").EnumerateArray());
        Assert.Equal(64, process.GetProperty("Configuration").GetString()!.Length);
        Assert.Equal(64, process.GetProperty("BuildHash").GetString()!.Length);
    }

    [Theory]
    [InlineData("/api/trace", HttpStatusCode.BadRequest)]
    [InlineData("/api/trace?id=", HttpStatusCode.BadRequest)]
    [InlineData("/api/trace?id=a%20b", HttpStatusCode.BadRequest)]
    [InlineData("/api/trace?id=5&kind=message", HttpStatusCode.BadRequest)]
    [InlineData("/api/trace?id=5&kind=5", HttpStatusCode.BadRequest)]
    [InlineData("/api/trace?id=5&mode=all", HttpStatusCode.BadRequest)]
    [InlineData("/api/trace?id=0123456789abcdef0123456789abcdef", HttpStatusCode.NotFound)]
    [InlineData("/api/trace?id=00000000000000000000000000000000", HttpStatusCode.NotFound)]
    [InlineData("/api/trace?id=%23999999", HttpStatusCode.NotFound)]
    [InlineData("/api/trace?id=nobody-knows", HttpStatusCode.NotFound)]
    [InlineData("/api/traces", HttpStatusCode.BadRequest)]
    [InlineData("/api/traces?since=2026-01-01", HttpStatusCode.BadRequest)]
    [InlineData("/api/traces?symbol=BTCUSDT", HttpStatusCode.BadRequest)]
    [InlineData("/api/traces?symbol=b%27&since=2026-01-01", HttpStatusCode.BadRequest)]
    [InlineData("/api/traces?symbol=BTCUSDT&since=soon", HttpStatusCode.BadRequest)]
    [InlineData("/api/traces?symbol=BTCUSDT&since=0001-01-01", HttpStatusCode.BadRequest)]
    [InlineData("/api/traces?symbol=BTCUSDT&since=2026-02-01&until=2026-01-01", HttpStatusCode.BadRequest)]
    [InlineData("/api/traces?symbol=BTCUSDT&since=2026-01-01&limit=501", HttpStatusCode.BadRequest)]
    [InlineData("/api/traces?symbol=BTCUSDT&since=2026-01-01&after=x", HttpStatusCode.BadRequest)]
    public async Task What_cannot_be_answered_is_refused_with_the_reason(string path, HttpStatusCode status)
    {
        using var answer = await _console.Client.GetAsync(path, Cancel);
        Assert.Equal(status, answer.StatusCode);
        Assert.NotEqual("", JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancel)).RootElement.GetProperty("Message").GetString());
    }
}
