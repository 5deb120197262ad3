using System.Collections.Frozen;
using System.Net;
using Antbot.PaperVenue.Faults;
using Antbot.PaperVenue.Journal;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Antbot.PaperVenue.Http;

/// <summary>
/// Takes a request to its route, however it came: faults, limits, keys and signatures on the way, and always an answer in the API's form,
/// or none at all where a fault wants it so.
/// </summary>
internal sealed class Gateway
{
    private readonly FrozenDictionary<(string Method, string Path), Route> _routes;
    private readonly RateLimits _limits;
    private readonly FaultPlan _faults;
    private readonly Keys _keys;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;

    public Gateway(IEnumerable<(string Method, string Path, Route Route)> routes, RateLimits limits, FaultPlan faults, Keys keys, TimeProvider clock, ILogger log)
    {
        _routes = routes.ToFrozenDictionary(r => (r.Method, r.Path), r => r.Route);
        (_limits, _faults, _keys, _clock, _log) = (limits, faults, keys, clock, log);
    }

    public bool Knows(string method, string path) => _routes.ContainsKey((method, path));

    /// <param name="reply">What whoever asks is told meanwhile; null when the connection is to end without an answer.</param>
    public bool IsAway(out Reply? reply)
    {
        reply = null;
        if (!_faults.IsAway(out var resets))
            return false;
        if (!resets)
            reply = Failure(503);
        return true;
    }

    /// <param name="session">Who has logged on to the connection, with what it is about to ask with.</param>
    /// <returns>Null when the connection is to end without an answer.</returns>
    public async Task<Reply?> ReplyAsync(string method, string path, Func<Task<Parameters>> read, string? key, Caller? session, IPAddress address, Meters meters, CancellationToken cancellationToken)
    {
        if (IsAway(out var away))
            return away;
        try
        {
            return _routes.TryGetValue((method, path), out var route)
                ? await HandleAsync(route, read, key, session, address, meters, cancellationToken)
                : throw new ApiException(-1000, "There is no such endpoint.", 404);
        }
        catch (ApiException e)
        {
            return new Reply(e.Status, e.ToJson());
        }
        catch (VenueUnavailableException e)
        {
            return Error(503, -1008, $"Server is currently overloaded with other requests. Please try again in a few minutes. ({e.Message})");
        }
        catch (JournalException)
        {
            return Error(503, -1007, "Timeout waiting for response from backend server. Send status unknown; execution status unknown.");
        }
        catch (BadHttpRequestException e)
        {
            return Error(e.StatusCode, -1102, "The request could not be read.");
        }
        catch (Exception e) when (e is not (IOException or OperationCanceledException) || !cancellationToken.IsCancellationRequested)
        {
            _log.LogError(e, "{Method} {Path} failed.", method, path);
            return Error(500, -1000, "An unknown error occurred while processing the request.");
        }
    }

    private async Task<Reply?> HandleAsync(Route route, Func<Task<Parameters>> read, string? key, Caller? session, IPAddress address, Meters meters, CancellationToken cancellationToken)
    {
        var fault = _faults.Strike(route.Group);
        switch (fault?.Kind)
        {
            case FaultKind.Delay:
                await WaitAsync(fault, cancellationToken);
                break;
            case FaultKind.Drop:
                await WaitAsync(fault, cancellationToken);
                return null;
            case FaultKind.ResetBefore:
                return null;
            case FaultKind.ErrorBefore:
                return Failure(fault.Status);
            case FaultKind.RateLimit:
                return Limited(meters, fault.Status, Math.Max(1, fault.Milliseconds / 1_000));
            default:
                // It befalls what is done, or how that is answered.
                break;
        }
        var parameters = await read();
        var (used, status, retryAfter) = _limits.Use(address, route.Weight(parameters));
        meters.Weight = used;
        if (status != 200)
            return Limited(meters, status, retryAfter);
        var caller = Authenticate(route.Security, key, session, parameters);
        if (route.Orders > 0)
            CountOrders(meters, caller.Account, route.Orders);
        var call = new Call(parameters, caller, fault);
        var answer = await route.Answer(call);
        if (fault?.Kind == FaultKind.Duplicate)
            await RepeatAsync(route, call);
        switch (fault?.Kind)
        {
            case FaultKind.AcceptThenTimeout:
                await WaitAsync(fault, cancellationToken);
                return null;
            case FaultKind.ResetAfter:
                return null;
            case FaultKind.ErrorAfter:
                return Failure(fault.Status);
            case FaultKind.DelayAnswer:
                await WaitAsync(fault, cancellationToken);
                break;
            default:
                // It has befallen already.
                break;
        }
        return new Reply(200, answer);
    }

    /// <summary>The client hears of the first time alone.</summary>
    private static async Task RepeatAsync(Route route, Call call)
    {
        try
        {
            await route.Answer(call);
        }
        catch (ApiException)
        {
            // Refused the second time, as an order whose id is still open is.
        }
    }

    private Caller Authenticate(Security security, string? key, Caller? session, Parameters parameters)
    {
        if (security == Security.Open)
            return Caller.Nobody;
        var caller = security == Security.Key ? session ?? _keys.OwnerOf(key) : parameters.Find("signature") is null && session is not null ? session : _keys.Verify(key, parameters);
        if (security != Security.Key && caller == session)
            _keys.VerifyTime(parameters);
        return caller.Permissions.HasFlag(security == Security.Trade ? Permissions.Trade : Permissions.Read) ? caller : throw Keys.NotAllowed();
    }

    private void CountOrders(Meters meters, int account, int orders)
    {
        (meters.OrdersInTenSeconds, meters.OrdersToday, var exceeded) = _limits.Order(account, orders);
        // Without a Retry-After, as Binance has it: the interval says until when.
        if (exceeded is not null)
            throw new ApiException(-1015, $"Too many new orders; current limit is {exceeded}.", 429);
    }

    private static Reply Limited(Meters meters, int status, int retryAfter)
    {
        meters.RetryAfterSeconds = retryAfter;
        return Error(status, -1003, status == 418
            ? $"Way too much request weight used; IP banned for {retryAfter} more seconds. Please use WebSocket Streams for live updates to avoid bans."
            : "Too much request weight used. Please use WebSocket Streams for live updates to avoid polling the API.");
    }

    private Task WaitAsync(Fault fault, CancellationToken cancellationToken) => Task.Delay(TimeSpan.FromMilliseconds(fault.Milliseconds), _clock, cancellationToken);

    private static Reply Failure(int status) => status switch
    {
        504 => Error(status, -1007, "Timeout waiting for response from backend server. Send status unknown; execution status unknown."),
        502 or 503 => Error(status, -1001, "Internal error; unable to process your request. Please try again."),
        _ => Error(status, -1000, "An unknown error occurred while processing the request."),
    };

    private static Reply Error(int status, int code, string message) => new(status, new ApiException(code, message, status).ToJson());
}
