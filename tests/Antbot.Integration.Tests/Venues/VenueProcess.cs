using System.Collections.Concurrent;
using Antbot.Contracts;
using Antbot.Contracts.Venue;
using Antbot.Resilience;
using Antbot.Runtime.Venue;
using Antbot.Venues;
using Microsoft.Extensions.Logging.Abstractions;

namespace Antbot.Integration.Tests.Venues;

/// <summary>What a process has of a venue: its own adapter, connections and books, and the budget that it shares with others.</summary>
internal sealed class VenueProcess : IDisposable
{
    public static readonly Symbol Btc = new("BTCUSDT");

    private readonly BreakerPanel _breakers = new();
    private readonly RequestBudget _budget;
    private readonly VenueHttp _http;
    private readonly string _name;
    private int _orders;

    public VenueProcess(string name, Uri address, string key, string secret, IVenueBudget shared)
    {
        _name = name;
        var options = new VenueOptions { Address = address, Key = key, Secret = secret, Paper = true, TimeoutMilliseconds = 5_000 };
        var clock = new VenueClock(TimeProvider.System);
        _budget = new RequestBudget(options, shared, clock, TimeProvider.System, NullLogger.Instance);
        _http = new VenueHttp(options, _breakers, _budget, TimeProvider.System, NullLogger.Instance, new Recorder(this));
        Venue = new BinanceVenue(options, _http, _budget, clock, new KeyWatch(TimeProvider.System), new Listing(options, NullLogger<Listing>.Instance), TimeProvider.System);
    }

    public IVenue Venue { get; }

    /// <summary>When each request left.</summary>
    public ConcurrentQueue<DateTimeOffset> Sent { get; } = new();

    /// <summary>When we were told that it was too much.</summary>
    public ConcurrentQueue<DateTimeOffset> Told { get; } = new();

    public VenueOrder Buy() => new(
        new ClientOrderId($"{_name}-{Interlocked.Increment(ref _orders)}"), Btc, Side.Buy, OrderKind.Market, new Quantity(0.001m), null, null, Venue.Now ?? DateTimeOffset.UtcNow, TimeSpan.FromSeconds(5), ReduceOnly: false);

    public VenueOrder Sell() => Buy() with { Side = Side.Sell, ReduceOnly = true };

    public void Dispose()
    {
        _http.Dispose();
        _budget.Dispose();
        _breakers.Dispose();
    }

    private sealed class Recorder(VenueProcess process) : DelegatingHandler(new SocketsHttpHandler { UseProxy = false })
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            process.Sent.Enqueue(DateTimeOffset.UtcNow);
            var response = await base.SendAsync(request, cancellationToken);
            if ((int)response.StatusCode is 429 or 418)
                process.Told.Enqueue(DateTimeOffset.UtcNow);
            return response;
        }
    }
}
