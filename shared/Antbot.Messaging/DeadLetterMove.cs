using System.Globalization;
using MassTransit;
using MassTransit.RabbitMqTransport;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;

namespace Antbot.Messaging;

/// <summary>
/// Moves what an endpoint cannot work on to its error queue (a fault) or its skipped queue (nobody here takes that type), with the
/// reason in MassTransit's headers. MassTransit's own move copies everything as it came, and a header too long for a frame makes
/// the broker close the connection on every message in it.
/// </summary>
internal sealed class DeadLetterMove(string endpoint, ILogger log) : IFilter<ExceptionReceiveContext>, IFilter<ReceiveContext>
{
    private const int MessageLengthMax = 2_000;
    private const int StackLengthMax = 4_000;
    private const int HeaderBytesMax = 16 * 1024;

    /// <summary>The broker's own counters, and what would make it route the message elsewhere too.</summary>
    private static readonly HashSet<string> NotOurs = new(StringComparer.OrdinalIgnoreCase) { "x-delivery-count", "CC", "BCC" };

    public void Probe(ProbeContext context) => context.CreateFilterScope("antbot-dead-letter");

    public async Task Send(ExceptionReceiveContext context, IPipe<ExceptionReceiveContext> next)
    {
        var fault = context.Exception.GetBaseException();
        // The outermost says what was being done, the innermost why it could not be.
        var reason = fault == context.Exception ? fault.Message : $"{context.Exception.Message} {fault.Message}";
        await MoveAsync(context, Topology.ErrorQueueOf(endpoint), new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["MT-Reason"] = "fault",
            ["MT-Fault-ExceptionType"] = Texts.Cap(fault.GetType().FullName, Texts.Line),
            ["MT-Fault-Message"] = Texts.Cap(reason, MessageLengthMax),
            ["MT-Fault-StackTrace"] = Texts.Cap(fault.StackTrace, StackLengthMax),
            ["MT-Fault-Timestamp"] = context.ExceptionTimestamp.ToString("O", CultureInfo.InvariantCulture),
            ["MT-Fault-InputAddress"] = Topology.QueueOf(endpoint),
        });
        BusMeter.DeadLettered(endpoint, "fault");
        log.LogError(context.Exception, "A message was dead-lettered to {Queue} by its own fault: {Fault}", Topology.ErrorQueueOf(endpoint), Texts.Cap(reason, Texts.Line));
        await context.NotifyFaulted(context.Exception);
    }

    public async Task Send(ReceiveContext context, IPipe<ReceiveContext> next)
    {
        await MoveAsync(context, Topology.SkippedQueueOf(endpoint), new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["MT-Reason"] = "dead-letter",
            ["MT-Fault-Message"] = "No handler of this endpoint takes a message of its type.",
            ["MT-Fault-InputAddress"] = Topology.QueueOf(endpoint),
        });
        BusMeter.DeadLettered(endpoint, "skipped");
        log.LogError("A message was dead-lettered to {Queue}: no handler of this endpoint takes its type", Topology.SkippedQueueOf(endpoint));
    }

    private static async Task MoveAsync(ReceiveContext context, string to, Dictionary<string, object?> reason)
    {
        // Within one process there is no queue to keep it in: the log line is what is left of it.
        if (!context.TryGetPayload(out RabbitMqBasicConsumeContext? delivery) || !context.TryGetPayload(out ChannelContext? channel))
            return;
        foreach (var (name, value) in HeadersOf(delivery.Properties))
            reason.TryAdd(name, value);
        var properties = new BasicProperties(delivery.Properties) { Headers = reason, Persistent = true };
        properties.ClearExpiration();
        properties.ClearUserId();
        await channel.BasicPublishAsync(to, "", mandatory: true, properties, context.GetBody(), awaitAck: true);
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
                return [new("antbot-headers-left-out", $"more than {HeaderBytesMax:N0} bytes in {headers.Count:N0} headers")];
        }
        return headers.Where(h => !NotOurs.Contains(h.Key));
    }

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
