using System.Text.Json;
using Antbot.Contracts;
using Antbot.Runtime.Projections;
using Antbot.Runtime.Store;

namespace Antbot.Execution;

/// <param name="State">Null where it is to be read from the store: after a start, or where events were missed.</param>
public sealed record OpenOrderTrade(TradeId Trade, OrdersState? State, long Version, DateTimeOffset MovedAt);

/// <summary>
/// Every trade whose orders are not finished, from the events of all: what the keeper works from. Its saved copy holds no more than
/// which trades these are; their states are read from their own streams.
/// </summary>
public sealed class OpenOrders(EventCodec codec) : IProjection
{
    private readonly Lock _lock = new();
    private readonly Dictionary<TradeId, OpenOrderTrade> _open = [];
    private readonly UnsaidEvents _unsaid = new();

    /// <param name="Repeat">Trades of which it is not certain that everything was said before the last end.</param>
    private sealed record Saved(IReadOnlyList<TradeId> Open, IReadOnlyList<TradeId> Repeat);

    public string Name => "open-orders-1";

    public IReadOnlyList<string> Prefixes { get; } = [Streams.OrderPrefix];

    public IReadOnlyList<OpenOrderTrade> All
    {
        get
        {
            lock (_lock)
                return [.. _open.Values];
        }
    }

    public void Apply(StoredEvent stored)
    {
        if (!stored.Stream.StartsWith(Streams.OrderPrefix, StringComparison.Ordinal) || !TradeId.TryParse(stored.Stream[Streams.OrderPrefix.Length..], out var trade))
            return;
        var @event = codec.Decode(stored);
        lock (_lock)
        {
            Note(trade, stored, @event);
            if (stored.Actor == TradeRunner.Worker && ExecutionMessages.React(@event).Count > 0)
                _unsaid.Add(trade, stored);
        }
    }

    /// <summary>Its state is read from the store from now on, which says why that cannot be; the others go on.</summary>
    public void PassOver(StoredEvent stored)
    {
        if (!TradeId.TryParse(stored.Stream[Streams.OrderPrefix.Length..], out var trade))
            return;
        lock (_lock)
        {
            _open[trade] = new OpenOrderTrade(trade, null, stored.Version, stored.Timestamp);
            if (stored.Actor == TradeRunner.Worker)
                _unsaid.Repeat([trade]);
        }
    }

    /// <summary>What was read from the stream itself; null where it turned out to be finished.</summary>
    public OpenOrderTrade? Set(TradeId trade, Loaded<OrdersState> loaded)
    {
        lock (_lock)
        {
            // What was heard of meanwhile is newer than what was read: it is read again.
            if (!_open.TryGetValue(trade, out var known) || known.Version > loaded.Version || (known.State is not null && known.Version == loaded.Version))
                return known;
            if (loaded.State.IsDone)
            {
                _open.Remove(trade);
                return null;
            }
            return _open[trade] = known with { State = loaded.State, Version = loaded.Version };
        }
    }

    /// <summary>Events that no message caused and whose own messages have to be published; kept until <see cref="Said"/>.</summary>
    public (IReadOnlyList<StoredEvent> Events, IReadOnlyList<TradeId> Repeat) TakeUnsaid(int most)
    {
        lock (_lock)
            return _unsaid.Take(most);
    }

    public void Said(IReadOnlyList<StoredEvent> events, IReadOnlyList<TradeId> repeated)
    {
        lock (_lock)
            _unsaid.Said(events, repeated);
    }

    public byte[] Save()
    {
        lock (_lock)
            return JsonSerializer.SerializeToUtf8Bytes(new Saved([.. _open.Keys], _unsaid.Trades), EventCodec.Json);
    }

    public void Load(ReadOnlySpan<byte> saved)
    {
        var copy = JsonSerializer.Deserialize<Saved>(saved, EventCodec.Json) ?? throw new JsonException("The saved copy is empty.");
        lock (_lock)
        {
            foreach (var trade in copy.Open)
                _open[trade] = new OpenOrderTrade(trade, null, 0, DateTimeOffset.MinValue);
            _unsaid.Repeat(copy.Repeat);
        }
    }

    public void Clear()
    {
        lock (_lock)
        {
            _open.Clear();
            _unsaid.Clear();
        }
    }

    private void Note(TradeId trade, StoredEvent stored, object @event)
    {
        var known = _open.GetValueOrDefault(trade);
        if (known is { State: not null } && stored.Version <= known.Version)
            return;
        var state = stored.Version == 1 ? OrdersState.Initial : known is { State: { } last } && stored.Version == known.Version + 1 ? last : null;
        var after = state is null ? null : OrdersState.Fold.Apply(state, @event);
        // Half a decision may look finished: a trade that ends in the middle of its events is taken out by the next of them at the latest.
        if (after is { IsDone: true })
            _open.Remove(trade);
        else
            _open[trade] = new OpenOrderTrade(trade, after, stored.Version, stored.Timestamp);
    }
}
