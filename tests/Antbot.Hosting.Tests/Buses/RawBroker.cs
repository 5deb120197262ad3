using System.Diagnostics;
using System.Text;
using RabbitMQ.Client;
using Xunit;

namespace Antbot.Hosting.Tests.Buses;

/// <param name="Headers">As texts.</param>
internal sealed record RawMessage(string? MessageId, IReadOnlyDictionary<string, string> Headers, byte[] Body, bool Redelivered);

/// <summary>The broker as somebody else's program sees it: any bytes, any headers, any queue.</summary>
internal sealed class RawBroker : IAsyncDisposable
{
    private readonly IConnection _connection;

    private RawBroker(IConnection connection) => _connection = connection;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<RawBroker> ConnectAsync(Uri uri) =>
        new(await new ConnectionFactory { Uri = uri, AutomaticRecoveryEnabled = false }.CreateConnectionAsync(Cancel));

    public async Task PublishAsync(string queue, byte[] body, BasicProperties? properties = null)
    {
        await using var channel = await _connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), Cancel);
        await channel.BasicPublishAsync("", queue, mandatory: true, properties ?? new BasicProperties { Persistent = true }, body, Cancel);
    }

    public async Task<long> CountAsync(string queue)
    {
        await using var channel = await _connection.CreateChannelAsync(cancellationToken: Cancel);
        return await channel.MessageCountAsync(queue, Cancel);
    }

    /// <summary>What a consumer that has ended had taken is back in the queue a moment after its connection is closed.</summary>
    public async Task UntilCountAsync(long count, string queue)
    {
        var began = Stopwatch.GetTimestamp();
        while (await CountAsync(queue) is var there && there != count)
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(30), $"{there} messages in {queue}, and not {count}.");
            await Task.Delay(20, Cancel);
        }
    }

    public async Task<uint> CountConsumersAsync(string queue)
    {
        await using var channel = await _connection.CreateChannelAsync(cancellationToken: Cancel);
        return await channel.ConsumerCountAsync(queue, Cancel);
    }

    /// <summary>What is in the queue now, taken out of it.</summary>
    public async Task<List<RawMessage>> TakeAllAsync(string queue)
    {
        await using var channel = await _connection.CreateChannelAsync(cancellationToken: Cancel);
        var taken = new List<RawMessage>();
        while (await channel.BasicGetAsync(queue, autoAck: true, Cancel) is { } message)
        {
            var headers = (message.BasicProperties.Headers ?? new Dictionary<string, object?>()).ToDictionary(h => h.Key, h => h.Value is byte[] text ? Encoding.UTF8.GetString(text) : $"{h.Value}");
            taken.Add(new RawMessage(message.BasicProperties.MessageId, headers, message.Body.ToArray(), message.Redelivered));
        }
        return taken;
    }

    /// <summary>So many, as they come; no more and no fewer.</summary>
    public async Task<List<RawMessage>> TakeAsync(string queue, int count)
    {
        var taken = new List<RawMessage>();
        for (var round = 0; round < 600 && taken.Count < count; round++)
        {
            taken.AddRange(await TakeAllAsync(queue));
            await Task.Delay(50, Cancel);
        }
        Assert.Equal(count, taken.Count);
        return taken;
    }

    /// <summary>Takes a message without a word and drops the connection on it.</summary>
    public async Task TakeAndBreakAsync(string queue)
    {
        var channel = await _connection.CreateChannelAsync(cancellationToken: Cancel);
        while (await channel.BasicGetAsync(queue, autoAck: false, Cancel) is null && await channel.MessageCountAsync(Messaging.Topology.DeadLetters, Cancel) == 0)
            await Task.Delay(20, Cancel);
        await _connection.CloseAsync(200, "broken off", TimeSpan.FromSeconds(5), abort: true, Cancel);
    }

    public async Task DeleteAsync(string queue)
    {
        await using var channel = await _connection.CreateChannelAsync(cancellationToken: Cancel);
        await channel.QueueDeleteAsync(queue, cancellationToken: Cancel);
    }

    public async Task DeclareAsync(string queue, IDictionary<string, object?> arguments)
    {
        await using var channel = await _connection.CreateChannelAsync(cancellationToken: Cancel);
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, arguments, cancellationToken: Cancel);
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}
