using Antbot.Simulation.World;

namespace Antbot.Simulation.Faults;

/// <summary>Takes out of a failing plan whatever it fails without.</summary>
public static class Shrinker
{
    public static Plan Shrink(Plan plan, Bug bug)
    {
        for (var size = Math.Max(1, plan.Faults.Count / 2); size >= 1; size /= 2)
        {
            for (var from = 0; from < plan.Faults.Count;)
            {
                var smaller = plan with { Faults = [.. plan.Faults.Take(from), .. plan.Faults.Skip(from + size)] };
                if (SimRun.Of(smaller, bug).Passed)
                    from += size;
                else
                    plan = smaller;
            }
        }
        while (plan.Trades > 1 && !SimRun.Of(plan with { Trades = plan.Trades - 1 }, bug).Passed)
            plan = plan with { Trades = plan.Trades - 1 };
        return plan.Instances > 1 && !SimRun.Of(plan with { Instances = 1 }, bug).Passed ? plan with { Instances = 1 } : plan;
    }
}
