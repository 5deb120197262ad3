using System.Diagnostics;
using Antbot.LocalServers.Processes;

namespace Antbot.LocalServers.Commands;

/// <summary>Installs the distribution's packages on Debian and Ubuntu, without starting any system service.</summary>
internal static class PackageInstaller
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan SudoLimit = TimeSpan.FromSeconds(10);

    /// <summary>Null when it is installed, else why it is not.</summary>
    public static async Task<string?> InstallAsync(
        IReadOnlyList<string> packages, HostView host, TextWriter progress, CancellationToken cancellationToken)
    {
        if (host.OnPath("apt-get") is null || !File.Exists("/etc/debian_version"))
            return "this is neither Debian nor Ubuntu, so nothing was installed";
        var prefix = await RootPrefixAsync(host, cancellationToken);
        if (prefix is null)
            return "installing needs root or a sudo that asks no password";

        await progress.WriteLineAsync($"Installing the distribution's packages: {string.Join(' ', packages)} (no system service is started)");
        var exitCode = await RunAsync([.. prefix, "/bin/sh", "-c", Scripts.Install, "antbot-install", .. packages], progress, cancellationToken);
        return exitCode == 0 ? null : $"apt-get failed with exit code {exitCode}; its messages are above";
    }

    private static async Task<IReadOnlyList<string>?> RootPrefixAsync(HostView host, CancellationToken cancellationToken)
    {
        if (Native.IsRoot)
            return [];
        if (host.OnPath("sudo") is not { } sudo)
            return null;
        var allowed = await ShortCommand.RunAsync([sudo, "-n", "true"], SudoLimit, cancellationToken: cancellationToken);
        return allowed.Succeeded ? [sudo, "-n"] : null;
    }

    private static async Task<int> RunAsync(IReadOnlyList<string> command, TextWriter progress, CancellationToken cancellationToken)
    {
        using var process = new Process { StartInfo = ShortCommand.StartInfo(command) };
        var gate = new Lock();
        void Pass(object sender, DataReceivedEventArgs line)
        {
            if (line.Data is null)
                return;
            lock (gate)
                progress.WriteLine(line.Data);
        }

        process.OutputDataReceived += Pass;
        process.ErrorDataReceived += Pass;
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();

        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(Limit);
        try
        {
            await process.WaitForExitAsync(limited.Token);
            return process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            // The script's trap takes the temporary policy away.
            Native.Signal(process.Id, Native.SigTerm);
            throw;
        }
    }
}
