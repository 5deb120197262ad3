using System.Text.Json;
using Antbot.ConsoleService.Access;
using Antbot.Kernel.Proof;
using Antbot.ReadModels;
using Antbot.Runtime.Store;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Antbot.ConsoleService;

internal sealed record ApiError(string Error, string Message);

/// <summary>A request that cannot be done, with what to tell.</summary>
internal sealed class ApiException(int status, string error, string message) : Exception(message)
{
    public int Status { get; } = status;

    public string Error { get; } = error;
}

/// <summary>
/// One way into every route: who bears no token learns nothing, not even what there is; what goes wrong is told as JSON. Handlers read
/// the request themselves, so that nothing of it is looked at before.
/// </summary>
internal static class Api
{
    private const int BodyBytesMax = 16 * 1024;

    /// <summary>What was wrong with a request is repeated to whoever made it, and that may be as long as a request.</summary>
    private const int MessageLengthMax = 500;

    /// <summary>What speaks against it is said by rules of ours, every one of them.</summary>
    private const int RefusalLengthMax = 4_000;

    /// <summary>The routes are made when they are first asked for: a process starts, and says how it is, without the store.</summary>
    public static void MapGuarded<TRoutes>(this IEndpointRouteBuilder routes, ApiRoute route, Func<TRoutes, HttpContext, Task> handle)
        where TRoutes : class =>
        routes.MapMethods(route.Pattern, [route.Method], context => RunAsync(context, route.Role, c => handle(c.RequestServices.GetRequiredService<TRoutes>(), c))).WithMetadata(route);

    /// <summary>Whatever else is asked for under <c>/api</c>.</summary>
    public static void MapGuardedRest(this IEndpointRouteBuilder routes) =>
        routes.Map("/api/{**rest}", context => RunAsync(context, Role.Viewer, _ => throw new ApiException(StatusCodes.Status404NotFound, "NotFound", "There is nothing here. GET /api/status is a beginning.")));

    public static Task AnswerAsync(HttpContext context, object answer, int status = StatusCodes.Status200OK)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(answer, answer.GetType(), ReadModelJson.Options, "application/json; charset=utf-8", context.RequestAborted);
    }

    public static async Task<JsonElement> BodyAsync(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = BodyBytesMax;
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        try
        {
            // Its canonical form has no key twice and no text that cannot be read later on.
            using var document = JsonDocument.Parse(CanonicalJson.From(body.GetBuffer().AsSpan(0, (int)body.Length)), new JsonDocumentOptions { MaxDepth = 8 });
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : throw Invalid("The body is a JSON object.");
        }
        catch (Exception e) when (e is CanonicalJsonException or JsonException)
        {
            throw Invalid($"The body is not JSON: {e.Message}");
        }
    }

    public static string Text(JsonElement body, string name) => body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
        ? value.GetString()!
        : throw Invalid($"The body lacks '{name}', a text.");

    public static ApiException Invalid(string message) => new(StatusCodes.Status400BadRequest, "Invalid", message);

    private static async Task<Caller?> CallerOfAsync(HttpContext context)
    {
        if (Bearer.TokenOf(context.Request) is not { } token)
            return null;
        return context.RequestServices.GetRequiredService<Bearer>().Find(token) ?? await context.RequestServices.GetRequiredService<AccessBook>().FindAsync(token, context.RequestAborted);
    }

    private static async Task RunAsync(HttpContext context, Role needed, Func<HttpContext, Task> handle)
    {
        try
        {
            context.Response.Headers.CacheControl = "no-store";
            if (await CallerOfAsync(context) is not { } caller)
            {
                context.Response.Headers.WWWAuthenticate = "Bearer";
                await AnswerAsync(context, new ApiError("Unauthorized", "Bear a token: 'Authorization: Bearer …'. One is in the file that ANTBOT_CONSOLE__TOKEN_FILE names, and 'antbot token make' makes others."), StatusCodes.Status401Unauthorized);
                return;
            }
            if (caller.Role < needed)
                throw new ApiException(StatusCodes.Status403Forbidden, "Forbidden", $"The token '{caller.Name}' has the role {caller.Role}, and this takes {needed}.");
            caller.Enter(context);
            await handle(context);
        }
        catch (ApiException e)
        {
            await FailAsync(context, e.Status, e.Error, e.Message);
        }
        catch (BadHttpRequestException e)
        {
            await FailAsync(context, e.StatusCode, "Invalid", e.Message);
        }
        catch (EventStoreException e)
        {
            var status = e.Fault switch { StoreFault.Forbidden => StatusCodes.Status403Forbidden, StoreFault.Archived => StatusCodes.Status404NotFound, _ => StatusCodes.Status503ServiceUnavailable };
            await FailAsync(context, status, e.Fault.ToString(), e.Message);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Whoever asked has gone.
        }
        catch (Exception e)
        {
            context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Antbot.Console.Api").LogError(e, "{Method} {Path} failed", context.Request.Method, context.Request.Path);
            await FailAsync(context, StatusCodes.Status500InternalServerError, "Failed", "It could not be done; the Console's log says why.");
        }
    }

    private static Task FailAsync(HttpContext context, int status, string error, string message)
    {
        var lengthMax = status == StatusCodes.Status409Conflict ? RefusalLengthMax : MessageLengthMax;
        return context.Response.HasStarted ? Task.CompletedTask : AnswerAsync(context, new ApiError(error, message.Length <= lengthMax ? message : $"{message[..lengthMax]} …"), status);
    }
}
