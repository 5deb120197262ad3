using System.Diagnostics;
using System.Runtime.Serialization;
using MassTransit;
using MassTransit.Context;
using Microsoft.Extensions.Logging;

namespace Antbot.Messaging;

/// <summary>A delivery that cannot be worked on, whatever is done: it is dead-lettered at once.</summary>
public sealed class UnprocessableMessageException(string message) : Exception(message);

/// <summary>
/// Around everything that an endpoint does with a message: a message's own fault gives it a few more attempts, a dependency that is
/// down makes it wait without counting. What leaves here is either a cancellation (the broker gets the message back) or the
/// message's own fault (it is dead-lettered).
/// </summary>
internal sealed class Guard(string endpoint, IReadOnlySet<string> knownMessages, Gate gate, DeadLetterMove deadLetters, BusOptions options, TimeProvider clock, ILogger log) : IFilter<ConsumeContext>
{
    private const string Unknown = "unknown";

    private static readonly string ParcelType = MessageUrn.ForTypeString<Parcel>();

    /// <summary>The broker counts what it delivered; a parcel is many.</summary>
    private readonly SemaphoreSlim _underWay = new(options.Prefetch);

    public void Probe(ProbeContext context) => context.CreateFilterScope("antbot");

    public Task Send(ConsumeContext context, IPipe<ConsumeContext> next)
    {
        if (context.ReceiveContext.Body.Length is { } size && size > options.BodyBytesMax)
            throw new UnprocessableMessageException($"The message has {size:N0} bytes; {options.BodyBytesMax:N0} are the limit.");
        return context.SupportedMessageTypes.Contains(ParcelType, StringComparer.Ordinal) ? OpenAsync(context, next) : HandleAsync(context, next);
    }

    private async Task OpenAsync(ConsumeContext context, IPipe<ConsumeContext> next)
    {
        var started = clock.GetTimestamp();
        if (!context.TryGetMessage<Parcel>(out var parcel))
            throw new UnprocessableMessageException("The parcel cannot be read.");
        if (parcel.Message.Messages.Count > Parcel.MessagesTaken)
            throw new UnprocessableMessageException($"The parcel has {parcel.Message.Messages.Count:N0} messages; {Parcel.MessagesTaken:N0} are the limit.");
        var messages = parcel.Message.Messages.Select(m => ParcelContext.Of(context.ReceiveContext, m));
        // It came back: one of them may end the process each time, and the others shall not share its fate.
        await Task.WhenAll(messages.Select(m => context.ReceiveContext.Redelivered ? deadLetters.SendAloneAsync(m) : HandleAsync(m, next)));
        await context.NotifyConsumed(parcel, clock.GetElapsedTime(started), nameof(Parcel));
    }

    private async Task HandleAsync(ParcelContext message, IPipe<ConsumeContext> next)
    {
        await _underWay.WaitAsync(message.CancellationToken);
        try
        {
            if (gate.IsReleased)
                throw new OperationCanceledException("Given back to the broker: the endpoint stops.");
            await HandleAsync((ConsumeContext)message, next);
            if (!message.IsConsumed)
                await deadLetters.SkippedAsync(message);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            await deadLetters.FaultedAsync(message, e);
        }
        finally
        {
            _underWay.Release();
        }
    }

    private async Task HandleAsync(ConsumeContext context, IPipe<ConsumeContext> next)
    {
        var message = context.SupportedMessageTypes.Select(NameOf).FirstOrDefault(knownMessages.Contains) ?? Unknown;
        var started = clock.GetTimestamp();
        using var activity = Start(context, message);
        using var scope = log.BeginScope(new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["endpoint"] = endpoint,
            ["message"] = message,
            ["trade"] = context.CorrelationId?.ToString("N"),
            // The recorded one, where there is one: the events of this message bear it too.
            ["trace"] = context.Headers.Get<string>(MessageHeaders.TraceId) is { } given && Traces.TryParse(given, out _) ? given : activity?.TraceId.ToHexString(),
        });
        var faults = 0;
        var holds = 0;
        while (true)
        {
            try
            {
                await next.Send(new Attempt(context));
                gate.Passed();
                if (context.ReceiveContext.IsDelivered)
                    BusMeter.Handled(endpoint, message, clock.GetElapsedTime(started));
                return;
            }
            catch (Exception e) when (context.CancellationToken.IsCancellationRequested || gate.IsReleased)
            {
                throw GivenBack(e);
            }
            catch (Exception e) when (DependencyFaults.Find(e) is { } dependency)
            {
                BusMeter.Held(endpoint, dependency);
                log.Log(holds == 0 ? LogLevel.Information : LogLevel.Debug, "{Message} {Id} waits for '{Dependency}': {Fault}", message, context.MessageId, dependency, Texts.Cap(e.Message, Texts.Line));
                if (!await gate.HoldAsync(e, started, holds++, context.CancellationToken))
                    throw GivenBack(e);
            }
            catch (Exception e)
            {
                if (faults == options.RetryAfter.Count || e is SerializationException or UnprocessableMessageException)
                    throw Final(e);
                BusMeter.Retried(endpoint, message);
                log.LogWarning(e, "{Message} {Id} failed by its own fault, attempt {Attempt} of {Attempts}", message, context.MessageId, faults + 1, options.RetryAfter.Count + 1);
                await Task.Delay(options.RetryAfter[faults++], clock, context.CancellationToken);
            }
        }
    }

    /// <summary>Cancellations are not dead-lettered: the broker gets the message back and delivers it again.</summary>
    private static OperationCanceledException GivenBack(Exception e) => e as OperationCanceledException ?? new OperationCanceledException($"Given back to the broker: {e.Message}", e);

    /// <summary>A handler that gave up waiting for something of its own has failed; left as it is, it would be delivered again without end.</summary>
    private static Exception Final(Exception e) => e is OperationCanceledException ? new TimeoutException($"The handler gave up: {e.Message}", e) : e;

    private static string NameOf(string urn) => urn[(urn.LastIndexOf(':') + 1)..];

    private static Activity? Start(ConsumeContext context, string message)
    {
        var given = context.Headers.Get<string>(MessageHeaders.TraceId);
        // The trace id comes down from the event, years later if need be; the span that sent it is known only while a tracer listens.
        var parent = Activity.Current is null && Traces.TryParse(given, out var trace) ? Traces.ParentIn(trace) : default;
        return BusMeter.Activities.StartActivity($"handle {message}", ActivityKind.Consumer, parent);
    }

    /// <summary>One attempt. That it failed is told to nobody until it was the last one.</summary>
    private sealed class Attempt(ConsumeContext context) : ConsumeContextScope(context)
    {
        public override Task NotifyFaulted<T>(ConsumeContext<T> context, TimeSpan duration, string consumerType, Exception exception) => Task.CompletedTask;
    }
}
