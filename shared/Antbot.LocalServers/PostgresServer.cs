using System.Security.Cryptography;
using Antbot.LocalServers.Docker;
using Antbot.LocalServers.Postgres;
using Npgsql;

namespace Antbot.LocalServers;

/// <summary>A PostgreSQL for tests, benchmarks and development. Dispose ends one that was started here.</summary>
public abstract class PostgresServer : IAsyncDisposable
{
    private const int CommandLimitSeconds = 60;

    private protected PostgresServer(string adminConnectionString) => AdminConnectionString = adminConnectionString;

    /// <summary>A role that may create databases, connected to the maintenance database.</summary>
    public string AdminConnectionString { get; }

    /// <summary>Started here, so that it can be killed, stopped and started again.</summary>
    public abstract bool IsOwned { get; }

    /// <summary>The process id of the postmaster; it changes with every start.</summary>
    public virtual int PostmasterPid => throw NotOwned(nameof(PostmasterPid));

    /// <summary>The instance's own folder; empty when the server is not owned.</summary>
    public virtual string Folder => "";

    /// <summary>An empty folder on a small disk, as the server sees it; empty when none was asked for. A start may empty it.</summary>
    public virtual string SmallDiskFolder => "";

    /// <summary>
    /// Takes the first source that there is: the environment, Testcontainers when built with it and an engine answers, local binaries, a Docker engine.
    /// </summary>
    public static async Task<PostgresServer> StartAsync(PostgresServerOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new PostgresServerOptions();
        var given = !options.MustBeOwned && options.DataFolder is null && options.SmallDiskMegabytes is null;
        if (given && options.Host.Value(HostView.PostgresVariable) is { } connectionString)
            return await ExternalPostgresServer.OpenAsync(connectionString, cancellationToken);
#if TESTCONTAINERS
        // Many can build with it where no engine runs.
        if (given && await DockerEngine.FindAsync(options.Host, cancellationToken) is not null)
            return await Containers.StartPostgresAsync(options, cancellationToken);
#endif
        if (PostgresBinaries.Find(options.Host) is { } binaries)
            return await LocalPostgresServer.RunAsync(binaries, options, cancellationToken);
        if (await DockerEngine.FindAsync(options.Host, cancellationToken) is { } engine)
            return await DockerPostgresServer.RunAsync(engine, options, cancellationToken);
        throw new ServerNotFoundException(PostgresBinaries.Missing);
    }

    /// <summary>A fresh database of a unique name, or of the given one.</summary>
    public async Task<PostgresDatabase> CreateDatabaseAsync(string? name = null, CancellationToken cancellationToken = default)
    {
        name ??= $"test_{RandomNumberGenerator.GetHexString(12, lowercase: true)}";
        await ExecuteAsync($"CREATE DATABASE {Quote(name)}", cancellationToken);
        return new PostgresDatabase(name, ConnectionStringFor(name));
    }

    /// <summary>Drops the database even when somebody is still connected; no error when it is not there.</summary>
    public async Task DropDatabaseAsync(string name, CancellationToken cancellationToken = default)
    {
        await using (var connection = new NpgsqlConnection(ConnectionStringFor(name)))
            NpgsqlConnection.ClearPool(connection);
        await ExecuteAsync($"DROP DATABASE IF EXISTS {Quote(name)} WITH (FORCE)", cancellationToken);
    }

    /// <summary>Whether its process is there; one that was killed from outside is not.</summary>
    public virtual Task<bool> IsRunningAsync(CancellationToken cancellationToken = default) => throw NotOwned(nameof(IsRunningAsync));

    /// <summary>SIGKILL, as the kernel's memory killer or a power cut would; returns when a start is possible again.</summary>
    public virtual Task KillAsync(CancellationToken cancellationToken = default) => throw NotOwned(nameof(KillAsync));

    /// <summary>Ends without a checkpoint: the next start recovers.</summary>
    public virtual Task StopImmediateAsync(CancellationToken cancellationToken = default) => throw NotOwned(nameof(StopImmediateAsync));

    /// <summary>Disconnects everybody, writes a checkpoint and ends.</summary>
    public virtual Task StopAsync(CancellationToken cancellationToken = default) => throw NotOwned(nameof(StopAsync));

    /// <summary>Starts the ended server with the same port and data; returns when it answers.</summary>
    public virtual Task StartAgainAsync(CancellationToken cancellationToken = default) => throw NotOwned(nameof(StartAgainAsync));

    public abstract ValueTask DisposeAsync();

    /// <summary>What the server has written to its log.</summary>
    internal virtual Task<string> ReadLogAsync(CancellationToken cancellationToken) => throw NotOwned(nameof(ReadLogAsync));

    private static NotOwnedException NotOwned(string operation) => NotOwnedException.For(operation, nameof(PostgresServerOptions));

    private static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private string ConnectionStringFor(string database) =>
        new NpgsqlConnectionStringBuilder(AdminConnectionString) { Database = database, Pooling = true }.ConnectionString;

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(AdminConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = CommandLimitSeconds };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
