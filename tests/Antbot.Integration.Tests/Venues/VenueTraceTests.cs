using System.Diagnostics;
using Antbot.Contracts.Venue;
using Antbot.Integration.Tests.Support;
using Antbot.LocalServers;
using Antbot.Resilience;
using Antbot.Runtime.Venue;
using Antbot.Venues;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Antbot.Integration.Tests.Venues;

/// <summary>A request to the venue is a span of the trace that it is sent in, and the venue is told nothing of traces.</summary>
public sealed class VenueTraceTests
{
    private const string Key = "key-that-opens-4711";
    private const string Secret = "secret-that-signs-0815";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_is_a_span_that_says_what_came_of_it_and_no_secret()
    {
        var heard = new List<IHeaderDictionary>();
        var address = new Uri($"http://127.0.0.1:{FreePort.Next()}");
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls(address.ToString());
        await using var web = builder.Build();
        web.Run(async context =>
        {
            heard.Add(context.Request.Headers);
            context.Response.StatusCode = context.Request.Path.Value switch { "/api/v3/order" => 400, "/api/v3/account" => 503, _ => 200 };
            await context.Response.WriteAsync(context.Response.StatusCode == 400 ? """{"code":-2010,"msg":"Account has insufficient balance for requested action."}""" : "{}", Cancel);
        });
        await web.StartAsync(Cancel);

        using var asked = new Activity("asked for").SetIdFormat(ActivityIdFormat.W3C).Start();
        using var spans = new VenueSpans(asked.TraceId);
        await SendAsync(address, VenueRoute.Clock, HttpMethod.Get, "/api/v3/time");
        await SendAsync(address, VenueRoute.Entry, HttpMethod.Post, "/api/v3/order");
        await SendAsync(address, VenueRoute.Account, HttpMethod.Get, "/api/v3/account");
        await web.StopAsync(Cancel);
        await SendAsync(address, VenueRoute.Exit, HttpMethod.Post, "/api/v3/order");

        Assert.Equal(
            [
                "venue clock: GET /api/v3/time 200 said, Unset", "venue entry: POST /api/v3/order 400 refused, Unset", "venue account: GET /api/v3/account 503 unknown, Error",
                "venue exit: POST /api/v3/order  not sent, Error",
            ],
            spans.Ended.Select(s => $"{s.OperationName}: {s.GetTagItem("http.request.method")} {s.GetTagItem("url.path")} {s.GetTagItem("http.response.status_code")} {s.GetTagItem("antbot.venue.answer")}, {s.Status}"));
        Assert.All(spans.Ended, s => Assert.Equal((asked.SpanId, ActivityKind.Client), (s.ParentSpanId, s.Kind)));
        var said = string.Join('\n', spans.Ended.SelectMany(s => s.TagObjects.Select(t => $"{t.Key}={t.Value}").Append(s.StatusDescription)));
        foreach (var hidden in new[] { Key, Secret, "signature", "timestamp", "quantity", "insufficient" })
            Assert.DoesNotContain(hidden, said, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(3, heard.Count);
        Assert.DoesNotContain(heard.SelectMany(h => h.Keys), k => k.ToLowerInvariant() is "traceparent" or "tracestate" or "request-id" or "baggage");
    }

    private static async Task SendAsync(Uri address, VenueRoute route, HttpMethod method, string path)
    {
        var options = new VenueOptions { Address = address, Key = Key, Secret = Secret, Paper = true };
        using var breakers = new BreakerPanel();
        using var budget = new RequestBudget(options, new LocalVenueBudget(TimeProvider.System), new VenueClock(TimeProvider.System), TimeProvider.System, NullLogger.Instance);
        using var http = new VenueHttp(options, breakers, budget, TimeProvider.System, NullLogger.Instance);
        await http.SendAsync(route, 1, method, path, "quantity=1&timestamp=1", isSigned: true, (System.Text.Json.JsonElement j) => j.GetRawText(), Cancel);
    }
}
