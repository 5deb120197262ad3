using System.Text.Json;

namespace Antbot.Integration.Tests.PaperVenue;

/// <summary>A book as the exchange's own page tells clients to keep one: listen, ask for all of it, and go on with the change that follows.</summary>
internal sealed class KeptBook
{
    private bool _hasChanged;

    public KeptBook(JsonElement whole)
    {
        (Bids, Asks) = (Levels(whole.GetProperty("bids")), Levels(whole.GetProperty("asks")));
        Last = whole.GetProperty("lastUpdateId").GetInt64();
    }

    public SortedDictionary<decimal, string> Bids { get; }

    public SortedDictionary<decimal, string> Asks { get; }

    public long Last { get; private set; }

    public bool IsCrossed => Bids.Keys.Last() > Asks.Keys.First();

    /// <summary>False for a change from before the whole; a gap is an error.</summary>
    public bool Apply(JsonElement change)
    {
        var (from, to) = (change.GetProperty("U").GetInt64(), change.GetProperty("u").GetInt64());
        if (to <= Last)
            return false;
        if (_hasChanged ? from != Last + 1 : from > Last + 1)
            throw new InvalidOperationException($"After {Last} came {from}.");
        (Last, _hasChanged) = (to, true);
        Apply(Bids, change.GetProperty("b"));
        Apply(Asks, change.GetProperty("a"));
        return true;
    }

    public static SortedDictionary<decimal, string> Levels(JsonElement side)
    {
        var levels = new SortedDictionary<decimal, string>();
        Apply(levels, side);
        return levels;
    }

    private static void Apply(SortedDictionary<decimal, string> levels, JsonElement changes)
    {
        foreach (var change in changes.EnumerateArray())
        {
            var (price, quantity) = (decimal.Parse(change[0].GetString()!), change[1].GetString()!);
            if (quantity == "0.00000000")
                levels.Remove(price);
            else
                levels[price] = quantity;
        }
    }
}
