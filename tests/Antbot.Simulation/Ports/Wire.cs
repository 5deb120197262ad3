using System.Text;
using System.Text.Json;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Messaging;
using Antbot.Runtime.Bus;
using Antbot.Simulation.Time;
using MassTransit;
using RabbitMQ.Client;
using MessageHeaders = Antbot.Messaging.MessageHeaders;

namespace Antbot.Simulation.Ports;

/// <summary>What is in a queue and no message of ours.</summary>
/// <param name="IsUnknown">Nobody at its endpoint takes its type; everything else cannot be read.</param>
public sealed record Rubbish(BasicProperties Properties, ReadOnlyMemory<byte> Body, bool IsUnknown);

/// <summary>Messages as they lie in the broker's queues: only what has died is looked at so closely.</summary>
internal static class Wire
{
    private static readonly Dictionary<string, Type> Types = Routes.All.Keys.ToDictionary(t => MessageUrn.ForTypeString(t), StringComparer.Ordinal);

    public static (BasicProperties Properties, ReadOnlyMemory<byte> Body) Write(OutboundMessage message)
    {
        if (message.Body is Rubbish rubbish)
            return (new BasicProperties(rubbish.Properties), rubbish.Body);
        var headers = new Dictionary<string, object?>(StringComparer.Ordinal);
        if (message.TraceId is { } trace)
            headers[MessageHeaders.TraceId] = Text(trace);
        var properties = new BasicProperties { MessageId = $"{message.Id:D}", CorrelationId = message.CorrelationId, ContentType = "application/vnd.masstransit+json", Persistent = true, Headers = headers };
        return (properties, Envelope(message.Id, MessageUrn.ForTypeString(message.Body.GetType()), JsonSerializer.SerializeToElement(message.Body, message.Body.GetType(), MessageJson.Options)));
    }

    public static byte[] Envelope(Guid id, string type, JsonElement message) =>
        JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object>(StringComparer.Ordinal) { ["messageId"] = id, ["messageType"] = new[] { type }, ["message"] = message });

    /// <summary>As whoever takes it from the queue reads it.</summary>
    public static OutboundMessage Read(string endpoint, BasicProperties properties, ReadOnlyMemory<byte> body)
    {
        var id = Guid.TryParse(properties.MessageId, out var given) ? given : Guid.Empty;
        var trace = properties.Headers?.TryGetValue(MessageHeaders.TraceId, out var header) == true && header is byte[] text ? Encoding.UTF8.GetString(text) : null;
        return new OutboundMessage(id, endpoint, BodyOf(body) ?? new Rubbish(properties, body, IsUnknown(body)), properties.CorrelationId, trace);
    }

    public static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    private static object? BodyOf(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return TypeIn(document) is { } type ? document.RootElement.GetProperty("message").Deserialize(type, MessageJson.Options) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or ArgumentException)
        {
            return null;
        }
    }

    private static bool IsUnknown(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return TypeIn(document) is null;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static Type? TypeIn(JsonDocument document) => Types.GetValueOrDefault(document.RootElement.GetProperty("messageType")[0].GetString() ?? "");
}

/// <summary>One process's way to send what has died once more.</summary>
internal sealed class SimSender(SimBus bus, SimBroker broker, SimLoop loop, SimContext context) : IDeadLetterSender
{
    public Task SendAsync(string endpoint, MessageProperties properties, ReadOnlyMemory<byte> body, string replay, bool alone, CancellationToken cancellationToken)
    {
        var living = DeadLetterSender.PropertiesOf(properties, HeaderLines.To(HeaderLines.OfTheLiving(properties.Headers)));
        return bus.PublishAsync([Wire.Read(endpoint, living, body)], replay, cancellationToken);
    }

    public async Task<bool> TakesOthersAsync(CancellationToken cancellationToken)
    {
        loop.IsHere("a question to the broker");
        await context.AliveAsync();
        await loop.DelayAsync(broker.Latency(), context);
        return broker.IsUp;
    }
}
