namespace Antbot.LocalServers.Tests;

public sealed class OwnerDeathTests
{
    [Fact]
    public async Task Killed_with_its_whole_process_group_an_owner_leaves_no_PostgreSQL()
    {
        using var place = new TemporaryFolder();
        await using var owner = await ServerProcess.StartAsync(place.Path, "postgres");
        Assert.NotEmpty(Kernel.ProcessesNaming(owner.Folder));

        await owner.KillGroupAsync();

        await NothingIsLeftAsync(owner.Folder);
    }

    [Fact]
    public async Task Killed_an_owner_leaves_no_RabbitMQ_and_no_port_mapper()
    {
        using var place = new TemporaryFolder();
        await using var owner = await ServerProcess.StartAsync(place.Path, "rabbitmq");
        Assert.True(Processes.ProcessTable.IsRunning(owner.ServerPid));
        // In a container the port mapper is the container's.
        var portMapper = owner.PortMapperPid ?? owner.ServerPid;
        Assert.True(Processes.ProcessTable.IsRunning(portMapper));

        await owner.KillAsync();

        await Eventually.IsTrueAsync(() => !Processes.ProcessTable.IsRunning(owner.ServerPid), "the broker is gone");
        await Eventually.IsTrueAsync(() => !Processes.ProcessTable.IsRunning(portMapper), "the port mapper is gone");
        await NothingIsLeftAsync(owner.Folder);
    }

    [Fact]
    public async Task Killed_an_owner_leaves_kept_data_that_the_next_one_takes_over()
    {
        var token = TestContext.Current.CancellationToken;
        using var place = new TemporaryFolder();
        var kept = place.In("kept");
        await using (var owner = await ServerProcess.StartAsync(place.Path, "postgres", "--data", kept))
            await owner.KillAsync();

        await using var server = await PostgresServer.StartAsync(new PostgresServerOptions { DataFolder = kept }, token);
        Assert.Equal(1, await Sql.RunAsync(server.AdminConnectionString, "SELECT 1"));
    }

    [Fact]
    public async Task Terminated_an_owner_ends_in_order_and_leaves_nothing()
    {
        using var place = new TemporaryFolder();
        await using var owner = await ServerProcess.StartAsync(place.Path, "postgres");

        Assert.Equal(0, await owner.TerminateAsync());

        Assert.False(Directory.Exists(owner.Folder));
        Assert.Empty(Kernel.ProcessesNaming(owner.Folder));
    }

    [Theory]
    [InlineData("postgres")]
    [InlineData("rabbitmq")]
    public async Task Terminated_after_its_guardians_were_killed_an_owner_ends_the_server_itself(string server)
    {
        using var place = new TemporaryFolder();
        await using var owner = await ServerProcess.StartAsync(place.Path, server);
        foreach (var file in Directory.EnumerateFiles(owner.Folder, "*.guardian"))
            Processes.Native.Signal(Processes.ProcessTable.ReadPidFile(file)!.Value, Processes.Native.SigKill);

        Assert.Equal(0, await owner.TerminateAsync());

        Assert.False(Processes.ProcessTable.IsRunning(owner.ServerPid));
        await NothingIsLeftAsync(owner.Folder);
    }

    private static async Task NothingIsLeftAsync(string folder)
    {
        await Eventually.IsTrueAsync(() => !Directory.Exists(folder) && !File.Exists($"{folder}.lock"), $"{folder} is gone");
        await Eventually.IsTrueAsync(() => Kernel.ProcessesNaming(folder).Count == 0, $"no process names {folder}");
    }
}
