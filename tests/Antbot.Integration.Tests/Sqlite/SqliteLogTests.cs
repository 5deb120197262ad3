using System.Buffers.Binary;
using Antbot.EventStore.Contract;
using Antbot.EventStore.Sqlite;
using Antbot.LocalServers;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Sqlite;

/// <summary>The write-ahead log: it is moved into the database beside the commits, it has a limit, and nothing is lost on the way.</summary>
public sealed class SqliteLogTests : IDisposable
{
    private const long Limit = 2 * 1024 * 1024;
    private const long PageBytes = 4096;

    private readonly SqliteFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private long LogBytes => new FileInfo(_folder.WalPath).Length;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_stays_within_its_limit_however_much_is_written_and_read()
    {
        await using var store = await _folder.OpenAsync(o => o with { LogBytesMax = Limit });
        using var done = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 2).Select(_ => Task.Run(() => ReadOverAndOverAsync(store, done.Token))).ToArray();
        var longest = 0L;
        while (store.Checkpointer.PagesWritten * PageBytes < 12 * Limit)
        {
            await AppendAsync(store, 100);
            longest = Math.Max(longest, LogBytes);
        }
        await done.CancelAsync();
        await Task.WhenAll(readers);

        Assert.InRange(longest, 1, 2 * Limit);
        Assert.Equal(0, store.Checkpointer.Failed);
        Assert.NotEmpty(await SqliteFolder.VerifyAsync(store));
    }

    [Fact]
    public async Task Two_processes_that_write_keep_it_short_too()
    {
        await using var one = StoreWorkerProcess.Start("sqlite-short-log", _folder.Path, 4, "one");
        await using var two = StoreWorkerProcess.Start("sqlite-short-log", _folder.Path, 4, "two");
        var longest = 0L;
        for (var n = 1; n <= 20; n++)
        {
            await one.AcknowledgedAsync(n * 100);
            await two.AcknowledgedAsync(n * 100);
            longest = Math.Max(longest, LogBytes);
        }
        await one.KillAsync();
        await two.KillAsync();
        // Each knows of the other's pages only from its own last checkpoint.
        Assert.InRange(longest, 1, 8 * 256 * 1024);
        Assert.Empty(one.Faults);
        Assert.Empty(two.Faults);
    }

    [Fact]
    public async Task A_reader_who_stays_lets_it_grow_holds_no_append_up_and_when_he_leaves_it_is_short_again()
    {
        await using var store = await _folder.OpenAsync(o => o with { LogBytesMax = Limit });
        await AppendAsync(store, 10);
        using (var reader = _folder.OpenBeside())
        {
            reader.Execute("BEGIN");
            Assert.Equal(10, reader.Get("SELECT count(*) FROM mt_events").Scalar());
            while (LogBytes < 2 * Limit)
                await AppendAsync(store, 100);
            Assert.Equal(10, reader.Get("SELECT count(*) FROM mt_events").Scalar());
        }

        var appends = 0;
        while (LogBytes > Limit / 4 * 5)
        {
            await AppendAsync(store, 100);
            Assert.True((appends += 100) < 50_000, $"the log still has {LogBytes} bytes");
        }
        Assert.NotEmpty(await SqliteFolder.VerifyAsync(store));
    }

    [Fact]
    public async Task What_was_acknowledged_survives_kill_9_while_the_log_is_being_moved()
    {
        const int wanted = 5;
        var (acknowledged, hits) = (new List<Guid>(), 0);
        for (var round = 0; hits < wanted; round++)
        {
            Assert.True(round < 60, $"only {hits} of {round} kills came in the middle of a checkpoint");
            await using var worker = StoreWorkerProcess.Start("sqlite-short-log", _folder.Path, 8, $"round{round}");
            // Another moment each time.
            await worker.AcknowledgedAsync(50 + round * 37 % 200);
            await worker.KillAsync();
            Assert.Empty(worker.Faults);
            acknowledged.AddRange(worker.Acknowledged);
            hits += DiedInCheckpoint() ? 1 : 0;
        }

        await using var store = await _folder.OpenAsync();
        var kept = (await SqliteFolder.VerifyAsync(store)).Select(e => e.EventId).ToHashSet();
        Assert.All(acknowledged, id => Assert.Contains(id, kept));
        Assert.Empty(_folder.Copies());
    }

    [Fact]
    public async Task A_disk_that_is_full_while_the_log_is_being_moved_loses_nothing_and_stops_nothing_for_good()
    {
        await using var disk = await SmallDisk.CreateAsync(megabytes: 32, Cancel);
        var ballast = Path.Combine(disk.Folder, "ballast");
        await File.WriteAllBytesAsync(ballast, new byte[24 << 20], Cancel);
        var options = new SqliteStoreOptions { Path = Path.Combine(disk.Folder, "store.db"), LogBytesMax = Limit };
        var kept = new List<Guid>();
        await using (var store = await SqliteEventStore.OpenAsync(options, Cancel))
        {
            for (var n = 0; n < 20; n++)
                kept.Add(await AppendLargeAsync(store));
            Fill(disk.Folder);
            var fault = default(EventStoreException);
            while (fault is null)
            {
                try
                {
                    kept.Add(await AppendLargeAsync(store));
                    Assert.True(kept.Count < 1_000, "the disk does not fill up");
                }
                catch (EventStoreException e)
                {
                    fault = e;
                }
            }
            Assert.Equal(StoreFault.Full, fault.Fault);
            Assert.True(store.Checkpointer.Failed > 0, "no checkpoint met the full disk");
            Assert.Equal(kept, (await SqliteFolder.VerifyAsync(store)).Select(e => e.EventId));
            // Closed as it is: what the database cannot take stays in the log.
        }

        await using (var again = await SqliteEventStore.OpenAsync(options, Cancel))
        {
            Assert.Equal(kept, (await SqliteFolder.VerifyAsync(again)).Select(e => e.EventId));
            File.Delete(ballast);
            var failed = again.Checkpointer.Failed;
            while (again.Checkpointer.PagesWritten * PageBytes < 3 * Limit)
                kept.Add(await AppendLargeAsync(again));
            Assert.Equal(failed, again.Checkpointer.Failed);
        }
        await using var last = await SqliteEventStore.OpenAsync(options, Cancel);
        Assert.Equal(kept, (await SqliteFolder.VerifyAsync(last)).Select(e => e.EventId));
    }

    /// <summary>The log's index outlives the process, and says how far a checkpoint meant to come and how far it came.</summary>
    private bool DiedInCheckpoint()
    {
        const int moved = 96;
        const int attempted = 128;
        var index = File.ReadAllBytes(_folder.Path + "-shm").AsSpan();
        return BinaryPrimitives.ReadUInt32LittleEndian(index[attempted..]) > BinaryPrimitives.ReadUInt32LittleEndian(index[moved..]);
    }

    private static Task AppendAsync(SqliteEventStore store, int appends) =>
        Task.WhenAll(Enumerable.Range(0, appends).Select(async _ => Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(Some.Append(Some.Stream()), Cancel))));

    private static async Task<Guid> AppendLargeAsync(SqliteEventStore store)
    {
        var request = Some.Append(Some.Stream(), Some.Event($$"""{"x":"{{new string('a', 30_000)}}"}"""));
        return Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(request, Cancel)).Events[0].EventId;
    }

    private static async Task ReadOverAndOverAsync(SqliteEventStore store, CancellationToken done)
    {
        while (!done.IsCancellationRequested)
        {
            for (var after = 0L; !done.IsCancellationRequested && await store.ReadPageAsync(after, 20, CancellationToken.None) is { Count: > 0 } page; after = page[^1].Sequence)
            {
            }
        }
    }

    /// <summary>Takes all the room there is.</summary>
    private static void Fill(string folder)
    {
        using var ballast = new FileStream(Path.Combine(folder, "ballast"), FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        var bytes = new byte[PageBytes];
        try
        {
            while (true)
                ballast.Write(bytes);
        }
        catch (IOException)
        {
            // As wanted.
        }
    }
}
