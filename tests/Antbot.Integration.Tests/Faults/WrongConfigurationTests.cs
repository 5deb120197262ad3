using Antbot.Hosting;
using Antbot.Integration.Tests.Cli;
using Xunit;

namespace Antbot.Integration.Tests.Faults;

/// <summary>Every real service, as its own process, with everything about its configuration wrong.</summary>
public sealed class WrongConfigurationTests
{
    /// <summary>What is promised; it takes a tenth of it, and a quarter where sixty processes want the same two processors.</summary>
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(5);

    /// <summary>A service's program, a number of its own that cannot be, and the name of what it does not know.</summary>
    public static TheoryData<string, string> Services => new()
    {
        { "Antbot.Coordinator", "COORDINATOR__VALIDATINGSECONDS" },
        { "Antbot.Validation", "VALIDATION__MAXAGESECONDS" },
        { "Antbot.Risk", "RISK__MAXEXPOSURE" },
        { "Antbot.Execution", "EXECUTION__HOLDINGSECONDSMAX" },
        { "Antbot.Reconciliation", "RECONCILIATION__EVERYSECONDS" },
        { "Antbot.Signal", "SIGNAL__COOLDOWNSECONDS" },
        { "Antbot.Console", "CONSOLE__WATCHERS" },
    };

    [Theory]
    [MemberData(nameof(Services))]
    public async Task It_ends_and_names_every_fault_before_it_does_anything(string service, string option)
    {
        var unknown = $"{option}X";
        var (code, said) = await RunAsync(service, ("STORE", "nonsense"), ("BUS", "nonsense://"), ("LISTEN", "nowhere"), ("PREFETCH", "-3"), ("PROFILE", "fast"), (option, "-1"), (unknown, "1"));
        Assert.Equal(ExitCodes.InvalidConfiguration, code);
        foreach (var name in new[] { "STORE", "BUS", "LISTEN", "PREFETCH", "PROFILE", option, unknown })
            Assert.Contains(said, line => line.StartsWith("antbot: configuration:", StringComparison.Ordinal) && line.Contains($"ANTBOT_{name}", StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [MemberData(nameof(Services))]
    public async Task Without_any_it_names_what_it_lacks(string service, string option)
    {
        var (code, said) = await RunAsync(service);
        Assert.Equal(ExitCodes.InvalidConfiguration, code);
        Assert.Contains(said, line => line.Contains("ANTBOT_STORE", StringComparison.Ordinal));
        Assert.DoesNotContain(said, line => line.Contains(option, StringComparison.OrdinalIgnoreCase));
    }

    private static async Task<(int Code, IReadOnlyList<string> Said)> RunAsync(string service, params (string Name, string Value)[] settings)
    {
        using var process = AntbotProcess.Start($"{service}.dll", Path.GetTempPath(), settings, []);
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Within);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{service} has not ended within {Within.TotalSeconds:0} s; it said: {await output}{await error}");
        }
        // Nothing was opened and nothing taken: not a word but the faults.
        Assert.Equal("", await output);
        return (process.ExitCode, (await error).Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }
}
