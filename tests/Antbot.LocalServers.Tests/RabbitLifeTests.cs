namespace Antbot.LocalServers.Tests;

public sealed class RabbitLifeTests
{
    [Fact]
    public async Task Killed_or_stopped_and_started_again_it_keeps_a_quorum_queues_confirmed_messages()
    {
        var token = TestContext.Current.CancellationToken;
        await using var server = await RabbitServer.StartAsync(new RabbitServerOptions { MustBeOwned = true }, token);
        var host = await server.CreateVirtualHostAsync(cancellationToken: token);
        await Broker.DeclareAsync(host.Uri, "orders", "quorum");
        // RabbitMQ 3.10 writes a new quorum queue's registration to disk half a second after it has said that the queue
        // is declared; killed in between, it comes back with a queue that finds no leader. Messages have no such gap.
        await Task.Delay(TimeSpan.FromSeconds(3), token);
        await Broker.DeclareAndPublishAsync(host.Uri, "orders", "quorum", "before the kill");

        var before = server.BrokerPid;
        await server.KillAsync(token);
        await server.StartAgainAsync(token);
        Assert.NotEqual(before, server.BrokerPid);
        Assert.Equal("before the kill", await Broker.TakeAsync(host.Uri, "orders"));

        await Broker.DeclareAndPublishAsync(host.Uri, "orders", "quorum", "before the stop");
        await server.StopAsync(token);
        await server.StartAgainAsync(token);
        Assert.Equal("before the stop", await Broker.TakeAsync(host.Uri, "orders"));
    }

    [Fact]
    public async Task What_it_has_kept_can_be_lost_while_it_is_down_and_only_then()
    {
        var token = TestContext.Current.CancellationToken;
        await using var server = await RabbitServer.StartAsync(new RabbitServerOptions { MustBeOwned = true }, token);
        await Broker.DeclareAndPublishAsync(server.AdminUri, "orders", "classic", "lost");
        await Assert.ThrowsAsync<ServerException>(() => server.LoseDataAsync(token));
        await server.KillAsync(token);
        await server.LoseDataAsync(token);
        await server.StartAgainAsync(token);
        Assert.Null(await Broker.TakeAsync(server.AdminUri, "orders", declare: true));
        // Its own tools reach it again.
        await server.ControlAsync(["set_disk_free_limit", "50MB"], token);
        await Assert.ThrowsAsync<ServerException>(() => server.ControlAsync(["no_such_command"], token));
    }

    [Fact]
    public async Task With_the_management_plugin_virtual_hosts_come_over_HTTP_also_for_who_was_given_the_broker()
    {
        var token = TestContext.Current.CancellationToken;
        await using var server = await RabbitServer.StartAsync(new RabbitServerOptions { MustBeOwned = true, Management = true }, token);
        var own = await server.CreateVirtualHostAsync("own/host", token);
        await Broker.DeclareAndPublishAsync(own.Uri, "orders", "classic", "own");
        Assert.Equal("own", await Broker.TakeAsync(own.Uri, "orders"));

        var management = server.ManagementUri!;
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [HostView.RabbitVariable] = server.AdminUri.ToString(),
            [HostView.RabbitManagementVariable] = $"http://{management.Authority}",
        };
        await using var given = await RabbitServer.StartAsync(
            new RabbitServerOptions { Host = new HostView(environment.GetValueOrDefault, "/") }, token);
        var theirs = await given.CreateVirtualHostAsync(cancellationToken: token);
        await Broker.DeclareAndPublishAsync(theirs.Uri, "orders", "classic", "theirs");
        Assert.Equal("theirs", await Broker.TakeAsync(theirs.Uri, "orders"));
        await given.DropVirtualHostAsync(theirs.Name, token);
    }

    [Fact]
    public async Task Two_at_once_do_not_collide_and_leave_nothing()
    {
        var token = TestContext.Current.CancellationToken;
        var options = new RabbitServerOptions { MustBeOwned = true };
        var servers = await Task.WhenAll(RabbitServer.StartAsync(options, token), RabbitServer.StartAsync(options, token));
        Assert.NotEqual(servers[0].AdminUri.Port, servers[1].AdminUri.Port);
        foreach (var server in servers)
            await server.DisposeAsync();
        foreach (var server in servers)
        {
            Assert.False(Directory.Exists(server.Folder));
            await Eventually.IsTrueAsync(() => Kernel.ProcessesNaming(server.Folder).Count == 0, "no process is left");
        }
    }

    [Fact]
    public async Task A_given_folder_keeps_its_queues_for_the_next_start()
    {
        var token = TestContext.Current.CancellationToken;
        using var place = new TemporaryFolder();
        var options = new RabbitServerOptions { DataFolder = place.In("kept") };
        await using (var server = await RabbitServer.StartAsync(options, token))
            await Broker.DeclareAndPublishAsync(server.AdminUri, "orders", "quorum", "kept");
        await using (var server = await RabbitServer.StartAsync(options, token))
            Assert.Equal("kept", await Broker.TakeAsync(server.AdminUri, "orders"));
    }

    [Fact]
    public async Task A_start_that_fails_says_what_the_broker_said()
    {
        var options = new RabbitServerOptions { MustBeOwned = true, Configuration = ["no_such_setting = 1"] };
        var failure = await Assert.ThrowsAsync<ServerException>(() => RabbitServer.StartAsync(options, TestContext.Current.CancellationToken));
        Assert.Contains("no_such_setting", failure.Message, StringComparison.Ordinal);
    }
}
