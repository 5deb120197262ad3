using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Runtime.Projections;
using Antbot.Runtime.Store;

namespace Antbot.Standalone;

/// <param name="Stop">Where its stop lies that the venue has taken; null where there is none.</param>
public sealed record OpenPosition(TradeId Trade, Symbol Symbol, Side Side, Quantity Quantity, Price Average, Price? Stop);

/// <summary>What the terminal shows: how many trades stand where, what they have earned, and what is open.</summary>
public sealed class TradeTally(EventCodec codec) : IProjection
{
    private readonly Lock _lock = new();
    private Counts _counts = new();

    public string Name => "standalone-tally-2";

    public IReadOnlyList<string> Prefixes { get; } = [Streams.TradePrefix, Streams.OrderPrefix];

    public (IReadOnlyDictionary<TradePhase, int> Phases, Money Realised, Money Fees, IReadOnlyList<OpenPosition> Open) Read()
    {
        lock (_lock)
        {
            var phases = _counts.Ended.ToDictionary();
            foreach (var phase in _counts.Running.Values)
                phases[phase] = phases.GetValueOrDefault(phase) + 1;
            return (phases, new Money(_counts.Realised), new Money(_counts.Fees), [.. _counts.Positions.Values]);
        }
    }

    public void Apply(StoredEvent stored)
    {
        var isTrade = stored.Stream.StartsWith(Streams.TradePrefix, StringComparison.Ordinal);
        if (!isTrade && !stored.Stream.StartsWith(Streams.OrderPrefix, StringComparison.Ordinal))
            return;
        if (!TradeId.TryParse(stored.Stream[(stored.Stream.IndexOf('-', StringComparison.Ordinal) + 1)..], out var trade))
            return;
        var @event = codec.Decode(stored);
        lock (_lock)
        {
            if (isTrade)
                ApplyTrade(trade, @event);
            else
                ApplyOrder(trade, @event);
        }
    }

    public byte[] Save()
    {
        lock (_lock)
            return JsonSerializer.SerializeToUtf8Bytes(_counts);
    }

    public void Load(ReadOnlySpan<byte> saved)
    {
        var counts = JsonSerializer.Deserialize<Counts>(saved) ?? throw new JsonException("It is null.");
        lock (_lock)
            _counts = counts;
    }

    public void Clear()
    {
        lock (_lock)
            _counts = new Counts();
    }

    private void ApplyTrade(TradeId trade, object @event)
    {
        TradePhase? phase = @event switch
        {
            TradeRaised => TradePhase.Validating,
            TradeAdopted => TradePhase.Executing,
            TradeValidated => TradePhase.AssessingRisk,
            TradeApproved => TradePhase.Executing,
            TradeOpenedRecorded => TradePhase.Open,
            TradeClosingRecorded => TradePhase.Closing,
            TradeClosedRecorded => TradePhase.Closed,
            TradeRejected => TradePhase.Rejected,
            TradeDenied => TradePhase.Denied,
            TradeExpired => TradePhase.Expired,
            TradeFailed => TradePhase.Failed,
            _ => null,
        };
        if (phase is null)
            return;
        if (phase < TradePhase.Closed)
        {
            _counts.Running[trade.Value] = phase.Value;
            return;
        }
        _counts.Running.Remove(trade.Value);
        _counts.Ended[phase.Value] = _counts.Ended.GetValueOrDefault(phase.Value) + 1;
        if (@event is TradeClosedRecorded closed)
        {
            _counts.Realised += closed.Closed.Realised.Value;
            _counts.Fees += closed.Closed.Fees.Value;
        }
    }

    private void ApplyOrder(TradeId trade, object @event)
    {
        var key = trade.Value;
        switch (@event)
        {
            case PositionOpened e:
                _counts.Positions[key] = new OpenPosition(trade, e.Symbol, e.Side, e.Quantity, e.Average, null);
                break;
            case PositionClosed:
                _counts.Positions.Remove(key);
                break;
            case OrderIntended { Role: OrderRole.Stop } e:
                _counts.Stops[e.Order.Value] = e.Trigger?.Value ?? 0;
                break;
            case OrderAccepted e when _counts.Stops.TryGetValue(e.Order.Value, out var trigger) && _counts.Positions.TryGetValue(key, out var open):
                _counts.Positions[key] = open with { Stop = new Price(trigger) };
                break;
            case OrderEnded e when _counts.Stops.Remove(e.Order.Value) && _counts.Positions.TryGetValue(key, out var open):
                _counts.Positions[key] = open with { Stop = null };
                break;
            default:
                // Of no matter for what is counted here.
                break;
        }
    }

    private sealed class Counts
    {
        public Dictionary<string, TradePhase> Running { get; init; } = [];

        public Dictionary<TradePhase, int> Ended { get; init; } = [];

        public Dictionary<string, OpenPosition> Positions { get; init; } = [];

        public Dictionary<string, decimal> Stops { get; init; } = [];

        public decimal Realised { get; set; }

        public decimal Fees { get; set; }
    }
}
