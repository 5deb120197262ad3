using System.Diagnostics;
using System.Text.Json;
using Antbot.Simulation.Faults;
using Antbot.Simulation.World;

namespace Antbot.Simulation;

/// <summary>Many seeds, one at a time on each core. Some are run twice: the same seed must be the same run.</summary>
/// <param name="save">Where the shrunk plans of what fails are kept; null for nowhere.</param>
/// <param name="planOf">Which plan a seed is; by default one of all faults.</param>
internal sealed class Campaign(ulong first, int seeds, Bug bug, DirectoryInfo? save, bool quiet, Func<ulong, Plan>? planOf = null)
{
    public const int Failed = 1;
    public const int Stopped = 130;
    public const int NotTrusted = 3;

    private const int SaidMax = 20;
    private const int SavedMax = 5;

    /// <summary>After so many seeds every kind of fault has to have happened.</summary>
    private const int EverythingWithin = 1_000;

    private readonly Func<ulong, Plan> _planOf = planOf ?? Planner.From;
    private readonly Lock _lock = new();
    private readonly Tally _tally = new();
    private readonly List<Failure> _failures = [];
    private readonly long _began = Stopwatch.GetTimestamp();
    private int _started;
    private int _passed;
    private int _twice;
    private int _otherwise;
    private TimeSpan _simulated;
    private long _steps;
    private ulong _hash;
    private bool _stop;
    private TimeSpan _took;

    /// <summary>The seed under which the bug was found, and the smallest plan that shows it; null where there is none that is small.</summary>
    public (ulong Seed, Violation Violation, Plan Plan)? Found =>
        _failures is [{ Shrunk: { Faults.Count: <= Shrinker.FaultsMax } plan } failure, ..] ? (failure.Seed, failure.Violation, plan) : null;

    /// <summary>Before anything is believed: a plan that must fail, under a mistake that is known. Null where it does.</summary>
    public static string? Distrust(Regression canary, Bug bug) => SimRun.Of(canary.Plan, bug).Violations.Any(v => v.Broken == canary.Shows)
        ? null
        : $"The canary lives: its plan must break {canary.Shows} under '{bug.Name}', and does not. The simulator does not see what it has to see, so nothing that it says is worth anything.";

    /// <summary>Ends after the seeds that are being run.</summary>
    public void Stop()
    {
        lock (_lock)
            _stop = true;
    }

    public int Run()
    {
        var threads = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(Work)).ToList();
        threads.ForEach(t => t.Start());
        using (new Timer(_ => Say(), null, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2)))
            threads.ForEach(t => t.Join());
        _took = Stopwatch.GetElapsedTime(_began);
        return _failures.Count > 0 || NeverHappened.Count > 0 ? Failed : _stop && _passed + _otherwise < seeds ? Stopped : 0;
    }

    private IReadOnlyList<string> NeverHappened => bug == Bug.None && planOf is null && _passed >= EverythingWithin ? _tally.NeverHappened() : [];

    /// <summary>How often it happened in what was run.</summary>
    public long CountOf(string what) => _tally.Counts.GetValueOrDefault(what);

    public object Summary() => new
    {
        first, seeds, bug = bug.Name, passed = _passed, failed = _failures.Count, stopped = _stop, seconds = _took.TotalSeconds, simulatedHours = _simulated.TotalHours,
        simulatedHoursPerSecond = HoursPerSecond, steps = _steps, runTwice = _twice, hash = $"{_hash:x16}", neverHappened = NeverHappened, happened = _tally.Counts.OrderBy(c => c.Key, StringComparer.Ordinal).ToDictionary(c => c.Key, c => c.Value, StringComparer.Ordinal),
        brokenOtherwise = _otherwise, failures = _failures.Select(f => new { seed = f.Seed, broken = f.Violation.Broken.ToString(), violation = f.Violation.What, plan = f.Shrunk is { } p ? JsonSerializer.Deserialize<JsonElement>(p.Write()) : (JsonElement?)null }),
    };

    public void Tell()
    {
        foreach (var (what, count) in _tally.Counts.OrderBy(c => c.Key, StringComparer.Ordinal))
            Console.WriteLine($"{count,12:N0}  {what}");
        foreach (var kind in NeverHappened)
            Console.WriteLine($"'{kind}' was planned and never happened: nothing is proved about it.");
        if (_stop && _passed + _otherwise + _failures.Count < seeds)
            Console.WriteLine($"Stopped after {_passed + _otherwise + _failures.Count:N0} of {seeds:N0} seeds.");
        Console.WriteLine(
            $"{_simulated.TotalHours:0.0} hours simulated in {_took.TotalSeconds:0.0} s: {HoursPerSecond:0.000} a second, {_steps / _took.TotalSeconds:N0} steps a second. {_twice} seeds were run twice. All together: {_hash:x16}");
        if (bug != Bug.None && _failures.Count == 0)
            Console.WriteLine($"'{bug.Name}' was not found: {_otherwise:N0} seeds broke something, and none of them {bug.Shows}.");
        Console.WriteLine($"{_passed} passed, {_failures.Count} failed");
    }

    private double HoursPerSecond => _took > TimeSpan.Zero ? _simulated.TotalHours / _took.TotalSeconds : 0;

    private void Work()
    {
        while (Next() is { } seed)
            Note(seed, SimRun.OfSeed(seed, _planOf(seed), bug));
    }

    private ulong? Next()
    {
        lock (_lock)
            return _started < seeds && !_stop && (bug == Bug.None || _failures.Count == 0) ? first + (ulong)_started++ : null;
    }

    private void Note(ulong seed, SimResult result)
    {
        var failure = Failure.Of(seed, result, bug);
        lock (_lock)
        {
            _simulated += result.Simulated;
            _steps += result.Steps;
            // The order in which seeds end is nobody's: their sum is the same whatever it was.
            _hash += result.Hash * (2 * seed + 1);
            _twice += SimRun.IsTwice(seed) ? 1 : 0;
            _tally.Add(result.Tally);
            if (result.Passed)
            {
                _passed++;
                return;
            }
            if (failure is null)
            {
                _otherwise++;
                return;
            }
            _failures.Add(failure);
            if (!quiet && _failures.Count <= SaidMax)
                Console.WriteLine($"seed {seed}: {failure.Violation}");
            if (!(bug != Bug.None ? _failures.Count == 1 : _failures.Count <= SavedMax))
                return;
        }
        failure.Shrink();
        lock (_lock)
            failure.Keep(save, quiet);
    }

    private void Say()
    {
        lock (_lock)
        {
            var (done, took) = (_passed + _otherwise + _failures.Count, Stopwatch.GetElapsedTime(_began).TotalSeconds);
            if (!quiet)
                Console.Error.WriteLine($"{done:N0} of {seeds:N0} seeds, {_failures.Count} failed, {_simulated.TotalHours / took:0.00} hours a second");
        }
    }
}
