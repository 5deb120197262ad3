using System.Collections;
using Antbot.Fuzz;
using Antbot.Fuzz.Targets;
using Antbot.Hosting;
using Antbot.Kernel.Control;
using Antbot.Kernel.Decisions;
using Antbot.Runtime.Venue;
using Antbot.Standalone;
using Xunit;

namespace Antbot.Integration.Tests.Fuzz;

/// <summary>A hundredth of what `make fuzz` gives every edge and every decider, and whether it would notice.</summary>
public sealed class FuzzTests
{
    private const int Part = 100;
    private const long Seed = 1;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> Kinds => [.. FuzzTargets.All.Select(t => t.Name.Split(':')[0]).Distinct(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_case_is_taken_for_what_it_is_or_refused_with_a_reason(string kind)
    {
        foreach (var target in FuzzTargets.All.Where(t => t.Name == kind || t.Name.StartsWith($"{kind}:", StringComparison.Ordinal)))
        {
            var result = FuzzRun.Of(target, Seed, from: 0, target.Cases / Part, cancellationToken: Cancel);
            Assert.True(result.Failures.Count == 0, result.Failures.Count == 0 ? "" : $"{result.Failures[0]}");
            Assert.Equal(target.Cases / Part, result.Cases);
            Assert.Null(result.WhatIsMissing(target));
        }
    }

    /// <summary>Where nothing is taken, or nothing refused, nothing was tried: the long run says so too.</summary>
    [Fact]
    public void A_target_of_which_nothing_is_taken_or_nothing_refused_is_named()
    {
        var campaign = new FuzzCampaign([new Careful()], Seed, from: 0, cases: FuzzRun.BothWithin, []);
        campaign.Run(Cancel);
        Assert.Equal("careful: of 100 cases none was refused", Assert.Single(campaign.Missing));
        Assert.Null(campaign.Results[0].WhatIsMissing(new Careful { Refuses = false }));
        Assert.Equal("careful: of 100 cases none was taken", (campaign.Results[0] with { Taken = 0, Refused = 100 }).WhatIsMissing(new Careful()));
        Assert.Null((campaign.Results[0] with { Cases = 99 }).WhatIsMissing(new Careful()));
    }

    /// <summary>Found by the configurations: both ended a service with a trace and without the setting's name.</summary>
    [Theory]
    [InlineData("ANTBOT_CONSOLE__SERVICES", "")]
    [InlineData("ANTBOT_SIGNAL__RSIOVERSOLD", "99999999999999999999999999")]
    [InlineData("ANTBOT_SIGNAL__MAXPRICEDEVIATIONPERCENT", "99999999999999999999999999")]
    [InlineData("ANTBOT_RECONCILIATION__LASTSSECONDS", "99999999999999999999999999")]
    [InlineData("ANTBOT_RECONCILIATION__LASTSSECONDS", "NaN")]
    public void A_setting_that_cannot_even_be_compared_is_named(string variable, string value)
    {
        using var app = ServiceHost.Build([], new Hashtable { [variable] = value }, PlatformModules.Make(), out var faults);
        Assert.Null(app);
        Assert.Contains(faults, f => f.StartsWith(variable, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_message_every_event_and_every_decider_is_a_target()
    {
        var names = FuzzTargets.All.Select(t => t.Name).ToList();
        Assert.Equal(names.Count, names.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(Antbot.Contracts.Messages.Routes.All.Count, names.Count(n => n.StartsWith("message:", StringComparison.Ordinal)));
        var stored = File.ReadLines(Path.Combine(RepositoryFolder.Root, "tests/Antbot.Core.Tests/stored-names.txt")).Select(l => l.Split(' ')[0]).Where(n => n.Length > 0 && n[0] != '#').Order(StringComparer.Ordinal);
        Assert.Equal(stored, names.Where(n => n.StartsWith("event:", StringComparison.Ordinal)).Select(n => n["event:".Length..]).Order(StringComparer.Ordinal));
        Assert.Superset(new HashSet<string>(["decider:coordinator", "decider:validation", "decider:risk", "decider:execution", "decider:reconciliation", "decider:control", "strategy:ema-cross", "strategy:rsi-reversion", "operator-request", "fill-history"], StringComparer.Ordinal), names.ToHashSet(StringComparer.Ordinal));
    }

    /// <summary>A new request of the venue's port has to be asked here as well.</summary>
    [Fact]
    public void Every_request_of_a_venue_is_answered_with_nonsense() => Assert.Equal(
        typeof(IVenue).GetMethods().Where(m => typeof(Task).IsAssignableFrom(m.ReturnType)).Select(m => m.ToString()).Order(StringComparer.Ordinal),
        VenueTarget.Asks.Select(m => m.ToString()).Order(StringComparer.Ordinal));

    /// <summary>A new decider has to be said what it decides on.</summary>
    [Fact]
    public void Every_decider_that_the_code_has_is_given_cases()
    {
        Assert.Empty(Deciders.Forgotten);
        Assert.Superset(
            new HashSet<string>(["TradeDecider", "ValidationDecider", "RiskDecider", "ExecutionDecider", "ReconciliationDecider", "ControlDecider"], StringComparer.Ordinal),
            Deciders.Found.Select(t => t.Name).ToHashSet(StringComparer.Ordinal));
        Assert.True(Deciders.IsDecider(typeof(Nameless)), "One that gives a behaviour under another name is passed over.");
    }

    [Fact]
    public void A_case_that_never_returns_is_named_and_ends_its_target()
    {
        using var end = new ManualResetEventSlim();
        var stuck = new Stuck(end);
        var campaign = new FuzzCampaign([stuck, new Careful()], Seed, from: 0, cases: 20, []) { LooksMax = 5 };
        campaign.Run(Cancel);
        end.Set();
        Assert.True(campaign.IsOver);
        Assert.Equal(20, campaign.Results[1].Taken);
        var hung = Assert.Single(campaign.Results[0].Failures);
        Assert.True(hung.Hangs);
        Assert.StartsWith($"stuck, case {Stuck.At} of seed {Seed}: it never returned", hung.ToString(), StringComparison.Ordinal);
        Assert.Equal((Stuck.At, Stuck.At + 1), (campaign.Results[0].Taken, campaign.Results[0].Cases));
    }

    /// <summary>A long run is stopped and gone on with: nothing is done twice or left out.</summary>
    [Fact]
    public void A_run_goes_on_where_its_tally_says_that_it_was_stopped()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("antbot-fuzz-").FullName, "deeper", "tally.json");
        IFuzzTarget[] targets = [.. FuzzTargets.All.Where(t => t.Name is "signal-body" or "market-message")];
        var begun = new FuzzCampaign(targets, Seed, from: 0, cases: 700, []);
        begun.Run(Cancel);
        begun.Tally.Write(path);
        var before = FuzzTally.Read(path, Seed);
        Assert.Equal([700, 700], before.Results.Select(r => r.Cases));
        var over = new List<FuzzResult>();
        var rest = new FuzzCampaign(targets, Seed, from: 0, cases: 1_500, before.Results) { Over = over.Add };
        Assert.False(rest.IsOver);
        rest.Run(Cancel);
        Assert.True(rest.IsOver);
        foreach (var (target, result) in targets.Zip(rest.Results))
        {
            var inOne = FuzzRun.Of(target, Seed, from: 0, 1_500, cancellationToken: Cancel);
            Assert.Equal((1_500, inOne.Taken, inOne.Refused), (result.Cases, result.Taken, result.Refused));
            Assert.Contains(result, over);
        }
        Assert.Contains("another file", Assert.Throws<System.Text.Json.JsonException>(() => FuzzTally.Read(path, Seed + 1)).Message, StringComparison.Ordinal);
        Directory.Delete(Path.GetDirectoryName(Path.GetDirectoryName(path))!, recursive: true);
    }

    [Fact]
    public void What_throws_what_says_nothing_and_what_hangs_is_found_and_made_again_from_its_number()
    {
        var result = FuzzRun.Of(new Careless(), Seed, from: 0, 200, cancellationToken: Cancel);
        var thrown = result.Failures.First(f => f.Why.Contains("left alone", StringComparison.Ordinal));
        Assert.Equal([thrown], FuzzRun.Of(new Careless(), Seed, thrown.Index, 1, cancellationToken: Cancel).Failures);
        Assert.Contains(result.Failures, f => f.Why == "It was refused without a reason.");
        Assert.Empty(FuzzRun.Of(new Careless(), Seed, from: 0, 200, cancellationToken: Cancel).Failures.Except(result.Failures));
        Assert.Contains("3 times", Assert.Single(FuzzRun.Of(new Slow(), Seed, from: 0, 1, cancellationToken: Cancel).Failures).Why, StringComparison.Ordinal);
    }

    private sealed class Careless : IFuzzTarget
    {
        public string Name => "careless";

        public string What => "an edge that is not what it should be";

        public int Cases => 1;

        public FuzzOutcome Try(Random random) => random.Next(10) switch
        {
            0 => throw new InvalidOperationException("left alone"),
            1 => throw new FuzzException("It was refused without a reason."),
            _ => FuzzOutcome.Taken,
        };
    }

    private static class Nameless
    {
        public static Behaviour<ControlState> Whatever => new("nameless", ControlState.Fold, (_, _, _) => [], _ => []);
    }

    private sealed class Careful : IFuzzTarget
    {
        public bool Refuses { get; init; } = true;

        public string Name => "careful";

        public string What => "an edge that is as it should be";

        public int Cases => 1;

        public FuzzOutcome Try(Random random) => FuzzOutcome.Taken;
    }

    private sealed class Stuck(ManualResetEventSlim end) : IFuzzTarget
    {
        public const int At = 7;

        private int _tries;

        public string Name => "stuck";

        public string What => "an edge that does not come back";

        public int Cases => 1;

        public FuzzOutcome Try(Random random)
        {
            if (_tries++ == At)
                end.Wait();
            return FuzzOutcome.Taken;
        }
    }

    private sealed class Slow : IFuzzTarget
    {
        public string Name => "slow";

        public string What => "an edge that hangs";

        public int Cases => 1;

        public FuzzOutcome Try(Random random)
        {
            Thread.Sleep(FuzzRun.CaseMax + TimeSpan.FromMilliseconds(50));
            return FuzzOutcome.Taken;
        }
    }
}
