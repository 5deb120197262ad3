using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Sqlite;

public sealed class SqliteKillTests : IDisposable
{
    private readonly SqliteFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_was_acknowledged_survives_kill_9_in_mid_append_again_and_again()
    {
        var acknowledged = new List<Guid>();
        for (var round = 0; round < 8; round++)
        {
            await using var worker = StoreWorkerProcess.Start("sqlite", _folder.Path, 8, $"round{round}");
            // Another moment each time: in the first commit of all, and after some that have filled the log.
            await worker.AcknowledgedAsync(1 + round * 400);
            await worker.KillAsync();
            Assert.Empty(worker.Faults);
            acknowledged.AddRange(worker.Acknowledged);
        }

        await using var store = await _folder.OpenAsync();
        var kept = (await SqliteFolder.VerifyAsync(store)).Select(e => e.EventId).ToHashSet();
        Assert.Equal(acknowledged.Count, acknowledged.Distinct().Count());
        Assert.All(acknowledged, id => Assert.Contains(id, kept));
        Assert.Empty(_folder.Copies());
    }

    [Fact]
    public async Task A_killed_process_does_not_hold_up_the_others_on_the_file()
    {
        await using var survivor = StoreWorkerProcess.Start("sqlite", _folder.Path, 2, "survivor");
        await survivor.AcknowledgedAsync(10);
        var acknowledged = new List<Guid>();
        for (var round = 0; round < 4; round++)
        {
            await using var victim = StoreWorkerProcess.Start("sqlite", _folder.Path, 2, $"victim{round}");
            await victim.AcknowledgedAsync(30);
            await victim.KillAsync();
            acknowledged.AddRange(victim.Acknowledged);
            await survivor.AcknowledgedAsync(survivor.Acknowledged.Count + 30);
        }
        await survivor.KillAsync();
        acknowledged.AddRange(survivor.Acknowledged);
        Assert.Empty(survivor.Faults);

        await using var store = await _folder.OpenAsync();
        var kept = (await SqliteFolder.VerifyAsync(store)).Select(e => e.EventId).ToHashSet();
        Assert.All(acknowledged, id => Assert.Contains(id, kept));
    }

    [Fact]
    public async Task Five_processes_that_start_at_once_make_one_store()
    {
        var workers = Enumerable.Range(0, 5).Select(i => StoreWorkerProcess.Start("sqlite", _folder.Path, 1, $"p{i}")).ToList();
        try
        {
            await Task.WhenAll(workers.Select(w => w.AcknowledgedAsync(20)));
            foreach (var worker in workers)
                await worker.KillAsync();
            await using var store = await _folder.OpenAsync();
            var kept = (await SqliteFolder.VerifyAsync(store)).Select(e => e.EventId).ToHashSet();
            Assert.All(workers.SelectMany(w => w.Acknowledged), id => Assert.Contains(id, kept));
            Assert.All(workers, w => Assert.Empty(w.Faults));
            Assert.Empty(Directory.EnumerateFiles(_folder.Folder, "*.new-*"));
        }
        finally
        {
            foreach (var worker in workers)
                await worker.DisposeAsync();
        }
    }

    [Fact]
    public async Task Whoever_follows_sees_the_events_of_another_process_in_commit_order()
    {
        await using var store = await _folder.OpenAsync();
        await using var worker = StoreWorkerProcess.Start("sqlite", _folder.Path, 4, "other");
        var seen = new List<StoredEvent>();
        while (seen.Count < 500)
        {
            var mark = store.AppendMark;
            var page = await store.ReadPageAsync(seen.Count == 0 ? 0 : seen[^1].Sequence, 100, TestContext.Current.CancellationToken);
            seen.AddRange(page);
            // Nobody announces in this process: without the look at the file this would wait for a minute each time.
            if (page.Count == 0)
                await store.WaitForAppendAsync(mark, TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        }
        await worker.KillAsync();
        Assert.Equal(Enumerable.Range(1, seen.Count).Select(p => (long)p), seen.Select(e => e.Position));
    }
}
