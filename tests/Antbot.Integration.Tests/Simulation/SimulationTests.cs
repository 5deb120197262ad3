using System.Diagnostics;
using System.Text.Json;
using Antbot.Runtime.Store;
using Antbot.Simulation;
using Antbot.Simulation.Faults;
using Antbot.Simulation.Ports;
using Antbot.Simulation.World;
using Xunit;

namespace Antbot.Integration.Tests.Simulation;

/// <summary>A hundredth of what `make sim` runs, whatever it once found, and whether it would notice.</summary>
public sealed class SimulationTests
{
    private const int Seeds = 150;
    private const int SeedsOfLetters = 50;

    public static TheoryData<string> Regressions => [.. Regression.All.Select(r => r.Name)];

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
        // Most plans let nothing die.
        for (var seed = 1UL; seed <= SeedsOfLetters; seed++)
        {
            var result = SimRun.Of(Planner.OfLetters(seed));
            Assert.True(result.Passed, $"seed {seed} of letters: {string.Join('\n', result.Violations)}");
            tally.Add(result.Tally);
        }
        // Faults that never happen prove nothing, nor does what must go on all the same and was never tried.
        Assert.Empty(tally.NeverHappened());
    }

    /// <summary>Otherwise a halt that keeps fills or cancels back would pass for want of one.</summary>
    [Theory]
    [InlineData("a fill recorded while halted")]
    [InlineData("an attempt at a stop while halted")]
    [InlineData("an attempt at a way out while halted")]
    [InlineData("an order that the venue took back while halted")]
    [InlineData("VenueErrs.LateFill")]
    public void What_must_go_on_all_the_same_is_missed_where_it_never_happens(string what) => Assert.Contains(what, new Tally().NeverHappened());

    /// <summary>A tenth of what `make sim DOUBTS=10000` runs.</summary>
    [Fact]
    public void A_thousand_orders_that_the_venue_took_and_did_not_answer_are_found_out_about_and_none_is_doubled()
    {
        var tally = new Tally();
        for (var seed = 1UL; tally.Counts.GetValueOrDefault(Doubts.Settled) < 1_000; seed++)
        {
            var result = SimRun.Of(Planner.InDoubt(seed));
            Assert.True(result.Passed, $"seed {seed}: {string.Join('\n', result.Violations)}");
            tally.Add(result.Tally);
            Assert.True(seed < 1_000, "There is hardly an order in doubt.");
        }
        Assert.True(tally.Counts.GetValueOrDefault(nameof(VenueForgets)) > 0 && tally.Counts.GetValueOrDefault(nameof(VenueAway)) > 0, "The venue was always there, and forgot nothing.");
    }

    [Theory]
    [MemberData(nameof(Regressions))]
    public void What_was_found_once_does_not_come_back(string name) => Assert.Null(Regression.All.First(r => r.Name == name).Fault());

    [Fact]
    public void The_same_plan_is_the_same_run()
    {
        var (once, again) = (SimRun.Of(Planner.From(7)), SimRun.Of(Plan.Read(Planner.From(7).Write())));
        Assert.Equal((once.Hash, once.Steps, once.Simulated), (again.Hash, again.Steps, again.Simulated));
        Assert.NotEqual(once.Hash, SimRun.Of(Planner.From(8)).Hash);
    }

    /// <summary>Nothing of a process is in it: not the seed of its strings' hashes, not its addresses, not its clock.</summary>
    [Fact]
    public async Task The_same_seed_is_the_same_run_in_another_process()
    {
        var cancel = TestContext.Current.CancellationToken;
        using var other = Process.Start(new ProcessStartInfo("dotnet", [typeof(SimRun).Assembly.Location, "--seed", "7", "--json"]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        var output = await other.StandardOutput.ReadToEndAsync(cancel);
        await other.WaitForExitAsync(cancel);
        Assert.Equal(0, other.ExitCode);
        Assert.Equal($"{SimRun.Of(Planner.From(7)).Hash:x16}", JsonElement.Parse(output).GetProperty("hash").GetString());
    }

    /// <summary>One seed alone does what it would do among many: its plan is made small, and kept.</summary>
    [Fact]
    public async Task A_seed_that_fails_alone_is_made_small_and_kept()
    {
        var cancel = TestContext.Current.CancellationToken;
        var bug = Bugs.Find("blind-retry");
        var seed = Enumerable.Range(1, 400).Select(s => (ulong)s).First(s => bug.IsShownBy(SimRun.Of(Planner.From(s), bug).Violations));
        var folder = Directory.CreateTempSubdirectory("antbot-kept-");
        try
        {
            using var alone = Process.Start(new ProcessStartInfo("dotnet", [typeof(SimRun).Assembly.Location, "--seed", $"{seed}", "--bug", bug.Name, "--save", folder.FullName]) { RedirectStandardOutput = true, UseShellExecute = false })!;
            var output = await alone.StandardOutput.ReadToEndAsync(cancel);
            await alone.WaitForExitAsync(cancel);
            Assert.Equal(Campaign.Failed, alone.ExitCode);
            Assert.Contains($"seed {seed}, shrunk to ", output, StringComparison.Ordinal);
            Assert.Null(Regression.Read(await File.ReadAllTextAsync(Path.Combine(folder.FullName, $"{bug.Name}.json"), cancel)).Fault());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Whatever else one seed in a hundred shows, it shows whether the simulator rests on something that is not its own.</summary>
    [Fact]
    public void Of_a_hundred_seeds_one_is_run_twice_and_fails_where_it_is_not_the_same_run()
    {
        var unsteady = new Unsteady();
        var (twice, once, steady) = (Of(100, 1, unsteady), Of(101, 99, unsteady), Of(1, 200, Bug.None));
        Assert.Equal(Campaign.Failed, twice.Run());
        Assert.Equal((100UL, Invariant.SameRun), (twice.Found?.Seed, twice.Found?.Violation.Broken));
        // Of those that are run once nobody can know.
        Assert.Equal(0, once.Run());
        Assert.Equal(0, steady.Run());
        Assert.Equal([1, 0, 2], new[] { twice, once, steady }.Select(c => JsonSerializer.SerializeToElement(c.Summary()).GetProperty("runTwice").GetInt32()));
        // And alone it is no other run than among many.
        Assert.Contains(SimRun.OfSeed(100, Quiet(100), unsteady).Violations, v => v.Broken == Invariant.SameRun);

        static Campaign Of(ulong first, int seeds, Bug bug) => new(first, seeds, bug, save: null, quiet: true, Quiet);

        static Plan Quiet(ulong seed) => new(seed, 1, 1, []);
    }

    /// <summary>A mistake that no kept plan shows would not be seen when it comes back.</summary>
    [Fact]
    public void Every_mistake_on_purpose_has_a_plan_that_shows_it() => Assert.Empty(Bugs.All.Select(b => b.Name).Except(Regression.All.Select(r => r.Bug), StringComparer.Ordinal));

    /// <summary>What is broken and seen by nobody holds by chance.</summary>
    [Fact]
    public void Everything_that_must_hold_is_broken_by_a_mistake_on_purpose() => Assert.Empty(Enum.GetValues<Invariant>().Except(Bugs.All.Select(b => b.Shows!.Value)));

    [Theory]
    [InlineData("ack-before-append")]
    [InlineData("stale-control")]
    [InlineData("blind-retry")]
    public void A_mistake_on_purpose_is_found_by_what_it_breaks_and_its_plan_made_small(string name)
    {
        var bug = Bugs.Find(name);
        var plan = Enumerable.Range(1, 400).Select(s => Planner.From((ulong)s)).First(p => bug.IsShownBy(SimRun.Of(p, bug).Violations));
        var shrunk = Shrinker.Shrink(plan, bug, bug.Shows!.Value);
        Assert.Contains(SimRun.Of(shrunk, bug).Violations, v => v.Broken == bug.Shows);
        Assert.InRange(shrunk.Faults.Count, 0, Shrinker.FaultsMax);
    }

    /// <summary>What breaks something else has not found it: another mistake of the checker's would do for all of them.</summary>
    [Fact]
    public void A_mistake_that_is_found_by_something_else_is_not_found()
    {
        var (canary, mistaken) = (Regression.Canary, new Bug("mistaken", "nothing that breaks the chain", Invariant.ChainHolds));
        Assert.False(mistaken.IsShownBy(SimRun.Of(canary.Plan, Bugs.Find(canary.Bug!)).Violations));
        var otherwise = canary with { Shows = Invariant.ChainHolds };
        Assert.Contains(nameof(Invariant.OneOrder), otherwise.Fault(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_kept_plan_of_more_than_ten_faults_is_not_small_enough()
    {
        var canary = Regression.Canary;
        Assert.Null(canary.Fault());
        var large = canary with { Plan = canary.Plan with { Faults = [.. canary.Plan.Faults, .. Enumerable.Range(1, Shrinker.FaultsMax).Select(n => new StoreGap(n, 1))] } };
        Assert.Contains("small", large.Fault(), StringComparison.Ordinal);
    }

    /// <summary>The code moves on, and what a plan is addressed by ("the fourth fill") may be there no more.</summary>
    [Theory]
    [InlineData("half-an-entry-taken-back")]
    [InlineData("unknown-is-rejected")]
    public void A_kept_plan_whose_fault_never_happens_says_so(string name)
    {
        var kept = Regression.All.First(r => r.Name == name);
        var astray = kept with { Plan = kept.Plan with { Faults = [.. kept.Plan.Faults, new BusDelays(9_999, 1)] } };
        Assert.Contains("BusDelays { Nth = 9999, Seconds = 1 } never happened", astray.Fault(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_kept_plan_without_a_mistake_on_purpose_has_to_meet_what_it_was_kept_for()
    {
        var kept = Regression.All.First(r => r.Name == "half-an-entry-taken-back");
        Assert.Contains("nothing any more", (kept with { Meets = null }).Fault(), StringComparison.Ordinal);
        var untouched = kept with { Plan = kept.Plan with { Faults = [.. kept.Plan.Faults.Where(f => f is not Busted)] } };
        Assert.Contains("'order_fill_busted', and does not", untouched.Fault(), StringComparison.Ordinal);
    }

    /// <summary>Whatever falls over while a plan is run is told with it, and the others go on.</summary>
    [Fact]
    public void A_checker_that_falls_over_names_the_plan_under_which_it_does()
    {
        var (bug, plan) = (Bugs.Find("event-unreadable"), Planner.From(7));
        var result = SimRun.Of(plan, bug);
        var violation = Assert.Single(result.Violations, v => v.Broken == Invariant.SimulationHolds);
        Assert.Contains("order_filled", violation.What, StringComparison.Ordinal);
        var campaign = new Campaign(7, 1, bug, save: null, quiet: true);
        Assert.Equal(Campaign.Failed, campaign.Run());
        Assert.Equal(7UL, campaign.Found?.Seed);
    }

    /// <summary>Up to half of what is published came twice, and up to a third of it was lost before it was confirmed.</summary>
    [Fact]
    public void As_much_is_lost_and_comes_again_as_is_promised()
    {
        var (lost, again) = (new Share(), new Share());
        for (var seed = 1UL; seed <= 600; seed++)
        {
            var plan = Planner.From(seed);
            // Only plans that mean to do so much need to be run.
            var (loses, repeats) = (plan.Faults.Any(f => f is BusLosesMany { Part: > 0.9 * Planner.LostMost }), plan.Faults.Any(f => f is BusRepeatsMany { Part: > 0.9 * Planner.RepeatedMost }));
            if (!loses && !repeats)
                continue;
            var counts = SimRun.Of(plan).Tally.Counts;
            lost.Add(loses, counts, SimBroker.LostAmidLoss, SimBroker.AmidLoss);
            again.Add(repeats, counts, SimBroker.RepeatedAmidRepetition, SimBroker.AmidRepetition);
        }
        Assert.InRange(lost.Part, 0.25, 0.4);
        Assert.InRange(again.Part, 0.4, 0.6);
    }

    [Fact]
    public void A_canary_that_lives_is_not_trusted()
    {
        var canary = Regression.Canary;
        Assert.Null(Campaign.Distrust(canary, Bugs.Find(canary.Bug!)));
        Assert.NotNull(Campaign.Distrust(canary, Bug.None));
        Assert.NotNull(Campaign.Distrust(canary with { Shows = Invariant.ChainHolds }, Bugs.Find(canary.Bug!)));
    }

    [Fact]
    public void A_campaign_that_is_stopped_does_not_say_that_all_went_well()
    {
        var campaign = new Campaign(1, 1_000_000, Bug.None, save: null, quiet: true);
        campaign.Stop();
        Assert.Equal(Campaign.Stopped, campaign.Run());
    }

    /// <summary>It depends on the machine's own clock, and nobody looks for that.</summary>
    private sealed class Unsteady() : Bug("unsteady", "how long an append takes depends on the machine's own clock", shows: null)
    {
        private readonly Bug _inner = Bugs.Find("outside-clock");

        public override IEventStore Around(IEventStore store, SimProcess process) => _inner.Around(store, process);
    }

    /// <summary>Of all runs that mean it: of one alone a share may be any.</summary>
    private sealed class Share
    {
        private long _some;
        private long _all;

        public double Part => (double)_some / _all;

        public void Add(bool isMeant, IReadOnlyDictionary<string, long> counts, string some, string all)
        {
            if (isMeant)
                (_some, _all) = (_some + counts.GetValueOrDefault(some), _all + counts.GetValueOrDefault(all));
        }
    }
}
