using System.Collections.Concurrent;
using Antbot.Contracts;
using Antbot.Contracts.Market;

namespace Antbot.Runtime.Venue;

/// <summary>
/// The best price of each symbol as it was last heard. A book whose sides cross is no price, and one that is no newer than the last is no
/// news, however often it is told: what stands grows old, and whoever trades on prices sees how old it is.
/// </summary>
public sealed class BestBooks
{
    private readonly ConcurrentDictionary<Symbol, (MarketPrice Book, long? Number)> _latest = new();

    public MarketPrice? Latest(Symbol symbol) => _latest.TryGetValue(symbol, out var last) ? last.Book : null;

    /// <summary>A new connection may number its books anew.</summary>
    public void Reconnected()
    {
        foreach (var (symbol, last) in _latest)
            _latest[symbol] = last with { Number = null };
    }

    /// <param name="number">Null where the book was asked for by itself.</param>
    public void Hear(MarketPrice book, long? number)
    {
        ArgumentNullException.ThrowIfNull(book);
        var isKnown = _latest.TryGetValue(book.Symbol, out var last);
        if (book.Ask < book.Bid || (isKnown && number <= last.Number))
            return;
        _latest[book.Symbol] = (book, number ?? last.Number);
    }
}
