using System.Text.Json;
using Antbot.Contracts.Events;
using Antbot.Integration.Tests.Support;
using Xunit;

namespace Antbot.Integration.Tests.Faults;

/// <summary>Whoever looks for a trade in the logs finds it in those of every process that it went through.</summary>
[Collection(UpCollection.Name)]
public sealed class TradeLogTests : IAsyncDisposable
{
    private readonly RunningUp _up = new(("LOGLEVEL", "Debug"), ("SIGNAL__COOLDOWNSECONDS", "1"), ("EXECUTION__HOLDINGSECONDSMAX", "5"));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _up.DisposeAsync();

    [Fact]
    public async Task A_trades_trace_id_is_in_the_log_of_every_process_that_it_went_through()
    {
        await _up.StartAsync();
        await using var store = _up.OpenStore();
        var history = new History(store);
        await RunningUp.UntilAsync(async () => (await history.ReadOnAsync(Cancel)).Of<TradeReconciledRecorded>().Any(r => r.Closed), () => $"a trade has come and gone\n{_up.Log("signal")}\n{_up.Log("execution")}");
        var done = history.Events.First(e => e.Event is TradeReconciledRecorded { Closed: true }).Stored;
        foreach (var process in new[] { "signal", "coordinator", "validation", "risk", "execution", "reconciliation" })
            await RunningUp.UntilAsync(() => Task.FromResult(LinesOf(process).Any(l => l == (done.TraceId, done.CorrelationId))), () => $"the trade is in the log of {process}: {_up.Log(process)}");

        // And whoever reads all of them reads one kind of lines, with who says each.
        RunningUp.Kill(_up.Read()["signal"].ProcessId!.Value);
        await RunningUp.UntilAsync(() => Task.FromResult(_up.Read()["signal"].Starts == 2), () => "it is started again");
        await _up.DownAsync();
        foreach (var process in _up.State.Processes)
            // Who was killed may have been in the middle of one.
            Assert.All(_up.Log(process.Name, int.MaxValue).Split('\n').Where(l => process.Service != "signal" || l.EndsWith('}')), l => LogLines.Check(l, process.Service, process.Name));
        var watchdog = await File.ReadAllLinesAsync(Path.Combine(_up.Data, "up.log"), Cancel);
        foreach (var said in new[] { "Everything is ready: ", "signal ended with 137 " })
            Assert.Contains(watchdog, l => LogLines.MessageOf(l, "watchdog").StartsWith(said, StringComparison.Ordinal));
    }

    private IEnumerable<(string? Trace, string? Trade)> LinesOf(string process) => _up.Log(process, int.MaxValue).Split('\n')
        .Where(l => l.StartsWith('{') && l.EndsWith('}')).Select(l => JsonDocument.Parse(l).RootElement).Select(l => (TextOf(l, "trace"), TextOf(l, "trade")));

    private static string? TextOf(JsonElement line, string name) => line.TryGetProperty(name, out var value) ? value.GetString() : null;
}
