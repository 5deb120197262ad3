using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Coordinator.Core;
using Antbot.Runtime.Projections;
using Antbot.Runtime.Store;

namespace Antbot.Coordinator;

/// <summary>The sweeper's index, from the events of all trades; and the deadlines whose messages have to be published, for no message caused them.</summary>
public sealed class OpenTradesProjection(EventCodec codec) : IProjection
{
    private const int UnsaidMax = 100_000;

    private readonly Lock _lock = new();
    private readonly OpenTrades _trades = new();
    private readonly Queue<StoredEvent> _unsaid = new();
    private readonly HashSet<TradeId> _repeat = [];

    /// <param name="Repeat">Trades of which it is not certain that their deadlines were told before the last end.</param>
    private sealed record Saved(JsonElement Open, IReadOnlyList<TradeId> Repeat);

    public string Name => "open-trades-3";

    public IReadOnlyList<string> Prefixes { get; } = [Streams.TradePrefix];

    public (IReadOnlyList<OpenTrade> Trades, IReadOnlyDictionary<TradePhase, PhaseProgress> Progress) Snapshot()
    {
        lock (_lock)
            return ([.. _trades.All], _trades.Progress.ToDictionary(p => p.Key, p => p.Value));
    }

    /// <summary>Kept until <see cref="Said"/>.</summary>
    public (IReadOnlyList<StoredEvent> Events, IReadOnlyList<TradeId> Repeat) TakeUnsaid(int most)
    {
        lock (_lock)
            return ([.. _unsaid.Take(most)], [.. _repeat.Take(most)]);
    }

    public void Said(int events, IReadOnlyList<TradeId> repeated)
    {
        lock (_lock)
        {
            for (var i = 0; i < events && _unsaid.Count > 0; i++)
                _unsaid.Dequeue();
            _repeat.ExceptWith(repeated);
        }
    }

    public void Apply(StoredEvent stored)
    {
        if (!stored.Stream.StartsWith(Streams.TradePrefix, StringComparison.Ordinal) || !TradeId.TryParse(stored.Stream[Streams.TradePrefix.Length..], out var trade))
            return;
        var @event = codec.Decode(stored);
        lock (_lock)
        {
            _trades.Apply(trade, @event, stored.Timestamp, stored.Version);
            if (@event is not TradeDeadlinePassed)
                return;
            if (_unsaid.Count < UnsaidMax)
                _unsaid.Enqueue(stored);
            else
                _repeat.Add(trade);
        }
    }

    public byte[] Save()
    {
        lock (_lock)
        {
            using var open = JsonDocument.Parse(_trades.Save());
            return JsonSerializer.SerializeToUtf8Bytes(new Saved(open.RootElement, [.. _repeat.Concat(_unsaid.Select(TradeOf)).Distinct()]), EventCodec.Json);
        }
    }

    public void Load(ReadOnlySpan<byte> saved)
    {
        var copy = JsonSerializer.Deserialize<Saved>(saved, EventCodec.Json) ?? throw new JsonException("The saved copy is empty.");
        lock (_lock)
        {
            _trades.Load(JsonSerializer.SerializeToUtf8Bytes(copy.Open));
            _repeat.UnionWith(copy.Repeat);
        }
    }

    public void Clear()
    {
        lock (_lock)
        {
            _trades.Clear();
            _unsaid.Clear();
            _repeat.Clear();
        }
    }

    private static TradeId TradeOf(StoredEvent stored) => TradeId.From(stored.Stream[Streams.TradePrefix.Length..]);
}
