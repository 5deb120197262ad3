using Antbot.Simulation.Time;
using Antbot.Simulation.World;

namespace Antbot.Simulation.Faults;

/// <summary>From a seed to a plan: a random subset of the kinds of faults, and some of each.</summary>
public static class Planner
{
    /// <summary>Faults begin within this; then everything heals.</summary>
    public const double FaultySeconds = 25;

    /// <summary>As many messages as a trade makes be published where nothing goes wrong.</summary>
    private const int MessagesATrade = 24;

    /// <summary>Parts of what is published.</summary>
    public const double LostMost = 0.3;
    public const double RepeatedMost = 0.5;

    private static readonly string[] Clocks = ["signal", "coordinator", "validation", "risk", "execution", "reconciliation"];

    private static readonly Deed[] Deeds = Enum.GetValues<Deed>();

    private static readonly Mishap[] Mishaps = [.. Enum.GetValues<Mishap>().Where(m => m != Mishap.None)];

    /// <summary>
    /// Every order is taken, and hardly one of them is answered; often the venue is away for minutes while that is being found out, or
    /// has forgotten the orders when it is asked for them.
    /// </summary>
    public static Plan InDoubt(ulong seed)
    {
        const int OrdersMost = 100;
        var chance = new Chance(seed);
        var faults = new List<Fault>();
        for (var nth = 1; nth <= OrdersMost; nth++)
        {
            if (chance.Happens(0.9, "in-doubt", nth))
                faults.Add(new VenueErrs(nth, Mishap.AcceptThenSilence));
        }
        if (chance.Happens(0.4, "in-doubt-away"))
            faults.Add(new VenueAway(chance.Between(0, 20, "in-doubt-away-at").TotalSeconds, chance.Between(5, 240, "in-doubt-away-for").TotalSeconds));
        if (chance.Happens(0.6, "in-doubt-forgets"))
            faults.Add(new VenueForgets(chance.Between(0, 20, "in-doubt-forgets-at").TotalSeconds, chance.Between(5, 240, "in-doubt-forgets-for").TotalSeconds));
        if (chance.Happens(0.5, "in-doubt-settle"))
            faults.Add(new OperatorsSettle(chance.Between(5, 30, "in-doubt-settle-at").TotalSeconds));
        return new Plan(seed, 6, 1 + chance.Below(2, "instances"), faults);
    }

    public static Plan From(ulong seed)
    {
        var chance = new Chance(seed);
        var points = Rehearsal.Points;
        var trades = 2 + chance.Below(4, "trades");
        var faults = new List<Fault>();
        Some("crash", 0.5, 4, i => new Crash(points[chance.Below(points.Count, "crash-point", i)], 1 + chance.Below(12, "crash-nth", i), Seconds(0.1, 6, "crash-back", i)));
        Some("freeze", 0.3, 1, i => new Freeze(Service("freeze-service", i), Begin("freeze-at", i), Seconds(0.5, 20, "freeze-for", i)));
        Some("clock", 0.2, 2, i => new WrongClock(Service("clock-service", i), Seconds(-3, 3, "clock", i)));
        Some("step", 0.15, 2, i => new ClockSteps(Service("step-service", i), Begin("step-at", i), chance.Happens(0.2, "step-far", i) ? Seconds(-60, 60, "step", i) : Seconds(-4, 4, "step", i)));
        Some("loses", 0.3, trades * 4, i => new BusLoses(Message("loses-nth", i), chance.Happens(0.5, "loses-arrives", i)));
        Some("repeats", 0.3, trades * 6, i => new BusRepeats(Message("repeats-nth", i), 1 + chance.Below(6, "repeats-copies", i), Seconds(0, 30, "repeats-within", i)));
        Some("loses-many", 0.1, 1, i => new BusLosesMany(Seconds(0, 6, "loses-many-at", i), Seconds(8, 30, "loses-many-for", i), Seconds(0.02, LostMost, "loses-many-part", i)));
        Some("repeats-many", 0.1, 1, i => new BusRepeatsMany(Seconds(0, 6, "repeats-many-at", i), Seconds(8, 30, "repeats-many-for", i), Seconds(0.05, RepeatedMost, "repeats-many-part", i), Seconds(0, 30, "repeats-many-within", i)));
        Some("delays", 0.3, 10, i => new BusDelays(Message("delays-nth", i), Seconds(0, 30, "delays-for", i)));
        Some("reorders", 0.2, 1, i => new BusReorders(Begin("reorders-at", i), Seconds(2, 15, "reorders-for", i), Seconds(0.05, 4, "reorders-within", i)));
        Some("bus", 0.15, 1, i => new BusDown(Begin("bus-at", i), Seconds(0.2, 15, "bus-for", i)));
        Some("blocked", 0.15, 1, i => new BusBlocked(Begin("blocked-at", i), Seconds(0.2, 15, "blocked-for", i)));
        Some("restarts", 0.2, 2, i => new BusRestarts(Begin("restarts-at", i), Seconds(0.2, 6, "restarts-for", i)));
        Some("deadly", 0.05, 1, i => new Deadly(Message("deadly", i)));
        Some("store", 0.2, 1, i => new StoreDown(Begin("store-at", i), Seconds(0.2, 8, "store-for", i), chance.Happens(0.4, "store-full", i)));
        Some("doubt", 0.3, 3, i => new StoreDoubt(1 + chance.Below(trades * 20, "doubt-nth", i)));
        Some("stall", 0.3, 3, i => new StoreStalls(1 + chance.Below(trades * 20, "stall-nth", i), Seconds(0.1, 2, "stall-for", i)));
        Some("gap", 0.3, 3, i => new StoreGap(1 + chance.Below(trades * 20, "gap-nth", i), 1 + chance.Below(40, "gap-numbers", i)));
        Some("stranger", 0.2, 2, i => new Stranger(Seconds(0, 12, "stranger-at", i), Seconds(0.01, 5, "stranger-sealed", i)));
        Some("venue", 0.5, 5, i => new VenueErrs(1 + chance.Below(trades * 3, "venue-nth", i), Mishaps[chance.Below(Mishaps.Length, "venue-how", i)]));
        Some("cancel", 0.2, 2, i => new CancelUnanswered(1 + chance.Below(trades, "cancel-nth", i)));
        Some("away", 0.2, 1, i => new VenueAway(Begin("away-at", i), Seconds(0.5, 12, "away-for", i)));
        Some("limits", 0.2, 1, i => new VenueLimits(Begin("limits-at", i), Seconds(0.5, 10, "limits-for", i)));
        Some("forgets", 0.15, 1, i => new VenueForgets(Begin("forgets-at", i), Seconds(1, 15, "forgets-for", i)));
        Some("busted", 0.06, 1, i => new Busted(1 + chance.Below(trades * 2, "busted-nth", i), Seconds(0.1, 4, "busted-after", i)));
        // What nobody holds nobody can sell: a venue that takes fills back is a story of its own.
        Some("somebody", faults.Exists(f => f is Busted) ? 0 : 0.3, 3, i => new SomebodyTrades(Begin("somebody-at", i), Deeds[chance.Below(Deeds.Length, "somebody-does", i)]));
        Some("settle", 0.6, 2, i => new OperatorsSettle(Begin("settle-at", i)));
        Some("halt", 0.25, 1, i => new Halted(Begin("halt-at", i), chance.Happens(0.3, "halt-good", i) ? null : Seconds(0.5, 10, "halt-for", i)));
        Some("halt-before", 0.25, 1, i => new HaltedBefore(1 + chance.Below(trades, "halt-before-nth", i), Seconds(0.5, 10, "halt-before-for", i)));
        return new Plan(seed, trades, 1 + chance.Below(2, "instances"), faults);

        void Some(string kind, double probability, int most, Func<int, Fault> make)
        {
            if (!chance.Happens(probability, kind))
                return;
            for (var i = 0; i <= chance.Below(most, kind, 1); i++)
                faults.Add(make(i));
        }

        string Service(string what, int i) => Clocks[chance.Below(Clocks.Length, what, i)];

        double Begin(string what, int i) => Seconds(0, FaultySeconds, what, i);

        double Seconds(double from, double to, string what, int i) => Math.Round(from + chance.Unit(what, i) * (to - from), 2);

        int Message(string what, int i) => 1 + chance.Below(trades * MessagesATrade, what, i);
    }
}

/// <summary>
/// The named places at which a process can end, from the code itself: a few plans in which nothing ends are run, and what they pass is
/// noted. A run that passes another one fails, so that a new place is not forgotten.
/// </summary>
public static class Rehearsal
{
    private static readonly Lazy<IReadOnlyList<string>> Known = new(() =>
    [
        .. new[]
        {
            new Plan(1, 4, 1, []),
            new Plan(2, 4, 2, [new VenueErrs(1, Mishap.AcceptThenSilence), new BusLoses(3, ArrivesAllTheSame: false), new StoreDoubt(9)]),
        }.SelectMany(SimRun.PointsOf).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal),
    ]);

    public static IReadOnlyList<string> Points => Known.Value;
}
