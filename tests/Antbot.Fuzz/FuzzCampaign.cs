using System.Collections.Concurrent;
using System.Diagnostics;

namespace Antbot.Fuzz;

/// <summary>Many targets, one on each core, each from where it was left.</summary>
/// <param name="cases">How many each target has, instead of its own number.</param>
/// <param name="before">What was done already.</param>
public sealed class FuzzCampaign(IReadOnlyList<IFuzzTarget> targets, long seed, int from, int? cases, IReadOnlyList<FuzzResult> before)
{
    /// <summary>So many at once, then it is noted.</summary>
    private const int Part = 500;

    /// <summary>Of a target that has noted nothing for so long it is said: it may hang.</summary>
    private static readonly TimeSpan SilentMax = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private readonly ConcurrentQueue<IFuzzTarget> _left = new(targets);
    private readonly Dictionary<string, FuzzResult> _results = before.ToDictionary(r => r.Target, StringComparer.Ordinal);
    private readonly Dictionary<string, long> _now = new(StringComparer.Ordinal);
    private readonly long _before = before.Sum(r => (long)r.Cases);
    private readonly long _began = Stopwatch.GetTimestamp();

    /// <summary>See <see cref="FuzzRun.LooksMax"/>.</summary>
    public int LooksMax { get; init; } = FuzzRun.LooksMax;

    /// <summary>Told of each target that is over, one at a time.</summary>
    public Action<FuzzResult> Over { get; init; } = _ => { };

    /// <summary>Of the targets of this run and of those before.</summary>
    public FuzzTally Tally
    {
        get
        {
            lock (_lock)
                return new FuzzTally(seed, [.. _results.Values.OrderBy(r => r.Target, StringComparer.Ordinal)]);
        }
    }

    public bool IsOver => targets.All(t => IsDone(t, Of(t)));

    /// <summary>Targets to which nothing was done, each with a reason.</summary>
    public IReadOnlyList<string> Missing => [.. targets.Select(t => Of(t).WhatIsMissing(t)).OfType<string>()];

    public IReadOnlyList<FuzzResult> Results => [.. targets.Select(Of)];

    public void Run(CancellationToken cancellationToken)
    {
        var threads = Enumerable.Range(0, Math.Min(targets.Count, Environment.ProcessorCount)).Select(_ => new Thread(() => Work(cancellationToken)) { IsBackground = true }).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
    }

    /// <summary>How far it is, in a line.</summary>
    public string Progress()
    {
        lock (_lock)
        {
            var (done, all) = (Results.Sum(r => (long)r.Cases), targets.Sum(t => (long)Goal(t)));
            var rate = (_results.Values.Sum(r => (long)r.Cases) - _before) / Stopwatch.GetElapsedTime(_began).TotalSeconds;
            var left = rate > 0 ? $", {TimeSpan.FromSeconds((all - done) / rate):h\\:mm\\:ss} left at {rate:N0} a second" : "";
            return $"{done:N0} of {all:N0} cases, {Results.Count(r => r.Failures.Count > 0)} targets failed{left}; now {string.Join(", ", _now.OrderBy(n => n.Key, StringComparer.Ordinal).Select(n => Say(n.Key, Stopwatch.GetElapsedTime(n.Value))))}";
        }
    }

    private string Say(string target, TimeSpan silent) => silent < SilentMax ? target : $"{target} (nothing for {silent.TotalSeconds:N0} s, after case {from + (_results.GetValueOrDefault(target)?.Cases ?? 0):N0})";

    private int Goal(IFuzzTarget target) => cases ?? target.Cases;

    private bool IsDone(IFuzzTarget target, FuzzResult result) => result.Cases >= Goal(target) || result.IsGivenUp;

    private FuzzResult Of(IFuzzTarget target)
    {
        lock (_lock)
            return _results.GetValueOrDefault(target.Name) ?? FuzzResult.None(target.Name);
    }

    private void Work(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested && _left.TryDequeue(out var target))
        {
            lock (_lock)
                _now[target.Name] = Stopwatch.GetTimestamp();
            var result = Of(target);
            while (!IsDone(target, result) && !cancellationToken.IsCancellationRequested)
            {
                result += FuzzRun.Of(target, seed, from + result.Cases, Math.Min(Part, Goal(target) - result.Cases), LooksMax, cancellationToken);
                lock (_lock)
                    (_results[target.Name], _now[target.Name]) = (result, Stopwatch.GetTimestamp());
            }
            lock (_lock)
            {
                _now.Remove(target.Name);
                if (IsDone(target, result))
                    Over(result);
            }
        }
    }
}
