using System.Diagnostics;
using System.Globalization;
using System.Runtime.ExceptionServices;
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
/// <param name="turn">What each message waits for first; null where it waits for nothing.</param>
internal sealed class Guard(string endpoint, IReadOnlySet<string> knownMessages, Gate gate, Func<ConsumeContext, CancellationToken, Task>? turn, DeadLetterMove deadLetters, BusOptions options, TimeProvider clock, ILogger log) : IFilter<ConsumeContext>
{
    private const string Unknown = "unknown";

    /// <summary>Most of what comes back does because a process was stopped; only what goes on coming back may hold one that ends processes.</summary>
    private const int ReturnsTogetherMax = 3;

    private static readonly string ParcelType = MessageUrn.ForTypeString<Parcel>();

    /// <summary>The broker counts what it delivered; a parcel is many.</summary>
    private readonly SemaphoreSlim _underWay = new(options.Prefetch);

    public void Probe(ProbeContext context) => context.CreateFilterScope("antbot");

    public Task Send(ConsumeContext context, IPipe<ConsumeContext> next)
    {
        if (context.ReceiveContext.Body.Length is { } size && size > options.BodyBytesMax)
            throw new UnprocessableMessageException($"The message has {size:N0} bytes; {options.BodyBytesMax:N0} are the limit.");
        var delivered = clock.GetTimestamp();
        return context.SupportedMessageTypes.Contains(ParcelType, StringComparer.Ordinal) ? OpenAsync(context, next, delivered) : HandleAsync(context, next, delivered, parcel: null);
    }

    private async Task OpenAsync(ConsumeContext context, IPipe<ConsumeContext> next, long delivered)
    {
        if (!context.TryGetMessage<Parcel>(out var parcel))
            throw new UnprocessableMessageException("The parcel cannot be read.");
        var messages = parcel.Message.Unpack(context.ReceiveContext);
        if (ReturnsOf(context.ReceiveContext) >= ReturnsTogetherMax)
            await SendOnAsync(messages);
        else
            await HandleAsync(messages, next, delivered, context.CancellationToken);
        await context.NotifyConsumed(parcel, clock.GetElapsedTime(delivered), nameof(Parcel));
    }

    /// <summary>One of them may end the process each time, and the others shall not share its fate.</summary>
    private async Task SendOnAsync(IReadOnlyList<ParcelContext> messages)
    {
        log.LogWarning("A parcel of {Count} messages to {Endpoint} came back {Returns} times or more: each goes on alone", messages.Count, endpoint, ReturnsTogetherMax);
        foreach (var message in messages)
            await deadLetters.SendAloneAsync(message);
    }

    private async Task HandleAsync(IReadOnlyList<ParcelContext> messages, IPipe<ConsumeContext> next, long delivered, CancellationToken cancellationToken)
    {
        using var parcel = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var faults = await Task.WhenAll(messages.Select(m => TryHandleAsync(m, next, delivered, parcel)));
        // Only now: what was moved from a parcel that goes back would be moved again.
        foreach (var (message, fault) in messages.Zip(faults))
        {
            if (fault is not null)
                await deadLetters.FaultedAsync(message, fault);
            else if (!message.IsConsumed)
                await deadLetters.SkippedAsync(message);
        }
    }

    private async Task<Exception?> TryHandleAsync(ParcelContext message, IPipe<ConsumeContext> next, long delivered, CancellationTokenSource parcel)
    {
        try
        {
            await HandleAsync(message, next, delivered, parcel);
            return null;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return e;
        }
    }

    private async Task HandleAsync(ConsumeContext context, IPipe<ConsumeContext> next, long delivered, CancellationTokenSource? parcel)
    {
        var end = parcel?.Token ?? context.CancellationToken;
        await _underWay.WaitAsync(end);
        try
        {
            // A place may come to who has just stopped waiting for it.
            end.ThrowIfCancellationRequested();
            if (gate.IsReleased)
                throw new OperationCanceledException("Given back to the broker: the endpoint stops.");
            if (turn is not null)
            {
                using var stop = CancellationTokenSource.CreateLinkedTokenSource(end, gate.Released);
                await turn(context, stop.Token);
            }
            await AttemptAsync(context, next, delivered, end);
        }
        catch (OperationCanceledException) when (parcel is not null)
        {
            // It takes its parcel with it, and so those that have not ended, before one of them has this one's place.
            await parcel.CancelAsync();
            throw;
        }
        finally
        {
            _underWay.Release();
        }
    }

    private async Task AttemptAsync(ConsumeContext context, IPipe<ConsumeContext> next, long delivered, CancellationToken end)
    {
        var message = context.SupportedMessageTypes.Select(NameOf).FirstOrDefault(knownMessages.Contains) ?? Unknown;
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
            if (await TryAsync(context, next) is not { } fault)
            {
                gate.Passed();
                if (IsTaken(context))
                    Handled(context, message, clock.GetElapsedTime(delivered));
                return;
            }
            if (end.IsCancellationRequested || gate.IsReleased)
                throw GivenBack(fault);
            if (DependencyFaults.Find(fault) is { } dependency)
            {
                BusMeter.Held(endpoint, dependency);
                log.Log(holds == 0 ? LogLevel.Information : LogLevel.Debug, "{Message} {Id} waits for '{Dependency}': {Fault}", message, context.MessageId, dependency, Texts.Cap(fault.Message, Texts.Line));
                if (!await gate.HoldAsync(fault, delivered, holds++, end))
                    throw GivenBack(fault);
                continue;
            }
            if (faults == options.RetryAfter.Count || fault is SerializationException or UnprocessableMessageException)
            {
                // As it was thrown: a stack that begins here would say nothing of what failed.
                ExceptionDispatchInfo.Throw(Attempts.Count(Final(fault), faults + 1));
            }
            BusMeter.Retried(endpoint, message);
            log.LogWarning(fault, "{Message} {Id} failed by its own fault, attempt {Attempt} of {Attempts}", message, context.MessageId, faults + 1, options.RetryAfter.Count + 1);
            await Task.Delay(options.RetryAfter[faults++], clock, end);
        }
    }

    private void Handled(ConsumeContext context, string message, TimeSpan took)
    {
        BusMeter.Handled(endpoint, message, took);
        if (log.IsEnabled(LogLevel.Debug))
            log.LogDebug("{Message} {Id} was handled in {Milliseconds:0.0} ms", message, context.MessageId, took.TotalMilliseconds);
    }

    private static async Task<Exception?> TryAsync(ConsumeContext context, IPipe<ConsumeContext> next)
    {
        var attempt = new Attempt(context);
        try
        {
            await next.Send(attempt);
            return null;
        }
        catch (Exception e)
        {
            return attempt.Fault ?? e;
        }
    }

    /// <summary>Whether anybody here took it; a type that nobody takes passes without a fault.</summary>
    private static bool IsTaken(ConsumeContext context) => context is ParcelContext parcelled ? parcelled.IsConsumed : context.ReceiveContext.IsDelivered;

    private static long ReturnsOf(ReceiveContext context) =>
        context.TryGetPayload(out RabbitMqBasicConsumeContext? delivery) && delivery.Properties.Headers?.TryGetValue("x-delivery-count", out var count) == true && count is long or int ? Convert.ToInt64(count, CultureInfo.InvariantCulture) : 0;

    /// <summary>Cancellations are not dead-lettered: the broker gets the message back and delivers it again.</summary>
    private static OperationCanceledException GivenBack(Exception e) => e as OperationCanceledException ?? new OperationCanceledException($"Given back to the broker: {e.Message}", e);

    /// <summary>A handler that gave up waiting for something of its own has failed; with a cancellation anywhere within it, it would be delivered again without end.</summary>
    private static Exception Final(Exception e) => e.GetBaseException() is OperationCanceledException ? new TimeoutException($"The handler gave up: {e.Message}") : e;

    private static string NameOf(string urn) => urn[(urn.LastIndexOf(':') + 1)..];

    private static Activity? Start(ConsumeContext context, string message)
    {
        var given = context.Headers.Get<string>(MessageHeaders.TraceId);
        // The trace id comes down from the event, years later if need be; the span that sent it is known only while a tracer listens,
        // and only where it was sent alone.
        var parent = Traces.TryParse(given, out var trace) && Activity.Current?.TraceId != trace ? Traces.ParentIn(trace) : default;
        return BusMeter.Activities.StartActivity($"handle {message}", ActivityKind.Consumer, parent);
    }

    /// <summary>One attempt. That it failed is told to nobody until it was the last one.</summary>
    private sealed class Attempt(ConsumeContext context) : ConsumeContextScope(context)
    {
        /// <summary>As it was thrown: MassTransit makes one with a cancellation deep within it into a cancelled consumer, without a cause.</summary>
        public Exception? Fault { get; private set; }

        public override Task NotifyFaulted<T>(ConsumeContext<T> context, TimeSpan duration, string consumerType, Exception exception)
        {
            Fault ??= exception;
            return Task.CompletedTask;
        }
    }
}
