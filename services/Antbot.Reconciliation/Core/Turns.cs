using Antbot.Contracts;

namespace Antbot.Reconciliation;

/// <summary>
/// Which differences are asked about where there are more than one look has questions for: whoever has waited longest, and of those that
/// were never asked about a stop first, for a position may be without it.
/// </summary>
public sealed class Turns
{
    private readonly Dictionary<string, long> _asked = new(StringComparer.Ordinal);
    private long _questions;

    public IReadOnlyList<Difference> Next(IEnumerable<Difference> differences, int most)
    {
        var waiting = differences.ToList();
        foreach (var gone in _asked.Keys.Except(waiting.Select(d => d.Key), StringComparer.Ordinal).ToList())
            _asked.Remove(gone);
        var next = waiting.OrderBy(d => _asked.GetValueOrDefault(d.Key)).ThenBy(d => !IsStop(d)).ThenBy(d => d.Subject, StringComparer.Ordinal).Take(most).ToList();
        foreach (var difference in next)
            _asked[difference.Key] = ++_questions;
        return next;
    }

    private static bool IsStop(Difference difference) => (difference.Asks?.Id ?? difference.Found?.Id)?.Role == OrderRole.Stop;
}
