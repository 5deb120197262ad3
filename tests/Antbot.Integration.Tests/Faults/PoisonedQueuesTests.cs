using System.Security.Cryptography;
using System.Text;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Integration.Tests.Postgres;
using Antbot.Integration.Tests.Support;
using Antbot.Messaging;
using Antbot.Runtime.Store;
using RabbitMQ.Client;
using Xunit;

namespace Antbot.Integration.Tests.Faults;

/// <summary>Bytes that mean nothing, shapes that fit nothing and bodies beyond the limit, in every queue of the real services, among real trades.</summary>
public sealed class PoisonedQueuesTests(PostgresFixture postgres, RabbitFixture rabbit) : IAsyncLifetime
{
    private const int TradesEach = 6;

    private WholePlatform _platform = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Every queue that anybody consumes.</summary>
    private static IEnumerable<string> Queues => Topology.Lanes.Select(Topology.QueueOf);

    public async ValueTask InitializeAsync()
    {
        _platform = await WholePlatform.StartAsync(postgres, rabbit, ["execution:holdingSecondsMax=2"]);
        await _platform.ReadyAsync();
    }

    public ValueTask DisposeAsync() => _platform.DisposeAsync();

    [Fact]
    public async Task Each_is_dead_lettered_with_its_reason_and_every_trade_goes_on()
    {
        await using var connection = await new ConnectionFactory { Uri = _platform.Broker }.CreateConnectionAsync(Cancel);
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), Cancel);
        var trades = await TradeAsync(0);
        var lanes = Topology.Lanes.ToDictionary(l => l, Poison);
        foreach (var (lane, bodies) in lanes)
        {
            foreach (var body in bodies)
                await channel.BasicPublishAsync("", Topology.QueueOf(lane), mandatory: true, new BasicProperties { Persistent = true }, body, Cancel);
        }
        // What dies beside an endpoint is its letter, too.
        var poison = lanes.GroupBy(l => Topology.EndpointOf(l.Key), l => l.Value).ToDictionary(e => e.Key, e => e.SelectMany(b => b).ToList());
        trades = [.. trades, .. await TradeAsync(TradesEach)];

        await _platform.SettledAsync(trades);
        await _platform.HoldsAsync(trades);
        Assert.Empty(_platform.History.Of<TradeFailed>());
        Assert.All(trades, t => Assert.Equal(TradePhase.Closed, _platform.History.Trades[t].Phase));
        await WholePlatform.UntilAsync(async () => (await _platform.DeadLettersAsync()).Count >= poison.Sum(p => p.Value.Count), () => "all of them are recorded");
        var letters = await _platform.DeadLettersAsync();
        foreach (var (endpoint, bodies) in poison)
        {
            var dead = letters.Where(l => l.Endpoint == endpoint).ToList();
            Assert.Equal(bodies.Select(b => BlobHash.Of(b)).Order(StringComparer.Ordinal), dead.Select(l => l.Content.Sha256).Order(StringComparer.Ordinal));
            Assert.All(dead, l => Assert.Equal((DeadLetterKind.Fault, Topology.ErrorQueueOf(endpoint), true), (l.Kind, l.Queue, l.FaultMessage.Length > 0)));
        }
        Assert.Equal(poison.Sum(p => p.Value.Count), letters.Count);
        foreach (var queue in Queues.Concat(Routes.Endpoints.SelectMany(e => new[] { Topology.ErrorQueueOf(e), Topology.SkippedQueueOf(e) })).Append(Topology.DeadLetters))
            await WholePlatform.UntilAsync(async () => await _platform.CountAsync(queue) == 0, () => $"{queue} is empty");
    }

    private static List<byte[]> Poison(string lane)
    {
        var endpoint = Topology.EndpointOf(lane);
        // Whatever an endpoint takes lies in its own queue, and what has a place beside it lies there.
        var kinds = Routes.All.Where(r => r.Value.Contains(endpoint) && (lane == endpoint || Topology.LaneOf(endpoint, r.Key) == lane)).Select(r => r.Key).ToList();
        return
        [
            RandomNumberGenerator.GetBytes(4_000),
            Encoding.UTF8.GetBytes($"[1, 2, \"{lane}\"]"),
            Encoding.UTF8.GetBytes($$"""{"lane": "{{lane}}"}"""),
            RandomNumberGenerator.GetBytes(5 * 1024 * 1024),
            // Every kind of message that it takes: with nothing in it, with other things, with values that cannot be, and far too long.
            .. kinds.SelectMany(k => new[]
            {
                Envelope(k, "{}"),
                Envelope(k, "null"),
                Envelope(k, """{"signal": null}"""),
                Envelope(k, """{"trade": 5, "signal": [], "account": {}}"""),
                Envelope(k, """{"trade": "ffffffffffffffffffffffffffffffff", "account": "NOT AN ACCOUNT", "signal": {"symbol": "€", "notional": -1}, "symbol": "€", "quantity": -1}"""),
            }),
            Envelope(kinds[0], $$"""{"padding": "{{new string('x', 5 * 1024 * 1024)}}"}"""),
        ];
    }

    private static byte[] Envelope(Type type, string message) =>
        Encoding.UTF8.GetBytes($$"""{"messageId": "{{Guid.NewGuid()}}", "messageType": ["urn:message:Antbot.Contracts.Messages:{{type.Name}}"], "message": {{message}}}""");

    private async Task<IReadOnlyList<TradeId>> TradeAsync(int first) =>
        await Task.WhenAll(Enumerable.Range(first, TradesEach).Select(n => _platform.SignalAsync(new { symbol = "BTCUSDT", side = "buy", notional = 50, idempotencyKey = $"among-poison-{n}" })));
}
