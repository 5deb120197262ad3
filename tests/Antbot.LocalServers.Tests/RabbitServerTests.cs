using System.Net;
using Antbot.LocalServers.Rabbit;

namespace Antbot.LocalServers.Tests;

public sealed class RabbitServerTests(RabbitServerTests.Shared shared) : IClassFixture<RabbitServerTests.Shared>
{
    private readonly RabbitServer _server = shared.Server;

    public sealed class Shared : IAsyncLifetime
    {
        public RabbitServer Server { get; private set; } = null!;

        public async ValueTask InitializeAsync() =>
            Server = await RabbitServer.StartAsync(new RabbitServerOptions { MustBeOwned = true }, TestContext.Current.CancellationToken);

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }

    [Fact]
    public async Task It_publishes_and_consumes_in_virtual_hosts_of_their_own()
    {
        var token = TestContext.Current.CancellationToken;
        var first = await _server.CreateVirtualHostAsync(cancellationToken: token);
        var second = await _server.CreateVirtualHostAsync(cancellationToken: token);
        Assert.NotEqual(first.Name, second.Name);

        await Broker.DeclareAndPublishAsync(first.Uri, "orders", "classic", "hello");

        Assert.Equal("hello", await Broker.TakeAsync(first.Uri, "orders"));
        Assert.Null(await Broker.TakeAsync(second.Uri, "orders", declare: true));
    }

    [Fact]
    public async Task A_dropped_virtual_host_takes_no_connection()
    {
        var token = TestContext.Current.CancellationToken;
        var host = await _server.CreateVirtualHostAsync("to drop/now", token);
        await Broker.DeclareAndPublishAsync(host.Uri, "orders", "classic", "hello");
        await _server.DropVirtualHostAsync(host.Name, token);
        await Assert.ThrowsAnyAsync<Exception>(() => Broker.TakeAsync(host.Uri, "orders"));
    }

    [Fact]
    public void Everything_listens_on_loopback_only()
    {
        // A container has a network of its own: only its published port is on this machine.
        int[] ports = _server is LocalRabbitServer { Listens: var local } ? [local.Amqp, local.Distribution, local.PortMapper] : [_server.AdminUri.Port];
        foreach (var port in ports)
        {
            Assert.NotEmpty(Kernel.ListenersOn(port));
            Assert.All(Kernel.ListenersOn(port), endpoint => Assert.True(IPAddress.IsLoopback(endpoint.Address), $"listens on {endpoint}"));
        }
    }

    [Fact]
    public void It_does_not_run_as_root() => Assert.NotEqual(0, Kernel.UserOf(_server.BrokerPid));

    [Fact]
    public async Task Its_password_is_neither_on_a_command_line_nor_in_the_log()
    {
        var password = _server.AdminUri.UserInfo.Split(':')[1];
        Assert.DoesNotContain(Kernel.ProcessesNaming(_server.Folder), line => line.Contains(password, StringComparison.Ordinal));
        var log = await _server.ReadLogAsync(TestContext.Current.CancellationToken);
        Assert.NotEmpty(log);
        Assert.DoesNotContain(password, log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Given_in_the_environment_without_its_management_it_makes_no_virtual_host_and_says_what_is_missing()
    {
        var host = new HostView(name => name == HostView.RabbitVariable ? _server.AdminUri.ToString() : null, "/");
        await using var given = await RabbitServer.StartAsync(new RabbitServerOptions { Host = host }, TestContext.Current.CancellationToken);
        Assert.False(given.IsOwned);
        await Assert.ThrowsAsync<NotOwnedException>(() => given.KillAsync(TestContext.Current.CancellationToken));
        var failure = await Assert.ThrowsAsync<ServerException>(() => given.CreateVirtualHostAsync(cancellationToken: TestContext.Current.CancellationToken));
        Assert.Contains(HostView.RabbitManagementVariable, failure.Message, StringComparison.Ordinal);
    }
}
