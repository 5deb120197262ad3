using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Runtime.Bus;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Antbot.Messaging;

/// <summary>Nothing that a bus would take can be made of it.</summary>
public sealed class UnsendableLetterException(Exception inner) : Exception($"It cannot be sent: {inner.Message}", inner);

/// <summary>
/// Sends a dead letter once more to where it was going, byte for byte under the id that it had, so that whoever decided on it before finds
/// that. A header names the letter: should it die again, it is known for that one.
/// </summary>
public sealed class DeadLetterSender(BusOptions options, BusRunner runner) : IDeadLetterSender, IAsyncDisposable
{
    /// <summary>Some brokers end the channel over a body that is too large for them, and with it what else is on it.</summary>
    private const int TogetherBytesMax = 1024 * 1024;

    private readonly SemaphoreSlim _opening = new(1);
    private readonly ByteBudget _alone = new(1);
    private BrokerLink? _link;

    public async Task SendAsync(string endpoint, MessageProperties properties, ReadOnlyMemory<byte> body, string replay, bool alone, CancellationToken cancellationToken)
    {
        var send = SendingOf(endpoint, properties, body, replay, alone || body.Length > TogetherBytesMax);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.PublishWithin);
        try
        {
            await send(limit.Token);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new BusUnavailableException($"The dead letter to '{endpoint}' was not confirmed: {e.Message}", e);
        }
    }

    public async Task<bool> TakesOthersAsync(CancellationToken cancellationToken)
    {
        // Within one process there is no other reason than that its endpoint has not begun.
        if (options.IsMemory)
            return false;
        try
        {
            await OnLinkAsync(link => link.CheckAsync(cancellationToken), cancellationToken);
            return true;
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_link is { } link)
            await LetGoAsync(link);
        _opening.Dispose();
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
    private Func<CancellationToken, Task> SendingOf(string endpoint, MessageProperties properties, ReadOnlyMemory<byte> body, string replay, bool alone)
    {
        try
        {
            return options.IsMemory ? HandingOver(endpoint, properties, body, replay) : Publishing(endpoint, properties, body, replay, alone);
        }
        catch (Exception e)
        {
            throw new UnsendableLetterException(e);
        }
    }

    private Func<CancellationToken, Task> Publishing(string endpoint, MessageProperties properties, ReadOnlyMemory<byte> body, string replay, bool alone)
    {
        var headers = HeaderLines.To(HeaderLines.OfTheLiving(properties.Headers));
        headers[DeadLetterHeaders.Replay] = replay;
        var letter = PropertiesOf(properties, headers);
        return async cancellationToken =>
        {
            using var turn = alone ? await _alone.TakeAsync(1, cancellationToken) : null;
            await OnLinkAsync(link => link.PublishAsync(Topology.QueueOf(endpoint), letter, body, alone, cancellationToken), cancellationToken);
        };
    }

    /// <summary>Within one process nothing takes bytes: it goes as the message that it is.</summary>
    private Func<CancellationToken, Task> HandingOver(string endpoint, MessageProperties properties, ReadOnlyMemory<byte> body, string replay)
    {
        var id = Guid.Parse(properties.MessageId ?? "");
        var headers = HeaderLines.To(HeaderLines.OfTheLiving(properties.Headers));
        var (type, element) = LetterMessage.Open(body);
        var message = LetterMessage.Read(type, element);
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

    /// <summary>A link on which anything fails but a message's own way is given up; what else is under way on it is sent again.</summary>
    private async Task OnLinkAsync(Func<BrokerLink, Task> act, CancellationToken cancellationToken)
    {
        var link = await LinkAsync(cancellationToken);
        try
        {
            await act(link);
        }
        catch (PublishException)
        {
            // Perhaps there is no such queue any more: whoever sends it again finds one.
            await link.DeclareAsync(cancellationToken);
            throw;
        }
        catch (Exception)
        {
            await LetGoAsync(link);
            throw;
        }
    }

    private async Task<BrokerLink> LinkAsync(CancellationToken cancellationToken)
    {
        await _opening.WaitAsync(cancellationToken);
        try
        {
            if (_link is { Lost.IsCancellationRequested: false } open)
                return open;
            if (_link is { } lost)
                await LetGoAsync(lost);
            return _link = await BrokerLink.OpenAsync(BrokerAddress.Parse(options.Address), options.Name, "replays", cancellationToken);
        }
        finally
        {
            _opening.Release();
        }
    }

    private async Task LetGoAsync(BrokerLink link)
    {
        Interlocked.CompareExchange(ref _link, null, link);
        await link.DisposeAsync();
    }
}
