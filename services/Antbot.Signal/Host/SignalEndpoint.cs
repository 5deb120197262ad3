using System.Globalization;
using Antbot.Hosting;
using Antbot.Runtime.Store;
using Antbot.Signals.Core.Webhook;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;

namespace Antbot.Signals;

/// <summary>The HTTP edge of <c>POST /signals</c>. Nothing of a body is read before its sender is known and has its turn.</summary>
public sealed class SignalEndpoint(ApiKeys keys, Admission admission, WebhookIntake intake, TimeProvider clock, ILogger<SignalEndpoint> log)
{
    private static readonly TimeSpan BodyWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan WhenDown = TimeSpan.FromSeconds(2);

    public async Task HandleAsync(HttpContext context)
    {
        if (keys.NameOf(context.Request) is not { } caller)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            await SayAsync(context, StatusCodes.Status401Unauthorized, keys.IsEmpty
                ? "No API key has been configured here, so nobody gets in: set ANTBOT_SIGNAL__APIKEY or ANTBOT_SIGNAL__APIKEY_FILE."
                : $"A known API key is needed, in the header {ApiKeys.Header} or as Authorization: Bearer.");
            return;
        }
        if (!IsJson(context.Request.ContentType))
        {
            await SayAsync(context, StatusCodes.Status415UnsupportedMediaType, "The body is JSON in UTF-8: Content-Type: application/json.");
            return;
        }
        if (context.Request.ContentLength > WebhookSignal.BytesMax)
        {
            await SayTooLargeAsync(context);
            return;
        }
        if (admission.Refuse(caller) is { } wait)
        {
            await SayLaterAsync(context, StatusCodes.Status429TooManyRequests, "More signals than are taken from this key.", wait);
            return;
        }
        var (pass, retryAfter) = await admission.EnterAsync(context.RequestAborted);
        if (pass is null)
        {
            await SayLaterAsync(context, StatusCodes.Status429TooManyRequests, "Too many signals wait already.", retryAfter);
            return;
        }
        using (pass)
            await TakeAsync(context, caller);
    }

    private async Task TakeAsync(HttpContext context, string caller)
    {
        if (await ReadAsync(context) is not { } body)
            return;
        try
        {
            // What has been taken in is recorded even if the sender hangs up now.
            switch (await intake.TakeAsync(caller, body, context.Request.Headers["Idempotency-Key"].ToString(), CancellationToken.None))
            {
                case IntakeAnswer.Accepted accepted:
                    await Results.Json(new { tradeId = accepted.Trade.Value }, statusCode: StatusCodes.Status202Accepted).ExecuteAsync(context);
                    break;
                case IntakeAnswer.Conflicting conflicting:
                    await SayAsync(context, StatusCodes.Status409Conflict, $"This idempotency key was used for another body, which became trade {conflicting.Trade}. Send a new key with a new wish.");
                    break;
                case IntakeAnswer.Refused refused:
                    await SayLaterAsync(
                        context, StatusCodes.Status429TooManyRequests, "More signals wait than can be entered in time, so this one was not taken; sent later, under the same key or another, it is a new one.", refused.Again);
                    break;
                case IntakeAnswer.NoPriceYet silent:
                    await SayLaterAsync(context, StatusCodes.Status503ServiceUnavailable, $"The market's price of {silent.Symbol} is not known at the moment; send the same again, or name a price.", WhenDown);
                    break;
                case IntakeAnswer.Faulty faulty:
                    await Results.Json(new { error = "The signal has faults.", faults = faulty.Faults }, statusCode: StatusCodes.Status400BadRequest).ExecuteAsync(context);
                    break;
                case var other:
                    throw new InvalidOperationException($"Nobody is answered with {other}.");
            }
        }
        catch (EventStoreException e)
        {
            log.LogError("A signal could not be recorded ({Fault}): {Reason}", e.Fault, e.Message);
            await SayLaterAsync(context, StatusCodes.Status503ServiceUnavailable, "The signal could not be recorded; send the same again.", WhenDown);
        }
    }

    /// <summary>Null where the answer has been given.</summary>
    private async Task<ReadOnlyMemory<byte>?> ReadAsync(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = WebhookSignal.BytesMax;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        using var timer = clock.CreateTimer(static source => ((CancellationTokenSource)source!).Cancel(), limit, BodyWithin, Timeout.InfiniteTimeSpan);
        using var body = new MemoryStream((int)(context.Request.ContentLength ?? 1_024));
        try
        {
            var buffer = new byte[4_096];
            int read;
            while ((read = await context.Request.Body.ReadAsync(buffer, limit.Token)) > 0)
            {
                if (body.Length + read > WebhookSignal.BytesMax)
                {
                    await SayTooLargeAsync(context);
                    return null;
                }
                body.Write(buffer, 0, read);
            }
            return body.ToArray();
        }
        catch (BadHttpRequestException e)
        {
            if (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
                await SayTooLargeAsync(context);
            else
                await SayAsync(context, e.StatusCode, "The body could not be read.");
            return null;
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            context.Response.Headers.Connection = "close";
            await SayAsync(context, StatusCodes.Status408RequestTimeout, $"The body did not come within {BodyWithin.TotalSeconds:0} s.");
            return null;
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The sender is gone; nobody hears an answer.
            return null;
        }
    }

    private static bool IsJson(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && (type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase) || type.MediaType.Equals("text/json", StringComparison.OrdinalIgnoreCase)
            || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase))
        && (type.Charset.Length == 0 || type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase) || type.Charset.Equals("\"utf-8\"", StringComparison.OrdinalIgnoreCase));

    private static Task SayTooLargeAsync(HttpContext context)
    {
        context.Response.Headers.Connection = "close";
        return SayAsync(context, StatusCodes.Status413PayloadTooLarge, $"A signal has at most {WebhookSignal.BytesMax} bytes.");
    }

    private static Task SayLaterAsync(HttpContext context, int status, string error, TimeSpan wait)
    {
        context.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        return SayAsync(context, status, error);
    }

    private static Task SayAsync(HttpContext context, int status, string error) => Results.Json(new { error }, statusCode: status).ExecuteAsync(context);
}
