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

    [Theory]
    [InlineData("--postgres", "postgresql")]
    [InlineData("--rabbitmq", "rabbitmq-server")]
    public async Task Where_a_server_is_missing_and_cannot_be_installed_ensure_fails_and_names_its_package_in_one_line(string which, string package)
    {
        using var empty = new TemporaryFolder();
        var result = await SayAsync(new HostView(_ => null, empty.Path), "--no-install", which);
        Assert.NotEqual(0, result.ExitCode);
        Assert.Empty(result.Output);
        Assert.Contains($"install the package '{package}'", Assert.Single(result.Error.Trim().Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_nothing_may_be_installed_ensure_says_in_one_line_why_and_what_is_missing()
    {
        using var empty = new TemporaryFolder();
        var result = await SayAsync(new HostView(_ => null, empty.Path));
        Assert.NotEqual(0, result.ExitCode);
        var line = Assert.Single(result.Error.Trim().Split('\n'));
        Assert.StartsWith("Could not install postgresql rabbitmq-server: ", line, StringComparison.Ordinal);
        Assert.Contains("install the package 'postgresql'", line, StringComparison.Ordinal);
        Assert.Contains("install the package 'rabbitmq-server'", line, StringComparison.Ordinal);
    }

    private static async Task<(int ExitCode, string Output, string Error)> SayAsync(HostView host, params string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var exitCode = await Commands.EnsureCommand.Create(host, output, error).Parse(arguments).InvokeAsync(cancellationToken: TestContext.Current.CancellationToken);
        return (exitCode, output.ToString(), error.ToString());
    }

    [Fact]
    public async Task An_unknown_option_is_an_error() => Assert.NotEqual(0, (await ServerProcess.RunAsync("ensure", "--nonsense")).ExitCode);
}
