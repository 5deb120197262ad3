namespace Antbot.LocalServers.Tests;

public sealed class SmallDiskTests
{
    private const int Megabyte = 1 << 20;

    [Fact]
    public async Task It_is_full_when_it_is_full_and_has_room_again_when_something_is_deleted()
    {
        var token = TestContext.Current.CancellationToken;
        await using var disk = await SmallDisk.CreateAsync(megabytes: 4, token);
        var (first, second) = (Path.Combine(disk.Folder, "first"), Path.Combine(disk.Folder, "second"));
        await File.WriteAllBytesAsync(first, new byte[3 * Megabyte], token);

        var full = await Assert.ThrowsAnyAsync<IOException>(() => File.WriteAllBytesAsync(second, new byte[3 * Megabyte], token));
        Assert.Contains("No space left on device", full.Message, StringComparison.Ordinal);

        File.Delete(first);
        await File.WriteAllBytesAsync(second, new byte[3 * Megabyte], token);
    }

    [Fact]
    public async Task A_wrapped_command_reaches_it_by_a_path_without_links()
    {
        var token = TestContext.Current.CancellationToken;
        await using var disk = await SmallDisk.CreateAsync(megabytes: 4, token);
        var written = await Processes.ShortCommand.RunAsync(
            [.. disk.Wrapper, "/bin/sh", "-c", "readlink -f \"$0\" && echo within >\"$0/file\"", disk.FolderInside], TimeSpan.FromSeconds(30), cancellationToken: token);
        Assert.Equal(disk.FolderInside, written.Everything);
        Assert.Equal("within\n", await File.ReadAllTextAsync(Path.Combine(disk.Folder, "file"), token));
    }

    [Fact]
    public async Task Disposed_it_leaves_nothing()
    {
        var disk = await SmallDisk.CreateAsync(megabytes: 4, TestContext.Current.CancellationToken);
        Assert.True(Directory.Exists(disk.Folder));
        Assert.True(Processes.ProcessTable.IsRunning(disk.GuardianPid));

        await disk.DisposeAsync();

        Assert.False(Directory.Exists(disk.Folder));
        Assert.False(Processes.ProcessTable.IsRunning(disk.GuardianPid));
    }

    [Fact]
    public async Task A_servers_own_is_there_for_the_server_and_is_small()
    {
        await using var server = await PostgresServer.StartAsync(new PostgresServerOptions { SmallDiskMegabytes = 16 }, TestContext.Current.CancellationToken);
        await Sql.RunAsync(server.AdminConnectionString, $"CREATE TABLESPACE small LOCATION '{server.SmallDiskFolder}'");
        var full = await Assert.ThrowsAsync<Npgsql.PostgresException>(
            () => Sql.RunAsync(server.AdminConnectionString, "CREATE TABLE t TABLESPACE small AS SELECT repeat('x', 1900) FROM generate_series(1, 16000)"));
        Assert.Equal(Npgsql.PostgresErrorCodes.DiskFull, full.SqlState);
    }
}
