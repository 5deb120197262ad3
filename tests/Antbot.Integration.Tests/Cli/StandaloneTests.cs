using System.Diagnostics;
using Antbot.EventStore.Sqlite;
using Xunit;

namespace Antbot.Integration.Tests.Cli;

/// <summary>`make run`'s process: starts on nothing, stops in order, survives a kill, and refuses a history that was changed.</summary>
public sealed class StandaloneTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-standalone-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task It_starts_on_nothing_survives_kills_and_stops_in_order_with_a_checkpoint()
    {
        for (var run = 1; run <= 3; run++)
        {
            using var process = await StartedAsync();
            AntbotProcess.Signal(process, run == 3 ? "INT" : "KILL");
            await process.WaitForExitAsync(Cancel);
            if (run == 3)
            {
                Assert.Equal(0, process.ExitCode);
                Assert.Contains("Stopped in order at position 4", await process.StandardOutput.ReadToEndAsync(Cancel), StringComparison.Ordinal);
            }
        }

        var verified = await AntbotProcess.RunAsync(_folder, "verify");
        Assert.Equal(0, verified.ExitCode);
        Assert.Contains("Intact: 4 events", verified.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Note:", verified.Output, StringComparison.Ordinal);
        Assert.Equal(["process_started", "process_started", "process_started", "process_stopped"], await TypesAsync());
    }

    [Fact]
    public async Task It_starts_nothing_on_a_history_that_was_changed()
    {
        using (var process = await StartedAsync())
        {
            AntbotProcess.Signal(process, "TERM");
            await process.WaitForExitAsync(Cancel);
            Assert.Equal(0, process.ExitCode);
        }
        var checkpoints = Path.Combine(_folder, ".local", "checkpoints.jsonl");
        File.WriteAllText(checkpoints, File.ReadAllText(checkpoints).Replace("\"Position\":2", "\"Position\":9", StringComparison.Ordinal));

        using var refused = AntbotProcess.Start("Antbot.Standalone.dll", _folder);
        await refused.WaitForExitAsync(Cancel);
        Assert.Equal(3, refused.ExitCode);
        Assert.Contains("not as it was recorded", await refused.StandardOutput.ReadToEndAsync(Cancel), StringComparison.Ordinal);
        Assert.Equal(2, (await TypesAsync()).Count);
    }

    private async Task<Process> StartedAsync()
    {
        var process = AntbotProcess.Start("Antbot.Standalone.dll", _folder);
        while (await process.StandardOutput.ReadLineAsync(Cancel) is { } line)
        {
            if (line.StartsWith("Antbot ", StringComparison.Ordinal))
                return process;
        }
        throw new InvalidOperationException($"It ended: {await process.StandardError.ReadToEndAsync(Cancel)}");
    }

    private async Task<List<string>> TypesAsync()
    {
        await using var store = await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = Path.Combine(_folder, ".local", "antbot.db"), ReadOnly = true }, Cancel);
        return [.. (await store.ReadPageAsync(0, 100, Cancel)).Select(e => e.Type)];
    }
}
