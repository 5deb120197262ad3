using Antbot.Integration.Tests.Support;
using Antbot.LocalServers;
using Xunit;

namespace Antbot.Hosting.Tests.Buses;

/// <summary>Each test has a virtual host of its own, and somebody else's view of it.</summary>
public abstract class OnABroker(RabbitFixture fixture) : IAsyncLifetime
{
    private protected RabbitVirtualHost Host { get; private set; } = null!;

    private protected RawBroker Raw { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Host = await fixture.CreateVirtualHostAsync();
        Raw = await RawBroker.ConnectAsync(Host.Uri);
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Raw.DisposeAsync();
        await fixture.DropAsync(Host);
    }
}
