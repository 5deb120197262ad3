using System.Net;
using System.Text.Json;
using Antbot.ConsoleService;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Hosting;
using Antbot.Integration.Tests.Support;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.ConsoleApi;

/// <summary>The operator API as an operator's program meets it.</summary>
public sealed class ConsoleApiTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-console-").FullName;
    private RunningConsole _console = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static object Why(string reason = "drill") => new { Reason = reason, By = "anna" };

    public async ValueTask InitializeAsync() => _console = await RunningConsole.StartAsync(_folder);

    public async ValueTask DisposeAsync()
    {
        await _console.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("GET", "/api/status")]
    [InlineData("GET", "/api/trades")]
    [InlineData("GET", "/api/trades/0123456789abcdef0123456789abcdef")]
    [InlineData("GET", "/api/reconciliation/main")]
    [InlineData("GET", "/api/trades/0123456789abcdef0123456789abcdef/steps")]
    [InlineData("GET", "/api/at")]
    [InlineData("GET", "/api/diff")]
    [InlineData("GET", "/api/orders")]
    [InlineData("GET", "/api/positions")]
    [InlineData("GET", "/api/events")]
    [InlineData("GET", "/api/nothing")]
    [InlineData("DELETE", "/api/status")]
    [InlineData("POST", "/api/control/halt")]
    [InlineData("POST", "/api/control/mode")]
    [InlineData("POST", "/api/trades/0123456789abcdef0123456789abcdef/close")]
    [InlineData("POST", "/api/orders/e0-0123456789abcdef0123456789abcdef/settlement")]
    [InlineData("POST", "/api/orders/e0-0123456789abcdef0123456789abcdef/settlement/confirm")]
    public async Task Without_the_token_nothing_is_told_and_nothing_done(string method, string path)
    {
        using var client = new HttpClient { BaseAddress = new Uri(_console.Address) };
        foreach (var authorization in new[] { null, "Bearer ", "Bearer wrong-token-wrong-token", $"Basic {RunningConsole.Token}", $"Bearer {RunningConsole.Token}x", $"Bearer {RunningConsole.Token[..^1]}", RunningConsole.Token })
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = method == "POST" ? new StringContent("""{"Reason":"x","By":"x","Mode":"Live"}""") : null };
            if (authorization is not null)
                request.Headers.TryAddWithoutValidation("Authorization", authorization);
            using var answer = await client.SendAsync(request, Cancel);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            Assert.Equal("application/json", answer.Content.Headers.ContentType!.MediaType);
            Assert.Equal("Unauthorized", JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancel)).RootElement.GetProperty("Error").GetString());
        }
        Assert.Equal(0, await _console.Store.ReadVersionAsync(Streams.Control, Cancel));
    }

    /// <summary>Found by the fuzz: a mode of sixteen thousand letters was sent back whole, with the reason behind it.</summary>
    [Fact]
    public async Task A_refusal_repeats_no_more_of_what_was_wrong_than_anybody_reads()
    {
        var (status, body) = await _console.PostAsync("/api/control/mode", new { Mode = new string('x', 10_000), Reason = "drill", By = "anna" });
        Assert.Equal(400, status);
        Assert.InRange(body.GetProperty("Message").GetString()!.Length, 100, 600);
        Assert.Equal(0, await _console.Store.ReadVersionAsync(Streams.Control, Cancel));
    }

    [Theory]
    [InlineData("")]
    [InlineData("short")]
    public void Without_a_token_worth_the_name_it_does_not_start(string token)
    {
        Assert.Null(ServiceHost.Build([$"--store=sqlite:{Path.Combine(_folder, "other.db")}", $"--console:token={token}"], [new ConsoleModule()], out var faults));
        Assert.Contains("token", Assert.Single(faults), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_token_in_a_file_lets_in()
    {
        var file = Path.Combine(_folder, "token");
        await File.WriteAllTextAsync(file, RunningConsole.Token + "\n", Cancel);
        Assert.Empty(ConsoleOptions.Check(new ConsoleOptions { TokenFile = file }));
        Assert.Equal(RunningConsole.Token, new ConsoleOptions { TokenFile = file }.ReadToken());
        Assert.Single(ConsoleOptions.Check(new ConsoleOptions { TokenFile = file, Token = RunningConsole.Token }));
        Assert.Single(ConsoleOptions.Check(new ConsoleOptions { TokenFile = file + ".not" }));
    }

    [Fact]
    public async Task Status_trades_orders_positions_and_a_trades_whole_story_are_told()
    {
        await new RandomHistory(_console.Store, 7).GrowAsync(300);
        await CaughtUpAsync();

        var status = await _console.GetAsync("/api/status");
        Assert.Equal("Active", status.GetProperty("Control").GetProperty("Activity").GetString());
        Assert.True(status.GetProperty("Trades").GetProperty("Closed").GetInt64() > 0);
        Assert.True(status.GetProperty("Exposure").GetProperty("Cost").GetDecimal() >= 0);

        var page = await _console.GetAsync("/api/trades?limit=3");
        Assert.Equal(3, page.GetProperty("Items").GetArrayLength());
        var next = await _console.GetAsync($"/api/trades?limit=3&after={page.GetProperty("Next").GetString()}");
        Assert.Empty(Ids(page).Intersect(Ids(next)));
        Assert.All((await _console.GetAsync("/api/trades?state=closed,denied")).GetProperty("Items").EnumerateArray(), t => Assert.Contains(t.GetProperty("Phase").GetString(), new[] { "Closed", "Denied" }));
        Assert.NotEmpty((await _console.GetAsync("/api/orders?symbol=BTCUSDT&state=filled")).GetProperty("Items").EnumerateArray());
        Assert.NotEmpty((await _console.GetAsync("/api/positions?state=closed")).GetProperty("Items").EnumerateArray());

        var closed = (await _console.GetAsync("/api/trades?state=closed&limit=1")).GetProperty("Items")[0].GetProperty("Id").GetString()!;
        var story = await _console.GetAsync($"/api/trades/{closed[..10]}");
        Assert.Equal(closed, story.GetProperty("Trade").GetProperty("Id").GetString());
        var order = story.GetProperty("Orders")[0].GetProperty("Id").GetString();
        Assert.Equal(closed, (await _console.GetAsync($"/api/trades/{order}")).GetProperty("Trade").GetProperty("Id").GetString());
        var types = story.GetProperty("Timeline").EnumerateArray().Select(e => e.GetProperty("Type").GetString()).ToList();
        Assert.Equal("trade_raised", types[0]);
        Assert.Contains("order_filled", types);
        Assert.Contains("trade_closed", types);
        var approved = story.GetProperty("Timeline").EnumerateArray().Single(e => e.GetProperty("Type").GetString() == "trade_approved");
        Assert.Contains(approved.GetProperty("Reasons").EnumerateArray(), r => r.GetProperty("Rule").GetString() == "max_notional" && r.GetProperty("Saw").GetString() == "250 of at most 100");
        Assert.Equal("service:test", approved.GetProperty("Actor").GetString());
        Assert.Equal("Buy", approved.GetProperty("Body").GetProperty("Signal").GetProperty("Side").GetString());
    }

    /// <summary>Row B9: after a start whose recovery cannot be done nothing is entered, and the status once said that all was active.</summary>
    [Fact]
    public async Task While_recovery_has_not_ended_the_status_is_reducing_and_says_why()
    {
        var (account, gate) = (new AccountId("main"), new StreamId("gate-execution"));
        Assert.Equal(("Active", ""), await ControlAsync());
        var first = await RecordAsync(gate, new ReconciliationAwaited("execution", Guid.NewGuid(), account));
        Assert.Equal(("Reducing", "recovery has not ended: the account main has not been reconciled with the venue since Execution began"), await ControlAsync());
        await RecordAsync(Streams.Reconciliation(account), new ReconciliationStalled(1, account, "open orders: timed out", DateTimeOffset.UtcNow));
        Assert.EndsWith("since Execution began: open orders: timed out", (await ControlAsync()).Reason, StringComparison.Ordinal);
        Assert.Contains("reducing only: recovery has not ended", (await _console.GetAsync("/api/status")).GetProperty("Control").GetProperty("EntryBar").GetString(), StringComparison.Ordinal);
        // What somebody says meanwhile is recorded, and in force where it is stricter.
        Assert.Equal("Reducing", (await _console.PostAsync("/api/control/resume", new { Reason = "go on", By = "anna" })).Body.GetProperty("Control").GetProperty("Activity").GetString());
        await _console.PostAsync("/api/control/halt", new { Reason = "stop", By = "anna" });
        Assert.Equal(("Halted", "stop"), await ControlAsync());
        await _console.PostAsync("/api/control/resume", new { Reason = "go on", By = "anna" });

        // One that knew nothing of it does not end it.
        await RecordAsync(Streams.Reconciliation(account), new ReconciliationResumed(2, account, DateTimeOffset.UtcNow), new StartReconciled(2, account, "paper", first - 1, 0, 0));
        Assert.Equal("Reducing", (await ControlAsync()).Activity);
        await RecordAsync(Streams.Reconciliation(account), new StartReconciled(3, account, "paper", first, 0, 0));
        Assert.Equal(("Active", "go on"), await ControlAsync());
        // Another start is another recovery.
        await RecordAsync(gate, new ReconciliationAwaited("execution", Guid.NewGuid(), account));
        Assert.Equal("Reducing", (await ControlAsync()).Activity);

        async Task<(string? Activity, string? Reason)> ControlAsync()
        {
            var control = (await _console.GetAsync("/api/status")).GetProperty("Control");
            return (control.GetProperty("Activity").GetString(), control.GetProperty("Reason").GetString());
        }

        async Task<long> RecordAsync(StreamId stream, params object[] events)
        {
            var outcome = await _console.Store.AppendAsync(
                new AppendRequest
                {
                    Stream = stream,
                    Expected = ExpectedVersion.Any,
                    Decision = new Decision(Guid.NewGuid(), "test"),
                    Events = [.. events.Select(_console.Parts.Codec.Encode)],
                    At = DateTimeOffset.UtcNow,
                    Meta = new EventMeta("test"),
                },
                Cancel);
            return Assert.IsType<AppendOutcome.Appended>(outcome).Events[^1].Sequence;
        }
    }

    [Fact]
    public async Task While_its_gate_is_shut_a_process_says_that_it_is_reducing_and_why()
    {
        await Eventually.HoldsAsync(async () => (await _console.Client.GetAsync("/readyz", Cancel)).IsSuccessStatusCode, "the Console is ready");
        Assert.Equal(("active", ""), await HealthAsync());
        Assert.Contains("antbot_control_activity 1\n", await _console.Client.GetStringAsync("/metrics", Cancel), StringComparison.Ordinal);
        _console.Gate.Bar = "the account has not been reconciled";
        Assert.Equal(("reducing", "recovery has not ended: the account has not been reconciled"), await HealthAsync());
        Assert.Contains("antbot_control_activity 2\n", await _console.Client.GetStringAsync("/metrics", Cancel), StringComparison.Ordinal);
        await _console.PostAsync("/api/control/halt", new { Reason = "stop", By = "anna" });
        await Eventually.HoldsAsync(async () => await HealthAsync() == ("halted", "stop"), "the stricter word is in force");

        async Task<(string? Activity, string? Reason)> HealthAsync()
        {
            var control = JsonDocument.Parse(await (await _console.Client.GetAsync("/health", Cancel)).Content.ReadAsStringAsync(Cancel)).RootElement.GetProperty("control");
            return (control.GetProperty("activity").GetString(), control.GetProperty("reason").GetString());
        }
    }

    /// <summary>The status once said no level at all, whatever was broken.</summary>
    [Fact]
    public async Task The_status_says_the_level_of_the_worst_that_it_asks()
    {
        await Eventually.HoldsAsync(async () => (await _console.Client.GetAsync("/readyz", Cancel)).IsSuccessStatusCode, "the Console is ready");
        Assert.Equal("Normal", (await _console.GetAsync("/api/status")).GetProperty("Degradation").GetString());
        const string Nobody = "http://127.0.0.1:1";
        foreach (var (risk, level, says) in new[]
        {
            (_console.Address, "Normal", "ready"), (Nobody, "Minimal", "does not answer"), ($"{_console.Address},{Nobody}", "Reduced", "1 of 2 ready"), ($"{_console.Address}/healthz", "Normal", "ready"),
            ($"{_console.Address}/nothing", "Minimal", "not ready"),
        })
        {
            var folder = Directory.CreateDirectory(Path.Combine(_folder, Guid.NewGuid().ToString("N"))).FullName;
            await using var asking = await RunningConsole.StartAsync(folder, $"--console:services:risk={risk}");
            var status = await asking.GetAsync("/api/status");
            Assert.Equal(level, status.GetProperty("Degradation").GetString());
            Assert.Equal(says, Assert.Single(status.GetProperty("Services").EnumerateArray(), s => s.GetProperty("Service").GetString() == "risk").GetProperty("Health").GetString());
        }
    }

    [Theory]
    [InlineData("/api/trades?limit=0", 400)]
    [InlineData("/api/trades?limit=100000", 400)]
    [InlineData("/api/trades?state=bogus", 400)]
    [InlineData("/api/trades?state=10", 400)]
    [InlineData("/api/trades?symbol=btc'--", 400)]
    [InlineData("/api/trades?bogus=1", 400)]
    [InlineData("/api/trades/xyz", 400)]
    [InlineData("/api/trades/abcd", 404)]
    [InlineData("/api/trades/x0-0123456789abcdef0123456789abcdef", 404)]
    [InlineData("/api/trades/x0-%20", 400)]
    [InlineData("/api/events?after=-1", 400)]
    [InlineData("/api/nothing", 404)]
    public async Task What_makes_no_sense_is_refused_with_a_reason(string path, int status)
    {
        using var answer = await _console.Client.GetAsync(path, Cancel);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.NotEmpty(JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancel)).RootElement.GetProperty("Message").GetString()!);
    }

    [Fact]
    public async Task A_halt_is_in_force_at_once_with_who_and_why_and_in_the_audit()
    {
        var (status, answer) = await _console.PostAsync("/api/control/halt", Why("venue looks wrong"), "same-request-1");
        Assert.Equal(200, status);
        Assert.Equal("Halted", answer.GetProperty("Control").GetProperty("Activity").GetString());
        Assert.Equal(JsonValueKind.Null, answer.GetProperty("NotAudited").ValueKind);

        // The same request once more is the same word.
        Assert.Equal(200, (await _console.PostAsync("/api/control/halt", Why("venue looks wrong"), "same-request-1")).Status);
        Assert.Equal(1, await _console.Store.ReadVersionAsync(Streams.Control, Cancel));

        await foreach (var stored in _console.Store.ReadStreamAsync(Streams.Control, 1, Cancel))
        {
            Assert.Equal(new ActivitySet(Activity.Halted, "venue looks wrong", "anna"), RandomHistory.Codec.Decode(stored));
            // Who says to be anna bears the token of the Console's own file.
            Assert.Equal("operator:default", stored.Actor);
        }
        var audit = await _console.Store.ReadPageAsync(0, 100, Cancel);
        Assert.Single(audit, e => e.Stream.StartsWith("audit-", StringComparison.Ordinal) && e.Type == "operator_command_recorded");
    }

    /// <summary>A script that always sends the same key was told that all was done, and trading went on.</summary>
    [Fact]
    public async Task What_was_overtaken_is_not_said_to_be_done_and_a_halt_is_in_force_each_time()
    {
        Assert.Equal(200, (await _console.PostAsync("/api/control/halt", Why(), "emergency-halt")).Status);
        Assert.Equal(200, (await _console.PostAsync("/api/control/resume", Why(), "resume-now")).Status);
        var (status, answer) = await _console.PostAsync("/api/control/halt", Why(), "emergency-halt");
        Assert.Equal((200, "Halted"), (status, answer.GetProperty("Control").GetProperty("Activity").GetString()));

        var (late, why) = await _console.PostAsync("/api/control/resume", Why(), "resume-now");
        Assert.Equal((409, "Overtaken"), (late, why.GetProperty("Error").GetString()));
        var (other, _) = await _console.PostAsync("/api/control/reduce", Why(), "emergency-halt");
        Assert.Equal(409, other);
        Assert.Equal("Halted", (await _console.GetAsync("/api/status")).GetProperty("Control").GetProperty("Activity").GetString());
    }

    [Fact]
    public async Task Every_control_does_what_it_says()
    {
        Assert.Equal("Reducing", await After("reduce", Why(), "Activity"));
        Assert.Equal("Active", await After("resume", Why(), "Activity"));
        Assert.Equal("Live", await After("mode", new { Mode = "Live", Reason = "go", By = "anna" }, "Mode"));
        Assert.Equal("Dry", await After("mode", new { Mode = "Dry", Reason = "stop", By = "anna" }, "Mode"));
        Assert.Equal("True", await After("maintenance", new { On = true, Reason = "upgrade", By = "anna" }, "Maintenance"));
        Assert.Equal("maintenance: upgrade", await After("maintenance", new { On = true, Reason = "upgrade", By = "anna" }, "EntryBar"));

        async Task<string> After(string command, object body, string property)
        {
            var (status, answer) = await _console.PostAsync($"/api/control/{command}", body);
            Assert.Equal(200, status);
            return answer.GetProperty("Control").GetProperty(property).ToString();
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"Reason":"x"}""")]
    [InlineData("""{"By":"x"}""")]
    [InlineData("""{"Reason":"","By":"x"}""")]
    [InlineData("""{"Reason":"x\ny","By":"x"}""")]
    [InlineData("""{"Reason":"x","By":"x; drop"}""")]
    [InlineData("""{"Reason":"x","Reason":"y","By":"x"}""")]
    [InlineData("""{"Reason":1,"By":"x"}""")]
    [InlineData("""{"Reason":"\ud800","By":"x"}""")]
    [InlineData("""{"\udc00":1,"Reason":"x","By":"x"}""")]
    public async Task A_control_without_a_proper_reason_and_name_is_refused_and_not_recorded(string body)
    {
        Assert.Equal(400, (await _console.PostAsync("/api/control/halt", body)).Status);
        Assert.Equal(400, (await _console.PostAsync("/api/control/mode", """{"Reason":"x","By":"x","Mode":"2"}""")).Status);
        Assert.Equal(413, (await _console.PostAsync("/api/control/halt", $$"""{"Reason":"{{new string('x', 40_000)}}","By":"x"}""")).Status);
        Assert.Equal(0, await _console.Store.ReadVersionAsync(Streams.Control, Cancel));
    }

    [Fact]
    public async Task A_close_is_recorded_first_and_then_told_to_execution_once()
    {
        var history = new RandomHistory(_console.Store, 3);
        await history.GrowAsync(200);
        await CaughtUpAsync();
        var open = (await _console.GetAsync("/api/trades?state=open,closing,executing&limit=1")).GetProperty("Items")[0].GetProperty("Id").GetString()!;
        Assert.Equal(202, (await _console.PostAsync($"/api/trades/{open}/close", Why("news"), "close-request")).Status);
        Assert.Equal(202, (await _console.PostAsync($"/api/trades/{open}/close", Why("news"), "close-request")).Status);
        await Eventually.HoldsAsync(() => !_console.Closes.IsEmpty, "Execution is told");
        var close = Assert.Single(_console.Closes);
        Assert.Equal((TradeId.From(open), RandomHistory.Account, "anna: news"), (close.Trade, close.Account, close.Reason));
        Assert.Contains("trade_close_ordered", (await _console.GetAsync($"/api/trades/{open}")).GetProperty("Timeline").EnumerateArray().Select(e => e.GetProperty("Type").GetString()));

        // A script that closes several under one key would have been told that all were closed.
        var another = (await _console.GetAsync("/api/trades?state=open,closing,executing&limit=2")).GetProperty("Items")[1].GetProperty("Id").GetString()!;
        Assert.Equal(409, (await _console.PostAsync($"/api/trades/{another}/close", Why("news"), "close-request")).Status);

        var over = (await _console.GetAsync("/api/trades?state=closed,denied,rejected&limit=1")).GetProperty("Items")[0].GetProperty("Id").GetString()!;
        Assert.Equal(409, (await _console.PostAsync($"/api/trades/{over}/close", Why())).Status);
        Assert.Equal(404, (await _console.PostAsync("/api/trades/0123456789abcdef0123456789abcdef/close", Why())).Status);
    }

    [Fact]
    public async Task Events_are_told_as_they_come_and_after_a_given_one_without_a_gap()
    {
        var history = new RandomHistory(_console.Store, 3);
        await history.GrowAsync(20);
        var all = await _console.Store.ReadPageAsync(0, 1_000, Cancel);
        using var answer = await _console.Client.GetAsync($"/api/events?after={all[4].Sequence}", HttpCompletionOption.ResponseHeadersRead, Cancel);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.MediaType);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(Cancel));
        var told = new List<long>();
        await ReadAsync(all.Count - 5);
        await history.GrowAsync(5);
        var grown = await _console.Store.ReadPageAsync(0, 1_000, Cancel);
        await ReadAsync(grown.Count - 5);
        Assert.Equal(grown.Skip(5).Select(e => e.Sequence), told);

        async Task ReadAsync(int count)
        {
            while (told.Count < count)
            {
                if (await reader.ReadLineAsync(Cancel) is { } line && line.StartsWith("data: ", StringComparison.Ordinal))
                    told.Add(JsonDocument.Parse(line[6..]).RootElement.GetProperty("Sequence").GetInt64());
            }
        }
    }

    /// <summary>Somebody who watched once held up the end of the whole process until its deadline had passed, and nothing was stopped in order.</summary>
    [Fact]
    public async Task Who_watches_does_not_hold_up_the_end()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "watched")).FullName;
        var watched = await RunningConsole.StartAsync(folder);
        using var client = new HttpClient { DefaultRequestHeaders = { Authorization = watched.Client.DefaultRequestHeaders.Authorization } };
        using var answer = await client.GetAsync($"{watched.Address}/api/events?after=0", HttpCompletionOption.ResponseHeadersRead, Cancel);
        await using var events = await answer.Content.ReadAsStreamAsync(Cancel);
        await watched.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(new PlatformOptions().ShutdownSeconds * 2 / 3), Cancel);
        await events.CopyToAsync(Stream.Null, Cancel);
    }

    private static IEnumerable<string> Ids(JsonElement page) => page.GetProperty("Items").EnumerateArray().Select(t => t.GetProperty("Id").GetString()!);

    private Task CaughtUpAsync() => Eventually.HoldsAsync(async () => (await _console.GetAsync("/api/status")).GetProperty("Views").GetProperty("Behind").GetInt64() == 0, "the read models have caught up");
}
