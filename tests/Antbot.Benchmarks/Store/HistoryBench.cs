using System.Diagnostics;
using Antbot.Contracts;
using Antbot.EventStore.Postgres;
using Antbot.EventStore.Proof;
using Antbot.LocalServers;
using Npgsql;

namespace Antbot.Benchmarks.Store;

/// <summary>A long history on PostgreSQL: brought in, read, followed by id, verified; and what memory does meanwhile.</summary>
internal static class HistoryBench
{
    private const int ImportPage = 2_000;
    private const int ScanPage = 2_000;

    public static async Task RunAsync(BenchReport report, PostgresServer server, StoreBenchOptions options, CancellationToken cancellationToken)
    {
        var database = await StoreBench.NewDatabaseAsync(server, cancellationToken);
        await using var source = StoreBench.Source(database, 4);
        await using var store = new PostgresEventStore(new PostgresStoreOptions { ConnectionString = database });
        await ImportAsync(report, server, store, options, cancellationToken);
        await using (var analyse = source.CreateCommand("vacuum analyze"))
        {
            analyse.CommandTimeout = 0;
            await analyse.ExecuteNonQueryAsync(cancellationToken);
        }
        var scan = await ScanAsync(report, source, store, options, cancellationToken);
        await VerifyAsync(report, store, options, scan, cancellationToken);
        await StreamsAsync(report, source, store, options);
        await CorrelationsAsync(report, store, options);
    }

    private static async Task ImportAsync(BenchReport report, PostgresServer server, PostgresEventStore store, StoreBenchOptions options, CancellationToken cancellationToken)
    {
        var copyDatabase = await StoreBench.NewDatabaseAsync(server, cancellationToken);
        await using var copySource = StoreBench.Source(copyDatabase, 2);
        var plainDatabase = await StoreBench.NewDatabaseAsync(server, cancellationToken);
        await using var plainSource = StoreBench.Source(plainDatabase, 64);
        var plain = new PlainWay(plainSource);

        var storeId = Guid.NewGuid();
        var memory = new Memory(options.Events);
        var done = 0L;
        var working = TimeSpan.Zero;
        foreach (var page in History.Pages(storeId, options.Events, ImportPage))
        {
            var at = Stopwatch.GetTimestamp();
            await store.Ledger.ImportAsync(storeId, page, cancellationToken);
            working += Stopwatch.GetElapsedTime(at);
            done += page.Count;
            memory.Sample(done);
        }
        var copies = new List<double>();
        for (var round = 0; round < 3; round++)
            copies.Add(await CopyLimit.RunAsync(copySource, 5_000, 20, 1 + round * 100_000L));
        var plainRate = (await Load.RunAsync(64, options.Round, _ => plain.AppendAsync(20))).PerSecond * 20;
        var rate = options.Events / working.TotalSeconds;
        var copy = LoadResult.Middle(copies);
        report.Show("bulk import", rate, "events/s", plainRate, copy);
        report.AtMost("memory over the import, last quarter", memory.LastMegabytes, "MB", memory.Growth, 1.1, memory.SecondMegabytes);
    }

    private static async Task<double> ScanAsync(BenchReport report, NpgsqlDataSource source, PostgresEventStore store, StoreBenchOptions options, CancellationToken cancellationToken)
    {
        var (mine, plain, raw) = (new List<double>(), new List<double>(), new List<double>());
        var memory = new Memory(options.Events);
        for (var round = 0; round < 2; round++)
        {
            var at = Stopwatch.GetTimestamp();
            var (last, count) = (0L, 0L);
            while (await store.ReadPageAsync(last, ScanPage, cancellationToken) is { Count: > 0 } page)
            {
                (last, count) = (page[^1].Sequence, count + page.Count);
                if (round == 1)
                    memory.Sample(count);
            }
            mine.Add(count / Stopwatch.GetElapsedTime(at).TotalSeconds);
            plain.Add(options.Events / (await PlainScanAsync(source, cancellationToken)).TotalSeconds);
            raw.Add(options.Events / (await RawScanAsync(source, cancellationToken)).TotalSeconds);
        }
        report.Show("full scan", mine.Max(), "events/s", plain.Max(), raw.Max(), target: 200_000);
        report.AtMost("memory over the scan, last quarter", memory.LastMegabytes, "MB", memory.Growth, 1.1, memory.SecondMegabytes);
        return mine.Max();
    }

    private static async Task VerifyAsync(BenchReport report, PostgresEventStore store, StoreBenchOptions options, double scan, CancellationToken cancellationToken)
    {
        var rates = new List<double>();
        for (var round = 0; round < 2; round++)
        {
            var at = Stopwatch.GetTimestamp();
            var result = await new LedgerVerifier(store.Ledger).VerifyAsync(new VerifyOptions(), cancellationToken);
            if (!result.IsIntact || result.EventsChecked != options.Events)
                throw new InvalidOperationException($"The history did not verify: {result.Findings.FirstOrDefault()}");
            rates.Add(options.Events / Stopwatch.GetElapsedTime(at).TotalSeconds);
        }
        report.AtLeast("verify", rates.Max(), "events/s", rates.Max() / scan, 0.5, scan, target: 120_000);
    }

    private static async Task StreamsAsync(BenchReport report, NpgsqlDataSource source, PostgresEventStore store, StoreBenchOptions options)
    {
        var streams = options.Events / History.EventsPerStream;
        var random = new Random(1);
        var mine = await Load.RunAsync(1, options.Round, async caller =>
        {
            var count = 0;
            await foreach (var stored in store.ReadStreamAsync(new StreamId(History.StreamOf(random.Next(streams)))))
                count += stored.Version > caller ? 1 : 0;
            if (count != History.EventsPerStream)
                throw new InvalidOperationException($"The stream has {count} events.");
        });
        var plain = await Load.RunAsync(1, options.Round, async caller =>
        {
            await using var command = source.CreateCommand("select seq_id, id, stream_id, version, data, type, timestamp, correlation_id, causation_id, headers, user_name from public.mt_events where stream_id = $1 order by version");
            command.Parameters.Add(new NpgsqlParameter { Value = History.StreamOf(random.Next(streams)) });
            await using var row = await command.ExecuteReaderAsync();
            while (await row.ReadAsync())
                _ = row.GetFieldValue<byte[]>(4);
        });
        report.Show("load of a stream of 20, p50", mine.P50Milliseconds, "ms", plain.P50Milliseconds);
    }

    private static async Task CorrelationsAsync(BenchReport report, PostgresEventStore store, StoreBenchOptions options)
    {
        var streams = options.Events / History.EventsPerStream;
        var random = new Random(2);
        var found = await Load.RunAsync(1, options.Round, async _ =>
        {
            var events = await store.FindByCorrelationAsync(History.CorrelationOf(random.Next(streams)));
            if (events.Count != History.EventsPerStream)
                throw new InvalidOperationException($"The chain has {events.Count} events.");
        });
        report.AtMost($"look-up by correlation id at {options.Events:N0} events, p99", found.P99Milliseconds, "ms", found.P99Milliseconds, 10);
    }

    private static async Task<TimeSpan> PlainScanAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        var at = Stopwatch.GetTimestamp();
        await using var command = source.CreateCommand("select seq_id, id, stream_id, version, data, type, timestamp, correlation_id, causation_id, headers, user_name from public.mt_events order by seq_id");
        command.CommandTimeout = 0;
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
        {
            _ = row.GetGuid(1);
            _ = row.GetString(2);
            _ = row.GetFieldValue<byte[]>(4);
            _ = row.GetString(7);
        }
        return Stopwatch.GetElapsedTime(at);
    }

    /// <summary>The server's rows as bytes, unread.</summary>
    private static async Task<TimeSpan> RawScanAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        var at = Stopwatch.GetTimestamp();
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        await using var raw = await connection.BeginRawBinaryCopyAsync("copy (select * from public.mt_events order by seq_id) to stdout (format binary)", cancellationToken);
        var buffer = new byte[128 * 1024];
        while (await raw.ReadAsync(buffer, cancellationToken) > 0)
        {
        }
        return Stopwatch.GetElapsedTime(at);
    }
}
