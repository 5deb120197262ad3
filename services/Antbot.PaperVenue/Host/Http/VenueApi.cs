using System.Collections.Frozen;
using System.Net;
using System.Text;
using Antbot.PaperVenue.Faults;
using Antbot.PaperVenue.Journal;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Antbot.PaperVenue.Http;

/// <summary>Takes a request to its route: limits, faults, keys and signatures on the way, and always an answer in the API's form.</summary>
internal sealed class VenueApi
{
    private const int MaxBodyBytes = 16 << 10;

    private readonly FrozenDictionary<(string Method, string Path), Route> _routes;
    private readonly RateLimits _limits;
    private readonly FaultPlan _faults;
    private readonly Keys _keys;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;

    public VenueApi(IEnumerable<(string Method, string Path, Route Route)> routes, RateLimits limits, FaultPlan faults, Keys keys, TimeProvider clock, ILogger log)
    {
        _routes = routes.ToFrozenDictionary(r => (r.Method, r.Path), r => r.Route);
        (_limits, _faults, _keys, _clock, _log) = (limits, faults, keys, clock, log);
    }

    public async Task AnswerAsync(HttpContext context)
    {
        try
        {
            await HandleAsync(context);
        }
        catch (ApiException e)
        {
            await ErrorAsync(context, e.Status, e.Code, e.Message);
        }
        catch (VenueUnavailableException e)
        {
            await ErrorAsync(context, 503, -1008, $"Server is currently overloaded with other requests. Please try again in a few minutes. ({e.Message})");
        }
        catch (JournalException)
        {
            await ErrorAsync(context, 503, -1007, "Timeout waiting for response from backend server. Send status unknown; execution status unknown.");
        }
        catch (BadHttpRequestException e)
        {
            await ErrorAsync(context, e.StatusCode, -1102, "The request could not be read.");
        }
        catch (Exception e) when (e is OperationCanceledException or IOException && context.RequestAborted.IsCancellationRequested)
        {
            // The client is gone.
        }
        catch (Exception e)
        {
            _log.LogError(e, "{Method} {Path} failed.", context.Request.Method, context.Request.Path.Value);
            await ErrorAsync(context, 500, -1000, "An unknown error occurred while processing the request.");
        }
    }

    public static async Task WriteAsync(HttpContext context, int status, ReadOnlyMemory<byte> json)
    {
        var response = context.Response;
        if (response.HasStarted || context.RequestAborted.IsCancellationRequested)
            return;
        response.StatusCode = status;
        response.ContentType = "application/json;charset=UTF-8";
        response.ContentLength = json.Length;
        await response.Body.WriteAsync(json);
    }

    public static Task ErrorAsync(HttpContext context, int status, int code, string message) => WriteAsync(context, status, Json.Write(json =>
    {
        json.WriteStartObject();
        json.Field("code", code).Field("msg", message);
        json.WriteEndObject();
    }));

    /// <summary>A body of at most so many bytes as text; more is refused.</summary>
    public static async Task<string> ReadBodyAsync(HttpContext context, int most)
    {
        var request = context.Request;
        if (request.ContentLength > most)
            throw new ApiException(-1102, $"The body is larger than {most} bytes.", 413);
        if (request.ContentLength is null or 0 && !request.Headers.TransferEncoding.Contains("chunked"))
            return "";
        var buffer = new byte[(int)(request.ContentLength ?? most) + 1];
        var length = 0;
        while (length < buffer.Length && await request.Body.ReadAsync(buffer.AsMemory(length), context.RequestAborted) is > 0 and var read)
            length += read;
        return length > most ? throw new ApiException(-1102, $"The body is larger than {most} bytes.", 413) : Encoding.UTF8.GetString(buffer, 0, length);
    }

    private async Task HandleAsync(HttpContext context)
    {
        if (_faults.IsAway(out var resets))
        {
            if (resets)
                context.Abort();
            else
                await ErrorAsync(context, 503, -1001, "Internal error; unable to process your request. Please try again.");
            return;
        }
        var request = context.Request;
        if (!_routes.TryGetValue((request.Method, request.Path.Value ?? ""), out var route))
        {
            await ErrorAsync(context, 404, -1000, "There is no such endpoint.");
            return;
        }
        var fault = _faults.Strike(route.Group);
        if (fault is not null && await StrikesFirstAsync(context, fault))
            return;

        var form = HttpMethods.IsGet(request.Method) ? "" : await ReadBodyAsync(context, MaxBodyBytes);
        var parameters = Parameters.Parse(request.QueryString.Value is { Length: > 1 } query ? query[1..] : "", form);
        if (!await MayAsync(context, route.Weight(parameters)))
            return;
        var key = request.Headers["X-MBX-APIKEY"].ToString();
        var account = route.Security switch
        {
            Security.Signed => _keys.Verify(key, parameters),
            Security.Key => _keys.AccountOf(key),
            Security.Open => 0,
        };
        if (route.Group == RouteGroup.Order)
            CountOrder(context, account);
        var answer = await route.Answer(new Call(parameters, account, fault));
        if (fault is null || !await StrikesLastAsync(context, fault))
            await WriteAsync(context, 200, answer);
    }

    private async Task<bool> MayAsync(HttpContext context, int weight)
    {
        var (used, status, retryAfter) = _limits.Use(context.Connection.RemoteIpAddress ?? IPAddress.None, weight);
        context.Response.Headers["X-MBX-USED-WEIGHT"] = context.Response.Headers["X-MBX-USED-WEIGHT-1M"] = used.ToString();
        if (status == 200)
            return true;
        await LimitAsync(context, status, retryAfter);
        return false;
    }

    private static Task LimitAsync(HttpContext context, int status, int retryAfter)
    {
        context.Response.Headers.RetryAfter = retryAfter.ToString();
        return ErrorAsync(context, status, -1003, status == 418
            ? $"Way too much request weight used; IP banned for {retryAfter} more seconds. Please use WebSocket Streams for live updates to avoid bans."
            : "Too much request weight used. Please use WebSocket Streams for live updates to avoid polling the API.");
    }

    private void CountOrder(HttpContext context, int account)
    {
        var (inTenSeconds, today, tooMany) = _limits.Order(account);
        context.Response.Headers["X-MBX-ORDER-COUNT-10S"] = inTenSeconds.ToString();
        context.Response.Headers["X-MBX-ORDER-COUNT-1D"] = today.ToString();
        if (!tooMany)
            return;
        context.Response.Headers.RetryAfter = "10";
        throw new ApiException(-1015, "Too many new orders; the limit is for 10 seconds.", 429);
    }

    /// <summary>Whether it has taken the request's place; what only delays it has not.</summary>
    private async Task<bool> StrikesFirstAsync(HttpContext context, Fault fault)
    {
        switch (fault.Kind)
        {
            case FaultKind.Delay:
                await Task.Delay(TimeSpan.FromMilliseconds(fault.Milliseconds), _clock, context.RequestAborted);
                return false;
            case FaultKind.Drop:
                await HoldAsync(context, fault);
                return true;
            case FaultKind.ResetBefore:
                context.Abort();
                return true;
            case FaultKind.ErrorBefore:
                await FailAsync(context, fault.Status);
                return true;
            case FaultKind.RateLimit:
                await LimitAsync(context, fault.Status, Math.Max(1, fault.Milliseconds / 1_000));
                return true;
            default:
                return false;
        }
    }

    private async Task<bool> StrikesLastAsync(HttpContext context, Fault fault)
    {
        switch (fault.Kind)
        {
            case FaultKind.AcceptThenTimeout:
                await HoldAsync(context, fault);
                return true;
            case FaultKind.ResetAfter:
                context.Abort();
                return true;
            case FaultKind.ErrorAfter:
                await FailAsync(context, fault.Status);
                return true;
            case FaultKind.DelayAnswer:
                await Task.Delay(TimeSpan.FromMilliseconds(fault.Milliseconds), _clock, context.RequestAborted);
                return false;
            default:
                return false;
        }
    }

    private async Task HoldAsync(HttpContext context, Fault fault)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(fault.Milliseconds), _clock, context.RequestAborted);
        context.Abort();
    }

    private static Task FailAsync(HttpContext context, int status) => status switch
    {
        504 => ErrorAsync(context, status, -1007, "Timeout waiting for response from backend server. Send status unknown; execution status unknown."),
        502 or 503 => ErrorAsync(context, status, -1001, "Internal error; unable to process your request. Please try again."),
        _ => ErrorAsync(context, status, -1000, "An unknown error occurred while processing the request."),
    };
}
