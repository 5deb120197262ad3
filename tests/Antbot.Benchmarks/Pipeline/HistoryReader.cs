using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Risk.Core;
using Antbot.Runtime.Store;

namespace Antbot.Benchmarks.Pipeline;

/// <summary>What the events say of trades, read page by page from where it stopped last.</summary>
internal sealed class HistoryReader(IEventStore store)
{
    private const int PageSize = 2_000;

    private readonly EventCodec _codec = new(EventRegistry.From([typeof(SignalRecorded).Assembly, typeof(RiskState).Assembly]));
    private long _sequence;

    public long Events { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>Deliveries that had nothing left to do.</summary>
    public long Absorbed { get; private set; }

    public async Task<IReadOnlyDictionary<string, TradeTimes>> ReadAsync(CancellationToken cancellationToken)
    {
        var trades = new Dictionary<string, TradeTimes>(StringComparer.Ordinal);
        while (await store.ReadPageAsync(_sequence, PageSize, cancellationToken) is { Count: > 0 } page)
        {
            foreach (var stored in page)
                Note(trades, stored);
            _sequence = page[^1].Sequence;
        }
        return trades;
    }

    public async Task<RiskState> ReadAccountAsync(CancellationToken cancellationToken) =>
        (await new StreamLoader(store, _codec).LoadAsync(Streams.Account(new AccountId("main")), RiskState.Fold, cancellationToken)).State;

    private void Note(Dictionary<string, TradeTimes> trades, StoredEvent stored)
    {
        Events++;
        Bytes += stored.Data.Length;
        if (stored.CorrelationId is not { } trade)
            return;
        var known = trades.GetValueOrDefault(trade) ?? new TradeTimes(null, null, null, null);
        switch (stored.Type)
        {
            case "signal_raised":
                trades[trade] = known with { Recorded = stored.Timestamp };
                break;
            case "order_accepted" when _codec.Decode(stored) is OrderAccepted { Order.Role: OrderRole.Entry } accepted:
                trades[trade] = known with { Accepted = accepted.VenueTime };
                break;
            case "trade_reconciled" when _codec.Decode(stored) is TradeReconciledRecorded { Closed: true }:
                trades[trade] = known with { Done = stored.Timestamp };
                break;
            case "trade_rejected" or "trade_denied" or "trade_failed" or "trade_expired":
                trades[trade] = known with { Ended = $"{stored.Type} {System.Text.Encoding.UTF8.GetString(stored.Data.Span)}" };
                break;
            case "trade_message_absorbed":
                Absorbed++;
                break;
        }
    }
}
