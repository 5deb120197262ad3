using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Antbot.PaperVenue.Faults;
using Antbot.PaperVenue.Http;
using Antbot.PaperVenue.Journal;
using Microsoft.AspNetCore.Http;

namespace Antbot.PaperVenue.Admin;

/// <summary>What a test or an operator does to the venue itself, with a key of its own: faults, accounts, prices, and the ledger as it is.</summary>
internal sealed class AdminApi(Venue venue, FaultPlan plan, Keys keys, KeyFile files, PaperVenueOptions options, string adminKey, WrongClock clock)
{
    private const int MaxBodyBytes = 64 << 10;

    private readonly byte[] _key = Encoding.UTF8.GetBytes(adminKey);
    private readonly FaultRoutes _faults = new(venue, plan, options, clock);
    private readonly AccountRoutes _accounts = new(venue, keys, files, options);
    private readonly KeyRoutes _keys = new(venue, keys, files);
    private readonly ScenarioRoutes _scenarios = new(venue, options);

    public async Task AnswerAsync(HttpContext context)
    {
        try
        {
            var remote = context.Connection.RemoteIpAddress;
            if (!options.RemoteAdmin && (remote is null || !IPAddress.IsLoopback(remote.IsIPv4MappedToIPv6 ? remote.MapToIPv4() : remote)))
                throw new ApiException(-2015, "The admin routes answer to this machine alone.", 403);
            if (!CryptographicOperations.FixedTimeEquals(_key, Encoding.UTF8.GetBytes(context.Request.Headers["X-Admin-Key"].ToString())))
                throw new ApiException(-2015, "X-Admin-Key is missing or wrong.", 401);
            await HandleAsync(context);
        }
        catch (ApiException e)
        {
            await VenueApi.ErrorAsync(context, e.Status, e.Code, e.Message);
        }
        catch (JsonException)
        {
            await VenueApi.ErrorAsync(context, 400, -1102, "The body is no JSON object of the right form.");
        }
        catch (Exception e) when (e is VenueUnavailableException or JournalException)
        {
            await VenueApi.ErrorAsync(context, 503, -1008, e.Message);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException && context.RequestAborted.IsCancellationRequested)
        {
            // The client is gone.
        }
    }

    private async Task HandleAsync(HttpContext context)
    {
        var request = context.Request;
        var body = HttpMethods.IsPost(request.Method) ? Body.Parse(await VenueApi.ReadBodyAsync(context, MaxBodyBytes)) : Body.Empty;
        var answer = (request.Method, request.Path.Value) switch
        {
            ("GET", "/admin/status") => await StatusAsync(),
            ("GET", "/admin/faults") => Json.Write(_faults.WriteFaults),
            ("POST", "/admin/faults") => _faults.AddFault(body),
            ("DELETE", "/admin/faults") => _faults.RemoveFaults(request.Query["id"].ToString()),
            ("POST", "/admin/away") => _faults.GoAway(body),
            ("POST", "/admin/clock") => _faults.SetClockOff(body),
            ("GET", "/admin/accounts") => await _accounts.AccountsAsync(),
            ("POST", "/admin/accounts") => await _accounts.OpenAccountAsync(body),
            ("GET", "/admin/keys") => Json.Write(_keys.WriteKeys),
            ("POST", "/admin/keys") => await _keys.AddKeyAsync(body),
            ("DELETE", "/admin/keys") => _keys.RemoveKey(request.Query["apiKey"].ToString()),
            ("POST", "/admin/deposit") => await _accounts.DepositAsync(body),
            ("POST", "/admin/balances") => await _accounts.SetBalancesAsync(body),
            ("POST", "/admin/reset") => await _accounts.ResetAsync(body),
            ("POST", "/admin/market") => await _scenarios.DirectAsync(body),
            ("GET", "/admin/scenario") => await _scenarios.ScenarioAsync(),
            ("POST", "/admin/scenario") => await _scenarios.ChooseAsync(body),
            ("GET", "/admin/ledger") => null,
            _ => throw new ApiException(-1000, "There is no such admin route.", 404),
        };
        if (answer is null)
            await new LedgerRoute(venue, _accounts).LedgerAsync(context);
        else
            await VenueApi.WriteAsync(context, 200, answer);
    }

    private Task<byte[]> StatusAsync() => venue.ReadAsync((exchange, now) => Json.Write(json =>
    {
        json.WriteStartObject();
        json.Field("time", now).Field("accounts", exchange.Accounts.Count()).Field("orders", exchange.OrderCount).Field("forgotten", exchange.Forgotten)
            .Field("openOrders", exchange.Accounts.Sum(a => a.OpenOrderCount)).Field("listeners", venue.Hub.ListenerCount).Field("journalBytes", venue.JournalBytes)
            .Field("journalSyncs", venue.JournalSyncs).Field("tendFailures", venue.TendFailures);
        json.WriteString("trouble", venue.Trouble);
        json.WriteStartArray("notes");
        foreach (var note in venue.Notes)
            json.WriteStringValue(note);
        json.WriteEndArray();
        json.WriteStartObject("struck");
        foreach (var (kind, count) in plan.Struck)
            json.Field(Words.Name(kind), count);
        if (plan.FoundAway > 0)
            json.Field("away", plan.FoundAway);
        json.WriteEndObject();
        json.Field("exposed", plan.Exposed);
        json.WritePropertyName("faults");
        _faults.WriteFaults(json);
        json.WriteEndObject();
    }));
}
