using System.Text.Json;
using MassTransit;
using MassTransit.Serialization;

namespace Antbot.Messaging;

/// <summary>One message of a parcel, as if it had come alone. What came with it is not told that this one was handled.</summary>
internal sealed class ParcelContext : BodyConsumeContext
{
    private static readonly SystemTextJsonMessageSerializer Serializer = new();

    private readonly MessageEnvelope _envelope;

    private ParcelContext(ReceiveContext receive, MessageEnvelope envelope, string[] types, JsonElement body)
        : base(receive, new SystemTextJsonSerializerContext(Serializer, MessageJson.Options, SystemTextJsonMessageSerializer.JsonContentType, new EnvelopeMessageContext(envelope, Serializer), types, envelope, body)) =>
        _envelope = envelope;

    public bool IsConsumed { get; private set; }

    public static ParcelContext Of(ReceiveContext receive, Parcelled message)
    {
        var envelope = new JsonMessageEnvelope
        {
            MessageId = message.Id.ToString("D"),
            CorrelationId = message.CorrelationId?.ToString("D"),
            MessageType = [message.Type],
            Message = message.Body,
        };
        if (message.TraceId is { } trace)
            envelope.Headers = new Dictionary<string, object?>(StringComparer.OrdinalIgnoreCase) { [MessageHeaders.TraceId] = trace };
        return new ParcelContext(receive, envelope, envelope.MessageType, message.Body);
    }

    public override Task NotifyConsumed<T>(ConsumeContext<T> context, TimeSpan duration, string consumerType)
    {
        IsConsumed = true;
        return Task.CompletedTask;
    }

    /// <summary>What would have come, had it been sent alone.</summary>
    public byte[] Alone() => JsonSerializer.SerializeToUtf8Bytes(_envelope, _envelope.GetType(), MessageJson.Options);
}
