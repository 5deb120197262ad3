using System.Text.Json;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Runtime.Bus;
using RabbitMQ.Client;

namespace Antbot.Messaging;

/// <summary>Nothing that a bus would take can be made of it.</summary>
public sealed class UnsendableLetterException(Exception inner) : Exception($"It cannot be sent: {inner.Message}", inner);

/// <summary>
/// Sends a dead letter once more to where it was going, byte for byte under the id that it had, so that whoever decided on it before finds
/// that. A header names the letter: should it die again, it is known for that one.
/// </summary>
public sealed class DeadLetterSender(BusOptions options, BusRunner runner) : IDeadLetterSender, IAsyncDisposable
{
    private readonly SemaphoreSlim _oneAtATime = new(1);
    private BrokerLink? _link;

    public async Task SendAsync(string endpoint, MessageProperties properties, ReadOnlyMemory<byte> body, string replay, CancellationToken cancellationToken)
    {
        var send = SendingOf(endpoint, properties, body, replay);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.PublishWithin);
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            await send(limit.Token);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            await LetGoAsync();
            throw new BusUnavailableException($"The dead letter to '{endpoint}' was not confirmed: {e.Message}", e);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    public async Task<bool> TakesOthersAsync(CancellationToken cancellationToken)
    {
        // Within one process there is no other reason than that its endpoint has not begun.
        if (options.IsMemory)
            return false;
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            await (await LinkAsync(cancellationToken)).CheckAsync(cancellationToken);
            return true;
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            await LetGoAsync();
            return false;
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

    /// <summary>A null is no property: it does not go on the wire.</summary>
    internal static BasicProperties PropertiesOf(MessageProperties p, Dictionary<string, object?> headers) => new()
    {
        Headers = headers,
        Persistent = true,
        MessageId = Unescape(p.MessageId),
        CorrelationId = Unescape(p.CorrelationId),
        ContentType = Unescape(p.ContentType),
        ContentEncoding = Unescape(p.ContentEncoding),
        Type = Unescape(p.Type),
        ReplyTo = Unescape(p.ReplyTo),
        AppId = Unescape(p.AppId),
        Priority = (byte)(p.Priority ?? 0),
        Timestamp = new AmqpTimestamp(p.Timestamp ?? 0),
    };

    private static string? Unescape(string? text) => text is null ? null : HeaderLines.Unescape(text);

    /// <summary>Made of the letter before anything is asked of the bus: what fails here is the letter's own fault.</summary>
    private Func<CancellationToken, Task> SendingOf(string endpoint, MessageProperties properties, ReadOnlyMemory<byte> body, string replay)
    {
        try
        {
            return options.IsMemory ? HandingOver(endpoint, properties, body, replay) : Publishing(endpoint, properties, body, replay);
        }
        catch (Exception e)
        {
            throw new UnsendableLetterException(e);
        }
    }

    private Func<CancellationToken, Task> Publishing(string endpoint, MessageProperties properties, ReadOnlyMemory<byte> body, string replay)
    {
        var headers = HeaderLines.To(HeaderLines.OfTheLiving(properties.Headers));
        headers[DeadLetterHeaders.Replay] = replay;
        var letter = PropertiesOf(properties, headers);
        return async cancellationToken => await (await LinkAsync(cancellationToken)).PublishAsync(Topology.QueueOf(endpoint), letter, body, cancellationToken);
    }

    /// <summary>Within one process nothing takes bytes: it goes as the message that it is.</summary>
    private Func<CancellationToken, Task> HandingOver(string endpoint, MessageProperties properties, ReadOnlyMemory<byte> body, string replay)
    {
        var id = Guid.Parse(properties.MessageId ?? "");
        var headers = HeaderLines.To(HeaderLines.OfTheLiving(properties.Headers));
        using var document = JsonDocument.Parse(body);
        var urn = document.RootElement.GetProperty("messageType")[0].GetString() ?? "";
        var type = Routes.All.Keys.FirstOrDefault(t => MassTransit.MessageUrn.ForTypeString(t) == urn) ?? throw new JsonException($"'{urn}' is no message of this build.");
        var message = document.RootElement.GetProperty("message").Deserialize(type, MessageJson.Options) ?? throw new JsonException("The message is null.");
        var how = MassTransit.Pipe.Execute<MassTransit.SendContext>(context =>
        {
            context.MessageId = id;
            context.CorrelationId = Guid.TryParse(properties.CorrelationId, out var correlation) ? correlation : null;
            foreach (var (name, value) in headers)
                context.Headers.Set(name, value is byte[] text ? System.Text.Encoding.UTF8.GetString(text) : value);
            context.Headers.Set(DeadLetterHeaders.Replay, replay);
        });
        return async cancellationToken =>
        {
            var (bus, _) = await runner.BusAsync(endpoint, cancellationToken);
            var to = await bus.GetSendEndpoint(new Uri($"queue:{Topology.QueueOf(endpoint)}"));
            await to.Send(message, type, how, cancellationToken);
        };
    }

    private async Task<BrokerLink> LinkAsync(CancellationToken cancellationToken)
    {
        if (_link is { Lost.IsCancellationRequested: false } link)
            return link;
        await LetGoAsync();
        return _link = await BrokerLink.OpenAsync(BrokerAddress.Parse(options.Address), options.Name, "replays", cancellationToken);
    }

    private async Task LetGoAsync()
    {
        if (_link is not { } link)
            return;
        _link = null;
        await link.DisposeAsync();
    }
}
