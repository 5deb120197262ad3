using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Antbot.EventStore.Sqlite;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Hosting.Tests.Hosts;

/// <summary>One process on SQLite and the bus within it: what every service is given by its host.</summary>
public sealed class EmbeddedTests : IDisposable
{
    private const string Secret = "hush-4711-hush";
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-host-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Store => $"sqlite:{File}";

    private string File => Path.Combine(_folder, "antbot.db");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task It_becomes_ready_says_how_it_is_and_carries_a_trace_from_the_request_to_the_last_event()
    {
        await using var service = ServiceProcess.Start("execution,risk", ("STORE", Store), ("INSTANCE", "one"), ("EXECUTION__SECRET", Secret));
        await service.ReadyAsync();
        Assert.Equal(HttpStatusCode.OK, (await service.GetAsync("/healthz")).Status);
        var trade = Guid.NewGuid();
        Assert.Equal(HttpStatusCode.Accepted, (await service.WishAsync(trade, "please", $"00-{Trace}-b7ad6b7169203331-01")).StatusCode);
        await service.UntilAsync(async () => (await ReadAsync()).Any(e => e.Stream == $"told-{trade:N}"), "the wish has come to the second module");

        var events = (await ReadAsync()).Where(e => e.Stream.EndsWith($"{trade:N}", StringComparison.Ordinal)).ToList();
        Assert.Equal([$"heard-{trade:N}", $"told-{trade:N}"], events.Select(e => e.Stream));
        Assert.All(events, e => Assert.Equal((Trace, trade.ToString("N")), (e.TraceId, e.CorrelationId)));

        var (status, health) = await service.GetAsync("/health");
        Assert.True(status == HttpStatusCode.OK, health.ToString());
        Assert.Equal("healthy", health.GetProperty("status").GetString());
        Assert.Equal("normal", health.GetProperty("degradation_level").GetString());
        Assert.Equal("one", health.GetProperty("instance").GetString());
        Assert.Equal("active", health.GetProperty("control").GetProperty("activity").GetString());
        Assert.Equal("dry", health.GetProperty("control").GetProperty("mode").GetString());
        Assert.Contains(health.GetProperty("leases").EnumerateArray(), l => l.GetProperty("name").GetString() == "execution/count" && l.GetProperty("held").GetBoolean());
        Assert.Contains(health.GetProperty("dependencies").EnumerateArray(), d => d.GetProperty("name").GetString() == "store" && d.GetProperty("works").GetBoolean());
        Assert.InRange(health.GetProperty("system_resources").GetProperty("memory_percent").GetDouble(), 0.1, 100);
        foreach (var field in new[] { "timestamp", "uptime_seconds", "circuit_breakers", "last_heartbeat", "problems", "endpoints" })
            Assert.True(health.TryGetProperty(field, out _), field);

        var metrics = await service.MetricsAsync();
        foreach (var line in new[]
        {
            "antbot_messages_handled_total{endpoint=\"execution\",message=\"CloseTrade\"} 1",
            "antbot_messages_handled_total{endpoint=\"risk\",message=\"EntryFailed\"} 1",
            "antbot_message_duration_seconds_count{endpoint=\"execution\"} 1",
            "antbot_messages_published_total{endpoint=\"risk\"} 1",
            "antbot_endpoint_taking{endpoint=\"execution\"} 1",
            "antbot_lease_held{lease=\"execution/count\"} 1",
            "antbot_control_activity 1",
            "antbot_control_live 0",
            "antbot_control_maintenance 0",
            "antbot_health{name=\"wishes\"} 0",
            "trading_bot_degradation_level 0",
            "# TYPE antbot_message_duration_seconds histogram",
            "# TYPE antbot_messages_handled_total counter",
        })
        {
            Assert.Contains(line + "\n", metrics, StringComparison.Ordinal);
        }
        Assert.Matches("(?m)^antbot_appends_total\\{outcome=\"appended\"\\} [3-9]$", metrics);
        Assert.Matches("(?m)^trading_bot_state_recovery_duration_seconds [0-9.]+$", metrics);
        Assert.Matches("(?m)^trading_bot_black_box_events_total [3-9]$", metrics);
        Assert.Matches("(?m)^process_resident_memory_bytes [0-9]+$", metrics);
        Assert.Matches("(?m)^dotnet_gc_collections_total\\{generation=\"0\"\\} [0-9]+$", metrics);

        Assert.Equal(0, await service.StopAsync());
        var lines = service.Output.Select(l => JsonDocument.Parse(l).RootElement).ToList();
        Assert.All(lines, l =>
        {
            Assert.True(DateTimeOffset.TryParse(l.GetProperty("time").GetString(), out _));
            Assert.Equal(("standalone", "one"), (l.GetProperty("service").GetString(), l.GetProperty("instance").GetString()));
            Assert.NotEmpty(l.GetProperty("level").GetString()!);
            Assert.NotEmpty(l.GetProperty("category").GetString()!);
            Assert.NotEmpty(l.GetProperty("message").GetString()!);
        });
        var wish = Assert.Single(lines, l => l.GetProperty("message").GetString()!.StartsWith("A wish for", StringComparison.Ordinal));
        Assert.Equal(Trace, wish.GetProperty("trace").GetString());
        Assert.EndsWith("the secret is ***", wish.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain(service.Output.Concat(service.Errors), l => l.Contains(Secret, StringComparison.Ordinal));
        Assert.Contains(lines, l => l.GetProperty("message").GetString()!.Contains("2 messages handled", StringComparison.Ordinal));
        Assert.Equal(["process_started", "process_stopped"], (await ReadAsync()).Where(e => e.Stream == "process-standalone").Select(e => e.Type));
    }

    [Fact]
    public async Task What_a_process_records_names_it_and_its_first_event_says_what_it_ran()
    {
        var started = new List<JsonElement>();
        foreach (var settings in new[] { ("PREFETCH", "20"), ("PREFETCH", "21"), ("HEALTHKEY", "a-key-for-health"), ("HEALTHKEY", "another-health-key"), ("PREFETCH", "20") })
        {
            await using var service = ServiceProcess.Start("execution,risk", ("STORE", Store), settings);
            await service.ReadyAsync();
            await service.WishAsync(Guid.NewGuid(), "quick");
            Assert.Equal(0, await service.StopAsync());
            var events = await ReadAsync();
            started.Add(JsonDocument.Parse(events.Last(e => e.Type == "process_started").Data).RootElement);
        }
        foreach (var group in (await ReadAsync()).GroupBy(e => e.Process))
            Assert.Contains(started, s => s.GetProperty("Instance").GetGuid() == group.Key);
        Assert.Equal(5, started.Select(s => s.GetProperty("Instance").GetGuid()).Distinct().Count());
        // Of a secret it shows that it is there, and not which.
        var configurations = started.Select(s => s.GetProperty("Configuration").GetString()).ToList();
        Assert.Equal(3, configurations.Distinct().Count());
        Assert.Equal((configurations[0], configurations[2]), (configurations[4], configurations[3]));
        Assert.Equal(64, Assert.Single(started.Select(s => s.GetProperty("BuildHash").GetString()).Distinct())!.Length);
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("QUIT")]
    public async Task Each_signal_that_asks_for_an_end_is_heard(string signal)
    {
        await using var service = ServiceProcess.Start("execution", ("STORE", Store));
        await service.ReadyAsync();
        Assert.Equal(0, await service.StopAsync(signal));
        Assert.Contains((await ReadAsync()), e => e.Type == "process_stopped");
    }

    /// <summary>What the fault cases with a wrong clock rest on: one process alone takes it to be another time, and can be put right.</summary>
    [Fact]
    public async Task A_test_sets_one_processes_clock_wrong_and_right_again()
    {
        var file = Path.Combine(_folder, "clock");
        await System.IO.File.WriteAllTextAsync(file, "-3600", Cancel);
        await using var service = ServiceProcess.Start("execution", ("STORE", Store), ("TESTING", "true"), ("CLOCK_FROM", file));
        await service.ReadyAsync();
        Assert.InRange(await OffAsync(service), -3_660, -3_540);
        await System.IO.File.WriteAllTextAsync(file, "0", Cancel);
        await service.UntilAsync(async () => Math.Abs(await OffAsync(service)) < 60, "its clock is right");

        static async Task<double> OffAsync(ServiceProcess service)
        {
            var said = (await service.MetricsAsync()).Split('\n').Single(l => l.StartsWith("antbot_clock_seconds ", StringComparison.Ordinal));
            return double.Parse(said.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture) - DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        }
    }

    [Fact]
    public async Task Asked_to_end_it_finishes_what_is_under_way()
    {
        await using var service = ServiceProcess.Start("execution,risk", ("STORE", Store));
        await service.ReadyAsync();
        var trade = Guid.NewGuid();
        await service.WishAsync(trade, "slow");
        // It has been delivered when it waits in the handler; there is no event of it yet.
        await service.UntilAsync(async () => (await service.MetricsAsync()).Contains("antbot_messages_published_total{endpoint=\"execution\"} 1", StringComparison.Ordinal), "it is under way");
        await Task.Delay(500, Cancel);
        Assert.Equal(0, await service.StopAsync());
        Assert.Contains(await ReadAsync(), e => e.Stream == $"heard-{trade:N}");
    }

    /// <summary>What takes work in ends before what drives it, and that before what both need.</summary>
    [Fact]
    public async Task Asked_to_end_it_stops_its_work_group_by_group()
    {
        await using var service = ServiceProcess.Start("execution", ("STORE", Store));
        await service.ReadyAsync();
        Assert.Equal(0, await service.StopAsync());
        Assert.Equal(
            new[] { "Intake", "Work", "Support" }.SelectMany(group => new[] { $"Lingering: {group} is told to stop", $"Lingering: {group} has ended" }),
            service.Output.Select(l => JsonDocument.Parse(l).RootElement.GetProperty("message").GetString()!).Where(m => m.StartsWith("Lingering: ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Five_failures_on_end_open_a_breaker_and_the_level_falls_until_the_route_works_again()
    {
        await using var service = ServiceProcess.Start("execution", ("STORE", Store));
        await service.ReadyAsync();
        for (var n = 0; n < 4; n++)
            await CallAsync("failed");
        Assert.Equal(("normal", "closed"), await LevelAndBreakerAsync());
        Assert.Contains("antbot_breaker_state{breaker=\"test-route\"} 0\n", await service.MetricsAsync(), StringComparison.Ordinal);

        await CallAsync("failed");
        Assert.Equal(("reduced", "open"), await LevelAndBreakerAsync());
        var metrics = await service.MetricsAsync();
        Assert.Contains("antbot_breaker_state{breaker=\"test-route\"} 2\n", metrics, StringComparison.Ordinal);
        Assert.Contains("trading_bot_degradation_level 1\n", metrics, StringComparison.Ordinal);
        // It works worse, and takes its work all the same; whoever asks whether it does hears of the route, too.
        var ready = await service.GetAsync("/readyz");
        Assert.Equal((HttpStatusCode.OK, "{\"test-route\":\"open\"}"), (ready.Status, ready.Body.GetProperty("breakers").GetRawText()));

        await service.UntilAsync(
            async () =>
            {
                // Let through, and told, only when it has been open for its time.
                await CallAsync("worked");
                return await LevelAndBreakerAsync() == ("normal", "closed");
            },
            "the level rises");

        async Task CallAsync(string outcome)
        {
            using var answer = await service.Http.PostAsync($"/calls?outcome={outcome}", null, Cancel);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        async Task<(string? Level, string? Breaker)> LevelAndBreakerAsync()
        {
            var health = (await service.GetAsync("/health")).Body;
            return (health.GetProperty("degradation_level").GetString(), health.GetProperty("circuit_breakers").GetProperty("test-route").GetString());
        }
    }

    [Fact]
    public async Task What_does_not_end_by_the_deadline_is_ended_by_force()
    {
        await using var service = ServiceProcess.Start("execution,risk", ("STORE", Store), ("SHUTDOWNSECONDS", "2"));
        await service.ReadyAsync();
        await service.WishAsync(Guid.NewGuid(), "for ever");
        await Task.Delay(1_000, Cancel);
        var began = Stopwatch.GetTimestamp();
        var code = await service.StopAsync();
        Assert.Equal(ExitCodes.Forced, code);
        Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(30), service.Said());
        Assert.Contains(service.Output, l => l.Contains("bus endpoints had not ended by the deadline", StringComparison.Ordinal));
        Assert.Contains(await ReadAsync(), e => e.Type == "process_stopped");
    }

    [Fact]
    public async Task Every_fault_of_the_configuration_is_named_before_anything_is_opened()
    {
        var began = Stopwatch.GetTimestamp();
        await using var service = ServiceProcess.Start(
            "execution,risk", ("STORE", "nonsense"), ("BUS", "amqp://guest:verysecret@/"), ("PREFETCH", "none"), ("SHUTDOWNSECONDS", "0"), ("LOGLEVEL", "Loud"), ("EXECUTION__NUMBER", "11"),
            ("EXECUTION__SHARE", "half"), ("EXECUTION__NUMBRE", "3"), ("RISK__ANYTHING", "1"), ("STROE", "x"), ("EXECUTOIN__SHARE", "1"), ("CONSOLE__WATCHERS", "another service's"), ("CRASH_AT", "execution.after-append:1"), ("CLOCK_FROM", "clock"), ("=BOT_EMERGENCY_SHUTDOWN", "perhaps"), ("=HEALTH_USERNAME", "anna"), ("EXECUTION__SECRET_FILE", Path.Combine(_folder, "not there")),
            ("SOMEBODY__ELSE", "has variables too"), ("CORSORIGINS", "https://console.example,*"));
        Assert.Equal(ExitCodes.InvalidConfiguration, await service.EndAsync());
        Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(5));
        foreach (var (variable, said) in new[]
        {
            ("ANTBOT_STORE:", "neither 'sqlite:FILE' nor a PostgreSQL connection string"), ("ANTBOT_BUS:", "not of the form"), ("ANTBOT_PREFETCH:", "a whole number"), ("ANTBOT_SHUTDOWNSECONDS:", "between 1 and 600"),
            ("ANTBOT_LOGLEVEL:", "one of Trace"), ("ANTBOT_EXECUTION__NUMBER:", "between 1 and 10"), ("ANTBOT_EXECUTION__SHARE:", "a number"), ("ANTBOT_EXECUTION__NUMBRE", "the nearest is ANTBOT_EXECUTION__NUMBER"),
            ("ANTBOT_RISK__ANYTHING", "not known"), ("ANTBOT_STROE", "Is ANTBOT_STORE meant?"), ("ANTBOT_EXECUTOIN__SHARE", "Is ANTBOT_EXECUTION__SHARE meant?"), ("ANTBOT_CRASH_AT:", "ANTBOT_TESTING=true"), ("ANTBOT_CLOCK_FROM:", "ANTBOT_TESTING=true"), ("BOT_EMERGENCY_SHUTDOWN:", "cannot be read"), ("ANTBOT_HEALTHPASSWORD:", "give both or none"), ("ANTBOT_EXECUTION__SECRET_FILE:", "cannot be read"),
            ("ANTBOT_CORSORIGINS:", "'*' is no origin"),
        })
        {
            Assert.Contains(service.Errors, e => e.Contains(variable, StringComparison.Ordinal) && e.Contains(said, StringComparison.Ordinal));
        }
        Assert.Equal(17, service.Errors.Count);
        Assert.DoesNotContain(service.Errors, e => e.Contains("verysecret", StringComparison.Ordinal));
        Assert.Empty(service.Output);
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Fact]
    public async Task A_name_of_the_documents_is_read_and_one_that_does_nothing_is_told()
    {
        await using var service = ServiceProcess.Start("execution", ("STORE", Store), ("=LOG_JSON", "false"), ("=MAX_ACCOUNT_RISK_PCT", "0.10"));
        await service.ReadyAsync();
        Assert.Equal(0, await service.StopAsync());
        Assert.DoesNotContain(service.Output, l => l.StartsWith('{'));
        Assert.Single(service.Output, l => l.Contains("MAX_ACCOUNT_RISK_PCT is set and does nothing", StringComparison.Ordinal));

        await using var refused = ServiceProcess.Start("execution", ("STORE", Store), ("=LOG_JSON", "perhaps"), ("=MAX_DAILY_LOSS_PCT", "20"));
        Assert.Equal(ExitCodes.InvalidConfiguration, await refused.EndAsync());
        Assert.Equal(["LOG_JSON", "MAX_DAILY_LOSS_PCT"], refused.Errors.Select(e => e["antbot: configuration: ".Length..].Split(':')[0]).Order(StringComparer.Ordinal));
    }

    /// <summary>A page on another address may call this one only where its origin was allowed.</summary>
    [Fact]
    public async Task A_browser_is_let_in_from_the_origins_that_were_allowed_and_from_no_other()
    {
        await using (var closed = ServiceProcess.Start("execution", ("STORE", Store)))
        {
            await closed.ReadyAsync();
            Assert.Empty(await CorsAsync(closed, HttpMethod.Get, "https://console.example"));
            Assert.Equal(0, await closed.StopAsync());
        }
        await using var service = ServiceProcess.Start("execution", ("STORE", Store), ("CORSORIGINS", "https://console.example, http://localhost:5173"));
        await service.ReadyAsync();
        foreach (var origin in new[] { "https://console.example", "http://localhost:5173" })
        {
            Assert.Equal(origin, (await CorsAsync(service, HttpMethod.Get, origin))["Access-Control-Allow-Origin"]);
            var asked = await CorsAsync(service, HttpMethod.Options, origin);
            Assert.Equal(origin, asked["Access-Control-Allow-Origin"]);
            Assert.Contains("POST", asked["Access-Control-Allow-Methods"], StringComparison.Ordinal);
            Assert.Contains("Authorization", asked["Access-Control-Allow-Headers"], StringComparison.OrdinalIgnoreCase);
        }
        foreach (var origin in new[] { "https://elsewhere.example", "http://console.example", "https://console.example:8443", "null" })
        {
            Assert.Empty(await CorsAsync(service, HttpMethod.Get, origin));
            Assert.Empty(await CorsAsync(service, HttpMethod.Options, origin));
        }

        static async Task<Dictionary<string, string>> CorsAsync(ServiceProcess service, HttpMethod method, string origin)
        {
            using var request = new HttpRequestMessage(method, method == HttpMethod.Options ? "/wishes" : "/healthz") { Headers = { { "Origin", origin } } };
            if (method == HttpMethod.Options)
            {
                request.Headers.Add("Access-Control-Request-Method", "POST");
                request.Headers.Add("Access-Control-Request-Headers", "authorization,content-type");
            }
            using var answer = await service.Http.SendAsync(request, Cancel);
            return answer.Headers.Where(h => h.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase)).ToDictionary(h => h.Key, h => string.Join(',', h.Value), StringComparer.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public async Task A_secret_comes_from_its_file_and_a_store_that_cannot_be_opened_is_named()
    {
        var secret = Path.Combine(_folder, "secret");
        await System.IO.File.WriteAllTextAsync(secret, $"{Secret}\n", Cancel);
        await using (var service = ServiceProcess.Start("execution", ("STORE", Store), ("EXECUTION__SECRET_FILE", secret)))
        {
            await service.ReadyAsync();
            await service.WishAsync(Guid.NewGuid(), "please");
            Assert.Equal(0, await service.StopAsync());
            Assert.Contains(service.Output, l => l.Contains("the secret is ***", StringComparison.Ordinal));
        }
        await System.IO.File.WriteAllTextAsync(File, "this is no database, whatever its name says, and it is long enough to be looked at", Cancel);
        foreach (var leftOver in Directory.GetFiles(_folder, "antbot.db-*"))
            System.IO.File.Delete(leftOver);
        await using var refused = ServiceProcess.Start("execution", ("STORE", Store));
        Assert.Equal(ExitCodes.Failed, await refused.EndAsync());
        Assert.Contains("antbot.db", Assert.Single(refused.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_and_metrics_can_be_locked_and_probes_stay_open()
    {
        await using var service = ServiceProcess.Start("execution", ("STORE", Store), ("HEALTHKEY", "a-key-of-16-letters"));
        await service.ReadyAsync();
        foreach (var path in new[] { "/health", "/metrics" })
        {
            var (status, body) = await service.GetAsync(path);
            Assert.Equal(HttpStatusCode.Unauthorized, status);
            Assert.Contains("API key", body.GetProperty("error").GetString(), StringComparison.Ordinal);
        }
        service.Http.DefaultRequestHeaders.Add(ApiKeys.Header, "a-key-of-16-letters");
        Assert.Equal(HttpStatusCode.OK, (await service.GetAsync("/health")).Status);
        Assert.NotEmpty(await service.MetricsAsync());
    }

    [Fact]
    public async Task Killed_at_a_crash_point_it_goes_on_with_what_was_recorded()
    {
        await using (var service = ServiceProcess.Start("execution,risk", ("STORE", Store), ("TESTING", "true"), ("CRASH_AT", "execution.after-append:2")))
        {
            await service.ReadyAsync();
            await service.WishAsync(Guid.NewGuid(), "first");
            await service.UntilAsync(async () => (await ReadAsync()).Any(e => e.Stream.StartsWith("told-", StringComparison.Ordinal)), "the first wish is through");
            await service.WishAsync(Guid.NewGuid(), "second");
            Assert.Equal(137, await service.EndAsync());
        }
        var events = await ReadAsync();
        Assert.Equal(2, events.Count(e => e.Stream.StartsWith("heard-", StringComparison.Ordinal)));
        Assert.Single(events, e => e.Stream.StartsWith("told-", StringComparison.Ordinal));
        Assert.DoesNotContain(events, e => e.Type == "process_stopped");
    }

    private async Task<IReadOnlyList<StoredEvent>> ReadAsync()
    {
        await using var store = await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = File, ReadOnly = true }, Cancel);
        return await store.ReadPageAsync(0, 1_000, Cancel);
    }
}
