using System.Diagnostics;
using Antbot.EventStore;
using Antbot.EventStore.Contract;
using Antbot.EventStore.Sqlite;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Sqlite;

/// <summary>What other programs do to the file while the store has it open.</summary>
public sealed class SqliteFileTests : IDisposable
{
    private readonly SqliteFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_lock_that_somebody_keeps_makes_it_unavailable_and_goes_by_itself()
    {
        await using var store = await _folder.OpenAsync(o => o with { BusyTimeout = TimeSpan.FromMilliseconds(200) });
        using var other = _folder.OpenBeside();
        other.BeginImmediate(TimeSpan.FromSeconds(1));
        var request = Some.Append(Some.Stream());

        var since = Stopwatch.GetTimestamp();
        var e = await Assert.ThrowsAsync<EventStoreException>(() => store.AppendAsync(request, Cancel));
        Assert.Equal(StoreFault.Unavailable, e.Fault);
        Assert.Contains("Another process holds", e.Message, StringComparison.Ordinal);
        Assert.InRange(Stopwatch.GetElapsedTime(since), TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(5));
        // Reads go on meanwhile.
        Assert.Equal(0, await store.ReadVersionAsync(request.Stream, Cancel));

        other.Commit();
        Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(request, Cancel));
    }

    [Fact]
    public async Task A_caller_is_not_kept_waiting_for_ever_and_knows_what_it_does_not_know()
    {
        await using var store = await _folder.OpenAsync(o => o with { BusyTimeout = TimeSpan.FromMinutes(1), AnswerMax = TimeSpan.FromMilliseconds(300) });
        using var other = _folder.OpenBeside();
        other.BeginImmediate(TimeSpan.FromSeconds(1));
        var (sent, queued) = (Some.Append(Some.Stream()), Some.Append(Some.Stream()));

        var first = store.AppendAsync(sent, Cancel);
        Assert.Equal(StoreFault.OutcomeUnknown, (await Assert.ThrowsAsync<EventStoreException>(() => first)).Fault);
        // The first is still on its way, so this one never leaves the queue: that much is known.
        Assert.Equal(StoreFault.Busy, (await Assert.ThrowsAsync<EventStoreException>(() => store.AppendAsync(queued, Cancel))).Fault);

        other.Commit();
        var again = await store.AppendAsync(sent, Cancel);
        Assert.IsType<AppendOutcome.AlreadyThere>(again);
        Assert.Empty(await store.FindDecisionAsync(queued.Decision, Cancel));
    }

    [Fact]
    public async Task A_file_that_was_moved_away_takes_no_appends_until_it_is_back()
    {
        await using var store = await _folder.OpenAsync();
        var stream = Some.Stream();
        await store.AppendAsync(Some.Append(stream), Cancel);
        var away = _folder.Path + ".away";
        File.Move(_folder.Path, away);

        foreach (var act in new Func<Task>[] { () => store.AppendAsync(Some.Append(stream), Cancel), () => store.ReadVersionAsync(stream, Cancel) })
            Assert.Equal(StoreFault.Unavailable, (await Assert.ThrowsAsync<EventStoreException>(act)).Fault);
        Assert.False(File.Exists(_folder.Path));

        File.Move(away, _folder.Path);
        Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(Some.Append(stream), Cancel));
        Assert.Equal(2, (await SqliteFolder.VerifyAsync(store)).Count);
    }

    [Fact]
    public async Task Two_stores_on_one_file_share_the_numbers_and_the_chain()
    {
        await using var a = await _folder.OpenAsync();
        await using var b = await _folder.OpenAsync();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 400).Select(i => Task.Run(() => (i % 2 == 0 ? a : b).AppendAsync(Some.Append(Some.Stream($"s{i % 3}"), Some.Events(2)), Cancel))));

        Assert.All(outcomes, o => Assert.IsType<AppendOutcome.Appended>(o));
        var events = await SqliteFolder.VerifyAsync(a);
        Assert.Equal(800, events.Count);
        Assert.Equal(Enumerable.Range(1, 800).Select(n => (long)n), events.Select(e => e.Sequence));
    }

    [Fact]
    public async Task A_sequence_is_never_given_again_even_when_its_event_is_gone_from_every_table()
    {
        await using var store = await _folder.OpenAsync();
        var first = Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(Some.Append(Some.Stream(), Some.Events(5)), Cancel)).Events;
        using (var other = _folder.OpenBeside())
        {
            other.Execute("DELETE FROM mt_events WHERE seq_id >= 4");
            other.Execute("DELETE FROM antbot_ledger WHERE seq_id >= 4");
        }
        var next = Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(Some.Append(Some.Stream()), Cancel)).Events;
        Assert.Equal(first[^1].Sequence + 1, next[0].Sequence);
    }

    [Fact]
    public async Task An_event_that_is_gone_is_reported_and_never_passed_over()
    {
        await using var store = await _folder.OpenAsync();
        var meta = new EventMeta(CorrelationId: "trade-1");
        var request = Some.Append(Some.Stream(), Some.Events(3)) with { Meta = meta };
        await store.AppendAsync(request, Cancel);
        using (var other = _folder.OpenBeside())
            other.Execute("DELETE FROM mt_events WHERE seq_id = 2");

        foreach (var read in new Func<Task>[]
        {
            () => store.ReadPageAsync(0, 10, Cancel),
            () => store.FindByCorrelationAsync("trade-1", cancellationToken: Cancel),
            () => store.FindDecisionAsync(request.Decision, Cancel),
            () => store.AppendAsync(request, Cancel),
        })
        {
            var e = await Assert.ThrowsAsync<EventStoreException>(read);
            Assert.Equal(StoreFault.Corrupt, e.Fault);
            Assert.Contains("antbot verify", e.Message, StringComparison.Ordinal);
        }
        var links = new List<LedgerLink>();
        await foreach (var link in store.ReadLinksAsync(0, Cancel))
            links.Add(link);
        Assert.Equal([false, true, false], links.Select(l => l.Event is null));
        Assert.Single(await store.FindHeadMismatchesAsync(10, Cancel));
        // The store still takes what has nothing to do with it.
        Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(Some.Append(Some.Stream()), Cancel));
    }

    [Fact]
    public async Task A_link_that_is_gone_is_reported_and_never_passed_over()
    {
        await using var store = await _folder.OpenAsync();
        await store.AppendAsync(Some.Append(Some.Stream(), Some.Events(3)), Cancel);
        using (var other = _folder.OpenBeside())
            other.Execute("DELETE FROM antbot_ledger WHERE position = 2");
        var e = await Assert.ThrowsAsync<EventStoreException>(() => store.ReadPageAsync(0, 10, Cancel));
        Assert.Equal(StoreFault.Corrupt, e.Fault);
        Assert.Contains("position 2", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("UPDATE mt_events SET id = 'nobody' WHERE seq_id = 3")]
    [InlineData("UPDATE mt_events SET timestamp = 'yesterday' WHERE seq_id = 3")]
    public async Task A_row_that_does_not_read_ends_the_links_where_it_stands(string damage)
    {
        await using var store = await _folder.OpenAsync();
        await store.AppendAsync(Some.Append(Some.Stream(), Some.Events(5)), Cancel);
        using (var other = _folder.OpenBeside())
            other.Execute(damage);
        var links = new List<LedgerLink>();
        var e = await Assert.ThrowsAsync<EventStoreException>(async () =>
        {
            await foreach (var link in store.ReadLinksAsync(0, Cancel))
                links.Add(link);
        });
        Assert.Equal(StoreFault.Corrupt, e.Fault);
        Assert.Contains("sequence 3", e.Message, StringComparison.Ordinal);
        Assert.Equal([1L, 2L], links.Select(l => l.Position));
    }

    [Fact]
    public async Task A_snapshot_that_was_changed_is_as_good_as_none()
    {
        await using var store = await _folder.OpenAsync();
        var snapshot = new Snapshot(Some.Stream(), "account:1", 7, """{"Balance":100.0}"""u8.ToArray());
        foreach (var change in new[] { "state = '{\"Balance\":900.0}'", "version = 9", "name = 'account:2'", "stream_id = 'account-other'", "hash = x'00'", "state = '{'" })
        {
            // What was spoilt before does not keep a sound one out, whatever version it claims.
            await store.SaveSnapshotAsync(snapshot, Cancel);
            Assert.NotNull(await store.LoadSnapshotAsync(snapshot.Stream, snapshot.Name, Cancel));
            using (var other = _folder.OpenBeside())
                other.Execute($"UPDATE antbot_snapshots SET {change}");
            Assert.Null(await store.LoadSnapshotAsync(snapshot.Stream, snapshot.Name, Cancel));
            Assert.Null(await store.LoadSnapshotAsync(snapshot.Stream, "account:2", Cancel));
            using (var other = _folder.OpenBeside())
                other.Execute("DELETE FROM antbot_snapshots WHERE name = 'account:2' OR stream_id = 'account-other'");
        }
    }

    /// <summary>Prevents a store that replaces another one: a move that may not overwrite looks first and renames then.</summary>
    [Fact]
    public async Task Of_many_files_that_take_one_name_at_once_one_has_it()
    {
        for (var round = 0; round < 200; round++)
        {
            var path = Path.Combine(_folder.Folder, $"name-{round}");
            using var start = new Barrier(4);
            var won = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Factory.StartNew(
                () =>
                {
                    var aside = $"{path}.{i}";
                    File.WriteAllText(aside, $"{i}");
                    start.SignalAndWait(Cancel);
                    return WholeFile.TryPlace(aside, path);
                },
                Cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
            Assert.Equal(File.ReadAllText(path), $"{Array.IndexOf(won, true)}");
            Assert.Single(won, w => w);
            Assert.Equal([path], Directory.EnumerateFiles(_folder.Folder, $"name-{round}*"));
        }
    }

    [Fact]
    public async Task Many_that_open_a_store_which_is_not_there_yet_open_the_same()
    {
        for (var round = 0; round < 5; round++)
        {
            var path = Path.Combine(_folder.Folder, $"new-{round}.db");
            var appended = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(async () =>
            {
                await using var store = await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = path }, Cancel);
                return Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(Some.Append(Some.Stream()), Cancel)).Events[0].EventId;
            })));
            await using var all = await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = path }, Cancel);
            Assert.Equal(appended.Order(), (await SqliteFolder.VerifyAsync(all)).Select(e => e.EventId).Order());
        }
    }
}
