using Antbot.Runtime.Store;

namespace Antbot.ReadModels;

/// <summary>What a trace looks up, from the read models.</summary>
public sealed class TraceIndex(IReadModels models) : ITraceIndex
{
    public async Task<IReadOnlyList<EventPlace>> MentionsAsync(MentionKind kind, string id, CancellationToken cancellationToken = default)
    {
        var key = MentionFold.Key(kind, id);
        return (await models.FindAsync(key.Table, key.Id, cancellationToken))?.As<MentionsView>().At ?? [];
    }

    public async Task<IReadOnlyList<string>> TradesAsync(string beginning, CancellationToken cancellationToken = default) =>
        [.. (await models.ListAsync(ViewTable.Trades, new ViewQuery([], IdPrefix: beginning, Limit: 2), cancellationToken)).Select(r => r.Id)];

    public async Task<IReadOnlyDictionary<string, string>> SymbolsAsync(IReadOnlyCollection<string> trades, CancellationToken cancellationToken = default)
    {
        var rows = await models.FindAsync([.. trades.Select(t => new RowKey(ViewTable.Trades, t))], cancellationToken);
        return rows.Values.Where(r => r.Symbol is not null).ToDictionary(r => r.Id, r => r.Symbol!, StringComparer.Ordinal);
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
