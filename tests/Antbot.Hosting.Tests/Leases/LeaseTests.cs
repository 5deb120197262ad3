using System.Diagnostics;
using Antbot.EventStore.Postgres;
using Antbot.Integration.Tests.Postgres;
using Antbot.Integration.Tests.Support;
using Antbot.LocalServers;
using Antbot.Runtime.Leases;
using Antbot.Runtime.Store;
using Npgsql;
using Xunit;

namespace Antbot.Hosting.Tests.Leases;

/// <summary>What every kind of lease promises, to two that are after the same.</summary>
public abstract class LeaseContract
{
    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Two holders of the same leases: two processes where there can be two, else one and itself.</summary>
    protected abstract (ILeases First, ILeases Second) Open();

    [Fact]
    public async Task One_holds_it_at_a_time_and_the_next_when_it_was_given_back()
    {
        var (first, second) = Open();
        var held = await first.TryTakeAsync("work", Cancel);
        Assert.NotNull(held);
        Assert.Null(await second.TryTakeAsync("work", Cancel));
        Assert.Null(await first.TryTakeAsync("work", Cancel));
        Assert.False(held.Lost.IsCancellationRequested);
        await held.DisposeAsync();
        await held.DisposeAsync();
        await using var next = await second.TryTakeAsync("work", Cancel);
        Assert.NotNull(next);
        Assert.Null(await first.TryTakeAsync("work", Cancel));
    }

    [Fact]
    public async Task Leases_of_other_names_are_other_leases()
    {
        var (first, second) = Open();
        await using var one = await first.TryTakeAsync("one", Cancel);
        await using var two = await second.TryTakeAsync("two", Cancel);
        Assert.NotNull(one);
        Assert.NotNull(two);
    }

    [Fact]
    public async Task Many_that_snatch_at_once_never_hold_it_together()
    {
        var (first, second) = Open();
        var (holders, most, times) = (0, 0, 0);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(
            async () =>
            {
                for (var round = 0; round < 50; round++)
                {
                    await using var held = await (i % 2 == 0 ? first : second).TryTakeAsync("work", Cancel);
                    if (held is null)
                        continue;
                    var now = Interlocked.Increment(ref holders);
                    InterlockedMax(ref most, now);
                    Interlocked.Increment(ref times);
                    await Task.Yield();
                    Interlocked.Decrement(ref holders);
                }
            },
            Cancel)));
        Assert.Equal(1, most);
        Assert.True(times > 0);
    }

    private static void InterlockedMax(ref int most, int now)
    {
        int before;
        while (now > (before = Volatile.Read(ref most)) && Interlocked.CompareExchange(ref most, now, before) != before)
        {
        }
    }
}

public sealed class LocalLeaseTests : LeaseContract
{
    protected override (ILeases First, ILeases Second) Open()
    {
        var leases = new LocalLeases();
        return (leases, leases);
    }
}

public sealed class PostgresLeaseTests(PostgresFixture fixture) : LeaseContract, IAsyncLifetime
{
    private readonly List<PostgresLeases> _opened = [];
    private PostgresDatabase _database = null!;
    private TcpProxy _proxy = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await fixture.Server.CreateDatabaseAsync(cancellationToken: Cancel);
        _proxy = new TcpProxy(new NpgsqlConnectionStringBuilder(_database.ConnectionString).Port);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var leases in _opened)
            await leases.DisposeAsync();
        await _proxy.DisposeAsync();
        await fixture.Server.DropDatabaseAsync(_database.Name);
    }

    [Fact]
    public async Task A_broken_connection_loses_all_that_it_held_and_says_so()
    {
        var (first, second) = (OpenThroughProxy(), OpenDirectly());
        var (one, two) = (await first.TryTakeAsync("one", Cancel), await first.TryTakeAsync("two", Cancel));
        _proxy.BreakAll();
        await LostAsync(one!);
        await LostAsync(two!);
        await using var taken = await TakenAsync(second, "one");
        // The first begins anew by itself, and does not believe that it still holds what it lost.
        Assert.Null(await first.TryTakeAsync("one", Cancel));
        await using var again = await TakenAsync(first, "two");
        await one!.DisposeAsync();
        Assert.Null(await OpenDirectly().TryTakeAsync("one", Cancel));
    }

    [Fact]
    public async Task A_link_that_swallows_everything_is_noticed_within_seconds()
    {
        var (first, second) = (OpenThroughProxy(), OpenDirectly());
        var held = await first.TryTakeAsync("work", Cancel);
        _proxy.ToServer = _ => 0;
        await LostAsync(held!);
        // The server ends a session that keeps silent; until then nobody else gets in.
        await using var taken = await TakenAsync(second, "work");
    }

    [Fact]
    public async Task A_server_that_cannot_be_reached_is_said_to_be_unavailable()
    {
        _proxy.Down = true;
        var fault = await Assert.ThrowsAsync<EventStoreException>(() => OpenThroughProxy().TryTakeAsync("work", Cancel));
        Assert.Equal(StoreFault.Unavailable, fault.Fault);
    }

    protected override (ILeases First, ILeases Second) Open() => (OpenDirectly(), OpenDirectly());

    private static async Task LostAsync(ILease lease)
    {
        var began = Stopwatch.GetTimestamp();
        while (!lease.Lost.IsCancellationRequested)
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(60), "The loss was not noticed.");
            await Task.Delay(50, Cancel);
        }
    }

    private static async Task<ILease> TakenAsync(PostgresLeases leases, string name)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            if (await leases.TryTakeAsync(name, Cancel) is { } taken)
                return taken;
            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(60), "It did not become free.");
            await Task.Delay(200, Cancel);
        }
    }

    private PostgresLeases OpenDirectly() => Remember(new PostgresLeases(_database.ConnectionString, TimeProvider.System));

    private PostgresLeases OpenThroughProxy() =>
        Remember(new PostgresLeases(new NpgsqlConnectionStringBuilder(_database.ConnectionString) { Host = "127.0.0.1", Port = _proxy.Port }.ConnectionString, TimeProvider.System));

    private PostgresLeases Remember(PostgresLeases leases)
    {
        _opened.Add(leases);
        return leases;
    }
}
