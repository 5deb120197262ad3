using Antbot.Contracts;
using Antbot.Runtime.Store;

namespace Antbot.Runtime.Projections;

/// <summary>Events whose messages have to be published because no message caused them; kept until they were. Not safe for several threads.</summary>
public sealed class UnsaidEvents
{
    private const int KeptMax = 100_000;

    private readonly Queue<(TradeId Trade, StoredEvent Event)> _events = new();
    private readonly HashSet<TradeId> _repeat = [];

    /// <summary>Of these it is not certain that everything was said.</summary>
    public IReadOnlyList<TradeId> Trades => [.. _repeat.Concat(_events.Select(e => e.Trade)).Distinct()];

    public void Add(TradeId trade, StoredEvent stored)
    {
        if (_events.Count < KeptMax)
            _events.Enqueue((trade, stored));
        else
            _repeat.Add(trade);
    }

    public void Repeat(IEnumerable<TradeId> trades) => _repeat.UnionWith(trades);

    public (IReadOnlyList<StoredEvent> Events, IReadOnlyList<TradeId> Repeat) Take(int most) => ([.. _events.Take(most).Select(e => e.Event)], [.. _repeat.Take(most)]);

    /// <summary>By what they are and not by how many: meanwhile everything may have been read anew, and others may stand in their place.</summary>
    public void Said(IReadOnlyList<StoredEvent> events, IReadOnlyList<TradeId> repeated)
    {
        var said = events.Select(e => e.EventId).ToHashSet();
        while (_events.TryPeek(out var first) && said.Contains(first.Event.EventId))
            _events.Dequeue();
        _repeat.ExceptWith(repeated);
    }

    public void Clear()
    {
        _events.Clear();
        _repeat.Clear();
    }
}
