using Antbot.Simulation.World;

namespace Antbot.Simulation.Faults;

/// <summary>Takes out of a failing plan whatever it fails without. What is left fails in the same way.</summary>
public static class Shrinker
{
    /// <summary>A plan with more is not understood: that it cannot be made smaller is a fault of its own.</summary>
    public const int FaultsMax = 10;

    /// <summary>A run that does not come to rest is a long one: then a plan that is not the smallest has to do.</summary>
    private const int RunsMax = 400;

    /// <param name="broken">What the plan breaks.</param>
    public static Plan Shrink(Plan plan, Bug bug, Invariant broken) => Shrink(plan, smaller => SimRun.LookingFor(broken, smaller, bug).Violations.Any(v => v.Broken == broken));

    /// <param name="does">What the plan does, and what is left of it has to do too.</param>
    public static Plan Shrink(Plan plan, Func<Plan, bool> does)
    {
        var runs = 0;
        for (var size = Math.Max(1, plan.Faults.Count / 2); size >= 1; size /= 2)
        {
            for (var from = 0; from < plan.Faults.Count;)
            {
                var smaller = plan with { Faults = [.. plan.Faults.Take(from), .. plan.Faults.Skip(from + size)] };
                if (Does(smaller))
                    plan = smaller;
                else
                    from += size;
            }
        }
        while (plan.Trades > 1 && Does(plan with { Trades = plan.Trades - 1 }))
            plan = plan with { Trades = plan.Trades - 1 };
        return plan.Instances > 1 && Does(plan with { Instances = 1 }) ? plan with { Instances = 1 } : plan;

        bool Does(Plan smaller) => ++runs <= RunsMax && does(smaller);
    }
}
