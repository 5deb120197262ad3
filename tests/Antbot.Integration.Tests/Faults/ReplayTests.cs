using System.Net;
using System.Text;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Integration.Tests.Postgres;
using Antbot.Integration.Tests.Support;
using Antbot.Messaging;
using Antbot.Runtime.Bus;
using Microsoft.Extensions.DependencyInjection;
using RabbitMQ.Client;
using Xunit;

namespace Antbot.Integration.Tests.Faults;

/// <summary>Dead letters are sent once more through the real services: each has one effect, however often and by however many it is asked for.</summary>
public sealed class ReplayTests(PostgresFixture postgres, RabbitFixture rabbit) : IAsyncLifetime
{
    private WholePlatform _platform = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _platform = await WholePlatform.StartAsync(postgres, rabbit, []);
        await _platform.ReadyAsync();
    }

    public ValueTask DisposeAsync() => _platform.DisposeAsync();

    [Fact]
    public async Task What_was_mended_has_one_effect_and_what_was_not_comes_back_to_its_letter()
    {
        var trade = new TradeId(Guid.NewGuid());
        var order = ClientOrderId.Of(trade, OrderRole.Entry, 0);
        // As if it had died of something that is mended by now; the other one never will be.
        await DieAsync(trade, $$"""{"trade":"{{trade}}","order":"{{order}}","request":"{{Guid.NewGuid()}}","confirms":false,"by":"anna","reason":"a test"}""");
        var never = new TradeId(Guid.NewGuid());
        await DieAsync(never, $$"""{"trade":"{{never}}","order":5}""");
        var (mended, broken) = (await LetterAsync(trade), await LetterAsync(never));

        var orders = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => _platform.PostAsync($"/api/deadletters/{mended:N}/replay", new { Reason = "mended" })));
        Assert.Single(orders, HttpStatusCode.Accepted);
        Assert.Equal(9, orders.Count(o => o == HttpStatusCode.Conflict));
        Assert.Equal(HttpStatusCode.Accepted, await _platform.PostAsync($"/api/deadletters/{broken:N}/replay", new { Reason = "perhaps" }));
        await WholePlatform.UntilAsync(async () => (await EventsAsync<DeadLetterReplayed>()).Count == 1 && (await EventsAsync<DeadLetterReturned>()).Count == 1, () => "one is replayed and one is back");

        var replayed = Assert.Single(await EventsAsync<DeadLetterReplayed>());
        var effect = Assert.Single(_platform.History.Events, e => e.Stored.EventId == replayed.Effect);
        Assert.Equal((mended, Streams.Order(trade).Value, effect.Stored.Sequence), (replayed.Letter, effect.Stored.Stream, replayed.Sequence));
        Assert.Single(await EventsAsync<OrderSettlementRefused>());
        Assert.Equal((broken, 1), (Assert.Single(await EventsAsync<DeadLetterReturned>()).Letter, _platform.History.Of<DeadLetterReturned>().Single().Replay));
        // It is the same letter: none was added.
        Assert.Equal(2, (await _platform.DeadLettersAsync()).Count);

        Assert.Equal(HttpStatusCode.Conflict, await _platform.PostAsync($"/api/deadletters/{mended:N}/replay", new { Reason = "once more" }));
        Assert.Equal(HttpStatusCode.Accepted, await _platform.PostAsync($"/api/deadletters/{broken:N}/replay", new { Reason = "once more" }));
        await WholePlatform.UntilAsync(async () => (await EventsAsync<DeadLetterReturned>()).Count == 2, () => "it is back again");
        Assert.Single(await EventsAsync<OrderSettlementRefused>());
    }

    /// <summary>It was kept in another way than over this broker, which takes no header of such a length.</summary>
    [Fact]
    public async Task One_that_the_broker_does_not_take_is_open_again_and_the_one_behind_it_goes()
    {
        var (trade, wide) = (new TradeId(Guid.NewGuid()), new TradeId(Guid.NewGuid()));
        var headers = new MessageHeader[] { new(0, "wide", HeaderKind.Text, new string('x', 200_000)) };
        var body = Encoding.UTF8.GetBytes($$"""{"messageType":["urn:message:Antbot.Contracts.Messages:{{nameof(SettleOrder)}}"],"message":{"trade":"{{wide}}"} }""");
        await _platform.Services.GetRequiredService<IDeadLetters>().KeepAsync(
            new DeadMessage(Topology.ErrorQueueOf(Routes.Execution), Routes.Execution, DeadLetterKind.Fault, new($"{Guid.NewGuid()}", null, null, null, null, null, null, null, null, null, null, null, null, headers), body), Cancel);
        await DieAsync(trade, $$"""{"trade":"{{trade}}","order":"{{ClientOrderId.Of(trade, OrderRole.Entry, 0)}}","request":"{{Guid.NewGuid()}}","confirms":false,"by":"anna","reason":"a test"}""");
        foreach (var letter in new[] { await LetterAsync(wide), await LetterAsync(trade) })
            Assert.Equal(HttpStatusCode.Accepted, await _platform.PostAsync($"/api/deadletters/{letter:N}/replay", new { Reason = "mended" }));
        await WholePlatform.UntilAsync(async () => (await EventsAsync<DeadLetterReplayed>()).Count == 1 && (await EventsAsync<DeadLetterReturned>()).Count == 1, () => "one is replayed and one is back");
        var back = Assert.Single(_platform.History.Of<DeadLetterReturned>());
        Assert.Equal(await LetterAsync(wide), back.Letter);
        Assert.Contains("was not confirmed", back.FaultMessage, StringComparison.Ordinal);
    }

    private async Task<IReadOnlyList<T>> EventsAsync<T>() => [.. (await _platform.History.ReadOnAsync(Cancel)).Of<T>()];

    private async Task<Guid> LetterAsync(TradeId trade)
    {
        await WholePlatform.UntilAsync(async () => (await _platform.DeadLettersAsync()).Any(l => l.Trades.Contains(trade)), () => "it is kept");
        return (await _platform.DeadLettersAsync()).Single(l => l.Trades.Contains(trade)).Letter;
    }

    private async Task DieAsync(TradeId trade, string message)
    {
        var id = Guid.NewGuid();
        await using var connection = await new ConnectionFactory { Uri = _platform.Broker }.CreateConnectionAsync(Cancel);
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), Cancel);
        var body = $$"""{"messageId":"{{id}}","correlationId":"{{trade.Guid}}","messageType":["urn:message:Antbot.Contracts.Messages:{{nameof(SettleOrder)}}"],"message":{{message}} }""";
        await channel.BasicPublishAsync("", Topology.ErrorQueueOf(Routes.Execution), mandatory: true, new BasicProperties { Persistent = true, MessageId = $"{id}", ContentType = "application/vnd.masstransit+json" }, Encoding.UTF8.GetBytes(body), Cancel);
    }
}
