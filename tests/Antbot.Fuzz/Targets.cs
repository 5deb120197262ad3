using Antbot.Fuzz.Targets;

namespace Antbot.Fuzz;

public static class FuzzTargets
{
    public static IReadOnlyList<IFuzzTarget> All { get; } =
        [new SignalBodyTarget(), .. MessageTarget.All, .. EventTarget.All, new VenueTarget(), new MarketTarget(), new ConfigurationTarget(), .. Deciders.All];
}
