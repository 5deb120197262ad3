using Antbot.Simulation.Time;

namespace Antbot.Simulation.Faults;

/// <summary>From a seed to a plan: a random subset of the kinds of faults, and some of each.</summary>
public static class Planner
{
    /// <summary>Faults begin within this; then everything heals.</summary>
    public const double FaultySeconds = 30;

    private static readonly string[] Services = ["signal", "coordinator", "validation", "risk", "execution", "reconciliation"];

    private static readonly string[] Points =
    [
        "signal.before-append", "signal.after-append",
        .. new[] { "coordinator", "validation", "risk", "execution", "reconciliation" }.SelectMany(c => new[] { $"{c}.before-append", $"{c}.after-append", $"{c}.after-publish" }),
        "execution.before-send", "execution.after-send",
    ];

    private static readonly Mishap[] Mishaps = [.. Enum.GetValues<Mishap>().Where(m => m != Mishap.None)];

    public static Plan From(ulong seed)
    {
        var chance = new Chance(seed);
        var trades = 3 + chance.Below(6, "trades");
        var faults = new List<Fault>();
        Some("crash", 4, i => new Crash(Points[chance.Below(Points.Length, "crash-point", i)], 1 + chance.Below(12, "crash-nth", i), Seconds(0.1, 6, "crash-back", i)));
        Some("freeze", 1, i => new Freeze(Services[chance.Below(Services.Length, "freeze-service", i)], Seconds(0, FaultySeconds, "freeze-at", i), Seconds(0.5, 20, "freeze-for", i)));
        Some("clock", 2, i => new WrongClock(Services[chance.Below(Services.Length, "clock-service", i)], Seconds(-3, 3, "clock", i)));
        Some("loses", 10, i => new BusLoses(Message("loses-nth", i), chance.Happens(0.5, "loses-arrives", i)));
        Some("repeats", 20, i => new BusRepeats(Message("repeats-nth", i), 1 + chance.Below(6, "repeats-copies", i), Seconds(0, 30, "repeats-within", i)));
        Some("delays", 10, i => new BusDelays(Message("delays-nth", i), Seconds(0, 30, "delays-for", i)));
        Some("bus", 1, i => new BusDown(Seconds(0, FaultySeconds, "bus-at", i), Seconds(0.2, 15, "bus-for", i)));
        Some("store", 1, i => new StoreDown(Seconds(0, FaultySeconds, "store-at", i), Seconds(0.2, 10, "store-for", i), chance.Happens(0.3, "store-full", i)));
        Some("doubt", 3, i => new StoreDoubt(1 + chance.Below(trades * 20, "doubt-nth", i)));
        Some("stall", 3, i => new StoreStalls(1 + chance.Below(trades * 20, "stall-nth", i), Seconds(0.1, 2, "stall-for", i)));
        Some("venue", 5, i => new VenueErrs(1 + chance.Below(trades * 3, "venue-nth", i), Mishaps[chance.Below(Mishaps.Length, "venue-how", i)]));
        Some("away", 1, i => new VenueAway(Seconds(0, FaultySeconds, "away-at", i), Seconds(0.5, 15, "away-for", i)));
        Some("halt", 1, i => new Halted(Seconds(0, FaultySeconds, "halt-at", i), Seconds(0.5, 10, "halt-for", i)));
        Some("halt-before", 1, i => new HaltedBefore(1 + chance.Below(trades, "halt-before-nth", i), Seconds(0.5, 10, "halt-before-for", i)));
        return new Plan(seed, trades, 1 + chance.Below(2, "instances"), faults);

        void Some(string kind, int most, Func<int, Fault> make)
        {
            if (!chance.Happens(0.4, kind))
                return;
            for (var i = 0; i <= chance.Below(most, kind, 1); i++)
                faults.Add(make(i));
        }

        double Seconds(double from, double to, string what, int i) => Math.Round(from + chance.Unit(what, i) * (to - from), 2);

        int Message(string what, int i) => 1 + chance.Below(trades * 12, what, i);
    }
}
