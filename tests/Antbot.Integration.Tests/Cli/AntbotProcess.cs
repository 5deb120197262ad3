using System.Diagnostics;

namespace Antbot.Integration.Tests.Cli;

public sealed record Said(int ExitCode, string Output, string Error);

/// <summary>Runs our programs as a person would: as processes, with arguments, looking at what they say and how they end.</summary>
internal static class AntbotProcess
{
    /// <summary>From its own folder: beside the tests lies less, because they have a framework that it has not.</summary>
    public static string CommandLine { get; } =
        Path.Combine(RepositoryFolder.Root, "services", "Antbot.Cli", "bin", new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, new DirectoryInfo(AppContext.BaseDirectory).Name, "antbot.dll");

    /// <param name="program">A file beside the tests, or a whole path.</param>
    public static Process Start(string program, string folder, params string[] arguments) => Start(program, folder, [], arguments);

    /// <param name="settings">In its environment, without their prefix: <c>RISK__MAXEXPOSURE</c>.</param>
    public static Process Start(string program, string folder, IReadOnlyList<(string Name, string Value)> settings, string[] arguments)
    {
        // What starts in the background inherits that SIGINT and SIGQUIT are ignored.
        var start = new ProcessStartInfo("env", ["--default-signal=INT,QUIT", "dotnet", Path.Combine(AppContext.BaseDirectory, program), .. arguments])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("ANTBOT_", StringComparison.Ordinal)).ToArray())
            start.Environment.Remove(name);
        foreach (var (name, value) in settings)
            start.Environment[$"ANTBOT_{name}"] = value;
        return Process.Start(start)!;
    }

    public static Task<Said> RunAsync(string folder, params string[] arguments) => RunAsync(folder, [], arguments);

    public static async Task<Said> RunAsync(string folder, IReadOnlyList<(string Name, string Value)> settings, string[] arguments)
    {
        using var process = Start(CommandLine, folder, settings, arguments);
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromMinutes(1)).Token);
        return new Said(process.ExitCode, await output, await error);
    }

    public static void Signal(Process process, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", process.Id.ToString()]);
        kill.WaitForExit();
    }
}
