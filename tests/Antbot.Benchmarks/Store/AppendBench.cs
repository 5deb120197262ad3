using Antbot.EventStore.Postgres;
using Antbot.LocalServers;
using Antbot.Runtime.Store;
using Npgsql;

namespace Antbot.Benchmarks.Store;

/// <summary>Appending: the engine, the plain way and COPY take turns, so that a noisy minute disturbs all of them.</summary>
internal static class AppendBench
{
    private const int Callers = 64;
    private const int CopiedEvents = 20_000;

    public static async Task RunAsync(BenchSection report, PostgresServer server, StoreBenchOptions options, CancellationToken cancellationToken)
    {
        var engineDatabase = await StoreBench.NewDatabaseAsync(server, cancellationToken);
        var bareDatabase = await StoreBench.NewDatabaseAsync(server, cancellationToken);
        var plainDatabase = await StoreBench.NewDatabaseAsync(server, cancellationToken);
        var copyDatabase = await StoreBench.NewDatabaseAsync(server, cancellationToken);
        await LedgerFree.InstallAsync(bareDatabase, cancellationToken);
        await using var store = new PostgresEventStore(new PostgresStoreOptions { ConnectionString = engineDatabase });
        await using var ledgerless = new PostgresEventStore(new PostgresStoreOptions { ConnectionString = bareDatabase });
        await using var plainSource = StoreBench.Source(plainDatabase, Callers);
        await using var preparedSource = StoreBench.Source(plainDatabase, Callers, prepared: true);
        await using var copySource = StoreBench.Source(copyDatabase, Callers);
        var (plain, prepared) = (new PlainWay(plainSource), new PlainWay(preparedSource));

        // Everyone warms up alike: plans, caches, and enough rows that trees are trees.
        await Load.RunAsync(Callers, options.Round, _ => AppendAsync(store, 1));
        await Load.RunAsync(Callers, options.Round, _ => AppendAsync(ledgerless, 1));
        await Load.RunAsync(Callers, options.Round, _ => plain.AppendAsync(1));
        var copied = 1L;
        async Task<double> CopyAsync(int each)
        {
            var rate = await CopyLimit.RunAsync(copySource, CopiedEvents / each, each, copied);
            copied += CopiedEvents;
            return rate;
        }

        await CopyAsync(1);
        await CreateBareAsync(copySource, cancellationToken);
        foreach (var callers in new[] { 1, 16, Callers })
        {
            var (mine, peers, better, commits, without, copies) = (new List<LoadResult>(), new List<LoadResult>(), new List<LoadResult>(), new List<LoadResult>(), new List<LoadResult>(), new List<double>());
            for (var round = 0; round < StoreBench.Rounds; round++)
            {
                mine.Add(await Load.RunAsync(callers, options.Round, _ => AppendAsync(store, 1)));
                peers.Add(await Load.RunAsync(callers, options.Round, _ => plain.AppendAsync(1)));
                better.Add(await Load.RunAsync(callers, options.Round, _ => prepared.AppendInOneBatchAsync(1)));
                commits.Add(await CommitBareAsync(copySource, callers, options.Round / 3));
                copies.Add(await CopyAsync(1));
                if (callers == Callers)
                    without.Add(await Load.RunAsync(callers, options.Round, _ => AppendAsync(ledgerless, 1)));
            }
            var (m, p, b, commit, copy) = (LoadResult.Median(mine), LoadResult.Median(peers), LoadResult.Median(better), LoadResult.Median(commits), LoadResult.Middle(copies));
            var name = callers == 1 ? "append, 1 caller" : $"append, {callers} callers";
            if (callers == 1)
            {
                report.AtMost($"{name}, p50", m.P50Milliseconds, "ms", 1.3, p.P50Milliseconds, commit.P50Milliseconds);
                report.Show($"{name}, p50, beside the plain way prepared and in one batch", m.P50Milliseconds, "ms", b.P50Milliseconds, commit.P50Milliseconds);
            }
            else
            {
                if (callers == Callers)
                    report.AtLeast(name, m.PerSecond, "events/s", 3, p.PerSecond, copy, target: 12_000);
                else
                    report.Show(name, m.PerSecond, "events/s", p.PerSecond, copy);
                report.Show($"{name}, beside the plain way prepared and in one batch", m.PerSecond, "events/s", b.PerSecond, copy);
            }
            report.Show($"{name}, p99", m.P99Milliseconds, "ms", p.P99Milliseconds, commit.P99Milliseconds);
            if (callers == Callers)
                report.AtLeast($"{name}, beside the same without a ledger", m.PerSecond, "events/s", 0.65, LoadResult.Median(without).PerSecond, copy);
        }
        await TensAsync(report, options, store, ledgerless, plain, CopyAsync);
    }

    private static async Task TensAsync(
        BenchSection report, StoreBenchOptions options, PostgresEventStore store, PostgresEventStore ledgerless, PlainWay plain, Func<int, Task<double>> copyAsync)
    {
        const int each = 10;
        var (mine, without, peers, copies) = (new List<LoadResult>(), new List<LoadResult>(), new List<LoadResult>(), new List<double>());
        for (var round = 0; round < StoreBench.Rounds; round++)
        {
            mine.Add(await Load.RunAsync(Callers, options.Round, _ => AppendAsync(store, each)));
            peers.Add(await Load.RunAsync(Callers, options.Round, _ => plain.AppendAsync(each)));
            without.Add(await Load.RunAsync(Callers, options.Round, _ => AppendAsync(ledgerless, each)));
            copies.Add(await copyAsync(each));
        }
        var (m, p, w, copy) = (LoadResult.Median(mine), LoadResult.Median(peers), LoadResult.Median(without), LoadResult.Middle(copies));
        report.AtLeast("append of ten, 64 callers", m.PerSecond * each, "events/s", 0.45, p.PerSecond * each, copy, ratio: m.PerSecond * each / copy, target: 25_000);
        report.Show("append of ten, 64 callers, p99", m.P99Milliseconds, "ms", p.P99Milliseconds);
        report.AtLeast("append of ten, 64 callers, beside the same without a ledger", m.PerSecond * each, "events/s", 0.65, w.PerSecond * each, copy);
    }

    private static async Task AppendAsync(PostgresEventStore store, int events)
    {
        var outcome = await store.AppendAsync(Sample.Append(events));
        if (outcome is not AppendOutcome.Appended)
            throw new InvalidOperationException($"The append ended as {outcome}.");
    }

    private static async Task CreateBareAsync(NpgsqlDataSource source, CancellationToken cancellationToken)
    {
        await using var create = source.CreateCommand("create table bare (n int)");
        await create.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The least that can be durable: one row of one column a commit, each caller on a connection of its own.</summary>
    private static async Task<LoadResult> CommitBareAsync(NpgsqlDataSource source, int callers, TimeSpan time)
    {
        var commands = new List<NpgsqlCommand>();
        try
        {
            for (var caller = 0; caller < callers; caller++)
            {
                commands.Add(new NpgsqlCommand("insert into bare values (1)", await source.OpenConnectionAsync()));
                await commands[^1].PrepareAsync();
            }
            return await Load.RunAsync(callers, time, async caller => await commands[caller].ExecuteNonQueryAsync());
        }
        finally
        {
            foreach (var command in commands)
            {
                await command.Connection!.DisposeAsync();
                await command.DisposeAsync();
            }
        }
    }
}
