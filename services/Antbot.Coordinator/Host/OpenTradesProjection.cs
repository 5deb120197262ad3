using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Coordinator.Core;
using Antbot.Runtime.Projections;
using Antbot.Runtime.Store;

namespace Antbot.Coordinator;

/// <summary>The sweeper's index, from the events of all trades.</summary>
public sealed class OpenTradesProjection(EventCodec codec) : IProjection
{
    private readonly Lock _lock = new();
    private readonly OpenTrades _trades = new();

    public string Name => "open-trades-2";

    public IReadOnlyList<string> Prefixes { get; } = [Streams.TradePrefix];

    public (IReadOnlyList<OpenTrade> Trades, IReadOnlyDictionary<TradePhase, PhaseProgress> Progress) Snapshot()
    {
        lock (_lock)
            return ([.. _trades.All], _trades.Progress.ToDictionary(p => p.Key, p => p.Value));
    }

    public void Apply(StoredEvent stored)
    {
        if (!stored.Stream.StartsWith(Streams.TradePrefix, StringComparison.Ordinal) || !TradeId.TryParse(stored.Stream[Streams.TradePrefix.Length..], out var trade))
            return;
        var @event = codec.Decode(stored);
        lock (_lock)
            _trades.Apply(trade, @event, stored.Timestamp, stored.Version);
    }

    public byte[] Save()
    {
        lock (_lock)
            return _trades.Save();
    }

    public void Load(ReadOnlySpan<byte> saved)
    {
        lock (_lock)
            _trades.Load(saved);
    }

    public void Clear()
    {
        lock (_lock)
            _trades.Clear();
    }
}
