using Antbot.Hosting;
using Antbot.Resilience;
using Antbot.Runtime.Venue;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Antbot.Venues;

public static class VenueRegistration
{
    private static readonly TimeSpan ClockEvery = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ClockAgain = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ProbeEvery = TimeSpan.FromSeconds(1);

    /// <summary>The venue of this process as <see cref="IVenue"/> and <see cref="IMarketData"/>, once however many modules ask for it.</summary>
    public static ModuleBuilder AddVenue(this ModuleBuilder builder)
    {
        if (builder.Services.Any(s => s.ServiceType == typeof(IVenue)))
            return builder;
        builder.SharedOptions<VenueOptions>(VenueOptions.Section, VenueOptions.Check);
        builder.Services.TryAddSingleton<BreakerPanel>();
        builder.Services.AddSingleton<RequestBudget>();
        builder.Services.AddSingleton(p => new VenueHttp(
            p.GetRequiredService<VenueOptions>(), p.GetRequiredService<BreakerPanel>(), p.GetRequiredService<RequestBudget>(), p.GetRequiredService<TimeProvider>(),
            p.GetRequiredService<ILogger<VenueHttp>>()));
        builder.Services.AddSingleton<VenueStream>();
        builder.Services.AddSingleton<IVenue, BinanceVenue>();
        builder.Services.AddSingleton<IMarketData, BinanceMarketData>();
        return builder
            .Work("venue-clock", StopOrder.Support, (provider, cancellationToken) =>
                KeepClockAsync(provider.GetRequiredService<IVenue>(), provider.GetRequiredService<TimeProvider>(), cancellationToken))
            .Work("venue-routes", StopOrder.Support, (provider, cancellationToken) =>
                KeepRoutesAsync(provider.GetRequiredService<VenueHttp>(), provider.GetRequiredService<TimeProvider>(), cancellationToken));
    }

    private static async Task KeepRoutesAsync(VenueHttp http, TimeProvider clock, CancellationToken cancellationToken)
    {
        while (true)
        {
            await http.ProbeAsync(cancellationToken);
            await Task.Delay(ProbeEvery, clock, cancellationToken);
        }
    }

    private static async Task KeepClockAsync(IVenue venue, TimeProvider clock, CancellationToken cancellationToken)
    {
        while (true)
        {
            var answer = await venue.MeasureClockAsync(cancellationToken);
            await Task.Delay(answer is Contracts.Venue.VenueAnswer<DateTimeOffset>.Said ? ClockEvery : ClockAgain, clock, cancellationToken);
        }
    }
}
