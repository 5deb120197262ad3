using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;

namespace Antbot.Coordinator.Core;

/// <summary>What the sweeper looks at: every trade from which something is still expected, and until when.</summary>
/// <param name="Due">When its phase has lasted too long; null where only its verification is missing.</param>
/// <param name="EnteredAt">When its phase began.</param>
/// <param name="MovedAt">When its last event was recorded.</param>
public sealed record OpenTrade(TradeId Trade, TradePhase Phase, DateTimeOffset? Due, DateTimeOffset EnteredAt, DateTimeOffset MovedAt, long Version);

public sealed class OpenTrades
{
    private readonly Dictionary<TradeId, OpenTrade> _trades = [];
    private readonly Dictionary<TradePhase, PhaseProgress> _progress = [];

    public int Count => _trades.Count;

    public IEnumerable<OpenTrade> All => _trades.Values;

    /// <summary>Since the start of this process, as far as trades have left a phase.</summary>
    public IReadOnlyDictionary<TradePhase, PhaseProgress> Progress => _progress;

    public void Apply(TradeId trade, object @event, DateTimeOffset at, long version)
    {
        var known = _trades.GetValueOrDefault(trade) ?? new OpenTrade(trade, TradePhase.None, null, at, at, 0);
        if (version <= known.Version)
            return;
        var next = Moved(known, @event) with { MovedAt = at, Version = version };
        if (next.Phase != known.Phase)
            next = next with { EnteredAt = at };
        var isSettled = IsSettled(next, @event);
        if (isSettled)
            _trades.Remove(trade);
        else
            _trades[trade] = next;
        if (isSettled || next.Phase != known.Phase)
            _progress[known.Phase] = (_progress.GetValueOrDefault(known.Phase) ?? PhaseProgress.None).With(known, at);
    }

    public byte[] Save() => JsonSerializer.SerializeToUtf8Bytes(new { Trades = _trades.Values });

    public void Load(ReadOnlySpan<byte> saved)
    {
        using var document = JsonDocument.Parse(saved.ToArray());
        _trades.Clear();
        foreach (var trade in document.RootElement.GetProperty("Trades").Deserialize<List<OpenTrade>>() ?? [])
            _trades[trade.Trade] = trade;
    }

    public void Clear()
    {
        _trades.Clear();
        _progress.Clear();
    }

    private static OpenTrade Moved(OpenTrade trade, object @event) => @event switch
    {
        // It ends with the same decision: it has neither waited in this phase nor overtaken anybody.
        TradeRaised { TooLate: true } => trade,
        TradeRaised e => trade with { Phase = TradePhase.Validating, Due = e.Due },
        TradeAdopted e => trade with { Phase = TradePhase.Executing, Due = e.Due },
        TradeValidated e => trade with { Phase = TradePhase.AssessingRisk, Due = e.Due },
        TradeApproved e => trade with { Phase = TradePhase.Executing, Due = e.Due },
        TradeOpenedRecorded e => trade with { Phase = TradePhase.Open, Due = e.Due },
        TradeClosingRecorded e => trade with { Phase = TradePhase.Closing, Due = e.Due },
        TradeDeadlinePassed e => trade with { Due = e.NextDue },
        TradeClosedRecorded => trade with { Phase = TradePhase.Closed, Due = null },
        _ => trade,
    };

    /// <summary>Settled is what nothing more is expected of: the failed ones at once, a closed one when it was verified.</summary>
    private static bool IsSettled(OpenTrade trade, object @event) =>
        @event is TradeRejected or TradeDenied or TradeFailed or TradeExpired
        || trade.Phase == TradePhase.None
        || (trade.Phase == TradePhase.Closed && @event is TradeReconciledRecorded { Closed: true });
}
