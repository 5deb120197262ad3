using Antbot.Fuzz.Targets;

namespace Antbot.Fuzz;

public static class FuzzTargets
{
    public static IReadOnlyList<IFuzzTarget> All { get; } =
    [
        // The slowest first: of several at once the last that is begun is soon over.
        .. Deciders.All, new ConfigurationTarget(), .. StrategyTarget.All, new OperatorRequestTarget(), new SignalBodyTarget(), new FillHistoryTarget(), new VenueTarget(), new MarketTarget(), .. MessageTarget.All, .. EventTarget.All,
    ];
}
