using Antbot.EventStore.Postgres;
using Antbot.LocalServers;
using Npgsql;

namespace Antbot.Benchmarks.Store;

public sealed record StoreBenchOptions(int Events, TimeSpan Round);

/// <summary>The event store beside the plain way and COPY, on one private PostgreSQL with fsync on, all in one run.</summary>
public static class StoreBench
{
    private const int Rounds = 3;

    public static async Task RunAsync(BenchReport report, StoreBenchOptions options, CancellationToken cancellationToken)
    {
        // Client and server on the same two cores, whatever the machine has: what is started from here inherits it.
        if (OperatingSystem.IsLinux() || OperatingSystem.IsWindows())
            System.Diagnostics.Process.GetCurrentProcess().ProcessorAffinity = 3;
        await using var server = await PostgresServer.StartAsync(
            new PostgresServerOptions
            {
                MustBeOwned = true,
                Settings = new Dictionary<string, string>(StringComparer.Ordinal) { ["shared_buffers"] = "1GB", ["max_wal_size"] = "8GB", ["checkpoint_timeout"] = "30min" },
            },
            cancellationToken);
        Console.WriteLine("PostgreSQL, fsync on; client and server share this machine's cores.");
        await AppendBench.RunAsync(report, server, options, Rounds, cancellationToken);
        await SqliteBench.RunAsync(report, options, Rounds, cancellationToken);
        await HistoryBench.RunAsync(report, server, options, cancellationToken);
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
