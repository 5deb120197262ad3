using System.Text.Json;

namespace Antbot.Chaos;

/// <summary>
/// Runs cases in lanes beside each other, each lane on servers and processes of its own: most of a case is waiting. Those that need the
/// whole machine come last, one after the other.
/// </summary>
internal sealed class Lanes(int count, Func<Campaign> lane, TextWriter table, TextWriter progress, bool json)
{
    private readonly Lock _lock = new();
    private readonly List<Result> _results = [];

    public async Task<IReadOnlyList<Result>> RunAsync(IReadOnlyList<Case> cases, CancellationToken cancellationToken)
    {
        var (shared, alone) = (cases.Where(c => !c.Alone).ToList(), cases.Where(c => c.Alone).ToList());
        await Task.WhenAll(Enumerable.Range(0, Math.Min(count, shared.Count)).Select(_ => Task.Run(() => RunLaneAsync(shared, cases.Count, cancellationToken), CancellationToken.None)));
        if (alone.Count > 0)
            await RunLaneAsync(alone, cases.Count, cancellationToken);
        return _results;
    }

    private async Task RunLaneAsync(List<Case> waiting, int of, CancellationToken cancellationToken)
    {
        await using var campaign = lane();
        Case? last = null;
        while (!cancellationToken.IsCancellationRequested && Next(waiting, last) is { } next)
        {
            last = next;
            if (await campaign.RunAsync(next, what => Say(next, what), cancellationToken) is not { } result)
                break;
            Tell(result, of);
        }
    }

    /// <summary>One that can have what the last one ran on; otherwise the first.</summary>
    private Case? Next(List<Case> waiting, Case? last)
    {
        lock (_lock)
        {
            var next = waiting.FirstOrDefault(c => last is not null && (c.Layout, c.Standalone) == (last.Layout, last.Standalone)) ?? waiting.FirstOrDefault();
            if (next is not null)
                waiting.Remove(next);
            return next;
        }
    }

    private void Say(Case @case, string what)
    {
        lock (_lock)
            progress.WriteLine($"   {DateTime.Now:HH:mm:ss} {@case.Name}: {what}");
    }

    private void Tell(Result result, int of)
    {
        lock (_lock)
        {
            _results.Add(result);
            if (json)
            {
                table.WriteLine(JsonSerializer.Serialize(result, JsonSerializerOptions.Web));
                return;
            }
            var converged = result.Converged is { } time ? $"at rest after {time.TotalSeconds:0} s{(result.HeldBack > TimeSpan.Zero ? $", {result.HeldBack.TotalSeconds:0} of them with an open breaker" : "")}" : "not at rest";
            table.WriteLine($"{_results.Count,3}/{of} {(result.Passed ? "passed" : "FAILED")} {result.Case,-32} {result.Accepted,6} trades, {result.Closed,5} of them entered and closed, {result.Deaths,2} deaths, 99 % answered in {result.P99.TotalSeconds:0.0} s, {converged}, {result.Took.TotalSeconds:0} s{string.Concat(result.Notes.Select(n => $"; {n}"))}");
            foreach (var line in result.Faults.Concat(result.Story))
                table.WriteLine($"            {line}");
            if (result.Evidence is not null)
                table.WriteLine($"            everything about it: {result.Evidence}");
        }
    }
}
