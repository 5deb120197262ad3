namespace Antbot.LocalServers.Tests;

public sealed class SourceTests
{
    private const string NoServer = "Host=127.0.0.1;Port=1;Username=u;Password=not-to-be-shown;Database=postgres";

    [Fact]
    public async Task A_connection_string_in_the_environment_wins_and_its_server_is_nobodys_to_kill()
    {
        var token = TestContext.Current.CancellationToken;
        await using var real = await PostgresServer.StartAsync(new PostgresServerOptions { MustBeOwned = true }, token);
        await using var server = await PostgresServer.StartAsync(
            new PostgresServerOptions { Host = With(HostView.PostgresVariable, real.AdminConnectionString) }, token);

        Assert.False(server.IsOwned);
        Assert.Equal(real.AdminConnectionString, server.AdminConnectionString);
        var database = await server.CreateDatabaseAsync(cancellationToken: token);
        Assert.Equal(database.Name, await Sql.RunAsync(database.ConnectionString, "SELECT current_database()::text"));

        var refused = await Assert.ThrowsAsync<NotOwnedException>(() => server.KillAsync(token));
        Assert.Contains("MustBeOwned", refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<NotOwnedException>(() => server.StartAgainAsync(token));
        Assert.Throws<NotOwnedException>(() => server.PostmasterPid);
    }

    [Fact]
    public async Task A_test_that_kills_gets_a_server_of_its_own_whatever_the_environment_says()
    {
        var options = new PostgresServerOptions { MustBeOwned = true, Host = With(HostView.PostgresVariable, NoServer) };
        await using var server = await PostgresServer.StartAsync(options, TestContext.Current.CancellationToken);
        Assert.True(server.IsOwned);
    }

    [Fact]
    public async Task A_server_in_the_environment_that_does_not_answer_is_an_error_that_names_the_variable_and_hides_the_password()
    {
        var options = new PostgresServerOptions { Host = With(HostView.PostgresVariable, NoServer) };
        var failure = await Assert.ThrowsAsync<ServerException>(() => PostgresServer.StartAsync(options, TestContext.Current.CancellationToken));
        Assert.Contains(HostView.PostgresVariable, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("not-to-be-shown", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_broker_in_the_environment_that_does_not_answer_is_an_error_that_names_the_variable_and_hides_the_password()
    {
        var options = new RabbitServerOptions { Host = With(HostView.RabbitVariable, "amqp://u:not-to-be-shown@127.0.0.1:1/") };
        var failure = await Assert.ThrowsAsync<ServerException>(() => RabbitServer.StartAsync(options, TestContext.Current.CancellationToken));
        Assert.Contains(HostView.RabbitVariable, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("not-to-be-shown", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_there_is_no_server_the_error_names_the_package()
    {
        using var empty = new TemporaryFolder();
        var nothing = new HostView(_ => null, empty.Path);
        var postgres = await Assert.ThrowsAsync<ServerNotFoundException>(
            () => PostgresServer.StartAsync(new PostgresServerOptions { Host = nothing }, TestContext.Current.CancellationToken));
        Assert.Contains("install the package 'postgresql'", postgres.Message, StringComparison.Ordinal);
        var rabbit = await Assert.ThrowsAsync<ServerNotFoundException>(
            () => RabbitServer.StartAsync(new RabbitServerOptions { Host = nothing }, TestContext.Current.CancellationToken));
        Assert.Contains("install the package 'rabbitmq-server'", rabbit.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ANTBOT_POSTGRES_BIN")]
    [InlineData("ANTBOT_RABBITMQ_SBIN")]
    public async Task A_folder_that_was_chosen_wrongly_is_an_error_and_not_passed_over(string variable)
    {
        using var empty = new TemporaryFolder();
        var host = With(variable, empty.Path);
        var failure = await Assert.ThrowsAsync<ServerNotFoundException>(async () =>
        {
            if (variable == "ANTBOT_POSTGRES_BIN")
                await PostgresServer.StartAsync(new PostgresServerOptions { Host = host }, TestContext.Current.CancellationToken);
            else
                await RabbitServer.StartAsync(new RabbitServerOptions { Host = host }, TestContext.Current.CancellationToken);
        });
        Assert.Contains(variable, failure.Message, StringComparison.Ordinal);
    }

    /// <summary>Prevents the links of a removed package from being taken for a server.</summary>
    [Fact]
    public void A_link_that_leads_nowhere_is_no_program()
    {
        using var root = new TemporaryFolder();
        foreach (var name in new[] { "initdb", "postgres" })
            File.CreateSymbolicLink(root.In(name), root.In("gone"));
        var host = new HostView(name => name == "PATH" ? root.Path : null, root.Path);
        Assert.Null(Postgres.PostgresBinaries.Find(host));
        File.WriteAllText(root.In("gone"), "");
        Assert.Equal(root.Path, Postgres.PostgresBinaries.Find(host)!.Folder);
    }

    [Fact]
    public void The_newest_of_several_installed_versions_is_taken()
    {
        using var root = new TemporaryFolder();
        foreach (var version in new[] { "9.6", "17", "15" })
        {
            var folder = Directory.CreateDirectory(root.In($"usr/lib/postgresql/{version}/bin")).FullName;
            File.WriteAllText(Path.Combine(folder, "initdb"), "");
            // A version that was only half removed does not count.
            if (version != "17")
                File.WriteAllText(Path.Combine(folder, "postgres"), "");
        }

        var found = Postgres.PostgresBinaries.Find(new HostView(_ => null, root.Path));
        Assert.Equal(root.In("usr/lib/postgresql/15/bin"), found!.Folder);
    }

    private static HostView With(string name, string value) =>
        new(asked => asked == name ? value : Environment.GetEnvironmentVariable(asked), "/");
}
