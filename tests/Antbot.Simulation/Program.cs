using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Antbot.Simulation;
using Antbot.Simulation.Faults;
using Antbot.Simulation.World;

var seeds = new Option<int>("--seeds") { Description = "How many seeds to run.", DefaultValueFactory = _ => 1_000 };
var first = new Option<long>("--first") { Description = "The first of them.", DefaultValueFactory = _ => 1 };
var seed = new Option<long?>("--seed") { Description = "Run this one alone, and show its plan." };
var planFile = new Option<FileInfo?>("--plan") { Description = "Run a plan from a file." };
var bugName = new Option<string>("--bug") { Description = "Run with a mistake on purpose; ends with 1 and the shrunk plan as soon as it is found.", DefaultValueFactory = _ => "none" };
var bugs = new Option<bool>("--bugs") { Description = "List the mistakes." };
var save = new Option<DirectoryInfo?>("--save") { Description = "Keep the shrunk plans of what fails in this folder." };
var json = new Option<bool>("--json") { Description = "One JSON object instead of lines for people." };
var root = new RootCommand("Runs the services' own code over a simulated world, one run a seed.") { seeds, first, seed, planFile, bugName, bugs, save, json };
root.SetAction(parsed =>
{
    if (parsed.GetValue(bugs))
    {
        foreach (var known in Bugs.All)
            Console.WriteLine($"{known.Name,-26} {known.What}");
        return 0;
    }
    var bug = parsed.GetValue(bugName) is { } name && name != "none" ? Bugs.Find(name) : Bug.None;
    if (parsed.GetValue(planFile) is { } file)
        return One(Plan.Read(File.ReadAllText(file.FullName)), bug);
    return parsed.GetValue(seed) is { } alone
        ? One(Planner.From((ulong)alone), bug)
        : new Campaign((ulong)parsed.GetValue(first), parsed.GetValue(seeds), bug, parsed.GetValue(save), parsed.GetValue(json)).Run();
});
try
{
    return root.Parse(args).Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (Exception e) when (e is ArgumentException or JsonException or IOException)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}

static int One(Plan plan, Bug bug)
{
    var began = Stopwatch.GetTimestamp();
    var result = SimRun.Of(plan, bug);
    Console.WriteLine(plan.Write());
    foreach (var (what, count) in result.Tally.Counts.OrderBy(c => c.Key, StringComparer.Ordinal))
        Console.WriteLine($"{count,8:N0}  {what}");
    foreach (var violation in result.Violations)
        Console.WriteLine(violation);
    Console.WriteLine($"{result.Simulated.TotalSeconds:0.0} s simulated in {Stopwatch.GetElapsedTime(began).TotalMilliseconds:0} ms, {result.Steps:N0} steps, hash {result.Hash:x16}");
    Console.WriteLine(result.Passed ? "1 passed, 0 failed" : "0 passed, 1 failed");
    return result.Passed ? 0 : 1;
}
