using Antbot.Hosting;

namespace Antbot.Standalone;

/// <summary>Says in <c>/readyz</c> and <c>/health</c> when the real market that is traded on has no prices: then nothing is entered.</summary>
/// <param name="trouble">Why there are no prices; null where there are.</param>
internal sealed class FollowedMarket(Uri? market, Func<string?> trouble) : IServiceModule
{
    public string Name => "market";

    public void Configure(ModuleBuilder builder)
    {
        if (market is not null)
            builder.Health(_ => trouble() is { } why ? new HealthReading("market", HealthState.Down, $"Nothing is entered: {why}") { IsNeeded = true } : new HealthReading("market", HealthState.Ok));
    }
}
