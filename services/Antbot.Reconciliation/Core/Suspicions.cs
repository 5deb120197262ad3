using System.Collections.Immutable;
using Antbot.Contracts.Events;

namespace Antbot.Reconciliation;

/// <summary>
/// What the last looks found and is not believed yet: the venue and our record are never read in the same instant, so only a
/// difference that stays the same for a while is one.
/// </summary>
public sealed record Suspicions(ImmutableDictionary<string, (string What, DateTimeOffset Since)> Seen)
{
    private static readonly string BalancePrefix = DifferenceKey.Of(DifferenceKind.Balance, "");

    public static Suspicions None { get; } = new(ImmutableDictionary<string, (string, DateTimeOffset)>.Empty);

    /// <summary>With what this look found, and what of it has lasted. One that could not compare balances, because something was under way, says nothing of them.</summary>
    public (Suspicions Next, IReadOnlyList<Difference> Lasting) With(Compared compared, DateTimeOffset now, TimeSpan lasts)
    {
        var differences = compared.Differences;
        var next = differences.ToImmutableDictionary(
            d => d.Key,
            d => (d.What, Since: Seen.TryGetValue(d.Key, out var before) && before.What == d.What ? before.Since : now));
        if (!compared.BalancesCompared)
            next = next.AddRange(Seen.Where(s => s.Key.StartsWith(BalancePrefix, StringComparison.Ordinal)));
        return (new Suspicions(next), [.. differences.Where(d => now - next[d.Key].Since >= lasts)]);
    }
}
