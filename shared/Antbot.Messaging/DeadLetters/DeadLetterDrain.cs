using System.Collections.Frozen;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Pipeline;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Antbot.Messaging;

/// <summary>
/// Takes what lies in the queues of dead letters and hands it over to be kept. Each is recorded first and acknowledged then: killed in
/// between it comes again, and is found recorded.
/// </summary>
public sealed class DeadLetterDrain(BusOptions options, IDeadLetters letters, ICrashPoints crashPoints, TimeProvider clock, ILogger<DeadLetterDrain> log)
{
    /// <summary>Of each queue, at once. The appends of all are committed together.</summary>
    private const ushort TakenMax = 8;

    /// <summary>
    /// Of the bodies of all queues that are being recorded: each is copied several times on the way. The broker knows no limit in bytes, so
    /// that what it has sent ahead lies in the client's buffers beside them.
    /// </summary>
    internal const int BytesMax = 32 * 1024 * 1024;

    private static readonly FrozenDictionary<string, (string Endpoint, DeadLetterKind Kind)> Sources = Topology.Lanes
        .Select(l => (Queue: Topology.QueueOf(l), Endpoint: Topology.EndpointOf(l), Kind: DeadLetterKind.Broker))
        .Concat(Routes.Endpoints.SelectMany(e => new (string Queue, string Endpoint, DeadLetterKind Kind)[] { (Topology.ErrorQueueOf(e), e, DeadLetterKind.Fault), (Topology.SkippedQueueOf(e), e, DeadLetterKind.Skipped) }))
        .ToFrozenDictionary(s => s.Queue, s => (s.Endpoint, s.Kind), StringComparer.Ordinal);

    private readonly KeptForSure _kept = new(letters, clock, log);
    private readonly ByteBudget _budget = new(BytesMax);

    /// <summary>How many were taken and could not be recorded yet.</summary>
    public int Waiting => _kept.Waiting;

    /// <summary>Until it is cancelled, or the broker has gone: then it throws, and is begun again.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (options.IsMemory)
        {
            // There they are handed over where they die: see DeadLetterMove.
            await Task.Delay(Timeout.InfiniteTimeSpan, clock, cancellationToken);
            return;
        }
        await using var link = await BrokerLink.OpenAsync(BrokerAddress.Parse(options.Address), options.Name, "dead letters", cancellationToken);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, link.Lost);
        var ended = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        foreach (var queue in Sources.Where(s => s.Value.Kind != DeadLetterKind.Broker).Select(s => s.Key).Append(Topology.DeadLetters))
            await ConsumeAsync(link, queue, ended, end.Token);
        log.LogInformation("Dead letters are taken from every queue of them");
        await ((Task)ended.Task).WaitAsync(end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        await end.CancelAsync();
        throw new BusUnavailableException($"Dead letters are not taken: {(ended.Task.IsCompleted ? await ended.Task : link.Reason)}");
    }

    /// <summary>What lay in the broker's own queue died somewhere else: among the dead letters of an endpoint even, given back too often.</summary>
    internal static DeadMessage MessageOf(string queue, IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body)
    {
        var headers = properties.Headers;
        var from = queue == Topology.DeadLetters ? LastDeathIn(headers) : queue;
        var (endpoint, kind) = Sources.GetValueOrDefault(from, ("", DeadLetterKind.Broker));
        var lay = kind == DeadLetterKind.Broker ? Topology.DeadLetters : from;
        return new DeadMessage(lay, endpoint, kind, PropertiesOf(properties), body.ToArray());
    }

    private static MessageProperties PropertiesOf(IReadOnlyBasicProperties p) => new(
        p.IsMessageIdPresent() ? Text(p.MessageId) : null,
        p.IsCorrelationIdPresent() ? Text(p.CorrelationId) : null,
        p.IsContentTypePresent() ? Text(p.ContentType) : null,
        p.IsContentEncodingPresent() ? Text(p.ContentEncoding) : null,
        p.IsTypePresent() ? Text(p.Type) : null,
        p.IsReplyToPresent() ? Text(p.ReplyTo) : null,
        p.IsExpirationPresent() ? Text(p.Expiration) : null,
        p.IsUserIdPresent() ? Text(p.UserId) : null,
        p.IsAppIdPresent() ? Text(p.AppId) : null,
        p.IsClusterIdPresent() ? Text(p.ClusterId) : null,
        p.IsDeliveryModePresent() ? (int)p.DeliveryMode : null,
        p.IsPriorityPresent() ? p.Priority : null,
        p.IsTimestampPresent() ? p.Timestamp.UnixTime : null,
        HeaderLines.From(p.Headers ?? Enumerable.Empty<KeyValuePair<string, object?>>()));

    private static string Text(string? text) => HeaderLines.Escape(text ?? "");

    private static string LastDeathIn(IDictionary<string, object?>? headers) =>
        headers?.TryGetValue(DeadLetterHeaders.Deaths, out var deaths) == true && deaths is System.Collections.IList { Count: > 0 } all && all[0] is IDictionary<string, object?> last
        && last.TryGetValue("queue", out var queue) && queue is byte[] name
            ? System.Text.Encoding.UTF8.GetString(name)
            : "";

    private async Task ConsumeAsync(BrokerLink link, string queue, TaskCompletionSource<string> ended, CancellationToken end)
    {
        var channel = await link.OpenChannelAsync(TakenMax, end);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, delivery) => TakeAsync(channel, queue, delivery, ended, end);
        channel.ChannelShutdownAsync += (_, why) => End(ended, $"{queue}: {why.ReplyText}");
        // Whoever deletes the queue cancels whoever consumes it, and nothing else is heard of it.
        consumer.UnregisteredAsync += (_, _) => End(ended, $"{queue} was deleted");
        await channel.BasicConsumeAsync(queue, autoAck: false, consumer, end);
    }

    private async Task TakeAsync(IChannel channel, string queue, BasicDeliverEventArgs delivery, TaskCompletionSource<string> ended, CancellationToken end)
    {
        try
        {
            await TakeAsync(queue, delivery.BasicProperties, delivery.Body, token => channel.BasicAckAsync(delivery.DeliveryTag, multiple: false, token), end);
        }
        catch (Exception) when (end.IsCancellationRequested)
        {
            // Not acknowledged: it comes again.
        }
        catch (Exception e)
        {
            await End(ended, e.Message);
        }
    }

    /// <summary>One of them, whoever brings it.</summary>
    internal async Task TakeAsync(string queue, IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body, Func<CancellationToken, ValueTask> acknowledge, CancellationToken end)
    {
        using var room = await _budget.TakeAsync(body.Length, end);
        await _kept.KeepAsync(MessageOf(queue, properties, body), end);
        crashPoints.Reach("dead-letters.after-append");
        await acknowledge(end);
    }

    private static Task End(TaskCompletionSource<string> ended, string why)
    {
        ended.TrySetResult(why);
        return Task.CompletedTask;
    }
}
