using System.Net.Sockets;
using System.Text.Json;
using Antbot.Resilience;
using Antbot.Runtime.Venue;
using Antbot.Venues;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Antbot.Integration.Tests.Venues;

public sealed class VenueHttpTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Breaks => new()
    {
        { nameof(SocketException), "Unknown" },
        { nameof(IOException), "Unknown" },
        { nameof(HttpRequestException), "Unknown" },
        { nameof(OperationCanceledException), "Unknown" },
        { nameof(HttpRequestError.ConnectionError), "NotSent" },
        { nameof(HttpRequestError.NameResolutionError), "NotSent" },
        { nameof(HttpRequestError.SecureConnectionError), "NotSent" },
    };

    /// <summary>Prevents a break of the way that reaches whoever asked as an exception: an order that may be at the venue would be a fault of its message.</summary>
    [Theory]
    [MemberData(nameof(Breaks))]
    public async Task However_the_way_breaks_it_is_an_answer(string how, string expected)
    {
        var options = new VenueOptions { Address = new Uri("http://127.0.0.1:9"), Key = "k", Secret = "s", Paper = true };
        using var breakers = new BreakerPanel();
        using var budget = new RequestBudget(options, new LocalVenueBudget(TimeProvider.System), new VenueClock(TimeProvider.System), TimeProvider.System, NullLogger.Instance);
        using var broken = new Broken(how);
        using var http = new VenueHttp(options, breakers, budget, TimeProvider.System, NullLogger.Instance, broken);
        var failures = VenueRoute.Entry.Breaker.FailuresMax;
        for (var i = 0; i < failures; i++)
        {
            var answer = await http.SendAsync(VenueRoute.Entry, 1, HttpMethod.Post, "/api/v3/order", "symbol=BTCUSDT", isSigned: true, (JsonElement j) => j.GetRawText(), Cancel);
            Assert.Equal(expected, answer.GetType().Name.Split('`')[0]);
        }
        Assert.Equal(BreakerState.Open, Assert.Single(breakers.All).State);
    }

    private sealed class Broken(string how) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => throw (how switch
        {
            nameof(SocketException) => new SocketException((int)SocketError.NotConnected),
            nameof(IOException) => new IOException("reset"),
            nameof(HttpRequestException) => new HttpRequestException("ended early"),
            nameof(OperationCanceledException) => new OperationCanceledException(),
            _ => new HttpRequestException(Enum.Parse<HttpRequestError>(how)),
        });
    }
}
