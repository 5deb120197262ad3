using System.Diagnostics;
using Antbot.Simulation.Faults;
using Antbot.Simulation.World;

var arguments = args.Select(a => a.Split('=', 2)).ToDictionary(a => a[0].TrimStart('-'), a => a.Length > 1 ? a[1] : "", StringComparer.OrdinalIgnoreCase);
if (arguments.TryGetValue("seed", out var one))
{
    var result = SimRun.Of(Planner.From(ulong.Parse(one)));
    Console.WriteLine(result.Plan.Write());
    foreach (var violation in result.Violations)
        Console.WriteLine(violation);
    Console.WriteLine($"{result.Simulated.TotalSeconds:0.0} s simulated, {result.Steps:N0} steps, hash {result.Hash:x16}");
    return result.Passed ? 0 : 1;
}

var seeds = ulong.Parse(arguments.GetValueOrDefault("seeds", "1000"));
var first = ulong.Parse(arguments.GetValueOrDefault("first", "1"));
var began = Stopwatch.GetTimestamp();
var (gate, next, passed, failed, simulated, steps, tally) = (new Lock(), first, 0, 0, TimeSpan.Zero, 0L, new Tally());
var threads = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(Work)).ToList();
threads.ForEach(t => t.Start());
threads.ForEach(t => t.Join());
var took = Stopwatch.GetElapsedTime(began);
foreach (var (what, count) in tally.Counts.OrderBy(c => c.Key, StringComparer.Ordinal))
    Console.WriteLine($"{count,10:N0}  {what}");
Console.WriteLine($"{simulated.TotalHours:0.0} hours simulated in {took.TotalSeconds:0.0} s: {simulated.TotalHours / took.TotalSeconds:0.00} hours a second, {steps / took.TotalSeconds:N0} steps a second");
Console.WriteLine($"{passed} passed, {failed} failed");
return failed == 0 ? 0 : 1;

void Work()
{
    while (true)
    {
        ulong seed;
        lock (gate)
        {
            if (next >= first + seeds)
                return;
            seed = next++;
        }
        var result = SimRun.Of(Planner.From(seed));
        lock (gate)
        {
            if (result.Passed)
                passed++;
            else if (++failed <= 20)
                Console.WriteLine($"seed {seed}: {result.Violations[0]}");
            simulated += result.Simulated;
            steps += result.Steps;
            tally.Add(result.Tally);
        }
    }
}
