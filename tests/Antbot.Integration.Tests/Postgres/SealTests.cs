using Antbot.EventStore.Contract;
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
        Assert.Equal(1, await store.Ledger.SealAsync(10, Cancel));
        Assert.Empty(await store.Ledger.FindUnsealedAsync(10, Cancel));
        Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(Some.Append(Some.Stream()), Cancel));
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
