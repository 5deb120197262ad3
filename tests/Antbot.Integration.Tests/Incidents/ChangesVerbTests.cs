using System.Net;
using System.Text.Json;
using Antbot.Integration.Tests.Cli;
using Antbot.Integration.Tests.ConsoleApi;
using Antbot.Integration.Tests.Support;
using Xunit;

namespace Antbot.Integration.Tests.Incidents;

/// <summary><c>antbot changes</c>, and the route that it asks.</summary>
public sealed class ChangesVerbTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-changes-").FullName;
    private RunningConsole _console = null!;
    private string _token = "";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _token = Path.Combine(_folder, "token");
        await File.WriteAllTextAsync(_token, RunningConsole.Token, Cancel);
        _console = await RunningConsole.StartAsync(_folder);
    }

    public async ValueTask DisposeAsync()
    {
        await _console.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task The_Console_and_the_store_alone_tell_the_same_and_a_viewer_sees_all_but_what_is_said_of_tokens()
    {
        Assert.Equal(200, (await _console.PostAsync("/api/control/halt", new { Reason = "orders hang", By = "anna" })).Status);
        var made = await _console.PostAsync("/api/tokens", new { Name = "vera", Role = "Viewer", Reason = "to look" });
        Assert.Equal(200, (await _console.PostAsync("/api/control/resume", new { Reason = "they go on", By = "anna" })).Status);
        await Eventually.HoldsAsync(async () => (await _console.GetAsync("/api/changes?since=2026-01-01")).GetProperty("Changes").GetArrayLength() == 5, "the read models have it");
        var (asked, alone) = (await JsonAsync("--since", "1h", "--console", _console.Address, "--token-file", _token), await JsonAsync("--since", "1h", "--store", $"sqlite:{Path.Combine(_folder, "antbot.db")}"));
        Assert.Equal(asked.GetProperty("Changes").GetRawText(), alone.GetProperty("Changes").GetRawText());
        Assert.Equal(["Build", "Configuration", "Control", "Operator", "Control"], asked.GetProperty("Changes").EnumerateArray().Select(c => c.GetProperty("Kind").GetString()));
        Assert.Equal(["", "", "orders hang", "to look", "they go on"], asked.GetProperty("Changes").EnumerateArray().Select(c => c.GetProperty("Why").GetString()));
        using var vera = _console.ClientOf(made.Body.GetProperty("Token").GetString()!);
        var seen = JsonDocument.Parse(await vera.GetStringAsync("/api/changes?since=2026-01-01", Cancel)).RootElement.GetProperty("Changes");
        Assert.Equal((5, true, ""), (seen.GetArrayLength(), seen[3].GetProperty("Withheld").GetBoolean(), seen[3].GetProperty("Why").GetString()));
        var said = await AntbotProcess.RunAsync(_folder, "changes", "--since", "1h", "--limit", "3", "--console", _console.Address, "--token-file", _token);
        Assert.Equal(0, said.ExitCode);
        foreach (var part in new[] { "Configuration", "Activity Halted", "orders hang", "(anna)", "More: the same with --after " })
            Assert.Contains(part, said.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("they go on", said.Output, StringComparison.Ordinal);
        var rest = await AntbotProcess.RunAsync(_folder, "changes", "--since", "1h", "--after", said.Output.Split("--after ")[1].Trim(), "--console", _console.Address, "--token-file", _token);
        Assert.Contains("they go on", rest.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("orders hang", rest.Output, StringComparison.Ordinal);
        Assert.Equal("Nothing changed.\n", (await AntbotProcess.RunAsync(_folder, "changes", "--since", "2020-01-01", "--until", "2020-01-02", "--store", $"sqlite:{Path.Combine(_folder, "antbot.db")}")).Output);
    }

    [Theory]
    [InlineData("changes")]
    [InlineData("changes", "--since", "soon")]
    [InlineData("changes", "--since", "1w")]
    [InlineData("changes", "--since", "-1h")]
    [InlineData("changes", "--since", "99999d")]
    [InlineData("changes", "--since", "1h", "--until", "2h")]
    [InlineData("changes", "--since", "1h", "--limit", "501")]
    [InlineData("changes", "--since", "1h", "--after", "x")]
    [InlineData("changes", "--since", "1h", "--after", "999999")]
    [InlineData("incident", "open")]
    [InlineData("incident", "open", "--reason", "x", "--trade", "abc")]
    [InlineData("incident", "show", "zz")]
    [InlineData("incident", "list", "--state", "1")]
    [InlineData("incident", "list", "--limit", "0")]
    public async Task What_cannot_be_answered_is_said_in_one_line(params string[] arguments)
    {
        var said = await AntbotProcess.RunAsync(_folder, [.. arguments, "--store", $"sqlite:{Path.Combine(_folder, "antbot.db")}"]);
        Assert.Equal((2, ""), (said.ExitCode, said.Output));
        Assert.StartsWith("antbot: ", said.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/changes", HttpStatusCode.BadRequest)]
    [InlineData("/api/changes?since=soon", HttpStatusCode.BadRequest)]
    [InlineData("/api/changes?since=2026-01-01&until=2025-01-01", HttpStatusCode.BadRequest)]
    [InlineData("/api/changes?since=2026-01-01&limit=501", HttpStatusCode.BadRequest)]
    [InlineData("/api/changes?since=2026-01-01&after=999999", HttpStatusCode.BadRequest)]
    [InlineData("/api/changes?since=2026-01-01&by=anna", HttpStatusCode.BadRequest)]
    [InlineData("/api/incidents?state=1", HttpStatusCode.BadRequest)]
    [InlineData("/api/incidents?by=anna", HttpStatusCode.BadRequest)]
    [InlineData("/api/incidents/0123", HttpStatusCode.NotFound)]
    public async Task What_is_not_understood_is_refused_with_its_reason(string path, HttpStatusCode status)
    {
        var answer = await _console.Client.GetAsync(path, Cancel);
        Assert.Equal(status, answer.StatusCode);
        Assert.NotEmpty(JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancel)).RootElement.GetProperty("Message").GetString()!);
    }

    private async Task<JsonElement> JsonAsync(params string[] arguments)
    {
        var said = await AntbotProcess.RunAsync(_folder, ["changes", .. arguments, "--json"]);
        Assert.True(said.ExitCode == 0, said.Error);
        return JsonDocument.Parse(said.Output).RootElement;
    }
}
