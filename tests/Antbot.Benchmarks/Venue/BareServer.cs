using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Antbot.Benchmarks.Venue;

/// <summary>What the web server costs by itself: the query is taken apart, a signature computed, an answer of the same size given.</summary>
internal sealed class BareServer : IAsyncDisposable
{
    private static readonly byte[] Reply = Encoding.ASCII.GetBytes($"{{\"answer\":\"{new string('x', 420)}\"}}");

    private readonly WebApplication _web;

    private BareServer(WebApplication web) => _web = web;

    public Uri Address => new(_web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    public static async Task<BareServer> StartAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        var web = builder.Build();
        var secret = new byte[64];
        web.Run(async context =>
        {
            var symbol = context.Request.Query["symbol"].ToString();
            HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(context.Request.QueryString.Value!));
            context.Response.ContentType = symbol.Length > 0 ? "application/json" : "text/plain";
            context.Response.ContentLength = Reply.Length;
            await context.Response.Body.WriteAsync(Reply);
        });
        await web.StartAsync(cancellationToken);
        return new BareServer(web);
    }

    public async ValueTask DisposeAsync() => await _web.DisposeAsync();
}
