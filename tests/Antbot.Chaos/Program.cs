using System.CommandLine;
using Antbot.Chaos;
using Antbot.Chaos.Running;

var name = new Option<string>("--case") { Description = "Only the cases whose names begin so; several with commas.", DefaultValueFactory = _ => "" };
var quick = new Option<bool>("--short") { Description = "The few that 'make test' runs." };
var list = new Option<bool>("--list") { Description = "List the cases and run none." };
var within = new Option<int>("--within") { Description = "Seconds in which everything has to be at rest after the end of a fault. More where the machine has much else to do.", DefaultValueFactory = _ => 60 };
var artifacts = new Option<string>("--artifacts") { Description = "Where a failing case leaves its evidence.", DefaultValueFactory = _ => "artifacts/chaos" };
var kills = new Option<int>("--kills") { Description = "So many kills of anything at any time instead of the cases; run again, it goes on where it was." };
var previous = new Option<string?>("--previous") { Description = "The commit, or the name of a release, whose build stands beside this one in the case 'builds'. Default: the one before the last that changed what runs." };
var lanes = new Option<int>("--lanes") { Description = "So many cases beside each other, but for those that want the whole machine.", DefaultValueFactory = _ => 2 };
var json = new Option<bool>("--json") { Description = "A line of JSON for each case instead of the table." };
var root = new RootCommand("Breaks the real services, servers and the paper venue under load, and has what is left judged from outside. Ctrl-C ends it in order.") { name, quick, list, kills, within, artifacts, previous, lanes, json };
root.SetAction(async (parsed, cancellationToken) =>
{
    var wanted = parsed.GetValue(name)!.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    var cases = Cases.All.Where(c => (wanted.Length == 0 || wanted.Any(w => c.Name.StartsWith(w, StringComparison.Ordinal))) && (!parsed.GetValue(quick) || c.InShortRun)).ToList();
    if (cases.Count == 0)
    {
        await Console.Error.WriteLineAsync($"antbot-chaos: no case is named so. There are:{Environment.NewLine}{string.Join(Environment.NewLine, Cases.All.Select(c => $"  {c.Name}"))}");
        return 2;
    }
    if (parsed.GetValue(list))
    {
        foreach (var group in cases.GroupBy(c => c.Group))
            Console.WriteLine($"{group.Key}{Environment.NewLine}{string.Join(Environment.NewLine, group.Select(c => $"  {c.Name,-34} {c.What}"))}");
        return 0;
    }
    try
    {
        var (programs, evidence) = (Programs.Own(), Path.GetFullPath(parsed.GetValue(artifacts)!));
        Campaign NewCampaign() => new(programs, evidence, TimeSpan.FromSeconds(Math.Clamp(parsed.GetValue(within), 1, 3_600)), parsed.GetValue(previous));
        if (parsed.GetValue(kills) is > 0 and var goal)
        {
            await using var campaign = NewCampaign();
            return await new RandomKills(campaign, evidence, goal, Console.Out, Console.Error).RunAsync(cancellationToken);
        }
        var results = await new Lanes(Math.Clamp(parsed.GetValue(lanes), 1, 16), NewCampaign, Console.Out, Console.Error, parsed.GetValue(json)).RunAsync([.. Cases.InRunningOrder(cases)], cancellationToken);
        var failed = results.Count(r => !r.Passed);
        if (results.Count < cases.Count)
            await Console.Error.WriteLineAsync($"antbot-chaos: it was interrupted; {cases.Count - results.Count} cases were not run.");
        Console.WriteLine($"{results.Count - failed} passed, {failed} failed");
        return results.Count < cases.Count ? 130 : failed == 0 ? 0 : 1;
    }
    catch (ChaosException e)
    {
        await Console.Error.WriteLineAsync($"antbot-chaos: {e.Message}");
        return 2;
    }
});
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(120) });
