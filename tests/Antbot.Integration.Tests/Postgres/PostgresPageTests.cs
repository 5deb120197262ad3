using Antbot.EventStore.Contract;
using Antbot.EventStore.Postgres;
using Antbot.Integration.Tests.Support;
using Antbot.Runtime.Store;
using Npgsql;
using Xunit;

namespace Antbot.Integration.Tests.Postgres;

/// <summary>Pages that end before the server does, and readers that go before their page has come.</summary>
public sealed class PostgresPageTests(PostgresFixture fixture) : IAsyncDisposable
{
    private readonly PostgresStores _stores = new(fixture);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _stores.DropAsync();

    [Fact]
    public async Task A_page_of_links_is_bounded_in_bytes_and_says_that_more_comes()
    {
        await using var store = await FilledAsync(large: 40);
        var ledger = (PostgresLedger)store.Ledger;
        var (after, sizes) = (0L, new List<int>());
        for (var more = true; more;)
        {
            var page = await ledger.ReadLinkPageAsync(after, Cancel);
            Assert.True(page.Rows.SkipLast(1).Sum(l => (long)l.Event!.Bytes) < StoreLimits.PageBytesMax);
            sizes.Add(page.Rows.Count);
            (after, more) = (page.Rows[^1].Position, !page.IsLast);
        }
        Assert.Equal([17, 17, 6], sizes);
        Assert.Equal(0, Pool(store).InUse);
    }

    /// <summary>Prevents a connection that is busy for as long as the server sends what nobody reads any more.</summary>
    [Fact]
    public async Task A_page_that_ends_early_stops_the_server_and_keeps_its_connection()
    {
        await using var direct = await FilledAsync(large: 80);
        await using var proxy = new TcpProxy(new NpgsqlConnectionStringBuilder(_stores.ConnectionString).Port);
        var passed = 0L;
        proxy.FromServer = bytes =>
        {
            Interlocked.Add(ref passed, bytes.Length);
            return bytes.Length;
        };
        await using var store = Open(proxy);
        Assert.Equal(17, (await store.ReadPageAsync(0, 80, Cancel)).Count);
        // The page, and what was under way in buffers: not the 80 MB of all that was asked for.
        Assert.InRange(Interlocked.Read(ref passed), StoreLimits.PageBytesMax, 3L * StoreLimits.PageBytesMax);
        var connections = await ReadersAsync();
        for (var i = 0; i < 5; i++)
            Assert.Equal(17, (await store.ReadPageAsync(0, 80, Cancel)).Count);
        Assert.Equal(connections, await ReadersAsync());
        Assert.Equal(PoolHealth.Healthy, Pool(store).Health);
    }

    [Fact]
    public async Task Whoever_breaks_off_early_has_given_every_connection_back()
    {
        await using var store = await FilledAsync(large: 40);
        for (var i = 0; i < 20; i++)
        {
            await foreach (var _ in store.Ledger.ReadLinksAsync(0, Cancel))
                break;
            Assert.Equal(0, Pool(store).InUse);
        }
    }

    [Fact]
    public async Task A_page_that_fails_after_its_reader_has_gone_is_nobodys_fault()
    {
        await using var direct = await FilledAsync(large: 40);
        await using var proxy = new TcpProxy(new NpgsqlConnectionStringBuilder(_stores.ConnectionString).Port);
        await using var store = Open(proxy);
        var first = true;
        await foreach (var _ in store.Ledger.ReadLinksAsync(0, Cancel))
        {
            Assert.True(first);
            first = false;
            proxy.Down = true;
            proxy.BreakAll();
            break;
        }
        Assert.Equal(0, Pool(store).InUse);
        proxy.Down = false;
        Assert.Equal(40, (await store.Ledger.ReadHeadAsync(Cancel)).Position);
    }

    [Fact]
    public async Task A_reader_that_is_cancelled_between_two_pages_hears_of_its_cancellation()
    {
        await using var store = await FilledAsync(large: 40);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var read = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in store.Ledger.ReadLinksAsync(0, stop.Token))
            {
                if (++read == 3)
                    await stop.CancelAsync();
            }
        });
        Assert.InRange(read, 3, 39);
        Assert.Equal(0, Pool(store).InUse);
    }

    private static PoolReport Pool(IEventStore store) => ((PostgresEventStore)store).Pool;

    private async Task<IEventStore> FilledAsync(int large)
    {
        var store = await _stores.OpenEmptyAsync();
        for (var i = 0; i < large / 4; i++)
            Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(Some.Append(Some.Stream(), Some.LargeEvents(4)), Cancel));
        return store;
    }

    private PostgresEventStore Open(TcpProxy proxy) => new(new PostgresStoreOptions
    {
        ConnectionString = new NpgsqlConnectionStringBuilder(_stores.ConnectionString) { Host = "127.0.0.1", Port = proxy.Port, SslMode = SslMode.Disable }.ConnectionString,
    });

    /// <summary>The server's processes behind reading connections.</summary>
    private async Task<List<int>> ReadersAsync()
    {
        await using var connection = new NpgsqlConnection(_stores.ConnectionString);
        await connection.OpenAsync(Cancel);
        await using var command = new NpgsqlCommand("select pid from pg_stat_activity where application_name = 'antbot reader' and datname = current_database() order by pid", connection);
        await using var row = await command.ExecuteReaderAsync(Cancel);
        var found = new List<int>();
        while (await row.ReadAsync(Cancel))
            found.Add(row.GetInt32(0));
        return found;
    }
}
