using Antbot.EventStore.Sqlite;
using Antbot.Runtime.Store;

namespace Antbot.Benchmarks.Store;

/// <summary>The embedded engine with the same appends, beside what the disk itself can do: a page written and synced.</summary>
internal static class SqliteBench
{
    private const int PageBytes = 4096;

    public static async Task RunAsync(BenchReport report, StoreBenchOptions options, int rounds, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("antbot-bench-");
        try
        {
            await using var store = await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = Path.Combine(folder.FullName, "store.db") }, cancellationToken);
            await Load.RunAsync(64, options.Round, _ => AppendAsync(store, 1));
            var (one, many, tens, syncs) = (new List<LoadResult>(), new List<LoadResult>(), new List<LoadResult>(), new List<LoadResult>());
            for (var round = 0; round < rounds; round++)
            {
                one.Add(await Load.RunAsync(1, options.Round, _ => AppendAsync(store, 1)));
                syncs.Add(await SyncAsync(Path.Combine(folder.FullName, "bare"), options.Round));
                many.Add(await Load.RunAsync(64, options.Round, _ => AppendAsync(store, 1)));
                tens.Add(await Load.RunAsync(64, options.Round, _ => AppendAsync(store, 10)));
            }
            var (o, s) = (LoadResult.Median(one), LoadResult.Median(syncs));
            report.Show("SQLite: append, 1 caller, p50 (limit: a page synced)", o.P50Milliseconds, "ms", limit: s.P50Milliseconds);
            report.Show("SQLite: append, 64 callers", LoadResult.Median(many).PerSecond, "events/s");
            report.Show("SQLite: append of ten, 64 callers", LoadResult.Median(tens).PerSecond * 10, "events/s");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
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
