using System.CommandLine;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Antbot.Simulation;
using Antbot.Simulation.Faults;
using Antbot.Simulation.World;

const int SeedsToRun = 1_000;
const int SeedsToFind = 10_000;
var seeds = new Option<int?>("--seeds") { Description = "How many seeds to run: 1,000, or 10,000 where a mistake is looked for." };
var first = new Option<ulong>("--first") { Description = "The first of them.", DefaultValueFactory = _ => 1 };
var seed = new Option<ulong?>("--seed") { Description = "Run this one alone, and show its plan and what happened; where it fails, the smallest plan that does." };
var planFile = new Option<FileInfo?>("--plan") { Description = "Run a plan, or a regression, from a file." };
var bugName = new Option<string>("--bug") { Description = "Run with a mistake on purpose; ends with 1, the seed and the shrunk plan as soon as it is found.", DefaultValueFactory = _ => Bug.None.Name };
var bugs = new Option<bool>("--bugs") { Description = "List the mistakes." };
var allBugs = new Option<bool>("--all-bugs") { Description = "Look for each of the mistakes; ends with 0 where every one is found within the seeds." };
var doubts = new Option<int?>("--doubts") { Description = "Run this many orders that the venue takes and does not answer, away and forgetful at times: each must be found out about within 60 s of its return, and none be doubled." };
var letters = new Option<int?>("--letters") { Description = "Let messages die in every plan, until so many were sent once more: each must have exactly one effect, and each letter a true end." };
var meets = new Option<string?>("--meets") { Description = "Look for a seed whose run passes and meets all of these, stored names or counters with commas between, and show the smallest plan that does: for a kept plan that has come apart from the code." };
var save = new Option<DirectoryInfo?>("--save") { Description = "Keep the shrunk plans of what fails in this folder, as regressions." };
var story = new Option<bool>("--story") { Description = "With --seed or --plan: everything that happens, a line each." };
var json = new Option<bool>("--json") { Description = "One JSON object instead of lines for people." };
var root = new RootCommand(
    """
    Runs the services' own code over a simulated world, one run a seed: the same seed is the same run.
    Ends with 0 where all went well, 1 where a seed failed, 2 for what cannot be asked for, 3 where the canary lives, 130 where it was stopped.
    """) { seeds, first, seed, planFile, bugName, bugs, allBugs, doubts, letters, meets, save, story, json };
seeds.Validators.Add(r =>
{
    if (r.GetValueOrDefault<int?>() is < 1 or > 100_000_000)
        r.AddError("--seeds is a number from 1 to 100000000.");
});
doubts.Validators.Add(r =>
{
    if (r.GetValueOrDefault<int?>() is < 1 or > 10_000_000)
        r.AddError("--doubts is a number from 1 to 10000000.");
});
letters.Validators.Add(r =>
{
    if (r.GetValueOrDefault<int?>() is < 1 or > 10_000_000)
        r.AddError("--letters is a number from 1 to 10000000.");
});
root.SetAction(parsed =>
{
    var quiet = parsed.GetValue(json);
    if (parsed.GetValue(bugs))
        return List(quiet);
    var canary = Regression.Canary;
    if (Campaign.Distrust(canary, Bugs.Find(canary.Bug ?? throw new InvalidOperationException("The canary names no mistake."))) is { } distrust)
    {
        Console.Error.WriteLine(distrust);
        return Campaign.NotTrusted;
    }
    var bug = parsed.GetValue(bugName) is { } name && name != Bug.None.Name ? Bugs.Find(name) : Bug.None;
    var count = parsed.GetValue(seeds) ?? (parsed.GetValue(allBugs) || bug != Bug.None ? SeedsToFind : SeedsToRun);
    if (parsed.GetValue(allBugs))
        return All(parsed.GetValue(first), count, parsed.GetValue(save), quiet);
    if (parsed.GetValue(doubts) is { } wanted)
        return Until(wanted, Doubts.Settled, Doubts.PerPlanAtLeast, Planner.InDoubt);
    if (parsed.GetValue(letters) is { } wantedLetters)
        return Until(wantedLetters, Letters.SentAgain, Letters.PerPlanAtLeast, Planner.OfLetters);
    if (parsed.GetValue(meets) is { } wantedToMeet)
        return Meeting(wantedToMeet.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries), parsed.GetValue(first), count);
    Action<string>? tell = parsed.GetValue(story) ? Console.WriteLine : null;
    // What comes from a file is as small as it is, and kept already.
    if (parsed.GetValue(planFile) is { } file)
        return One(ReadPlan(File.ReadAllText(file.FullName)), plan => SimRun.LookingFor(bug.Shows, plan, bug, tell), _ => null, save: null, quiet);
    if (parsed.GetValue(seed) is { } alone)
        return One(Planner.From(alone), plan => SimRun.OfSeed(alone, plan, bug, tell), result => Failure.Of(alone, result, bug), parsed.GetValue(save), quiet);
    return Many(new Campaign(parsed.GetValue(first), count, bug, parsed.GetValue(save), quiet), quiet);

    int Until(int most, string what, int perPlan, Func<ulong, Plan> planOf) => UntilHappened(most, what, new Campaign(parsed.GetValue(first), (most / perPlan) + 1, bug, parsed.GetValue(save), quiet, planOf), quiet);
});
try
{
    var asked = root.Parse(args);
    var code = asked.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    return asked.Errors.Count > 0 ? 2 : code;
}
catch (Exception e) when (e is ArgumentException or JsonException or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}

static int Many(Campaign campaign, bool quiet)
{
    var code = Stoppable(campaign);
    if (quiet)
        Console.WriteLine(JsonSerializer.Serialize(campaign.Summary()));
    else
        campaign.Tell();
    return code;
}

static int UntilHappened(int wanted, string what, Campaign campaign, bool quiet)
{
    var code = Many(campaign, quiet);
    var happened = campaign.CountOf(what);
    if (!quiet)
        Console.WriteLine($"{happened:N0} {what}, {wanted:N0} were wanted.");
    return code == 0 && happened < wanted ? Campaign.NotTrusted : code;
}

static int Meeting(IReadOnlyList<string> names, ulong first, int seeds)
{
    for (var at = first; at < first + (ulong)seeds; at++)
    {
        if (!Meets(Planner.From(at)))
            continue;
        Console.WriteLine(Shrinker.Shrink(Planner.From(at), Meets).Write());
        return 0;
    }
    Console.Error.WriteLine($"None of {seeds:N0} seeds meets {string.Join(" and ", names)}.");
    return Campaign.Failed;

    bool Meets(Plan plan) => SimRun.Of(plan) is { Passed: true } result && names.All(result.HasMet);
}

// Ctrl-C ends the run in order: what was done until then is said.
static int Stoppable(Campaign campaign)
{
    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
    return campaign.Run();

    void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        campaign.Stop();
    }
}

static int List(bool quiet)
{
    if (quiet)
        Console.WriteLine(JsonSerializer.Serialize(Bugs.All.Select(b => new { name = b.Name, what = b.What, shows = $"{b.Shows}" })));
    foreach (var known in quiet ? [] : Bugs.All)
        Console.WriteLine($"{known.Name,-26} {known.Shows,-20} {known.What}");
    return 0;
}

static int All(ulong first, int seeds, DirectoryInfo? save, bool quiet)
{
    var rows = new List<(string Bug, ulong? Seed, int? Faults, Violation? Violation)>();
    foreach (var bug in Bugs.All)
    {
        var campaign = new Campaign(first, seeds, bug, save, quiet: true);
        if (Stoppable(campaign) == Campaign.Stopped)
            return Campaign.Stopped;
        rows.Add(campaign.Found is { } found ? (bug.Name, found.Seed, found.Plan.Faults.Count, found.Violation) : (bug.Name, null, null, null));
        if (!quiet)
            Console.WriteLine(rows[^1] is { Seed: { } at } row ? $"{row.Bug,-26} seed {at,5}, {row.Faults,2} faults: {row.Violation}" : $"{bug.Name,-26} NOT FOUND within {seeds:N0} seeds");
    }
    var missed = rows.Count(r => r.Seed is null);
    if (quiet)
        Console.WriteLine(JsonSerializer.Serialize(rows.Select(r => new { bug = r.Bug, seed = r.Seed, faults = r.Faults, violation = r.Violation?.ToString() })));
    else
        Console.WriteLine($"{rows.Count - missed} passed, {missed} failed");
    return missed == 0 ? 0 : Campaign.Failed;
}

static Plan ReadPlan(string text) => JsonDocument.Parse(text).RootElement.TryGetProperty(nameof(Regression.Plan), out var plan) ? Plan.Read(plan.GetRawText()) : Plan.Read(text);

static int One(Plan plan, Func<Plan, SimResult> run, Func<SimResult, Failure?> failureOf, DirectoryInfo? save, bool quiet)
{
    var began = Stopwatch.GetTimestamp();
    var result = run(plan);
    var took = Stopwatch.GetElapsedTime(began);
    var failure = failureOf(result);
    failure?.Shrink();
    if (quiet)
    {
        Console.WriteLine(JsonSerializer.Serialize(new
        {
            passed = result.Passed, violations = result.Violations.Select(v => new { broken = v.Broken.ToString(), what = v.What }), hash = $"{result.Hash:x16}", simulatedSeconds = result.Simulated.TotalSeconds, steps = result.Steps, milliseconds = took.TotalMilliseconds,
            happened = result.Tally.Counts, plan = Parsed(plan), shrunk = failure?.Shrunk is { } small ? Parsed(small) : (JsonElement?)null,
        }));
    }
    else
    {
        Console.WriteLine(plan.Write());
        foreach (var (what, count) in result.Tally.Counts.OrderBy(c => c.Key, StringComparer.Ordinal))
            Console.WriteLine($"{count,8:N0}  {what}");
        foreach (var violation in result.Violations)
            Console.WriteLine(violation);
    }
    failure?.Keep(save, quiet);
    if (!quiet)
    {
        Console.WriteLine($"{result.Simulated.TotalSeconds:0.0} s simulated in {took.TotalMilliseconds:0} ms, {result.Steps:N0} steps, hash {result.Hash:x16}");
        Console.WriteLine(result.Passed ? "1 passed, 0 failed" : "0 passed, 1 failed");
    }
    return result.Passed ? 0 : Campaign.Failed;

    static JsonElement Parsed(Plan plan) => JsonSerializer.Deserialize<JsonElement>(plan.Write());
}
