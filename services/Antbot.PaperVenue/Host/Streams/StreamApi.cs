using System.Net;
using Antbot.PaperVenue.Http;
using Microsoft.AspNetCore.Http;

namespace Antbot.PaperVenue.Streams;

/// <summary>Where a WebSocket begins: <c>/ws</c>, <c>/ws/NAME[/NAME...]</c>, <c>/stream?streams=NAME/NAME</c> to listen; <c>/ws-api/v3</c> to ask.</summary>
internal sealed class StreamApi(StreamHub hub, Gateway gateway, Keys keys, PaperVenueOptions options, TimeProvider clock)
{
    private const int MaxNames = 1_024;

    public async Task AnswerAsync(HttpContext context)
    {
        if (await RefuseAwayAsync(context))
            return;
        if (!context.WebSockets.IsWebSocketRequest)
        {
            await VenueApi.ErrorAsync(context, 400, -1102, "This is for WebSockets.");
            return;
        }
        var path = context.Request.Path.Value!;
        if (path == "/ws-api/v3")
        {
            var address = context.Connection.RemoteIpAddress ?? IPAddress.None;
            await RunAsync(context, new ApiConnection(gateway, keys, hub, options, clock, address));
            return;
        }
        var combined = path == "/stream";
        var names = combined ? context.Request.Query["streams"].ToString() : path[3..].TrimStart('/');
        var asked = names.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (asked.Length > MaxNames || Array.Exists(asked, n => MarketMessages.Find(n, options.Rules) is null && hub.FindKey(n) is null && !IsNumber(n)))
        {
            await VenueApi.ErrorAsync(context, 400, -1125, "There is no such stream, or the listenKey does not exist.");
            return;
        }
        var connection = new StreamConnection(hub, options, clock, combined);
        // Before the client hears that it is connected: it misses nothing from then on.
        foreach (var name in asked)
            connection.TryListen(name);
        await RunAsync(context, connection);
    }

    private async Task RunAsync(HttpContext context, Connection connection)
    {
        try
        {
            if (!hub.TryConnect(connection, options.MaxStreamConnections))
            {
                await VenueApi.ErrorAsync(context, 429, -1003, "Too many WebSocket connections.");
                return;
            }
            // Before it was known, the venue may have gone away and cut all that were.
            if (await RefuseAwayAsync(context))
                return;
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await connection.RunAsync(socket, context.RequestAborted);
        }
        finally
        {
            connection.Leave();
            hub.Disconnect(connection);
        }
    }

    private async Task<bool> RefuseAwayAsync(HttpContext context)
    {
        if (!gateway.IsAway(out var reply))
            return false;
        if (reply is { } answer)
            await VenueApi.WriteAsync(context, answer.Status, answer.Json);
        else
            context.Abort();
        return true;
    }

    /// <summary>Some clients number their connections where a stream's name would stand, and subscribe afterwards.</summary>
    private static bool IsNumber(string name) => name.Length <= 6 && name.All(char.IsAsciiDigit);
}
