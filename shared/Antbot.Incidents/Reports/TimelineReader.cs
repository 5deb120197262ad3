using Antbot.Contracts;
using Antbot.Forensics;
using Antbot.ReadModels;
using Antbot.Runtime.Store;

namespace Antbot.Incidents.Reports;

/// <summary>
/// What happened in a period: all that is recorded of the trades that are named, or the phases of whatever was traded; and beside it processes,
/// control, dead letters, and what people had done.
/// </summary>
internal sealed class TimelineReader(IEventStore store, Func<string, bool>? mayRead)
{
    private const int PageSize = 4_000;

    /// <summary>So many events of the period are looked at.</summary>
    private const int LookedAtMax = 1_000_000;

    /// <summary>More than that nobody reads: of the trades, and of all else.</summary>
    private const int LinesMax = 1_000;

    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    private static readonly string[] Around =
    [
        Streams.Control.Value, Streams.Access.Value, Streams.ProcessPrefix, Streams.AuditPrefix, Streams.DeadLetterPrefix, Streams.ReplaysPrefix, Streams.IncidentPrefix,
    ];

    private readonly SortedDictionary<(DateTimeOffset At, long Sequence), ReportLine> _lines = [];
    private readonly ArchivedCount _archived = new();
    private int _ofTrades;
    private int _others;

    public async Task<IReadOnlyList<ReportLine>> ReadAsync(IncidentView incident, DateTimeOffset since, DateTimeOffset until, List<string> gaps, Action<long, long>? progress, CancellationToken cancellationToken)
    {
        foreach (var trade in incident.Trades)
        {
            var events = await store.FindByCorrelationAsync(trade.Value, LinesMax + 1, cancellationToken);
            foreach (var stored in events)
                Add(stored, ref _ofTrades);
        }
        await LookThroughAsync(incident, since, until, gaps, progress, cancellationToken);
        _archived.Tell(gaps);
        if (_ofTrades > LinesMax)
            gaps.Add($"Of what happened to trades the first {LinesMax:N0} events are told; 'antbot trade' and 'antbot trace' tell all of them.");
        if (_others > LinesMax)
            gaps.Add($"Of what happened beside trades the first {LinesMax:N0} events are told.");
        return [.. _lines.Values];
    }

    private async Task LookThroughAsync(IncidentView incident, DateTimeOffset since, DateTimeOffset until, List<string> gaps, Action<long, long>? progress, CancellationToken cancellationToken)
    {
        string[] prefixes = incident.Trades.Count > 0 ? Around : [.. Around, Streams.TradePrefix];
        var end = (await store.Ledger.ReadHeadAsync(cancellationToken)).Sequence;
        var from = await Moment.LastKeptAsync(store, since - DateTimeOffset.UnixEpoch < Skew ? DateTimeOffset.UnixEpoch : since - Skew, cancellationToken);
        var through = from;
        while (through < end)
        {
            var page = await store.ReadPageAsync(through, PageSize, prefixes, cancellationToken);
            foreach (var stored in page.Events.Where(e => e.Timestamp >= since && e.Timestamp <= until && IsAbout(e, incident)))
            {
                if (stored.Stream.StartsWith(Streams.TradePrefix, StringComparison.Ordinal))
                    Add(stored, ref _ofTrades);
                else
                    Add(stored, ref _others);
            }
            var past = page.Events.FirstOrDefault(e => e.Timestamp > until + Skew)?.Sequence ?? long.MaxValue;
            foreach (var archived in page.Archived.Where(a => a.Sequence < past))
                _archived.Add(archived);
            if (page.Through == through || (page.Events.Count > 0 && page.Events[^1].Timestamp > until + Skew))
                return;
            through = page.Through;
            progress?.Invoke(through - from, end - from);
            if (through - from > LookedAtMax)
            {
                gaps.Add($"So much was recorded in the period that only its first {LookedAtMax:N0} events were looked at, up to sequence {through}.");
                return;
            }
        }
    }

    /// <summary>What was said of other incidents is theirs.</summary>
    private static bool IsAbout(StoredEvent stored, IncidentView incident) =>
        !stored.Stream.StartsWith(Streams.IncidentPrefix, StringComparison.Ordinal) || stored.Stream[Streams.IncidentPrefix.Length..] == incident.Id;

    private void Add(StoredEvent stored, ref int count)
    {
        if (_lines.ContainsKey((stored.Timestamp, stored.Sequence)) || ++count > LinesMax)
            return;
        var word = EventWords.Of(stored);
        var trade = TradeId.TryParse(stored.CorrelationId, out var about) && stored.Stream.EndsWith(about.Value, StringComparison.Ordinal) ? about.Value : null;
        _lines[(stored.Timestamp, stored.Sequence)] = mayRead?.Invoke(stored.Stream) == false
            ? new ReportLine(stored.Timestamp, stored.Sequence, stored.Stream, stored.Type.Replace('_', ' '), word.By, "", trade, Withheld: true)
            : new ReportLine(stored.Timestamp, stored.Sequence, stored.Stream, word.What, word.By, word.Why, trade);
    }
}
