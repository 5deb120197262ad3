using Antbot.Integration.Tests.Postgres;
using Antbot.LocalServers;
using Xunit;

[assembly: AssemblyFixture(typeof(PostgresFixture))]

namespace Antbot.Integration.Tests.Postgres;

/// <summary>One server for all test classes; each class, or test, has its own database on it.</summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    private PostgresServer? _server;

    public PostgresServer Server => _server ?? throw new InvalidOperationException("The server has not been started.");

    public async ValueTask InitializeAsync() => _server = await PostgresServer.StartAsync(cancellationToken: TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
    }
}
