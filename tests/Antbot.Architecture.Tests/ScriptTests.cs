using System.Diagnostics;
using System.Runtime.Versioning;
using Xunit;

namespace Antbot.Architecture.Tests;

/// <summary>The scripts behind `make test`, with a dotnet of our own in front of the real one: what they conclude from what it says.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class ScriptTests : IDisposable
{
    private const UnixFileMode Executable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private static readonly TimeSpan RunMax = TimeSpan.FromSeconds(60);

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-scripts-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void What_CI_runs_is_make_test_and_nothing_else() => Assert.Equal(
        ["set -euo pipefail", "cd \"$(dirname \"$0\")/..\"", "exec make test"],
        File.ReadAllLines(Path.Combine(Repository.Root, ".ci", "run")).Where(line => line.Length > 0 && line[0] != '#'));

    [Fact]
    public void The_readme_says_what_it_is_in_three_lines_then_run_test_break_it_and_where_to_read_on()
    {
        var lines = File.ReadAllLines(Path.Combine(Repository.Root, "README.md"));
        Assert.Equal(["# Antbot", "## Run", "## Test", "## Break it", "## Read on"], lines.Where(line => line.StartsWith('#')));
        Assert.Equal(3, lines.TakeWhile(line => line != "## Run").Count(line => line.Length > 0 && line[0] != '#'));
    }

    [Theory]
    [InlineData("true", "true", "as asked")]
    [InlineData("false", "false", "as asked")]
    [InlineData("perhaps", "false", "neither auto, true nor false")]
    public async Task A_probe_does_as_it_is_told_and_asks_nobody(string choice, string answer, string says)
    {
        Fake("exit 99");
        AssertProbe(await ProbeAsync(choice), answer, says);
    }

    [Theory]
    [InlineData("""mkdir -p "$(dirname "$2")/obj" && printf '    "Marten/9.3.1": {\n' >"$(dirname "$2")/obj/project.assets.json" """, "true", "Marten 9.3.1 found")]
    [InlineData("exit 0", "true", "found")]
    [InlineData("echo 'error NU1101: Unable to find package Marten. No packages exist'; exit 1", "false", "not in this registry")]
    [InlineData("echo 'error NU1101: Unable to find package Weasel.Postgresql. No packages exist'; exit 1", "false", "lacks Weasel.Postgresql")]
    [InlineData("echo 'error NU1301: Unable to load the service index'; exit 1", "false", "NU1301")]
    [InlineData("exec sleep 60", "false", "no answer")]
    public async Task A_probe_turns_on_what_the_registry_has_says_so_in_one_line_and_never_fails(string dotnet, string answer, string says)
    {
        Fake(dotnet);
        AssertProbe(await ProbeAsync("auto"), answer, says);
    }

    [Theory]
    [InlineData("""<assembly passed="3" failed="0" errors="0" skipped="0">""", 0, "4 passed, 0 failed")]
    [InlineData("""<assembly passed="3" failed="2" errors="0" skipped="0">""", 1, "4 passed, 2 failed")]
    [InlineData("""<assembly passed="3" failed="0" errors="1" skipped="0">""", 1, "4 passed, 1 failed")]
    [InlineData("""<assembly passed="3" failed="0" errors="0" skipped="1">""", 0, "4 passed, 1 failed")]
    [InlineData("""<assembly passed="3" failed="0" errors="0" skipped="0">""", 134, "4 passed, 1 failed")]
    [InlineData("""<assembly passed="0" failed="0" errors="0" skipped="0">""", 0, "1 passed, 1 failed")]
    [InlineData(null, 0, "1 passed, 1 failed")]
    public async Task What_the_test_projects_say_is_added_up_in_the_last_line_and_nothing_is_passed_over(string? result, int exitCode, string lastLine)
    {
        Fake("""
            name=$(basename "$1" .dll)
            [ ! -f "$name.result" ] || cp "$name.result" "$5"
            exit "$(cat "$name.code")"
            """);
        Project("One.Tests", """<assembly passed="1" failed="0" errors="0" skipped="0">""", 0);
        Project("Two.Tests", result, exitCode);
        Project("Antbot.Marten.Tests", """<assembly passed="7" failed="0" errors="0" skipped="0">""", 0);

        var said = await RunAsync("test.sh", [], ["Release"]);
        Assert.Equal(lastLine, said.Output.TrimEnd().Split('\n')[^1]);
        Assert.Equal(lastLine.EndsWith(" 0 failed", StringComparison.Ordinal), said.ExitCode == 0);

        // What was built with Marten is counted, too.
        Assert.Equal($"{int.Parse(lastLine[..1]) + 7}{lastLine[1..]}", (await RunAsync("test.sh", [("MARTEN_ON", "true")], ["Release"])).Output.TrimEnd().Split('\n')[^1]);
    }

    /// <summary>Two runs failed where only the last page was kept, and that page held what the programs under test had logged.</summary>
    [Fact]
    public async Task The_last_lines_name_what_failed_and_why()
    {
        Fake("""
            cat "$(basename "$1" .dll).said"
            cp "$(basename "$1" .dll).result" "$5"
            exit "$(cat "$(basename "$1" .dll).code")"
            """);
        Project("One.Tests", """<assembly passed="1" failed="2" errors="0" skipped="0">""", 1);
        Project("Two.Tests", """<assembly passed="1" failed="0" errors="0" skipped="0">""", 0);
        File.WriteAllText(Path.Combine(_folder, "Two.Tests.said"), "nothing\n");
        var logged = string.Concat(Enumerable.Repeat("{\"message\":\"a service speaks\"}\n", 300));
        File.WriteAllText(Path.Combine(_folder, "One.Tests.said"), $"{logged}    A.First [FAIL]\n{logged}      the one reason\n      more\n{logged}    A.Second [FAIL]\n      the other reason\n{logged}");

        var lines = (await RunAsync("test.sh", [], ["Release"])).Output.TrimEnd().Split('\n');
        Assert.Equal(["== failed, see artifacts/tests/One.Tests.log", "    A.First [FAIL]", "      the one reason", "    A.Second [FAIL]", "      the other reason", "2 passed, 2 failed"], lines[^6..]);
        Assert.Contains("      more", lines);
        Assert.DoesNotContain(lines, line => line.Contains("a service speaks", StringComparison.Ordinal));
    }

    /// <summary>Each calls the program behind it, with what it was given and nothing else.</summary>
    [Theory]
    [InlineData("up INSTANCES='validation=3 risk=2' MARTEN=false TESTCONTAINERS=false", "build Antbot.Services.sln", "LocalServers.dll ensure", "Antbot.Watchdog.dll up --detach --instances validation=3 risk=2")]
    [InlineData("down", "Antbot.Watchdog.dll down")]
    [InlineData("run ARGS=--detach", "run --project services/Antbot.Standalone -c Release -v quiet -- --detach")]
    [InlineData("stop", "run --project services/Antbot.Standalone -c Release -v quiet -- stop")]
    [InlineData("venue PORT=9001 ADMIN_PORT=9002", "run --project services/Antbot.PaperVenue/Host -c Release -v quiet -- --port 9001 --admin-port 9002 --shell")]
    public async Task The_commands_of_the_Makefile_call_what_they_say(string command, params string[] calls)
    {
        Fake($"echo \"$*\" >>'{_folder}/calls'");
        var (exitCode, _, error) = await RunAsync(["-c", $"exec make -s -C '{Repository.Root}' {command}"], []);
        Assert.True(exitCode == 0, error);
        var called = await File.ReadAllLinesAsync(Path.Combine(_folder, "calls"), TestContext.Current.CancellationToken);
        Assert.Equal(calls.Length, called.Length);
        Assert.All(calls.Zip(called), c => Assert.Contains(c.First, c.Second, StringComparison.Ordinal));
    }

    private static void AssertProbe((int ExitCode, string Output, string Error) said, string answer, string says)
    {
        Assert.Equal((0, answer), (said.ExitCode, said.Output.Trim()));
        Assert.Contains(says, Assert.Single(said.Error.Trim().Split('\n')), StringComparison.Ordinal);
    }

    private Task<(int ExitCode, string Output, string Error)> ProbeAsync(string choice) =>
        RunAsync("probe.sh", [("PROBE_LIMIT", "2")], [choice, "the Marten engine", "Marten=9.*"]);

    private void Project(string name, string? result, int exitCode)
    {
        var project = Directory.CreateDirectory(Path.Combine(_folder, "tests", name)).FullName;
        File.WriteAllText(Path.Combine(project, $"{name}.csproj"), "");
        if (result is not null)
            File.WriteAllText(Path.Combine(_folder, $"{name}.result"), result);
        File.WriteAllText(Path.Combine(_folder, $"{name}.code"), $"{exitCode}");
    }

    private void Fake(string dotnet)
    {
        var program = Path.Combine(Directory.CreateDirectory(Path.Combine(_folder, "bin")).FullName, "dotnet");
        File.WriteAllText(program, $"#!/bin/sh\n{dotnet}\n");
        File.SetUnixFileMode(program, Executable);
    }

    private Task<(int ExitCode, string Output, string Error)> RunAsync(string script, (string Name, string Value)[] environment, string[] arguments) =>
        RunAsync([Path.Combine(Repository.Root, "build", script), .. arguments], environment);

    private async Task<(int ExitCode, string Output, string Error)> RunAsync(string[] shell, (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo("/bin/sh", shell)
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["PATH"] = $"{Path.Combine(_folder, "bin")}:{Environment.GetEnvironmentVariable("PATH")}";
        // What make itself was told, where it runs this, is not for what this runs.
        foreach (var name in new[] { "MARTEN_ON", "MAKEFLAGS", "MFLAGS", "MAKELEVEL" })
            start.Environment.Remove(name);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(RunMax);
        var (output, error) = (process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token));
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output, await error);
    }
}
