using Antbot.Contracts;
using Antbot.EventStore.Contract;
using Antbot.EventStore.Proof;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Proof;

/// <summary>Thousands of ways to tamper, behind the engine's back and with every right: each is detected and located, and an untouched store is never accused.</summary>
public abstract class TamperingContract : IAsyncLifetime
{
    private const int Seed = 20261121;

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-tamper-").FullName;
    private ITamperedStore _store = null!;
    private SigningKey _key = null!;
    private CheckpointFile _outside = null!;

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    protected abstract int Mutations { get; }

    protected abstract Task<(ITamperedStore Tampered, IEventStore Store)> OpenAsync();

    public async ValueTask InitializeAsync()
    {
        _key = SigningKey.LoadOrCreate(Path.Combine(_folder, "signing.key"));
        _outside = new CheckpointFile(Path.Combine(_folder, "checkpoints.jsonl"));
        (_store, var store) = await OpenAsync();
        var checkpointer = new Checkpointer(store.Ledger, _key, _outside, TimeProvider.System);
        for (var i = 0; i < 24; i++)
        {
            var meta = i % 3 == 0 ? EventMeta.None : new EventMeta($"trade-{i % 5}", $"cause-{i}", i % 2 == 0 ? "risk" : null, i % 4 == 0 ? $"trace-{i}" : null);
            var events = Enumerable.Range(0, 1 + i % 3).Select(n => Some.Event($$"""{"Price":1.5,"I":{{i}},"N":{{n}}}""")).ToArray();
            await store.AppendAsync(Some.Append(new StreamId($"order-{i % 9}"), events) with { Meta = meta, At = Some.Time.AddSeconds(i) }, Cancel);
            if (i is 7 or 15)
                await checkpointer.CheckpointAsync(Cancel);
        }
        await AppendAsStrangerAsync(store);
        await checkpointer.CheckpointAsync(Cancel);
        await store.DisposeAsync();
        await BackUpAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _key.Dispose();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Every_mutation_is_detected_and_located()
    {
        var rows = new List<Row>();
        await foreach (var link in _store.Ledger.ReadLinksAsync(0, Cancel))
            rows.Add(new Row(link.Position, link.Sequence, link.EventId, link.Event!.Stream, link.Event.Version, link.Foreign, link));
        Assert.Contains(rows, r => r.Foreign);
        var mutator = new Mutator(_store, rows, new Random(Seed));
        for (var n = 0; n < Mutations; n++)
        {
            if (n % 250 == 0)
                await AssertUntouchedAsync();
            var mutation = mutator.Next(n);
            await _store.ExecuteAsync(mutation.Statements);
            var report = await VerifyAsync();
            Assert.True(!report.IsIntact || report.Unsealed.Count > 0, $"seed {Seed}, mutation {n} was not detected: {mutation.What}");
            Assert.True(mutation.IsLocated(report), $"seed {Seed}, mutation {n} was not located: {mutation.What}\n{string.Join('\n', report.Findings.Select(f => f.ToString()))}");
            Assert.All(report.Findings, f => Assert.NotEmpty(f.What));
            await _store.RestoreAsync();
        }
        await AssertUntouchedAsync();
    }

    [Fact]
    public async Task Tampering_with_the_checkpoints_outside_is_detected_too()
    {
        var lines = File.ReadAllLines(_outside.Location);
        Assert.Equal(3, lines.Length);
        foreach (var changed in new string[][]
        {
            [lines[0], lines[2]],
            [lines[1], lines[0], lines[2]],
            [lines[1], lines[2]],
            [lines[0].Replace("\"Position\":", "\"Position\":1", StringComparison.Ordinal), lines[1], lines[2]],
            [lines[0], lines[1]],
        })
        {
            File.WriteAllLines(_outside.Location, changed);
            Assert.NotEmpty((await VerifyAsync()).Findings);
        }
        File.Delete(_outside.Location);
        Assert.Contains((await VerifyAsync()).Findings, f => f.Kind == FindingKind.CheckpointMissing);
        File.WriteAllLines(_outside.Location, lines);
        await AssertUntouchedAsync();
    }

    [Fact]
    public async Task Verifying_from_the_last_checkpoint_checks_what_came_after_it_and_the_checkpoint_itself()
    {
        var options = new VerifyOptions { Key = _key.Public, Outside = _outside, FromLastCheckpoint = true };
        var verifier = new LedgerVerifier(_store.Ledger);
        var last = _outside.Read().Checkpoints[^1];
        var report = await verifier.VerifyAsync(options, Cancel);
        Assert.Empty(report.Findings);
        Assert.Equal(last.Position, report.FromPosition);
        Assert.Equal(1, report.EventsChecked);

        await _store.ExecuteAsync([$"delete from {_store.Events} where seq_id = {last.Sequence}"]);
        Assert.NotEmpty((await verifier.VerifyAsync(options, Cancel)).Findings);
        await _store.RestoreAsync();
        await _store.ExecuteAsync([$"delete from {_store.Events} where seq_id = {last.Sequence}", $"delete from {_store.LedgerTable} where position = {last.Position}"]);
        Assert.Contains((await verifier.VerifyAsync(options, Cancel)).Findings, f => f.Kind == FindingKind.HistoryCut);
        await _store.RestoreAsync();
    }

    /// <summary>Prevents evidence that mends itself: the next checkpoint brought every removed one back.</summary>
    [Fact]
    public async Task A_checkpoint_that_was_removed_is_still_missed_when_the_next_one_is_made()
    {
        await _store.ExecuteAsync([$"delete from {_store.Checkpoints} where position = (select min(position) from {_store.Checkpoints})"]);
        Assert.Null(await new Checkpointer(_store.Ledger, _key, _outside, TimeProvider.System).CheckpointAsync(Cancel));
        Assert.Contains((await VerifyAsync()).Findings, f => f.Kind == FindingKind.CheckpointMissing);
        await _store.RestoreAsync();
        await AssertUntouchedAsync();
    }

    [Fact]
    public async Task A_checkpoint_of_another_key_does_not_count()
    {
        using var other = SigningKey.LoadOrCreate(Path.Combine(_folder, "other.key"));
        var report = await new LedgerVerifier(_store.Ledger).VerifyAsync(new VerifyOptions { Key = other.Public, Outside = _outside }, Cancel);
        Assert.Contains(report.Findings, f => f.Kind == FindingKind.CheckpointForged);
        Assert.Equal(0, report.CheckpointsChecked);
    }

    protected abstract Task BackUpAsync();

    protected abstract Task AppendAsStrangerAsync(IEventStore store);

    private async Task AssertUntouchedAsync()
    {
        var report = await VerifyAsync();
        Assert.Empty(report.Findings);
        Assert.Empty(report.Unsealed);
        Assert.Empty(report.Notices);
        Assert.Equal(3, report.CheckpointsChecked);
        Assert.True(report.EventsChecked > 40);
    }

    private Task<VerifyReport> VerifyAsync() =>
        new LedgerVerifier(_store.Ledger).VerifyAsync(new VerifyOptions { Key = _key.Public, Outside = _outside }, Cancel);
}
