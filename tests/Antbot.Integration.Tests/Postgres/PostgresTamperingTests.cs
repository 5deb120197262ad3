using Antbot.EventStore.Postgres;
using Antbot.Integration.Tests.Proof;
using Antbot.LocalServers;
using Antbot.Runtime.Store;
using Npgsql;
using Xunit;

namespace Antbot.Integration.Tests.Postgres;

public sealed class PostgresTamperingTests(PostgresFixture fixture) : TamperingContract
{
    private static readonly string[] Tables = ["public.mt_streams", "public.mt_events", "antbot.ledger", "antbot.checkpoints", "antbot.identity"];

    private string _connectionString = "";

    protected override int Mutations => 5_010;

    protected override async Task<(ITamperedStore Tampered, IEventStore Store)> OpenAsync()
    {
        var database = await fixture.Server.CreateDatabaseAsync(cancellationToken: Cancel);
        _connectionString = database.ConnectionString;
        await PostgresSchema.EnsureAsync(_connectionString, Cancel);
        return (await Tampered.OpenAsync(fixture, database), new PostgresEventStore(new PostgresStoreOptions { ConnectionString = _connectionString }));
    }

    protected override async Task BackUpAsync()
    {
        await using var connection = new NpgsqlConnection(_connectionString);
        await connection.OpenAsync(Cancel);
        foreach (var table in Tables)
        {
            await using var copy = new NpgsqlCommand($"create table backup_{table.Replace('.', '_')} as table {table}", connection);
            await copy.ExecuteNonQueryAsync(Cancel);
        }
    }

    /// <summary>As a real Marten does: head and event, no link; the sealer adopts them.</summary>
    protected override async Task AppendAsStrangerAsync(IEventStore store)
    {
        await using var connection = new NpgsqlConnection(_connectionString);
        await connection.OpenAsync(Cancel);
        await using var insert = new NpgsqlCommand("""
            insert into public.mt_streams (id, type, version) values ('stranger-1', 'trade', 3);
            insert into public.mt_events (seq_id, id, stream_id, version, data, type, mt_dotnet_type)
              select nextval('public.mt_events_sequence'), gen_random_uuid(), 'stranger-1', n, '{"X":1.5}', 'noted', 'Some.Noted, Some' from generate_series(1, 3) n
            """, connection);
        await insert.ExecuteNonQueryAsync(Cancel);
        Assert.Equal(3, (await store.Ledger.FindUnsealedAsync(10, Cancel)).Count);
        Assert.Equal(3, (await store.Ledger.SealAsync(10, cancellationToken: Cancel)).Sealed);
        Assert.Equal(0, (await store.Ledger.SealAsync(10, cancellationToken: Cancel)).Sealed);
    }

    private sealed class Tampered(PostgresFixture fixture, PostgresDatabase database, PostgresEventStore store, NpgsqlConnection connection) : ITamperedStore
    {
        public ILedger Ledger => store.Ledger;

        public string Events => "public.mt_events";

        public string LedgerTable => "antbot.ledger";

        public string Streams => "public.mt_streams";

        public string Checkpoints => "antbot.checkpoints";

        public string Identity => "antbot.identity";

        public string NewUuid => $"'{Guid.NewGuid()}'";

        public static async Task<Tampered> OpenAsync(PostgresFixture fixture, PostgresDatabase database)
        {
            var connection = new NpgsqlConnection(database.ConnectionString);
            await connection.OpenAsync(Cancel);
            // Whoever tampers is a superuser: no foreign key stands in the way.
            await using var set = new NpgsqlCommand("set session_replication_role = replica; set synchronous_commit = off", connection);
            await set.ExecuteNonQueryAsync(Cancel);
            return new Tampered(fixture, database, new PostgresEventStore(new PostgresStoreOptions { ConnectionString = database.ConnectionString }), connection);
        }

        public string Blob(string hex) => $"'\\x{hex}'";

        public async Task ExecuteAsync(IEnumerable<string> statements)
        {
            await using var command = new NpgsqlCommand(string.Join(";\n", statements), connection);
            await command.ExecuteNonQueryAsync(Cancel);
        }

        public Task RestoreAsync() => ExecuteAsync(Tables.Reverse().Select(t => $"delete from {t}").Concat(Tables.Select(t => $"insert into {t} table backup_{t.Replace('.', '_')}")));

        public async ValueTask DisposeAsync()
        {
            await connection.DisposeAsync();
            await store.DisposeAsync();
            await fixture.Server.DropDatabaseAsync(database.Name, CancellationToken.None);
        }
    }
}
