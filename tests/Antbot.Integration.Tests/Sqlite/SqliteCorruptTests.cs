using System.Text;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Sqlite;

public sealed class SqliteCorruptTests : IDisposable
{
    private readonly SqliteFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Damages => ["random bytes", "truncated", "header", "zeroes", "text"];

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task A_damaged_file_is_found_kept_aside_reported_and_left_as_it_is(string damage)
    {
        await _folder.FillAsync();
        var damaged = Damage(damage, await File.ReadAllBytesAsync(_folder.Path, Cancel));
        await File.WriteAllBytesAsync(_folder.Path, damaged, Cancel);

        var first = await OpenDamagedAsync();
        var copy = Assert.Single(_folder.Copies());
        Assert.Matches(@"store\.db\.corrupt-\d{8}T\d{6}Z$", copy);
        Assert.Contains(copy, first.Message, StringComparison.Ordinal);
        Assert.Contains("antbot import", first.Message, StringComparison.Ordinal);
        Assert.Equal(damaged, await File.ReadAllBytesAsync(_folder.Path, Cancel));
        Assert.Equal(damaged, await File.ReadAllBytesAsync(copy, Cancel));

        // The same damage again, as a supervisor that restarts would meet it.
        var second = await OpenDamagedAsync();
        Assert.Equal(copy, Assert.Single(_folder.Copies()));
        Assert.Contains(copy, second.Message, StringComparison.Ordinal);
        Assert.Equal(damaged, await File.ReadAllBytesAsync(_folder.Path, Cancel));
    }

    [Fact]
    public async Task Other_damage_is_kept_beside_the_first()
    {
        await _folder.FillAsync();
        var whole = await File.ReadAllBytesAsync(_folder.Path, Cancel);
        foreach (var damage in new[] { "header", "truncated" })
        {
            await File.WriteAllBytesAsync(_folder.Path, Damage(damage, whole), Cancel);
            await OpenDamagedAsync();
        }
        Assert.Equal(2, _folder.Copies().Count);
        Assert.Contains(_folder.Copies(), c => new FileInfo(c).Length < whole.Length);
    }

    [Fact]
    public async Task An_empty_file_is_not_taken_for_a_new_store()
    {
        await File.WriteAllBytesAsync(_folder.Path, [], Cancel);
        var e = await OpenDamagedAsync();
        Assert.Contains("delete it", e.Message, StringComparison.Ordinal);
        Assert.Equal(0, new FileInfo(_folder.Path).Length);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_log_without_its_database_is_kept_and_no_store_is_made_in_its_place(bool emptied)
    {
        await LeaveLogAsync();
        var log = await File.ReadAllBytesAsync(_folder.WalPath, Cancel);
        if (emptied)
            await File.WriteAllBytesAsync(_folder.Path, [], Cancel);
        else
            File.Delete(_folder.Path);

        await OpenDamagedAsync();
        await OpenDamagedAsync();
        Assert.Equal(emptied, File.Exists(_folder.Path));
        Assert.Equal(log, await File.ReadAllBytesAsync(_folder.WalPath, Cancel));
        Assert.Equal(log, await File.ReadAllBytesAsync(Assert.Single(_folder.Copies(), c => c.EndsWith("-wal", StringComparison.Ordinal)), Cancel));
    }

    [Fact]
    public async Task A_damaged_file_with_a_log_is_kept_with_its_log_and_both_stay_as_they_are()
    {
        await LeaveLogAsync();
        var log = await File.ReadAllBytesAsync(_folder.WalPath, Cancel);
        var damaged = Damage("truncated", await File.ReadAllBytesAsync(_folder.Path, Cancel));
        await File.WriteAllBytesAsync(_folder.Path, damaged, Cancel);

        await OpenDamagedAsync();
        await OpenDamagedAsync();
        var copy = Assert.Single(_folder.Copies(), c => c.EndsWith('Z'));
        Assert.Equal(damaged, await File.ReadAllBytesAsync(_folder.Path, Cancel));
        Assert.Equal(log, await File.ReadAllBytesAsync(_folder.WalPath, Cancel));
        Assert.Equal(damaged, await File.ReadAllBytesAsync(copy, Cancel));
        Assert.Equal(log, await File.ReadAllBytesAsync(copy + "-wal", Cancel));
    }

    [Fact]
    public async Task A_read_only_store_reports_damage_and_makes_no_copy()
    {
        await _folder.FillAsync();
        await File.WriteAllBytesAsync(_folder.Path, Damage("header", await File.ReadAllBytesAsync(_folder.Path, Cancel)), Cancel);
        var e = await Assert.ThrowsAsync<EventStoreException>(() => _folder.OpenAsync(o => o with { ReadOnly = true }));
        Assert.Equal(StoreFault.Corrupt, e.Fault);
        Assert.Empty(_folder.Copies());
    }

    [Fact]
    public async Task Damage_that_is_met_while_reading_is_a_fault_of_that_read_alone()
    {
        await _folder.FillAsync(2_000);
        var bytes = await File.ReadAllBytesAsync(_folder.Path, Cancel);
        await using var store = await _folder.OpenAsync(o => o with { CheckAtOpen = false });
        await using (var file = new FileStream(_folder.Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            // Everything behind the first pages, which hold the tables' roots.
            file.Position = bytes.Length / 3;
            file.Write(Encoding.ASCII.GetBytes(new string('x', bytes.Length / 3)));
        }
        var e = await Assert.ThrowsAsync<EventStoreException>(async () =>
        {
            for (var after = 0L; ;)
                after = (await store.ReadPageAsync(after, 100, Cancel))[^1].Sequence;
        });
        Assert.Equal(StoreFault.Corrupt, e.Fault);
        Assert.Matches("antbot (import|verify)", e.Message);
        await store.LoadCheckpointAsync("trades", Cancel);
    }

    [Fact]
    public async Task A_database_of_something_else_is_refused_and_left_as_it_is()
    {
        using (var other = EventStore.Sqlite.SqliteSession.Open(_folder.Path, EventStore.Sqlite.SqliteAccess.Create, TimeSpan.FromSeconds(1)))
            other.Execute("CREATE TABLE recipes (name TEXT)");
        var before = await File.ReadAllBytesAsync(_folder.Path, Cancel);
        var e = await Assert.ThrowsAsync<EventStoreException>(() => _folder.OpenAsync());
        Assert.Equal(StoreFault.Invalid, e.Fault);
        Assert.Equal(before.Length, new FileInfo(_folder.Path).Length);
    }

    /// <summary>A store whose last appends are in the log alone, as a killed process leaves them.</summary>
    private async Task LeaveLogAsync()
    {
        await using var worker = StoreWorkerProcess.Start("sqlite", _folder.Path, 2, "log");
        await worker.AcknowledgedAsync(200);
        await worker.KillAsync();
        Assert.True(new FileInfo(_folder.WalPath).Length > 0);
    }

    private async Task<EventStoreException> OpenDamagedAsync()
    {
        var e = await Assert.ThrowsAsync<EventStoreException>(() => _folder.OpenAsync());
        Assert.Equal(StoreFault.Corrupt, e.Fault);
        return e;
    }

    private static byte[] Damage(string how, byte[] whole)
    {
        var damaged = whole.ToArray();
        switch (how)
        {
            case "random bytes":
                new Random(20260801).NextBytes(damaged.AsSpan(whole.Length / 2, 16_384));
                return damaged;
            case "truncated":
                return damaged[..(whole.Length / 2 / 4096 * 4096)];
            case "header":
                "this is no database"u8.CopyTo(damaged);
                return damaged;
            case "zeroes":
                damaged.AsSpan(0, 8_192).Clear();
                return damaged;
            case "text":
                return Encoding.UTF8.GetBytes("somebody wrote a note here");
            default:
                throw new ArgumentOutOfRangeException(nameof(how), how, "unknown");
        }
    }
}
