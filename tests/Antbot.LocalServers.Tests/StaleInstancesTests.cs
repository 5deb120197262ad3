using System.Diagnostics;
using Antbot.LocalServers.Processes;

namespace Antbot.LocalServers.Tests;

public sealed class StaleInstancesTests
{
    [Theory]
    [InlineData("postgres")]
    [InlineData("rabbitmq")]
    public async Task What_outlived_its_owner_and_its_guardians_is_ended_and_removed(string server)
    {
        using var place = new TemporaryFolder();
        await using var owner = await ServerProcess.StartAsync(place.Path, server);
        foreach (var file in Directory.EnumerateFiles(owner.Folder, "*.guardian"))
            Native.Signal(ProcessTable.ReadPidFile(file)!.Value, Native.SigKill);
        await owner.KillAsync();
        Assert.True(ProcessTable.IsRunning(owner.ServerPid), "the test needs a server that was left behind");

        await StaleInstances.SweepAsync(Path.GetDirectoryName(owner.Folder)!, TestContext.Current.CancellationToken);

        // A process that was killed is there until the kernel has taken its memory back.
        await Eventually.IsTrueAsync(() => !ProcessTable.IsRunning(owner.ServerPid), "the server is gone");
        Assert.False(owner.PortMapperPid is { } pid && ProcessTable.IsRunning(pid));
        Assert.False(Directory.Exists(owner.Folder));
        await Eventually.IsTrueAsync(() => Kernel.ProcessesNaming(owner.Folder).Count == 0, "its helpers are gone");
    }

    [Fact]
    public async Task A_process_that_was_given_a_dead_servers_id_is_left_alone()
    {
        using var place = new TemporaryFolder();
        using var bystander = Process.Start("sleep", "600");
        try
        {
            var instance = place.In("pg-0123456789");
            Directory.CreateDirectory(instance);
            foreach (var file in new[] { "postgres.pid", "postgres.guardian", "epmd.pid" })
                await File.WriteAllTextAsync(Path.Combine(instance, file), $"{bystander.Id}\n", TestContext.Current.CancellationToken);

            await StaleInstances.SweepAsync(place.Path, TestContext.Current.CancellationToken);

            Assert.False(Directory.Exists(instance));
            Assert.True(ProcessTable.IsRunning(bystander.Id));
        }
        finally
        {
            bystander.Kill();
        }
    }

    [Fact]
    public async Task A_folder_whose_name_only_begins_alike_is_not_taken_for_ones_own()
    {
        using var place = new TemporaryFolder();
        using var bystander = Process.Start("tail", ["-f", "/dev/null", place.In("pg-1") + "2/"]);
        try
        {
            // Between its start and its becoming that program it has our own command line.
            Assert.True(SpinWait.SpinUntil(() => ProcessTable.IsRunningFrom(bystander.Id, place.In("pg-12")), TimeSpan.FromSeconds(10)));
            Assert.False(ProcessTable.IsRunningFrom(bystander.Id, place.In("pg-1")));
        }
        finally
        {
            bystander.Kill();
            await bystander.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task A_living_instance_is_not_swept()
    {
        await using var server = await PostgresServer.StartAsync(new PostgresServerOptions { MustBeOwned = true }, TestContext.Current.CancellationToken);
        await StaleInstances.SweepAsync(InstanceFolder.TemporaryRoot, TestContext.Current.CancellationToken);
        Assert.Equal(1, await Sql.RunAsync(server.AdminConnectionString, "SELECT 1"));
    }
}
