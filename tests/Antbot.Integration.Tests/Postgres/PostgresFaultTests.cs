using Antbot.EventStore.Contract;
using Antbot.EventStore.Postgres;
using Antbot.LocalServers;
using Antbot.Runtime.Store;
using Npgsql;
using Xunit;

namespace Antbot.Integration.Tests.Postgres;

/// <summary>A database that is absent, read-only, full or speaks another alphabet: a clear fault, and on it goes by itself.</summary>
public sealed class PostgresFaultTests(PostgresFixture fixture)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_database_that_is_absent_at_start_is_used_as_soon_as_it_is_there()
    {
        await using var server = await PostgresServer.StartAsync(new PostgresServerOptions { MustBeOwned = true }, Cancel);
        var database = await server.CreateDatabaseAsync(cancellationToken: Cancel);
        await PostgresSchema.EnsureAsync(database.ConnectionString, Cancel);
        await server.StopAsync(Cancel);
        await using var store = Open(database.ConnectionString);
        var (seen, handled) = (0, new TaskCompletionSource());
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var subscription = new DurableSubscription(
            store,
            "waits",
            (page, _) =>
            {
                seen += page.Count;
                handled.TrySetResult();
                return Task.CompletedTask;
            },
            TimeProvider.System,
            new SubscriptionOptions { RetryMax = TimeSpan.FromMilliseconds(200) });
        var running = subscription.RunAsync(stop.Token);
        var request = Some.Append(Some.Stream());

        var fault = await Assert.ThrowsAsync<EventStoreException>(() => store.AppendAsync(request, Cancel));
        Assert.Equal(StoreFault.Unavailable, fault.Fault);
        Assert.DoesNotContain("assword", fault.ToString(), StringComparison.Ordinal);

        await server.StartAgainAsync(Cancel);
        Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(request, Cancel));
        await handled.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        Assert.Equal(1, seen);
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task A_read_only_database_says_so_and_takes_appends_again_when_it_may()
    {
        var database = await NewAsync();
        await ExecuteAsync(fixture.Server.AdminConnectionString, $"alter database {database.Name} set default_transaction_read_only = on");
        await using var store = Open(database.ConnectionString);
        var request = Some.Append(Some.Stream());
        Assert.Equal(StoreFault.ReadOnly, await FaultAsync(() => store.AppendAsync(request, Cancel)));
        Assert.Empty(await store.FindDecisionAsync(request.Decision, Cancel));
        Assert.Equal(StoreFault.ReadOnly, await FaultAsync(() => store.SaveCheckpointAsync("s", 1, Cancel)));

        await ExecuteAsync(fixture.Server.AdminConnectionString, $"alter database {database.Name} set default_transaction_read_only = off");
        // The failed connection was let go, so the next append meets the new setting.
        Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(request, Cancel));
    }

    [Fact]
    public async Task A_full_disk_says_so_loses_nothing_and_goes_on_when_there_is_room()
    {
        await using var server = await PostgresServer.StartAsync(new PostgresServerOptions { SmallDiskMegabytes = 32 }, Cancel);
        await ExecuteAsync(server.AdminConnectionString, $"create tablespace small location '{server.SmallDiskFolder}'");
        await ExecuteAsync(server.AdminConnectionString, "create database cramped tablespace small");
        var connectionString = new NpgsqlConnectionStringBuilder(server.AdminConnectionString) { Database = "cramped" }.ConnectionString;
        await PostgresSchema.EnsureAsync(connectionString, Cancel);
        // Eight megabytes that can be given back.
        await ExecuteAsync(connectionString, "create table ballast as select repeat('x', 1900) from generate_series(1, 4000)");
        await using var store = Open(connectionString);
        var acknowledged = new List<Guid>();
        var body = Some.Event($$"""{"x":"{{string.Concat(Enumerable.Range(0, 4_000).Select(_ => Guid.NewGuid().ToString("N")))}}"}""");

        var refused = new List<AppendRequest>();
        while (refused.Count < 3)
        {
            var request = Some.Append(Some.Stream(), body);
            try
            {
                acknowledged.AddRange(Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(request, Cancel)).Events.Select(e => e.EventId));
                Assert.True(acknowledged.Count < 1_000, "the disk does not fill up");
            }
            catch (EventStoreException e)
            {
                Assert.Equal(StoreFault.Full, e.Fault);
                refused.Add(request);
            }
        }
        Assert.NotEmpty(acknowledged);
        foreach (var request in refused)
            Assert.Empty(await store.FindDecisionAsync(request.Decision, Cancel));

        await ExecuteAsync(connectionString, "drop table ballast");
        foreach (var request in refused)
            acknowledged.AddRange(Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(request, Cancel)).Events.Select(e => e.EventId));
        var kept = new List<StoredEvent>();
        while (await store.ReadPageAsync(kept.Count == 0 ? 0 : kept[^1].Sequence, 10_000, Cancel) is { Count: > 0 } page)
            kept.AddRange(page);
        Assert.Equal(acknowledged, kept.Select(e => e.EventId));
    }

    [Fact]
    public async Task Content_that_the_server_does_not_take_fails_alone()
    {
        var name = $"latin_{Guid.NewGuid():N}";
        await ExecuteAsync(fixture.Server.AdminConnectionString, $"create database {name} encoding 'LATIN1' locale 'C' template template0");
        var connectionString = new NpgsqlConnectionStringBuilder(fixture.Server.AdminConnectionString) { Database = name }.ConnectionString;
        await PostgresSchema.EnsureAsync(connectionString, Cancel);
        await using (var store = Open(connectionString))
        {
            var appends = Enumerable.Range(0, 20).Select(i => Task.Run(() => store.AppendAsync(Some.Append(Some.Stream(), Some.Event(i % 4 == 0 ? """{"x":"🐜"}""" : """{"x":"ant"}""")), Cancel))).ToArray();
            await Task.WhenAll(appends.Select(a => a.ContinueWith(_ => { }, TaskScheduler.Default)));

            Assert.All(appends.Where((_, i) => i % 4 == 0), a => Assert.Equal(StoreFault.Invalid, Assert.IsType<EventStoreException>(a.Exception!.InnerException).Fault));
            Assert.All(appends.Where((_, i) => i % 4 != 0), a => Assert.IsType<AppendOutcome.Appended>(a.Result));
        }
        await fixture.Server.DropDatabaseAsync(name, Cancel);
    }

    [Fact]
    public async Task An_event_that_was_deleted_is_never_passed_over_in_silence()
    {
        var database = await NewAsync();
        await using var store = Open(database.ConnectionString);
        await store.AppendAsync(Some.Append(Some.Stream(), Some.Events(5)), Cancel);
        await ExecuteAsync(database.ConnectionString, "delete from public.mt_events where version = 3");

        var fault = await Assert.ThrowsAsync<EventStoreException>(() => store.ReadPageAsync(0, 100, Cancel));
        Assert.Equal(StoreFault.Corrupt, fault.Fault);
        Assert.Contains("position 3", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_decision_whose_events_are_gone_is_an_error_and_not_an_empty_success()
    {
        var database = await NewAsync();
        await using var store = Open(database.ConnectionString);
        var request = Some.Append(Some.Stream(), Some.Events(3));
        await store.AppendAsync(request, Cancel);
        await ExecuteAsync(database.ConnectionString, "delete from public.mt_events where version = 2");
        Assert.Equal(StoreFault.Corrupt, await FaultAsync(() => store.FindDecisionAsync(request.Decision, Cancel)));
        await ExecuteAsync(database.ConnectionString, "delete from public.mt_events");
        Assert.Equal(StoreFault.Corrupt, await FaultAsync(() => store.AppendAsync(request, Cancel)));
    }

    /// <summary>Prevents one damaged head from failing every append that shares a batch with it, a halt included.</summary>
    [Fact]
    public async Task A_stream_whose_head_is_behind_its_events_fails_alone()
    {
        var database = await NewAsync();
        await using var store = Open(database.ConnectionString);
        var damaged = Some.Stream();
        await store.AppendAsync(Some.Append(damaged, Some.Events(3)), Cancel);
        await ExecuteAsync(database.ConnectionString, "update public.mt_streams set version = 2");
        var appends = Enumerable.Range(0, 12).Select(i => Task.Run(() => store.AppendAsync(Some.Append(i % 4 == 0 ? damaged : Some.Stream()), Cancel))).ToArray();
        await Task.WhenAll(appends.Select(a => a.ContinueWith(_ => { }, TaskScheduler.Default)));

        Assert.All(appends.Where((_, i) => i % 4 == 0), a => Assert.Equal(StoreFault.Corrupt, Assert.IsType<EventStoreException>(a.Exception!.InnerException).Fault));
        Assert.All(appends.Where((_, i) => i % 4 != 0), a => Assert.IsType<AppendOutcome.Appended>(a.Result));
    }

    /// <summary>Prevents strangers' habits (their own times on heads) from crowding a real mismatch out of the report.</summary>
    [Fact]
    public async Task A_bad_head_is_found_among_many_streams_of_a_stranger()
    {
        var database = await NewAsync();
        await using var store = Open(database.ConnectionString);
        await store.AppendAsync(Some.Append(Some.Stream("zz"), Some.Events(2)), Cancel);
        await ExecuteAsync(database.ConnectionString, """
            insert into public.mt_streams (id, type, version, timestamp) select 'stranger-' || n, 'trade', 1, now() from generate_series(1, 150) n;
            insert into public.mt_events (seq_id, id, stream_id, version, data, type, timestamp)
              select nextval('public.mt_events_sequence'), gen_random_uuid(), 'stranger-' || n, 1, '{}', 'noted', '2020-01-01' from generate_series(1, 150) n
            """);
        await store.Ledger.SealAsync(1_000, cancellationToken: Cancel);
        Assert.Empty(await store.Ledger.FindHeadMismatchesAsync(100, Cancel));
        await ExecuteAsync(database.ConnectionString, "update public.mt_streams set version = 9 where id like 'zz-%'");
        Assert.StartsWith("zz-", Assert.Single(await store.Ledger.FindHeadMismatchesAsync(100, Cancel)).Stream, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_snapshot_that_was_changed_by_hand_is_passed_over()
    {
        var database = await NewAsync();
        await using var store = Open(database.ConnectionString);
        var stream = Some.Stream();
        await store.SaveSnapshotAsync(new Snapshot(stream, "s", 4, """{"Cash":100}"""u8.ToArray()), Cancel);
        Assert.NotNull(await store.LoadSnapshotAsync(stream, "s", Cancel));
        await ExecuteAsync(database.ConnectionString, """update antbot.snapshots set state = '{"Cash":1000000}'""");
        Assert.Null(await store.LoadSnapshotAsync(stream, "s", Cancel));
    }

    private async Task<PostgresDatabase> NewAsync()
    {
        var database = await fixture.Server.CreateDatabaseAsync(cancellationToken: Cancel);
        await PostgresSchema.EnsureAsync(database.ConnectionString, Cancel);
        return database;
    }

    private static PostgresEventStore Open(string connectionString) => new(new PostgresStoreOptions { ConnectionString = connectionString });

    private static async Task<StoreFault> FaultAsync(Func<Task> act) => (await Assert.ThrowsAsync<EventStoreException>(act)).Fault;

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(Cancel);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
