using System.Diagnostics;

namespace Antbot.Architecture.Tests;

/// <summary>The SDK's own command, as a build calls it.</summary>
internal static class Dotnet
{
    private static readonly TimeSpan RunMax = TimeSpan.FromSeconds(300);

    public static async Task<(int ExitCode, string Output)> RunAsync(string folder, params IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        // No server that outlives the build, and nothing of what our own caller has switched on.
        start.Environment["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0";
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        start.Environment.Remove("CI");
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(RunMax);
        try
        {
            var (output, error) = (process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token));
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, await output + await error);
        }
        catch (OperationCanceledException e)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"dotnet {arguments[0]} took more than {RunMax}.", e);
        }
    }
}
