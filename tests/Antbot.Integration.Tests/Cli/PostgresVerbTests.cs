using System.Text.Json;
using Antbot.Contracts;
using Antbot.EventStore.Postgres;
using Antbot.Integration.Tests.ConsoleApi;
using Antbot.Integration.Tests.Postgres;
using Antbot.LocalServers;
using Npgsql;
using Xunit;

namespace Antbot.Integration.Tests.Cli;

/// <summary>The same verbs on PostgreSQL, by people who may do only some of it.</summary>
public sealed class PostgresVerbTests(PostgresFixture fixture) : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-pgverbs-").FullName;
    private readonly string _suffix = Guid.NewGuid().ToString("N")[..8];
    private PostgresDatabase _database = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await fixture.Server.CreateDatabaseAsync(cancellationToken: Cancel);
        await PostgresSchema.EnsureAsync(_database.ConnectionString, Cancel);
        foreach (var role in new[] { "control", "reader" })
            await ExecuteAsync($"create role {role}_{_suffix} login password 'p-{_suffix}' in role antbot_{role}");
    }

    public async ValueTask DisposeAsync()
    {
        await fixture.Server.DropDatabaseAsync(_database.Name, CancellationToken.None);
        await using var connection = new NpgsqlConnection(fixture.Server.AdminConnectionString);
        await connection.OpenAsync(CancellationToken.None);
        await using var drop = new NpgsqlCommand($"drop role control_{_suffix}; drop role reader_{_suffix}", connection);
        await drop.ExecuteNonQueryAsync(CancellationToken.None);
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Who_may_only_halt_halts_and_resumes_and_who_may_only_read_does_not()
    {
        var halt = await AntbotProcess.RunAsync(_folder, "halt", "--reason", "drill", "--by", "anna", "--store", As("control"), "--json");
        Assert.Equal((0, ""), (halt.ExitCode, halt.Error));
        Assert.Equal("Halted", JsonDocument.Parse(halt.Output).RootElement.GetProperty("Control").GetProperty("Activity").GetString());
        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "resume", "--reason", "over", "--by", "anna", "--store", As("control"))).ExitCode);

        var refused = await AntbotProcess.RunAsync(_folder, "halt", "--reason", "drill", "--by", "bob", "--store", As("reader"), "--json");
        Assert.Equal((6, "Forbidden"), (refused.ExitCode, JsonDocument.Parse(refused.Error).RootElement.GetProperty("Error").GetString()));
        await using var store = new PostgresEventStore(new PostgresStoreOptions { ConnectionString = _database.ConnectionString });
        Assert.Equal(2, await store.ReadVersionAsync(Streams.Control, Cancel));
    }

    [Fact]
    public async Task A_reader_sees_what_there_is_and_is_told_that_it_may_be_behind()
    {
        await using (var store = new PostgresEventStore(new PostgresStoreOptions { ConnectionString = _database.ConnectionString }))
            await new RandomHistory(store, 7).GrowAsync(200);
        var behind = await AntbotProcess.RunAsync(_folder, "trades", "--store", As("reader"));
        Assert.Equal(0, behind.ExitCode);
        Assert.Contains("may be behind", behind.Error, StringComparison.Ordinal);

        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "views", "rebuild", "--store", _database.ConnectionString)).ExitCode);
        var status = await AntbotProcess.RunAsync(_folder, "status", "--store", As("reader"), "--json");
        Assert.Equal((0, ""), (status.ExitCode, status.Error));
        Assert.True(JsonDocument.Parse(status.Output).RootElement.GetProperty("Trades").GetProperty("Closed").GetInt64() > 0);
        Assert.DoesNotContain($"p-{_suffix}", status.Output, StringComparison.Ordinal);
    }

    private string As(string role) => new NpgsqlConnectionStringBuilder(_database.ConnectionString) { Username = $"{role}_{_suffix}", Password = $"p-{_suffix}", Pooling = false }.ConnectionString;

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_database.ConnectionString);
        await connection.OpenAsync(Cancel);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
