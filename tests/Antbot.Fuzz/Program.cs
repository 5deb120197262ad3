using System.CommandLine;
using System.Text.Json;
using Antbot.Fuzz;

var only = new Option<string?>("--target") { Description = "Only the targets whose name begins with this: decider:, message:AssessRisk, venue-reply." };
var cases = new Option<int?>("--cases") { Description = "How many cases each target has, instead of its own number." };
var from = new Option<int>("--from") { Description = "The first case: with --cases 1 it runs one alone.", DefaultValueFactory = _ => 0 };
var seed = new Option<long>("--seed") { Description = "Another seed makes other cases.", DefaultValueFactory = _ => 1 };
var list = new Option<bool>("--list") { Description = "List the targets." };
var json = new Option<bool>("--json") { Description = "One JSON object a target instead of lines for people." };
var root = new RootCommand("Gives every edge what it must refuse, and every decider what its types allow. Exit code 1 when one did what it must not, 130 when it was stopped.") { only, cases, from, seed, list, json };
root.SetAction((parsed, cancellationToken) =>
{
    var targets = FuzzTargets.All.Where(t => t.Name.StartsWith(parsed.GetValue(only) ?? "", StringComparison.OrdinalIgnoreCase)).ToList();
    if (targets.Count == 0)
    {
        Console.Error.WriteLine($"No target begins with '{parsed.GetValue(only)}'. --list names them all.");
        return Task.FromResult(2);
    }
    if (parsed.GetValue(list))
    {
        foreach (var target in targets)
            Console.WriteLine($"{target.Name,-40} {target.Cases,8:N0}  {target.What}");
        return Task.FromResult(0);
    }
    var failed = 0;
    var ran = 0;
    foreach (var target in targets)
    {
        if (cancellationToken.IsCancellationRequested)
            break;
        var count = parsed.GetValue(cases) ?? target.Cases;
        var isShown = !Console.IsErrorRedirected;
        var result = FuzzRun.Of(
            target, parsed.GetValue(seed), parsed.GetValue(from), count,
            done =>
            {
                if (isShown && done % 1_000 == 0)
                    Console.Error.Write($"\r{target.Name,-40} {done,9:N0} of {count:N0} ");
            },
            cancellationToken);
        if (isShown)
            Console.Error.Write("\r\u001b[K");
        ran++;
        failed += result.Failures.Count > 0 ? 1 : 0;
        Say(result, parsed.GetValue(json));
    }
    if (cancellationToken.IsCancellationRequested)
        Console.Error.WriteLine($"Stopped after {ran} of {targets.Count} targets.");
    if (!parsed.GetValue(json))
        Console.WriteLine($"{ran - failed} passed, {failed} failed");
    return Task.FromResult(failed > 0 ? 1 : cancellationToken.IsCancellationRequested ? 130 : 0);
});
return await root.Parse(args).InvokeAsync();

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
