using System.Diagnostics;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Antbot.Benchmarks.Pipeline;

/// <summary>
/// The bare transport: as many messages of the size as a trade needs, each published with its confirmation awaited and each delivery
/// acknowledged, over as many quorum queues as there are services that take messages. Nothing is read, decided or stored.
/// </summary>
internal static class TransportLimit
{
    private const int Queues = 5;
    private const int InFlight = 128;
    private const ushort Prefetch = 64;

    public static async Task<double> TradesPerSecondAsync(Uri broker, double messagesPerTrade, int bytes, TimeSpan time, CancellationToken cancellationToken)
    {
        var factory = new ConnectionFactory { Uri = broker };
        var counts = await Task.WhenAll(Enumerable.Range(0, Queues).Select(n => PumpAsync(factory, $"bare-{n}", bytes, time, cancellationToken)));
        return counts.Sum() / time.TotalSeconds / messagesPerTrade;
    }

    /// <summary>How many went through one queue within the time, from publish to acknowledgement.</summary>
    private static async Task<long> PumpAsync(ConnectionFactory factory, string queue, int bytes, TimeSpan time, CancellationToken cancellationToken)
    {
        await using var publishing = await factory.CreateConnectionAsync(cancellationToken);
        await using var consuming = await factory.CreateConnectionAsync(cancellationToken);
        await using var publisher = await publishing.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), cancellationToken);
        await using var consumer = await consuming.CreateChannelAsync(cancellationToken: cancellationToken);
        await consumer.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?>(StringComparer.Ordinal) { ["x-queue-type"] = "quorum" }, cancellationToken: cancellationToken);
        await consumer.BasicQosAsync(0, Prefetch, global: false, cancellationToken);
        var acknowledged = 0L;
        var events = new AsyncEventingBasicConsumer(consumer);
        events.ReceivedAsync += async (_, delivery) =>
        {
            await consumer.BasicAckAsync(delivery.DeliveryTag, multiple: false, cancellationToken);
            Interlocked.Increment(ref acknowledged);
        };
        await consumer.BasicConsumeAsync(queue, autoAck: false, events, cancellationToken);
        var body = new byte[bytes];
        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, InFlight).Select(async _ =>
        {
            var properties = new BasicProperties { Persistent = true };
            while (Stopwatch.GetElapsedTime(began) < time)
                await publisher.BasicPublishAsync("", queue, mandatory: true, properties, body, cancellationToken);
        }));
        return Interlocked.Read(ref acknowledged);
    }
}
