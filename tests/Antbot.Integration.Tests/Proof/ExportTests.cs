using System.Text;
using System.Text.Json.Nodes;
using Antbot.Contracts;
using Antbot.EventStore.Contract;
using Antbot.EventStore.Proof;
using Antbot.Kernel.Proof;
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

    [Fact]
    public async Task Every_one_of_ten_thousand_changes_to_an_export_is_detected()
    {
        var random = new Random(Seed);
        for (var n = 0; n < Mutations; n++)
        {
            var (changed, what) = Mutate(n % 8, random);
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

    private (IReadOnlyList<string> Lines, string What) Mutate(int kind, Random random)
    {
        var lines = _lines.ToList();
        var line = random.Next(lines.Count);
        switch (kind)
        {
            case 0:
                lines.RemoveAt(line);
                return (lines, $"line {line + 1} removed");
            case 1:
                var other = (line + random.Next(1, lines.Count)) % lines.Count;
                (lines[line], lines[other]) = (lines[other], lines[line]);
                return (lines, $"lines {line + 1} and {other + 1} swapped");
            case 2:
                lines.Insert(line, lines[line]);
                return (lines, $"line {line + 1} doubled");
            case 3:
                lines.RemoveRange(Math.Max(1, line), lines.Count - Math.Max(1, line));
                return (lines, $"cut from line {line + 1} on");
            case 4:
                var text = lines[line];
                lines[line] = text[..random.Next(text.Length)];
                return (lines, $"line {line + 1} shortened");
            case 5:
                return (Rewrite(lines, random), "a suffix rewritten with recomputed hashes");
            default:
                return (lines, EditField(lines, line, random));
        }
    }

    private static string EditField(List<string> lines, int line, Random random)
    {
        var node = JsonNode.Parse(lines[line])!.AsObject();
        if (node["Checkpoint"] is JsonObject checkpoint)
            return EditField(checkpoint, node, lines, line, random);
        return EditField(node, node, lines, line, random);
    }

    private static string EditField(JsonObject target, JsonObject whole, List<string> lines, int line, Random random)
    {
        var name = target.ElementAt(random.Next(target.Count)).Key;
        var old = target[name];
        target[name] = old switch
        {
            null => "forged",
            JsonObject => new JsonObject { ["Forged"] = random.Next() },
            JsonValue v when v.TryGetValue<long>(out var number) => number + random.Next(1, 1000),
            JsonValue v when v.TryGetValue<bool>(out var flag) => !flag,
            JsonValue v when Guid.TryParse(v.ToString(), out _) => Guid.NewGuid().ToString(),
            _ => Change(old.ToString(), random),
        };
        lines[line] = whole.ToJsonString();
        return $"line {line + 1}: {name}";
    }

    private static string Change(string text, Random random)
    {
        if (text.Length == 0)
            return "00";
        // The last characters of base64 may hold bits that mean nothing.
        var at = random.Next(Math.Max(1, text.Length - 4));
        return text[..at] + (text[at] == 'A' ? 'B' : 'A') + text[(at + 1)..];
    }

    /// <summary>What somebody with a copy of this program could do: a change, and every hash behind it made anew.</summary>
    private static List<string> Rewrite(List<string> lines, Random random)
    {
        var first = lines.FindIndex(l => l.StartsWith("{\"Position\"", StringComparison.Ordinal));
        var at = random.Next(first, lines.Count - 1);
        var previous = Convert.FromBase64String(JsonNode.Parse(lines[at])!["PreviousHash"]!.ToString());
        for (var i = at; i < lines.Count - 1; i++)
        {
            var node = JsonNode.Parse(lines[i])!.AsObject();
            if (i == at)
                node["Data"] = new JsonObject { ["Forged"] = random.Next() };
            node["PreviousHash"] = Convert.ToBase64String(previous);
            var link = ExportFormat.ReadLink(System.Text.Json.JsonDocument.Parse(node.ToJsonString()).RootElement);
            previous = ChainLink.Hash(previous, link.Event!.ContentHash(), link.Position, link.Sequence, link.Event.Version, link.Foreign);
            node["Hash"] = Convert.ToBase64String(previous);
            lines[i] = node.ToJsonString();
        }
        var end = JsonNode.Parse(lines[^1])!.AsObject();
        end["Hash"] = Convert.ToBase64String(previous);
        lines[^1] = end.ToJsonString();
        return lines;
    }

    /// <summary>A ledger in which something happens just before and just after its checkpoints are read.</summary>
    private sealed class BusyLedger(ILedger ledger, Func<Task> happens) : ILedger
    {
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

        public Task SaveCheckpointAsync(Checkpoint checkpoint, CancellationToken cancellationToken = default) => ledger.SaveCheckpointAsync(checkpoint, cancellationToken);

        public Task ImportAsync(Guid storeId, IReadOnlyList<LedgerLink> links, CancellationToken cancellationToken = default) => ledger.ImportAsync(storeId, links, cancellationToken);
    }
}
