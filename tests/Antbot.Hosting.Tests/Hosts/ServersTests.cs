using System.Net;
using Antbot.EventStore.Postgres;
using Antbot.Hosting.Tests.Buses;
using Antbot.Integration.Tests.Postgres;
using Antbot.Integration.Tests.Support;
using Antbot.LocalServers;
using Antbot.Messaging;
using Antbot.Runtime.Store;
using Npgsql;
using Xunit;

namespace Antbot.Hosting.Tests.Hosts;

/// <summary>Two processes over PostgreSQL and RabbitMQ, both behind links that can be cut.</summary>
public sealed class ServersTests(PostgresFixture postgres, RabbitFixture rabbit) : IAsyncLifetime
{
    private PostgresDatabase _database = null!;
    private RabbitVirtualHost _host = null!;
    private TcpProxy _toStore = null!;
    private TcpProxy _toBus = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private (string, string)[] Settings
    {
        get
        {
            var store = new NpgsqlConnectionStringBuilder(_database.ConnectionString) { Host = "127.0.0.1", Port = _toStore.Port }.ConnectionString;
            var bus = new UriBuilder(_host.Uri) { Port = _toBus.Port }.Uri.ToString();
            return [("STORE", store), ("BUS", bus)];
        }
    }

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.Server.CreateDatabaseAsync(cancellationToken: Cancel);
        _host = await rabbit.CreateVirtualHostAsync();
        _toStore = new TcpProxy(new NpgsqlConnectionStringBuilder(_database.ConnectionString).Port);
        _toBus = new TcpProxy(_host.Uri.Port);
    }

    public async ValueTask DisposeAsync()
    {
        await _toStore.DisposeAsync();
        await _toBus.DisposeAsync();
        await postgres.Server.DropDatabaseAsync(_database.Name);
        await rabbit.DropAsync(_host);
    }

    [Fact]
    public async Task Without_database_and_broker_they_wait_say_so_and_go_on_by_themselves()
    {
        _toStore.Down = _toBus.Down = true;
        await using var first = ServiceProcess.Start("execution", Settings);
        await using var second = ServiceProcess.Start("risk", Settings);
        foreach (var service in new[] { first, second })
        {
            await service.UntilAsync(async () => (await service.GetAsync("/healthz")).Status == HttpStatusCode.OK, "it is alive");
            await service.UntilAsync(
                async () => await service.GetAsync("/readyz") is (HttpStatusCode.ServiceUnavailable, var body)
                    && ReasonOf(body, "store").Contains("PostgreSQL", StringComparison.Ordinal) && ReasonOf(body, "bus").Contains("RabbitMQ at 127.0.0.1", StringComparison.Ordinal),
                "it says what it waits for");
        }
        _toBus.Down = false;
        await first.UntilAsync(
            async () => await first.GetAsync("/readyz") is (HttpStatusCode.ServiceUnavailable, var body) && ReasonOf(body, "bus") == "" && ReasonOf(body, "endpoint-execution").Contains("'store' is down", StringComparison.Ordinal),
            "the bus is there, and no message is taken without the store");
        var trade = Guid.NewGuid();
        await first.WishAsync(trade, "please");
        _toStore.Down = false;
        await first.ReadyAsync();
        await second.ReadyAsync();
        await first.UntilAsync(async () => (await ReadAsync()).Any(e => e.Stream == $"told-{trade:N}"), "the wish has come to its end");

        Assert.Equal(0, await first.StopAsync());
        Assert.Equal(0, await second.StopAsync());
        var events = await ReadAsync();
        Assert.Equal(["process_started", "process_stopped"], events.Where(e => e.Stream == "process-execution").Select(e => e.Type));
        Assert.DoesNotContain(first.Output.Concat(first.Errors), l => l.Contains(_host.Uri.UserInfo.Split(':')[1], StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_level_falls_with_the_store_and_rises_again_and_nothing_is_lost()
    {
        await using var first = ServiceProcess.Start("execution", [.. Settings, ("GATESECONDS", "2")]);
        await using var second = ServiceProcess.Start("risk", Settings);
        await first.ReadyAsync();
        await second.ReadyAsync();
        Assert.Equal("normal", (await first.GetAsync("/health")).Body.GetProperty("degradation_level").GetString());

        _toStore.Down = true;
        _toStore.BreakAll();
        var trades = Enumerable.Range(0, 20).Select(_ => Guid.NewGuid()).ToList();
        foreach (var trade in trades)
            await first.WishAsync(trade, "please");
        await first.UntilAsync(async () => (await first.GetAsync("/health")).Body.GetProperty("degradation_level").GetString() == "emergency", "the level falls");
        await first.UntilAsync(async () => (await first.GetAsync("/health")).Body.GetProperty("endpoints")[0].GetProperty("state").GetString() == "stopped", "the endpoint stops");
        Assert.Contains("trading_bot_degradation_level 3\n", await first.MetricsAsync(), StringComparison.Ordinal);

        _toStore.Down = false;
        await first.UntilAsync(async () => (await ReadAsync()).Count(e => e.Stream.StartsWith("told-", StringComparison.Ordinal)) == trades.Count, "every wish has come to its end");
        await first.UntilAsync(async () => (await first.GetAsync("/health")).Body.GetProperty("degradation_level").GetString() == "normal", "the level rises");
        await using var raw = await RawBroker.ConnectAsync(_host.Uri);
        Assert.Equal(0, await raw.CountAsync(Topology.ErrorQueueOf("execution")));
        Assert.Equal(0, await raw.CountAsync(Topology.DeadLetters));
    }

    [Fact]
    public async Task Without_the_bus_the_level_is_minimal_until_it_is_back()
    {
        await using var service = ServiceProcess.Start("execution", Settings);
        await service.ReadyAsync();
        Assert.Equal("normal", await LevelAsync());

        _toBus.Down = true;
        _toBus.BreakAll();
        await service.UntilAsync(async () => await LevelAsync() == "minimal", "the level falls");
        Assert.Contains("trading_bot_degradation_level 2\n", await service.MetricsAsync(), StringComparison.Ordinal);
        Assert.Contains((await service.GetAsync("/health")).Body.GetProperty("problems").EnumerateArray(), p => (p.GetProperty("name").GetString(), p.GetProperty("level").GetString()) == ("bus", "minimal"));

        _toBus.Down = false;
        await service.UntilAsync(async () => await LevelAsync() == "normal", "the level rises");

        async Task<string?> LevelAsync() => (await service.GetAsync("/health")).Body.GetProperty("degradation_level").GetString();
    }

    [Fact]
    public async Task Killed_between_record_and_publish_the_effect_is_there_once()
    {
        var trade = Guid.NewGuid();
        await using var second = ServiceProcess.Start("risk", Settings);
        await using (var first = ServiceProcess.Start("execution", [.. Settings, ("TESTING", "true"), ("CRASH_AT", "execution.after-append:1")]))
        {
            await first.ReadyAsync();
            await first.WishAsync(trade, "please");
            Assert.Equal(137, await first.EndAsync());
        }
        Assert.DoesNotContain(await ReadAsync(), e => e.Stream == $"told-{trade:N}");
        await using var again = ServiceProcess.Start("execution", Settings);
        await again.UntilAsync(async () => (await ReadAsync()).Any(e => e.Stream == $"told-{trade:N}"), "the wish has come to its end");
        Assert.Single(await ReadAsync(), e => e.Stream == $"heard-{trade:N}");
    }

    [Fact]
    public async Task A_leased_work_runs_in_one_process_and_in_the_other_when_that_is_killed()
    {
        await using var first = ServiceProcess.Start("execution", [.. Settings, ("INSTANCE", "one")]);
        await first.UntilAsync(() => HoldsAsync(first), "the first holds the lease");
        await using var second = ServiceProcess.Start("execution", [.. Settings, ("INSTANCE", "two")]);
        await second.ReadyAsync();
        await Task.Delay(3_000, Cancel);
        Assert.True(await HoldsAsync(first));
        Assert.False(await HoldsAsync(second));
        first.Signal("KILL");
        await second.UntilAsync(() => HoldsAsync(second), "the second holds it");
    }

    /// <summary>Nobody calls for it: one of the processes on a store adopts what another program appends, and another goes on when that one dies.</summary>
    [Fact]
    public async Task A_strangers_event_is_adopted_by_whichever_service_runs_and_a_changed_one_is_reported()
    {
        await using var first = ServiceProcess.Start("execution", [.. Settings, ("SEALSECONDS", "1")]);
        await first.UntilAsync(() => HoldsAsync(first, "platform/sealer"), "the first holds the lease");
        await using var second = ServiceProcess.Start("risk", [.. Settings, ("SEALSECONDS", "1")]);
        await second.ReadyAsync();
        await AppendAsStrangerAsync("stranger-1");
        await first.UntilAsync(async () => (await ReadAsync()).Any(e => e.Stream == "stranger-1"), "it is adopted");
        await first.UntilAsync(() => Task.FromResult(first.Output.Any(l => l.Contains("Sealed 1 events", StringComparison.Ordinal))), "it says so");
        Assert.False(await HoldsAsync(second, "platform/sealer"));

        first.Signal("KILL");
        var process = (await ReadAsync()).First(e => e.Stream == "process-execution");
        await ExecuteAsync($"update public.mt_events set id = gen_random_uuid() where seq_id = {process.Sequence}");
        await AppendAsStrangerAsync("stranger-2");
        await second.UntilAsync(() => Task.FromResult(second.Output.Any(l => l.Contains("Sealed 1 events", StringComparison.Ordinal))), "the second goes on");
        await second.UntilAsync(() => Task.FromResult(second.Output.Any(l => l.Contains($"Not sealed: event ", StringComparison.Ordinal) && l.Contains($"sequence {process.Sequence}", StringComparison.Ordinal))), "it reports the change");
        await using var store = new PostgresEventStore(new PostgresStoreOptions { ConnectionString = _database.ConnectionString });
        Assert.Equal(process.Sequence, Assert.Single(await store.Ledger.FindUnsealedAsync(10, Cancel)).Sequence);
    }

    [Fact]
    public async Task A_bus_that_never_comes_up_ends_the_process_so_that_it_is_started_again()
    {
        // MassTransit's connection gets no answer; ours, which declares and watches, does.
        _toBus.ToServer = bytes => bytes.Span.IndexOf("connection_name"u8) >= 0 && bytes.Span.IndexOf("(watch)"u8) < 0 ? 0 : bytes.Length;
        await using var service = ServiceProcess.Start("execution", Settings);
        Assert.Equal(ExitCodes.BusHangs, await service.EndAsync());
        Assert.Contains(service.Output, l => l.Contains("although the broker answers", StringComparison.Ordinal));
    }

    private static async Task<bool> HoldsAsync(ServiceProcess service, string lease = "execution/count") =>
        (await service.GetAsync("/health")).Body.GetProperty("leases").EnumerateArray().Any(l => l.GetProperty("name").GetString() == lease && l.GetProperty("held").GetBoolean());

    /// <summary>As a session of Marten does: the head and the event together, no link.</summary>
    private Task AppendAsStrangerAsync(string stream) => ExecuteAsync($$"""
        insert into public.mt_streams (id, type, version) values ('{{stream}}', 'trade', 1);
        insert into public.mt_events (seq_id, id, stream_id, version, data, type, mt_dotnet_type)
          values (nextval('public.mt_events_sequence'), gen_random_uuid(), '{{stream}}', 1, '{"X":1.5}', 'noted', 'Some.Noted, Some')
        """);

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_database.ConnectionString);
        await connection.OpenAsync(Cancel);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancel);
    }

    private static string ReasonOf(System.Text.Json.JsonElement body, string name) =>
        body.GetProperty("reasons").EnumerateArray().Where(r => r.GetProperty("name").GetString() == name).Select(r => r.GetProperty("reason").GetString() ?? "").FirstOrDefault("");

    private async Task<IReadOnlyList<StoredEvent>> ReadAsync()
    {
        await using var store = new PostgresEventStore(new PostgresStoreOptions { ConnectionString = _database.ConnectionString });
        try
        {
            return await store.ReadPageAsync(0, 1_000, Cancel);
        }
        catch (EventStoreException e) when (e.Fault == StoreFault.Unavailable)
        {
            // Its tables are not there yet.
            return [];
        }
    }
}
