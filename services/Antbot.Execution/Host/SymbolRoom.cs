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

    /// <summary>And so long where not half of the room is taken: an entry is not to wait for what it cannot come near.</summary>
    private static readonly TimeSpan ListedForLong = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly Dictionary<Symbol, (Task<VenueAnswer<IReadOnlyList<OrderReport>>> Asked, DateTimeOffset At)> _listings = [];

    /// <summary>Why there is no room for this trade; null where there is.</summary>
    public async Task<string?> BarAsync(ExecuteTrade message, SymbolRules? rules, CancellationToken cancellationToken)
    {
        if (rules is not { StopsMax: not null } and not { OrdersMax: not null })
            return null;
        if (HasPlenty(message, rules))
            return null;
        var taken = Taken.Of(message, await ListAsync(message.Signal.Symbol).WaitAsync(cancellationToken));
        if (taken is not null && taken.Ours < taken.MostOf(rules))
            return null;
        // A command that comes again for a trade that was begun: it has its place, or is over.
        if (await parts.Store.ReadVersionAsync(Streams.Order(message.Trade), cancellationToken) > 0)
            return null;
        if (taken is null)
            return $"what rests in {message.Signal.Symbol} is not known: the venue does not list it";
        var besides = taken.Orders > 0 ? $" beside {taken.Orders} orders of others" : "";
        return $"{taken.Ours} trades in {message.Signal.Symbol} are not over, and the venue lets the stops of {Math.Max(0, taken.MostOf(rules))} rest there{besides}";
    }

    private bool HasPlenty(ExecuteTrade message, SymbolRules rules)
    {
        lock (_lock)
        {
            return _listings.TryGetValue(message.Signal.Symbol, out var last) && parts.Clock.GetUtcNow() - last.At < ListedForLong && last.Asked is { IsCompletedSuccessfully: true, Result: var listing }
                && Taken.Of(message, listing) is { } taken && taken.Ours * 2L < taken.MostOf(rules);
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

    /// <param name="Ours">Trades of ours, this one apart.</param>
    /// <param name="Stops">Of others.</param>
    /// <param name="Orders">Of others, stops among them.</param>
    private sealed record Taken(int Ours, int Stops, int Orders)
    {
        /// <summary>Null where the venue does not list it.</summary>
        public static Taken? Of(ExecuteTrade message, VenueAnswer<IReadOnlyList<OrderReport>> answer)
        {
            if (answer is not VenueAnswer<IReadOnlyList<OrderReport>>.Said said)
                return null;
            var others = said.Value.Where(o => o.Id.Trade is null).ToList();
            // A message of a build before this says no number, and what was adopted a moment ago is in none yet.
            var ours = said.Value.Select(o => o.Id.Trade).OfType<TradeId>().Where(t => t != message.Trade).Distinct().Count();
            // What makes no sense, or does not say what it is, may be a stop.
            return new Taken(Math.Max(ours, (message.InSymbol ?? 1) - 1), others.Count(o => o.IsStop is not false) + said.PassedOver, others.Count + said.PassedOver);
        }

        public int MostOf(SymbolRules rules) => Math.Min((rules.StopsMax ?? int.MaxValue) - Stops, (rules.OrdersMax ?? int.MaxValue) - Orders);
    }
}
