using System.Text;
using System.Text.Json;
using Antbot.ConsoleService.Access;
using Antbot.Contracts;
using Antbot.ReadModels;
using Antbot.Runtime.Store;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;

namespace Antbot.ConsoleService;

/// <summary>The events as they are committed, as server-sent events. Whoever was cut off goes on after the last id it has.</summary>
internal sealed class EventRoutes(IEventStore store, ConsoleOptions options, IHostApplicationLifetime lifetime)
{
    private const int PageSize = 200;

    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(15);

    private readonly SemaphoreSlim _watchers = new(options.Watchers, options.Watchers);

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGuarded<EventRoutes>(
        new ApiRoute("GET", "/api/events", Role.Viewer, $"Events as they are committed, without an end. What an archive has is left out, and told as '{ArchiveGap.Name}'.")
        {
            Query = [("after", "the sequence after which to begin; without it what comes from now on"), ("trade", "only of this trade")],
            Answer = typeof(TimelineEntry),
            ContentType = "text/event-stream",
        },
        (r, c) => r.WatchAsync(c));

    private async Task WatchAsync(HttpContext context)
    {
        var trade = context.Request.Query["trade"].ToString() is { Length: > 0 } text ? (TradeId.TryParse(text, out var id) ? id.Value : throw Api.Invalid(TradeId.Fault(text)!)) : null;
        var after = await AfterAsync(context);
        if (!await _watchers.WaitAsync(TimeSpan.Zero))
            throw new ApiException(StatusCodes.Status429TooManyRequests, "TooMany", $"{options.Watchers} are watching already; ask again later.");
        // The server waits for the requests that are open before anything else is stopped: one that never ends would hold up all of it.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.Body.FlushAsync(stop.Token);
            await FollowAsync(context, after, trade, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Whoever watches goes on elsewhere, after the last event it has.
        }
        finally
        {
            _watchers.Release();
        }
    }

    private async Task FollowAsync(HttpContext context, long after, string? trade, CancellationToken stop)
    {
        while (true)
        {
            var mark = store.AppendMark;
            var page = await store.ReadPageAsync(after, PageSize, EventPage.EveryStream, stop);
            foreach (var watched in Watched.Of(page, trade))
                await context.Response.Body.WriteAsync(Message(watched), stop);
            if (page.Through > after)
            {
                after = page.Through;
            }
            else
            {
                await store.WaitForAppendAsync(mark, Silence, stop);
                // A line that says nothing: a connection that is gone shows when it is written to.
                if (store.AppendMark == mark)
                    await context.Response.Body.WriteAsync(": still here\n\n"u8.ToArray(), stop);
            }
            await context.Response.Body.FlushAsync(stop);
        }
    }

    private async Task<long> AfterAsync(HttpContext context)
    {
        var given = context.Request.Headers["Last-Event-ID"].ToString() is { Length: > 0 } last ? last : context.Request.Query["after"].ToString();
        if (given.Length == 0)
            return (await store.Ledger.ReadHeadAsync(context.RequestAborted)).Sequence;
        return long.TryParse(given, out var after) && after >= 0 ? after : throw Api.Invalid("'after' is the sequence of an event.");
    }

    private static byte[] Message(Watched watched) => watched.Entry is { } entry
        ? Message(entry.Sequence, entry.Type, entry)
        : Message(watched.Gap!.Through, ArchiveGap.Name, watched.Gap);

    private static byte[] Message<T>(long sequence, string name, T data) => Encoding.UTF8.GetBytes($"id: {sequence}\nevent: {name}\ndata: {JsonSerializer.Serialize(data, ReadModelJson.Options)}\n\n");
}
