using System.CommandLine;
using System.Text.Json;
using Antbot.Fuzz;

var only = new Option<string?>("--target") { Description = "Only the targets whose name begins with this: decider:, message:AssessRisk, venue-reply." };
var cases = new Option<int?>("--cases") { Description = "How many cases each target has, instead of its own number." };
var from = new Option<int>("--from") { Description = "The first case: with --cases 1 it runs one alone.", DefaultValueFactory = _ => 0 };
var seed = new Option<long>("--seed") { Description = "Another seed makes other cases.", DefaultValueFactory = _ => 1 };
var tallyFile = new Option<string?>("--tally") { Description = "Note here what was done, every few seconds; what is noted there is not done again." };
var list = new Option<bool>("--list") { Description = "List the targets." };
var json = new Option<bool>("--json") { Description = "One JSON object a target instead of lines for people." };
var root = new RootCommand("Gives every edge what it must refuse, and every decider what its types allow. Exit code 1 when one did what it must not, 2 for what cannot be asked for, 130 when it was stopped.") { only, cases, from, seed, tallyFile, list, json };
root.Validators.Add(r =>
{
    if (r.GetValue(tallyFile) is not null && r.GetValue(from) != 0)
        r.AddError("A tally has every case from the first on: --from and --tally do not go together.");
});
root.SetAction((parsed, cancellationToken) => Task.FromResult(Run(parsed, cancellationToken)));
var asked = root.Parse(args);
var code = await asked.InvokeAsync();
return asked.Errors.Count > 0 ? 2 : code;

int Run(ParseResult parsed, CancellationToken cancellationToken)
{
    var targets = FuzzTargets.All.Where(t => t.Name.StartsWith(parsed.GetValue(only) ?? "", StringComparison.OrdinalIgnoreCase)).ToList();
    if (targets.Count == 0)
    {
        Console.Error.WriteLine($"No target begins with '{parsed.GetValue(only)}'. --list names them all.");
        return 2;
    }
    if (parsed.GetValue(list))
    {
        foreach (var target in targets)
            Console.WriteLine($"{target.Name,-40} {target.Cases,8:N0}  {target.What}");
        return 0;
    }
    var (path, isJson) = (parsed.GetValue(tallyFile), parsed.GetValue(json));
    FuzzTally before;
    try
    {
        before = path is null ? new FuzzTally(parsed.GetValue(seed), []) : FuzzTally.Read(path, parsed.GetValue(seed));
    }
    catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
    {
        Console.Error.WriteLine(e.Message);
        return 2;
    }
    // What failed is done again: it may have been mended since.
    before = before with { Results = [.. before.Results.Where(r => r.Failures.Count == 0)] };
    if (before.Results.Count > 0)
        Console.Error.WriteLine($"{before.Results.Sum(r => (long)r.Cases):N0} cases were done before; it goes on from there. Remove {path} to begin afresh.");
    var campaign = new FuzzCampaign(targets, before.Seed, parsed.GetValue(from), parsed.GetValue(cases), before.Results) { Over = r => Say(r, isJson) };
    var writing = new Lock();
    using (new Timer(_ => Note(), null, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10)))
        campaign.Run(cancellationToken);
    Write();
    foreach (var missing in campaign.Missing)
        Console.Error.WriteLine(missing);
    var failed = targets.Zip(campaign.Results).Count(r => r.Second.Failures.Count > 0 || r.Second.WhatIsMissing(r.First) is not null);
    if (!campaign.IsOver)
        Console.Error.WriteLine($"Stopped: {campaign.Progress()}");
    if (!isJson)
        Console.WriteLine($"{campaign.Results.Sum(r => (long)r.Cases):N0} cases; {(campaign.IsOver ? targets.Count : campaign.Results.Count(r => r.Cases > 0)) - failed} passed, {failed} failed");
    return failed > 0 ? 1 : campaign.IsOver ? 0 : 130;

    void Note()
    {
        Console.Error.WriteLine(campaign.Progress());
        Write();
    }

    void Write()
    {
        lock (writing)
        {
            if (path is not null)
                campaign.Tally.Write(path);
        }
    }
}

static void Say(FuzzResult result, bool asJson)
{
    if (asJson)
    {
        Console.WriteLine(JsonSerializer.Serialize(
            new
            {
                target = result.Target, cases = result.Cases, taken = result.Taken, refused = result.Refused, seconds = result.Took.TotalSeconds, slowestMilliseconds = result.Slowest.TotalMilliseconds,
                failures = result.Failures.Select(f => new { seed = f.Seed, index = f.Index, why = f.Why }),
            }));
        return;
    }
    Console.WriteLine($"{result.Target,-40} {result.Cases,9:N0} cases, {result.Taken,9:N0} taken, {result.Refused,9:N0} refused, slowest {result.Slowest.TotalMilliseconds,6:0.0} ms, {result.Cases / Math.Max(0.001, result.Took.TotalSeconds),9:N0}/s{(result.Failures.Count > 0 ? "  FAILED" : "")}");
    foreach (var failure in result.Failures.Take(3))
        Console.WriteLine($"  {failure}");
    if (result.Failures.Count > 3)
        Console.WriteLine($"  and {result.Failures.Count - 3} more");
}
