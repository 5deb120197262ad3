using Antbot.Hosting;
using Antbot.Resilience;
using Antbot.Runtime.Venue;
using Antbot.Venues.Recording;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Antbot.Venues;

public static class VenueRegistration
{
    private static readonly TimeSpan ClockEvery = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ClockAgain = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LimitsEvery = TimeSpan.FromHours(1);
    private static readonly TimeSpan LimitsAgain = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan KeyEvery = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan KeyAgain = TimeSpan.FromSeconds(5);
    /// <summary>One answer that is lost makes nothing worse.</summary>
    private static readonly TimeSpan AwayAfter = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ProbeEvery = TimeSpan.FromSeconds(1);

    /// <summary>The venue of this process as <see cref="IVenue"/> and <see cref="IMarketData"/>, once however many modules ask for it.</summary>
    public static ModuleBuilder AddVenue(this ModuleBuilder builder)
    {
        if (builder.Services.Any(s => s.ServiceType == typeof(IVenue)))
            return builder;
        builder.SharedOptions<VenueOptions>(VenueOptions.Section, VenueOptions.Check);
        builder.SharedOptions<RecordingOptions>(RecordingOptions.Section, RecordingOptions.Check);
        builder.Services.TryAddSingleton<BreakerPanel>();
        builder.Services.TryAddSingleton<DependencyBoard>();
        builder.Services.AddSingleton<VenueClock>();
        builder.Services.AddSingleton<KeyWatch>();
        builder.Services.AddSingleton<Listing>();
        // Where there is a store that processes share, the host has brought one that they share.
        builder.Services.TryAddSingleton<IVenueBudget>(p => new LocalVenueBudget(p.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton(p => new RequestBudget(
            p.GetRequiredService<VenueOptions>(), p.GetRequiredService<IVenueBudget>(), p.GetRequiredService<VenueClock>(), p.GetRequiredService<TimeProvider>(),
            p.GetRequiredService<ILogger<RequestBudget>>()));
        builder.Services.AddSingleton(MakeRecorder);
        builder.Services.AddSingleton(p => new VenueHttp(
            p.GetRequiredService<VenueOptions>(), p.GetRequiredService<BreakerPanel>(), p.GetRequiredService<RequestBudget>(), p.GetRequiredService<TimeProvider>(),
            p.GetRequiredService<ILogger<VenueHttp>>(), recorder: p.GetRequiredService<TrafficRecorder>(), board: p.GetRequiredService<DependencyBoard>()));
        builder.Services.AddSingleton<StreamWatch>();
        builder.Services.AddSingleton<VenueStream>();
        builder.Services.AddSingleton<IVenue, BinanceVenue>();
        builder.Services.AddSingleton<IMarketData, BinanceMarketData>();
        return builder
            .Health(ReadVenue)
            .Health(p => p.GetRequiredService<StreamWatch>().Trouble is { } trouble ? new HealthReading(StreamWatch.Dependency, HealthState.Degraded, trouble) : new HealthReading(StreamWatch.Dependency, HealthState.Ok))
            .Health(p => p.GetRequiredService<TrafficRecorder>().Trouble is { } trouble ? new HealthReading("recording", HealthState.Degraded, trouble) : new HealthReading("recording", HealthState.Ok))
            .Work("venue-recording", StopOrder.Support, (provider, cancellationToken) => provider.GetRequiredService<TrafficRecorder>().RunAsync(cancellationToken))
            .Work("venue-limits", StopOrder.Support, (provider, cancellationToken) =>
                KeepLimitsAsync(provider.GetRequiredService<IVenue>(), provider.GetRequiredService<TimeProvider>(), cancellationToken))
            .Work("venue-key", StopOrder.Support, (provider, cancellationToken) =>
                KeepPermissionsAsync(provider.GetRequiredService<IVenue>(), provider.GetRequiredService<TimeProvider>(), cancellationToken))
            .Work("venue-clock", StopOrder.Support, (provider, cancellationToken) =>
                KeepClockAsync(provider.GetRequiredService<IVenue>(), provider.GetRequiredService<TimeProvider>(), cancellationToken))
            .Work("venue-routes", StopOrder.Support, (provider, cancellationToken) =>
                KeepRoutesAsync(provider.GetRequiredService<VenueHttp>(), provider.GetRequiredService<TimeProvider>(), cancellationToken));
    }

    /// <summary>It takes nothing from readiness: what is held is looked after whether the venue answers or not.</summary>
    private static HealthReading ReadVenue(IServiceProvider provider)
    {
        if (provider.GetRequiredService<RequestBudget>().Blocked is var wait && wait > TimeSpan.Zero)
            return new HealthReading(VenueHttp.Dependency, HealthState.Degraded, $"The venue has told us to wait for {Math.Ceiling(wait.TotalSeconds):0} s more; nothing is sent to it until then.");
        var state = provider.GetRequiredService<DependencyBoard>().Find(VenueHttp.Dependency);
        return state is { Works: false } && provider.GetRequiredService<TimeProvider>().GetUtcNow() - state.Since >= AwayAfter
            ? new HealthReading(VenueHttp.Dependency, HealthState.Degraded, $"The venue does not answer: {state.LastError}", state.Since)
            : new HealthReading(VenueHttp.Dependency, HealthState.Ok);
    }

    private static TrafficRecorder MakeRecorder(IServiceProvider provider)
    {
        var (venue, identity) = (provider.GetRequiredService<VenueOptions>(), provider.GetRequiredService<ServiceIdentity>());
        var self = new RecordingFile(default, RecordingFile.Plain(identity.Service), RecordingFile.Plain(identity.Instance), identity.Process.ToString("N")[..8], 0);
        return new TrafficRecorder(
            provider.GetRequiredService<RecordingOptions>(), self, $"{identity.Service} {identity.Instance}, process {identity.Process:D}, build {ProcessLife.Build}, venue {venue.Name}",
            [VenueOptions.Read(venue.Key, venue.KeyFile), VenueOptions.Read(venue.Secret, venue.SecretFile)], provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<TrafficRecorder>>());
    }

    private static async Task KeepRoutesAsync(VenueHttp http, TimeProvider clock, CancellationToken cancellationToken)
    {
        while (true)
        {
            await http.ProbeAsync(cancellationToken);
            await Task.Delay(ProbeEvery, clock, cancellationToken);
        }
    }

    /// <summary>Every process keeps to the venue's limits, whether or not it needs its rules.</summary>
    private static async Task KeepLimitsAsync(IVenue venue, TimeProvider clock, CancellationToken cancellationToken)
    {
        while (true)
        {
            var answer = await venue.ReadRulesAsync(cancellationToken);
            await Task.Delay(answer is Contracts.Venue.VenueAnswer<IReadOnlyList<Contracts.Venue.SymbolRules>>.Said ? LimitsEvery : LimitsAgain, clock, cancellationToken);
        }
    }

    /// <summary>The venue itself remembers what it has said; there is nothing to lose on paper.</summary>
    private static async Task KeepPermissionsAsync(IVenue venue, TimeProvider clock, CancellationToken cancellationToken)
    {
        while (!venue.IsPaper)
        {
            var answer = await venue.ReadPermissionsAsync(cancellationToken);
            await Task.Delay(answer is Contracts.Venue.VenueAnswer<Contracts.Venue.KeyPermissions>.Said ? KeyEvery : KeyAgain, clock, cancellationToken);
        }
        await Task.Delay(Timeout.InfiniteTimeSpan, clock, cancellationToken);
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
