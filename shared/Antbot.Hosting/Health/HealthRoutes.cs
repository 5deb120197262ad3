using System.Text.Json;
using Antbot.Hosting.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Antbot.Hosting.Health;

/// <summary><c>/healthz</c> is for those who restart, <c>/readyz</c> for those who send work, <c>/health</c> and <c>/metrics</c> for those who want to know.</summary>
internal static class HealthRoutes
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { PropertyNamingPolicy = null, DictionaryKeyPolicy = null };

    public static void Map(IEndpointRouteBuilder routes, HealthLock locked)
    {
        routes.MapGet("/healthz", (RequestDelegate)(context => AnswerAsync(context, StatusCodes.Status200OK, new { status = "alive" })));
        routes.MapGet("/readyz", (RequestDelegate)ReadyAsync);
        routes.MapGet("/health", locked.Guard(HealthAsync));
        routes.MapGet("/metrics", locked.Guard(MetricsAsync));
    }

    private static Task ReadyAsync(HttpContext context)
    {
        // Who is told that this is ready must find that it was, whatever happens next.
        var watch = context.RequestServices.GetRequiredService<DegradationWatch>();
        watch.Look();
        var report = context.RequestServices.GetRequiredService<HealthReport>();
        var reasons = report.NotReady();
        return AnswerAsync(
            context, reasons.Count == 0 ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable,
            new { ready = reasons.Count == 0, degradation_level = watch.Level.ToString().ToLowerInvariant(), breakers = report.BreakersNotClosed(), reasons = reasons.Select(r => new { name = r.Name, reason = r.Reason, since = r.Since }) });
    }

    private static Task HealthAsync(HttpContext context)
    {
        var watch = context.RequestServices.GetRequiredService<DegradationWatch>();
        watch.Look();
        var body = context.RequestServices.GetRequiredService<HealthReport>().Describe(watch.Level);
        return AnswerAsync(context, body["status"] is "healthy" ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, body);
    }

    private static Task MetricsAsync(HttpContext context)
    {
        context.Response.ContentType = PrometheusMetrics.ContentType;
        return context.Response.WriteAsync(context.RequestServices.GetRequiredService<PrometheusMetrics>().Render());
    }

    private static Task AnswerAsync(HttpContext context, int status, object body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsync(JsonSerializer.Serialize(body, Json));
    }
}
