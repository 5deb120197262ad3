using Antbot.Benchmarks.Pipeline;
using Antbot.Benchmarks.Store;
using Antbot.Contracts.Events;
using Antbot.EventStore.Postgres;
using Antbot.EventStore.Sqlite;
using Antbot.Forensics;
using Antbot.LocalServers;
using Antbot.ReadModels;
using Antbot.Runtime.Store;
using Npgsql;

namespace Antbot.Benchmarks.Forensics;

/// <summary>
/// Whole causal chains out of a long history that the platform has really made, at a tenth of it and at all of it: what that grows by is what ten
/// times as many would take. Beside it the same events by a recursive query on the bare tables; the limit is looking up what bears the trade's id.
/// </summary>
public static class TraceBench
{
    /// <summary>Fewer than a tenth of the history holds: what is cut off there has trades that had ended.</summary>
    private const int TradesAtOnceMax = 2_000;
    private const int EventsPerTradeAtOnce = 400;
    private const int ImportPage = 2_000;
    private const int Known = 500;
    private const double MillisecondsMax = 1_000;

    /// <summary>From the signal on, whatever bears the same id, and all of the streams that these stand in and that are the trade's own.</summary>
    private const string Recursive = """
        with recursive chain (seq_id) as (
          select e.seq_id from public.mt_events e where e.stream_id = 'signal-' || $1
          union
          select n.seq_id from chain c join public.mt_events e on e.seq_id = c.seq_id cross join lateral (
            select l.seq_id from antbot.ledger l where l.correlation_id = e.correlation_id
            union all
            select s.seq_id from public.mt_events s where s.stream_id = e.stream_id and e.stream_id ~ '^(signal|trade|order)-') n)
        select e.seq_id, e.id, e.stream_id, e.version, e.data, e.type, e.timestamp, e.correlation_id, e.causation_id, e.headers, e.user_name
        from chain c join public.mt_events e on e.seq_id = c.seq_id order by e.seq_id
        """;

    public static async Task RunAsync(BenchReport report, StoreBenchOptions options, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("antbot-trace-bench-").FullName;
        try
        {
            await MakeHistoryAsync(folder, options.Events, cancellationToken);
            await using var source = await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = Path.Combine(folder, "antbot.db"), Create = false }, cancellationToken);
            await using var server = await PostgresServer.StartAsync(new PostgresServerOptions { MustBeOwned = true }, cancellationToken);
            var (postgres, sqlite) = (new List<double>(), new List<double>());
            foreach (var events in new[] { options.Events / 10, options.Events })
            {
                postgres.Add(await PostgresAsync(report.Of("PostgreSQL"), server, source, events, options, cancellationToken));
                sqlite.Add(await SqliteAsync(report.Of("SQLite"), folder, source, events, options, cancellationToken));
            }
            ShowGrowth(report.Of("PostgreSQL"), "PostgreSQL", postgres, options.Events);
            ShowGrowth(report.Of("SQLite"), "SQLite", sqlite, options.Events);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void ShowGrowth(BenchSection report, string engine, List<double> p99, int events) =>
        report.Within($"{engine}: trace of a trade at {events * 10L:N0} events, p99, if it grows on as it did (peer: at {events:N0}; limit: at {events / 10:N0})", p99[1] * Math.Max(1, p99[1] / p99[0]), "ms", MillisecondsMax, p99[1], p99[0]);

    private static async Task MakeHistoryAsync(string folder, int events, CancellationToken cancellationToken)
    {
        await using var pipeline = await StandalonePipeline.StartAsync(folder, cancellationToken);
        while (await pipeline.ProgressAsync(cancellationToken) is var made && made < events)
        {
            var outcome = await LoadRun.RunAsync(pipeline, c => c.BurstAsync(Math.Clamp(events / EventsPerTradeAtOnce, 1, TradesAtOnceMax), cancellationToken), cancellationToken);
            Console.WriteLine($"  {made:N0} events and more were made, at {outcome.PerSecond:0} trades a second");
        }
    }

    private static async Task<double> PostgresAsync(BenchSection report, PostgresServer server, SqliteEventStore source, int events, StoreBenchOptions options, CancellationToken cancellationToken)
    {
        var database = await StoreBench.NewDatabaseAsync(server, cancellationToken);
        await using var store = new PostgresEventStore(new PostgresStoreOptions { ConnectionString = database });
        await using var models = new PostgresReadModels(database);
        await using var bare = StoreBench.Source(database, 2);
        await ImportAsync(source, store, models, events, cancellationToken);
        await using (var analyse = bare.CreateCommand("vacuum analyze"))
        {
            analyse.CommandTimeout = 0;
            await analyse.ExecuteNonQueryAsync(cancellationToken);
        }
        return await MeasureAsync(report, "PostgreSQL", store, models, events, options, cancellationToken, async trade =>
        {
            await using var command = bare.CreateCommand(Recursive);
            command.Parameters.Add(new NpgsqlParameter { Value = trade });
            await using var row = await command.ExecuteReaderAsync(cancellationToken);
            var count = 0;
            while (await row.ReadAsync(cancellationToken))
                count += row.GetFieldValue<byte[]>(4).Length > 0 ? 1 : 0;
            return count;
        });
    }

    private static async Task<double> SqliteAsync(BenchSection report, string folder, SqliteEventStore source, int events, StoreBenchOptions options, CancellationToken cancellationToken)
    {
        var path = Path.Combine(folder, $"copy-{events}.db");
        await using var store = await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = path }, cancellationToken);
        var head = await source.Ledger.ReadHeadAsync(cancellationToken);
        await using var models = await SqliteReadModels.OpenAsync(SqliteReadModels.FileFor(path), head.StoreId, cancellationToken);
        await ImportAsync(source, store, models, events, cancellationToken);
        return await MeasureAsync(report, "SQLite", store, models, events, options, cancellationToken, recursive: null);
    }

    private static async Task ImportAsync(SqliteEventStore source, IEventStore store, IReadModels models, int events, CancellationToken cancellationToken)
    {
        var head = await source.Ledger.ReadHeadAsync(cancellationToken);
        var page = new List<LedgerLink>(ImportPage);
        await foreach (var link in source.Ledger.ReadLinksAsync(cancellationToken: cancellationToken))
        {
            if (link.Position > events)
                break;
            page.Add(link);
            if (page.Count < ImportPage)
                continue;
            await store.Ledger.ImportAsync(head.StoreId, page, cancellationToken);
            page = new List<LedgerLink>(ImportPage);
        }
        if (page.Count > 0)
            await store.Ledger.ImportAsync(head.StoreId, page, cancellationToken);
        await new ViewProjection(store, new EventCodec(EventRegistry.From(typeof(TradeRaised).Assembly)), models, TimeProvider.System).CatchUpAsync(_ => { }, cancellationToken);
    }

    /// <returns>The p99 of a trade's trace.</returns>
    private static async Task<double> MeasureAsync(
        BenchSection report, string engine, IEventStore store, IReadModels models, int events, StoreBenchOptions options, CancellationToken cancellationToken, Func<string, Task<int>>? recursive)
    {
        var (tracer, selector) = (new Tracer(store, new TraceIndex(models)), new TraceSelector(store, new TraceIndex(models)));
        var some = await SomeAsync(tracer, models, cancellationToken);
        var random = new Random(1);
        T Any<T>(IReadOnlyList<T> of) => of[random.Next(of.Count)];
        var trade = await RunAsync(options, async () => await WholeAsync(tracer, new TraceTarget(TraceKind.Trade, Any(some).Id), cancellationToken));
        var limit = await RunAsync(options, async () => await store.FindByCorrelationAsync(Any(some).Id, cancellationToken: cancellationToken));
        var peer = recursive is null ? null : await RunAsync(options, async () => await recursive(Any(some).Id));
        report.Within($"{engine}: trace of a trade at {events:N0} events, p99 (peer: recursive query; limit: look-up by its id)", trade.P99Milliseconds, "ms", MillisecondsMax, peer?.P99Milliseconds, limit.P99Milliseconds);
        report.Show($"{engine}: the same at {events:N0} events, p50", trade.P50Milliseconds, "ms", peer?.P50Milliseconds, limit.P50Milliseconds);
        foreach (var (name, id, kind) in new (string, Func<Sample, string>, TraceKind?)[] { ("a message", s => s.Message, null), ("an order's name here", s => s.Order, null), ("an order's name at the venue", s => s.VenueOrder, TraceKind.VenueOrder) })
        {
            var found = await RunAsync(options, async () => await WholeAsync(tracer, (await tracer.ResolveAsync(id(Any(some)), kind, cancellationToken)).Single(), cancellationToken));
            report.Within($"{engine}: trace from {name} at {events:N0} events, p99", found.P99Milliseconds, "ms", MillisecondsMax, limit: limit.P99Milliseconds);
        }
        var selected = await RunAsync(options, async () =>
        {
            var at = Any(some);
            var page = await selector.SelectAsync(new TraceSelection(at.At.AddSeconds(-1), at.At.AddSeconds(1), at.Symbol, null), cancellationToken);
            if (page.Subjects.Count == 0)
                throw new InvalidOperationException("Nothing was recorded of a symbol when something was.");
        });
        report.Within($"{engine}: what was going on in a symbol at a time, a page, at {events:N0} events, p99", selected.P99Milliseconds, "ms", MillisecondsMax, limit: limit.P99Milliseconds);
        return trade.P99Milliseconds;
    }

    private sealed record Sample(string Id, string Symbol, DateTimeOffset At, string Message, string Order, string VenueOrder);

    /// <summary>Closed trades from all over the history.</summary>
    private static async Task<List<Sample>> SomeAsync(Tracer tracer, IReadModels models, CancellationToken cancellationToken)
    {
        var (rows, after) = (new List<ViewRow>(), (string?)null);
        do
        {
            var page = await models.ListAsync(ViewTable.Trades, new ViewQuery([nameof(TradePhase.Closed)], After: after, Limit: ViewQuery.LimitMax), cancellationToken);
            rows.AddRange(page);
            after = page.Count == ViewQuery.LimitMax ? page[^1].Id : null;
        }
        while (after is not null);
        var some = new List<Sample>();
        for (var i = 0; i < rows.Count; i += Math.Max(1, rows.Count / Known))
        {
            var trace = (await tracer.TraceAsync(new TraceTarget(TraceKind.Trade, rows[i].Id), cancellationToken))!;
            // Those at the end of a history that was cut off have not ended in it.
            if (trace.Gaps.Any(g => g.Kind == GapKind.Open) || trace.Steps.FirstOrDefault(s => s.Type == "order_accepted") is not { } accepted)
                continue;
            some.Add(new Sample(
                rows[i].Id, rows[i].Symbol!, rows[i].At, trace.Steps.SelectMany(s => s.Messages).First(m => m.Effects.Count > 0).Id.ToString("N"),
                accepted.Body.GetProperty("Order").GetString()!, accepted.Body.GetProperty("VenueOrderId").GetString()!));
        }
        return some.Count > 0 ? some : throw new InvalidOperationException("No trade of the history was closed.");
    }

    private static async Task WholeAsync(Tracer tracer, TraceTarget target, CancellationToken cancellationToken)
    {
        if (await tracer.TraceAsync(target, cancellationToken) is not { IsWhole: true } trace)
            throw new InvalidOperationException($"The chain of {target} is not whole.");
        if (trace.Steps.Count < 10)
            throw new InvalidOperationException($"The chain of {target} has {trace.Steps.Count} events.");
    }

    private static async Task<LoadResult> RunAsync(StoreBenchOptions options, Func<Task> once)
    {
        var rounds = new List<LoadResult>();
        for (var round = 0; round < StoreBench.Rounds; round++)
            rounds.Add(await Load.RunAsync(1, options.Round, _ => once()));
        return LoadResult.Median(rounds);
    }
}
