using Antbot.Kernel.Proof;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.EventStore.Contract;

public abstract class LedgerContract : StoreTests
{
    [Fact]
    public async Task The_chain_begins_at_the_stores_genesis_and_binds_every_event()
    {
        for (var i = 0; i < 10; i++)
            await AppendAsync(Some.Append(Some.Stream(), Some.Events(1 + i % 4)) with { Meta = new EventMeta($"c{i}", TraceId: i % 2 == 0 ? "t" : null) });

        var head = await Store.Ledger.ReadHeadAsync(Cancel);
        var (previous, position) = (ChainLink.Genesis(head.StoreId), 0L);
        await foreach (var link in Store.Ledger.ReadLinksAsync(0, Cancel))
        {
            Assert.Equal(++position, link.Position);
            Assert.NotNull(link.Event);
            Assert.Equal(link.EventId, link.Event.EventId);
            Assert.Equal(link.Sequence, link.Event.Sequence);
            Assert.Equal(link.CorrelationId, link.Event.CorrelationId);
            Assert.Equal(previous, link.PreviousHash);
            Assert.Equal(ChainLink.Hash(previous, link.Event.ContentHash(), position, link.Sequence, link.Event.Version, foreign: false), link.Hash);
            Assert.False(link.Foreign);
            previous = link.Hash;
        }
        Assert.Equal(head.Position, position);
        Assert.Equal(head.Hash, previous);
    }

    [Fact]
    public async Task An_empty_ledger_has_its_genesis_for_a_head()
    {
        var head = await Store.Ledger.ReadHeadAsync(Cancel);
        Assert.Equal(0, head.Position);
        Assert.Equal(ChainLink.Genesis(head.StoreId), head.Hash);
        Assert.NotEqual(Guid.Empty, head.StoreId);
    }

    [Fact]
    public async Task An_untouched_store_has_no_mismatch_and_nothing_unsealed()
    {
        for (var i = 0; i < 10; i++)
            await AppendAsync(Some.Append(Some.Stream(), Some.Events(3)) with { At = Some.Time.AddSeconds(-i) });

        Assert.Empty(await Store.Ledger.FindHeadMismatchesAsync(10, Cancel));
        Assert.Empty(await Store.Ledger.FindUnsealedAsync(10, Cancel));
        Assert.Equal(0, (await Store.Ledger.SealAsync(10, cancellationToken: Cancel)).Sealed);
    }

    [Fact]
    public async Task The_links_read_from_any_position_on()
    {
        await AppendAsync(Some.Append(Some.Stream(), Some.Events(25)));
        var positions = new List<long>();
        await foreach (var link in Store.Ledger.ReadLinksAsync(20, Cancel))
            positions.Add(link.Position);
        Assert.Equal([21L, 22L, 23L, 24L, 25L], positions);
    }

    /// <summary>Prevents a chain that seems to end where a page was full of bytes before it was full of links.</summary>
    [Fact]
    public async Task The_links_of_large_events_read_to_the_end()
    {
        var all = await AppendLargeAsync();
        var ids = new List<Guid>();
        await foreach (var link in Store.Ledger.ReadLinksAsync(0, Cancel))
            ids.Add(Assert.IsType<StoredEvent>(link.Event).EventId);
        Assert.Equal(all.Select(e => e.EventId), ids);
    }

    [Fact]
    public async Task Whoever_breaks_off_reading_the_links_leaves_nothing_behind_that_stands_in_the_way()
    {
        await AppendLargeAsync();
        // More often than any engine has connections.
        for (var i = 1; i <= 30; i++)
        {
            var read = 0;
            await foreach (var _ in Store.Ledger.ReadLinksAsync(0, Cancel))
            {
                if (++read == i)
                    break;
            }
            Assert.Equal(i, read);
        }
        Assert.IsType<AppendOutcome.Appended>(await Store.AppendAsync(Some.Append(Some.Stream()), Cancel));
        Assert.Equal(41, (await Store.Ledger.ReadHeadAsync(Cancel)).Position);
    }

    [Fact]
    public async Task Checkpoints_of_the_chain_are_kept_in_order()
    {
        await AppendAsync(Some.Append(Some.Stream(), Some.Events(5)));
        var head = await Store.Ledger.ReadHeadAsync(Cancel);
        Checkpoint At(long position) => new(head.StoreId, position, position, new byte[32], Some.Time, [1, 2], "key", [3, 4]);
        await Store.Ledger.SaveCheckpointAsync(At(2), Cancel);
        await Store.Ledger.SaveCheckpointAsync(At(5), Cancel);

        var kept = await Store.Ledger.ReadCheckpointsAsync(Cancel);
        Assert.Equal([2L, 5L], kept.Select(c => c.Position));
        Assert.Equal(At(2) with { Hash = kept[0].Hash, Previous = kept[0].Previous, Signature = kept[0].Signature }, kept[0]);
        Assert.Equal([3, 4], kept[0].Signature);
    }

    [Fact]
    public async Task An_imported_history_keeps_every_number_and_proof_and_goes_on()
    {
        var stream = Some.Stream();
        await AppendAsync(Some.Append(stream, Some.Events(3)) with { Meta = new EventMeta("c", "d", "e", "f") });
        await AppendAsync(Some.Append(Some.Stream(), Some.Events(2)));
        var head = await Store.Ledger.ReadHeadAsync(Cancel);
        var links = new List<LedgerLink>();
        await foreach (var link in Store.Ledger.ReadLinksAsync(0, Cancel))
            links.Add(link);

        await using var memory = new InMemoryEventStore(Guid.NewGuid());
        await memory.ImportAsync(head.StoreId, links, Cancel);
        Assert.IsType<AppendOutcome.Appended>(await memory.AppendAsync(Some.Append(stream, Some.Events(2)) with { Expected = ExpectedVersion.Exactly(3) }, Cancel));

        // And back: the two that were added there follow here, with their numbers and hashes.
        var more = new List<LedgerLink>();
        await foreach (var link in memory.ReadLinksAsync(5, Cancel))
            more.Add(link);
        await Store.Ledger.ImportAsync(head.StoreId, more, Cancel);

        var (here, there) = (await ReadAllAsync(Store), await ReadAllAsync(memory));
        Assert.Equal(7, here.Count);
        for (var i = 0; i < here.Count; i++)
            AssertSame(there[i], here[i]);
        Assert.Equal((await memory.ReadHeadAsync(Cancel)).Hash, (await Store.Ledger.ReadHeadAsync(Cancel)).Hash);
        Assert.Empty(await Store.Ledger.FindHeadMismatchesAsync(10, Cancel));
        Assert.True((await AppendAsync(Some.Append(stream)))[0].Sequence > here[^1].Sequence);
    }

    [Fact]
    public async Task An_import_that_does_not_continue_the_chain_is_refused()
    {
        await AppendAsync(Some.Append(Some.Stream(), Some.Events(3)));
        await using var memory = new InMemoryEventStore(Guid.NewGuid());
        await memory.AppendAsync(Some.Append(Some.Stream(), Some.Events(4)), Cancel);
        var links = new List<LedgerLink>();
        await foreach (var link in memory.ReadLinksAsync(0, Cancel))
            links.Add(link);
        var head = await Store.Ledger.ReadHeadAsync(Cancel);

        Assert.Equal(StoreFault.Invalid, await FaultOfAsync(() => Store.Ledger.ImportAsync(head.StoreId, links, Cancel)));
        Assert.Equal(StoreFault.Invalid, await FaultOfAsync(() => Store.Ledger.ImportAsync(head.StoreId, links[3..], Cancel)));
        var source = (await memory.ReadHeadAsync(Cancel)).StoreId;
        Assert.Equal(StoreFault.Invalid, await FaultOfAsync(() => Store.Ledger.ImportAsync(source, links, Cancel)));
        Assert.Equal(3, (await ReadAllAsync(Store)).Count);
        Assert.Equal(head.Hash, (await Store.Ledger.ReadHeadAsync(Cancel)).Hash);
    }

    [Fact]
    public async Task A_page_that_is_no_piece_of_a_chain_leaves_nothing_behind()
    {
        await using var memory = new InMemoryEventStore(Guid.NewGuid());
        await memory.AppendAsync(Some.Append(Some.Stream(), Some.Events(3)), Cancel);
        var links = await ReadLinksAsync(memory);
        var source = (await memory.ReadHeadAsync(Cancel)).StoreId;
        var before = await Store.Ledger.ReadHeadAsync(Cancel);

        foreach (var broken in new List<LedgerLink>[]
        {
            [links[0], links[2]],
            [links[1]],
            [links[0], links[0]],
            [links[0], links[1] with { Event = null }],
            [links[0], links[1], links[2] with { Event = links[1].Event }],
            [links[0], links[1] with { PreviousHash = links[1].Hash }],
            [links[0] with { Hash = [1, 2, 3] }],
            [links[0] with { CorrelationId = "another" }],
            // Each number, id and version is there once.
            [links[0], links[1], links[2] with { Event = links[2].Event! with { Version = 1 } }],
            [links[0], links[1] with { Sequence = links[0].Sequence, Event = links[1].Event! with { Sequence = links[0].Sequence } }],
            [links[0], links[1] with { EventId = links[0].EventId, Event = links[1].Event! with { EventId = links[0].EventId } }],
        })
        {
            Assert.Equal(StoreFault.Invalid, await FaultOfAsync(() => Store.Ledger.ImportAsync(source, broken, Cancel)));
            Assert.Empty(await Store.ReadPageAsync(0, 10, Cancel));
            Assert.Equal(before.StoreId, (await Store.Ledger.ReadHeadAsync(Cancel)).StoreId);
        }
        await Store.Ledger.ImportAsync(source, [], Cancel);
        await Store.Ledger.ImportAsync(source, links, Cancel);
        Assert.Equal((await memory.ReadHeadAsync(Cancel)).Hash, (await Store.Ledger.ReadHeadAsync(Cancel)).Hash);
    }

    /// <summary>Prevents a head that goes back to an older version, or takes its times from a later event, when pages part a stream that was sealed late.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(100)]
    public async Task A_history_in_which_events_were_sealed_late_comes_in_with_the_right_heads(int page)
    {
        // Versions in the order of the chain: a stranger's 1, 4 and 5 were sealed after what was appended behind them.
        var (stream, other) = (Some.Stream().Value, Some.Stream().Value);
        var source = Guid.NewGuid();
        var events = new[] { (stream, 2L), (stream, 3L), (stream, 6L), (other, 1L), (stream, 1L), (stream, 4L), (stream, 5L), (other, 2L) };
        var (links, previous) = (new List<LedgerLink>(), ChainLink.Genesis(source));
        for (var i = 0; i < events.Length; i++)
        {
            var e = new StoredEvent
            {
                Sequence = i + 1, Position = i + 1, EventId = Guid.NewGuid(), Stream = events[i].Item1, Version = events[i].Item2,
                Type = "noted", ClrType = null, Data = "{}"u8.ToArray(), Timestamp = Some.Time.AddSeconds(events[i].Item2),
            };
            var foreign = i is 4 or 5 or 6;
            var hash = ChainLink.Hash(previous, e.ContentHash(), i + 1, i + 1, e.Version, foreign);
            links.Add(new LedgerLink(i + 1, i + 1, e.EventId, null, previous, hash, foreign, e));
            previous = hash;
        }
        foreach (var chunk in links.Chunk(page))
            await Store.Ledger.ImportAsync(source, chunk, Cancel);

        Assert.Empty(await Store.Ledger.FindHeadMismatchesAsync(10, Cancel));
        Assert.Equal(6, await Store.ReadVersionAsync(new(stream), Cancel));
        Assert.Equal(Enumerable.Range(1, 6).Select(v => (long)v), (await ReadStreamAsync(new(stream))).Select(e => e.Version));
        Assert.Equal(events, (await ReadAllAsync(Store)).Select(e => (e.Stream, e.Version)));
        Assert.Equal(links.Select(l => l.Foreign), (await ReadLinksAsync(Store.Ledger)).Select(l => l.Foreign));
        Assert.Equal(previous, (await Store.Ledger.ReadHeadAsync(Cancel)).Hash);
        Assert.Equal(9, (await AppendAsync(Some.Append(new(stream)) with { Expected = ExpectedVersion.Exactly(6) }))[0].Position);
    }

    private static async Task<List<LedgerLink>> ReadLinksAsync(ILedger ledger)
    {
        var links = new List<LedgerLink>();
        await foreach (var link in ledger.ReadLinksAsync(0, Cancel))
            links.Add(link);
        return links;
    }
}
