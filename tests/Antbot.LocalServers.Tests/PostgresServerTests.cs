using Npgsql;

namespace Antbot.LocalServers.Tests;

public sealed class PostgresServerTests(PostgresServerTests.Shared shared) : IClassFixture<PostgresServerTests.Shared>
{
    private readonly PostgresServer _server = shared.Server;

    public sealed class Shared : IAsyncLifetime
    {
        public PostgresServer Server { get; private set; } = null!;

        public async ValueTask InitializeAsync() =>
            Server = await PostgresServer.StartAsync(new PostgresServerOptions { MustBeOwned = true }, TestContext.Current.CancellationToken);

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }

    [Fact]
    public async Task A_started_server_answers_and_syncs_to_disk() =>
        Assert.Equal("on", await Sql.RunAsync(_server.AdminConnectionString, "SHOW fsync"));

    [Fact]
    public void It_listens_on_loopback_only()
    {
        var listeners = Kernel.ListenersOn(new NpgsqlConnectionStringBuilder(_server.AdminConnectionString).Port);
        Assert.NotEmpty(listeners);
        Assert.All(listeners, endpoint => Assert.True(System.Net.IPAddress.IsLoopback(endpoint.Address), $"listens on {endpoint}"));
    }

    [Fact]
    public void It_does_not_run_as_root() => Assert.NotEqual(0, Kernel.UserOf(_server.PostmasterPid));

    [Fact]
    public async Task Its_password_is_neither_on_a_command_line_nor_in_the_log()
    {
        var password = new NpgsqlConnectionStringBuilder(_server.AdminConnectionString).Password!;
        Assert.True(password.Length >= 32);
        Assert.DoesNotContain(Kernel.ProcessesNaming(_server.Folder), line => line.Contains(password, StringComparison.Ordinal));
        var log = await _server.ReadLogAsync(TestContext.Current.CancellationToken);
        Assert.Contains("ready to accept connections", log, StringComparison.Ordinal);
        Assert.DoesNotContain(password, log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_password_is_refused()
    {
        var wrong = new NpgsqlConnectionStringBuilder(_server.AdminConnectionString) { Password = "wrong" };
        var refused = await Assert.ThrowsAsync<PostgresException>(() => Sql.RunAsync(wrong.ConnectionString, "SELECT 1"));
        Assert.Equal(PostgresErrorCodes.InvalidPassword, refused.SqlState);
    }

    [Fact]
    public async Task Every_call_makes_a_database_of_its_own()
    {
        var token = TestContext.Current.CancellationToken;
        var databases = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _server.CreateDatabaseAsync(cancellationToken: token)));
        Assert.Equal(4, databases.Select(database => database.Name).Distinct(StringComparer.Ordinal).Count());

        await Sql.RunAsync(databases[0].ConnectionString, "CREATE TABLE t (n int)");
        Assert.Equal(DBNull.Value, await Sql.RunAsync(databases[1].ConnectionString, "SELECT to_regclass('t')::text"));
    }

    [Fact]
    public async Task A_database_is_dropped_even_when_somebody_is_connected_and_dropping_it_again_is_no_error()
    {
        var token = TestContext.Current.CancellationToken;
        var database = await _server.CreateDatabaseAsync("to \"drop\"", token);
        await using var connected = new NpgsqlConnection(database.ConnectionString);
        await connected.OpenAsync(token);

        await _server.DropDatabaseAsync(database.Name, token);
        await _server.DropDatabaseAsync(database.Name, token);

        Assert.Equal(0L, await Sql.RunAsync(_server.AdminConnectionString, "SELECT count(*) FROM pg_database WHERE datname LIKE 'to %'"));
    }

    [Fact]
    public async Task Two_at_once_do_not_collide()
    {
        await using var other = await PostgresServer.StartAsync(new PostgresServerOptions { MustBeOwned = true }, TestContext.Current.CancellationToken);
        Assert.NotEqual(_server.Folder, other.Folder);
        await Sql.RunAsync(other.AdminConnectionString, "CREATE DATABASE only_there");
        Assert.Equal(0L, await Sql.RunAsync(_server.AdminConnectionString, "SELECT count(*) FROM pg_database WHERE datname = 'only_there'"));
    }

    [Fact]
    public void A_database_is_printed_without_its_password() =>
        Assert.DoesNotContain("secret", new PostgresDatabase("orders", "Host=h;Password=secret").ToString(), StringComparison.Ordinal);
}
