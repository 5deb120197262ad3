using System.Diagnostics;
using Antbot.EventStore.Contract;
using Antbot.EventStore.Postgres;
using Antbot.EventStore.Proof;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Postgres;

/// <summary>A process that appends is frozen in the middle of it: the others go on, and when it wakes nothing is lost or doubled.</summary>
public sealed class PostgresStallTests(PostgresFixture fixture)
{
    private static readonly TimeSpan DelayMax = TimeSpan.FromSeconds(2);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public Task A_frozen_client_delays_the_others_by_at_most_two_seconds() => FreezeAsync("postgres", callers: 16, eventsBetweenFreezes: 40);

    /// <summary>Prevents an importer that holds the append lock while it sends: frozen in the middle of a page it held every writer, for as long as it stood.</summary>
    [Fact]
    public Task A_frozen_importer_delays_the_others_by_at_most_two_seconds() => FreezeAsync("postgres-import", callers: 1, eventsBetweenFreezes: 1_000);

    private async Task FreezeAsync(string engine, int callers, int eventsBetweenFreezes)
    {
        var database = await fixture.Server.CreateDatabaseAsync(cancellationToken: Cancel);
        await PostgresSchema.EnsureAsync(database.ConnectionString, Cancel);
        await using var store = new PostgresEventStore(new PostgresStoreOptions { ConnectionString = database.ConnectionString });
        await using var worker = StoreWorkerProcess.Start(engine, database.ConnectionString, callers, "frozen");
        await worker.ReadyAsync();
        var ours = 0;
        var longest = TimeSpan.Zero;
        for (var freeze = 1; freeze <= 12; freeze++)
        {
            // Anywhere in its work, which at this rate is nearly always in an append.
            await worker.AcknowledgedAsync(freeze * eventsBetweenFreezes);
            await Task.Delay(freeze * 7, Cancel);
            await worker.SignalAsync("STOP");
            for (var i = 0; i < 5; i++)
            {
                var at = Stopwatch.GetTimestamp();
                Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(Some.Append(Some.Stream("ours")), Cancel));
                ours++;
                longest = longest > Stopwatch.GetElapsedTime(at) ? longest : Stopwatch.GetElapsedTime(at);
            }
            await worker.SignalAsync("CONT");
        }
        await worker.KillAsync();

        Assert.True(longest < DelayMax, $"an append waited {longest.TotalSeconds:0.00} s for a frozen client");
        var all = new List<StoredEvent>();
        while (await store.ReadPageAsync(all.Count == 0 ? 0 : all[^1].Sequence, 5_000, Cancel) is { Count: > 0 } page)
            all.AddRange(page);
        Assert.Equal(ours, all.Count(e => e.Stream.StartsWith("ours-", StringComparison.Ordinal)));
        Assert.Empty(worker.Acknowledged.Except(all.Select(e => e.EventId)));
        Assert.Equal(all.Count, all.Select(e => e.EventId).Distinct().Count());
        Assert.Empty((await new LedgerVerifier(store.Ledger).VerifyAsync(new VerifyOptions(), Cancel)).Findings);
    }
}
