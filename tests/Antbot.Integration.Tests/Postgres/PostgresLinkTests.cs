using System.Diagnostics;
using Antbot.EventStore.Contract;
using Antbot.EventStore.Postgres;
using Antbot.Integration.Tests.Support;
using Antbot.LocalServers;
using Antbot.Runtime.Store;
using Npgsql;
using Xunit;

namespace Antbot.Integration.Tests.Postgres;

/// <summary>The line between the engine and the server fails at the worst moments, and every caller still learns what happened.</summary>
public sealed class PostgresLinkTests(PostgresFixture fixture) : IAsyncLifetime
{
    /// <summary>Of a store, in all.</summary>
    private const int Connections = 10;

    /// <summary>A caller without an answer would keep everything behind it waiting: it fails by its name.</summary>
    private const int StuckAfter = 300_000;

    private static readonly byte[] Sync = [(byte)'S', 0, 0, 0, 4];

    private PostgresDatabase _database = null!;
    private TcpProxy _proxy = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await fixture.Server.CreateDatabaseAsync(cancellationToken: Cancel);
        await PostgresSchema.EnsureAsync(_database.ConnectionString, Cancel);
        _proxy = new TcpProxy(new NpgsqlConnectionStringBuilder(_database.ConnectionString).Port);
    }

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await fixture.Server.DropDatabaseAsync(_database.Name, CancellationToken.None);
    }

    [Fact]
    public async Task An_answer_lost_after_the_commit_is_found_by_its_event_ids()
    {
        await using var store = Open(TimeSpan.FromSeconds(20));
        await store.AppendAsync(Some.Append(Some.Stream()), Cancel);
        var lost = 0;
        _proxy.FromServer = bytes =>
        {
            // The server has committed when it answers. A notification to the listener is not that answer.
            var isAnswer = bytes.Span[0] != (byte)'A';
            return isAnswer && Interlocked.CompareExchange(ref lost, 1, 0) == 0 ? -1 : bytes.Length;
        };
        var stream = Some.Stream();
        var request = Some.Append(stream, Some.Events(3)) with { Expected = ExpectedVersion.None };

        var appended = Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(request, Cancel));

        Assert.Equal(1, lost);
        Assert.Equal([1L, 2L, 3L], appended.Events.Select(e => e.Version));
        Assert.Equal(3, await store.ReadVersionAsync(stream, Cancel));
    }

    /// <summary>Else its caller would act on events that are nowhere: an order would leave of which no attempt is recorded.</summary>
    [Theory]
    [InlineData(20_000)]
    [InlineData(1)]
    public async Task What_was_decided_before_is_not_told_as_appended_because_an_answer_was_lost(int resolveMilliseconds)
    {
        await using var store = Open(TimeSpan.FromMilliseconds(resolveMilliseconds));
        var before = Some.Append(Some.Stream(), Some.Events(2));
        await store.AppendAsync(before, Cancel);
        var lost = 0;
        _proxy.FromServer = bytes => bytes.Span[0] != (byte)'A' && Interlocked.CompareExchange(ref lost, 1, 0) == 0 ? -1 : bytes.Length;

        var again = before with { At = before.At.AddSeconds(1), Events = Some.Events(2), Expected = ExpectedVersion.Exactly(2) };
        var there = Assert.IsType<AppendOutcome.AlreadyThere>(await store.AppendAsync(again, Cancel));

        Assert.Equal(1, lost);
        Assert.All(there.Events, e => Assert.Equal(before.At, e.Timestamp));
        Assert.Equal(2, await store.ReadVersionAsync(before.Stream, Cancel));
    }

    [Fact]
    public async Task An_append_whose_link_stays_down_is_unknown_until_it_is_asked_again()
    {
        await using var store = Open(TimeSpan.FromMilliseconds(300));
        await store.AppendAsync(Some.Append(Some.Stream()), Cancel);
        _proxy.FromServer = _ =>
        {
            _proxy.Down = true;
            return -1;
        };
        var request = Some.Append(Some.Stream(), Some.Events(2));

        var unknown = await Assert.ThrowsAsync<EventStoreException>(() => store.AppendAsync(request, Cancel));
        Assert.Equal(StoreFault.OutcomeUnknown, unknown.Fault);
        Assert.Contains("again", unknown.Message, StringComparison.Ordinal);

        _proxy.FromServer = bytes => bytes.Length;
        _proxy.Down = false;
        var there = Assert.IsType<AppendOutcome.AlreadyThere>(await store.AppendAsync(request, Cancel));
        Assert.Equal(2, there.Events.Count);
    }

    [Fact]
    public async Task A_database_out_of_reach_is_unavailable_at_once_and_nothing_was_done()
    {
        await using var store = Open(TimeSpan.FromSeconds(20));
        _proxy.Down = true;
        _proxy.BreakAll();
        var request = Some.Append(Some.Stream());

        var fault = await Assert.ThrowsAsync<EventStoreException>(() => store.AppendAsync(request, Cancel));
        Assert.Equal(StoreFault.Unavailable, fault.Fault);
        Assert.Equal(PoolHealth.Down, store.Pool.Health);
        Assert.Equal(StoreFault.Unavailable, (await Assert.ThrowsAsync<EventStoreException>(() => store.ReadVersionAsync(request.Stream, Cancel))).Fault);

        // An append alone, with no read beside it, shows that the pool works again.
        _proxy.Down = false;
        Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(request, Cancel));
        Assert.Equal(PoolHealth.Degraded, store.Pool.Health);
    }

    /// <summary>Prevents a redelivery that reads what came after its decision: up to a thousand events of its stream, whatever their size.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    public async Task An_old_decision_of_a_long_stream_is_looked_up_without_reading_what_came_after_it(int events)
    {
        await using var store = Open(TimeSpan.FromSeconds(20));
        var stream = Some.Stream();
        var old = Some.Append(stream, Some.Events(events));
        await store.AppendAsync(old, Cancel);
        var body = Some.Event($$"""{"x":"{{new string('a', 10_000)}}"}""");
        for (var i = 0; i < 4; i++)
            await store.AppendAsync(Some.Append(stream, [.. Enumerable.Repeat(body, 100)]), Cancel);
        var read = 0L;
        _proxy.FromServer = bytes =>
        {
            Interlocked.Add(ref read, bytes.Length);
            return bytes.Length;
        };

        Assert.Equal(events, (await store.FindDecisionAsync(old.Decision, Cancel)).Count);
        Assert.Equal(events, Assert.IsType<AppendOutcome.AlreadyThere>(await store.AppendAsync(old, Cancel)).Events.Count);
        Assert.InRange(Interlocked.Read(ref read), 1, 400_000);
    }

    /// <summary>The commit is in the server's own hands: a client that stops between its last two messages must not hold the lock.</summary>
    [Fact]
    public async Task A_client_that_never_sends_its_last_message_has_still_committed_and_holds_nobody_up()
    {
        await using var stalled = Open(TimeSpan.FromMilliseconds(300));
        await using var other = new PostgresEventStore(new PostgresStoreOptions { ConnectionString = _database.ConnectionString });
        await stalled.AppendAsync(Some.Append(Some.Stream()), Cancel);
        var held = new TaskCompletionSource();
        _proxy.ToServer = bytes =>
        {
            if (held.Task.IsCompleted)
                return 0;
            if (!bytes.Span.EndsWith(Sync) || bytes.Length < 200)
                return bytes.Length;
            held.TrySetResult();
            return bytes.Length - Sync.Length;
        };
        var request = Some.Append(Some.Stream("stalled"), Some.Events(2));
        var append = stalled.AppendAsync(request, Cancel);
        await held.Task.WaitAsync(Cancel);

        // It commits, whatever its client does, and the next one is not held up until a timeout.
        while ((await other.FindDecisionAsync(request.Decision, Cancel)).Count == 0)
            await Task.Delay(10, Cancel);
        Assert.IsType<AppendOutcome.Appended>(await other.AppendAsync(Some.Append(Some.Stream()), Cancel));
        Assert.False(append.IsCompleted);

        _proxy.ToServer = bytes => bytes.Length;
        _proxy.BreakAll();
        Assert.Equal(2, Assert.IsType<AppendOutcome.Appended>(await append).Events.Count);
    }

    /// <summary>Wherever the bytes of an import stop coming, the server has not begun with it, or has ended it by itself.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(100_000)]
    [InlineData(1_000_000)]
    [InlineData(-5)]
    public async Task An_import_whose_bytes_stop_coming_holds_nobody_up(int stopsAfter)
    {
        await using var memory = new InMemoryEventStore(Guid.NewGuid());
        await memory.AppendAsync(Some.Append(Some.Stream(), Some.LargeEvents(2)), Cancel);
        var (links, source) = (new List<LedgerLink>(), await memory.ReadHeadAsync(Cancel));
        await foreach (var link in memory.ReadLinksAsync(0, Cancel))
            links.Add(link);
        await using var importing = Open(TimeSpan.FromMilliseconds(300));
        await using var other = new PostgresEventStore(new PostgresStoreOptions { ConnectionString = _database.ConnectionString });
        await importing.Ledger.ReadHeadAsync(Cancel);
        var (begun, passed) = (false, 0L);
        var held = new TaskCompletionSource();
        _proxy.ToServer = bytes =>
        {
            // An import begins with the parse of its call.
            begun |= bytes.Span.IndexOf("call antbot.import"u8) >= 0;
            if (!begun)
                return bytes.Length;
            var pass = stopsAfter > 0
                ? (int)Math.Clamp(stopsAfter - passed, 0, bytes.Length)
                : held.Task.IsCompleted ? 0 : bytes.Span.EndsWith(Sync) ? bytes.Length + stopsAfter : bytes.Length;
            passed += pass;
            if (pass < bytes.Length)
                held.TrySetResult();
            return pass;
        };
        var import = importing.Ledger.ImportAsync(source.StoreId, links, Cancel);
        await held.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        // Without its last message it commits all the same.
        while (stopsAfter < 0 && (await other.Ledger.ReadHeadAsync(Cancel)).Position < 2)
            await Task.Delay(10, Cancel);

        var at = Stopwatch.GetTimestamp();
        Assert.IsType<AppendOutcome.Appended>(await other.AppendAsync(Some.Append(Some.Stream()), Cancel));
        Assert.True(Stopwatch.GetElapsedTime(at) < TimeSpan.FromSeconds(2), $"an append waited {Stopwatch.GetElapsedTime(at).TotalSeconds:0.00} s for an importer");
        Assert.Equal(stopsAfter < 0 ? 3 : 1, (await other.Ledger.ReadHeadAsync(Cancel)).Position);
        Assert.Equal(StoreFault.Unavailable, (await Assert.ThrowsAsync<EventStoreException>(() => import)).Fault);
    }

    [Fact]
    public async Task A_stranger_who_sits_on_the_lock_delays_an_append_but_cannot_double_or_lose_it()
    {
        await using var store = new PostgresEventStore(new PostgresStoreOptions { ConnectionString = _database.ConnectionString });
        await using var stranger = new NpgsqlConnection(_database.ConnectionString);
        await stranger.OpenAsync(Cancel);
        var transaction = await stranger.BeginTransactionAsync(Cancel);
        await using (var take = new NpgsqlCommand("select pg_advisory_xact_lock(antbot.append_lock())", stranger))
            await take.ExecuteNonQueryAsync(Cancel);
        var request = Some.Append(Some.Stream());
        var append = store.AppendAsync(request, Cancel);
        // Longer than the lock is waited for once: the append is tried again, not failed.
        await Task.Delay(TimeSpan.FromSeconds(2.5), Cancel);
        Assert.False(append.IsCompleted);
        await transaction.RollbackAsync(Cancel);

        Assert.IsType<AppendOutcome.Appended>(await append);
        Assert.Equal(1, await store.ReadVersionAsync(request.Stream, Cancel));
    }

    /// <summary>No reset, no end, no answer: what a firewall does that has forgotten a connection. Nobody waits without limit, and nobody is told a guess.</summary>
    [Theory(Timeout = StuckAfter)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task In_a_link_that_swallows_everything_every_caller_gets_an_honest_answer_within_its_bound(bool staysDumb)
    {
        // Its last try may begin at the end of the resolve limit: connect, write, cancel; then it lets the server finish, and asks once.
        var bound = TimeSpan.FromSeconds(4 + 2 + 5 + 2 + 3 + 9);
        await using var store = Open(TimeSpan.FromSeconds(4));
        await using var other = new PostgresEventStore(new PostgresStoreOptions { ConnectionString = _database.ConnectionString });
        var (hole, began, appended) = (false, 0L, 0);
        var callers = Enumerable.Range(0, 64).Select(_ => Task.Run(async () =>
        {
            while (true)
            {
                var request = Some.Append(Some.Stream(), Some.Events(2));
                var (outcome, fault) = await TryAsync(store, request);
                if (Volatile.Read(ref hole))
                    return (Request: request, Outcome: outcome, Fault: fault, Took: Stopwatch.GetElapsedTime(Volatile.Read(ref began)));
                Assert.IsType<AppendOutcome.Appended>(outcome);
                Interlocked.Increment(ref appended);
            }
        })).ToArray();
        // Everybody is at it, and batches follow one another: one is on its way whenever it happens.
        await Eventually.HoldsAsync(() => Volatile.Read(ref appended) > 500, "the callers append");
        Volatile.Write(ref began, Stopwatch.GetTimestamp());
        Volatile.Write(ref hole, true);
        Swallow(true, staysDumb);
        var answers = await Task.WhenAll(callers);

        Assert.All(answers, a => Assert.True(a.Took < bound, $"a caller waited {a.Took.TotalSeconds:0.0} s: {a.Fault?.Message}"));
        Assert.Contains(answers, a => a.Fault?.Fault == StoreFault.OutcomeUnknown);
        Assert.All(answers, a => Assert.True(a.Outcome is AppendOutcome.Appended || a.Fault?.Fault is StoreFault.OutcomeUnknown or StoreFault.Unavailable, $"{a.Outcome} {a.Fault?.Message}"));
        // Who comes while it is silent hears soon that nothing was done: as soon as no connection is left that nobody has tried since.
        AppendRequest late;
        long at;
        StoreFault? heard;
        var tries = 0;
        do
        {
            (late, at) = (Some.Append(Some.Stream()), Stopwatch.GetTimestamp());
            heard = (await TryAsync(store, late)).Fault?.Fault;
            Assert.True(heard is StoreFault.Unavailable or StoreFault.OutcomeUnknown, $"{heard}");
            Assert.True(Stopwatch.GetElapsedTime(at) < bound);
        }
        while (heard != StoreFault.Unavailable && ++tries < Connections);
        Assert.Equal(StoreFault.Unavailable, heard);
        Assert.InRange(Stopwatch.GetElapsedTime(at), TimeSpan.Zero, TimeSpan.FromSeconds(5));
        Assert.IsType<AppendOutcome.Appended>(await other.AppendAsync(Some.Append(Some.Stream()), Cancel));

        Swallow(false, staysDumb);
        Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(late, Cancel));
        foreach (var (request, outcome, fault, _) in answers)
        {
            var there = (await other.FindDecisionAsync(request.Decision, Cancel)).Count > 0;
            if (fault?.Fault != StoreFault.OutcomeUnknown)
                Assert.Equal(outcome is AppendOutcome.Appended, there);
            var again = await store.AppendAsync(request, Cancel);
            Assert.True(there ? again is AppendOutcome.AlreadyThere : again is AppendOutcome.Appended, $"it was {(there ? "" : "not ")}there and is now {again}");
            Assert.Equal(2, await store.ReadVersionAsync(request.Stream, Cancel));
        }
        // And it hears of what others append: not only by looking.
        for (var mark = store.AppendMark; store.AppendMark == mark;)
        {
            Assert.True(Stopwatch.GetElapsedTime(at) < TimeSpan.FromSeconds(90), "it stays deaf");
            await other.AppendAsync(Some.Append(Some.Stream()), Cancel);
            await store.WaitForAppendAsync(mark, TimeSpan.FromMilliseconds(500), Cancel);
        }
    }

    [Fact(Timeout = StuckAfter)]
    public async Task A_silence_that_ends_in_time_costs_callers_time_and_no_answer()
    {
        await using var store = Open(TimeSpan.FromSeconds(30));
        // With both of its connections: one that is only made in the silence never speaks, and what waits for it was not sent and is told so.
        var rounds = 0;
        do
        {
            Assert.True(++rounds < 200, "it never appends on two connections at once");
            await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => store.AppendAsync(Some.Append(Some.Stream()), Cancel)));
        }
        while (await CountWritersAsync() < 2);
        Swallow(true, staysDumb: true);
        var requests = Enumerable.Range(0, 64).Select(_ => Some.Append(Some.Stream(), Some.Events(2))).ToArray();
        var appends = requests.Select(r => store.AppendAsync(r, Cancel)).ToArray();
        await Task.Delay(TimeSpan.FromSeconds(2), Cancel);
        Swallow(false, staysDumb: true);

        Assert.All(await Task.WhenAll(appends), o => Assert.IsType<AppendOutcome.Appended>(o));
        foreach (var request in requests)
            Assert.Equal(2, await store.ReadVersionAsync(request.Stream, Cancel));
    }

    private async Task<long> CountWritersAsync()
    {
        await using var source = NpgsqlDataSource.Create(_database.ConnectionString);
        await using var command = source.CreateCommand("select count(*) from pg_stat_activity where datname = current_database() and application_name = 'antbot writer'");
        return (long)(await command.ExecuteScalarAsync(Cancel))!;
    }

    private void Swallow(bool everything, bool staysDumb)
    {
        if (staysDumb)
        {
            _proxy.BlackHole = everything;
            return;
        }
        _proxy.ToServer = _proxy.FromServer = bytes => everything ? 0 : bytes.Length;
    }

    private static async Task<(AppendOutcome? Outcome, EventStoreException? Fault)> TryAsync(PostgresEventStore store, AppendRequest request)
    {
        try
        {
            return (await store.AppendAsync(request, Cancel), null);
        }
        catch (EventStoreException e)
        {
            return (null, e);
        }
    }

    [Fact]
    public async Task Idle_connections_are_pinged_and_replaced_so_that_a_restart_costs_no_caller_an_error()
    {
        await using var store = Open(TimeSpan.FromSeconds(20), pingAfterIdle: TimeSpan.Zero);
        await store.AppendAsync(Some.Append(Some.Stream()), Cancel);
        Assert.Equal(0, await store.ReadVersionAsync(Some.Stream(), Cancel));
        Assert.Equal(PoolHealth.Healthy, store.Pool.Health);

        _proxy.BreakAll();
        Assert.Equal(0, await store.ReadVersionAsync(Some.Stream(), Cancel));

        var pool = store.Pool;
        Assert.True(pool.Pings > 0 && pool.Replaced > 0, pool.ToString());
        Assert.Equal(Connections, pool.Size);
        Assert.Equal(0, pool.InUse);
    }

    private PostgresEventStore Open(TimeSpan resolveLimit, TimeSpan? pingAfterIdle = null) => new(new PostgresStoreOptions
    {
        ConnectionString = new NpgsqlConnectionStringBuilder(_database.ConnectionString) { Host = "127.0.0.1", Port = _proxy.Port, SslMode = SslMode.Disable }.ConnectionString,
        ResolveLimit = resolveLimit,
        WriteLimit = TimeSpan.FromSeconds(2),
        ConnectTimeout = TimeSpan.FromSeconds(2),
        PingAfterIdle = pingAfterIdle ?? TimeSpan.FromSeconds(5),
    });
}
