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
        var next = None.Seen.AddRange(Seen.Where(s => s.Key.StartsWith(BalancePrefix, StringComparison.Ordinal) && (!compared.BalancesCompared || compared.IsUnclear(AssetOf(s.Key)))));
        // An attempt that nobody has found out about for so long has lasted.
        foreach (var difference in differences.Where(d => d.Kind != DifferenceKind.UnresolvedOrder))
        {
            if (!difference.IsRough)
                next = next.SetItem(difference.Key, (difference.What, SinceWhen(difference.Key, difference.What)));
            if (difference.Roughly is { } roughly)
                next = next.SetItem(RoughKey(difference), (roughly, SinceWhen(RoughKey(difference), roughly)));
        }
        return (new Suspicions(next), [.. differences.Select(Lasting).OfType<Difference>()]);

        DateTimeOffset SinceWhen(string key, string what) => Seen.TryGetValue(key, out var before) && before.What == what ? before.Since : now;

        bool HasLasted(string key) => now - next[key].Since >= lasts;

        Difference? Lasting(Difference d) => d.Kind == DifferenceKind.UnresolvedOrder || (!d.IsRough && HasLasted(d.Key)) ? d : d.Roughly is not null && HasLasted(RoughKey(d)) ? d.AsRough() : null;
    }

    /// <summary>When the first of those that have not lasted yet will have; null where there is none.</summary>
    public DateTimeOffset? NextLasts(DateTimeOffset now, TimeSpan lasts)
    {
        var young = Seen.Values.Where(s => now - s.Since < lasts).ToList();
        return young.Count > 0 ? young.Min(s => s.Since) + lasts : null;
    }

    private static string AssetOf(string key) => key[BalancePrefix.Length..].Split(' ')[0];

    private static string RoughKey(Difference difference) => $"{difference.Key} {difference.Roughly}";
}
