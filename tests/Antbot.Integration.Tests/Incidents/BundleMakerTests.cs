using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Incidents.Bundles;
using Antbot.Integration.Tests.ConsoleApi;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Incidents;

/// <summary>What is written can be read, however much belongs to an incident.</summary>
public sealed class BundleMakerTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Begin = new(2026, 5, 6, 23, 0, 0, TimeSpan.Zero);
    private static readonly Guid Incident = DeterministicId.From("the incident");

    private readonly InMemoryBlobs _blobs = new();
    private ViewedHistory _history = null!;
    private int _seconds;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _history = await ViewedHistory.OpenAsync();

    public ValueTask DisposeAsync() => _history.DisposeAsync();

    [Fact]
    public async Task A_body_that_finds_no_room_takes_none_from_those_behind_it()
    {
        var body = new byte[70_000];
        await _blobs.PutAsync(BlobHash.Of(body), body, Cancel);
        await DieAsync(new ContentHash(new string('0', 64), 300 * 1024 * 1024));
        await DieAsync(new ContentHash(BlobHash.Of(body), body.Length));
        var (members, left) = await MadeAsync();
        Assert.Equal([$"blobs/{BlobHash.Of(body)}"], members.Where(m => m.StartsWith("blobs/", StringComparison.Ordinal)));
        Assert.Contains($"Bodies of dead letters for which there is no room (1): {new string('0', 64)} of 314,572,800 bytes.", left);
    }

    [Fact]
    public async Task What_a_letter_was_changed_into_is_in_it_too_within_the_same_bounds()
    {
        var (came, changed) = (new byte[70_000], new byte[80_000]);
        foreach (var body in new[] { came, changed })
            await _blobs.PutAsync(BlobHash.Of(body), body, Cancel);
        var (before, after) = (new ContentHash(BlobHash.Of(came), came.Length), new ContentHash(BlobHash.Of(changed), changed.Length));
        await DieAsync(before);
        await EditAsync(before, 1, after, null);
        // One that is in its event, one that is sent as it came again, and one for which there is no room.
        await EditAsync(before, 2, new ContentHash(BlobHash.Of([1]), 1), [1]);
        await EditAsync(before, 3, before, null);
        await EditAsync(before, 4, new ContentHash(new string('0', 64), 300 * 1024 * 1024), null);
        var (members, left) = await MadeAsync();
        Assert.Equal([$"blobs/{before.Sha256}", $"blobs/{after.Sha256}"], members.Where(m => m.StartsWith("blobs/", StringComparison.Ordinal)));
        Assert.Contains($"Bodies of dead letters for which there is no room (1): {new string('0', 64)} of 314,572,800 bytes.", left);
    }

    [Fact]
    public async Task However_many_bodies_are_missing_it_is_one_gap()
    {
        for (var i = 0; i < 150; i++)
            await DieAsync(new ContentHash(BlobHash.Of(BitConverter.GetBytes(i)), 4));
        var gap = Assert.Single((await MadeAsync()).Left, l => l.StartsWith("Bodies of dead letters", StringComparison.Ordinal));
        Assert.StartsWith("Bodies of dead letters that are not in the store (150): ", gap, StringComparison.Ordinal);
        Assert.EndsWith(" and 50 more.", gap, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_its_own_reader_would_refuse_is_not_finished()
    {
        var manifest = new BundleManifest(BundleManifest.Version, $"{Incident:N}", Guid.NewGuid(), Begin, Begin, Begin, "1", ".NET", [], []);
        using var bundle = new BundleWriter(new MemoryStream(), Begin);
        Assert.Contains("1,001 things", (await RefusedAsync(manifest with { Left = [.. Enumerable.Repeat("x", 1_001)] })).Message, StringComparison.Ordinal);
        Assert.Contains("its manifest has ", (await RefusedAsync(manifest with { Left = [new string('x', 3 * 1024 * 1024)] })).Message, StringComparison.Ordinal);
        Assert.Equal(1_000, (await bundle.FinishAsync(manifest with { Left = [.. Enumerable.Repeat("x", 1_000)] }, key: null)).Left.Count);

        async Task<EventStoreException> RefusedAsync(BundleManifest refused)
        {
            var thrown = await Assert.ThrowsAsync<EventStoreException>(() => bundle.FinishAsync(refused, key: null));
            Assert.Equal(StoreFault.Invalid, thrown.Fault);
            return thrown;
        }
    }

    private Task DieAsync(ContentHash content)
    {
        var letter = DeterministicId.From("letter", content.Sha256);
        return AppendAsync(Streams.DeadLetter(letter), new DeadLetterKept(letter, "antbot-risk_error", "risk", DeadLetterKind.Fault, letter, "AssessRisk", [], "System.Exception", "it is large", "", 5, Begin, "1", "cause", null, null, null, content));
    }

    private Task EditAsync(ContentHash died, int edit, ContentHash after, byte[]? body)
    {
        var letter = DeterministicId.From("letter", died.Sha256);
        return AppendAsync(Streams.DeadLetter(letter), new DeadLetterEdited(letter, Guid.NewGuid(), "cause", edit, "[]", died, after, body, "a typing error", "anna"));
    }

    private async Task<(IReadOnlyList<string> Members, IReadOnlyList<string> Left)> MadeAsync()
    {
        await AppendAsync(Streams.Incident(Incident), new IncidentOpened(Incident, IncidentSource.Person, "", "letters hang", "anna", Begin, Begin.AddMinutes(-5), Begin.AddDays(1), []));
        await _history.CatchUpAsync();
        var file = Path.Combine(_history.Folder, "b.zip");
        await using (var to = File.Create(file))
            Assert.NotNull(await new BundleMaker(_history.Store, RandomHistory.Codec, _history.Models, _blobs, TimeProvider.System, logs: null, key: null).WriteAsync(Incident, to, cancellationToken: Cancel));
        using var bundle = BundleReader.Open(file);
        return ([.. bundle.Manifest.Members.Select(m => m.Name)], bundle.Manifest.Left);
    }

    private Task AppendAsync(StreamId stream, object @event) => _history.AppendAsync(Begin.AddSeconds(++_seconds), stream, "operator:anna", @event);
}
