using System.Text;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.EventStore.Archives;
using Antbot.EventStore.Contract;
using Antbot.EventStore.Proof;
using Antbot.Forensics;
using Antbot.ReadModels;
using Antbot.Reconciliation;
using Antbot.Runtime.Projections;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Archives;

/// <summary>Old streams in files: what is read is what was read before, and whatever ends it on the way, nothing is lost.</summary>
public sealed class ArchiverTests
{
    private const string Book = $"{OrderBook.Name} of reconciliation-main";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task With_the_archives_everything_is_answered_to_the_byte_as_before()
    {
        await using var history = await ArchivedHistory.OpenAsync();
        var end = (await history.Store.ReadHeadAsync(Cancel)).Sequence;
        await using var models = await SqliteReadModels.OpenAsync(Path.Combine(history.Folder, "views.db"), (await history.Store.ReadHeadAsync(Cancel)).StoreId, Cancel);
        await new ViewProjection(history.Store, new EventCodec(EventRegistry.From(typeof(TradeRaised).Assembly)), models, TimeProvider.System).CatchUpAsync(_ => { }, Cancel);
        var trades = await TradesAsync(history.Store, end);
        var before = await AnswersAsync(history.Store, models, trades, end);

        var run = await history.ArchiveAsync();
        Assert.True(run.Events > 150 && run.Streams >= 24, $"{run.Events} events, {run.Streams} streams");
        Assert.Equal(run.Events, await history.Store.CountArchivedAsync(Cancel));

        var after = await AnswersAsync(history.Whole(), models, trades, end);
        Assert.Equal(before.Count, after.Count);
        foreach (var (was, now) in before.Zip(after))
            Assert.Equal(was, now);
    }

    [Fact]
    public async Task Without_the_archives_a_question_is_refused_with_the_file_that_it_wants()
    {
        await using var history = await ArchivedHistory.OpenAsync();
        var trade = (await TradesAsync(history.Store, long.MaxValue))[0];
        var file = Assert.Single((await history.ArchiveAsync()).Made).File;
        var travel = new TimeTravel(history.Store);
        foreach (var ask in new Func<Task>[]
        {
            () => travel.SystemAsync(new Moment(50, null), null, cancellationToken: Cancel),
            () => travel.StepsAsync(trade, Cancel),
            () => travel.StreamAsync(Streams.Trade(trade), new Moment(50, null), Cancel),
            () => Exporter.ExportAsync(history.Store, Stream.Null, cancellationToken: Cancel),
        })
        {
            var fault = await Assert.ThrowsAsync<EventStoreException>(ask);
            Assert.Equal((StoreFault.Archived, file), (fault.Fault, fault.Archive));
            Assert.Contains(file, fault.Message, StringComparison.Ordinal);
        }
        // What goes on needs none.
        Assert.NotNull(await travel.StreamAsync(new StreamId("account-main"), new Moment(long.MaxValue, null), Cancel));
        // Another file under its name is no answer.
        var path = history.Archives.PathOf(file);
        await File.WriteAllTextAsync(path, (await File.ReadAllTextAsync(path, Cancel)).Replace("\"Actor\":\"service:", "\"Actor\":\"servant:", StringComparison.Ordinal), Cancel);
        Assert.Equal(StoreFault.Corrupt, (await Assert.ThrowsAsync<EventStoreException>(() => new TimeTravel(history.Whole()).StepsAsync(trade, Cancel))).Fault);
        File.Delete(path);
        Assert.Equal(StoreFault.Archived, (await Assert.ThrowsAsync<EventStoreException>(() => new TimeTravel(history.Whole()).StepsAsync(trade, Cancel))).Fault);
    }

    [Theory]
    [InlineData("archive.before-name")]
    [InlineData("archive.after-write")]
    [InlineData("archive.after-verify")]
    [InlineData("archive.after-record")]
    [InlineData("archive.after-take-out")]
    public async Task Killed_anywhere_it_loses_nothing_and_goes_on_where_it_was(string place)
    {
        await using var whole = await ArchivedHistory.OpenAsync();
        var expected = await whole.ArchiveAsync();

        await using var history = await ArchivedHistory.OpenAsync();
        var all = await ReadAllAsync(history.Store);
        var crash = new KilledAt(place);
        await Assert.ThrowsAsync<KilledException>(() => history.ArchiveAsync(crash));
        Assert.True(crash.WasReached);
        await history.ReopenAsync();
        // Whatever was done by then, everything is there.
        Assert.Equal(all, (await ReadAllAsync(history.Whole())).Take(all.Count));
        Assert.Empty((await history.VerifyAsync()).Findings);

        var run = await history.ArchiveAsync();
        Assert.Equal(expected.Events, run.Made.Concat(run.Resumed).Sum(m => (long)m.Events));
        Assert.Equal(place is "archive.after-record" or "archive.after-take-out" ? 1 : 0, run.Resumed.Count);
        Assert.Equal(expected.Events, await history.Store.CountArchivedAsync(Cancel));
        Assert.Equal(all, (await ReadAllAsync(history.Whole())).Take(all.Count));
        await history.CheckpointAsync();
        var report = await history.VerifyAsync();
        Assert.Empty(report.Findings);
        Assert.Equal(expected.Events, report.EventsArchived);
        Assert.Equal((0L, 0, 0), ((await history.ArchiveAsync()).Events, (await history.ArchiveAsync()).Made.Count, (await history.ArchiveAsync()).Resumed.Count));
        Assert.DoesNotContain(Directory.EnumerateFiles(history.Archives.Location), f => f.EndsWith(".part", StringComparison.Ordinal));
    }

    /// <summary>Killed between the name and the disk, the next run once found the file and took its events out of the store: a loss of power then had the only copy.</summary>
    [Theory]
    [InlineData("archive.after-verify", "archive.after-write")]
    [InlineData("archive.after-take-out", "archive.after-record")]
    public async Task A_file_that_was_there_already_is_brought_to_the_disk_with_its_name_before_anything_rests_on_it(string until, string killedFirst)
    {
        await using var history = await ArchivedHistory.OpenAsync();
        await Assert.ThrowsAsync<KilledException>(() => history.ArchiveAsync(new KilledAt(killedFirst)));
        var file = Assert.Single(Directory.EnumerateFiles(history.Archives.Location));
        var flushed = new List<string>();
        await Assert.ThrowsAsync<KilledException>(() => history.ArchiveAsync(new KilledAt(until), folder: new ArchiveFolder(history.Archives.Location, flushed.Add)));
        Assert.Equal([file, history.Archives.Location, history.Folder], flushed);
    }

    [Fact]
    public async Task What_cannot_be_brought_to_the_disk_stays_in_the_store()
    {
        await using var history = await ArchivedHistory.OpenAsync();
        var folder = new ArchiveFolder(history.Archives.Location, path => throw new IOException($"'{path}' is on a disk that is broken."));
        Assert.Equal(StoreFault.Unavailable, (await Assert.ThrowsAsync<EventStoreException>(() => history.ArchiveAsync(folder: folder))).Fault);
        Assert.Equal(0, await history.Store.CountArchivedAsync(Cancel));
        // What it does where nobody looks on.
        var there = Path.GetFileName(Assert.Single(Directory.EnumerateFiles(history.Archives.Location)));
        history.Archives.Flush(there);
        File.Delete(history.Archives.PathOf(there));
        Assert.Equal(StoreFault.Unavailable, Assert.Throws<EventStoreException>(() => history.Archives.Flush(there)).Fault);
    }

    /// <summary>Twenty thousand events that bear letters of 64 KiB each are more than a process has room for.</summary>
    [Fact]
    public async Task A_file_holds_and_a_reader_keeps_so_many_bytes_and_everything_is_told_all_the_same()
    {
        const long fileBytes = 20_000;
        await using var history = await ArchivedHistory.OpenAsync();
        var all = await history.Store.ReadPageAsync(0, 10_000, Cancel);
        var told = await ReadAllAsync(history.Store);
        var run = await history.ArchiveAsync(bytesMax: fileBytes);
        Assert.True(run.Made.Count > 4, $"{run.Made.Count} files");
        foreach (var made in run.Made)
        {
            var bytes = 0L;
            await history.Archives.ReadAsync(made.File, link => bytes += link.Event!.Bytes, Cancel);
            Assert.InRange(bytes, 1, fileBytes);
        }
        var (one, most) = (history.Whole(bytesMax: 1), 0L);
        Assert.Equal(told, (await ReadAllAsync(one)).Take(told.Count));
        var (few, several) = (history.Whole(bytesMax: 200_000), history.Whole());
        foreach (var stored in all)
        {
            var events = new List<Guid>();
            await foreach (var e in few.ReadStreamAsync(new StreamId(stored.Stream), stored.Version, Cancel))
                events.Add(e.EventId);
            Assert.Equal(stored.EventId, events[0]);
            most = Math.Max(most, few.OpenBytes);
        }
        Assert.InRange(most, 100_000, 200_000);
        await ReadAllAsync(several);
        Assert.True(several.OpenBytes > 200_000 && one.OpenBytes < 100_000, $"{several.OpenBytes} and {one.OpenBytes}");
        Assert.Empty((await history.VerifyAsync()).Findings);
    }

    /// <summary>At many moments of a history: what goes on, and what goes on about it, stays.</summary>
    [Fact]
    public async Task Only_what_is_over_is_chosen()
    {
        var chosen = 0;
        foreach (var events in new[] { 60, 150, 240, 330, 420 })
        {
            await using var history = await ArchivedHistory.OpenAsync(events);
            var system = await new TimeTravel(history.Store).SystemAsync(new Moment(long.MaxValue, null), null, cancellationToken: Cancel);
            var live = system.States.Select(s => s.Stream).ToHashSet(StringComparer.Ordinal);
            var held = system.States.Single(s => s.Stream == "account-main").State.GetProperty("Trades").EnumerateObject().Select(t => t.Name).ToHashSet(StringComparer.Ordinal);
            await foreach (var group in new ArchiveChoice(history.Store, history.Store).FindAsync(ArchivedHistory.Later, Cancel))
            {
                var trade = group.Streams.Single(s => s.Stream.StartsWith(Streams.TradePrefix, StringComparison.Ordinal)).Stream[Streams.TradePrefix.Length..];
                Assert.All(group.Streams, s => Assert.DoesNotContain(s.Stream, live));
                Assert.All(group.Streams, s => Assert.EndsWith(trade, s.Stream, StringComparison.Ordinal));
                Assert.DoesNotContain(trade, held);
                chosen++;
            }
        }
        Assert.True(chosen > 5, $"{chosen}");
    }

    [Fact]
    public async Task What_a_follower_has_not_passed_or_nothing_signed_vouches_for_waits()
    {
        await using var history = await ArchivedHistory.OpenAsync();
        var whole = await history.ArchiveAsync(dryRun: true);
        Assert.True(whole is { Streams: > 0, Made: [] });
        Assert.False(Directory.Exists(history.Archives.Location));

        await history.Store.SaveCheckpointAsync("sender", 120, Cancel);
        await history.Store.SaveSnapshotAsync(new Snapshot(new StreamId($"{ProjectionRunner.HomePrefix}open"), "open-1", 200, "{}"u8.ToArray()), Cancel);
        var run = await history.ArchiveAsync(dryRun: true);
        Assert.True(run.Streams < whole.Streams);
        Assert.True(run.HeldBack["sender"] > 0);
        var without = await history.ArchiveAsync(dryRun: true, without: "sender");
        Assert.True(without.HeldBack["open-1"] > 0 && without.Streams >= run.Streams);
        Assert.Equal(whole.Streams, (await history.ArchiveAsync(dryRun: true, without: ["sender", "open-1"])).Streams);

        // By a key that has signed nothing here nothing is vouched for.
        using var other = SigningKey.LoadOrCreate(Path.Combine(history.Folder, "other.key"));
        var unsigned = await new Archiver(history.Store, history.Archives, other.Public, new ArchiveChoice(history.Store, history.Store), TimeProvider.System)
            .RunAsync(new ArchiveOrder(ArchivedHistory.Later, "a test", "anna", ["sender", "open-1"], DryRun: false), cancellationToken: Cancel);
        Assert.True(unsigned is { Made: [], Unsigned: > 0 });
        Assert.Equal(0, (await history.ArchiveAsync(before: DateTimeOffset.UnixEpoch, without: ["sender", "open-1"])).Streams);

        // An order book that has kept nothing would begin at the first fill there ever was.
        await using var fresh = await ArchivedHistory.OpenAsync();
        fresh.Execute("DELETE FROM antbot_snapshots");
        Assert.Equal([Book], (await fresh.ArchiveAsync()).HeldBack.Keys);
        Assert.Equal(0, await fresh.Store.CountArchivedAsync(Cancel));
    }

    /// <summary>A stream to which something comes between the record and the taking out stays, and what goes with it.</summary>
    [Fact]
    public async Task What_something_has_come_to_meanwhile_stays()
    {
        await using var history = await ArchivedHistory.OpenAsync();
        await Assert.ThrowsAsync<KilledException>(() => history.ArchiveAsync(new KilledAt("archive.after-record")));
        var trade = (await TradesAsync(history.Store, long.MaxValue))[0];
        Assert.IsType<AppendOutcome.Appended>(await history.Store.AppendAsync(Some.Append(Streams.Signal(trade)), Cancel));

        var resumed = Assert.Single((await history.ArchiveAsync()).Resumed);
        Assert.Equal([Streams.Order(trade).Value, Streams.Signal(trade).Value, Streams.Trade(trade).Value], resumed.Kept.Order(StringComparer.Ordinal));
        Assert.True(resumed.Events > 0);
        Assert.Empty((await history.VerifyAsync()).Findings);
        Assert.Equal(trade.Value, (await new TimeTravel(history.Store).StreamAsync(Streams.Trade(trade), new Moment(long.MaxValue, null), Cancel))!.Stream[Streams.TradePrefix.Length..]);
    }

    /// <summary>The same streams get the same name: "kept" once stood there for good, however they went later.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_stayed_once_and_goes_later_is_recorded_as_it_is(bool isKilled)
    {
        await using var history = await ArchivedHistory.OpenAsync();
        await Assert.ThrowsAsync<KilledException>(() => history.ArchiveAsync(new KilledAt("archive.after-record")));
        var resumed = Assert.Single((await history.ArchiveAsync(choice: new NothingGoes())).Resumed);
        Assert.Equal((0, resumed.Kept.Count), (resumed.Events, (await LastAsync(history, resumed.File)).Kept.Count));
        Assert.True(resumed.Kept.Count > 10);
        // It is said once, and nothing is begun again for it.
        Assert.Empty((await history.ArchiveAsync(choice: new NothingGoes())).Resumed);

        if (isKilled)
            await Assert.ThrowsAsync<KilledException>(() => history.ArchiveAsync(new KilledAt("archive.after-take-out")));
        var run = await history.ArchiveAsync();
        var made = Assert.Single(isKilled ? run.Resumed : run.Made);
        Assert.Equal((resumed.File, 0), (made.File, made.Kept.Count));
        var end = await LastAsync(history, made.File);
        Assert.Equal((made.Events, 0), (end.Events, end.Kept.Count));
        Assert.Equal(end.Events, await history.Store.CountArchivedAsync(Cancel));
        Assert.Empty((await history.ArchiveAsync()).Resumed);
        Assert.Empty((await history.VerifyAsync()).Findings);
    }

    /// <summary>Export and import with the archives: the other store has everything itself, and can archive it again.</summary>
    [Fact]
    public async Task An_export_of_a_store_with_archives_is_whole()
    {
        await using var history = await ArchivedHistory.OpenAsync();
        var run = await history.ArchiveAsync();
        using var output = new MemoryStream();
        await Exporter.ExportAsync(history.Whole().Ledger, output, cancellationToken: Cancel);
        output.Position = 0;
        Assert.Empty((await ExportVerifier.VerifyAsync(output, new VerifyOptions { Key = history.Key }, Cancel)).Findings);
        output.Position = 0;
        await using var memory = new InMemoryEventStore(Guid.NewGuid());
        await Importer.ImportAsync(memory, output, cancellationToken: Cancel);
        Assert.Equal(await ReadAllAsync(history.Whole()), await ReadAllAsync(memory));
        Assert.Empty((await new LedgerVerifier(memory).VerifyAsync(new VerifyOptions { Key = history.Key }, Cancel)).Findings);

        var again = await new Archiver(memory, new ArchiveFolder(Path.Combine(history.Folder, "again")), history.Key, new ArchiveChoice(memory, memory), TimeProvider.System)
            .RunAsync(new ArchiveOrder(ArchivedHistory.Later, "again", "anna", [Book], DryRun: false), cancellationToken: Cancel);
        Assert.Equal(run.Made.Select(m => (m.File, m.Sha256, m.Events)), again.Made.Select(m => (m.File, m.Sha256, m.Events)));
        Assert.Equal(run.Events, await memory.CountArchivedAsync(Cancel));
    }

    [Fact]
    public async Task Growth_counts_what_is_archived_apart()
    {
        await using var history = await ArchivedHistory.OpenAsync();
        var run = await history.ArchiveAsync();
        var head = await history.Store.ReadHeadAsync(Cancel);
        var growth = await Growth.OfAsync(history.Store, new StoreSize(10_000_000, 1_000_000_000), null, ArchivedHistory.Later, Cancel);
        Assert.Equal((run.Events, head.Position - run.Events), (growth.Archived, growth.Events));
    }

    private static async Task<ArchiveCompleted> LastAsync(ArchivedHistory history, string file)
    {
        ArchiveCompleted? last = null;
        await foreach (var stored in history.Store.ReadStreamAsync(Streams.Archive(file), 2, Cancel))
            last = (ArchiveCompleted)new EventCodec(EventRegistry.From(typeof(ArchiveCompleted).Assembly)).Decode(stored);
        return last!;
    }

    private sealed class NothingGoes : IArchiveChoice
    {
        public IAsyncEnumerable<ArchiveGroup> FindAsync(DateTimeOffset before, CancellationToken cancellationToken = default) => AsyncEnumerable.Empty<ArchiveGroup>();

        public Task<IReadOnlyList<Follower>> ReadFollowersAsync(CancellationToken cancellationToken = default) => Task.FromResult<IReadOnlyList<Follower>>([]);

        public Task<string?> WhyWantedAsync(IReadOnlyList<string> streams, CancellationToken cancellationToken = default) => Task.FromResult<string?>("all are wanted");
    }

    /// <summary>All that can be asked, as it is told.</summary>
    private static async Task<List<string>> AnswersAsync(IEventStore store, IReadModels models, IReadOnlyList<TradeId> trades, long end)
    {
        var (answers, travel, tracer) = (new List<string>(), new TimeTravel(store), new Tracer(store, new TraceIndex(models)));
        string Told(object? answer) => JsonSerializer.Serialize(answer, EventCodec.JsonForPeople);
        foreach (var sequence in new[] { 1, end / 3, end / 2, end })
            answers.Add(Told(await travel.SystemAsync(new Moment(sequence, null), null, cancellationToken: Cancel)));
        answers.Add(Told(await travel.DiffAsync(new Moment(end / 3, null), new Moment(end, null), null, null, cancellationToken: Cancel)));
        var middle = (await store.ReadPageAsync(end / 2, 1, Cancel))[0];
        answers.Add(Told(await travel.FindAsync(middle.Timestamp.ToString("O"), Cancel)));
        foreach (var trade in trades)
        {
            answers.Add(Told(await travel.StepsAsync(trade, Cancel)));
            answers.Add(Told(await travel.StreamAsync(Streams.Order(trade), new Moment(end, null), Cancel)));
            answers.Add(Told(await tracer.TraceAsync(new TraceTarget(TraceKind.Trade, trade.Value), Cancel)));
        }
        answers.Add(Told(await Redecision.RunAsync(UpTo(HistoryPages.Of(store, Cancel), end), RedecisionOptions.All, cancellationToken: Cancel)));
        using var export = new MemoryStream();
        await Exporter.ExportAsync(store.Ledger, export, cancellationToken: Cancel);
        answers.AddRange(Encoding.UTF8.GetString(export.ToArray()).Split('\n').Where(l => l.StartsWith("{\"Position\"", StringComparison.Ordinal)).Take((int)end));
        using var excerpt = new MemoryStream();
        var positions = (await store.FindByCorrelationAsync(trades[0].Value, 1_000, Cancel)).Select(e => e.Position).ToHashSet();
        await Excerpter.WriteAsync(store.Ledger, positions, excerpt, cancellationToken: Cancel);
        answers.Add(Encoding.UTF8.GetString(excerpt.ToArray()));
        return answers;
    }

    private static async IAsyncEnumerable<IReadOnlyList<StoredEvent>> UpTo(IAsyncEnumerable<IReadOnlyList<StoredEvent>> pages, long end)
    {
        await foreach (var page in pages)
            yield return [.. page.Where(e => e.Sequence <= end)];
    }

    private static async Task<List<TradeId>> TradesAsync(IEventStore store, long end) =>
        [.. (await store.ReadPageAsync(0, 10_000, Cancel)).Where(e => e.Sequence <= end && e.Stream.StartsWith(Streams.TradePrefix, StringComparison.Ordinal)).Select(e => TradeId.From(e.Stream[Streams.TradePrefix.Length..])).Distinct()];

    /// <summary>Each event as the export has it, with all of its numbers and proofs.</summary>
    private static async Task<List<string>> ReadAllAsync(IEventStore store)
    {
        using var export = new MemoryStream();
        await Exporter.ExportAsync(store.Ledger, export, cancellationToken: Cancel);
        return [.. Encoding.UTF8.GetString(export.ToArray()).Split('\n').Where(l => l.StartsWith("{\"Position\"", StringComparison.Ordinal))];
    }
}
