using System.Diagnostics;
using Antbot.EventStore.Sqlite;
using Xunit;

namespace Antbot.Integration.Tests.Cli;

/// <summary>`make run`'s process: starts on nothing, stops in order, survives a kill, and refuses a history that was changed.</summary>
public sealed class StandaloneTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-standalone-").FullName;

    private readonly List<Process> _started = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        foreach (var process in _started.Where(p => !p.HasExited))
        {
            process.Kill();
            process.WaitForExit();
        }
        _started.ForEach(p => p.Dispose());
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task It_starts_on_nothing_survives_kills_and_stops_in_order_with_a_checkpoint()
    {
        for (var run = 1; run <= 3; run++)
        {
            var process = await StartedAsync();
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
        var process = await StartedAsync();
        AntbotProcess.Signal(process, "TERM");
        await process.WaitForExitAsync(Cancel);
        Assert.Equal(0, process.ExitCode);
        var checkpoints = Path.Combine(_folder, ".local", "checkpoints.jsonl");
        File.WriteAllText(checkpoints, File.ReadAllText(checkpoints).Replace("\"Position\":2", "\"Position\":9", StringComparison.Ordinal));

        using var refused = AntbotProcess.Start("Antbot.Standalone.dll", _folder);
        await refused.WaitForExitAsync(Cancel);
        Assert.Equal(3, refused.ExitCode);
        Assert.Contains("not as it was recorded", await refused.StandardOutput.ReadToEndAsync(Cancel), StringComparison.Ordinal);
        Assert.Equal(2, (await TypesAsync()).Count);
    }

    /// <summary>Nobody calls `antbot seal`.</summary>
    [Fact]
    public async Task It_adopts_what_another_program_appends_and_reports_what_somebody_changed()
    {
        var process = await StartedAsync("--seal-every", "1");
        using (var beside = SqliteSession.Open(Path.Combine(_folder, ".local", "antbot.db"), SqliteAccess.Write, TimeSpan.FromSeconds(5)))
        {
            beside.Execute("BEGIN IMMEDIATE");
            beside.Execute("insert into mt_streams (id, version) values ('stranger', 1)");
            beside.Execute("""insert into mt_events (id, stream_id, version, data, type) values ('6f9619ff-8b86-4011-b42d-00c04fc964ff', 'stranger', 1, '{"X":1}', 'noted')""");
            beside.Execute("COMMIT");
        }
        await SaysAsync(process, "Sealed 1 events that another program appended", "noted stranger v1");
        AntbotProcess.Signal(process, "TERM");
        await process.WaitForExitAsync(Cancel);
        Assert.Equal(["process_started", "noted", "process_stopped"], await TypesAsync());

        using (var beside = SqliteSession.Open(Path.Combine(_folder, ".local", "antbot.db"), SqliteAccess.Write, TimeSpan.FromSeconds(5)))
            beside.Execute("update mt_events set id = '7f9619ff-8b86-4011-b42d-00c04fc964ff' where seq_id = 1");
        var again = await StartedAsync();
        await SaysAsync(again, "Not sealed: event 7f9619ff-8b86-4011-b42d-00c04fc964ff (sequence 1,");
        AntbotProcess.Signal(again, "KILL");
        await again.WaitForExitAsync(Cancel);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("3601")]
    [InlineData("soon")]
    public async Task A_pace_that_is_none_is_refused(string seconds)
    {
        using var process = AntbotProcess.Start("Antbot.Standalone.dll", _folder, "--seal-every", seconds);
        await process.WaitForExitAsync(Cancel);
        Assert.Equal(1, process.ExitCode);
        Assert.Contains("--seal-every", await process.StandardError.ReadToEndAsync(Cancel), StringComparison.Ordinal);
    }

    private static async Task SaysAsync(Process process, params string[] texts)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        var left = texts.ToList();
        while (left.Count > 0)
        {
            var line = await process.StandardOutput.ReadLineAsync(patience.Token);
            Assert.True(line is not null, $"It ended and never said '{left[0]}'.");
            left.RemoveAll(text => line.Contains(text, StringComparison.Ordinal));
        }
    }

    private async Task<Process> StartedAsync(params string[] args)
    {
        var process = AntbotProcess.Start("Antbot.Standalone.dll", _folder, args);
        _started.Add(process);
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
