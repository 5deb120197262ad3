using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Kernel.Proof;
using Antbot.Runtime.Projections;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.EventStore.Contract;

/// <summary>Streams that are moved to an archive: gone, and known to have been.</summary>
public abstract class ArchiveContract : StoreTests
{
    private const string File = "antbot-1-9-0123456789abcdef.jsonl";

    private IArchivingLedger Ledger => (IArchivingLedger)Store.Ledger;

    [Fact]
    public async Task What_is_taken_out_keeps_its_place_in_the_chain_and_everything_else_reads_as_before()
    {
        var (gone, other) = (Some.Stream(), Some.Stream());
        await AppendAsync(Some.Append(other, Some.Events(2)));
        await AppendAsync(Some.Append(gone, Some.Events(3)) with { Meta = new EventMeta("chain") });
        await AppendAsync(Some.Append(other, Some.Events(1)) with { Meta = new EventMeta("chain") });
        await AppendAsync(Some.Append(gone, Some.Events(1)));
        var all = await ReadAllAsync(Store);
        var links = await ReadLinksAsync();
        var record = await RecordAsync();

        Assert.Empty(await Ledger.TakeOutAsync(await OfAsync(record, gone), Cancel));

        Assert.Equal(4, await Store.ReadVersionAsync(gone, Cancel));
        Assert.Equal((StoreFault.Archived, File), await ArchiveOfAsync(() => ReadStreamAsync(gone)));
        Assert.Equal((StoreFault.Archived, File), await ArchiveOfAsync(() => ReadStreamAsync(gone, 4)));
        Assert.Empty(await ReadStreamAsync(gone, 5));
        Assert.Equal(3, (await ReadStreamAsync(other)).Count);
        Assert.Equal((StoreFault.Archived, File), await ArchiveOfAsync(() => Store.ReadPageAsync(0, 100, Cancel)));
        Assert.Equal((StoreFault.Archived, File), await ArchiveOfAsync(() => Store.FindByCorrelationAsync("chain", 100, Cancel)));
        var chain = await Store.FindChainAsync("chain", 100, Cancel);
        Assert.Equal((1, 3), (chain.Events.Count, chain.Archived.Count));

        var after = await ReadLinksAsync();
        Assert.Equal(links.Count + 1, after.Count);
        foreach (var (was, link) in links.Zip(after))
        {
            Assert.Equal((was.Position, was.Sequence, was.EventId, was.CorrelationId), (link.Position, link.Sequence, link.EventId, link.CorrelationId));
            Assert.Equal(was.Event!.Stream == gone.Value, link.Event is null);
            if (link.Event is not null)
            {
                Assert.Null(link.Archived);
                continue;
            }
            Assert.Equal((File, was.Event.Version, was.Position, was.Sequence), (link.Archived!.Archive, link.Archived.Version, link.Archived.Position, link.Archived.Sequence));
            Assert.Equal(link.Hash, ChainLink.Hash(link.PreviousHash, link.Archived.Content, link.Position, link.Sequence, link.Archived.Version, link.Foreign));
        }
        // Wherever a page begins, also behind an event that is gone: nothing comes twice and nothing is left out.
        foreach (var from in all)
        {
            var page = await Store.ReadPageAsync(from.Sequence, 100, EventPage.EveryStream, Cancel);
            var rest = all.Where(e => e.Position > from.Position).ToList();
            Assert.Equal([.. rest.Where(e => e.Stream != gone.Value).Select(e => e.EventId), record.EventId], page.Events.Select(e => e.EventId));
            Assert.Equal(rest.Where(e => e.Stream == gone.Value).Select(e => e.Sequence), page.Archived.Select(a => a.Sequence));
            Assert.Equal(record.Sequence, page.Through);
        }
        Assert.Equal(record.EventId, Assert.Single(await Store.ReadPageAsync(all[^1].Sequence, 100, Cancel)).EventId);
        Assert.Empty(await Store.Ledger.FindHeadMismatchesAsync(10, Cancel));
        Assert.Empty(await Store.Ledger.FindUnsealedAsync(10, Cancel));
        Assert.Equal((4, gone.Value), (await Ledger.CountArchivedAsync(Cancel), Assert.Single(await Ledger.ReadArchivedStreamsAsync(File, Cancel))));
        Assert.Equal(7, (await Store.Ledger.ReadHeadAsync(Cancel)).Position - 1);
    }

    /// <summary>Prevents a stream that seems to be empty because so much was read of the next one.</summary>
    [Fact]
    public async Task Of_many_streams_what_is_archived_is_told_however_large_the_others_are()
    {
        var (gone, large) = (Some.Stream(), Some.Stream());
        await AppendAsync(Some.Append(gone));
        for (var i = 0; i < 6; i++)
            await AppendAsync(Some.Append(large, Some.LargeEvents(3)));
        await Ledger.TakeOutAsync(await OfAsync(await RecordAsync(), gone), Cancel);

        Assert.Equal((StoreFault.Archived, File), await ArchiveOfAsync(async () => await Store.ReadStreamsAsync([new StreamStart(gone), new StreamStart(large)], Cancel).ToListAsync(Cancel)));
        Assert.Equal((StoreFault.Archived, File), await ArchiveOfAsync(async () => await Store.ReadStreamsAsync([new StreamStart(large), new StreamStart(gone)], Cancel).ToListAsync(Cancel)));
    }

    /// <summary>Prevents a second decision on what was decided before its stream was archived.</summary>
    [Fact]
    public async Task A_decision_that_comes_again_is_known_and_nothing_new_is_appended_to_an_archived_stream()
    {
        var gone = Some.Stream();
        var decided = Some.Append(gone, Some.Events(2));
        await AppendAsync(decided);
        await Ledger.TakeOutAsync(await OfAsync(await RecordAsync(), gone), Cancel);

        Assert.Empty(Assert.IsType<AppendOutcome.AlreadyThere>(await Store.AppendAsync(decided, Cancel)).Events);
        Assert.Empty(Assert.IsType<AppendOutcome.AlreadyThere>(await Store.AppendAsync(decided with { Stream = Some.Stream(), Events = Some.Events(5) }, Cancel)).Events);
        Assert.Equal((StoreFault.Archived, File), await ArchiveOfAsync(() => Store.FindDecisionAsync(decided.Decision, Cancel)));
        Assert.Empty(await Store.FindDecisionAsync(Some.Decision(), Cancel));
        Assert.Equal((StoreFault.Archived, File), await ArchiveOfAsync(() => Store.FindDecidedAsync([Some.Decision(), decided.Decision], Cancel)));
        Assert.Equal((StoreFault.Archived, File), await ArchiveOfAsync(async () => await Store.ReadStreamsAsync([new StreamStart(Some.Stream()), new StreamStart(gone)], Cancel).ToListAsync(Cancel)));
        // What would come behind its end is not there, archived or not.
        Assert.Empty(await Store.ReadStreamsAsync([new StreamStart(gone, 3)], Cancel).ToListAsync(Cancel));
        foreach (var expected in new[] { ExpectedVersion.Any, ExpectedVersion.None, ExpectedVersion.Exactly(2), ExpectedVersion.Exactly(7) })
            Assert.Equal(StoreFault.Archived, await FaultOfAsync(() => Store.AppendAsync(Some.Append(gone) with { Expected = expected }, Cancel)));

        // It is nobody else's fault.
        var (late, neighbour) = (Store.AppendAsync(Some.Append(gone), Cancel), Store.AppendAsync(Some.Append(Some.Stream()), Cancel));
        Assert.IsType<AppendOutcome.Appended>(await neighbour);
        Assert.Equal(StoreFault.Archived, await FaultOfAsync(() => late));
        // A guard on it holds: it stands where it stood.
        Assert.IsType<AppendOutcome.Appended>(await Store.AppendAsync(Some.Append(Some.Stream()) with { Guards = [new StreamGuard(gone, ExpectedVersion.Exactly(2))] }, Cancel));
        Assert.Equal(2, Assert.IsType<AppendOutcome.Conflict>(await Store.AppendAsync(Some.Append(Some.Stream()) with { Guards = [new StreamGuard(gone, ExpectedVersion.None)] }, Cancel)).Actual);
    }

    [Fact]
    public async Task What_does_not_fit_takes_nothing_out()
    {
        var (gone, other) = (Some.Stream(), Some.Stream());
        await AppendAsync(Some.Append(gone, Some.Events(3)));
        await AppendAsync(Some.Append(other, Some.Events(2)));
        var record = await RecordAsync();
        var right = await OfAsync(record, gone);
        var before = await ReadAllAsync(Store);

        Assert.Equal([gone.Value], await Ledger.TakeOutAsync(right with { Streams = [(gone.Value, 2)] }, Cancel));
        Assert.Equal([gone.Value], await Ledger.TakeOutAsync(right with { Streams = [(gone.Value, 4)] }, Cancel));
        Assert.Equal(["order-nobody"], await Ledger.TakeOutAsync(right with { Streams = [.. right.Streams, ("order-nobody", 1)] }, Cancel));
        var others = await OfAsync(record, other);
        foreach (var wrong in new[]
        {
            right with { Record = before[0].Sequence },
            right with { Record = 1_000_000 },
            right with { Archive = "antbot-1-9-00000000000000ff.jsonl" },
            right with { Events = [.. right.Events.Skip(1)] },
            right with { Events = [.. right.Events.Skip(1), others.Events[0]] },
            right with { Events = [.. right.Events, right.Events[0]] },
            right with { Events = [right.Events[0], right.Events[2], (right.Events[1].Sequence, right.Events[2].Content)] },
            right with { Events = [right.Events[0], right.Events[1], (right.Events[2].Sequence, new byte[5])] },
            right with { Streams = [right.Streams[0], right.Streams[0]] },
            right with { Events = [] },
        })
        {
            Assert.Equal(StoreFault.Invalid, await FaultOfAsync(() => Ledger.TakeOutAsync(wrong, Cancel)));
        }
        Assert.Equal(before.Select(e => e.EventId), (await ReadAllAsync(Store)).Select(e => e.EventId));
        Assert.Equal(0, await Ledger.CountArchivedAsync(Cancel));

        Assert.Empty(await Ledger.TakeOutAsync(right, Cancel));
        Assert.Equal([gone.Value], await Ledger.TakeOutAsync(right, Cancel));
        Assert.Empty(await Ledger.TakeOutAsync(others, Cancel));
        Assert.Equal(5, await Ledger.CountArchivedAsync(Cancel));
    }

    [Fact]
    public async Task Whoever_follows_goes_past_what_is_archived()
    {
        var gone = Some.Stream();
        await AppendAsync(Some.Append(gone, Some.Events(5)));
        var stays = await AppendAsync(Some.Append(Some.Stream("account"), Some.Events(2)));
        var record = await RecordAsync();
        await Ledger.TakeOutAsync(await OfAsync(record, gone), Cancel);

        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var seen = new List<Guid>();
        var follower = new DurableSubscription(
            Store,
            "new",
            (page, _) =>
            {
                seen.AddRange(page.Select(e => e.EventId));
                return Task.CompletedTask;
            },
            TimeProvider.System,
            new SubscriptionOptions { PageSize = 2 });
        var running = follower.RunAsync(enough.Token);
        while (await Store.LoadCheckpointAsync("new", Cancel) != record.Sequence)
            await Task.Delay(10, Cancel);
        await enough.CancelAsync();
        await running;
        Assert.Equal([.. stays.Select(e => e.EventId), record.EventId], seen);
    }

    [Fact]
    public async Task Old_streams_and_followers_are_told()
    {
        var streams = Enumerable.Range(1, 5).Select(i => new StreamId($"trade-{i}")).ToList();
        for (var i = 0; i < streams.Count; i++)
            await AppendAsync(Some.Append(streams[i], Some.Events(i + 1)) with { At = Some.Time.AddDays(i) });
        await AppendAsync(Some.Append(new StreamId("trade")));
        await AppendAsync(Some.Append(new StreamId("order-1")));
        await Ledger.TakeOutAsync(await OfAsync(await RecordAsync(), streams[1]), Cancel);

        var old = await Ledger.FindStreamsAsync("trade-", Some.Time.AddDays(3), "", 10, Cancel);
        Assert.Equal([new StreamHead("trade-1", 1, Some.Time), new StreamHead("trade-3", 3, Some.Time.AddDays(2))], old);
        Assert.Equal(["trade-1"], (await Ledger.FindStreamsAsync("trade-", Some.Time.AddDays(30), "", 1, Cancel)).Select(s => s.Stream));
        Assert.Equal(["trade-4", "trade-5"], (await Ledger.FindStreamsAsync("trade-", Some.Time.AddDays(30), "trade-3", 10, Cancel)).Select(s => s.Stream));

        await Store.SaveCheckpointAsync("sender", 4, Cancel);
        await Store.SaveSnapshotAsync(new Snapshot(new StreamId($"{ProjectionRunner.HomePrefix}open"), "open-2", 6, "{}"u8.ToArray()), Cancel);
        await Store.SaveSnapshotAsync(new Snapshot(streams[0], "trade-1", 1, "{}"u8.ToArray()), Cancel);
        Assert.Equal([new Follower("open-2", 6), new Follower("sender", 4)], (await Ledger.ReadFollowersAsync(Cancel)).OrderBy(f => f.Name, StringComparer.Ordinal));
        await Ledger.TakeOutAsync(await OfAsync(await RecordAsync(), streams[0]), Cancel);
        Assert.Null(await Store.LoadSnapshotAsync(streams[0], "trade-1", Cancel));
    }

    /// <summary>The record of the archive, whatever else it says.</summary>
    private async Task<StoredEvent> RecordAsync()
    {
        var body = new StreamsArchived(File, new string('0', 64), 1, [], 1, "1", 1, 1, 1, "test", "test");
        return (await AppendAsync(Some.Append(Streams.Archive(File), new NewEvent(Archiving.RecordType, "x, y", JsonSerializer.SerializeToUtf8Bytes(body)))))[0];
    }

    private async Task<TakeOut> OfAsync(StoredEvent record, StreamId stream)
    {
        var events = await ReadStreamAsync(stream);
        return new TakeOut(File, record.Sequence, [(stream.Value, events[^1].Version)], [.. events.Select(e => (e.Sequence, e.ContentHash()))]);
    }

    private async Task<List<LedgerLink>> ReadLinksAsync()
    {
        var links = new List<LedgerLink>();
        await foreach (var link in Store.Ledger.ReadLinksAsync(0, Cancel))
            links.Add(link);
        return links;
    }

    private static async Task<(StoreFault, string?)> ArchiveOfAsync(Func<Task> act)
    {
        var fault = await Assert.ThrowsAsync<EventStoreException>(act);
        return (fault.Fault, fault.Archive);
    }
}
