using Antbot.EventStore.Postgres;
using Antbot.LocalServers;
using Npgsql;

namespace Antbot.Benchmarks.Store;

public sealed record StoreBenchOptions(int Events, TimeSpan Round);

/// <summary>The event store beside the plain way and COPY, on one private PostgreSQL with fsync on, all in one run.</summary>
public static class StoreBench
{
    /// <summary>An odd number: the middle one counts.</summary>
    internal const int Rounds = 3;

    public static async Task RunAsync(BenchReport report, StoreBenchOptions options, CancellationToken cancellationToken)
    {
        await using var server = await PostgresServer.StartAsync(
            new PostgresServerOptions
            {
                MustBeOwned = true,
                ConnectionsMax = 300,
                Settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["shared_buffers"] = "1GB", ["max_wal_size"] = "8GB", ["checkpoint_timeout"] = "30min" },
            },
            cancellationToken);
        Console.WriteLine("PostgreSQL, fsync on; client and server share this machine's cores.");
        var section = report.Of($"PostgreSQL {await VersionAsync(server, cancellationToken)}");
        await AppendBench.RunAsync(section, server, options, cancellationToken);
        await SqliteBench.RunAsync(report, options, cancellationToken);
        await HistoryBench.RunAsync(section, server, options, cancellationToken);
    }

    private static async Task<string> VersionAsync(PostgresServer server, CancellationToken cancellationToken)
    {
        await using var source = Source(await NewDatabaseAsync(server, cancellationToken), 1);
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        // What was not written to the disk was not measured.
        foreach (var setting in new[] { "fsync", "synchronous_commit", "full_page_writes" })
        {
            await using var show = new NpgsqlCommand($"show {setting}", connection);
            if (await show.ExecuteScalarAsync(cancellationToken) is not "on")
                throw new InvalidOperationException($"PostgreSQL's {setting} is not on: its figures would say nothing.");
        }
        return connection.PostgreSqlVersion.ToString();
    }

    internal static async Task<string> NewDatabaseAsync(PostgresServer server, CancellationToken cancellationToken)
    {
        var database = await server.CreateDatabaseAsync(cancellationToken: cancellationToken);
        await PostgresSchema.EnsureAsync(database.ConnectionString, cancellationToken);
        return database.ConnectionString;
    }

    /// <summary>Npgsql as it comes, or with every statement prepared.</summary>
    internal static NpgsqlDataSource Source(string connectionString, int connections, bool prepared = false) => NpgsqlDataSource.Create(
        new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = connections, MaxAutoPrepare = prepared ? 20 : 0, AutoPrepareMinUsages = 2, NoResetOnClose = prepared });
}
