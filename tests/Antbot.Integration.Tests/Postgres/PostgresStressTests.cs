using System.Collections.Concurrent;
using Antbot.Contracts;
using Antbot.EventStore.Contract;
using Antbot.EventStore.Postgres;
using Antbot.EventStore.Proof;
using Antbot.LocalServers;
using Antbot.Runtime.Store;
using Npgsql;
using Xunit;

namespace Antbot.Integration.Tests.Postgres;

/// <summary>32 writers, their connections cut at random and the server killed among them, while readers watch: nothing lost, nothing twice, nothing out of order.</summary>
public sealed class PostgresStressTests
{
    private const int Writers = 32;
    private const int AppendsEach = 1_000;
    private const int SharedStreams = 4;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Writers_survive_terminated_backends_and_a_killed_postmaster_while_readers_see_every_commit_in_order()
    {
        await using var server = await PostgresServer.StartAsync(new PostgresServerOptions { MustBeOwned = true }, Cancel);
        var database = await server.CreateDatabaseAsync(cancellationToken: Cancel);
        await PostgresSchema.EnsureAsync(database.ConnectionString, Cancel);
        await using var one = Open(database);
        await using var two = Open(database);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var readers = Enumerable.Range(0, 3).Select(i => new Tail(i == 0 ? one : two)).ToArray();
        var watching = readers.Select(r => r.RunAsync(done.Token)).ToArray();
        var acknowledged = new ConcurrentBag<StoredEvent>();
        var written = 0;
        var trouble = MakeTroubleAsync(server, database, () => Volatile.Read(ref written));

        await Task.WhenAll(Enumerable.Range(0, Writers).Select(w => Task.Run(async () =>
        {
            for (var n = 0; n < AppendsEach; n++)
            {
                var stream = n % 2 == 0 ? new StreamId($"own-{w}") : new StreamId($"shared-{n % SharedStreams}");
                foreach (var e in await AppendUntilAnsweredAsync(w % 2 == 0 ? one : two, Some.Append(stream)))
                    acknowledged.Add(e);
                Interlocked.Increment(ref written);
            }
        })));
        var terminated = await trouble;
        var all = await ReadAllAsync(one);
        await Tail.UntilAsync(readers, all.Count, Cancel);
        await done.CancelAsync();
        await Task.WhenAll(watching);

        Assert.True(terminated > 0, "no backend was terminated while writers wrote");
        Assert.Equal(Writers * AppendsEach, acknowledged.Count);
        Assert.Equal(acknowledged.Select(e => e.EventId).Order(), all.Select(e => e.EventId).Order());
        Assert.Equal(Enumerable.Range(1, all.Count).Select(i => (long)i), all.Select(e => e.Position));
        Assert.Equal(all.Select(e => e.Sequence).Order(), all.Select(e => e.Sequence));
        foreach (var stream in all.GroupBy(e => e.Stream, StringComparer.Ordinal))
            Assert.Equal(Enumerable.Range(1, stream.Count()).Select(i => (long)i), stream.Select(e => e.Version));
        Assert.All(readers, r => Assert.Equal(all.Select(e => e.EventId), r.Seen));
        var report = await new LedgerVerifier(one.Ledger).VerifyAsync(new VerifyOptions(), Cancel);
        Assert.Empty(report.Findings);
        Assert.Empty(report.Unsealed);
        Assert.Equal(all.Count, report.EventsChecked);
    }

    private static PostgresEventStore Open(PostgresDatabase database) => new(new PostgresStoreOptions { ConnectionString = database.ConnectionString });

    /// <summary>As the pipeline does: the same decision again until there is an answer.</summary>
    private static async Task<IReadOnlyList<StoredEvent>> AppendUntilAnsweredAsync(PostgresEventStore store, AppendRequest request)
    {
        while (true)
        {
            try
            {
                return await store.AppendAsync(request, Cancel) switch
                {
                    AppendOutcome.Appended appended => appended.Events,
                    AppendOutcome.AlreadyThere there => there.Events,
                    var other => throw new InvalidOperationException($"Nothing was expected of the stream, and yet: {other}"),
                };
            }
            catch (EventStoreException e) when (e.Fault is StoreFault.Unavailable or StoreFault.OutcomeUnknown)
            {
                await Task.Delay(50, Cancel);
            }
        }
    }

    /// <summary>Cuts writing connections at random, and kills the server once when about half is written.</summary>
    private static async Task<int> MakeTroubleAsync(PostgresServer server, PostgresDatabase database, Func<int> written)
    {
        var terminated = 0;
        var killed = false;
        while (written() < Writers * AppendsEach * 9 / 10)
        {
            await Task.Delay(Random.Shared.Next(20, 120), Cancel);
            if (!killed && written() > Writers * AppendsEach / 2)
            {
                await server.KillAsync(Cancel);
                await server.StartAgainAsync(Cancel);
                killed = true;
                continue;
            }
            await using var admin = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(server.AdminConnectionString) { Pooling = false }.ConnectionString);
            await admin.OpenAsync(Cancel);
            await using var terminate = new NpgsqlCommand("""
                select count(pg_terminate_backend(pid)) from (
                  select pid from pg_stat_activity where datname = $1 and application_name like 'antbot%' order by random() limit 1) one
                """, admin)
            { Parameters = { new() { Value = database.Name } } };
            terminated += (int)(long)(await terminate.ExecuteScalarAsync(Cancel))!;
        }
        Assert.True(killed, "the server was not killed");
        return terminated;
    }

    private static async Task<List<StoredEvent>> ReadAllAsync(PostgresEventStore store)
    {
        var all = new List<StoredEvent>();
        while (await store.ReadPageAsync(all.Count == 0 ? 0 : all[^1].Sequence, 5_000, Cancel) is { Count: > 0 } page)
            all.AddRange(page);
        return all;
    }

    /// <summary>A reader that follows live and keeps what it saw, in the order it saw it.</summary>
    private sealed class Tail(PostgresEventStore store)
    {
        private readonly List<Guid> _seen = [];
        private long _last;

        public IReadOnlyList<Guid> Seen => _seen;

        public async Task RunAsync(CancellationToken cancellationToken)
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                try
                {
                    var mark = store.AppendMark;
                    var page = await store.ReadPageAsync(_last, 100, cancellationToken);
                    lock (_seen)
                        _seen.AddRange(page.Select(e => e.EventId));
                    if (page.Count > 0)
                        _last = page[^1].Sequence;
                    else
                        await store.WaitForAppendAsync(mark, TimeSpan.FromSeconds(1), cancellationToken);
                }
                catch (EventStoreException e) when (e.Fault == StoreFault.Unavailable)
                {
                    await Task.Delay(20, CancellationToken.None);
                }
                catch (OperationCanceledException)
                {
                    return;
                }
            }
        }

        public static async Task UntilAsync(IReadOnlyList<Tail> tails, int count, CancellationToken cancellationToken)
        {
            for (var i = 0; i < 600; i++)
            {
                if (tails.All(t => t.Count >= count))
                    return;
                await Task.Delay(50, cancellationToken);
            }
            Assert.Fail($"after 30 s the readers have seen {string.Join(", ", tails.Select(t => t.Count))} of {count}");
        }

        private int Count
        {
            get
            {
                lock (_seen)
                    return _seen.Count;
            }
        }
    }
}
