using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Antbot.Contracts.Events;
using Antbot.EventStore.Sqlite;
using Antbot.Hosting;
using Antbot.Integration.Tests.PaperVenue;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Cli;

/// <summary>`make run`'s process: trades on nothing but itself, stops in order, survives kills, and refuses a history that was changed.</summary>
public sealed class StandaloneTests : StandaloneCase
{
    private const int Trades = 100;

    /// <summary>The venue that keeps the stops has stopped as well.</summary>
    private const string Unprotected =
        "Stops are kept by the paper venue in this process and act when it is started again. Until then NOTHING protects these positions, and the market moves on.";

    private static readonly string[] Symbols = ["BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "XRPUSDT", "DOGEUSDT"];
    [Fact]
    public async Task It_trades_by_itself_stops_in_order_naming_what_is_open_and_goes_on_at_the_next_start()
    {
        {
            var process = await StartedAsync();
            await UntilAsync(async () => (await EventsAsync<PositionOpened>()).Count > 0, "a strategy's trade is open");
            AntbotProcess.Signal(process, "INT");
            var said = await process.StandardOutput.ReadToEndAsync(Cancel);
            await process.WaitForExitAsync(Cancel);
            Assert.Equal(0, process.ExitCode);
            Assert.Contains("Stopped in order", said, StringComparison.Ordinal);
            Assert.Contains("left open", said, StringComparison.Ordinal);
            Assert.Contains(Unprotected, said, StringComparison.Ordinal);
        }
        Assert.Equal(0, (await AntbotProcess.RunAsync(Folder, "verify")).ExitCode);
        var before = await EventsAsync<PositionOpened>();

        {
            var process = await StartedAsync();
            await UntilAsync(async () => (await EventsAsync<PositionOpened>()).Count > before.Count, "it trades on");
            string? summary;
            do
                summary = await process.StandardOutput.ReadLineAsync(Cancel);
            while (summary?.Contains(" · trades: ", StringComparison.Ordinal) == false);
            Assert.Matches(@"^\d\d:\d\d:\d\d 7 of 7 services ready · [\d,]+ events · trades: [1-9]\d* [a-z ]+.* · \d+ positions · P&L -?\d+\.\d\d after \d+\.\d\d fees$", summary);
            // The host within takes this one: nobody stopped it then, until it was ended by force.
            AntbotProcess.Signal(process, "QUIT");
            var said = await process.StandardOutput.ReadToEndAsync(Cancel);
            await process.WaitForExitAsync(Cancel);
            Assert.Equal(0, process.ExitCode);
            Assert.Contains("Stopped in order", said, StringComparison.Ordinal);
        }
        Assert.Equal(["process_started", "process_stopped", "process_started", "process_stopped"], (await StoredAsync()).Select(e => e.Type).Where(t => t.StartsWith("process_", StringComparison.Ordinal)));
        // After each start nothing is entered before the account was held against the venue.
        Assert.Equal(2, (await EventsAsync<ReconciliationAwaited>()).Count);
        var reconciled = false;
        foreach (var e in await StoredAsync())
        {
            reconciled = e.Type switch { "reconciliation_awaited" => false, "start_reconciled" => true, _ => reconciled };
            Assert.True(reconciled || e.Type != "order_attempted" || !Encoding.UTF8.GetString(e.Data.Span).Contains("\"e-", StringComparison.Ordinal), $"event {e.Sequence} is an entry before the account was reconciled");
        }
    }

    [Fact]
    public async Task A_kill_in_the_middle_of_a_hundred_trades_loses_none_and_doubles_none()
    {
        var accepted = new ConcurrentDictionary<int, string>();
        {
            var process = await StartedAsync(ByHandOnly);
            var posting = PostAllAsync(accepted);
            await UntilAsync(() => Task.FromResult(accepted.Count >= Trades / 2), "half of the signals are accepted");
            AntbotProcess.Signal(process, "KILL");
            await process.WaitForExitAsync(Cancel);
            await posting;
        }

        {
            var process = await StartedAsync(ByHandOnly);
            // What was accepted needs nobody to ask again.
            var known = accepted.ToDictionary();
            await UntilAsync(async () => known.Values.ToHashSet().IsSubsetOf((await EventsAsync<PositionOpened>()).Select(e => e.Trade.Value)), "every trade that was accepted before the kill is open");
            // What was not is sent again, as a client would; asked again, what was gets its answer of then.
            accepted.Clear();
            await PostAllAsync(accepted);
            Assert.All(known, k => Assert.Equal(k.Value, accepted[k.Key]));
            Assert.Equal(Trades, accepted.Values.Distinct().Count());
            await UntilAsync(async () => (await EventsAsync<PositionOpened>()).DistinctBy(e => e.Trade).Count() == Trades, "every trade is open");
            await UntilAsync(async () => (await LedgerAsync()).Count(o => o.GetProperty("clientOrderId").GetString()![0] == 's' && o.GetProperty("status").GetString() == "NEW") == Trades, "every position has its stop");
            var entries = (await LedgerAsync()).Where(o => o.GetProperty("clientOrderId").GetString()![0] == 'e').ToList();
            Assert.Equal(accepted.Values.Order(), entries.Select(o => o.GetProperty("clientOrderId").GetString()!.Split('-')[1]).Order());
            Assert.All(entries, o => Assert.Equal("FILLED", o.GetProperty("status").GetString()));
            // The venue is quicker than the word to the Coordinator.
            await UntilAsync(async () => (await EventsAsync<TradeOpenedRecorded>()).Count == Trades, "every trade is recorded as open");
            AntbotProcess.Signal(process, "TERM");
            await process.WaitForExitAsync(Cancel);
        }
        Assert.Equal(0, (await AntbotProcess.RunAsync(Folder, "verify")).ExitCode);
        Assert.Equal(Trades, (await EventsAsync<TradeOpenedRecorded>()).DistinctBy(e => e.Opened.Trade).Count());
        Assert.Equal(Trades, (await EventsAsync<TradeOpenedRecorded>()).Count);
    }

    [Fact]
    public async Task A_halt_is_in_force_after_a_kill_and_entries_are_barred_until_an_operator_resumes()
    {
        {
            var process = await StartedAsync(ByHandOnly);
            Assert.Equal(0, (await AntbotProcess.RunAsync(Folder, "halt", "--reason", "drill", "--by", "anna")).ExitCode);
            AntbotProcess.Signal(process, "KILL");
            await process.WaitForExitAsync(Cancel);
        }

        await StartedAsync(ByHandOnly);
        await UntilAsync(async () => (await EventsAsync<StartReconciled>()).Count == 1, "the account is reconciled");
        var barred = await SignalAsync("BTCUSDT");
        await UntilAsync(async () => (await EventsAsync<TradeFailed>()).Count == 1, "the trade has ended");
        Assert.Equal(new TradeFailed(barred, "halted: drill"), Assert.Single(await EventsAsync<TradeFailed>()));
        Assert.Empty(await LedgerAsync());
        Assert.Equal(0, (await AntbotProcess.RunAsync(Folder, "resume", "--reason", "over", "--by", "anna")).ExitCode);
        var entered = await SignalAsync("ETHUSDT");
        await UntilAsync(async () => (await EventsAsync<TradeOpenedRecorded>()).Count == 1, "the next trade is open");
        Assert.Equal(entered, Assert.Single(await EventsAsync<TradeOpenedRecorded>()).Opened.Trade);
    }

    [Fact]
    public async Task It_starts_nothing_on_a_history_that_was_changed()
    {
        {
            var process = await StartedAsync(ByHandOnly);
            AntbotProcess.Signal(process, "TERM");
            await process.WaitForExitAsync(Cancel);
            Assert.Equal(0, process.ExitCode);
        }
        var recorded = (await StoredAsync()).Count;
        var checkpoints = Path.Combine(Data, "checkpoints.jsonl");
        var lines = File.ReadAllLines(checkpoints);
        lines[^1] = lines[^1].Replace("\"Position\":", "\"Position\":9", StringComparison.Ordinal);
        File.WriteAllLines(checkpoints, lines);

        using var refused = AntbotProcess.Start("Antbot.Standalone.dll", Folder);
        var said = refused.StandardOutput.ReadToEndAsync(Cancel);
        await refused.WaitForExitAsync(Cancel);
        Assert.Equal(3, refused.ExitCode);
        Assert.Contains("not as it was recorded", await said, StringComparison.Ordinal);
        Assert.Equal(recorded, (await StoredAsync()).Count);
    }

    /// <summary>`make run ARGS=--detach` and `make stop`.</summary>
    [Fact]
    public async Task Without_a_terminal_it_runs_until_stop_ends_it_in_order()
    {
        var started = await RunAsync(["--data", Data, "--detach", "--json", .. ByHandOnly]);
        Assert.True(started.ExitCode == 0, started.Error);
        var running = JsonDocument.Parse(started.Output).RootElement;
        var process = Process.GetProcessById(running.GetProperty("processId").GetInt32());
        Started.Add(process);
        Assert.Contains(running.GetProperty("summary").EnumerateArray(), l => l.GetString()!.StartsWith("console ", StringComparison.Ordinal));
        var status = await AntbotProcess.RunAsync(Folder, "status");
        Assert.True(status.ExitCode == 0, status.Error);
        Assert.Contains("the Console at", status.Output, StringComparison.Ordinal);

        var twice = await RunAsync(["--data", Data, "--detach"]);
        Assert.Equal(1, twice.ExitCode);
        Assert.Contains($"already, as process {process.Id}", twice.Error, StringComparison.Ordinal);

        // Right after a start the market has not been heard yet.
        await UntilAsync(async () => (await AntbotProcess.RunAsync(Folder, "signal", "BTCUSDT", "buy", "--notional", "50")).ExitCode == 0, "a signal is accepted");
        await UntilAsync(async () => (await LedgerAsync()).Any(o => o.GetProperty("clientOrderId").GetString()![0] == 's' && o.GetProperty("status").GetString() == "NEW"), "its position has a stop");
        await UntilAsync(async () => (await EventsAsync<TradeOpenedRecorded>()).Count == 1, "its trade is open");
        // What was said with the venue is recorded without anybody asking for it.
        var trade = (await EventsAsync<TradeOpenedRecorded>())[0].Opened.Trade.Value;
        await UntilAsync(async () => (await AntbotProcess.RunAsync(Folder, "recording", "--trade", trade)).Output.Contains($"[order e0-{trade}]", StringComparison.Ordinal), "its entry is in the recording");
        await UntilAsync(async () => (await AntbotProcess.RunAsync(Folder, "recording", "--symbol", "BTCUSDT")).Output.Contains("heard on btcusdt@bookTicker", StringComparison.Ordinal), "its prices are in the recording");

        var stopped = await RunAsync(["stop", "--data", Data]);
        Assert.True(stopped.ExitCode == 0, stopped.Error);
        Assert.StartsWith("Stopped in order", stopped.Output, StringComparison.Ordinal);
        Assert.Contains("1 positions are left open", stopped.Output, StringComparison.Ordinal);
        Assert.Matches(@"BTCUSDT Buy \S+ at \S+ \(trade [0-9a-f]{32}\): a stop at \d", stopped.Output);
        Assert.Contains(Unprotected, stopped.Output, StringComparison.Ordinal);
        Assert.True(process.HasExited);
        Assert.All(["venue-key", "venue-secret"], key => Assert.DoesNotContain(File.ReadAllText(Path.Combine(Data, "keys", key)).Trim(), Recorded(), StringComparison.Ordinal));

        var nothing = await RunAsync(["stop", "--data", Data]);
        Assert.Equal((0, $"Nothing runs on '{Data}'."), (nothing.ExitCode, nothing.Output.Trim()));
    }

    [Fact]
    public async Task A_setting_of_a_section_that_nobody_reads_is_named_and_nothing_runs()
    {
        using var refused = AntbotProcess.Start("Antbot.Standalone.dll", Folder, [.. ByHandOnly, "--set", "leverage:max=5", "--set", "execution:holdingSecondsMax=-1"]);
        var said = refused.StandardError.ReadToEndAsync(Cancel);
        await refused.WaitForExitAsync(Cancel);
        Assert.Equal(ExitCodes.InvalidConfiguration, refused.ExitCode);
        Assert.Contains("ANTBOT_LEVERAGE__MAX is not known: there is no section LEVERAGE", await said, StringComparison.Ordinal);
        Assert.Contains("ANTBOT_EXECUTION__HOLDINGSECONDSMAX", await said, StringComparison.Ordinal);
        // Keys are there to be read, and what kept others off meanwhile; nothing was opened, and nobody is told that it runs.
        Assert.Equal(["keys", "running.lock"], Directory.EnumerateFileSystemEntries(Data).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    /// <summary>Somebody trades on the same account by hand: takes a position, takes our stop away, and sells what is protected.</summary>
    [Fact]
    public async Task What_somebody_else_does_with_the_account_is_adopted_protected_and_written_off()
    {
        var process = await StartedAsync([.. ByHandOnly, "--set", "reconciliation:everySeconds=2", "--set", "reconciliation:lastsSeconds=1"]);
        await UntilAsync(async () => (await EventsAsync<BalanceBaselineSet>()).Count > 0, "the account is reckoned with");
        using var venue = OpenVenue();
        Assert.Equal(200, (await venue.BuyAsync("0.01", "web-1")).Status);

        await UntilAsync(async () => (await StopsAsync()).Count == 1, "what was bought by hand has a stop at the venue");
        var adopted = Assert.Single(await EventsAsync<PositionAdopted>());
        Assert.InRange(adopted.Quantity.Value, 0.0099m, 0.01m);

        var stop = Assert.Single(await StopsAsync());
        Assert.Equal(200, (await CancelAsync(venue, stop)).Status);
        await UntilAsync(async () => await StopsAsync() is [var another] && another != stop, "the stop that was taken away is set again");

        // The practice account held a coin of its own before: as long as one of its own is left, the trade bears nothing.
        Assert.Equal(200, (await SellAsync(venue, "0.9")).Status);
        await UntilAsync(async () => (await EventsAsync<BalanceTakenOver>()).Exists(t => t.Asset == "BTC" && t.Amount == -0.9m), "what was sold of its own is reckoned with");
        Assert.Empty(await EventsAsync<PositionWrittenOff>());

        // What is locked by a stop cannot be sold: it is taken away first, and all that is there goes at once.
        Assert.Equal(200, (await CancelAsync(venue, Assert.Single(await StopsAsync()))).Status);
        Assert.Equal(200, (await SellAsync(venue, "0.1099")).Status);
        await UntilAsync(async () => (await EventsAsync<TradeClosedRecorded>()).Exists(c => c.Closed.Trade == adopted.Trade), "the trade is closed");
        Assert.InRange((await EventsAsync<PositionWrittenOff>()).Sum(w => w.Quantity.Value), 0.0098m, 0.01m);
        await UntilAsync(async () => (await AntbotProcess.RunAsync(Folder, "reconcile")).ExitCode == 0, "nothing is open any more");
        // A second pass finds nothing.
        var looks = (await StoredAsync()).Count(IsLook);
        await Task.Delay(TimeSpan.FromSeconds(6), Cancel);
        Assert.Equal(looks, (await StoredAsync()).Count(IsLook));
        AntbotProcess.Signal(process, "TERM");
        await process.WaitForExitAsync(Cancel);
        Assert.Equal(0, (await AntbotProcess.RunAsync(Folder, "verify")).ExitCode);

        async Task<List<string>> StopsAsync() => [.. (await LedgerAsync())
            .GroupBy(o => o.GetProperty("clientOrderId").GetString()!, (_, of) => of.Last())
            .Where(o => o.GetProperty("clientOrderId").GetString()![0] == 's' && o.GetProperty("status").GetString() == "NEW")
            .Select(o => o.GetProperty("clientOrderId").GetString()!)];

        static Task<Answer> CancelAsync(VenueClient venue, string order) => venue.SignedAsync(HttpMethod.Delete, "/api/v3/order", ("symbol", "BTCUSDT"), ("origClientOrderId", order));

        static Task<Answer> SellAsync(VenueClient venue, string quantity) => venue.OrderAsync(("symbol", "BTCUSDT"), ("side", "SELL"), ("type", "MARKET"), ("quantity", quantity));

        static bool IsLook(StoredEvent e) => e.Stream.StartsWith("reconciliation-", StringComparison.Ordinal);
    }

    /// <summary>Nobody calls `antbot seal`.</summary>
    [Fact]
    public async Task What_another_program_appends_to_its_store_is_adopted_while_it_runs()
    {
        var process = await StartedAsync([.. ByHandOnly, "--set", "sealSeconds=1"]);
        using (var beside = SqliteSession.Open(Path.Combine(Data, "antbot.db"), SqliteAccess.Write, TimeSpan.FromSeconds(5)))
        {
            beside.Execute("BEGIN IMMEDIATE");
            beside.Execute("insert into mt_streams (id, version) values ('stranger', 1)");
            beside.Execute("""insert into mt_events (id, stream_id, version, data, type) values ('6f9619ff-8b86-4011-b42d-00c04fc964ff', 'stranger', 1, '{"X":1}', 'noted')""");
            beside.Execute("COMMIT");
        }
        await UntilAsync(async () => (await StoredAsync()).Any(e => e.Stream == "stranger"), "the event is adopted");
        AntbotProcess.Signal(process, "TERM");
        await process.WaitForExitAsync(Cancel);
        Assert.Equal(0, (await AntbotProcess.RunAsync(Folder, "verify")).ExitCode);
    }

    /// <summary>Every signal once under its own key; one that is not answered is left for the next time.</summary>
    private async Task PostAllAsync(ConcurrentDictionary<int, string> accepted)
    {
        using var console = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Data, "console.json"), Cancel));
        using var client = new HttpClient { BaseAddress = new Uri(console.RootElement.GetProperty("signals").GetString()!), Timeout = TimeSpan.FromSeconds(20) };
        client.DefaultRequestHeaders.Add("X-Api-Key", await File.ReadAllTextAsync(console.RootElement.GetProperty("signalKeyFile").GetString()!, Cancel));
        await Parallel.ForEachAsync(Enumerable.Range(0, Trades), new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Cancel }, async (n, token) =>
        {
            try
            {
                while (!accepted.ContainsKey(n))
                {
                    using var answer = await client.PostAsJsonAsync("signals", new { symbol = Symbols[n % Symbols.Length], side = "buy", notional = 50, idempotencyKey = $"signal-{n}" }, token);
                    using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(token));
                    if (answer.StatusCode == HttpStatusCode.Accepted)
                    {
                        accepted[n] = body.RootElement.GetProperty("tradeId").GetString()!;
                        return;
                    }
                    // Right after a start the market has not been heard yet.
                    Assert.True(answer.StatusCode == HttpStatusCode.ServiceUnavailable, body.RootElement.ToString());
                    await Task.Delay(200, token);
                }
            }
            catch (Exception e) when (e is HttpRequestException or SocketException)
            {
                // Killed under it.
            }
        });
    }

    /// <summary>All that any recording here holds, as any tool would unpack it.</summary>
    private string Recorded()
    {
        var all = new StringBuilder();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Data, "recording")))
        {
            using var unpacked = new StreamReader(new System.IO.Compression.GZipStream(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite), System.IO.Compression.CompressionMode.Decompress));
            all.Append(unpacked.ReadToEnd());
        }
        return all.ToString();
    }
}
