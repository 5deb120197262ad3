namespace Antbot.Venues;

/// <summary>One of the venue's counts: what is known of its slots here. Two of them are of interest, so few are kept.</summary>
internal sealed class BudgetCount(string kind, TimeSpan length, long limit)
{
    private const int SlotsMax = 4;

    private readonly Dictionary<long, long> _known = [];
    private readonly Dictionary<long, long> _seen = [];
    private readonly Dictionary<long, long> _alone = [];

    public string Kind { get; } = kind;

    public long Limit { get; set; } = limit;

    /// <summary>What was drawn and not used yet, of each slot and part.</summary>
    public Dictionary<(long Slot, BudgetPart Part), (long Left, long Since)> Along { get; } = [];

    public long SlotOf(DateTimeOffset time) => time.ToUnixTimeMilliseconds() / (long)length.TotalMilliseconds;

    public DateTimeOffset EndOf(long slot) => DateTimeOffset.FromUnixTimeMilliseconds((slot + 1) * (long)length.TotalMilliseconds);

    public long Known(long slot) => Math.Max(_known.GetValueOrDefault(slot), Seen(slot));

    public long Seen(long slot) => _seen.GetValueOrDefault(slot);

    public long Alone(long slot) => _alone.GetValueOrDefault(slot);

    public void Know(long slot, long used) => Set(_known, slot, used);

    /// <summary>More than we know of: somebody else is at it too, and what was taken along may be too much.</summary>
    public void See(long slot, long figure)
    {
        if (figure > Known(slot))
            Along.Clear();
        Set(_seen, slot, figure);
    }

    public void TakeAlone(long slot, long need) => Set(_alone, slot, Alone(slot) + need);

    /// <summary>However long ago it was drawn: it stays counted for the whole slot, and of a day that would be thousands with every order.</summary>
    public long Left(long slot, BudgetPart part) => Along.TryGetValue((slot, part), out var along) ? along.Left : 0;

    public void Keep(long slot, BudgetPart part, long left, long now)
    {
        if (Along.Count >= SlotsMax * 2)
            Along.Clear();
        Along[(slot, part)] = (left, now);
    }

    public bool HasAlong(long slot, BudgetPart part, long need, TimeProvider clock, TimeSpan atMost) =>
        need > 0 && Along.TryGetValue((slot, part), out var along) && along.Left >= need && clock.GetElapsedTime(along.Since) < atMost;

    public void TakeAlong(long slot, BudgetPart part, long need)
    {
        var along = Along[(slot, part)];
        Along[(slot, part)] = along with { Left = along.Left - need };
    }

    private static void Set(Dictionary<long, long> of, long slot, long value)
    {
        if (of.Count >= SlotsMax && !of.ContainsKey(slot))
            of.Remove(of.Keys.Min());
        of[slot] = Math.Max(of.GetValueOrDefault(slot), value);
    }
}
