using Antbot.Runtime.Store;
using Npgsql;

namespace Antbot.EventStore.Postgres;

/// <summary>Creates and migrates the store's tables. Safe when any number of services do it at once.</summary>
public static class PostgresSchema
{
    private const long MigrationLock = 4771170000;
    private const string RolesScript = "roles.sql";

    private static readonly (int Version, string Name)[] Migrations = [.. FindMigrations()];

    /// <summary>The version this build needs.</summary>
    public static int Version => Migrations[^1].Version;

    /// <returns>How many migrations were applied: 0 when another was faster or nothing was to be done.</returns>
    public static async Task<int> EnsureAsync(string connectionString, CancellationToken cancellationToken = default)
    {
        try
        {
            await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
            await connection.OpenAsync(cancellationToken);
            if (await ReadVersionAsync(connection, cancellationToken) == Version && !await OwnsSchemaAsync(connection, cancellationToken))
                return 0;
            return await MigrateAsync(connection, cancellationToken);
        }
        catch (Exception e) when (e is not (OperationCanceledException or EventStoreException))
        {
            throw PostgresFaults.Translate(e, "creating the store's schema");
        }
    }

    internal static string Script(string name)
    {
        var assembly = typeof(PostgresSchema).Assembly;
        using var stream = assembly.GetManifestResourceStream($"{Prefix}{name}") ?? throw new InvalidOperationException($"The build lacks {name}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static string Prefix => "Antbot.EventStore.Postgres.Schema.";

    private static async Task<int> MigrateAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await RunAsync(connection, $"set local lock_timeout = '60s'; select pg_advisory_xact_lock({MigrationLock})", cancellationToken);
        await RunAsync(connection, """
            create schema if not exists antbot;
            create table if not exists antbot.schema (version int primary key, name varchar not null, applied_at timestamptz not null default now())
            """, cancellationToken);
        var version = await ReadVersionAsync(connection, cancellationToken);
        if (version > Version)
            throw new EventStoreException(StoreFault.Invalid, $"The database's schema is version {version}; this build knows up to {Version}. Run the newer build.");
        var applied = 0;
        foreach (var (number, name) in Migrations.Where(m => m.Version > version))
        {
            await RunAsync(connection, Script(name), cancellationToken);
            await using var record = new NpgsqlCommand("insert into antbot.schema (version, name) values ($1, $2)", connection) { Parameters = { new() { Value = number }, new() { Value = name } } };
            await record.ExecuteNonQueryAsync(cancellationToken);
            applied++;
        }
        await GrantAsync(connection, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return applied;
    }

    /// <summary>Without the right to make roles the store works for its owner; an administrator can run the same later.</summary>
    private static async Task GrantAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await RunAsync(connection, "savepoint roles", cancellationToken);
        try
        {
            await RunAsync(connection, Script(RolesScript), cancellationToken);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            await RunAsync(connection, "rollback to savepoint roles", cancellationToken);
        }
    }

    private static async Task<int> ReadVersionAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var exists = new NpgsqlCommand("select to_regclass('antbot.schema') is not null", connection);
        if (!(bool)(await exists.ExecuteScalarAsync(cancellationToken))!)
            return 0;
        await using var read = new NpgsqlCommand("select coalesce(max(version), 0) from antbot.schema", connection);
        return (int)(await read.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task<bool> OwnsSchemaAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select pg_has_role(nspowner, 'MEMBER') from pg_namespace where nspname = 'antbot'", connection);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    private static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static IEnumerable<(int Version, string Name)> FindMigrations() =>
        from resource in typeof(PostgresSchema).Assembly.GetManifestResourceNames()
        where resource.StartsWith(Prefix, StringComparison.Ordinal)
        let name = resource[Prefix.Length..]
        where char.IsAsciiDigit(name[0])
        orderby name
        select (int.Parse(name.AsSpan(0, 3)), name);
}
