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
    private readonly Lock _lock = new();
    private readonly OpenTrades _trades = new();
    private readonly UnsaidEvents _unsaid = new();

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
            return _unsaid.Take(most);
    }

    public void Said(IReadOnlyList<StoredEvent> events, IReadOnlyList<TradeId> repeated)
    {
        lock (_lock)
            _unsaid.Said(events, repeated);
    }

    public void Apply(StoredEvent stored)
    {
        if (!stored.Stream.StartsWith(Streams.TradePrefix, StringComparison.Ordinal) || !TradeId.TryParse(stored.Stream[Streams.TradePrefix.Length..], out var trade))
            return;
        var @event = codec.Decode(stored);
        lock (_lock)
        {
            _trades.Apply(trade, @event, stored.Timestamp, stored.Version);
            if (@event is TradeDeadlinePassed)
                _unsaid.Add(trade, stored);
        }
    }

    public byte[] Save()
    {
        lock (_lock)
        {
            using var open = JsonDocument.Parse(_trades.Save());
            return JsonSerializer.SerializeToUtf8Bytes(new Saved(open.RootElement, _unsaid.Trades), EventCodec.Json);
        }
    }

    public void Load(ReadOnlySpan<byte> saved)
    {
        var copy = JsonSerializer.Deserialize<Saved>(saved, EventCodec.Json) ?? throw new JsonException("The saved copy is empty.");
        lock (_lock)
        {
            _trades.Load(JsonSerializer.SerializeToUtf8Bytes(copy.Open));
            _unsaid.Repeat(copy.Repeat);
        }
    }

    public void Clear()
    {
        lock (_lock)
        {
            _trades.Clear();
            _unsaid.Clear();
        }
    }
}
