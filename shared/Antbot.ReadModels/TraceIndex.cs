using Antbot.Contracts.Events;
using Antbot.Runtime.Store;

namespace Antbot.ReadModels;

/// <summary>What a trace looks up, from the read models.</summary>
public sealed class TraceIndex(IReadModels models) : ITraceIndex
{
    private static readonly string[] Live = [.. Enum.GetValues<TradePhase>().Where(p => p != TradePhase.None && !TradeView.IsOver(p)).Select(p => p.ToString())];

    public async Task<IReadOnlyList<EventPlace>> MentionsAsync(MentionKind kind, string id, CancellationToken cancellationToken = default)
    {
        var key = MentionFold.Key(kind, id);
        return (await models.FindAsync(key.Table, key.Id, cancellationToken))?.As<MentionsView>().At ?? [];
    }

    public async Task<IReadOnlyList<string>> TradesAsync(string beginning, CancellationToken cancellationToken = default) =>
        [.. (await models.ListAsync(ViewTable.Trades, new ViewQuery([], IdPrefix: beginning, Limit: 2), cancellationToken)).Select(r => r.Id)];

    public async Task<IReadOnlyList<TradeTimes>> TradesAsync(string symbol, DateTimeOffset since, DateTimeOffset until, string? after, int limit, CancellationToken cancellationToken = default)
    {
        var query = new ViewQuery([], Symbol: symbol, After: after, Limit: limit) { Until = until };
        var rows = await models.ListAsync(ViewTable.Trades, query with { ChangedSince = since }, cancellationToken);
        // One that is not over goes on, whenever it changed last.
        var live = await models.ListAsync(ViewTable.Trades, query with { States = Live }, cancellationToken);
        return [.. rows.Concat(live).DistinctBy(r => r.Id).OrderByDescending(r => r.At).ThenByDescending(r => r.Id, StringComparer.Ordinal).Take(limit).Select(r => new TradeTimes(r.Id, r.State, r.At, r.ChangedAt))];
    }

    public async Task<IReadOnlyList<EventPlace>> ActionsAsync(string actor, DateTimeOffset since, DateTimeOffset until, long? after, int limit, CancellationToken cancellationToken = default)
    {
        var query = new ViewQuery([], After: after is { } sequence ? MentionFold.ActionKey(sequence).Id : null, Limit: limit)
        {
            Search = new Dictionary<string, string> { [ViewTables.Actor] = actor }, Since = since, Until = until, OldestFirst = true,
        };
        return [.. (await models.ListAsync(ViewTable.Actions, query, cancellationToken)).Select(r => (r.Sequence, View: r.As<ActionView>())).Select(r => new EventPlace(r.View.Stream, r.View.Version, r.Sequence))];
    }
}
