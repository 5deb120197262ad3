using System.Collections.Frozen;
using System.Diagnostics;
using System.Runtime.Serialization;
using System.Text.Json;
using Antbot.Runtime.Bus;
using MassTransit;
using Microsoft.Extensions.Logging;

namespace Antbot.Messaging;

/// <summary>Sends straight to the endpoints' own exchanges, and returns when the broker has confirmed all.</summary>
public sealed class MassTransitBus : IMessageBus, IDisposable
{
    private readonly BusRunner _runner;
    private readonly BusOptions _options;
    private readonly EndpointCatalog _catalog;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly SemaphoreSlim _inFlight;
    private readonly FrozenDictionary<string, ParcelQueue> _parcels;
    private int _warned;

    public MassTransitBus(BusRunner runner, BusOptions options, EndpointCatalog catalog, TimeProvider clock, ILogger<MassTransitBus> log)
    {
        (_runner, _options, _catalog, _clock, _log) = (runner, options, catalog, clock, log);
        _inFlight = new SemaphoreSlim(options.PublishesInFlight);
        _parcels = Topology.Lanes.ToFrozenDictionary(l => l, l => new ParcelQueue(m => SendAsync(l, m)), StringComparer.Ordinal);
    }

    public Task PublishAsync(IReadOnlyList<OutboundMessage> messages, CancellationToken cancellationToken = default) => messages.Count == 1
        ? PublishAsync(LaneOf(messages[0]), messages, cancellationToken)
        : Task.WhenAll(messages.GroupBy(LaneOf, StringComparer.Ordinal).Select(l => PublishAsync(l.Key, [.. l], cancellationToken)));

    public void Dispose() => _inFlight.Dispose();

    private static string LaneOf(OutboundMessage message) => Topology.LaneOf(message.Endpoint, message.Body.GetType());

    private async Task PublishAsync(string lane, IReadOnlyList<OutboundMessage> messages, CancellationToken cancellationToken)
    {
        if (!_parcels.TryGetValue(lane, out var parcels))
            throw new ArgumentException($"There is no endpoint '{lane}': nobody would ever take the {messages[0].Body.GetType().Name}.", nameof(messages));
        var started = _clock.GetTimestamp();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_options.PublishWithin);
        try
        {
            await _inFlight.WaitAsync(limit.Token);
            try
            {
                await (_options.IsMemory ? Task.WhenAll(messages.Select(m => HandOverAsync(m, limit.Token))) : parcels.SendAsync(messages.Select(Write), limit.Token));
            }
            finally
            {
                _inFlight.Release();
            }
            foreach (var _ in messages)
                BusMeter.Published(lane, _clock.GetElapsedTime(started));
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && !IsOfMessage(e))
        {
            foreach (var _ in messages)
                BusMeter.Unpublished(lane);
            throw Translate(e, messages[0]);
        }
    }

    private static ParcelledMessage Write(OutboundMessage message) =>
        new(message, JsonSerializer.SerializeToUtf8Bytes(message.Body, message.Body.GetType(), MessageJson.Options), Activity.Current);

    private async Task HandOverAsync(OutboundMessage message, CancellationToken cancellationToken)
    {
        var lane = LaneOf(message);
        var (bus, _) = await _runner.BusAsync(lane, cancellationToken);
        if (_catalog.Names.Contains(lane, StringComparer.Ordinal))
        {
            await SendAsync(bus, "queue", lane, message.Body, context => Describe(context, message), cancellationToken);
            return;
        }
        // One process is all there is: without the module nobody will ever take it, and it would stay in memory for good.
        if (Interlocked.Exchange(ref _warned, 1) == 0)
            _log.LogWarning("No module of this process takes what is sent to '{Endpoint}'; its messages are dropped", message.Endpoint);
    }

    private async Task SendAsync(string lane, IReadOnlyList<ParcelledMessage> messages)
    {
        using var limit = new CancellationTokenSource(_options.PublishWithin, _clock);
        var (bus, gone) = await _runner.BusAsync(lane, limit.Token);
        // What waits behind this goes out on the next bus, and not when this one's time is up.
        using var end = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, gone);
        try
        {
            await SendAsync(bus, lane, messages, end.Token);
        }
        catch (OperationCanceledException e) when (gone.IsCancellationRequested && !limit.IsCancellationRequested)
        {
            throw new BusUnavailableException("the broker went away under it.", e);
        }
        BusMeter.Delivered(lane);
    }

    private static Task SendAsync(IBus bus, string lane, IReadOnlyList<ParcelledMessage> messages, CancellationToken cancellationToken)
    {
        if (messages is not [{ Message: var alone, Span: var span }])
            return SendAsync(bus, "exchange", lane, new Parcel([.. messages.Select(Parcelled)]), Insist, cancellationToken);
        Activity.Current = span;
        return SendAsync(bus, "exchange", lane, alone.Body, context => Describe(context, alone), cancellationToken);
    }

    private static async Task SendAsync(IBus bus, string kind, string lane, object body, Action<SendContext> describe, CancellationToken cancellationToken)
    {
        var to = await bus.GetSendEndpoint(new Uri($"{kind}:{Topology.QueueOf(lane)}")).WaitAsync(cancellationToken);
        // The client has been seen to wait for ever on a connection that broke under it.
        await to.Send(body, body.GetType(), Pipe.Execute(describe), cancellationToken).WaitAsync(cancellationToken);
    }

    private static Parcelled Parcelled(ParcelledMessage parcelled)
    {
        var message = parcelled.Message;
        return new Parcelled(message.Id, MessageUrn.ForTypeString(message.Body.GetType()), CorrelationOf(message), message.TraceId, JsonElement.Parse(parcelled.Json));
    }

    private static Guid? CorrelationOf(OutboundMessage message) => Guid.TryParseExact(message.CorrelationId, "N", out var correlation) ? correlation : null;

    private static void Describe(SendContext context, OutboundMessage message)
    {
        context.MessageId = message.Id;
        context.CorrelationId = CorrelationOf(message);
        if (message.TraceId is { } trace)
            context.Headers.Set(MessageHeaders.TraceId, trace);
        Insist(context);
    }

    /// <summary>A message for which the broker has no queue comes back, and is not lost without a word.</summary>
    private static void Insist(SendContext context)
    {
        if (context.TryGetPayload<RabbitMqSendContext>(out var rabbit))
            rabbit.Mandatory = true;
    }

    /// <summary>What cannot be written as JSON never will be.</summary>
    private static bool IsOfMessage(Exception e) => e is SerializationException or JsonException or NotSupportedException;

    private BusUnavailableException Translate(Exception e, OutboundMessage message)
    {
        if (e is MessageReturnedException)
        {
            _runner.DeclareAgain();
            return new BusUnavailableException($"The broker has no queue for '{message.Endpoint}', where the {message.Body.GetType().Name} was to go. It is declared again.", e);
        }
        return e is OperationCanceledException
            ? new BusUnavailableException($"The {message.Body.GetType().Name} to '{message.Endpoint}' was not confirmed within {_options.PublishWithin.TotalSeconds:0} s{(_runner.Status().Trouble is { } trouble ? $": {trouble}" : ".")}", e)
            : new BusUnavailableException($"The {message.Body.GetType().Name} to '{message.Endpoint}' could not be sent: {e.Message}", e);
    }
}
