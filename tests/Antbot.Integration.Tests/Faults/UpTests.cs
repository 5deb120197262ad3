using System.Text.Json;
using Antbot.Contracts.Events;
using Antbot.EventStore.Proof;
using Antbot.Integration.Tests.Cli;
using Npgsql;
using Xunit;

namespace Antbot.Integration.Tests.Faults;

/// <summary>`make up` and `make down`: everything comes up and trades by itself, what dies is started again, and nothing is left behind.</summary>
[Collection(UpCollection.Name)]
public sealed class UpTests : IAsyncLifetime
{
    private static readonly string[] Validations = ["validation", "validation-2", "validation-3"];

    private static readonly string[] Workers = ["coordinator", "validation", "risk", "execution", "reconciliation"];

    private static readonly string[] Scalable = [.. Workers, "signal", "console"];

    private readonly RunningUp _up = new(("SIGNAL__COOLDOWNSECONDS", "1"), ("EXECUTION__HOLDINGSECONDSMAX", "5"), ("PREFETCH", "4"));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _up.DisposeAsync();

    [Fact]
    public async Task Everything_comes_up_trades_survives_and_goes_down_again()
    {
        var nothing = await _up.DownAsync();
        Assert.Equal((0, "Nothing is running."), (nothing.ExitCode, nothing.Output.Trim()));

        var state = await _up.StartAsync("validation=3");
        Assert.Equal(
            ["venue", "coordinator", .. Validations, "risk", "execution", "reconciliation", "signal", "console"], state.Processes.Select(p => p.Name));
        foreach (var process in state.Processes)
            Assert.True(await _up.IsReadyAsync(process.Name), $"{process.Name} is not ready: {_up.Log(process.Name)}");

        var twice = await _up.UpAsync();
        Assert.Equal(1, twice.ExitCode);
        Assert.Contains("it runs already", twice.Error, StringComparison.Ordinal);

        await using var store = _up.OpenStore();
        var history = new History(store);
        await RunningUp.UntilAsync(async () => (await history.ReadOnAsync(Cancel)).Of<TradeClosedRecorded>().Any(), () => $"a strategy's trade has come and gone\n{_up.Log("signal")}\n{_up.Log("execution")}");
        await RunningUp.UntilAsync(
            async () => (await Task.WhenAll(Validations.Select(v => _up.MetricAsync(v, "antbot_messages_handled_total")))).All(n => n > 0), () => "each of the three has taken work");

        // The command line finds what runs here, and the Console says who is down.
        var status = await AntbotProcess.RunAsync(_up.Folder, "status", "--json");
        Assert.True(status.ExitCode == 0, status.Error);
        // Whoever speaks to the venue records it, each beside the others.
        var recorded = await AntbotProcess.RunAsync(_up.Folder, "recording", "--json", "--limit", "1000");
        Assert.True(recorded.ExitCode == 0, recorded.Error);
        Assert.Equal(["execution", "reconciliation", "signal"], JsonDocument.Parse(recorded.Output).RootElement.GetProperty("Records").EnumerateArray().Select(r => r.GetProperty("Service").GetString()).Distinct().Order(StringComparer.Ordinal));
        RunningUp.Kill(state["risk"].ProcessId!.Value);
        RunningUp.Kill(state["validation-2"].ProcessId!.Value);
        await RunningUp.UntilAsync(async () => await HealthOfAsync("risk") == "does not answer", () => "risk is shown as down");
        await RunningUp.UntilAsync(async () => _up.Read()["risk"].Starts == 2 && await _up.IsReadyAsync("risk") && await HealthOfAsync("risk") == "ready", () => $"risk is back: {_up.Log("risk")}");
        await RunningUp.UntilAsync(async () => _up.Read()["validation-2"].Starts == 2 && await _up.IsReadyAsync("validation-2"), () => $"validation-2 is back: {_up.Log("validation-2")}");
        Assert.Equal("ready", await HealthOfAsync("venue"));
        // Whoever died is no longer shown beside its successor.
        await RunningUp.UntilAsync(async () => (await InstancesOfAsync("risk"), await InstancesOfAsync("validation")) is ("risk", "validation validation-2 validation-3"), () => "each instance is shown once");
        await NobodyOfTheServicesCanChangeHistoryAsync();

        // The servers are supervised as well.
        var servers = _up.Read().Servers;
        RunningUp.Kill(servers.Postgres);
        RunningUp.Kill(servers.Rabbitmq);
        await RunningUp.UntilAsync(() => Task.FromResult(_up.Read().Servers is var now && now.Postgres != servers.Postgres && now.Rabbitmq != servers.Rabbitmq), () => "PostgreSQL and RabbitMQ are started again");
        await RunningUp.UntilAsync(async () => await _up.IsReadyAsync("execution") && await _up.IsReadyAsync("coordinator"), () => $"the services go on with them: {_up.Log("coordinator")}");
        var trades = (await history.ReadOnAsync(Cancel)).Trades.Count;
        await RunningUp.UntilAsync(async () => (await history.ReadOnAsync(Cancel)).Trades.Count > trades, () => "it trades on");

        Assert.Equal(0, (await AntbotProcess.RunAsync(_up.Folder, "halt", "--reason", "drill", "--by", "anna")).ExitCode);
        var all = _up.Read().ProcessIds.ToList();
        Assert.All(all, id => Assert.True(RunningUp.IsRunning(id)));
        var down = await _up.DownAsync();
        Assert.Equal((0, "Stopped."), (down.ExitCode, down.Output.Trim()));
        Assert.All(all, id => Assert.False(RunningUp.IsRunning(id), $"process {id} is left"));
        foreach (var service in state.Processes.Select(p => p.Name).Where(n => n != "venue"))
            Assert.Contains("Stopped in order", _up.Log(service), StringComparison.Ordinal);

        // Where the history stood is signed outside the database: cutting it off would show.
        var (checkpoints, faults) = new CheckpointFile(Path.Combine(_up.Data, "checkpoints.jsonl")).Read();
        Assert.Empty(faults);
        Assert.True(checkpoints.Count > 0 && checkpoints[^1].Position > history.Events.Count / 2, "no checkpoint was signed");

        // The data is there: the next start goes on with it, with two of everything that there may be more than one of;
        // and a supervisor that is killed leaves nobody behind either.
        var known = history.Events.Count;
        state = await _up.StartAsync(string.Join(' ', Scalable.Select(s => $"{s}=2")));
        Assert.Equal(["venue", .. Scalable.SelectMany(s => new[] { s, $"{s}-2" })], state.Processes.Select(p => p.Name));
        await using var again = _up.OpenStore();
        history = new History(again);
        Assert.True((await history.ReadOnAsync(Cancel)).Events.Count >= known);
        // A halt outlives every process.
        var halted = history.Events.Count;
        await RunningUp.UntilAsync(
            async () => (await history.ReadOnAsync(Cancel)).Events.Skip(halted).Select(e => e.Event).OfType<TradeFailed>().Any(f => f.Reason == "halted: drill"), () => $"a strategy's trade is barred\n{_up.Log("execution")}");
        Assert.DoesNotContain(history.Events.Skip(halted).Select(e => e.Event).OfType<OrderAttempted>(), a => a.Order.Value.StartsWith('e'));
        foreach (var process in Workers)
            Assert.Equal(3, await _up.MetricAsync(process, "antbot_control_activity"));
        Assert.Equal(0, (await AntbotProcess.RunAsync(_up.Folder, "resume", "--reason", "over", "--by", "anna")).ExitCode);
        var closed = history.Of<TradeReconciledRecorded>().Count(r => r.Closed);
        await RunningUp.UntilAsync(
            async () => (await history.ReadOnAsync(Cancel)).Of<TradeReconciledRecorded>().Count(r => r.Closed) >= closed + 5, () => $"trades come and go with two of each\n{_up.Log("execution")}\n{_up.Log("execution-2")}");
        await RunningUp.UntilAsync(
            async () => (await Task.WhenAll(Workers.SelectMany(s => new[] { s, $"{s}-2" }).Select(p => _up.MetricAsync(p, "antbot_messages_handled_total")))).All(n => n > 0), () => "each of the two has taken work");
        all = [.. _up.Read().ProcessIds];
        RunningUp.Kill(_up.State.ProcessId);
        await RunningUp.UntilAsync(() => Task.FromResult(!all.Any(RunningUp.IsRunning)), () => $"all have ended with their supervisor: {string.Join(", ", _up.State.Processes.Where(p => RunningUp.IsRunning(p.ProcessId ?? 0)).Select(p => p.Name))}");
    }

    /// <summary>SIGQUIT ended the supervisor at once, with nobody to end the servers.</summary>
    [Fact]
    public async Task A_quit_ends_everything_in_order_too()
    {
        var state = await _up.StartAsync();
        var all = _up.Read().ProcessIds.ToList();
        RunningUp.Signal(state.ProcessId, "QUIT");
        await RunningUp.UntilAsync(() => Task.FromResult(!all.Any(RunningUp.IsRunning)), () => "all have ended");
        foreach (var service in state.Processes.Select(p => p.Name).Where(n => n != "venue"))
            Assert.Contains("Stopped in order", _up.Log(service), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_is_named_with_its_exit_code()
    {
        var wrong = await _up.UpAsync("--instances", "validation=0 venue=2 nobody=1");
        Assert.Equal(2, wrong.ExitCode);
        foreach (var fault in new[] { "validation=0", "there is one venue", "'nobody' is no service" })
            Assert.Contains(fault, wrong.Error, StringComparison.Ordinal);
        var folder = Directory.CreateTempSubdirectory("antbot-up-");
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "keys"), "no folder", Cancel);
        var unusable = await _up.RunAsync("up", "--data", folder.FullName);
        Assert.Equal(1, unusable.ExitCode);
        Assert.StartsWith("antbot: ", Assert.Single(unusable.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        folder.Delete(recursive: true);
        foreach (var verb in new[] { "up", "down" })
        {
            var help = await _up.RunAsync(verb, "--help");
            Assert.Equal(0, help.ExitCode);
            Assert.Contains("--data", help.Output, StringComparison.Ordinal);
        }
    }

    private async Task<string> InstancesOfAsync(string service) => string.Join(' ', (await _up.StatusAsync()).GetProperty("Services").EnumerateArray()
        .Where(s => s.GetProperty("Service").GetString() == service && s.GetProperty("State").GetString() == "Started").Select(s => s.GetProperty("Name").GetString()).Order(StringComparer.Ordinal));

    /// <summary>What a service knows is not enough for more than a service does, and an exchange knows nothing of it.</summary>
    private async Task NobodyOfTheServicesCanChangeHistoryAsync()
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(_up.StoreAddress) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(Cancel);
        foreach (var sql in new[] { "update mt_events set data = '{}'", "delete from mt_events", "truncate antbot.ledger", "drop table mt_streams", "create role king superuser" })
        {
            await using var command = new NpgsqlCommand(sql, connection);
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync(Cancel))).SqlState);
        }
        var environment = await File.ReadAllTextAsync($"/proc/{_up.Read()["venue"].ProcessId}/environ", Cancel);
        Assert.DoesNotContain("ANTBOT_STORE", environment, StringComparison.Ordinal);
        Assert.DoesNotContain("ANTBOT_BUS", environment, StringComparison.Ordinal);
        // Passwords come in files.
        Assert.DoesNotContain("Password", await File.ReadAllTextAsync($"/proc/{_up.Read()["risk"].ProcessId}/environ", Cancel), StringComparison.OrdinalIgnoreCase);
    }

    private async Task<string?> HealthOfAsync(string service) =>
        (await _up.StatusAsync()).GetProperty("Services").EnumerateArray().Where(s => s.GetProperty("Service").GetString() == service).Select(s => s.GetProperty("Health").GetString()).FirstOrDefault();
}

/// <summary>One platform of processes at a time.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class UpCollection
{
    public const string Name = "up";
}
