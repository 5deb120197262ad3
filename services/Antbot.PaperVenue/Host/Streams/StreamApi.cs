using Antbot.PaperVenue.Faults;
using Antbot.PaperVenue.Http;
using Microsoft.AspNetCore.Http;

namespace Antbot.PaperVenue.Streams;

/// <summary>Where a WebSocket begins: <c>/ws</c>, <c>/ws/NAME[/NAME...]</c>, <c>/stream?streams=NAME/NAME</c>.</summary>
internal sealed class StreamApi(StreamHub hub, FaultPlan faults, PaperVenueOptions options, TimeProvider clock)
{
    private const int MaxNames = 1_024;

    private int _connections;

    public async Task AnswerAsync(HttpContext context)
    {
        if (faults.IsAway(out var resets))
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
        var combined = context.Request.Path.Value == "/stream";
        var names = combined ? context.Request.Query["streams"].ToString() : (context.Request.Path.Value![3..].TrimStart('/'));
        var asked = names.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var unknown = asked.Length > MaxNames || Array.Exists(asked, n => MarketMessages.Find(n, options.Rules) is null && hub.FindKey(n) is null);
        if (unknown)
        {
            await VenueApi.ErrorAsync(context, 400, -1125, "There is no such stream, or the listenKey does not exist.");
            return;
        }
        var connection = new StreamConnection(hub, options.Rules, clock, combined);
        try
        {
            if (Interlocked.Increment(ref _connections) > options.MaxStreamConnections)
            {
                await VenueApi.ErrorAsync(context, 429, -1003, "Too many WebSocket connections.");
                return;
            }
            // Before the client hears that it is connected: it misses nothing from then on.
            foreach (var name in asked)
                connection.TryListen(name);
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await connection.RunAsync(socket, context.RequestAborted);
        }
        finally
        {
            connection.Leave();
            Interlocked.Decrement(ref _connections);
        }
    }
}
