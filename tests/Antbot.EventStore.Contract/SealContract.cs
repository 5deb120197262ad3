using System.Collections.Concurrent;
using System.Globalization;
using Antbot.Contracts;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.EventStore.Contract;

/// <summary>
/// What a program that knows the tables and not the ledger appends is adopted; what somebody changed is not. The statements here are
/// the same in every engine's SQL.
/// </summary>
public abstract class SealContract : StoreTests
{
    private static readonly SealerOptions Quick = new() { Every = TimeSpan.FromMilliseconds(50), Recent = TimeSpan.FromMilliseconds(100), WholeEvery = TimeSpan.FromMilliseconds(200) };

    /// <summary>In one transaction, beside the store.</summary>
    protected abstract Task ExecuteAsync(params string[] statements);

    /// <summary>How a stranger draws the next number.</summary>
    protected abstract string NextSequence { get; }

    [Fact]
    public async Task What_a_stranger_appended_is_linked_in_its_order_marked_and_followed()
    {
        var ours = Some.Stream();
        await AppendAsync(Some.Append(ours, Some.Events(2)));
        await AppendAsStrangerAsync(ours, 3, 4);
        var theirs = Some.Stream("stranger");
        await AppendAsStrangerAsync(theirs, 1);
        await AppendAsync(Some.Append(ours) with { Expected = ExpectedVersion.Exactly(4) });
        Assert.Equal([ours.Value, ours.Value, theirs.Value], (await Store.Ledger.FindUnsealedAsync(10, Cancel)).Select(e => e.Stream));
        Assert.Equal(3, (await ReadAllAsync(Store)).Count);

        Assert.Equal(1, (await SealAsync(limit: 1)).Sealed);
        Assert.Equal(2, (await SealAsync()).Sealed);
        Assert.Equal((0, 0), Counts(await SealAsync()));

        Assert.Equal([(ours.Value, 1L), (ours.Value, 2L), (ours.Value, 5L), (ours.Value, 3L), (ours.Value, 4L), (theirs.Value, 1L)], (await ReadAllAsync(Store)).Select(e => (e.Stream, e.Version)));
        Assert.Equal([false, false, false, true, true, true], (await LinksAsync()).Select(l => l.Foreign));
        Assert.Empty(await Store.Ledger.FindUnsealedAsync(10, Cancel));
        Assert.Empty(await Store.Ledger.FindHeadMismatchesAsync(10, Cancel));
    }

    [Fact]
    public async Task Only_what_comes_behind_a_sequence_is_looked_at()
    {
        var (early, late) = (Some.Stream(), Some.Stream());
        await AppendAsStrangerAsync(early, 1);
        var between = (await AppendAsync(Some.Append(Some.Stream())))[0].Sequence;
        await AppendAsStrangerAsync(late, 1);

        Assert.Equal(1, (await Store.Ledger.SealAsync(10, between, Cancel)).Sealed);
        Assert.Equal(early.Value, Assert.Single(await Store.Ledger.FindUnsealedAsync(10, Cancel)).Stream);
    }

    /// <summary>Prevents a changed row from being adopted as somebody's new event: its place in the chain belongs to another id.</summary>
    [Fact]
    public async Task An_event_whose_id_was_changed_is_refused_and_named_and_nothing_else_waits_for_it()
    {
        var appended = await AppendAsync(Some.Append(Some.Stream(), Some.Events(3)));
        await ExecuteAsync($"update mt_events set id = '11111111-2222-3333-4444-555555555555' where seq_id = {appended[1].Sequence}");
        var stranger = Some.Stream("stranger");
        await AppendAsStrangerAsync(stranger, 1);

        await RefusedAsync(appended[1].Sequence, "position 2", sealedBeside: 1);
        var links = await LinksAsync();
        Assert.Equal(4, links.Count);
        Assert.Equal(stranger.Value, links[3].Event!.Stream);
        // And the change stays in sight.
        Assert.NotEqual(links[1].EventId, links[1].Event!.EventId);
    }

    [Fact]
    public async Task Rows_that_were_moved_to_other_sequences_are_refused_and_stand_in_nobodys_way()
    {
        // More of them than are looked at in one go, before and behind the stranger's events.
        var ours = Some.Stream();
        foreach (var count in new[] { 600, 600 })
            await AppendAsync(Some.Append(ours, Some.Events(count)));
        var (first, second) = (Some.Stream("stranger"), Some.Stream("stranger"));
        await AppendAsStrangerAsync(first, 1);
        await ExecuteAsync($"update mt_events set seq_id = seq_id + 100000 where stream_id = '{ours}' and version > 600");
        await ExecuteAsync($"update mt_events set seq_id = -seq_id where stream_id = '{ours}' and version <= 600");
        await AppendAsStrangerAsync(second, 1, 2);

        var found = await SealAsync(limit: 1);
        Assert.Equal(1, found.Sealed);
        found = await SealAsync(limit: 2);
        Assert.Equal((2, SealSummary.RefusedMax), Counts(found));
        Assert.All(found.Refused, r => Assert.Contains("position", r.What, StringComparison.Ordinal));
        Assert.Equal((0, SealSummary.RefusedMax), Counts(await SealAsync()));
        var links = await LinksAsync();
        Assert.Equal([first.Value, second.Value, second.Value], links.Skip(1_200).Select(l => l.Event!.Stream));
        // And the move stays in sight.
        Assert.All(links.Take(1_200), l => Assert.Null(l.Event));
    }

    [Fact]
    public async Task Two_rows_that_changed_places_are_refused()
    {
        var appended = await AppendAsync(Some.Append(Some.Stream(), Some.Events(2)));
        await ExecuteAsync($"update mt_events set seq_id = 5000 where seq_id = {appended[0].Sequence}");
        await ExecuteAsync($"update mt_events set seq_id = {appended[0].Sequence} where seq_id = {appended[1].Sequence}");
        await ExecuteAsync($"update mt_events set seq_id = {appended[1].Sequence} where seq_id = 5000");
        Assert.Equal((0, 2), Counts(await SealAsync()));
        Assert.Equal(2, (await LinksAsync()).Count);
    }

    [Fact]
    public async Task An_event_that_its_streams_head_does_not_know_is_refused()
    {
        var stream = Some.Stream();
        await AppendAsync(Some.Append(stream, Some.Events(2)));
        await AppendAsStrangerAsync(stream, 3);
        await ExecuteAsync($"update mt_streams set version = 2 where id = '{stream}'");
        var (sequence, other) = (Assert.Single(await Store.Ledger.FindUnsealedAsync(10, Cancel)).Sequence, Some.Stream());
        await AppendAsStrangerAsync(other, 1);
        await RefusedAsync(sequence, "head is at version 2", sealedBeside: 1);

        await ExecuteAsync($"update mt_streams set version = 3 where id = '{stream}'");
        Assert.Equal((1, 0), Counts(await SealAsync()));
        await AppendAsStrangerAsync(other, 2);
        await ExecuteAsync($"delete from mt_streams where id = '{other}'");
        Assert.Contains("head is at version 0", Assert.Single((await SealAsync()).Refused).What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_event_that_cannot_be_hashed_is_refused_and_nothing_else_waits_for_it()
    {
        var (odd, sound) = (Some.Stream(), Some.Stream());
        await AppendAsStrangerAsync(odd, 1);
        await AppendAsStrangerAsync(sound, 1);
        await ExecuteAsync($$"""update mt_events set data = '{"X":1e20000}' where stream_id = '{{odd}}'""");
        var sequence = (await Store.Ledger.FindUnsealedAsync(10, Cancel)).Single(e => e.Stream == odd.Value).Sequence;

        await RefusedAsync(sequence, "canonical", sealedBeside: 1);
        Assert.Equal(sound.Value, Assert.Single(await LinksAsync()).Event!.Stream);
    }

    [Fact]
    public async Task Of_two_events_with_one_id_one_is_adopted()
    {
        var (one, other) = (Some.Stream(), Some.Stream());
        await AppendAsStrangerAsync(one, 1);
        await AppendAsStrangerAsync(other, 1);
        await ExecuteAsync("update mt_events set id = '11111111-2222-3333-4444-555555555555'");

        var found = await SealAsync();
        Assert.Equal((1, 1), Counts(found));
        Assert.Contains(other.Value, found.Refused[0].What, StringComparison.Ordinal);
        Assert.Equal((0, 1), Counts(await SealAsync()));
        Assert.Single(await LinksAsync());
    }

    [Fact]
    public async Task Large_events_of_a_stranger_are_adopted_too()
    {
        var stream = Some.Stream();
        await AppendAsStrangerAsync(stream, [.. Enumerable.Range(1, 40).Select(v => (long)v)]);
        var text = new string('x', 999_900);
        await ExecuteAsync($$"""update mt_events set data = '{"Text":"{{text}}"}'""");

        Assert.Equal((40, 0), Counts(await SealAsync()));
        Assert.Equal(Enumerable.Range(1, 40).Select(v => (long)v), (await LinksAsync()).Select(l => l.Event!.Version));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(StoreLimits.PageSizeMax + 1)]
    public async Task A_limit_that_is_none_is_refused(int limit) =>
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Store.Ledger.SealAsync(limit, cancellationToken: Cancel));

    /// <summary>Nobody calls for it: the event is in the chain, and whoever follows the store sees it.</summary>
    [Fact]
    public async Task While_a_sealer_runs_a_strangers_event_is_adopted_without_anybody_asking()
    {
        await using var again = await OpenAgainAsync();
        var (said, followed) = (new ConcurrentQueue<string>(), new ConcurrentQueue<string>());
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var subscription = new DurableSubscription(
            again,
            "follower",
            (page, _) =>
            {
                foreach (var e in page)
                    followed.Enqueue(e.Stream);
                return Task.CompletedTask;
            },
            TimeProvider.System,
            new SubscriptionOptions { Poll = TimeSpan.FromMilliseconds(100) });
        var running = new[] { new Sealer(Store.Ledger, TimeProvider.System, (_, what) => said.Enqueue(what), Quick).RunAsync(stop.Token), subscription.RunAsync(stop.Token) };
        var ours = await AppendAsync(Some.Append(Some.Stream(), Some.Events(2)));
        for (var i = 1; i <= 3; i++)
        {
            await AppendAsStrangerAsync(new StreamId($"stranger-{i}"), 1, 2);
            await UntilAsync(() => followed.Count(s => s == $"stranger-{i}") == 2, $"stranger-{i} was not adopted");
        }
        // What somebody changed is said once, however often it is met, and is not sealed.
        await ExecuteAsync($"update mt_events set id = '11111111-2222-3333-4444-555555555555' where seq_id = {ours[0].Sequence}");
        await AppendAsStrangerAsync(new StreamId("stranger-4"), 1);
        await UntilAsync(() => said.Any(s => s.StartsWith("Not sealed", StringComparison.Ordinal)), "the change was not reported");
        await UntilAsync(() => followed.Contains("stranger-4"), "nothing was sealed beside the change");
        await stop.CancelAsync();
        await Task.WhenAll(running);

        Assert.Single(said, s => s.StartsWith("Not sealed", StringComparison.Ordinal));
        Assert.DoesNotContain(said, s => s.StartsWith("Nothing can", StringComparison.Ordinal));
        Assert.Equal(ours.Select(e => e.EventId), (await LinksAsync()).Take(2).Select(l => l.EventId));
    }

    [Fact]
    public async Task Many_sealers_at_once_adopt_every_event_once()
    {
        await using var again = await OpenAgainAsync();
        var sealers = new[] { Store.Ledger, Store.Ledger, again.Ledger, again.Ledger };
        for (var round = 0; round < 5; round++)
        {
            await AppendAsStrangerAsync(Some.Stream(), [.. Enumerable.Range(1, 40).Select(v => (long)v)]);
            var appending = Enumerable.Range(0, 10).Select(_ => Task.Run(() => AppendAsync(Some.Append(Some.Stream())))).ToArray();
            var found = await Task.WhenAll(sealers.Select(s => Task.Run(() => s.SealAsync(1_000, cancellationToken: Cancel))));
            Assert.Equal(40, found.Sum(f => f.Sealed));
            Assert.All(found, f => Assert.Empty(f.Refused));
            await Task.WhenAll(appending);
        }
        var links = await LinksAsync();
        Assert.Equal(250, links.Count);
        Assert.Equal(200, links.Count(l => l.Foreign));
        Assert.Equal(250, links.Select(l => l.EventId).Distinct().Count());
    }

    private static (int Sealed, int Refused) Counts(SealSummary found) => (found.Sealed, found.Refused.Count);

    private Task<SealSummary> SealAsync(int limit = 100) => Store.Ledger.SealAsync(limit, cancellationToken: Cancel);

    /// <summary>One is refused with its reason, the others are sealed, and it is refused again for as long as it stands.</summary>
    private async Task RefusedAsync(long sequence, string why, int sealedBeside)
    {
        var found = await SealAsync();
        Assert.Equal((sealedBeside, 1), Counts(found));
        Assert.Equal(sequence, found.Refused[0].Sequence);
        Assert.Contains(why, found.Refused[0].What, StringComparison.Ordinal);
        Assert.Equal((0, 1), Counts(await SealAsync()));
        Assert.Equal(sequence, Assert.Single(await Store.Ledger.FindUnsealedAsync(10, Cancel)).Sequence);
    }

    private async Task<List<LedgerLink>> LinksAsync()
    {
        var links = new List<LedgerLink>();
        await foreach (var link in Store.Ledger.ReadLinksAsync(0, Cancel))
            links.Add(link);
        Assert.Equal(Enumerable.Range(1, links.Count).Select(i => (long)i), links.Select(l => l.Position));
        return links;
    }

    /// <summary>As a session of Marten does: the head and the events together, with its own clock, no link.</summary>
    private Task AppendAsStrangerAsync(StreamId stream, params long[] versions)
    {
        var head = versions[0] == 1
            ? $"insert into mt_streams (id, type, version) values ('{stream}', 'trade', {versions[^1]})"
            : $"update mt_streams set version = {versions[^1]}, type = 'trade' where id = '{stream}'";
        return ExecuteAsync([head, .. versions.Select(version => string.Create(
            CultureInfo.InvariantCulture,
            $$"""
            insert into mt_events (seq_id, id, stream_id, version, data, type, mt_dotnet_type)
            values ({{NextSequence}}, '{{Guid.NewGuid()}}', '{{stream}}', {{version}}, '{"X": 1.5}', 'noted', 'Some.Noted, Some')
            """))]);
    }

    private static async Task UntilAsync(Func<bool> done, string otherwise)
    {
        for (var i = 0; i < 600 && !done(); i++)
            await Task.Delay(50, Cancel);
        Assert.True(done(), $"{otherwise} within 30 s");
    }
}
