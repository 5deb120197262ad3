using Antbot.EventStore.Archives;
using Antbot.EventStore.Postgres;
using Antbot.EventStore.Proof;
using Antbot.Forensics;
using Antbot.Integration.Tests.Postgres;
using Antbot.Reconciliation;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Archives;

/// <summary>The same history on PostgreSQL: archived, read, verified and tampered with.</summary>
public sealed class PostgresArchiverTests(PostgresFixture fixture) : IAsyncLifetime
{
    private readonly PostgresStores _stores = new(fixture);
    private ArchivedHistory _history = null!;
    private PostgresEventStore _store = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _history = await ArchivedHistory.OpenAsync();
        _store = (PostgresEventStore)await _stores.OpenEmptyAsync();
        using var export = new MemoryStream();
        await Exporter.ExportAsync(_history.Store, export, cancellationToken: Cancel);
        export.Position = 0;
        await Importer.ImportAsync(_store.Ledger, export, cancellationToken: Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await _history.DisposeAsync();
        await _stores.DropAsync();
    }

    [Fact]
    public async Task What_is_archived_is_read_as_before_and_nothing_can_hide_behind_it()
    {
        var before = await ExportAsync(_store.Ledger);
        await Assert.ThrowsAsync<KilledException>(() => ArchiveAsync(new KilledAt("archive.after-record")));
        var run = await ArchiveAsync();
        Assert.True(Assert.Single(run.Resumed).Events > 100);
        Assert.Empty(run.Made);
        Assert.Equal(before, (await ExportAsync(new ArchivedEventStore(_store, _history.Archives).Ledger)).Take(before.Count));
        Assert.Equal(StoreFault.Archived, (await Assert.ThrowsAsync<EventStoreException>(() => ExportAsync(_store.Ledger))).Fault);
        // Byte for byte what the other engine makes of the same history.
        var other = await new Archiver(_history.Store, new ArchiveFolder(Path.Combine(_history.Folder, "other")), _history.Key, new ArchiveChoice(_history.Store, _history.Store), TimeProvider.System)
            .RunAsync(new ArchiveOrder(ArchivedHistory.Later, "a test", "anna", [], DryRun: false), cancellationToken: Cancel);
        Assert.Equal(run.Resumed[0].Sha256, Assert.Single(other.Made).Sha256);
        Assert.Empty((await VerifyAsync()).Findings);

        var here = await LinkAsync(l => l.Event?.Stream == "account-main");
        await _stores.ExecuteAsync(
            $"delete from mt_events where seq_id = {here.Sequence}",
            $"insert into antbot.archived select {here.Sequence}, {here.Position}, {here.Event!.Version}, 1, '\\x{Convert.ToHexString(here.Event.ContentHash())}'");
        Assert.Contains((await VerifyAsync()).Findings, f => f.Kind == FindingKind.ArchiveUnrecorded && f.Position == here.Position);
        await _stores.ExecuteAsync($"update antbot.archived set content = sha256('') where seq_id = {here.Sequence}");
        Assert.Contains((await VerifyAsync()).Findings, f => f.Kind == FindingKind.EventAltered && f.Position == here.Position);
        await _stores.ExecuteAsync($"delete from antbot.archived where seq_id = {here.Sequence}");
        Assert.Contains((await VerifyAsync()).Findings, f => f.Kind == FindingKind.EventMissing && f.Position == here.Position);
    }

    [Theory]
    [InlineData("update mt_streams set is_archived = true where id = 'account-main'", "account-main")]
    [InlineData("insert into antbot.archived_streams select id, 1, version from mt_streams where id = 'account-main'", "account-main")]
    [InlineData("insert into antbot.archived_streams values ('order-nobody', 1, 3)", "order-nobody")]
    public async Task A_stream_that_is_said_to_be_archived_and_is_not_is_found(string statement, string stream)
    {
        await ArchiveAsync();
        Assert.Empty((await VerifyAsync()).Findings);
        await _stores.ExecuteAsync(statement);
        var finding = Assert.Single((await VerifyAsync()).Findings);
        Assert.Equal((FindingKind.HeadMismatch, stream), (finding.Kind, finding.Stream));
    }

    private Task<ArchiveRun> ArchiveAsync(KilledAt? crash = null) =>
        new Archiver(_store, _history.Archives, _history.Key, new ArchiveChoice(_store, (IArchivingLedger)_store.Ledger), TimeProvider.System, crash)
            .RunAsync(new ArchiveOrder(ArchivedHistory.Later, "a test", "anna", [$"{OrderBook.Name} of reconciliation-main"], DryRun: false), cancellationToken: Cancel);

    private Task<VerifyReport> VerifyAsync() => new LedgerVerifier(_store.Ledger).VerifyAsync(new VerifyOptions { Key = _history.Key, Archives = _history.Archives }, Cancel);

    private async Task<LedgerLink> LinkAsync(Func<LedgerLink, bool> wanted)
    {
        await foreach (var link in _store.Ledger.ReadLinksAsync(0, Cancel))
        {
            if (wanted(link))
                return link;
        }
        throw new InvalidOperationException("There is no such link.");
    }

    private static async Task<List<string>> ExportAsync(ILedger ledger)
    {
        using var export = new MemoryStream();
        await Exporter.ExportAsync(ledger, export, cancellationToken: Cancel);
        return [.. System.Text.Encoding.UTF8.GetString(export.ToArray()).Split('\n').Where(l => l.StartsWith("{\"Position\"", StringComparison.Ordinal))];
    }
}
