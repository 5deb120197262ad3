using System.Text.Json;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Runtime.Bus;
using RabbitMQ.Client;

namespace Antbot.Messaging;

/// <summary>
/// Sends a dead letter once more to where it was going, byte for byte under the id that it had, so that whoever decided on it before finds
/// that. A header names the letter: should it die again, it is known for that one.
/// </summary>
public sealed class DeadLetterSender(BusOptions options, BusRunner runner) : IAsyncDisposable
{
    private readonly SemaphoreSlim _oneAtATime = new(1);
    private BrokerLink? _link;

    /// <summary>Returns when the broker has confirmed it. Sending it twice is harmless.</summary>
    /// <param name="replay">What the header says.</param>
    public async Task SendAsync(string endpoint, MessageProperties properties, ReadOnlyMemory<byte> body, string replay, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.PublishWithin);
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            await (options.IsMemory ? HandOverAsync(endpoint, properties, body, replay, limit.Token) : PublishAsync(endpoint, properties, body, replay, limit.Token));
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is not JsonException)
        {
            await LetGoAsync();
            throw new BusUnavailableException($"The dead letter to '{endpoint}' was not confirmed: {e.Message}", e);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await LetGoAsync();
        _oneAtATime.Dispose();
    }

    private async Task PublishAsync(string endpoint, MessageProperties properties, ReadOnlyMemory<byte> body, string replay, CancellationToken cancellationToken)
    {
        if (_link is null or { Lost.IsCancellationRequested: true })
        {
            await LetGoAsync();
            _link = await BrokerLink.OpenAsync(BrokerAddress.Parse(options.Address), options.Name, "replays", cancellationToken);
        }
        var headers = HeaderLines.To(HeaderLines.OfTheLiving(properties.Headers));
        headers[DeadLetterHeaders.Replay] = replay;
        await _link.PublishAsync(Topology.QueueOf(endpoint), PropertiesOf(properties, headers), body, cancellationToken);
    }

    /// <summary>Within one process nothing takes bytes: it goes as the message that it is.</summary>
    private async Task HandOverAsync(string endpoint, MessageProperties properties, ReadOnlyMemory<byte> body, string replay, CancellationToken cancellationToken)
    {
        using var document = JsonDocument.Parse(body);
        var urn = document.RootElement.GetProperty("messageType")[0].GetString() ?? "";
        var type = Routes.All.Keys.FirstOrDefault(t => MassTransit.MessageUrn.ForTypeString(t) == urn) ?? throw new JsonException($"'{urn}' is no message of this build.");
        var message = document.RootElement.GetProperty("message").Deserialize(type, MessageJson.Options) ?? throw new JsonException("The message is null.");
        var (bus, _) = await runner.BusAsync(endpoint, cancellationToken);
        var to = await bus.GetSendEndpoint(new Uri($"queue:{Topology.QueueOf(endpoint)}"));
        await to.Send(
            message, type,
            MassTransit.Pipe.Execute<MassTransit.SendContext>(context =>
            {
                context.MessageId = Guid.Parse(properties.MessageId!);
                context.CorrelationId = Guid.TryParse(properties.CorrelationId, out var correlation) ? correlation : null;
                foreach (var (name, value) in HeaderLines.To(HeaderLines.OfTheLiving(properties.Headers)))
                    context.Headers.Set(name, value is byte[] text ? System.Text.Encoding.UTF8.GetString(text) : value);
                context.Headers.Set(DeadLetterHeaders.Replay, replay);
            }),
            cancellationToken);
    }

    private static BasicProperties PropertiesOf(MessageProperties p, Dictionary<string, object?> headers)
    {
        var properties = new BasicProperties { Headers = headers, Persistent = true };
        if (p.MessageId is { } messageId)
            properties.MessageId = HeaderLines.Unescape(messageId);
        if (p.CorrelationId is { } correlation)
            properties.CorrelationId = HeaderLines.Unescape(correlation);
        if (p.ContentType is { } contentType)
            properties.ContentType = HeaderLines.Unescape(contentType);
        if (p.ContentEncoding is { } encoding)
            properties.ContentEncoding = HeaderLines.Unescape(encoding);
        if (p.Type is { } type)
            properties.Type = HeaderLines.Unescape(type);
        if (p.ReplyTo is { } replyTo)
            properties.ReplyTo = HeaderLines.Unescape(replyTo);
        if (p.AppId is { } app)
            properties.AppId = HeaderLines.Unescape(app);
        if (p.Priority is { } priority)
            properties.Priority = (byte)priority;
        if (p.Timestamp is { } timestamp)
            properties.Timestamp = new AmqpTimestamp(timestamp);
        return properties;
    }

    private async Task LetGoAsync()
    {
        if (_link is not { } link)
            return;
        _link = null;
        await link.DisposeAsync();
    }
}
