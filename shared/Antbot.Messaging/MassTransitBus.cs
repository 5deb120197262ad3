using System.Runtime.Serialization;
using System.Text.Json;
using Antbot.Contracts.Messages;
using Antbot.Runtime.Bus;
using MassTransit;
using Microsoft.Extensions.Logging;

namespace Antbot.Messaging;

/// <summary>Sends straight to the endpoints' own exchanges, and returns when the broker has confirmed all.</summary>
public sealed class MassTransitBus(BusRunner runner, BusOptions options, EndpointCatalog catalog, TimeProvider clock, ILogger<MassTransitBus> log) : IMessageBus, IDisposable
{
    private readonly SemaphoreSlim _inFlight = new(options.PublishesInFlight);
    private int _warned;

    public Task PublishAsync(IReadOnlyList<OutboundMessage> messages, CancellationToken cancellationToken = default) => messages.Count == 1
        ? SendAsync(messages[0], cancellationToken)
        : Task.WhenAll(messages.Select(m => SendAsync(m, cancellationToken)));

    public void Dispose() => _inFlight.Dispose();

    private async Task SendAsync(OutboundMessage message, CancellationToken cancellationToken)
    {
        if (!Routes.Endpoints.Contains(message.Endpoint, StringComparer.Ordinal))
            throw new ArgumentException($"There is no endpoint '{message.Endpoint}': nobody would ever take the {message.Body.GetType().Name}.", nameof(message));
        var started = clock.GetTimestamp();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.PublishWithin);
        try
        {
            await _inFlight.WaitAsync(limit.Token);
            try
            {
                await SendAsync(await runner.BusAsync(message.Endpoint, limit.Token), message, limit.Token);
            }
            finally
            {
                _inFlight.Release();
            }
            BusMeter.Published(message.Endpoint, clock.GetElapsedTime(started));
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && !IsOfMessage(e))
        {
            BusMeter.Unpublished(message.Endpoint);
            throw Translate(e, message);
        }
    }

    private async Task SendAsync(IBus bus, OutboundMessage message, CancellationToken cancellationToken)
    {
        if (options.IsMemory && !catalog.Names.Contains(message.Endpoint, StringComparer.Ordinal))
        {
            // One process is all there is: without the module nobody will ever take it, and it would stay in memory for good.
            if (Interlocked.Exchange(ref _warned, 1) == 0)
                log.LogWarning("No module of this process takes what is sent to '{Endpoint}'; its messages are dropped", message.Endpoint);
            return;
        }
        var address = new Uri($"{(options.IsMemory ? "queue" : "exchange")}:{Topology.QueueOf(message.Endpoint)}");
        var endpoint = await bus.GetSendEndpoint(address).WaitAsync(cancellationToken);
        // The client has been seen to wait for ever on a connection that broke under it.
        await endpoint.Send(message.Body, message.Body.GetType(), Pipe.Execute<SendContext>(context => Describe(context, message)), cancellationToken).WaitAsync(cancellationToken);
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

    /// <summary>What cannot be written as JSON never will be.</summary>
    private static bool IsOfMessage(Exception e) => e is SerializationException or JsonException or NotSupportedException;

    private BusUnavailableException Translate(Exception e, OutboundMessage message)
    {
        if (e is MessageReturnedException)
        {
            runner.DeclareAgain();
            return new BusUnavailableException($"The broker has no queue for '{message.Endpoint}', where the {message.Body.GetType().Name} was to go. It is declared again.", e);
        }
        return e is OperationCanceledException
            ? new BusUnavailableException($"The {message.Body.GetType().Name} to '{message.Endpoint}' was not confirmed within {options.PublishWithin.TotalSeconds:0} s{(runner.Status().Trouble is { } trouble ? $": {trouble}" : ".")}", e)
            : new BusUnavailableException($"The {message.Body.GetType().Name} to '{message.Endpoint}' could not be sent: {e.Message}", e);
    }
}
