using Antbot.Contracts.Events;
using Antbot.Hosting;
using Xunit;

namespace Antbot.Integration.Tests.Cli;

/// <summary>An end that something holds up, and a start while another runs.</summary>
public sealed class StandaloneEndTests : StandaloneCase
{
    /// <summary>Prevents that what is left open is not said just when something is not as it should be.</summary>
    [Fact]
    public async Task What_does_not_end_by_the_deadline_is_left_and_what_is_open_is_said_all_the_same()
    {
        var process = await StartedAsync([.. ByHandOnly, "--set", "shutdownSeconds=1"]);
        var open = await SignalAsync("BTCUSDT");
        await UntilAsync(async () => (await EventsAsync<TradeOpenedRecorded>()).Count == 1, "its trade is open");
        using (var venue = OpenVenue())
            Assert.Equal(200, (await venue.FaultAsync(new { kind = "delay", route = "order", count = 1_000, ms = 20_000 })).Status);
        // One after the other, so that one is under way whenever the wish comes.
        using var ended = new CancellationTokenSource();
        var signals = SignalUntilAsync(ended.Token);
        await UntilAsync(async () => (await EventsAsync<OrderAttempted>()).Any(a => a.Order.Trade != open), "the venue has been asked, and does not answer");

        AntbotProcess.Signal(process, "TERM");
        var said = await process.StandardOutput.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);
        await ended.CancelAsync();
        await signals;
        Assert.Equal(ExitCodes.Forced, process.ExitCode);
        Assert.Contains("Stopped at the deadline", said, StringComparison.Ordinal);
        Assert.Contains("left open", said, StringComparison.Ordinal);
        Assert.Null(RunningProcess.Find(Data));
        Assert.Equal(0, (await AntbotProcess.RunAsync(Folder, "verify")).ExitCode);
    }

    [Fact]
    public async Task Of_two_that_start_at_once_one_runs_and_says_so_to_the_end()
    {
        var both = await Task.WhenAll(RunAsync(["--data", Data, "--detach", .. ByHandOnly]), RunAsync(["--data", Data, "--detach", .. ByHandOnly]));
        Assert.Equal([0, 1], both.Select(s => s.ExitCode).Order());
        Assert.Contains("it runs on '", both.Single(s => s.ExitCode == 1).Error, StringComparison.Ordinal);
        Assert.Contains($"as process {RunningProcess.Find(Data)!.ProcessId};", both.Single(s => s.ExitCode == 0).Output, StringComparison.Ordinal);
        var stopped = await RunAsync(["stop", "--data", Data]);
        Assert.StartsWith("Stopped in order", stopped.Output, StringComparison.Ordinal);
        Assert.Null(RunningProcess.Find(Data));
    }

    private async Task SignalUntilAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
            await AntbotProcess.RunAsync(Folder, "signal", "ETHUSDT", "buy", "--notional", "50");
    }
}
