using Antbot.Simulation.Faults;
using Antbot.Simulation.World;
using Xunit;

namespace Antbot.Integration.Tests.Simulation;

/// <summary>A hundredth of what `make sim` runs, and whether it would notice.</summary>
public sealed class SimulationTests
{
    private const int Seeds = 50;

    [Fact]
    public void Under_the_faults_of_the_first_seeds_everything_holds_and_comes_to_rest()
    {
        var tally = new Tally();
        for (var seed = 1UL; seed <= Seeds; seed++)
        {
            var result = SimRun.Of(Planner.From(seed));
            Assert.True(result.Passed, $"seed {seed}: {string.Join('\n', result.Violations)}");
            tally.Add(result.Tally);
        }
        // Faults that never happen prove nothing.
        foreach (var fault in new[] { nameof(BusLoses), nameof(BusRepeats), nameof(BusDelays), nameof(BusDown), nameof(StoreDown), nameof(StoreDoubt), nameof(StoreStalls), nameof(VenueAway), nameof(Freeze), nameof(WrongClock), nameof(Halted), nameof(HaltedBefore) })
            Assert.True(tally.Counts.GetValueOrDefault(fault) > 0, $"{fault} never happened");
        Assert.True(tally.Counts.Keys.Count(k => k.StartsWith(nameof(Crash), StringComparison.Ordinal)) >= 8, "hardly a process ended");
    }

    [Fact]
    public void The_same_plan_is_the_same_run()
    {
        var (once, again) = (SimRun.Of(Planner.From(7)), SimRun.Of(Plan.Read(Planner.From(7).Write())));
        Assert.Equal((once.Hash, once.Steps, once.Simulated), (again.Hash, again.Steps, again.Simulated));
        Assert.NotEqual(once.Hash, SimRun.Of(Planner.From(8)).Hash);
    }

    [Theory]
    [InlineData("ack-before-append")]
    [InlineData("skip-the-id-check")]
    [InlineData("stale-control")]
    [InlineData("blind-retry")]
    [InlineData("reservation-not-released")]
    [InlineData("publish-is-forgotten")]
    public void A_mistake_on_purpose_is_found_and_its_plan_made_small(string name)
    {
        var bug = Bugs.Find(name);
        var plan = Enumerable.Range(1, 100).Select(s => Planner.From((ulong)s)).First(p => !SimRun.Of(p, bug).Passed);
        var shrunk = Shrinker.Shrink(plan, bug);
        Assert.False(SimRun.Of(shrunk, bug).Passed);
        Assert.InRange(shrunk.Faults.Count, 0, 10);
    }
}
