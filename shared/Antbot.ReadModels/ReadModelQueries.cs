using Antbot.Contracts;
using Antbot.Kernel.Control;
using Antbot.Runtime.Control;
using Antbot.Runtime.Store;

namespace Antbot.ReadModels;

/// <summary>The questions that people ask, answered from the read models and the history. The Console asks them for others, the command line for itself.</summary>
public sealed class ReadModelQueries(IEventStore store, EventCodec codec, IReadModels models, TimeProvider clock)
{
    private const int ReferenceLengthMin = 4;
    private const int TradeIdLength = 32;
    private const int StoryMax = 2_000;
    private const int ServicesMax = 50;
    private const int PositionsMax = ViewQuery.LimitMax;

    private static readonly string[] Holding = [nameof(PositionState.Open), nameof(PositionState.Closing)];

    private readonly Recovery _recovery = new(store, codec);

    public async Task<StatusReport> StatusAsync(string? trouble = null, CancellationToken cancellationToken = default)
    {
        var now = clock.GetUtcNow();
        var head = await store.Ledger.ReadHeadAsync(cancellationToken);
        var position = await models.ReadPositionAsync(cancellationToken);
        var counts = await models.FindAsync(ViewTable.Summaries, ViewFold.CountsId, cancellationToken);
        var today = $"{now.UtcDateTime:yyyy-MM-dd}";
        var days = await models.ListAsync(ViewTable.Summaries, new ViewQuery(["Day"], Limit: 100), cancellationToken);
        var held = await models.ListAsync(ViewTable.Positions, new ViewQuery(Holding, Limit: PositionsMax), cancellationToken);
        var started = await models.ListAsync(ViewTable.Processes, new ViewQuery([], Limit: ServicesMax), cancellationToken);
        return new StatusReport(
            now,
            head.StoreId,
            head.Position,
            await ControlAsync(cancellationToken),
            counts is null ? new Dictionary<string, long>() : counts.As<CountsView>().Trades.ToDictionary(c => c.Key.ToString(), c => c.Value, StringComparer.Ordinal),
            [.. days.Select(d => d.As<DayView>()).Where(d => d.Day == today)],
            new ExposureReport(held.Count, held.Sum(p => p.As<PositionView>().Cost.Value), held.Count == PositionsMax),
            [.. Latest(started.Select(p => p.As<ProcessView>()))],
            new ViewsReport(position, await BehindAsync(position, head, cancellationToken), trouble ?? await LeftOutAsync(models, cancellationToken)),
            null);
    }

    /// <summary>What the rows lack, for people; null where that is nothing.</summary>
    public static async Task<string?> LeftOutAsync(IReadModels models, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(models);
        return await models.FindAsync(ViewTable.Summaries, ViewFold.LeftOutId, cancellationToken) is { } row
            ? $"they lack {string.Join(", ", row.As<LeftOutView>().Events.Select(e => $"{e.Value:N0} events of the archive '{e.Key}'"))}, which could not be read; 'antbot views rebuild --archives' makes them anew with its folder"
            : null;
    }

    public async Task<ControlReport> ControlAsync(CancellationToken cancellationToken = default)
    {
        var loaded = await new StreamLoader(store, codec).LoadAsync(Streams.Control, ControlState.Fold, cancellationToken);
        return ControlReport.Of(loaded.State.WhileRecovering(await _recovery.ReadTroubleAsync(cancellationToken)), loaded.Version);
    }

    public async Task<Page<T>> ListAsync<T>(ViewTable table, ViewQuery query, CancellationToken cancellationToken = default)
    {
        var rows = await models.ListAsync(table, query, cancellationToken);
        return new Page<T>([.. rows.Select(r => r.As<T>())], rows.Count == query.Limit ? rows[^1].Id : null);
    }

    /// <summary>The whole life of a trade; null where there is nothing of it.</summary>
    public async Task<TradeStory?> StoryAsync(TradeId id, CancellationToken cancellationToken = default)
    {
        var events = await store.FindByCorrelationAsync(id.Value, StoryMax, cancellationToken);
        var trade = await models.FindAsync(ViewTable.Trades, id.Value, cancellationToken);
        if (events.Count == 0 && trade is null)
            return null;
        var position = await models.FindAsync(ViewTable.Positions, id.Value, cancellationToken);
        var orders = await models.ListAsync(ViewTable.Orders, new ViewQuery([], Trade: id.Value, Limit: ViewQuery.LimitMax), cancellationToken);
        return new TradeStory(
            trade?.As<TradeView>(), [.. orders.Select(o => o.As<OrderView>()).OrderBy(o => o.IntendedAt)], position?.As<PositionView>(), Timeline.Of(events), events.Count == StoryMax);
    }

    /// <summary>Why a text can be no trade's id or a beginning of one, and no order's; null where it can.</summary>
    public static string? FaultOfReference(string text) =>
        text.Length >= ReferenceLengthMin && (IsBeginning(text) || ClientOrderId.Fault(text) is null)
            ? null
            : $"A trade's id has 32 hexadecimal digits, at least the first {ReferenceLengthMin} of which are wanted; or the client's id of one of its orders.";

    /// <summary>The trades whose ids begin so, or whose order is meant, at most two: one is meant, two is not unique.</summary>
    public async Task<IReadOnlyList<TradeId>> ResolveAsync(string reference, CancellationToken cancellationToken = default)
    {
        if (IsBeginning(reference))
        {
            var prefix = reference.ToLowerInvariant();
            if (TradeId.TryParse(prefix, out var whole))
                return [whole];
            var rows = await models.ListAsync(ViewTable.Trades, new ViewQuery([], IdPrefix: prefix, Limit: 2), cancellationToken);
            if (rows.Count > 0)
                return [.. rows.Select(r => TradeId.From(r.Id))];
        }
        // Ours bear their trade's name; an order that was adopted bears whatever somebody called it.
        var orders = await ListAsync<OrderView>(ViewTable.Orders, new ViewQuery([], IdPrefix: reference, Limit: 1), cancellationToken);
        return [.. orders.Items.Where(o => o.Id.Value == reference).Select(o => o.Trade)];
    }

    private static bool IsBeginning(string text) => text.Length <= TradeIdLength && text.All(char.IsAsciiHexDigit);

    /// <summary>Of each service those that have not said that they stopped, and the last that did where all have.</summary>
    private static IEnumerable<ServiceReport> Latest(IEnumerable<ProcessView> processes) => processes
        .GroupBy(p => p.Service, StringComparer.Ordinal)
        .OrderBy(g => g.Key, StringComparer.Ordinal)
        .SelectMany(g => g.Where(p => p.StoppedAt is null).DefaultIfEmpty(g.MaxBy(p => p.StoppedAt)!).OrderByDescending(p => p.StartedAt).Take(5))
        .Select(p => new ServiceReport(p.Service, p.Name, p.Instance, p.StoppedAt is null ? "Started" : "Stopped", p.Build, p.ProcessId, p.StoppedAt ?? p.StartedAt, null));

    private async Task<long> BehindAsync(long position, LedgerHead head, CancellationToken cancellationToken)
    {
        if (position >= head.Sequence)
            return 0;
        var next = await store.ReadPageAsync(position, 1, cancellationToken);
        return next.Count == 0 ? 0 : Math.Max(0, head.Position - next[0].Position + 1);
    }
}
