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
    private const string Columns = "seq_id, id, stream_id, version, data, type, timestamp, correlation_id, causation_id, headers, user_name";

    public static async Task RunAsync(BenchSection report, PostgresServer server, StoreBenchOptions options, CancellationToken cancellationToken)
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
        await CorrelationsAsync(report, source, store, options);
    }

    private static async Task ImportAsync(BenchSection report, PostgresServer server, PostgresEventStore store, StoreBenchOptions options, CancellationToken cancellationToken)
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
        for (var round = 0; round < StoreBench.Rounds; round++)
            copies.Add(await CopyLimit.RunAsync(copySource, 5_000, 20, 1 + round * 100_000L));
        var plainRate = (await Load.RunAsync(64, options.Round, _ => plain.AppendAsync(20))).PerSecond * 20;
        var rate = options.Events / working.TotalSeconds;
        var copy = LoadResult.Middle(copies);
        report.Show("bulk import", rate, "events/s", plainRate, copy);
        report.AtMost("memory over the import, last quarter", memory.LastMegabytes, "MB", 1.1, memory.SecondMegabytes);
    }

    private static async Task<double> ScanAsync(BenchSection report, NpgsqlDataSource source, PostgresEventStore store, StoreBenchOptions options, CancellationToken cancellationToken)
    {
        var (mine, plain, raw) = (new List<double>(), new List<double>(), new List<double>());
        var memory = new Memory(options.Events);
        for (var round = 0; round < StoreBench.Rounds; round++)
        {
            var at = Stopwatch.GetTimestamp();
            var (last, count) = (0L, 0L);
            while (await store.ReadPageAsync(last, ScanPage, cancellationToken) is { Count: > 0 } page)
            {
                (last, count) = (page[^1].Sequence, count + page.Count);
                // The first round warms up.
                if (round == 1)
                    memory.Sample(count);
            }
            mine.Add(count / Stopwatch.GetElapsedTime(at).TotalSeconds);
            plain.Add(options.Events / (await PlainScanAsync(source, cancellationToken)).TotalSeconds);
            raw.Add(options.Events / (await RawScanAsync(source, cancellationToken)).TotalSeconds);
        }
        var scan = LoadResult.Middle(mine);
        report.Show("full scan", scan, "events/s", LoadResult.Middle(plain), LoadResult.Middle(raw), target: 200_000);
        report.AtMost("memory over the scan, last quarter", memory.LastMegabytes, "MB", 1.1, memory.SecondMegabytes);
        return scan;
    }

    private static async Task VerifyAsync(BenchSection report, PostgresEventStore store, StoreBenchOptions options, double scan, CancellationToken cancellationToken)
    {
        var (mine, hashes) = (new List<double>(), new List<double>());
        for (var round = 0; round < StoreBench.Rounds; round++)
        {
            var at = Stopwatch.GetTimestamp();
            var result = await new LedgerVerifier(store.Ledger).VerifyAsync(new VerifyOptions(), cancellationToken);
            if (!result.IsIntact || result.EventsChecked != options.Events)
                throw new InvalidOperationException($"The history did not verify: {result.Findings.FirstOrDefault()}");
            mine.Add(options.Events / Stopwatch.GetElapsedTime(at).TotalSeconds);
            hashes.Add(History.HashesPerSecond());
        }
        report.AtLeast("verify", LoadResult.Middle(mine), "events/s", 0.5, scan, LoadResult.Middle(hashes), target: 120_000);
    }

    private static async Task StreamsAsync(BenchSection report, NpgsqlDataSource source, PostgresEventStore store, StoreBenchOptions options)
    {
        var streams = options.Events / History.EventsPerStream;
        var random = new Random(1);
        await CompareAsync(
            report,
            source,
            options,
            $"load of a stream of {History.EventsPerStream}",
            async () =>
            {
                var count = 0;
                await foreach (var stored in store.ReadStreamAsync(new StreamId(History.StreamOf(random.Next(streams)))))
                    count += stored.Data.Length > 0 ? 1 : 0;
                return count;
            },
            () => ReadAsync(source, $"select {Columns} from public.mt_events where stream_id = $1 order by version", History.StreamOf(random.Next(streams))));
    }

    private static async Task CorrelationsAsync(BenchSection report, NpgsqlDataSource source, PostgresEventStore store, StoreBenchOptions options)
    {
        var streams = options.Events / History.EventsPerStream;
        var random = new Random(2);
        await CompareAsync(
            report,
            source,
            options,
            $"look-up by correlation id at {options.Events:N0} events",
            async () => (await store.FindByCorrelationAsync(History.CorrelationOf(random.Next(streams)))).Count,
            () => ReadAsync(
                source,
                $"select {Columns} from public.mt_events where seq_id in (select seq_id from antbot.ledger where correlation_id = $1) order by seq_id",
                History.CorrelationOf(random.Next(streams))),
            p99Max: 10);
    }

    /// <summary>One caller's reads of twenty events, beside the plain select of the same and a bare round trip, in turns.</summary>
    private static async Task CompareAsync(
        BenchSection report, NpgsqlDataSource source, StoreBenchOptions options, string name, Func<Task<int>> read, Func<Task<int>> select, double? p99Max = null)
    {
        var (mine, plain, bare) = (new List<LoadResult>(), new List<LoadResult>(), new List<LoadResult>());
        for (var round = 0; round < StoreBench.Rounds; round++)
        {
            mine.Add(await Load.RunAsync(1, options.Round / 2, _ => CheckAsync(read)));
            plain.Add(await Load.RunAsync(1, options.Round / 2, _ => CheckAsync(select)));
            bare.Add(await Load.RunAsync(1, options.Round / 2, _ => PingAsync(source)));
        }
        var (m, p, b) = (LoadResult.Median(mine), LoadResult.Median(plain), LoadResult.Median(bare));
        report.Show($"{name}, p50", m.P50Milliseconds, "ms", p.P50Milliseconds, b.P50Milliseconds);
        if (p99Max is { } ceiling)
            report.Within($"{name}, p99", m.P99Milliseconds, "ms", ceiling, p.P99Milliseconds, b.P99Milliseconds);
        else
            report.Show($"{name}, p99", m.P99Milliseconds, "ms", p.P99Milliseconds, b.P99Milliseconds);
    }

    private static async Task CheckAsync(Func<Task<int>> read)
    {
        if (await read() is var count && count != History.EventsPerStream)
            throw new InvalidOperationException($"{count} events were read instead of {History.EventsPerStream}.");
    }

    private static async Task<int> ReadAsync(NpgsqlDataSource source, string sql, string key)
    {
        await using var command = source.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter { Value = key });
        await using var row = await command.ExecuteReaderAsync();
        var count = 0;
        while (await row.ReadAsync())
            count += row.GetFieldValue<byte[]>(4).Length > 0 ? 1 : 0;
        return count;
    }

    private static async Task PingAsync(NpgsqlDataSource source)
    {
        await using var command = source.CreateCommand("select 1");
        await command.ExecuteScalarAsync();
    }

    private static async Task<TimeSpan> PlainScanAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        var at = Stopwatch.GetTimestamp();
        await using var command = source.CreateCommand($"select {Columns} from public.mt_events order by seq_id");
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
