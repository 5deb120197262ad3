using System.ComponentModel;
using System.Diagnostics;

namespace Antbot.LocalServers.Processes;

/// <summary>A command that is expected to end by itself, with a limit on how long it may take.</summary>
internal static class ShortCommand
{
    public sealed record Result(int ExitCode, string Output, string Error)
    {
        public bool Succeeded => ExitCode == 0;

        public string Everything => string.Join('\n', new[] { Output.Trim(), Error.Trim() }.Where(text => text.Length > 0));
    }

    public static async Task<Result> RunAsync(
        IReadOnlyList<string> command,
        TimeSpan limit,
        Action<IDictionary<string, string?>>? environment = null,
        CancellationToken cancellationToken = default)
    {
        using var process = new Process { StartInfo = StartInfo(command) };
        environment?.Invoke(process.StartInfo.Environment);
        try
        {
            process.Start();
        }
        catch (Win32Exception notStarted)
        {
            return new Result(127, "", $"{command[0]}: {notStarted.Message}");
        }

        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(limit);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limited.Token);
            var error = process.StandardError.ReadToEndAsync(limited.Token);
            process.StandardInput.Close();
            await process.WaitForExitAsync(limited.Token);
            return new Result(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            cancellationToken.ThrowIfCancellationRequested();
            return new Result(124, "", $"{command[0]} was ended: it had not finished after {limit.TotalSeconds:0.#} s");
        }
    }

    /// <summary>Arguments are passed one by one: no shell looks at them.</summary>
    public static ProcessStartInfo StartInfo(IReadOnlyList<string> command)
    {
        var info = new ProcessStartInfo(command[0])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        foreach (var argument in command.Skip(1))
            info.ArgumentList.Add(argument);
        return info;
    }
}
