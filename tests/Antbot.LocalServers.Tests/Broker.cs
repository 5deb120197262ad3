using System.Text;
using RabbitMQ.Client;

namespace Antbot.LocalServers.Tests;

internal static class Broker
{
    private static readonly TimeSpan TakeLimit = TimeSpan.FromSeconds(5);

    public static async Task DeclareAsync(Uri uri, string queue, string type)
    {
        await using var connection = await ConnectAsync(uri);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: TestContext.Current.CancellationToken);
        await DeclareAsync(channel, queue, type);
    }

    /// <summary>Returns when the broker has confirmed the message.</summary>
    public static async Task DeclareAndPublishAsync(Uri uri, string queue, string type, string message)
    {
        var token = TestContext.Current.CancellationToken;
        await using var connection = await ConnectAsync(uri);
        await using var channel = await connection.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), token);
        await DeclareAsync(channel, queue, type);
        await channel.BasicPublishAsync(
            "", queue, mandatory: true, new BasicProperties { DeliveryMode = DeliveryModes.Persistent }, Encoding.UTF8.GetBytes(message), token);
    }

    /// <summary>The next message, or null when none comes. A quorum queue may need a moment after a restart.</summary>
    public static async Task<string?> TakeAsync(Uri uri, string queue, bool declare = false)
    {
        var token = TestContext.Current.CancellationToken;
        await using var connection = await ConnectAsync(uri);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: token);
        if (declare)
            await DeclareAsync(channel, queue, "classic");
        var deadline = new Deadline(TakeLimit);
        do
        {
            if (await channel.BasicGetAsync(queue, autoAck: true, token) is { } taken)
                return Encoding.UTF8.GetString(taken.Body.Span);
            await Task.Delay(TimeSpan.FromMilliseconds(100), token);
        }
        while (!deadline.Passed && !declare);
        return null;
    }

    private static Task DeclareAsync(IChannel channel, string queue, string type) =>
        channel.QueueDeclareAsync(
            queue, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = type },
            cancellationToken: TestContext.Current.CancellationToken);

    private static Task<IConnection> ConnectAsync(Uri uri) =>
        new ConnectionFactory { Uri = uri, AutomaticRecoveryEnabled = false }.CreateConnectionAsync(TestContext.Current.CancellationToken);
}
