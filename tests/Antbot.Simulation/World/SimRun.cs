using Antbot.Simulation.Faults;

namespace Antbot.Simulation.World;

/// <param name="Hash">Of everything that happened: equal for equal plans.</param>
/// <param name="Recorded">The stored names of all that was committed.</param>
public sealed record SimResult(Plan Plan, IReadOnlyList<Violation> Violations, ulong Hash, TimeSpan Simulated, long Steps, Tally Tally, IReadOnlyCollection<string> Recorded)
{
    public bool Passed => Violations.Count == 0;

    /// <summary>Whether it was recorded, or counted, by that name.</summary>
    public bool HasMet(string what) => Recorded.Contains(what) || Tally.Counts.ContainsKey(what);
}

/// <summary>A plan, run to its end: faults, healing, rest.</summary>
public static class SimRun
{
    /// <summary>A hundred times what a run takes: whoever keeps saying the same is found out before five minutes are over.</summary>
    private const long StepsMax = 300_000;

    private const ulong TwiceEvery = 100;

    private static readonly TimeSpan ConvergesWithin = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    /// <summary>One in a hundred: the same seed must be the same run.</summary>
    public static bool IsTwice(ulong seed) => seed % TwiceEvery == 0;

    /// <summary>As a seed is run, alone or among many: what fails there fails here.</summary>
    /// <param name="tell">Is told everything that happens, a line each.</param>
    public static SimResult OfSeed(ulong seed, Plan plan, Bug bug, Action<string>? tell = null) => IsTwice(seed) ? Twice(plan, bug, tell) : LookingFor(bug.Shows, plan, bug, tell);

    /// <summary>Twice where that is what is looked for: a run that is not the same again shows nothing by itself.</summary>
    public static SimResult LookingFor(Invariant? broken, Plan plan, Bug? bug = null, Action<string>? tell = null) => broken == Invariant.SameRun ? Twice(plan, bug, tell) : Of(plan, bug, tell);

    private static SimResult Twice(Plan plan, Bug? bug, Action<string>? tell)
    {
        var (once, again) = (Of(plan, bug, tell), Of(plan, bug));
        return once.Hash == again.Hash ? once : once with { Violations = [.. once.Violations, new Violation(Invariant.SameRun, "run twice, it was not the same run")] };
    }

    /// <param name="tell">Is told everything that happens, a line each.</param>
    public static SimResult Of(Plan plan, Bug? bug = null, Action<string>? tell = null)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var points = Rehearsal.Points;
        var world = Run(plan, bug ?? Bug.None, tell);
        foreach (var point in world.PointsReached.Except(points, StringComparer.Ordinal))
            world.Checker.Violated(Invariant.PointsKnown, $"a process can end at '{point}', and no plan makes one end there: the rehearsal does not pass it");
        return new SimResult(plan, world.Checker.Violations, world.Checker.Hash, world.Loop.Now, world.Loop.Steps, world.Tally, world.Checker.Recorded);
    }

    /// <summary>The places at which a process could have ended in this run, which must be one without a fault.</summary>
    internal static IReadOnlyCollection<string> PointsOf(Plan plan)
    {
        var world = Run(plan, Bug.None, tell: null);
        return world.Checker.Violations.Count == 0 ? world.PointsReached : throw new InvalidOperationException($"The rehearsal failed: {world.Checker.Violations[0]}");
    }

    /// <summary>The whole world as it is in the end, with its history.</summary>
    /// <param name="watch">Is given the world before anything happens in it.</param>
    internal static SimWorld WorldOf(Plan plan, Action<SimWorld>? watch = null) => Run(plan, Bug.None, tell: null, watch);

    private static SimWorld Run(Plan plan, Bug bug, Action<string>? tell, Action<SimWorld>? watch = null)
    {
        var before = SynchronizationContext.Current;
        try
        {
            var world = new SimWorld(plan, bug, tell);
            watch?.Invoke(world);
            try
            {
                Run(world);
            }
            catch (Exception e)
            {
                // Whatever falls over in a fold or in the checker is this plan's, and is told with it.
                world.Checker.Violated(Invariant.SimulationHolds, $"the simulation itself failed: {e}");
            }
            return world;
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    private static void Run(SimWorld world)
    {
        world.Begin();
        var deadline = TimeSpan.FromSeconds(Math.Max(world.HealedAt, Planner.FaultySeconds)) + ConvergesWithin;
        var (look, rested, checker) = (LookEvery, false, world.Checker);
        while (!rested && checker.Violations.Count == 0)
        {
            if (world.Loop.Escaped is { } escaped)
                checker.Violated(Invariant.OneThread, $"not everything runs on one thread: {escaped}");
            else if (world.Loop.Steps > StepsMax || !world.Loop.Step())
                checker.Violated(Invariant.ComesToRest, $"it came to an end after {world.Loop.Steps:N0} steps: {checker.WhyNotAtRest()?.What}");
            if (world.Loop.Now < look)
                continue;
            look = world.Loop.Now + LookEvery;
            checker.LookAround();
            var missing = world.IsHealed ? checker.WhyNotAtRest() : new Violation(Invariant.ComesToRest, "not everybody is up");
            rested = missing is null;
            if (missing is not null && world.Loop.Now >= deadline)
                checker.Violated(missing.Broken, $"within {ConvergesWithin.TotalMinutes:0} minutes it did not come to rest: {missing.What}");
        }
        if (!rested)
            return;
        checker.AtRest();
        if (world.Loop.Escaped is { } late)
            checker.Violated(Invariant.OneThread, $"not everything runs on one thread: {late}");
    }
}
