using System.Diagnostics;
using System.Text.Json;
using Antbot.LocalServers.Processes;

namespace Antbot.LocalServers.Tests;

/// <summary>A child process that runs this project's program, in a session of its own, so that its whole group can be killed.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(60);
    private readonly Process _process;

    private ServerProcess(Process process) => _process = process;

    public int Id => _process.Id;

    public string Folder { get; private set; } = "";

    public int ServerPid { get; private set; }

    public int? PortMapperPid { get; private set; }

    public static async Task<ServerProcess> StartAsync(string temporaryFolder, params IReadOnlyList<string> arguments)
    {
        var process = new Process { StartInfo = ShortCommand.StartInfo(["setsid", "dotnet", Program, .. arguments, "--json"]) };
        process.StartInfo.RedirectStandardError = false;
        process.StartInfo.Environment["TMPDIR"] = temporaryFolder;
        process.Start();
        var started = new ServerProcess(process);
        try
        {
            var line = await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)
                .AsTask().WaitAsync(StartLimit, TestContext.Current.CancellationToken);
            Assert.NotNull(line);
            using var json = JsonDocument.Parse(line);
            started.Folder = json.RootElement.GetProperty("folder").GetString()!;
            started.ServerPid = json.RootElement.GetProperty("pid").GetInt32();
            started.PortMapperPid = json.RootElement.GetProperty("portMapperPid") is { ValueKind: JsonValueKind.Number } pid ? pid.GetInt32() : null;
            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    public static Task<ShortCommand.Result> RunAsync(params IReadOnlyList<string> arguments) =>
        ShortCommand.RunAsync(["dotnet", Program, .. arguments], StartLimit, cancellationToken: TestContext.Current.CancellationToken);

    public async Task KillAsync()
    {
        _process.Kill();
        await ExitAsync();
    }

    /// <summary>Everything that a terminal or a supervisor would take along.</summary>
    public async Task KillGroupAsync()
    {
        var killed = await ShortCommand.RunAsync(
            ["/bin/sh", "-c", "kill -9 -$0", $"{_process.Id}"], EndLimit, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal("", killed.Everything);
        await ExitAsync();
    }

    public async Task<int> TerminateAsync()
    {
        Native.Signal(_process.Id, Native.SigTerm);
        await ExitAsync();
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        using (_process)
        {
            if (!_process.HasExited)
                await KillAsync();
        }
    }

    private Task ExitAsync() =>
        _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(EndLimit, TestContext.Current.CancellationToken);

    private static string Program => Path.Combine(AppContext.BaseDirectory, "Antbot.LocalServers.dll");
}
