using System.Net;
using Antbot.PaperVenue.Http;
using Microsoft.AspNetCore.Http;

namespace Antbot.PaperVenue.Streams;

/// <summary>Where a WebSocket begins: <c>/ws</c>, <c>/ws/NAME[/NAME...]</c>, <c>/stream?streams=NAME/NAME</c> to listen; <c>/ws-api/v3</c> to ask.</summary>
internal sealed class StreamApi(StreamHub hub, Gateway gateway, Keys keys, PaperVenueOptions options, TimeProvider clock)
{
    private const int MaxNames = 1_024;

    private int _connections;

    public async Task AnswerAsync(HttpContext context)
    {
        if (gateway.IsAway(out var resets))
        {
            if (resets)
                context.Abort();
            else
                await VenueApi.ErrorAsync(context, 503, -1001, "Internal error; unable to process your request. Please try again.");
            return;
        }
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
            if (Interlocked.Increment(ref _connections) > options.MaxStreamConnections)
            {
                await VenueApi.ErrorAsync(context, 429, -1003, "Too many WebSocket connections.");
                return;
            }
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await connection.RunAsync(socket, context.RequestAborted);
        }
        finally
        {
            connection.Leave();
            Interlocked.Decrement(ref _connections);
        }
    }

    /// <summary>Some clients number their connections where a stream's name would stand, and subscribe afterwards.</summary>
    private static bool IsNumber(string name) => name.Length <= 6 && name.All(char.IsAsciiDigit);
}
