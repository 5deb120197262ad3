using Antbot.Hosting;
using Antbot.PaperVenue;

namespace Antbot.Standalone;

/// <summary>Says in <c>/readyz</c> and <c>/health</c> when the real market that is traded on has no prices: then nothing is entered.</summary>
internal sealed class FollowedMarket(Uri? market, PaperVenueServer venue) : IServiceModule
{
    public string Name => "market";

    public void Configure(ModuleBuilder builder)
    {
        if (market is not null)
            builder.Health(_ => venue.MarketTrouble is { } trouble ? new HealthReading("market", HealthState.Down, $"Nothing is entered: {trouble}") { IsNeeded = true } : new HealthReading("market", HealthState.Ok));
    }
}
