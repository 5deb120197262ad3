using System.Runtime.Versioning;
using Antbot.EventStore.Contract;
using Antbot.EventStore.Sqlite;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Sqlite;

[UnsupportedOSPlatform("windows")]
public sealed class SqliteReadOnlyTests : IDisposable
{
    private const UnixFileMode ReadOnlyFile = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode ReadOnlyFolder = ReadOnlyFile | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private readonly SqliteFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        if (Directory.Exists(_folder.Folder))
            File.SetUnixFileMode(_folder.Folder, ReadOnlyFolder | UnixFileMode.UserWrite);
        _folder.Dispose();
    }

    [Fact]
    public async Task A_store_opened_read_only_reads_everything_and_refuses_every_write()
    {
        var events = await _folder.FillAsync();
        await using var store = await _folder.OpenAsync(o => o with { ReadOnly = true });

        Assert.Equal(events.OrderBy(e => e.Position).Select(e => e.EventId), (await SqliteFolder.VerifyAsync(store)).Select(e => e.EventId));
        await RefusedAsync(() => store.AppendAsync(Some.Append(Some.Stream()), Cancel));
        await RefusedAsync(() => store.SaveCheckpointAsync("trades", 1, Cancel));
        await RefusedAsync(() => store.SaveSnapshotAsync(new Snapshot(Some.Stream(), "s", 1, "{}"u8.ToArray()), Cancel));
        await RefusedAsync(() => store.SealAsync(10, cancellationToken: Cancel));
        var link = await store.Ledger.ReadLinksAsync(cancellationToken: Cancel).FirstAsync(Cancel);
        await RefusedAsync(() => store.ImportAsync(Guid.NewGuid(), [link], Cancel));
    }

    [Fact]
    public async Task Beside_a_running_store_a_read_only_one_sees_what_is_appended()
    {
        await using var writing = await _folder.OpenAsync();
        await using var reading = await _folder.OpenAsync(o => o with { ReadOnly = true });
        Assert.Empty(await reading.ReadPageAsync(0, 10, Cancel));
        var mark = reading.AppendMark;
        var waiting = reading.WaitForAppendAsync(mark, TimeSpan.FromMinutes(1), Cancel);
        var appended = Assert.IsType<AppendOutcome.Appended>(await writing.AppendAsync(Some.Append(Some.Stream()), Cancel));
        await waiting;
        Assert.Equal(appended.Events[0].EventId, Assert.Single(await reading.ReadPageAsync(0, 10, Cancel)).EventId);
    }

    [Fact]
    public async Task There_is_nothing_to_read_where_there_is_no_file()
    {
        var e = await Assert.ThrowsAsync<EventStoreException>(() => _folder.OpenAsync(o => o with { ReadOnly = true }));
        Assert.Equal(StoreFault.Unavailable, e.Fault);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Folder));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_made_is_said_to_be_read_only()
    {
        // The kernel lets nobody make folders there, not even root.
        var e = await Assert.ThrowsAsync<EventStoreException>(() => SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = "/proc/antbot/store.db" }, Cancel));
        Assert.Equal(StoreFault.ReadOnly, e.Fault);
        Assert.Contains("/proc/antbot", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_or_folder_without_the_right_to_write_is_refused_and_left_alone(bool file)
    {
        await _folder.FillAsync();
        var before = await File.ReadAllBytesAsync(_folder.Path, Cancel);
        File.SetUnixFileMode(_folder.Path, ReadOnlyFile | (file ? UnixFileMode.None : UnixFileMode.UserWrite));
        File.SetUnixFileMode(_folder.Folder, ReadOnlyFolder | (file ? UnixFileMode.UserWrite : UnixFileMode.None));

        await using var worker = StoreWorkerProcess.Start("sqlite", _folder.Path, 1, "denied", Permissions.ObeyingWrapper());
        Assert.Equal(1, await worker.EndAsync());
        Assert.StartsWith("ReadOnly ", Assert.Single(worker.Faults), StringComparison.Ordinal);
        Assert.Empty(worker.Acknowledged);
        Assert.Equal(before, await File.ReadAllBytesAsync(_folder.Path, Cancel));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task On_a_medium_that_takes_no_writes_every_event_is_read_those_in_the_log_too(bool log)
    {
        var expected = (await _folder.FillAsync(50)).Select(e => e.EventId).ToHashSet();
        if (log)
        {
            await using var killed = StoreWorkerProcess.Start("sqlite", _folder.Path, 2, "log");
            await killed.AcknowledgedAsync(50);
            await killed.KillAsync();
            expected.UnionWith(killed.Acknowledged);
        }
        foreach (var file in Directory.EnumerateFiles(_folder.Folder))
            File.SetUnixFileMode(file, ReadOnlyFile);
        File.SetUnixFileMode(_folder.Folder, ReadOnlyFolder);

        await using var reader = StoreWorkerProcess.Start("sqlite-readonly", _folder.Path, 0, "", Permissions.ObeyingWrapper());
        Assert.Equal(0, await reader.EndAsync());
        Assert.Empty(reader.Faults);
        Assert.Superset(expected, reader.Acknowledged.ToHashSet());
    }

    private static async Task RefusedAsync(Func<Task> write)
    {
        var e = await Assert.ThrowsAsync<EventStoreException>(write);
        Assert.Equal(StoreFault.ReadOnly, e.Fault);
        Assert.Contains("read-only", e.Message, StringComparison.Ordinal);
    }
}
