using System.Collections.Concurrent;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Antbot.Integration.Tests.Venues.Conformance;

/// <param name="Query">The parameters, from wherever they came, as they were sent.</param>
internal sealed record FrontRequest(string Method, string Path, string Query, string? ApiKey)
{
    private readonly Dictionary<string, string> _parameters = Query.Split('&', StringSplitOptions.RemoveEmptyEntries)
        .Select(p => p.Split('=', 2)).ToDictionary(p => p[0], p => Uri.UnescapeDataString(p.Length > 1 ? p[1] : ""), StringComparer.Ordinal);

    public string this[string name] => _parameters.GetValueOrDefault(name, "");

    public bool Is(string method, string path) => Method == method && Path == path;
}

internal sealed record FrontReply(int Status, byte[] Body)
{
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public static FrontReply Of(int status, string body, params (string Name, string Value)[] headers) =>
        new(status, Encoding.UTF8.GetBytes(body)) { Headers = headers.ToDictionary(h => h.Name, h => h.Value, StringComparer.Ordinal) };
}

/// <summary>
/// What stands before a venue in these tests: it passes on what is asked and answered, keeps both, and goes wrong as it is told, in ways
/// in which no venue can be made to go wrong by asking it.
/// </summary>
internal sealed class VenueFront : IAsyncDisposable
{
    private readonly WebApplication _web;
    private readonly Func<FrontRequest, Task<FrontReply>> _venue;
    private readonly Func<string, WebSocket, CancellationToken, Task> _speak;
    private Func<FrontRequest, HttpContext, Task<bool>>? _before;
    private Func<FrontRequest, FrontReply, FrontReply>? _after;

    private VenueFront(WebApplication web, Func<FrontRequest, Task<FrontReply>> venue, Func<string, WebSocket, CancellationToken, Task> speak) => (_web, _venue, _speak) = (web, venue, speak);

    public Uri Address => new(_web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    public ConcurrentQueue<FrontRequest> Asked { get; } = new();

    /// <summary>What the venue itself answered last.</summary>
    public FrontReply? Answered { get; private set; }

    /// <param name="speak">What the venue says in the streams that are named, with a slash between; null where it has none.</param>
    public static async Task<VenueFront> StartAsync(Func<FrontRequest, Task<FrontReply>> venue, Func<string, WebSocket, CancellationToken, Task>? speak = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Limits.MinResponseDataRate = null;
        });
        var web = builder.Build();
        var front = new VenueFront(web, venue, speak ?? ((_, _, _) => Task.CompletedTask));
        web.UseWebSockets();
        web.Run(front.AnswerAsync);
        await web.StartAsync();
        return front;
    }

    /// <summary>Instead of the venue. It returns whether it has answered.</summary>
    public void Instead(Func<FrontRequest, HttpContext, Task<bool>> answer) => _before = answer;

    /// <summary>The venue never hears of it.</summary>
    public void Answer(string method, string path, FrontReply reply) => _before = async (request, context) =>
    {
        if (!request.Is(method, path))
            return false;
        await WriteAsync(context, reply);
        return true;
    };

    /// <summary>The venue does it, and is misquoted.</summary>
    public void Misquote(Func<FrontRequest, FrontReply, FrontReply> change) => _after = change;

    public async Task<FrontReply> AskVenueAsync(FrontRequest request) => Answered = await _venue(request);

    public void BeHonest() => (_before, _after) = (null, null);

    public static async Task WriteAsync(HttpContext context, FrontReply reply)
    {
        context.Response.StatusCode = reply.Status;
        context.Response.ContentType = "application/json;charset=UTF-8";
        foreach (var (name, value) in reply.Headers)
            context.Response.Headers[name] = value;
        context.Response.ContentLength = reply.Body.Length;
        await context.Response.Body.WriteAsync(reply.Body, context.RequestAborted);
    }

    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _web.StopAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _web.DisposeAsync();
    }

    private async Task SpeakAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        try
        {
            await _speak(context.Request.Query["streams"].ToString(), socket, context.RequestAborted);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or WebSocketException)
        {
            // The client is gone, or the venue.
        }
    }

    private async Task AnswerAsync(HttpContext context)
    {
        if (context.WebSockets.IsWebSocketRequest)
        {
            await SpeakAsync(context);
            return;
        }
        using var body = new StreamReader(context.Request.Body);
        var form = await body.ReadToEndAsync(context.RequestAborted);
        var query = context.Request.QueryString.Value is { Length: > 1 } text ? text[1..] : "";
        var request = new FrontRequest(context.Request.Method, context.Request.Path.Value ?? "", query.Length > 0 && form.Length > 0 ? $"{query}&{form}" : query + form, context.Request.Headers["X-MBX-APIKEY"]);
        Asked.Enqueue(request);
        try
        {
            if (_before is { } before && await before(request, context))
                return;
            var reply = await AskVenueAsync(request);
            await WriteAsync(context, _after is { } after ? after(request, reply) : reply);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The client is gone.
        }
    }
}
