using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;
using Antbot.Runtime.Health;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Projections;
using Antbot.Runtime.Store;
using Antbot.Runtime.Venue;

namespace Antbot.Execution;

/// <summary>
/// Whether a trade's stop would still be taken. A venue lets only so many orders of an account rest in a symbol, and fewer that wait for a
/// trigger; a trade has one of each at a time, and one too many would be a position without its stop. Ours are counted by the events of
/// all and, for what other processes let in at this very moment, where they were approved; those of others are what the venue lists besides.
/// </summary>
public sealed class SymbolRoom : IProjection
{
    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(30);

    /// <summary>What was let in and is not recorded after this long was not planned at all.</summary>
    private static readonly TimeSpan LetInFor = TimeSpan.FromSeconds(10);

    /// <summary>So long one listing of a symbol does for all that is entered there.</summary>
    private static readonly TimeSpan ListedFor = TimeSpan.FromSeconds(1);

    /// <summary>And so long where not half of the room is taken: an entry is not to wait for what it cannot come near.</summary>
    private static readonly TimeSpan ListedForLong = TimeSpan.FromSeconds(30);

    private static readonly HashSet<string> Wanted = new(new[] { typeof(EntryPlanned), typeof(EntryFailedRecorded), typeof(PositionClosed) }.Select(StoredNameAttribute.Of), StringComparer.Ordinal);

    private readonly Lock _lock = new();
    private readonly Dictionary<TradeId, Symbol> _open = [];
    private readonly Dictionary<Symbol, int> _counts = [];
    private readonly Dictionary<TradeId, (Symbol Symbol, DateTimeOffset At)> _letIn = [];
    private readonly Dictionary<Symbol, (Task<Others> Asked, DateTimeOffset At)> _others = [];
    private readonly IVenue _venue;
    private readonly EventCodec _codec;
    private readonly TimeProvider _clock;
    private readonly ProjectionRunner _runner;
    private readonly IEventStore _store;

    public SymbolRoom(PipelineParts parts, IVenue venue)
    {
        ArgumentNullException.ThrowIfNull(parts);
        (_store, _codec, _clock, _venue) = (parts.Store, parts.Codec, parts.Clock, venue);
        _runner = new ProjectionRunner(parts.Store, this, _clock, SaveEvery);
    }

    public string Name => "symbol-room-1";

    public IReadOnlyList<string> Prefixes { get; } = [Streams.OrderPrefix];

    public Task RunAsync(CancellationToken cancellationToken) => _runner.RunAsync(cancellationToken);

    /// <summary>Why there is no room for this trade; null where there is, which it then takes.</summary>
    /// <exception cref="DependencyDownException">It is not known yet, shortly after a start: that is no reason to refuse for good, and the message waits.</exception>
    public async Task<string?> BarAsync(ExecuteTrade message, SymbolRules? rules, TimeSpan within, CancellationToken cancellationToken)
    {
        if (rules is not { StopsMax: not null } and not { OrdersMax: not null })
            return null;
        var (trade, symbol) = (message.Trade, message.Signal.Symbol);
        if (!_runner.CaughtUp.IsCompleted)
            await Task.WhenAny(_runner.CaughtUp, Task.Delay(within, _clock, cancellationToken));
        if (!_runner.CaughtUp.IsCompleted)
            throw new DependencyDownException("history", $"How many orders rest in {symbol} is not known yet.");
        if (IsIn(trade) || HasPlenty(message, rules))
            return null;
        // A command that comes again for a trade that was begun, and may be over, takes no room from another.
        if (await _store.ReadVersionAsync(Streams.Order(trade), cancellationToken) > 0)
            return null;
        var beside = await OthersOf(symbol).WaitAsync(cancellationToken);
        if (beside.Trouble is { } trouble)
            return $"what others have resting in {symbol} is not known: {trouble}";
        var most = Math.Min((rules.StopsMax ?? int.MaxValue) - beside.Stops, (rules.OrdersMax ?? int.MaxValue) - beside.Orders);
        lock (_lock)
        {
            var now = _clock.GetUtcNow();
            foreach (var gone in _letIn.Where(t => now - t.Value.At > LetInFor).Select(t => t.Key).ToList())
                _letIn.Remove(gone);
            var known = _counts.GetValueOrDefault(symbol) + _letIn.Count(t => t.Value.Symbol == symbol && t.Key != trade);
            var others = Beside(message, known);
            if (others >= most)
                return $"{others} trades in {symbol} are not over, and the venue lets the stops of {Math.Max(0, most)} rest there{(beside.Orders > 0 ? $" beside {beside.Orders} orders of others" : "")}";
            _letIn[trade] = (symbol, now);
            return null;
        }
    }

    public void Apply(StoredEvent stored)
    {
        if (!Wanted.Contains(stored.Type))
            return;
        var @event = _codec.Decode(stored);
        lock (_lock)
        {
            switch (@event)
            {
                case EntryPlanned e:
                    Open(e.Signal.Trade, e.Signal.Symbol);
                    break;
                case EntryFailedRecorded e:
                    Over(e.Trade);
                    break;
                case PositionClosed e:
                    Over(e.Trade);
                    break;
                default:
                    // Another service's event of the same name.
                    break;
            }
        }
    }

    public byte[] Save()
    {
        lock (_lock)
            return JsonSerializer.SerializeToUtf8Bytes(_open.Select(t => new Kept(t.Key, t.Value)).ToList(), EventCodec.Json);
    }

    public void Load(ReadOnlySpan<byte> saved)
    {
        var kept = JsonSerializer.Deserialize<List<Kept>>(saved, EventCodec.Json) ?? throw new JsonException("The saved copy is empty.");
        lock (_lock)
        {
            foreach (var (trade, symbol) in kept)
                Open(trade, symbol);
        }
    }

    public void Clear()
    {
        lock (_lock)
        {
            _open.Clear();
            _counts.Clear();
        }
    }

    private void Open(TradeId trade, Symbol symbol)
    {
        _letIn.Remove(trade);
        if (_open.TryAdd(trade, symbol))
            _counts[symbol] = _counts.GetValueOrDefault(symbol) + 1;
    }

    private void Over(TradeId trade)
    {
        _letIn.Remove(trade);
        if (_open.Remove(trade, out var symbol))
            _counts[symbol]--;
    }

    private bool IsIn(TradeId trade)
    {
        lock (_lock)
            return _open.ContainsKey(trade);
    }

    /// <summary>What another process is letting in is in no history yet: it has its number from where both were approved.</summary>
    private static int Beside(ExecuteTrade message, int known) => Math.Max(known, (message.InSymbol ?? 1) - 1);

    /// <summary>Whether by the last listing not half of the room is taken. Then it is not counted here what is let in: the events tell it in a moment.</summary>
    private bool HasPlenty(ExecuteTrade message, SymbolRules rules)
    {
        var symbol = message.Signal.Symbol;
        lock (_lock)
        {
            return _others.TryGetValue(symbol, out var last) && _clock.GetUtcNow() - last.At < ListedForLong && last.Asked is { IsCompletedSuccessfully: true, Result: { Trouble: null } beside }
                && Beside(message, _counts.GetValueOrDefault(symbol)) is var ours
                && (ours + beside.Stops) * 2L < (rules.StopsMax ?? int.MaxValue) && (ours + beside.Orders) * 2L < (rules.OrdersMax ?? int.MaxValue);
        }
    }

    private Task<Others> OthersOf(Symbol symbol)
    {
        lock (_lock)
        {
            var now = _clock.GetUtcNow();
            if (_others.TryGetValue(symbol, out var last) && now - last.At < ListedFor)
                return last.Asked;
            var asked = AskAsync(symbol, [.. _open.Keys]);
            _others[symbol] = (asked, now);
            return asked;
        }
    }

    /// <param name="before">Our trades before the question: what has ended since, or begun, is none of the others'.</param>
    private async Task<Others> AskAsync(Symbol symbol, HashSet<TradeId> before)
    {
        await Task.Yield();
        if (await _venue.ListOpenOrdersAsync(symbol, CancellationToken.None) is not VenueAnswer<IReadOnlyList<OrderReport>>.Said said)
            return new Others(0, 0, "the venue does not list it");
        lock (_lock)
        {
            var others = said.Value.Where(o => !(o.Id.Trade is { } trade && (before.Contains(trade) || _open.ContainsKey(trade) || _letIn.ContainsKey(trade)))).ToList();
            // What makes no sense, or does not say what it is, may be a stop.
            return new Others(others.Count(o => o.IsStop is not false) + said.PassedOver, others.Count + said.PassedOver, null);
        }
    }

    /// <summary>What rests of others in a symbol.</summary>
    private sealed record Others(int Stops, int Orders, string? Trouble);

    private sealed record Kept(TradeId Trade, Symbol Symbol);
}
