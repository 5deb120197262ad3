using System.Diagnostics;
using System.Text.Json;
using Antbot.Chaos.Running;
using Xunit;

namespace Antbot.Chaos.Tests;

/// <summary>The program itself, as `make chaos` runs it; only with more time, because a machine that tests has much else to do.</summary>
public sealed class ShortRunTests
{
    /// <summary>Far beyond what it takes: a machine may have much else to do.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(20);

    /// <summary>What is promised, of a machine that has nothing else to do: here one case may be held up by something else, and not most of them.</summary>
    private static readonly TimeSpan AtRestWithin = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Whatever_is_broken_comes_to_rest_with_nothing_lost_and_nothing_doubled()
    {
        var (code, output) = await RunAsync("--short", "--within", "240", "--json", "--artifacts", Path.Combine(Programs.Own().Root, "artifacts", "chaos"));
        Assert.True(code == 0, output);
        Assert.EndsWith($"{Cases.All.Count(c => c.InShortRun)} passed, 0 failed", output.TrimEnd(), StringComparison.Ordinal);
        var struck = Results(output).Single(r => r.Case == "kill-each").Notes[0];
        Assert.Matches("^12 faults in the middle of [0-9]+ trades, so many under way at each: ", struck);
        Assert.All(
            [.. Programs.Services.Append("venue").Append("postgres").Append("rabbitmq").Select(n => $"kill {n}"), "restart postgres in order", "restart rabbitmq in order"],
            what => Assert.Matches($"[:,] {what} [1-9]", struck));
        var rested = Rested(output);
        Assert.Equal(Cases.All.Count(c => c.InShortRun), rested.Count);
        Assert.True(rested[rested.Count / 2] <= AtRestWithin, $"at rest after {string.Join(", ", rested.Select(r => $"{r.TotalSeconds:0}"))} s: most of them have to be within {AtRestWithin.TotalSeconds:0}");
    }

    [Fact]
    public void How_long_the_cases_took_to_come_to_rest_is_read_from_what_the_run_says()
    {
        var result = new Result("a", Passed: true, [], [], 9, 9, 0, TimeSpan.FromSeconds(90), TimeSpan.FromSeconds(60), default, default, null, []);
        var lines = new[] { result, result with { Converged = TimeSpan.FromSeconds(7), HeldBack = default } }.Select(r => JsonSerializer.Serialize(r, JsonSerializerOptions.Web));
        Assert.Equal([TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(30)], Rested($"   12:00:00 1/2 a: starting\n{string.Join('\n', lines)}\n2 passed, 0 failed\n"));
    }

    [Fact]
    public async Task What_is_no_case_is_refused_with_the_names_of_those_that_are()
    {
        var (code, output) = await RunAsync("--case", "nonsense");
        Assert.Equal(2, code);
        Assert.Contains("kill-each", output, StringComparison.Ordinal);
    }

    /// <summary>In order, without the time that a breaker was open.</summary>
    private static List<TimeSpan> Rested(string output) => [.. Results(output).Select(r => r.Converged!.Value - r.HeldBack).Order()];

    private static IEnumerable<Result> Results(string output) => output.Split('\n').Where(l => l.StartsWith('{')).Select(l => JsonSerializer.Deserialize<Result>(l, JsonSerializerOptions.Web)!);

    private static async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Antbot.Chaos.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        try
        {
            await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience, TestContext.Current.CancellationToken);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
        return (process.ExitCode, await error + await output);
    }
}
