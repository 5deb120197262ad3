using System.Text;
using System.Text.Json.Nodes;
using Antbot.Contracts;
using Antbot.EventStore.Contract;
using Antbot.EventStore.Proof;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Proof;

/// <summary>A few events, and the proof that they are in a history which was signed: nothing else is needed, and nothing else is shown.</summary>
public sealed class ExcerptTests : IAsyncLifetime
{
    private const int Mutations = 5_000;
    private const int Seed = 20261122;

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-excerpt-").FullName;
    private readonly InMemoryEventStore _store = new(Guid.NewGuid());
    private SigningKey _key = null!;
    private CheckpointFile _outside = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _key = SigningKey.LoadOrCreate(Path.Combine(_folder, "signing.key"));
        _outside = new CheckpointFile(Path.Combine(_folder, "checkpoints.jsonl"));
        for (var i = 0; i < 40; i++)
        {
            await _store.AppendAsync(Some.Append(new StreamId($"order-{i % 7}"), Some.Events(1 + i % 2)) with { At = Some.Time.AddSeconds(i) }, Cancel);
            if (i % 8 == 7)
                await CheckpointAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _key.Dispose();
        await _store.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Events_out_of_the_middle_are_proven_with_the_public_key_alone_and_of_others_no_word_is_shown()
    {
        var lines = await ExcerptAsync(13, 14, 40);
        var report = await VerifyAsync(lines);
        Assert.Empty(report.Findings);
        // A checkpoint comes with every twelve events: from 13 and 14 to 24, and from 40 to 48.
        Assert.Equal((3, 2, 13, 48), (report.EventsChecked, report.CheckpointsChecked, report.FromPosition, report.ToPosition));
        Assert.Equal(3, lines.Count(l => l.Contains("\"Data\"", StringComparison.Ordinal)));
        Assert.Equal(12 + 9, lines.Count(l => l.StartsWith("{\"Position\"", StringComparison.Ordinal) || l.StartsWith("{\"Bare\"", StringComparison.Ordinal)));
        Assert.All(lines.Where(l => l.StartsWith("{\"Bare\"", StringComparison.Ordinal)), l => Assert.Equal(["Bare", "Sequence", "Version", "Content", "Foreign"], JsonNode.Parse(l)!.AsObject().Select(m => m.Key)));

        using var other = SigningKey.LoadOrCreate(Path.Combine(_folder, "other.key"));
        Assert.NotEmpty((await VerifyAsync(lines, other.Public)).Findings);
    }

    /// <summary>The last one before a checkpoint, the first behind one, and all of them.</summary>
    [Fact]
    public async Task Any_selection_is_proven()
    {
        foreach (var positions in new long[][] { [1], [12], [13], [12, 13], [60], [1, 60], [.. Enumerable.Range(1, 60)] })
        {
            var report = await VerifyAsync(await ExcerptAsync(positions));
            Assert.Empty(report.Findings);
            Assert.Equal(positions.Length, report.EventsChecked);
        }
    }

    [Fact]
    public async Task What_nothing_signed_stands_behind_is_refused_until_something_does()
    {
        await _store.AppendAsync(Some.Append(Some.Stream()), Cancel);
        var refused = await Assert.ThrowsAsync<EventStoreException>(() => ExcerptAsync(3, 61));
        Assert.Contains("position 61: the last checkpoint is at position 60", refused.Message, StringComparison.Ordinal);
        await CheckpointAsync();
        Assert.Empty((await VerifyAsync(await ExcerptAsync(3, 61))).Findings);
    }

    [Fact]
    public async Task Every_one_of_five_thousand_changes_to_an_excerpt_is_detected()
    {
        var lines = await ExcerptAsync(2, 5, 6, 12, 13, 30, 47, 60);
        var random = new Random(Seed);
        for (var n = 0; n < Mutations; n++)
        {
            var (changed, what) = ExportMutations.Mutate(lines, n, random);
            Assert.True((await VerifyAsync(changed)).Findings.Count > 0, $"seed {Seed}, mutation {n} was not detected: {what}");
        }
        Assert.Empty((await VerifyAsync(lines)).Findings);
    }

    /// <summary>Who has the key signs what was never there: the checkpoints that are kept elsewhere say so.</summary>
    [Fact]
    public async Task A_checkpoint_that_is_another_outside_is_forged()
    {
        var made = (await _store.ReadCheckpointsAsync(Cancel))[0];
        var forged = CheckpointStatement.Sign(new LedgerHead(made.StoreId, made.Position, made.Sequence, made.Hash), null, made.At.AddSeconds(1), _key);
        var lines = (await ExcerptAsync(5)).ToArray();
        lines[1] = $"{{\"Checkpoint\":{CheckpointFile.Format(forged)}}}";
        Assert.Empty((await VerifyAsync(lines)).Findings);
        using var input = Input(lines);
        var report = await ExportVerifier.VerifyAsync(input, new VerifyOptions { Key = _key.Public, Outside = _outside }, Cancel);
        Assert.Contains(report.Findings, f => f.Kind == FindingKind.CheckpointForged && f.What.Contains("another outside", StringComparison.Ordinal));
        Assert.Equal(0, report.EventsChecked);
    }

    private Task CheckpointAsync() => new Checkpointer(_store, _key, _outside, TimeProvider.System).CheckpointAsync(Cancel);

    private async Task<IReadOnlyList<string>> ExcerptAsync(params long[] positions)
    {
        using var output = new MemoryStream();
        var summary = await Excerpter.WriteAsync(_store, positions.ToHashSet(), output, cancellationToken: Cancel);
        Assert.Equal(positions.Length, summary.Events);
        return Encoding.UTF8.GetString(output.ToArray()).Split('\n')[..^1];
    }

    private async Task<VerifyReport> VerifyAsync(IReadOnlyList<string> lines, PublicKey? key = null)
    {
        using var input = Input(lines);
        return await ExportVerifier.VerifyAsync(input, new VerifyOptions { Key = key ?? _key.Public }, Cancel);
    }

    private static MemoryStream Input(IReadOnlyList<string> lines) => new(Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n"));
}
