using Antbot.EventStore.Contract;
using Antbot.EventStore.Sqlite;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Sqlite;

/// <summary>Events that somebody else appended, without links; and heads that do not agree.</summary>
public sealed class SqliteStrangerTests : IAsyncLifetime
{
    private readonly SqliteFolder _folder = new();
    private SqliteEventStore _store = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _store = await _folder.OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task What_a_stranger_appended_is_read_at_once_followed_once_it_is_sealed_and_marked()
    {
        var stream = Some.Stream();
        await _store.AppendAsync(Some.Append(stream, Some.Events(2)), Cancel);
        Stranger(stream.Value, 3, 4);
        // Ours comes behind theirs, before they are sealed.
        var ours = Assert.IsType<AppendOutcome.Appended>(await _store.AppendAsync(Some.Append(stream) with { Expected = ExpectedVersion.Exactly(4) }, Cancel)).Events[0];
        Assert.Equal((5L, 5L, 3L), (ours.Version, ours.Sequence, ours.Position));

        Assert.Equal([1L, 2L, 0L, 0L, 3L], (await ReadAsync(stream.Value)).Select(e => e.Position));
        Assert.Equal([1L, 2L, 5L], (await _store.ReadPageAsync(0, 10, Cancel)).Select(e => e.Version));
        Assert.Equal([3L, 4L], (await _store.FindUnsealedAsync(10, Cancel)).Select(e => e.Version));
        Assert.Empty(await _store.FindHeadMismatchesAsync(10, Cancel));

        Assert.Equal(1, (await _store.SealAsync(1, cancellationToken: Cancel)).Sealed);
        Assert.Equal(1, (await _store.SealAsync(10, cancellationToken: Cancel)).Sealed);
        Assert.Equal(0, (await _store.SealAsync(10, cancellationToken: Cancel)).Sealed);

        // Whoever had come to sequence 5 goes on behind it, though these have smaller numbers.
        var late = await _store.ReadPageAsync(5, 10, Cancel);
        Assert.Equal([(3L, 4L), (4L, 5L)], late.Select(e => (e.Version, e.Position)));
        Assert.Empty(await _store.ReadPageAsync(late[^1].Sequence, 10, Cancel));
        var foreign = new List<bool>();
        await foreach (var link in _store.ReadLinksAsync(0, Cancel))
            foreign.Add(link.Foreign);
        Assert.Equal([false, false, false, true, true], foreign);
        Assert.Empty(await _store.FindHeadMismatchesAsync(10, Cancel));
    }

    [Fact]
    public async Task A_history_with_a_strangers_events_moves_to_another_store_as_it_is()
    {
        var stream = Some.Stream();
        await _store.AppendAsync(Some.Append(stream, Some.Events(2)) with { Meta = new EventMeta("c", "d", "e", "f") }, Cancel);
        Stranger(stream.Value, 3);
        await _store.AppendAsync(Some.Append(stream), Cancel);
        await _store.SealAsync(10, cancellationToken: Cancel);
        var links = new List<LedgerLink>();
        await foreach (var link in _store.ReadLinksAsync(0, Cancel))
            links.Add(link);
        var head = await _store.ReadHeadAsync(Cancel);

        using var elsewhere = new SqliteFolder();
        await using var other = await elsewhere.OpenAsync();
        foreach (var link in links)
            await other.ImportAsync(head.StoreId, [link], Cancel);

        Assert.Equal(head.Hash, (await other.ReadHeadAsync(Cancel)).Hash);
        Assert.Equal(head.StoreId, (await other.ReadHeadAsync(Cancel)).StoreId);
        Assert.Equal(4, await other.ReadVersionAsync(stream, Cancel));
        Assert.Empty(await other.FindHeadMismatchesAsync(10, Cancel));
        Assert.Equal((await _store.ReadPageAsync(0, 10, Cancel)).Select(e => e.Sequence), (await other.ReadPageAsync(0, 10, Cancel)).Select(e => e.Sequence));
        Assert.Equal(5, Assert.IsType<AppendOutcome.Appended>(await other.AppendAsync(Some.Append(stream), Cancel)).Events[0].Sequence);
    }

    [Fact]
    public async Task An_import_that_breaks_off_leaves_nothing_behind()
    {
        var events = Assert.IsType<AppendOutcome.Appended>(await _store.AppendAsync(Some.Append(Some.Stream(), Some.Events(3)), Cancel)).Events;
        var links = new List<LedgerLink>();
        await foreach (var link in _store.ReadLinksAsync(0, Cancel))
            links.Add(link);
        var source = (await _store.ReadHeadAsync(Cancel)).StoreId;

        using var elsewhere = new SqliteFolder();
        await using var other = await elsewhere.OpenAsync();
        var before = await other.ReadHeadAsync(Cancel);
        var bad = links[2] with { Event = events[1] };
        foreach (var broken in new List<LedgerLink>[] { [links[0], links[2]], [links[0], links[1], bad], [links[1]], [links[0], links[1] with { Event = null }] })
        {
            var e = await Assert.ThrowsAsync<EventStoreException>(() => other.ImportAsync(source, broken, Cancel));
            Assert.Equal(StoreFault.Invalid, e.Fault);
            Assert.Empty(await other.ReadPageAsync(0, 10, Cancel));
            Assert.Equal(before.StoreId, (await other.ReadHeadAsync(Cancel)).StoreId);
        }
    }

    [Theory]
    [InlineData("UPDATE mt_streams SET version = 9", "version")]
    [InlineData("UPDATE mt_streams SET timestamp = '2020-01-01T00:00:00.000000Z'", "timestamp")]
    [InlineData("UPDATE mt_streams SET created = '2020-01-01T00:00:00.000000Z'", "created")]
    [InlineData("UPDATE mt_streams SET tenant_id = 'other'", "tenant_id")]
    [InlineData("UPDATE mt_streams SET tenant_id = NULL", "tenant_id")]
    [InlineData("UPDATE mt_streams SET type = 'order'", "type")]
    [InlineData("UPDATE mt_streams SET is_archived = 1", "is_archived")]
    [InlineData("UPDATE mt_streams SET is_archived = NULL", "is_archived")]
    [InlineData("DELETE FROM mt_streams", "no stream")]
    [InlineData("DELETE FROM mt_events", "no events")]
    [InlineData("DELETE FROM mt_events WHERE version = 2", "versions")]
    [InlineData("DELETE FROM mt_events WHERE version = 3", "last event")]
    public async Task A_head_that_does_not_agree_with_its_events_is_found_and_named(string change, string word)
    {
        var stream = Some.Stream();
        await _store.AppendAsync(Some.Append(stream, Some.Events(3)), Cancel);
        Assert.Empty(await _store.FindHeadMismatchesAsync(10, Cancel));
        using (var other = _folder.OpenBeside())
            other.Execute(change);

        var mismatch = Assert.Single(await _store.FindHeadMismatchesAsync(10, Cancel));
        Assert.Equal(stream.Value, mismatch.Stream);
        Assert.Contains(word, mismatch.What.Replace("version ", "versions ", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    private async Task<List<StoredEvent>> ReadAsync(string stream)
    {
        var events = new List<StoredEvent>();
        await foreach (var e in _store.ReadStreamAsync(new(stream), 1, Cancel))
            events.Add(e);
        return events;
    }

    /// <summary>Appends as a program would that knows the tables and not the ledger: with its own clock in the head.</summary>
    private void Stranger(string stream, params long[] versions)
    {
        using var other = _folder.OpenBeside();
        foreach (var version in versions)
        {
            other.Get("INSERT INTO mt_events (id, stream_id, version, data, type, timestamp, mt_dotnet_type) VALUES (?1, ?2, ?3, '{\"By\": \"stranger\"}', 'noted', ?4, 'X.Noted, X')")
                .Bind(1, Guid.NewGuid()).Bind(2, stream).Bind(3, version).Bind(4, Some.Time).Run();
            other.Get("UPDATE mt_streams SET version = ?2, timestamp = ?3, type = 'order' WHERE id = ?1").Bind(1, stream).Bind(2, version).Bind(3, Some.Time.AddDays(1)).Run();
        }
    }
}
