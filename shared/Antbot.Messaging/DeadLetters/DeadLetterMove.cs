using System.Globalization;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Runtime.Bus;
using MassTransit;
using MassTransit.RabbitMqTransport;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;

namespace Antbot.Messaging;

/// <summary>
/// Moves what an endpoint cannot work on to its error queue (a fault) or its skipped queue (nobody here takes that type), with the
/// reason in MassTransit's headers. MassTransit's own move copies everything as it came, and a header too long for a frame makes
/// the broker close the connection on every message in it. On the bus within one process, which has no such queue, it is handed over to
/// be kept here and now.
/// </summary>
/// <param name="kept">Null where nobody in this process keeps dead letters.</param>
internal sealed class DeadLetterMove(string lane, string build, KeptForSure? kept, TimeProvider clock, ILogger log) : IFilter<ExceptionReceiveContext>, IFilter<ReceiveContext>
{
    private const int MessageLengthMax = 2_000;
    private const int StackLengthMax = 4_000;
    private const int HeaderBytesMax = 16 * 1024;
    private const int ReplayBytesMax = 3 * 60;

    /// <summary>The broker's own counters, and what would make it route the message elsewhere too.</summary>
    private static readonly HashSet<string> NotOurs = new(DeadLetterHeaders.Counters.Concat(["CC", "BCC"]), StringComparer.OrdinalIgnoreCase);

    private readonly string _endpoint = Topology.EndpointOf(lane);

    public void Probe(ProbeContext context) => context.CreateFilterScope("antbot-dead-letter");

    public async Task Send(ExceptionReceiveContext context, IPipe<ExceptionReceiveContext> next)
    {
        await FaultedAsync(context, context.Exception, context.ExceptionTimestamp, alone: null);
        await context.NotifyFaulted(context.Exception);
    }

    public Task Send(ReceiveContext context, IPipe<ReceiveContext> next) => SkippedAsync(context, alone: null);

    /// <summary>One of a parcel, without the others.</summary>
    public Task FaultedAsync(ParcelContext message, Exception fault) => GiveBackOnFailureAsync(() => FaultedAsync(message.ReceiveContext, fault, clock.GetUtcNow().UtcDateTime, message));

    /// <summary>One of a parcel, without the others.</summary>
    public Task SkippedAsync(ParcelContext message) => GiveBackOnFailureAsync(() => SkippedAsync(message.ReceiveContext, message));

    /// <summary>Back to where it came from, without the others of its parcel.</summary>
    public Task SendAloneAsync(ParcelContext message) => GiveBackOnFailureAsync(() => MoveAsync(message.ReceiveContext, Topology.QueueOf(lane), [], message));

    /// <summary>What could not be moved is still in its parcel, and that goes back to the broker.</summary>
    private static async Task GiveBackOnFailureAsync(Func<Task> move)
    {
        try
        {
            await move();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new OperationCanceledException($"Given back to the broker: {e.Message}", e);
        }
    }

    private async Task FaultedAsync(ReceiveContext context, Exception exception, DateTime at, ParcelContext? alone)
    {
        var fault = exception.GetBaseException();
        // The outermost says what was being done, the innermost why it could not be.
        var reason = fault == exception ? fault.Message : $"{exception.Message} {fault.Message}";
        await DieAsync(context, DeadLetterKind.Fault, new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            [DeadLetterHeaders.Reason] = "fault",
            [DeadLetterHeaders.FaultType] = Texts.Cap(fault.GetType().FullName, Texts.Line),
            [DeadLetterHeaders.FaultMessage] = Texts.Cap(reason, MessageLengthMax),
            [DeadLetterHeaders.FaultStack] = Texts.Cap(fault.StackTrace, StackLengthMax),
            [DeadLetterHeaders.FaultTime] = at.ToString("O", CultureInfo.InvariantCulture),
            [DeadLetterHeaders.Attempts] = Attempts.Of(exception),
        }, alone);
        BusMeter.DeadLettered(_endpoint, "fault");
        log.LogError(exception, "A message was dead-lettered to {Queue} by its own fault: {Fault}", Topology.ErrorQueueOf(_endpoint), Texts.Cap(reason, Texts.Line));
    }

    private async Task SkippedAsync(ReceiveContext context, ParcelContext? alone)
    {
        await DieAsync(context, DeadLetterKind.Skipped, new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            [DeadLetterHeaders.Reason] = "dead-letter",
            [DeadLetterHeaders.FaultMessage] = "No handler of this endpoint takes a message of its type.",
            [DeadLetterHeaders.FaultTime] = clock.GetUtcNow().UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
        }, alone);
        BusMeter.DeadLettered(_endpoint, "skipped");
        log.LogError("A message was dead-lettered to {Queue}: no handler of this endpoint takes its type", Topology.SkippedQueueOf(_endpoint));
    }

    private Task DieAsync(ReceiveContext context, DeadLetterKind kind, Dictionary<string, object?> headers, ParcelContext? alone)
    {
        headers[DeadLetterHeaders.InputAddress] = Topology.QueueOf(_endpoint);
        headers[DeadLetterHeaders.Build] = build;
        headers[DeadLetterHeaders.Mark] = Guid.NewGuid().ToString("N");
        var to = kind == DeadLetterKind.Skipped ? Topology.SkippedQueueOf(_endpoint) : Topology.ErrorQueueOf(_endpoint);
        return context.TryGetPayload<RabbitMqBasicConsumeContext>(out _) ? MoveAsync(context, to, headers, alone) : HandOverAsync(context, to, kind, headers, alone);
    }

    /// <summary>Nothing but this process has it: it is held for as long as it cannot be recorded.</summary>
    private async Task HandOverAsync(ReceiveContext context, string to, DeadLetterKind kind, Dictionary<string, object?> headers, ParcelContext? alone)
    {
        if (kept is null)
            return;
        foreach (var (name, value) in context.TransportHeaders.GetAll())
            headers.TryAdd(name, value);
        var properties = new MessageProperties(
            (alone?.MessageId ?? context.GetMessageId())?.ToString("D"), (alone?.CorrelationId ?? context.GetCorrelationId())?.ToString("D"), context.ContentType?.ToString(),
            null, null, null, null, null, null, null, null, null, null, HeaderLines.From(headers));
        await kept.KeepAsync(new DeadMessage(to, _endpoint, kind, properties, alone?.Alone() ?? context.GetBody()), context.CancellationToken);
    }

    private static async Task MoveAsync(ReceiveContext context, string to, Dictionary<string, object?> headers, ParcelContext? alone)
    {
        if (!context.TryGetPayload(out RabbitMqBasicConsumeContext? delivery) || !context.TryGetPayload(out ChannelContext? channel))
            throw new InvalidOperationException("The message has no channel that it could be moved on.");
        foreach (var (name, value) in HeadersOf(delivery.Properties))
            headers.TryAdd(name, value);
        var properties = new BasicProperties(delivery.Properties) { Headers = headers, Persistent = true };
        properties.ClearExpiration();
        properties.ClearUserId();
        if (alone is not null)
        {
            properties.MessageId = alone.MessageId?.ToString("D");
            properties.CorrelationId = alone.CorrelationId?.ToString("D");
        }
        await channel.BasicPublishAsync(to, "", mandatory: true, properties, alone?.Alone() ?? context.GetBody(), awaitAck: true);
    }

    private static IEnumerable<KeyValuePair<string, object?>> HeadersOf(IReadOnlyBasicProperties properties)
    {
        if (properties.Headers is not { } headers)
            return [];
        var size = 0L;
        foreach (var (name, value) in headers)
        {
            size += name.Length + SizeOf(value, depth: 0);
            if (size > HeaderBytesMax)
                return [new("antbot-headers-left-out", $"more than {HeaderBytesMax:N0} bytes in {headers.Count:N0} headers"), .. headers.Where(IsOfReplay)];
        }
        return headers.Where(h => !NotOurs.Contains(h.Key));
    }

    /// <summary>Without it a letter that was sent once more would be another one when it dies again.</summary>
    private static bool IsOfReplay(KeyValuePair<string, object?> header) => header.Key == DeadLetterHeaders.Replay && SizeOf(header.Value, depth: 0) <= ReplayBytesMax;

    private static long SizeOf(object? value, int depth) => value switch
    {
        byte[] bytes => bytes.Length,
        string text => text.Length * 3L,
        _ when depth > 8 => HeaderBytesMax,
        IDictionary<string, object?> table => table.Sum(e => e.Key.Length + SizeOf(e.Value, depth + 1)),
        System.Collections.IList list => list.Cast<object?>().Sum(e => SizeOf(e, depth + 1)),
        _ => 16,
    };
}
