namespace Antbot.LocalServers.Tests;

public sealed class PostgresLifeTests
{
    private static readonly PostgresServerOptions Owned = new() { MustBeOwned = true };

    public enum Ending
    {
        Kill,
        StopImmediate,
        Stop,
    }

    [Theory]
    [InlineData(Ending.Kill)]
    [InlineData(Ending.StopImmediate)]
    [InlineData(Ending.Stop)]
    public async Task Ended_and_started_again_it_keeps_committed_data_and_its_address(Ending ending)
    {
        var token = TestContext.Current.CancellationToken;
        await using var server = await PostgresServer.StartAsync(Owned, token);
        var database = await server.CreateDatabaseAsync(cancellationToken: token);
        await Sql.RunAsync(database.ConnectionString, "CREATE TABLE t (n int)");

        for (var round = 1; round <= 2; round++)
        {
            await Sql.RunAsync(database.ConnectionString, $"INSERT INTO t VALUES ({round})");
            var before = server.PostmasterPid;
            await EndAsync(server, ending, token);
            await Assert.ThrowsAnyAsync<Npgsql.NpgsqlException>(() => Sql.RunAsync(database.ConnectionString, "SELECT 1"));
            await server.StartAgainAsync(token);

            Assert.NotEqual(before, server.PostmasterPid);
            Assert.Equal((long)round, await Sql.RunAsync(database.ConnectionString, "SELECT count(*) FROM t"));
        }
    }

    [Fact]
    public async Task A_running_server_is_not_started_again()
    {
        await using var server = await PostgresServer.StartAsync(Owned, TestContext.Current.CancellationToken);
        var refused = await Assert.ThrowsAsync<ServerException>(() => server.StartAgainAsync(TestContext.Current.CancellationToken));
        Assert.Contains("still runs", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Disposed_it_leaves_neither_process_nor_folder_even_after_a_kill()
    {
        var server = await PostgresServer.StartAsync(Owned, TestContext.Current.CancellationToken);
        await server.KillAsync(TestContext.Current.CancellationToken);
        await server.DisposeAsync();
        Assert.False(Directory.Exists(server.Folder));
        Assert.Empty(Kernel.ProcessesNaming(server.Folder));
    }

    [Fact]
    public async Task A_given_folder_keeps_its_data_and_its_password_and_serves_one_at_a_time()
    {
        var token = TestContext.Current.CancellationToken;
        using var place = new TemporaryFolder();
        var options = new PostgresServerOptions { DataFolder = place.In("kept") };
        string first;
        await using (var server = await PostgresServer.StartAsync(options, token))
        {
            first = server.AdminConnectionString;
            await Sql.RunAsync(first, "CREATE TABLE kept (n int)");
            var inUse = await Assert.ThrowsAsync<ServerException>(() => PostgresServer.StartAsync(options, token));
            Assert.Contains("in use", inUse.Message, StringComparison.Ordinal);
        }

        await using var next = await PostgresServer.StartAsync(options, token);
        Assert.Equal("kept", await Sql.RunAsync(next.AdminConnectionString, "SELECT to_regclass('kept')::text"));
        Assert.Equal(
            new Npgsql.NpgsqlConnectionStringBuilder(first).Password,
            new Npgsql.NpgsqlConnectionStringBuilder(next.AdminConnectionString).Password);
    }

    [Fact]
    public async Task A_start_that_fails_says_what_the_server_said_and_leaves_nothing()
    {
        var options = Owned with { Settings = new Dictionary<string, string> { ["shared_buffers"] = "much" } };
        var failure = await Assert.ThrowsAsync<ServerException>(() => PostgresServer.StartAsync(options, TestContext.Current.CancellationToken));
        Assert.Contains("invalid value for parameter \"shared_buffers\"", failure.Message, StringComparison.Ordinal);
    }

    private static Task EndAsync(PostgresServer server, Ending ending, CancellationToken token) => ending switch
    {
        Ending.Kill => server.KillAsync(token),
        Ending.StopImmediate => server.StopImmediateAsync(token),
        Ending.Stop => server.StopAsync(token),
    };
}
