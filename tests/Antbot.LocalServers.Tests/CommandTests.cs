using System.Text.Json;

namespace Antbot.LocalServers.Tests;

public sealed class CommandTests
{
    [Fact]
    public async Task Help_names_the_commands()
    {
        var result = await ServerProcess.RunAsync("--help");
        Assert.Equal(0, result.ExitCode);
        Assert.All(new[] { "ensure", "postgres", "rabbitmq" }, name => Assert.Contains(name, result.Output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Ensure_says_as_JSON_what_it_found_and_where()
    {
        var result = await ServerProcess.RunAsync("ensure", "--no-install", "--postgres", "--json");
        Assert.Equal(0, result.ExitCode);
        using var json = JsonDocument.Parse(result.Output);
        var finding = Assert.Single(json.RootElement.EnumerateArray());
        Assert.Equal("postgresql", finding.GetProperty("server").GetString());
        Assert.True(finding.GetProperty("available").GetBoolean());
        Assert.NotEmpty(finding.GetProperty("where").GetString()!);
    }

    [Fact]
    public async Task An_unknown_option_is_an_error() => Assert.NotEqual(0, (await ServerProcess.RunAsync("ensure", "--nonsense")).ExitCode);
}
