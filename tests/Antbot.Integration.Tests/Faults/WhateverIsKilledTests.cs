using System.Collections.Concurrent;
using Antbot.Contracts;
using Antbot.Messaging;
using RabbitMQ.Client;
using Xunit;

namespace Antbot.Integration.Tests.Faults;

/// <summary>Two hundred trades through real processes, and each of these, the servers among them, is killed once in their middle.</summary>
[Collection(UpCollection.Name)]
public sealed class WhateverIsKilledTests : IAsyncLifetime
{
    private const int TradesPerKill = 20;

    private static readonly string[] Victims = ["signal", "coordinator", "validation", "risk", "execution", "reconciliation", "console", "venue", "postgres", "rabbitmq"];

    private readonly RunningUp _up = new(
        ("PROFILE", "load"), ("SIGNAL__STRATEGIES", ""), ("SIGNAL__LIFESECONDS", "300"), ("VALIDATION__MAXAGESECONDS", "600"), ("VALIDATION__DUPLICATEWINDOWSECONDS", "0"),
        ("RISK__MAXEXPOSURE", "100000"), ("EXECUTION__HOLDINGSECONDSMAX", "3"), ("COORDINATOR__STANDSTILLSECONDS", "2"));

    private readonly ConcurrentDictionary<int, TradeId> _accepted = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _up.StartAsync();

    public ValueTask DisposeAsync() => _up.DisposeAsync();

    [Fact]
    public async Task Every_trade_comes_to_one_end_and_no_order_is_placed_twice()
    {
        var posting = new List<Task>();
        for (var i = 0; i < Victims.Length; i++)
        {
            var before = _accepted.Count;
            posting.Add(PostAsync(i * TradesPerKill));
            await RunningUp.UntilAsync(() => Task.FromResult(_accepted.Count > before + (TradesPerKill / 4)), () => $"some of the signals before {Victims[i]} is killed are accepted");
            await KillAsync(Victims[i]);
        }
        await Task.WhenAll(posting);
        var trades = _accepted.Values.ToHashSet();
        Assert.Equal(Victims.Length * TradesPerKill, trades.Count);

        await using var store = _up.OpenStore();
        var history = new History(store);
        await RunningUp.UntilAsync(async () => (await history.ReadOnAsync(Cancel)).IsSettled(trades), () => $"{history.WhatIsOpen(trades)}\n{_up.Log("execution")}\n{_up.Log("coordinator")}");
        using var venue = _up.OpenVenue();
        await history.HoldsAsync(trades, await VenueOrderLine.ReadAsync(venue), Cancel);
        // Most of them were trades and not only their refusals: kills are to be survived, not only to be counted.
        Assert.True(history.Of<Contracts.Events.PositionClosed>().Count() > trades.Count / 2, $"{history.Of<Contracts.Events.PositionClosed>().Count()} of {trades.Count} were entered");
        await NothingIsDeadLetteredAsync();
    }

    /// <summary>Returns when it is back, so that each has its own death.</summary>
    private async Task KillAsync(string victim)
    {
        var state = _up.Read();
        switch (victim)
        {
            case "postgres":
                RunningUp.Kill(state.Servers.Postgres);
                await RunningUp.UntilAsync(() => Task.FromResult(_up.Read().Servers.Postgres != state.Servers.Postgres), () => "PostgreSQL is started again");
                break;
            case "rabbitmq":
                RunningUp.Kill(state.Servers.Rabbitmq);
                await RunningUp.UntilAsync(() => Task.FromResult(_up.Read().Servers.Rabbitmq != state.Servers.Rabbitmq), () => "RabbitMQ is started again");
                break;
            default:
                RunningUp.Kill(state[victim].ProcessId!.Value);
                await RunningUp.UntilAsync(() => Task.FromResult(_up.Read()[victim].Starts > state[victim].Starts), () => $"{victim} is started again");
                await RunningUp.UntilAsync(() => _up.IsReadyAsync(victim), () => $"{victim} is ready again: {_up.Log(victim)}");
                break;
        }
    }

    private async Task PostAsync(int first) => await Parallel.ForEachAsync(
        Enumerable.Range(first, TradesPerKill), new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = Cancel }, async (n, _) => _accepted[n] = await _up.SignalAsync(n));

    private async Task NothingIsDeadLetteredAsync()
    {
        await using var connection = await new ConnectionFactory { Uri = _up.BusAddress() }.CreateConnectionAsync(Cancel);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancel);
        foreach (var queue in Contracts.Messages.Routes.Endpoints.SelectMany(e => new[] { Topology.ErrorQueueOf(e), Topology.SkippedQueueOf(e) }).Append(Topology.DeadLetters))
            Assert.True(await channel.MessageCountAsync(queue, Cancel) == 0, $"messages are in {queue}");
    }
}

/// <summary>One platform of processes at a time.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class UpCollection
{
    public const string Name = "up";
}
