using System.Diagnostics;
using System.Text.Json;
using Antbot.Simulation.Faults;
using Antbot.Simulation.World;

namespace Antbot.Simulation;

/// <summary>Many seeds, each on a thread of its own for as long as it takes. Some are run twice: the same seed must be the same run.</summary>
internal sealed class Campaign(ulong first, int seeds, Bug bug, DirectoryInfo? save, bool json)
{
    private const ulong TwiceEvery = 100;
    private const int SaidMax = 20;

    private readonly Lock _lock = new();
    private readonly Tally _tally = new();
    private readonly List<(ulong Seed, string Violation)> _failures = [];
    private readonly long _began = Stopwatch.GetTimestamp();
    private int _started;
    private int _passed;
    private TimeSpan _simulated;
    private long _steps;
    private Plan? _found;

    public int Run()
    {
        var threads = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(Work)).ToList();
        threads.ForEach(t => t.Start());
        using var progress = new Timer(_ => Say(), null, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(5));
        threads.ForEach(t => t.Join());
        var took = Stopwatch.GetElapsedTime(_began);
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new
            {
                passed = _passed, failed = _failures.Count, seconds = took.TotalSeconds, simulatedHours = _simulated.TotalHours, steps = _steps,
                faults = _tally.Counts, failures = _failures.Select(f => new { seed = f.Seed, violation = f.Violation }),
            }));
        }
        else
        {
            foreach (var (what, count) in _tally.Counts.OrderBy(c => c.Key, StringComparer.Ordinal))
                Console.WriteLine($"{count,10:N0}  {what}");
            Console.WriteLine($"{_simulated.TotalHours:0.0} hours simulated in {took.TotalSeconds:0.0} s: {_simulated.TotalHours / took.TotalSeconds:0.000} a second, {_steps / took.TotalSeconds:N0} steps a second");
            if (bug != Bug.None && _failures.Count == 0)
                Console.WriteLine($"'{bug.Name}' was not found.");
            Console.WriteLine($"{_passed} passed, {_failures.Count} failed");
        }
        return _failures.Count == 0 ? 0 : 1;
    }

    private void Work()
    {
        while (Next() is { } seed)
        {
            var result = SimRun.Of(Planner.From(seed), bug);
            var again = seed % TwiceEvery == 0 && result.Passed ? SimRun.Of(Planner.From(seed), bug) : result;
            Note(seed, result, again.Hash == result.Hash ? result.Violations : ["run twice, it was not the same run"]);
        }
    }

    private ulong? Next()
    {
        lock (_lock)
            return _started < seeds && _found is null ? first + (ulong)_started++ : null;
    }

    private void Note(ulong seed, SimResult result, IReadOnlyList<string> violations)
    {
        Plan? shrink = null;
        lock (_lock)
        {
            _simulated += result.Simulated;
            _steps += result.Steps;
            _tally.Add(result.Tally);
            if (violations.Count == 0)
            {
                _passed++;
                return;
            }
            _failures.Add((seed, violations[0]));
            if (bug != Bug.None && _found is null)
                shrink = _found = result.Plan;
            else if (save is not null && _failures.Count <= SaidMax)
                shrink = result.Plan;
            if (!json && _failures.Count <= SaidMax)
                Console.WriteLine($"seed {seed}: {violations[0]}");
        }
        if (shrink is null || result.Passed)
            return;
        var shrunk = Shrinker.Shrink(shrink, bug);
        lock (_lock)
        {
            if (!json)
                Console.WriteLine($"seed {seed}, shrunk to {shrunk.Faults.Count} faults:\n{shrunk.Write()}");
            if (save is null)
                return;
            save.Create();
            File.WriteAllText(Path.Combine(save.FullName, $"seed-{seed}.json"), shrunk.Write() + "\n");
        }
    }

    private void Say()
    {
        if (json)
            return;
        lock (_lock)
            Console.Error.WriteLine($"{_passed + _failures.Count:N0} of {seeds:N0} seeds, {_failures.Count} failed");
    }
}
