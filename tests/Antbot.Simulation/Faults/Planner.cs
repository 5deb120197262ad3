using Antbot.ConsoleService.DeadLetters;
using Antbot.Contracts.Messages;
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

    /// <summary>What differs for longer is believed, for the venue is right about what the account holds: that is another fault.</summary>
    private const double WrongBalancesMost = 2.8;

    /// <summary>Parts of what is published.</summary>
    public const double LostMost = 0.3;
    public const double RepeatedMost = 0.5;

    /// <summary>Of a plan in which messages die.</summary>
    private const double LettersProbability = 0.12;

    /// <summary>Of a plan in which entries are filled in part, and nothing else happens.</summary>
    private const double InPartsProbability = 0.02;

    /// <summary>As many letters as there are in such a run as a rule, or fewer.</summary>
    private const int LettersAPlan = 6;

    private static readonly (string Endpoint, string Message)[] Kinds = [.. Routes.All.SelectMany(r => r.Value.Select(e => (e, r.Key.Name)))];

    private static readonly Rubbishes[] Trash = Enum.GetValues<Rubbishes>();

    private static readonly string[] Clocks = ["signal", "coordinator", "validation", "risk", "execution", "reconciliation"];

    private static readonly Deed[] Deeds = Enum.GetValues<Deed>();

    private static readonly Amiss[] Books = Enum.GetValues<Amiss>();

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

    /// <summary>Whether somebody has to look after dead letters.</summary>
    public static bool IsOfLetters(Fault fault) => fault is Deadly or Poisoned or SomebodyPublishes or LetterReplayed or LetterGivenUp or LetterDiscarded or LettersSelected;

    /// <summary>As any other plan, and messages die for a while, whatever else goes wrong.</summary>
    public static Plan OfLetters(ulong seed) => From(seed, lettersProbability: 1);

    public static Plan From(ulong seed) => From(seed, LettersProbability);

    /// <summary>Entries are filled in part, and nothing else goes wrong: what is held has its stop in time.</summary>
    private static Plan InParts(ulong seed, Chance chance)
    {
        const int OrdersMost = 20;
        var faults = new List<Fault>();
        for (var nth = 1; nth <= OrdersMost; nth++)
            faults.Add(new VenueErrs(nth, chance.Happens(0.7, "in-parts", nth) ? Mishap.HalfForGood : Mishap.PartialFill));
        return new Plan(seed, 5, 1 + chance.Below(2, "instances"), faults);
    }

    private static Plan From(ulong seed, double lettersProbability)
    {
        var chance = new Chance(seed);
        if (lettersProbability < 1 && chance.Happens(InPartsProbability, "all-in-parts"))
            return InParts(seed, chance);
        var points = Rehearsal.Trading;
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
        Some("slow", 0.1, 1, i => new StoreSlow(Begin("slow-at", i), Seconds(1, 15, "slow-for", i), Seconds(5, 40, "slow-by", i)));
        Some("gap", 0.3, 3, i => new StoreGap(1 + chance.Below(trades * 20, "gap-nth", i), 1 + chance.Below(40, "gap-numbers", i)));
        Some("stranger", 0.2, 2, i => new Stranger(Seconds(0, 12, "stranger-at", i), Seconds(0.01, 5, "stranger-sealed", i)));
        Some("venue", 0.5, 5, i => new VenueErrs(1 + chance.Below(trades * 3, "venue-nth", i), Mishaps[chance.Below(Mishaps.Length, "venue-how", i)]));
        Some("cancel", 0.2, 2, i => new CancelUnanswered(1 + chance.Below(trades, "cancel-nth", i)));
        Some("away", 0.2, 1, i => new VenueAway(Begin("away-at", i), Seconds(0.5, 12, "away-for", i)));
        Some("limits", 0.2, 1, i => new VenueLimits(Begin("limits-at", i), Seconds(0.5, 10, "limits-for", i)));
        Some("forgets", 0.15, 1, i => new VenueForgets(Begin("forgets-at", i), Seconds(1, 15, "forgets-for", i)));
        Some("books", 0.2, 2, i => new BooksAmiss(Begin("books-at", i), Seconds(0.5, 15, "books-for", i), Books[chance.Below(Books.Length, "books-how", i)]));
        // Two of them could tell the same twice, as if it were so.
        Some("balances", 0.15, 1, i => new WrongBalances(Begin("balances-at", i), Seconds(0.5, WrongBalancesMost, "balances-for", i), chance.Below(3, "balances-of", i), Seconds(0, 2, "balances-part", i)));
        Some("busted", 0.06, 1, i => new Busted(1 + chance.Below(trades * 2, "busted-nth", i), Seconds(0.1, 4, "busted-after", i)));
        Some("believed", faults.Exists(f => f is WrongBalances or Busted) ? 0 : 0.08, 1, i => new WrongBalances(Begin("believed-at", i), Seconds(4, 40, "believed-for", i), chance.Below(3, "believed-of", i), Seconds(0, 2, "believed-part", i)));
        // What nobody holds nobody can sell: a venue that takes fills back is a story of its own.
        Some("somebody", faults.Exists(f => f is Busted) ? 0 : 0.3, 3, i => new SomebodyTrades(Begin("somebody-at", i), Deeds[chance.Below(Deeds.Length, "somebody-does", i)]));
        Some("settle", 0.6, 2, i => new OperatorsSettle(Begin("settle-at", i)));
        Some("halt", 0.25, 1, i => new Halted(Begin("halt-at", i), chance.Happens(0.3, "halt-good", i) ? null : Seconds(0.5, 10, "halt-for", i)));
        Some("halt-before", 0.25, 1, i => new HaltedBefore(1 + chance.Below(trades, "halt-before-nth", i), Seconds(0.5, 10, "halt-before-for", i)));
        if (chance.Happens(lettersProbability, "letters"))
            LetThemDie();
        return new Plan(seed, trades, 1 + chance.Below(2, "instances"), faults);

        void LetThemDie()
        {
            var ends = Rehearsal.OfLetters;
            Some("poisoned", 1, 4, i =>
            {
                var (endpoint, message) = Kinds[chance.Below(Kinds.Length, "poisoned-kind", i)];
                return new Poisoned(endpoint, message, 1 + chance.Below(trades, "poisoned-nth", i), 1 + chance.Below(6, "poisoned-times", i), chance.Happens(0.3, "poisoned-after", i));
            });
            Some("rubbish", 0.4, 3, i => new SomebodyPublishes(Message("rubbish-nth", i), Trash[chance.Below(Trash.Length, "rubbish-what", i)]));
            Some("letter-replayed", 0.8, 4, i => new LetterReplayed(Letter("letter-replayed-nth", i), Seconds(0, 6, "letter-replayed-after", i), 1 + chance.Below(3, "letter-replayed-times", i), chance.Happens(0.5, "letter-replayed-together", i)));
            Some("letter-given-up", 0.4, 2, i => new LetterGivenUp(Letter("letter-given-up-nth", i), Seconds(0, 0.5, "letter-given-up-after", i)));
            Some("letter-discarded", 0.4, 2, i => new LetterDiscarded(Letter("letter-discarded-nth", i), Seconds(0, 8, "letter-discarded-after", i)));
            Some("letters-selected", 0.6, 2, i => new LettersSelected(
                Letter("letters-selected-nth", i), Seconds(0, 8, "letters-selected-after", i), chance.Happens(0.3, "letters-selected-narrow", i), chance.Happens(0.4, "letters-selected-together", i), chance.Happens(0.2, "letters-selected-cancelled", i)));
            Some("letter-crash", 0.6, 4, i => new Crash(ends[chance.Below(ends.Count, "letter-crash-point", i)], 1 + chance.Below(5, "letter-crash-nth", i), Seconds(0.1, 6, "letter-crash-back", i)));
        }

        int Letter(string what, int i) => 1 + chance.Below(LettersAPlan, what, i);

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
            new Plan(3, 4, 1, [new Poisoned(Routes.Risk, nameof(TradeOpened), 1, 3, AfterEffect: false), new LetterReplayed(1, 0, 1, Together: false), new LettersSelected(2, 5, Narrow: false, Together: false, Cancelled: false)]),
        }.SelectMany(SimRun.PointsOf).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal),
    ]);

    public static IReadOnlyList<string> Points => Known.Value;

    /// <summary>Those of whoever looks after dead letters.</summary>
    public static IReadOnlyList<string> OfLetters { get; } = [.. Points.Where(IsOfLetters)];

    public static IReadOnlyList<string> Trading { get; } = [.. Points.Where(p => !IsOfLetters(p))];

    private static bool IsOfLetters(string point) => point.StartsWith($"{DeadLetterDecider.Consumer}.", StringComparison.Ordinal) || point.StartsWith($"{ReplaysDecider.Consumer}.", StringComparison.Ordinal);
}
