using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Venue;
using Antbot.Runtime.Health;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Projections;
using Antbot.Runtime.Store;

namespace Antbot.Execution;

/// <summary>
/// How many trades are not over in each symbol, by the events of all. A venue lets only so many orders of an account rest in one, and
/// fewer that wait for a trigger; a trade has one of each at a time, and one too many would be a position without its stop.
/// </summary>
public sealed class SymbolRoom : IProjection
{
    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(30);

    /// <summary>What was let in and is not recorded after this long was not planned at all.</summary>
    private static readonly TimeSpan LetInFor = TimeSpan.FromSeconds(10);

    private static readonly HashSet<string> Wanted = new(new[] { typeof(EntryPlanned), typeof(EntryFailedRecorded), typeof(PositionClosed) }.Select(StoredNameAttribute.Of), StringComparer.Ordinal);

    private readonly Lock _lock = new();
    private readonly Dictionary<TradeId, Symbol> _open = [];
    private readonly Dictionary<Symbol, int> _counts = [];
    private readonly Dictionary<TradeId, (Symbol Symbol, DateTimeOffset At)> _letIn = [];
    private readonly EventCodec _codec;
    private readonly TimeProvider _clock;
    private readonly ProjectionRunner _runner;

    public SymbolRoom(PipelineParts parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        (_codec, _clock) = (parts.Codec, parts.Clock);
        _runner = new ProjectionRunner(parts.Store, this, _clock, SaveEvery);
    }

    public string Name => "symbol-room-1";

    public IReadOnlyList<string> Prefixes { get; } = [Streams.OrderPrefix];

    public Task RunAsync(CancellationToken cancellationToken) => _runner.RunAsync(cancellationToken);

    /// <summary>Why there is no room for this trade; null where there is, which it then takes.</summary>
    /// <exception cref="DependencyDownException">It is not known yet, shortly after a start: that is no reason to refuse for good, and the message waits.</exception>
    public async Task<string?> BarAsync(TradeId trade, Symbol symbol, SymbolRules? rules, TimeSpan within, CancellationToken cancellationToken)
    {
        if (MostOf(rules) is not { } most)
            return null;
        if (!_runner.CaughtUp.IsCompleted)
            await Task.WhenAny(_runner.CaughtUp, Task.Delay(within, _clock, cancellationToken));
        if (!_runner.CaughtUp.IsCompleted)
            throw new DependencyDownException("history", $"How many orders rest in {symbol} is not known yet.");
        lock (_lock)
        {
            var now = _clock.GetUtcNow();
            foreach (var gone in _letIn.Where(t => now - t.Value.At > LetInFor).Select(t => t.Key).ToList())
                _letIn.Remove(gone);
            var others = _counts.GetValueOrDefault(symbol) - (_open.TryGetValue(trade, out var own) && own == symbol ? 1 : 0) + _letIn.Count(t => t.Value.Symbol == symbol && t.Key != trade);
            if (others >= most)
                return $"{others} trades in {symbol} are not over, and the venue lets the stops of {most} rest there";
            if (!_open.ContainsKey(trade))
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

    private static int? MostOf(SymbolRules? rules) => rules switch
    {
        { OrdersMax: { } orders, StopsMax: { } stops } => Math.Min(orders, stops),
        _ => rules?.StopsMax ?? rules?.OrdersMax,
    };

    private sealed record Kept(TradeId Trade, Symbol Symbol);
}
