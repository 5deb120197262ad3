using Antbot.Integration.Tests.Support;
using Antbot.LocalServers;
using Xunit;

[assembly: AssemblyFixture(typeof(RabbitFixture))]

namespace Antbot.Integration.Tests.Support;

/// <summary>One broker for all test classes, started when the first of them asks; each test has its own virtual host on it.</summary>
public sealed class RabbitFixture : IAsyncDisposable
{
    private readonly Lazy<Task<RabbitServer>> _server = new(() => RabbitServer.StartAsync(new RabbitServerOptions { Management = true }));

    public async Task<RabbitVirtualHost> CreateVirtualHostAsync() => await (await _server.Value).CreateVirtualHostAsync(cancellationToken: TestContext.Current.CancellationToken);

    public async Task DropAsync(RabbitVirtualHost host) => await (await _server.Value).DropVirtualHostAsync(host.Name);

    public async ValueTask DisposeAsync()
    {
        if (_server.IsValueCreated)
            await (await _server.Value).DisposeAsync();
    }
}
