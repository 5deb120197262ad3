using System.Collections.Concurrent;
using Antbot.EventStore.Contract;
using Antbot.EventStore.Postgres;
using Antbot.Integration.Tests.Support;
using Antbot.Runtime.Store;
using Npgsql;
using Xunit;

namespace Antbot.Integration.Tests.Postgres;

public sealed class SealTests(PostgresFixture fixture) : IAsyncDisposable
{
    private readonly PostgresStores _stores = new(fixture);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _stores.DropAsync();

    [Fact]
    public async Task Sealing_needs_no_connection_that_a_committer_holds()
    {
        await using var store = await _stores.OpenEmptyAsync();
        // Enough at once that every committer has opened its connection, which it keeps.
        await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Task.Run(() => store.AppendAsync(Some.Append(Some.Stream()), Cancel))));
        await AppendAsStrangerAsync("stranger-1");

        Assert.Single(await store.Ledger.FindUnsealedAsync(10, Cancel));
        Assert.Equal(1, (await store.Ledger.SealAsync(10, cancellationToken: Cancel)).Sealed);
        Assert.Empty(await store.Ledger.FindUnsealedAsync(10, Cancel));
        Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(Some.Append(Some.Stream()), Cancel));
    }

    [Fact]
    public async Task A_sealer_survives_a_store_that_is_away_says_so_once_and_goes_on()
    {
        await using var direct = await _stores.OpenEmptyAsync();
        await using var proxy = new TcpProxy(new NpgsqlConnectionStringBuilder(_stores.ConnectionString).Port);
        await using var store = new PostgresEventStore(new PostgresStoreOptions
        {
            ConnectionString = new NpgsqlConnectionStringBuilder(_stores.ConnectionString) { Host = "127.0.0.1", Port = proxy.Port, SslMode = SslMode.Disable }.ConnectionString,
        });
        var said = new ConcurrentQueue<string>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        proxy.Down = true;
        var running = new Sealer(store.Ledger, TimeProvider.System, (_, what) => said.Enqueue(what), new SealerOptions { Every = TimeSpan.FromMilliseconds(50) }).RunAsync(stop.Token);
        for (var round = 1; round <= 2; round++)
        {
            await UntilAsync(() => said.Count(s => s.StartsWith("Nothing can be sealed", StringComparison.Ordinal)) == round);
            await AppendAsStrangerAsync($"stranger-{round}");
            proxy.Down = false;
            await UntilAsync(() => said.Count(s => s.StartsWith("Sealed 1 events", StringComparison.Ordinal)) == round);
            proxy.Down = round == 1;
            proxy.BreakAll();
        }
        await stop.CancelAsync();
        await running;

        Assert.Empty(await direct.Ledger.FindUnsealedAsync(10, Cancel));
        Assert.Equal(["stranger-1", "stranger-2"], (await direct.ReadPageAsync(0, 10, Cancel)).Select(e => e.Stream));
    }

    /// <summary>As whoever freezes in an append: the commit is in the server's own hands.</summary>
    [Fact]
    public async Task A_sealer_that_never_sends_its_last_message_holds_nobody_up()
    {
        await using var direct = await _stores.OpenEmptyAsync();
        await AppendAsStrangerAsync("stranger-1");
        await using var proxy = new TcpProxy(new NpgsqlConnectionStringBuilder(_stores.ConnectionString).Port);
        await using var store = new PostgresEventStore(new PostgresStoreOptions
        {
            ConnectionString = new NpgsqlConnectionStringBuilder(_stores.ConnectionString) { Host = "127.0.0.1", Port = proxy.Port, SslMode = SslMode.Disable }.ConnectionString,
        });
        var held = new TaskCompletionSource();
        proxy.ToServer = bytes =>
        {
            if (held.Task.IsCompleted)
                return 0;
            if (bytes.Span.IndexOf("call antbot.seal"u8) < 0)
                return bytes.Length;
            held.TrySetResult();
            return bytes.Length - "S\0\0\0\u0004".Length;
        };
        var sealing = store.Ledger.SealAsync(10, cancellationToken: Cancel);
        await held.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancel);

        await UntilAsync(() => direct.Ledger.ReadHeadAsync(Cancel).Result.Position == 1);
        Assert.IsType<AppendOutcome.Appended>(await direct.AppendAsync(Some.Append(Some.Stream()), Cancel).WaitAsync(TimeSpan.FromSeconds(2), Cancel));
        proxy.BreakAll();
        Assert.Equal(StoreFault.Unavailable, (await Assert.ThrowsAsync<EventStoreException>(() => sealing)).Fault);
    }

    private static async Task UntilAsync(Func<bool> done)
    {
        for (var i = 0; i < 600 && !done(); i++)
            await Task.Delay(50, Cancel);
        Assert.True(done(), "it did not happen within 30 s");
    }

    private async Task AppendAsStrangerAsync(string stream)
    {
        await using var connection = new NpgsqlConnection(_stores.ConnectionString);
        await connection.OpenAsync(Cancel);
        await using var command = new NpgsqlCommand("""
            with s as (insert into public.mt_streams (id, version, tenant_id) values ($1, 1, '*DEFAULT*') returning id)
            insert into public.mt_events (seq_id, id, stream_id, version, data, type, tenant_id, is_archived)
            select nextval('public.mt_events_sequence'), gen_random_uuid(), s.id, 1, '{}', 'order_placed', '*DEFAULT*', false from s
            """, connection) { Parameters = { new() { Value = stream } } };
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
