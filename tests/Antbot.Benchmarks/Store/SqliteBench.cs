using Antbot.EventStore.Sqlite;
using Antbot.Runtime.Store;

namespace Antbot.Benchmarks.Store;

/// <summary>The embedded engine with the same appends, beside the plain way on SQLite and what cannot be beaten: a page written and synced, and one transaction for all.</summary>
internal static class SqliteBench
{
    private const int PageBytes = 4096;

    private const int Callers = 64;
    private const int BulkEvents = 20_000;

    public static async Task RunAsync(BenchReport report, StoreBenchOptions options, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("antbot-bench-");
        try
        {
            await using var store = await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = Path.Combine(folder.FullName, "store.db") }, cancellationToken);
            using var plain = await PlainSqlite.OpenAsync(Path.Combine(folder.FullName, "plain.db"), cancellationToken);
            using var bulk = await PlainSqlite.OpenAsync(Path.Combine(folder.FullName, "bulk.db"), cancellationToken);
            // Everyone warms up alike, with enough rows that trees are trees.
            await Load.RunAsync(Callers, options.Round, _ => AppendAsync(store, 1));
            await Load.RunAsync(Callers, options.Round, _ => plain.AppendAsync(1));
            bulk.AppendInOneTransaction(BulkEvents, 1);

            var section = report.Of($"SQLite {plain.Version}");
            await OneAsync(section, options, store, plain, Path.Combine(folder.FullName, "bare"));
            await ManyAsync(section, options, store, plain, bulk, "SQLite: append, 64 callers", events: 1, target: 20_000);
            await ManyAsync(section, options, store, plain, bulk, "SQLite: append of ten, 64 callers", events: 10, target: null);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task OneAsync(BenchSection report, StoreBenchOptions options, SqliteEventStore store, PlainSqlite plain, string bare)
    {
        var (mine, peers, syncs) = (new List<LoadResult>(), new List<LoadResult>(), new List<LoadResult>());
        for (var round = 0; round < StoreBench.Rounds; round++)
        {
            mine.Add(await Load.RunAsync(1, options.Round / 2, _ => AppendAsync(store, 1)));
            peers.Add(await Load.RunAsync(1, options.Round / 2, _ => plain.AppendAsync(1)));
            syncs.Add(await SyncAsync(bare, options.Round / 3));
        }
        var (m, p, s) = (LoadResult.Median(mine), LoadResult.Median(peers), LoadResult.Median(syncs));
        report.Show("SQLite: append, 1 caller, p50", m.P50Milliseconds, "ms", p.P50Milliseconds, s.P50Milliseconds);
        report.Show("SQLite: append, 1 caller, p99", m.P99Milliseconds, "ms", p.P99Milliseconds, s.P99Milliseconds);
    }

    private static async Task ManyAsync(
        BenchSection report, StoreBenchOptions options, SqliteEventStore store, PlainSqlite plain, PlainSqlite bulk, string name, int events, double? target)
    {
        var (mine, peers, limits) = (new List<LoadResult>(), new List<LoadResult>(), new List<double>());
        for (var round = 0; round < StoreBench.Rounds; round++)
        {
            mine.Add(await Load.RunAsync(Callers, options.Round, _ => AppendAsync(store, events)));
            peers.Add(await Load.RunAsync(Callers, options.Round, _ => plain.AppendAsync(events)));
            limits.Add(bulk.AppendInOneTransaction(BulkEvents / events, events));
        }
        var (m, p) = (LoadResult.Median(mine), LoadResult.Median(peers));
        report.Show(name, m.PerSecond * events, "events/s", p.PerSecond * events, LoadResult.Middle(limits), target);
        report.Show($"{name}, p99", m.P99Milliseconds, "ms", p.P99Milliseconds);
    }

    private static async Task AppendAsync(SqliteEventStore store, int events)
    {
        var outcome = await store.AppendAsync(Sample.Append(events));
        if (outcome is not AppendOutcome.Appended)
            throw new InvalidOperationException($"The append ended as {outcome}.");
    }

    private static async Task<LoadResult> SyncAsync(string file, TimeSpan time)
    {
        using var handle = File.OpenHandle(file, FileMode.Create, FileAccess.Write);
        var page = new byte[PageBytes];
        var at = 0L;
        return await Load.RunAsync(1, time, _ =>
        {
            RandomAccess.Write(handle, page, at);
            RandomAccess.FlushToDisk(handle);
            at += PageBytes;
            return Task.CompletedTask;
        });
    }
}
