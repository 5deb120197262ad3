using Antbot.Contracts;
using Antbot.EventStore.Contract;
using Antbot.EventStore.Postgres;
using Antbot.EventStore.Proof;
using Antbot.EventStore.Sqlite;
using Antbot.Integration.Tests.Postgres;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Proof;

/// <summary>History moves from engine to engine and back, and goes on in each, with every event, id, order and proof.</summary>
public sealed class MoveTests(PostgresFixture fixture)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task From_SQLite_to_PostgreSQL_to_memory_and_back_the_chain_goes_on()
    {
        var folder = Directory.CreateTempSubdirectory("antbot-move-");
        var decision = Some.Append(new StreamId("order-1"), Some.Events(2)) with { Meta = new EventMeta("trade", "cause", "who", "trace") };
        await using var sqlite = await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = Path.Combine(folder.FullName, "a.db") }, Cancel);
        await using var postgres = await OpenPostgresAsync();
        await using var memory = new InMemoryEventStore(Guid.NewGuid());
        await using var back = await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = Path.Combine(folder.FullName, "b.db") }, Cancel);
        var stores = new IEventStore[] { sqlite, postgres, memory, back };

        await AppendAsync(sqlite, decision);
        for (var i = 0; i < stores.Length; i++)
        {
            if (i > 0)
            {
                using var export = await ExportAsync(stores[i - 1].Ledger);
                var summary = await Importer.ImportAsync(stores[i].Ledger, export, cancellationToken: Cancel);
                Assert.Equal((await stores[i - 1].Ledger.ReadHeadAsync(Cancel)).Position, summary.Imported);
                Assert.Equal((await ExportAsync(stores[i - 1].Ledger)).ToArray(), (await ExportAsync(stores[i].Ledger)).ToArray());
            }
            // What was decided in another engine is still decided, and streams go on at their versions.
            Assert.IsType<AppendOutcome.AlreadyThere>(await stores[i].AppendAsync(decision, Cancel));
            await AppendAsync(stores[i], Some.Append(new StreamId("order-1")) with { Expected = ExpectedVersion.Exactly(2 + i) });
            var report = await new LedgerVerifier(stores[i].Ledger).VerifyAsync(new VerifyOptions(), Cancel);
            Assert.Empty(report.Findings);
            Assert.Equal(3 + i, report.EventsChecked);
        }
        await sqlite.DisposeAsync();
        await back.DisposeAsync();
        folder.Delete(recursive: true);
    }

    private async Task<PostgresEventStore> OpenPostgresAsync()
    {
        var database = await fixture.Server.CreateDatabaseAsync(cancellationToken: Cancel);
        await PostgresSchema.EnsureAsync(database.ConnectionString, Cancel);
        return new PostgresEventStore(new PostgresStoreOptions { ConnectionString = database.ConnectionString });
    }

    private static async Task AppendAsync(IEventStore store, AppendRequest request) =>
        Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(request, Cancel));

    private static async Task<MemoryStream> ExportAsync(ILedger ledger)
    {
        var output = new MemoryStream();
        await Exporter.ExportAsync(ledger, output, cancellationToken: Cancel);
        output.Position = 0;
        return output;
    }
}
