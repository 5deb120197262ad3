using Antbot.EventStore.Postgres;
using Antbot.EventStore.Sqlite;
using Antbot.Runtime.Store;
using Antbot.Runtime.Venue;
using Npgsql;

namespace Antbot.EventStore;

/// <summary>
/// Which store is meant: <c>sqlite:FILE</c>, or a PostgreSQL connection string (<c>Host=…;Database=…</c>).
/// </summary>
public static class StoreAddress
{
    public const string Variable = "ANTBOT_STORE";
    private const string SqlitePrefix = "sqlite:";

    /// <summary>Without secrets, for people.</summary>
    public static string Describe(string address) => IsSqlite(address, out var file)
        ? $"SQLite file '{file}'"
        : Builder(address) is var b ? $"PostgreSQL database '{b.Database}' at {b.Host}:{b.Port}" : "";

    public static bool IsSqlite(string address, out string file)
    {
        file = address.StartsWith(SqlitePrefix, StringComparison.OrdinalIgnoreCase) ? address[SqlitePrefix.Length..] : "";
        return file.Length > 0;
    }

    /// <summary>Of a PostgreSQL address, checked.</summary>
    public static string ConnectionString(string address) => Builder(address).ConnectionString;

    /// <summary>Opens what is there; with <paramref name="create"/> also makes the file or the tables.</summary>
    public static async Task<IEventStore> OpenAsync(string address, bool create, CancellationToken cancellationToken = default)
    {
        if (IsSqlite(address, out var file))
            return await OpenFileAsync(file, create, cancellationToken);
        var connectionString = Builder(address).ConnectionString;
        if (create)
            await PostgresSchema.EnsureAsync(connectionString, cancellationToken);
        return new PostgresEventStore(new PostgresStoreOptions { ConnectionString = connectionString });
    }

    /// <summary>Where the store's large bodies are. Connects when it is first needed.</summary>
    public static IBlobs OpenBlobs(string address) => IsSqlite(address, out var file) ? new SqliteBlobs(Path.GetFullPath(file)) : new PostgresBlobs(Builder(address).ConnectionString);

    public static IStoreSize OpenSize(string address) => IsSqlite(address, out var file) ? new SqliteSize(Path.GetFullPath(file)) : new PostgresSize(Builder(address).ConnectionString);

    /// <summary>What the venue's limits have left, shared by all who name this store: in its database, or in the process with its waits beside the file.</summary>
    public static IVenueBudget OpenVenueBudget(string address, TimeProvider clock) =>
        IsSqlite(address, out var file) ? new LocalVenueBudget(clock, new KeptWaits($"{Path.GetFullPath(file)}.waits.json")) : new PostgresVenueBudget(ConnectionString(address));

    private static async Task<IEventStore> OpenFileAsync(string file, bool create, CancellationToken cancellationToken) =>
        await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = file, Create = create }, cancellationToken);

    private static NpgsqlConnectionStringBuilder Builder(string address)
    {
        try
        {
            var builder = new NpgsqlConnectionStringBuilder(address);
            if (builder.Host is null)
                throw new ArgumentException("it names no host", nameof(address));
            return builder;
        }
        catch (ArgumentException e)
        {
            // The text may hold a password: it is not repeated.
            throw new EventStoreException(StoreFault.Invalid, $"The store's address is neither 'sqlite:FILE' nor a PostgreSQL connection string ('Host=…;Database=…;Username=…'): {e.Message.Split('\'')[0].Trim()}", e);
        }
    }
}
