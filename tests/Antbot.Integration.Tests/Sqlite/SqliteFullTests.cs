using Antbot.EventStore.Contract;
using Antbot.LocalServers;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Sqlite;

public sealed class SqliteFullTests : IDisposable
{
    private readonly SqliteFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_full_store_says_so_keeps_what_it_has_and_goes_on_when_there_is_room()
    {
        await using var store = await _folder.OpenAsync();
        await store.TuneAsync("PRAGMA max_page_count=120");
        var kept = new List<Guid>();
        var refused = default(AppendRequest);
        while (refused is null)
        {
            var request = Some.Append(Some.Stream(), Some.Event($$"""{"x":"{{new string('a', 3_000)}}"}"""));
            try
            {
                kept.AddRange(Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(request, Cancel)).Events.Select(e => e.EventId));
                Assert.True(kept.Count < 1_000, "the limit does not bite");
            }
            catch (EventStoreException e) when (e.Fault == StoreFault.Full)
            {
                Assert.Contains("Free disk space", e.Message, StringComparison.Ordinal);
                refused = request;
            }
        }
        Assert.NotEmpty(kept);
        Assert.Empty(await store.FindDecisionAsync(refused.Decision, Cancel));
        Assert.Equal(kept, (await SqliteFolder.VerifyAsync(store)).Select(e => e.EventId));

        await store.TuneAsync("PRAGMA max_page_count=1000000");
        Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(refused, Cancel));
        Assert.Equal(kept.Count + 1, (await SqliteFolder.VerifyAsync(store)).Count);
    }

    [Fact]
    public async Task An_append_that_does_not_fit_leaves_the_room_to_its_neighbours()
    {
        await using var store = await _folder.OpenAsync();
        await store.TuneAsync("PRAGMA max_page_count=100");
        var large = Some.Event($$"""{"x":"{{new string('a', 900_000)}}"}""");

        var big = Enumerable.Range(0, 3).Select(_ => store.AppendAsync(Some.Append(Some.Stream(), large), Cancel)).ToList();
        var small = Enumerable.Range(0, 20).Select(_ => store.AppendAsync(Some.Append(Some.Stream()), Cancel)).ToList();

        foreach (var append in big)
            Assert.Equal(StoreFault.Full, (await Assert.ThrowsAsync<EventStoreException>(() => append)).Fault);
        Assert.All(await Task.WhenAll(small), o => Assert.IsType<AppendOutcome.Appended>(o));
        Assert.Equal(20, (await SqliteFolder.VerifyAsync(store)).Count);
    }

    [Fact]
    public async Task A_disk_that_is_full_is_waited_for_and_nothing_acknowledged_is_lost()
    {
        await using var disk = await SmallDisk.CreateAsync(megabytes: 24, Cancel);
        var ballast = Path.Combine(disk.Folder, "ballast");
        await File.WriteAllBytesAsync(ballast, new byte[20 << 20], Cancel);
        await using var worker = StoreWorkerProcess.Start("sqlite", Path.Combine(disk.FolderInside, "store.db"), 4, "full", [.. disk.Wrapper]);
        await worker.FaultsAsync(10);
        var before = worker.Acknowledged.Count;
        Assert.NotEqual(0, before);

        File.Delete(ballast);
        await worker.AcknowledgedAsync(before + 500);
        await worker.StopAsync();
        Assert.All(worker.Faults, f => Assert.StartsWith("Full ", f, StringComparison.Ordinal));

        foreach (var file in Directory.EnumerateFiles(disk.Folder))
            File.Copy(file, Path.Combine(_folder.Folder, Path.GetFileName(file)));
        await using var store = await _folder.OpenAsync();
        Assert.Equal(worker.Acknowledged.Order(), (await SqliteFolder.VerifyAsync(store)).Select(e => e.EventId).Order());
    }

    [Fact]
    public async Task A_file_that_may_not_grow_is_a_full_disk_and_nothing_acknowledged_is_lost()
    {
        await using var worker = StoreWorkerProcess.Start("sqlite", _folder.Path, 4, "full");
        await worker.AcknowledgedAsync(200);
        await worker.SayAsync($"limit {new FileInfo(_folder.WalPath).Length + 65_536}");
        await worker.FaultsAsync(10);
        var before = worker.Acknowledged.Count;
        Assert.All(worker.Faults, f => Assert.StartsWith("Full ", f, StringComparison.Ordinal));

        await worker.SayAsync("limit none");
        await worker.AcknowledgedAsync(before + 500);
        Assert.All(worker.Faults, f => Assert.StartsWith("Full ", f, StringComparison.Ordinal));
        await worker.KillAsync();

        await using var store = await _folder.OpenAsync();
        var kept = (await SqliteFolder.VerifyAsync(store)).Select(e => e.EventId).ToHashSet();
        Assert.All(worker.Acknowledged, id => Assert.Contains(id, kept));
    }
}
