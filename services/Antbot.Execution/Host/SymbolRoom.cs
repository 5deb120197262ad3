using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Venue;

namespace Antbot.Execution;

/// <summary>
/// Whether a trade's stop would still be taken. A venue lets only so many orders of an account rest in a symbol, and fewer that wait for a
/// trigger; a trade has one of each at a time, and one too many would be a position without its stop. Ours were counted where they were
/// approved, one after the other; those of others are what the venue lists besides.
/// </summary>
public sealed class SymbolRoom(PipelineParts parts, IVenue venue)
{
    /// <summary>So long one listing of a symbol does for all that is entered there.</summary>
    private static readonly TimeSpan ListedFor = TimeSpan.FromSeconds(1);

    /// <summary>And so long where there is room for so many more: an entry is not to wait for what it cannot come near, and others do not place twenty stops meanwhile.</summary>
    private static readonly TimeSpan ListedForLong = TimeSpan.FromSeconds(30);

    private const int Plenty = 20;

    /// <summary>After this long what was let in is listed, or was not sent at all.</summary>
    private static readonly TimeSpan LetInFor = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly Dictionary<Symbol, (Task<VenueAnswer<IReadOnlyList<OrderReport>>> Asked, DateTimeOffset At)> _listings = [];
    private readonly Dictionary<TradeId, (Symbol Symbol, DateTimeOffset At)> _letIn = [];

    /// <summary>Why there is no room for this trade; null where there is, which it then takes.</summary>
    public async Task<string?> BarAsync(ExecuteTrade message, SymbolRules? rules, CancellationToken cancellationToken)
    {
        if (rules is not { StopsMax: not null } and not { OrdersMax: not null })
            return null;
        var symbol = message.Signal.Symbol;
        if (message.InSymbol is not null && KnownOf(symbol) is { } known && LetIn(message, rules, known, Plenty) is null)
            return null;
        // A command that comes again for a trade that was begun has its place, or is over: it takes no other's.
        if (await parts.Store.ReadVersionAsync(Streams.Order(message.Trade), cancellationToken) > 0)
            return null;
        return await ListAsync(symbol).WaitAsync(cancellationToken) is VenueAnswer<IReadOnlyList<OrderReport>>.Said said
            ? LetIn(message, rules, said, 1)
            : $"what rests in {symbol} is not known: the venue does not list it";
    }

    /// <param name="margin">For so many there must be room.</param>
    private string? LetIn(ExecuteTrade message, SymbolRules rules, VenueAnswer<IReadOnlyList<OrderReport>>.Said listing, int margin)
    {
        var (trade, symbol) = (message.Trade, message.Signal.Symbol);
        var others = listing.Value.Where(o => o.Id.Trade is null).ToList();
        // What makes no sense, or does not say what it is, may be a stop.
        var (stops, orders) = (others.Count(o => o.IsStop is not false) + listing.PassedOver, others.Count + listing.PassedOver);
        var most = Math.Min((rules.StopsMax ?? int.MaxValue) - stops, (rules.OrdersMax ?? int.MaxValue) - orders);
        lock (_lock)
        {
            var now = parts.Clock.GetUtcNow();
            foreach (var gone in _letIn.Where(t => now - t.Value.At > LetInFor).Select(t => t.Key).ToList())
                _letIn.Remove(gone);
            // In Risk's number is what no listing shows yet; in the listing what has no number: adopted a moment ago, or by a build before this.
            var seen = listing.Value.Select(o => o.Id.Trade).OfType<TradeId>().Concat(_letIn.Where(t => t.Value.Symbol == symbol).Select(t => t.Key)).Where(t => t != trade).Distinct().Count();
            var ours = Math.Max(seen, (message.InSymbol ?? 1) - 1);
            if (most - ours < margin)
                return $"{ours} trades in {symbol} are not over, and the venue lets the stops of {Math.Max(0, most)} rest there{(orders > 0 ? $" beside {orders} orders of others" : "")}";
            _letIn[trade] = (symbol, now);
            return null;
        }
    }

    private VenueAnswer<IReadOnlyList<OrderReport>>.Said? KnownOf(Symbol symbol)
    {
        lock (_lock)
        {
            return _listings.TryGetValue(symbol, out var last) && parts.Clock.GetUtcNow() - last.At < ListedForLong && last.Asked is { IsCompletedSuccessfully: true, Result: VenueAnswer<IReadOnlyList<OrderReport>>.Said said }
                ? said
                : null;
        }
    }

    private Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListAsync(Symbol symbol)
    {
        lock (_lock)
        {
            if (_listings.TryGetValue(symbol, out var last) && parts.Clock.GetUtcNow() - last.At < ListedFor)
                return last.Asked;
            // Asked for all that wait for it: not one of them can call it off.
            var asked = venue.ListOpenOrdersAsync(symbol, CancellationToken.None);
            _listings[symbol] = (asked, parts.Clock.GetUtcNow());
            return asked;
        }
    }
}
