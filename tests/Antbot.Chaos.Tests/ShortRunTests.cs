using System.Diagnostics;
using Antbot.Chaos.Running;
using Xunit;

namespace Antbot.Chaos.Tests;

/// <summary>The program itself, as `make chaos` runs it; only with more time, because a machine that tests has much else to do.</summary>
public sealed class ShortRunTests
{
    /// <summary>Far beyond what it takes: a machine may have much else to do.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(20);

    [Fact]
    public async Task Whatever_is_broken_comes_to_rest_with_nothing_lost_and_nothing_doubled()
    {
        var (code, output) = await RunAsync("--short", "--within", "240", "--artifacts", Path.Combine(Programs.Own().Root, "artifacts", "chaos"));
        Assert.True(code == 0, output);
        Assert.EndsWith($"{Cases.All.Count(c => c.InShortRun)} passed, 0 failed", output.TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_case_is_refused_with_the_names_of_those_that_are()
    {
        var (code, output) = await RunAsync("--case", "nonsense");
        Assert.Equal(2, code);
        Assert.Contains("kill-each", output, StringComparison.Ordinal);
    }

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
