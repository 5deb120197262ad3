using System.Collections.Concurrent;
using Antbot.Runtime.Bus;
using MassTransit;

namespace Antbot.Messaging;

/// <summary>Sends straight to the endpoints' own exchanges, and returns when the broker has confirmed all.</summary>
public sealed class MassTransitBus(IBus bus, BusOptions options) : IMessageBus
{
    private readonly ConcurrentDictionary<string, Task<ISendEndpoint>> _endpoints = new(StringComparer.Ordinal);

    public Task PublishAsync(IReadOnlyList<OutboundMessage> messages, CancellationToken cancellationToken = default) => messages.Count == 1
        ? SendAsync(messages[0], cancellationToken)
        : Task.WhenAll(messages.Select(m => SendAsync(m, cancellationToken)));

    private async Task SendAsync(OutboundMessage message, CancellationToken cancellationToken)
    {
        var endpoint = await _endpoints.GetOrAdd(message.Endpoint, name => bus.GetSendEndpoint(Topology.AddressOf(name, options)));
        await endpoint.Send(message.Body, message.Body.GetType(), Pipe.Execute<SendContext>(context => Describe(context, message)), cancellationToken);
    }

    private static void Describe(SendContext context, OutboundMessage message)
    {
        context.MessageId = message.Id;
        context.CorrelationId = Guid.TryParseExact(message.CorrelationId, "N", out var correlation) ? correlation : null;
        if (message.TraceId is { } trace)
            context.Headers.Set(MessageHeaders.TraceId, trace);
        if (context.TryGetPayload<RabbitMqSendContext>(out var rabbit))
            rabbit.Mandatory = true;
    }
}
