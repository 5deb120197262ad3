using System.Text.Json;
using Antbot.PaperVenue.Http;
using Microsoft.AspNetCore.Http;

namespace Antbot.PaperVenue.Admin;

/// <summary>Everything that is remembered, as it is.</summary>
internal sealed class LedgerRoute(Venue venue, AccountRoutes routes)
{
    private const int LedgerPage = 500;

    private VenueRules Rules => venue.Rules;

    /// <summary>Every account, order and fill that is remembered, a line each: for whoever wants to check what a client says of itself.</summary>
    public async Task LedgerAsync(HttpContext context)
    {
        context.Response.ContentType = "application/x-ndjson";
        var (accounts, forgotten, last) = await venue.ReadAsync((exchange, _) =>
            (exchange.Accounts.Append(exchange.House).Select(a => Line("account", json => routes.WriteAccount(json, a))).ToList(), exchange.Forgotten, exchange.OrderCount));
        await context.Response.Body.WriteAsync(Line("ledger", json =>
        {
            json.WriteStartObject();
            json.Field("forgotten", forgotten);
            json.WriteEndObject();
        }));
        foreach (var line in accounts)
            await context.Response.Body.WriteAsync(line);
        for (var from = 1L; from <= last; from += LedgerPage)
        {
            var lines = await venue.ReadAsync((exchange, _) => exchange.OrdersFrom(from).TakeWhile(o => o.Id < from + LedgerPage).SelectMany(Lines).ToList());
            foreach (var line in lines)
                await context.Response.Body.WriteAsync(line, context.RequestAborted);
        }
    }

    private IEnumerable<byte[]> Lines(Order order) =>
        order.Fills.Select(f => Line("fill", json => json.WriteFill(f, Rules), order.Account)).Prepend(Line("order", json => json.WriteOrder(order), order.Account));

    private static byte[] Line(string kind, Action<Utf8JsonWriter> write, Account? account = null)
    {
        var line = Json.Write(json =>
        {
            json.WriteStartObject();
            json.Field("kind", kind);
            if (account is not null)
                json.Field("account", account.Name);
            json.WritePropertyName("entry");
            write(json);
            json.WriteEndObject();
        });
        return [.. line, (byte)'\n'];
    }
}
