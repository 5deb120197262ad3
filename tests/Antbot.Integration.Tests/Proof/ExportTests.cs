using System.Text;
using Antbot.Contracts;
using Antbot.EventStore.Contract;
using Antbot.EventStore.Proof;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Proof;

/// <summary>An export stands for its store: whole it is believed, and no change to it goes unnoticed.</summary>
public sealed class ExportTests : IAsyncLifetime
{
    private const int Mutations = 10_000;
    private const int Seed = 20261122;

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-export-").FullName;
    private readonly InMemoryEventStore _store = new(Guid.NewGuid());
    private SigningKey _key = null!;
    private CheckpointFile _outside = null!;
    private string[] _lines = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _key = SigningKey.LoadOrCreate(Path.Combine(_folder, "signing.key"));
        _outside = new CheckpointFile(Path.Combine(_folder, "checkpoints.jsonl"));
        var checkpointer = new Checkpointer(_store, _key, _outside, TimeProvider.System);
        for (var i = 0; i < 20; i++)
        {
            var meta = new EventMeta($"trade-{i % 5}", i % 2 == 0 ? null : $"cause-{i}", "risk", i % 3 == 0 ? $"trace-{i}" : null);
            await _store.AppendAsync(Some.Append(new StreamId($"order-{i % 7}"), Some.Events(1 + i % 2)) with { Meta = meta, At = Some.Time.AddSeconds(i) }, Cancel);
            if (i % 8 == 7)
                await checkpointer.CheckpointAsync(Cancel);
        }
        await checkpointer.CheckpointAsync(Cancel);
        _lines = Encoding.UTF8.GetString(await ExportAsync(_store)).Split('\n')[..^1];
    }

    public ValueTask DisposeAsync()
    {
        _key.Dispose();
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task An_untouched_export_verifies_offline_with_the_public_key_alone()
    {
        var report = await VerifyAsync(_lines, new VerifyOptions { Key = _key.Public });
        Assert.Empty(report.Findings);
        Assert.Equal(30, report.EventsChecked);
        Assert.Equal(3, report.CheckpointsChecked);

        using var other = SigningKey.LoadOrCreate(Path.Combine(_folder, "other.key"));
        Assert.NotEmpty((await VerifyAsync(_lines, new VerifyOptions { Key = other.Public })).Findings);
    }

    /// <summary>Prevents an accusation: the history outside goes on after an export was made.</summary>
    [Fact]
    public async Task An_export_older_than_the_checkpoints_outside_is_intact_and_says_that_it_is_older()
    {
        var checkpointer = new Checkpointer(_store, _key, _outside, TimeProvider.System);
        for (var i = 0; i < 3; i++)
        {
            await _store.AppendAsync(Some.Append(Some.Stream()), Cancel);
            await checkpointer.CheckpointAsync(Cancel);
        }
        var report = await VerifyAsync(_lines, new VerifyOptions { Key = _key.Public, Outside = _outside });
        Assert.Empty(report.Findings);
        Assert.Contains(report.Notices, n => n.Contains("gone on since", StringComparison.Ordinal));
    }

    /// <summary>Prevents an accusation: appends and checkpoints go on while a verification reads.</summary>
    [Fact]
    public async Task A_history_that_goes_on_while_it_is_verified_is_never_accused()
    {
        var writing = Task.Run(async () =>
        {
            var checkpointer = new Checkpointer(_store, _key, _outside, TimeProvider.System);
            for (var i = 0; i < 100; i++)
            {
                await _store.AppendAsync(Some.Append(Some.Stream()), Cancel);
                await checkpointer.CheckpointAsync(Cancel);
            }
        }, Cancel);
        do
        {
            Assert.Empty((await new LedgerVerifier(_store).VerifyAsync(new VerifyOptions { Key = _key.Public, Outside = _outside }, Cancel)).Findings);
        }
        while (!writing.IsCompleted);
        await writing;
    }

    /// <summary>Prevents an accusation: several checkpoints are made between the looks at the two places that keep them.</summary>
    [Fact]
    public async Task Checkpoints_made_while_they_are_read_are_no_accusation()
    {
        var checkpointer = new Checkpointer(_store, _key, _outside, TimeProvider.System);
        var busy = new BusyLedger(_store, async () =>
        {
            for (var i = 0; i < 3; i++)
            {
                await _store.AppendAsync(Some.Append(Some.Stream()), Cancel);
                await checkpointer.CheckpointAsync(Cancel);
            }
        });
        Assert.Empty((await new LedgerVerifier(busy).VerifyAsync(new VerifyOptions { Key = _key.Public, Outside = _outside }, Cancel)).Findings);
    }

    /// <summary>Prevents an accusation: two that checkpoint at once (a service, and somebody at a terminal) both followed the same checkpoint.</summary>
    [Fact]
    public async Task Checkpoints_that_several_make_at_once_follow_one_another()
    {
        var slow = new BusyLedger(_store, () => Task.Delay(2, Cancel));
        for (var i = 0; i < 20; i++)
        {
            await _store.AppendAsync(Some.Append(Some.Stream()), Cancel);
            await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => new Checkpointer(slow, _key, new CheckpointFile(_outside.Location), TimeProvider.System).CheckpointAsync(Cancel), Cancel)));
        }
        var report = await new LedgerVerifier(_store).VerifyAsync(new VerifyOptions { Key = _key.Public, Outside = _outside }, Cancel);
        Assert.Empty(report.Findings);
        Assert.Equal(23, report.CheckpointsChecked);
        Assert.Equal(23, _outside.Read().Checkpoints.Count);
    }

    [Fact]
    public async Task A_checkpoint_that_a_crash_kept_from_the_database_is_brought_there_by_the_next_run()
    {
        await _store.AppendAsync(Some.Append(Some.Stream()), Cancel);
        var crashing = new Checkpointer(new BusyLedger(_store, () => Task.CompletedTask) { Crashes = true }, _key, _outside, TimeProvider.System);
        await Assert.ThrowsAsync<EventStoreException>(() => crashing.CheckpointAsync(Cancel));
        Assert.Equal((4, 3), (_outside.Read().Checkpoints.Count, (await _store.ReadCheckpointsAsync(Cancel)).Count));

        Assert.Null(await new Checkpointer(_store, _key, _outside, TimeProvider.System).CheckpointAsync(Cancel));
        Assert.Equal(4, (await _store.ReadCheckpointsAsync(Cancel)).Count);
        Assert.Empty((await new LedgerVerifier(_store).VerifyAsync(new VerifyOptions { Key = _key.Public, Outside = _outside }, Cancel)).Findings);
    }

    [Fact]
    public async Task Every_one_of_ten_thousand_changes_to_an_export_is_detected()
    {
        var random = new Random(Seed);
        for (var n = 0; n < Mutations; n++)
        {
            var (changed, what) = ExportMutations.Mutate(_lines, n, random);
            var report = await VerifyAsync(changed, new VerifyOptions { Key = _key.Public, Outside = _outside });
            Assert.True(report.Findings.Count > 0, $"seed {Seed}, mutation {n} was not detected: {what}");
            if (n % 500 == 0)
                Assert.Empty((await VerifyAsync(_lines, new VerifyOptions { Key = _key.Public, Outside = _outside })).Findings);
        }
    }

    [Fact]
    public async Task An_import_refuses_a_changed_export_and_says_where()
    {
        var changed = (string[])_lines.Clone();
        changed[10] = changed[10].Replace("\"Version\":", "\"Version\":1", StringComparison.Ordinal);
        await using var target = new InMemoryEventStore(Guid.NewGuid());
        var refused = await Assert.ThrowsAsync<EventStoreException>(() => Importer.ImportAsync(target, Join(changed), cancellationToken: Cancel));
        Assert.Equal(StoreFault.Corrupt, refused.Fault);
        Assert.Contains("line 11", refused.Message, StringComparison.Ordinal);
        Assert.Equal(0, (await target.ReadHeadAsync(Cancel)).Position);
    }

    [Fact]
    public async Task An_import_that_was_broken_off_is_finished_by_running_it_again()
    {
        await using var target = new InMemoryEventStore(Guid.NewGuid());
        var some = new List<LedgerLink>();
        await foreach (var link in _store.ReadLinksAsync(0, Cancel))
            some.Add(link);
        await target.ImportAsync((await _store.ReadHeadAsync(Cancel)).StoreId, some[..11], Cancel);

        var summary = await Importer.ImportAsync(target, Join(_lines), cancellationToken: Cancel);
        Assert.Equal((19, 11, 30), (summary.Imported, summary.AlreadyThere, summary.LastPosition));
        Assert.Equal(_lines, Encoding.UTF8.GetString(await ExportAsync(target)).Split('\n')[..^1]);
        Assert.Equal(0, (await Importer.ImportAsync(target, Join(_lines), cancellationToken: Cancel)).Imported);
        Assert.Equal(_lines, Encoding.UTF8.GetString(await ExportAsync(target)).Split('\n')[..^1]);
        Assert.Empty((await new LedgerVerifier(target).VerifyAsync(new VerifyOptions { Key = _key.Public, Outside = _outside }, Cancel)).Findings);
    }

    /// <summary>Prevents an accusation: checkpoints of a history that went another way since were taken in, and said to be there already.</summary>
    [Fact]
    public async Task An_import_that_is_no_beginning_of_a_longer_history_of_the_same_store_is_refused()
    {
        var some = new List<LedgerLink>();
        await foreach (var link in _store.ReadLinksAsync(0, Cancel))
            some.Add(link);
        await using var target = new InMemoryEventStore(Guid.NewGuid());
        await target.ImportAsync((await _store.ReadHeadAsync(Cancel)).StoreId, some[..25], Cancel);
        for (var i = 0; i < 10; i++)
            await target.AppendAsync(Some.Append(Some.Stream()), Cancel);

        var refused = await Assert.ThrowsAsync<EventStoreException>(() => Importer.ImportAsync(target, Join(_lines), cancellationToken: Cancel));
        Assert.Equal(StoreFault.Invalid, refused.Fault);
        Assert.Contains("differs", refused.Message, StringComparison.Ordinal);
        Assert.Empty(await target.ReadCheckpointsAsync(Cancel));

        // The beginning of the very history is there already, and says so.
        await using var longer = new InMemoryEventStore(Guid.NewGuid());
        await Importer.ImportAsync(longer, Join(_lines), cancellationToken: Cancel);
        await longer.AppendAsync(Some.Append(Some.Stream()), Cancel);
        var again = await Importer.ImportAsync(longer, Join(_lines), cancellationToken: Cancel);
        Assert.Equal((0, 30), (again.Imported, again.AlreadyThere));
    }

    [Fact]
    public async Task An_import_into_another_history_is_refused()
    {
        await using var target = new InMemoryEventStore(Guid.NewGuid());
        await target.AppendAsync(Some.Append(Some.Stream()), Cancel);
        var refused = await Assert.ThrowsAsync<EventStoreException>(() => Importer.ImportAsync(target, Join(_lines), cancellationToken: Cancel));
        Assert.Equal(StoreFault.Invalid, refused.Fault);
        Assert.Equal(1, (await target.ReadHeadAsync(Cancel)).Position);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("not json\n")]
    [InlineData("{\"AntbotExport\":99,\"StoreId\":\"6f9619ff-8b86-d011-b42d-00c04fc964ff\",\"Checkpoints\":0}\n")]
    [InlineData("{\"AntbotExport\":1}\n")]
    [InlineData("{\"AntbotExport\":1.5,\"StoreId\":\"6f9619ff-8b86-d011-b42d-00c04fc964ff\",\"Checkpoints\":0}\n")]
    [InlineData("{\"AntbotExport\":99999999999}\n")]
    [InlineData("[]\n")]
    public async Task What_is_no_export_is_said_to_be_none(string text)
    {
        await using var target = new InMemoryEventStore(Guid.NewGuid());
        using var input = new MemoryStream(Encoding.UTF8.GetBytes(text));
        Assert.Equal(StoreFault.Corrupt, (await Assert.ThrowsAsync<EventStoreException>(() => Importer.ImportAsync(target, input, cancellationToken: Cancel))).Fault);
        input.Position = 0;
        Assert.Equal(FindingKind.ExportDamaged, Assert.Single((await ExportVerifier.VerifyAsync(input, new VerifyOptions(), Cancel)).Findings).Kind);
    }

    private static async Task<byte[]> ExportAsync(ILedger ledger)
    {
        using var output = new MemoryStream();
        await Exporter.ExportAsync(ledger, output, cancellationToken: Cancel);
        return output.ToArray();
    }

    private static MemoryStream Join(IEnumerable<string> lines) => new(Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n"));

    private static async Task<VerifyReport> VerifyAsync(IEnumerable<string> lines, VerifyOptions options)
    {
        using var input = Join(lines);
        return await ExportVerifier.VerifyAsync(input, options, Cancel);
    }

    /// <summary>A ledger in which something happens just before and just after its checkpoints are read.</summary>
    private sealed class BusyLedger(ILedger ledger, Func<Task> happens) : ILedger
    {
        /// <summary>No checkpoint comes into the database any more.</summary>
        public bool Crashes { get; init; }

        public async Task<IReadOnlyList<Checkpoint>> ReadCheckpointsAsync(CancellationToken cancellationToken = default)
        {
            await happens();
            var checkpoints = await ledger.ReadCheckpointsAsync(cancellationToken);
            await happens();
            return checkpoints;
        }

        public Task<LedgerHead> ReadHeadAsync(CancellationToken cancellationToken = default) => ledger.ReadHeadAsync(cancellationToken);

        public IAsyncEnumerable<LedgerLink> ReadLinksAsync(long afterPosition = 0, CancellationToken cancellationToken = default) => ledger.ReadLinksAsync(afterPosition, cancellationToken);

        public Task<IReadOnlyList<HeadMismatch>> FindHeadMismatchesAsync(int limit, CancellationToken cancellationToken = default) => ledger.FindHeadMismatchesAsync(limit, cancellationToken);

        public Task<IReadOnlyList<StoredEvent>> FindUnsealedAsync(int limit, CancellationToken cancellationToken = default) => ledger.FindUnsealedAsync(limit, cancellationToken);

        public Task<SealSummary> SealAsync(int limit, long afterSequence = long.MinValue, CancellationToken cancellationToken = default) => ledger.SealAsync(limit, afterSequence, cancellationToken);

        public Task SaveCheckpointAsync(Checkpoint checkpoint, CancellationToken cancellationToken = default) =>
            Crashes ? throw new EventStoreException(StoreFault.Unavailable, "gone") : ledger.SaveCheckpointAsync(checkpoint, cancellationToken);

        public Task ImportAsync(Guid storeId, IReadOnlyList<LedgerLink> links, CancellationToken cancellationToken = default) => ledger.ImportAsync(storeId, links, cancellationToken);
    }
}
