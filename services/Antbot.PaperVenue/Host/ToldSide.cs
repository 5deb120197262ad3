namespace Antbot.PaperVenue;

/// <summary>One side of a book as it is known to whoever keeps it from its changes: under a fault not as it is, and put right when the fault is over.</summary>
internal sealed class ToldSide
{
    private readonly HashSet<long> _wrong = [];

    /// <summary>What is to be told of each price at which something has changed, or of which something else was told than is so.</summary>
    /// <param name="shown">The side as it is to be shown; null for as it is.</param>
    public IReadOnlyList<Quote> Next(BookSide side, IEnumerable<Quote>? shown)
    {
        var prices = new HashSet<long>(side.Changed!);
        prices.UnionWith(_wrong);
        _wrong.Clear();
        if (shown is null)
            return [.. prices.Select(p => new Quote(new Fixed8(p), side.ShownAt(new Fixed8(p))))];
        var told = shown.ToDictionary(q => q.Price.Units, q => q.Quantity);
        _wrong.UnionWith(told.Where(q => side.ShownAt(new Fixed8(q.Key)) != q.Value).Select(q => q.Key));
        _wrong.UnionWith(side.Levels.Select(l => l.Price.Units).Where(p => !told.ContainsKey(p)));
        prices.UnionWith(_wrong);
        return [.. prices.Select(p => new Quote(new Fixed8(p), told.GetValueOrDefault(p)))];
    }
}
