using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.EventStore.Contract;

public abstract class ReadContract : StoreTests
{
    [Fact]
    public async Task A_stream_that_is_not_there_is_empty()
    {
        Assert.Empty(await ReadStreamAsync(Some.Stream()));
        Assert.Equal(0, await Store.ReadVersionAsync(Some.Stream(), Cancel));
    }

    [Fact]
    public async Task A_long_stream_reads_from_any_version()
    {
        var stream = Some.Stream();
        for (var i = 0; i < 3; i++)
            await AppendAsync(Some.Append(stream, Some.Events(600)));
        await AppendAsync(Some.Append(Some.Stream()));

        Assert.Equal(Enumerable.Range(1, 1800).Select(i => (long)i), (await ReadStreamAsync(stream)).Select(e => e.Version));
        Assert.Equal([1799L, 1800L], (await ReadStreamAsync(stream, 1799)).Select(e => e.Version));
        Assert.Empty(await ReadStreamAsync(stream, 1801));
    }

    [Fact]
    public async Task Many_streams_are_read_at_once_each_from_its_own_version_in_the_order_in_which_they_are_asked_for()
    {
        var (small, @long, empty, large) = (Some.Stream("b"), Some.Stream("a"), Some.Stream("c"), Some.Stream("a"));
        await AppendAsync(Some.Append(small, Some.Events(3)));
        for (var i = 0; i < 2; i++)
            await AppendAsync(Some.Append(@long, Some.Events(600)));
        // More than a page has, whatever it is bounded by.
        for (var i = 0; i < 3; i++)
            await AppendAsync(Some.Append(large, Some.LargeEvents(3)));
        await AppendAsync(Some.Append(Some.Stream()));

        var read = await Store.ReadStreamsAsync([new(small, 2), new(@long), new(empty), new(large, 3)], Cancel).ToListAsync(Cancel);
        var expected = new List<StoredEvent>();
        foreach (var (stream, from) in new[] { (small, 2L), (@long, 1L), (large, 3L) })
            expected.AddRange(await ReadStreamAsync(stream, from));
        Assert.Equal(expected.Select(e => (e.Stream, e.Version, e.EventId, e.Position)), read.Select(e => (e.Stream, e.Version, e.EventId, e.Position)));
        Assert.Empty(await Store.ReadStreamsAsync([], Cancel).ToListAsync(Cancel));
    }

    [Fact]
    public async Task Of_many_decisions_those_that_were_made_are_found_at_once()
    {
        var made = Enumerable.Range(0, 1_200).Select(i => Some.Append(Some.Stream(), Some.Events(1 + (i % 2)))).ToList();
        await Task.WhenAll(made.Select(m => AppendAsync(m)));
        var found = await Store.FindDecidedAsync([.. made.Select(m => m.Decision), made[0].Decision, Some.Decision(), new(made[1].Decision.InputId, "another consumer")], Cancel);
        Assert.Equal(made.Select(m => m.Decision).ToHashSet(), found.Keys.ToHashSet());
        foreach (var one in new[] { made[0], made[^1] })
        {
            var first = (await ReadStreamAsync(one.Stream))[0];
            Assert.Equal(new EventPlace(one.Stream.Value, 1, first.Sequence), found[one.Decision]);
        }
        Assert.Empty(await Store.FindDecidedAsync([], Cancel));
    }

    [Fact]
    public async Task Everything_is_read_in_commit_order_from_any_sequence_on()
    {
        var expected = new List<Guid>();
        for (var i = 0; i < 12; i++)
            expected.AddRange((await AppendAsync(Some.Append(Some.Stream(), Some.Events(1 + i % 3)))).Select(e => e.EventId));

        var all = await ReadAllAsync(Store, page: 5);
        Assert.Equal(expected, all.Select(e => e.EventId));
        Assert.Equal(Enumerable.Range(1, all.Count).Select(i => (long)i), all.Select(e => e.Position));
        for (var i = 0; i < all.Count; i++)
        {
            var rest = await Store.ReadPageAsync(all[i].Sequence, 1_000, Cancel);
            Assert.Equal(expected.Skip(i + 1), rest.Select(e => e.EventId));
        }
        Assert.Empty(await Store.ReadPageAsync(long.MaxValue, 10, Cancel));
        Assert.Equal(2, (await Store.ReadPageAsync(0, 2, Cancel)).Count);
    }

    [Fact]
    public async Task A_follower_of_some_streams_reads_theirs_and_learns_how_far_it_looked()
    {
        var (wanted, like, other) = (Some.Stream("a_b"), Some.Stream("axb"), Some.Stream("other"));
        foreach (var stream in new[] { other, wanted, like, wanted, other })
            await AppendAsync(Some.Append(stream, Some.Events(2)));
        var all = await ReadAllAsync(Store, page: 100);

        var (found, through, pages) = (new List<StoredEvent>(), 0L, 0);
        while (await Store.ReadPageAsync(through, 3, ["a_b-"], Cancel) is var page && page.Through > through)
        {
            found.AddRange(page.Events);
            (through, pages) = (page.Through, pages + 1);
        }
        Assert.Equal(all.Where(e => e.Stream == wanted.Value).Select(e => e.EventId), found.Select(e => e.EventId));
        Assert.Equal((all[^1].Sequence, 4), (through, pages));
        Assert.Equal((0, through), ((await Store.ReadPageAsync(through, 3, ["a_b-"], Cancel)) is var end ? (end.Events.Count, end.Through) : default));
    }

    /// <summary>Prevents a memory full of large bodies: two thousand of them in a page would be two gigabytes.</summary>
    [Fact]
    public async Task A_page_of_large_bodies_ends_early_and_nothing_is_left_out()
    {
        var all = await AppendLargeAsync();
        await AppendAsync(Some.Append(Some.Stream(), Some.Events(3)));

        var (read, pages) = (new List<StoredEvent>(), 0);
        while (await Store.ReadPageAsync(read.Count == 0 ? 0 : read[^1].Sequence, StoreLimits.PageSizeMax, Cancel) is { Count: > 0 } page)
        {
            Assert.True(page.Take(page.Count - 1).Sum(e => (long)e.Bytes) < StoreLimits.PageBytesMax, $"a page has {page.Sum(e => (long)e.Bytes):N0} bytes in {page.Count} events");
            read.AddRange(page);
            pages++;
        }
        Assert.Equal(all.Select(e => e.EventId), read.Take(all.Count).Select(e => e.EventId));
        Assert.Equal(all.Count + 3, read.Count);
        Assert.Equal(all[^1].ContentHash(), read[all.Count - 1].ContentHash());
        Assert.Equal(3, pages);
        // A small page is not made smaller.
        Assert.Equal(10, (await Store.ReadPageAsync(0, 10, Cancel)).Count);
    }

    [Fact]
    public async Task A_stream_of_large_bodies_is_read_to_its_end()
    {
        var stream = Some.Stream();
        for (var i = 0; i < 10; i++)
            await AppendAsync(Some.Append(stream, Some.LargeEvents(4)));
        Assert.Equal(Enumerable.Range(1, 40).Select(i => (long)i), (await ReadStreamAsync(stream)).Select(e => e.Version));
        Assert.Equal([39L, 40L], (await ReadStreamAsync(stream, 39)).Select(e => e.Version));
    }

    [Fact]
    public async Task A_causal_chain_is_found_by_its_correlation_id_across_streams()
    {
        var ours = new EventMeta(CorrelationId: "trade-1");
        var a = await AppendAsync(Some.Append(Some.Stream(), Some.Events(2)) with { Meta = ours });
        await AppendAsync(Some.Append(Some.Stream()) with { Meta = new EventMeta(CorrelationId: "trade-10") });
        await AppendAsync(Some.Append(Some.Stream()));
        var b = await AppendAsync(Some.Append(Some.Stream("account")) with { Meta = ours });

        Assert.Equal(a.Concat(b).Select(e => e.EventId), (await Store.FindByCorrelationAsync("trade-1", cancellationToken: Cancel)).Select(e => e.EventId));
        Assert.Equal(2, (await Store.FindByCorrelationAsync("trade-1", 2, Cancel)).Count);
        Assert.Empty(await Store.FindByCorrelationAsync("trade-2", cancellationToken: Cancel));
    }

    /// <summary>Prevents engines that differ in what they refuse: what one takes in a test, another refuses in production.</summary>
    [Fact]
    public async Task What_no_engine_can_find_or_keep_is_refused_by_all_of_them_alike()
    {
        await AppendAsync(Some.Append(Some.Stream()) with { Meta = new EventMeta(CorrelationId: "trade-1") });
        foreach (var limit in new[] { int.MinValue, -1, 0, StoreLimits.PageSizeMax + 1, int.MaxValue })
        {
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Store.FindByCorrelationAsync("trade-1", limit, Cancel));
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Store.ReadPageAsync(0, limit, Cancel));
        }
        await Assert.ThrowsAsync<ArgumentNullException>(() => Store.FindByCorrelationAsync(null!, 1, Cancel));
        foreach (var id in new[] { "a\0b", "\ud800", new string('x', StoreLimits.TextLengthMax + 1) })
            Assert.Equal(StoreFault.Invalid, await FaultOfAsync(() => Store.FindByCorrelationAsync(id, 1, Cancel)));
        Assert.Single(await Store.FindByCorrelationAsync("trade-1", StoreLimits.PageSizeMax, Cancel));
        Assert.Empty(await Store.FindByCorrelationAsync(new string('x', StoreLimits.TextLengthMax), 1, Cancel));

        var stream = Some.Stream();
        Snapshot Named(string name) => new(stream, name, 1, "{}"u8.ToArray());
        foreach (var name in new[] { "", "a\0b", "\udc00", new string('x', StoreLimits.CheckpointNameLengthMax + 1) })
        {
            Assert.Equal(StoreFault.Invalid, await FaultOfAsync(() => Store.SaveCheckpointAsync(name, 1, Cancel)));
            Assert.Equal(StoreFault.Invalid, await FaultOfAsync(() => Store.LoadCheckpointAsync(name, Cancel)));
            Assert.Equal(StoreFault.Invalid, await FaultOfAsync(() => Store.SaveSnapshotAsync(Named(name), Cancel)));
            Assert.Equal(StoreFault.Invalid, await FaultOfAsync(() => Store.LoadSnapshotAsync(stream, name, Cancel)));
        }
        await Assert.ThrowsAsync<ArgumentNullException>(() => Store.LoadCheckpointAsync(null!, Cancel));
        Assert.Equal(StoreFault.Invalid, await FaultOfAsync(() => Store.SaveSnapshotAsync(Named("s") with { State = "{"u8.ToArray() }, Cancel)));
        Assert.Equal(StoreFault.TooLarge, await FaultOfAsync(() => Store.SaveSnapshotAsync(Named("s") with { State = new byte[StoreLimits.SnapshotBytesMax + 1] }, Cancel)));
        Assert.Null(await Store.LoadSnapshotAsync(stream, "s", Cancel));
        var longest = new string('x', StoreLimits.CheckpointNameLengthMax);
        await Store.SaveCheckpointAsync(longest, 7, Cancel);
        Assert.Equal(7, await Store.LoadCheckpointAsync(longest, Cancel));
    }

    [Fact]
    public async Task Whoever_waits_is_woken_by_an_append_of_anyone()
    {
        await using var other = await OpenAgainAsync();
        var mark = Store.AppendMark;
        var waiting = Store.WaitForAppendAsync(mark, TimeSpan.FromSeconds(30), Cancel);
        // The other handle may start to listen only now; a second append is then the one that is heard.
        while (!waiting.IsCompleted)
        {
            Assert.IsType<AppendOutcome.Appended>(await other.AppendAsync(Some.Append(Some.Stream()), Cancel));
            await Task.WhenAny(waiting, Task.Delay(50, Cancel));
        }
        await waiting;
        Assert.NotEqual(mark, Store.AppendMark);
        Assert.NotEmpty(await Store.ReadPageAsync(0, 1, Cancel));
    }

    [Fact]
    public async Task Waiting_ends_by_itself_and_by_its_token()
    {
        await Store.WaitForAppendAsync(Store.AppendMark, TimeSpan.FromMilliseconds(20), Cancel);
        using var stop = new CancellationTokenSource();
        var waiting = Store.WaitForAppendAsync(Store.AppendMark, TimeSpan.FromMinutes(1), stop.Token);
        await stop.CancelAsync();
        // A late announcement of the start may have ended it before.
        await waiting.ContinueWith(t => Assert.True(t.IsCanceled || t.IsCompletedSuccessfully), TaskScheduler.Default);
    }

    [Fact]
    public async Task Checkpoints_are_kept_for_each_subscription_by_itself()
    {
        Assert.Equal(0, await Store.LoadCheckpointAsync("trades", Cancel));
        await Store.SaveCheckpointAsync("trades", 7, Cancel);
        await Store.SaveCheckpointAsync("orders", 9, Cancel);
        await Store.SaveCheckpointAsync("trades", 8, Cancel);

        await using var again = await OpenAgainAsync();
        Assert.Equal(8, await again.LoadCheckpointAsync("trades", Cancel));
        Assert.Equal(9, await again.LoadCheckpointAsync("orders", Cancel));
    }

    [Fact]
    public async Task The_latest_snapshot_is_kept_and_an_older_one_never_replaces_it()
    {
        var stream = Some.Stream();
        await AppendAsync(Some.Append(stream, Some.Events(9)));
        Snapshot At(long version) => new(stream, "account:1", version, System.Text.Encoding.UTF8.GetBytes($$"""{"V":{{version}},"A":1.50}"""));

        Assert.Null(await Store.LoadSnapshotAsync(stream, "account:1", Cancel));
        await Store.SaveSnapshotAsync(At(5), Cancel);
        await Store.SaveSnapshotAsync(At(8), Cancel);
        await Store.SaveSnapshotAsync(At(6), Cancel);

        var kept = await Store.LoadSnapshotAsync(stream, "account:1", Cancel);
        Assert.NotNull(kept);
        Assert.Equal(8, kept.Version);
        Assert.Equal("""{"A":1.50,"V":8}""", Text(kept.State));
        Assert.Null(await Store.LoadSnapshotAsync(stream, "account:2", Cancel));
    }

    [Fact]
    public async Task Another_handle_on_the_same_data_sees_and_continues_it()
    {
        var stream = Some.Stream();
        var request = Some.Append(stream);
        var first = await AppendAsync(request);

        await using var again = await OpenAgainAsync();
        Assert.Equal(1, await again.ReadVersionAsync(stream, Cancel));
        var there = Assert.IsType<AppendOutcome.AlreadyThere>(await again.AppendAsync(request, Cancel));
        AssertSame(first[0], there.Events[0]);
        Assert.IsType<AppendOutcome.Appended>(await again.AppendAsync(Some.Append(stream) with { Expected = ExpectedVersion.Exactly(1) }, Cancel));
        Assert.Equal(2, (await ReadStreamAsync(stream)).Count);
    }
}
