using System.Diagnostics;

namespace Antbot.Chaos.Running;

/// <summary>The build before this one: the commit before the last that changed what runs, in a checkout of its own.</summary>
internal static class PreviousBuild
{
    public static async Task<Programs> MakeAsync(Programs current, string? commit, string folder, Action<string> say, CancellationToken cancellationToken)
    {
        if (commit is null)
        {
            var last = await RunAsync("git", ["-C", current.Root, "log", "-1", "--format=%H", "--", "services", "shared"], cancellationToken);
            if (last.Length == 0)
                throw new ChaosException("There is no history of this checkout, so there is no build before this one.");
            commit = $"{last}~1";
        }
        say($"building {commit}");
        await RunAsync("git", ["-C", current.Root, "worktree", "add", "--detach", folder, commit], cancellationToken);
        // It references every service, so each is built in its own folder.
        await RunAsync("dotnet", ["build", Path.Combine(folder, "services", "Antbot.Standalone"), "-c", current.Configuration, "-v", "quiet", "-clp:NoSummary", "-p:RestoreLockedMode=false"], cancellationToken);
        return new Programs(folder, current.Configuration);
    }

    public static Task RemoveAsync(Programs current, string folder) => RunAsync("git", ["-C", current.Root, "worktree", "remove", "--force", folder], CancellationToken.None);

    private static async Task<string> RunAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(cancellationToken), process.StandardError.ReadToEndAsync(cancellationToken));
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        var said = (await output).Trim();
        return process.ExitCode == 0 ? said : throw new ChaosException($"'{program} {arguments[0]}' ended with {process.ExitCode}: {(await error).Trim()} {said}");
    }
}
