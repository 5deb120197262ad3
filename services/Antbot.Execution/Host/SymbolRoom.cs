using Antbot.Contracts;
using Antbot.Contracts.Events;
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

    /// <summary>So long whoever brings an entry waits for a listing; then the entry waits by itself.</summary>
    private static readonly TimeSpan ListedWithin = TimeSpan.FromSeconds(1);

    /// <summary>After this long what was let in is listed, or was not sent at all.</summary>
    private static readonly TimeSpan LetInFor = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly Dictionary<Symbol, (Task<VenueAnswer<IReadOnlyList<OrderReport>>> Asked, DateTimeOffset At)> _listings = [];
    private readonly Dictionary<TradeId, (Symbol Symbol, DateTimeOffset At)> _letIn = [];

    /// <summary>An entry is not sent before it has been let in; until then it waits, for as long as it is valid.</summary>
    public static bool IsAwaitedBy(OrdersState state) =>
        state is { Stage: TradeStage.Entering, Plan.Rules: { } rules, Entry: { Status: OrderStatus.Intended, Attempts: 0 } } && IsLimited(rules) && state.Count(OrderRole.Entry) == 1;

    /// <summary>Of a command that has come.</summary>
    public async Task<Room> FindAsync(ExecuteTrade message, SymbolRules? rules, CancellationToken cancellationToken)
    {
        if (rules is null || !IsLimited(rules))
            return default;
        var wanted = new Wanted(message.Trade, message.Signal.Symbol, rules, message.InSymbol);
        if (wanted.InSymbol is not null && KnownOf(wanted.Symbol) is { } known && LetIn(wanted, known, Plenty) is null)
            return default;
        // A command that comes again for a trade that was begun has its place, or waits for one, or is over: it takes no other's.
        return await parts.Store.ReadVersionAsync(Streams.Order(wanted.Trade), cancellationToken) > 0 ? default : await FindAsync(wanted, ListedWithin, cancellationToken);
    }

    /// <summary>Of an entry that waits for it. A listing takes as long as the venue does.</summary>
    public Task<Room> FindAsync(EntryPlanned plan, CancellationToken cancellationToken) =>
        FindAsync(new Wanted(plan.Signal.Trade, plan.Signal.Symbol, plan.Rules!, plan.InSymbol), Timeout.InfiniteTimeSpan, cancellationToken);

    private static bool IsLimited(SymbolRules rules) => rules is { StopsMax: not null } or { OrdersMax: not null };

    private async Task<Room> FindAsync(Wanted wanted, TimeSpan within, CancellationToken cancellationToken)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var asked = ListAsync(wanted.Symbol);
        await Task.WhenAny(asked, Task.Delay(within, parts.Clock, enough.Token));
        await enough.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
        var unknown = $"what rests in {wanted.Symbol} is not known";
        return !asked.IsCompleted ? new Room(null, $"{unknown}: the venue has not said it yet")
            : await asked switch
            {
                VenueAnswer<IReadOnlyList<OrderReport>>.Said said => new Room(LetIn(wanted, said, 1), null),
                VenueAnswer<IReadOnlyList<OrderReport>>.NotSent notSent => new Room(null, $"{unknown}: it was not asked for, {notSent.Text}"),
                _ => new Room(null, $"{unknown}: the venue does not list it"),
            };
    }

    /// <param name="margin">For so many there must be room.</param>
    private string? LetIn(Wanted wanted, VenueAnswer<IReadOnlyList<OrderReport>>.Said listing, int margin)
    {
        var (trade, symbol, rules, inSymbol) = wanted;
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
            var ours = Math.Max(seen, (inSymbol ?? 1) - 1);
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
            var asked = venue.ListOpenOrdersForEntryAsync(symbol, CancellationToken.None);
            _listings[symbol] = (asked, parts.Clock.GetUtcNow());
            return asked;
        }
    }

    /// <param name="InSymbol">Its number among the trades in its symbol; null where none was given.</param>
    private sealed record Wanted(TradeId Trade, Symbol Symbol, SymbolRules Rules, int? InSymbol);
}

/// <param name="Bar">Why there is none, and will be none; null where there is, or it is not known.</param>
/// <param name="Hold">Why it is not known; null where it is.</param>
public readonly record struct Room(string? Bar, string? Hold);
