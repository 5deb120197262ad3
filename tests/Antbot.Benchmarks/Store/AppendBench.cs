using Antbot.EventStore.Postgres;
using Antbot.LocalServers;
using Antbot.Runtime.Store;
using Npgsql;

namespace Antbot.Benchmarks.Store;

/// <summary>Appending: the engine, the plain way and COPY take turns, so that a noisy minute disturbs all of them.</summary>
internal static class AppendBench
{
    public static async Task RunAsync(BenchReport report, PostgresServer server, StoreBenchOptions options, int rounds, CancellationToken cancellationToken)
    {
        var engineDatabase = await StoreBench.NewDatabaseAsync(server, cancellationToken);
        var bareDatabase = await StoreBench.NewDatabaseAsync(server, cancellationToken);
        var plainDatabase = await StoreBench.NewDatabaseAsync(server, cancellationToken);
        var copyDatabase = await StoreBench.NewDatabaseAsync(server, cancellationToken);
        await LedgerFree.InstallAsync(bareDatabase, cancellationToken);
        await using var store = new PostgresEventStore(new PostgresStoreOptions { ConnectionString = engineDatabase });
        await using var ledgerless = new PostgresEventStore(new PostgresStoreOptions { ConnectionString = bareDatabase });
        await using var plainSource = StoreBench.Source(plainDatabase, 64);
        await using var preparedSource = StoreBench.Source(plainDatabase, 64, prepared: true);
        await using var copySource = StoreBench.Source(copyDatabase, 2);
        var (plain, prepared) = (new PlainWay(plainSource), new PlainWay(preparedSource));

        // Everyone warms up alike: plans, caches, and enough rows that trees are trees.
        await Load.RunAsync(64, options.Round, _ => AppendAsync(store, 1));
        await Load.RunAsync(64, options.Round, _ => AppendAsync(ledgerless, 1));
        await Load.RunAsync(64, options.Round, _ => plain.AppendAsync(1));
        var copied = 1L;
        async Task<double> CopyAsync(int streams, int each)
        {
            var rate = await CopyLimit.RunAsync(copySource, streams, each, copied);
            copied += streams * each;
            return rate;
        }

        await CopyAsync(5_000, 1);
        var bareCommit = await BareCommitAsync(copySource, options.Round);

        foreach (var callers in new[] { 1, 16, 64 })
        {
            var (mine, bare, peers, better, limits) = (new List<LoadResult>(), new List<LoadResult>(), new List<LoadResult>(), new List<LoadResult>(), new List<double>());
            for (var round = 0; round < rounds; round++)
            {
                mine.Add(await Load.RunAsync(callers, options.Round, _ => AppendAsync(store, 1)));
                peers.Add(await Load.RunAsync(callers, options.Round, _ => plain.AppendAsync(1)));
                better.Add(await Load.RunAsync(callers, options.Round, _ => prepared.AppendInOneBatchAsync(1)));
                if (callers == 64)
                {
                    bare.Add(await Load.RunAsync(callers, options.Round, _ => AppendAsync(ledgerless, 1)));
                    limits.Add(await CopyAsync(20_000, 1));
                }
            }
            var (m, p, b) = (LoadResult.Median(mine), LoadResult.Median(peers), LoadResult.Median(better));
            if (callers == 1)
            {
                report.AtMost("append, 1 caller, p50", m.P50Milliseconds, "ms", m.P50Milliseconds / p.P50Milliseconds, 1.3, p.P50Milliseconds, bareCommit.P50Milliseconds);
                report.Show("  beside the plain way, prepared and in one batch", m.P50Milliseconds, "ms", b.P50Milliseconds);
                report.Show("append, 1 caller, p99", m.P99Milliseconds, "ms", p.P99Milliseconds, bareCommit.P99Milliseconds);
            }
            else if (callers == 16)
            {
                report.Show("append, 16 callers", m.PerSecond, "events/s", p.PerSecond);
                report.Show("  beside the plain way, prepared and in one batch", m.PerSecond, "events/s", b.PerSecond);
            }
            else
            {
                var limit = LoadResult.Middle(limits);
                report.AtLeast("append, 64 callers", m.PerSecond, "events/s", m.PerSecond / p.PerSecond, 3, p.PerSecond, limit, target: 12_000);
                report.Show("  beside the plain way, prepared and in one batch", m.PerSecond, "events/s", b.PerSecond);
                report.Show("append, 64 callers, p99", m.P99Milliseconds, "ms", p.P99Milliseconds);
                var without = LoadResult.Median(bare).PerSecond;
                report.AtMost("ledger's share of an append, 64 callers", (1 - m.PerSecond / without) * 100, "%", 1 - m.PerSecond / without, 0.35, without);
            }
        }

        var (tens, bareTens, peerTens, copies) = (new List<LoadResult>(), new List<LoadResult>(), new List<LoadResult>(), new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            tens.Add(await Load.RunAsync(64, options.Round, _ => AppendAsync(store, 10)));
            peerTens.Add(await Load.RunAsync(64, options.Round, _ => plain.AppendAsync(10)));
            bareTens.Add(await Load.RunAsync(64, options.Round, _ => AppendAsync(ledgerless, 10)));
            copies.Add(await CopyAsync(5_000, 10));
        }
        var (ten, bareTen, copy) = (LoadResult.Median(tens).PerSecond * 10, LoadResult.Median(bareTens).PerSecond * 10, LoadResult.Middle(copies));
        report.AtLeast("append of ten, 64 callers", ten, "events/s", ten / copy, 0.45, LoadResult.Median(peerTens).PerSecond * 10, copy, target: 25_000);
        report.AtMost("ledger's share of an append of ten, 64 callers", (1 - ten / bareTen) * 100, "%", 1 - ten / bareTen, 0.35, bareTen);
    }

    private static async Task AppendAsync(PostgresEventStore store, int events)
    {
        var outcome = await store.AppendAsync(Sample.Append(events));
        if (outcome is not AppendOutcome.Appended)
            throw new InvalidOperationException($"The append ended as {outcome}.");
    }

    /// <summary>The least that can be durable: one row of one column a commit.</summary>
    private static async Task<LoadResult> BareCommitAsync(NpgsqlDataSource source, TimeSpan time)
    {
        await using var connection = await source.OpenConnectionAsync();
        await using (var create = new NpgsqlCommand("create table if not exists bare (n int)", connection))
            await create.ExecuteNonQueryAsync();
        await using var insert = new NpgsqlCommand("insert into bare values (1)", connection);
        await insert.PrepareAsync();
        return await Load.RunAsync(1, time, async _ => await insert.ExecuteNonQueryAsync());
    }
}
