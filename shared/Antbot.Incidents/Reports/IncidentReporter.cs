using Antbot.Contracts.Events;
using Antbot.Incidents.Changes;
using Antbot.ReadModels;
using Antbot.Runtime.Store;

namespace Antbot.Incidents.Reports;

/// <summary>Brings together what is told of an incident, within bounds; what they leave out is named.</summary>
/// <param name="mayRead">Whether whoever asks may see what a stream says; null where they may see all.</param>
public sealed class IncidentReporter(IEventStore store, EventCodec codec, IReadModels models, TimeProvider clock, Func<string, bool>? mayRead = null)
{
    private const int BeforeMax = 200;
    private const int TradesMax = 500;
    private const int LettersMax = 200;

    /// <summary>What changed so long before it began may have to do with it.</summary>
    private static readonly TimeSpan Lead = TimeSpan.FromHours(1);

    private static readonly string[] Live = [.. Enum.GetValues<TradePhase>().Where(p => p != TradePhase.None && !TradeView.IsOver(p)).Select(p => p.ToString())];

    /// <summary>Null where there is no such incident.</summary>
    public async Task<IncidentReport?> ReadAsync(Guid incident, Action<long, long>? progress = null, CancellationToken cancellationToken = default)
    {
        if (await new IncidentStories(store, codec, models).ReadAsync(incident, cancellationToken) is not var (view, history))
            return null;
        var now = clock.GetUtcNow();
        var (since, until, gaps) = (view.Since, view.Until ?? now, new List<string>());
        var before = await BeforeAsync(since, gaps, cancellationToken);
        var trades = await TradesAsync(view, since, until, gaps, cancellationToken);
        var timeline = await new TimelineReader(store, mayRead).ReadAsync(view, since, until, gaps, progress, cancellationToken);
        var letters = await LettersAsync(view, since, until, gaps, cancellationToken);
        return new IncidentReport(view, since, until, view.Until is null, now, new IncidentImpact(view.Trades.Count > 0, AccountsOf(trades), trades), before, timeline, letters, history, gaps);
    }

    private async Task<List<Change>> BeforeAsync(DateTimeOffset since, List<string> gaps, CancellationToken cancellationToken)
    {
        var (log, changes, after) = (new ChangeLog(store, models, mayRead), new List<Change>(), (string?)null);
        var from = since - DateTimeOffset.UnixEpoch < Lead ? DateTimeOffset.UnixEpoch : since - Lead;
        ChangePage page;
        do
        {
            page = await log.ReadAsync(new ChangeSelection(from, since, after, BeforeMax), cancellationToken) ?? throw new InvalidOperationException($"Event {after}, which a page named, is gone.");
            changes.AddRange(page.Changes);
            after = page.Next;
        }
        while (after is not null && changes.Count < BeforeMax);
        gaps.AddRange(page.Gaps);
        if (after is not null)
            gaps.Add($"More than {BeforeMax} things changed in the hour before; 'antbot changes' tells all of them.");
        return changes;
    }

    private async Task<List<ImpactedTrade>> TradesAsync(IncidentView view, DateTimeOffset since, DateTimeOffset until, List<string> gaps, CancellationToken cancellationToken)
    {
        var rows = view.Trades.Count > 0 ? await NamedAsync(view, gaps, cancellationToken) : await GoingOnAsync(since, until, gaps, cancellationToken);
        var positions = await models.FindAsync([.. rows.Select(r => new RowKey(ViewTable.Positions, r.Id))], cancellationToken);
        return [.. rows.Select(r => Impacted(r.As<TradeView>(), positions.GetValueOrDefault(new RowKey(ViewTable.Positions, r.Id))?.As<PositionView>())).OrderBy(t => t.RaisedAt).ThenBy(t => t.Id.Value, StringComparer.Ordinal)];
    }

    private async Task<IReadOnlyList<ViewRow>> NamedAsync(IncidentView view, List<string> gaps, CancellationToken cancellationToken)
    {
        var found = await models.FindAsync([.. view.Trades.Select(t => new RowKey(ViewTable.Trades, t.Value))], cancellationToken);
        gaps.AddRange(view.Trades.Where(t => !found.ContainsKey(new RowKey(ViewTable.Trades, t.Value))).Select(t => $"Of trade {t} no more is known than its signal."));
        return [.. found.Values];
    }

    /// <summary>Begun by the end and not over at the beginning.</summary>
    private async Task<IReadOnlyList<ViewRow>> GoingOnAsync(DateTimeOffset since, DateTimeOffset until, List<string> gaps, CancellationToken cancellationToken)
    {
        var query = new ViewQuery([], Limit: TradesMax + 1) { Until = until };
        var changed = await models.ListAsync(ViewTable.Trades, query with { ChangedSince = since }, cancellationToken);
        var live = await models.ListAsync(ViewTable.Trades, query with { States = Live }, cancellationToken);
        var rows = changed.Concat(live).DistinctBy(r => r.Id).OrderByDescending(r => r.At).ThenByDescending(r => r.Id, StringComparer.Ordinal).ToList();
        if (rows.Count <= TradesMax)
            return rows;
        gaps.Add($"More than {TradesMax} trades were going on; the newest {TradesMax} are told and counted.");
        return rows[..TradesMax];
    }

    private async Task<IReadOnlyList<DeadLetterView>> LettersAsync(IncidentView view, DateTimeOffset since, DateTimeOffset until, List<string> gaps, CancellationToken cancellationToken)
    {
        var rows = (await models.ListAsync(ViewTable.DeadLetters, new ViewQuery([], Limit: LettersMax + 1) { Since = since, Until = until, OldestFirst = true }, cancellationToken)).ToList();
        foreach (var trade in view.Trades)
            rows.AddRange(await models.ListAsync(ViewTable.DeadLetters, new ViewQuery([], Trade: trade.Value, Limit: LettersMax), cancellationToken));
        var letters = rows.DistinctBy(r => r.Id).OrderBy(r => r.At).ThenBy(r => r.Id, StringComparer.Ordinal).ToList();
        if (letters.Count > LettersMax)
            gaps.Add($"More than {LettersMax} messages died; the first {LettersMax} are told. 'antbot dlq list' tells all of them.");
        return [.. letters.Take(LettersMax).Select(r => r.As<DeadLetterView>())];
    }

    private static ImpactedTrade Impacted(TradeView t, PositionView? position) => new(
        t.Id, t.Account, t.Symbol, t.Side, t.Phase, t.Unknown, t.Notional, t.Realised ?? position?.Realised, t.Fees ?? position?.Fees,
        position is { State: PositionState.Open or PositionState.Closing } held ? held.Cost : null, t.RaisedAt, t.Reason);

    private static List<AccountImpact> AccountsOf(IEnumerable<ImpactedTrade> trades) =>
    [
        .. trades.GroupBy(t => t.Account).OrderBy(g => g.Key.Value, StringComparer.Ordinal).Select(g => new AccountImpact(
            g.Key, g.Count(), g.Count(t => t.Phase == TradePhase.Closed), g.Sum(t => t.Realised?.Value ?? 0), g.Sum(t => t.Fees?.Value ?? 0), g.Count(t => t.Held is not null), g.Sum(t => t.Held?.Value ?? 0), g.Count(t => t.Unknown))),
    ];
}
