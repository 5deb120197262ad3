using Antbot.Simulation.Faults;

namespace Antbot.Simulation.World;

/// <param name="Hash">Of everything that happened: equal for equal plans.</param>
public sealed record SimResult(Plan Plan, IReadOnlyList<string> Violations, ulong Hash, TimeSpan Simulated, long Steps, Tally Tally)
{
    public bool Passed => Violations.Count == 0;
}

/// <summary>A plan, run to its end: faults, healing, rest.</summary>
public static class SimRun
{
    private const long StepsMax = 5_000_000;

    private static readonly TimeSpan ConvergesWithin = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    public static SimResult Of(Plan plan, Bug? bug = null)
    {
        var before = SynchronizationContext.Current;
        try
        {
            return Run(new SimWorld(plan, bug ?? Bug.None));
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    private static SimResult Run(SimWorld world)
    {
        world.Begin();
        var deadline = TimeSpan.FromSeconds(Math.Max(world.HealedAt, Planner.FaultySeconds)) + ConvergesWithin;
        var (look, rested) = (LookEvery, false);
        while (!rested && world.Checker.Violations.Count == 0)
        {
            if (world.Loop.Escaped is { } escaped)
                world.Checker.Violations.Add($"not everything runs on one thread: {escaped}");
            else if (world.Loop.Now >= deadline)
                world.Checker.Violations.Add($"within {ConvergesWithin.TotalMinutes:0} minutes it did not come to rest: {world.Checker.WhyNotAtRest()}");
            else if (world.Loop.Steps > StepsMax || !world.Loop.Step())
                world.Checker.Violations.Add($"it came to an end after {world.Loop.Steps:N0} steps: {world.Checker.WhyNotAtRest()}");
            if (world.Loop.Now >= look)
            {
                look = world.Loop.Now + LookEvery;
                rested = world.IsHealed && world.Checker.IsAtRest();
            }
        }
        if (rested)
            world.Checker.AtRest();
        return new SimResult(world.Plan, world.Checker.Violations, world.Checker.Hash, world.Loop.Now, world.Loop.Steps, world.Tally);
    }
}
